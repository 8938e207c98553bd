//! What an op made of an answer on its way out, in words: codes, flags, EDNS, and of the records names, TTLs, values, order, and what is
//! left out or added. Only for those who listen.

use std::fmt::Display;

use crate::answer::{Answer, ReplyEdns, Rr};
use crate::edns;
use crate::name;
use crate::text;
use crate::wire::Flags;

/// Changes that are told one by one, and records that are named in one of them.
const MOST_CHANGES: usize = 6;
const MOST_NAMED: usize = 4;

/// An answer as it was; its names stay where they are while the same question is answered.
pub struct Snapshot {
    sections: [Vec<Rr>; 3],
    rcode: u16,
    flags: Flags,
    edns: Option<ReplyEdns>,
}

/// A record in words.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Told {
    owner: String,
    rtype: String,
    ttl: u32,
    data: String,
}

impl Snapshot {
    /// The answer as it is now.
    pub fn of(answer: &Answer) -> Snapshot {
        let sections = [answer.answer.clone(), answer.authority.clone(), answer.additional.clone()];
        Snapshot { sections, rcode: answer.rcode, flags: answer.flags(), edns: answer.edns }
    }

    /// What is different now, as `before → after`; empty: nothing is.
    pub fn changes(&self, answer: &Answer) -> String {
        let mut changes = Changes::default();
        if self.rcode != answer.rcode {
            changes.add(format!("rcode {} → {}", text::rcode_name(self.rcode), text::rcode_name(answer.rcode)));
        }
        changes.flags(self.flags, answer.flags());
        if self.edns != answer.edns {
            changes.edns(self.edns, answer);
        }
        let now = [&answer.answer, &answer.authority, &answer.additional];
        for ((section, before), after) in ["answer", "authority", "additional"].into_iter().zip(&self.sections).zip(now) {
            if before != after {
                let tell = |records: &[Rr]| records.iter().map(|rr| Told::of(rr, answer)).collect::<Vec<_>>();
                changes.section(section, &tell(before), &tell(after));
            }
        }
        changes.tell()
    }
}

/// Changes in their order, and of how many records each is true.
#[derive(Default)]
struct Changes(Vec<(String, usize)>);

impl Changes {
    fn add(&mut self, change: String) {
        self.0.push((change, 0));
    }

    /// A change of one record; the same of others is told once.
    fn add_of_record(&mut self, change: String) {
        match self.0.iter_mut().find(|(known, records)| *records > 0 && *known == change) {
            Some((_, records)) => *records += 1,
            None => self.0.push((change, 1)),
        }
    }

    fn flags(&mut self, before: Flags, after: Flags) {
        let flags = [("aa", before.aa, after.aa), ("tc", before.tc, after.tc), ("ra", before.ra, after.ra), ("ad", before.ad, after.ad)];
        for (flag, before, after) in flags.into_iter().filter(|(_, before, after)| before != after) {
            self.add(format!("{flag} {} → {}", u8::from(before), u8::from(after)));
        }
        match (before.rd_cd, after.rd_cd) {
            (Some((before, _)), Some((after, _))) if before != after => self.add(format!("rd {} → {}", u8::from(before), u8::from(after))),
            (None, Some((after, _))) => self.add(format!("rd as asked → {}", u8::from(after))),
            (Some((before, _)), None) => self.add(format!("rd {} → as asked", u8::from(before))),
            _ => {}
        }
    }

    /// The options alone: the rest of an EDNS record is between two neighbours.
    fn edns(&mut self, before: Option<ReplyEdns>, answer: &Answer) {
        let octets = |told: Option<ReplyEdns>| told.map_or(&[][..], |told| answer.bytes(told.options));
        let (before, after) = (octets(before), octets(answer.edns));
        let codes = |octets: &[u8]| edns::options(octets).map(|(code, _)| code.to_string()).collect::<Vec<_>>().join(" ");
        match (before, after) {
            (before, after) if before == after => {}
            (before, []) => self.add(format!("EDNS options {} left out", codes(before))),
            ([], after) => self.add(format!("EDNS options {} added", codes(after))),
            (before, after) => self.add(format!("EDNS options {} → {}", codes(before), codes(after))),
        }
    }

    fn section(&mut self, section: &str, before: &[Told], after: &[Told]) {
        if before == after {
            return;
        }
        if is_same_set(before, after) {
            return self.add(format!(
                "order {} → {}",
                list(before.iter().map(|told| &told.data)),
                list(after.iter().map(|told| &told.data))
            ));
        }
        if before.len() == after.len() {
            return before.iter().zip(after).for_each(|(before, after)| self.record(before, after));
        }
        let records = |some: &[&Told]| format!("{} {}", some.len(), if some.len() == 1 { "record" } else { "records" });
        let named = |some: &[&Told]| list(some.iter().map(|told| format!("{} {}", told.rtype, told.data)));
        let (gone, new) = (without(before, after), without(after, before));
        if !gone.is_empty() {
            self.add(format!("{section}: {} left out, {}", records(&gone), named(&gone)));
        }
        if !new.is_empty() {
            self.add(format!("{section}: {} added, {}", records(&new), named(&new)));
        }
    }

    fn record(&mut self, before: &Told, after: &Told) {
        if before.owner != after.owner {
            self.add_of_record(format!("name {} → {}", before.owner, after.owner));
        }
        if before.rtype != after.rtype {
            self.add_of_record(format!("{} {} → {} {}", before.rtype, before.data, after.rtype, after.data));
        } else if before.data != after.data {
            self.add_of_record(format!("value {} → {}", before.data, after.data));
        }
        if before.ttl != after.ttl {
            self.add_of_record(format!("TTL {} → {}", before.ttl, after.ttl));
        }
    }

