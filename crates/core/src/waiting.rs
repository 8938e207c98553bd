//! Queries that wait, and when to look after them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::answer::Answer;
use crate::cache::{Kept, Lead};
use crate::client::{Client, Ticket};
use crate::exchanges::Exchange;
use crate::forward::Asking;
use crate::program::Program;
use crate::trace::Trace;
use crate::way::Way;

/// A query that waits.
pub struct Pending {
    /// The client's message.
    pub message: Box<[u8]>,
    /// Who asks.
    pub client: Client,
    /// The program that it began with; it ends with the same.
    pub program: Arc<Program>,
    /// Where it stands.
    pub way: Way,
    /// What has been said, where that is anything.
    pub answer: Option<Box<Answer>>,
    /// The record of its way, if somebody listens.
    pub trace: Option<Box<Trace>>,
    /// Its block logs its way.
    pub debug: bool,
    /// For whom it is.
    pub purpose: Purpose,
    /// What it waits for.
    pub wait: Wait,
}

/// For whom a query is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A client.
    Client,
    /// Somebody who wants to know how it is answered: it leaves no traces.
    Explain,
    /// The cache itself.
    Renewal,
}

/// What a query waits for.
pub enum Wait {
    /// To begin to wait.
    Begin(Box<Hold>),
    /// Somebody outside, who was asked at one time, until another.
    Told {
        /// Since when.
        asked: Duration,
        /// Until when.
        until: Duration,
    },
    /// An upstream; between two tries there is no exchange.
    Upstream(Box<Asking>, Option<Exchange>),
    /// The answer to the same question, which another one asks; `at` is the place of the cache.
    Flight {
        /// The op that it came from.
        at: usize,
        /// What is used when it does not come.
        stale: Option<Arc<Kept>>,
        /// Until when.
        until: Duration,
    },
}

/// Why a query could not be answered at once.
pub enum Hold {
    /// It has not begun: the cache asks it on its own account.
    Start,
    /// An upstream is to be asked.
    Ask(Asking),
    /// Somebody outside is to be asked this, and has so long.
    Tell(Vec<u8>, Duration),
    /// The cache renews what it has, and then, or after a time, the query goes on.
    Renewal {
        /// What the renewal brings back.
        lead: Lead,
        /// What there is.
        stale: Arc<Kept>,
        /// How long the query waits.
        patience: Duration,
    },
}

/// Queries by ticket. A ticket is never given twice.
#[derive(Default)]
pub struct Waiting {
    places: Vec<Place>,
    free: Vec<u32>,
    /// Tickets in the order in which they were given; some are long done.
    ages: VecDeque<Ticket>,
}

struct Place {
    generation: u32,
    pending: Option<Pending>,
    /// Somebody works on the query.
    taken: bool,
}

impl Waiting {
    /// Puts a query away.
    pub fn insert(&mut self, pending: Pending) -> Ticket {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, pending: None, taken: false });
            self.places.len() as u32 - 1
        });
        let place = &mut self.places[index as usize];
        place.generation = place.generation.wrapping_add(1);
        place.pending = Some(pending);
        let ticket = ticket(place.generation, index);
        while self.ages.front().is_some_and(|oldest| !self.is_there(*oldest)) {
            self.ages.pop_front();
        }
        self.ages.push_back(ticket);
        ticket
    }

    /// A query.
    pub fn get_mut(&mut self, ticket: Ticket) -> Option<&mut Pending> {
        let place = self.places.get_mut(ticket.0 as u32 as usize)?;
        if u64::from(place.generation) == ticket.0 >> 32 { place.pending.as_mut() } else { None }
    }

    /// Takes a query out to work on it; its ticket stays valid for [`Waiting::put_back`], until [`Waiting::end`].
    pub fn take(&mut self, ticket: Ticket) -> Option<Pending> {
        self.get_mut(ticket)?;
        let place = &mut self.places[ticket.0 as u32 as usize];
        place.taken = true;
        place.pending.take()
    }

    /// Puts a query that was taken out back.
    pub fn put_back(&mut self, ticket: Ticket, pending: Pending) {
        let place = &mut self.places[ticket.0 as u32 as usize];
        (place.pending, place.taken) = (Some(pending), false);
    }

    /// Ends the ticket of a query that was taken out.
    pub fn end(&mut self, ticket: Ticket) {
        self.places[ticket.0 as u32 as usize].taken = false;
        self.free.push(ticket.0 as u32);
    }

    /// Ends the tickets of queries that were taken out by somebody who will never say more about them.
    pub fn end_taken(&mut self) -> Vec<Ticket> {
        let taken = self.places.iter().enumerate().filter(|(_, place)| place.taken);
        let tickets: Vec<Ticket> = taken.map(|(index, place)| ticket(place.generation, index as u32)).collect();
        tickets.iter().for_each(|ticket| self.end(*ticket));
        tickets
    }

    /// The one that waits longest.
    pub fn oldest(&mut self) -> Option<Ticket> {
        while let Some(oldest) = self.ages.front().copied() {
            if self.is_there(oldest) {
                return Some(oldest);
            }
            self.ages.pop_front();
        }
        None
    }

    /// How many wait.
    pub fn count(&self) -> usize {
        self.places.len() - self.free.len()
    }

    fn is_there(&self, ticket: Ticket) -> bool {
        let place = &self.places[ticket.0 as u32 as usize];
        u64::from(place.generation) == ticket.0 >> 32 && place.pending.is_some()
    }
}

fn ticket(generation: u32, index: u32) -> Ticket {
    Ticket(u64::from(generation) << 32 | u64::from(index))
}

/// What is due at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Due {
    /// A message has had its time.
    Reply(Exchange),
    /// A query has waited long enough for somebody else's answer.
    Patience(u64),
    /// A probe is to be sent.
    Probe(usize),
    /// Unused sockets are to be closed.
    Lanes,
    /// Failures that were counted are to be told of.
    Failures(usize),
}

/// What is due when.
#[derive(Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Duration, Due)>>,
}

impl Timers {
    /// Something is due then.
    pub fn add(&mut self, at: Duration, due: Due) {
        self.heap.push(Reverse((at, due)));
    }

    /// When the next is due.
    pub fn next(&self) -> Option<Duration> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// The next one that is due by now.
    pub fn take(&mut self, now: Duration) -> Option<Due> {
        self.next().filter(|at| *at <= now)?;
        self.heap.pop().map(|Reverse((_, due))| due)
    }

    /// Drops what need not happen any more, as long as it is the next.
    pub fn prune(&mut self, is_alive: impl Fn(&Due) -> bool) {
        while self.heap.peek().is_some_and(|Reverse((_, due))| !is_alive(due)) {
            self.heap.pop();
        }
    }
}
