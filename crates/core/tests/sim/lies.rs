//! What becomes of replies that are not what was asked for: what the client gets, what is counted, and what the log says.

use core_dns::client::{Client, Transport};
use serde_json::{Value, json};

use crate::world::*;

fn good(seen: &Seen) -> Act {
    say(a(seen, 300, [192, 0, 2, seen.upstream as u8]))
}

/// One block that asks upstreams 1 to `count`.
fn asking(count: usize, change: Value) -> World {
    World::new(1, vec![forward(count, change)])
}

/// What was rejected: `upstream reason count`.
fn rejected(world: &World) -> Vec<String> {
    let of = |line: &String| {
        let label = |name: &str| line.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        let upstream = label("to").trim_start_matches("192.0.2.").trim_end_matches(":53").to_owned();
        format!("{upstream} {} {}", label("reason"), line.rsplit(' ').next().unwrap())
    };
    world.metrics("clusterdns_forward_rejected_replies_total").iter().map(of).collect()
}

/// How many replies counted as such.
fn replies(world: &World) -> u64 {
    world.sum("coredns_proxy_request_duration_seconds")
}

fn with_id(mut message: Vec<u8>, other: u8) -> Vec<u8> {
    message[0] ^= other;
    message
}

#[test]
fn a_reply_with_another_id_is_not_believed_and_the_log_says_that_it_came() {
    for (transport, proto) in [(Transport::Udp, "udp"), (Transport::Tcp, "tcp")] {
        let mut world = asking(1, json!({"max_fails": 0}));
        world.upstream(1, |seen| say(with_id(a(seen, 300, [6, 6, 6, 6]), 1)));
        assert_eq!(line(&world.ask_with(transport, &query("a.example.org.", "A"))), "SERVFAIL qr,rd: ");
        assert_eq!(world.last_took(), 4.0, "the right one may still come");
        let why =
            format!("[ERROR] plugin/errors: 2 a.example.org. A: read {proto} 192.0.2.1:53: 2 replies with another id came: i/o timeout");
        assert_eq!(world.log(), [why]);
        assert_eq!((rejected(&world), replies(&world)), (vec!["1 id 2".to_owned()], 0));
    }
}

#[test]
fn the_right_reply_is_waited_for_behind_those_with_another_id() {
    let mut world = asking(1, json!({}));
    world.weather.forged = 3;
    world.upstream(1, |seen| Act::Say(seconds(0.5), a(seen, 300, [192, 0, 2, 1])));
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.1");
    assert!(world.log().is_empty());
    assert_eq!((rejected(&world), replies(&world)), (vec!["1 id 3".to_owned()], 1));
}

#[test]
fn only_replies_that_came_meanwhile_are_told() {
    let mut world = asking(1, json!({"max_fails": 0, "force_tcp": true}));
    world.upstream(1, |seen| match seen.name.as_str() {
        "silent.example.org." => Act::Drop,
        "closed.example.org." => Act::SayAndClose(with_id(a(seen, 300, [6, 6, 6, 6]), 1)),
        _ => say(with_id(a(seen, 300, [6, 6, 6, 6]), 1)),
    });
    let liar = world.send(0, Transport::Udp, &query("liar.example.org.", "A"));
    world.wait(0.1);
    let silent = world.send(0, Transport::Udp, &query("silent.example.org.", "A"));
    [liar, silent].iter().for_each(|number| world.wait_for(*number));
    let why = |name: &str, more: &str| format!("[ERROR] plugin/errors: 2 {name}.example.org. A: read tcp 192.0.2.1:53: {more}");
    assert_eq!(world.log(), [why("liar", "2 replies with another id came: i/o timeout"), why("silent", "i/o timeout")]);
    world.ask("closed.example.org.", "A");
    assert_eq!(world.log(), [why("closed", "2 replies with another id came: EOF")]);
}

#[test]
fn a_reply_that_comes_twice_or_without_a_question_waiting_is_counted_and_harms_nobody() {
    let mut world = asking(1, json!({}));
    world.weather.twice = 100;
    world.upstream(1, good);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.1");
    world.wait(0.1);
    assert_eq!((rejected(&world), replies(&world)), (vec!["1 id 1".to_owned()], 1));
}

