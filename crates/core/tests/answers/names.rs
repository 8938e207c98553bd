//! Which names exist, and what they answer: the shape of replies (S), names without data (P), wildcards (Z), synthesised addresses (D), text (T).

use serde_json::{Value, json};

use crate::ask::{
    Server, ZONE, absent, addresses, based, block, exists, group, members, members_of, owner, plan, rrset, synthesis, with_members, zone_op,
};

const A: u16 = 1;
const NS: u16 = 2;
const TXT: u16 = 16;
const ANY: u16 = 255;
/// Types without data of their own anywhere here.
const OTHERS: [&str; 8] = ["HTTPS", "SVCB", "TYPE255", "DS", "HINFO", "NAPTR", "MX", "CAA"];

/// The names between the zone and its sets, as Python gives them.
fn between() -> Vec<Value> {
    vec![
        absent("", &[exists()], &[TXT]),
        absent("svc", &[exists()], &[TXT]),
        absent("dash", &[exists()], &[TXT]),
        absent("shop.svc", &[exists()], &[TXT]),
        absent("shop.dash", &[synthesis()], &[TXT]),
        absent("dns-version", &[json!(["rrset", TXT, 28800, ["1.1.0"]])], &[ANY]),
    ]
}

fn server() -> Server {
    let mut owners = between();
    owners.push(owner("web.shop.svc", &[addresses(&["10.0.0.1"], &["http/tcp/80"])]));
    owners.push(owner("db.shop.svc", &[members(&[group(&["sql/tcp/5432"], &["10.1.0.1 db-0", "10.1.0.2"])])]));
    Server::with(&owners)
}

#[test]
fn s1_an_answer_is_authoritative_and_owned_by_the_name_as_it_was_asked() {
    let reply = server().ask("wEb.ShOp.sVc.ClUsTeR.LoCaL.", "A");
    assert_eq!(reply.flags, "aa rd", "recursion is never available here");
    assert_eq!(reply.question, "wEb.ShOp.sVc.ClUsTeR.LoCaL. A IN");
    assert_eq!(reply.answer, ["wEb.ShOp.sVc.ClUsTeR.LoCaL. 5 A 10.0.0.1"]);
}

#[test]
fn s2_nothing_found_carries_the_soa_of_the_zone_as_it_was_asked() {
    let mut server = server();
    let soa = "ClUsTeR.LoCaL. 5 SOA ns.dns.ClUsTeR.LoCaL. hostmaster.ClUsTeR.LoCaL. 1 7200 1800 86400 5";
    for (name, qtype, rcode) in [("gone.shop.svc.ClUsTeR.LoCaL.", "A", "NXDOMAIN"), ("web.shop.svc.ClUsTeR.LoCaL.", "AAAA", "NOERROR")] {
        let reply = server.ask(name, qtype);
        assert!(reply.is_negative(rcode));
        assert_eq!((reply.flags.as_str(), reply.authority), ("aa rd", vec![soa.to_owned()]));
    }
    server.apply(ZONE, &json!([[], 4_000_000_000_u32, true, true]));
    assert!(server.ask("web.shop.svc", "A").authority[0].contains(" 4000000000 "));
}

#[test]
fn s3_a_target_is_lower_case_and_below_the_zone_as_it_was_asked() {
    let mut server = server();
    let reply = server.ask("_HtTp._TcP.wEb.ShOp.SvC.ClUsTeR.LoCaL.", "SRV");
    assert_eq!(reply.answer, ["_HtTp._TcP.wEb.ShOp.SvC.ClUsTeR.LoCaL. 5 SRV 0 100 80 web.shop.svc.ClUsTeR.LoCaL."]);
    assert_eq!(reply.additional, ["web.shop.svc.ClUsTeR.LoCaL. 5 A 10.0.0.1"]);
    let reply = server.ask("DB-0.DB.SHOP.SVC.CLUSTER.local.", "SRV");
    assert_eq!(reply.answer, ["DB-0.DB.SHOP.SVC.CLUSTER.local. 5 SRV 0 100 5432 db-0.db.shop.svc.CLUSTER.local."]);
}

