//! New names in the records of an answer: of their owners, and in their data.

use super::names::{Replacement, to_wire};
use crate::answer::{Answer, BytesRef, NameRef, Rdata, Rr};
use crate::name::{self, NameText, is_under};
use crate::pattern::Pattern;
use crate::rdata::names_inside;
use crate::wire::rtype;

/// Which name becomes which.
pub enum Rename<'a> {
    /// A name, and those below it, to another one.
    Whole(&'a [u8], NameRef),
    /// The end of a name's text.
    Suffix(&'a str, &'a str),
    /// What a pattern finds in a name's text.
    Pattern(&'a Pattern, &'a Replacement),
}

/// Where a rule looks for names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The names that records belong to.
    Owners,
    /// The names in their data.
    Values,
}

/// Renames in all sections of an answer; `known` is a name there, and what it becomes. What would be no name any more stays as it is.
pub fn rename(answer: &mut Answer, place: Place, rename: &Rename<'_>, known: Option<(NameRef, NameRef)>) {
    let mut last = known;
    // Most records of an answer have the same owner, and that is the name that was asked for.
    let mut renamed = |name: NameRef, answer: &mut Answer| match [known, last].into_iter().flatten().find(|(from, _)| *from == name) {
        Some((_, to)) => to,
        None => {
            let to = rename.name(name, answer);
            last = Some((name, to));
            to
        }
    };
    let mut sections = [&mut answer.answer, &mut answer.authority, &mut answer.additional].map(std::mem::take);
    for rr in sections.iter_mut().flatten() {
        match place {
            Place::Owners => rr.owner = renamed(rr.owner, answer),
            Place::Values => rename_value(rr, answer, &mut renamed),
        }
    }
    [answer.answer, answer.authority, answer.additional] = sections;
}

impl Rename<'_> {
    fn name(&self, name: NameRef, answer: &mut Answer) -> NameRef {
        let octets = answer.name(name);
        match self {
            Rename::Whole(from, to) if is_under(octets, from) => {
                if octets.len() == from.len() {
                    return *to;
                }
                let whole = [&octets[..octets.len() - from.len()], answer.name(*to)].concat();
                answer.join(&[&whole]).unwrap_or(name)
            }
            Rename::Whole(..) => name,
            Rename::Suffix(from, to) => {
                let text = NameText::of(octets);
                let text = text.as_str();
                let Some((start, end)) = text.len().checked_sub(from.len()).and_then(|at| text.split_at_checked(at)) else { return name };
                if !end.eq_ignore_ascii_case(from) {
                    return name;
                }
                intern(&format!("{start}{to}"), answer).unwrap_or(name)
            }
            Rename::Pattern(pattern, to) => {
                let text = NameText::of(octets);
                let filled = pattern.find(text.as_str().as_bytes()).map(|groups| to.fill(&groups));
                filled.and_then(|text| intern(&text, answer)).unwrap_or(name)
            }
        }
    }
}

fn intern(text: &str, answer: &mut Answer) -> Option<NameRef> {
    to_wire(text).ok().map(|wire| answer.intern(&[&wire]))
}

/// Renames in the data of the types that CoreDNS knows to have names: CNAME, DNAME, MX, NAPTR, NS, PTR, SOA and SRV.
fn rename_value(rr: &mut Rr, answer: &mut Answer, mut renamed: impl FnMut(NameRef, &mut Answer) -> NameRef) {
    match &mut rr.rdata {
        Rdata::Name(name) | Rdata::Srv { target: name, .. } | Rdata::Soa { mname: name, .. } => *name = renamed(*name, answer),
        Rdata::Opaque(data) if matches!(rr.rtype, rtype::MX | rtype::SRV | rtype::DNAME | rtype::NAPTR) => {
            let Some(start) = name_at(rr.rtype, answer.bytes(*data)) else { return };
            let name = NameRef { start: data.start + start, length: data.length - start };
            let to = renamed(name, answer);
            if to != name {
                let whole = [&answer.bytes(*data)[..start as usize], answer.name(to)].concat();
                *data = answer.keep(&whole);
            }
        }
        Rdata::Opaque(BytesRef { .. }) | Rdata::A(_) | Rdata::Aaaa(_) => {}
    }
}

/// Where the name begins that the data ends with. None: there is no whole name.
fn name_at(rtype: u16, data: &[u8]) -> Option<u32> {
    let (fixed, strings, _) = names_inside(rtype)?;
    let mut at = fixed;
    for _ in 0..strings {
        at += 1 + usize::from(*data.get(at)?);
    }
    let name = data.get(at..)?;
    (name::length(name) == name.len()).then_some(at as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_data_is_found_or_there_is_none() {
        assert_eq!(name_at(rtype::MX, b"\0\x0a\x02mx\0"), Some(2));
        assert_eq!(name_at(rtype::SRV, b"\0\0\0\0\0\x50\x01a\x01b\0"), Some(6));
        assert_eq!(name_at(rtype::DNAME, b"\0"), Some(0));
        assert_eq!(name_at(rtype::NAPTR, b"\0\0\0\0\x01u\0\x02re\x01a\0"), Some(10));
        for cut in [&b"\0"[..], b"\0\x0a", b"\0\x0a\x02m", b"\0\x0a\x02mx", b"\0\x0a\x02mx\0\0"] {
            assert_eq!(name_at(rtype::MX, cut), None, "{cut:?}");
        }
        assert_eq!(name_at(rtype::NAPTR, b"\0\0\0\0\x09u"), None);
    }
}
