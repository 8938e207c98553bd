//! The law of the zone: whatever changes came, it answers like a naive model of what it holds, built from scratch.
//!
//! The model expands every owner to plain records in a map and looks names up there; it knows no index, no shards and no order of changes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::ask::{Server, ZONE};

/// Names that owners have: some are also what a set derives from another one.
const OWNERS: [&str; 8] = ["", "a", "b", "b.a", "10-0-0-1.a", "_p._t.a", "_t.a", "x.b.a"];
const ADDRESSES: [&str; 4] = ["10.0.0.1", "10.0.0.2", "fd00::1", "fd00::"];
const OUTSIDE: [&str; 2] = ["out.example.", "www.example."];
const LABELS: [&str; 5] = ["", "b", "x", "10-0-0-1", "_t"];
/// Labels below an owner, as they are asked for.
const BELOW: [&str; 10] = ["b", "x", "10-0-0-1", "10-0-0-2", "10-0-0-9", "fd00--1", "fd00--0", "out-example", "_t", "_p"];
/// Two labels below an owner, which are ports, or a member of a name between.
const FIRST: [&str; 6] = ["_p", "q", "_", "_r", "b", "x"];
const SECOND: [&str; 4] = ["_t", "u", "_", "_v"];
const TYPES: [(&str, u16); 6] = [("A", 1), ("CNAME", 5), ("PTR", 12), ("TXT", 16), ("AAAA", 28), ("SRV", 33)];
const ANY: u16 = 255;

