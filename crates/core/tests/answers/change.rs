//! Changes to a zone: what equals what is held is dropped, what is not mentioned goes or stays, what is no change is an error.

use core_dns::zone::decode_change;
use serde_json::{Value, json};

use crate::ask::{Server, ZONE, absent, addresses, exists, group, members, members_of, owner, packed, rrset, synthesis, with_members};

const A: u16 = 1;

fn zone_of(server: &Server) -> std::sync::Arc<core_dns::zone::Zone> {
    server.engine.zone(ZONE).unwrap()
}

/// One owner of each kind.
fn every_kind() -> Vec<Value> {
    vec![
        owner("web", &[with_members(&["10.0.0.1"], &["x/tcp/1"], &[group(&["y/udp/2"], &["10.1.0.1 m", "fd00::1"])])]),
        owner("list", &[members(&[group(&[], &["10.1.0.1", "www.example.org. n"])])]),
        owner("east.list", &[members_of("list", &[group(&[], &["10.1.0.1"])])]),
        owner("one", &[rrset(A, &["10.0.0.2"]), rrset(16, &["text"])]),
        absent("any", &[synthesis()], &[16]),
        owner("here", &[exists()]),
        owner("*.wild", &[exists()]),
    ]
}

#[test]
fn equal_data_is_dropped() {
    let server = Server::with(&every_kind());
    for replace in [false, true] {
        let applied = server.apply(ZONE, &json!([every_kind(), 9, replace, true]));
        assert_eq!((applied.changed, applied.problems.len()), (0, 0));
    }
    assert_eq!(zone_of(&server).serial(), 1, "the serial tells of changes, and there was none");
    assert_eq!(zone_of(&server).owners(), every_kind().len());
}

#[test]
fn every_difference_is_a_change() {
    let different = [
        owner("web", &[with_members(&["10.0.0.1"], &["x/tcp/1"], &[group(&["y/udp/2"], &["10.1.0.1 m", "fd00::2"])])]),
        owner("list", &[members(&[group(&[], &["10.1.0.1", "www.example.org. N2"])])]),
        owner("east.list", &[members_of("web", &[group(&[], &["10.1.0.1"])])]),
        owner("one", &[rrset(A, &["10.0.0.2"]), rrset(16, &["Text"])]),
        absent("any", &[synthesis()], &[1]),
        owner("here", &[synthesis()]),
        owner("*.wild", &[rrset(A, &["10.0.0.2"])]),
    ];
    let server = Server::with(&every_kind());
    for (at, one) in different.iter().enumerate() {
        assert_eq!(server.apply(ZONE, &json!([[one], at + 2, false, true])).changed, 1, "{one}");
        assert_eq!(zone_of(&server).serial() as usize, at + 2);
    }
    assert_eq!(server.apply(ZONE, &json!([different, 99, true, true])).changed, 0);
}

#[test]
fn replace_removes_what_is_not_mentioned() {
    let mut server = Server::with(&every_kind());
    let applied = server.apply(ZONE, &json!([every_kind()[3..4], 2, true, true]));
    assert_eq!((applied.changed, zone_of(&server).owners()), (6, 1));
    assert_eq!(server.ask("one", "A").answer.len(), 1);
    for name in ["web", "m.web", "list", "east.list", "10-0-0-1.any", "here", "x.wild", "1.0.0.10.in-addr.arpa.", "1.0.1.10.in-addr.arpa."]
    {
        assert!(server.ask(name, "PTR").is_negative("NXDOMAIN"), "{name}");
    }
    assert_eq!(server.apply(ZONE, &json!([[], 3, true, true])).changed, 1);
    assert_eq!(zone_of(&server).owners(), 0);
}

#[test]
fn a_relist_may_come_in_several_changes() {
    let server = Server::with(&every_kind());
    let all = every_kind();
    let piece = |owners: &[Value], ends: bool, begins: bool| server.apply(ZONE, &json!([owners, 2, ends, true, begins])).changed;
    assert_eq!(piece(&all[..2], false, true), 0, "what equals what is held is no change, and is named");
    assert_eq!(piece(&[owner("new", &[exists()])], false, false), 1);
    assert_eq!(zone_of(&server).owners(), all.len() + 1, "nothing goes before the end");
    assert_eq!(piece(&all[3..4], true, false), all.len() - 3);
    assert_eq!(zone_of(&server).owners(), 4);
}

