//! Header, question and EDNS: what is answered, refused, or not answered at all (G10).

use domain::base::iana::Class;
use serde_json::json;

use crate::ask::{Edns, LISTENER, Question, Reply, Server, addresses, block, owner, plan, whoami, zone_op};

fn server() -> Server {
    Server::with(&[owner("web.shop.svc", &[addresses(&["10.0.0.1"], &["http/tcp/80"])])])
}

fn web() -> Question {
    Question::new("web.shop.svc", "A").udp()
}

/// The question with one octet of it replaced.
fn patched(at: usize, octet: u8) -> Vec<u8> {
    let mut message = web().octets();
    message[at] = octet;
    message
}

/// A header alone: id, the flags, no counts.
fn header_only(flags: [u8; 2]) -> Option<Vec<u8>> {
    Some([&[0x12, 0x34], &flags[..], &[0; 8]].concat())
}

#[test]
fn g10_id_rd_and_cd_come_back_and_no_other_flag() {
    let mut server = server();
    assert_eq!(server.reply(&web()).octets[..4], [0x12, 0x34, 0x85, 0]);
    let said = |server: &mut Server, at, octet| server.send(&patched(at, octet), &web()).unwrap()[2..4].to_vec();
    assert_eq!(said(&mut server, 2, 0), [0x84, 0], "no recursion desired");
    assert_eq!(said(&mut server, 3, 0x10), [0x85, 0x10], "checking disabled");
    assert_eq!(said(&mut server, 2, 0x07), [0x85, 0], "AA and TC of a query mean nothing");
    assert_eq!(said(&mut server, 3, 0xef), [0x85, 0], "nor do RA, Z, AD and a response code");
}

#[test]
fn g10_a_response_and_less_than_a_header_are_not_answered() {
    let mut server = server();
    assert_eq!(server.send(&patched(2, 0x81), &web()), None);
    for length in 0..12 {
        assert_eq!(server.send(&web().octets()[..length], &web()), None);
    }
}

#[test]
fn g10_other_opcodes_are_not_implemented() {
    let mut server = server();
    for opcode in (1..16).filter(|opcode| *opcode != 4) {
        let flags = opcode << 3 | 1;
        assert_eq!(server.send(&patched(2, flags), &web()), header_only([0x80 | flags, 4]), "opcode {opcode}");
    }
}

#[test]
fn g10_a_notify_is_answered_like_a_query() {
    let reply = server().send(&patched(2, 0x21), &web()).unwrap();
    assert_eq!(reply[2], 0x80 | 0x20 | 0x04);
    assert_eq!(Reply::read(&reply).answer, ["web.shop.svc 5 A 10.0.0.1"]);
}

#[test]
fn g10_there_is_exactly_one_question() {
    let mut server = server();
    for count in [0, 2, 255] {
        assert_eq!(server.send(&patched(5, count), &web()), header_only([0x81, 1]), "{count} questions");
    }
    assert_eq!(server.send(&web().octets()[..12], &web()), header_only([0x81, 2]), "one is announced, none is there");
}

#[test]
fn g10_what_cannot_be_read_is_a_format_error() {
    let mut server = server();
    let whole = web().octets();
    for length in 13..whole.len() {
        assert_eq!(server.send(&whole[..length], &web()), header_only([0x81, 1]), "cut after {length} octets");
    }
    for length in [0x40, 0x80, 0xc0, 0xff] {
        assert_eq!(server.send(&patched(12, length), &web()), header_only([0x81, 1]), "a label of type {length:#x}");
    }
    for count_at in [7, 9, 11] {
        assert_eq!(server.send(&patched(count_at, 1), &web()), header_only([0x81, 1]), "a record is announced, none is there");
    }
}

#[test]
fn g10_edns_options_that_are_cut_are_a_format_error() {
    let mut server = server();
    for (options, is_whole) in [(&b"\0\x03\0\0"[..], true), (b"\0\x03\0\x01", false), (b"\0\x03\0", false), (b"\0\x03\0\x01x\0", false)] {
        let opt = [b"\0\0\x29\x04\xd0\0\0\0\0\0", &[options.len() as u8][..], options].concat();
        let mut message = [web().octets(), opt].concat();
        message[11] = 1;
        let reply = Reply::read(&server.send(&message, &web()).unwrap());
        assert_eq!(reply.rcode, if is_whole { "NOERROR" } else { "FORMERR" }, "{options:?}");
    }
}

#[test]
fn g10_octets_behind_the_question_do_no_harm() {
    let message = [web().octets(), vec![0xff; 40]].concat();
    assert!(server().send(&message, &web()).is_some_and(|reply| Reply::read(&reply).rcode == "NOERROR"));
}

#[test]
fn g10_a_class_other_than_in_is_refused() {
    let mut server = server();
    for class in [Class::CH, Class::HS, Class::ANY, Class::NONE, Class::from_int(0)] {
        let reply = server.reply(&web().class(class).opt(1232, 7, true));
        assert_eq!((reply.rcode.as_str(), reply.flags.as_str()), ("REFUSED", "rd"));
        assert_eq!(reply.edns, Some(Edns { size: 1232, dnssec_ok: true }), "the class is looked at before EDNS");
        assert!(reply.answer.is_empty() && reply.authority.is_empty());
    }
}

