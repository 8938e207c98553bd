//! Everything around the machines. The same seed gives the same run.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_dns::client::{Client, Transport};
use core_dns::engine::{Engine, Observation, Sink};
use core_dns::exchanges::{Effect, LaneId, Target};
use core_dns::forward::Loss;
use core_dns::gauges;
use core_dns::machine::{Machine, Verdict};
use core_dns::name;
use core_dns::random::Random;
use core_dns::text::{self, Message};
use serde_json::{Value, json};

pub const LISTENER: &str = ":53";

/// Types of records by their numbers (IANA).
pub const A: u16 = 1;
pub const NS: u16 = 2;
pub const CNAME: u16 = 5;
pub const SOA: u16 = 6;
pub const MX: u16 = 15;
pub const SRV: u16 = 33;
pub const NAPTR: u16 = 35;

/// One query as an upstream saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Duration,
    pub upstream: usize,
    pub transport: Transport,
    /// The port that it came from, as a number.
    pub lane: (usize, LaneId),
    pub name: String,
    pub qtype: String,
    pub flags: Vec<&'static str>,
    pub message: Vec<u8>,
}

/// What an upstream does with a query.
#[derive(Clone, Debug)]
pub enum Act {
    /// Replies after a time.
    Say(Duration, Vec<u8>),
    /// Nothing.
    Drop,
    /// Its port is closed.
    Refuse,
    /// It closes the connection.
    Close,
    /// Replies at once, and closes the connection.
    SayAndClose(Vec<u8>),
}

/// How the network treats datagrams: chances in percent, and the longest delay.
#[derive(Clone, Copy, Default)]
pub struct Weather {
    pub loss: u64,
    pub twice: u64,
    pub delay: Duration,
    /// Forged replies for each query, with ids drawn by lot.
    pub forged: usize,
}

type Script = Box<dyn FnMut(&Seen) -> Act>;
/// What an upstream does, until the test changes it.
pub type Changeable = Rc<RefCell<Box<dyn Fn(&Seen) -> Act>>>;

enum Event {
    ToUpstream { machine: usize, lane: LaneId, to: SocketAddr, transport: Transport, message: Vec<u8> },
    ToMachine { machine: usize, lane: LaneId, message: Vec<u8> },
    Gone { machine: usize, lane: LaneId, loss: Loss },
}

/// A question's life.
#[derive(Clone, Debug)]
pub struct Asked {
    pub at: Duration,
    pub answered: Option<(Duration, Vec<u8>)>,
    pub replies: usize,
}

pub struct World {
    pub now: Duration,
    pub engine: Arc<Engine>,
    pub machines: Vec<Machine>,
    pub seen: Vec<Seen>,
    pub asked: Vec<Asked>,
    pub weather: Weather,
    /// The listener that queries come to.
    pub listener: String,
    /// Where they come from, and where they go.
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub closed: usize,
    log: Arc<Mutex<Vec<String>>>,
    tickets: HashMap<(usize, u64), usize>,
    events: BTreeMap<(Duration, u64), Event>,
    scripts: HashMap<SocketAddr, (usize, Script)>,
    random: Random,
    serial: u64,
}

struct Log(Arc<Mutex<Vec<String>>>);

impl Sink for Log {
    fn log(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }

    fn observe(&self, _: Observation) {}
}

pub fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// The address of the upstream with this number.
pub fn address(number: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number as u8], 53))
}

/// The op `cache` with CoreDNS's defaults, changed by `change`.
pub fn cache(change: Value) -> Value {
    let class = |most: u32| json!({"capacity": 9984, "max_ttl": most, "min_ttl": 5});
    let mut op = json!({
        "op": "cache", "id": "cache .", "zones": ["."], "success": class(3600), "denial": class(1800), "servfail": 5, "prefetch": null,
        "serve_stale": null, "keepttl": false, "disable_success": [], "disable_denial": [], "span": 0
    });
    merge(&mut op, change);
    op
}

/// The op `forward` to upstreams 1 to `count`, changed by `change`.
pub fn forward(count: usize, change: Value) -> Value {
    forward_to(&(1..=count).collect::<Vec<_>>(), change)
}

