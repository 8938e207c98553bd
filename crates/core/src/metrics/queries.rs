//! What is counted of each query: `coredns_dns_*`, and the names that these families had before CoreDNS 1.7.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Counter, Durations, Family, Kind, PROTOCOLS, RCODES, Registry, Samples, Sizes, protocol, rcode_label};
use crate::client::Transport;
use crate::wire::rtype;

/// The zone of queries that come to no block.
pub const DROPPED: &str = "dropped";

/// What the queries of a block on a listener are counted under.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SeriesLabels {
    /// The listener: `dns://:53`.
    pub server: String,
    /// The block's zone.
    pub zone: String,
    /// The block's view, mostly none.
    pub view: String,
    /// The directive that answers are counted under.
    pub plugin: String,
}

/// The counters of one series of queries.
#[derive(Default)]
pub struct Queries {
    /// By transport, family and type.
    requests: [[[Counter; TYPES.len()]; 2]; 2],
    dnssec_ok: Counter,
    durations: Durations,
    request_sizes: [Sizes; 2],
    response_sizes: [Sizes; 2],
    /// Those that no directive has written, and the others, by response code.
    responses: [[Counter; RCODES]; 2],
}

/// A query that has got its reply, or none.
pub struct Counted {
    /// Who asked.
    pub client: SocketAddr,
    /// Datagram or stream.
    pub transport: Transport,
    /// The type that was asked for.
    pub qtype: u16,
    /// The client understands DNSSEC (DO).
    pub dnssec_ok: bool,
    /// Octets of the question's message.
    pub request_size: usize,
    /// Octets of the reply; none where nothing was said.
    pub response_size: usize,
    /// The response code.
    pub rcode: u16,
    /// A directive has written the reply; else the server did because none had.
    pub written: bool,
}

/// The types that have a label of their own; all others are the first one.
pub const TYPES: [&str; 20] = [
    "other", "A", "AAAA", "CNAME", "DNSKEY", "DS", "MX", "NSEC3", "NSEC", "NS", "PTR", "RRSIG", "SOA", "SRV", "TXT", "HTTPS", "SVCB",
    "IXFR", "AXFR", "ANY",
];
/// IPv4 and IPv6, numbered as CoreDNS does.
const FAMILIES: [&str; 2] = ["1", "2"];

impl Queries {
    /// Counts a query, but not how long it took.
    #[inline]
    pub fn count(&self, query: &Counted) {
        let protocol = protocol(query.transport);
        let family = usize::from(query.client.is_ipv6());
        self.requests[protocol][family][type_index(query.qtype)].add(1);
        if query.dnssec_ok {
            self.dnssec_ok.add(1);
        }
        self.request_sizes[protocol].add(query.request_size);
        self.response_sizes[protocol].add(query.response_size);
        self.responses[usize::from(query.written)][usize::from(query.rcode).min(RCODES - 1)].add(1);
    }

    /// Counts how long some queries took, each.
    #[inline]
    pub fn took(&self, each: Duration, count: u64) {
        self.durations.add(each, count);
    }
}

/// Where a type stands among them.
pub fn type_index(qtype: u16) -> usize {
    match qtype {
        rtype::A => 1,
        rtype::AAAA => 2,
        rtype::CNAME => 3,
        48 => 4,
        rtype::DS => 5,
        rtype::MX => 6,
        50 => 7,
        47 => 8,
        rtype::NS => 9,
        rtype::PTR => 10,
        46 => 11,
        rtype::SOA => 12,
        rtype::SRV => 13,
        rtype::TXT => 14,
        65 => 15,
        64 => 16,
        rtype::IXFR => 17,
        rtype::AXFR => 18,
        rtype::ANY => 19,
        _ => 0,
    }
}

/// All series of the engine.
pub type AllQueries = Arc<Registry<SeriesLabels, Queries>>;

