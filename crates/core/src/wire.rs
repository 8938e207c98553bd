//! A query's header, question and EDNS (RFC 1035 4, RFC 6891): parsed in one bounded pass, nothing allocated.

use std::ops::Range;

use crate::name::MAX_NAME;

/// Record types that the core knows by name (RFC 1035, 3596, 2782 ...).
pub mod rtype {
    #![allow(missing_docs)]
    pub const A: u16 = 1;
    pub const NS: u16 = 2;
    pub const CNAME: u16 = 5;
    pub const SOA: u16 = 6;
    pub const PTR: u16 = 12;
    pub const HINFO: u16 = 13;
    pub const MX: u16 = 15;
    pub const TXT: u16 = 16;
    pub const RP: u16 = 17;
    pub const AFSDB: u16 = 18;
    pub const AAAA: u16 = 28;
    pub const SRV: u16 = 33;
    pub const NAPTR: u16 = 35;
    pub const DNAME: u16 = 39;
    pub const OPT: u16 = 41;
    pub const DS: u16 = 43;
    pub const SSHFP: u16 = 44;
    pub const RRSIG: u16 = 46;
    pub const NSEC: u16 = 47;
    pub const NSEC3: u16 = 50;
    pub const TLSA: u16 = 52;
    pub const SVCB: u16 = 64;
    pub const HTTPS: u16 = 65;
    pub const SPF: u16 = 99;
    pub const IXFR: u16 = 251;
    pub const AXFR: u16 = 252;
    pub const ANY: u16 = 255;
    pub const URI: u16 = 256;
    pub const CAA: u16 = 257;
}

/// Response codes (RFC 1035 4.1.1, RFC 6891 9).
pub mod rcode {
    #![allow(missing_docs)]
    pub const NOERROR: u16 = 0;
    pub const FORMERR: u16 = 1;
    pub const SERVFAIL: u16 = 2;
    pub const NXDOMAIN: u16 = 3;
    pub const NOTIMP: u16 = 4;
    pub const REFUSED: u16 = 5;
    pub const BADVERS: u16 = 16;
}

/// The class of the Internet.
pub const CLASS_IN: u16 = 1;
/// Any class: in questions only.
pub const CLASS_ANY: u16 = 255;
/// Octets of a message's header.
pub const HEADER: usize = 12;
/// Octets of an OPT record without options.
pub const OPT_LEN: usize = 11;

const QR: u8 = 0x80;
const AA: u8 = 0x04;
const TC: u8 = 0x02;
const RD: u8 = 0x01;
const RA: u8 = 0x80;
const AD: u8 = 0x20;
const CD: u8 = 0x10;
const OPCODE_QUERY: u8 = 0;
const OPCODE_NOTIFY: u8 = 4;

/// A client's EDNS record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns {
    /// The largest UDP message that the client takes.
    pub size: u16,
    /// EDNS version; we know 0.
    pub version: u8,
    /// The client wants DNSSEC records.
    pub dnssec_ok: bool,
}

/// What is wanted of a name: the part of a query that ops may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// 0 is a query, 4 a NOTIFY.
    pub opcode: u8,
    /// Authoritative answer and recursion available: they mean nothing in a question, but an op may set them for upstreams.
    pub aa: bool,
    /// See `aa`.
    pub ra: bool,
    /// Recursion desired.
    pub rd: bool,
    /// Checking disabled.
    pub cd: bool,
    /// The client understands AD (RFC 6840 5.7).
    pub ad: bool,
    /// Record type asked for.
    pub qtype: u16,
    /// Class asked for.
    pub qclass: u16,
    /// The client's EDNS, if it sent any.
    pub edns: Option<Edns>,
}

/// A query that can be answered.
#[derive(Clone, Debug)]
pub struct Query {
    /// Message id.
    pub id: u16,
    /// What is wanted.
    pub request: Request,
    /// Where the options of that EDNS are in the message.
    pub options: Range<usize>,
    /// The name in lower case.
    pub name: QName,
    /// Where the question ends in the message; it begins behind the header.
    pub question_end: usize,
}

/// The question's name in lower case.
#[derive(Clone, Debug)]
pub struct QName {
    octets: [u8; MAX_NAME],
    length: u8,
}

