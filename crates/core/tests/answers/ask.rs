//! A server to ask: an engine with a plan and zones, one machine, and replies as text. What a reply says is read by the crate `domain`, not by us.
//!
//! Names are written as in a zone file with the origin `cluster.local.`: with a trailing dot they are absolute, without one below it, and `@` is itself.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_dns::client::{Client, Transport};
use core_dns::engine::{Engine, Observation, Sink};
use core_dns::machine::{Machine, Verdict};
use core_dns::zone::{Applied, decode_change};
use domain::base::iana::{Class, OptionCode, Rtype};
use domain::base::message_builder::MessageBuilder;
use domain::base::opt::UnknownOptData;
use domain::base::{Message, Name, RecordSection};
use domain::rdata::AllRecordData;
use serde_json::{Value, json};

/// The zone that [`Server::with`] fills, and the name that it is served under.
pub const ZONE: &str = "z";
pub const ORIGIN: &str = "cluster.local.";
/// The listener of every plan here.
pub const LISTENER: &str = ":53";

pub struct Server {
    pub engine: Arc<Engine>,
    machine: Machine,
}

/// A question, and how it comes.
pub struct Question {
    message: MessageBuilder<Vec<u8>>,
    name: String,
    qtype: Rtype,
    class: Class,
    edns: Option<(u16, u8, bool)>,
    option: Option<u16>,
    client: SocketAddr,
    transport: Transport,
    listener: String,
}

/// A reply, its records as lines of a zone file: `owner ttl TYPE data`.
#[derive(Debug, PartialEq)]
pub struct Reply {
    pub octets: Vec<u8>,
    pub rcode: String,
    /// Those of aa, tc, rd, ra, ad, cd that are set.
    pub flags: String,
    pub question: String,
    pub answer: Vec<String>,
    pub authority: Vec<String>,
    pub additional: Vec<String>,
    pub edns: Option<Edns>,
    /// The options of its EDNS: code and octets.
    pub options: Vec<(u16, Vec<u8>)>,
}

#[derive(Debug, PartialEq)]
pub struct Edns {
    pub size: u16,
    pub dnssec_ok: bool,
}

/// Keeps what is logged.
struct Lines(Arc<Mutex<Vec<String>>>);

impl Sink for Lines {
    fn log(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }

    fn observe(&self, _: Observation) {}
}

impl Server {
    /// What it logs from now on.
    pub fn logged(&self) -> Arc<Mutex<Vec<String>>> {
        let lines = Arc::default();
        self.engine.set_sink(Box::new(Lines(Arc::clone(&lines))));
        lines
    }

    /// A server that runs a plan; its zones are empty and loading.
    pub fn new(plan: &Value) -> Server {
        let engine = Engine::new();
        engine.commit(engine.prepare(plan.to_string().as_bytes()).expect("a plan that can run"));
        Server::over(engine)
    }

    /// A server for what an engine runs.
    pub fn over(engine: Arc<Engine>) -> Server {
        // The clock of the trace stands still.
        let machine = Machine::new(Arc::clone(&engine), 7, || 0);
        Server { engine, machine }
    }

    /// A server with one complete zone, served as [`ORIGIN`] and backwards as in-addr.arpa and ip6.arpa.
    pub fn with(owners: &[Value]) -> Server {
        let server = Server::new(&plan(&[block(".", &[zone_op(json!({}))])]));
        server.fill(owners);
        server
    }

    /// A server in which a question can go many ways: two zones that lead to each other, and every op that needs nobody else.
    pub fn with_many_ways() -> Server {
        let shuffle = json!({"op": "shuffle", "prefer": ["10.0.0.0/8"], "weights": {"web.cluster.local.": {"10.0.0.1": 3}}, "span": 0});
        let other = zone_op(json!({"zone": "other", "origins": [{"name": "example.org.", "reverse": false}], "fallthrough": ["."]}));
        let arpa = block("arpa.", &[json!({"op": "errors", "span": 0}), zone_op(json!({}))]);
        let server = Server::new(&plan(&[block(ORIGIN, &[shuffle, zone_op(json!({}))]), block("example.org.", &[other, whoami()]), arpa]));
        server.fill(&[
            owner("", &[rrset(2, &["web"])]),
            owner("web", &[with_members(&["10.0.0.1", "10.0.0.2", "fd00::1"], &["http/tcp/80"], &[group(&["x/udp/1"], &["10.1.0.1 m"])])]),
            owner("db", &[members(&[group(&["x/tcp/1"], &["10.1.0.1", "fd00::2", "a.example.org. n"])])]),
            owner("www", &[rrset(5, &["a.example.org."])]),
            owner("any", &[synthesis()]),
            owner("*.wild", &[exists()]),
        ]);
        server.apply("other", &json!([[owner("a", &[rrset(5, &["web.cluster.local."])])], 1, true, true]));
        server
    }

