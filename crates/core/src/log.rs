//! `log`: a line for each query of a block, when its reply is written: before that nobody knows how long it is.

use std::fmt::{self, Write};
use std::net::IpAddr;

use serde::Serialize;

use crate::answer::Answer;
use crate::labels::{Known, LabelId, Labels};
use crate::name;
use crate::plan::{FactName, LogClass, LogRule};
use crate::text;
use crate::wire::{rcode, rtype};

/// The rules of a block; the first whose zone has the name decides.
pub struct Log {
    rules: Vec<Rule>,
}

struct Rule {
    zone: Box<[u8]>,
    classes: Vec<LogClass>,
    pieces: Vec<Piece>,
}

enum Piece {
    Text(String),
    Value(Value),
}

/// What a line can tell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Fact(FactName),
    /// The client's address, IPv6 in brackets.
    Remote,
    /// The address that was asked, IPv6 in brackets.
    Local,
    Rcode,
    Rsize,
    Rflags,
    Duration,
    /// Which kind of reply it is.
    Kind,
    /// The class of that kind.
    Class,
    Label(LabelId),
    /// What nobody knows here.
    Nothing,
}

/// A query that was answered.
pub struct Logged<'a> {
    /// The query, and what else is known of it.
    pub known: Known<'a>,
    /// What was answered.
    pub answer: &'a Answer,
    /// The same, written; empty where nothing was said.
    pub reply: &'a [u8],
    /// Nanoseconds from the question to the reply.
    pub elapsed: u64,
}

/// A query that was answered, for programs that read.
#[derive(Serialize)]
pub struct Fields {
    client_ip: IpAddr,
    client_port: u16,
    server_ip: IpAddr,
    id: u16,
    opcode: u8,
    qname: String,
    qtype: String,
    qclass: String,
    proto: &'static str,
    size: usize,
    #[serde(rename = "do")]
    dnssec_ok: bool,
    bufsize: u16,
    /// None: nothing was said.
    rcode: Option<String>,
    rflags: Vec<&'static str>,
    rsize: usize,
    duration_seconds: f64,
}

impl Log {
    /// Reads the rules of a plan; `labels` are those of the block.
    pub fn new(rules: &[LogRule], labels: &Labels) -> Result<Log, String> {
        let rules = rules.iter().map(|rule| {
            let zone = name::absolute_lower(&rule.zone).map_err(|why| format!("log of {}: the zone {why}", rule.zone))?;
            let pieces = rule.format.iter().enumerate().map(|(number, piece)| match number % 2 {
                0 => Ok(Piece::Text(piece.clone())),
                _ => Value::named(piece, labels).map(Piece::Value).ok_or_else(|| format!("log of {}: there is no {{{piece}}}", rule.zone)),
            });
            Ok(Rule { zone, classes: rule.classes.clone(), pieces: pieces.collect::<Result<_, String>>()? })
        });
        Ok(Log { rules: rules.collect::<Result<_, String>>()? })
    }

    /// The line for a query, if it is to have one.
    pub fn line(&self, logged: &Logged<'_>) -> Option<String> {
        let rule = self.rules.iter().find(|rule| name::is_under(logged.known.facts.name, &rule.zone))?;
        if !rule.classes.contains(&Kind::of(logged).class()) {
            return None;
        }
        let mut line = "[INFO] ".to_owned();
        for piece in &rule.pieces {
            match piece {
                Piece::Text(text) => line.push_str(text),
                // Writing into memory does not fail.
                Piece::Value(value) => value.write(logged, &mut line).unwrap_or_default(),
            }
        }
        Some(line)
    }
}

impl Logged<'_> {
    /// Everything about it.
    pub fn fields(&self) -> Fields {
        let facts = self.known.facts;
        Fields {
            client_ip: facts.client_ip(),
            client_port: facts.client.address.port(),
            server_ip: facts.server_ip(),
            id: facts.id,
            opcode: facts.request.opcode,
            qname: name::Display(facts.name).to_string(),
            qtype: text::TypeName(facts.request.qtype).to_string(),
            qclass: text::ClassName(facts.request.qclass).to_string(),
            proto: facts.client.transport.name(),
            size: facts.size,
            dnssec_ok: facts.dnssec_ok(),
            bufsize: facts.bufsize(),
            rcode: (!self.reply.is_empty()).then(|| text::rcode_name(self.answer.rcode)),
            rflags: flags(self.reply).collect(),
            rsize: self.reply.len(),
            duration_seconds: self.seconds(),
        }
    }

    fn seconds(&self) -> f64 {
        self.elapsed as f64 / 1e9
    }
}

