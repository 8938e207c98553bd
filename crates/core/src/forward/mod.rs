//! The op `forward`: asks one of some upstreams. Which one, how often, and what of a reply is believed; how messages travel is not
//! known here.

pub mod reply;
pub mod why;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use smallvec::SmallVec;

use crate::answer::{Answer, Rr};
use crate::chain::{Chain, End};
use crate::client::Transport;
use crate::exchanges::{Strays, Target};
use crate::metrics::ops::{FORWARD_ALL_DOWN, FORWARD_REJECTED};
use crate::metrics::upstreams::Wrong;
use crate::metrics::{Count, OpCounter};
use crate::name::{self, is_under};
use crate::plan::{self, Policy, TlsClient};
use crate::random::Random;
use crate::trace::Recorder;
use crate::way::Turn;
use crate::wire::{rcode, rtype};
use reply::{Expected, Foreign, Head};

/// How long a query is tried in all.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server to ask. Its health is known to all threads, and survives a reload.
pub struct Upstream {
    /// Where it is.
    pub address: SocketAddr,
    /// How it is asked over TLS; none: in the clear.
    pub tls: Option<Arc<TlsClient>>,
    /// The address that it is asked from; none: the system chooses.
    pub source: Option<IpAddr>,
    /// The number of its counters.
    pub number: u32,
    /// Probes that failed since the last good one.
    pub fails: AtomicU32,
    /// Tries of queries that failed since the last one that got a reply.
    pub losses: AtomicU32,
    /// Some machine probes it.
    pub probing: AtomicBool,
}

/// What a `forward` remembers beyond a query. Survives a reload.
#[derive(Default)]
pub struct Traffic {
    /// Queries that wait.
    pub waiting: AtomicU32,
    robin: AtomicU32,
}

// The numbers of the op's counters.
/// Queries for which all upstreams were down.
const ALL_DOWN: usize = 0;
/// Queries that were refused because too many waited.
pub const REJECTED: usize = 1;

/// The op, ready to run.
pub struct ForwardOp {
    /// As the plan has it.
    pub plan: plan::ForwardOp,
    /// The servers, in the plan's order.
    pub upstreams: Vec<Arc<Upstream>>,
    /// What it remembers.
    pub traffic: Arc<Traffic>,
    /// The op behind it may be asked for what the upstreams deny.
    pub may_pass_on: bool,
    from: Box<[u8]>,
    except: Vec<Box<[u8]>>,
}

/// One of the queries that may wait at a time, for as long as it is there.
pub struct Admission(Arc<Traffic>);

impl Drop for Admission {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}

/// A query on its way to the upstreams.
pub struct Asking {
    /// The query for the upstream; its id is set for each try.
    pub message: Vec<u8>,
    /// What a reply must be about.
    pub expected: Expected,
    /// How it travels where it is not asked over TLS.
    pub transport: Transport,
    /// The upstream that is asked now.
    pub upstream: usize,
    /// Why the last try failed.
    pub error: String,
    /// Messages that came meanwhile and were no reply.
    pub strays: Strays,
    /// A connection that had served others was closed under it: it is tried once more, at no cost.
    pub retried: bool,
    /// When the last try began.
    pub asked: Duration,
    /// It is one of those that may wait.
    pub admission: Option<Admission>,
    order: SmallVec<[u8; 16]>,
    next: usize,
    fails: usize,
    tries: u32,
    failovers: usize,
    deadline: Duration,
}

/// Why a try came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// No reply in time.
    Timeout,
    /// Nobody listens there.
    Refused,
    /// The connection was closed.
    Closed,
    /// The system cannot send there.
    Unreachable,
    /// The address that it shall leave from is not one of this machine's.
    Unassigned,
    /// TLS has failed; says how.
    Tls(Arc<str>),
    /// The reply cannot be read.
    Garbled(&'static str),
}

/// What to do with a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is the answer.
    Answer,
    /// The same upstream is asked again, over TCP.
    OverTcp,
    /// Another upstream is asked.
    Elsewhere,
    /// The op behind this one is asked.
    PassOn,
}

