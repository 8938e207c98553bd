//! Records as people write them (RFC 1035 5.1), read into what stands on the wire.
//!
//! One line, one record: `www.example.org. 60 IN A 192.0.2.1`. TTL and class may be left out, in either order. Every name is taken as
//! absolute. Types without a form of their own here are written as `\# LENGTH HEX` (RFC 3597 5).

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::name;
use crate::text::type_number;
use crate::wire::{CLASS_IN, rtype};

/// The longest data of a record.
const MAX_DATA: usize = u16::MAX as usize;
/// The longest string in TXT and the like (RFC 1035 3.3).
const MAX_STRING: usize = 255;

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
    pub data: Vec<u8>,
}

/// One word of a line.
struct Word<'a> {
    text: &'a str,
    quoted: bool,
}

/// How a type's data is written: one field after the other.
enum Field {
    Name,
    Octet,
    Short,
    Long,
    /// One string.
    String,
    /// One or more strings.
    Strings,
    /// All that is left, as it is (CAA's value).
    Rest,
    Ipv4,
    Ipv6,
}

impl Record {
    /// Reads a line; `default_ttl` is for those that tell none. The error says what is wrong with it.
    pub fn parse(line: &str, default_ttl: u32) -> Result<Record, String> {
        let words = words_of(line)?;
        let [owner, rest @ ..] = &words[..] else { return Err("there is no record".to_owned()) };
        let owner = absolute(owner.text)?;
        let (mut ttl, mut class, mut rest) = (None, None, rest);
        let rtype = loop {
            let [word, behind @ ..] = rest else { return Err("there is no type".to_owned()) };
            rest = behind;
            if class.is_none() && class_number(word.text).is_some() {
                class = class_number(word.text);
            } else if let (None, Some(seconds)) = (ttl, seconds(word.text)) {
                ttl = Some(seconds);
            } else {
                break type_number(word.text).ok_or_else(|| format!("`{}` is no record type", word.text))?;
            }
        };
        let data = data_of(rtype, rest)?;
        if data.len() > MAX_DATA {
            return Err(format!("its data has {} octets, more than a record can have", data.len()));
        }
        Ok(Record { owner, rtype, class: class.unwrap_or(CLASS_IN), ttl: ttl.unwrap_or(default_ttl), data })
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
}

fn data_of(rtype: u16, words: &[Word<'_>]) -> Result<Vec<u8>, String> {
    if let [Word { text: "\\#", quoted: false }, length, digits @ ..] = words {
        return generic(length.text, digits);
    }
    use Field::*;
    let fields: &[Field] = match rtype {
        rtype::A => &[Ipv4],
        rtype::AAAA => &[Ipv6],
        rtype::NS | rtype::CNAME | rtype::PTR | rtype::DNAME => &[Name],
        rtype::MX => &[Short, Name],
        rtype::SRV => &[Short, Short, Short, Name],
        rtype::SOA => &[Name, Name, Long, Long, Long, Long, Long],
        rtype::TXT | rtype::SPF => &[Strings],
        rtype::HINFO => &[String, String],
        rtype::NAPTR => &[Short, Short, String, String, String, Name],
        rtype::CAA => &[Octet, String, Rest],
        _ => return Err("this type has no text here: write its data as \\# LENGTH HEX".to_owned()),
    };
    let mut out = Vec::new();
    let mut words = words.iter();
    for field in fields {
        let word = words.next().ok_or("its data is not complete")?;
        match field {
            Name => out.extend_from_slice(&absolute(word.text)?),
            Octet => out.push(number(word.text)?),
            Short => out.extend_from_slice(&number::<u16>(word.text)?.to_be_bytes()),
            Long => out.extend_from_slice(&seconds(word.text).map_or_else(|| number(word.text), Ok)?.to_be_bytes()),
            Ipv4 => out.extend_from_slice(&word.text.parse::<Ipv4Addr>().map_err(|_| no(word, "IPv4 address"))?.octets()),
            Ipv6 => out.extend_from_slice(&word.text.parse::<Ipv6Addr>().map_err(|_| no(word, "IPv6 address"))?.octets()),
            String => push_string(&unescaped(word.text)?, &mut out)?,
            Rest => out.extend_from_slice(&unescaped(word.text)?),
            Strings => {
                push_string(&unescaped(word.text)?, &mut out)?;
                for word in words.by_ref() {
                    push_string(&unescaped(word.text)?, &mut out)?;
                }
            }
        }
    }
    match words.next() {
        Some(word) => Err(format!("`{}` is one word too many", word.text)),
        None => Ok(out),
    }
}

/// Data of any type (RFC 3597 5).
fn generic(length: &str, digits: &[Word<'_>]) -> Result<Vec<u8>, String> {
    let digits: String = digits.iter().map(|word| word.text).collect();
    let octet = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let pairs = digits.as_bytes().chunks(2).filter(|pair| pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit));
    let data: Vec<u8> = pairs.filter_map(octet).collect();
    if digits.len() != 2 * data.len() || number::<u16>(length)? as usize != data.len() {
        return Err(format!("`{digits}` are not {length} octets in hexadecimal digits"));
    }
    Ok(data)
}

/// The words of a line: white space parts them, quotes keep it together, a backslash goes with what is behind it.
fn words_of(line: &str) -> Result<Vec<Word<'_>>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() {
        let (word, quoted, behind) = match rest.strip_prefix('"') {
            Some(inside) => {
                let end = end_of(inside, |octet| octet == b'"').ok_or("a quote is not closed")?;
                (&inside[..end], true, &inside[end + 1..])
            }
            None => {
                let end = end_of(rest, |octet| octet.is_ascii_whitespace()).unwrap_or(rest.len());
                (&rest[..end], false, &rest[end..])
            }
        };
        words.push(Word { text: word, quoted });
        rest = behind.trim_ascii_start();
    }
    Ok(words)
}