#[test]
fn s3_the_primary_origin_of_ptr_is_lower_case() {
    assert_eq!(server().ask("1.0.0.10.IN-ADDR.ARPA.", "PTR").answer, ["1.0.0.10.IN-ADDR.ARPA. 5 PTR web.shop.svc"]);
}

#[test]
fn s4_other_types_tell_only_whether_the_name_exists() {
    let mut server = server();
    for qtype in OTHERS {
        for name in ["web.shop.svc", "db-0.db.shop.svc", "_http._tcp.web.shop.svc", "10-0-0-1.shop.dash", "@"] {
            assert!(server.ask(name, qtype).is_negative("NOERROR"), "{name} {qtype}");
        }
        assert!(server.ask("gone.shop.svc", qtype).is_negative("NXDOMAIN"), "{qtype}");
    }
}

#[test]
fn s5_soa_is_answered_at_the_apex_and_is_no_data_below_it() {
    let mut server = server();
    let apex = server.ask("Cluster.local.", "SOA");
    assert_eq!(apex.answer, ["Cluster.local. 5 SOA ns.dns.Cluster.local. hostmaster.Cluster.local. 1 7200 1800 86400 5"]);
    assert!(apex.authority.is_empty());
    for name in ["svc", "web.shop.svc", "gone"] {
        assert!(server.ask(name, "SOA").is_negative("NOERROR"), "{name}");
    }
    assert_eq!(server.ask("IN-ADDR.arpa.", "SOA").answer.len(), 1);
    assert!(server.ask("9.9.9.9.in-addr.arpa.", "SOA").is_negative("NOERROR"));
    let mut strict = Server::new(&plan(&[block(".", &[zone_op(json!({"soa_nodata": false}))])]));
    strict.fill(&between());
    assert!(strict.ask("svc", "SOA").is_negative("NOERROR"));
    assert!(strict.ask("gone", "SOA").is_negative("NXDOMAIN"));
    assert!(strict.ask("9.9.9.9.in-addr.arpa.", "SOA").is_negative("NXDOMAIN"));
}

#[test]
fn s6_zone_transfers_are_refused() {
    let mut server = server();
    for (name, qtype) in [("@", "AXFR"), ("@", "IXFR"), ("gone", "AXFR"), ("in-addr.arpa.", "AXFR")] {
        let reply = server.ask(name, qtype);
        assert_eq!((reply.rcode.as_str(), reply.flags.as_str(), reply.authority.len()), ("REFUSED", "rd", 0));
    }
}

#[test]
fn s8_every_primitive_has_a_ttl_of_its_own() {
    let mut server = server();
    let set = json!(["members", 30, ["10.0.0.1"], [["http", "tcp", 80]], [[[["x", "udp", 1]], [["10.1.0.1", "m"]], ""]], false, false]);
    server.fill(&[owner("web", &[set]), owner("one", &[json!(["rrset", A, 0, ["10.0.0.2"]])]), owner("any", &[json!(["synthesis", 77])])]);
    for (name, qtype, text) in [
        ("web", "A", "web 30 A 10.0.0.1"),
        ("m.web", "A", "m.web 30 A 10.1.0.1"),
        ("web", "SRV", "web 30 SRV 0 100 80 web"),
        ("1.0.0.10.in-addr.arpa.", "PTR", "1.0.0.10.in-addr.arpa. 30 PTR web"),
        ("1.0.1.10.in-addr.arpa.", "PTR", "1.0.1.10.in-addr.arpa. 30 PTR m.web"),
        ("one", "A", "one 0 A 10.0.0.2"),
        ("10-0-0-3.any", "A", "10-0-0-3.any 77 A 10.0.0.3"),
    ] {
        assert_eq!(server.ask(name, qtype).answer, [text]);
    }
}

#[test]
fn p2_an_empty_name_above_others_does_not_exist() {
    let mut server = server();
    for name in ["foo", "db-0", "foo.svc", "x.dash"] {
        assert!(server.ask(name, "A").is_negative("NXDOMAIN"), "{name}");
    }
    let mut server = Server::with(&[owner("ns.dns", &[rrset(A, &["10.0.0.1"])])]);
    assert!(server.ask("dns", "A").is_negative("NXDOMAIN"), "as recorded, although RFC 8020 would have it exist");
}