impl Upstream {
    /// A server that is believed to be up; the error says what of the plan makes no sense. `number` gives the number of its counters.
    pub fn new(plan: &plan::Upstream, number: impl FnOnce(String) -> u32) -> Result<Upstream, String> {
        let address: SocketAddr = plan.address.parse().map_err(|_| format!("{} is no address with a port", plan.address))?;
        let parse = |text: &String| text.parse::<IpAddr>().map_err(|_| format!("{text} is no address"));
        let source = plan.source.as_ref().map(parse).transpose()?;
        if let Some(source) = source.filter(|source| source.is_ipv4() != address.is_ipv4()) {
            return Err(format!("{address} cannot be asked from {source}, which is of the other family"));
        }
        Ok(Upstream {
            address,
            tls: plan.tls.clone().map(Arc::new),
            source,
            number: number(address.to_string()),
            fails: AtomicU32::new(0),
            losses: AtomicU32::new(0),
            probing: AtomicBool::new(false),
        })
    }

    /// A query got a reply from it.
    #[inline]
    pub fn replied(&self) {
        // All threads read it: it is written only when it changes.
        if self.losses.load(Relaxed) != 0 {
            self.losses.store(0, Relaxed);
        }
    }

    /// Where a message to it goes that shall travel so; TLS is spoken over a stream in any case.
    pub fn target(&self, wanted: Transport) -> Target {
        let transport = if self.tls.is_some() { Transport::Tcp } else { wanted };
        Target { address: self.address, transport, tls: self.tls.clone(), source: self.source, number: self.number }
    }
}

impl ForwardOp {
    /// Compiles the op; the error names what cannot be read.
    pub fn new(
        plan: &plan::ForwardOp,
        upstreams: Vec<Arc<Upstream>>,
        traffic: Arc<Traffic>,
        may_pass_on: bool,
    ) -> Result<ForwardOp, String> {
        let absolute = |zone: &String| name::absolute_lower(zone).map_err(|why| format!("{zone} {why}"));
        absolute(&plan.health_check.domain)?;
        if upstreams.is_empty() || upstreams.len() > u8::MAX as usize {
            return Err(format!("{} upstreams", upstreams.len()));
        }
        let (from, except) = (absolute(&plan.from_zone)?, plan.except_zones.iter().map(absolute).collect::<Result<_, _>>()?);
        Ok(ForwardOp { plan: plan.clone(), upstreams, traffic, may_pass_on, from, except })
    }

    /// What it counts, by the constants above.
    pub fn counters(&self) -> Vec<OpCounter> {
        [FORWARD_ALL_DOWN, FORWARD_REJECTED].map(|(name, help)| OpCounter::new(name, help, &[])).into()
    }

    /// Whether this name is forwarded. The zone itself always is, even where it is excepted (as CoreDNS does it).
    pub fn serves(&self, lower: &[u8]) -> bool {
        is_under(lower, &self.from) && (*lower == *self.from || !self.except.iter().any(|zone| is_under(lower, zone)))
    }

    /// Prepares a query, which is given up at `until` if not before. Nothing is counted yet.
    pub fn prepare(&self, turn: &Turn<'_>, ad: bool, until: Duration) -> Asking {
        let transport = match turn.client.transport {
            _ if self.plan.force_tcp => Transport::Tcp,
            _ if self.plan.prefer_udp => Transport::Udp,
            same => same,
        };
        Asking {
            message: write_query(turn, ad),
            expected: Expected { lower: turn.asked.lower.into(), qtype: turn.request.qtype, qclass: turn.request.qclass },
            transport,
            upstream: 0,
            error: String::new(),
            strays: Strays::default(),
            retried: false,
            asked: turn.now,
            admission: None,
            order: SmallVec::new(),
            next: 0,
            fails: 0,
            tries: 0,
            failovers: 0,
            deadline: until.min(turn.now + PATIENCE),
        }
    }

