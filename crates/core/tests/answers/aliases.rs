//! Aliases: inside the zone, to other blocks, in circles (E).

use serde_json::json;

use crate::ask::{Question, Server, absent, addresses, block, exists, group, members, owner, plan, rrset, whoami, zone_op};

const A: u16 = 1;
const CNAME: u16 = 5;

fn alias(name: &str, target: &str) -> serde_json::Value {
    owner(name, &[rrset(CNAME, &[target])])
}

#[test]
fn e1_an_alias_that_is_asked_for_is_told_and_not_followed() {
    let mut server =
        Server::with(&[alias("www", "web.cluster.local."), alias("out", "www.Example.org."), owner("web", &[rrset(A, &["10.0.0.1"])])]);
    assert_eq!(server.ask("www", "CNAME").answer, ["www 5 CNAME web"]);
    assert_eq!(server.ask("OUT", "CNAME").answer, ["OUT 5 CNAME www.Example.org."]);
}

#[test]
fn e2_a_target_inside_the_zone_is_answered_with_the_alias() {
    let mut server = Server::with(&[
        alias("www", "web"),
        alias("upper", "WEB.cluster.local."),
        owner("web", &[addresses(&["10.0.0.1", "fd00::1"], &["x/tcp/1"])]),
        alias("member", "m.list.cluster.local."),
        owner("list", &[members(&[group(&[], &["10.1.0.1 m"])])]),
        alias("port", "_x._tcp.web.cluster.local."),
        owner("any", &[json!(["synthesis", 5])]),
        alias("dashes", "10-0-0-9.any.cluster.local."),
    ]);
    assert_eq!(server.ask("WWW", "A").answer, ["WWW 5 CNAME web", "web 5 A 10.0.0.1"]);
    assert_eq!(server.ask("www", "AAAA").answer, ["www 5 CNAME web", "web 5 AAAA fd00::1"]);
    assert_eq!(server.ask("upper", "A").answer, ["upper 5 CNAME WEB", "WEB 5 A 10.0.0.1"]);
    assert_eq!(server.ask("member", "A").answer, ["member 5 CNAME m.list", "m.list 5 A 10.1.0.1"]);
    assert_eq!(server.ask("port", "A").answer, ["port 5 CNAME _x._tcp.web", "_x._tcp.web 5 A 10.0.0.1"]);
    assert_eq!(server.ask("dashes", "A").answer, ["dashes 5 CNAME 10-0-0-9.any", "10-0-0-9.any 5 A 10.0.0.9"]);
}

#[test]
fn e2_an_alias_that_leads_nowhere_inside_the_zone_is_left_out() {
    let mut server = Server::with(&[
        alias("gone", "nothing.cluster.local."),
        alias("chain", "gone.cluster.local."),
        alias("empty", "here.cluster.local."),
        owner("here", &[exists()]),
        alias("v4", "web.cluster.local."),
        owner("web", &[addresses(&["10.0.0.1"], &[])]),
        alias("hidden", "text.cluster.local."),
        absent("text", &[rrset(A, &["10.0.0.2"])], &[A]),
    ]);
    for (name, qtype) in [("gone", "A"), ("chain", "A"), ("empty", "A"), ("v4", "AAAA"), ("hidden", "A")] {
        assert!(server.ask(name, qtype).is_negative("NOERROR"), "{name}: it exists, without data");
    }
}

#[test]
fn e2_a_chain_is_told_from_its_begin_to_its_end() {
    let mut server =
        Server::with(&[alias("a", "b.cluster.local."), alias("b", "c.cluster.local."), owner("c", &[rrset(A, &["10.0.0.1", "10.0.0.2"])])]);
    assert_eq!(server.ask("a", "A").answer, ["a 5 CNAME b", "b 5 CNAME c", "c 5 A 10.0.0.1", "c 5 A 10.0.0.2"]);
}

