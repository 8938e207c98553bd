//! An answer as the cache keeps it: records and their octets on their own, without a thread's buffers.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::bailiwick::Selection;
use super::rules::{Class, Judgement};
use crate::answer::{Answer, BytesRef, NameRef, QNAME, Rdata, Rr};
use crate::wire::Flags;
use crate::zone::Asked;

/// What is remembered of a record's owner or target: its old place and the new one.
const REMEMBERED: usize = 8;

/// An answer that is kept, or that others wait for.
#[derive(Debug)]
pub struct Kept {
    /// The name that was asked first, in that asker's letter case, then what the records refer to.
    octets: Box<[u8]>,
    name_length: u8,
    records: Box<[Rr]>,
    /// How many of the records are in the answer section, and in the authority section.
    sections: [u16; 2],
    /// Response code.
    pub rcode: u16,
    flags: Flags,
    /// Nobody could answer: why.
    failure: Option<Box<str>>,
    /// See [`Answer::remark`].
    remark: Option<Box<str>>,
    /// What it is kept as.
    pub class: Class,
    /// It has records for the question.
    pub answering: bool,
    /// Seconds that it is good for.
    pub ttl: u32,
    /// When it came.
    pub stored: Duration,
    hits: AtomicU32,
    /// When it was asked for last, in milliseconds.
    last_hit: AtomicU64,
    refreshing: AtomicBool,
    /// In milliseconds: not to be renewed before.
    retry_after: AtomicU64,
}

impl Kept {
    /// Takes a copy of some records of an answer to `asked`.
    pub fn freeze(asked: &Asked<'_>, answer: &Answer, selection: &Selection, judgement: &Judgement, now: Duration) -> Kept {
        let Judgement { class, answering, ttl, .. } = *judgement;
        let mut copy = Copy { answer, owner: asked.owner, octets: asked.name.to_vec(), known: Vec::new() };
        let records = selection.records.iter().map(|rr| copy.record(rr)).collect();
        Kept {
            records,
            octets: copy.octets.into(),
            name_length: asked.name.len() as u8,
            sections: selection.sections,
            rcode: answer.rcode,
            flags: answer.flags(),
            failure: answer.failure.clone(),
            remark: answer.remark.clone(),
            class,
            answering,
            ttl,
            stored: now,
            hits: AtomicU32::new(0),
            last_hit: AtomicU64::new(0),
            refreshing: AtomicBool::new(false),
            retry_after: AtomicU64::new(0),
        }
    }

    /// The name that it answers, in its first asker's letter case.
    pub fn name(&self) -> &[u8] {
        &self.octets[..self.name_length as usize]
    }

    /// Memory that it takes.
    pub fn bytes(&self) -> usize {
        size_of::<Kept>() + self.octets.len() + size_of_val(&*self.records)
    }

    /// Seconds that are left; zero or less: how long it has been stale.
    pub fn left(&self, now: Duration) -> i64 {
        i64::from(self.ttl) - now.saturating_sub(self.stored).as_secs() as i64
    }

    /// Whether it stays when an answer of this class comes: a failure does not replace a success that can still be used.
    pub fn comes_before(&self, class: Class, answering: bool, now: Duration, window: u32, prefer_positive: bool) -> bool {
        let usable = self.left(now) > 0 || -self.left(now) < i64::from(window);
        let spares = class == Class::Failure || prefer_positive && self.answering && !answering;
        spares && usable && self.class == Class::Success
    }

    /// Whether nobody could answer.
    pub fn is_failure(&self) -> bool {
        self.failure.is_some()
    }

