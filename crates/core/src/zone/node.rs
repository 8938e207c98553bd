//! What one name holds, as it is kept: parsed once, compact, ready to be answered.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use smallvec::SmallVec;

use super::change;
use crate::name::{self, MAX_LABEL};
use crate::wire::rtype;

/// All that one owner name holds.
#[derive(Debug, PartialEq)]
pub struct Node {
    /// Relative wire name, lower case.
    pub name: Arc<[u8]>,
    /// Who made it.
    pub origin: u32,
    /// Record sets, by type.
    pub rrsets: Box<[RrSet]>,
    /// A member set, if it has one.
    pub set: Option<Box<MemberSet>>,
    /// Seconds, if dashed addresses below it are answered.
    pub synthesis: Option<u32>,
    /// Whether it is there at all.
    exists: bool,
    absent: Box<[u16]>,
    /// The relist that mentioned it last.
    pub relist: Mark,
}

/// The number of a relist. It says nothing about what a node holds: all marks are equal.
#[derive(Debug, Default)]
pub struct Mark(AtomicU16);

impl Mark {
    /// The relist's number.
    pub fn get(&self) -> u16 {
        self.0.load(Ordering::Relaxed)
    }

    /// Mentions it. Only the zone's one writer does.
    pub fn set(&self, relist: u16) {
        self.0.store(relist, Ordering::Relaxed);
    }
}

impl PartialEq for Mark {
    fn eq(&self, _: &Mark) -> bool {
        true
    }
}

/// Records of one type.
#[derive(Debug, PartialEq)]
pub struct RrSet {
    /// The type.
    pub rtype: u16,
    /// Seconds.
    pub ttl: u32,
    /// One for each record.
    pub rdata: Box<[StoredRdata]>,
}

/// A record's data. Names are wire names when absolute, else relative ones.
#[derive(Debug, PartialEq)]
pub enum StoredRdata {
    /// An IPv4 address.
    A([u8; 4]),
    /// An IPv6 address.
    Aaaa([u8; 16]),
    /// A name with its root.
    Absolute(Box<[u8]>),
    /// A name below the zone's origin.
    Relative(Box<[u8]>),
    /// Octets as they go on the wire.
    Opaque(Box<[u8]>),
}

/// An address, or a name in the place of one.
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum Address {
    /// IPv4.
    V4([u8; 4]),
    /// IPv6.
    V6([u8; 16]),
    /// An absolute wire name.
    Name(Box<[u8]>),
}

/// See `zones.py: MemberSet`.
#[derive(Debug, PartialEq)]
pub struct MemberSet {
    /// Seconds.
    pub ttl: u32,
    /// The owner's own addresses.
    pub addresses: Box<[Address]>,
    /// The owner's own ports.
    pub ports: Box<[Port]>,
    /// Members of all groups, group by group.
    pub members: Box<[Member]>,
    /// Ports and the members that have them.
    pub groups: Box<[Group]>,
    /// The owner answers its members too.
    pub listed: bool,
    /// No names below the owner and no PTR come from it.
    pub alone: bool,
    /// No address stands twice in what the owner answers, so nobody needs to look for duplicates.
    pub distinct: bool,
    /// Members below the owner with a label of their own, by label.
    by_label: Box<[u32]>,
    /// Members below the owner with an address, by address.
    by_address: Box<[u32]>,
}

/// A member; without a label it is called by its address with dashes. One that is a name always has a label.
#[derive(Debug, PartialEq)]
pub struct Member {
    /// Address or name.
    pub address: Address,
    /// Its label, lower case.
    pub label: Option<Box<[u8]>>,
}

/// Ports and the range of members that have them.
#[derive(Debug, PartialEq)]
pub struct Group {
    /// Shared ports.
    pub ports: Box<[Port]>,
    /// First member.
    pub start: u32,
    /// Behind the last member.
    pub end: u32,
    /// Relative wire name under which the members' names live, if it is another than the owner's.
    pub base: Option<Box<[u8]>>,
}

/// A port as SRV gives it, lower case; None: it has no SRV record.
#[derive(Debug, PartialEq, Clone)]
pub struct Port {
    /// Its name.
    pub name: Box<[u8]>,
    /// tcp, udp, sctp.
    pub protocol: Box<[u8]>,
    /// Its number.
    pub number: Option<u16>,
}

impl Node {
    /// A node that removes what the name holds.
    pub fn empty(name: Arc<[u8]>) -> Node {
        Node {
            name,
            origin: 0,
            rrsets: Box::default(),
            set: None,
            synthesis: None,
            exists: false,
            absent: Box::default(),
            relist: Mark::default(),
        }
    }