#[test]
fn p3_p4_the_names_above_exist_without_data() {
    let mut server = server();
    for name in ["@", "svc", "dash", "shop.svc", "shop.dash"] {
        for qtype in ["A", "AAAA", "SRV", "CNAME", "PTR", "NS"] {
            assert!(server.ask(name, qtype).is_negative("NOERROR"), "{name} {qtype}");
        }
        assert!(server.ask(name, "TXT").is_negative("NXDOMAIN"), "T1: {name} TXT");
    }
}

#[test]
fn p5_a_star_in_a_question_means_nothing() {
    let mut server = server();
    for name in ["*.shop.svc", "*.db.shop.svc", "*._tcp.db.shop.svc", "any.shop.svc", "*"] {
        assert!(server.ask(name, "A").is_negative("NXDOMAIN"), "{name}");
        assert!(server.ask(name, "SRV").is_negative("NXDOMAIN"), "{name}");
    }
}

#[test]
fn p6_one_label_before_a_set_is_a_member_never_half_a_port() {
    let mut server = server();
    for name in ["_tcp.web.shop.svc", "_tcp.db.shop.svc", "_sql.db.shop.svc", "x._sql._tcp.db.shop.svc", "_sql._tcp.db-0.db.shop.svc"] {
        assert!(server.ask(name, "SRV").is_negative("NXDOMAIN"), "{name}");
    }
}

#[test]
fn t1_the_version_is_text_and_exists_for_nothing_else() {
    let mut server = server();
    assert_eq!(server.ask("dns-version", "TXT").answer, ["dns-version 28800 TXT \"1.1.0\""]);
    for qtype in ["A", "AAAA", "SRV", "NS", "CNAME", "MX", "HTTPS"] {
        assert!(server.ask("dns-version", qtype).is_negative("NXDOMAIN"), "{qtype}");
    }
    assert!(server.ask("web.shop.svc", "TXT").is_negative("NOERROR"));
    assert!(server.ask("db-0.db.shop.svc", "TXT").is_negative("NOERROR"));
    assert!(server.ask("gone.shop.svc", "TXT").is_negative("NXDOMAIN"));
}

#[test]
fn a1_name_servers_come_with_their_addresses() {
    let mut server = Server::with(&[
        owner("", &[rrset(NS, &["dns.sys.svc", "m.list.svc", "one.svc", "outside.example.", "gone.svc"])]),
        owner("dns.sys.svc", &[addresses(&["10.0.0.10", "fd00::a"], &[])]),
        owner("list.svc", &[members(&[group(&[], &["10.1.0.1 m", "fd00::1 m"])])]),
        owner("one.svc", &[rrset(A, &["10.0.0.3"])]),
    ]);
    let reply = server.ask("@", "NS");
    let servers = ["@ 5 NS dns.sys.svc", "@ 5 NS gone.svc", "@ 5 NS m.list.svc", "@ 5 NS one.svc", "@ 5 NS outside.example."];
    assert_eq!(reply.answers(), servers);
    let glue = [
        "dns.sys.svc 5 A 10.0.0.10",
        "dns.sys.svc 5 AAAA fd00::a",
        "m.list.svc 5 A 10.1.0.1",
        "m.list.svc 5 AAAA fd00::1",
        "one.svc 5 A 10.0.0.3",
    ];
    assert_eq!(reply.extras(), glue);
}

