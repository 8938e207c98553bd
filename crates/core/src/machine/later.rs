//! The part of a machine that waits: queries put away, upstreams asked, time that passes, other threads' answers.

mod asking;
mod probes;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Machine, Question, Verdict};
use crate::ask::{self, AskOp, Task, Told};
use crate::cache::{CacheOp, Joined, Kept, Lead};
use crate::client::{Client, Ticket, Transport};
use crate::errors::{Counted, Tally};
use crate::exchanges::{Asker, Effect, Exchanges, LaneId, Lifetime, Stray};
use crate::forward::reply::{self};
use crate::forward::{ForwardOp, Loss};
use crate::mailbox::{Letter, Mailbox};
use crate::metrics::calls::Outcome;
use crate::metrics::upstreams::Wrong;
use crate::own_sockets::OwnSockets;
use crate::program::{Op, Program};
use crate::random::Secret;
use crate::trace::{Off, Recorder, Trace};
use crate::waiting::{Due, Hold, Pending, Purpose, Timers, Wait, Waiting};
use crate::way::{Memory, Other, Phase, Way};
use crate::wire::{self, HEADER, Parsed, rcode};
use probes::Probe;

/// The most queries of one machine that wait; beyond it those that have waited longest are given up.
const MOST_WAITING: usize = 10_000;
/// How long another's answer is waited for: a little longer than that one may take.
const FLIGHT_PATIENCE: Duration = Duration::from_millis(5500);

/// A query that was explained, after it had to wait.
pub struct Explained {
    /// Which one.
    pub ticket: Ticket,
    /// The reply.
    pub reply: Vec<u8>,
    /// Its way.
    pub trace: Trace,
}

/// What a machine needs for queries that wait.
pub struct Later {
    waiting: Waiting,
    timers: Timers,
    exchanges: Exchanges,
    mailbox: Arc<Mailbox>,
    finished: VecDeque<(Ticket, Vec<u8>)>,
    explained: VecDeque<Explained>,
    probes: Vec<Option<Probe>>,
    /// Failures whose time this machine keeps.
    failures: Vec<Option<Arc<Tally>>>,
    /// Queries that were put away and have not begun to wait.
    beginning: Vec<Ticket>,
    /// Whether unused sockets are looked for already.
    looks_for_lanes: bool,
}

