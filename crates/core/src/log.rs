//! `log`: a line for each query of a block, when its reply is written: before that nobody knows how long it is.

use crate::answer::Answer;
use crate::client::{Client, Transport};
use crate::name;
use crate::plan::{LogClass, LogRule};
use crate::text;
use crate::wire::{Query, Request, rcode, rtype};

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
    Type,
    Name,
    Class,
    Proto,
    Size,
    Remote,
    Port,
    Local,
    Id,
    Opcode,
    Do,
    Bufsize,
    Rcode,
    Rsize,
    Rflags,
    Duration,
    /// What nobody knows here.
    Nothing,
}

/// A query that was answered.
pub struct Logged<'a> {
    /// Who asked.
    pub client: &'a Client,
    /// What was asked.
    pub query: &'a Query,
    /// What was wanted, as ops have changed it.
    pub request: &'a Request,
    /// Octets of the question's message, as ops have changed it.
    pub size: usize,
    /// What was answered.
    pub answer: &'a Answer,
    /// The same, written; empty where nothing was said.
    pub reply: &'a [u8],
    /// Nanoseconds from the question to the reply.
    pub elapsed: u64,
}

impl Log {
    /// Reads the rules of a plan.
    pub fn new(rules: &[LogRule]) -> Result<Log, String> {
        let rules = rules.iter().map(|rule| {
            let zone = name::absolute_lower(&rule.zone).map_err(|why| format!("log of {}: the zone {why}", rule.zone))?;
            let pieces = rule.format.iter().enumerate().map(|(number, piece)| match number % 2 {
                0 => Ok(Piece::Text(piece.clone())),
                _ => Value::named(piece).map(Piece::Value).ok_or_else(|| format!("log of {}: there is no {{{piece}}}", rule.zone)),
            });
            Ok(Rule { zone, classes: rule.classes.clone(), pieces: pieces.collect::<Result<_, String>>()? })
        });
        Ok(Log { rules: rules.collect::<Result<_, String>>()? })
    }

    /// The line for a query, if it is to have one.
    pub fn line(&self, logged: &Logged<'_>) -> Option<String> {
        let rule = self.rules.iter().find(|rule| name::is_under(logged.query.name.wire(), &rule.zone))?;
        if !rule.classes.contains(&class(logged.answer, logged.reply)) {
            return None;
        }
        let mut line = "[INFO] ".to_owned();
        for piece in &rule.pieces {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Value(value) => line.push_str(&value.of(logged)),
            }
        }
        Some(line)
    }
}

impl Value {
    fn named(name: &str) -> Option<Value> {
        Some(match name {
            "type" => Value::Type,
            "name" => Value::Name,
            "class" => Value::Class,
            "proto" => Value::Proto,
            "size" => Value::Size,
            "remote" => Value::Remote,
            "port" => Value::Port,
            "local" => Value::Local,
            ">id" => Value::Id,
            ">opcode" => Value::Opcode,
            ">do" => Value::Do,
            ">bufsize" => Value::Bufsize,
            "rcode" => Value::Rcode,
            "rsize" => Value::Rsize,
            ">rflags" => Value::Rflags,
            "duration" => Value::Duration,
            "" => Value::Nothing,
            _ => return None,
        })
    }

    fn of(self, logged: &Logged<'_>) -> String {
        let Logged { client, query, request, .. } = logged;
        match self {
            Value::Type => text::type_name(request.qtype),
            Value::Name => name::Display(query.name.wire()).to_string(),
            Value::Class => text::class_name(request.qclass),
            Value::Proto => client.transport.name().to_owned(),
            Value::Size => logged.size.to_string(),
            Value::Remote => bracketed(client.address.ip().to_canonical()),
            Value::Port => client.address.port().to_string(),
            Value::Local => bracketed(client.local.ip().to_canonical()),
            Value::Id => query.id.to_string(),
            Value::Opcode => request.opcode.to_string(),
            Value::Do => request.edns.is_some_and(|edns| edns.dnssec_ok).to_string(),
            Value::Bufsize => match client.transport {
                Transport::Tcp => u16::MAX.to_string(),
                Transport::Udp => request.edns.map_or(512, |edns| edns.size.max(512)).to_string(),
            },
            // Nothing was said (recorded: `log-no-reply`).
            Value::Rcode | Value::Rflags if logged.reply.is_empty() => "-".to_owned(),
            Value::Rcode => text::rcode_name(logged.answer.rcode),
            Value::Rsize => logged.reply.len().to_string(),
            Value::Rflags => flags(logged.reply),
            Value::Duration => format!("{}s", logged.elapsed as f64 / 1e9),
            Value::Nothing => "-".to_owned(),
        }
    }
}

