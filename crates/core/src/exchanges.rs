//! A machine's messages to upstreams: over which socket each one travels, under which id, and whose reply comes back.
//!
//! A *lane* is a socket that is connected to one upstream; its port is random, and so is each id. Sockets themselves are not known
//! here: what is to be done with them is told as effects.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::client::Transport;
use crate::own_sockets::OwnSockets;
use crate::plan::TlsClient;
use crate::random::Secret;

/// The datagram sockets to one upstream among which each query's is drawn.
const UDP_LANES: u64 = 16;
/// After so many queries a datagram socket gets another port.
const UDP_USES: u32 = 256;
/// Queries that travel over one connection at a time.
const PIPELINE: usize = 64;
/// Ids that are drawn to find a free one.
const DRAWS: usize = 16;

/// A socket, for as long as the machine lives: numbers are not used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LaneId(pub u64);

/// Where a lane leads, and how.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Target {
    /// The server's address.
    pub address: SocketAddr,
    /// Datagrams or a stream.
    pub transport: Transport,
    /// How the stream is secured; none: it is not.
    pub tls: Option<Arc<TlsClient>>,
    /// The address that it leaves from; none: the system chooses.
    pub source: Option<IpAddr>,
    /// The number of the upstream's counters.
    pub number: u32,
}

impl Target {
    /// `udp`, `tcp` or `tls`.
    pub fn name(&self) -> &'static str {
        if self.tls.is_some() { "tls" } else { self.transport.name() }
    }
}

/// What is to be done with sockets.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send a message; a lane that does not exist yet is opened, from a random port.
    Send {
        /// Over which.
        lane: LaneId,
        /// Where it leads.
        target: Target,
        /// The message, without a frame.
        message: Vec<u8>,
    },
    /// Close a lane; nothing that still comes from it matters.
    Close(LaneId),
}

/// Who waits for a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asker {
    /// A query, by its ticket.
    Query(u64),
    /// A probe, by its number.
    Probe(usize),
}

/// A message that is under way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Exchange {
    /// The lane.
    pub lane: LaneId,
    /// Its id on the lane.
    pub id: u16,
    /// Tells it from earlier ones with that id.
    serial: u64,
}

/// A message that is no reply to anything under way on its lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stray {
    /// Its id is not under way: forged, or doubled, or late.
    Id,
    /// It has no header.
    Short,
}

/// How many of them came.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Strays {
    ids: u32,
    short: u32,
}

/// How long sockets are used.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    /// Without use.
    pub idle: Duration,
    /// In all; zero: as long as they work.
    pub age: Duration,
}

/// All lanes and what is under way on them.
pub struct Exchanges {
    lanes: HashMap<LaneId, Lane, RandomState>,
    pools: HashMap<Target, Vec<LaneId>, RandomState>,
    flying: HashMap<(LaneId, u16), Flying, RandomState>,
    effects: VecDeque<Effect>,
    secret: Secret,
    lanes_ever: u64,
    serials: u64,
    own_sockets: Arc<OwnSockets>,
}

/// A message that is under way.
#[derive(Clone, Copy)]
struct Flying {
    serial: u64,
    asker: Asker,
    /// What had strayed to its lane before.
    before: Strays,
}

struct Lane {
    target: Target,
    opened: Duration,
    used: Duration,
    uses: u32,
    replies: u32,
    lifetime: Lifetime,
    /// The ids that are under way.
    ids: Vec<u16>,
    /// Where it leaves from, once it is open.
    local: Option<SocketAddr>,
    strays: Strays,
    /// It gets no more messages, and is closed when nothing is under way.
    leaving: bool,
}

/// What was under way on a lane that is gone.
pub struct Lost {
    /// Who waited, and what had strayed to it meanwhile.
    pub askers: Vec<(Asker, Strays)>,
    /// Replies had come over it: the other side closed it as it closes idle connections.
    pub had_served: bool,
}

impl Exchanges {
    /// Nothing is under way.
    pub fn new(secret: Secret, own_sockets: Arc<OwnSockets>) -> Exchanges {
        Exchanges {
            lanes: HashMap::default(),
            pools: HashMap::default(),
            flying: HashMap::default(),
            effects: VecDeque::new(),
            secret,
            lanes_ever: 0,
            serials: 0,
            own_sockets,
        }
    }

