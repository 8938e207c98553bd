//! Answers one query on the caller's thread, with sockets of its own, and tells how.
//!
//! Knows that a query may have to wait for upstreams. Must not know what it is about.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use core_dns::client::{Client, Ticket};
use core_dns::engine::Engine;
use core_dns::exchanges::{Effect, LaneId};
use core_dns::forward::Loss;
use core_dns::machine::{Machine, Verdict};
use core_dns::trace::Trace;

use crate::clock;
use crate::counters::Counters;
use crate::queries::{Asker, Queries};
use crate::respond::Respond;
use crate::slots::Key;
use crate::sys::{self, Events, Interest, Poll, Waits, Waker};
use crate::tls::Store;
use crate::upstreams::Upstreams;
use crate::worker::Token;

/// Longer than any query waits.
const PATIENCE: Duration = Duration::from_secs(8);

/// A machine that explains.
struct Explainer {
    machine: Machine,
    trace: Arc<Mutex<Option<Trace>>>,
}

impl Explainer {
    fn keep(&self, trace: Option<Trace>) {
        *self.trace.lock().unwrap_or_else(PoisonError::into_inner) = trace;
    }
}

impl Respond for Explainer {
    fn query(&mut self, now: Duration, client: &Client, message: &[u8], reply: &mut Vec<u8>) -> Verdict {
        let (verdict, trace) = self.machine.explain(now, client, message, reply);
        self.keep(trace);
        verdict
    }

    fn finished(&mut self) -> Option<(Ticket, Vec<u8>)> {
        let explained = self.machine.explained()?;
        self.keep(Some(explained.trace));
        Some((explained.ticket, explained.reply))
    }

    fn next_deadline(&self) -> Option<Duration> {
        self.machine.next_deadline()
    }

    fn tick(&mut self, now: Duration) {
        self.machine.tick(now);
    }

    fn effect(&mut self) -> Option<Effect> {
        self.machine.effect()
    }

    fn opened(&mut self, lane: LaneId, local: SocketAddr) {
        self.machine.opened(lane, local);
    }

    fn received(&mut self, now: Duration, lane: LaneId, message: &[u8]) {
        self.machine.received(now, lane, message);
    }

    fn lost(&mut self, now: Duration, lane: LaneId, loss: Loss) {
        self.machine.lost(now, lane, loss);
    }

    fn collect(&mut self, now: Duration) {
        self.machine.collect(now);
    }
}

/// Answers a query; nothing of it is kept or counted. An empty reply is none. None: it has no end in time.
pub fn explain(engine: &Arc<Engine>, tls: Arc<Store>, client: &Client, message: &[u8]) -> io::Result<Option<(Vec<u8>, Trace)>> {
    let trace = Arc::new(Mutex::new(None));
    let machine = Machine::new(Arc::clone(engine), sys::random()?, clock::nanoseconds);
    let waker = Arc::new(Waker::new()?);
    let its = Arc::clone(&waker);
    machine.mailbox().wake_with(Box::new(move || its.wake()));
    let mut queries = Queries::new(Explainer { machine, trace: Arc::clone(&trace) }, Arc::new(Counters::default()));
    queries.now = clock::start().elapsed();
    let mut reply = Vec::new();
    let ended = match queries.ask(client, message, &mut reply) {
        Verdict::Reply | Verdict::Drop => true,
        Verdict::Wait(ticket) => {
            // There is no connection: only the reply matters.
            queries.wait(ticket, Asker::Tcp(Key::unpack(0)));
            match wait(&mut queries, tls, &waker)? {
                Some(late) => {
                    reply = late;
                    true
                }
                None => false,
            }
        }
    };
    let trace = trace.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(trace.filter(|_| ended).map(|trace| (reply, trace)))
}

/// Lets it ask upstreams, and hear what others tell it, until the reply is there.
fn wait(queries: &mut Queries<Explainer>, tls: Arc<Store>, waker: &Waker) -> io::Result<Option<Vec<u8>>> {
    let (poll, mut waits, mut events, mut upstreams) = (Poll::new()?, Waits::new(), Events::new(), Upstreams::new(tls));
    poll.add(waker, Token::Waker.pack(), Interest::READ)?;
    waits.add(&poll);
    let until = queries.now + PATIENCE;
    while queries.now < until {
        upstreams.carry_out(&poll, queries);
        if let Some((_, reply)) = queries.finished() {
            return Ok(Some(reply));
        }
        let next = queries.next_deadline().map_or(until, |deadline| deadline.min(until));
        waits.wait(Some(next.saturating_sub(clock::start().elapsed())))?;
        queries.now = clock::start().elapsed();
        poll.take(&mut events)?;
        for event in events.iter() {
            match Token::unpack(event.token) {
                Token::Upstream(key) => upstreams.event(key, &poll, queries),
                _ => waker.clear(),
            }
        }
        queries.tick();
        queries.collect();
    }
    Ok(None)
}