/// The families.
pub fn families(all: &AllQueries) -> Vec<Family> {
    let counter = |name: &'static str, help: &'static str, read: Read| family(all, name, help, Kind::Counter, read);
    let histogram = |name: &'static str, help: &'static str, read: Read| family(all, name, help, Kind::Histogram, read);
    vec![
        counter("coredns_dns_requests_total", "Queries, by transport, address family and type.", |labels, queries, samples| {
            requests(queries, |protocol, family, qtype, count| {
                let of = [("proto", protocol), ("family", family), ("type", qtype)];
                samples.add(&[&of, &labels.place()[..]].concat(), count);
            });
        }),
        counter("coredns_dns_do_requests_total", "Queries with DO set.", |labels, queries, samples| {
            samples.add(&labels.place(), queries.dnssec_ok.get());
        }),
        counter("coredns_dns_responses_total", "Replies, by response code and directive.", |labels, queries, samples| {
            responses(queries, |written, rcode, count| {
                let of = [("plugin", if written { labels.plugin.as_str() } else { "" }), ("rcode", rcode)];
                samples.add(&[&of, &labels.place()[..]].concat(), count);
            });
        }),
        histogram("coredns_dns_request_duration_seconds", "How long queries took.", |labels, queries, samples| {
            samples.add(&labels.place(), queries.durations.buckets());
        }),
        histogram("coredns_dns_request_size_bytes", "Sizes of queries, by transport.", |labels, queries, samples| {
            sizes(labels, &queries.request_sizes, samples);
        }),
        histogram("coredns_dns_response_size_bytes", "Sizes of replies, by transport.", |labels, queries, samples| {
            sizes(labels, &queries.response_sizes, samples);
        }),
        counter("coredns_dns_request_count_total", "Old name: see coredns_dns_requests_total.", |labels, queries, samples| {
            requests(queries, |protocol, family, _, count| {
                samples.add(&[("proto", protocol), ("family", family), ("server", &labels.server), ("zone", &labels.zone)], count);
            });
        }),
        counter("coredns_dns_request_type_count_total", "Old name: see coredns_dns_requests_total.", |labels, queries, samples| {
            requests(queries, |_, _, qtype, count| {
                samples.add(&[("type", qtype), ("server", &labels.server), ("zone", &labels.zone)], count);
            });
        }),
        counter("coredns_dns_request_do_count_total", "Old name: see coredns_dns_do_requests_total.", |labels, queries, samples| {
            samples.add(&[("server", &labels.server), ("zone", &labels.zone)], queries.dnssec_ok.get());
        }),
        counter("coredns_dns_response_rcode_count_total", "Old name: see coredns_dns_responses_total.", |labels, queries, samples| {
            responses(queries, |_, rcode, count| {
                samples.add(&[("rcode", rcode), ("server", &labels.server), ("zone", &labels.zone)], count);
            });
        }),
    ]
}

type Read = fn(&SeriesLabels, &Queries, &mut Samples);

fn family(all: &AllQueries, name: &'static str, help: &'static str, kind: Kind, read: Read) -> Family {
    let all = Arc::clone(all);
    Family::new(name, help, kind, move |samples| all.for_each(|labels, queries| read(labels, queries, samples)))
}

fn requests(queries: &Queries, mut read: impl FnMut(&str, &str, &str, u64)) {
    for (protocol, families) in PROTOCOLS.iter().zip(&queries.requests) {
        for (family, types) in FAMILIES.iter().zip(families) {
            TYPES.iter().zip(types).for_each(|(qtype, counter)| read(protocol, family, qtype, counter.get()));
        }
    }
}

fn responses(queries: &Queries, mut read: impl FnMut(bool, &str, u64)) {
    for (written, rcodes) in [false, true].into_iter().zip(&queries.responses) {
        for (rcode, counter) in rcodes.iter().enumerate() {
            read(written, &rcode_label(rcode), counter.get());
        }
    }
}

fn sizes(labels: &SeriesLabels, by_protocol: &[Sizes; 2], samples: &mut Samples) {
    for (protocol, sizes) in PROTOCOLS.iter().zip(by_protocol) {
        samples.add(&[&[("proto", *protocol)], &labels.place()[..]].concat(), sizes.buckets());
    }
}

impl SeriesLabels {
    fn place(&self) -> [(&str, &str); 3] {
        [("server", &self.server), ("zone", &self.zone), ("view", &self.view)]
    }
}
