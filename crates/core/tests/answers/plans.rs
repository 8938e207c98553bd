//! Plans: ops behind one another, a zone that is loading, whoami, the order of records, and plans that cannot run.

use std::collections::{HashMap, HashSet};

use core_dns::engine::Engine;
use serde_json::{Value, json};

use crate::ask::{LISTENER, Question, Server, ZONE, absent, addresses, block, exists, group, members, owner, plan, rrset, whoami, zone_op};

const A: u16 = 1;

fn one_block(program: &[Value]) -> Server {
    Server::new(&plan(&[block(".", program)]))
}

fn web() -> Value {
    owner("web", &[addresses(&["10.0.0.1"], &["x/tcp/1"])])
}

#[test]
fn b2_while_a_zone_is_loading_what_is_absent_is_servfail_with_aa_and_soa() {
    let mut server = one_block(&[zone_op(json!({}))]);
    for name in ["web", "@", "1.0.0.10.in-addr.arpa."] {
        let reply = server.ask(name, "PTR");
        assert!(reply.is_negative("SERVFAIL"), "{name}");
        assert_eq!(reply.flags, "aa rd");
    }
    server.apply(ZONE, &json!([[web()], 1, false, false]));
    assert_eq!(server.ask("web", "A").answer, ["web 5 A 10.0.0.1"], "what is known is answered");
    assert!(server.ask("web", "AAAA").is_negative("NOERROR"));
    assert!(server.ask("other", "A").is_negative("SERVFAIL"));
    assert!(server.ask("x.web", "A").is_negative("SERVFAIL"));
    assert!(server.ask("svc.in-addr.arpa.", "A").is_negative("NOERROR"), "what exists everywhere exists at once");
    server.apply(ZONE, &json!([[], 2, false, true]));
    assert!(server.ask("other", "A").is_negative("NXDOMAIN"));
    assert_eq!(server.ask("web", "A").answer.len(), 1);
    server.apply(ZONE, &json!([[], 3, false, false]));
    assert!(server.ask("other", "A").is_negative("NXDOMAIN"), "complete once is complete");
}

#[test]
fn b2_while_a_zone_is_loading_nothing_falls_through() {
    let mut server = one_block(&[zone_op(json!({"fallthrough": ["."]})), whoami()]);
    assert!(server.ask("web", "A").is_negative("SERVFAIL"), "names of the cluster do not leak to the next directive");
    server.fill(&[]);
    assert_eq!(server.ask("web", "A").additional.len(), 2);
}

#[test]
fn f1_only_absent_names_fall_through() {
    let mut server = one_block(&[zone_op(json!({"fallthrough": ["."]})), whoami()]);
    server.fill(&[web(), owner("here", &[exists()]), absent("text", &[rrset(A, &["10.0.0.2"])], &[16])]);
    assert_eq!(server.ask("web", "A").answer.len(), 1);
    for (name, qtype) in [("web", "AAAA"), ("here", "A"), ("gone", "SOA"), ("svc.in-addr.arpa.", "A")] {
        assert!(server.ask(name, qtype).is_negative("NOERROR"), "{name} {qtype} is no data");
    }
    for (name, qtype) in
        [("gone", "A"), ("x.web", "A"), ("_y._tcp.web", "SRV"), ("text", "TXT"), ("9.0.0.10.in-addr.arpa.", "PTR"), ("example.org.", "A")]
    {
        let reply = server.ask(name, qtype);
        assert_eq!((reply.rcode.as_str(), reply.flags.as_str(), reply.additional.len()), ("NOERROR", "aa rd", 2), "{name}");
        assert!(reply.authority.is_empty(), "nothing of the first directive is left");
    }
}

#[test]
fn f1_fallthrough_may_be_for_some_zones() {
    let mut server = one_block(&[zone_op(json!({"fallthrough": ["IN-ADDR.arpa.", "sub.cluster.local."]})), whoami()]);
    server.fill(&[]);
    for name in ["9.0.0.10.in-addr.arpa.", "a.SUB", "sub"] {
        assert_eq!(server.ask(name, "A").additional.len(), 2, "{name}");
    }
    for name in ["gone", "xsub", "ip6.arpa."] {
        assert!(server.ask(name, "A").answer.is_empty() && server.ask(name, "A").authority.len() == 1, "{name}");
    }
}