#[test]
fn what_is_no_message_is_counted_and_told() {
    let mut world = asking(1, json!({"max_fails": 0}));
    world.upstream(1, |_| say(vec![0x81]));
    assert_eq!(line(&world.ask("a.example.org.", "A")), "SERVFAIL qr,rd: ");
    assert_eq!(world.last_took(), 4.0);
    let why = "[ERROR] plugin/errors: 2 a.example.org. A: read udp 192.0.2.1:53: 2 messages without a header came: i/o timeout";
    assert_eq!((world.log(), rejected(&world)), (vec![why.to_owned()], vec!["1 malformed 2".to_owned()]));
}

#[test]
fn a_reply_to_another_question_is_a_line_in_the_log_and_no_reply() {
    type Change = fn(&mut Vec<u8>);
    let cases: [(Change, &str, &str); 5] = [
        (|message| message[13] = b'\n', "question", "the reply answers another question: \\010.example.org. A"),
        (|message| message[28] = 28, "question", "the reply answers another question: a.example.org. AAAA"),
        (|message| message[30] = 3, "question", "the reply answers another question: a.example.org. A in class CH"),
        (|message| message[5] = 0, "question", "the reply has 0 questions"),
        (|message| message[2] &= 0x7f, "query", "it sent a query, not a reply"),
    ];
    for (change, reason, why) in cases {
        let mut world = asking(1, json!({}));
        world.upstream(1, move |seen| {
            let mut message = a(seen, 300, [6, 6, 6, 6]);
            change(&mut message);
            say(message)
        });
        assert_eq!(line(&world.ask("a.example.org.", "A")), "FORMERR qr,rd: ");
        assert_eq!(world.last_took(), 0.0);
        assert_eq!(world.log(), [format!("[ERROR] plugin/errors: 1 a.example.org. A: read udp 192.0.2.1:53: {why}")]);
        assert_eq!((rejected(&world), replies(&world)), (vec![format!("1 {reason} 1")], 0), "{why}");
    }
}

#[test]
fn all_who_wait_for_a_reply_to_another_question_have_their_line() {
    let mut world = World::new(2, vec![cache(json!({})), forward(1, json!({}))]);
    world.upstream(1, |seen| {
        let mut message = a(seen, 300, [6, 6, 6, 6]);
        message[13] ^= 1;
        Act::Say(seconds(0.1), message)
    });
    let asked: Vec<usize> = (0..4).map(|number| world.send(number % 2, Transport::Udp, &query("a.example.org.", "A"))).collect();
    world.wait(1.0);
    asked.iter().for_each(|number| assert_eq!(world.reply(*number).rcode, "FORMERR"));
    assert_eq!((world.log().len(), rejected(&world)), (4, vec!["1 question 1".to_owned()]));
    world.upstream(1, good);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.1", "it was not kept");
}

#[test]
fn a_reply_that_answers_another_question_is_written_by_its_directive() {
    let count = json!({"op": "count", "directive": "forward", "directives": ["prometheus", "forward"], "zone": ".", "span": 0});
    let mut world = World::new(1, vec![count, forward(1, json!({}))]);
    world.upstream(1, |seen| {
        let mut message = a(seen, 300, [6, 6, 6, 6]);
        message[13] ^= 1;
        say(message)
    });
    world.ask("a.example.org.", "A");
    let counted = "coredns_dns_responses_total{plugin=\"forward\",rcode=\"FORMERR\",server=\"dns://:53\",view=\"\",zone=\".\"} 1";
    assert_eq!(world.metrics("coredns_dns_responses_total"), [counted]);
}

/// A reply whose only record's owner is written as these octets.
fn with_owner(seen: &Seen, owner: &[u8]) -> Vec<u8> {
    let mut message = reply(seen, 0, &[]);
    message[7] = 1;
    message.extend(owner);
    message.extend([0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 6, 6, 6, 6]);
    message
}

