//! Messages as text, for those who explain and watch: type names, records, sections.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use crate::name;
use crate::wire::{HEADER, rtype};

/// A record as text.
#[derive(Debug, Serialize, PartialEq, Eq, Clone)]
pub struct Record {
    /// Owner, absolute.
    pub name: String,
    /// Seconds.
    pub ttl: u32,
    /// Type name.
    #[serde(rename = "type")]
    pub rtype: String,
    /// Data as in a zone file.
    pub data: String,
}

/// A message as text.
#[derive(Debug, Serialize, Default, PartialEq, Eq, Clone)]
pub struct Message {
    /// Name asked for.
    pub name: String,
    /// Type asked for.
    #[serde(rename = "type")]
    pub qtype: String,
    /// Response code.
    pub rcode: String,
    /// Flags that are set.
    pub flags: Vec<&'static str>,
    /// Answer section.
    pub answer: Vec<Record>,
    /// Authority section.
    pub authority: Vec<Record>,
    /// Additional section, without OPT.
    pub additional: Vec<Record>,
}

const TYPES: &[(u16, &str)] = &[
    (1, "A"),
    (2, "NS"),
    (3, "MD"),
    (4, "MF"),
    (5, "CNAME"),
    (6, "SOA"),
    (7, "MB"),
    (8, "MG"),
    (9, "MR"),
    (10, "NULL"),
    (12, "PTR"),
    (13, "HINFO"),
    (14, "MINFO"),
    (15, "MX"),
    (16, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (19, "X25"),
    (20, "ISDN"),
    (21, "RT"),
    (23, "NSAP-PTR"),
    (24, "SIG"),
    (25, "KEY"),
    (26, "PX"),
    (27, "GPOS"),
    (28, "AAAA"),
    (29, "LOC"),
    (30, "NXT"),
    (31, "EID"),
    (32, "NIMLOC"),
    (33, "SRV"),
    (34, "ATMA"),
    (35, "NAPTR"),
    (36, "KX"),
    (37, "CERT"),
    (39, "DNAME"),
    (41, "OPT"),
    (42, "APL"),
    (43, "DS"),
    (44, "SSHFP"),
    (45, "IPSECKEY"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (49, "DHCID"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (52, "TLSA"),
    (53, "SMIMEA"),
    (55, "HIP"),
    (56, "NINFO"),
    (57, "RKEY"),
    (58, "TALINK"),
    (59, "CDS"),
    (60, "CDNSKEY"),
    (61, "OPENPGPKEY"),
    (62, "CSYNC"),
    (63, "ZONEMD"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (99, "SPF"),
    (100, "UINFO"),
    (101, "UID"),
    (102, "GID"),
    (103, "UNSPEC"),
    (104, "NID"),
    (105, "L32"),
    (106, "L64"),
    (107, "LP"),
    (108, "EUI48"),
    (109, "EUI64"),
    (128, "NXNAME"),
    (249, "TKEY"),
    (250, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (253, "MAILB"),
    (254, "MAILA"),
    (255, "ANY"),
    (256, "URI"),
    (257, "CAA"),
    (258, "AVC"),
    (260, "AMTRELAY"),
    (261, "RESINFO"),
    (32768, "TA"),
    (32769, "DLV"),
];

const CLASSES: &[(u16, &str)] = &[(1, "IN"), (2, "CS"), (3, "CH"), (4, "HS"), (254, "NONE")];

const RCODES: &[&str] =
    &["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"];

/// From 16 on (RFC 6895 2.3).
const EXTENDED_RCODES: &[&str] = &["BADVERS", "BADKEY", "BADTIME", "BADMODE", "BADNAME", "BADALG", "BADTRUNC", "BADCOOKIE"];

/// The name of a type, `TYPE123` for those without one (RFC 3597).
pub struct TypeName(pub u16);

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match TYPES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

/// The same as a text of its own.
pub fn type_name(rtype: u16) -> String {
    TypeName(rtype).to_string()
}

/// The name of a class. 255 has none here: ANY is a type, and in a line of the log both stand side by side.
pub struct ClassName(pub u16);

impl fmt::Display for ClassName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("IN"),
            3 => f.write_str("CH"),
            4 => f.write_str("HS"),
            254 => f.write_str("NONE"),
            other => write!(f, "CLASS{other}"),
        }
    }
}

/// The number of a type by its name.
pub fn type_number(name: &str) -> Option<u16> {
    let upper = name.to_ascii_uppercase();
    let known = TYPES.iter().find(|(_, known)| *known == upper).map(|(number, _)| *number);
    known.or_else(|| upper.strip_prefix("TYPE")?.parse().ok())
}

/// The name of a class, `CLASS123` for those without one (RFC 3597). ANY is the name of a type, and in a line both may stand side by side.
pub fn class_name(class: u16) -> String {
    CLASSES.iter().find(|(number, _)| *number == class).map_or_else(|| format!("CLASS{class}"), |(_, name)| (*name).to_owned())
}

/// The number of a class by its name.
pub fn class_number(name: &str) -> Option<u16> {
    let upper = name.to_ascii_uppercase();
    let known = CLASSES.iter().find(|(_, known)| *known == upper).map(|(number, _)| *number);
    known.or_else(|| upper.strip_prefix("CLASS")?.parse().ok())
}

/// The name of a response code.
pub fn rcode_name(rcode: u16) -> String {
    let known = match rcode {
        0..16 => RCODES.get(usize::from(rcode)),
        _ => EXTENDED_RCODES.get(usize::from(rcode) - 16),
    };
    known.map_or_else(|| format!("RCODE{rcode}"), |name| (*name).to_owned())
}

/// Reads a message; None where it is malformed.
pub fn read_message(message: &[u8]) -> Option<Message> {
    let header = message.get(..HEADER)?;
    let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let flag = |octet: usize, bit: u8, name: &'static str| (header[octet] & bit != 0).then_some(name);
    let mut read = Message {
        flags: [
            flag(2, 0x80, "qr"),
            flag(2, 4, "aa"),
            flag(2, 2, "tc"),
            flag(2, 1, "rd"),
            flag(3, 0x80, "ra"),
            flag(3, 0x20, "ad"),
            flag(3, 0x10, "cd"),
        ]
        .into_iter()
        .flatten()
        .collect(),
        ..Message::default()
    };
    let mut rcode = u16::from(header[3] & 0x0f);
    let mut at = HEADER;
    for _ in 0..count(4) {
        let name;
        (name, at) = read_name(message, at)?;
        let fixed: &[u8; 4] = message.get(at..)?.first_chunk()?;
        (read.name, read.qtype) = (name, type_name(u16::from_be_bytes([fixed[0], fixed[1]])));
        at += 4;
    }
    for section in 0..3 {
        for _ in 0..count(6 + 2 * section) {
            let owner;
            (owner, at) = read_name(message, at)?;
            let fixed: &[u8; 10] = message.get(at..)?.first_chunk()?;
            let rtype = u16::from_be_bytes([fixed[0], fixed[1]]);
            let ttl = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
            let length = u16::from_be_bytes([fixed[8], fixed[9]]) as usize;
            at += 10;
            let data = message.get(at..at + length)?;
            if rtype == rtype::OPT {
                rcode |= u16::from(fixed[4]) << 4;
            } else {
                let record = Record { name: owner, ttl, rtype: type_name(rtype), data: data_text(message, at, rtype, data)? };
                [&mut read.answer, &mut read.authority, &mut read.additional][section].push(record);
            }
            at += length;
        }
    }
    read.rcode = rcode_name(rcode);
    Some(read)
}

/// A name that may be compressed, and where it ends. Pointers only lead backwards, so it ends.
fn read_name(message: &[u8], start: usize) -> Option<(String, usize)> {
    let mut wire = Vec::new();
    let (mut at, mut end, mut lowest) = (start, None, start);
    loop {
        match *message.get(at)? as usize {
            0 => break,
            length @ 1..=63 => {
                wire.extend_from_slice(message.get(at..at + 1 + length)?);
                at += 1 + length;
                if wire.len() > name::MAX_NAME {
                    return None;
                }
            }
            high @ 0xc0.. => {
                end.get_or_insert(at + 2);
                at = (high & 0x3f) << 8 | *message.get(at + 1)? as usize;
                if at >= lowest {
                    return None;
                }
                lowest = at;
            }
            _ => return None,
        }
    }
    Some((name::Display(&wire).to_string(), end.unwrap_or(at + 1)))
}

/// The data of a record as a zone file has it; names in it are not compressed. None where it is malformed.
pub fn data(rtype: u16, data: &[u8]) -> Option<String> {
    data_text(data, 0, rtype, data)
}

fn data_text(message: &[u8], at: usize, rtype: u16, data: &[u8]) -> Option<String> {
    let word = |offset: usize| Some(u16::from_be_bytes([*data.get(offset)?, *data.get(offset + 1)?]));
    Some(match rtype {
        rtype::A => Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string(),
        rtype::AAAA => Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string(),
        rtype::CNAME | rtype::NS | rtype::PTR => read_name(message, at)?.0,
        rtype::MX => format!("{} {}", word(0)?, read_name(message, at + 2)?.0),
        rtype::SRV => format!("{} {} {} {}", word(0)?, word(2)?, word(4)?, read_name(message, at + 6)?.0),
        rtype::SOA => {
            let (mname, next) = read_name(message, at)?;
            let (rname, next) = read_name(message, next)?;
            let numbers: Vec<String> = message
                .get(next..at + data.len())?
                .chunks_exact(4)
                .map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]).to_string())
                .collect();
            format!("{mname} {rname} {}", numbers.join(" "))
        }
        rtype::TXT => {
            let mut rest = data;
            let mut strings = Vec::new();
            while let Some((&length, tail)) = rest.split_first() {
                let (string, next) = tail.split_at_checked(length as usize)?;
                strings.push(format!("\"{}\"", string.escape_ascii()));
                rest = next;
            }
            strings.join(" ")
        }
        _ => {
            let hex: String = data.iter().map(|octet| format!("{octet:02x}")).collect();
            format!("\\# {} {hex}", data.len())
        }
    })
}