#[test]
fn d2_a_dashed_address_is_what_it_says() {
    let mut server = server();
    for (label, qtype, address) in [
        ("10-0-0-1", "A", "10.0.0.1"),
        ("255-255-255-255", "A", "255.255.255.255"),
        ("fd00--1", "AAAA", "fd00::1"),
        ("FD00--1", "AAAA", "fd00::1"),
        ("--1", "AAAA", "::1"),
        ("1--", "AAAA", "1::"),
        ("1-2-3-4-5-6-7-8", "AAAA", "1:2:3:4:5:6:7:8"),
        ("--ffff-a00-1", "A", "10.0.0.1"),
    ] {
        let other = if qtype == "A" { "AAAA" } else { "A" };
        let name = format!("{label}.shop.dash");
        assert_eq!(server.ask(&name, qtype).answer, [format!("{name} 5 {qtype} {address}")]);
        assert!(server.ask(&name, other).is_negative("NOERROR"), "{label}: the other family is no data");
    }
    for label in ["web", "10-0-0", "10-0-0-256", "10-0-0-01", "10.0.0.1", "1-2-3-4-5", "g--1", "-", "---", "1-2-3-4-5-6-7-8-9", "10-0-0-1-"]
    {
        assert!(server.ask(&format!("{label}.shop.dash"), "A").is_negative("NXDOMAIN"), "{label}");
    }
    assert!(server.ask("10-0-0-1.other.dash", "A").is_negative("NXDOMAIN"), "no such name to synthesise below");
    assert!(server.ask("x.10-0-0-1.shop.dash", "A").is_negative("NXDOMAIN"));
    assert!(server.ask("10-0-0-1.shop.svc", "A").is_negative("NXDOMAIN"));
}

#[test]
fn d4_a_dashed_address_has_an_srv_of_itself_and_no_ptr() {
    let mut server = server();
    let reply = server.ask("10-9-9-9.SHOP.dash", "SRV");
    assert_eq!(
        (reply.answers(), reply.extras()),
        (vec!["10-9-9-9.SHOP.dash 5 SRV 0 100 0 10-9-9-9.shop.dash"], vec!["10-9-9-9.shop.dash 5 A 10.9.9.9"])
    );
    assert!(server.ask("9.9.9.10.in-addr.arpa.", "PTR").is_negative("NXDOMAIN"));
}

/// A name whose members live below names that do not exist themselves, one for each cluster.
fn clusters() -> Server {
    let east = group(&["sql/tcp/5432"], &["10.1.0.1 db-0", "10.1.0.2"]);
    let west = group(&["sql/tcp/5432"], &["10.1.0.1 db-0", "fd00::1"]);
    let (east, west) = ([east], [west]);
    let all = [based("east.db.shop.svc", &east), based("west.db.shop.svc", &west)].concat();
    let hidden = |groups: Value| json!(["members", 5, [], [], groups, false, false]);
    let server = Server::new(&plan(&[block(".", &[zone_op(json!({"bare_ports": false}))])]));
    server.fill(&[
        owner("db.shop.svc", &[members(&all)]),
        absent("east.db.shop.svc", &[hidden(json!(east))], &[255]),
        absent("west.db.shop.svc", &[hidden(json!(west))], &[255]),
    ]);
    server
}

#[test]
fn m2_members_live_below_their_cluster() {
    let mut server = clusters();
    assert_eq!(server.ask("db.shop.svc", "A").answers(), ["db.shop.svc 5 A 10.1.0.1", "db.shop.svc 5 A 10.1.0.2"]);
    assert_eq!(server.ask("db-0.west.db.shop.svc", "A").answer, ["db-0.west.db.shop.svc 5 A 10.1.0.1"]);
    assert_eq!(server.ask("10-1-0-2.east.db.shop.svc", "A").answer, ["10-1-0-2.east.db.shop.svc 5 A 10.1.0.2"]);
    let reply = server.ask("_sql._tcp.db.shop.svc", "SRV");
    let targets = ["10-1-0-2.east", "db-0.east", "db-0.west", "fd00--1.west"];
    assert_eq!(reply.answers(), targets.map(|target| format!("_sql._tcp.db.shop.svc 5 SRV 0 25 5432 {target}.db.shop.svc")));
    let hosts: Vec<&str> = reply.additional.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(hosts.len(), 4);
    for target in targets {
        assert!(hosts.contains(&&*format!("{target}.db.shop.svc")), "{target}");
    }
}

