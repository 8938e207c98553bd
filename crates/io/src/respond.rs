//! What a worker asks: the one seam between the sockets and whoever knows the answers.
//!
//! Knows the words of `core_dns::machine`. Must not know sockets.

use std::time::Duration;

use core_dns::machine::{Client, Machine, Ticket, Verdict};

/// Answers messages. `Machine` does; so do the stand-ins of the tests. `now` is the time since the workers started.
pub trait Respond {
    /// Answers one message; `reply` is cleared first, and holds the answer when the verdict says so.
    fn query(&mut self, now: Duration, client: &Client, message: &[u8], reply: &mut Vec<u8>) -> Verdict;
    /// The next reply of a query that had to wait. Asked after each event and each timer, until there is none.
    fn finished(&mut self) -> Option<(Ticket, Vec<u8>)>;
    /// When `tick` wants to be called.
    fn next_deadline(&self) -> Option<Duration>;
    /// Time has passed.
    fn tick(&mut self, now: Duration);
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
}
