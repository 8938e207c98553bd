//! The op `zone`: a question and a local zone in, records out. The rules are those recorded from CoreDNS for a cluster's names;
//! what the names mean is not known here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use hashbrown::HashSet;

use super::lookup::{ANY_PORT, Found, PortFilter, find};
use super::node::{Address, Group, LabelBuffer, MemberSet, Node, Port, StoredRdata};
use super::{Zone, node};
use crate::answer::{Answer, NameRef, Rdata, Rr};
use crate::name::is_under;
use crate::plan;
use crate::trace::Recorder;
use crate::wire::{rcode, rtype};

/// Longest chain of aliases inside a zone.
const MAX_CHAIN: usize = 10;
/// The most aliases that are tried for one question: names may lead to several, and the ways that lead nowhere multiply.
const MAX_ALIASES: usize = 128;

/// The op, ready to run.
pub struct ZoneOp {
    /// Where the data is.
    pub zone: Arc<Zone>,
    /// The directive's name, for logs.
    pub name: String,
    origins: Vec<Origin>,
    primary: Option<usize>,
    soa: plan::Soa,
    mname: Vec<u8>,
    rname: Vec<u8>,
    fallthrough: Vec<Box<[u8]>>,
    exists: Vec<Box<[u8]>>,
    soa_nodata: bool,
    bare_ports: bool,
}

struct Origin {
    wire: Box<[u8]>,
    reverse: bool,
}

/// A name that is asked for: the client's question, or the target of an alias.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Where the name is in the answer.
    pub owner: NameRef,
    /// Its wire form, letter case kept.
    pub name: &'a [u8],
    /// The same in lower case.
    pub lower: &'a [u8],
}

/// How the op ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The answer stands.
    Answered,
    /// Not ours: the next op's turn.
    Next,
}

/// How a lookup ended, before SOA and rcode.
enum Outcome {
    /// Records were added.
    Records,
    /// The name exists, the type does not.
    NoData,
    /// The name does not exist.
    Absent,
}

/// One question on its way through the zone.
struct Lookup<'a> {
    op: &'a ZoneOp,
    /// The name asked for.
    owner: NameRef,
    /// The origin as the client wrote it.
    origin: &'a [u8],
    qtype: u16,
    /// How many aliases have been tried.
    aliases: usize,
    answer: &'a mut Answer,
}

impl ZoneOp {
    /// Compiles the op; the error names what is no domain name.
    pub fn new(zone: Arc<Zone>, op: &plan::Op) -> Result<ZoneOp, String> {
        let plan::Op::Zone { origins, primary, soa, fallthrough, exists, soa_nodata, bare_ports, name, .. } = op else {
            return Err("not a zone op".to_owned());
        };
        let absolute = |text: &String| crate::name::absolute_lower(text).map_err(|why| format!("{text} {why}"));
        let relative = |text: &String| crate::name::labels_of_text(text).map(|(wire, _)| wire).map_err(|why| format!("{text} {why}"));
        Ok(ZoneOp {
            zone,
            name: name.clone(),
            origins: origins
                .iter()
                .map(|origin| Ok(Origin { wire: absolute(&origin.name)?, reverse: origin.reverse }))
                .collect::<Result<_, String>>()?,
            primary: usize::try_from(*primary).ok().filter(|at| *at < origins.len()),
            soa: soa.clone(),
            mname: relative(&soa.mname)?,
            rname: relative(&soa.rname)?,
            fallthrough: fallthrough.iter().map(absolute).collect::<Result<_, _>>()?,
            exists: exists.iter().map(|text| relative(text).map(Into::into)).collect::<Result<_, _>>()?,
            soa_nodata: *soa_nodata,
            bare_ports: *bare_ports,
        })
    }

