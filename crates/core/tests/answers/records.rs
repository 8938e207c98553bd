//! The op `records`: flat lists of names. What is expected was recorded from the hosts directive of CoreDNS (`hosts-*`).

use serde_json::{Value, json};

use crate::ask::{Question, Server, block, exists, owner, plan, rrset, whoami};

const A: u16 = 1;
const PTR: u16 = 12;
const AAAA: u16 = 28;
const ANYWHERE: &str = "1.2.0.192.in-addr.arpa.";

fn records(different: Value) -> Value {
    let mut op = json!({
        "op": "records", "zones": ["file", "inline"], "under": ["example.org."], "types": [A, AAAA], "anywhere": [PTR],
        "fallthrough": [], "fallthrough_types": false, "name": "hosts", "span": 0,
    });
    let Value::Object(different) = different else { panic!("fields") };
    op.as_object_mut().unwrap().extend(different);
    op
}

/// With this op, whoami behind it if `next`, and a few names.
fn server(different: Value, next: bool) -> Server {
    let program = [records(different), whoami()];
    let mut plan = plan(&[block(".", &program[..if next { 2 } else { 1 }])]);
    plan["zones"] = json!(["file", "inline"]);
    let server = Server::new(&plan);
    let file = [
        owner("a.example.org", &[rrset(A, &["192.0.2.2", "192.0.2.1", "192.0.2.2"])]),
        owner("*.w.example.org", &[rrset(A, &["192.0.2.8"])]),
        owner("x.w.example.org", &[rrset(AAAA, &["2001:db8::8"])]),
        owner("1.2.0.192.in-addr.arpa", &[rrset(PTR, &["a.example.org.", "b"])]),
        owner("*", &[rrset(A, &["192.0.2.66"])]),
        owner("alone.example.org", &[exists()]),
    ];
    server.apply("file", &json!([file, 1, true, true]));
    let inline = [owner("a.example.org", &[rrset(A, &["192.0.2.9"])]), owner("six.example.org", &[rrset(AAAA, &["2001:db8::1"])])];
    server.apply("inline", &json!([inline, 1, true, true]));
    server
}

fn is_servfail(server: &mut Server, name: &str, qtype: &str) -> bool {
    let reply = server.ask(name, qtype);
    reply.rcode == "SERVFAIL" && reply.flags == "rd" && reply.answer.is_empty() && reply.authority.is_empty()
}

fn is_no_data(server: &mut Server, name: &str, qtype: &str) -> bool {
    let reply = server.ask(name, qtype);
    reply.rcode == "NOERROR"
        && reply.flags == "aa rd"
        && reply.answer.is_empty()
        && reply.authority.is_empty()
        && reply.additional.is_empty()
}

fn goes_on(server: &mut Server, name: &str, qtype: &str) -> bool {
    server.ask(name, qtype).additional.len() == 2
}

#[test]
fn records_are_told_in_their_order_one_zone_after_the_other() {
    let mut server = server(json!({}), false);
    let reply = server.ask("a.example.org.", "A");
    assert_eq!(reply.flags, "aa rd");
    let told = ["192.0.2.2", "192.0.2.1", "192.0.2.2", "192.0.2.9"].map(|address| format!("a.example.org. 5 A {address}"));
    assert_eq!(reply.answer, told);
    assert_eq!(server.ask("six.example.org.", "AAAA").answer, ["six.example.org. 5 AAAA 2001:db8::1"]);
}

#[test]
fn the_owner_has_small_letters_whatever_was_asked() {
    let mut server = server(json!({}), false);
    for question in [Question::new("A.Example.ORG.", "A"), Question::new("A.Example.ORG.", "A").udp()] {
        let reply = server.reply(&question);
        assert_eq!(reply.question, "A.Example.ORG. A IN");
        assert!(reply.answer.iter().all(|record| record.starts_with("a.example.org. 5 A ")), "{:?}", reply.answer);
    }
    assert_eq!(server.ask("1.2.0.192.IN-ADDR.arpa.", "PTR").answer[0], format!("{ANYWHERE} 5 PTR a.example.org."));
}

