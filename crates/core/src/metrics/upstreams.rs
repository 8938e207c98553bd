//! What is counted of each upstream: `coredns_proxy_*`, and the names that these families had in `forward` before CoreDNS 1.11.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::{Counter, Durations, Family, Kind, RCODES, Registry, Samples, rcode_label};
use crate::client::Transport;
use crate::exchanges::Target;

/// What may be spoken with an upstream, as labels.
const SPOKEN: [&str; 3] = ["udp", "tcp", "tcp-tls"];

/// What may be wrong with a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// No query with its id waits where it came: it is forged, or doubled, or late.
    Id,
    /// It is about another question, or none.
    Question,
    /// It is a query.
    Query,
    /// It cannot be read.
    Malformed,
    /// It is cut, though it came over a stream. It is passed on.
    Truncated,
    /// Its aliases lead in a circle. It is passed on.
    Loop,
}

/// All of it, as labels, in the order of [`Wrong`].
const WRONG: [&str; 6] = ["id", "question", "query", "malformed", "truncated", "loop"];

/// The counters of one upstream.
#[derive(Default)]
pub struct Upstream {
    /// How long replies took, by response code; most codes never come.
    replies: [OnceLock<Box<Durations>>; RCODES],
    /// Queries that found an open socket, by what was spoken.
    reused: [Counter; SPOKEN.len()],
    /// Queries for which one was opened.
    opened: [Counter; SPOKEN.len()],
    failed_probes: Counter,
    /// Replies that are not what they should be.
    rejected: [Counter; WRONG.len()],
}

/// All upstreams by address.
pub type AllUpstreams = Arc<Registry<String, Upstream>>;

impl Upstream {
    /// Counts a query to it; `reused`: over a socket that was there.
    pub fn asked(&self, target: &Target, reused: bool) {
        let counters = if reused { &self.reused } else { &self.opened };
        let spoken = match target.transport {
            Transport::Udp => 0,
            Transport::Tcp if target.tls.is_none() => 1,
            Transport::Tcp => 2,
        };
        counters[spoken].add(1);
    }

    /// Counts a reply, and how long it took.
    pub fn replied(&self, rcode: u16, took: Duration) {
        self.replies[usize::from(rcode).min(RCODES - 1)].get_or_init(Box::default).add(took, 1);
    }

    /// Counts a reply that is not what it should be.
    pub fn rejected(&self, wrong: Wrong) {
        self.rejected[wrong as usize].add(1);
    }

    /// Counts a probe without a reply.
    pub fn probe_failed(&self) {
        self.failed_probes.add(1);
    }

    fn replies(&self) -> impl Iterator<Item = (String, &Durations)> {
        let known = self.replies.iter().enumerate();
        known.filter_map(|(rcode, durations)| Some((rcode_label(rcode), durations.get()?.as_ref())))
    }
}

/// The families.
pub fn families(all: &AllUpstreams) -> Vec<Family> {
    let counter = |name: &'static str, help: &'static str, read: Read| family(all, name, help, Kind::Counter, read);
    let histogram = |name: &'static str, help: &'static str, read: Read| family(all, name, help, Kind::Histogram, read);
    vec![
        histogram("coredns_proxy_request_duration_seconds", "How long upstreams took to reply.", |to, upstream, samples| {
            for (rcode, durations) in upstream.replies() {
                samples.add(&[("proxy_name", FORWARD), ("to", to), ("rcode", &rcode)], durations.buckets());
            }
        }),
        counter("coredns_proxy_conn_cache_hits_total", "Queries to upstreams over a socket that was open.", |to, upstream, samples| {
            sockets(to, &upstream.reused, samples);
        }),
        counter("coredns_proxy_conn_cache_misses_total", "Queries to upstreams for which a socket was opened.", |to, upstream, samples| {
            sockets(to, &upstream.opened, samples);
        }),
        counter("coredns_proxy_healthcheck_failures_total", "Probes of upstreams that got no reply.", |to, upstream, samples| {
            samples.add(&[("proxy_name", FORWARD), ("to", to)], upstream.failed_probes.get());
        }),
        histogram(
            "coredns_forward_request_duration_seconds",
            "Old name: see coredns_proxy_request_duration_seconds.",
            |to, upstream, samples| {
                for (rcode, durations) in upstream.replies() {
                    samples.add(&[("to", to), ("rcode", &rcode)], durations.buckets());
                }
            },
        ),
        counter("coredns_forward_requests_total", "Old name: see coredns_proxy_request_duration_seconds.", |to, upstream, samples| {
            for (_, durations) in upstream.replies() {
                samples.add(&[("to", to)], durations.buckets().total());
            }
        }),
        counter("coredns_forward_responses_total", "Old name: see coredns_proxy_request_duration_seconds.", |to, upstream, samples| {
            for (rcode, durations) in upstream.replies() {
                samples.add(&[("to", to), ("rcode", &rcode)], durations.buckets().total());
            }
        }),
        counter(
            "coredns_forward_healthcheck_failures_total",
            "Old name: see coredns_proxy_healthcheck_failures_total.",
            |to, upstream, samples| {
                samples.add(&[("to", to)], upstream.failed_probes.get());
            },
        ),
        counter(
            "clusterdns_forward_rejected_replies_total",
            "Replies of upstreams that are not what was asked for, by what is wrong with them.",
            |to, upstream, samples| {
                for (reason, counter) in WRONG.iter().zip(&upstream.rejected) {
                    samples.add(&[("to", to), ("reason", reason)], counter.get());
                }
            },
        ),
    ]
}

/// The directive that has upstreams.
const FORWARD: &str = "forward";

type Read = fn(&str, &Upstream, &mut Samples);

fn family(all: &AllUpstreams, name: &'static str, help: &'static str, kind: Kind, read: Read) -> Family {
    let all = Arc::clone(all);
    Family::new(name, help, kind, move |samples| all.for_each(|to, upstream| read(to, upstream, samples)))
}

fn sockets(to: &str, by_protocol: &[Counter; SPOKEN.len()], samples: &mut Samples) {
    for (protocol, counter) in SPOKEN.iter().zip(by_protocol) {
        samples.add(&[("proxy_name", FORWARD), ("to", to), ("proto", protocol)], counter.get());
    }
}
