//! One query's way: parse, find the block, run its ops, one exit for all. Each worker thread has a machine of its own.

mod later;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::answer::{Answer, Rdata, Rr};
use crate::cache::Found;
use crate::client::{Client, Ticket, Transport};
use crate::engine::{Engine, Observation};
use crate::log::Logged;
use crate::name;
use crate::program::{Block, Op, PlacedOp, Program};
use crate::random::Random;
use crate::text;
use crate::trace::{Off, Recorder, Trace};
use crate::waiting::{Hold, Purpose};
use crate::way::{Phase, Turn, Way};
use crate::wire::{self, CLASS_IN, HEADER, Parsed, Query, rcode, rtype};
use crate::zone::{Asked, Said};

pub use later::Explained;
use later::Later;

/// What UDP carries without EDNS (RFC 1035 4.2.1).
const PLAIN_UDP: usize = 512;
/// Datagrams above this are compressed, in the hope that they fit without fragments: IPv4 and IPv6.
const UNFRAGMENTED: [usize; 2] = [1480, 1220];

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The reply is ready.
    Reply,
    /// Nothing is said.
    Drop,
    /// The reply comes later, from [`Machine::finished`].
    Wait(Ticket),
}

/// What is asked, by whom, and why.
#[derive(Clone, Copy)]
struct Question<'a> {
    now: Duration,
    client: &'a Client,
    message: &'a [u8],
    query: &'a Query,
    purpose: Purpose,
}

/// Answers queries.
pub struct Machine {
    engine: Arc<Engine>,
    answer: Answer,
    random: Random,
    clock: fn() -> u64,
    /// The block of this query logs its way.
    debug: bool,
    /// When the query at hand came, by the clock; 0: it is not to be logged.
    begun: u64,
    /// What the cache wants to ask on its own account once the query at hand is done.
    renewals: Vec<Way>,
    later: Later,
}

impl Machine {
    /// A machine for one thread; `clock` tells nanoseconds, for those who watch. Ids and ports are drawn from `seed`: it must be secret.
    pub fn new(engine: Arc<Engine>, seed: u64, clock: fn() -> u64) -> Machine {
        let later = Later::new(seed);
        Machine { engine, answer: Answer::default(), random: Random::new(seed), clock, debug: false, begun: 0, renewals: Vec::new(), later }
    }

    /// Takes a message; `reply` is cleared first. `now` is the time since the engine started.
    pub fn query(&mut self, now: Duration, client: &Client, message: &[u8], reply: &mut Vec<u8>) -> Verdict {
        let watched = self.engine.is_watched();
        if !watched && !self.engine.current().debug {
            let verdict = self.reply(now, client, message, Purpose::Client, reply, &mut Off);
            self.begin_waiting(now, verdict, None);
            return verdict;
        }
        let mut trace = Trace::new(self.clock);
        let verdict = self.reply(now, client, message, Purpose::Client, reply, &mut trace);
        if let Verdict::Wait(_) = verdict {
            self.begin_waiting(now, verdict, Some(trace));
            return verdict;
        }
        if verdict == Verdict::Reply {
            let debug = std::mem::take(&mut self.debug);
            self.tell(client, message, reply, trace, debug);
        }
        self.begin_waiting(now, verdict, None);
        verdict
    }

    /// Answers as [`Machine::query`] does, and tells how; keeps and counts nothing. What has to wait is told by [`Machine::explained`].
    pub fn explain(&mut self, now: Duration, client: &Client, message: &[u8], reply: &mut Vec<u8>) -> (Verdict, Option<Trace>) {
        let mut trace = Trace::new(self.clock);
        let verdict = self.reply(now, client, message, Purpose::Explain, reply, &mut trace);
        let is_done = !matches!(verdict, Verdict::Wait(_));
        let (done, waits) = if is_done { (Some(trace), None) } else { (None, Some(trace)) };
        self.begin_waiting(now, verdict, waits);
        (verdict, done)
    }

    fn reply<R: Recorder>(
        &mut self,
        now: Duration,
        client: &Client,
        message: &[u8],
        purpose: Purpose,
        reply: &mut Vec<u8>,
        recorder: &mut R,
    ) -> Verdict {
        match wire::parse(message) {
            Parsed::Silence => Verdict::Drop,
            Parsed::Error(rcode) => {
                wire::write_error(message, rcode, reply);
                Verdict::Reply
            }
            Parsed::Query(query) => {
                let question = Question { now, client, message, query: &query, purpose };
                match self.answer_query(&question, recorder) {
                    Some(ticket) => Verdict::Wait(ticket),
                    None => {
                        self.write(client, message, &query, reply);
                        self.log(&question, reply);
                        Verdict::Reply
                    }
                }
            }
        }
    }