#[test]
fn a_name_that_is_known_has_no_data_of_other_types() {
    let mut server = server(json!({"fallthrough": ["."]}), true);
    for (name, qtype) in [
        ("a.example.org.", "AAAA"),
        ("a.example.org.", "TXT"),
        ("a.example.org.", "ANY"),
        ("six.example.org.", "A"),
        ("y.w.example.org.", "MX"),
    ] {
        assert!(is_no_data(&mut server, name, qtype), "{name} {qtype}");
    }
}

#[test]
fn a_name_that_is_not_known_is_servfail_without_soa() {
    let mut server = server(json!({}), true);
    for (name, qtype) in [("c.example.org.", "A"), ("c.example.org.", "TXT"), ("example.org.", "A"), ("alone.example.org.", "A")] {
        assert!(is_servfail(&mut server, name, qtype), "{name} {qtype}");
    }
}

#[test]
fn names_of_other_zones_and_missing_ones_of_fallthrough_go_on() {
    let mut server = server(json!({"fallthrough": ["sub.example.org."]}), true);
    assert!(goes_on(&mut server, "a.example.net.", "A"));
    assert!(goes_on(&mut server, "c.SUB.example.org.", "TXT"));
    assert!(is_servfail(&mut server, "c.example.org.", "A"));
}

#[test]
fn types_that_are_answered_anywhere_go_on_when_nothing_is_found() {
    let mut server = server(json!({}), true);
    assert_eq!(server.ask(ANYWHERE, "PTR").answer, [format!("{ANYWHERE} 5 PTR a.example.org."), format!("{ANYWHERE} 5 PTR b.")]);
    assert!(goes_on(&mut server, "9.2.0.192.in-addr.arpa.", "PTR"));
    assert!(goes_on(&mut server, "a.example.org.", "PTR"));
    assert!(goes_on(&mut server, ANYWHERE, "A"), "its name is in none of the zones");
}

#[test]
fn other_types_of_known_names_may_go_on_too() {
    let mut server = server(json!({"fallthrough": ["a.example.org."], "fallthrough_types": true}), true);
    assert!(goes_on(&mut server, "a.example.org.", "TXT"));
    assert!(is_no_data(&mut server, "a.example.org.", "AAAA"));
    assert!(is_no_data(&mut server, "six.example.org.", "TXT"), "only where names may fall through");
}

#[test]
fn a_star_stands_for_one_label_for_each_type_that_the_name_lacks() {
    let mut server = server(json!({"under": ["."]}), false);
    assert_eq!(server.ask("y.w.example.org.", "A").answer, ["y.w.example.org. 5 A 192.0.2.8"]);
    assert_eq!(server.ask("x.w.example.org.", "A").answer, ["x.w.example.org. 5 A 192.0.2.8"]);
    assert_eq!(server.ask("x.w.example.org.", "AAAA").answer, ["x.w.example.org. 5 AAAA 2001:db8::8"]);
    assert_eq!(server.ask("*.w.example.org.", "A").answer, ["*.w.example.org. 5 A 192.0.2.8"]);
    for name in ["w.example.org.", "a.b.w.example.org.", "top.", "."] {
        assert!(is_servfail(&mut server, name, "A"), "{name}");
    }
}

#[test]
fn nothing_is_denied_and_nothing_goes_on_while_the_data_is_loading() {
    let mut plan = plan(&[block(".", &[records(json!({"fallthrough": ["."]})), whoami()])]);
    plan["zones"] = json!(["file", "inline"]);
    let mut server = Server::new(&plan);
    server.apply("inline", &json!([[owner("a.example.org", &[rrset(A, &["192.0.2.9"])])], 1, true, true]));
    assert_eq!(server.ask("a.example.org.", "A").answer.len(), 1);
    assert!(is_servfail(&mut server, "c.example.org.", "A"));
    assert!(is_servfail(&mut server, ANYWHERE, "PTR"));
    assert!(goes_on(&mut server, "c.example.net.", "A"), "this is none of its names");
    server.apply("file", &json!([[], 1, true, true]));
    assert!(goes_on(&mut server, "c.example.org.", "A"));
    assert!(goes_on(&mut server, ANYWHERE, "PTR"));
}