#[test]
fn m2_a_member_without_its_cluster_and_a_cluster_alone_do_not_exist() {
    let mut server = clusters();
    for name in ["db-0.db.shop.svc", "10-1-0-2.db.shop.svc", "east.db.shop.svc", "10-1-0-2.west.db.shop.svc", "db-0.north.db.shop.svc"] {
        for qtype in ["A", "AAAA", "SRV", "TXT", "MX"] {
            assert!(server.ask(name, qtype).is_negative("NXDOMAIN"), "{name} {qtype}");
        }
    }
}

#[test]
fn p1_where_ports_may_not_be_bare_one_underscore_is_enough() {
    let mut server = clusters();
    for prefix in ["_sql._tcp", "_sql.tcp", "sql._tcp"] {
        assert_eq!(server.ask(&format!("{prefix}.db.shop.svc"), "SRV").answer.len(), 4, "{prefix}");
    }
    assert!(server.ask("sql.tcp.db.shop.svc", "SRV").is_negative("NXDOMAIN"));
}

/// Names by zone, as Python makes them: `pin` and `prefer`, with wildcards for zones that have nobody.
fn zonal() -> Server {
    let east = group(&["sql/tcp/5432"], &["10.1.0.1 db-0", "fd00::1 db-0"]);
    let west = group(&["sql/tcp/5432"], &["10.1.0.2"]);
    let all = [east.clone(), west.clone()];
    let base = "db.shop.svc";
    Server::with(&[
        owner("db.shop.svc", &[members(&all)]),
        owner("*.pin._zone.db.shop.svc", &[exists()]),
        owner("*.prefer._zone.db.shop.svc", &[members_of(base, &all)]),
        owner("east.pin._zone.db.shop.svc", &[members_of(base, std::slice::from_ref(&east))]),
        owner("east.prefer._zone.db.shop.svc", &[members_of(base, &[east])]),
        owner("us.west-1.pin._zone.db.shop.svc", &[members_of(base, &[west])]),
    ])
}

#[test]
fn z1_a_name_by_zone_lists_the_members_there() {
    let mut server = zonal();
    assert_eq!(server.ask("EAST.pin._zone.db.shop.svc", "A").answer, ["EAST.pin._zone.db.shop.svc 5 A 10.1.0.1"]);
    assert_eq!(server.ask("east.prefer._zone.db.shop.svc", "AAAA").answer, ["east.prefer._zone.db.shop.svc 5 AAAA fd00::1"]);
    assert_eq!(server.ask("us.west-1.pin._zone.db.shop.svc", "A").answer, ["us.west-1.pin._zone.db.shop.svc 5 A 10.1.0.2"]);
}

#[test]
fn z1_targets_live_under_the_base() {
    let reply = zonal().ask("east.pin._zone.db.shop.svc", "SRV");
    assert_eq!(reply.answer, ["east.pin._zone.db.shop.svc 5 SRV 0 50 5432 db-0.db.shop.svc"]);
    assert_eq!(reply.extras(), ["db-0.db.shop.svc 5 A 10.1.0.1", "db-0.db.shop.svc 5 AAAA fd00::1"]);
}

#[test]
fn z1_a_zone_without_members_is_no_data_or_everything() {
    let mut server = zonal();
    for name in ["north.pin._zone.db.shop.svc", "a.b.north.pin._zone.db.shop.svc", "x.east.pin._zone.db.shop.svc"] {
        assert!(server.ask(name, "A").is_negative("NOERROR"), "{name}");
    }
    for name in ["north.prefer._zone.db.shop.svc", "a.b.north.prefer._zone.db.shop.svc"] {
        assert_eq!(server.ask(name, "A").answers(), [format!("{name} 5 A 10.1.0.1"), format!("{name} 5 A 10.1.0.2")]);
    }
    let reply = server.ask("north.prefer._zone.db.shop.svc", "SRV");
    let owner = "north.prefer._zone.db.shop.svc 5 SRV 0 33 5432";
    assert_eq!(reply.answers(), [format!("{owner} 10-1-0-2.db.shop.svc"), format!("{owner} db-0.db.shop.svc")]);
}