/// How a query goes on.
enum Resume<'a> {
    /// It begins.
    Begin,
    /// An upstream has answered; the records begin there.
    Reply(&'a [u8], usize),
    /// An upstream has answered another question; says which.
    Foreign(String),
    /// The op behind is asked.
    Next,
    /// It is given up, and why; without a reason it is one of many, which are told of together.
    Fail(u16, String),
    /// Somebody outside was asked, and said this.
    Told(&'a [u8]),
    /// Nobody outside can take it.
    Untaken,
    /// The same question was answered to another.
    Arrived(Arc<Kept>),
    /// It was not, in time.
    Late,
}

impl Later {
    /// Nothing waits.
    pub fn new(seed: u64, own_sockets: Arc<OwnSockets>) -> Later {
        Later {
            waiting: Waiting::default(),
            timers: Timers::default(),
            exchanges: Exchanges::new(Secret::new(seed), own_sockets),
            mailbox: Arc::default(),
            finished: VecDeque::new(),
            explained: VecDeque::new(),
            probes: Vec::new(),
            failures: Vec::new(),
            beginning: Vec::new(),
            looks_for_lanes: false,
        }
    }
}

impl Machine {
    /// The next reply of a query that waited; an empty one says that it gets none.
    pub fn finished(&mut self) -> Option<(Ticket, Vec<u8>)> {
        self.later.finished.pop_front()
    }

    /// The next explanation of a query that waited.
    pub fn explained(&mut self) -> Option<Explained> {
        self.later.explained.pop_front()
    }

    /// The next thing to do with sockets.
    pub fn effect(&mut self) -> Option<Effect> {
        self.later.exchanges.effect()
    }

    /// Takes stock after a panic: queries that were worked on get no reply, and nothing that was half done goes on.
    pub fn recover(&mut self) {
        (self.debug, self.counting.at_hand) = (false, None);
        self.renewals.clear();
        self.complaints.clear();
        let lost = self.later.waiting.end_taken();
        self.later.finished.extend(lost.into_iter().map(|ticket| (ticket, Vec::new())));
    }

    /// When [`Machine::tick`] wants to be called.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.later.timers.next()
    }

    /// How many queries wait.
    pub fn waiting(&self) -> usize {
        self.later.waiting.count()
    }

    /// How other threads tell this one; whoever runs it says how it is woken.
    pub fn mailbox(&self) -> &Arc<Mailbox> {
        &self.later.mailbox
    }

    /// Takes what other threads have told. To be called when woken.
    pub fn collect(&mut self, now: Duration) {
        if !self.later.mailbox.has_letters() {
            return;
        }
        for letter in self.later.mailbox.take() {
            let (Letter::Kept(ticket, _) | Letter::Told(ticket, _)) = letter;
            let Some(pending) = self.later.waiting.get_mut(ticket) else { continue };
            match (letter, &pending.wait) {
                (Letter::Kept(_, kept), Wait::Flight { .. }) => self.resume(now, ticket, Resume::Arrived(kept)),
                (Letter::Told(_, told), Wait::Told { .. }) => {
                    note(pending, "told", || "an answer has come".to_owned());
                    self.resume(now, ticket, Resume::Told(&told));
                }
                // Too late, or what it waited for came another way.
                _ => {}
            }
        }
        self.prune();
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Duration) {
        while let Some(due) = self.later.timers.take(now) {
            match due {
                Due::Reply(exchange) => match self.later.exchanges.is_flying(&exchange) {
                    Some(Asker::Query(ticket)) => self.try_lost(now, Ticket(ticket), Some(exchange), Loss::Timeout),
                    Some(Asker::Probe(number)) => self.probe_failed(now, number, Some(exchange)),
                    None => {}
                },
                Due::Patience(ticket) => {
                    let ticket = Ticket(ticket);
                    if let Some(Pending { wait: Wait::Flight { until, .. } | Wait::Told { until, .. }, .. }) =
                        self.later.waiting.get_mut(ticket)
                        && *until <= now
                    {
                        self.resume(now, ticket, Resume::Late);
                    }
                }
                Due::Probe(number) => self.send_probe(now, number),
                Due::Lanes => {
                    self.later.looks_for_lanes = false;
                    self.look_for_lanes(now);
                }
                Due::Failures(number) => {
                    let tally = self.later.failures.get_mut(number).and_then(Option::take);
                    self.engine.log_lines(tally.and_then(|tally| tally.take()));
                }
            }
        }
        self.prune();
    }

    /// Logs a failure, or keeps the time until those like it are told of.
    pub(super) fn tell_failure(&mut self, now: Duration, counted: Counted) {
        self.complaints.extend(counted.line);
        if let Some((period, tally)) = counted.first {
            let number = free_place(&mut self.later.failures);
            self.later.failures[number] = Some(tally);
            self.later.timers.add(now + period, Due::Failures(number));
        }
    }

    /// A message has come over a lane.
    pub fn received(&mut self, now: Duration, lane: LaneId, message: &[u8]) {
        if message.len() < HEADER {
            return self.strayed(lane, Stray::Short);
        }
        let id = u16::from_be_bytes([message[0], message[1]]);
        match self.later.exchanges.asker(lane, id) {
            Some((Asker::Query(ticket), exchange)) => self.reply_came(now, Ticket(ticket), exchange, message),
            Some((Asker::Probe(number), exchange)) => {
                self.later.exchanges.end(&exchange, true);
                self.probe_ended(number, true);
            }
            // It was not asked for, or not there, or it comes too late.
            None => self.strayed(lane, Stray::Id),
        }
        self.prune();
    }

    /// A lane's socket has been opened, and leaves from this address.
    pub fn opened(&mut self, lane: LaneId, local: SocketAddr) {
        self.later.exchanges.opened(lane, local);
    }

    fn strayed(&mut self, lane: LaneId, stray: Stray) {
        if let Some(upstream) = self.later.exchanges.strayed(lane, stray) {
            self.counting.upstream(upstream).rejected(if stray == Stray::Id { Wrong::Id } else { Wrong::Malformed });
        }
    }

    /// A lane is gone.
    pub fn lost(&mut self, now: Duration, lane: LaneId, loss: Loss) {
        let lost = self.later.exchanges.lost(lane);
        for (asker, strays) in lost.askers {
            match asker {
                Asker::Query(ticket) => self.lane_lost(now, Ticket(ticket), lost.had_served, strays, loss.clone()),
                Asker::Probe(number) => self.probe_failed(now, number, None),
            }
        }
        self.prune();
    }

    /// Puts a query away; [`Machine::begin_waiting`] goes on with it.
    pub(super) fn put_away(&mut self, question: &Question<'_>, program: &Arc<Program>, way: Way, hold: Hold) -> Ticket {
        let answer = way.is_inside().then(|| Box::new(std::mem::take(&mut self.answer)));
        let ticket = self.later.waiting.insert(Pending {
            message: question.message.into(),
            client: *question.client,
            program: Arc::clone(program),
            way,
            answer,
            trace: None,
            debug: std::mem::take(&mut self.debug),
            purpose: question.purpose,
            wait: Wait::Begin(Box::new(hold)),
        });
        self.later.beginning.push(ticket);
        ticket
    }

    /// Puts away what the cache asks on its own account. It takes the way of a stream, where nothing is cut.
    #[cold]
    pub(super) fn put_renewals_away(&mut self, question: &Question<'_>, program: &Arc<Program>) {
        let client = Client { transport: Transport::Tcp, ..*question.client };
        for way in std::mem::take(&mut self.renewals) {
            self.put_away(&Question { client: &client, purpose: Purpose::Renewal, ..*question }, program, way, Hold::Start);
        }
    }

    /// Begins what was put away for the query at hand.
    #[inline]
    pub(super) fn begin_waiting(&mut self, now: Duration, verdict: Verdict, trace: Option<Trace>) {
        if !self.later.beginning.is_empty() {
            self.begin_all(now, verdict, trace);
        }
    }

    #[cold]
    fn begin_all(&mut self, now: Duration, verdict: Verdict, trace: Option<Trace>) {
        if let Verdict::Wait(ticket) = verdict
            && let Some(pending) = self.later.waiting.get_mut(ticket)
        {
            pending.trace = trace.map(Box::new);
        }
        self.begin_rest(now);
        self.prune();
    }

    fn begin_rest(&mut self, now: Duration) {
        while let Some(ticket) = self.later.beginning.pop() {
            if self.later.waiting.count() > MOST_WAITING
                && let Some(oldest) = self.later.waiting.oldest()
            {
                if let Some(count) = self.engine.count_shed(now) {
                    let more = format!("more than {MOST_WAITING} wait for an answer in one thread");
                    self.engine.log(&format!("[WARNING] {count} queries were given up, those that had waited longest: {more}"));
                }
                self.resume(now, oldest, Resume::Fail(rcode::SERVFAIL, String::new()));
            }
            self.begin(now, ticket);
        }
    }

    fn begin(&mut self, now: Duration, ticket: Ticket) {
        let Some(mut pending) = self.later.waiting.take(ticket) else { return };
        let hold = match std::mem::replace(&mut pending.wait, Wait::Begin(Box::new(Hold::Start))) {
            Wait::Begin(hold) => *hold,
            other => {
                pending.wait = other;
                return self.later.waiting.put_back(ticket, pending);
            }
        };
        match hold {
            Hold::Start => {
                self.later.waiting.put_back(ticket, pending);
                self.resume(now, ticket, Resume::Begin);
            }
            Hold::Ask(asking) => self.begin_asking(now, ticket, pending, asking),
            Hold::Tell(question, patience) => self.begin_telling(now, ticket, pending, question, patience),
            Hold::Renewal { lead, stale, patience } => self.begin_renewal(now, ticket, pending, lead, stale, patience),
        }
    }

    /// The cache asks on its own account, and the query waits for that as others may.
    fn begin_renewal(&mut self, now: Duration, ticket: Ticket, mut pending: Pending, mut lead: Lead, stale: Arc<Kept>, patience: Duration) {
        let at = lead.at;
        lead.flight = match self.join(now, ticket, &pending, at) {
            Some(Joined::Leads(number)) => {
                self.join(now, ticket, &pending, at);
                Some(number)
            }
            _ => None,
        };
        let until = now + pending.way.patience(patience, now);
        self.later.timers.add(until, Due::Patience(ticket.0));
        let renewal = pending.way.renewal(lead);
        let Parsed::Query(query) = wire::parse(&pending.message) else { return };
        let client = pending.client;
        let question = Question { now, client: &client, message: &pending.message, query: &query, purpose: Purpose::Renewal };
        self.put_away(&question, &pending.program, renewal, Hold::Start);
        pending.wait = Wait::Flight { at, stale: Some(stale), until };
        self.later.waiting.put_back(ticket, pending);
    }

    /// Waits with those who ask the same already. None: it does. Else others may wait for what it gets.
    fn wait_with_others(&mut self, now: Duration, ticket: Ticket, mut pending: Pending) -> Option<Pending> {
        if pending.way.alone {
            return Some(pending);
        }
        let cache = pending.way.level.lead.as_ref().filter(|lead| lead.flight.is_none()).map(|lead| lead.at);
        match cache.and_then(|at| self.join(now, ticket, &pending, at)) {
            Some(Joined::Waits) => {
                let lead = pending.way.level.lead.take().unwrap_or_default();
                note(&mut pending, "waits", || "the same question is being asked already".to_owned());
                let until = now + pending.way.patience(FLIGHT_PATIENCE, now);
                pending.wait = Wait::Flight { at: lead.at, stale: lead.stale, until };
                self.later.timers.add(until, Due::Patience(ticket.0));
                self.later.waiting.put_back(ticket, pending);
                return None;
            }
            Some(Joined::Leads(number)) => {
                if let Some(lead) = &mut pending.way.level.lead {
                    lead.flight = Some(number);
                }
            }
            None => {}
        }
        Some(pending)
    }

    fn begin_telling(&mut self, now: Duration, ticket: Ticket, pending: Pending, question: Vec<u8>, patience: Duration) {
        let Some(mut pending) = self.wait_with_others(now, ticket, pending) else { return };
        pending.wait = Wait::Told { asked: now, until: now + patience };
        self.later.waiting.put_back(ticket, pending);
        if self.engine.ask(Task::new(question, patience, &self.later.mailbox, ticket)) {
            return self.later.timers.add(now + patience, Due::Patience(ticket.0));
        }
        self.resume(now, ticket, Resume::Untaken);
    }

    /// Joins those who ask the same, where there may be any.
    fn join(&mut self, now: Duration, ticket: Ticket, pending: &Pending, at: usize) -> Option<Joined> {
        let Parsed::Query(query) = wire::parse(&pending.message) else { return None };
        let question = Question { now, client: &pending.client, message: &pending.message, query: &query, purpose: pending.purpose };
        let op = cache_op(&pending.program, &pending.way, at)?;
        let key = op.flight_key(&question.turn(&pending.way))?;
        Some(op.cache.join(key, now, &self.later.mailbox, ticket))
    }

    /// Goes on with a query.
    fn resume(&mut self, now: Duration, ticket: Ticket, how: Resume<'_>) {
        let Some(pending) = self.later.waiting.take(ticket) else { return };
        let Parsed::Query(query) = wire::parse(&pending.message) else { return self.later.waiting.end(ticket) };
        let Pending { message, client, program, mut way, answer, mut trace, debug, purpose, wait } = pending;
        let question = Question { now, client: &client, message: &message, query: &query, purpose };
        match answer {
            Some(answer) => self.answer = *answer,
            None => {
                self.answer.begin(question.qname());
                way.anchor(&mut self.answer);
            }
        }
        if let Resume::Reply(reply, start) = how
            && let Err(why) = self.read_reply(&question, &program, &way, &wait, reply, start)
        {
            self.answer.clear();
            let answer = way.is_inside().then(|| Box::new(std::mem::take(&mut self.answer)));
            let pending = Pending { message, client, program, way, answer, trace, debug, purpose, wait };
            self.later.waiting.put_back(ticket, pending);
            return self.try_lost(now, ticket, None, Loss::Garbled(why));
        }
        if let Wait::Upstream(_, exchange) = &wait {
            // What is still under way there matters no more.
            exchange.iter().for_each(|exchange| {
                self.later.exchanges.end(exchange, false);
            });
        }
        let phase = self.take_up(&question, &program, &mut way, wait, how);
        self.debug = debug;
        (self.begun, self.block, self.upstream) = (way.begun, way.outermost_block(), way.upstream);
        (self.size, self.silent) = (None, false);
        self.counting.at_hand = way.arrival;
        let hold = match &mut trace {
            Some(trace) => self.run(&program, &question, &mut way, phase, trace.as_mut()),
            None => self.run(&program, &question, &mut way, phase, &mut Off),
        };
        if !self.renewals.is_empty() {
            self.put_renewals_away(&question, &program);
        }
        (self.size, self.became) = (way.size, way.became.take());
        let debug = std::mem::take(&mut self.debug);
        match hold {
            Some(hold) => {
                self.complain();
                let answer = way.is_inside().then(|| Box::new(std::mem::take(&mut self.answer)));
                let wait = Wait::Begin(Box::new(hold));
                self.later.waiting.put_back(ticket, Pending { message, client, program, way, answer, trace, debug, purpose, wait });
                self.later.beginning.push(ticket);
            }
            None => {
                self.finish(&program, &question, ticket, trace, debug);
                self.later.waiting.end(ticket);
            }
        }
        self.begin_rest(now);
    }

    /// Takes an upstream's reply for the answer, and counts it.
    fn read_reply(
        &mut self,
        question: &Question<'_>,
        program: &Program,
        way: &Way,
        wait: &Wait,
        reply: &[u8],
        start: usize,
    ) -> Result<(), &'static str> {
        let turn = question.turn(way);
        let read = reply::read(reply, start, &turn.asked, &mut self.answer);
        let (Some(op), Wait::Upstream(asking, _)) = (forward_op(program, way), wait) else { return read };
        let wrong = if read.is_ok() { op.doubt(asking, &turn, &self.answer) } else { Some(Wrong::Malformed) };
        if question.purpose != Purpose::Explain {
            let upstream = &op.upstreams[asking.upstream];
            let counters = self.counting.upstream(upstream.number);
            if read.is_ok() {
                upstream.replied();
                counters.replied(reply::head_of(reply).rcode, question.now.saturating_sub(asking.asked));
            }
            wrong.iter().for_each(|wrong| counters.rejected(*wrong));
        }
        read
    }

    /// Says what has come, and which ops have their turn then.
    fn take_up(&mut self, question: &Question<'_>, program: &Program, way: &mut Way, wait: Wait, how: Resume<'_>) -> Phase {
        let Wait::Flight { at, stale, .. } = wait else {
            if let (Wait::Told { asked, until }, Some(Op::Ask(op))) = (&wait, op_at_hand(program, way)) {
                return self.take_told(question, op, way, (*asked, *until), how);
            }
            return match how {
                Resume::Begin => Phase::Before,
                Resume::Next => {
                    way.level.at += 1;
                    Phase::Before
                }
                Resume::Foreign(why) => {
                    (self.answer.rcode, self.answer.remark) = (rcode::FORMERR, Some(why.into()));
                    Phase::After
                }
                Resume::Fail(rcode, why) => {
                    self.answer.fail(rcode, why);
                    Phase::After
                }
                Resume::Reply(..) | Resume::Told(_) | Resume::Untaken | Resume::Arrived(_) | Resume::Late => Phase::After,
            };
        };
        way.level.at = at;
        let Some(op) = cache_op(program, way, at) else { return Phase::After };
        let turn = question.turn(way);
        let mut count = self.counting.of(program.block(way.level.block), at, question);
        match (how, stale) {
            (Resume::Arrived(kept), stale) => op.arrived(&turn, &kept, stale.as_ref(), &mut count, &mut self.answer),
            (_, Some(stale)) => op.thaw_stale(&stale, &turn, &mut count, &mut self.answer),
            (Resume::Fail(rcode, why), None) => self.answer.fail(rcode, why),
            (_, None) => self.answer.fail(rcode::SERVFAIL, "the same question, asked for another client, got no answer in time"),
        }
        Phase::After
    }

    /// Takes what somebody outside said, or that nobody did; counts it.
    fn take_told(
        &mut self,
        question: &Question<'_>,
        op: &AskOp,
        way: &mut Way,
        (asked, until): (Duration, Duration),
        how: Resume<'_>,
    ) -> Phase {
        let said = match how {
            Resume::Told(told) => self.take_words(question, way, told).map_err(|why| (Outcome::Error, why)),
            Resume::Untaken => Err((Outcome::QueueFull, "too many questions wait for it".to_owned())),
            Resume::Fail(_, why) => Err((Outcome::Shed, why)),
            _ => Err((Outcome::Deadline, format!("no answer within {} ms", (until - asked).as_millis()))),
        };
        let (Ok(outcome) | Err((outcome, _))) = &said;
        if let Some(calls) = self.counting.calls(op.number, question.purpose) {
            calls.ended(*outcome, question.now.saturating_sub(asked));
        }
        match said {
            Ok(Outcome::Answered) => return Phase::After,
            Ok(_) => {}
            Err(_) if op.passes_failures_on() => self.answer.clear(),
            Err((_, why)) => {
                op.fail(&why, &mut self.answer);
                return Phase::After;
            }
        }
        way.level.at += 1;
        Phase::Before
    }

    /// Takes what somebody outside said; the error says what is wrong with it.
    fn take_words(&mut self, question: &Question<'_>, way: &mut Way, told: &[u8]) -> Result<Outcome, String> {
        match Told::read(told) {
            Some(Told::Next) => Ok(Outcome::Next),
            Some(Told::Ask(qtype, name)) => {
                let mut other = Other::of(&question.turn(way)).about(name, &mut self.answer);
                other.request.qtype = qtype;
                way.change(other, Memory::new());
                Ok(Outcome::Rewritten)
            }
            Some(Told::Answer(keep, message)) => match ask::take(message, &question.turn(way), keep, &mut self.answer) {
                Ok(()) => Ok(Outcome::Answered),
                Err(why) => Err(format!("its answer cannot be read: {why}")),
            },
            Some(Told::Failed(why)) => Err(why.to_owned()),
            None => Err("what it says makes no sense".to_owned()),
        }
    }

    /// The exit of a query that waited.
    fn finish(&mut self, program: &Program, question: &Question<'_>, ticket: Ticket, trace: Option<Box<Trace>>, debug: bool) {
        if question.purpose == Purpose::Renewal {
            return;
        }
        let mut reply = Vec::new();
        self.say(program, question, &mut reply);
        self.counting.answered_late(question.now);
        match (question.purpose, trace) {
            (Purpose::Explain, Some(trace)) => return self.later.explained.push_back(Explained { ticket, reply, trace: *trace }),
            (_, Some(trace)) => self.tell(question.client, question.message, &reply, *trace, debug),
            _ => {}
        }
        self.later.finished.push_back((ticket, reply));
    }

    /// Forgets timers of what has come.
    fn prune(&mut self) {
        let Later { timers, exchanges, .. } = &mut self.later;
        timers.prune(|due| !matches!(due, Due::Reply(exchange) if exchanges.is_flying(exchange).is_none()));
    }
}