impl QName {
    /// A name from its wire form, lower-cased. None where it is not a whole name (too long, cut, a pointer inside).
    pub fn parse(message: &[u8]) -> Option<QName> {
        let mut at = 0;
        loop {
            let length = *message.get(at)? as usize;
            if length == 0 {
                break;
            }
            at += 1 + length;
            // The root must still fit, so a name has at most 127 labels.
            if length & 0xc0 != 0 || at >= MAX_NAME {
                return None;
            }
        }
        let mut name = QName { octets: [0; MAX_NAME], length: at as u8 + 1 };
        // One pass: copying first and lower-casing the copy would wait for the copy's wide stores.
        for (lower, octet) in name.octets.iter_mut().zip(message.get(..=at)?) {
            *lower = octet.to_ascii_lowercase();
        }
        Some(name)
    }

    /// The whole name, the root included.
    pub fn wire(&self) -> &[u8] {
        &self.octets[..self.length as usize]
    }
}

/// What a message is.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "it lives for one match on the stack; a box would cost an allocation a query")]
pub enum Parsed {
    /// A question to answer.
    Query(Query),
    /// Only an error can be said; the id and flags are in the header.
    Error(u16),
    /// Nothing may be said: no header, or itself a response.
    Silence,
}

/// Reads a message as a server does (behaviour as recorded from CoreDNS 1.14.7: `header-*`).
pub fn parse(message: &[u8]) -> Parsed {
    if message.len() < HEADER || message[2] & QR != 0 {
        return Parsed::Silence;
    }
    let opcode = message[2] >> 3 & 0x0f;
    if opcode != OPCODE_QUERY && opcode != OPCODE_NOTIFY {
        return Parsed::Error(rcode::NOTIMP);
    }
    let count = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    if count(4) != 1 {
        return Parsed::Error(rcode::FORMERR);
    }
    if message.len() == HEADER {
        return Parsed::Error(rcode::SERVFAIL);
    }
    let Some(name) = QName::parse(&message[HEADER..]) else { return Parsed::Error(rcode::FORMERR) };
    let question_end = HEADER + name.wire().len() + 4;
    if message.len() < question_end {
        return Parsed::Error(rcode::FORMERR);
    }
    let word = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    let records = u32::from(count(6)) + u32::from(count(8)) + u32::from(count(10));
    let (edns, options) = if records == 0 {
        (None, 0..0)
    } else {
        match edns_of(message, question_end, records) {
            Some(found) => found,
            None => return Parsed::Error(rcode::FORMERR),
        }
    };
    Parsed::Query(Query {
        id: word(0),
        request: Request {
            opcode,
            aa: false,
            ra: false,
            rd: message[2] & RD != 0,
            cd: message[3] & CD != 0,
            ad: message[3] & AD != 0,
            qtype: word(question_end - 4),
            qclass: word(question_end - 2),
            edns,
        },
        options,
        name,
        question_end,
    })
}

/// The first OPT among the `count` records from `start` on, and where its options are; None where the records cannot be walked.
/// Every record has at least 11 octets, so the walk is bounded by the message, whatever the header claims.
fn edns_of(message: &[u8], start: usize, count: u32) -> Option<(Option<Edns>, Range<usize>)> {
    let mut rest = &message[start..];
    let mut found = (None, 0..0);
    for _ in 0..count {
        let root_owner = rest.first() == Some(&0);
        rest = skip_name(rest)?;
        let fixed: &[u8; 10] = rest.first_chunk()?;
        let rtype = u16::from_be_bytes([fixed[0], fixed[1]]);
        let length = u16::from_be_bytes([fixed[8], fixed[9]]) as usize;
        rest = rest.get(10 + length..)?;
        if rtype == rtype::OPT && root_owner && found.0.is_none() {
            let edns = Edns { size: u16::from_be_bytes([fixed[2], fixed[3]]), version: fixed[5], dnssec_ok: fixed[6] & 0x80 != 0 };
            let end = message.len() - rest.len();
            found = (Some(edns), end - length..end);
            if !are_options(&message[end - length..end]) {
                return None;
            }
        }
    }
    Some(found)
}

/// Whether the data of an OPT record is whole options (RFC 6891 6.1.2).
pub fn are_options(mut data: &[u8]) -> bool {
    while let Some((&[_, _, high, low], tail)) = data.split_first_chunk() {
        let Some(next) = tail.get(u16::from_be_bytes([high, low]) as usize..) else { return false };
        data = next;
    }
    data.is_empty()
}

/// What follows a name that may end in a compression pointer; the pointer itself is not followed.
fn skip_name(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let (&length, tail) = rest.split_first()?;
        match length {
            0 => return Some(tail),
            1..=63 => rest = tail.get(length as usize..)?,
            0xc0.. => return tail.get(1..),
            _ => return None,
        }
    }
}

