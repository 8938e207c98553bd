//! Records as zone files write them (RFC 1035 5.1), one at a time: `www.example. 60 IN A 192.0.2.1`.
//!
//! Every name is taken as absolute. TTL and class may be left out, in either order. Types without a form of their own here are written as
//! `\# LENGTH HEX` (RFC 3597 5). Directives (`$TTL`, `$INCLUDE` ...) are refused. What is wrong is said as CoreDNS's library says it, so
//! that logs are the same.

mod fields;
mod lexer;
mod params;

use std::fmt;

use fields::data_of;
use lexer::{Token, tokens};

use crate::answer::{Answer, NameRef, Rdata, Rr};
use crate::name;
use crate::text::{class_number, type_number};
use crate::wire::{CLASS_IN, rtype};

/// A record, names uncompressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is, in wire form.
    pub owner: Box<[u8]>,
    /// Its type.
    pub rtype: u16,
    /// Its class.
    pub class: u16,
    /// Seconds.
    pub ttl: u32,
    /// Its data.
    pub data: Box<[u8]>,
}

/// Why a text is no record, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    what: String,
    token: String,
    line: usize,
    column: usize,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: \"{}\" at line: {}:{}", self.what, self.token.escape_default(), self.line, self.column)
    }
}

impl Record {
    /// Reads the first record of a text; `default_ttl` is for those that tell none.
    pub fn parse(text: &str, default_ttl: u32) -> Result<Record, Mistake> {
        let tokens = tokens(text)?;
        let nothing = Mistake { what: "there is no record".to_owned(), token: String::new(), line: 1, column: text.len() };
        let [first, rest @ ..] = &tokens[..] else { return Err(nothing) };
        let owner = match first {
            Token { is_apart: false, is_quoted: false, text, .. } if !text.starts_with('$') => name_of(text),
            _ => None,
        };
        let owner = owner.ok_or_else(|| first.mistake("bad owner name"))?;
        let (mut ttl, mut class) = (None, None);
        for (at, token) in rest.iter().enumerate() {
            if let Some(rtype) = type_number(token.text) {
                let data = data_of(rtype, token, &rest[at + 1..])?.into();
                return Ok(Record { owner, rtype, class: class.unwrap_or(CLASS_IN), ttl: ttl.unwrap_or(default_ttl), data });
            }
            match (class_number(token.text), ttl, class) {
                (Some(number), _, None) => class = Some(number),
                (None, None, _) => ttl = Some(seconds(token.text).ok_or_else(|| token.mistake("not a TTL"))?),
                (_, Some(_), None) => return Err(token.mistake("expecting RR type or class, not this...")),
                (_, None, Some(_)) => return Err(token.mistake("expecting RR type or TTL, not this...")),
                (_, Some(_), Some(_)) => return Err(token.mistake("unknown RR type")),
            }
        }
        let last = rest.last().unwrap_or(first);
        Err(last.mistake(if rest.is_empty() { "not a TTL" } else { "no RR type" }))
    }

    /// As it stands in a message, uncompressed.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.owner);
        out.extend_from_slice(&self.rtype.to_be_bytes());
        out.extend_from_slice(&self.class.to_be_bytes());
        out.extend_from_slice(&self.ttl.to_be_bytes());
        // `parse` makes no longer ones.
        out.extend_from_slice(&(self.data.len() as u16).to_be_bytes());
        out.extend_from_slice(&self.data);
    }

    /// Puts it into an answer, as a record of this owner.
    pub fn put(&self, owner: NameRef, answer: &mut Answer) -> Rr {
        Rr { owner, rtype: self.rtype, class: self.class, ttl: self.ttl, rdata: self.rdata(answer) }
    }

    /// Its data, so that the names in it can be compressed where that is allowed (RFC 3597 4).
    fn rdata(&self, answer: &mut Answer) -> Rdata {
        match (self.rtype, &*self.data) {
            (rtype::A, &[a, b, c, d]) => Rdata::A([a, b, c, d]),
            (rtype::CNAME | rtype::NS | rtype::PTR, name) => Rdata::Name(answer.intern(&[name])),
            (rtype::SOA, data) => match data.split_last_chunk::<20>() {
                Some((names, numbers)) => {
                    let (mname, rname) = names.split_at(name::length(names));
                    let number = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|octet| numbers[4 * at + octet]));
                    Rdata::Soa { mname: answer.intern(&[mname]), rname: answer.intern(&[rname]), numbers: [0, 1, 2, 3, 4].map(number) }
                }
                None => Rdata::Opaque(answer.keep(data)),
            },
            (_, data) => Rdata::Opaque(answer.keep(data)),
        }
    }
}

/// An absolute name in wire form; `@` is the root, which is the origin of all names here.
fn name_of(text: &str) -> Option<Box<[u8]>> {
    name::absolute(if text == "@" { "." } else { text }).ok()
}