pub fn forward_to(upstreams: &[usize], change: Value) -> Value {
    let addresses: Vec<Value> = upstreams.iter().map(|number| json!({"address": address(*number).to_string(), "tls": null})).collect();
    let mut op = json!({
        "op": "forward", "id": format!("forward {upstreams:?}"), "from_zone": ".", "except_zones": [], "upstreams": addresses,
        "policy": "sequential", "max_fails": 2, "expire_ms": 10000, "max_age_ms": 0, "max_concurrent": 0, "force_tcp": false,
        "prefer_udp": false, "read_timeout_ms": 2000, "max_connect_attempts": 2 * upstreams.len(),
        "health_check": {"interval_ms": 500, "domain": ".", "recursion_desired": true}, "failover": [], "next": [],
        "next_on_nodata": false, "failfast_all_unhealthy": false, "span": 0
    });
    merge(&mut op, change);
    op
}

fn merge(op: &mut Value, change: Value) {
    for (key, value) in change.as_object().unwrap() {
        assert!(op.get(key).is_some(), "{key}");
        op[key] = value.clone();
    }
}

/// Blocks as a plan.
pub fn plan(blocks: &[(&str, Vec<Value>)]) -> Vec<u8> {
    let blocks: Vec<Value> =
        blocks.iter().map(|(zone, program)| json!({"zone": zone, "listeners": [LISTENER], "program": program, "span": 0})).collect();
    let listener = json!({"id": LISTENER, "host": "", "port": 53, "server": "dns://:53"});
    let mut plan = serde_json::to_value(core_dns::engine::Engine::new().plan().as_ref()).unwrap();
    merge(
        &mut plan,
        json!({"listeners": [listener], "blocks": blocks, "spans": [{"file": "Corefile", "line": 1, "column": 1, "text": "x"}]}),
    );
    serde_json::to_vec(&plan).unwrap()
}

impl World {
    /// Machines that run one block for the root zone, with `errors` before the given ops.
    pub fn new(machines: usize, program: Vec<Value>) -> World {
        World::with_seed(1, machines, program)
    }

    pub fn with_seed(seed: u64, machines: usize, program: Vec<Value>) -> World {
        World::with_plan(seed, machines, &plan(&[(".", [vec![json!({"op": "errors", "span": 0})], program].concat())]))
    }