    fn tell(self) -> String {
        let words = self.0.iter().take(MOST_CHANGES).map(|(change, records)| match records {
            0 | 1 => change.clone(),
            more => format!("{change} ({more} records)"),
        });
        let mut words: Vec<String> = words.collect();
        if self.0.len() > MOST_CHANGES {
            words.push(format!("and {} changes more", self.0.len() - MOST_CHANGES));
        }
        words.join("; ")
    }
}

impl Told {
    fn of(rr: &Rr, answer: &Answer) -> Told {
        let data = text::data(rr.rtype, &answer.data(rr)).unwrap_or_default();
        Told { owner: name::Display(answer.name(rr.owner)).to_string(), rtype: text::type_name(rr.rtype), ttl: rr.ttl, data }
    }
}

fn is_same_set(before: &[Told], after: &[Told]) -> bool {
    let sorted = |records: &[Told]| {
        let mut records = records.to_vec();
        records.sort();
        records
    };
    before.len() == after.len() && sorted(before) == sorted(after)
}

/// Those of `some` that are not among the others; TTLs do not matter.
fn without<'a>(some: &'a [Told], others: &[Told]) -> Vec<&'a Told> {
    let is_same = |a: &Told, b: &Told| a.owner == b.owner && a.rtype == b.rtype && a.data == b.data;
    some.iter().filter(|told| !others.iter().any(|other| is_same(told, other))).collect()
}

fn list(some: impl ExactSizeIterator<Item = impl Display>) -> String {
    let more = some.len().saturating_sub(MOST_NAMED);
    let mut named: Vec<String> = some.take(MOST_NAMED).map(|one| one.to_string()).collect();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{BytesRef, QNAME, Rdata};
    use crate::wire::{rcode, rtype};

    fn answer() -> Answer {
        let mut answer = Answer::default();
        answer.begin(b"\x01a\0");
        for last in 1..=3 {
            answer.answer.push(Rr::new(QNAME, rtype::A, 300, Rdata::A([192, 0, 2, last])));
        }
        answer
    }

    fn changes(change: impl FnOnce(&mut Answer)) -> String {
        let mut answer = answer();
        let before = Snapshot::of(&answer);
        change(&mut answer);
        before.changes(&answer)
    }

    #[test]
    fn nothing_is_told_of_what_is_the_same() {
        assert_eq!(changes(|_| {}), "");
        // The same octets in another place.
        let again = |answer: &mut Answer| {
            let name = answer.intern(&[b"\x01a\0"]);
            answer.answer.iter_mut().for_each(|rr| rr.owner = name);
        };
        assert_eq!(changes(again), "");
    }

    #[test]
    fn names_ttls_and_values_are_told_once_for_all_records() {
        let change = |answer: &mut Answer| {
            let name = answer.intern(&[b"\x01b\x01c\0"]);
            answer.answer.iter_mut().for_each(|rr| (rr.owner, rr.ttl) = (name, 30));
            answer.answer[1].rdata = Rdata::A([10, 0, 0, 1]);
        };
        assert_eq!(changes(change), "name a. → b.c. (3 records); TTL 300 → 30 (3 records); value 192.0.2.2 → 10.0.0.1");
    }

    #[test]
    fn an_order_is_told_whole() {
        assert_eq!(
            changes(|answer| answer.answer.rotate_left(1)),
            "order 192.0.2.1, 192.0.2.2, 192.0.2.3 → 192.0.2.2, 192.0.2.3, 192.0.2.1"
        );
    }

    #[test]
    fn records_that_go_and_come_are_counted_and_named() {
        assert_eq!(changes(|answer| answer.answer.truncate(1)), "answer: 2 records left out, A 192.0.2.2, A 192.0.2.3");
        let more = |answer: &mut Answer| {
            for last in 1..=5 {
                answer.additional.push(Rr::new(QNAME, rtype::A, 300, Rdata::A([10, 0, 0, last])));
            }
        };
        assert_eq!(changes(more), "additional: 5 records added, A 10.0.0.1, A 10.0.0.2, A 10.0.0.3, A 10.0.0.4, and 1 more");
        let other = |answer: &mut Answer| answer.answer[0] = Rr::new(QNAME, rtype::AAAA, 300, Rdata::Aaaa([0; 16]));
        assert_eq!(changes(other), "A 192.0.2.1 → AAAA ::");
    }

    #[test]
    fn codes_flags_and_edns_are_told() {
        let change = |answer: &mut Answer| {
            (answer.rcode, answer.aa, answer.rd_cd) = (rcode::NXDOMAIN, true, Some((false, false)));
            let options = answer.keep(&edns::option(3, &[b"ns1"]));
            answer.edns = Some(ReplyEdns { size: 1232, dnssec_ok: false, options });
        };
        assert_eq!(changes(change), "rcode NOERROR → NXDOMAIN; aa 0 → 1; rd as asked → 0; EDNS options 3 added");
        let plain = |answer: &mut Answer| answer.edns = Some(ReplyEdns { size: 1232, dnssec_ok: false, options: BytesRef::default() });
        assert_eq!(changes(plain), "", "a size is not for the client");
    }

    #[test]
    fn many_changes_are_not_told_one_by_one() {
        let change = |answer: &mut Answer| {
            for (at, rr) in (0..).zip(&mut answer.answer) {
                (rr.ttl, rr.rdata) = (at, Rdata::A([10, 0, 0, at as u8]));
                rr.rtype = rtype::A;
            }
            (answer.aa, answer.ra) = (true, true);
        };
        assert!(changes(change).ends_with("; and 2 changes more"));
    }
}