impl Value {
    fn named(name: &str, labels: &Labels) -> Option<Value> {
        Some(match name {
            "type" => Value::Fact(FactName::Type),
            "name" => Value::Fact(FactName::Name),
            "class" => Value::Fact(FactName::Class),
            "proto" => Value::Fact(FactName::Proto),
            "size" => Value::Fact(FactName::Size),
            "remote" => Value::Remote,
            "port" => Value::Fact(FactName::Port),
            "local" => Value::Local,
            ">id" => Value::Fact(FactName::Id),
            ">opcode" => Value::Fact(FactName::Opcode),
            ">do" => Value::Fact(FactName::Do),
            ">bufsize" => Value::Fact(FactName::Bufsize),
            "rcode" => Value::Rcode,
            "rsize" => Value::Rsize,
            ">rflags" => Value::Rflags,
            "duration" => Value::Duration,
            "/log/type" => Value::Kind,
            "/log/class" => Value::Class,
            "" => Value::Nothing,
            label => labels.find(label.strip_prefix('/')?).map_or(Value::Nothing, Value::Label),
        })
    }

    fn write(self, logged: &Logged<'_>, line: &mut String) -> fmt::Result {
        let Logged { known, answer, reply, .. } = logged;
        match self {
            Value::Fact(fact) => known.facts.write(fact, line),
            Value::Remote => write_address(known.facts.client_ip(), line),
            Value::Local => write_address(known.facts.server_ip(), line),
            // Nothing was said (recorded: `log-no-reply`).
            Value::Rcode | Value::Rflags if reply.is_empty() => line.write_str("-"),
            Value::Rcode => line.write_str(&text::rcode_name(answer.rcode)),
            Value::Rsize => write!(line, "{}", reply.len()),
            Value::Rflags => line.write_str(&flags(reply).collect::<Vec<_>>().join(",")),
            Value::Duration => write!(line, "{}s", logged.seconds()),
            Value::Kind => line.write_str(Kind::of(logged).name()),
            Value::Class => line.write_str(match Kind::of(logged).class() {
                LogClass::Success => "success",
                LogClass::Denial => "denial",
                LogClass::Error => "error",
            }),
            Value::Label(label) => match known.label(label) {
                Some(text) => write!(line, "{text}"),
                None => line.write_str("-"),
            },
            Value::Nothing => line.write_str("-"),
        }
    }
}

/// Which kind of reply it is: by its records rather than by its code alone.
#[derive(Clone, Copy)]
enum Kind {
    NoError,
    NameError,
    ServerError,
    NoData,
    Delegation,
    /// About zones and servers rather than names: a NOTIFY, a transfer.
    Meta,
    /// Silence, and what is none of the others.
    OtherError,
}

impl Kind {
    fn of(logged: &Logged<'_>) -> Kind {
        let (request, answer) = (logged.known.facts.request, logged.answer);
        let has = |wanted: u16| answer.authority.iter().any(|rr| rr.rtype == wanted);
        match answer.rcode {
            _ if logged.reply.is_empty() => Kind::OtherError,
            _ if request.opcode != 0 || matches!(request.qtype, rtype::AXFR | rtype::IXFR) => Kind::Meta,
            rcode::NOERROR if !answer.answer.is_empty() => Kind::NoError,
            rcode::NOERROR if has(rtype::SOA) => Kind::NoData,
            rcode::NOERROR if has(rtype::NS) => Kind::Delegation,
            rcode::NOERROR => Kind::NoError,
            rcode::NXDOMAIN if answer.answer.is_empty() => Kind::NameError,
            rcode::SERVFAIL | rcode::NOTIMP => Kind::ServerError,
            _ => Kind::OtherError,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::NoError => "NOERROR",
            Kind::NameError => "NXDOMAIN",
            Kind::ServerError => "SERVERERROR",
            Kind::NoData => "NODATA",
            Kind::Delegation => "DELEGATION",
            Kind::Meta => "META",
            Kind::OtherError => "OTHERERROR",
        }
    }

    fn class(self) -> LogClass {
        match self {
            Kind::NoError | Kind::Delegation => LogClass::Success,
            Kind::NameError | Kind::NoData => LogClass::Denial,
            Kind::ServerError | Kind::Meta | Kind::OtherError => LogClass::Error,
        }
    }
}

/// The flags that are set, in the order of the header.
fn flags(reply: &[u8]) -> impl Iterator<Item = &'static str> {
    let flags = reply.get(2..4).map_or(0, |octets| u16::from_be_bytes([octets[0], octets[1]]));
    let names = [(15, "qr"), (10, "aa"), (9, "tc"), (8, "rd"), (7, "ra"), (6, "z"), (5, "ad"), (4, "cd")];
    names.into_iter().filter(move |(bit, _)| flags & (1 << bit) != 0).map(|(_, name)| name)
}

