//! Which records of an upstream's reply are kept: those that belong to the question. Of anything else it may say what it likes, and it
//! would be served for as long (RFC 2181 5.4.1, RFC 8499 "bailiwick").
//!
//! Owners are compared with the names on the chain of aliases, of which there are few; names that are pointed to are found by hash.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use smallvec::SmallVec;

use crate::answer::{Answer, NameRef, Rdata, Rr};
use crate::chain::{Chain, in_a_row, is};
use crate::name::{self, MAX_NAME, is_under};
use crate::rdata::names_inside;
use crate::wire::rtype;

/// The most zones whose proofs are kept: the names of a chain are in a few.
const MOST_ZONES: usize = 16;
/// Where the signer's name is in the data of a signature (RFC 4034 3.1).
const SIGNER: usize = 18;

/// The records of an answer that are kept.
pub struct Selection {
    /// Those of all sections, in their order.
    pub records: Vec<Rr>,
    /// How many of them are in the answer section, and in the authority section.
    pub sections: [u16; 2],
    /// How many others there were.
    pub dropped: u64,
}

impl Selection {
    /// All of them.
    pub fn all(answer: &Answer) -> Selection {
        let sections = [&answer.answer, &answer.authority, &answer.additional];
        let records = sections.into_iter().flatten().copied().collect();
        Selection { records, sections: [answer.answer.len() as u16, answer.authority.len() as u16], dropped: 0 }
    }

    /// Those that belong to the question whose chain of aliases this is; `denies`: it says that there is nothing at the end of it.
    pub fn of(answer: &Answer, chain: &Chain, denies: bool) -> Selection {
        let names = Names { answer, chain: &chain.names };
        let all = answer.answer.len() + answer.authority.len() + answer.additional.len();
        let mut records: Vec<Rr> = Vec::with_capacity(all);
        let (mut on_chain, mut above) = (in_a_row(|owner| names.have(owner)), in_a_row(|owner| names.are_under(owner)));
        records.extend(answer.answer.iter().filter(|rr| on_chain(rr.owner) || renames(answer, rr) && above(rr.owner)));
        let answers = records.len();
        if !answer.authority.is_empty() {
            let end = Names { answer, chain: std::slice::from_ref(chain.names.last().expect("it begins with a name")) };
            let denied = if denies { end } else { names };
            let zones = zones(answer, names);
            let mut above_denied = in_a_row(|owner| denied.are_under(owner));
            let mut in_zones = in_a_row(|owner| zones.iter().any(|zone| is_under(answer.name(owner), zone)));
            records.extend(answer.authority.iter().filter(|rr| match covered(answer, rr) {
                rtype::SOA | rtype::NS => above_denied(rr.owner),
                rtype::DS => above(rr.owner),
                rtype::NSEC | rtype::NSEC3 => in_zones(rr.owner),
                _ => false,
            }));
        }
        let authorities = records.len() - answers;
        if !answer.additional.is_empty() {
            let mut targets = Targets::default();
            records.iter().for_each(|rr| targets.add_those_of(answer, rr));
            for rr in &answer.additional {
                if targets.contain(answer.name(rr.owner)) {
                    targets.add_those_of(answer, rr);
                    records.push(*rr);
                }
            }
        }
        Selection { dropped: (all - records.len()) as u64, records, sections: [answers as u16, authorities as u16] }
    }
}

/// The names of a chain.
#[derive(Clone, Copy)]
struct Names<'a> {
    answer: &'a Answer,
    chain: &'a [NameRef],
}

impl Names<'_> {
    fn have(self, owner: NameRef) -> bool {
        self.chain.iter().any(|name| is(self.answer, *name, owner))
    }

    /// Whether one of them is `zone`, or under it.
    fn are_under(self, zone: NameRef) -> bool {
        self.may_be_in(self.answer.name(zone))
    }

    fn may_be_in(self, zone: &[u8]) -> bool {
        self.chain.iter().any(|name| is_under(self.answer.name(*name), zone))
    }
}

