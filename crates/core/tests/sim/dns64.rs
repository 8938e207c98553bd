//! What `dns64` does: it asks in between, so it is tested where questions wait.

use core_dns::client::Transport;
use serde_json::{Value, json};

use crate::world::*;

const AAAA: u16 = 28;

fn dns64(translate_all: bool, allow_ipv4: bool) -> Value {
    json!({"op": "dns64", "prefix": "64:ff9b::/96", "translate_all": translate_all, "allow_ipv4": allow_ipv4, "span": 0})
}

/// An upstream as in the recordings.
fn answers(seen: &Seen) -> Act {
    let v4 = |ttl: u32, last: u8| (0, "", A, ttl, vec![192, 0, 2, last]);
    say(match (seen.name.as_str(), seen.qtype.as_str()) {
        ("v6.example.org.", "AAAA") => reply(seen, 0, &[(0, "", AAAA, 300, vec![0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9])]),
        ("nx.example.org.", _) => denial(seen, 3, 60),
        ("none.example.org.", _) => denial(seen, 0, 60),
        ("sf.example.org.", _) => reply(seen, 2, &[]),
        ("bare.example.org.", "AAAA") => reply(seen, 0, &[]),
        ("bare.example.org.", "A") => reply(seen, 0, &[v4(900, 1)]),
        ("alias.example.org.", "A") => {
            reply(seen, 0, &[(0, "", CNAME, 300, wire("t.example.org.")), (0, "t.example.org.", A, 200, vec![192, 0, 2, 7])])
        }
        (_, "AAAA") => denial(seen, 0, 60),
        _ => reply(seen, 0, &[v4(300, 1), v4(50, 2)]),
    })
}

fn world(op: Value) -> World {
    let mut world = World::new(1, vec![op, cache(json!({})), forward(1, json!({}))]);
    world.upstream(1, answers);
    world.from = "[2001:db8::1]:999".parse().unwrap();
    world
}

fn ask(world: &mut World, name: &str) -> String {
    line(&world.ask(name, "AAAA"))
}

#[test]
fn dns64_default() {
    let mut world = world(dns64(false, false));
    assert_eq!(ask(&mut world, "a.example.org."), "NOERROR qr,rd: 50 64:ff9b::c000:201, 50 64:ff9b::c000:202");
    assert_eq!(world.sent(), ["1 udp a.example.org. AAAA", "1 udp a.example.org. A"]);
    assert_eq!(ask(&mut world, "v6.example.org."), "NOERROR qr,rd,ra: 300 2001:db8::9");
    assert_eq!(ask(&mut world, "alias.example.org."), "NOERROR qr,rd: 200 t.example.org., 60 64:ff9b::c000:207");
    assert_eq!(ask(&mut world, "nx.example.org."), "NXDOMAIN qr,rd,ra: ");
    assert_eq!(ask(&mut world, "none.example.org."), "NOERROR qr,rd: ");
    assert_eq!(ask(&mut world, "sf.example.org."), "NOERROR qr,rd: ");
    let sent = world.sent();
    assert!(!sent.contains(&"1 udp nx.example.org. A".to_owned()) && sent.contains(&"1 udp sf.example.org. A".to_owned()));
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 50 192.0.2.1, 50 192.0.2.2");
}

#[test]
fn both_answers_are_kept_as_they_came() {
    let mut world = world(dns64(false, false));
    let first = ask(&mut world, "a.example.org.");
    assert_eq!(world.sent().len(), 2);
    assert_eq!(ask(&mut world, "a.example.org."), first);
    assert_eq!(ask(&mut world, "A.Example.ORG."), first);
    assert!(world.sent().is_empty());
}

#[test]
fn rfc6147_5_1_7_the_ttl_is_not_longer_than_that_of_the_soa_or_600() {
    let program = vec![dns64(false, false), forward(1, json!({}))];
    let mut world = World::new(1, program);
    world.upstream(1, answers);
    world.from = "[2001:db8::1]:999".parse().unwrap();
    assert_eq!(ask(&mut world, "bare.example.org."), "NOERROR qr,rd: 600 64:ff9b::c000:201");
    assert_eq!(ask(&mut world, "b.example.org."), "NOERROR qr,rd: 60 64:ff9b::c000:201, 50 64:ff9b::c000:202");
}

#[test]
fn dns64_allow_ipv4() {
    for (from, allowed, translates) in
        [("10.0.0.1:9", false, false), ("10.0.0.1:9", true, true), ("[::ffff:10.0.0.1]:9", false, false), ("[fd00::1]:9", false, true)]
    {
        let mut world = world(dns64(false, allowed));
        world.from = from.parse().unwrap();
        assert_eq!(ask(&mut world, "a.example.org.").contains("64:ff9b::"), translates, "{from} {allowed}");
    }
}

#[test]
fn dns64_translate_all() {
    let mut world = world(dns64(true, false));
    assert_eq!(ask(&mut world, "v6.example.org."), "NOERROR qr,rd: 50 64:ff9b::c000:201, 50 64:ff9b::c000:202");
}

#[test]
fn where_nobody_answers_nothing_is_made() {
    let mut world = world(dns64(false, false));
    world.upstream(1, |_| Act::Refuse);
    assert_eq!(ask(&mut world, "a.example.org."), "SERVFAIL qr,rd: ");
    assert!(world.sent().iter().all(|sent| sent.ends_with("AAAA")));
}

#[test]
fn other_classes_are_left_alone() {
    let mut world = world(dns64(false, false));
    let mut message = query("a.example.org.", "AAAA");
    *message.last_mut().unwrap() = 3;
    world.ask_with(Transport::Udp, &message);
    assert_eq!(world.sent().len(), 1);
}

#[test]
fn identical_questions_are_asked_once_for_each_type() {
    let mut world = world(dns64(false, false));
    world.upstream(1, |seen| match answers(seen) {
        Act::Say(_, message) => Act::Say(seconds(0.2), message),
        other => other,
    });
    let numbers: Vec<usize> = (0..5).map(|_| world.send(0, Transport::Udp, &query("a.example.org.", "AAAA"))).collect();
    for number in numbers {
        world.wait_for(number);
        assert!(line(&world.reply(number)).starts_with("NOERROR qr,rd: 50 64:ff9b::c000:201"));
    }
    assert_eq!(world.sent().len(), 2);
}
