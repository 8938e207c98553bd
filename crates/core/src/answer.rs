//! An answer before it is a message: records as references into one arena, then written once, as large as the client takes.
//!
//! Nothing here allocates once the buffers have grown: an `Answer` is kept by its thread and cleared between queries.

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use crate::name::MAX_NAME;
use crate::wire::{self, CLASS_IN, Flags, HEADER, OPT_LEN, Query, rcode, rtype};

/// A whole wire name in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameRef {
    pub(crate) start: u32,
    pub(crate) length: u32,
}

/// Octets in the arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BytesRef {
    pub(crate) start: u32,
    pub(crate) length: u32,
}

/// The question's own name, in the client's letter case.
pub const QNAME: NameRef = NameRef { start: 0, length: 0 };

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rdata {
    /// An IPv4 address.
    A([u8; 4]),
    /// An IPv6 address.
    Aaaa([u8; 16]),
    /// A name alone: CNAME, NS, PTR.
    Name(NameRef),
    /// A host and port; priority is always 0.
    Srv {
        /// Share of the load.
        weight: u16,
        /// Port number.
        port: u16,
        /// The host.
        target: NameRef,
    },
    /// Start of authority: the names, then serial, refresh, retry, expire, minimum.
    Soa {
        /// Primary server.
        mname: NameRef,
        /// Mailbox of who is responsible.
        rname: NameRef,
        /// Serial, refresh, retry, expire, minimum.
        numbers: [u32; 5],
    },
    /// Anything else, as it is on the wire.
    Opaque(BytesRef),
}

/// A record of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rr {
    /// Whose record it is.
    pub owner: NameRef,
    /// Its type.
    pub rtype: u16,
    /// Its class.
    pub class: u16,
    /// Seconds.
    pub ttl: u32,
    /// Its data.
    pub rdata: Rdata,
}

impl Rr {
    /// A record of the Internet's class.
    #[inline]
    pub fn new(owner: NameRef, rtype: u16, ttl: u32, rdata: Rdata) -> Rr {
        Rr { owner, rtype, class: CLASS_IN, ttl, rdata }
    }
}

/// The EDNS record of an upstream's reply, as far as clients get it (recorded: `forward-edns`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyEdns {
    /// The size that it offered.
    pub size: u16,
    /// It set DO.
    pub dnssec_ok: bool,
    /// Its options.
    pub options: BytesRef,
}

/// The answer under construction.
#[derive(Default)]
pub struct Answer {
    arena: Vec<u8>,
    qname_length: usize,
    /// Answer section.
    pub answer: Vec<Rr>,
    /// Authority section.
    pub authority: Vec<Rr>,
    /// Additional section, without OPT.
    pub additional: Vec<Rr>,
    /// Response code, the extended ones included.
    pub rcode: u16,
    /// Authoritative answer.
    pub aa: bool,
    /// Recursion available.
    pub ra: bool,
    /// Authenticated data.
    pub ad: bool,
    /// Truncated already where it came from.
    pub tc: bool,
    /// RD and CD as an upstream returned them.
    pub rd_cd: Option<(bool, bool)>,
    /// The upstream's EDNS.
    pub edns: Option<ReplyEdns>,
    /// It came from elsewhere and may be kept for later.
    pub cacheable: bool,
    /// An upstream said it, and more perhaps than was asked.
    pub foreign: bool,
    /// Nobody could answer, and why: the rcode is all that is said.
    pub failure: Option<Box<str>>,
    /// What is to be said in the log of errors though there is an answer.
    pub remark: Option<Box<str>>,
    /// An op left it to the server to say the rcode, though nothing has failed.
    pub left_to_server: bool,
    /// Aliases whose targets other blocks must answer, with the place in `answer` behind them.
    pub chase: Vec<NameRef>,
    compressor: Compressor,
}

/// An answer that waits for another one.
pub struct Aside {
    sections: [Vec<Rr>; 3],
    chase: Vec<NameRef>,
    rcode: u16,
    flags: Flags,
    edns: Option<ReplyEdns>,
    cacheable: bool,
    foreign: bool,
}

impl Aside {
    /// The answer section that waits.
    pub fn answers(&self) -> &[Rr] {
        &self.sections[0]
    }

