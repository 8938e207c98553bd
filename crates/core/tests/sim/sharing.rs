//! Which questions are asked once for all who wait: those that would get the same answer.

use core_dns::client::Transport;
use serde_json::json;

use crate::world::*;

const NSID: u16 = 3;
const SUBNET: u16 = 8;
const COOKIE: u16 = 10;
const KEEPALIVE: u16 = 11;
const PADDING: u16 = 12;

/// A question for `slow.example.org.` with these EDNS options.
fn with_options(options: &[(u16, &[u8])]) -> Vec<u8> {
    query_with("slow.example.org.", "A", |message| {
        add_edns(message, 1232, false);
        let data: Vec<u8> =
            options.iter().flat_map(|(code, data)| [&code.to_be_bytes(), &(data.len() as u16).to_be_bytes(), *data].concat()).collect();
        let length = message.len() - 2;
        message[length..].copy_from_slice(&(data.len() as u16).to_be_bytes());
        message.extend(data);
    })
}

/// How often these are asked while none is answered yet; all are answered.
fn asked(questions: &[Vec<u8>]) -> usize {
    let mut world = World::new(2, vec![cache(json!({})), forward(1, json!({}))]);
    world.upstream(1, |seen| Act::Say(seconds(0.3), a(seen, 300, [192, 0, 2, 1])));
    let numbers: Vec<usize> = questions.iter().enumerate().map(|(at, question)| world.send(at % 2, Transport::Udp, question)).collect();
    world.wait(1.0);
    numbers.iter().for_each(|number| assert_eq!(world.reply(*number).answer.len(), 1));
    world.sent().len()
}

#[test]
fn options_that_do_not_change_the_answer_share_a_question() {
    let all = |cookie: &[u8], padding: &[u8]| with_options(&[(COOKIE, cookie), (PADDING, padding), (NSID, &[]), (KEEPALIVE, &[])]);
    assert_eq!(asked(&[all(b"12345678", b""), all(b"87654321", b"\0\0\0"), all(b"abcdefgh", b"\0")]), 1);
    for option in [(COOKIE, &b"12345678"[..]), (PADDING, &[0; 9]), (NSID, &[]), (KEEPALIVE, &[])] {
        assert_eq!(asked(&[with_options(&[option]), with_options(&[option]), with_options(&[option])]), 1, "{option:?}");
    }
    let one = with_options(&[(COOKIE, b"12345678"), (NSID, &[])]);
    let other = with_options(&[(NSID, &[]), (COOKIE, b"12345678")]);
    assert_eq!(asked(&[one, other]), 1, "in any order");
}

#[test]
fn a_server_that_takes_offence_at_an_option_does_so_for_those_who_sent_it() {
    let plain = query("slow.example.org.", "A");
    for option in [(COOKIE, &b"12345678"[..]), (PADDING, &[0; 9]), (NSID, &[]), (KEEPALIVE, &[])] {
        let (with, without) = (with_options(&[option]), with_options(&[]));
        assert_eq!(asked(&[with.clone(), without.clone(), with, without, plain.clone(), plain.clone()]), 3, "{option:?}");
    }
}

#[test]
fn what_may_change_the_answer_is_asked_by_each() {
    for option in [
        (SUBNET, &[0, 1, 24, 0, 192, 0, 2][..]),
        (65001, b"x"),
        // With a server's part it may be answered BADCOOKIE (RFC 7873 5.2.3).
        (COOKIE, b"1234567887654321"),
        (COOKIE, b"short"),
        (KEEPALIVE, &[0, 1]),
        (NSID, b"mine"),
    ] {
        assert_eq!(asked(&[with_options(&[option]), with_options(&[option])]), 2, "{option:?}");
        let more = with_options(&[(PADDING, &[0]), option]);
        assert_eq!(asked(&[more.clone(), more]), 2, "{option:?}");
    }
    let twice = with_options(&[(COOKIE, b"12345678"), (COOKIE, b"87654321")]);
    assert_eq!(asked(&[twice.clone(), twice]), 2);
}

#[test]
fn without_a_cache_each_question_is_asked() {
    let mut world = World::new(1, vec![forward(1, json!({}))]);
    world.upstream(1, |seen| Act::Say(seconds(0.3), a(seen, 300, [192, 0, 2, 1])));
    for _ in 0..2 {
        world.send(0, Transport::Udp, &query("slow.example.org.", "A"));
    }
    world.wait(1.0);
    assert_eq!(world.sent().len(), 2);
}

#[test]
fn a_question_of_another_kind_is_another_question() {
    let plain = query("slow.example.org.", "A");
    let large = query_with("slow.example.org.", "A", |message| add_edns(message, 4096, false));
    let no_recursion = query_with("slow.example.org.", "A", |message| message[2] &= !1);
    assert_eq!(asked(&[plain.clone(), large, no_recursion, query("SLOW.example.org.", "A"), plain]), 3);
}