type Ports = Vec<(&'static str, &'static str, i32)>;
/// Address or name, and label.
type Member = (&'static str, &'static str);
/// Ports, the members that have them, and the owner under which their names live (empty: the set's own).
type Group = (Ports, Vec<Member>, &'static str);

/// What an owner holds: one kind of data, as the records of a cluster have it.
#[derive(Clone, Debug, PartialEq)]
struct Held {
    data: Data,
    absent: Vec<u16>,
}

#[derive(Clone, Debug, PartialEq)]
enum Data {
    Nothing,
    Exists,
    Synthesis,
    Records(Vec<(u16, BTreeSet<&'static str>)>),
    /// A name with addresses and ports of its own, or one that lists its members, which may live below another one.
    Set {
        addresses: Vec<&'static str>,
        ports: Ports,
        groups: Vec<Group>,
        listed: bool,
        alone: bool,
    },
}

impl Held {
    fn packed(&self, name: &str) -> Value {
        let data = match &self.data {
            Data::Nothing => json!([]),
            Data::Exists => json!([["exists"]]),
            Data::Synthesis => json!([["synthesis", 5]]),
            Data::Records(sets) => sets.iter().map(|(rtype, rdata)| json!(["rrset", rtype, 5, rdata])).collect(),
            Data::Set { addresses, ports, groups, listed, alone } => {
                json!([["members", 5, addresses, ports, groups, listed, alone]])
            }
        };
        json!([name, 0, data, self.absent])
    }
}

/// The answer to a question: rcode, answer section, additional section.
#[derive(Debug, PartialEq)]
struct Said(&'static str, Vec<String>, Vec<String>);

/// All that a plain name has: records by type, glue for SRV, aliases, types for which it does not exist.
#[derive(Clone, Default)]
struct Plain {
    records: Vec<(u16, String)>,
    glue: Vec<String>,
    alias: Option<&'static str>,
    absent: Vec<u16>,
}

/// A zone expanded to plain names.
struct Model {
    names: BTreeMap<String, Plain>,
    ptr: BTreeMap<&'static str, Vec<String>>,
    complete: bool,
}

impl Model {
    fn expand(owners: &BTreeMap<&'static str, Held>, complete: bool) -> Model {
        let mut names: BTreeMap<String, Plain> = BTreeMap::new();
        // What a set derives gives way to what is said of a name itself, and a port to a member.
        for (owner, held) in owners {
            names.insert((*owner).to_owned(), plain(owner, held));
        }
        for (owner, held) in owners {
            match &held.data {
                Data::Set { groups, alone: false, .. } => {
                    for first in BELOW.iter().chain(&FIRST) {
                        let chosen = named(groups, first);
                        if !chosen.is_empty() {
                            names.entry(below(first, owner)).or_insert_with(|| of_members(owner, &chosen));
                        }
                    }
                }
                Data::Synthesis => {
                    for address in ADDRESSES {
                        names.entry(below(&dashes(address), owner)).or_insert_with(|| synthesised(owner, address));
                    }
                    names.entry(below("10-0-0-9", owner)).or_insert_with(|| synthesised(owner, "10.0.0.9"));
                }
                _ => {}
            }
        }
        for (owner, held) in owners {
            for (first, second) in FIRST.iter().flat_map(|first| SECOND.map(|second| (first, second))) {
                let (name, protocol) = (first.trim_start_matches('_'), second.trim_start_matches('_'));
                if let Data::Set { alone: false, .. } = &held.data
                    && let Some(plain) = of_ports(owner, &held.data, name, protocol)
                {
                    let absent = names[*owner].absent.clone();
                    names.entry(below(&format!("{first}.{second}"), owner)).or_insert(Plain { absent, ..plain });
                }
            }
        }
        Model { names, ptr: ADDRESSES.iter().map(|address| (*address, targets(owners, address))).collect(), complete }
    }

    fn ask(&self, name: &str, qtype: u16) -> Said {
        if self.names.get(name).is_none_or(|plain| plain.absent.contains(&qtype)) {
            return self.negative(false);
        }
        let mut answer = Vec::new();
        let mut at = name.to_owned();
        let mut met = BTreeSet::new();
        loop {
            let Some(plain) = self.names.get(&at).filter(|plain| !plain.absent.contains(&qtype)) else { return self.negative(true) };
            let records: Vec<String> =
                plain.records.iter().filter(|(rtype, _)| *rtype == qtype).map(|(_, data)| format!("{} 5 {data}", shown(&at))).collect();
            match plain.alias {
                Some(target) if records.is_empty() && [1, 28].contains(&qtype) => {
                    answer.push(format!("{} 5 CNAME {}", shown(&at), target.strip_suffix(".cluster.local.").unwrap_or(target)));
                    let Some(inside) = target.strip_suffix(".cluster.local.") else { break };
                    // In a circle nothing is ever found.
                    if !met.insert(inside) {
                        return self.negative(true);
                    }
                    at = inside.to_owned();
                }
                _ if records.is_empty() => return self.negative(true),
                _ => {
                    answer.extend(records);
                    break;
                }
            }
        }
        let glue = if qtype == 33 { self.names[name].glue.clone() } else { Vec::new() };
        said("NOERROR", answer, glue)
    }

    fn ask_ptr(&self, address: &str, reverse: &str) -> Said {
        let answer: Vec<String> = self.ptr[address].iter().map(|target| format!("{reverse} 5 PTR {target}")).collect();
        if answer.is_empty() { self.negative(false) } else { said("NOERROR", answer, Vec::new()) }
    }

    fn negative(&self, exists: bool) -> Said {
        let rcode = match (exists, self.complete) {
            (true, _) => "NOERROR",
            (false, true) => "NXDOMAIN",
            (false, false) => "SERVFAIL",
        };
        Said(rcode, Vec::new(), Vec::new())
    }
}

/// Records in the order of the alphabet, each once.
fn said(rcode: &'static str, answer: Vec<String>, glue: Vec<String>) -> Said {
    let once = |section: Vec<String>| section.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    Said(rcode, once(answer), once(glue))
}

fn below(label: &str, owner: &str) -> String {
    if owner.is_empty() { label.to_owned() } else { format!("{label}.{owner}") }
}

/// A name as replies show it.
fn shown(name: &str) -> &str {
    if name.is_empty() { "@" } else { name }
}

fn dashes(address: &str) -> String {
    let label = address.trim_end_matches('.').replace(['.', ':'], "-");
    if label.ends_with('-') { label + "0" } else { label }
}

fn label_of((address, label): &Member) -> String {
    if label.is_empty() { dashes(address) } else { (*label).to_owned() }
}

fn is_name(address: &str) -> bool {
    OUTSIDE.contains(&address)
}

fn typed(address: &str) -> (u16, String) {
    match address {
        name if is_name(name) => (5, format!("CNAME {name}")),
        v6 if v6.contains(':') => (28, format!("AAAA {v6}")),
        v4 => (1, format!("A {v4}")),
    }
}

/// What is said of an owner itself.
fn plain(owner: &str, held: &Held) -> Plain {
    let mut plain = match &held.data {
        Data::Records(sets) => {
            let text = |rtype: &u16, rdata: &str| match rtype {
                5 => (5, format!("CNAME {}", rdata.strip_suffix(".cluster.local.").unwrap_or(rdata))),
                16 => (16, format!("TXT \"{rdata}\"")),
                _ => typed(rdata),
            };
            let records = sets.iter().flat_map(|(rtype, rdata)| rdata.iter().map(move |rdata| text(rtype, rdata))).collect();
            let alias = sets.iter().find(|(rtype, _)| *rtype == 5).and_then(|(_, targets)| targets.first().copied());
            Plain { records, alias, ..Plain::default() }
        }
        set @ Data::Set { .. } => of_ports(owner, set, "", "").unwrap_or_default(),
        _ => Plain::default(),
    };
    plain.absent.clone_from(&held.absent);
    if held.absent.contains(&ANY) {
        let has = |rtype: u16| matches!(&held.data, Data::Records(sets) if sets.iter().any(|(known, _)| *known == rtype));
        plain.absent.extend(TYPES.map(|(_, rtype)| rtype).iter().filter(|rtype| !has(**rtype)));
    }
    plain
}

fn synthesised(owner: &str, address: &str) -> Plain {
    let name = below(&dashes(address), owner);
    let (rtype, text) = typed(address);
    Plain {
        records: vec![(rtype, text.clone()), (33, format!("SRV 0 100 0 {name}"))],
        glue: vec![format!("{name} 5 {text}")],
        ..Plain::default()
    }
}

/// The members below the owner that a label calls, with their group's ports.
fn named<'a>(groups: &'a [Group], label: &str) -> Vec<(&'a Ports, &'a Member)> {
    groups
        .iter()
        .filter(|(.., base)| base.is_empty())
        .flat_map(|(ports, members, _)| members.iter().map(move |member| (ports, member)))
        .filter(|(_, member)| label_of(member) == label)
        .collect()
}

fn fitting<'a>(ports: &'a Ports, name: &str, protocol: &str) -> Vec<&'a (&'static str, &'static str, i32)> {
    ports.iter().filter(|port| (name.is_empty() || port.0 == name) && (protocol.is_empty() || port.1 == protocol)).collect()
}

/// How many fit; no ports at all are one without a name.
fn count(ports: &Ports, name: &str, protocol: &str) -> usize {
    if ports.is_empty() { usize::from(name.is_empty() && protocol.is_empty()) } else { fitting(ports, name, protocol).len() }
}

fn share(pairs: usize) -> usize {
    (100 / pairs.max(1)).max(1)
}

/// A set's owner as it is seen through a port; no name and no protocol is every port. None where no port fits.
fn of_ports(owner: &str, set: &Data, name: &str, protocol: &str) -> Option<Plain> {
    let Data::Set { addresses, ports, groups, listed: lists, .. } = set else { return None };
    let owns = !(addresses.is_empty() && *lists);
    let own = if owns { count(ports, name, protocol) } else { 0 };
    let listed: Vec<(&Ports, &Member, &str)> = if *lists {
        let members = groups.iter().flat_map(|(ports, members, base)| members.iter().map(move |member| (ports, member, *base)));
        members.filter(|(ports, ..)| count(ports, name, protocol) > 0).collect()
    } else {
        Vec::new()
    };
    if own == 0 && listed.is_empty() {
        return None;
    }
    let mut plain = Plain::default();
    let weight = share(addresses.len() * own + listed.iter().map(|(ports, ..)| count(ports, name, protocol)).sum::<usize>());
    if own > 0 {
        plain.records.extend(addresses.iter().map(|address| typed(address)));
        let srv: Vec<_> = fitting(ports, name, protocol).into_iter().filter(|port| port.2 >= 0 && !addresses.is_empty()).collect();
        plain.records.extend(srv.iter().map(|port| (33, format!("SRV 0 {weight} {} {}", port.2, shown(owner)))));
        plain.glue.extend(addresses.iter().filter(|_| !srv.is_empty()).map(|address| format!("{} 5 {}", shown(owner), typed(address).1)));
    }
    for (ports, member, base) in &listed {
        let base = if base.is_empty() { owner } else { base };
        with_member(&mut plain, base, fitting(ports, name, protocol), member, weight);
    }
    if *lists {
        with_alias(&mut plain, groups.iter().flat_map(|(_, members, _)| members).next());
    }
    Some(plain)
}

/// Members that are asked for by their label.
fn of_members(owner: &str, chosen: &[(&Ports, &Member)]) -> Plain {
    let mut plain = Plain::default();
    let weight = share(chosen.iter().map(|(ports, _)| count(ports, "", "")).sum());
    for (ports, member) in chosen {
        with_member(&mut plain, owner, fitting(ports, "", ""), member, weight);
    }
    // Those with a label of their own come first; a name always has one.
    with_alias(&mut plain, chosen.iter().map(|(_, member)| *member).min_by_key(|member| member.1.is_empty() && !is_name(member.0)));
    plain
}

/// CNAME is told of the first member alone.
fn with_alias(plain: &mut Plain, first: Option<&Member>) {
    plain.records.extend(first.filter(|member| is_name(member.0)).map(|member| typed(member.0)));
}

/// A member's address, and its SRV and glue for each port that has a number. One that is a name is an alias for both families.
fn with_member(plain: &mut Plain, base: &str, ports: Vec<&(&'static str, &'static str, i32)>, member: &Member, weight: usize) {
    let srv = |target: &str| {
        ports.iter().filter(|port| port.2 >= 0).map(|port| (33, format!("SRV 0 {weight} {} {target}", port.2))).collect::<Vec<_>>()
    };
    let (rtype, text) = typed(member.0);
    if is_name(member.0) {
        plain.records.extend(srv(member.0));
        plain.records.extend([(1, text.clone()), (28, text)]);
        return;
    }
    let target = below(&label_of(member), base);
    let srv = srv(&target);
    plain.glue.extend(srv.first().map(|_| format!("{target} 5 {text}")));
    plain.records.extend(srv);
    plain.records.push((rtype, text));
}

/// Where PTR of an address leads: to the first name that owns it, else to every member that has it.
fn targets(owners: &BTreeMap<&'static str, Held>, address: &str) -> Vec<String> {
    let sets = || {
        owners.iter().filter_map(|(owner, held)| match &held.data {
            Data::Set { addresses, groups, alone: false, .. } => {
                Some((*owner, addresses, groups.iter().filter(|(.., base)| base.is_empty())))
            }
            _ => None,
        })
    };
    let wire = |name: &str| name.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect::<Vec<u8>>();
    let own = sets().filter(|(_, addresses, _)| addresses.contains(&address)).map(|(owner, ..)| owner).min_by_key(|owner| wire(owner));
    if let Some(owner) = own {
        return vec![shown(owner).to_owned()];
    }
    let all =
        sets().flat_map(|(owner, _, groups)| groups.flat_map(move |(_, members, _)| members.iter().map(move |member| (owner, member))));
    all.filter(|(_, member)| member.0 == address).map(|(owner, member)| below(&label_of(member), owner)).collect()
}

fn any_ports() -> impl Strategy<Value = Ports> {
    let port = (prop::sample::select(&["p", "q", ""][..]), prop::sample::select(&["t", "u"][..]), prop_oneof![Just(1), Just(2), Just(-1)]);
    prop::collection::vec(port, 0..3)
}

fn any_groups() -> impl Strategy<Value = Vec<Group>> {
    let address = prop_oneof![4 => prop::sample::select(&ADDRESSES[..]), 1 => prop::sample::select(&OUTSIDE[..])];
    let member = (address, prop::sample::select(&LABELS[..]));
    let base = prop_oneof![3 => Just(""), 1 => Just("b"), 1 => Just("far.away")];
    prop::collection::vec((any_ports(), prop::collection::vec(member, 0..4), base), 0..3)
}

fn any_data() -> impl Strategy<Value = Data> {
    let some = |texts: &'static [&'static str]| prop::collection::btree_set(prop::sample::select(texts), 1..3);
    let records = prop_oneof![
        some(&ADDRESSES[..2]).prop_map(|rdata| (1, rdata)),
        some(&ADDRESSES[2..]).prop_map(|rdata| (28, rdata)),
        prop::sample::select(&["a.cluster.local.", "b.cluster.local.", "b.a.cluster.local.", "x.a.cluster.local.", "out.example."][..])
            .prop_map(|target| (5, BTreeSet::from([target]))),
        Just((16, BTreeSet::from(["text"]))),
    ];
    let addresses = prop::collection::vec(prop::sample::select(&ADDRESSES[..]), 0..3);
    prop_oneof![
        1 => Just(Data::Nothing),
        1 => Just(Data::Exists),
        1 => Just(Data::Synthesis),
        3 => prop::collection::vec(records, 1..3).prop_map(|mut sets| {
            sets.sort();
            sets.dedup_by_key(|(rtype, _)| *rtype);
            Data::Records(sets)
        }),
        3 => (addresses, any_ports(), any_groups(), any::<bool>())
            .prop_map(|(addresses, ports, groups, alone)| Data::Set { addresses, ports, groups, listed: false, alone }),
        4 => (any_groups(), any::<bool>())
            .prop_map(|(groups, alone)| Data::Set { addresses: vec![], ports: vec![], groups, listed: true, alone }),
    ]
}