    /// The authority section that waits.
    pub fn authority(&self) -> &[Rr] {
        &self.sections[1]
    }
}

impl Answer {
    /// Empties it for a question; `qname` is the wire name as the client wrote it.
    pub fn begin(&mut self, qname: &[u8]) {
        self.arena.clear();
        self.arena.extend_from_slice(qname);
        self.qname_length = qname.len();
        self.clear();
    }

    /// Takes back what has been said; the question stays.
    pub fn clear(&mut self) {
        self.answer.clear();
        self.authority.clear();
        self.additional.clear();
        self.chase.clear();
        self.rcode = rcode::NOERROR;
        self.set_flags(Flags::default());
        self.edns = None;
        (self.cacheable, self.foreign) = (false, false);
        (self.failure, self.remark) = (None, None);
        self.left_to_server = false;
    }

    /// Says that nobody could answer, and why; the empty text: that is told elsewhere.
    pub fn fail(&mut self, rcode: u16, why: impl Into<Box<str>>) {
        self.clear();
        self.rcode = rcode;
        self.failure = Some(why.into());
    }

    /// Whether an op has said it, rather than the server in the place of all ops.
    pub fn is_written(&self) -> bool {
        self.failure.is_none() && !self.left_to_server
    }

    /// The flags that are not the question's own.
    pub fn flags(&self) -> Flags {
        Flags { aa: self.aa, tc: self.tc, ra: self.ra, ad: self.ad, rd_cd: self.rd_cd }
    }

    /// Sets them all.
    pub fn set_flags(&mut self, flags: Flags) {
        (self.aa, self.tc, self.ra, self.ad, self.rd_cd) = (flags.aa, flags.tc, flags.ra, flags.ad, flags.rd_cd);
    }

    /// Takes what has been said out of the way, so that another question can be answered in between; names stay.
    pub fn set_aside(&mut self) -> Aside {
        let sections = [std::mem::take(&mut self.answer), std::mem::take(&mut self.authority), std::mem::take(&mut self.additional)];
        let chase = std::mem::take(&mut self.chase);
        let Answer { rcode, edns, cacheable, foreign, .. } = *self;
        let aside = Aside { sections, chase, rcode, flags: self.flags(), edns, cacheable, foreign };
        self.clear();
        aside
    }

    /// Goes on with what was set aside; records that were answered in between are added to its answer section. If some of these are
    /// missing, some are missing in the whole.
    pub fn resume(&mut self, aside: Aside) {
        let (between, cut) = (std::mem::take(&mut self.answer), self.tc);
        self.clear();
        [self.answer, self.authority, self.additional] = aside.sections;
        (self.chase, self.rcode, self.edns) = (aside.chase, aside.rcode, aside.edns);
        (self.cacheable, self.foreign) = (aside.cacheable, aside.foreign);
        self.set_flags(aside.flags);
        self.tc |= cut;
        self.answer.extend(between);
    }

    /// Puts a name, given in parts, into the arena; the last part ends with the root.
    pub fn intern(&mut self, parts: &[&[u8]]) -> NameRef {
        let start = self.arena.len() as u32;
        for part in parts {
            self.arena.extend_from_slice(part);
        }
        NameRef { start, length: self.arena.len() as u32 - start }
    }

    /// Puts `label.rest` into the arena.
    pub fn intern_below(&mut self, label: &[u8], rest: &[&[u8]]) -> NameRef {
        let start = self.arena.len() as u32;
        self.arena.push(label.len() as u8);
        self.arena.extend_from_slice(label);
        for part in rest {
            self.arena.extend_from_slice(part);
        }
        NameRef { start, length: self.arena.len() as u32 - start }
    }