    /// Replaces all that [`ZONE`] holds; it is complete from then on.
    pub fn fill(&self, owners: &[Value]) -> Applied {
        self.apply(ZONE, &json!([owners, 1, true, true]))
    }

    /// Applies a change `[owners, serial, replace, complete]`, by way of the packed buffer.
    pub fn apply(&self, zone: &str, change: &Value) -> Applied {
        let buffer = packed(change);
        self.engine.zone(zone).expect("a zone of the plan").apply(&decode_change(&buffer).expect("a change"))
    }

    /// Asks over TCP, where replies are whole and uncompressed.
    pub fn ask(&mut self, name: &str, qtype: &str) -> Reply {
        self.reply(&Question::new(name, qtype))
    }

    /// The reply to a question that gets one, without EDNS options.
    pub fn reply(&mut self, question: &Question) -> Reply {
        let reply = self.reply_with_options(question);
        assert_eq!(reply.options, []);
        reply
    }

    /// The reply to a question that gets one.
    pub fn reply_with_options(&mut self, question: &Question) -> Reply {
        let octets = self.send(&question.octets(), question).expect("a reply");
        Reply::read(&octets)
    }

    /// What is said at once to any octets, sent as the question would be.
    pub fn send(&mut self, message: &[u8], like: &Question) -> Option<Vec<u8>> {
        let client = Client {
            address: like.client,
            local: "192.0.2.53:53".parse().unwrap(),
            listener: self.engine.listener_number(&like.listener),
            transport: like.transport,
        };
        let mut reply = b"what was there before".to_vec();
        match self.machine.query(Duration::ZERO, &client, message, &mut reply) {
            Verdict::Reply => Some(reply),
            Verdict::Drop | Verdict::Wait(_) => None,
        }
    }
}

impl Question {
    /// Over TCP from IPv4, without EDNS, class IN, with recursion desired.
    pub fn new(name: &str, qtype: &str) -> Question {
        let mut message = MessageBuilder::new_vec();
        message.header_mut().set_id(0x1234);
        message.header_mut().set_rd(true);
        Question {
            message,
            name: name.to_owned(),
            qtype: Rtype::from_str(qtype).expect("a type"),
            class: Class::IN,
            edns: None,
            option: None,
            client: "192.0.2.1:4321".parse().unwrap(),
            transport: Transport::Tcp,
            listener: LISTENER.to_owned(),
        }
    }

    pub fn udp(mut self) -> Question {
        self.transport = Transport::Udp;
        self
    }

    pub fn from(mut self, ip: &str) -> Question {
        self.client.set_ip(IpAddr::from_str(ip).unwrap());
        self
    }

    pub fn on(mut self, listener: &str) -> Question {
        self.listener = listener.to_owned();
        self
    }

    pub fn class(mut self, class: Class) -> Question {
        self.class = class;
        self
    }

    /// With an OPT record that says how much the client takes.
    pub fn edns(self, size: u16) -> Question {
        self.opt(size, 0, false)
    }

    pub fn opt(mut self, size: u16, version: u8, dnssec_ok: bool) -> Question {
        self.edns = Some((size, version, dnssec_ok));
        self
    }

    /// With an empty option in its OPT record.
    pub fn option(mut self, code: u16) -> Question {
        self.option = Some(code);
        self
    }

    pub fn octets(&self) -> Vec<u8> {
        let name = match self.name.as_str() {
            "@" => ORIGIN.to_owned(),
            name if name.ends_with('.') => name.to_owned(),
            name => format!("{name}.{ORIGIN}"),
        };
        let name = Name::<Vec<u8>>::from_str(&name).expect("a name");
        let mut message = self.message.clone().question();
        message.push((name, self.qtype, self.class)).unwrap();
        let mut message = message.additional();
        if let Some((size, version, dnssec_ok)) = self.edns {
            let written = message.opt(|opt| {
                opt.set_udp_payload_size(size);
                opt.set_version(version);
                opt.set_dnssec_ok(dnssec_ok);
                self.option.map_or(Ok(()), |code| opt.push_raw_option(OptionCode::from_int(code), 0, |_| Ok(())))
            });
            written.unwrap();
        }
        message.finish()
    }
}

