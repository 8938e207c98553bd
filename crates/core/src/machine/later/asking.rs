//! Upstreams are asked, one after the other, until one has answered or there is nothing left to try.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::{Resume, forward_op, lifetime, note};
use crate::client::Ticket;
use crate::exchanges::{Asker, Exchange, Strays};
use crate::forward::reply::{self, Foreign, Kind};
use crate::forward::{self, Asking, Loss, Use, why};
use crate::machine::Machine;
use crate::metrics::upstreams::Wrong;
use crate::trace::{Off, Recorder};
use crate::waiting::{Due, Pending, Purpose, Wait};
use crate::wire::rcode;

/// Unused sockets are closed at most this late.
const LANES_PAUSE: Duration = Duration::from_millis(500);

impl Machine {
    pub(super) fn begin_asking(&mut self, now: Duration, ticket: Ticket, pending: Pending, mut asking: Asking) {
        let block = pending.program.block(pending.way.level.block);
        if self.engine.own_sockets.has(&pending.client) && !block.looks_for_loops() {
            self.later.waiting.put_back(ticket, pending);
            let why = "asked by ourselves, as the upstream of this name is this server: it would go on without end".to_owned();
            return self.resume(now, ticket, Resume::Fail(rcode::SERVFAIL, why));
        }
        let Some(mut pending) = self.wait_with_others(now, ticket, pending) else { return };
        let program = Arc::clone(&pending.program);
        let Some(op) = forward_op(&program, &pending.way) else { return self.later.waiting.put_back(ticket, pending) };
        asking.admission = op.admit();
        if asking.admission.is_some() {
            pending.wait = Wait::Upstream(Box::new(asking), None);
            self.later.waiting.put_back(ticket, pending);
            return self.try_next(now, ticket);
        }
        let (block, at) = (program.block(pending.way.level.block), pending.way.level.at);
        self.counting.of_waiting(block, at, &pending.client, pending.purpose).one(forward::REJECTED);
        self.later.waiting.put_back(ticket, pending);
        let why = format!("concurrent queries exceeded maximum {}", op.plan.max_concurrent);
        if let Some(pending) = self.later.waiting.get_mut(ticket) {
            note(pending, "refused", || format!("{why} (max_concurrent)"));
        }
        self.resume(now, ticket, Resume::Fail(rcode::REFUSED, why));
    }

    /// Asks the next upstream, or gives up.
    pub(super) fn try_next(&mut self, now: Duration, ticket: Ticket) {
        let Some(pending) = self.later.waiting.get_mut(ticket) else { return };
        let Pending { wait: Wait::Upstream(asking, _), program, way, client, trace, purpose, .. } = pending else { return };
        let program = Arc::clone(program);
        let Some(op) = forward_op(&program, way) else { return };
        let mut count = self.counting.of_waiting(program.block(way.level.block), way.level.at, client, *purpose);
        let chosen = match trace {
            Some(trace) => op.choose(asking, now, &mut count, &mut self.random, trace.as_mut()),
            None => op.choose(asking, now, &mut count, &mut self.random, &mut Off),
        };
        let Some(upstream) = chosen else {
            let why = if asking.error.is_empty() { "no healthy upstreams".to_owned() } else { std::mem::take(&mut asking.error) };
            return self.resume(now, ticket, Resume::Fail(rcode::SERVFAIL, why));
        };
        let target = upstream.target(asking.transport);
        way.upstream = Some(target.address);
        if let Some(trace) = trace {
            trace.note("asks", || why::asked(op, asking, upstream));
        }
        self.ask(now, ticket);
        self.look_for_lanes(now);
    }

    /// Asks the upstream that was chosen, for the first time or once more.
    pub(super) fn ask(&mut self, now: Duration, ticket: Ticket) {
        let Some(pending) = self.later.waiting.get_mut(ticket) else { return };
        let Pending { wait: Wait::Upstream(asking, exchange), program, way, purpose, .. } = pending else { return };
        let program = Arc::clone(program);
        let Some(op) = forward_op(&program, way) else { return };
        let (upstream, due) = (&op.upstreams[asking.upstream], op.due(asking, now));
        let target = upstream.target(asking.transport);
        let (sent, reused) = self.later.exchanges.send(now, target.clone(), lifetime(op), Asker::Query(ticket.0), &asking.message);
        *exchange = Some(sent);
        asking.asked = now;
        self.later.timers.add(due, Due::Reply(sent));
        if *purpose != Purpose::Explain {
            self.counting.upstream(upstream.number).asked(&target, reused);
        }
    }

