//! Reading an upstream's reply: is it one to our question, and what does it say? It is a stranger's message: every step is bounded.

use crate::answer::{Answer, BytesRef, NameRef, QNAME, Rdata, ReplyEdns, Rr};
use crate::name::{self, MAX_NAME};
use crate::rdata::names_inside;
use crate::text::{ClassName, TypeName};
use crate::wire::{CLASS_IN, HEADER, QName, are_options, rtype};
use crate::zone::Asked;

/// The most pointers that are followed for one name.
const MAX_POINTERS: usize = 64;
/// The most octets that a reply may become when its names are written out.
const MAX_EXPANDED: usize = 512 * 1024;

/// What is asked; a reply must ask the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The name, lower case.
    pub lower: Box<[u8]>,
    /// The type.
    pub qtype: u16,
    /// The class.
    pub qclass: u16,
}

/// What a message with the right id from the right place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A reply to our question, whose records begin at this octet.
    Reply(usize),
    /// Another question's reply, or none at all.
    Foreign(Foreign),
    /// It cannot be read.
    Garbled(&'static str),
}

/// Why a message is no reply to our question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// It is a query.
    Query,
    /// It has so many questions, not one.
    Questions(u16),
    /// It answers another one.
    Question,
}

/// What the header says, as far as it matters before the records are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The lower bits of the response code.
    pub rcode: u16,
    /// Truncated.
    pub tc: bool,
    /// Records in the answer section.
    pub answers: u16,
}

/// Looks at header and question.
pub fn kind_of(message: &[u8], expected: &Expected) -> Kind {
    if message[2] & 0x80 == 0 {
        return Kind::Foreign(Foreign::Query);
    }
    let questions = word(message, 4);
    if questions != 1 {
        return Kind::Foreign(Foreign::Questions(questions));
    }
    let Some(name) = QName::parse(&message[HEADER..]) else { return Kind::Garbled("its question has no name") };
    let end = HEADER + name.wire().len() + 4;
    if message.len() < end {
        return Kind::Garbled("its question is cut");
    }
    let fits = *name.wire() == *expected.lower && word(message, end - 4) == expected.qtype && word(message, end - 2) == expected.qclass;
    if fits { Kind::Reply(end) } else { Kind::Foreign(Foreign::Question) }
}

/// Says what a foreign message is; it was looked at by [`kind_of`].
pub fn tell_foreign(message: &[u8], foreign: Foreign) -> String {
    let name = match foreign {
        Foreign::Query => return "it sent a query, not a reply".to_owned(),
        Foreign::Questions(count) => return format!("the reply has {count} questions"),
        Foreign::Question => &message[HEADER..],
    };
    let end = HEADER + name::length(name);
    let (name, qtype, qclass) = (name::Display(&message[HEADER..end]), TypeName(word(message, end)), word(message, end + 2));
    let class = if qclass == CLASS_IN { String::new() } else { format!(" in class {}", ClassName(qclass)) };
    format!("the reply answers another question: {name} {qtype}{class}")
}

/// What the header says.
pub fn head_of(message: &[u8]) -> Head {
    Head { rcode: u16::from(message[3] & 0x0f), tc: message[2] & 0x02 != 0, answers: word(message, 6) }
}

