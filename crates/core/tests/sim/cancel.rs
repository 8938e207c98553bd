//! The op `cancel`: those behind it have that long.

use core_dns::client::Transport;
use serde_json::{Value, json};

use crate::world::*;

fn cancel(milliseconds: u32) -> Value {
    json!({"op": "cancel", "timeout_ms": milliseconds, "span": 0})
}

fn failed(world: &mut World, name: &str, qtype: &str) -> f64 {
    assert_eq!(line(&world.ask(name, qtype)), "SERVFAIL qr,rd: ");
    world.last_took()
}

#[test]
fn a_try_that_is_under_way_ends_with_the_time() {
    let mut world = World::new(1, vec![cancel(300), forward(1, json!({}))]);
    world.upstream(1, |seen| Act::Say(seconds(if seen.name.starts_with('f') { 0.2 } else { 0.4 }), a(seen, 60, [192, 0, 2, 1])));
    assert_eq!(failed(&mut world, "slow.example.org.", "A"), 0.3);
    assert_eq!(world.log(), ["[ERROR] plugin/errors: 2 slow.example.org. A: read udp 192.0.2.1:53: i/o timeout"]);
    assert_eq!(line(&world.ask("fast.example.org.", "A")), "NOERROR qr,rd,ra: 60 192.0.2.1");
}

#[test]
fn no_further_upstream_is_asked_when_the_time_is_over() {
    let mut world = World::new(1, vec![cancel(3000), forward(3, json!({}))]);
    (1..=3).for_each(|number| world.upstream(number, |_| Act::Drop));
    assert_eq!(failed(&mut world, "a.example.org.", "A"), 3.0);
    assert_eq!(world.sent(), ["1 udp a.example.org. A", "2 udp a.example.org. A"]);
}

#[test]
fn what_is_asked_in_between_is_part_of_the_time() {
    let dns64 = json!({"op": "dns64", "prefix": "64:ff9b::/96", "translate_all": false, "allow_ipv4": true, "span": 0});
    let mut world = World::new(1, vec![cancel(1000), dns64, forward(1, json!({}))]);
    world.upstream(1, |seen| match seen.qtype.as_str() {
        "AAAA" => Act::Say(seconds(0.7), denial(seen, 0, 60)),
        _ => Act::Say(seconds(0.7), a(seen, 60, [192, 0, 2, 1])),
    });
    world.ask("a.example.org.", "AAAA");
    assert_eq!(world.last_took(), 1.0);
    world.ask("a.example.org.", "A");
    assert_eq!(world.last_took(), 0.7, "each question has a time of its own");
}

#[test]
fn somebody_outside_has_no_longer_either() {
    let ask = json!({"op": "ask", "function": "m:f", "zones": ["."], "timeout_ms": 1000, "on_failure": "servfail", "span": 0});
    let mut world = World::new(1, vec![cancel(300), ask]);
    crate::ask::Outside::of(&world);
    assert_eq!(failed(&mut world, "a.example.org.", "A"), 0.3);
    assert_eq!(world.metrics("clusterdns_plugin_calls_total").len(), 1);
}

#[test]
fn who_waits_for_the_same_question_of_another_has_no_longer_either() {
    let stale = json!({"window": 3600, "mode": "verify", "timeout_ms": 0, "ttl": 0, "recheck": 0, "prefer_positive": false});
    let mut world = World::new(2, vec![cancel(300), cache(json!({"serve_stale": stale})), forward(1, json!({"max_fails": 0}))]);
    let act = world.upstream_with(1, |seen| say(a(seen, 5, [192, 0, 2, 1])));
    let first = world.send(0, Transport::Udp, &query("a.example.org.", "A"));
    world.wait(6.0);
    assert_eq!(world.reply(first).rcode, "NOERROR");
    *act.borrow_mut() = Box::new(|_| Act::Drop);
    let both = [0, 1].map(|machine| world.send(machine, Transport::Udp, &query("a.example.org.", "A")));
    for number in both {
        world.wait_for(number);
        assert_eq!(
            (line(&world.reply(number)).as_str(), world.took(number)),
            ("NOERROR qr,aa,rd,ra: 0 192.0.2.1", 0.3),
            "what is past its time"
        );
    }
}