    pub(super) fn reply_came(&mut self, now: Duration, ticket: Ticket, exchange: Exchange, message: &[u8]) {
        let Some(pending) = self.later.waiting.get_mut(ticket) else { return };
        let Wait::Upstream(asking, current) = &mut pending.wait else { return };
        let head = reply::head_of(message);
        let program = Arc::clone(&pending.program);
        let Some(op) = forward_op(&program, &pending.way) else { return };
        let upstream = &op.upstreams[asking.upstream];
        let is_counted = pending.purpose != Purpose::Explain;
        let start = match reply::kind_of(message, &asking.expected) {
            Kind::Reply(start) => start,
            Kind::Foreign(foreign) => {
                if is_counted {
                    let wrong = if foreign == Foreign::Query { Wrong::Query } else { Wrong::Question };
                    self.counting.upstream(upstream.number).rejected(wrong);
                    upstream.losses.fetch_add(1, Relaxed);
                }
                let why = op.tell_foreign(asking, message, foreign);
                *current = None;
                note(pending, "reply", || why.clone());
                self.later.exchanges.end(&exchange, true);
                return self.resume(now, ticket, Resume::Foreign(why));
            }
            Kind::Garbled(why) => {
                if is_counted {
                    self.counting.upstream(upstream.number).rejected(Wrong::Malformed);
                }
                return self.try_lost(now, ticket, Some(exchange), Loss::Garbled(why));
            }
        };
        let used = op.judge(asking, head);
        // The answer's records are still to be read.
        if is_counted && used != Use::Answer {
            upstream.replied();
            self.counting.upstream(upstream.number).replied(head.rcode, now.saturating_sub(asking.asked));
        }
        *current = None;
        let from = upstream.address;
        note(pending, "reply", || format!("{} from {from}{}", crate::text::rcode_name(head.rcode), told(used)));
        self.later.exchanges.end(&exchange, true);
        match used {
            Use::Answer => self.resume(now, ticket, Resume::Reply(message, start)),
            Use::OverTcp => self.ask(now, ticket),
            Use::Elsewhere => self.try_next(now, ticket),
            Use::PassOn => self.resume(now, ticket, Resume::Next),
        }
    }

    /// A try has failed: the upstream is probed, and the next one is asked.
    pub(super) fn try_lost(&mut self, now: Duration, ticket: Ticket, exchange: Option<Exchange>, loss: Loss) {
        let strays = exchange.map(|exchange| self.later.exchanges.end(&exchange, false));
        let Some(pending) = self.later.waiting.get_mut(ticket) else { return };
        let Wait::Upstream(asking, current) = &mut pending.wait else { return };
        *current = None;
        let program = Arc::clone(&pending.program);
        let Some(op) = forward_op(&program, &pending.way) else { return };
        let upstream = Arc::clone(&op.upstreams[asking.upstream]);
        asking.strays += strays.unwrap_or_default();
        op.lost(asking, loss);
        if pending.purpose != Purpose::Explain {
            upstream.losses.fetch_add(1, Relaxed);
        }
        let why = asking.error.clone();
        note(pending, "failed", || why);
        let probes = op.plan.max_fails > 0 && pending.purpose != Purpose::Explain;
        self.try_next(now, ticket);
        if probes {
            self.probe(now, upstream, op);
        }
    }

    /// The lane under a try is gone. Idle connections are closed by their other side at any time: that is no failure.
    pub(super) fn lane_lost(&mut self, now: Duration, ticket: Ticket, had_served: bool, strays: Strays, loss: Loss) {
        let Some(Pending { wait: Wait::Upstream(asking, exchange), trace, .. }) = self.later.waiting.get_mut(ticket) else { return };
        *exchange = None;
        asking.strays += strays;
        if had_served && loss == Loss::Closed && !asking.retried {
            asking.retried = true;
            if let Some(trace) = trace {
                trace.note("asks", || "the same one again: the connection that was there before was closed".to_owned());
            }
            return self.ask(now, ticket);
        }
        self.try_lost(now, ticket, None, loss);
    }

    pub(super) fn look_for_lanes(&mut self, now: Duration) {
        if self.later.looks_for_lanes {
            return;
        }
        if let Some(at) = self.later.exchanges.expire(now) {
            self.later.looks_for_lanes = true;
            // Not at every moment at which one of many sockets is over.
            self.later.timers.add(at.max(now) + LANES_PAUSE, Due::Lanes);
        }
    }
}

fn told(used: Use) -> &'static str {
    match used {
        Use::Answer => "",
        Use::OverTcp => "; it is cut, so it is asked for over TCP",
        Use::Elsewhere => "; another upstream is asked (failover)",
        Use::PassOn => "; the next directive is asked (next)",
    }
}