/// Two zones: `cluster.local.` in its block, `example.org.` in another one, and whoami for all else.
fn two_zones(here: &[serde_json::Value], there: &[serde_json::Value]) -> Server {
    let other = zone_op(json!({"zone": "other", "origins": [{"name": "example.org.", "reverse": false}]}));
    let server =
        Server::new(&plan(&[block("cluster.local.", &[zone_op(json!({}))]), block("example.org.", &[other]), block("who.", &[whoami()])]));
    server.fill(here);
    server.apply("other", &json!([there, 9, true, true]));
    server
}

#[test]
fn e2_a_target_elsewhere_is_answered_by_its_block() {
    let mut server = two_zones(&[alias("www", "WEB.example.org.")], &[owner("web", &[rrset(A, &["10.0.0.1"])])]);
    for question in [Question::new("www", "A"), Question::new("www", "A").udp()] {
        let reply = server.reply(&question);
        assert_eq!(reply.answer, ["www 5 CNAME WEB.example.org.", "WEB.example.org. 5 A 10.0.0.1"]);
        assert_eq!((reply.rcode.as_str(), reply.flags.as_str(), reply.authority.len()), ("NOERROR", "aa rd", 0));
    }
}

#[test]
fn e2_what_fails_elsewhere_leaves_the_alias_alone() {
    let aliases = ["gone.example.org.", "web.example.org.", "nobody.example.com.", "x.who."]
        .map(|target| alias(target.split('.').next().unwrap(), target));
    let mut server = two_zones(&aliases, &[owner("web", &[rrset(A, &["10.0.0.1"])])]);
    for (name, qtype, target) in [
        ("gone", "A", "gone.example.org."),
        ("web", "AAAA", "web.example.org."),
        ("nobody", "A", "nobody.example.com."),
        ("x", "A", "x.who."),
    ] {
        let reply = server.ask(name, qtype);
        assert_eq!(reply.answer, [format!("{name} 5 CNAME {target}")]);
        assert_eq!((reply.rcode.as_str(), reply.authority.len(), reply.additional.len()), ("NOERROR", 0, 0), "{name}");
    }
}

#[test]
fn e2_a_chain_goes_through_blocks_and_back() {
    let mut server = two_zones(
        &[alias("a", "b.example.org."), alias("c", "d.cluster.local."), owner("d", &[rrset(A, &["10.0.0.1"])])],
        &[alias("b", "c.cluster.local.")],
    );
    let expected = ["a 5 CNAME b.example.org.", "b.example.org. 5 CNAME c", "c 5 CNAME d", "d 5 A 10.0.0.1"];
    assert_eq!(server.ask("a", "A").answer, expected);
}

#[test]
fn e3_an_alias_of_itself_is_skipped() {
    let mut server = Server::with(&[
        alias("self", "SELF.cluster.local."),
        owner("list", &[members(&[group(&[], &["list.cluster.local. m", "10.0.0.1"])])]),
    ]);
    assert!(server.ask("self", "A").is_negative("NOERROR"));
    assert_eq!(server.ask("self", "CNAME").answer, ["self 5 CNAME SELF"]);
    assert_eq!(server.ask("list", "A").answer, ["list 5 A 10.0.0.1"]);
}

#[test]
fn e3_a_circle_inside_the_zone_is_no_data() {
    let mut server = Server::with(&[alias("a", "b.cluster.local."), alias("b", "c.cluster.local."), alias("c", "a.cluster.local.")]);
    for name in ["a", "b", "c"] {
        assert!(server.ask(name, "A").is_negative("NOERROR"), "{name}");
    }
}

#[test]
fn e3_a_circle_through_blocks_is_told_once() {
    let mut server = two_zones(&[alias("a", "b.example.org.")], &[alias("b", "a.cluster.local.")]);
    assert_eq!(server.ask("a", "A").answer, ["a 5 CNAME b.example.org.", "b.example.org. 5 CNAME a"]);
}