/// Writes a header-only reply for what cannot be parsed: id and RD kept, the rest cleared.
pub fn write_error(message: &[u8], rcode: u16, reply: &mut Vec<u8>) {
    reply.clear();
    reply.extend_from_slice(&message[..2]);
    reply.push(QR | message[2] & (0x78 | RD));
    reply.push(message[3] & CD | rcode as u8);
    reply.extend_from_slice(&[0; 8]);
}

/// The flags of a reply that are not the question's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Authoritative answer.
    pub aa: bool,
    /// Truncated.
    pub tc: bool,
    /// Recursion available.
    pub ra: bool,
    /// Authenticated data.
    pub ad: bool,
    /// RD and CD as an upstream returned them; without them the question's come back.
    pub rd_cd: Option<(bool, bool)>,
}

/// The flag octets of a reply.
pub fn flags(query: &Request, flags: Flags, rcode: u16) -> [u8; 2] {
    let set = |bit: u8, on: bool| if on { bit } else { 0 };
    let of_query = query.opcode == OPCODE_QUERY;
    let (rd, cd) = flags.rd_cd.unwrap_or((query.rd && of_query, query.cd && of_query));
    [
        QR | query.opcode << 3 | set(AA, flags.aa) | set(TC, flags.tc) | set(RD, rd),
        set(RA, flags.ra) | set(AD, flags.ad) | set(CD, cd) | (rcode & 0x0f) as u8,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &[u8] = b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01A\x07Example\x03org\x00\x00\x01\x00\x01";

    fn query(message: &[u8]) -> Query {
        match parse(message) {
            Parsed::Query(query) => query,
            other => panic!("{other:?}"),
        }
    }

    fn error(message: &[u8]) -> u16 {
        match parse(message) {
            Parsed::Error(rcode) => rcode,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_question_is_read_in_lower_case() {
        let query = query(QUESTION);
        assert_eq!(query.name.wire(), b"\x01a\x07example\x03org\x00");
        assert!(query.request.rd && query.request.edns.is_none());
    }

    #[test]
    fn g10_what_cannot_be_answered_gets_the_recorded_error() {
        assert!(matches!(parse(&QUESTION[..11]), Parsed::Silence));
        assert_eq!(error(&QUESTION[..12]), rcode::SERVFAIL);
        assert_eq!(error(&QUESTION[..20]), rcode::FORMERR);
        let with = |at: usize, octet: u8| {
            let mut message = QUESTION.to_vec();
            message[at] = octet;
            message
        };
        assert!(matches!(parse(&with(2, 0x81)), Parsed::Silence));
        assert_eq!(error(&with(2, 0x28)), rcode::NOTIMP);
        assert_eq!(error(&with(5, 0)), rcode::FORMERR);
        assert_eq!(error(&with(5, 2)), rcode::FORMERR);
        assert_eq!(error(&with(12, 0xc0)), rcode::FORMERR);
        assert_eq!(error(&with(11, 1)), rcode::FORMERR, "a record is announced and missing");
    }

    #[test]
    fn edns_is_found_behind_other_records() {
        let mut message = QUESTION.to_vec();
        message[9] = 1;
        message[11] = 1;
        message.extend_from_slice(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\x7f\x00\x00\x01");
        message.extend_from_slice(b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00");
        assert_eq!(query(&message).request.edns, Some(Edns { size: 1232, version: 0, dnssec_ok: true }));
    }

    #[test]
    fn the_longest_name_is_read_and_a_longer_one_refused() {
        let name = |labels: usize, last: usize| {
            let mut message = QUESTION[..12].to_vec();
            for _ in 0..labels {
                message.push(63);
                message.extend_from_slice(&[b'x'; 63]);
            }
            message.push(last as u8);
            message.extend(std::iter::repeat_n(b'y', last));
            message.extend_from_slice(b"\x00\x00\x01\x00\x01");
            message
        };
        assert_eq!(query(&name(3, 61)).name.wire().len(), 255);
        assert_eq!(error(&name(3, 62)), rcode::FORMERR);
        let mut most = QUESTION[..12].to_vec();
        for _ in 0..127 {
            most.extend_from_slice(b"\x01z");
        }
        most.extend_from_slice(b"\x00\x00\x01\x00\x01");
        assert_eq!(query(&most).name.wire().len(), 255);
    }
}