#[test]
fn z1_a_name_by_zone_has_no_names_below_it_and_no_ptr() {
    let mut server = zonal();
    for name in ["pin._zone.db.shop.svc", "_zone.db.shop.svc", "north.other._zone.db.shop.svc"] {
        assert!(server.ask(name, "A").is_negative("NXDOMAIN"), "{name}");
    }
    assert!(server.ask("db-0.east.pin._zone.db.shop.svc", "A").is_negative("NOERROR"), "it is a zone that has nobody");
    assert_eq!(server.ask("1.0.1.10.in-addr.arpa.", "PTR").answer, ["1.0.1.10.in-addr.arpa. 5 PTR db-0.db.shop.svc"]);
}

#[test]
fn rfc4592_a_wildcard_answers_as_the_name_that_was_asked() {
    let mut server = Server::with(&[
        owner("*", &[rrset(A, &["10.0.0.1"])]),
        owner("*.sub", &[rrset(TXT, &["sub"])]),
        owner("x.sub", &[rrset(A, &["10.0.0.2"])]),
    ]);
    assert_eq!(server.ask("Any.thing", "A").answer, ["Any.thing 5 A 10.0.0.1"]);
    assert_eq!(server.ask("*", "A").answer, ["* 5 A 10.0.0.1"]);
    assert_eq!(server.ask("x.sub", "A").answer, ["x.sub 5 A 10.0.0.2"], "a name that is there wins");
    assert!(server.ask("y.sub", "A").is_negative("NOERROR"), "the closest wildcard decides");
    assert_eq!(server.ask("y.z.sub", "TXT").answer, ["y.z.sub 5 TXT \"sub\""]);
    assert!(server.ask("@", "A").is_negative("NXDOMAIN"), "a wildcard stands for names below, not for its parent");
}

#[test]
fn a_wildcard_goes_when_it_is_removed() {
    let mut server = Server::with(&[owner("*", &[rrset(A, &["10.0.0.1"])]), owner("*.a", &[exists()])]);
    server.apply(ZONE, &json!([[owner("*", &[])], 2, false, true]));
    assert!(server.ask("x", "A").is_negative("NXDOMAIN"));
    assert!(server.ask("x.a", "A").is_negative("NOERROR"));
    server.apply(ZONE, &json!([[owner("*.a", &[])], 3, false, true]));
    assert!(server.ask("x.a", "A").is_negative("NXDOMAIN"));
}

#[test]
fn names_may_hold_any_octets() {
    let mut server = Server::with(&[
        owner("a\\.b.\\000\\255", &[rrset(A, &["10.0.0.1"])]),
        owner("m", &[with_members(&[], &[], &[group(&[], &["10.0.0.2 a.b"])])]),
    ]);
    assert_eq!(server.ask("A\\.b.\\000\\255", "A").answers().len(), 1);
    assert!(server.ask("a.b.\\000\\255", "A").is_negative("NXDOMAIN"));
    assert_eq!(server.ask("a\\.b.m", "A").answers().len(), 1, "a label with a dot in it is still one label");
}

#[test]
fn a_zone_is_served_under_all_its_origins_the_longest_first() {
    let origins = json!([{"name": "example.org.", "reverse": false}, {"name": "sub.example.org.", "reverse": false}]);
    let mut server = Server::new(&plan(&[block(".", &[zone_op(json!({"origins": origins}))])]));
    server.fill(&[owner("web", &[addresses(&["10.0.0.1"], &["x/tcp/1"])]), owner("web.sub", &[addresses(&["10.0.0.2"], &[])])]);
    assert_eq!(server.ask("web.example.org.", "SRV").answer, ["web.example.org. 5 SRV 0 100 1 web.example.org."]);
    assert_eq!(server.ask("web.sub.example.org.", "SRV").answer, ["web.sub.example.org. 5 SRV 0 100 1 web.sub.example.org."]);
    assert_eq!(server.ask("web.sub.sub.example.org.", "A").answer, ["web.sub.sub.example.org. 5 A 10.0.0.2"]);
    assert_eq!(server.ask("web.example.com.", "A").rcode, "SERVFAIL", "not this zone's name, and nobody is behind it");
}