    /// Says what was kept, with one TTL for all records. Owners keep the first asker's letter case.
    pub fn thaw(&self, asked: &Asked<'_>, ttl: Option<u32>, answer: &mut Answer) {
        let start = answer.keep(&self.octets[self.name_length as usize..]).start;
        let shift = start.wrapping_sub(u32::from(self.name_length));
        let owner = match self.name() == asked.name {
            true => asked.owner,
            false => answer.intern(&[self.name()]),
        };
        let place = |name: NameRef| if name == QNAME { owner } else { NameRef { start: name.start.wrapping_add(shift), ..name } };
        let record = |rr: &Rr| Rr {
            owner: place(rr.owner),
            ttl: ttl.unwrap_or(rr.ttl),
            rdata: match rr.rdata {
                Rdata::Name(name) => Rdata::Name(place(name)),
                Rdata::Srv { weight, port, target } => Rdata::Srv { weight, port, target: place(target) },
                Rdata::Soa { mname, rname, numbers } => Rdata::Soa { mname: place(mname), rname: place(rname), numbers },
                Rdata::Opaque(bytes) => Rdata::Opaque(BytesRef { start: bytes.start.wrapping_add(shift), ..bytes }),
                address => address,
            },
            ..*rr
        };
        let [first, second] = self.sections.map(usize::from);
        answer.answer.extend(self.records[..first].iter().map(record));
        answer.authority.extend(self.records[first..first + second].iter().map(record));
        answer.additional.extend(self.records[first + second..].iter().map(record));
        answer.rcode = self.rcode;
        answer.set_flags(self.flags);
        answer.failure.clone_from(&self.failure);
        answer.remark.clone_from(&self.remark);
    }

    /// How often it has been asked for since a gap longer than `most`; nothing is counted.
    pub fn hits(&self, now: Duration, most: Duration) -> u32 {
        let last = Duration::from_millis(self.last_hit.load(Relaxed));
        if now.saturating_sub(last) > most { 0 } else { self.hits.load(Relaxed) }
    }

    /// Whether somebody renews it.
    pub fn is_refreshing(&self) -> bool {
        self.refreshing.load(Relaxed)
    }

    /// The last seconds of its time: so many percent of it.
    pub fn threshold(&self, percentage: u32) -> i64 {
        (u64::from(self.ttl) * u64::from(percentage)).div_ceil(100) as i64
    }

    /// Counts a hit; gaps longer than `most` begin anew. Returns the hits so far.
    pub fn hit(&self, now: Duration, most: Duration) -> u32 {
        let now = now.as_millis() as u64;
        let last = self.last_hit.swap(now, Relaxed);
        if now.saturating_sub(last) > most.as_millis() as u64 {
            self.hits.store(1, Relaxed);
            return 1;
        }
        self.hits.fetch_add(1, Relaxed) + 1
    }

    /// Takes over how often its predecessor was asked for.
    pub fn inherit_hits(&self, old: &Kept) {
        self.hits.store(old.hits.load(Relaxed), Relaxed);
        self.last_hit.store(old.last_hit.load(Relaxed), Relaxed);
    }

    /// Whether the caller may renew it: nobody else does, and the last failure is long enough ago.
    pub fn begin_refresh(&self, now: Duration) -> bool {
        now.as_millis() as u64 >= self.retry_after.load(Relaxed) && !self.refreshing.swap(true, Relaxed)
    }

    /// The renewal has ended; after a failed one nobody tries again for `recheck`.
    pub fn end_refresh(&self, now: Duration, renewed: bool, recheck: Duration) {
        let after = if renewed || recheck.is_zero() { 0 } else { (now + recheck).as_millis() as u64 };
        self.retry_after.store(after, Relaxed);
        self.refreshing.store(false, Relaxed);
    }
}

/// Copies records out of a thread's buffers.
struct Copy<'a> {
    answer: &'a Answer,
    /// The name asked for.
    owner: NameRef,
    octets: Vec<u8>,
    known: Vec<(NameRef, NameRef)>,
}

impl Copy<'_> {
    fn record(&mut self, rr: &Rr) -> Rr {
        let owner = self.name(rr.owner);
        let rdata = match rr.rdata {
            Rdata::Name(name) => Rdata::Name(self.name(name)),
            Rdata::Srv { weight, port, target } => Rdata::Srv { weight, port, target: self.name(target) },
            Rdata::Soa { mname, rname, numbers } => Rdata::Soa { mname: self.name(mname), rname: self.name(rname), numbers },
            Rdata::Opaque(bytes) => {
                let start = self.octets.len() as u32;
                self.octets.extend_from_slice(self.answer.bytes(bytes));
                Rdata::Opaque(BytesRef { start, ..bytes })
            }
            address => address,
        };
        Rr { owner, rdata, ..*rr }
    }

    fn name(&mut self, name: NameRef) -> NameRef {
        if name == self.owner {
            return QNAME;
        }
        if let Some((_, new)) = self.known.iter().rev().take(REMEMBERED).find(|(old, _)| *old == name) {
            return *new;
        }
        let new = NameRef { start: self.octets.len() as u32, length: name.length };
        self.octets.extend_from_slice(self.answer.name(name));
        self.known.push((name, new));
        new
    }
}