    /// Parses an owner. What makes no sense inside it is left out and named; a name that is none is an error.
    pub fn build(owner: &change::Owner<'_>) -> Result<(Node, Vec<String>), String> {
        let name = relative(owner.name).map_err(|why| format!("{}: the name {why}", owner.name))?;
        let mut complaints = Vec::new();
        let mut node = Node::empty(name.into());
        node.origin = owner.origin;
        node.absent = owner.absent.clone().into();
        let mut rrsets = Vec::with_capacity(owner.data.len());
        for primitive in &owner.data {
            node.exists = true;
            match primitive {
                change::Primitive::RrSet { rtype, ttl, rdata } => {
                    let parse =
                        |text: &&str| stored(*rtype, text).map_err(|why| complaints.push(format!("{}: {text}: {why}", owner.name))).ok();
                    // As much room as is needed: what is given back in pieces is hardly used again.
                    let mut all = Vec::with_capacity(rdata.len());
                    all.extend(rdata.iter().filter_map(parse));
                    rrsets.push(RrSet { rtype: *rtype, ttl: *ttl, rdata: all.into() });
                }
                change::Primitive::Members(set) => {
                    node.set = Some(Box::new(MemberSet::build(set, &mut |what| complaints.push(format!("{}: {what}", owner.name)))));
                }
                change::Primitive::Synthesis { ttl } => node.synthesis = Some(*ttl),
                change::Primitive::Exists => {}
            }
        }
        node.rrsets = rrsets.into();
        Ok((node, complaints))
    }

    /// Whether the name is there.
    pub fn holds_data(&self) -> bool {
        self.exists
    }

    /// Whether it stands for all names in its place (RFC 4592).
    pub fn is_wildcard(&self) -> bool {
        self.name.starts_with(b"\x01*")
    }

    /// Records of a type.
    pub fn rrset(&self, rtype: u16) -> Option<&RrSet> {
        self.rrsets.iter().find(|set| set.rtype == rtype)
    }

    /// Whether the name answers a type as if it did not exist.
    pub fn is_absent_for(&self, qtype: u16) -> bool {
        self.absent.contains(&qtype) || self.absent.contains(&rtype::ANY) && self.rrset(qtype).is_none()
    }

    /// Every address that PTR may be asked for, and whether it is a member's. Members whose names live elsewhere have none here.
    pub fn addresses(&self) -> impl Iterator<Item = (u128, bool)> {
        let set = self.set.as_deref().filter(|set| !set.alone);
        let own = set.into_iter().flat_map(|set| set.addresses.iter().filter_map(Address::number).map(|number| (number, false)));
        let member = |set: &MemberSet, at: u32| set.members[at as usize].address.number().map(|number| (number, true));
        own.chain(set.into_iter().flat_map(move |set| set.by_address.iter().filter_map(move |&at| member(set, at))))
    }
}

impl MemberSet {
    fn build(set: &change::MemberSet<'_>, complain: &mut dyn FnMut(String)) -> MemberSet {
        let addresses: Box<[Address]> = set
            .addresses
            .iter()
            .filter_map(|text| Address::parse(text).or_else(|| complaint(complain, format!("{text} is no address"))))
            .collect();
        let mut members = Vec::with_capacity(set.groups.iter().map(|group| group.1.len()).sum());
        let mut groups = Vec::with_capacity(set.groups.len());
        for change::Group(ports, group_members, base) in &set.groups {
            let start = members.len() as u32;
            members.extend(group_members.iter().filter_map(|member| Member::build(member, complain)));
            let base = match relative(base) {
                Ok(base) => (!base.is_empty()).then(|| base.into()),
                Err(why) => complaint(complain, format!("the base {base} {why}")),
            };
            groups.push(Group { ports: parse_ports(ports, complain), start, end: members.len() as u32, base });
        }
        let mut set = MemberSet {
            ttl: set.ttl,
            addresses,
            ports: parse_ports(&set.ports, complain),
            members: members.into(),
            groups: groups.into(),
            listed: set.listed,
            alone: set.alone,
            distinct: false,
            by_label: Box::default(),
            by_address: Box::default(),
        };
        set.index();
        set
    }

