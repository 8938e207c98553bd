//! What `cache` does in front of `forward`.

use core_dns::client::Transport;
use core_dns::text;
use serde_json::json;

use crate::world::*;

fn cached(change: serde_json::Value) -> World {
    World::new(1, vec![cache(change), forward(1, json!({}))])
}

fn short() -> serde_json::Value {
    json!({"capacity": 9984, "max_ttl": 3600, "min_ttl": 1})
}

fn stale(mode: &str, change: serde_json::Value) -> serde_json::Value {
    let mut stale = json!({"window": 3600, "mode": mode, "timeout_ms": 0, "ttl": 0, "recheck": 0, "prefer_positive": false});
    change.as_object().unwrap().iter().for_each(|(key, value)| stale[key] = value.clone());
    json!({"success": short(), "denial": short(), "serve_stale": stale})
}

#[test]
fn cache_ageing() {
    let mut world = cached(json!({}));
    world.upstream(1, |seen| say(a(seen, 30, [192, 0, 2, 1])));
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,rd,ra: 30 192.0.2.1");
    world.wait(2.1);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 28 192.0.2.1");
    world.wait(27.8);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 1 192.0.2.1");
    world.wait(0.2);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,rd,ra: 30 192.0.2.1");
    assert_eq!(world.sent().len(), 2);
}

#[test]
fn cache_mixed_ttl() {
    let mut world = cached(json!({}));
    world.upstream(1, |seen| {
        say(reply(seen, 0, &[(0, "", 1, 300, vec![192, 0, 2, 1]), (1, "example.org.", 2, 25, wire("ns1.example.org."))]))
    });
    for flags in ["qr,rd,ra", "qr,aa,rd,ra"] {
        let reply = world.ask("m.example.org.", "A");
        assert_eq!((line(&reply), reply.authority[0].ttl), (format!("NOERROR {flags}: 25 192.0.2.1"), 25));
    }
}

#[test]
fn cache_ttl_bounds() {
    let mut world = cached(json!({}));
    world.upstream(1, |seen| match seen.name.as_str() {
        "zero.example.org." => say(a(seen, 0, [192, 0, 2, 1])),
        "nx.example.org." => say(denial(seen, 3, 60)),
        "nx0.example.org." => say(denial(seen, 3, 0)),
        "nd.example.org." => say(denial(seen, 0, 60)),
        "longest.example.org." => say(denial(seen, 3, 86400)),
        _ => say(a(seen, 86400, [192, 0, 2, 1])),
    });
    assert_eq!(world.ask("zero.example.org.", "A").answer[0].ttl, 5);
    assert_eq!(world.ask("long.example.org.", "A").answer[0].ttl, 3600);
    for (name, ttl) in [("nx", 60), ("nx0", 5), ("nd", 60), ("longest", 1800)] {
        for flags in [vec!["qr", "rd", "ra"], vec!["qr", "aa", "rd", "ra"]] {
            let reply = world.ask(&format!("{name}.example.org."), "A");
            assert_eq!((reply.authority[0].ttl, reply.flags), (ttl, flags), "{name}");
        }
    }
}

#[test]
fn cache_negative_no_soa() {
    let mut world = cached(json!({}));
    world.upstream(1, |seen| match seen.name.as_str() {
        "nx.example.org." => say(reply(seen, 3, &[])),
        "ref.example.org." => say(reply(seen, 0, &[(1, "example.org.", 2, 60, wire("ns1.example.org."))])),
        // cache-nxdomain-with-answer
        "both.example.org." => say(reply(seen, 3, &[(0, "", 5, 60, wire("gone.example.org.")), (1, "example.org.", 6, 60, soa())])),
        // cache-cname-nodata
        "alias.example.org." => say(reply(seen, 0, &[(0, "", 5, 60, wire("gone.example.org."))])),
        _ => say(reply(seen, 0, &[])),
    });
    for (name, is_kept) in [("nx", false), ("nd", true), ("ref", true), ("both", false), ("alias", false)] {
        (0..2).for_each(|_| drop(world.ask(&format!("{name}.example.org."), "A")));
        assert_eq!(world.sent().len(), if is_kept { 1 } else { 2 }, "{name}");
    }
}

