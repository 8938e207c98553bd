//! Any octets at all: no panic, and what is said is a message, or nothing.

use std::cell::RefCell;

use core_dns::text::read_message;
use core_dns::zone::decode_change;
use proptest::prelude::*;
use serde_json::json;

use crate::ask::{Question, Reply, Server, ZONE, exists, group, owner, packed, rrset, synthesis, with_members};

/// What is wrong with the names and types is up to the mutations.
fn any_question() -> impl Strategy<Value = Vec<u8>> {
    let names =
        ["web", "_http._tcp.web", "m.web", "db", "www", "10-0-0-1.any", "x.wild", "@", "a.example.org.", "1.0.0.10.in-addr.arpa.", "."];
    let types = ["A", "AAAA", "SRV", "PTR", "CNAME", "NS", "SOA", "TXT", "TYPE255", "DS", "AXFR"];
    let edns = prop::option::of((any::<u16>(), prop::bool::weighted(0.1), any::<bool>()));
    (prop::sample::select(names.to_vec()), prop::sample::select(types.to_vec()), edns).prop_map(|(name, qtype, edns)| {
        let question = Question::new(name, qtype);
        match edns {
            Some((size, strange, dnssec_ok)) => question.opt(size, u8::from(strange), dnssec_ok).octets(),
            None => question.octets(),
        }
    })
}

/// Octets that are replaced, put in, cut off.
fn spoiled(message: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let replaced = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let inserted = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (message, replaced, inserted, prop::option::weighted(0.2, any::<prop::sample::Index>())).prop_map(
        |(mut message, replaced, inserted, cut)| {
            for (at, octet) in replaced {
                let at = at.index(message.len());
                message[at] = octet;
            }
            for (at, octet) in inserted {
                message.insert(at.index(message.len() + 1), octet);
            }
            if let Some(at) = cut {
                message.truncate(at.index(message.len()));
            }
            message
        },
    )
}

fn is_answered_or_not(server: &mut Server, message: &[u8]) -> Result<(), TestCaseError> {
    for like in [Question::new("web", "A"), Question::new("web", "A").udp(), Question::new("web", "A").udp().from("2001:db8::1")] {
        let Some(octets) = server.send(message, &like) else { continue };
        prop_assert_eq!(&octets[..2], &message[..2], "the id");
        Reply::read(&octets);
        prop_assert!(read_message(&octets).is_some(), "our own reader takes it too");
    }
    Ok(())
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn spoiled_questions_are_answered_with_a_message_or_not_at_all() {
    let server = RefCell::new(Server::with_many_ways());
    proptest!(cases(3000), |(message in spoiled(any_question()))| is_answered_or_not(&mut server.borrow_mut(), &message)?);
}

#[test]
fn any_octets_are_answered_with_a_message_or_not_at_all() {
    let server = RefCell::new(Server::with_many_ways());
    let message = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        // A header with one question, then anything.
        prop::collection::vec(any::<u8>(), 0..80).prop_map(|rest| [b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0", &rest[..]].concat()),
    ];
    proptest!(cases(3000), |(message in message)| is_answered_or_not(&mut server.borrow_mut(), &message)?);
}

#[test]
fn any_octets_are_read_as_a_message_or_not_at_all() {
    let reply = |server: &mut Server, name, qtype| server.ask(name, qtype).octets;
    let mut server = Server::with_many_ways();
    let replies = [reply(&mut server, "db", "SRV"), reply(&mut server, "gone", "A"), reply(&mut server, "www", "A")];
    proptest!(cases(3000), |(message in spoiled(prop::sample::select(replies.to_vec())))| { read_message(&message); });
    proptest!(cases(1000), |(message in prop::collection::vec(any::<u8>(), 0..100))| { read_message(&message); });
}

#[test]
fn any_octets_are_a_change_or_an_error() {
    let owners = json!([
        owner(
            "web",
            &[with_members(&["10.0.0.1"], &["x/tcp/1"], &[group(&["y/udp/2"], &["10.1.0.1 m", "a.example. n"])]), rrset(1, &["10.0.0.1"])]
        ),
        owner("any", &[synthesis(), exists()]),
    ]);
    let good = packed(&json!([owners, 1, true, true]));
    let server = RefCell::new(Server::with_many_ways());
    proptest!(cases(3000), |(buffer in spoiled(Just(good)))| {
        if let Ok(change) = decode_change(&buffer) {
            let server = &mut *server.borrow_mut();
            server.engine.zone(ZONE).unwrap().apply(&change);
            for (name, qtype) in [("web", "A"), ("web", "SRV"), ("m.web", "A"), ("10-0-0-1.any", "A"), ("1.0.0.10.in-addr.arpa.", "PTR")] {
                server.ask(name, qtype);
            }
        }
    });
    proptest!(cases(1000), |(buffer in prop::collection::vec(any::<u8>(), 0..100))| { let _ = decode_change(&buffer).map(|change| change.owners.len()); });
}
