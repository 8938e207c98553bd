//! What a worker asks: the one seam between the sockets and whoever knows the answers.
//!
//! Knows the words of `core_dns::machine`. Must not know sockets.

use std::net::SocketAddr;
use std::time::Duration;

use core_dns::client::{Client, Ticket};
use core_dns::exchanges::{Effect, LaneId};
use core_dns::forward::Loss;
use core_dns::machine::{Machine, Verdict};

/// Answers messages. `Machine` does; so do the stand-ins of the tests. `now` is the time since the workers started.
pub trait Respond {
    /// Answers one message; `reply` is cleared first, and holds the answer when the verdict says so.
    fn query(&mut self, now: Duration, client: &Client, message: &[u8], reply: &mut Vec<u8>) -> Verdict;
    /// The next reply of a query that had to wait, empty if it gets none. Asked after each event and each timer, until there is none.
    fn finished(&mut self) -> Option<(Ticket, Vec<u8>)>;
    /// When `tick` wants to be called.
    fn next_deadline(&self) -> Option<Duration>;
    /// Time has passed.
    fn tick(&mut self, now: Duration);
    /// The next thing to do with sockets to upstreams. Asked after everything else, until there is none.
    fn effect(&mut self) -> Option<Effect> {
        None
    }
    /// A lane has been opened, and leaves from this address.
    fn opened(&mut self, _lane: LaneId, _local: SocketAddr) {}
    /// A message has come over a lane.
    fn received(&mut self, _now: Duration, _lane: LaneId, _message: &[u8]) {}
    /// A lane is gone.
    fn lost(&mut self, _now: Duration, _lane: LaneId, _loss: Loss) {}
    /// Says how the thread of this one is woken by the others.
    fn wake_with(&mut self, _wake: Box<dyn Fn() + Send + Sync>) {}
    /// Takes what the other threads have told.
    fn collect(&mut self, _now: Duration) {}
    /// A batch of queries has been answered: a good moment to ask the clock.
    fn time(&mut self) {}
    /// A call has panicked: whoever waits for what was worked on gets no reply.
    fn recover(&mut self) {}
    /// What is said to a message whose query has panicked.
    fn fail(&mut self, _client: &Client, _message: &[u8], _reply: &mut Vec<u8>) -> Verdict {
        Verdict::Drop
    }
}

impl Respond for Machine {
    fn query(&mut self, now: Duration, client: &Client, message: &[u8], reply: &mut Vec<u8>) -> Verdict {
        Machine::query(self, now, client, message, reply)
    }

    fn finished(&mut self) -> Option<(Ticket, Vec<u8>)> {
        Machine::finished(self)
    }

    fn next_deadline(&self) -> Option<Duration> {
        Machine::next_deadline(self)
    }

    fn tick(&mut self, now: Duration) {
        Machine::tick(self, now);
    }

    fn effect(&mut self) -> Option<Effect> {
        Machine::effect(self)
    }

    fn opened(&mut self, lane: LaneId, local: SocketAddr) {
        Machine::opened(self, lane, local);
    }

    fn received(&mut self, now: Duration, lane: LaneId, message: &[u8]) {
        Machine::received(self, now, lane, message);
    }

    fn lost(&mut self, now: Duration, lane: LaneId, loss: Loss) {
        Machine::lost(self, now, lane, loss);
    }

    fn wake_with(&mut self, wake: Box<dyn Fn() + Send + Sync>) {
        self.mailbox().wake_with(wake);
    }

    fn collect(&mut self, now: Duration) {
        Machine::collect(self, now);
    }

    fn time(&mut self) {
        Machine::time(self);
    }

    fn recover(&mut self) {
        Machine::recover(self);
    }

    fn fail(&mut self, client: &Client, message: &[u8], reply: &mut Vec<u8>) -> Verdict {
        Machine::fail(self, client, message, reply)
    }
}