#[test]
fn cache_servfail() {
    let fail = |seen: &Seen| say(reply(seen, if seen.name.starts_with("refused") { 5 } else { 2 }, &[]));
    let mut world = cached(json!({}));
    world.upstream(1, fail);
    assert_eq!(line(&world.ask("sf.example.org.", "A")), "SERVFAIL qr,rd,ra: ");
    assert_eq!(line(&world.ask("sf.example.org.", "A")), "SERVFAIL qr,aa,rd,ra: ");
    world.wait(5.1);
    assert_eq!(line(&world.ask("sf.example.org.", "A")), "SERVFAIL qr,rd,ra: ");
    (0..2).for_each(|_| assert_eq!(line(&world.ask("refused.example.org.", "A")), "REFUSED qr,rd,ra: "));
    let mut world = cached(json!({"servfail": 0}));
    world.upstream(1, fail);
    (0..2).for_each(|_| assert_eq!(line(&world.ask("sf.example.org.", "A")), "SERVFAIL qr,rd,ra: "));
}

#[test]
fn cache_upstream_dead() {
    let mut world = cached(json!({}));
    world.upstream(1, |_| Act::Refuse);
    (0..2).for_each(|_| assert_eq!(line(&world.ask("x.example.org.", "A")), "SERVFAIL qr,rd: "));
    assert_eq!((world.sent().len(), world.log().len()), (4, 2), "a failure of our own is not kept");
}

#[test]
fn cache_do_cd_keys_and_ad_bit() {
    let mut world = cached(json!({}));
    world.upstream(1, |seen| {
        let mut message = a(seen, 300, [192, 0, 2, 1]);
        message[3] |= 0x20;
        say(message)
    });
    let plain = query("a.example.org.", "A");
    let ad = query_with("a.example.org.", "A", |message| message[3] |= 0x20);
    let cd = query_with("a.example.org.", "A", |message| message[3] |= 0x10);
    let dnssec = query_with("a.example.org.", "A", |message| add_edns(message, 1232, true));
    let edns = query_with("a.example.org.", "A", |message| add_edns(message, 1232, false));
    for (message, flags, asks) in [
        (&plain, "qr,rd,ra", 1),
        (&plain, "qr,aa,rd,ra", 0),
        (&ad, "qr,aa,rd,ra,ad", 0),
        (&edns, "qr,aa,rd,ra", 0),
        (&cd, "qr,rd,ra,cd", 1),
        (&cd, "qr,aa,rd,ra,cd", 0),
        (&dnssec, "qr,rd,ra,ad", 1),
        (&dnssec, "qr,aa,rd,ra,ad", 0),
    ] {
        let reply = world.ask_with(Transport::Udp, message);
        assert_eq!(reply.flags.join(","), flags);
        assert!(world.seen.iter().all(|seen| seen.flags.contains(&"ad")), "the cache asks for AD");
        assert_eq!(world.sent().len(), asks, "{flags}");
    }
}

#[test]
fn cache_case() {
    let mut world = cached(json!({}));
    world.upstream(1, |seen| say(a(seen, 300, [192, 0, 2, 1])));
    for name in ["CaSe.Example.ORG.", "case.example.org.", "CASE.EXAMPLE.ORG."] {
        let reply = world.ask(name, "A");
        assert_eq!((reply.name.as_str(), reply.answer[0].name.as_str()), (name, "CaSe.Example.ORG."));
    }
    assert_eq!(world.sent().len(), 1);
}

#[test]
fn cache_keepttl() {
    let mut world = cached(json!({"keepttl": true}));
    world.upstream(1, |seen| say(a(seen, 300, [192, 0, 2, 1])));
    world.ask("a.example.org.", "A");
    world.wait(10.0);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 300 192.0.2.1");
}