#[test]
fn f1_zones_stand_behind_one_another() {
    let second = zone_op(json!({"zone": "second"}));
    let mut server = one_block(&[zone_op(json!({"fallthrough": ["."]})), second]);
    server.fill(&[web()]);
    server.apply("second", &json!([[owner("web", &[rrset(A, &["10.0.0.2"])]), owner("more", &[rrset(A, &["10.0.0.3"])])], 42, true, true]));
    assert_eq!(server.ask("web", "A").answer, ["web 5 A 10.0.0.1"]);
    assert_eq!(server.ask("more", "A").answer, ["more 5 A 10.0.0.3"]);
    assert!(server.ask("gone", "A").authority[0].contains(" 42 "), "the last one says that a name does not exist");
}

#[test]
fn f3_a_fallthrough_to_nothing_is_servfail_without_soa_and_is_logged() {
    let errors = json!({"op": "errors", "span": 0});
    let blocks = [block("cluster.local.", &[errors, zone_op(json!({"fallthrough": ["."]}))]), block("silent.", &[zone_op(json!({}))])];
    let mut server = Server::new(&plan(&blocks));
    let lines = server.logged();
    server.fill(&[web()]);
    for name in ["Gone", "x.silent."] {
        let reply = server.ask(name, "A");
        assert_eq!((reply.rcode.as_str(), reply.flags.as_str()), ("SERVFAIL", "rd"));
        assert!(reply.answer.is_empty() && reply.authority.is_empty() && reply.additional.is_empty());
    }
    assert_eq!(*lines.lock().unwrap(), ["[ERROR] plugin/errors: 2 gone.cluster.local. A: plugin/kubernetes: no next plugin found"]);
}

#[test]
fn whoami_tells_the_client_its_address_port_and_transport() {
    let mut server = one_block(&[whoami()]);
    let said = |server: &mut Server, question: Question| {
        let reply = server.reply(&question);
        assert_eq!((reply.rcode.as_str(), reply.flags.as_str(), reply.answer.len()), ("NOERROR", "aa rd", 0));
        reply.additional
    };
    let question = || Question::new("A.example.org.", "A");
    assert_eq!(said(&mut server, question()), ["A.example.org. 0 A 192.0.2.1", "_tcp.A.example.org. 0 SRV 0 0 4321 ."]);
    assert_eq!(said(&mut server, question().udp())[1], "_udp.A.example.org. 0 SRV 0 0 4321 .");
    assert_eq!(said(&mut server, question().from("2001:db8::1"))[0], "A.example.org. 0 AAAA 2001:db8::1");
    assert_eq!(said(&mut server, Question::new(".", "NS")), [". 0 A 192.0.2.1", "_tcp. 0 SRV 0 0 4321 ."]);
}

/// A zone behind `loadbalance`, and whoever answers what the zone has not.
fn shuffled(shuffle: Value) -> Server {
    let mut shuffle = shuffle;
    shuffle["op"] = json!("shuffle");
    shuffle["span"] = json!(0);
    one_block(&[shuffle, zone_op(json!({}))])
}

/// How often each order of the answer came in 600 questions.
fn orders(server: &mut Server, name: &str, qtype: &str) -> HashMap<Vec<String>, usize> {
    let mut orders = HashMap::new();
    for _ in 0..600 {
        *orders.entry(server.ask(name, qtype).answer).or_insert(0) += 1;
    }
    orders
}

#[test]
fn shuffle_gives_addresses_in_every_order_equally_often() {
    let mut server = shuffled(json!({"prefer": [], "weights": {}}));
    server.fill(&[owner("web", &[rrset(A, &["10.0.0.1", "10.0.0.2", "10.0.0.3"]), rrset(16, &["a", "b"])])]);
    let orders_of_a = orders(&mut server, "web", "A");
    assert_eq!(orders_of_a.len(), 6);
    assert!(orders_of_a.values().all(|count| (60..140).contains(count)), "{orders_of_a:?}");
    assert_eq!(orders(&mut server, "web", "TXT").len(), 1, "only addresses change places");
}

