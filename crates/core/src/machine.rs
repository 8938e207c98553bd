//! One query's way: parse, find the block, run its ops, one exit for all. Each worker thread has a machine of its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::answer::{Answer, QNAME, Rdata, Rr};
use crate::engine::{Engine, Observation};
use crate::name;
use crate::program::{Block, Op, Program, Random};
use crate::text;
use crate::trace::{Off, Recorder, Trace};
use crate::wire::{self, CLASS_IN, HEADER, Parsed, Query, rcode, rtype};
use crate::zone::{Asked, Said};

/// The most aliases that are followed through other blocks.
const MAX_CHASE: usize = 10;
/// What UDP carries without EDNS (RFC 1035 4.2.1).
const PLAIN_UDP: usize = 512;
/// Datagrams above this are compressed, in the hope that they fit without fragments: IPv4 and IPv6.
const UNFRAGMENTED: [usize; 2] = [1480, 1220];

/// How a question came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// A datagram.
    Udp,
    /// A stream.
    Tcp,
}

impl Transport {
    /// `udp` or `tcp`.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        }
    }
}

/// Who asks, and where the question arrived.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The client's address and port.
    pub address: SocketAddr,
    /// The address that was asked.
    pub local: SocketAddr,
    /// The listener's number.
    pub listener: u16,
    /// Datagram or stream.
    pub transport: Transport,
}

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

/// A query that waits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ticket(pub u64);

/// Why a query failed, for the log of errors.
struct Failure {
    directive: String,
}

/// Answers queries.
pub struct Machine {
    engine: Arc<Engine>,
    answer: Answer,
    random: Random,
    clock: fn() -> u64,
}

impl Machine {
    /// A machine for one thread; `clock` tells nanoseconds, for those who watch.
    pub fn new(engine: Arc<Engine>, seed: u64, clock: fn() -> u64) -> Machine {
        Machine { engine, answer: Answer::default(), random: Random::new(seed), clock }
    }

    /// Takes a message; `reply` is cleared first. `now` is the time since the engine started.
    pub fn query(&mut self, _now: Duration, client: &Client, message: &[u8], reply: &mut Vec<u8>) -> Verdict {
        if !self.engine.is_watched() {
            return self.reply(client, message, reply, &mut Off);
        }
        let mut trace = Trace::new(self.clock);
        let verdict = self.reply(client, message, reply, &mut trace);
        if verdict == Verdict::Reply {
            let nanoseconds = trace.elapsed();
            self.engine.observe(Observation {
                query: message.to_vec(),
                reply: reply.clone(),
                client: client.address,
                transport: client.transport.name(),
                steps: trace.steps,
                origins: trace.origins,
                nanoseconds,
            });
        }
        verdict
    }

    /// Answers as [`Machine::query`] does, and tells how; counts nowhere.
    pub fn explain(&mut self, client: &Client, message: &[u8], reply: &mut Vec<u8>) -> (Verdict, Trace) {
        let mut trace = Trace::new(self.clock);
        let verdict = self.reply(client, message, reply, &mut trace);
        (verdict, trace)
    }

    /// The next reply of a query that waited.
    pub fn finished(&mut self) -> Option<(Ticket, Vec<u8>)> {
        None
    }

    /// When [`Machine::tick`] wants to be called.
    pub fn next_deadline(&self) -> Option<Duration> {
        None
    }

    /// Lets time pass.
    pub fn tick(&mut self, _now: Duration) {}

    fn reply<R: Recorder>(&mut self, client: &Client, message: &[u8], reply: &mut Vec<u8>, recorder: &mut R) -> Verdict {
        match wire::parse(message) {
            Parsed::Silence => Verdict::Drop,
            Parsed::Error(rcode) => {
                wire::write_error(message, rcode, reply);
                Verdict::Reply
            }
            Parsed::Query(query) => {
                self.answer_query(client, message, &query, recorder);
                self.write(client, message, &query, reply);
                Verdict::Reply
            }
        }
    }

