//! One query's way: parse, find the block, run its ops, one exit for all. Each worker thread has a machine of its own.

mod counting;
mod later;
mod turns;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::answer::Answer;
use crate::client::{Client, Ticket, Transport};
use crate::engine::{Engine, Observation};
use crate::facts::Facts;
use crate::labels::Known;
use crate::log::Logged;
use crate::metrics::Counted;
use crate::program::{Block, Program};
use crate::random::Random;
use crate::text;
use crate::trace::{Off, Recorder, Trace};
use crate::waiting::{Hold, Purpose};
use crate::way::{Arrival, Inside, Left, Other, Phase, Turn, Way};
use crate::wire::{self, CLASS_IN, HEADER, Parsed, Query, rcode};
use crate::zone::Asked;

use counting::Counting;
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
    /// The block that the query at hand came to, if it is to be logged.
    block: u32,
    /// What became of the question at hand, if it is to be logged.
    became: Option<Box<Other>>,
    /// The upstream that was asked last for it.
    upstream: Option<SocketAddr>,
    /// What the reply's datagram may hold, where an op has said so.
    size: Option<u16>,
    /// Nothing is to be said to the query at hand.
    silent: bool,
    /// Lines about failures, which stand behind the query's own in the log.
    complaints: Vec<String>,
    /// What the cache wants to ask on its own account once the query at hand is done.
    renewals: Vec<Way>,
    counting: Counting,
    later: Later,
}

