//! What an explanation says of ops that see the answer on its way out: what they made of it.

use serde_json::{Value, json};

use crate::world::*;

/// Names that an upstream has: `b` with two addresses and more than was asked for; others do not exist.
fn answers(seen: &Seen) -> Act {
    let host = |last: u8| (0, "", A, 300, vec![192, 0, 2, last]);
    say(match (seen.name.as_str(), seen.qtype.as_str()) {
        ("b.example.org.", "A") => {
            let more = [(1, "example.org.", NS, 600, wire("ns.b.example.org.")), (2, "ns.b.example.org.", A, 600, vec![192, 0, 2, 9])];
            reply(seen, 0, &[host(1), host(2), more[0].clone(), more[1].clone()])
        }
        ("c.example.org.", "A") => reply(seen, 0, &[(0, "", CNAME, 300, wire("b.example.org."))]),
        ("b.example.org.", _) => denial(seen, 0, 60),
        _ => denial(seen, 3, 60),
    })
}

/// The steps behind the reply of the upstream, for a question to a block with these ops.
fn way_back(ops: &[Value], name: &str, qtype: &str) -> Vec<String> {
    let mut world = World::new(1, [ops, &[forward(1, json!({}))]].concat());
    world.upstream(1, answers);
    let steps = world.explain(name, qtype);
    let reply = steps.iter().position(|step| step.starts_with("reply ")).expect("an upstream was asked");
    steps[reply + 1..].to_vec()
}

fn rewrite(changes: &[Value]) -> Value {
    let rules: Vec<Value> = changes.iter().map(|change| json!({"change": change, "stop": false, "span": 0})).collect();
    json!({"op": "rewrite", "rules": rules, "span": 0})
}

fn exact(name: &str) -> Value {
    json!({"how": "exact", "text": name})
}

fn minimal() -> Value {
    json!({"op": "minimal", "span": 0})
}

fn loadbalance(prefer: &str) -> Value {
    json!({"op": "shuffle", "prefer": [prefer], "weights": {}, "span": 0})
}

#[test]
fn rewrite_tells_the_names_and_ttls_that_it_gave() {
    let names = json!({"field": "name", "name": exact("a.example.org."), "to": "b.example.org.", "auto": true, "answers": []});
    let ttls = json!({"field": "ttl", "name": exact("b.example.org."), "least": 0, "most": 30});
    assert_eq!(
        way_back(&[rewrite(&[names.clone(), ttls])], "a.example.org.", "A"),
        [
            "rewrite TTL 300 → 30 (2 records); TTL 600 → 30 (2 records)",
            "rewrite name b.example.org. → a.example.org. (2 records); value ns.b.example.org. → ns.a.example.org.; \
             name ns.b.example.org. → ns.a.example.org."
        ]
    );
    let rcode = json!({"field": "rcode", "name": exact("x.example.org."), "from": 3, "to": 0});
    assert_eq!(way_back(&[rewrite(&[names, rcode])], "x.example.org.", "A"), ["rewrite rcode NXDOMAIN → NOERROR"]);
}

#[test]
fn rules_that_leave_an_answer_as_it_is_are_not_told() {
    let ttls = json!({"field": "ttl", "name": exact("b.example.org."), "least": 0, "most": 3000});
    assert!(way_back(&[rewrite(&[ttls, json!({"field": "type", "from": 255, "to": 1})])], "b.example.org.", "ANY").is_empty());
}

#[test]
fn an_alias_that_leads_elsewhere_is_told() {
    let to = json!({"field": "cname", "name": exact("b.example.org."), "to": "d.example.org."});
    let steps = way_back(&[rewrite(&[to])], "c.example.org.", "A");
    assert_eq!(steps[..2], ["rewrite", "asks d.example.org. in place of the alias's target"]);
    assert_eq!(steps.last().unwrap(), "rewrite value b.example.org. → d.example.org.");
}

#[test]
fn minimal_tells_what_it_left_out() {
    assert_eq!(
        way_back(&[minimal()], "b.example.org.", "A"),
        ["minimal authority: 1 record left out, NS ns.b.example.org.; additional: 1 record left out, A 192.0.2.9"]
    );
    assert!(way_back(&[minimal()], "x.example.org.", "A").is_empty(), "a denial stays whole");
}

#[test]
fn loadbalance_tells_the_order() {
    let steps = way_back(&[minimal(), loadbalance("192.0.2.2/32")], "b.example.org.", "A");
    assert_eq!(steps[0], "loadbalance order 192.0.2.1, 192.0.2.2 → 192.0.2.2, 192.0.2.1");
    assert_eq!(way_back(&[loadbalance("192.0.2.1/32")], "b.example.org.", "A"), ["loadbalance changes nothing"]);
}

#[test]
fn dns64_tells_the_addresses_that_it_made() {
    let dns64 = json!({"op": "dns64", "prefix": "64:ff9b::/96", "translate_all": false, "allow_ipv4": true, "span": 0});
    let steps = way_back(&[dns64], "b.example.org.", "AAAA");
    assert_eq!(steps[..2], ["dns64", "asks no IPv6 address is there to stay, so it asks for IPv4 addresses"]);
    let made = "A 192.0.2.1 → AAAA 64:ff9b::c000:201; TTL 300 → 60 (2 records); A 192.0.2.2 → AAAA 64:ff9b::c000:202";
    assert_eq!(steps.last().unwrap(), &format!("dns64 ra 1 → 0; rd 1 → as asked; {made}"));
}

#[test]
fn header_tells_the_flags_both_ways() {
    let header = json!({
        "op": "header", "span": 0,
        "query": {"aa": null, "ra": null, "rd": false},
        "response": {"aa": true, "ra": false, "rd": null}
    });
    let mut world = World::new(1, vec![header, forward(1, json!({}))]);
    world.upstream(1, answers);
    let steps = world.explain("b.example.org.", "A");
    assert_eq!(steps[1..3], ["header", "changes rd 1 → 0"]);
    assert_eq!(steps.last().unwrap(), "header aa 0 → 1; ra 1 → 0");
}