impl Reply {
    /// Reads a reply to its last octet; panics where it is not a message as a strict reader wants it.
    pub fn read(octets: &[u8]) -> Reply {
        check_names(octets);
        let message = Message::from_octets(octets).expect("a header");
        let header = message.header();
        assert!(header.qr(), "a reply is a response");
        assert!(!header.z(), "Z is never set");
        let flags =
            [("aa", header.aa()), ("tc", header.tc()), ("rd", header.rd()), ("ra", header.ra()), ("ad", header.ad()), ("cd", header.cd())];
        let (mut question, mut answer, mut authority, mut additional) = message.sections().expect("four sections");
        let (mut edns, mut options) = (None, Vec::new());
        let reply = Reply {
            octets: octets.to_vec(),
            rcode: message.opt_rcode().to_string(),
            flags: flags.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name).collect::<Vec<_>>().join(" "),
            question: question
                .by_ref()
                .map(|question| question.expect("a question").to_string().replace('\t', " "))
                .collect::<Vec<_>>()
                .join(", "),
            answer: texts(&mut answer, &mut edns, &mut options),
            authority: texts(&mut authority, &mut edns, &mut options),
            additional: texts(&mut additional, &mut edns, &mut options),
            edns,
            options,
        };
        assert_eq!(additional.pos(), octets.len(), "nothing stands behind the last record");
        reply
    }

    /// The answer section in the order of the alphabet, where the order does not matter.
    pub fn answers(&self) -> Vec<&str> {
        sorted(&self.answer)
    }

    /// The same of the additional section.
    pub fn extras(&self) -> Vec<&str> {
        sorted(&self.additional)
    }

    /// Whether it is an empty answer with this rcode and the zone's SOA.
    pub fn is_negative(&self, rcode: &str) -> bool {
        self.rcode == rcode
            && self.answer.is_empty()
            && self.additional.is_empty()
            && matches!(&*self.authority, [soa] if soa.contains(" SOA "))
    }
}

fn sorted(section: &[String]) -> Vec<&str> {
    let mut section: Vec<&str> = section.iter().map(String::as_str).collect();
    section.sort_unstable();
    section
}

/// A section's records as text; OPT is told apart.
fn texts(section: &mut RecordSection<'_, &[u8]>, edns: &mut Option<Edns>, options: &mut Vec<(u16, Vec<u8>)>) -> Vec<String> {
    let mut texts = Vec::new();
    for record in section {
        let record = record.expect("a record").to_any_record::<AllRecordData<_, _>>().expect("data that fits its type");
        if let AllRecordData::Opt(opt) = record.data() {
            options.extend(
                opt.iter::<UnknownOptData<_>>()
                    .map(|option| option.expect("an option"))
                    .map(|option| (option.code().to_int(), option.data().to_vec())),
            );
            assert!(edns.is_none(), "one OPT record at most");
            *edns = Some(Edns { size: record.class().to_int(), dnssec_ok: record.ttl().as_secs() & 0x8000 != 0 });
        } else {
            let class = if record.class() == Class::IN { String::new() } else { format!("{} ", record.class()) };
            let data = match record.data() {
                AllRecordData::Srv(srv) => format!("{} {} {} {}", srv.priority(), srv.weight(), srv.port(), dotted(srv.target())),
                data => data.to_string(),
            };
            let text = format!("{} {} {class}{} {data}", dotted(record.owner()), record.ttl().as_secs(), record.rtype());
            texts.push(text.split(' ').map(relative).collect::<Vec<_>>().join(" "));
        }
    }
    texts
}

/// A name with its trailing dot.
fn dotted(name: &impl ToString) -> String {
    let name = name.to_string();
    if name.ends_with('.') { name } else { name + "." }
}

/// A name as it stands in a zone file with [`ORIGIN`].
fn relative(name: &str) -> &str {
    if name == ORIGIN { "@" } else { name.strip_suffix(ORIGIN).and_then(|name| name.strip_suffix('.')).unwrap_or(name) }
}

/// Every compression pointer leads back to a label that was written as one before, and the targets of SRV have none (RFC 1035 4.1.4, RFC 2782).
pub fn check_names(octets: &[u8]) {
    let word = |at: usize| usize::from(u16::from_be_bytes([octets[at], octets[at + 1]]));
    let mut labels = HashSet::new();
    let mut at = 12;
    for _ in 0..word(4) {
        at = check_name(octets, at, &mut labels) + 4;
    }
    for _ in 0..word(6) + word(8) + word(10) {
        at = check_name(octets, at, &mut labels);
        let (rtype, data) = (word(at), at + 10);
        at = data + word(at + 8);
        match rtype {
            2 | 5 | 12 => assert_eq!(check_name(octets, data, &mut labels), at),
            6 => {
                let next = check_name(octets, data, &mut labels);
                assert_eq!(check_name(octets, next, &mut labels) + 20, at);
            }
            33 => {
                let end = check_name(octets, data + 6, &mut labels);
                assert_eq!(end, at);
                assert_eq!(octets[end - 1], 0, "the target of SRV is not compressed");
            }
            _ => {}
        }
    }
}