/// Where the first octet of this kind is that no backslash stands before.
fn end_of(text: &str, ends: impl Fn(u8) -> bool) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|octet| {
        let found = !escaped && ends(octet);
        escaped = !escaped && octet == b'\\';
        found
    })
}

/// A text without its escapes: `\"`, `\065`.
fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&octet, behind)) = rest.split_first() {
        rest = behind;
        if octet != b'\\' {
            out.push(octet);
            continue;
        }
        match behind {
            [a, b, c, tail @ ..] if [a, b, c].iter().all(|digit| digit.is_ascii_digit()) => {
                let value = [a, b, c].iter().fold(0u16, |sum, digit| sum * 10 + u16::from(**digit - b'0'));
                out.push(u8::try_from(value).map_err(|_| format!("`{text}` has a broken escape"))?);
                rest = tail;
            }
            [other, tail @ ..] => {
                out.push(*other);
                rest = tail;
            }
            [] => return Err(format!("`{text}` has a broken escape")),
        }
    }
    Ok(out)
}

fn push_string(string: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let length = u8::try_from(string.len()).map_err(|_| format!("a string has {} octets, more than {MAX_STRING}", string.len()))?;
    out.push(length);
    out.extend_from_slice(string);
    Ok(())
}

fn absolute(text: &str) -> Result<Box<[u8]>, String> {
    let (mut wire, _) = name::labels_of_text(text).map_err(|why| format!("`{text}` {why}"))?;
    wire.push(0);
    Ok(wire.into())
}

fn class_number(text: &str) -> Option<u16> {
    match text.to_ascii_uppercase().as_str() {
        "IN" => Some(1),
        "CH" => Some(3),
        "HS" => Some(4),
        "ANY" => Some(255),
        _ => None,
    }
}

/// A TTL: seconds, or numbers with units, `1h30m`.
fn seconds(text: &str) -> Option<u32> {
    let (mut sum, mut number) = (0u32, None::<u32>);
    for octet in text.bytes() {
        if octet.is_ascii_digit() {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(u32::from(octet - b'0'))?);
            continue;
        }
        let unit = match octet.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        sum = sum.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    match number {
        Some(rest) => sum.checked_add(rest),
        None => (!text.is_empty()).then_some(sum),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no number that fits there"))
}

fn no(word: &Word<'_>, what: &str) -> String {
    format!("`{}` is no {what}", word.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::read_message;

    /// What a message with this record alone says that it is.
    fn read_back(line: &str) -> String {
        let record = Record::parse(line, 30).unwrap_or_else(|why| panic!("{line}: {why}"));
        let mut message = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        record.write(&mut message);
        let read = read_message(&message).unwrap();
        let [record] = &read.answer[..] else { panic!("{read:?}") };
        format!("{} {} {} {}", record.name, record.ttl, record.rtype, record.data)
    }

    #[test]
    fn records_are_read_as_they_are_written() {
        for (line, read) in [
            ("www.example.org. 60 IN A 192.0.2.1", "www.example.org. 60 A 192.0.2.1"),
            ("www.example.org A 192.0.2.1", "www.example.org. 30 A 192.0.2.1"),
            (". IN 1h30m AAAA 2001:db8::1", ". 5400 AAAA 2001:db8::1"),
            ("a. in cname b.", "a. 30 CNAME b."),
            ("a. 5 MX 10 mail.a.", "a. 5 MX 10 mail.a."),
            ("a. 5 SRV 1 2 53 ns.a.", "a. 5 SRV 1 2 53 ns.a."),
            ("a. 5 TXT \"two words\" three \"\\\"4\\\"\"", "a. 5 TXT \"two words\" \"three\" \"\\\"4\\\"\""),
            ("a. 5 SOA ns.a. host.a. 1 2h 3 4 5m", "a. 5 SOA ns.a. host.a. 1 7200 3 4 300"),
            ("a. 5 TYPE700 \\# 3 0aFF 10", "a. 5 TYPE700 \\# 3 0aff10"),
            ("a. 5 CAA 0 issue \"ca.example\"", "a. 5 CAA \\# 17 000569737375656361 2e6578616d706c65"),
        ] {
            assert_eq!(read_back(line).replace(' ', ""), read.replace(' ', ""), "{line}");
        }
    }

    #[test]
    fn what_is_no_record_is_told() {
        for (line, why) in [
            ("", "there is no record"),
            ("a.", "there is no type"),
            ("a. 5 IN", "there is no type"),
            ("a. 5 IN NOSUCH x", "`NOSUCH` is no record type"),
            ("a. A 192.0.2.256", "`192.0.2.256` is no IPv4 address"),
            ("a. A 192.0.2.1 x", "`x` is one word too many"),
            ("a. MX mail.a.", "`mail.a.` is no number that fits there"),
            ("a. MX 70000 mail.a.", "`70000` is no number that fits there"),
            ("a. MX 1", "its data is not complete"),
            ("a..b. A 192.0.2.1", "`a..b.` has an empty label"),
            ("a. TXT \"open", "a quote is not closed"),
            ("a. TYPE9 \\# 2 00", "`00` are not 2 octets in hexadecimal digits"),
            ("a. TYPE9 \\# 1 é", "`é` are not 1 octets in hexadecimal digits"),
            ("a. DS x", "this type has no text here: write its data as \\# LENGTH HEX"),
        ] {
            assert_eq!(Record::parse(line, 30).err().as_deref(), Some(why), "{line}");
        }
        assert!(Record::parse(&format!("a. TXT {}", "x".repeat(256)), 1).is_err());
    }
}
