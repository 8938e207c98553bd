//! Names of 255 octets, and records that would need a longer one: these are left out, the rest is answered (RFC 1035 2.3.4).

use serde_json::json;

use crate::ask::{Question, Server, addresses, block, group, members, members_of, owner, plan, rrset, whoami, with_members, zone_op};

/// A relative name of so many octets, the dots and the length octet in front counted.
fn long(octets: usize) -> String {
    let mut labels = vec!["x".repeat(63); octets / 64];
    if !octets.is_multiple_of(64) {
        labels.push("y".repeat(octets % 64 - 1));
    }
    labels.join(".")
}

/// What the origin and the root take: `cluster.local.`
const ORIGIN: usize = 15;
/// The longest relative name.
const MOST: usize = 255 - ORIGIN;

#[test]
fn rfc1035_the_longest_names_are_answered() {
    let name = long(MOST);
    let member = long(MOST - 2);
    let mut server = Server::with(&[
        owner(&name, &[addresses(&["10.0.0.1"], &["x/tcp/1"])]),
        owner(&member, &[members(&[group(&["x/tcp/1"], &["10.1.0.1 m"])])]),
    ]);
    assert_eq!(server.ask(&name, "SRV").answer, [format!("{name} 5 SRV 0 100 1 {name}")]);
    assert_eq!(server.ask("1.0.0.10.in-addr.arpa.", "PTR").answer, [format!("1.0.0.10.in-addr.arpa. 5 PTR {name}")]);
    assert_eq!(server.ask(&member, "SRV").answer, [format!("{member} 5 SRV 0 100 1 m.{member}")]);
    assert_eq!(server.ask(&member, "SRV").additional, [format!("m.{member} 5 A 10.1.0.1")]);
    assert_eq!(server.ask("1.0.1.10.in-addr.arpa.", "PTR").answer, [format!("1.0.1.10.in-addr.arpa. 5 PTR m.{member}")]);
}

#[test]
fn rfc1035_a_member_whose_name_is_too_long_has_no_srv_no_glue_and_no_ptr() {
    let name = long(MOST - 3);
    let groups = [group(&["x/tcp/1"], &["10.1.0.1 mm", "10.1.0.2 mmm", "10.1.0.3"])];
    let mut server = Server::with(&[owner(&name, &[members(&groups)])]);
    assert_eq!(server.ask(&name, "A").answer.len(), 3, "their addresses are no matter of length");
    let reply = server.ask(&name, "SRV");
    assert_eq!(
        (reply.answers(), reply.extras()),
        (vec![&*format!("{name} 5 SRV 0 33 1 mm.{name}")], vec![&*format!("mm.{name} 5 A 10.1.0.1")])
    );
    assert_eq!(server.ask("1.0.1.10.in-addr.arpa.", "PTR").answer.len(), 1);
    for address in ["2.0.1.10", "3.0.1.10"] {
        assert!(server.ask(&format!("{address}.in-addr.arpa."), "PTR").is_negative("NXDOMAIN"), "{address}");
    }
}

#[test]
fn rfc1035_a_base_may_be_too_long_for_its_members() {
    let base = long(MOST - 2);
    let mut server = Server::with(&[owner("east", &[members_of(&base, &[group(&["x/tcp/1"], &["10.1.0.1 m", "10.1.0.2 mm"])])])]);
    assert_eq!(server.ask("east", "SRV").answer, [format!("east 5 SRV 0 50 1 m.{base}")]);
    assert_eq!(server.ask("east", "A").answer.len(), 2);
}

#[test]
fn rfc1035_a_zone_may_be_too_long_for_what_it_holds() {
    // The primary origin, which PTR leads to, is longer than the other one.
    let primary = format!("{}.", long(200));
    let origins = json!([{"name": primary, "reverse": false}, {"name": "cluster.local.", "reverse": false}, {"name": "in-addr.arpa.", "reverse": true}]);
    let mut server = Server::new(&plan(&[block(".", &[zone_op(json!({"origins": origins}))])]));
    let name = long(60);
    server.fill(&[
        owner(&name, &[with_members(&["10.0.0.1"], &[], &[group(&[], &["10.1.0.1"])])]),
        owner("a", &[members(&[group(&[], &["10.1.0.1"])])]),
        owner("alias", &[rrset(5, &[&name])]),
        owner("server", &[rrset(2, &[&name, "a"])]),
        owner(&format!("{name}.z"), &[addresses(&["10.0.0.1"], &[])]),
    ]);
    assert!(server.ask("1.0.0.10.in-addr.arpa.", "PTR").is_negative("NXDOMAIN"));
    assert_eq!(server.ask("1.0.1.10.in-addr.arpa.", "PTR").answer, [format!("1.0.1.10.in-addr.arpa. 5 PTR 10-1-0-1.a.{primary}")]);
    assert_eq!(server.ask("alias", "CNAME").answer, [format!("alias 5 CNAME {name}")]);
    assert_eq!(server.ask("alias", "A").answer.len(), 2);
    for qtype in ["CNAME", "A"] {
        assert_eq!(server.ask(&format!("alias.{primary}"), qtype).rcode, "NOERROR");
        assert!(server.ask(&format!("alias.{primary}"), qtype).answer.is_empty(), "{qtype}");
    }
    assert_eq!(server.ask(&format!("server.{primary}"), "NS").answer, [format!("server.{primary} 5 NS a.{primary}")]);
}

#[test]
fn rfc1035_a_zone_whose_soa_would_have_too_long_a_name_has_none() {
    let origin = format!("{}.", long(250));
    let mut server = Server::new(&plan(&[block(".", &[zone_op(json!({"origins": [{"name": origin, "reverse": false}]}))])]));
    server.fill(&[owner("", &[rrset(1, &["10.0.0.1"])])]);
    assert_eq!(server.ask(&origin, "A").answer.len(), 1);
    for (name, qtype, rcode) in [(&*origin, "SOA", "NOERROR"), (&origin, "TXT", "NOERROR"), (&format!("x.{origin}"), "A", "NXDOMAIN")] {
        let reply = server.ask(name, qtype);
        assert_eq!((&*reply.rcode, reply.answer.len(), reply.authority.len()), (rcode, 0, 0), "{qtype}");
    }
}

#[test]
fn rfc1035_whoami_leaves_its_srv_out_where_the_owner_would_be_too_long() {
    let mut server = Server::new(&plan(&[block(".", &[whoami()])]));
    for (octets, records) in [(249, 2), (250, 1), (254, 1)] {
        let name = format!("{}.", long(octets));
        for question in [Question::new(&name, "A"), Question::new(&name, "A").udp().edns(1232)] {
            let reply = server.reply(&question);
            assert_eq!((reply.rcode.as_str(), reply.additional.len()), ("NOERROR", records), "{octets}");
            assert_eq!(reply.additional[0], format!("{name} 0 A 192.0.2.1"));
        }
    }
}