/// Where the name ends; its labels are remembered.
fn check_name(octets: &[u8], start: usize, labels: &mut HashSet<usize>) -> usize {
    let mut at = start;
    loop {
        match octets[at] {
            0 => return at + 1,
            length @ 1..64 => {
                labels.insert(at);
                at += 1 + usize::from(length);
            }
            high => {
                let target = usize::from(high & 0x3f) << 8 | usize::from(octets[at + 1]);
                assert!(high >= 0xc0 && target < start && labels.contains(&target), "the pointer at {at} leads to {target}");
                return at + 2;
            }
        }
    }
}

/// A change as the packed buffer that crosses from Python.
pub fn packed(change: &Value) -> Vec<u8> {
    rmp_serde::to_vec(change).unwrap()
}

/// A plan with [`LISTENER`] and every zone that its blocks name.
pub fn plan(blocks: &[Value]) -> Value {
    let mut zones: Vec<&str> =
        blocks.iter().flat_map(|block| block["program"].as_array().unwrap()).filter_map(|op| op["zone"].as_str()).collect();
    zones.sort_unstable();
    zones.dedup();
    json!({
        "version": 1,
        "listeners": [{"id": LISTENER, "host": "", "port": 53, "server": "dns://:53"}],
        "zones": zones,
        "blocks": blocks,
        "spans": [{"file": "Corefile", "line": 1, "column": 1, "text": "."}],
    })
}

/// A block on [`LISTENER`].
pub fn block(zone: &str, program: &[Value]) -> Value {
    json!({"zone": zone, "listeners": [LISTENER], "program": program, "span": 0})
}

/// An op that serves [`ZONE`], with what is different.
pub fn zone_op(different: Value) -> Value {
    let mut op = json!({
        "op": "zone", "zone": ZONE, "name": "kubernetes", "span": 0, "primary": 0,
        "origins": [{"name": ORIGIN, "reverse": false}, {"name": "in-addr.arpa.", "reverse": true}, {"name": "ip6.arpa.", "reverse": true}],
        "soa": {"mname": "ns.dns", "rname": "hostmaster", "refresh": 7200, "retry": 1800, "expire": 86400, "minimum": 5, "ttl": 5},
        "fallthrough": [], "exists": ["", "svc"], "soa_nodata": true, "bare_ports": true,
    });
    let Value::Object(different) = different else { panic!("fields") };
    op.as_object_mut().unwrap().extend(different);
    op
}

pub fn whoami() -> Value {
    json!({"op": "whoami", "span": 0})
}

/// A name and what it holds.
pub fn owner(name: &str, data: &[Value]) -> Value {
    absent(name, data, &[])
}

/// The same, absent for some types.
pub fn absent(name: &str, data: &[Value], types: &[u16]) -> Value {
    json!([name, 7, data, types])
}

pub fn exists() -> Value {
    json!(["exists"])
}

pub fn synthesis() -> Value {
    json!(["synthesis", 5])
}

pub fn rrset(rtype: u16, rdata: &[&str]) -> Value {
    json!(["rrset", rtype, 5, rdata])
}

/// A name with addresses and ports of its own; ports are `name/protocol/number`.
pub fn addresses(addresses: &[&str], port_texts: &[&str]) -> Value {
    json!(["members", 5, addresses, ports(port_texts), [], false, false])
}

/// The same, with members below it that it does not list.
pub fn with_members(own: &[&str], port_texts: &[&str], groups: &[Value]) -> Value {
    json!(["members", 5, own, ports(port_texts), groups, false, false])
}

/// A name that lists its members.
pub fn members(groups: &[Value]) -> Value {
    json!(["members", 5, [], [], groups, true, false])
}

/// A name that lists members whose names live below another one, and from which nothing else comes.
pub fn members_of(base: &str, groups: &[Value]) -> Value {
    json!(["members", 5, [], [], based(base, groups), true, true])
}

/// Groups whose members' names live below this owner.
pub fn based(base: &str, groups: &[Value]) -> Vec<Value> {
    groups.iter().map(|group| json!([group[0], group[1], base])).collect()
}

/// Members `address` or `address label` that share ports.
pub fn group(port_texts: &[&str], member_texts: &[&str]) -> Value {
    let members: Vec<Value> = member_texts
        .iter()
        .map(|text| text.split_once(' ').unwrap_or((text, "")))
        .map(|(address, label)| json!([address, label]))
        .collect();
    json!([ports(port_texts), members, ""])
}

fn ports(texts: &[&str]) -> Vec<Value> {
    let port = |text: &&str| {
        let [name, protocol, number] = text.split('/').collect::<Vec<_>>()[..] else { panic!("name/protocol/number") };
        json!([name, protocol, number.parse::<i32>().unwrap()])
    };
    texts.iter().map(port).collect()
}