#[test]
fn shuffle_puts_aliases_first_in_their_order() {
    let mut server = shuffled(json!({"prefer": [], "weights": {}}));
    let set = members(&[group(&[], &["10.0.0.9 m", "web.cluster.local. n"])]);
    server.fill(&[
        owner("a", &[rrset(5, &["b"])]),
        owner("b", &[rrset(5, &["web"])]),
        owner("web", &[rrset(A, &["10.0.0.1", "10.0.0.2"])]),
        owner("set", &[set]),
    ]);
    let chains = orders(&mut server, "a", "A");
    assert_eq!(chains.len(), 2);
    assert!(chains.keys().all(|answer| answer[..2] == ["a 5 CNAME b", "b 5 CNAME web"]));
    let mixed = orders(&mut server, "set", "A");
    assert_eq!(mixed.len(), 6);
    assert!(mixed.keys().all(|answer| answer[0] == "set 5 CNAME web"));
}

#[test]
fn shuffle_orders_glue_too() {
    let mut server = shuffled(json!({"prefer": [], "weights": {}}));
    server.fill(&[owner("db", &[members(&[group(&["x/tcp/1"], &["10.0.0.1", "10.0.0.2", "fd00::1"])])])]);
    let orders: HashSet<Vec<String>> = (0..200).map(|_| server.ask("db", "SRV").additional).collect();
    assert_eq!(orders.len(), 6);
    assert_eq!((0..50).map(|_| server.ask("db", "SRV").answer).collect::<HashSet<_>>().len(), 1);
}

#[test]
fn shuffle_prefers_the_first_network_that_has_any() {
    let mut server = shuffled(json!({"prefer": ["192.168.0.0/16", "10.2.0.0/16", "10.1.0.0/16", "fd00:2::/32"], "weights": {}}));
    let texts = ["10.1.0.1", "10.1.0.2", "10.2.0.1", "10.2.0.2", "10.3.0.1"];
    server.fill(&[
        owner("web", &[rrset(A, &texts), rrset(28, &["fd00:1::1", "fd00:2::1", "::ffff:10.2.0.1"])]),
        owner("far", &[rrset(A, &["172.16.0.1", "172.16.0.2"])]),
    ]);
    let preferred = orders(&mut server, "web", "A");
    assert_eq!(preferred.len(), 2 * 6);
    assert!(preferred.keys().all(|answer| answer[..2].iter().all(|text| text.contains(" 10.2."))), "10.1 is not looked at any more");
    assert!(orders(&mut server, "web", "AAAA").keys().all(|answer| answer[0].ends_with(" fd00:2::1")));
    assert_eq!(orders(&mut server, "far", "A").len(), 2);
    let mut all = shuffled(json!({"prefer": ["0.0.0.0/0", "::/0"], "weights": {}}));
    all.fill(&[owner("web", &[rrset(A, &["10.0.0.1", "10.0.0.2"])])]);
    assert_eq!(orders(&mut all, "web", "A").len(), 2);
}

#[test]
fn shuffle_draws_the_first_address_by_weight() {
    let weights = json!({"web.cluster.local.": {"10.0.0.1": 3, "10.0.0.2": 0, "192.0.2.1": 9}, "none.cluster.local.": {"10.0.0.1": 0, "10.0.0.2": 0}});
    let mut server = shuffled(json!({"prefer": [], "weights": weights}));
    let texts = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
    server.fill(&[owner("web", &[rrset(A, &texts)]), owner("none", &[rrset(A, &texts[..2])])]);
    let mut first: HashMap<char, usize> = HashMap::new();
    for (answer, count) in orders(&mut server, "WEB", "A") {
        *first.entry(answer[0].chars().last().unwrap()).or_insert(0) += count;
    }
    // Shares 3 : 0 : 1, as an address without a weight has 1.
    assert!((400..500).contains(&first[&'1']) && (100..200).contains(&first[&'3']) && !first.contains_key(&'2'), "{first:?}");
    assert_eq!(orders(&mut server, "none", "A").len(), 2, "nothing to draw: any order");
}

#[test]
fn shuffle_leaves_failures_alone() {
    let mut server = shuffled(json!({"prefer": [], "weights": {}}));
    server.fill(&[]);
    assert!(server.ask("gone", "A").is_negative("NXDOMAIN"));
}

/// What is wrong with a plan.
fn refusal(document: &Value) -> String {
    let engine = Engine::new();
    let why = engine.prepare(document.to_string().as_bytes()).err().expect("a plan that cannot run").to_string();
    assert!(engine.zone(ZONE).is_none(), "a plan that is refused leaves nothing behind");
    why
}