/// Reads a reply, whose records begin at `start`, into the answer to `asked`.
pub fn read(message: &[u8], start: usize, asked: &Asked<'_>, answer: &mut Answer) -> Result<(), &'static str> {
    let echoed = &message[HEADER..start - 4];
    let mut reader = Reader {
        message,
        at: start,
        name: Vec::with_capacity(MAX_NAME),
        owner: (echoed == asked.name).then_some(asked.owner),
        last: (usize::MAX, QNAME),
        expanded: 0,
    };
    answer.rcode = u16::from(message[3] & 0x0f);
    (answer.aa, answer.tc) = (message[2] & 0x04 != 0, message[2] & 0x02 != 0);
    (answer.ra, answer.ad) = (message[3] & 0x80 != 0, message[3] & 0x20 != 0);
    answer.rd_cd = Some((message[2] & 0x01 != 0, message[3] & 0x10 != 0));
    (answer.cacheable, answer.foreign) = (true, true);
    for section in 0..3 {
        for _ in 0..word(message, 6 + 2 * section) {
            let Some(rr) = reader.record(answer)? else { continue };
            match section {
                0 => answer.answer.push(rr),
                1 => answer.authority.push(rr),
                _ => answer.additional.push(rr),
            }
        }
    }
    Ok(())
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
    /// The name that was read last, written out.
    name: Vec<u8>,
    /// What a pointer to the question means.
    owner: Option<NameRef>,
    /// The owner name that was read last: where its first octet or pointer leads, and what it became.
    last: (usize, NameRef),
    expanded: usize,
}

impl Reader<'_> {
    /// The next record; none for OPT, which goes into the answer's own place.
    fn record(&mut self, answer: &mut Answer) -> Result<Option<Rr>, &'static str> {
        let owner_at = self.at;
        let owner = self.owner(answer)?;
        let fixed: &[u8; 10] = self.message.get(self.at..).and_then(|rest| rest.first_chunk()).ok_or("a record is cut")?;
        let (rtype, class) = (u16::from_be_bytes([fixed[0], fixed[1]]), u16::from_be_bytes([fixed[2], fixed[3]]));
        let ttl = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
        let start = self.at + 10;
        let end = start + u16::from_be_bytes([fixed[8], fixed[9]]) as usize;
        let data = self.message.get(start..end).ok_or("a record's data is cut")?;
        self.at = end;
        if rtype == rtype::OPT {
            if !are_options(data) {
                return Err("its EDNS options are cut");
            }
            if self.message[owner_at] == 0 && answer.edns.is_none() {
                let options = answer.keep(data);
                answer.edns = Some(ReplyEdns { size: class, dnssec_ok: fixed[6] & 0x80 != 0, options });
                answer.rcode |= u16::from(fixed[4]) << 4;
            }
            return Ok(None);
        }
        // The first bit set makes a TTL zero (RFC 2181 8).
        let ttl = if ttl > i32::MAX as u32 { 0 } else { ttl };
        let rdata = self.rdata(rtype, class, start, data, answer)?;
        Ok(Some(Rr { owner, rtype, class, ttl, rdata }))
    }

    fn owner(&mut self, answer: &mut Answer) -> Result<NameRef, &'static str> {
        let pointer = match self.message.get(self.at..).and_then(|rest| rest.first_chunk::<2>()) {
            Some(&[high, low]) if high >= 0xc0 => Some(((high & 0x3f) as usize) << 8 | low as usize),
            _ => None,
        };
        let known = match pointer {
            Some(HEADER) if self.owner.is_some() => self.owner,
            Some(target) if target == self.last.0 => Some(self.last.1),
            _ => None,
        };
        if let Some(known) = known {
            self.at += 2;
            return Ok(known);
        }
        let begins = pointer.unwrap_or(self.at);
        self.at = self.read_name(self.at)?;
        let owner = self.intern(answer)?;
        self.last = (begins, owner);
        Ok(owner)
    }

    fn rdata(&mut self, rtype: u16, class: u16, start: usize, data: &[u8], answer: &mut Answer) -> Result<Rdata, &'static str> {
        match (rtype, data.len()) {
            (rtype::A, 4) if class == CLASS_IN => return Ok(Rdata::A([data[0], data[1], data[2], data[3]])),
            (rtype::AAAA, 16) if class == CLASS_IN => return Ok(Rdata::Aaaa(data.try_into().map_err(|_| "an address is cut")?)),
            (rtype::A | rtype::AAAA, _) if class == CLASS_IN => return Err("an address has the wrong length"),
            (rtype::TXT, _) if !is_strings(data) => return Err("a text has the wrong length"),
            (rtype::CNAME | rtype::NS | rtype::PTR, _) => {
                let next = self.read_name(start)?;
                self.ends(next, start + data.len())?;
                return Ok(Rdata::Name(self.intern(answer)?));
            }
            (rtype::SOA, _) => {
                let next = self.read_name(start)?;
                let mname = self.intern(answer)?;
                let next = self.read_name(next)?;
                let rname = self.intern(answer)?;
                self.ends(next + 20, start + data.len())?;
                let number = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|octet| self.message[next + 4 * at + octet]));
                return Ok(Rdata::Soa { mname, rname, numbers: [0, 1, 2, 3, 4].map(number) });
            }
            _ => {}
        }
        let Some((fixed, strings, names)) = names_inside(rtype) else { return Ok(Rdata::Opaque(self.keep(data, answer)?)) };
        // Their names may point into the message (RFC 3597 4): they are written out.
        let mut at = start + fixed;
        for _ in 0..strings {
            at += 1 + *self.message.get(at).ok_or("a string is cut")? as usize;
        }
        let mut whole = self.message.get(start..at).ok_or("a record's data is cut")?.to_vec();
        for _ in 0..names {
            at = self.read_name(at)?;
            whole.extend_from_slice(&self.name);
        }
        self.ends(at, start + data.len())?;
        Ok(Rdata::Opaque(self.keep(&whole, answer)?))
    }

    fn ends(&self, at: usize, end: usize) -> Result<(), &'static str> {
        if at == end { Ok(()) } else { Err("a record's data has the wrong length") }
    }

    /// Reads the name at `start` into `self.name`, and says where the message goes on. Pointers lead backwards only.
    fn read_name(&mut self, start: usize) -> Result<usize, &'static str> {
        self.name.clear();
        let (mut at, mut end, mut lowest, mut pointers) = (start, None, start, 0);
        loop {
            let length = *self.message.get(at).ok_or("a name is cut")? as usize;
            match length {
                0 => break,
                1..=63 => {
                    self.name.extend_from_slice(self.message.get(at..at + 1 + length).ok_or("a name is cut")?);
                    at += 1 + length;
                    if self.name.len() >= MAX_NAME {
                        return Err("a name is too long");
                    }
                }
                0xc0.. => {
                    end.get_or_insert(at + 2);
                    at = (length & 0x3f) << 8 | *self.message.get(at + 1).ok_or("a name is cut")? as usize;
                    pointers += 1;
                    if at >= lowest || at < HEADER || pointers > MAX_POINTERS {
                        return Err("a name's pointers lead nowhere");
                    }
                    lowest = at;
                }
                _ => return Err("a label is of no known kind"),
            }
        }
        self.name.push(0);
        Ok(end.unwrap_or(at + 1))
    }

    fn intern(&mut self, answer: &mut Answer) -> Result<NameRef, &'static str> {
        self.grow(self.name.len())?;
        Ok(answer.intern(&[&self.name]))
    }

    fn keep(&mut self, octets: &[u8], answer: &mut Answer) -> Result<BytesRef, &'static str> {
        self.grow(octets.len())?;
        Ok(answer.keep(octets))
    }

    fn grow(&mut self, octets: usize) -> Result<(), &'static str> {
        self.expanded += octets;
        if self.expanded > MAX_EXPANDED { Err("its names are too many") } else { Ok(()) }
    }
}

fn is_strings(mut data: &[u8]) -> bool {
    while let Some((length, rest)) = data.split_first() {
        let Some(rest) = rest.get(*length as usize..) else { return false };
        data = rest;
    }
    true
}

fn word(message: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([message[at], message[at + 1]])
}
