//! The packed buffer in which data comes: the mirror of `src/clusterdns/zones.py`, each struct an array.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

/// A transaction.
#[derive(Debug, serde::Deserialize)]
pub struct ZoneChange<'a> {
    /// Names and what they hold from now on.
    #[serde(borrow)]
    pub owners: Vec<Owner<'a>>,
    /// The SOA's serial after it.
    pub serial: u32,
    /// Names and addresses that were not mentioned since the relist began are removed; it began with this change, if with none before.
    pub replace: bool,
    /// All data has been seen once.
    pub complete: bool,
    /// A relist in several changes begins.
    #[serde(default)]
    pub begins: bool,
    /// What is known of addresses from now on.
    #[serde(borrow, default)]
    pub addresses: Vec<AddressLabels<'a>>,
}

/// An address and the values of its labels; without any it is forgotten.
#[derive(Debug, serde::Deserialize)]
pub struct AddressLabels<'a>(pub &'a str, #[serde(borrow)] pub Vec<Option<&'a str>>);

/// All that one name holds.
#[derive(Debug, serde::Deserialize)]
pub struct Owner<'a> {
    /// Relative, lower case, text.
    pub name: &'a str,
    /// Who made it; explain gives it back.
    pub origin: u32,
    /// Nothing: the name is removed.
    #[serde(borrow)]
    pub data: Vec<Primitive<'a>>,
    /// Types for which the name answers as if it did not exist.
    pub absent: Vec<u16>,
}

/// The zone primitives.
#[derive(Debug)]
pub enum Primitive<'a> {
    /// Records of one type.
    RrSet {
        /// The type.
        rtype: u16,
        /// Seconds.
        ttl: u32,
        /// Text of each record.
        rdata: Vec<&'a str>,
    },
    /// A name with addresses and members below it.
    Members(MemberSet<'a>),
    /// Names with dashes below this one are addresses.
    Synthesis {
        /// Seconds.
        ttl: u32,
    },
    /// Only the name.
    Exists,
}

/// See `zones.py: MemberSet`.
#[derive(Debug)]
pub struct MemberSet<'a> {
    /// Seconds.
    pub ttl: u32,
    /// The owner's own addresses.
    pub addresses: Vec<&'a str>,
    /// The owner's own ports.
    pub ports: Vec<Port<'a>>,
    /// Members that share ports.
    pub groups: Vec<Group<'a>>,
    /// The owner answers its members too.
    pub listed: bool,
    /// No names below the owner and no PTR come from it.
    pub alone: bool,
}

/// A port: name, protocol, number (-1: no SRV).
#[derive(Debug, serde::Deserialize)]
pub struct Port<'a>(pub &'a str, pub &'a str, pub i32);

/// Ports, the members that have them, and the owner under which their names live, if it is another.
#[derive(Debug, serde::Deserialize)]
pub struct Group<'a>(#[serde(borrow)] pub Vec<Port<'a>>, #[serde(borrow)] pub Vec<Member<'a>>, pub &'a str);

/// Address or absolute name, and label.
#[derive(Debug, serde::Deserialize)]
pub struct Member<'a>(pub &'a str, pub &'a str);

/// What a transaction did.
#[derive(Debug, Default)]
pub struct Applied {
    /// Names whose data is another now.
    pub changed: usize,
    /// What was skipped, and why.
    pub problems: Vec<String>,
}

/// A buffer that is no transaction.
#[derive(Debug)]
pub struct ChangeError(String);

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a zone change: {}", self.0)
    }
}

impl std::error::Error for ChangeError {}

/// Reads the packed buffer; texts are borrowed from it.
pub fn decode_change(buffer: &[u8]) -> Result<ZoneChange<'_>, ChangeError> {
    rmp_serde::from_slice(buffer).map_err(|error| ChangeError(error.to_string()))
}

impl<'de: 'a, 'a> Deserialize<'de> for Primitive<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(PrimitiveVisitor)
    }
}

struct PrimitiveVisitor;

impl<'de> Visitor<'de> for PrimitiveVisitor {
    type Value = Primitive<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array that begins with rrset, members, synthesis or exists")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Primitive<'de>, S::Error> {
        let primitive = match next::<&str, S>(&mut seq)? {
            "rrset" => Primitive::RrSet { rtype: next(&mut seq)?, ttl: next(&mut seq)?, rdata: next(&mut seq)? },
            "members" => Primitive::Members(MemberSet {
                ttl: next(&mut seq)?,
                addresses: next(&mut seq)?,
                ports: next(&mut seq)?,
                groups: next(&mut seq)?,
                listed: next(&mut seq)?,
                alone: next(&mut seq)?,
            }),
            "synthesis" => Primitive::Synthesis { ttl: next(&mut seq)? },
            "exists" => Primitive::Exists,
            other => return Err(de::Error::unknown_variant(other, &["rrset", "members", "synthesis", "exists"])),
        };
        match seq.next_element::<de::IgnoredAny>()? {
            None => Ok(primitive),
            Some(_) => Err(de::Error::custom("a primitive with more fields than known")),
        }
    }
}

fn next<'de, T: Deserialize<'de>, S: SeqAccess<'de>>(seq: &mut S) -> Result<T, S::Error> {
    seq.next_element()?.ok_or_else(|| de::Error::custom("a primitive with too few fields"))
}
