//! How long a reply may be, when names in it are compressed, and what is left out of one that does not fit (5.8).

use core_dns::answer::{Answer, ReplyEdns};
use core_dns::wire::{self, Parsed};
use proptest::prelude::*;
use serde_json::Value;

use crate::ask::{Edns, Question, Reply, Server, group, members, owner, rrset};

const A: u16 = 1;
const PTR: u16 = 12;
const TXT: u16 = 16;

/// Octets before the first record of a reply about `big`: the header, its name, type and class.
const HEAD: usize = 12 + 19 + 4;
/// Octets of an A record of `big`, with its name and with a pointer to it.
const PLAIN: usize = 33;
const COMPRESSED: usize = 16;
const OPT: usize = 11;

fn many(count: usize) -> Server {
    let addresses: Vec<String> = (0..count).map(|at| format!("10.0.{}.{}", at / 256, at % 256)).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    Server::with(&[owner("big", &[rrset(A, &addresses)])])
}

/// A zone whose `big` TXT is a reply of so many octets, uncompressed.
fn as_long_as(octets: usize) -> Server {
    let record = 19 + 10 + 1;
    let count = (octets - HEAD) / (record + 255) + 1;
    let (each, rest) = ((octets - HEAD - count * record) / count, (octets - HEAD - count * record) % count);
    let texts: Vec<String> = (0..count).map(|at| "x".repeat(each + usize::from(at < rest))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    Server::with(&[owner("big", &[rrset(TXT, &texts)])])
}

fn big(qtype: &str) -> Question {
    Question::new("big", qtype).udp()
}

fn is_compressed(reply: &Reply) -> bool {
    reply.octets[HEAD] >= 0xc0
}

#[test]
fn r58_the_size_of_edns_comes_back_and_so_does_do() {
    let mut server = many(1);
    for size in [0, 100, 512, 1232, 65535] {
        for dnssec_ok in [false, true] {
            let edns = Some(Edns { size, dnssec_ok });
            assert_eq!(server.reply(&big("A").opt(size, 0, dnssec_ok)).edns, edns);
            assert_eq!(server.reply(&Question::new("big", "A").opt(size, 0, dnssec_ok)).edns, edns, "over TCP too");
            assert_eq!(server.reply(&Question::new("nothing", "A").opt(size, 0, dnssec_ok)).edns, edns);
        }
    }
    assert_eq!(server.reply(&big("A")).edns, None);
}

#[test]
fn r58_options_of_the_client_do_not_come_back() {
    let mut message = big("A").octets();
    message[11] = 1;
    // NSID, and a cookie of 8 octets.
    message.extend_from_slice(b"\0\0\x29\x04\xd0\0\0\0\0\0\x10\0\x03\0\0\0\x0a\0\x08abcdefgh");
    let reply = Reply::read(&many(1).send(&message, &big("A")).unwrap());
    assert_eq!(reply.edns, Some(Edns { size: 1232, dnssec_ok: false }));
}

#[test]
fn r58_options_of_an_upstream_are_left_out_where_they_do_not_fit() {
    let question = big("A").octets();
    let Parsed::Query(query) = wire::parse(&question) else { panic!("a query") };
    let qname = &question[12..HEAD - 4];
    for (options, limit, octets) in [(100, 512, HEAD + OPT + 100), (512 - HEAD - OPT, 512, 512), (512 - HEAD - OPT + 1, 512, HEAD + OPT)] {
        let mut answer = Answer::default();
        answer.begin(qname);
        let options = answer.keep(&vec![0; options]);
        answer.edns = Some(ReplyEdns { size: 4096, dnssec_ok: false, options });
        let mut reply = Vec::new();
        answer.write(&query, &question[12..], None, limit, limit, &mut reply);
        assert_eq!(reply.len(), octets);
    }
}

#[test]
fn r58_without_edns_512_octets_are_the_limit_and_with_less_than_512_too() {
    let fit = (512 - HEAD) / COMPRESSED;
    let mut server = many(fit);
    assert_eq!((server.reply(&big("A")).answer.len(), server.reply(&big("A")).flags.as_str()), (fit, "aa rd"));
    let mut server = many(fit + 1);
    assert_eq!((server.reply(&big("A")).answer.len(), server.reply(&big("A")).flags.as_str()), (fit, "aa tc rd"));
    let fit = (512 - HEAD - OPT) / COMPRESSED;
    for size in [0, 12, 511, 512] {
        let reply = server.reply(&big("A").edns(size));
        assert_eq!((reply.answer.len(), reply.flags.as_str()), (fit, "aa tc rd"));
    }
}

#[test]
fn r58_as_many_records_as_fit_and_tc_where_one_is_missing() {
    for size in [513, 1232, 1400, 4096] {
        let fit = (usize::from(size) - HEAD - OPT) / COMPRESSED;
        let reply = many(fit).reply(&big("A").edns(size));
        assert_eq!((reply.answer.len(), reply.flags.as_str()), (fit, "aa rd"));
        let reply = many(fit + 1).reply(&big("A").edns(size));
        assert_eq!((reply.answer.len(), reply.flags.as_str()), (fit, "aa tc rd"));
        assert!((usize::from(size) - COMPRESSED + 1..=usize::from(size)).contains(&reply.octets.len()));
    }
}

#[test]
fn r58_tc_is_set_when_only_glue_is_missing_too() {
    let named: Vec<String> = (0..20).map(|at| format!("10.0.0.{at} m{at:02}")).collect();
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    let mut server = Server::with(&[owner("big", &[members(&[group(&["http/tcp/80"], &named)])])]);
    let whole = server.ask("_http._tcp.big", "SRV");
    let reply = server.reply(&Question::new("_http._tcp.big", "SRV").udp().edns(1000));
    assert_eq!((reply.answer, reply.flags.as_str()), (whole.answer, "aa tc rd"));
    assert!(!reply.additional.is_empty() && reply.additional.len() < whole.additional.len());
    let reply = server.reply(&Question::new("_http._tcp.big", "SRV").udp());
    assert!(reply.answer.len() < 20 && reply.additional.is_empty(), "nothing stands behind what did not fit");
}

#[test]
fn r58_names_are_compressed_where_the_reply_would_not_fit_otherwise() {
    let plain = (512 - HEAD) / PLAIN;
    assert!(!is_compressed(&many(plain).reply(&big("A"))));
    assert!(is_compressed(&many(plain + 1).reply(&big("A"))));
}

#[test]
fn r58_datagrams_above_1480_octets_are_compressed_over_ipv6_above_1220() {
    for (client, most) in [("192.0.2.1", 1480), ("2001:db8::1", 1220)] {
        let question = || big("TXT").from(client);
        let reply = as_long_as(most - OPT).reply(&question().edns(4096));
        assert!(!is_compressed(&reply) && reply.octets.len() == most);
        let reply = as_long_as(most - OPT + 1).reply(&question().edns(4096));
        assert!(is_compressed(&reply) && reply.flags == "aa rd");
        assert!(is_compressed(&as_long_as(most - OPT).reply(&question().edns(most as u16 - 1))));
    }
}

#[test]
fn r58_over_tcp_nothing_is_compressed_up_to_64_kib() {
    for client in ["192.0.2.1", "2001:db8::1"] {
        let question = || Question::new("big", "TXT").from(client);
        for octets in [1221, 1481, 65535] {
            let reply = as_long_as(octets).reply(&question());
            assert!(!is_compressed(&reply) && reply.octets.len() == octets);
        }
        let reply = as_long_as(65536).reply(&question());
        assert!(is_compressed(&reply) && reply.flags == "aa rd");
        assert!(is_compressed(&as_long_as(65535).reply(&question().edns(512))), "OPT counts");
    }
}

#[test]
fn r58_over_tcp_tc_is_set_above_64_kib() {
    let fit = (65535 - HEAD) / COMPRESSED;
    let reply = many(fit + 1).reply(&Question::new("big", "A"));
    assert_eq!((reply.answer.len(), reply.flags.as_str()), (fit, "aa tc rd"));
}

#[test]
fn r58_pointers_reach_16_kib_and_names_behind_that_are_whole() {
    // Each tail comes twice: the first time in the front part of the message, within reach, or behind it.
    let targets: Vec<String> = (0..1800).map(|at| format!("{}.{:020}.example.org.", at / 900, at % 900)).collect();
    let texts: Vec<&str> = targets.iter().map(String::as_str).collect();
    let reply = Server::with(&[owner("big", &[rrset(PTR, &texts)])]).ask("big", "PTR");
    assert_eq!((reply.answer.len(), reply.flags.as_str()), (1800, "aa rd"));
    assert!(is_compressed(&reply) && reply.octets.len() > 0x4000 * 3);
    let expected: Vec<String> = targets.iter().map(|target| format!("big 5 PTR {target}")).collect();
    assert_eq!(reply.answer, expected);
}

#[test]
fn rfc2782_the_target_of_srv_is_whole_and_what_follows_points_to_it() {
    let mut server = Server::with(&[owner("big", &[members(&[group(&["http/tcp/80"], &["10.0.0.1 one", "10.0.0.2 two"])])])]);
    let question = Question::new("_http._tcp.big", "SRV").udp();
    let whole = server.reply(&question);
    assert!(!is_compressed(&whole));
    let many: Vec<String> = (0..30).map(|at| format!("10.0.0.{at} m{at:02}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    server.fill(&[owner("big", &[members(&[group(&["http/tcp/80"], &many)])])]);
    let reply = server.reply(&question.edns(4096));
    let head = 12 + 30 + 4;
    let (srv, glue) = (2 + 10 + 6 + 23, 2 + 10 + 4);
    assert_eq!(reply.octets.len(), head + 30 * (srv + glue) + OPT, "owners are pointers, targets are not");
}

#[test]
fn rfc1035_names_in_another_letter_case_are_no_copy() {
    let texts: Vec<String> = (0..40).map(|at| format!("WEB{at}.Cluster.local.")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let reply = Server::with(&[owner("big", &[rrset(PTR, &texts)])]).reply(&big("PTR").edns(1232));
    let expected: Vec<String> = texts.iter().map(|target| format!("big 5 PTR {target}")).collect();
    assert_eq!(reply.answer, expected);
}

#[test]
fn a_text_is_one_record_of_strings_even_when_it_is_empty() {
    let long = "y".repeat(256);
    let mut server = Server::with(&[owner("big", &[rrset(TXT, &["", "x", &long])])]);
    let expected = ["big 5 TXT \"\"".to_owned(), "big 5 TXT \"x\"".to_owned(), format!("big 5 TXT \"{}\" \"y\"", "y".repeat(255))];
    assert_eq!(server.ask("big", "TXT").answer, expected);
}

#[test]
fn a_record_too_long_for_any_message_is_left_out_with_tc() {
    let mut server = Server::with(&[owner("big", &[rrset(TXT, &["short", &"z".repeat(70_000), "last"])])]);
    let reply = server.ask("big", "TXT");
    assert_eq!((reply.answer, reply.flags.as_str()), (vec!["big 5 TXT \"short\"".to_owned()], "aa tc rd"));
}

/// Members with many shared and few shared tails, of both families, some of them sharing a label.
fn any_members() -> impl Strategy<Value = Vec<Value>> {
    let member = (0..6u8, "[a-c]{1,3}|[a-z]{40,63}|").prop_map(|(host, label)| match host {
        0..4 => format!("10.0.0.{host} {label}"),
        _ => format!("fd00::{host} {label}"),
    });
    let any_group = (prop::collection::vec(member, 0..60), 0..4usize).prop_map(|(texts, ports)| {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        group(&["http/tcp/80", "https/tcp/443", "dns/udp/53"][..ports.min(3)], &texts)
    });
    prop::collection::vec(any_group, 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_reply_is_longer_than_its_limit_and_tc_says_what_is_missing(
        groups in any_members(),
        edns in prop::option::of(prop_oneof![any::<u16>(), 400..2000u16]),
        qtype in prop_oneof![Just("A"), Just("AAAA"), Just("SRV"), Just("TXT")],
        name in prop_oneof![Just("a.big"), Just("_http._tcp.big"), Just("A.BIG"), Just("absent")],
        client in prop_oneof![Just("192.0.2.1"), Just("2001:db8::1")],
    ) {
        let mut server = Server::with(&[owner("a.big", &[members(&groups)]), owner("big", &[members(&groups)])]);
        let question = || {
            let question = Question::new(name, qtype).from(client);
            match edns {
                Some(size) => question.edns(size),
                None => question,
            }
        };
        let (whole, reply) = (server.reply(&question()), server.reply(&question().udp()));
        let limit = edns.map_or(512, |size| usize::from(size).max(512));
        let plain_limit = limit.min(if client.contains(':') { 1220 } else { 1480 });
        prop_assert!(reply.octets.len() <= limit);
        if whole.octets.len() <= plain_limit {
            prop_assert_eq!(&reply.octets, &whole.octets);
        }
        prop_assert!(whole.answer.starts_with(&reply.answer));
        prop_assert!(whole.authority.starts_with(&reply.authority));
        prop_assert!(whole.additional.starts_with(&reply.additional));
        let records = |reply: &Reply| reply.answer.len() + reply.authority.len() + reply.additional.len();
        prop_assert_eq!(reply.flags.contains("tc"), records(&reply) < records(&whole));
        prop_assert_eq!((&reply.rcode, &reply.edns, &reply.question), (&whole.rcode, &whole.edns, &whole.question));
    }
}
