//! What is counted, and under which labels.

use std::panic::{AssertUnwindSafe, catch_unwind};

use core_dns::client::{Client, Transport};
use core_dns::engine::{Observation, Sink};
use core_dns::machine::Verdict;
use core_dns::text;
use serde_json::{Value, json};

use crate::world::*;

/// The op of `prometheus` in a block whose first directive behind it is this one.
fn count(directive: &str, zone: &str) -> Value {
    json!({"op": "count", "directive": directive, "directives": ["prometheus", directive], "zone": zone, "span": 0})
}

fn whoami() -> Value {
    json!({"op": "whoami", "span": 0})
}

/// A world with one block that counts, caches and forwards; the upstream answers A, and denies names that begin with n.
fn counted(program: Vec<Value>) -> World {
    let mut world = World::new(1, [vec![count("errors", ".")], program].concat());
    world.upstream(1, |seen| say(if seen.name.starts_with('n') { denial(seen, 3, 60) } else { a(seen, 300, [192, 0, 2, 1]) }));
    world
}

#[test]
fn blocks_prometheus_in_one() {
    let mut world = World::new(1, vec![]);
    world.install(&[("example.org.", vec![count("whoami", "example.org."), whoami()]), ("example.net.", vec![whoami()])]);
    for name in ["a.example.org.", "a.example.net.", "a.example.com."] {
        world.ask(name, "A");
    }
    let requests = |zone: &str| {
        format!("coredns_dns_requests_total{{family=\"1\",proto=\"udp\",server=\"dns://:53\",type=\"A\",view=\"\",zone=\"{zone}\"}} 1")
    };
    assert_eq!(world.metrics("coredns_dns_requests_total"), [requests("dropped"), requests("example.org.")]);
    let responses = [
        "coredns_dns_responses_total{plugin=\"\",rcode=\"REFUSED\",server=\"dns://:53\",view=\"\",zone=\"dropped\"} 1",
        "coredns_dns_responses_total{plugin=\"whoami\",rcode=\"NOERROR\",server=\"dns://:53\",view=\"\",zone=\"example.org.\"} 1",
    ];
    assert_eq!(world.metrics("coredns_dns_responses_total"), responses);
    let enabled = |name: &str| format!("coredns_plugin_enabled{{name=\"{name}\",server=\"dns://:53\",view=\"\",zone=\"example.org.\"}} 1");
    assert_eq!(world.metrics("coredns_plugin_enabled"), [enabled("prometheus"), enabled("whoami")]);
}

#[test]
fn prometheus_error_rcode() {
    let mut world = World::new(1, vec![count("errors", ".")]);
    assert_eq!(line(&world.ask("b.example.org.", "A")), "SERVFAIL qr,rd: ", "a block that only counts does not refuse");
    let nobody = "coredns_dns_responses_total{plugin=\"\",rcode=\"SERVFAIL\",server=\"dns://:53\",view=\"\",zone=\".\"} 1";
    assert_eq!(world.metrics("coredns_dns_responses_total"), [nobody]);
}

#[test]
fn without_prometheus_no_query_is_counted() {
    let mut world = World::new(1, vec![whoami()]);
    world.ask("a.example.org.", "A");
    assert_eq!(world.metrics("coredns_dns_requests_total"), [""; 0]);
    assert_eq!(world.sum("coredns_forward_max_concurrent_rejects_total"), 0);
    assert_eq!(world.metrics("coredns_forward_max_concurrent_rejects_total").len(), 1, "what has no labels is there from the start");
}

#[test]
fn what_is_no_query_is_not_counted() {
    let mut world = World::new(1, vec![count("whoami", "."), whoami()]);
    let bad_version = query_with("a.example.org.", "A", |message| {
        add_edns(message, 1232, false);
        let version = message.len() - 5;
        message[version] = 1;
    });
    assert_eq!(world.ask_with(Transport::Udp, &bad_version).rcode, "BADVERS");
    world.send(0, Transport::Udp, b"\x12\x34\x01\0\0\0\0\0\0\0\0\0");
    assert_eq!(world.sum("coredns_dns_requests_total"), 0);
    world.ask_with(Transport::Udp, &query_with("a.example.org.", "A", |message| *message.last_mut().unwrap() = 3));
    assert!(world.metrics("coredns_dns_requests_total")[0].contains("zone=\"dropped\""), "another class is dropped");
}