    fn index(&mut self) {
        let members = &self.members;
        let all = 0..members.len() as u32;
        let mut by_label: Vec<u32> = all.clone().filter(|&at| members[at as usize].label.is_some()).collect();
        by_label.sort_by(|&a, &b| members[a as usize].label.cmp(&members[b as usize].label));
        let number = |at: u32| members[at as usize].address.number();
        let mut by_address: Vec<u32> = all.filter(|&at| number(at).is_some()).collect();
        by_address.sort_by_key(|&at| number(at));
        let own_distinct = {
            let mut own: Vec<_> = self.addresses.iter().map(Address::number).collect();
            own.sort();
            own.windows(2).all(|pair| pair[0] != pair[1])
        };
        let ports_distinct =
            |ports: &[Port]| ports.len() < 2 || (1..ports.len()).all(|at| !ports[..at].iter().any(|port| port.number == ports[at].number));
        // A label that reads like an address may be what another member is called.
        let labels_distinct = by_label.windows(2).all(|pair| members[pair[0] as usize].label != members[pair[1] as usize].label)
            && members.iter().filter_map(|member| member.label.as_deref()).all(|label| address_of_dashes(label).is_none());
        let addresses_distinct = by_address.windows(2).all(|pair| number(pair[0]) != number(pair[1]));
        let names = members.len() - by_address.len();
        self.distinct = own_distinct
            && labels_distinct
            && addresses_distinct
            && names == 0
            && (self.addresses.is_empty() || self.members.is_empty() || !self.listed)
            && ports_distinct(&self.ports)
            && self.groups.iter().all(|group| ports_distinct(&group.ports));
        // Members whose names live elsewhere are found there.
        let is_below = |at: &u32| !self.alone && self.group_of(*at).base.is_none();
        by_label.retain(is_below);
        by_address.retain(is_below);
        self.by_label = by_label.into();
        self.by_address = by_address.into();
    }

    /// The members below the owner that are called by this label (lower case). Several when a hostname is shared, or an address stands in several groups.
    pub fn labelled(&self, label: &[u8]) -> SmallVec<[u32; 4]> {
        let start = self.by_label.partition_point(|&at| self.members[at as usize].label.as_deref() < Some(label));
        let mut found: SmallVec<[u32; 4]> =
            self.by_label[start..].iter().copied().take_while(|&at| self.members[at as usize].label.as_deref() == Some(label)).collect();
        // A label with dashes is the name of a member without label, if it is written as we would write it.
        if let Some(address) = address_of_dashes(label).filter(|address| dashes_of_address(address).as_deref() == Some(label)) {
            found.extend(self.at_address(number_of(&address)).filter(|&at| self.members[at as usize].label.is_none()));
        }
        found
    }

    /// The members below the owner that have an address.
    pub fn at_address(&self, number: u128) -> impl Iterator<Item = u32> {
        let key = move |&at: &u32| self.members[at as usize].address.number();
        let start = self.by_address.partition_point(move |at| key(at) < Some(number));
        self.by_address[start..].iter().copied().take_while(move |at| key(at) == Some(number))
    }

    /// The group that a member belongs to.
    pub fn group_of(&self, member: u32) -> &Group {
        &self.groups[self.groups.partition_point(|group| group.end <= member)]
    }
}

impl Member {
    /// Parses a member; what makes no sense is named. One that is a name is called by it, with dashes, unless it has a label.
    fn build(change::Member(address, label): &change::Member<'_>, complain: &mut dyn FnMut(String)) -> Option<Member> {
        let address = Address::parse(address).or_else(|| complaint(complain, format!("{address} is no address")))?;
        let label = match &address {
            Address::Name(name) if label.is_empty() => dashed_name(name),
            _ => label.to_ascii_lowercase().into_bytes(),
        };
        if label.len() > MAX_LABEL {
            return complaint(complain, format!("the label {} is longer than 63 octets", String::from_utf8_lossy(&label)));
        }
        Some(Member { address, label: (!label.is_empty()).then(|| label.into()) })
    }

    /// Writes the label that it is called by into `out`, and returns it.
    pub fn label_into<'a>(&self, out: &'a mut LabelBuffer) -> &'a [u8] {
        match (&self.label, &self.address) {
            (Some(label), _) => out.copy(label),
            (None, Address::V4(octets)) => out.dashed_v4(octets),
            (None, Address::V6(octets)) => out.copy(dashed_v6(octets).as_bytes()),
            (None, Address::Name(_)) => &[],
        }
    }
}

/// A label's octets on the stack.
pub struct LabelBuffer {
    octets: [u8; MAX_LABEL],
}

impl LabelBuffer {
    /// An empty one.
    pub fn new() -> LabelBuffer {
        LabelBuffer { octets: [0; MAX_LABEL] }
    }

    fn copy(&mut self, label: &[u8]) -> &[u8] {
        let length = label.len().min(MAX_LABEL);
        self.octets[..length].copy_from_slice(&label[..length]);
        &self.octets[..length]
    }

    fn dashed_v4(&mut self, address: &[u8; 4]) -> &[u8] {
        let mut at = 0;
        for (index, &octet) in address.iter().enumerate() {
            if index > 0 {
                self.octets[at] = b'-';
                at += 1;
            }
            for (divisor, show) in [(100, octet >= 100), (10, octet >= 10), (1, true)] {
                if show {
                    self.octets[at] = b'0' + octet / divisor % 10;
                    at += 1;
                }
            }
        }
        &self.octets[..at]
    }
}