    fn answer_query<R: Recorder>(&mut self, question: &Question<'_>, recorder: &mut R) -> Option<Ticket> {
        let query = question.query;
        self.answer.begin(question.qname());
        let program = self.engine.current();
        self.begun = 0;
        if query.qclass != CLASS_IN && !program.serves_all_classes(question.client.listener) {
            recorder.note("refused", || format!("class {} is not served", query.qclass));
            self.answer.rcode = rcode::REFUSED;
            return None;
        }
        if query.edns.is_some_and(|edns| edns.version != 0) {
            recorder.note("refused", || "an EDNS version that does not exist yet".to_owned());
            self.answer.rcode = rcode::BADVERS;
            return None;
        }
        let Some(block) = program.block_for(question.client.listener, query.name.wire(), query.qtype) else {
            recorder.note("refused", || "no server block has this name".to_owned());
            self.answer.rcode = rcode::REFUSED;
            return None;
        };
        let mut way = Way::new(block.index);
        if program.logs && question.purpose == Purpose::Client {
            self.begun = (self.clock)().max(1);
            way.begun = self.begun;
        }
        let hold = self.run(&program, question, &mut way, Phase::Before, recorder);
        if !self.renewals.is_empty() {
            self.put_renewals_away(question, &program);
        }
        hold.map(|hold| self.put_away(question, &program, way, hold))
    }

    /// Runs a query's ops from where it stands, until it is answered or has to wait.
    fn run<R: Recorder>(
        &mut self,
        program: &Program,
        question: &Question<'_>,
        way: &mut Way,
        mut phase: Phase,
        recorder: &mut R,
    ) -> Option<Hold> {
        loop {
            let block = program.block(way.level.block);
            match phase {
                Phase::Before => {
                    if let Some(hold) = self.before(block, question, way, recorder) {
                        return Some(hold);
                    }
                    phase = Phase::Chase;
                }
                Phase::Chase => {
                    phase = if self.chase(program, question, way, recorder) { Phase::Before } else { Phase::After };
                }
                Phase::After => {
                    self.after(block, question, way, recorder);
                    if !way.leave(&mut self.answer) {
                        return None;
                    }
                    phase = Phase::Chase;
                }
            }
        }
    }

    /// The ops from the one at hand on, until one answers or waits; if none does, it is SERVFAIL.
    fn before<R: Recorder>(&mut self, block: &Block, question: &Question<'_>, way: &mut Way, recorder: &mut R) -> Option<Hold> {
        if way.level.at == 0 {
            recorder.block(&block.zone, block.span);
            self.debug |= block.debug;
        }
        if block.is_empty() {
            self.answer.rcode = rcode::REFUSED;
            return None;
        }
        while let Some(PlacedOp { op, span }) = block.ops.get(way.level.at) {
            match op {
                Op::Zone(op) => {
                    recorder.op("zone", *span);
                    let asked = question.asked(way);
                    if op.run(question.query.qtype, &asked, &mut self.answer, recorder) == Said::Answered {
                        return None;
                    }
                }
                Op::Cache(op) => {
                    recorder.op("cache", *span);
                    match op.before(&question.turn(way), &mut self.answer, recorder) {
                        Found::Answer(renew) => {
                            self.renewals.extend(renew.map(|lead| way.renewal(lead)));
                            return None;
                        }
                        Found::Nothing(lead) => way.level.lead = Some(lead),
                        Found::Stale(lead, stale, patience) => return Some(Hold::Renewal { lead, stale, patience }),
                        Found::Next => {}
                    }
                }
                Op::Forward(op) => {
                    let turn = question.turn(way);
                    if op.serves(turn.asked.lower) {
                        recorder.op("forward", *span);
                        // A cache asks for AD, so that it can tell those who want to know (RFC 6840 5.7).
                        return Some(Hold::Ask(op.prepare(&turn, way.level.lead.is_some())));
                    }
                }
                Op::Whoami => {
                    recorder.op("whoami", *span);
                    let asked = question.asked(way);
                    self.whoami(question.client, &asked);
                    return None;
                }
                Op::Shuffle(_) | Op::Errors | Op::Log(_) => {}
            }
            way.level.at += 1;
        }
        recorder.note("failed", || "no directive of this block answered".to_owned());
        let directive = block.ops.last().map_or("errors", |last| last.op.directive());
        self.answer.fail(rcode::SERVFAIL, format!("plugin/{directive}: no next plugin found"));
        None
    }

    /// The ops before the one at hand, backwards.
    fn after<R: Recorder>(&mut self, block: &Block, question: &Question<'_>, way: &mut Way, recorder: &mut R) {
        for at in (way.level.first..way.level.at).rev() {
            let PlacedOp { op, span } = &block.ops[at];
            match op {
                Op::Cache(op) => {
                    if let Some(lead) = way.level.lead.take_if(|lead| lead.at == at) {
                        recorder.way_out("cache", *span);
                        op.after(&question.turn(way), lead, &mut self.answer, recorder);
                    }
                }
                Op::Shuffle(shuffle) if self.answer.rcode == rcode::NOERROR => {
                    recorder.way_out("loadbalance", *span);
                    shuffle.apply(&mut self.answer, &mut self.random);
                }
                Op::Errors => {
                    if let Some(why) = self.answer.failure.as_ref().filter(|_| question.purpose == Purpose::Client) {
                        let (name, qtype) = (name::Display(question.asked(way).lower), text::type_name(question.query.qtype));
                        self.engine.log(&format!("[ERROR] plugin/errors: {} {name} {qtype}: {why}", self.answer.rcode));
                    }
                }
                Op::Zone(_) | Op::Forward(_) | Op::Whoami | Op::Shuffle(_) | Op::Log(_) => {}
            }
        }
    }