    /// As [`Answer::intern`]; None where the parts together are longer than a name can be.
    pub fn join(&mut self, parts: &[&[u8]]) -> Option<NameRef> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        (length <= MAX_NAME).then(|| self.intern(parts))
    }

    /// As [`Answer::intern_below`]; None where the name would be longer than one can be.
    pub fn join_below(&mut self, label: &[u8], rest: &[&[u8]]) -> Option<NameRef> {
        let length = 1 + label.len() + rest.iter().map(|part| part.len()).sum::<usize>();
        (length <= MAX_NAME).then(|| self.intern_below(label, rest))
    }

    /// Copies octets into the arena.
    pub fn keep(&mut self, octets: &[u8]) -> BytesRef {
        let start = self.arena.len() as u32;
        self.arena.extend_from_slice(octets);
        BytesRef { start, length: octets.len() as u32 }
    }

    /// Records of one name become those of another.
    pub fn rename(&mut self, from: NameRef, to: NameRef) {
        let Answer { arena, qname_length, answer, authority, additional, .. } = self;
        let name = |name| name_in(arena, *qname_length, name);
        let is_from = |owner| owner == from || name(owner).eq_ignore_ascii_case(name(from));
        for rr in answer.iter_mut().chain(authority).chain(additional).filter(|rr| is_from(rr.owner)) {
            rr.owner = to;
        }
    }

    /// The octets of a name.
    pub fn name(&self, name: NameRef) -> &[u8] {
        name_in(&self.arena, self.qname_length, name)
    }

    /// The octets behind a reference.
    pub fn bytes(&self, bytes: BytesRef) -> &[u8] {
        &self.arena[bytes.start as usize..(bytes.start + bytes.length) as usize]
    }

    /// A record's data as it is on the wire, without compression.
    pub fn data(&self, rr: &Rr) -> Vec<u8> {
        let mut data = Vec::new();
        self.write_data(rr.rdata, &mut data);
        data
    }

    /// Writes the message: uncompressed where that fits (as CoreDNS does), else compressed, else cut with TC.
    ///
    /// `size` is what an op has made of the client's offer; `limit` is what the client takes; above `plain_limit` octets a datagram is compressed even if it would fit.
    pub fn write(&mut self, query: &Query, question: &[u8], size: Option<u16>, limit: usize, plain_limit: usize, out: &mut Vec<u8>) {
        // Options of an upstream that leave no room for the question are not passed on.
        if let Some(theirs) = self.edns.as_mut().filter(|theirs| HEADER + question.len() + OPT_LEN + theirs.options.length as usize > limit)
        {
            theirs.options.length = 0;
        }
        let opt = match (query.request.edns, self.edns) {
            (None, None) => 0,
            (_, theirs) => OPT_LEN + theirs.map_or(0, |theirs| theirs.options.length as usize),
        };
        self.write_head(query, question, out);
        let (mut counts, mut truncated) = ([0u16; 3], false);
        let sections = [&self.answer, &self.authority, &self.additional];
        let plain = out.len() + opt + sections.iter().flat_map(|section| section.iter()).map(|rr| self.length(rr)).sum::<usize>();
        if plain <= limit.min(plain_limit) {
            out.reserve(plain);
            for (count, section) in counts.iter_mut().zip(sections) {
                for rr in section {
                    self.write_rr(rr, out);
                }
                *count = section.len() as u16;
            }
        } else {
            let mut compressor = std::mem::take(&mut self.compressor);
            compressor.clear();
            compressor.learn(out, HEADER);
            (counts, truncated) = self.write_compressed(limit.saturating_sub(opt), &mut compressor, out);
            self.compressor = compressor;
        }
        if opt > 0 {
            self.write_edns(query, size, out);
            counts[2] += 1;
        }
        out[2..4].copy_from_slice(&wire::flags(&query.request, Flags { tc: self.tc || truncated, ..self.flags() }, self.rcode));
        for (section, count) in counts.iter().enumerate() {
            out[6 + 2 * section..8 + 2 * section].copy_from_slice(&count.to_be_bytes());
        }
    }

    /// The client's size comes back to it, or what an op has made of it; what an upstream said in its EDNS is passed on.
    fn write_edns(&self, query: &Query, size: Option<u16>, out: &mut Vec<u8>) {
        let (ours, theirs) = (query.request.edns, self.edns);
        let size = size.or(ours.map(|edns| edns.size)).or(theirs.map(|edns| edns.size)).unwrap_or(0);
        let dnssec_ok = ours.is_some_and(|edns| edns.dnssec_ok) || theirs.is_some_and(|edns| edns.dnssec_ok);
        let (size, dnssec_ok) = if self.rcode == rcode::BADVERS { (0, false) } else { (size, dnssec_ok) };
        let options = theirs.map_or(&[][..], |edns| self.bytes(edns.options));
        out.extend_from_slice(&[0, 0, rtype::OPT as u8]);
        out.extend_from_slice(&size.to_be_bytes());
        out.extend_from_slice(&[(self.rcode >> 4) as u8, 0, if dnssec_ok { 0x80 } else { 0 }, 0]);
        out.extend_from_slice(&(options.len() as u16).to_be_bytes());
        out.extend_from_slice(options);
    }

    fn write_head(&self, query: &Query, question: &[u8], out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&query.id.to_be_bytes());
        out.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        out.extend_from_slice(question);
    }

    /// Octets of a record that is not compressed.
    #[inline]
    fn length(&self, rr: &Rr) -> usize {
        let data = match rr.rdata {
            Rdata::A(_) => 4,
            Rdata::Aaaa(_) => 16,
            Rdata::Name(name) => self.name_length(name),
            Rdata::Srv { target, .. } => 6 + self.name_length(target),
            Rdata::Soa { mname, rname, .. } => self.name_length(mname) + self.name_length(rname) + 20,
            Rdata::Opaque(bytes) => bytes.length as usize,
        };
        self.name_length(rr.owner) + 10 + data
    }

    #[inline]
    fn name_length(&self, name: NameRef) -> usize {
        if name == QNAME { self.qname_length } else { name.length as usize }
    }

    #[inline]
    fn write_rr(&self, rr: &Rr, out: &mut Vec<u8>) {
        out.extend_from_slice(self.name(rr.owner));
        let mut fixed = [0u8; 10];
        fixed[..2].copy_from_slice(&rr.rtype.to_be_bytes());
        fixed[2..4].copy_from_slice(&rr.class.to_be_bytes());
        fixed[4..8].copy_from_slice(&rr.ttl.to_be_bytes());
        out.extend_from_slice(&fixed);
        let at = out.len();
        self.write_data(rr.rdata, out);
        let length = (out.len() - at) as u16;
        out[at - 2..at].copy_from_slice(&length.to_be_bytes());
    }

    #[inline]
    fn write_data(&self, rdata: Rdata, out: &mut Vec<u8>) {
        match rdata {
            Rdata::A(address) => out.extend_from_slice(&address),
            Rdata::Aaaa(address) => out.extend_from_slice(&address),
            Rdata::Name(name) => out.extend_from_slice(self.name(name)),
            Rdata::Srv { weight, port, target } => {
                let [w0, w1] = weight.to_be_bytes();
                let [p0, p1] = port.to_be_bytes();
                out.extend_from_slice(&[0, 0, w0, w1, p0, p1]);
                out.extend_from_slice(self.name(target));
            }
            Rdata::Soa { mname, rname, numbers } => {
                out.extend_from_slice(self.name(mname));
                out.extend_from_slice(self.name(rname));
                numbers.iter().for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
            }
            Rdata::Opaque(bytes) => out.extend_from_slice(self.bytes(bytes)),
        }
    }

    /// Writes records until one does not fit; nothing behind it is written (RFC 2181 9).
    fn write_compressed(&self, limit: usize, compressor: &mut Compressor, out: &mut Vec<u8>) -> ([u16; 3], bool) {
        let mut counts = [0u16; 3];
        for (count, section) in counts.iter_mut().zip([&self.answer, &self.authority, &self.additional]) {
            for rr in section {
                let before = out.len();
                self.write_rr_compressed(rr, compressor, out);
                if out.len() > limit {
                    out.truncate(before);
                    return (counts, true);
                }
                *count += 1;
            }
        }
        (counts, false)
    }

    fn write_rr_compressed(&self, rr: &Rr, compressor: &mut Compressor, out: &mut Vec<u8>) {
        // Most records belong to the question, which always stands at the same place.
        if rr.owner == QNAME && self.qname_length > 1 {
            out.extend_from_slice(&[0xc0, HEADER as u8]);
        } else {
            compressor.write(self.name(rr.owner), out);
        }
        out.extend_from_slice(&rr.rtype.to_be_bytes());
        out.extend_from_slice(&rr.class.to_be_bytes());
        out.extend_from_slice(&rr.ttl.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        let at = out.len();
        match rr.rdata {
            Rdata::Name(name) => compressor.write(self.name(name), out),
            Rdata::Soa { mname, rname, numbers } => {
                compressor.write(self.name(mname), out);
                compressor.write(self.name(rname), out);
                numbers.iter().for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
            }
            // The target of SRV is never compressed (RFC 2782), but what follows may point at it.
            Rdata::Srv { weight, port, target } => {
                out.extend_from_slice(&[0, 0]);
                out.extend_from_slice(&weight.to_be_bytes());
                out.extend_from_slice(&port.to_be_bytes());
                let name_at = out.len();
                out.extend_from_slice(self.name(target));
                compressor.learn(out, name_at);
            }
            Rdata::A(address) => out.extend_from_slice(&address),
            Rdata::Aaaa(address) => out.extend_from_slice(&address),
            Rdata::Opaque(bytes) => out.extend_from_slice(self.bytes(bytes)),
        }
        let length = (out.len() - at) as u16;
        out[at - 2..at].copy_from_slice(&length.to_be_bytes());
    }
}