#[test]
fn cache_metrics() {
    let mut world = counted(vec![cache(json!({})), forward(1, json!({}))]);
    let drops = "coredns_cache_drops_total{server=\"dns://:53\",view=\"\",zones=\".\"} 0";
    assert_eq!(world.metrics("coredns_cache_drops_total"), [drops], "it is there before anything is asked");
    assert_eq!(world.metrics("coredns_cache_entries"), [""; 0]);
    for name in ["a.example.org.", "a.example.org.", "nx.example.org.", "nx.example.org.", "nx.example.org."] {
        world.ask(name, "A");
    }
    let of = |family: &str, kind: &str, value: u64| {
        format!("coredns_cache_{family}{{server=\"dns://:53\",{kind}view=\"\",zones=\".\"}} {value}")
    };
    let (success, denial) = ("type=\"success\",", "type=\"denial\",");
    let entries = [of("entries", denial, 1), of("entries", success, 1)];
    assert_eq!(world.metrics("coredns_cache_entries"), entries);
    assert_eq!(world.metrics("coredns_cache_hits_total"), [of("hits_total", denial, 2), of("hits_total", success, 1)]);
    assert_eq!(world.metrics("coredns_cache_misses_total"), [of("misses_total", "", 2)]);
    assert_eq!(world.metrics("coredns_cache_requests_total"), [of("requests_total", "", 5)]);
    for never in ["prefetch_total", "served_stale_total", "evictions_total"] {
        assert_eq!(world.metrics(&format!("coredns_cache_{never}")), [""; 0]);
    }
    assert_eq!(world.sum("coredns_cache_size"), 2);
    assert!(world.sum("clusterdns_cache_bytes") > 100);
}

#[test]
fn only_what_is_served_stale_is_counted_as_that() {
    let stale = json!({"window": 3600, "mode": "verify", "timeout_ms": 0, "ttl": 0, "recheck": 0, "prefer_positive": false});
    let mut world = counted(vec![cache(json!({"serve_stale": stale})), forward(1, json!({"max_fails": 0}))]);
    let act = world.upstream_with(1, |seen| say(a(seen, 5, [192, 0, 2, 1])));
    world.ask("a.example.org.", "A");
    world.wait(6.0);
    world.ask("a.example.org.", "A");
    assert_eq!((world.sum("coredns_cache_hits_total"), world.sum("coredns_cache_served_stale_total")), (1, 0));
    *act.borrow_mut() = Box::new(|_| Act::Refuse);
    world.wait(6.0);
    world.ask("a.example.org.", "A");
    assert_eq!((world.sum("coredns_cache_hits_total"), world.sum("coredns_cache_served_stale_total")), (2, 1));
}

#[test]
fn counts_survive_a_reload_and_other_labels_are_other_series() {
    let mut world = counted(vec![cache(json!({})), forward(1, json!({}))]);
    let ask = |world: &mut World| (0..2).for_each(|_| drop(world.ask("a.example.org.", "A")));
    ask(&mut world);
    world.install(&[(".", vec![count("cache", "."), cache(json!({"servfail": 1})), forward(1, json!({"max_fails": 3}))])]);
    ask(&mut world);
    assert_eq!(world.metrics("coredns_dns_requests_total").len(), 1);
    assert_eq!((world.sum("coredns_dns_requests_total"), world.sum("coredns_cache_requests_total")), (4, 4));
    assert_eq!(world.metrics("coredns_dns_responses_total").len(), 2, "the directive has changed");
    world.install(&[("org.", vec![count("cache", "org."), cache(json!({"id": "cache org.", "zones": ["org."]})), forward(1, json!({}))])]);
    ask(&mut world);
    assert_eq!((world.metrics("coredns_dns_requests_total").len(), world.sum("coredns_dns_requests_total")), (2, 6));
    assert_eq!((world.metrics("coredns_cache_hits_total").len(), world.sum("coredns_cache_hits_total")), (2, 3));
    assert_eq!(world.sum("coredns_proxy_request_duration_seconds"), 3);
}