fn op_at_hand<'a>(program: &'a Program, way: &Way) -> Option<&'a Op> {
    program.block(way.level.block).ops.get(way.level.at).map(|placed| &placed.op)
}

/// A place that nobody has.
fn free_place<T>(places: &mut Vec<Option<T>>) -> usize {
    places.iter().position(Option::is_none).unwrap_or_else(|| {
        places.push(None);
        places.len() - 1
    })
}

/// The op at hand, if it forwards.
fn forward_op<'a>(program: &'a Program, way: &Way) -> Option<&'a ForwardOp> {
    match op_at_hand(program, way)? {
        Op::Forward(op) => Some(op),
        _ => None,
    }
}

/// The op at a place, if it is a cache.
fn cache_op<'a>(program: &'a Program, way: &Way, at: usize) -> Option<&'a CacheOp> {
    match &program.block(way.level.block).ops.get(at)?.op {
        Op::Cache(op) => Some(op),
        _ => None,
    }
}

fn lifetime(op: &ForwardOp) -> Lifetime {
    let milliseconds = |time: u32| Duration::from_millis(time.into());
    Lifetime { idle: milliseconds(op.plan.expire_ms), age: milliseconds(op.plan.max_age_ms) }
}

fn note(pending: &mut Pending, what: &'static str, detail: impl FnOnce() -> String) {
    if let Some(trace) = &mut pending.trace {
        trace.note(what, detail);
    }
}