    /// Sends a message under a new random id; tells whether the lane has carried others before.
    pub fn send(&mut self, now: Duration, target: Target, lifetime: Lifetime, asker: Asker, message: &[u8]) -> (Exchange, bool) {
        let (lane, id) = match asker {
            Asker::Query(_) => self.choose(now, &target, lifetime),
            // A probe must not be told that all is well by a connection that worked before.
            Asker::Probe(_) => (self.open(now, &target, lifetime, true), self.secret.bits() as u16),
        };
        self.serials += 1;
        let (mut reused, mut before) = (false, Strays::default());
        if let Some(known) = self.lanes.get_mut(&lane) {
            reused = known.uses > 0;
            known.used = now;
            known.uses += 1;
            known.ids.push(id);
            before = known.strays;
        }
        self.flying.insert((lane, id), Flying { serial: self.serials, asker, before });
        let mut message = message.to_vec();
        message[..2].copy_from_slice(&id.to_be_bytes());
        self.effects.push_back(Effect::Send { lane, target, message });
        (Exchange { lane, id, serial: self.serials }, reused)
    }

    /// A lane's socket has been opened.
    pub fn opened(&mut self, lane: LaneId, local: SocketAddr) {
        if let Some(known) = self.lanes.get_mut(&lane) {
            known.local = Some(local);
            self.own_sockets.opened(known.target.transport, local, known.target.source.is_some());
        }
    }

    /// Who waits for a message with this id on this lane.
    pub fn asker(&self, lane: LaneId, id: u16) -> Option<(Asker, Exchange)> {
        self.flying.get(&(lane, id)).map(|flying| (flying.asker, Exchange { lane, id, serial: flying.serial }))
    }

    /// Takes note of a message that is no reply; tells the number of the upstream, if the lane is still there.
    pub fn strayed(&mut self, lane: LaneId, stray: Stray) -> Option<u32> {
        let lane = self.lanes.get_mut(&lane)?;
        let count = match stray {
            Stray::Id => &mut lane.strays.ids,
            Stray::Short => &mut lane.strays.short,
        };
        *count = count.wrapping_add(1);
        Some(lane.target.number)
    }

    /// Whether it is still under way, and for whom.
    pub fn is_flying(&self, exchange: &Exchange) -> Option<Asker> {
        self.flying.get(&(exchange.lane, exchange.id)).filter(|flying| flying.serial == exchange.serial).map(|flying| flying.asker)
    }

    /// Ends an exchange. Answered: its lane works. Returns what strayed to the lane meanwhile.
    pub fn end(&mut self, exchange: &Exchange, answered: bool) -> Strays {
        if self.is_flying(exchange).is_none() {
            return Strays::default();
        }
        let flying = self.flying.remove(&(exchange.lane, exchange.id));
        let (Some(flying), Some(lane)) = (flying, self.lanes.get_mut(&exchange.lane)) else { return Strays::default() };
        let meanwhile = lane.strays.since(flying.before);
        lane.ids.retain(|id| *id != exchange.id);
        lane.replies += u32::from(answered);
        // What did not answer in time may be broken: later queries take another port, or connection.
        if !answered {
            self.retire(exchange.lane);
        }
        self.close_if_done(exchange.lane);
        meanwhile
    }

    /// A lane is gone.
    pub fn lost(&mut self, lane: LaneId) -> Lost {
        self.retire(lane);
        let Some(gone) = self.forget(lane) else { return Lost { askers: Vec::new(), had_served: false } };
        let flying = gone.ids.iter().filter_map(|id| self.flying.remove(&(lane, *id)));
        let askers = flying.map(|flying| (flying.asker, gone.strays.since(flying.before))).collect();
        Lost { askers, had_served: gone.replies > 0 }
    }

    /// Closes lanes that nothing has used for long enough. Returns when to look again.
    pub fn expire(&mut self, now: Duration) -> Option<Duration> {
        let over: Vec<LaneId> = self.lanes.iter().filter(|(_, lane)| lane.ids.is_empty() && lane.is_over(now)).map(|(id, _)| *id).collect();
        for lane in over {
            self.retire(lane);
            self.close_if_done(lane);
        }
        self.lanes.values().map(|lane| lane.used + lane.lifetime.idle).min()
    }

