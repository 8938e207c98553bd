//! What `header` and `minimal` do with what upstreams say.

use core_dns::client::Transport;
use serde_json::{Value, json};

use crate::world::*;

fn header(query: Value, response: Value) -> Value {
    let flags = |changed: Value| {
        let mut flags = json!({"aa": null, "ra": null, "rd": null});
        changed.as_object().unwrap().iter().for_each(|(flag, on)| flags[flag] = on.clone());
        flags
    };
    json!({"op": "header", "query": flags(query), "response": flags(response), "span": 0})
}

fn good(seen: &Seen) -> Act {
    say(a(seen, 300, [192, 0, 2, 1]))
}

fn world(ops: Vec<Value>) -> World {
    let mut world = World::new(1, [ops, vec![forward(1, json!({}))]].concat());
    world.upstream(1, good);
    world
}

#[test]
fn header_plugin() {
    let mut world = world(vec![header(json!({"rd": false}), json!({"ra": true, "aa": true, "rd": false}))]);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,ra: 300 192.0.2.1");
    assert!(world.seen[0].flags.is_empty(), "{:?}", world.seen[0].flags);
    let unwanted = query_with("a.example.org.", "A", |message| message[2] = 0);
    assert_eq!(line(&world.ask_with(Transport::Udp, &unwanted)), "NOERROR qr,aa,ra: 300 192.0.2.1");
}

#[test]
fn upstreams_see_the_flags_of_the_question() {
    let mut world = world(vec![header(json!({"aa": true, "ra": true, "rd": true}), json!({}))]);
    let unwanted = query_with("a.example.org.", "A", |message| message[2] = 0);
    world.ask_with(Transport::Udp, &unwanted);
    assert_eq!(world.seen[0].flags, ["aa", "rd", "ra"]);
}

#[test]
fn an_answer_of_our_own_has_the_rd_that_was_asked_with() {
    let world = |query: Value| World::new(1, vec![header(query, json!({})), json!({"op": "whoami", "span": 0})]);
    assert_eq!(world(json!({})).ask("a.example.org.", "A").flags, ["qr", "aa", "rd"]);
    assert_eq!(world(json!({"rd": false})).ask("a.example.org.", "A").flags, ["qr", "aa"]);
}

#[test]
fn flags_may_be_cleared_and_cd_stays() {
    let mut world = world(vec![header(json!({}), json!({"ra": false, "rd": true}))]);
    let message = query_with("a.example.org.", "A", |message| message[2..4].copy_from_slice(&[0, 0x10]));
    assert_eq!(line(&world.ask_with(Transport::Udp, &message)), "NOERROR qr,rd,cd: 300 192.0.2.1");
}

#[test]
fn what_nobody_could_answer_keeps_its_flags() {
    let mut world = world(vec![header(json!({}), json!({"aa": true, "ra": true, "rd": false}))]);
    world.upstream(1, |_| Act::Refuse);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "SERVFAIL qr,rd: ");
}

/// An upstream with something to leave out.
fn chatty(seen: &Seen) -> Act {
    let ns = (1, "example.org.", NS, 5, wire("ns.example.org."));
    let glue = (2, "ns.example.org.", A, 5, vec![192, 0, 2, 4]);
    say(match seen.name.as_str() {
        "nx.example.org." => denial(seen, 3, 60),
        "nd.example.org." => denial(seen, 0, 60),
        "sub.example.org." => reply(seen, 0, &[ns, glue]),
        "only.example.org." => reply(seen, 0, &[glue]),
        _ => reply(seen, 0, &[(0, "", A, 300, vec![192, 0, 2, 1]), ns, glue]),
    })
}

#[test]
fn minimal() {
    let mut world = world(vec![json!({"op": "minimal", "span": 0})]);
    world.upstream(1, chatty);
    let counts = [("m", [1, 0, 0]), ("nx", [0, 1, 0]), ("nd", [0, 1, 0]), ("sub", [0, 1, 1]), ("only", [0, 0, 0])];
    for (label, expected) in counts {
        let reply = world.ask(&format!("{label}.example.org."), "A");
        assert_eq!([reply.answer.len(), reply.authority.len(), reply.additional.len()], expected, "{label}");
    }
}

#[test]
fn minimal_leaves_transfers_and_notifications_alone() {
    let mut world = world(vec![json!({"op": "minimal", "span": 0})]);
    world.upstream(1, chatty);
    for message in [query("m.example.org.", "AXFR"), query_with("m.example.org.", "SOA", |message| message[2] = 4 << 3)] {
        assert_eq!(world.ask_with(Transport::Tcp, &message).authority.len(), 1);
    }
}