/// A time as a number of seconds, or with units: `90`, `1h30m`.
fn seconds(text: &str) -> Option<u32> {
    let (mut sum, mut term) = (0u32, 0u32);
    for octet in text.bytes() {
        let unit = match octet.to_ascii_lowercase() {
            b'0'..=b'9' => {
                term = term.checked_mul(10)?.checked_add(u32::from(octet - b'0'))?;
                continue;
            }
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        sum = sum.checked_add(term.checked_mul(unit)?)?;
        term = 0;
    }
    sum.checked_add(term)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::read_message;

    /// Type and data of a record, and what is wrong with it, by text; the data as hexadecimal digits.
    fn read(text: &str) -> Result<String, String> {
        let record = Record::parse(text, 30).map_err(|mistake| mistake.to_string())?;
        let hex: String = record.data.iter().map(|octet| format!("{octet:02x}")).collect();
        Ok(format!("{} {hex}", crate::text::type_name(record.rtype)))
    }

    fn data(text: &str) -> Vec<u8> {
        Record::parse(text, 30).unwrap_or_else(|mistake| panic!("{text}: {mistake}")).data.into()
    }

    #[test]
    fn owner_ttl_and_class_come_first_in_any_usual_order() {
        for (text, ttl, class) in [
            ("a.example. 60 IN A 192.0.2.1", 60, 1),
            ("a.example. IN 60 A 192.0.2.1", 60, 1),
            ("a.example 60 A 192.0.2.1", 60, 1),
            ("a.example. in a 192.0.2.1", 30, 1),
            ("a.example. A 192.0.2.1", 30, 1),
            ("a.example. 1h30m CH A 192.0.2.1", 5400, 3),
            ("a.example.\t1w2D CLASS4 A\t192.0.2.1 ; remark", 777_600, 4),
            ("\n\n; remark\na.example. (60\n IN A\n 192.0.2.1)\nb.example. A 192.0.2.2", 60, 1),
        ] {
            let record = Record::parse(text, 30).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
            assert_eq!((record.ttl, record.class, record.rtype, &*record.data), (ttl, class, 1, &[192, 0, 2, 1][..]), "{text}");
            assert_eq!(*record.owner, b"\x01a\x07example\0"[..]);
        }
        assert_eq!(*Record::parse("@ A 192.0.2.1", 30).unwrap().owner, b"\0"[..]);
    }

    #[test]
    fn each_type_has_its_fields() {
        for (text, expected) in [
            ("A 192.0.2.1", "A c0000201"),
            ("AAAA 2001:db8::1", "AAAA 20010db8000000000000000000000001"),
            ("NS b.c", "NS 01620163 00"),
            ("CNAME @", "CNAME 00"),
            ("PTR x\\.y.", "PTR 03782e7900"),
            ("DNAME b.", "DNAME 016200"),
            ("SOA a. b. (1 2m 3 4 5)", "SOA 016100016200 00000001 00000078 00000003 00000004 00000005"),
            ("HINFO \"ANY obsoleted\" \"See RFC 8482\"", "HINFO 0d414e59206f62736f6c65746564 0c5365652052464320 38343832"),
            ("HINFO \"a b c\"", "HINFO 0161 03622063"),
            ("HINFO a", "HINFO 0161 00"),
            ("MX 10 m.", "MX 000a 016d00"),
            ("TXT a \"b c\"\"\" d\\065\\\"", "TXT 0161 03622063 00 03644122"),
            ("RP a. b.", "RP 016100 016200"),
            ("AFSDB 1 a.", "AFSDB 0001 016100"),
            ("SRV 1 2 3 t.", "SRV 0001 0002 0003 017400"),
            ("NAPTR 1 2 \"u\" \"E2U+sip\" \"!^.*$!sip:x!\" .", "NAPTR 0001 0002 0175 074532552b736970 0c215e2e2a24217369703a7821 00"),
            ("DS 1 8 2 0A 0b", "DS 0001 08 02 0a0b"),
            ("SSHFP 1 2 ff", "SSHFP 01 02 ff"),
            ("TLSA 3 1 1 abcd", "TLSA 03 01 01 abcd"),
            ("URI 1 2 \"ftp://x\"", "URI 0001 0002 6674703a2f2f78"),
            ("CAA 0 issue \"ca.example; a=b\"", "CAA 00 056973737565 63612e6578616d706c653b20613d62"),
            ("SVCB 0 a.", "SVCB 0000 016100"),
            (
                "HTTPS 1 . port=8443 alpn=\"h2,h3\" ipv4hint=192.0.2.1,192.0.2.2 mandatory=port,alpn no-default-alpn key9=x",
                "HTTPS 0001 00 0000000400010003 00010006026832026833 00020000 0003000220fb 00040008c0000201c0000202 0009000178",
            ),
            ("TYPE65280 \\# 3 0a 0b0c", "TYPE65280 0a0b0c"),
            ("TYPE1 192.0.2.1", "A c0000201"),
        ] {
            assert_eq!(read(&format!("a. {text}")), Ok(expected.replacen(' ', "#", 1).replace(' ', "").replace('#', " ")), "{text}");
        }
    }

    #[test]
    fn a_record_stands_in_a_message_as_it_was_read() {
        for (line, read) in [
            ("www.example.org A 192.0.2.1", "www.example.org. 30 A 192.0.2.1"),
            (". IN 1h30m AAAA 2001:db8::1", ". 5400 AAAA 2001:db8::1"),
            ("a. 5 TXT \"two words\" three \"\\\"4\\\"\"", "a. 5 TXT \"two words\" \"three\" \"\\\"4\\\"\""),
            ("a. 5 SOA ns.a. host.a. 1 2h 3 4 5m", "a. 5 SOA ns.a. host.a. 1 7200 3 4 300"),
        ] {
            let mut message = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
            Record::parse(line, 30).unwrap_or_else(|mistake| panic!("{line}: {mistake}")).write(&mut message);
            let [record] = &read_message(&message).unwrap().answer[..] else { panic!("one record") };
            assert_eq!(format!("{} {} {} {}", record.name, record.ttl, record.rtype, record.data), read);
        }
    }

    #[test]
    fn a_long_text_is_several_strings() {
        let long = data(&format!("a. TXT \"{}\"", "x".repeat(600)));
        assert_eq!((long.len(), long[0], long[256], long[512]), (603, 255, 255, 90));
        assert!(read(&format!("a. CAA 0 issue \"{}\"", "x".repeat(600))).is_ok());
        assert!(read(&format!("a. NAPTR 1 2 \"{}\" a b .", "x".repeat(256))).is_err());
        assert!(read(&format!("a. TXT {}", "x".repeat(70_000))).unwrap_err().contains("65535"));
    }

    /// Texts and places as CoreDNS logs them.
    #[test]
    fn mistakes_are_told_in_the_words_of_coredns() {
        for (text, told) in [
            ("garbage a.example.org.", "not a TTL: \"a.example.org.\" at line: 1:22"),
            ("ip-999-0-0-1.example.org. 60 IN A 999.0.0.1", "bad A A: \"999.0.0.1\" at line: 1:43"),
            ("a. 60 IN A 192.0.2.1 x", "garbage after rdata: \"x\" at line: 1:22"),
            ("a. IN FOO x", "not a TTL: \"FOO\" at line: 1:10"),
            ("a. 60 FOO x", "expecting RR type or class, not this...: \"FOO\" at line: 1:10"),
            ("a. 60 IN FOO x", "unknown RR type: \"FOO\" at line: 1:13"),
            ("\na. MX x m.", "bad MX Pref: \"x\" at line: 2:8"),
            ("a.", "not a TTL: \"a.\" at line: 1:2"),
            ("a IN CLASS1 A 192.0.2.1", "expecting RR type or TTL, not this...: \"CLASS1\" at line: 1:12"),
            ("a..b A 192.0.2.1", "bad owner name: \"a..b\" at line: 1:5"),
        ] {
            assert_eq!(read(text).unwrap_err(), told);
        }
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for text in [
            "",
            " ; nothing\n\n",
            "$INCLUDE /etc/passwd",
            "$TTL 60\na. A 192.0.2.1",
            " a. A 192.0.2.1",
            "\"a\" A 192.0.2.1",
            "a.",
            "a. 60",
            "a. A",
            "a. -1 A 192.0.2.1",
            "a. 99999999999 A 192.0.2.1",
            "a. A 192.0.2.01",
            "a. A \"192.0.2.1\"",
            "a. AAAA 192.0.2.1",
            "a. CNAME a..b",
            "a. MX 1 \"m\"",
            "a. SRV 1 2 +3 t.",
            "a. SRV 1 2 65536 t.",
            "a. SOA a. b. 1m 2 3 4 5",
            "a. TXT",
            "a. TXT \"x",
            "a. TXT x\\",
            "a. TXT \\999",
            "a. MX (1 m.",
            "a. MX 1 m.)",
            "a. CAA 0 is-sue x",
            "a. DS 1 8 2 abc",
            "a. HTTPS 1 . port=x",
            "a. HTTPS 1 . port=1 port=1",
            "a. HTTPS 1 . mandatory=alpn",
            "a. HTTPS 1 . mandatory=mandatory",
            "a. HTTPS 1 . alpn=",
            "a. HTTPS 1 . alpn",
            "a. HTTPS 1 . no-default-alpn=x",
            "a. HTTPS 1 . ech=AAAA",
            "a. HTTPS 1 . \"port=1\"",
            "a. TYPE65280 x",
            "a. TYPE65280 \\# 2 0a",
            "a. ANY x",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
