//! What `forward` does.

use core_dns::client::Transport;
use serde_json::json;

use crate::world::*;

fn good(seen: &Seen) -> Act {
    say(a(seen, 300, [192, 0, 2, seen.upstream as u8]))
}

#[test]
fn forward_basic() {
    let mut world = World::new(1, vec![forward(1, json!({}))]);
    world.upstream(1, good);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.1");
    assert_eq!(world.sent(), ["1 udp a.example.org. A"]);
    let reply = world.ask("CaSe.Example.ORG.", "A");
    assert_eq!((reply.name.as_str(), reply.answer[0].name.as_str()), ("CaSe.Example.ORG.", "CaSe.Example.ORG."));
}

#[test]
fn forward_tcp_mirror_and_one_connection() {
    let mut world = World::new(1, vec![forward(1, json!({}))]);
    world.upstream(1, good);
    for name in ["a.example.org.", "b.example.org."] {
        world.ask_with(Transport::Tcp, &query(name, "A"));
    }
    let lanes: Vec<_> = world.seen.iter().map(|seen| (seen.transport, seen.lane)).collect();
    assert_eq!((lanes[0].0, lanes[0]), (Transport::Tcp, lanes[1]));
}

#[test]
fn forward_first_drops() {
    let mut world = World::new(1, vec![forward(2, json!({}))]);
    world.upstream(1, |_| Act::Drop);
    world.upstream(2, good);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.2");
    assert_eq!(world.last_took(), 2.0);
}

#[test]
fn forward_one_drops() {
    let mut world = World::new(1, vec![forward(1, json!({}))]);
    world.upstream(1, |_| Act::Drop);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "SERVFAIL qr,rd: ");
    assert_eq!(world.last_took(), 4.0);
    assert_eq!(world.sent().len(), 2);
    assert_eq!(world.log(), ["[ERROR] plugin/errors: 2 a.example.org. A: read udp 192.0.2.1:53: i/o timeout"]);
}

#[test]
fn forward_dead_upstream() {
    let mut world = World::new(1, vec![forward(1, json!({}))]);
    world.upstream(1, |_| Act::Refuse);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "SERVFAIL qr,rd: ");
    assert_eq!(world.last_took(), 0.0);
    assert_eq!(world.log(), ["[ERROR] plugin/errors: 2 a.example.org. A: read udp 192.0.2.1:53: read: connection refused"]);
}

#[test]
fn forward_wrong_id() {
    let mut world = World::new(1, vec![forward(1, json!({}))]);
    world.upstream(1, |seen| {
        let mut message = a(seen, 300, [6, 6, 6, 6]);
        message[0] ^= 1;
        say(message)
    });
    assert_eq!(line(&world.ask("a.example.org.", "A")), "SERVFAIL qr,rd: ");
    assert_eq!(world.last_took(), 4.0);
}

#[test]
fn forward_wrong_question() {
    for change in
        [|message: &mut Vec<u8>| message[13] ^= 1, |message: &mut Vec<u8>| message[28] = 28, |message: &mut Vec<u8>| message[5] = 0]
    {
        let mut world = World::new(1, vec![forward(1, json!({}))]);
        world.upstream(1, move |seen| {
            let mut message = a(seen, 300, [6, 6, 6, 6]);
            change(&mut message);
            say(message)
        });
        assert_eq!(line(&world.ask("a.example.org.", "A")), "FORMERR qr,rd: ");
        assert_eq!(world.log().len(), 1);
    }
}

#[test]
fn forward_not_a_response() {
    let mut world = World::new(1, vec![forward(1, json!({}))]);
    world.upstream(1, |seen| match seen.name.as_str() {
        "query.example.org." => say(seen.message.clone()),
        "cut.example.org." => say(a(seen, 300, [6, 6, 6, 6])[..40].to_vec()),
        _ => say(vec![0x81]),
    });
    assert_eq!(line(&world.ask("query.example.org.", "A")), "FORMERR qr,rd: ");
    assert_eq!(line(&world.ask("cut.example.org.", "A")), "SERVFAIL qr,rd: ");
    assert_eq!(world.last_took(), 0.0, "it has the right id and cannot be read: the next try at once");
    assert_eq!(line(&world.ask("short.example.org.", "A")), "SERVFAIL qr,rd: ");
    assert_eq!(world.last_took(), 4.0, "without a header it is nothing");
}

