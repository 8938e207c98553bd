//! Bad networks, drawn by lot: whatever happens, each query has one reply in time, nothing forged is believed, and nothing is left over.

use core_dns::client::Transport;
use core_dns::random::Random;
use serde_json::json;

use crate::world::*;

fn one_run(seed: u64) {
    let (mode, timeout) = (if seed.is_multiple_of(2) { "immediate" } else { "verify" }, if seed % 4 == 1 { 300 } else { 0 });
    let stale = json!({"window": 60, "mode": mode, "timeout_ms": timeout, "ttl": 0, "recheck": 0, "prefer_positive": false});
    let prefetch = json!({"amount": 2, "duration": 60, "percentage": 50});
    let least = json!({"capacity": 1024, "max_ttl": 3600, "min_ttl": 0});
    let stale = if seed.is_multiple_of(3) { json!(null) } else { stale };
    let policy = ["random", "round_robin", "sequential"][seed as usize % 3];
    let program = vec![
        json!({"op": "count", "directive": "errors", "directives": [], "zone": ".", "span": 0}),
        cache(json!({"serve_stale": stale, "prefetch": prefetch, "success": least, "denial": least})),
        forward(3, json!({"policy": policy, "prefer_udp": seed.is_multiple_of(5)})),
    ];
    let mut world = World::with_seed(seed, 4, program);
    world.weather = Weather { loss: 15, twice: 10, delay: seconds(0.4), forged: 3 };
    let mut lot = Random::new(seed);
    for number in 1..=3 {
        let mut its = Random::new(seed * 10 + number as u64);
        world.upstream(number, move |seen| {
            let ttl = its.below(4) as u32;
            match its.below(20) {
                0 => Act::Drop,
                1 => Act::Refuse,
                2 => Act::Close,
                3 => say(reply(seen, 2, &[])),
                4 => say(denial(seen, 3, ttl)),
                5 => say(a(seen, ttl, [192, 0, 2, 1])[..30].to_vec()),
                6 => Act::Say(seconds(3.0), a(seen, ttl, [192, 0, 2, 1])),
                7 => {
                    let mut message = a(seen, ttl, [6, 6, 6, 6]);
                    message[14] ^= 1;
                    say(message)
                }
                8 => Act::SayAndClose(a(seen, ttl, [192, 0, 2, 1])),
                9 => {
                    let mut message = reply(seen, 0, &[]);
                    message[2] |= 2;
                    say(message)
                }
                _ => say(a(seen, ttl, [192, 0, 2, 1])),
            }
        });
    }
    for _ in 0..400 {
        let name = format!("n{}.example.org.", lot.below(25));
        let transport = if lot.below(4) == 0 { Transport::Tcp } else { Transport::Udp };
        world.send(lot.below(4) as usize, transport, &query(&name, "A"));
        world.wait(lot.below(100) as f64 / 1000.0);
    }
    world.wait(30.0);
    for (number, asked) in world.asked.iter().enumerate() {
        assert_eq!(asked.replies, 1, "seed {seed}: query {number}");
        assert!(world.took(number) < 5.6, "seed {seed}: query {number} took {} s", world.took(number));
        let reply = world.reply(number);
        assert!(reply.answer.iter().all(|record| record.data == "192.0.2.1"), "seed {seed}: query {number} got {}", line(&reply));
    }
    assert!(world.machines.iter().all(|machine| machine.waiting() == 0), "seed {seed}");
    for family in ["requests_total", "responses_total", "request_duration_seconds", "request_size_bytes", "response_size_bytes"] {
        assert_eq!(world.sum(&format!("coredns_dns_{family}")), world.asked.len() as u64, "seed {seed}: {family}");
    }
    let looked = ["misses_total", "hits_total"].map(|family| world.sum(&format!("coredns_cache_{family}"))).iter().sum::<u64>();
    assert_eq!((world.sum("coredns_cache_requests_total"), looked), (world.asked.len() as u64, world.asked.len() as u64), "seed {seed}");
}

#[test]
fn every_query_gets_one_reply_in_time_and_nothing_forged() {
    (1..=24).for_each(one_run);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut world = World::with_seed(seed, 1, vec![forward(2, json!({"policy": "random"}))]);
        world.weather = Weather { loss: 30, twice: 0, delay: seconds(0.2), forged: 1 };
        (1..=2).for_each(|number| world.upstream(number, |seen| say(a(seen, 5, [192, 0, 2, 1]))));
        (0..30).for_each(|number| drop(world.ask(&format!("n{number}.example.org."), "A")));
        world.seen.iter().map(|seen| (seen.at, seen.upstream, seen.message.clone())).collect::<Vec<_>>()
    };
    assert!(run(7) == run(7) && run(7) != run(8));
}

#[test]
fn a_reply_with_any_octet_changed_does_no_harm() {
    let mut world = World::new(1, vec![cache(json!({})), forward(1, json!({"max_fails": 0, "read_timeout_ms": 100}))]);
    let mut lot = Random::new(42);
    world.upstream(1, move |seen| {
        let mut name = wire("mail.example.org.");
        name.truncate(5);
        name.extend([0xc0, 12 + 6]);
        let records = [
            (0, "", 5, 60, vec![0xc0, 12 + 6]),
            (0, "www.example.org.", 15, 60, [vec![0, 10], name.clone()].concat()),
            (1, "example.org.", 6, 60, soa()),
            (2, "", 33, 60, [vec![0, 0, 0, 0, 0, 53], name].concat()),
            (2, "", 35, 60, [vec![0, 1, 0, 1, 1, b's', 3, b's', b'i', b'p', 0], vec![0xc0, 12]].concat()),
        ];
        let mut message = reply(seen, 0, &records);
        for _ in 0..=lot.below(3) {
            let at = 2 + lot.below(message.len() as u64 - 2) as usize;
            message[at] = lot.bits() as u8;
        }
        message.truncate(message.len() - (lot.below(20) as usize).saturating_sub(15));
        say(message)
    });
    for number in 0..4000 {
        let asked = world.send(0, Transport::Udp, &query(&format!("n{:05}.example.org.", number % 3000), "ANY"));
        world.wait_for(asked);
        assert_eq!(world.asked[asked].replies, 1);
        assert!(core_dns::text::read_message(&world.asked[asked].answered.as_ref().unwrap().1).is_some(), "what we say can be read");
    }
}
