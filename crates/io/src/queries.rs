//! A worker's queries: asks the core, and remembers who waits for a reply.
//!
//! Must not know how a message came or how its reply leaves; it keeps the way back for those who do.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use core_dns::client::{Client, Ticket};
use core_dns::exchanges::{Effect, LaneId};
use core_dns::forward::Loss;
use core_dns::machine::Verdict;

use crate::counters::Counters;
use crate::mmsg::ReturnAddress;
use crate::respond::Respond;
use crate::slots::Key;

/// Who waits for a reply.
pub enum Asker {
    /// The client behind a UDP socket.
    Udp(Key, ReturnAddress),
    /// A TCP connection.
    Tcp(Key),
}

/// The core, the time, and those who wait.
pub struct Queries<R> {
    /// The time since the workers started, as of the last wake-up.
    pub now: Duration,
    /// What went wrong.
    pub counters: Arc<Counters>,
    respond: R,
    waiting: HashMap<Ticket, Asker>,
}

impl<R: Respond> Queries<R> {
    /// Nobody waits yet.
    pub fn new(respond: R, counters: Arc<Counters>) -> Queries<R> {
        Queries { now: Duration::ZERO, counters, respond, waiting: HashMap::new() }
    }

    /// Asks. After `Wait` the caller says with `wait` who shall get the reply.
    pub fn ask(&mut self, client: &Client, message: &[u8], reply: &mut Vec<u8>) -> Verdict {
        let now = self.now;
        let verdict = self.guarded(|respond| respond.query(now, client, message, reply));
        verdict.or_else(|| self.guarded(|respond| respond.fail(client, message, reply))).unwrap_or(Verdict::Drop)
    }

    /// Remembers who waits.
    pub fn wait(&mut self, ticket: Ticket, asker: Asker) {
        self.waiting.insert(ticket, asker);
    }

    /// A batch of queries has been answered.
    pub fn time(&mut self) {
        self.guarded(Respond::time);
    }

    /// The next reply that somebody waited for; an empty one is not to be sent.
    pub fn finished(&mut self) -> Option<(Asker, Vec<u8>)> {
        while let Some((ticket, reply)) = self.guarded(Respond::finished).flatten() {
            if let Some(asker) = self.waiting.remove(&ticket) {
                return Some((asker, reply));
            }
        }
        None
    }

    /// When `tick` is due.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.respond.next_deadline()
    }

    /// Tells the core that its deadline has come, if it has.
    pub fn tick(&mut self) {
        let now = self.now;
        if self.respond.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.guarded(|respond| respond.tick(now));
        }
    }

    /// The next thing to do with sockets to upstreams.
    pub fn effect(&mut self) -> Option<Effect> {
        self.guarded(Respond::effect).flatten()
    }

    /// Tells the core where a lane leaves from.
    pub fn opened(&mut self, lane: LaneId, local: SocketAddr) {
        self.guarded(|respond| respond.opened(lane, local));
    }

    /// Tells the core what has come over a lane.
    pub fn received(&mut self, lane: LaneId, message: &[u8]) {
        let now = self.now;
        self.guarded(|respond| respond.received(now, lane, message));
    }

    /// Tells the core that a lane is gone.
    pub fn lost(&mut self, lane: LaneId, loss: Loss) {
        let now = self.now;
        self.guarded(|respond| respond.lost(now, lane, loss));
    }

    /// Lets the core take what other threads have told it.
    pub fn collect(&mut self) {
        let now = self.now;
        self.guarded(|respond| respond.collect(now));
    }

    /// One query that makes the core panic must not silence the server: it is counted, and nobody else notices.
    fn guarded<T>(&mut self, call: impl FnOnce(&mut R) -> T) -> Option<T> {
        let respond = &mut self.respond;
        let result = catch_unwind(AssertUnwindSafe(|| call(respond)));
        if result.is_err() {
            Counters::one(&self.counters.panics);
            self.respond.recover();
        }
        result.ok()
    }
}