fn write_address(address: IpAddr, line: &mut String) -> fmt::Result {
    if address.is_ipv6() { write!(line, "[{address}]") } else { write!(line, "{address}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::client::{Client, Transport};
    use crate::facts::Facts;
    use crate::wire::{Parsed, parse};

    const QUESTION: &[u8] = b"\x03\xe9\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\x03org\0\0\x01\0\x01";

    fn logged<T>(answer: &Answer, reply: &[u8], test: impl FnOnce(&Logged<'_>) -> T) -> T {
        let Parsed::Query(query) = parse(QUESTION) else { panic!("no query") };
        let address = "[2001:db8::7]:4711".parse().unwrap();
        let client = Client { address, local: "[::ffff:192.0.2.1]:53".parse().unwrap(), listener: 0, transport: Transport::Udp };
        let facts = Facts { client: &client, id: query.id, size: QUESTION.len(), request: &query.request, name: query.name.wire() };
        let known = Known { facts: &facts, labels: &Labels::default(), upstream: None };
        test(&Logged { known, answer, reply, elapsed: 1_500_000 })
    }

    fn rule(format: &[&str], class: LogClass) -> LogRule {
        let format = format.iter().map(|piece| (*piece).to_owned()).collect();
        LogRule { zone: "example.org.".to_owned(), format, classes: vec![class] }
    }

    fn line(format: &[&str], class: LogClass, answer: &Answer, reply: &[u8]) -> Option<String> {
        let log = Log::new(&[rule(format, class)], &Labels::default()).unwrap();
        logged(answer, reply, |logged| log.line(logged))
    }

    #[test]
    fn silence_is_an_error_without_code_and_flags() {
        let format = ["", ">id", " ", "rcode", " ", ">rflags", " ", "rsize", " ", "duration", ""];
        let answer = Answer::default();
        assert_eq!(line(&format, LogClass::Error, &answer, &[]).as_deref(), Some("[INFO] 1001 - - 0 0.0015s"));
        assert_eq!(line(&format, LogClass::Success, &answer, &[]), None);
        let said = line(&format, LogClass::Success, &answer, &[0, 0, 0x80, 0]);
        assert_eq!(said.as_deref(), Some("[INFO] 1001 NOERROR qr 4 0.0015s"));
    }

    #[test]
    fn a_format_has_texts_and_known_values_in_turn() {
        let labels = Labels::default();
        let rules = [rule(&["type ", "type", ""], LogClass::Success), rule(&["", "", "metadata"], LogClass::Success)];
        assert!(Log::new(&rules, &labels).is_ok());
        let refused = Log::new(&[rule(&["", "nosuch", ""], LogClass::Success)], &labels).err();
        assert_eq!(refused.as_deref(), Some("log of example.org.: there is no {nosuch}"));
    }

    #[test]
    fn a_label_that_nobody_knows_is_a_dash() {
        let said = line(&["", "/no/such", " ", "/log/type", " ", "/log/class", ""], LogClass::Error, &Answer::default(), &[]);
        assert_eq!(said.as_deref(), Some("[INFO] - OTHERERROR error"));
    }

    #[test]
    fn flags_stand_in_the_order_of_the_header() {
        let flags = |reply: &[u8]| flags(reply).collect::<Vec<_>>().join(",");
        assert_eq!(flags(&[0, 0, 0x85, 0x80]), "qr,aa,rd,ra");
        assert_eq!(flags(&[0, 0, 0x87, 0xf3]), "qr,aa,tc,rd,ra,z,ad,cd");
        assert_eq!(flags(&[0, 0, 0, 0]), "");
        assert_eq!(flags(&[]), "");
    }

    #[test]
    fn addresses_are_written_as_in_coredns() {
        let said = line(&["", "remote", ":", "port", " ", "local", ""], LogClass::Error, &Answer::default(), &[]);
        assert_eq!(said.as_deref(), Some("[INFO] [2001:db8::7]:4711 192.0.2.1"));
    }

    #[test]
    fn programs_get_every_field_with_its_type() {
        let fields = logged(&Answer::default(), &[0, 0, 0x80, 0x80], |logged| serde_json::to_value(logged.fields()).unwrap());
        let expected = serde_json::json!({
            "client_ip": "2001:db8::7", "client_port": 4711, "server_ip": "192.0.2.1", "id": 1001, "opcode": 0, "qname": "a.example.org.",
            "qtype": "A", "qclass": "IN", "proto": "udp", "size": 31, "do": false, "bufsize": 512, "rcode": "NOERROR",
            "rflags": ["qr", "ra"], "rsize": 4, "duration_seconds": 0.0015
        });
        assert_eq!(fields, expected);
        let silent = logged(&Answer::default(), &[], |logged| serde_json::to_value(logged.fields()).unwrap());
        assert_eq!((&silent["rcode"], &silent["rsize"]), (&serde_json::Value::Null, &0.into()));
    }
}