    /// Answers a question of type `qtype` for `asked`.
    pub fn run<R: Recorder>(&self, qtype: u16, asked: &Asked<'_>, answer: &mut Answer, recorder: &mut R) -> Said {
        let Asked { owner, name, lower } = *asked;
        let Some(origin) = self.origin_of(lower) else { return Said::Next };
        let cut = lower.len() - origin.wire.len();
        let relative = &lower[..cut];
        if matches!(qtype, rtype::AXFR | rtype::IXFR) {
            answer.rcode = rcode::REFUSED;
            return Said::Answered;
        }
        answer.aa = true;
        let mut lookup = Lookup { op: self, owner, origin: &name[cut..], qtype, aliases: 0, answer };
        let outcome = if origin.reverse { lookup.reverse(relative, lower, recorder) } else { lookup.forward(relative, recorder) };
        match outcome {
            Outcome::Records => return Said::Answered,
            Outcome::NoData => answer.rcode = rcode::NOERROR,
            Outcome::Absent if !self.zone.is_complete() => answer.rcode = rcode::SERVFAIL,
            Outcome::Absent if self.fallthrough.iter().any(|zone| is_under(lower, zone)) => {
                answer.clear();
                recorder.note("fallthrough", || "the name is absent here; the next directive is asked".to_owned());
                return Said::Next;
            }
            Outcome::Absent => answer.rcode = rcode::NXDOMAIN,
        }
        recorder.note("absent", || {
            let state = if self.zone.is_complete() { "all data has been loaded" } else { "the data is still loading" };
            format!("{}; {state}", if answer.rcode == rcode::NOERROR { "the name exists, the type does not" } else { "no such name" })
        });
        let apex = answer.intern(&[&name[cut..]]);
        let soa = self.soa(apex, &name[cut..], answer);
        answer.authority.extend(soa);
        Said::Answered
    }

    /// The origins whose names never get past this op.
    pub fn held(&self) -> impl Iterator<Item = &[u8]> {
        let passes_on = |origin: &[u8]| self.fallthrough.iter().any(|zone| is_under(origin, zone) || is_under(zone, origin));
        self.origins.iter().map(|origin| &*origin.wire).filter(move |origin| !passes_on(origin))
    }

    fn find<'n>(&self, relative: &'n [u8]) -> Option<Found<'n>> {
        find(&self.zone, relative, self.bare_ports)
    }

    fn origin_of(&self, lower: &[u8]) -> Option<&Origin> {
        // Octets first: that is cheaper than walking the labels, and mostly enough to say no.
        let fits = |origin: &&Origin| lower.ends_with(&origin.wire) && is_under(lower, &origin.wire);
        self.origins.iter().filter(fits).max_by_key(|origin| origin.wire.len())
    }

    /// None where the origin leaves no room for the names in it.
    fn soa(&self, owner: NameRef, origin: &[u8], answer: &mut Answer) -> Option<Rr> {
        let mname = answer.join(&[&self.mname, origin])?;
        let rname = answer.join(&[&self.rname, origin])?;
        let soa = &self.soa;
        let numbers = [self.zone.serial(), soa.refresh, soa.retry, soa.expire, soa.minimum];
        Some(Rr::new(owner, rtype::SOA, soa.ttl, Rdata::Soa { mname, rname, numbers }))
    }
}