fn name_in(arena: &[u8], qname_length: usize, name: NameRef) -> &[u8] {
    if name == QNAME {
        return &arena[..qname_length];
    }
    &arena[name.start as usize..(name.start + name.length) as usize]
}

/// Finds names that are in the message already (RFC 1035 4.1.4). A pointer costs one hash of the suffix.
#[derive(Default)]
struct Compressor {
    seen: HashTable<Suffix>,
    suffixes: Vec<u8>,
}

/// A name's tail that stands in the message at `offset`; its octets are kept in `Compressor::suffixes`.
#[derive(Clone, Copy)]
struct Suffix {
    hash: u64,
    start: u32,
    length: u16,
    offset: u16,
}

const HASH: FixedState = FixedState::with_seed(0x0c10_57e2);

impl Compressor {
    fn clear(&mut self) {
        self.seen.clear();
        self.suffixes.clear();
    }

    /// Remembers the tails of the uncompressed name at `offset`, as far as pointers reach.
    fn learn(&mut self, out: &[u8], offset: usize) {
        let mut end = offset;
        while out[end] != 0 {
            end += 1 + out[end] as usize;
        }
        self.remember(&out[offset..=end], offset);
    }

    fn write(&mut self, name: &[u8], out: &mut Vec<u8>) {
        let mut at = 0;
        while name[at] != 0 {
            let tail = &name[at..];
            let hash = HASH.hash_one(tail);
            if let Some(found) = self.seen.find(hash, |suffix| self.octets(suffix) == tail) {
                let pointer = 0xc000 | found.offset;
                let written_at = out.len();
                out.extend_from_slice(&name[..at]);
                out.extend_from_slice(&pointer.to_be_bytes());
                self.remember_until(name, at, written_at);
                return;
            }
            at += 1 + name[at] as usize;
        }
        let written_at = out.len();
        out.extend_from_slice(name);
        self.remember(name, written_at);
    }

    fn octets(&self, suffix: &Suffix) -> &[u8] {
        &self.suffixes[suffix.start as usize..suffix.start as usize + suffix.length as usize]
    }

    fn remember(&mut self, name: &[u8], offset: usize) {
        self.remember_until(name, name.len() - 1, offset);
    }

    /// Remembers the tails that begin before `until`.
    fn remember_until(&mut self, name: &[u8], until: usize, offset: usize) {
        let start = self.suffixes.len();
        self.suffixes.extend_from_slice(name);
        let mut at = 0;
        while at < until && offset + at < 0x4000 {
            let tail = &name[at..];
            let hash = HASH.hash_one(tail);
            let known = self.seen.find(hash, |suffix| self.octets(suffix) == tail).is_some();
            if !known {
                let suffix = Suffix { hash, start: (start + at) as u32, length: tail.len() as u16, offset: (offset + at) as u16 };
                self.seen.insert_unique(hash, suffix, |suffix| suffix.hash);
            }
            at += 1 + name[at] as usize;
        }
    }
}