#[test]
fn a_query_that_waits_took_as_long_as_it_did() {
    let mut world = counted(vec![forward(1, json!({}))]);
    world.upstream(1, |seen| Act::Say(seconds(0.3), a(seen, 300, [192, 0, 2, 1])));
    world.ask("a.example.org.", "A");
    let page: String = core_dns::gauges::page(&world.engine, Vec::new()).collect();
    for (bound, below) in [("0.256", 0), ("0.512", 1)] {
        let ours =
            format!("coredns_dns_request_duration_seconds_bucket{{server=\"dns://:53\",view=\"\",zone=\".\",le=\"{bound}\"}} {below}\n");
        assert!(page.contains(&ours), "{page}");
        let labels = format!("proxy_name=\"forward\",rcode=\"NOERROR\",to=\"{}\",le=\"{bound}\"", address(1));
        assert!(page.contains(&format!("coredns_proxy_request_duration_seconds_bucket{{{labels}}} {below}\n")), "{page}");
    }
    assert!(page.contains("coredns_dns_request_duration_seconds_sum{server=\"dns://:53\",view=\"\",zone=\".\"} 0.3\n"), "{page}");
}

#[test]
fn forward_metrics() {
    let mut world = counted(vec![forward(1, json!({"max_concurrent": 1, "max_fails": 1, "max_connect_attempts": 1}))]);
    let act = world.upstream_with(1, |seen| Act::Say(seconds(0.1), a(seen, 300, [192, 0, 2, 1])));
    world.send(0, Transport::Tcp, &query("a.example.org.", "A"));
    assert_eq!(line(&world.ask_with(Transport::Tcp, &query("b.example.org.", "A"))), "REFUSED qr,rd: ");
    assert_eq!(world.metrics("coredns_forward_max_concurrent_rejects_total"), ["coredns_forward_max_concurrent_rejects_total 1"]);
    world.wait(1.0);
    world.ask_with(Transport::Tcp, &query("b.example.org.", "A"));
    let sockets =
        |what: &str| format!("coredns_proxy_conn_cache_{what}_total{{proto=\"tcp\",proxy_name=\"forward\",to=\"{}\"}} 1", address(1));
    assert_eq!(world.metrics("coredns_proxy_conn_cache_misses_total"), [sockets("misses")]);
    assert_eq!(world.metrics("coredns_proxy_conn_cache_hits_total"), [sockets("hits")]);
    assert_eq!((world.sum("coredns_forward_requests_total"), world.sum("coredns_forward_responses_total")), (2, 2));

    *act.borrow_mut() = Box::new(|_| Act::Refuse);
    (0..2).for_each(|_| {
        world.ask("c.example.org.", "A");
        world.wait(2.0);
    });
    assert!(world.sum("coredns_proxy_healthcheck_failures_total") > 1);
    assert_eq!(world.sum("coredns_proxy_healthcheck_failures_total"), world.sum("coredns_forward_healthcheck_failures_total"));
    assert_eq!(world.sum("coredns_forward_healthcheck_broken_total"), 1);
}

#[test]
fn an_explained_query_is_not_counted() {
    let mut world = counted(vec![cache(json!({})), forward(1, json!({}))]);
    let listener = world.engine.listener_number(LISTENER);
    let client = Client { address: ([10, 0, 0, 1], 999).into(), local: ([10, 0, 0, 2], 53).into(), listener, transport: Transport::Udp };
    world.machines[0].explain(world.now, &client, &query("a.example.org.", "A"), &mut Vec::new());
    world.settle();
    world.wait(1.0);
    assert!(world.machines[0].explained().is_some());
    for family in ["dns_requests_total", "cache_requests_total", "proxy_conn_cache_misses_total", "proxy_request_duration_seconds"] {
        assert_eq!(world.sum(&format!("coredns_{family}")), 0, "{family}");
    }
}

/// A log that makes whoever writes to it panic.
struct Broken;

impl Sink for Broken {
    fn log(&self, line: &str) {
        panic!("{line}");
    }

    fn observe(&self, _: Observation) {}
}