    /// The next thing to do.
    pub fn effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    fn choose(&mut self, now: Duration, target: &Target, lifetime: Lifetime) -> (LaneId, u16) {
        let drawn = match target.transport {
            Transport::Udp => self.secret.bits() % UDP_LANES,
            Transport::Tcp => 0,
        };
        let pool = self.pools.entry(target.clone()).or_default();
        if let Some(lane) = pool.get(drawn as usize).copied() {
            let known = self.lanes.get_mut(&lane);
            let (is_over, has_room) = known.as_ref().map_or((true, false), |lane| (lane.is_over(now), lane.has_room()));
            if !is_over
                && has_room
                && let Some(id) = free_id(&mut self.secret, &self.flying, lane)
            {
                return (lane, id);
            }
            // A connection that is only full goes on; anything else makes room for a new port.
            if is_over || target.transport == Transport::Udp {
                pool.swap_remove(drawn as usize);
                if let Some(old) = known {
                    old.leaving = true;
                    self.close_if_done(lane);
                }
            }
        }
        let lane = self.open(now, target, lifetime, false);
        let pool = self.pools.entry(target.clone()).or_default();
        // The newest connection is the first that is tried.
        match target.transport {
            Transport::Udp => pool.push(lane),
            Transport::Tcp => pool.insert(0, lane),
        }
        (lane, self.secret.bits() as u16)
    }

    /// A new lane; one that is `leaving` already serves once.
    fn open(&mut self, now: Duration, target: &Target, lifetime: Lifetime, leaving: bool) -> LaneId {
        self.lanes_ever += 1;
        let lane = LaneId(self.lanes_ever);
        let target = target.clone();
        let (ids, strays) = (Vec::new(), Strays::default());
        let new = Lane { target, opened: now, used: now, uses: 0, replies: 0, lifetime, ids, local: None, strays, leaving };
        self.lanes.insert(lane, new);
        lane
    }

    fn retire(&mut self, lane: LaneId) {
        let Some(known) = self.lanes.get_mut(&lane) else { return };
        known.leaving = true;
        if let Some(pool) = self.pools.get_mut(&known.target) {
            pool.retain(|other| *other != lane);
        }
    }

    fn close_if_done(&mut self, lane: LaneId) {
        if self.lanes.get(&lane).is_some_and(|lane| lane.leaving && lane.ids.is_empty()) {
            self.forget(lane);
            self.effects.push_back(Effect::Close(lane));
        }
    }

    fn forget(&mut self, lane: LaneId) -> Option<Lane> {
        let gone = self.lanes.remove(&lane)?;
        if let Some(local) = gone.local {
            self.own_sockets.closed(gone.target.transport, local);
        }
        Some(gone)
    }
}

impl Strays {
    fn since(self, before: Strays) -> Strays {
        Strays { ids: self.ids.wrapping_sub(before.ids), short: self.short.wrapping_sub(before.short) }
    }
}

impl std::ops::AddAssign for Strays {
    fn add_assign(&mut self, more: Strays) {
        self.ids = self.ids.saturating_add(more.ids);
        self.short = self.short.saturating_add(more.short);
    }
}

/// What is said of them before the reason of a failure; nothing where there were none.
impl std::fmt::Display for Strays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (count, one, several, which) in
            [(self.ids, "reply", "replies", "with another id"), (self.short, "message", "messages", "without a header")]
        {
            match count {
                0 => {}
                1 => write!(f, "1 {one} {which} came: ")?,
                _ => write!(f, "{count} {several} {which} came: ")?,
            }
        }
        Ok(())
    }
}

impl Lane {
    fn is_over(&self, now: Duration) -> bool {
        let old = !self.lifetime.age.is_zero() && now.saturating_sub(self.opened) > self.lifetime.age;
        old || now.saturating_sub(self.used) > self.lifetime.idle
    }

    fn has_room(&self) -> bool {
        match self.target.transport {
            Transport::Udp => self.uses < UDP_USES,
            Transport::Tcp => self.ids.len() < PIPELINE,
        }
    }
}

fn free_id(secret: &mut Secret, flying: &HashMap<(LaneId, u16), Flying, RandomState>, lane: LaneId) -> Option<u16> {
    (0..DRAWS).map(|_| secret.bits() as u16).find(|id| !flying.contains_key(&(lane, *id)))
}