#[test]
fn a_relist_that_begins_anew_forgets_what_was_named_before() {
    let server = Server::with(&every_kind());
    let all = every_kind();
    server.apply(ZONE, &json!([all[..5], 2, false, true, true]));
    server.apply(ZONE, &json!([all[..1], 3, false, true, true]));
    assert_eq!(server.apply(ZONE, &json!([all[1..2], 4, true, true])).changed, all.len() - 2);
    assert_eq!(server.apply(ZONE, &json!([all[..1], 5, true, true])).changed, 1, "the next one stands alone");
}

#[test]
fn without_replace_only_what_is_mentioned_changes_and_no_data_removes() {
    let mut server = Server::with(&every_kind());
    let applied = server.apply(ZONE, &json!([[owner("one", &[]), owner("gone", &[]), owner("new", &[exists()])], 2, false, true]));
    assert_eq!((applied.changed, zone_of(&server).owners()), (2, every_kind().len()));
    assert!(server.ask("one", "A").is_negative("NXDOMAIN"));
    assert!(server.ask("new", "A").is_negative("NOERROR"));
    assert_eq!(server.ask("web", "A").answer.len(), 1);
}

#[test]
fn of_one_name_that_is_mentioned_twice_the_last_counts() {
    let mut server = Server::with(&[]);
    for replace in [false, true] {
        let (first, second) = (owner("web", &[addresses(&["10.0.0.1"], &[])]), owner("WEB", &[addresses(&["10.0.0.2"], &[])]));
        server.apply(ZONE, &json!([[first, owner("web", &[]), second], 2, replace, true]));
        assert_eq!(server.ask("web", "A").answer, ["web 5 A 10.0.0.2"]);
        assert!(server.ask("1.0.0.10.in-addr.arpa.", "PTR").is_negative("NXDOMAIN"));
        assert_eq!(server.ask("2.0.0.10.in-addr.arpa.", "PTR").answer.len(), 1);
        server.apply(ZONE, &json!([[owner("web", &[exists()]), owner("web", &[])], 3, replace, true]));
        assert!(server.ask("web", "A").is_negative("NXDOMAIN"));
        assert_eq!(zone_of(&server).owners(), 0);
    }
}

#[test]
fn a_name_that_is_none_costs_only_itself() {
    let mut server = Server::with(&[]);
    let applied = server.apply(
        ZONE,
        &json!([[owner("a..b", &[exists()]), owner("web", &[rrset(A, &["x", "10.0.0.1"]), rrset(15, &["10 mail"])])], 2, false, true]),
    );
    assert_eq!((applied.changed, applied.problems.len()), (1, 3), "{:?}", applied.problems);
    assert!(applied.problems.iter().all(|problem| problem.contains("web: ") || problem.contains("a..b: ")));
    assert_eq!(server.ask("web", "A").answer, ["web 5 A 10.0.0.1"]);
    assert!(server.ask("web", "MX").is_negative("NOERROR"));
}

#[test]
fn a_buffer_that_is_no_change_is_an_error() {
    let good = packed(&json!([every_kind(), 1, true, true]));
    assert_eq!(decode_change(&good).unwrap().owners.len(), every_kind().len());
    for length in 0..good.len() {
        assert!(decode_change(&good[..length]).is_err(), "cut after {length} octets");
    }
    for wrong in [
        json!(null),
        json!([]),
        json!([[], 1, true]),
        json!([[], 1, true, true, 5]),
        json!([[], -1, true, true]),
        json!([[], 1, "yes", true]),
        json!([[["web", 0, [], []], 7], 1, true, true]),
        json!([[["web", 0, [["unheard-of"]], []]], 1, true, true]),
        json!([[["web", 0, [["exists", 1]], []]], 1, true, true]),
        json!([[["web", 0, [["rrset", 1, 5]], []]], 1, true, true]),
        json!([[["web", 0, [["rrset", 65536, 5, []]], []]], 1, true, true]),
        json!([[["web", 0, [[]], []]], 1, true, true]),
        json!([[["web", 0, [["members", 5, [], [], [[[], [["10.0.0.1"]], ""]], true, false]], []]], 1, true, true]),
        json!([[[7, 0, [], []]], 1, true, true]),
    ] {
        assert!(decode_change(&packed(&wrong)).is_err(), "{wrong}");
    }
    // Counts that the buffer does not hold, and an array in an array a hundred thousand deep.
    for bomb in [&b"\x94\xdd\xff\xff\xff\xff"[..], b"\x94\x91\x94\xdb\xff\xff\xff\xff", &[0x91; 100_000]] {
        assert!(decode_change(bomb).is_err());
    }
}