#[test]
fn a_query_that_makes_the_core_panic_gives_its_place_back() {
    let mut world = counted(vec![cache(json!({})), forward(1, json!({"max_concurrent": 1, "max_fails": 0}))]);
    let act = world.upstream_with(1, |_| Act::Refuse);
    world.engine.set_sink(Box::new(Broken));
    let asked = world.send(0, Transport::Udp, &query("a.example.org.", "A"));
    assert_eq!(world.machines[0].waiting(), 1);
    let panicked = catch_unwind(AssertUnwindSafe(|| world.wait(1.0)));
    assert!(panicked.is_err(), "the log is broken");
    world.machines[0].recover();
    assert_eq!(world.machines[0].waiting(), 0);
    world.settle();
    assert!(world.asked[asked].answered.as_ref().is_some_and(|(_, reply)| reply.is_empty()), "nobody waits for a reply any more");
    *act.borrow_mut() = Box::new(|seen| say(a(seen, 300, [192, 0, 2, 1])));
    world.wait(10.0);
    assert_eq!(line(&world.ask("b.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.1", "it is not counted as waiting for the upstream");
}

#[test]
fn a_query_that_makes_the_core_panic_at_once_fails_and_the_next_does_not() {
    let log = json!({"op": "log", "rules": [{"zone": ".", "format": ["asked"], "classes": ["success"]}], "span": 0});
    let mut world = World::new(1, vec![log, whoami()]);
    world.engine.set_sink(Box::new(Broken));
    let listener = world.engine.listener_number(LISTENER);
    let client = Client { address: ([10, 0, 0, 1], 999).into(), local: ([10, 0, 0, 2], 53).into(), listener, transport: Transport::Udp };
    let (asked, mut reply) = (query("a.example.org.", "A"), Vec::new());
    let (machine, now) = (&mut world.machines[0], world.now);
    assert!(catch_unwind(AssertUnwindSafe(|| machine.query(now, &client, &asked, &mut reply))).is_err(), "the log is broken");
    machine.recover();
    assert_eq!(machine.fail(&client, &asked, &mut reply), Verdict::Reply);
    assert_eq!(line(&text::read_message(&reply).unwrap()), "SERVFAIL qr,rd: ");
    assert_eq!(&reply[..2], &asked[..2]);
    assert_eq!(machine.fail(&client, b"no query", &mut reply), Verdict::Drop);
}

#[test]
fn templates_are_counted_by_what_was_asked() {
    let template = |qclass: u16, qtype: u16, text: &str| {
        let pieces = json!([{"piece": "text", "text": text}, {"piece": "print", "value": {"term": "constant", "value": ""}}]);
        json!({"qclass": qclass, "qtype": qtype, "zones": ["example.org."], "patterns": [], "authority": [], "additional": [], "rcode": 0,
            "answer": [{"source": text, "pieces": pieces}], "extended_error": null, "fallthrough": [], "span": 0})
    };
    let rules = [template(1, 1, "a.example.org. 60 IN A 192.0.2.1"), template(255, 255, "nonsense")];
    let mut world = World::new(1, vec![count("errors", "."), json!({"op": "template", "rules": rules, "span": 0})]);
    for qtype in ["A", "A", "AAAA", "TYPE65000"] {
        world.ask("a.example.org.", qtype);
    }
    let of = |more: &str, rtype: &str, count: u64| {
        format!(
            "{{class=\"IN\",{more}server=\"dns://:53\",{}type=\"{rtype}\",view=\"\",zone=\"example.org.\"}} {count}",
            if more.is_empty() { "" } else { "template=\"nonsense\"," }
        )
    };
    let matches = [of("", "A", 2), of("", "AAAA", 1), of("", "other", 1)].map(|labels| format!("coredns_template_matches_total{labels}"));
    assert_eq!(world.metrics("coredns_template_matches_total"), matches);
    let section = "section=\"answer\",";
    let failures = [of(section, "AAAA", 1), of(section, "other", 1)].map(|labels| format!("coredns_template_rr_failures_total{labels}"));
    assert_eq!(world.metrics("coredns_template_rr_failures_total"), failures);
}