impl Address {
    /// From the text of an IP address, or of a name that ends with a dot.
    pub fn parse(text: &str) -> Option<Address> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(address.into());
        }
        match name::labels_of_text(text) {
            Ok((mut wire, true)) if !wire.is_empty() => {
                wire.push(0);
                Some(Address::Name(wire.into()))
            }
            _ => None,
        }
    }

    /// The address as a number, IPv4 mapped into IPv6; none for a name.
    pub fn number(&self) -> Option<u128> {
        match self {
            Address::V4(octets) => Some(number_of(&Ipv4Addr::from(*octets).into())),
            Address::V6(octets) => Some(u128::from_be_bytes(*octets)),
            Address::Name(_) => None,
        }
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Address {
        match address.to_canonical() {
            IpAddr::V4(v4) => Address::V4(v4.octets()),
            IpAddr::V6(v6) => Address::V6(v6.octets()),
        }
    }
}

/// The number of an address, IPv4 mapped into IPv6.
pub fn number_of(address: &IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The address that a label with dashes means: three single dashes are IPv4, anything else IPv6.
pub fn address_of_dashes(label: &[u8]) -> Option<IpAddr> {
    if label.is_empty() || label.len() > 39 || !label.iter().all(|octet| octet.is_ascii_hexdigit() || *octet == b'-') {
        return None;
    }
    let text = std::str::from_utf8(label).ok()?;
    let is_v4 = text.matches('-').count() == 3 && !text.contains("--");
    if is_v4 {
        text.replace('-', ".").parse::<Ipv4Addr>().ok().map(IpAddr::V4)
    } else {
        text.replace('-', ":").parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    }
}

/// The label that stands for an address; none for IPv4 mapped into IPv6, whose text has dots.
fn dashes_of_address(address: &IpAddr) -> Option<Box<[u8]>> {
    match address {
        IpAddr::V4(v4) => Some(v4.to_string().replace('.', "-").into_bytes().into()),
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_none() => Some(dashed_v6(&v6.octets()).into_bytes().into()),
        IpAddr::V6(_) => None,
    }
}

fn dashed_v6(octets: &[u8; 16]) -> String {
    let mut label = Ipv6Addr::from(*octets).to_string().replace([':', '.'], "-");
    // A label must not end with a dash.
    if label.ends_with('-') {
        label.push('0');
    }
    label
}

/// A name's labels with dashes between them.
fn dashed_name(name: &[u8]) -> Vec<u8> {
    let mut label = name::labels(name).collect::<Vec<_>>().join(&b'-');
    label.make_ascii_lowercase();
    label
}

fn parse_ports(ports: &[change::Port<'_>], complain: &mut dyn FnMut(String)) -> Box<[Port]> {
    ports
        .iter()
        .filter_map(|change::Port(name, protocol, number)| {
            let number = match number {
                -1 => None,
                number => Some(u16::try_from(*number).ok().or_else(|| complaint(complain, format!("{number} is no port number")))?),
            };
            let octets = |text: &str| text.to_ascii_lowercase().into_bytes().into();
            Some(Port { name: octets(name), protocol: octets(protocol), number })
        })
        .collect()
}

fn complaint<T>(complain: &mut dyn FnMut(String), what: String) -> Option<T> {
    complain(what);
    None
}

/// A relative wire name in lower case, without root.
fn relative(text: &str) -> Result<Vec<u8>, name::NameError> {
    let (mut wire, _) = name::labels_of_text(text)?;
    wire.make_ascii_lowercase();
    Ok(wire)
}

fn stored(rtype: u16, text: &str) -> Result<StoredRdata, String> {
    match rtype {
        rtype::A => text.parse::<Ipv4Addr>().map(|address| StoredRdata::A(address.octets())).map_err(|why| why.to_string()),
        rtype::AAAA => text.parse::<Ipv6Addr>().map(|address| StoredRdata::Aaaa(address.octets())).map_err(|why| why.to_string()),
        rtype::CNAME | rtype::NS | rtype::PTR => {
            let (mut wire, absolute) = name::labels_of_text(text).map_err(|why| format!("the name {why}"))?;
            Ok(if absolute {
                wire.push(0);
                StoredRdata::Absolute(wire.into())
            } else {
                StoredRdata::Relative(wire.into())
            })
        }
        rtype::TXT => {
            let mut octets = Vec::with_capacity(text.len() + 1);
            for part in text.as_bytes().chunks(255) {
                octets.push(part.len() as u8);
                octets.extend_from_slice(part);
            }
            // At least one string (RFC 1035 3.3.14).
            if text.is_empty() {
                octets.push(0);
            }
            Ok(StoredRdata::Opaque(octets.into()))
        }
        _ => Err(format!("records of type {rtype} cannot be given as text")),
    }
}