#[test]
fn cache_disable_and_zones() {
    let mut world = cached(json!({"zones": ["org."], "disable_success": ["nocache.org."], "disable_denial": ["example.org."]}));
    world.upstream(1, |seen| match seen.name.starts_with("nx") {
        true => say(reply(seen, 3, &[(1, "org.", 6, 60, soa())])),
        false => say(a(seen, 300, [192, 0, 2, 1])),
    });
    for (name, is_kept) in [
        ("a.nocache.org.", false),
        ("a.example.org.", true),
        ("nx.example.org.", false),
        ("nx.nocache.org.", true),
        ("a.example.net.", false),
    ] {
        (0..2).for_each(|_| drop(world.ask(name, "A")));
        assert!(world.seen.iter().all(|seen| seen.flags.contains(&"ad") != name.ends_with("net.")));
        assert_eq!(world.sent().len(), if is_kept { 1 } else { 2 }, "{name}");
    }
}

#[test]
fn cache_truncated() {
    let mut world = cached(json!({}));
    world.upstream(1, |seen| {
        let mut message = a(seen, 300, [192, 0, 2, 1]);
        message[2] |= if seen.transport == Transport::Udp { 2 } else { 0 };
        say(message)
    });
    (0..2).for_each(|_| assert_eq!(line(&world.ask("tc.example.org.", "A")), "NOERROR qr,tc,rd,ra: 300 192.0.2.1"));
    world.ask_with(Transport::Tcp, &query("tc.example.org.", "A"));
    assert_eq!(line(&world.ask("tc.example.org.", "A")), "NOERROR qr,aa,rd,ra: 300 192.0.2.1");
    assert_eq!(world.sent().len(), 3);
}