/// Whether it renames all names under its owner, or signs what does (RFC 6672).
fn renames(answer: &Answer, rr: &Rr) -> bool {
    covered(answer, rr) == rtype::DNAME
}

/// Its type, or the one that it signs.
fn covered(answer: &Answer, rr: &Rr) -> u16 {
    match rr.rdata {
        Rdata::Opaque(data) if rr.rtype == rtype::RRSIG => answer.bytes(data).first_chunk().map_or(0, |rtype| u16::from_be_bytes(*rtype)),
        _ => rr.rtype,
    }
}

/// The zones with a name of the chain whose records prove what does not exist: those that are told, and those that sign.
fn zones<'a>(answer: &'a Answer, names: Names<'_>) -> SmallVec<[&'a [u8]; 4]> {
    let mut zones: SmallVec<[&[u8]; 4]> = SmallVec::new();
    let mut above = in_a_row(|owner| names.are_under(owner));
    for rr in &answer.authority {
        let zone = match rr.rdata {
            _ if matches!(rr.rtype, rtype::SOA | rtype::NS) => above(rr.owner).then(|| answer.name(rr.owner)),
            Rdata::Opaque(data) if rr.rtype == rtype::RRSIG => name_at(answer.bytes(data), SIGNER).filter(|zone| names.may_be_in(zone)),
            _ => None,
        };
        if let Some(zone) = zone.filter(|zone| !zones.iter().any(|known| known.eq_ignore_ascii_case(zone))) {
            zones.push(zone);
        }
        if zones.len() == MOST_ZONES {
            break;
        }
    }
    zones
}

/// Names that records point to. They lie in the answer.
#[derive(Default)]
struct Targets<'a>(HashTable<&'a [u8]>);

impl<'a> Targets<'a> {
    fn contain(&self, name: &[u8]) -> bool {
        self.0.find(hash(name), |known| known.eq_ignore_ascii_case(name)).is_some()
    }

    fn add(&mut self, name: &'a [u8]) {
        if !self.contain(name) {
            self.0.insert_unique(hash(name), name, |known| hash(known));
        }
    }

    fn add_those_of(&mut self, answer: &'a Answer, rr: &Rr) {
        match rr.rdata {
            Rdata::Name(name) | Rdata::Srv { target: name, .. } => self.add(answer.name(name)),
            Rdata::Opaque(data) => self.add_those_in(answer.bytes(data), rr.rtype, answer.name(rr.owner)),
            Rdata::A(_) | Rdata::Aaaa(_) | Rdata::Soa { .. } => {}
        }
    }

    fn add_those_in(&mut self, data: &'a [u8], rtype: u16, owner: &'a [u8]) {
        if matches!(rtype, rtype::SVCB | rtype::HTTPS) {
            // The root stands for the owner (RFC 9460 2.5).
            return match name_at(data, 2) {
                Some([0]) => self.add(owner),
                Some(name) => self.add(name),
                None => {}
            };
        }
        let Some((fixed, strings, names)) = names_inside(rtype) else { return };
        let string = |at: usize| Some(at + 1 + *data.get(at)? as usize);
        let Some(mut at) = (0..strings).try_fold(fixed, |at, _| string(at)) else { return };
        for _ in 0..names {
            let Some(name) = name_at(data, at) else { return };
            self.add(name);
            at += name.len();
        }
    }
}

/// The whole name at a place of data, written out.
fn name_at(data: &[u8], at: usize) -> Option<&[u8]> {
    let rest = data.get(at..)?;
    let name = rest.get(..name::length(rest))?;
    (name.len() <= MAX_NAME && name.last() == Some(&0)).then_some(name)
}

fn hash(name: &[u8]) -> u64 {
    let mut lower = [0; MAX_NAME];
    let lower = &mut lower[..name.len().min(MAX_NAME)];
    lower.iter_mut().zip(name).for_each(|(lower, octet)| *lower = octet.to_ascii_lowercase());
    FixedState::with_seed(0).hash_one(&*lower)
}