    /// Lets one in that begins to wait. None: too many do already.
    pub fn admit(&self) -> Option<Admission> {
        let waiting = self.traffic.waiting.fetch_add(1, Relaxed) + 1;
        let admission = Admission(Arc::clone(&self.traffic));
        (self.plan.max_concurrent == 0 || waiting <= self.plan.max_concurrent).then_some(admission)
    }

    /// Chooses the next upstream to try. None: there is nothing left to try.
    pub fn choose<R: Recorder>(
        &self,
        asking: &mut Asking,
        now: Duration,
        count: &mut Count<'_>,
        random: &mut Random,
        recorder: &mut R,
    ) -> Option<&Arc<Upstream>> {
        let all = self.upstreams.len();
        if asking.order.is_empty() {
            asking.order = self.order(random);
        }
        let most = self.plan.max_connect_attempts;
        if now >= asking.deadline || most > 0 && asking.tries >= most || asking.tries > 0 && asking.fails >= all {
            recorder.note("ends", || match asking.tries {
                _ if now >= asking.deadline => format!("no answer within {} s", PATIENCE.as_secs()),
                tries if most > 0 && tries >= most => format!("after {tries} tries (max_connect_attempts {most})"),
                _ => "all upstreams are down".to_owned(),
            });
            return None;
        }
        loop {
            if asking.next >= all {
                (asking.next, asking.fails) = (0, 0);
            }
            asking.upstream = asking.order[asking.next].into();
            asking.next += 1;
            if self.is_down(&self.upstreams[asking.upstream]) {
                recorder.note("skips", || why::down(self, &self.upstreams[asking.upstream]));
                asking.fails += 1;
                if asking.fails < all {
                    continue;
                }
                count.one(ALL_DOWN);
                if self.plan.failfast_all_unhealthy {
                    recorder.note("ends", || "all upstreams are down (failfast_all_unhealthy_upstreams)".to_owned());
                    return None;
                }
                // Then the probes are wrong rather than all upstreams down: any of them is tried.
                asking.upstream = random.below(all as u64) as usize;
            }
            asking.retried = false;
            return Some(&self.upstreams[asking.upstream]);
        }
    }

    /// Notes why a try failed.
    pub fn lost(&self, asking: &mut Asking, loss: Loss) {
        let Target { address, transport, source, .. } = self.upstreams[asking.upstream].target(asking.transport);
        let proto = transport.name();
        asking.tries += 1;
        // In the middle, so that patterns of `errors` for the beginning and the end go on to match.
        let came = asking.strays;
        asking.error = match loss {
            Loss::Timeout => format!("read {proto} {address}: {came}i/o timeout"),
            Loss::Refused if transport == Transport::Tcp => format!("dial tcp {address}: {came}connect: connection refused"),
            Loss::Refused => format!("read udp {address}: {came}read: connection refused"),
            Loss::Closed => format!("read tcp {address}: {came}EOF"),
            Loss::Unreachable => format!("dial {proto} {address}: {came}connect: network is unreachable"),
            Loss::Unassigned => {
                let (from, at) = source.map_or((String::new(), "connect"), |source| (format!("{}->", SocketAddr::new(source, 0)), "bind"));
                format!("dial {proto} {from}{address}: {came}{at}: cannot assign requested address")
            }
            Loss::Tls(why) => format!("{came}{why}"),
            Loss::Garbled(why) => format!("read {proto} {address}: {came}the reply cannot be read: {why}"),
        };
    }

    /// Says what is wrong with a reply that is no reply to the query.
    pub fn tell_foreign(&self, asking: &Asking, message: &[u8], foreign: Foreign) -> String {
        let Target { address, transport, .. } = self.upstreams[asking.upstream].target(asking.transport);
        format!("read {} {address}: {}", transport.name(), reply::tell_foreign(message, foreign))
    }

    /// What is wrong with a reply that is passed on all the same, as CoreDNS does it.
    pub fn doubt(&self, asking: &Asking, turn: &Turn<'_>, answer: &Answer) -> Option<Wrong> {
        let came_by = self.upstreams[asking.upstream].target(asking.transport).transport;
        if answer.tc && came_by == Transport::Tcp {
            return Some(Wrong::Truncated);
        }
        let is_alias = |rr: &Rr| rr.rtype == rtype::CNAME;
        let circles = || Chain::of(answer, &turn.asked, turn.request.qclass).end == End::Circle;
        (answer.answer.iter().any(is_alias) && circles()).then_some(Wrong::Loop)
    }

