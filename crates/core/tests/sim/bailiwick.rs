//! What of an upstream's reply is kept: only what belongs to the question.

use core_dns::text::{Message, Record};
use serde_json::json;

use crate::world::*;

const DNAME: u16 = 39;
const DS: u16 = 43;
const RRSIG: u16 = 46;
const NSEC: u16 = 47;
const HTTPS: u16 = 65;

/// A record of a reply: section, owner, type, data.
type Said = (usize, &'static str, u16, Vec<u8>);

/// A cache before an upstream that says these records, all with a TTL of a minute.
fn saying(rcode: u8, records: &[Said]) -> World {
    let mut world = World::new(1, vec![cache(json!({})), forward(1, json!({}))]);
    let records = records.to_vec();
    world.upstream(1, move |seen| {
        let all: Vec<_> = records.iter().map(|(section, owner, rtype, data)| (*section, *owner, *rtype, 60, data.clone())).collect();
        say(reply(seen, rcode, &all))
    });
    world
}

/// Owners and types of the three sections.
fn sections(message: &Message) -> [Vec<String>; 3] {
    let told = |records: &[Record]| records.iter().map(|record| format!("{} {}", record.name, record.rtype)).collect();
    [told(&message.answer), told(&message.authority), told(&message.additional)]
}

/// What the first client gets of a question, and what those behind it.
fn first_and_later(world: &mut World, name: &str, qtype: &str) -> [[Vec<String>; 3]; 2] {
    let both = [0, 1].map(|_| sections(&world.ask(name, qtype)));
    assert_eq!(world.sent().len(), 1, "it is kept");
    both
}

/// What is kept of these records, where `dropped` are not; the first client gets all.
fn kept(name: &str, qtype: &str, records: &[Said], dropped: usize) -> [Vec<String>; 3] {
    let mut world = saying(0, records);
    let [first, later] = first_and_later(&mut world, name, qtype);
    let counts = [0, 1, 2].map(|section| records.iter().filter(|record| record.0 == section).count());
    assert_eq!(first.map(|section| section.len()), counts, "the first client gets the reply as it came");
    let of = "clusterdns_cache_records_dropped_total{server=\"dns://:53\",view=\"\",zones=\".\"}";
    let counted = if dropped == 0 { vec![] } else { vec![format!("{of} {dropped}")] };
    assert_eq!(world.metrics("clusterdns_cache_records_dropped_total"), counted);
    later
}

fn address() -> Vec<u8> {
    vec![192, 0, 2, 9]
}

/// A signature over records of a type, by a zone.
fn signature(of: u16, by: &str) -> Vec<u8> {
    [&of.to_be_bytes()[..], &[8, 3, 0, 0, 0, 60], &[0; 10], &wire(by), &[7; 8]].concat()
}

fn preferred(name: &str) -> Vec<u8> {
    [&[0, 10][..], &wire(name)].concat()
}

fn service(name: &str) -> Vec<u8> {
    [&[0, 0, 0, 0, 0, 80][..], &wire(name)].concat()
}

#[test]
fn answers_are_kept_of_the_names_on_the_chain_of_aliases() {
    let records = [
        (0, "t.example.net.", A, address()),
        (0, "other.example.net.", A, address()),
        (0, "", CNAME, wire("T.Example.Net.")),
        (0, "", RRSIG, signature(CNAME, "example.org.")),
        (0, "t.example.net.", RRSIG, signature(A, "example.net.")),
        (0, "www.bank.example.", A, address()),
        (0, "example.org.", A, address()),
    ];
    let expected = ["t.example.net. A", "a.example.org. CNAME", "a.example.org. RRSIG", "t.example.net. RRSIG"];
    assert_eq!(kept("a.example.org.", "A", &records, 3), [expected.map(str::to_owned).to_vec(), vec![], vec![]]);
}

#[test]
fn names_are_the_same_in_any_letter_case() {
    let records = [
        (0, "A.Example.ORG.", MX, preferred("mail.example.org.")),
        (1, "Example.Org.", NS, wire("NS.example.org.")),
        (2, "MAIL.Example.org.", A, address()),
        (2, "ns.EXAMPLE.org.", A, address()),
    ];
    let [answer, authority, additional] = kept("a.example.org.", "MX", &records, 0);
    assert_eq!((answer.len(), authority.len(), additional.len()), (1, 1, 2));
}

#[test]
fn a_dname_that_renames_the_name_is_kept() {
    let records = [
        (0, "example.org.", DNAME, wire("example.net.")),
        (0, "example.org.", RRSIG, signature(DNAME, "example.org.")),
        (0, "example.org.", RRSIG, signature(A, "example.org.")),
        (0, "example.com.", DNAME, wire("example.net.")),
        (0, "", CNAME, wire("a.example.net.")),
        (0, "a.example.net.", A, address()),
    ];
    let [answer, ..] = kept("a.example.org.", "A", &records, 2);
    assert_eq!(answer, ["example.org. DNAME", "example.org. RRSIG", "a.example.org. CNAME", "a.example.net. A"]);
}

#[test]
fn authority_is_kept_of_zones_that_have_a_name_of_the_chain() {
    let records = [
        (0, "", CNAME, wire("t.sub.example.net.")),
        (0, "t.sub.example.net.", A, address()),
        (1, "example.org.", NS, wire("ns.example.org.")),
        (1, "sub.example.net.", NS, wire("ns.example.net.")),
        (1, "bank.example.", NS, wire("ns.evil.example.")),
        (1, "b.example.org.", NS, wire("ns.evil.example.")),
        (1, "xample.org.", NS, wire("ns.evil.example.")),
        (1, "example.com.", SOA, soa()),
        (1, "sub.example.net.", DS, vec![0, 1, 8, 2, 9, 9]),
        (1, "sub.example.net.", RRSIG, signature(NS, "sub.example.net.")),
        (1, "z.example.org.", NSEC, [wire("zz.example.org."), vec![0, 1, 64]].concat()),
        (1, "z.example.org.", RRSIG, signature(NSEC, "example.org.")),
        (1, "z.example.com.", NSEC, [wire("zz.example.com."), vec![0, 1, 64]].concat()),
        (1, "z.example.com.", RRSIG, signature(NSEC, "example.com.")),
        (1, "a.example.org.", A, address()),
    ];
    let [answer, authority, _] = kept("a.example.org.", "A", &records, 7);
    assert_eq!(answer.len(), 2);
    let expected = [
        "example.org. NS",
        "sub.example.net. NS",
        "sub.example.net. DS",
        "sub.example.net. RRSIG",
        "z.example.org. NSEC",
        "z.example.org. RRSIG",
    ];
    assert_eq!(authority, expected);
}

#[test]
fn a_proof_needs_no_more_than_the_signature_of_its_zone() {
    let proof = [wire("zz.example.org."), vec![0, 1, 64]].concat();
    let records =
        [(0, "", A, address()), (1, "z.example.org.", NSEC, proof), (1, "z.example.org.", RRSIG, signature(NSEC, "example.org."))];
    let [_, authority, _] = kept("a.example.org.", "A", &records, 0);
    assert_eq!(authority.len(), 2, "of a wildcard's expansion (RFC 4035 3.1.3.3)");
}

#[test]
fn addresses_are_kept_of_the_names_that_kept_records_point_to() {
    let cases: [(&str, Vec<Said>, &[&str]); 5] = [
        ("MX", vec![(0, "", MX, preferred("mail.example.net."))], &["mail.example.net. A"]),
        ("SRV", vec![(0, "", SRV, service("host.example.net."))], &["host.example.net. A"]),
        ("HTTPS", vec![(0, "", HTTPS, [&[0, 1][..], &wire("svc.example.net.")].concat())], &["svc.example.net. A"]),
        ("HTTPS", vec![(0, "", HTTPS, vec![0, 1, 0])], &["a.example.org. A"]),
        ("A", vec![(0, "", A, address()), (1, "org.", NS, wire("ns.example.net."))], &["ns.example.net. A"]),
    ];
    for (qtype, mut records, expected) in cases {
        let owners =
            ["mail.example.net.", "host.example.net.", "svc.example.net.", "a.example.org.", "ns.example.net.", "www.bank.example."];
        records.extend(owners.map(|owner| (2, owner, A, address())));
        let [.., additional] = kept("a.example.org.", qtype, &records, owners.len() - 1);
        assert_eq!(additional, expected, "{qtype}");
    }
}

#[test]
fn what_a_dropped_record_points_to_is_dropped_and_what_an_additional_one_points_to_is_not() {
    let pointer = [&[0, 1, 0, 1, 1, b's', 0, 0][..], &wire("_sip._udp.example.org.")].concat();
    let records = [
        (0, "", NAPTR, pointer),
        (1, "bank.example.", NS, wire("ns.evil.example.")),
        (2, "_sip._udp.example.org.", SRV, service("sip.example.org.")),
        (2, "sip.example.org.", A, address()),
        (2, "sip.example.org.", RRSIG, signature(A, "example.org.")),
        (2, "ns.evil.example.", A, address()),
    ];
    let [_, authority, additional] = kept("a.example.org.", "NAPTR", &records, 2);
    assert!(authority.is_empty());
    assert_eq!(additional, ["_sip._udp.example.org. SRV", "sip.example.org. A", "sip.example.org. RRSIG"]);
}

#[test]
fn data_that_is_cut_points_nowhere() {
    for data in [vec![], vec![0], vec![0, 1], vec![0, 1, 5, b'x'], vec![0, 1, 0xc0, 12]] {
        let [answer, _, additional] = kept("a.example.org.", "HTTPS", &[(0, "", HTTPS, data), (2, "x.example.org.", A, address())], 1);
        assert_eq!((answer.len(), additional.len()), (1, 0));
    }
}

#[test]
fn a_denial_is_kept_with_the_soa_of_a_zone_that_has_the_name() {
    for (rcode, records, is_kept) in [
        (3, vec![(1, "example.org.", SOA, soa())], true),
        (3, vec![(1, "a.example.org.", SOA, soa())], true),
        (3, vec![(1, ".", SOA, soa())], true),
        (3, vec![(1, "example.com.", SOA, soa())], false),
        (3, vec![(1, "b.a.example.org.", SOA, soa())], false),
        (3, vec![(1, "example.com.", SOA, soa()), (1, "org.", SOA, soa())], true),
        (0, vec![(1, "example.org.", SOA, soa())], true),
        // The zone of the last name of a chain (RFC 2308 2.2).
        (0, vec![(0, "", CNAME, wire("t.example.net.")), (1, "example.net.", SOA, soa())], true),
        (0, vec![(0, "", CNAME, wire("t.example.net.")), (1, "example.org.", SOA, soa())], false),
    ] {
        let mut world = saying(rcode, &records);
        let first = world.ask("a.example.org.", "A");
        assert_eq!(first.authority.len(), records.iter().filter(|record| record.0 == 1).count());
        world.wait(6.0);
        let later = world.ask("a.example.org.", "A");
        assert_eq!((first.rcode.as_str(), later.rcode.as_str()), (if rcode == 3 { "NXDOMAIN" } else { "NOERROR" }, first.rcode.as_str()));
        assert_eq!(world.sent().len(), if is_kept { 1 } else { 2 }, "{rcode} {records:?}");
        if is_kept {
            assert_eq!((later.authority.len(), later.authority[0].ttl), (1, 54));
        }
    }
}

#[test]
fn no_data_with_the_soa_of_another_zone_is_kept_as_one_without_soa() {
    let mut world = saying(0, &[(1, "example.com.", SOA, soa())]);
    let [first, later] = first_and_later(&mut world, "a.example.org.", "A");
    assert_eq!((first[1].len(), later[1].len()), (1, 0));
    world.wait(5.1);
    world.ask("a.example.org.", "A");
    assert_eq!(world.sent().len(), 1, "for 5 s, whatever the SOA says");
    assert_eq!(world.engine.cache("cache .").unwrap().held().unwrap().entries, [1, 0], "it is no denial");
}

#[test]
fn those_who_wait_get_the_part_that_is_kept() {
    let mut world = World::new(2, vec![cache(json!({})), forward(1, json!({}))]);
    world.upstream(1, |seen| {
        let records = [(0, "", A, 60, address()), (0, "www.bank.example.", A, 60, address())];
        Act::Say(seconds(0.1), reply(seen, 0, &records))
    });
    let asked: Vec<usize> =
        (0..3).map(|number| world.send(number % 2, core_dns::client::Transport::Udp, &query("a.example.org.", "A"))).collect();
    world.wait(1.0);
    assert_eq!(asked.iter().map(|number| world.reply(*number).answer.len()).collect::<Vec<_>>(), [2, 1, 1]);
}

#[test]
fn a_reply_as_long_as_one_can_be_is_kept() {
    let names: Vec<String> = (0..900).map(|number| format!("m{number}.example.org.")).collect();
    let said = names.clone();
    let mut world = World::new(1, vec![cache(json!({})), forward(1, json!({}))]);
    world.upstream(1, move |seen| {
        let mut message = reply(seen, 0, &[]);
        message[6..12].copy_from_slice(&[3, 132, 0, 0, 3, 132]);
        for name in &said {
            let data = preferred(name);
            message.extend([0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, data.len() as u8]);
            message.extend(data);
        }
        for name in said.iter().rev() {
            message.extend(wire(name));
            message.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
        }
        say(message)
    });
    for _ in 0..2 {
        let reply = world.ask_with(core_dns::client::Transport::Tcp, &query("a.example.org.", "MX"));
        assert_eq!((reply.answer.len(), reply.additional.len()), (names.len(), names.len()));
    }
    assert_eq!(world.sent().len(), 1);
}