fn any_held() -> impl Strategy<Value = Held> {
    let absent = prop_oneof![6 => Just(vec![]), 1 => Just(vec![16]), 1 => Just(vec![1, 28, 33, ANY]), 1 => Just(vec![ANY])];
    (any_data(), absent).prop_map(|(data, absent)| Held { data, absent })
}

/// Names with what they hold from now on; whether others go; whether all has been seen.
type Change = (BTreeMap<&'static str, Held>, bool, bool);

fn any_change() -> impl Strategy<Value = Change> {
    let owners = prop::collection::btree_map(prop::sample::select(&OWNERS[..]), any_held(), 0..6);
    (owners, prop::bool::weighted(0.2), prop::bool::weighted(0.5))
}

/// Every question of the small alphabet.
fn questions() -> Vec<(String, &'static str, u16)> {
    let asked =
        |name: String, types: &[(&'static str, u16)]| types.iter().map(|(text, qtype)| (name.clone(), *text, *qtype)).collect::<Vec<_>>();
    let single = OWNERS.iter().flat_map(|owner| BELOW.map(|label| below(label, owner)));
    let double =
        OWNERS.iter().flat_map(|owner| FIRST.iter().flat_map(move |first| SECOND.map(|second| below(&format!("{first}.{second}"), owner))));
    let all_types = OWNERS.map(str::to_owned).into_iter().chain(single).flat_map(|name| asked(name, &TYPES));
    all_types.chain(double.flat_map(|name| asked(name, &[("A", 1), ("SRV", 33)]))).collect()
}

fn agree(server: &mut Server, model: &Model) -> Result<(), TestCaseError> {
    for (name, text, qtype) in questions() {
        let reply = server.ask(shown(&name), text);
        let expected = model.ask(&name, qtype);
        prop_assert_eq!(
            (&*reply.rcode, reply.answers(), reply.extras()),
            (expected.0, texts(&expected.1), texts(&expected.2)),
            "{} {}",
            name,
            text
        );
    }
    let reverses = [
        "1.0.0.10.in-addr.arpa.".to_owned(),
        "2.0.0.10.in-addr.arpa.".to_owned(),
        format!("1.{}d.f.ip6.arpa.", "0.".repeat(29)),
        format!("{}d.f.ip6.arpa.", "0.".repeat(30)),
    ];
    for (address, name) in ADDRESSES.into_iter().zip(reverses) {
        let reply = server.ask(&name, "PTR");
        let expected = model.ask_ptr(address, &name);
        prop_assert_eq!((&*reply.rcode, reply.answers()), (expected.0, texts(&expected.1)), "PTR of {}", address);
    }
    Ok(())
}

fn texts(section: &[String]) -> Vec<&str> {
    section.iter().map(String::as_str).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_zone_after_any_changes_answers_like_one_made_from_scratch(changes in prop::collection::vec(any_change(), 1..5)) {
        let mut server = Server::with(&[]);
        let (mut held, mut complete) = (BTreeMap::new(), true);
        for (at, (owners, replace, all_seen)) in changes.iter().enumerate() {
            let before = held.clone();
            if *replace {
                held.clear();
            }
            held.extend(owners.iter().map(|(owner, new)| (*owner, new.clone())));
            held.retain(|_, new: &mut Held| new.data != Data::Nothing);
            complete |= all_seen;
            let packed: Vec<Value> = owners.iter().map(|(owner, new)| new.packed(owner)).collect();
            let applied = server.apply(ZONE, &json!([packed, at, replace, all_seen]));
            prop_assert!(applied.problems.is_empty(), "{:?}", applied.problems);
            let known: BTreeSet<&str> = held.keys().chain(before.keys()).copied().collect();
            prop_assert_eq!(applied.changed, known.into_iter().filter(|owner| held.get(owner) != before.get(owner)).count());
        }
        agree(&mut server, &Model::expand(&held, complete))?;
        let packed: Vec<Value> = held.iter().map(|(owner, new)| new.packed(owner)).collect();
        prop_assert_eq!(server.apply(ZONE, &json!([packed, 99, true, true])).changed, 0);
    }
}