    /// Says what to do with a reply to the query.
    pub fn judge(&self, asking: &mut Asking, head: Head) -> Use {
        let came_by = self.upstreams[asking.upstream].target(asking.transport).transport;
        if head.tc && came_by == Transport::Udp && self.plan.prefer_udp && !self.plan.force_tcp {
            asking.transport = Transport::Tcp;
            return Use::OverTcp;
        }
        if self.plan.failover.contains(&head.rcode) {
            asking.failovers += 1;
            if asking.failovers < self.upstreams.len() {
                return Use::Elsewhere;
            }
        }
        let is_nodata = head.rcode == rcode::NOERROR && head.answers == 0;
        let denied = self.plan.next.contains(&head.rcode) || self.plan.next_on_nodata && is_nodata;
        if denied && self.may_pass_on { Use::PassOn } else { Use::Answer }
    }

    /// When a try that begins now has had its time.
    pub fn due(&self, asking: &Asking, now: Duration) -> Duration {
        asking.deadline.min(now + Duration::from_millis(self.plan.read_timeout_ms.into()))
    }

    /// Whether it has failed more probes than it may.
    pub fn is_down(&self, upstream: &Upstream) -> bool {
        self.plan.max_fails > 0 && upstream.fails.load(Relaxed) > self.plan.max_fails
    }

    fn order(&self, random: &mut Random) -> SmallVec<[u8; 16]> {
        let mut order: SmallVec<[u8; 16]> = (0..self.upstreams.len() as u8).collect();
        match self.plan.policy {
            Policy::Sequential => {}
            Policy::Random => random.shuffle(&mut order),
            Policy::RoundRobin => {
                // The first query gets the second, as recorded; the others keep their order behind the chosen one.
                let first = (self.traffic.robin.fetch_add(1, Relaxed).wrapping_add(1) as usize) % order.len();
                order[..=first].rotate_right(1);
            }
        }
        order
    }
}

/// The query that goes upstream: the client's question, flags and EDNS; `ad` asks for AD too.
fn write_query(turn: &Turn<'_>, ad: bool) -> Vec<u8> {
    let (query, options) = (turn.request, turn.options);
    let set = |bit: u8, on: bool| if on { bit } else { 0 };
    let mut message = Vec::with_capacity(turn.asked.name.len() + 32 + options.len());
    message.extend_from_slice(&[0, 0, query.opcode << 3 | set(4, query.aa) | set(1, query.rd)]);
    message.push(set(0x80, query.ra) | set(0x20, query.ad || ad) | set(0x10, query.cd));
    message.extend_from_slice(&[0, 1, 0, 0, 0, 0, 0, u8::from(query.edns.is_some())]);
    message.extend_from_slice(turn.asked.name);
    message.extend_from_slice(&query.qtype.to_be_bytes());
    message.extend_from_slice(&query.qclass.to_be_bytes());
    if let Some(edns) = query.edns {
        message.extend_from_slice(&[0, 0, 41]);
        message.extend_from_slice(&edns.size.to_be_bytes());
        message.extend_from_slice(&[0, edns.version, set(0x80, edns.dnssec_ok), 0]);
        message.extend_from_slice(&(options.len() as u16).to_be_bytes());
        message.extend_from_slice(options);
    }
    message
}

/// The query of a probe.
pub fn write_probe(check: &plan::HealthCheck) -> Vec<u8> {
    let mut message = vec![0, 0, u8::from(check.recursion_desired), 0, 0, 1, 0, 0, 0, 0, 0, 0];
    // The domain was checked when the op was compiled.
    message.extend_from_slice(&name::absolute_lower(&check.domain).unwrap_or_else(|_| Box::new([0])));
    message.extend_from_slice(&[0, 2, 0, 1]);
    message
}