    /// Enters the block of the next alias that leads out of the answer; its failure will not be ours. False: there is none.
    fn chase<R: Recorder>(&mut self, program: &Program, question: &Question<'_>, way: &mut Way, recorder: &mut R) -> bool {
        while let Some(alias) = way.next_alias(question.query.name.wire(), &mut self.answer) {
            match program.block_for(question.client.listener, &alias.lower, question.query.qtype) {
                Some(block) => {
                    way.enter(block.index, alias, &mut self.answer);
                    return true;
                }
                None => recorder.note("refused", || "no server block has this name".to_owned()),
            }
        }
        false
    }

    /// The client's address and port as records in the additional section.
    fn whoami(&mut self, client: &Client, asked: &Asked<'_>) {
        let (rtype, rdata) = match client.address.ip() {
            IpAddr::V4(v4) => (rtype::A, Rdata::A(v4.octets())),
            IpAddr::V6(v6) => (rtype::AAAA, Rdata::Aaaa(v6.octets())),
        };
        let label: &[u8] = match client.transport {
            Transport::Udp => b"_udp",
            Transport::Tcp => b"_tcp",
        };
        self.answer.aa = true;
        self.answer.additional.push(Rr::new(asked.owner, rtype, 0, rdata));
        // A name that has no room for one more label has no SRV.
        if let Some(owner) = self.answer.join_below(label, &[asked.name]) {
            let target = self.answer.intern(&[b"\0"]);
            let srv = Rdata::Srv { weight: 0, port: client.address.port(), target };
            self.answer.additional.push(Rr::new(owner, rtype::SRV, 0, srv));
        }
    }

    /// Logs a query whose reply is written, if its block wants that.
    #[inline]
    fn log(&self, question: &Question<'_>, reply: &[u8]) {
        if self.begun != 0 {
            self.log_line(question, reply);
        }
    }

    #[cold]
    fn log_line(&self, question: &Question<'_>, reply: &[u8]) {
        let Question { client, message, query, .. } = *question;
        let program = self.engine.current();
        let Some(log) = program.block_for(client.listener, query.name.wire(), query.qtype).and_then(Block::log) else { return };
        let elapsed = (self.clock)().saturating_sub(self.begun);
        if let Some(line) = log.line(&Logged { client, query, size: message.len(), answer: &self.answer, reply, elapsed }) {
            self.engine.log(&line);
        }
    }

    /// Tells those who watch, and the log of a block that wants it.
    fn tell(&self, client: &Client, message: &[u8], reply: &[u8], trace: Trace, debug: bool) {
        if debug {
            self.engine.log(&debug_line(reply, &trace));
        }
        if self.engine.is_watched() {
            self.engine.observe(Observation {
                query: message.to_vec(),
                reply: reply.to_vec(),
                client: client.address,
                transport: client.transport.name(),
                nanoseconds: trace.elapsed(),
                steps: trace.steps,
                origins: trace.origins,
            });
        }
    }

    fn write(&mut self, client: &Client, message: &[u8], query: &Query, reply: &mut Vec<u8>) {
        let (limit, plain_limit) = match client.transport {
            Transport::Tcp => (u16::MAX as usize, u16::MAX as usize),
            Transport::Udp => {
                let size = query.edns.map_or(PLAIN_UDP, |edns| (edns.size as usize).max(PLAIN_UDP));
                (size, UNFRAGMENTED[usize::from(client.address.is_ipv6())])
            }
        };
        let question = &message[HEADER..query.question_end];
        self.answer.write(query, question, limit, plain_limit, reply);
    }
}

impl<'a> Question<'a> {
    /// The name as the client wrote it.
    fn qname(&self) -> &'a [u8] {
        &self.message[HEADER..HEADER + self.query.name.wire().len()]
    }

    /// The name at hand.
    fn asked<'b>(&self, way: &'b Way) -> Asked<'b>
    where
        'a: 'b,
    {
        way.asked(self.qname(), self.query.name.wire())
    }

    /// The turn of the op at hand.
    fn turn<'b>(&self, way: &'b Way) -> Turn<'b>
    where
        'a: 'b,
    {
        let quiet = self.purpose == Purpose::Explain;
        Turn {
            now: self.now,
            client: self.client,
            message: self.message,
            query: self.query,
            asked: self.asked(way),
            at: way.level.at,
            quiet,
        }
    }
}

/// A query's way in one line of the log.
fn debug_line(reply: &[u8], trace: &Trace) -> String {
    let message = text::read_message(reply).unwrap_or_default();
    let steps = trace.steps.iter().map(|step| format!("{} {}", step.what, step.detail)).collect::<Vec<_>>();
    format!("[DEBUG] plugin/debug: {} {} {}: {}", message.name, message.qtype, message.rcode, steps.join("; "))
}