impl Machine {
    /// A machine for one thread; `clock` tells nanoseconds, for those who watch. Ids and ports are drawn from `seed`: it must be secret.
    pub fn new(engine: Arc<Engine>, seed: u64, clock: fn() -> u64) -> Machine {
        let (counting, later) = (Counting::new(&engine, clock), Later::new(seed, Arc::clone(&engine.own_sockets)));
        Machine {
            engine,
            answer: Answer::default(),
            random: Random::new(seed),
            clock,
            debug: false,
            begun: 0,
            block: 0,
            became: None,
            upstream: None,
            size: None,
            silent: false,
            complaints: Vec::new(),
            renewals: Vec::new(),
            counting,
            later,
        }
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

    /// Answers a message whose [`Machine::query`] has panicked: SERVFAIL, for a client that hears nothing waits in vain, and asks again.
    pub fn fail(&mut self, client: &Client, message: &[u8], reply: &mut Vec<u8>) -> Verdict {
        let Parsed::Query(query) = wire::parse(message) else { return Verdict::Drop };
        self.answer.begin(&message[HEADER..HEADER + query.name.wire().len()]);
        self.answer.rcode = rcode::SERVFAIL;
        self.size = None;
        self.write(client, message, &query, reply);
        Verdict::Reply
    }

    /// Tells the queries that were answered since the last call how long they took. To be called after each batch.
    #[inline]
    pub fn time(&mut self) {
        self.counting.time();
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
                let program = self.engine.current();
                match self.answer_query(&program, &question, recorder) {
                    Some(ticket) => Verdict::Wait(ticket),
                    None => {
                        self.say(&program, &question, reply);
                        self.counting.answered_at_once();
                        if self.silent { Verdict::Drop } else { Verdict::Reply }
                    }
                }
            }
        }
    }

    fn answer_query<R: Recorder>(&mut self, program: &Arc<Program>, question: &Question<'_>, recorder: &mut R) -> Option<Ticket> {
        let query = question.query;
        self.answer.begin(question.qname());
        (self.begun, self.became, self.size, self.silent) = (0, None, None, false);
        let is_counted = question.purpose == Purpose::Client;
        let arrival = |series: Option<u32>| series.filter(|_| is_counted).map(|series| Arrival { series, at: question.now });
        // Until a block is found.
        self.counting.at_hand = arrival(program.dropped(question.client.listener));
        let request = &query.request;
        if request.qclass != CLASS_IN && !program.serves_all_classes(question.client.listener) {
            recorder.note("refused", || format!("class {} is not served", request.qclass));
            self.answer.rcode = rcode::REFUSED;
            return None;
        }
        if request.edns.is_some_and(|edns| edns.version != 0) {
            recorder.note("refused", || "an EDNS version that does not exist yet".to_owned());
            self.counting.at_hand = None;
            self.answer.rcode = rcode::BADVERS;
            return None;
        }
        let Some(block) = program.block_for(&question.facts(), recorder) else {
            recorder.note("refused", || "no server block has this name".to_owned());
            self.answer.rcode = rcode::REFUSED;
            return None;
        };
        let mut way = Way::new(block.index);
        way.arrival = arrival(block.place(question.client.listener).and_then(|place| place.series));
        self.counting.at_hand = way.arrival;
        if program.logs && question.purpose == Purpose::Client {
            way.begun = (self.clock)().max(1);
            (self.begun, self.block, self.upstream) = (way.begun, block.index, None);
        }
        let hold = self.run(program, question, &mut way, Phase::Before, recorder);
        if !self.renewals.is_empty() {
            self.put_renewals_away(question, program);
        }
        (self.size, self.became) = (way.size, way.became.take());
        let hold = hold?;
        self.complain();
        Some(self.put_away(question, program, way, hold))
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
            match phase {
                Phase::Before => {
                    if let Some(hold) = self.before(program.block(way.level.block), question, way, recorder) {
                        return Some(hold);
                    }
                    phase = Phase::Chase;
                }
                Phase::Chase => {
                    phase = if self.chase(program, question, way, recorder) { Phase::Before } else { Phase::After };
                }
                Phase::After if self.after(program, question, way, recorder) => phase = Phase::Before,
                Phase::After => {
                    phase = match way.leave(&mut self.answer) {
                        Left::Client => return None,
                        Left::Alias => Phase::Chase,
                        Left::Op(aside) => match self.take_both(program, question, way, aside, recorder) {
                            true => Phase::Before,
                            false => Phase::After,
                        },
                    };
                }
            }
        }
    }

    /// Enters the block of the next alias that leads out of the answer; its failure will not be ours. False: there is none.
    fn chase<R: Recorder>(&mut self, program: &Program, question: &Question<'_>, way: &mut Way, recorder: &mut R) -> bool {
        while let Some(alias) = way.next_alias(question.query, question.message, &mut self.answer) {
            match program.block_for(&question.facts_of(&alias), recorder) {
                Some(block) => {
                    way.enter(block.index, 0, alias, Inside::Alias, &mut self.answer);
                    return true;
                }
                None => recorder.note("refused", || "no server block has this name".to_owned()),
            }
        }
        false
    }

    /// Writes the reply, if there is to be one, counts and logs the query.
    fn say(&mut self, program: &Program, question: &Question<'_>, reply: &mut Vec<u8>) {
        match self.silent {
            true => reply.clear(),
            false => self.write(question.client, question.message, question.query, reply),
        }
        let request = &question.query.request;
        self.counting.count(&Counted {
            client: question.client.address,
            transport: question.client.transport,
            qtype: request.qtype,
            dnssec_ok: request.edns.is_some_and(|edns| edns.dnssec_ok),
            request_size: question.message.len(),
            response_size: reply.len(),
            rcode: self.answer.rcode,
            written: !self.silent && self.answer.is_written(),
        });
        self.log(program, question, reply);
        self.complain();
    }

    /// Logs the failures that were met.
    fn complain(&mut self) {
        self.engine.log_lines(self.complaints.drain(..));
    }

    /// Logs a query whose reply is written, if its block wants that.
    #[inline]
    fn log(&self, program: &Program, question: &Question<'_>, reply: &[u8]) {
        if self.begun != 0 {
            self.log_line(program.block(self.block), question, reply);
        }
    }

    #[cold]
    fn log_line(&self, block: &Block, question: &Question<'_>, reply: &[u8]) {
        let Some(log) = block.log() else { return };
        let elapsed = (self.clock)().saturating_sub(self.begun);
        let (request, size) = match &self.became {
            Some(other) => (&other.request, other.length()),
            None => (&question.query.request, question.message.len()),
        };
        let facts = Facts { request, size, ..question.facts() };
        let known = Known { facts: &facts, labels: &block.labels, upstream: self.upstream };
        let logged = Logged { known, answer: &self.answer, reply, elapsed };
        if let Some(line) = log.line(&logged) {
            self.engine.log_query(&line, &logged);
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
                let size = query.request.edns.map_or(PLAIN_UDP, |edns| usize::from(self.size.unwrap_or(edns.size)).max(PLAIN_UDP));
                (size, UNFRAGMENTED[usize::from(client.address.is_ipv6())])
            }
        };
        let question = &message[HEADER..query.question_end];
        self.answer.write(query, question, self.size, limit, plain_limit, reply);
    }
}

impl<'a> Question<'a> {
    /// What is known of it.
    fn facts(&self) -> Facts<'a> {
        let Question { client, message, query, .. } = *self;
        Facts { client, id: query.id, size: message.len(), request: &query.request, name: query.name.wire() }
    }

    /// What is known of another question that is asked for it.
    fn facts_of<'b>(&self, other: &'b Other) -> Facts<'b>
    where
        'a: 'b,
    {
        Facts { size: other.length(), request: &other.request, name: other.lower(), ..self.facts() }
    }

    /// What is known of the question of an op's turn.
    fn facts_at<'b>(&self, turn: &Turn<'b>) -> Facts<'b>
    where
        'a: 'b,
    {
        Facts { request: turn.request, name: turn.asked.lower, ..self.facts() }
    }

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
        let (request, options) = way.request(self.query, self.message);
        Turn { now: self.now, client: self.client, request, options, asked: self.asked(way), at: way.level.at, quiet }
    }
}

/// A query's way in one line of the log.
fn debug_line(reply: &[u8], trace: &Trace) -> String {
    let message = text::read_message(reply).unwrap_or_default();
    let steps = trace.steps.iter().map(|step| format!("{} {}", step.what, step.detail)).collect::<Vec<_>>();
    format!("[DEBUG] plugin/debug: {} {} {}: {}", message.name, message.qtype, message.rcode, steps.join("; "))
}