    fn answer_query<R: Recorder>(&mut self, client: &Client, message: &[u8], query: &Query, recorder: &mut R) {
        let qname = &message[HEADER..HEADER + query.name.wire().len()];
        self.answer.begin(qname);
        if query.qclass != CLASS_IN {
            recorder.note("refused", || format!("class {} is not served", query.qclass));
            self.answer.rcode = rcode::REFUSED;
            return;
        }
        if query.edns.is_some_and(|edns| edns.version != 0) {
            recorder.note("refused", || "an EDNS version that does not exist yet".to_owned());
            self.answer.rcode = rcode::BADVERS;
            return;
        }
        let engine = Arc::clone(&self.engine);
        let program = engine.current();
        let asked = Asked { owner: QNAME, name: qname, lower: query.name.wire() };
        let Some(block) = program.block_for(client.listener, asked.lower, query.qtype) else {
            recorder.note("refused", || "no server block has this name".to_owned());
            self.answer.rcode = rcode::REFUSED;
            return;
        };
        self.run_block(block, client, query.qtype, &asked, recorder);
        self.chase(&program, client, query, recorder);
        if let Some(shuffle) = block.shuffle.as_ref().filter(|_| self.answer.rcode == rcode::NOERROR) {
            recorder.op("loadbalance", shuffle.span);
            shuffle.apply(&mut self.answer, &mut self.random);
        }
    }

    /// Asks the blocks for the targets of aliases that lead out of a zone; what they say joins the answer, their failures do not.
    fn chase<R: Recorder>(&mut self, program: &Program, client: &Client, query: &Query, recorder: &mut R) {
        let mut targets = std::mem::take(&mut self.answer.chase);
        let mut followed = 0;
        while let Some(target) = targets.pop() {
            followed += 1;
            if followed > MAX_CHASE {
                return;
            }
            let target_name = self.answer.name(target).to_vec();
            let lower = target_name.to_ascii_lowercase();
            let asked = Asked { owner: target, name: &target_name, lower: &lower };
            let Some(block) = program.block_for(client.listener, &lower, query.qtype) else {
                recorder.note("refused", || "no server block has this name".to_owned());
                continue;
            };
            let outer = self.answer.set_aside();
            self.run_block(block, client, query.qtype, &asked, recorder);
            targets.append(&mut self.answer.chase);
            self.answer.resume(outer);
        }
    }

    /// Runs a block's ops until one answers; if none does, it is SERVFAIL.
    fn run_block<R: Recorder>(&mut self, block: &Block, client: &Client, qtype: u16, asked: &Asked<'_>, recorder: &mut R) {
        recorder.block(&block.zone, block.span);
        if block.is_empty() {
            self.answer.rcode = rcode::REFUSED;
            return;
        }
        let mut failure = Failure { directive: String::new() };
        for op in &block.ops {
            match op {
                Op::Zone { op, span } => {
                    recorder.op("zone", *span);
                    if op.run(qtype, asked, &mut self.answer, recorder) == Said::Answered {
                        return;
                    }
                    failure.directive.clone_from(&op.name);
                }
                Op::Whoami { span } => {
                    recorder.op("whoami", *span);
                    self.whoami(client, asked);
                    return;
                }
            }
        }
        recorder.note("failed", || "no directive of this block answered".to_owned());
        self.answer.clear();
        self.answer.rcode = rcode::SERVFAIL;
        if block.logs_errors {
            let directive = if failure.directive.is_empty() { "errors" } else { &failure.directive };
            self.engine.log(&format!(
                "[ERROR] plugin/errors: {} {} {}: plugin/{directive}: no next plugin found",
                rcode::SERVFAIL,
                name::Display(asked.lower),
                text::type_name(qtype),
            ));
        }
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
        let owner = self.answer.intern_below(label, &[asked.name]);
        let root = self.answer.intern(&[b"\0"]);
        self.answer.aa = true;
        self.answer.additional.push(Rr { owner: asked.owner, rtype, ttl: 0, rdata });
        let srv = Rdata::Srv { weight: 0, port: client.address.port(), target: root };
        self.answer.additional.push(Rr { owner, rtype: rtype::SRV, ttl: 0, rdata: srv });
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