#[test]
fn a_reply_that_cannot_be_read_is_counted_and_the_next_upstream_is_asked() {
    // The question ends at octet 31.
    type Lie = fn(&Seen) -> Vec<u8>;
    let cases: [(Lie, &str); 6] = [
        (|seen| a(seen, 300, [6, 6, 6, 6])[..40].to_vec(), "a record is cut"),
        (|seen| reply(seen, 0, &[(0, "", 1, 9, vec![6, 6, 6])]), "an address has the wrong length"),
        (|seen| with_owner(seen, &[0xc0, 31]), "a name's pointers lead nowhere"),
        (|seen| with_owner(seen, &[1, b'x', 0xc0, 31]), "a name's pointers lead nowhere"),
        (|seen| with_owner(seen, &[0xc0, 200]), "a name's pointers lead nowhere"),
        (|seen| with_owner(seen, &[0x80, 0]), "a label is of no known kind"),
    ];
    for (lie, why) in cases {
        for transport in [Transport::Udp, Transport::Tcp] {
            let mut world = asking(2, json!({"max_fails": 0}));
            world.upstream(1, move |seen| say(lie(seen)));
            world.upstream(2, good);
            assert_eq!(line(&world.ask_with(transport, &query("a.example.org.", "A"))), "NOERROR qr,rd,ra: 300 192.0.2.2");
            assert_eq!((world.last_took(), world.log().len()), (0.0, 0));
            assert_eq!((rejected(&world), replies(&world)), (vec!["1 malformed 1".to_owned()], 1), "{why}");
            world.upstream(2, move |seen| say(lie(seen)));
            world.ask_with(transport, &query("a.example.org.", "A"));
            let said = format!("a.example.org. A: read {} 192.0.2.2:53: the reply cannot be read: {why}", transport.name());
            let log = world.log();
            assert!(log[0].ends_with(&said), "{log:?}");
        }
    }
}

#[test]
fn aliases_that_lead_in_a_circle_are_passed_on_and_counted() {
    let mut world = World::new(1, vec![cache(json!({})), forward(1, json!({}))]);
    world.upstream(1, |seen| match seen.name.as_str() {
        "self.example.org." => say(reply(seen, 0, &[(0, "", 5, 60, wire("SELF.example.org."))])),
        "two.example.org." => {
            say(reply(seen, 0, &[(0, "", 5, 60, wire("b.example.org.")), (0, "b.example.org.", 5, 60, wire("two.example.org."))]))
        }
        _ => say(reply(seen, 0, &[(0, "", 5, 60, wire("b.example.org.")), (0, "b.example.org.", 1, 60, vec![192, 0, 2, 1])])),
    });
    for (name, count) in [("good", 0), ("self", 1), ("self", 2), ("two", 3)] {
        let reply = world.ask(&format!("{name}.example.org."), "A");
        assert_eq!((reply.rcode.as_str(), reply.answer[0].rtype.as_str()), ("NOERROR", "CNAME"));
        let expected = if count == 0 { vec![] } else { vec![format!("1 loop {count}")] };
        assert_eq!(rejected(&world), expected, "{name}: it is not kept");
    }
    assert_eq!(replies(&world), 4, "the upstream did reply");
    assert!(world.log().is_empty());
}

#[test]
fn what_is_cut_though_it_came_over_a_stream_is_passed_on_and_counted() {
    let mut world = asking(1, json!({}));
    world.upstream(1, |seen| {
        let mut message = a(seen, 300, [192, 0, 2, 1]);
        message[2] |= 2;
        say(message)
    });
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,tc,rd,ra: 300 192.0.2.1");
    assert!(rejected(&world).is_empty(), "over UDP that is what it is for");
    assert_eq!(line(&world.ask_with(Transport::Tcp, &query("a.example.org.", "A"))), "NOERROR qr,tc,rd,ra: 300 192.0.2.1");
    assert_eq!(rejected(&world), ["1 truncated 1"]);
}

#[test]
fn an_explained_query_counts_no_lies() {
    let mut world = asking(1, json!({"max_fails": 0}));
    let act = world.upstream_with(1, |seen| say(with_owner(seen, &[0x80, 0])));
    let listener = world.engine.listener_number(LISTENER);
    let client = Client { address: ([10, 0, 0, 1], 999).into(), local: ([10, 0, 0, 2], 53).into(), listener, transport: Transport::Tcp };
    let mut explain = || {
        world.machines[0].explain(world.now, &client, &query("a.example.org.", "A"), &mut Vec::new());
        world.settle();
        world.wait(1.0);
        assert!(world.machines[0].explained().is_some());
    };
    explain();
    *act.borrow_mut() = Box::new(|seen| say(reply(seen, 0, &[(0, "", 5, 60, wire("a.example.org."))])));
    explain();
    *act.borrow_mut() = Box::new(|seen| say(seen.message.clone()));
    explain();
    assert_eq!((rejected(&world).len(), world.log().len()), (0, 0));
}