/// `a0` leads to `a1` and so on; the last one has an address.
fn chain(aliases: usize) -> Server {
    let mut owners: Vec<_> = (0..aliases).map(|at| alias(&format!("a{at}"), &format!("a{}.cluster.local.", at + 1))).collect();
    owners.push(owner(&format!("a{aliases}"), &[rrset(A, &["10.0.0.1"])]));
    Server::with(&owners)
}

#[test]
fn e3_a_chain_has_ten_aliases_behind_the_first() {
    assert_eq!(chain(11).ask("a0", "A").answer.len(), 12);
    assert!(chain(12).ask("a0", "A").is_negative("NOERROR"));
    assert_eq!(chain(12).ask("a1", "A").answer.len(), 12);
}

#[test]
fn e3_ten_targets_are_asked_of_other_blocks() {
    let next = |at: usize, zone: &str| alias(&format!("a{at}"), &format!("a{}.{zone}", at + 1));
    let (mut here, mut there): (Vec<_>, Vec<_>) = (
        (0..20).step_by(2).map(|at| next(at, "example.org.")).collect(),
        (1..20).step_by(2).map(|at| next(at, "cluster.local.")).collect(),
    );
    let reply = two_zones(&here, &there).ask("a0", "A");
    assert_eq!(reply.answer.len(), 11, "the alias that was asked for, and ten more");
    here.truncate(5);
    there.truncate(5);
    here.push(owner("a10", &[rrset(A, &["10.0.0.1"])]));
    assert_eq!(two_zones(&here, &there).ask("a0", "A").answer.last().unwrap(), "a10 5 A 10.0.0.1");
}

#[test]
fn e4_nothing_lives_below_an_alias_and_it_has_no_srv() {
    let mut server = Server::with(&[alias("www", "web.cluster.local."), owner("web", &[addresses(&["10.0.0.1"], &["x/tcp/1"])])]);
    for name in ["x.www", "_x._tcp.www"] {
        assert!(server.ask(name, "A").is_negative("NXDOMAIN"), "{name}");
        assert!(server.ask(name, "SRV").is_negative("NXDOMAIN"), "{name}");
    }
    for qtype in ["SRV", "TXT", "MX", "HTTPS", "NS"] {
        assert!(server.ask("www", qtype).is_negative("NOERROR"), "{qtype}");
    }
}

#[test]
fn h11_members_that_are_names_are_followed() {
    let groups =
        [group(&["x/tcp/1"], &["web.cluster.local. one", "www.example.org. two", "gone.cluster.local. three", "web.cluster.local. four"])];
    let mut server = two_zones(
        &[owner("list", &[members(&groups)]), owner("web", &[addresses(&["10.0.0.1"], &[])])],
        &[owner("www", &[rrset(A, &["10.0.0.2"])])],
    );
    let expected = ["list 5 CNAME web", "list 5 CNAME www.example.org.", "web 5 A 10.0.0.1", "www.example.org. 5 A 10.0.0.2"];
    assert_eq!(server.ask("list", "A").answers(), expected);
    assert_eq!(server.ask("one.list", "A").answer, ["one.list 5 CNAME web", "web 5 A 10.0.0.1"]);
    assert!(server.ask("three.list", "A").is_negative("NOERROR"));
}

#[test]
fn aliases_that_branch_and_lead_nowhere_end_soon() {
    // Each of twelve names lists eight aliases of all names of the next one: 8^11 ways, none of which has an address.
    let owners: Vec<_> = (0..12)
        .flat_map(|level| {
            let targets: Vec<String> = (0..8).map(|at| format!("n{at}.l{}.cluster.local. m{at}", level + 1)).collect();
            let texts: Vec<&str> = targets.iter().map(String::as_str).collect();
            let set = members(&[group(&[], &texts)]);
            (0..8).map(move |at| owner(&format!("n{at}.l{level}"), std::slice::from_ref(&set))).collect::<Vec<_>>()
        })
        .collect();
    let mut server = Server::with(&owners);
    assert!(server.ask("n0.l0", "A").is_negative("NOERROR"));
}