    /// Machines that run a plan.
    pub fn with_plan(seed: u64, machines: usize, plan: &[u8]) -> World {
        let engine = Engine::new();
        engine.commit(engine.prepare(plan).unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        engine.set_sink(Box::new(Log(Arc::clone(&log))));
        let machines = (0..machines).map(|number| Machine::new(Arc::clone(&engine), seed * 1000 + number as u64, || 0)).collect();
        World {
            now: Duration::ZERO,
            engine,
            machines,
            seen: Vec::new(),
            asked: Vec::new(),
            weather: Weather::default(),
            listener: LISTENER.to_owned(),
            from: ([10, 0, 0, 1], 999).into(),
            to: ([10, 0, 0, 2], 53).into(),
            closed: 0,
            log,
            tickets: HashMap::new(),
            events: BTreeMap::new(),
            scripts: HashMap::new(),
            random: Random::new(seed),
            serial: 0,
        }
    }

    /// Makes these blocks the running plan.
    pub fn install(&self, blocks: &[(&str, Vec<Value>)]) {
        self.engine.commit(self.engine.prepare(&plan(blocks)).unwrap());
    }

    /// Says what an upstream does.
    pub fn upstream(&mut self, number: usize, script: impl FnMut(&Seen) -> Act + 'static) {
        self.upstream_at(address(number), number, script);
    }

    /// Says what the server at this address does.
    pub fn upstream_at(&mut self, address: SocketAddr, number: usize, script: impl FnMut(&Seen) -> Act + 'static) {
        self.scripts.insert(address, (number, Box::new(script)));
    }

    /// An upstream that does what the cell holds at the time.
    pub fn upstream_with(&mut self, number: usize, act: impl Fn(&Seen) -> Act + 'static) -> Changeable {
        let cell: Changeable = Rc::new(RefCell::new(Box::new(act)));
        let its = Rc::clone(&cell);
        self.upstream(number, move |seen| its.borrow()(seen));
        cell
    }

    /// Sends a query to a machine; its number is for `asked`.
    pub fn send(&mut self, machine: usize, transport: Transport, message: &[u8]) -> usize {
        let listener = self.engine.listener_number(&self.listener);
        let client = Client { address: self.from, local: self.to, listener, transport };
        let number = self.asked.len();
        self.asked.push(Asked { at: self.now, answered: None, replies: 0 });
        let mut reply = Vec::new();
        match self.machines[machine].query(self.now, &client, message, &mut reply) {
            Verdict::Reply => self.answered(number, reply),
            Verdict::Wait(ticket) => {
                self.tickets.insert((machine, ticket.0), number);
            }
            Verdict::Drop => {}
        }
        self.settle();
        number
    }

    /// The way of a query that is only explained, step by step.
    pub fn explain(&mut self, name: &str, qtype: &str) -> Vec<String> {
        let listener = self.engine.listener_number(&self.listener);
        let client = Client { address: self.from, local: self.to, listener, transport: Transport::Udp };
        let (verdict, trace) = self.machines[0].explain(self.now, &client, &query(name, qtype), &mut Vec::new());
        self.settle();
        let until = self.now + seconds(10.0);
        let mut trace = trace.filter(|_| !matches!(verdict, Verdict::Wait(_)));
        while trace.is_none() {
            trace = self.machines[0].explained().map(|explained| explained.trace);
            assert!(trace.is_some() || self.step(until), "the query has no end");
        }
        trace.iter().flat_map(|trace| &trace.steps).map(|step| format!("{} {}", step.what, step.detail).trim_end().to_owned()).collect()
    }

    /// Asks over UDP and waits for the reply, for at most 10 s.
    pub fn ask(&mut self, name: &str, qtype: &str) -> Message {
        self.ask_with(Transport::Udp, &query(name, qtype))
    }

    pub fn ask_with(&mut self, transport: Transport, message: &[u8]) -> Message {
        let number = self.send(0, transport, message);
        self.wait_for(number);
        self.reply(number)
    }

    /// Lets time pass until a query is answered, for at most 10 s.
    pub fn wait_for(&mut self, number: usize) {
        self.wait_until(|world| world.asked[number].answered.is_some(), 10.0);
    }

    /// Lets time pass until something is so, for at most so many seconds.
    pub fn wait_until(&mut self, is_so: impl Fn(&World) -> bool, time: f64) {
        let until = self.now + seconds(time);
        while !is_so(self) && self.step(until) {}
    }

    /// The other side of a lane closes it.
    #[allow(dead_code, reason = "the example `simulator` needs it")]
    pub fn close(&mut self, machine: usize, lane: LaneId) {
        self.later(Duration::ZERO, Event::Gone { machine, lane, loss: Loss::Closed });
    }

    pub fn reply(&self, number: usize) -> Message {
        let (_, reply) = self.asked[number].answered.as_ref().expect("an answer");
        text::read_message(reply).expect("a message")
    }

    /// How long a query took.
    pub fn took(&self, number: usize) -> f64 {
        let asked = &self.asked[number];
        (asked.answered.as_ref().expect("an answer").0 - asked.at).as_secs_f64()
    }

    /// The samples of a family of metrics; of histograms only how many values there are.
    pub fn metrics(&self, family: &str) -> Vec<String> {
        let page: String = gauges::page(&self.engine, Vec::new()).collect();
        let of = |line: &&str| line.split(['{', ' ']).next().is_some_and(|name| name.trim_end_matches("_count") == family);
        page.lines().filter(of).map(str::to_owned).collect()
    }

    /// What the samples of a family add up to.
    pub fn sum(&self, family: &str) -> u64 {
        self.metrics(family).iter().map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    /// How long the last query took.
    pub fn last_took(&self) -> f64 {
        self.took(self.asked.len() - 1)
    }

    /// Lets time pass.
    pub fn wait(&mut self, time: f64) {
        let until = self.now + seconds(time);
        while self.step(until) {}
        self.now = until;
    }

    /// Queries that upstreams got since the last call, without probes: `1 udp a.example. A`.
    pub fn sent(&mut self) -> Vec<String> {
        let seen = std::mem::take(&mut self.seen);
        let is_probe = |seen: &&Seen| !(seen.name == "." && seen.qtype == "NS");
        seen.iter()
            .filter(is_probe)
            .map(|seen| format!("{} {} {} {}", seen.upstream, seen.transport.name(), seen.name, seen.qtype))
            .collect()
    }

    pub fn log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// What comes next, if it comes before `until`.
    fn step(&mut self, until: Duration) -> bool {
        let event = self.events.keys().next().map(|(at, _)| *at);
        let timer = self.machines.iter().filter_map(Machine::next_deadline).min();
        let Some(next) = [event, timer].into_iter().flatten().min().filter(|next| *next <= until) else {
            self.now = until;
            return false;
        };
        self.now = self.now.max(next);
        if event == Some(next) {
            let (_, event) = self.events.pop_first().unwrap();
            self.happen(event);
        } else {
            let now = self.now;
            for machine in &mut self.machines {
                if machine.next_deadline().is_some_and(|deadline| deadline <= now) {
                    machine.tick(now);
                }
            }
        }
        self.settle();
        true
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::ToMachine { machine, lane, message } => self.machines[machine].received(self.now, lane, &message),
            Event::Gone { machine, lane, loss } => self.machines[machine].lost(self.now, lane, loss),
            Event::ToUpstream { machine, lane, to, transport, message } => {
                let Some((number, script)) = self.scripts.get_mut(&to) else {
                    return self.later(Duration::ZERO, Event::Gone { machine, lane, loss: Loss::Refused });
                };
                let read = text::read_message(&message).expect("a query that can be read");
                let seen = Seen {
                    at: self.now,
                    upstream: *number,
                    transport,
                    lane: (machine, lane),
                    name: read.name,
                    qtype: read.qtype,
                    flags: read.flags,
                    message,
                };
                let act = script(&seen);
                self.forge(machine, lane, transport, &seen);
                self.seen.push(seen);
                match act {
                    Act::Drop => {}
                    Act::Refuse => self.later(Duration::ZERO, Event::Gone { machine, lane, loss: Loss::Refused }),
                    Act::Close => self.later(Duration::ZERO, Event::Gone { machine, lane, loss: Loss::Closed }),
                    Act::Say(after, message) => self.travel(transport, after, Event::ToMachine { machine, lane, message }),
                    Act::SayAndClose(message) => {
                        self.later(Duration::ZERO, Event::ToMachine { machine, lane, message });
                        self.later(Duration::ZERO, Event::Gone { machine, lane, loss: Loss::Closed });
                    }
                }
            }
        }
    }

    /// Somebody who does not see the query guesses its id.
    fn forge(&mut self, machine: usize, lane: LaneId, transport: Transport, seen: &Seen) {
        if transport == Transport::Tcp {
            return;
        }
        for _ in 0..self.weather.forged {
            let mut message = a(seen, 300, [6, 6, 6, 6]);
            let id = self.random.bits() as u16;
            // He never guesses right; whether he may is a matter of 65,536, not of this test.
            if id.to_be_bytes() != message[..2] {
                message[..2].copy_from_slice(&id.to_be_bytes());
                self.later(Duration::ZERO, Event::ToMachine { machine, lane, message });
            }
        }
    }

    /// Does what the machines want, until they want nothing.
    pub fn settle(&mut self) {
        let mut any = true;
        while any {
            any = false;
            for number in 0..self.machines.len() {
                self.machines[number].time();
                self.machines[number].collect(self.now);
                while let Some(effect) = self.machines[number].effect() {
                    any = true;
                    match effect {
                        Effect::Send { lane, target, message } => {
                            let Target { address: to, transport, .. } = target;
                            self.travel(transport, Duration::ZERO, Event::ToUpstream { machine: number, lane, to, transport, message });
                        }
                        Effect::Close(_) => self.closed += 1,
                    }
                }
                while let Some((ticket, reply)) = self.machines[number].finished() {
                    any = true;
                    let asked = self.tickets[&(number, ticket.0)];
                    self.answered(asked, reply);
                }
                any |= self.machines[number].mailbox().has_letters();
            }
        }
    }

    fn answered(&mut self, number: usize, reply: Vec<u8>) {
        self.asked[number].replies += 1;
        self.asked[number].answered = Some((self.now, reply));
    }

    /// A message on its way, through the weather if it is a datagram.
    fn travel(&mut self, transport: Transport, after: Duration, event: Event) {
        if transport == Transport::Udp {
            if self.random.below(100) < self.weather.loss {
                return;
            }
            let longest = self.weather.delay.as_micros() as u64;
            let delay = Duration::from_micros(if longest == 0 { 0 } else { self.random.below(longest) });
            if let Event::ToMachine { machine, lane, message } = &event
                && self.random.below(100) < self.weather.twice
            {
                self.later(after + delay + delay, Event::ToMachine { machine: *machine, lane: *lane, message: message.clone() });
            }
            return self.later(after + delay, event);
        }
        self.later(after, event);
    }

    fn later(&mut self, after: Duration, event: Event) {
        self.serial += 1;
        self.events.insert((self.now + after, self.serial), event);
    }
}

/// A query with RD.
pub fn query(name: &str, qtype: &str) -> Vec<u8> {
    query_with(name, qtype, |_| {})
}

pub fn query_with(name: &str, qtype: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut message = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0".to_vec();
    message.extend(wire(name));
    message.extend(text::type_number(qtype).unwrap().to_be_bytes());
    message.extend([0, 1]);
    change(&mut message);
    message
}

/// Adds EDNS of this size to a query.
pub fn add_edns(message: &mut Vec<u8>, size: u16, dnssec_ok: bool) {
    message[11] = 1;
    message.extend([0, 0, 41]);
    message.extend(size.to_be_bytes());
    message.extend([0, 0, if dnssec_ok { 0x80 } else { 0 }, 0, 0, 0]);
}

pub fn wire(name: &str) -> Vec<u8> {
    let mut wire = name::labels_of_text(name).unwrap().0;
    wire.push(0);
    wire
}

/// A reply to what an upstream has seen, with RA; records are (section, owner or empty for the question's name, type, TTL, data).
pub fn reply(seen: &Seen, rcode: u8, records: &[(usize, &str, u16, u32, Vec<u8>)]) -> Vec<u8> {
    let question_end = 12 + wire_length(&seen.message[12..]) + 4;
    let mut message = seen.message[..question_end].to_vec();
    message[2] |= 0x80;
    message[3] = 0x80 | message[3] & 0x10 | rcode;
    message[6..12].fill(0);
    for (section, owner, rtype, ttl, data) in records {
        match *owner {
            "" => message.extend([0xc0, 12]),
            owner => message.extend(wire(owner)),
        }
        message.extend(rtype.to_be_bytes());
        message.extend([0, 1]);
        message.extend(ttl.to_be_bytes());
        message.extend((data.len() as u16).to_be_bytes());
        message.extend(data);
        message[7 + 2 * section] += 1;
    }
    message
}

fn wire_length(rest: &[u8]) -> usize {
    let mut at = 0;
    while rest[at] != 0 {
        at += 1 + rest[at] as usize;
    }
    at + 1
}

/// One address.
pub fn a(seen: &Seen, ttl: u32, address: [u8; 4]) -> Vec<u8> {
    reply(seen, 0, &[(0, "", 1, ttl, address.to_vec())])
}

/// The data of an SOA.
pub fn soa() -> Vec<u8> {
    [
        wire("ns1.example.org."),
        wire("hostmaster.example.org."),
        [1u32, 7200, 3600, 86400, 30].iter().flat_map(|number| number.to_be_bytes()).collect(),
    ]
    .concat()
}

/// No such name, or with rcode 0 no such type.
pub fn denial(seen: &Seen, rcode: u8, ttl: u32) -> Vec<u8> {
    reply(seen, rcode, &[(1, "example.org.", 6, ttl, soa())])
}

/// Says at once.
pub fn say(message: Vec<u8>) -> Act {
    Act::Say(Duration::ZERO, message)
}

/// `rcode flags: ttl data, ttl data`.
pub fn line(message: &Message) -> String {
    let records: Vec<String> = message.answer.iter().map(|record| format!("{} {}", record.ttl, record.data)).collect();
    format!("{} {}: {}", message.rcode, message.flags.join(","), records.join(", "))
}