#[test]
fn g10_an_edns_version_that_is_not_0_is_badvers_with_size_0() {
    let mut server = server();
    for version in [1, 255] {
        let reply = server.reply(&web().opt(1232, version, true));
        assert_eq!((reply.rcode.as_str(), reply.flags.as_str()), ("BADVERS", "rd"));
        assert_eq!(reply.edns, Some(Edns { size: 0, dnssec_ok: false }));
        assert!(reply.answer.is_empty() && reply.authority.is_empty());
    }
}

#[test]
fn g10_two_opt_records_are_taken() {
    let mut message = web().edns(1232).octets();
    message.extend_from_within(message.len() - 11..);
    message[11] = 2;
    let reply = Reply::read(&server().send(&message, &web()).unwrap());
    assert_eq!((reply.rcode.as_str(), reply.edns), ("NOERROR", Some(Edns { size: 1232, dnssec_ok: false })));
}

#[test]
fn g10_an_opt_record_has_the_root_as_its_owner() {
    let mut message = web().octets();
    message[11] = 1;
    message.extend_from_slice(b"\x01x\0\0\x29\x04\xd0\0\0\0\0\0\0");
    assert_eq!(Reply::read(&server().send(&message, &web()).unwrap()).edns, None);
}

#[test]
fn g10_the_longest_zone_wins() {
    let blocks = [block("org.", &[]), block("example.org.", &[whoami()]), block("a.b.example.org.", &[])];
    let mut server = Server::new(&plan(&blocks));
    let mut rcode = |name| server.ask(name, "A").rcode;
    assert_eq!(rcode("example.org."), "NOERROR");
    assert_eq!(rcode("EXAMPLE.org."), "NOERROR");
    assert_eq!(rcode("b.example.org."), "NOERROR");
    assert_eq!(rcode("x.A.b.example.org."), "REFUSED");
    assert_eq!(rcode("org."), "REFUSED");
    assert_eq!(rcode("xexample.org."), "REFUSED", "a label is matched whole");
    assert_eq!(rcode("x\\007example.org."), "REFUSED", "and where it begins");
}

#[test]
fn g10_a_name_without_a_block_goes_to_the_root_or_is_refused() {
    let mut server = Server::new(&plan(&[block("example.org.", &[])]));
    for name in ["example.com.", "org.", "."] {
        let reply = server.reply(&Question::new(name, "A").edns(4096));
        assert_eq!((reply.rcode.as_str(), reply.flags.as_str()), ("REFUSED", "rd"));
        assert_eq!(reply.edns, Some(Edns { size: 4096, dnssec_ok: false }));
    }
    let mut server = Server::new(&plan(&[block("example.org.", &[]), block(".", &[whoami()])]));
    for name in ["example.com.", "org.", "."] {
        assert_eq!(server.ask(name, "A").rcode, "NOERROR");
    }
}

#[test]
fn g10_ds_goes_to_the_parent() {
    let blocks = |root: bool| {
        let local = zone_op(json!({"origins": [{"name": "sub.example.org.", "reverse": false}]}));
        let mut blocks = vec![block("example.org.", &[whoami()]), block("sub.example.org.", &[local])];
        blocks.extend(root.then(|| block(".", &[])));
        plan(&blocks)
    };
    let whoami_said = |server: &mut Server, name, qtype| !server.ask(name, qtype).additional.is_empty();
    for root in [false, true] {
        let mut server = Server::new(&blocks(root));
        assert!(!whoami_said(&mut server, "sub.example.org.", "A"));
        assert!(whoami_said(&mut server, "sub.example.org.", "DS"));
        assert!(whoami_said(&mut server, "x.sub.example.org.", "DS"), "below the zone too, as recorded");
        assert!(whoami_said(&mut server, "example.org.", "DS"), "without a parent here the zone itself answers");
    }
}

#[test]
fn g10_a_block_without_directives_refuses_ds_too() {
    let mut server = Server::new(&plan(&[block("example.org.", &[whoami()]), block("sub.example.org.", &[])]));
    assert_eq!(server.ask("x.sub.example.org.", "DS").rcode, "REFUSED");
}

#[test]
fn g10_each_listener_has_its_own_blocks() {
    let mut document = plan(&[block("example.org.", &[whoami()]), block("example.com.", &[])]);
    document["listeners"].as_array_mut().unwrap().push(json!({"id": ":54", "host": "", "port": 54, "server": "dns://:54"}));
    document["blocks"][1] = json!({"zone": "example.com.", "listeners": [LISTENER, ":54"], "program": [whoami()], "span": 0});
    let mut server = Server::new(&document);
    let mut rcode = |name, listener| server.reply(&Question::new(name, "A").on(listener)).rcode;
    assert_eq!(rcode("example.org.", LISTENER), "NOERROR");
    assert_eq!(rcode("example.org.", ":54"), "REFUSED");
    assert_eq!(rcode("example.com.", LISTENER), "NOERROR");
    assert_eq!(rcode("example.com.", ":54"), "NOERROR");
    assert_eq!(rcode("example.com.", ":55"), "REFUSED", "a listener that no plan names");
}