#[test]
fn forward_late_reply() {
    let mut world = World::new(1, vec![forward(1, json!({"read_timeout_ms": 300, "max_fails": 0}))]);
    world.upstream(1, |seen| match seen.name.as_str() {
        "late.example.org." => Act::Say(seconds(0.45), a(seen, 300, [6, 6, 6, 6])),
        _ => good(seen),
    });
    assert_eq!(line(&world.ask("late.example.org.", "A")), "SERVFAIL qr,rd: ");
    assert!((world.last_took() - 0.6).abs() < 0.001);
    assert_eq!(line(&world.ask("b.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.1");
}

#[test]
fn forward_tc() {
    let cut = |seen: &Seen| {
        let mut message = reply(seen, 0, &[]);
        if seen.transport == Transport::Udp {
            message[2] |= 2;
            return say(message);
        }
        good(seen)
    };
    let mut world = World::new(1, vec![forward(1, json!({}))]);
    world.upstream(1, cut);
    assert_eq!(line(&world.ask("tc.example.org.", "A")), "NOERROR qr,tc,rd,ra: ");
    let mut world = World::new(1, vec![forward(1, json!({"prefer_udp": true}))]);
    world.upstream(1, cut);
    assert_eq!(line(&world.ask("tc.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.1");
    assert_eq!(world.sent(), ["1 udp tc.example.org. A", "1 tcp tc.example.org. A"]);
}

#[test]
fn forward_policy_round_robin() {
    let mut world = World::new(1, vec![forward(3, json!({"policy": "round_robin"}))]);
    (1..=3).for_each(|number| world.upstream(number, good));
    (0..4).for_each(|_| drop(world.ask("a.example.org.", "A")));
    let order: Vec<usize> = world.seen.iter().map(|seen| seen.upstream).collect();
    assert_eq!(order, [2, 3, 1, 2], "the first of three is the second");
}

#[test]
fn forward_policy_random() {
    let mut world = World::new(1, vec![forward(3, json!({"policy": "random"}))]);
    (1..=3).for_each(|number| world.upstream(number, good));
    (0..60).for_each(|_| drop(world.ask("a.example.org.", "A")));
    (1..=3).for_each(|number| assert!(world.seen.iter().filter(|seen| seen.upstream == number).count() > 8));
}

#[test]
fn forward_max_concurrent() {
    let mut world = World::new(1, vec![forward(1, json!({"max_concurrent": 2}))]);
    world.upstream(1, |seen| Act::Say(seconds(0.5), a(seen, 300, [192, 0, 2, 1])));
    let asked: Vec<usize> = (0..6).map(|number| world.send(0, Transport::Udp, &query(&format!("s{number}.example.org."), "A"))).collect();
    world.wait(1.0);
    let rcodes: Vec<String> = asked.iter().map(|number| world.reply(*number).rcode).collect();
    assert_eq!(rcodes.iter().filter(|rcode| *rcode == "REFUSED").count(), 4);
    assert_eq!(world.log()[0], "[ERROR] plugin/errors: 5 s2.example.org. A: concurrent queries exceeded maximum 2");
    assert_eq!(line(&world.ask("again.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.1", "those that are done do not count");
}

#[test]
fn forward_next_and_next_on_nodata() {
    let first = forward(1, json!({"next": [3], "next_on_nodata": true}));
    let mut world = World::new(1, vec![first.clone(), forward_to(&[2], json!({}))]);
    let deny = |seen: &Seen| match seen.name.as_str() {
        "nx.example.org." => say(denial(seen, 3, 60)),
        "nodata.example.org." => say(denial(seen, 0, 60)),
        _ => good(seen),
    };
    world.upstream(1, deny);
    world.upstream(2, good);
    assert_eq!(line(&world.ask("nx.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.2");
    assert_eq!(line(&world.ask("nodata.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.2");
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.1");
    // forward-next-last: nobody comes behind.
    let mut world = World::new(1, vec![first]);
    world.upstream(1, deny);
    assert_eq!(world.ask("nx.example.org.", "A").rcode, "NXDOMAIN");
}

#[test]
fn forward_failover() {
    let mut world = World::new(1, vec![forward(2, json!({"failover": [2]}))]);
    world.upstream(1, |seen| say(reply(seen, 2, &[])));
    world.upstream(2, |seen| if seen.name == "both.example.org." { say(reply(seen, 2, &[])) } else { good(seen) });
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.2");
    assert_eq!(line(&world.ask("both.example.org.", "A")), "SERVFAIL qr,rd,ra: ");
    // forward-no-failover
    let mut world = World::new(1, vec![forward(2, json!({}))]);
    world.upstream(1, |seen| say(reply(seen, 2, &[])));
    assert_eq!(line(&world.ask("a.example.org.", "A")), "SERVFAIL qr,rd,ra: ");
    assert_eq!(world.sent().len(), 1);
}

#[test]
fn forward_health_recovery() {
    let mut world = World::new(1, vec![forward(2, json!({"read_timeout_ms": 200, "max_fails": 1}))]);
    let first = world.upstream_with(1, |_| Act::Drop);
    world.upstream(2, good);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.2");
    world.wait(5.0);
    world.sent();
    assert_eq!(line(&world.ask("b.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.2");
    assert_eq!(world.sent(), ["2 udp b.example.org. A"], "the first is down, and not asked");
    *first.borrow_mut() = Box::new(good);
    world.wait(1.6);
    assert_eq!(line(&world.ask("c.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.1", "a probe found it up again");
    world.wait(5.0);
    world.seen.clear();
    world.wait(5.0);
    assert!(world.seen.is_empty(), "what is healthy is not probed");
}

#[test]
fn forward_max_fails_zero() {
    let mut world = World::new(1, vec![forward(2, json!({"max_fails": 0}))]);
    world.upstream(1, |_| Act::Refuse);
    world.upstream(2, good);
    world.ask("a.example.org.", "A");
    world.wait(3.0);
    assert!(world.seen.iter().all(|seen| seen.name != "."));
}

#[test]
fn forward_all_down() {
    let mut world = World::new(1, vec![forward(2, json!({"max_fails": 1, "read_timeout_ms": 100}))]);
    (1..=2).for_each(|number| world.upstream(number, |_| Act::Drop));
    world.ask("a.example.org.", "A");
    world.wait(6.0);
    world.sent();
    world.ask("b.example.org.", "A");
    assert!(!world.sent().is_empty(), "when all are down, any is tried");
    world.install(&[(".", vec![forward(2, json!({"max_fails": 1, "failfast_all_unhealthy": true}))])]);
    assert_eq!(world.ask("c.example.org.", "A").rcode, "SERVFAIL");
    assert!(world.sent().is_empty() && world.last_took() == 0.0, "health survives a reload");
}

#[test]
fn forward_tcp_closed_by_upstream() {
    let mut world = World::new(1, vec![forward(1, json!({"force_tcp": true}))]);
    world.upstream(1, |seen| match seen.name.as_str() {
        "bad.example.org." => Act::Close,
        "last.example.org." => Act::SayAndClose(a(seen, 300, [192, 0, 2, 1])),
        _ => good(seen),
    });
    for name in ["a.example.org.", "last.example.org.", "c.example.org."] {
        assert_eq!(line(&world.ask(name, "A")), "NOERROR qr,rd,ra: 300 192.0.2.1");
    }
    world.sent();
    assert_eq!(line(&world.ask("bad.example.org.", "A")), "SERVFAIL qr,rd: ");
    assert_eq!(world.sent().len(), 3, "once for the connection that had served, then two tries");
}

#[test]
fn tcp_queries_share_a_connection_and_replies_come_in_any_order() {
    let mut world = World::new(1, vec![forward(1, json!({"force_tcp": true}))]);
    world.upstream(1, |seen| {
        let number: u32 = seen.name[1..2].parse().unwrap();
        Act::Say(seconds(1.0 - f64::from(number) / 10.0), a(seen, number, [192, 0, 2, 1]))
    });
    let asked: Vec<usize> = (0..9).map(|number| world.send(0, Transport::Udp, &query(&format!("s{number}.example.org."), "A"))).collect();
    world.wait(1.5);
    for (number, asked) in asked.iter().enumerate() {
        assert_eq!(world.reply(*asked).answer[0].ttl as usize, number);
    }
    assert!(world.seen.iter().all(|seen| seen.lane == world.seen[0].lane));
}

#[test]
fn forward_expire_and_max_age() {
    let mut world = World::new(1, vec![forward(1, json!({"force_tcp": true, "expire_ms": 1000}))]);
    world.upstream(1, good);
    for pause in [0.4, 2.2, 0.0] {
        world.ask("a.example.org.", "A");
        world.wait(pause);
    }
    let lanes: Vec<_> = world.seen.iter().map(|seen| seen.lane).collect();
    assert!(lanes[0] == lanes[1] && lanes[1] != lanes[2]);
    assert_eq!(world.closed, 1, "the unused one was closed");
    let mut world = World::new(1, vec![forward(1, json!({"force_tcp": true, "expire_ms": 1000, "max_age_ms": 1000}))]);
    world.upstream(1, good);
    (0..4).for_each(|_| {
        world.ask("a.example.org.", "A");
        world.wait(0.4);
    });
    let lanes: Vec<_> = world.seen.iter().map(|seen| seen.lane).collect();
    assert!(lanes[0] == lanes[2] && lanes[2] != lanes[3]);
}

#[test]
fn forward_except() {
    let mut world = World::new(1, vec![forward(1, json!({"except_zones": ["internal.example.org."]}))]);
    world.upstream(1, good);
    assert_eq!(line(&world.ask("A.INTERNAL.example.org.", "A")), "SERVFAIL qr,rd: ");
    assert_eq!(world.log(), ["[ERROR] plugin/errors: 2 a.internal.example.org. A: plugin/forward: no next plugin found"]);
}

#[test]
fn forward_several_lines() {
    let mut world = World::new(
        1,
        vec![
            forward_to(&[1], json!({"from_zone": "sub.example.org."})),
            forward_to(&[2], json!({"from_zone": "example.org."})),
            forward_to(&[3], json!({})),
        ],
    );
    (1..=3).for_each(|number| world.upstream(number, good));
    for (name, data) in [("a.sub.example.org.", "192.0.2.1"), ("a.example.org.", "192.0.2.2"), ("a.example.net.", "192.0.2.3")] {
        assert_eq!(world.ask(name, "A").answer[0].data, data);
    }
}

#[test]
fn ports_and_ids_are_drawn_by_lot() {
    let mut world = World::new(1, vec![forward(1, json!({}))]);
    world.upstream(1, good);
    (0..200).for_each(|number| drop(world.ask(&format!("n{number}.example.org."), "A")));
    let lanes: std::collections::HashSet<_> = world.seen.iter().map(|seen| seen.lane).collect();
    let ids: std::collections::HashSet<_> = world.seen.iter().map(|seen| [seen.message[0], seen.message[1]]).collect();
    assert!(lanes.len() >= 12 && ids.len() > 190, "{} ports, {} ids", lanes.len(), ids.len());
}

#[test]
fn a_reply_that_expands_beyond_measure_is_refused() {
    let mut world = World::new(1, vec![forward(1, json!({}))]);
    world.upstream(1, |seen| {
        // One long name, and thousands of records that point at it.
        let mut message = reply(seen, 0, &[]);
        let long = vec!["x".repeat(63); 3].join(".");
        let at = message.len() as u16;
        message.extend(wire(&long));
        message.extend([0, 5, 0, 1, 0, 0, 0, 1, 0, 2]);
        message.extend((0xc000 | at).to_be_bytes());
        let count = 4000u16;
        for _ in 1..count {
            message.extend((0xc000 | at).to_be_bytes());
            message.extend([0, 5, 0, 1, 0, 0, 0, 1, 0, 2]);
            message.extend((0xc000 | at).to_be_bytes());
        }
        message[6..8].copy_from_slice(&count.to_be_bytes());
        say(message)
    });
    assert_eq!(line(&world.ask("a.example.org.", "A")), "SERVFAIL qr,rd: ");
}

fn way(world: &mut World) -> Vec<String> {
    world.explain("a.example.org.", "A").split_off(2)
}

#[test]
fn explain_tells_each_try_and_why_it_failed() {
    let mut world = World::new(1, vec![forward(2, json!({"max_fails": 0}))]);
    world.upstream(1, |_| Act::Refuse);
    let second = world.upstream_with(2, good);
    let first = |failures: &str| format!("asks 192.0.2.1:53 over udp, upstream 1 of 2: policy sequential; {failures}");
    let refused = "failed read udp 192.0.2.1:53: read: connection refused";
    let other = "asks 192.0.2.2:53 over udp, upstream 2 of 2: policy sequential; no failures";
    let reply = "reply NOERROR from 192.0.2.2:53";
    assert_eq!(way(&mut world), [&first("no failures"), refused, other, reply]);
    assert_eq!(way(&mut world), [&first("no failures"), refused, other, reply], "nothing was counted");
    world.ask("a.example.org.", "A");
    assert_eq!(way(&mut world)[0], first("1 try has failed since its last answer"));
    world.ask("a.example.org.", "A");
    assert_eq!(way(&mut world)[0], first("2 tries have failed since its last answer"));
    *second.borrow_mut() = Box::new(|_| Act::Drop);
    let steps = way(&mut world);
    assert_eq!(steps[steps.len() - 2..], ["failed read udp 192.0.2.2:53: i/o timeout", "ends after 4 tries (max_connect_attempts 4)"]);
    world.upstream(1, good);
    world.ask("a.example.org.", "A");
    assert_eq!(way(&mut world)[0], first("no failures"), "it has answered");
}

#[test]
fn explain_tells_who_is_passed_over_and_why() {
    let mut world = World::new(1, vec![forward(2, json!({}))]);
    world.upstream(1, |_| Act::Refuse);
    let second = world.upstream_with(2, good);
    world.ask("a.example.org.", "A");
    world.wait(1.1);
    let skips =
        "skips 192.0.2.1:53: it is down, as 1 try and 3 probes have failed since its last answer, and it is being probed (max_fails 2)";
    let asks = "asks 192.0.2.2:53 over udp, upstream 2 of 2: policy sequential; no failures";
    assert_eq!(way(&mut world), [skips, asks, "reply NOERROR from 192.0.2.2:53"]);
    *second.borrow_mut() = Box::new(|_| Act::Refuse);
    world.ask("a.example.org.", "A");
    world.wait(1.1);
    let steps = way(&mut world);
    assert!(steps[0].starts_with("skips 192.0.2.1:53: it is down") && steps[1].starts_with("skips 192.0.2.2:53: it is down"), "{steps:?}");
    assert!(steps[2].starts_with("asks ") && steps[2].contains(": any, as all are down; "), "{steps:?}");
    assert_eq!(steps.last().unwrap(), "ends all upstreams are down");
}

#[test]
fn explain_has_the_corefiles_word_for_the_policy() {
    for policy in ["sequential", "random", "round_robin"] {
        let mut world = World::new(1, vec![forward(1, json!({"policy": policy}))]);
        world.upstream(1, good);
        assert_eq!(way(&mut world)[0], format!("asks 192.0.2.1:53 over udp, upstream 1 of 1: policy {policy}; no failures"));
    }
}

#[test]
fn an_explanation_has_an_end() {
    let mut world = World::new(1, vec![forward(1, json!({"max_fails": 0, "max_connect_attempts": 1000}))]);
    world.upstream(1, |_| Act::Refuse);
    let steps = way(&mut world);
    assert_eq!((steps.len(), steps.last().map(String::as_str)), (399, Some("more steps are not told")));
}