/// What kind of answer it is: by its records rather than by its code alone. Silence is an error.
fn class(answer: &Answer, reply: &[u8]) -> LogClass {
    let has = |wanted: u16| answer.authority.iter().any(|rr| rr.rtype == wanted);
    match answer.rcode {
        _ if reply.is_empty() => LogClass::Error,
        rcode::NOERROR if answer.answer.is_empty() && has(rtype::SOA) => LogClass::Denial,
        rcode::NOERROR => LogClass::Success,
        rcode::NXDOMAIN if answer.answer.is_empty() => LogClass::Denial,
        _ => LogClass::Error,
    }
}

/// The flags that are set, in the order of the header.
fn flags(reply: &[u8]) -> String {
    let flags = reply.get(2..4).map_or(0, |octets| u16::from_be_bytes([octets[0], octets[1]]));
    let names = [(15, "qr"), (10, "aa"), (9, "tc"), (8, "rd"), (7, "ra"), (6, "z"), (5, "ad"), (4, "cd")];
    let set = names.iter().filter(|(bit, _)| flags & (1 << bit) != 0).map(|(_, name)| *name);
    set.collect::<Vec<_>>().join(",")
}

fn bracketed(address: std::net::IpAddr) -> String {
    if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &[u8] = b"\x03\xe9\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\x03org\0\0\x01\0\x01";

    fn line(log: &Log, answer: &Answer, reply: &[u8]) -> Option<String> {
        let crate::wire::Parsed::Query(query) = crate::wire::parse(QUESTION) else { panic!("no query") };
        let address = "192.0.2.7:4711".parse().unwrap();
        let client = Client { address, local: "192.0.2.1:53".parse().unwrap(), listener: 0, transport: Transport::Udp };
        log.line(&Logged {
            client: &client,
            query: &query,
            request: &query.request,
            size: QUESTION.len(),
            answer,
            reply,
            elapsed: 1_500_000,
        })
    }

    #[test]
    fn silence_is_an_error_without_code_and_flags() {
        let format = ["", ">id", " ", "rcode", " ", ">rflags", " ", "rsize", " ", "duration", ""].map(str::to_owned).to_vec();
        let log = |class| Log::new(&[LogRule { zone: ".".to_owned(), format: format.clone(), classes: vec![class] }]).unwrap();
        let answer = Answer::default();
        assert_eq!(line(&log(LogClass::Error), &answer, &[]).as_deref(), Some("[INFO] 1001 - - 0 0.0015s"));
        assert_eq!(line(&log(LogClass::Success), &answer, &[]), None);
        assert_eq!(line(&log(LogClass::Success), &answer, &[0, 0, 0x80, 0]).as_deref(), Some("[INFO] 1001 NOERROR qr 4 0.0015s"));
    }

    fn rule(format: &[&str]) -> LogRule {
        let format = format.iter().map(|piece| (*piece).to_owned()).collect();
        LogRule { zone: "example.org.".to_owned(), format, classes: vec![LogClass::Success] }
    }

    #[test]
    fn a_format_has_texts_and_known_values_in_turn() {
        assert!(Log::new(&[rule(&["type ", "type", ""]), rule(&["", "", "metadata"])]).is_ok());
        let refused = Log::new(&[rule(&["", "nosuch", ""])]).err();
        assert_eq!(refused.as_deref(), Some("log of example.org.: there is no {nosuch}"));
    }

    #[test]
    fn flags_stand_in_the_order_of_the_header() {
        assert_eq!(flags(&[0, 0, 0x85, 0x80]), "qr,aa,rd,ra");
        assert_eq!(flags(&[0, 0, 0x87, 0xf3]), "qr,aa,tc,rd,ra,z,ad,cd");
        assert_eq!(flags(&[0, 0, 0, 0]), "");
        assert_eq!(flags(&[]), "");
    }

    #[test]
    fn classes_and_addresses_are_written_as_in_coredns() {
        assert_eq!([1, 3, 254, 255].map(text::class_name), ["IN", "CH", "NONE", "CLASS255"]);
        assert_eq!(bracketed("192.0.2.1".parse().unwrap()), "192.0.2.1");
        assert_eq!(bracketed("2001:db8::1".parse().unwrap()), "[2001:db8::1]");
    }
}