impl Lookup<'_> {
    fn forward<R: Recorder>(&mut self, relative: &[u8], recorder: &mut R) -> Outcome {
        if self.qtype == rtype::SOA {
            if relative.is_empty() {
                return self.apex_soa();
            }
            if self.op.soa_nodata {
                return Outcome::NoData;
            }
        }
        let Some(found) = self.op.find(relative) else { return Outcome::Absent };
        recorder.origin(found.node().origin);
        self.answer_found(&found, self.owner, 0, recorder)
    }

    fn apex_soa(&mut self) -> Outcome {
        let Some(soa) = self.op.soa(self.owner, self.origin, self.answer) else { return Outcome::NoData };
        self.answer.answer.push(soa);
        Outcome::Records
    }

    /// PTR by address; else only the names that exist everywhere.
    fn reverse<R: Recorder>(&mut self, relative: &[u8], lower: &[u8], recorder: &mut R) -> Outcome {
        if self.qtype == rtype::SOA && relative.is_empty() {
            return self.apex_soa();
        }
        if self.qtype == rtype::SOA && self.op.soa_nodata {
            return Outcome::NoData;
        }
        if self.qtype == rtype::PTR
            && let Some(address) = address_of_reverse(lower)
        {
            return self.ptr(node::number_of(&address), recorder);
        }
        let exists = self.qtype != rtype::TXT && self.op.exists.iter().any(|name| **name == *relative);
        if exists { Outcome::NoData } else { Outcome::Absent }
    }

    fn ptr<R: Recorder>(&mut self, address: u128, recorder: &mut R) -> Outcome {
        let Some(primary) = self.op.primary.map(|at| &*self.op.origins[at].wire) else { return Outcome::Absent };
        let mut targets: Vec<NameRef> = Vec::new();
        for node in self.op.zone.nodes_of(address) {
            let Some(set) = node.set.as_deref() else { continue };
            recorder.origin(node.origin);
            if set.addresses.iter().any(|own| own.number() == Some(address)) {
                let Some(target) = self.answer.join(&[&node.name, primary]) else { continue };
                self.push(self.owner, rtype::PTR, set.ttl, Rdata::Name(target));
                return Outcome::Records;
            }
            for at in set.at_address(address) {
                let mut label = LabelBuffer::new();
                let label = set.members[at as usize].label_into(&mut label);
                let Some(target) = self.answer.join_below(label, &[&node.name, primary]) else { continue };
                if targets.iter().all(|other| self.answer.name(*other) != self.answer.name(target)) {
                    targets.push(target);
                    self.push(self.owner, rtype::PTR, set.ttl, Rdata::Name(target));
                }
            }
        }
        if targets.is_empty() { Outcome::Absent } else { Outcome::Records }
    }

    fn answer_found<R: Recorder>(&mut self, found: &Found<'_>, owner: NameRef, depth: usize, recorder: &mut R) -> Outcome {
        match found {
            Found::Owner(node) => self.answer_node(node, owner, depth, recorder),
            Found::Members(node, members) => {
                let Some(set) = node.set.as_deref() else { return Outcome::Absent };
                let chosen: Vec<Choice<'_>> = members.iter().map(|&at| Choice { group: set.group_of(at), at }).collect();
                self.answer_members(node, set, &chosen, owner, depth, recorder)
            }
            Found::Ports(node, filter) => self.answer_ports(node, *filter, owner, depth, recorder),
            Found::Synthesised(node, address) => self.answer_synthesised(*address, node.synthesis.unwrap_or(0), owner),
        }
    }

    fn answer_node<R: Recorder>(&mut self, node: &Node, owner: NameRef, depth: usize, recorder: &mut R) -> Outcome {
        if node.is_absent_for(self.qtype) {
            return Outcome::Absent;
        }
        let before = self.answer.answer.len();
        if let Some(rrset) = node.rrset(self.qtype) {
            for rdata in &rrset.rdata {
                let Some(rdata) = self.rdata(rdata) else { continue };
                self.push(owner, self.qtype, rrset.ttl, rdata);
                if let (rtype::NS, Rdata::Name(host)) = (self.qtype, rdata) {
                    self.glue(host);
                }
            }
        } else if let (rtype::A | rtype::AAAA, Some(alias)) = (self.qtype, node.rrset(rtype::CNAME)) {
            for rdata in &alias.rdata {
                if let Some(Rdata::Name(target)) = self.rdata(rdata) {
                    self.follow(owner, target, alias.ttl, depth, recorder);
                }
            }
        }
        if let Some(set) = node.set.as_deref() {
            self.answer_set(node, set, ANY_PORT, owner, depth, recorder);
        }
        if self.answer.answer.len() > before { Outcome::Records } else { Outcome::NoData }
    }

    fn answer_ports<R: Recorder>(
        &mut self,
        node: &Node,
        filter: PortFilter<'_>,
        owner: NameRef,
        depth: usize,
        recorder: &mut R,
    ) -> Outcome {
        let Some(set) = node.set.as_deref().filter(|_| !node.is_absent_for(self.qtype)) else { return Outcome::Absent };
        let listed = if set.listed { &*set.groups } else { &[] };
        let own = own_matches(set, filter) > 0;
        if !own && !listed.iter().any(|group| group.end > group.start && matches(&group.ports, filter) > 0) {
            return Outcome::Absent;
        }
        let before = self.answer.answer.len();
        self.answer_set(node, set, filter, owner, depth, recorder);
        if self.answer.answer.len() > before { Outcome::Records } else { Outcome::NoData }
    }

    /// A set's own addresses and its listed members, for the types that it has.
    fn answer_set<R: Recorder>(
        &mut self,
        node: &Node,
        set: &MemberSet,
        filter: PortFilter<'_>,
        owner: NameRef,
        depth: usize,
        recorder: &mut R,
    ) {
        let listed = if set.listed { &*set.groups } else { &[] };
        match self.qtype {
            rtype::A | rtype::AAAA => {
                let mut seen = Seen::new(set);
                if own_matches(set, filter) > 0 {
                    for address in &set.addresses {
                        self.push_address(address, set.ttl, owner, &mut seen, depth, recorder);
                    }
                }
                for group in listed.iter().filter(|group| matches(&group.ports, filter) > 0) {
                    for member in &set.members[group.start as usize..group.end as usize] {
                        self.push_address(&member.address, set.ttl, owner, &mut seen, depth, recorder);
                    }
                }
            }
            rtype::SRV => {
                let own = set.addresses.len() * own_matches(set, filter);
                let total =
                    own + listed.iter().map(|group| (group.end - group.start) as usize * matches(&group.ports, filter)).sum::<usize>();
                let weight = weight_of(total);
                let mut seen = Seen::new(set);
                if own > 0 {
                    self.push_own_srv(node, set, filter, weight, &mut seen);
                }
                for group in listed {
                    for at in group.start..group.end {
                        self.push_member_srv(node, set, &Choice { group, at }, filter, weight, &mut seen, recorder);
                    }
                }
            }
            rtype::CNAME => {
                if let Some(first) = listed.iter().find(|group| group.end > group.start)
                    && let Address::Name(target) = &set.members[first.start as usize].address
                {
                    let target = self.answer.intern(&[target]);
                    self.push(owner, rtype::CNAME, set.ttl, Rdata::Name(target));
                }
            }
            _ => {}
        }
    }

    /// Members asked for by their own label.
    fn answer_members<R: Recorder>(
        &mut self,
        node: &Node,
        set: &MemberSet,
        chosen: &[Choice<'_>],
        owner: NameRef,
        depth: usize,
        recorder: &mut R,
    ) -> Outcome {
        let before = self.answer.answer.len();
        match self.qtype {
            rtype::A | rtype::AAAA => {
                let mut seen = Seen::always();
                for choice in chosen {
                    self.push_address(&set.members[choice.at as usize].address, set.ttl, owner, &mut seen, depth, recorder);
                }
            }
            rtype::SRV => {
                let weight = weight_of(chosen.iter().map(|choice| matches(&choice.group.ports, ANY_PORT)).sum());
                let mut seen = Seen::always();
                for choice in chosen {
                    self.push_member_srv(node, set, choice, ANY_PORT, weight, &mut seen, recorder);
                }
            }
            rtype::CNAME => {
                if let Some(Address::Name(target)) = chosen.first().map(|choice| &set.members[choice.at as usize].address) {
                    let target = self.answer.intern(&[target]);
                    self.push(owner, rtype::CNAME, set.ttl, Rdata::Name(target));
                }
            }
            _ => {}
        }
        if self.answer.answer.len() > before { Outcome::Records } else { Outcome::NoData }
    }

    /// A synthesised name behaves as a set of one address with port 0 (as recorded: SRV `0 100 0` itself).
    fn answer_synthesised(&mut self, address: IpAddr, ttl: u32, owner: NameRef) -> Outcome {
        let (own_type, rdata) = match address {
            IpAddr::V4(v4) => (rtype::A, Rdata::A(v4.octets())),
            IpAddr::V6(v6) => (rtype::AAAA, Rdata::Aaaa(v6.octets())),
        };
        if self.qtype == own_type {
            self.push(owner, own_type, ttl, rdata);
        } else if self.qtype == rtype::SRV {
            let qname = self.answer.name(owner);
            let mut canonical = qname.to_vec();
            let cut = canonical.len() - self.origin.len();
            canonical[..cut].make_ascii_lowercase();
            let target = self.answer.intern(&[&canonical]);
            self.push(owner, rtype::SRV, ttl, Rdata::Srv { weight: 100, port: 0, target });
            self.answer.additional.push(Rr::new(target, own_type, ttl, rdata));
        } else {
            return Outcome::NoData;
        }
        Outcome::Records
    }

    #[inline]
    fn push(&mut self, owner: NameRef, rtype: u16, ttl: u32, rdata: Rdata) {
        self.answer.answer.push(Rr::new(owner, rtype, ttl, rdata));
    }

    /// Adds an address of the asked family; a name in its place is an alias.
    #[inline]
    fn push_address<R: Recorder>(&mut self, address: &Address, ttl: u32, owner: NameRef, seen: &mut Seen, depth: usize, recorder: &mut R) {
        match (self.qtype, address) {
            (rtype::A, Address::V4(octets)) if seen.is_new(address, 0) => self.push(owner, rtype::A, ttl, Rdata::A(*octets)),
            (rtype::AAAA, Address::V6(octets)) if seen.is_new(address, 0) => self.push(owner, rtype::AAAA, ttl, Rdata::Aaaa(*octets)),
            (_, Address::Name(target)) => {
                let target = self.answer.intern(&[target]);
                self.follow(owner, target, ttl, depth, recorder);
            }
            _ => {}
        }
    }

    fn push_own_srv(&mut self, node: &Node, set: &MemberSet, filter: PortFilter<'_>, weight: u16, seen: &mut Seen) {
        let Some(target) = self.answer.join(&[&node.name, self.origin]) else { return };
        let mut any = false;
        for port in set.ports.iter().filter(|port| is_match(port, filter)) {
            let Some(number) = port.number else { continue };
            any = true;
            if seen.is_new_port(number) {
                self.push(self.owner, rtype::SRV, set.ttl, Rdata::Srv { weight, port: number, target });
            }
        }
        if any {
            for address in &set.addresses {
                self.push_glue(address, target, set.ttl, seen);
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one record needs them all; a struct for a single call would hide them")]
    fn push_member_srv<R: Recorder>(
        &mut self,
        node: &Node,
        set: &MemberSet,
        choice: &Choice<'_>,
        filter: PortFilter<'_>,
        weight: u16,
        seen: &mut Seen,
        recorder: &mut R,
    ) {
        let member = &set.members[choice.at as usize];
        let mut target = None;
        for port in choice.group.ports.iter().filter(|port| is_match(port, filter)) {
            let Some(number) = port.number else { continue };
            let host = *target.get_or_insert_with(|| {
                if let Address::Name(name) = &member.address {
                    return self.answer.join(&[name]);
                }
                let mut label = LabelBuffer::new();
                let base = choice.group.base.as_deref().unwrap_or(&node.name);
                let label = member.label_into(&mut label);
                self.answer.join_below(label, &[base, self.origin])
            });
            let Some(host) = host else { return };
            if seen.distinct || seen.is_new_host_port(self.answer.name(host), number) {
                self.push(self.owner, rtype::SRV, set.ttl, Rdata::Srv { weight, port: number, target: host });
            }
        }
        if let Some(Some(host)) = target {
            recorder.origin(node.origin);
            let is_new = seen.distinct || seen.is_new_glue(self.answer.name(host), &member.address);
            if is_new {
                let mut every = Seen::none();
                self.push_glue(&member.address, host, set.ttl, &mut every);
            }
        }
    }

    fn push_glue(&mut self, address: &Address, owner: NameRef, ttl: u32, seen: &mut Seen) {
        if !seen.is_new(address, 1) {
            return;
        }
        let (rtype, rdata) = match address {
            Address::V4(octets) => (rtype::A, Rdata::A(*octets)),
            Address::V6(octets) => (rtype::AAAA, Rdata::Aaaa(*octets)),
            Address::Name(_) => return,
        };
        self.answer.additional.push(Rr::new(owner, rtype, ttl, rdata));
    }

    /// Addresses of a name server that this zone holds.
    fn glue(&mut self, host: NameRef) {
        let lower = self.answer.name(host).to_ascii_lowercase();
        let origin = self.origin.to_ascii_lowercase();
        if !is_under(&lower, &origin) {
            return;
        }
        let Some(found) = self.op.find(&lower[..lower.len() - origin.len()]) else { return };
        let records: Vec<(Address, u32)> = match &found {
            Found::Owner(node) => {
                let set = node.set.as_deref();
                let of_set = set.into_iter().flat_map(|set| set.addresses.iter().map(|address| (address.clone(), set.ttl)));
                let of_records = node.rrsets.iter().flat_map(|rrset| {
                    rrset.rdata.iter().filter_map(|rdata| match rdata {
                        StoredRdata::A(octets) => Some((Address::V4(*octets), rrset.ttl)),
                        StoredRdata::Aaaa(octets) => Some((Address::V6(*octets), rrset.ttl)),
                        _ => None,
                    })
                });
                of_set.chain(of_records).collect()
            }
            Found::Members(node, members) => {
                let set = node.set.as_deref();
                set.into_iter().flat_map(|set| members.iter().map(|&at| (set.members[at as usize].address.clone(), set.ttl))).collect()
            }
            _ => Vec::new(),
        };
        for (address, ttl) in records {
            self.push_glue(&address, host, ttl, &mut Seen::none());
        }
    }

    /// Adds an alias and what it leads to. Inside this origin it is resolved here, and left out when it leads nowhere;
    /// elsewhere other blocks are asked later.
    fn follow<R: Recorder>(&mut self, owner: NameRef, target: NameRef, ttl: u32, depth: usize, recorder: &mut R) {
        self.aliases += 1;
        if self.aliases > MAX_ALIASES {
            return;
        }
        let lower = self.answer.name(target).to_ascii_lowercase();
        let is_itself = self.answer.name(owner).eq_ignore_ascii_case(&lower);
        let seen = |rr: &Rr| {
            rr.rtype == rtype::CNAME && matches!(rr.rdata, Rdata::Name(other) if self.answer.name(other).eq_ignore_ascii_case(&lower))
        };
        if is_itself || depth > MAX_CHAIN || self.answer.answer.iter().any(seen) {
            return;
        }
        let before = self.answer.answer.len();
        self.push(owner, rtype::CNAME, ttl, Rdata::Name(target));
        recorder.note("alias", || format!("CNAME {}", crate::name::Display(&lower)));
        if !is_under(&lower, &self.origin.to_ascii_lowercase()) {
            self.answer.chase.push(target);
            return;
        }
        if let Some(found) = self.op.find(&lower[..lower.len() - self.origin.len()]) {
            recorder.origin(found.node().origin);
            self.answer_found(&found, target, depth + 1, recorder);
        }
        if self.answer.answer.len() == before + 1 {
            self.answer.answer.truncate(before);
        }
    }

    /// None where a relative name is too long below this origin.
    fn rdata(&mut self, stored: &StoredRdata) -> Option<Rdata> {
        Some(match stored {
            StoredRdata::A(octets) => Rdata::A(*octets),
            StoredRdata::Aaaa(octets) => Rdata::Aaaa(*octets),
            StoredRdata::Absolute(name) => Rdata::Name(self.answer.intern(&[name])),
            StoredRdata::Relative(name) => Rdata::Name(self.answer.join(&[name, self.origin])?),
            StoredRdata::Opaque(octets) => Rdata::Opaque(self.answer.keep(octets)),
        })
    }
}

/// A member and the ports that it has.
struct Choice<'a> {
    group: &'a Group,
    at: u32,
}

/// What tells a record from others: its kind, an address or port, a host.
type Record = (u8, u128, Box<[u8]>);

/// What has been said already. Sets whose members are all different need not look.
struct Seen {
    distinct: bool,
    said: Option<HashSet<Record>>,
}

impl Seen {
    fn new(set: &MemberSet) -> Seen {
        Seen { distinct: set.distinct, said: None }
    }

    fn always() -> Seen {
        Seen { distinct: false, said: None }
    }

    fn none() -> Seen {
        Seen { distinct: true, said: None }
    }

    fn insert(&mut self, kind: u8, number: u128, name: &[u8]) -> bool {
        self.said.get_or_insert_default().insert((kind, number, name.into()))
    }

    #[inline]
    fn is_new(&mut self, address: &Address, kind: u8) -> bool {
        self.distinct || self.insert(kind, address.number().unwrap_or(0), b"")
    }

    fn is_new_port(&mut self, number: u16) -> bool {
        self.distinct || self.insert(2, number.into(), b"")
    }

    fn is_new_host_port(&mut self, host: &[u8], number: u16) -> bool {
        self.insert(3, number.into(), host)
    }

    fn is_new_glue(&mut self, host: &[u8], address: &Address) -> bool {
        self.insert(4, address.number().unwrap_or(0), host)
    }
}

fn is_match(port: &Port, filter: PortFilter<'_>) -> bool {
    (filter.name.is_empty() || *filter.name == *port.name) && (filter.protocol.is_empty() || *filter.protocol == *port.protocol)
}

/// How many of the ports match. No ports at all count as one that has neither name nor number.
fn matches(ports: &[Port], filter: PortFilter<'_>) -> usize {
    if ports.is_empty() {
        return usize::from(filter.name.is_empty() && filter.protocol.is_empty());
    }
    ports.iter().filter(|port| is_match(port, filter)).count()
}

fn own_matches(set: &MemberSet, filter: PortFilter<'_>) -> usize {
    if set.addresses.is_empty() && set.listed { 0 } else { matches(&set.ports, filter) }
}

/// An equal share of 100, at least 1 (RFC 2782: 0 would mean "hardly ever").
fn weight_of(records: usize) -> u16 {
    (100 / records.max(1)).max(1) as u16
}

/// The address that a name below in-addr.arpa or ip6.arpa stands for, if it is a whole one.
fn address_of_reverse(lower: &[u8]) -> Option<IpAddr> {
    const V4: &[u8] = b"\x07in-addr\x04arpa\x00";
    const V6: &[u8] = b"\x03ip6\x04arpa\x00";
    if let Some(labels) = lower.strip_suffix(V4) {
        let mut octets = [0u8; 4];
        let mut count = 0;
        for label in crate::name::labels(labels) {
            let text = std::str::from_utf8(label).ok()?;
            let digits = text.bytes().all(|octet| octet.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
            *octets.get_mut(3usize.checked_sub(count)?)? = text.parse().ok().filter(|_| digits)?;
            count += 1;
        }
        return (count == 4).then(|| Ipv4Addr::from(octets).into());
    }
    let labels = lower.strip_suffix(V6)?;
    if labels.len() != 64 {
        return None;
    }
    let mut bits = 0u128;
    for (position, label) in crate::name::labels(labels).enumerate() {
        let [digit] = label else { return None };
        bits |= u128::from((*digit as char).to_digit(16)?) << (4 * position);
    }
    Some(IpAddr::V6(Ipv6Addr::from(bits)).to_canonical())
}