/// An op that forwards to this one.
fn forward(upstream: &Value) -> Value {
    json!({"op": "forward", "id": "f", "from_zone": ".", "except_zones": [], "upstreams": [upstream], "policy": "sequential", "max_fails": 2,
        "expire_ms": 10000, "max_age_ms": 0, "max_concurrent": 0, "force_tcp": false, "prefer_udp": false, "read_timeout_ms": 2000,
        "max_connect_attempts": 2, "health_check": {"interval_ms": 500, "domain": ".", "recursion_desired": true},
        "failover": [], "next": [], "next_on_nodata": false, "failfast_all_unhealthy": false, "span": 0})
}

#[test]
fn a_plan_that_cannot_run_is_refused_with_the_reason() {
    let good = plan(&[block(".", &[zone_op(json!({}))])]);
    let with = |pointer: &str, value: Value| {
        let mut document = good.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        refusal(&document)
    };
    assert!(with("/version", json!(2)).contains("version 2"));
    assert!(with("/zones", json!([])).contains("zone z is not in the plan"));
    assert!(with("/blocks/0/listeners", json!([":54"])).contains("listener :54 is not in the plan"));
    assert!(with("/blocks/0/listeners", json!([LISTENER, LISTENER])).contains("served twice"));
    assert!(with("/blocks/0/zone", json!("a..b")).contains("empty label"));
    let op = "/blocks/0/program/0";
    assert!(with(&format!("{op}/origins/0/name"), json!("x".repeat(64))).contains("63 octets"));
    assert!(with(&format!("{op}/fallthrough"), json!(["a\\"])).contains("escape"));
    assert!(with(&format!("{op}/soa/mname"), json!("x.".repeat(130))).contains("255 octets"));
    assert!(with(&format!("{op}/op"), json!("unheard-of")).contains("unheard-of"));
    for (prefer, weights) in [
        (json!(["10.0.0.0"]), json!({})),
        (json!(["10.0.0.0/33"]), json!({})),
        (json!(["x/8"]), json!({})),
        (json!([]), json!({"a": {"x": 1}})),
        (json!([]), json!({"a..b": {}})),
    ] {
        assert!(!with(op, json!({"op": "shuffle", "prefer": prefer, "weights": weights, "span": 0})).is_empty());
    }
    for (address, source, why) in [
        ("192.0.2.1", json!(null), "192.0.2.1 is no address with a port"),
        ("192.0.2.1:53", json!("eth0"), "eth0 is no address"),
        ("192.0.2.1:53", json!("2001:db8::1"), "192.0.2.1:53 cannot be asked from 2001:db8::1, which is of the other family"),
    ] {
        assert!(with(op, forward(&json!({"address": address, "tls": null, "source": source}))).contains(why), "{why}");
    }
    let mut unknown = good.clone();
    unknown["blocks"][0]["surprise"] = json!(1);
    assert!(refusal(&unknown).contains("surprise"));
    let mut missing = good.clone();
    missing.as_object_mut().unwrap().remove("spans");
    assert!(refusal(&missing).contains("spans"));
    assert!(Engine::new().prepare(b"").is_err() && Engine::new().prepare(b"\xff{}").is_err() && Engine::new().prepare(b"[]").is_err());
}

#[test]
fn a_refused_plan_changes_nothing_and_a_new_one_keeps_its_zones() {
    let document = plan(&[block(".", &[zone_op(json!({}))])]);
    let mut server = Server::new(&document);
    server.fill(&[web()]);
    let mut bad = document.clone();
    bad["version"] = json!(0);
    assert!(server.engine.prepare(bad.to_string().as_bytes()).is_err());
    assert_eq!(server.ask("web", "A").answer.len(), 1);
    let next = plan(&[block("cluster.local.", &[zone_op(json!({}))]), block("example.org.", &[zone_op(json!({"zone": "other"}))])]);
    let prepared = server.engine.prepare(next.to_string().as_bytes()).unwrap();
    assert!(server.engine.zone("other").is_some(), "it can be filled before it is served");
    server.engine.abandon(prepared);
    assert!(server.engine.zone("other").is_none());
    let prepared = server.engine.prepare(next.to_string().as_bytes()).unwrap();
    server.engine.commit(prepared);
    assert_eq!(server.ask("web", "A").answer.len(), 1, "held once, and kept");
    let prepared = server.engine.prepare(plan(&[]).to_string().as_bytes()).unwrap();
    server.engine.commit(prepared);
    assert_eq!(server.ask("web", "A").rcode, "REFUSED");
    assert!(server.engine.zone(ZONE).is_none());
}