#[test]
fn cache_prefetch_burst() {
    let mut world = cached(json!({"prefetch": {"amount": 2, "duration": 60, "percentage": 90}}));
    let up = world.upstream_with(1, |seen| say(a(seen, 10, [192, 0, 2, 1])));
    (0..4).for_each(|_| drop(world.ask("a.example.org.", "A")));
    *up.borrow_mut() = Box::new(|seen| Act::Say(seconds(0.3), a(seen, 30, [192, 0, 2, 2])));
    world.wait(1.6);
    world.sent();
    (0..10).for_each(|_| assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 9 192.0.2.1"));
    world.wait(0.5);
    assert_eq!(world.sent(), ["1 tcp a.example.org. A"], "one renewal, as a stream");
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 30 192.0.2.2");
}

#[test]
fn cache_serve_stale_refresh_and_window() {
    let mut world = cached(stale("immediate", json!({"window": 3})));
    let up = world.upstream_with(1, |seen| say(a(seen, 1, [192, 0, 2, 1])));
    world.ask("a.example.org.", "A");
    world.wait(1.3);
    *up.borrow_mut() = Box::new(|seen| Act::Say(seconds(0.3), a(seen, 1, [192, 0, 2, 2])));
    world.sent();
    // cache-stale-single-refresh
    (0..15).for_each(|_| assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 0 192.0.2.1"));
    world.wait(0.5);
    assert_eq!(world.sent(), ["1 tcp a.example.org. A"]);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 1 192.0.2.2");
    *up.borrow_mut() = Box::new(|_| Act::Refuse);
    world.wait(2.0);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 0 192.0.2.2");
    world.wait(2.5);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "SERVFAIL qr,rd: ", "beyond the window");
}

#[test]
fn cache_serve_stale_immediate_args() {
    let mut world = cached(stale("immediate", json!({"ttl": 7, "recheck": 2})));
    let up = world.upstream_with(1, |seen| say(a(seen, 1, [192, 0, 2, 1])));
    world.ask("a.example.org.", "A");
    world.wait(1.3);
    *up.borrow_mut() = Box::new(|seen| say(reply(seen, 2, &[])));
    world.sent();
    for (pause, asks) in [(0.3, 1), (1.0, 0), (1.0, 0), (0.1, 1)] {
        assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 7 192.0.2.1");
        world.wait(pause);
        assert_eq!(world.sent().len(), asks, "after a failure nobody tries for 2 s");
    }
}

#[test]
fn cache_serve_stale_verify() {
    let mut world = cached(stale("verify", json!({})));
    let up = world.upstream_with(1, |seen| say(a(seen, 1, [192, 0, 2, 1])));
    world.ask("a.example.org.", "A");
    world.wait(1.3);
    *up.borrow_mut() = Box::new(|seen| say(a(seen, 1, [192, 0, 2, 2])));
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,rd,ra: 1 192.0.2.2");
    world.wait(1.3);
    *up.borrow_mut() = Box::new(|seen| say(reply(seen, 2, &[])));
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 0 192.0.2.2", "SERVFAIL: the old answer");
    *up.borrow_mut() = Box::new(|_| Act::Drop);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 0 192.0.2.2");
    assert_eq!(world.last_took(), 4.0);
    *up.borrow_mut() = Box::new(|seen| say(denial(seen, 3, 1)));
    assert_eq!(world.ask("a.example.org.", "A").rcode, "NXDOMAIN", "a denial is an answer");
}

#[test]
fn cache_serve_stale_verify_timeout() {
    let mut world = cached(stale("verify", json!({"timeout_ms": 200})));
    let up = world.upstream_with(1, |seen| say(a(seen, 1, [192, 0, 2, 1])));
    world.ask("a.example.org.", "A");
    world.wait(1.3);
    *up.borrow_mut() = Box::new(|seen| Act::Say(seconds(0.6), a(seen, 30, [192, 0, 2, 2])));
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 0 192.0.2.1");
    assert_eq!(world.last_took(), 0.2);
    world.wait(0.8);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 30 192.0.2.2");
    world.wait(31.0);
    *up.borrow_mut() = Box::new(|seen| Act::Say(seconds(0.1), a(seen, 30, [192, 0, 2, 3])));
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,aa,rd,ra: 30 192.0.2.3", "in time");
}

#[test]
fn identical_misses_of_all_machines_are_asked_once() {
    let mut world = World::new(3, vec![cache(json!({})), forward(1, json!({}))]);
    world.upstream(1, |seen| Act::Say(seconds(0.3), a(seen, 300, [192, 0, 2, 1])));
    let asked: Vec<usize> = (0..21).map(|number| world.send(number % 3, Transport::Udp, &query("slow.example.org.", "A"))).collect();
    world.wait(1.0);
    for number in asked {
        assert_eq!(line(&world.reply(number)), "NOERROR qr,rd,ra: 300 192.0.2.1");
        assert_eq!(world.took(number), 0.3);
    }
    assert_eq!(world.sent().len(), 1);
}

#[test]
fn those_who_wait_share_the_failure_too() {
    let mut world = World::new(2, vec![cache(json!({})), forward(1, json!({}))]);
    world.upstream(1, |_| Act::Drop);
    let asked: Vec<usize> = (0..4).map(|number| world.send(number % 2, Transport::Udp, &query("dead.example.org.", "A"))).collect();
    world.wait(6.0);
    asked.iter().for_each(|number| assert_eq!((line(&world.reply(*number)).as_str(), world.took(*number)), ("SERVFAIL qr,rd: ", 4.0)));
    assert_eq!((world.sent().len(), world.log().len()), (2, 4));
}

#[test]
fn a_flood_of_names_stays_within_bounds() {
    let mut world = cached(json!({"success": {"capacity": 1024, "max_ttl": 3600, "min_ttl": 5}}));
    world.upstream(1, |seen| {
        let big = vec![b'x'; 4000];
        say(if seen.name.starts_with('b') { reply(seen, 0, &[(0, "", 65000, 300, big)]) } else { a(seen, 300, [192, 0, 2, 1]) })
    });
    for number in 0..3000 {
        world.ask(&format!("n{number}.example.org."), "A");
        world.ask(&format!("b{number}.example.org."), "TYPE65000");
    }
    let held = world.engine.cache("cache .").unwrap().held().unwrap();
    assert!(held.entries[0] <= 1024 && held.bytes <= 64 * 160 * 1024, "{held:?}");
    assert!(world.sum("coredns_cache_evictions_total") >= 4900);
    assert_eq!(world.machines[0].waiting(), 0);
}

#[test]
fn too_many_that_wait_are_given_up_by_age() {
    let mut world = World::new(1, vec![forward(1, json!({}))]);
    world.upstream(1, |_| Act::Drop);
    let first = world.send(0, Transport::Udp, &query("first.example.org.", "A"));
    for number in 0..10_000 {
        world.send(0, Transport::Udp, &query(&format!("n{number}.example.org."), "A"));
    }
    assert_eq!(world.reply(first).rcode, "SERVFAIL");
    assert_eq!((world.engine.shed(), world.machines[0].waiting()), (1, 10_000));
}

#[test]
fn those_that_are_given_up_are_told_of_together() {
    let mut world = World::new(1, vec![json!({"op": "errors", "span": 0}), forward(1, json!({}))]);
    world.upstream(1, |_| Act::Drop);
    let flood = |world: &mut World, count: usize| {
        for number in 0..count {
            world.send(0, Transport::Udp, &query(&format!("n{number}.example.org."), "A"));
        }
    };
    flood(&mut world, 10_003);
    let why = "were given up, those that had waited longest: more than 10000 wait for an answer in one thread";
    assert_eq!(world.log(), [format!("[WARNING] 1 queries {why}")]);
    world.wait(1.0);
    flood(&mut world, 3);
    assert_eq!(world.log(), [format!("[WARNING] 3 queries {why}")]);
    assert_eq!(world.engine.shed(), 6);
}

#[test]
fn an_explained_query_leaves_no_trace_and_tells_its_way() {
    let mut world = cached(json!({}));
    world.upstream(1, |seen| say(a(seen, 7200, [192, 0, 2, 1])));
    let expected = [
        "block .",
        "cache",
        "miss nothing is kept for this question; the next directive is asked",
        "forward",
        "asks 192.0.2.1:53 over udp, upstream 1 of 1: policy sequential; no failures",
        "reply NOERROR from 192.0.2.1:53",
        "cache TTL 7200 → 3600",
        "keeps for 3600 s as a success, were it not only explained",
    ];
    assert_eq!(world.explain("a.example.org.", "A"), expected);
    assert_eq!(world.engine.cache("cache .").unwrap().held(), None);
    assert_eq!(world.sum("coredns_cache_requests_total") + world.sum("coredns_proxy_conn_cache_misses_total"), 0);
    world.ask("a.example.org.", "A");
    world.wait(3.0);
    let hit = "hit success kept 3 s ago for 3600 s, 3597 s left: not stale; prefetch is off";
    assert_eq!(world.explain("a.example.org.", "A"), ["block .", "cache", hit]);
    world.wait(3600.0);
    let miss = "miss success kept 3603 s ago for 3600 s, over for 3 s; the next directive is asked";
    assert_eq!(world.explain("a.example.org.", "A")[2], miss);
}

#[test]
fn explain_tells_whether_an_entry_is_to_be_renewed_ahead_of_its_end() {
    let mut world = cached(json!({"prefetch": {"amount": 3, "duration": 60, "percentage": 10}, "keepttl": true}));
    world.upstream(1, |seen| say(a(seen, 100, [192, 0, 2, 1])));
    world.ask("a.example.org.", "A");
    let prefetch = |world: &mut World| world.explain("a.example.org.", "A")[2].split_once("; ").unwrap().1.to_owned();
    let keepttl = "; keepttl: its TTLs do not sink";
    assert_eq!(prefetch(&mut world), format!("prefetch is not due (wants 3 questions, this is number 1, and at most 10 s left){keepttl}"));
    world.ask("a.example.org.", "A");
    world.ask("a.example.org.", "A");
    // An explained question is none that counts.
    for _ in 0..2 {
        assert_eq!(
            prefetch(&mut world),
            format!("prefetch is not due (wants 3 questions, this is number 3, and at most 10 s left){keepttl}")
        );
    }
    world.wait(50.0);
    world.ask("a.example.org.", "A");
    world.wait(42.0);
    assert_eq!(prefetch(&mut world), format!("prefetch is due (wants 3 questions, this is number 4, and at most 10 s left){keepttl}"));
    world.sent();
    world.ask("a.example.org.", "A");
    world.wait(0.1);
    assert_eq!(world.sent(), ["1 tcp a.example.org. A"], "and so it was");
}

#[test]
fn explain_tells_what_is_stale_and_whether_it_is_used() {
    let stale = |mode: &str| json!({"serve_stale": {"window": 600, "mode": mode, "timeout_ms": 0, "ttl": 0, "recheck": 0, "prefer_positive": false}});
    for (mode, how) in [("immediate", "is used at once, and renewed then"), ("verify", "is used if nothing better comes")] {
        let mut world = cached(stale(mode));
        let upstream = world.upstream_with(1, |seen| say(a(seen, 300, [192, 0, 2, 1])));
        world.ask("a.example.org.", "A");
        world.wait(320.0);
        let steps = world.explain("a.example.org.", "A");
        let expected = format!("stale success kept 320 s ago for 300 s, over for 20 s: stale; within 600 s it {how} (serve_stale)");
        assert_eq!(steps[2], expected);
        *upstream.borrow_mut() = Box::new(|_| Act::Refuse);
        let steps = world.explain("a.example.org.", "A");
        assert_eq!(steps.last().map(String::as_str), Some(if mode == "verify" { "stale nothing better came" } else { &*expected }));
        world.wait(600.0);
        let miss = "miss success kept 920 s ago for 300 s, over for 620 s, more than 600 s (serve_stale); the next directive is asked";
        assert_eq!(world.explain("a.example.org.", "A")[2], miss);
    }
}

#[test]
fn explain_tells_why_an_answer_is_not_kept() {
    let mut world = cached(json!({"servfail": 0, "disable_denial": ["private.example.org."]}));
    world.upstream(1, |seen| {
        say(match seen.name.as_str() {
            "sf.example.org." => reply(seen, 2, &[]),
            "refused.example.org." => reply(seen, 5, &[]),
            "nx.example.org." => reply(seen, 3, &[]),
            "other.example.org." => reply(seen, 0, &[(0, "t.example.org.", 1, 60, vec![192, 0, 2, 1])]),
            "more.example.org." => {
                reply(seen, 0, &[(0, "", 1, 60, vec![192, 0, 2, 1]), (2, "elsewhere.example.", 1, 60, vec![192, 0, 2, 1])])
            }
            _ => denial(seen, 3, 60),
        })
    });
    for (name, what) in [
        ("sf.example.org.", "nothing: failures are not kept (servfail 0)"),
        ("refused.example.org.", "nothing: REFUSED is not kept"),
        ("nx.example.org.", "nothing: no SOA of its zone says for how long"),
        ("other.example.org.", "nothing: its records do not answer the question"),
        ("gone.private.example.org.", "nothing: the Corefile says so (disable)"),
        ("gone.example.org.", "for 60 s as a denial, were it not only explained"),
        ("more.example.org.", "for 60 s as a success, without 1 record that does not belong to the question, were it not only explained"),
    ] {
        assert_eq!(world.explain(name, "A").last(), Some(&format!("keeps {what}")), "{name}");
    }
    world.upstream(1, |_| Act::Refuse);
    let last = world.explain("a.example.org.", "A").pop().unwrap();
    assert_eq!(last, "keeps nothing: nobody could answer: read udp 192.0.2.1:53: read: connection refused");
}

#[test]
fn a_new_plan_keeps_what_is_still_right() {
    let stub = |to: usize| forward_to(&[to], json!({"from_zone": "corp.example.", "id": "stub"}));
    let block = |to: usize| vec![cache(json!({})), stub(to), forward(1, json!({}))];
    let mut world = World::new(1, Vec::new());
    (1..=3).for_each(|number| world.upstream(number, |seen| say(a(seen, 300, [192, 0, 2, seen.upstream as u8]))));
    world.install(&[(".", block(2))]);
    let ask = |world: &mut World| {
        ["a.corp.example.", "a.other.example.", "a.new.example."].map(|name| world.ask(name, "A").answer[0].data.clone()).join(" ")
    };
    assert_eq!(ask(&mut world), "192.0.2.2 192.0.2.1 192.0.2.1");
    assert_eq!(world.sent().len(), 3);
    world.install(&[(".", block(2))]);
    ask(&mut world);
    assert_eq!(world.sent().len(), 0, "nothing has changed");
    world.install(&[(".", block(3))]);
    assert_eq!(ask(&mut world), "192.0.2.3 192.0.2.1 192.0.2.1");
    assert_eq!(world.sent(), ["3 udp a.corp.example. A"], "only the stub domain");
    world.install(&[(".", block(3)), ("new.example.", vec![forward_to(&[2], json!({"id": "new"}))])]);
    assert_eq!(ask(&mut world), "192.0.2.3 192.0.2.1 192.0.2.2");
    world.install(&[(".", block(3))]);
    world.sent();
    assert_eq!(ask(&mut world), "192.0.2.3 192.0.2.1 192.0.2.1");
    assert_eq!(world.sent(), ["1 udp a.new.example. A"], "what the parent knew before is forgotten");
}

#[test]
fn a_query_that_waits_ends_with_the_program_that_it_began_with() {
    let mut world = cached(json!({}));
    world.upstream(1, |seen| Act::Say(seconds(1.0), a(seen, 300, [192, 0, 2, 1])));
    let number = world.send(0, Transport::Udp, &query("a.example.org.", "A"));
    world.install(&[("example.net.", vec![json!({"op": "whoami", "span": 0})])]);
    world.wait(2.0);
    assert_eq!(text::rcode_name(0), world.reply(number).rcode);
}

#[test]
fn what_was_asked_on_the_old_way_is_not_kept() {
    let block = |to: usize| vec![cache(json!({})), forward_to(&[to], json!({"id": "f"}))];
    let mut world = World::new(1, Vec::new());
    (1..=2).for_each(|number| world.upstream(number, |seen| Act::Say(seconds(1.0), a(seen, 300, [192, 0, 2, seen.upstream as u8]))));
    world.install(&[(".", block(1))]);
    let old = world.send(0, Transport::Udp, &query("a.example.org.", "A"));
    world.install(&[(".", block(2))]);
    let new = world.send(0, Transport::Udp, &query("a.example.org.", "A"));
    world.wait(2.0);
    assert_eq!([old, new].map(|number| world.reply(number).answer[0].data.clone()), ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(world.ask("a.example.org.", "A").answer[0].data, "192.0.2.2");
}

#[test]
fn d1_answers_of_a_local_zone_are_not_kept() {
    let soa = json!({"mname": "ns.dns", "rname": "hostmaster", "refresh": 7200, "retry": 1800, "expire": 86400, "minimum": 5, "ttl": 5});
    let zone = |fallthrough: &[&str]| {
        json!({"op": "zone", "zone": "z", "origins": [{"name": "cluster.local.", "reverse": false}], "primary": 0, "soa": soa, "fallthrough": fallthrough,
               "exists": [], "soa_nodata": false, "bare_ports": true, "name": "kubernetes", "span": 0})
    };
    for fallthrough in [&[][..], &["cluster.local."][..]] {
        let mut world = World::new(1, Vec::new());
        world.upstream(1, |seen| say(a(seen, 300, [192, 0, 2, 1])));
        let mut with_zone: serde_json::Value =
            serde_json::from_slice(&plan(&[(".", vec![cache(json!({})), zone(fallthrough), forward(1, json!({}))])])).unwrap();
        with_zone["zones"] = json!(["z"]);
        world.engine.commit(world.engine.prepare(&serde_json::to_vec(&with_zone).unwrap()).unwrap());
        let text: Vec<&str> = vec!["10.0.0.1"];
        let set: (&str, u32, Vec<&str>, [u8; 0], [u8; 0], bool, bool) = ("members", 5, text, [], [], false, false);
        let change = rmp_serde::to_vec(&(vec![("web", 1, vec![set], [0u16; 0])], 1, false, true)).unwrap();
        world.engine.zone("z").unwrap().apply(&core_dns::zone::decode_change(&change).unwrap());
        (0..2).for_each(|_| assert_eq!(line(&world.ask("web.cluster.local.", "A")), "NOERROR qr,aa,rd: 5 10.0.0.1"));
        world.ask("gone.cluster.local.", "A");
        assert_eq!(world.sent().len(), fallthrough.len());
        let held = world.engine.cache("cache .").unwrap().held().map_or(0, |held| held.entries[0]);
        assert_eq!(
            (held, world.sum("coredns_cache_misses_total")),
            (fallthrough.len() as u64, 3 * fallthrough.len() as u64),
            "what is local for sure is not looked for"
        );
    }
}

#[test]
fn flat_records_are_kept_as_those_of_others_are() {
    let records = json!({"op": "records", "zones": ["z"], "under": ["."], "types": [1, 28], "anywhere": [12], "fallthrough": [],
                         "fallthrough_types": false, "name": "hosts", "span": 0});
    let cache = cache(json!({"success": {"capacity": 9984, "max_ttl": 30, "min_ttl": 5}}));
    let mut with_zone: serde_json::Value = serde_json::from_slice(&plan(&[(".", vec![cache, records])])).unwrap();
    with_zone["zones"] = json!(["z"]);
    let mut world = World::new(1, Vec::new());
    world.engine.commit(world.engine.prepare(&serde_json::to_vec(&with_zone).unwrap()).unwrap());
    let fill = |world: &World, address: &str| {
        let change = rmp_serde::to_vec(&(vec![("web", 1, vec![("rrset", 1, 3600, vec![address])], [0u16; 0])], 1, true, true)).unwrap();
        world.engine.zone("z").unwrap().apply(&core_dns::zone::decode_change(&change).unwrap());
    };
    fill(&world, "192.0.2.1");
    assert_eq!(line(&world.ask("web.", "A")), "NOERROR qr,aa,rd: 30 192.0.2.1");
    fill(&world, "192.0.2.2");
    world.wait(10.0);
    assert_eq!(line(&world.ask("web.", "A")), "NOERROR qr,aa,rd: 20 192.0.2.1", "until its time is over");
    world.wait(21.0);
    assert_eq!(line(&world.ask("web.", "A")), "NOERROR qr,aa,rd: 30 192.0.2.2");
    for (name, qtype, said) in [("web.", "AAAA", "NOERROR qr,aa,rd: "), ("gone.", "A", "SERVFAIL qr,rd: ")] {
        (0..2).for_each(|_| assert_eq!(line(&world.ask(name, qtype)), said));
    }
    let held = world.engine.cache("cache .").unwrap().held().unwrap();
    assert_eq!(held.entries, [2, 0], "no data without SOA counts as a success, a failure of ours is not kept");
}
