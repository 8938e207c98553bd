//! Member sets: a name with addresses of its own (C), a name that lists its members (H), their ports, and the way back by PTR (R).

use serde_json::json;

use crate::ask::{Server, ZONE, absent, addresses, block, exists, group, members, members_of, owner, plan, with_members, zone_op};

#[test]
fn c1_addresses_answer_by_family() {
    let mut server =
        Server::with(&[owner("web", &[addresses(&["10.0.0.1", "fd00::1"], &[])]), owner("v4", &[addresses(&["10.0.0.2"], &[])])]);
    assert_eq!(server.ask("web", "A").answer, ["web 5 A 10.0.0.1"]);
    assert_eq!(server.ask("web", "AAAA").answer, ["web 5 AAAA fd00::1"]);
    assert!(server.ask("v4", "AAAA").is_negative("NOERROR"));
}

#[test]
fn c3_srv_of_the_name_itself_has_every_port() {
    let mut server = Server::with(&[owner("web", &[addresses(&["10.0.0.1"], &["http/tcp/80", "/tcp/81", "dns/udp/53"])])]);
    let reply = server.ask("web", "SRV");
    assert_eq!(reply.answers(), ["web 5 SRV 0 33 53 web", "web 5 SRV 0 33 80 web", "web 5 SRV 0 33 81 web"]);
    assert_eq!(reply.additional, ["web 5 A 10.0.0.1"]);
}

#[test]
fn c4_p1_a_port_is_asked_by_name_and_protocol() {
    let mut server = Server::with(&[owner("web", &[addresses(&["10.0.0.1"], &["http/tcp/80", "/tcp/81", "http/udp/82", "_odd/tcp/83"])])]);
    for (name, ports) in [
        ("_http._tcp.web", &[80][..]),
        ("_HTTP._TCP.web", &[80]),
        ("_http._udp.web", &[82]),
        ("http.tcp.web", &[80]),
        ("_http.tcp.web", &[80]),
        ("_._tcp.web", &[80, 81, 83]),
        ("_http._.web", &[80, 82]),
        ("_._.web", &[80, 81, 82, 83]),
        ("__odd._tcp.web", &[83]),
        ("_odd._tcp.web", &[]),
        ("_http._sctp.web", &[]),
        ("_other._tcp.web", &[]),
        ("_81._tcp.web", &[]),
        ("_tcp._http.web", &[]),
    ] {
        let reply = server.ask(name, "SRV");
        let mut found: Vec<u16> = reply.answer.iter().map(|text| text.split(' ').nth(5).unwrap().parse().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, ports, "{name}");
        if ports.is_empty() {
            assert!(reply.is_negative("NXDOMAIN"), "{name}");
        }
    }
}

#[test]
fn c5_a_port_answers_the_addresses_too() {
    let mut server = Server::with(&[owner("web", &[addresses(&["10.0.0.1"], &["http/tcp/80"])])]);
    assert_eq!(server.ask("_http._tcp.web", "A").answer, ["_http._tcp.web 5 A 10.0.0.1"]);
    assert!(server.ask("_http._tcp.web", "AAAA").is_negative("NOERROR"));
    assert!(server.ask("_other._tcp.web", "A").is_negative("NXDOMAIN"));
}

#[test]
fn c6_a_weight_is_an_equal_share_of_address_and_port_before_duplicates_go() {
    let mut server = Server::with(&[owner("dual", &[addresses(&["10.0.0.1", "fd00::1"], &["http/tcp/80"])])]);
    let reply = server.ask("_http._tcp.dual", "SRV");
    assert_eq!(reply.answer, ["_http._tcp.dual 5 SRV 0 50 80 dual"]);
    assert_eq!(reply.extras(), ["dual 5 A 10.0.0.1", "dual 5 AAAA fd00::1"], "C7: both families");
    let many: Vec<String> = (0..150).map(|at| format!("10.0.0.{at}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    server.fill(&[owner("many", &[members(&[group(&["x/tcp/1"], &many)])])]);
    assert!(server.ask("many", "SRV").answer.iter().all(|text| text.contains(" SRV 0 1 1 ")), "never less than 1");
}

#[test]
fn c8_a_name_without_ports_has_addresses_and_no_srv() {
    let mut server =
        Server::with(&[owner("web", &[addresses(&["10.0.0.1"], &[])]), owner("odd", &[addresses(&["10.0.0.2"], &["x/tcp/-1"])])]);
    for name in ["web", "odd", "_x._tcp.odd"] {
        assert_eq!(server.ask(name, "A").answer.len(), 1, "{name}");
        assert!(server.ask(name, "SRV").is_negative("NOERROR"), "{name}");
    }
    assert!(server.ask("_x._tcp.web", "SRV").is_negative("NXDOMAIN"));
}

#[test]
fn c10_a_name_with_addresses_is_no_alias() {
    let mut server = Server::with(&[owner("web", &[with_members(&["10.0.0.1"], &[], &[group(&[], &["10.1.0.1 m"])])])]);
    assert!(server.ask("web", "CNAME").is_negative("NOERROR"));
    assert!(server.ask("m.web", "CNAME").is_negative("NOERROR"));
}

#[test]
fn c11_members_have_names_below_a_name_that_does_not_list_them() {
    let groups = [group(&["sql/tcp/5432"], &["10.1.0.1 ep1a", "10.1.0.2"])];
    let mut server = Server::with(&[owner("web", &[with_members(&["10.0.0.1"], &["http/tcp/80"], &groups)])]);
    assert_eq!(server.ask("web", "A").answer, ["web 5 A 10.0.0.1"]);
    assert_eq!(server.ask("EP1A.web", "A").answer, ["EP1A.web 5 A 10.1.0.1"]);
    assert_eq!(server.ask("10-1-0-2.web", "A").answer, ["10-1-0-2.web 5 A 10.1.0.2"]);
    let reply = server.ask("ep1a.web", "SRV");
    assert_eq!((reply.answers(), reply.extras()), (vec!["ep1a.web 5 SRV 0 100 5432 ep1a.web"], vec!["ep1a.web 5 A 10.1.0.1"]));
    for name in ["10-1-0-1.web", "10-0-0-1.web", "gone.web", "x.ep1a.web"] {
        assert!(server.ask(name, "A").is_negative("NXDOMAIN"), "{name}");
    }
    assert!(server.ask("_sql._tcp.web", "SRV").is_negative("NXDOMAIN"), "their ports are not the name's");
}

#[test]
fn h1_s7_a_name_lists_its_members_each_address_once() {
    let groups = [group(&["a/tcp/1"], &["10.1.0.1", "10.1.0.2", "fd00::1"]), group(&["b/tcp/2"], &["10.1.0.2", "10.1.0.1 other"])];
    let mut server = Server::with(&[owner("db", &[members(&groups)])]);
    assert_eq!(server.ask("db", "A").answers(), ["db 5 A 10.1.0.1", "db 5 A 10.1.0.2"]);
    assert_eq!(server.ask("db", "AAAA").answer, ["db 5 AAAA fd00::1"]);
    assert_eq!(server.ask("_b._tcp.db", "A").answers(), ["_b._tcp.db 5 A 10.1.0.1", "_b._tcp.db 5 A 10.1.0.2"]);
    assert!(server.ask("_b._tcp.db", "AAAA").is_negative("NOERROR"));
    assert_eq!(server.ask("10-1-0-2.db", "A").answer, ["10-1-0-2.db 5 A 10.1.0.2"]);
}

#[test]
fn s7_srv_is_told_once_for_a_target_and_port_and_glue_once_for_a_target_and_address() {
    let groups = [
        group(&["a/tcp/1", "b/tcp/1", "c/tcp/2"], &["10.1.0.1", "10.1.0.2 m"]),
        group(&["a/udp/1"], &["10.1.0.1", "10.1.0.2 m", "10.1.0.3 m"]),
    ];
    let mut server = Server::with(&[owner("db", &[members(&groups)])]);
    let reply = server.ask("db", "SRV");
    // Two members with three ports and three with one are nine pairs.
    let expected = ["10-1-0-1.db", "m.db"].map(|target| [1, 2].map(|port| format!("db 5 SRV 0 11 {port} {target}"))).concat();
    let mut answers = reply.answers();
    answers.sort_by_key(|text| text.split(' ').next_back().unwrap().to_owned() + text);
    assert_eq!(answers, expected);
    assert_eq!(reply.extras(), ["10-1-0-1.db 5 A 10.1.0.1", "m.db 5 A 10.1.0.2", "m.db 5 A 10.1.0.3"]);
}

#[test]
fn s7_a_label_that_reads_like_another_members_address_is_the_same_target() {
    let groups = [group(&["a/tcp/1"], &["10.1.0.1", "10.1.0.2 10-1-0-1"])];
    let mut server = Server::with(&[owner("db", &[members(&groups)])]);
    let reply = server.ask("db", "SRV");
    assert_eq!(reply.answer, ["db 5 SRV 0 50 1 10-1-0-1.db"]);
    assert_eq!(reply.extras(), ["10-1-0-1.db 5 A 10.1.0.1", "10-1-0-1.db 5 A 10.1.0.2"]);
    assert_eq!(server.ask("10-1-0-1.db", "A").answers().len(), 2);
}

#[test]
fn h3_no_members_of_one_family_is_no_data() {
    let mut server = Server::with(&[owner("db", &[members(&[group(&[], &["fd00::1"])])])]);
    assert!(server.ask("db", "A").is_negative("NOERROR"));
    assert!(server.ask("fd00--1.db", "A").is_negative("NOERROR"));
}

#[test]
fn h4_a_member_without_a_label_is_called_by_its_address() {
    let texts = ["10.1.0.1", "fd00::", "fd00::1:2", "::1", "1:2:3:4:5:6:7:8", "192.168.100.9"];
    let mut server = Server::with(&[owner("db", &[members(&[group(&["x/tcp/1"], &texts)])])]);
    let labels = ["10-1-0-1", "fd00--0", "fd00--1-2", "--1", "1-2-3-4-5-6-7-8", "192-168-100-9"];
    let targets: Vec<String> = labels.iter().map(|label| format!("db 5 SRV 0 16 1 {label}.db")).collect();
    assert_eq!(server.ask("db", "SRV").answer, targets);
    for (label, text) in labels.iter().zip(texts) {
        let qtype = if text.contains(':') { "AAAA" } else { "A" };
        assert_eq!(server.ask(&format!("{label}.db"), qtype).answer, [format!("{label}.db 5 {qtype} {text}")]);
    }
    for label in ["fd00--", "fd00-0-0-0-0-0-0-0", "0--1", "10-1-0-01", "FD00--2"] {
        assert!(server.ask(&format!("{label}.db"), "AAAA").is_negative("NXDOMAIN"), "{label}: only the one way to write it");
    }
}

#[test]
fn h5_members_may_share_a_label() {
    let groups = [group(&["x/tcp/1"], &["10.1.0.1 dup", "10.1.0.2 dup", "fd00::1 dup", "10.1.0.3"])];
    let mut server = Server::with(&[owner("db", &[members(&groups)])]);
    assert_eq!(server.ask("dup.db", "A").answers(), ["dup.db 5 A 10.1.0.1", "dup.db 5 A 10.1.0.2"]);
    let reply = server.ask("_x._tcp.db", "SRV");
    assert_eq!(reply.answers(), ["_x._tcp.db 5 SRV 0 25 1 10-1-0-3.db", "_x._tcp.db 5 SRV 0 25 1 dup.db"], "the weight counts all");
    assert_eq!(reply.additional.len(), 4);
    let reply = server.ask("dup.db", "SRV");
    assert_eq!((reply.answers(), reply.additional.len()), (vec!["dup.db 5 SRV 0 33 1 dup.db"], 3));
}

#[test]
fn h6_each_group_has_its_own_ports() {
    let groups = [group(&["sql/tcp/5432"], &["10.1.0.1 one"]), group(&["sql/tcp/6432", "http/tcp/80"], &["10.1.0.2 two"])];
    let mut server = Server::with(&[owner("db", &[members(&groups)])]);
    assert_eq!(server.ask("_sql._tcp.db", "SRV").answers(), ["_sql._tcp.db 5 SRV 0 50 5432 one.db", "_sql._tcp.db 5 SRV 0 50 6432 two.db"]);
    assert_eq!(server.ask("_http._tcp.db", "SRV").answers(), ["_http._tcp.db 5 SRV 0 100 80 two.db"]);
    assert_eq!(server.ask("_http._tcp.db", "SRV").additional, ["two.db 5 A 10.1.0.2"]);
    assert_eq!(server.ask("db", "SRV").answer.len(), 3);
    assert_eq!(server.ask("two.db", "SRV").answers(), ["two.db 5 SRV 0 50 6432 two.db", "two.db 5 SRV 0 50 80 two.db"]);
}

#[test]
fn h7_members_without_ports_have_addresses_and_no_srv() {
    let groups = [group(&[], &["10.1.0.1 one"]), group(&["x/tcp/-1"], &["10.1.0.2 two"])];
    let mut server = Server::with(&[owner("db", &[members(&groups)])]);
    assert_eq!(server.ask("db", "A").answer.len(), 2);
    for name in ["db", "one.db", "two.db", "_x._tcp.db"] {
        assert!(server.ask(name, "SRV").is_negative("NOERROR"), "{name}");
    }
    assert_eq!(server.ask("_x._tcp.db", "A").answer, ["_x._tcp.db 5 A 10.1.0.2"]);
    assert!(server.ask("_y._tcp.db", "A").is_negative("NXDOMAIN"));
    assert_eq!(server.ask("_._.db", "A").answer.len(), 2, "no name and no protocol is any port, and no port");
}

#[test]
fn h11_a_member_that_is_a_name_is_an_alias() {
    let groups = [group(&["x/tcp/1"], &["www.example.org. web", "10.1.0.1"])];
    let mut server = Server::with(&[owner("db", &[members(&groups)])]);
    assert_eq!(server.ask("db", "CNAME").answer, ["db 5 CNAME www.example.org."]);
    assert_eq!(server.ask("web.db", "CNAME").answer, ["web.db 5 CNAME www.example.org."]);
    assert_eq!(server.ask("web.db", "A").answer, ["web.db 5 CNAME www.example.org."]);
    assert_eq!(server.ask("db", "A").answers(), ["db 5 A 10.1.0.1", "db 5 CNAME www.example.org."]);
    assert_eq!(server.ask("db", "SRV").answers(), ["db 5 SRV 0 50 1 10-1-0-1.db", "db 5 SRV 0 50 1 www.example.org."]);
}

#[test]
fn h11_such_a_member_without_a_label_is_called_by_its_name_with_dashes() {
    let long = format!("{}.{}.example.org.", "a".repeat(40), "b".repeat(40));
    let mut server = Server::with(&[owner("db", &[members(&[group(&["x/tcp/1"], &["WWW.example.org.", &long])])])]);
    assert_eq!(server.ask("www-example-org.db", "CNAME").answer, ["www-example-org.db 5 CNAME WWW.example.org."]);
    let cut = format!("{}-{}", "a".repeat(40), "b".repeat(22));
    assert!(server.ask(&format!("{cut}.db"), "A").is_negative("NXDOMAIN"), "a longer name has no label");
}

#[test]
fn what_makes_no_sense_is_left_out_and_named() {
    let server = Server::with(&[]);
    let long = "l".repeat(64);
    let groups = [group(
        &["x/tcp/1", "y/tcp/65536", "z/tcp/-2"],
        &["10.1.0.1", "10.1.0.256", "relative.name", "", "fe80::1%eth0", &format!("10.1.0.2 {long}")],
    )];
    let applied = server.fill(&[owner("db", &[members(&groups)]), owner("a..b", &[exists()]), owner(&long, &[exists()])]);
    assert_eq!((applied.changed, applied.problems.len()), (1, 9), "{:?}", applied.problems);
    let mut server = server;
    assert_eq!(server.ask("db", "A").answer, ["db 5 A 10.1.0.1"]);
    assert_eq!(server.ask("db", "SRV").answer, ["db 5 SRV 0 100 1 10-1-0-1.db"]);
}

fn ptr(server: &mut Server, address: &str) -> Vec<String> {
    let name = match address.parse().unwrap() {
        std::net::IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
        }
        std::net::IpAddr::V6(v6) => {
            v6.octets().iter().rev().map(|octet| format!("{:x}.{:x}.", octet & 15, octet >> 4)).collect::<String>() + "ip6.arpa."
        }
    };
    let reply = server.ask(&name, "PTR");
    assert!(if reply.answer.is_empty() { reply.is_negative("NXDOMAIN") } else { reply.rcode == "NOERROR" });
    let mut targets: Vec<String> =
        reply.answer.iter().map(|text| text.strip_prefix(&format!("{name} 5 PTR ")).unwrap().to_owned()).collect();
    targets.sort_unstable();
    targets
}

#[test]
fn r1_without_a_reverse_origin_there_is_no_ptr() {
    let origins = json!([{"name": "cluster.local.", "reverse": false}, {"name": "10.in-addr.arpa.", "reverse": true}]);
    let mut server = Server::new(&plan(&[block(".", &[zone_op(json!({"origins": origins}))])]));
    server.fill(&[owner("web", &[addresses(&["10.0.0.1", "192.168.0.1"], &[])])]);
    assert_eq!(ptr(&mut server, "10.0.0.1"), ["web"]);
    assert_eq!(server.ask("1.0.168.192.in-addr.arpa.", "PTR").rcode, "SERVFAIL", "no directive has that name");
    assert!(server.ask("10.in-addr.arpa.", "PTR").is_negative("NOERROR"));
}

#[test]
fn r2_the_owner_of_an_address_is_told_alone() {
    let mut server = Server::with(&[
        owner("a", &[members(&[group(&[], &["10.0.0.1 m", "fd00::1"])])]),
        owner("web", &[with_members(&["10.0.0.1", "fd00::1"], &[], &[group(&[], &["10.0.0.1", "10.1.0.1"])])]),
        owner("z", &[members(&[group(&[], &["10.0.0.1"])])]),
    ]);
    assert_eq!(ptr(&mut server, "10.0.0.1"), ["web"]);
    assert_eq!(ptr(&mut server, "fd00::1"), ["web"]);
    assert_eq!(ptr(&mut server, "10.1.0.1"), ["10-1-0-1.web"]);
}

#[test]
fn r3_members_are_told_all_each_once() {
    let mut server = Server::with(&[
        owner("a", &[members(&[group(&[], &["10.1.0.1 m", "10.1.0.1"]), group(&["x/tcp/1"], &["10.1.0.1 m"])])]),
        owner("b", &[with_members(&["10.0.0.1"], &[], &[group(&[], &["10.1.0.1", "fd00::1"])])]),
        owner("c", &[members_of("b", &[group(&[], &["10.1.0.1"])])]),
    ]);
    assert_eq!(ptr(&mut server, "10.1.0.1"), ["10-1-0-1.a", "10-1-0-1.b", "m.a"]);
    assert_eq!(ptr(&mut server, "fd00::1"), ["fd00--1.b"]);
}

#[test]
fn r3_a_set_that_is_absent_still_has_its_ptr() {
    let mut server = Server::with(&[absent("web", &[members(&[group(&[], &["10.1.0.1 m"])])], &[1, 28, 33, 255])]);
    assert_eq!(ptr(&mut server, "10.1.0.1"), ["m.web"]);
    for qtype in ["A", "AAAA", "SRV", "TXT", "HTTPS"] {
        assert!(server.ask("web", qtype).is_negative("NXDOMAIN"), "{qtype}");
    }
}

#[test]
fn r4_an_address_that_nobody_has_does_not_exist() {
    let mut server = Server::with(&[owner("web", &[addresses(&["10.0.0.1", "fd00::1"], &[])])]);
    for name in
        ["2.0.0.10.in-addr.arpa.", "1.0.0.10.ip6.arpa.", "0.0.10.in-addr.arpa.", "1.1.0.0.10.in-addr.arpa.", "01.0.0.10.in-addr.arpa."]
    {
        assert!(server.ask(name, "PTR").is_negative("NXDOMAIN"), "{name}");
    }
    for name in ["256.0.0.10.in-addr.arpa.", "x.0.0.10.in-addr.arpa.", "+1.0.0.10.in-addr.arpa.", "1\\0460.0.10.in-addr.arpa."] {
        assert!(server.ask(name, "PTR").is_negative("NXDOMAIN"), "{name}");
    }
    let nibbles = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.";
    assert_eq!(ptr(&mut server, "fd00::1"), ["web"]);
    assert_eq!(server.ask(&nibbles.to_uppercase(), "PTR").answer.len(), 1);
    for name in [&nibbles[2..], &format!("0.{nibbles}"), &nibbles.replace("1.0", "10"), &nibbles.replacen('1', "g", 1)] {
        assert!(server.ask(name, "PTR").is_negative("NXDOMAIN"), "{name}");
    }
}

#[test]
fn r6_names_and_addresses_do_not_mix() {
    let mut server =
        Server::with(&[owner("", &[exists()]), owner("svc", &[exists()]), owner("web.shop.svc", &[addresses(&["10.0.0.1"], &[])])]);
    assert!(server.ask("web.shop.svc", "PTR").is_negative("NOERROR"));
    assert!(server.ask("web.shop.svc.0.10.in-addr.arpa.", "A").is_negative("NXDOMAIN"));
    assert!(server.ask("web.shop.svc.in-addr.arpa.", "A").is_negative("NXDOMAIN"));
    for qtype in ["A", "NS", "PTR", "SRV"] {
        assert!(server.ask("in-addr.arpa.", qtype).is_negative("NOERROR"), "{qtype}");
        assert!(server.ask("svc.in-addr.arpa.", qtype).is_negative("NOERROR"), "{qtype}: it exists everywhere, as recorded");
    }
    assert!(server.ask("svc.in-addr.arpa.", "TXT").is_negative("NXDOMAIN"));
    for qtype in ["A", "AAAA", "TXT", "HTTPS"] {
        assert!(server.ask("1.0.0.10.in-addr.arpa.", qtype).is_negative("NXDOMAIN"), "{qtype}");
    }
}

#[test]
fn the_addresses_of_a_changed_set_lead_to_what_it_is_now() {
    let mut server = Server::with(&[owner("web", &[with_members(&["10.0.0.1"], &[], &[group(&[], &["10.1.0.1 a", "10.1.0.2"])])])]);
    server.apply(
        ZONE,
        &json!([[owner("web", &[with_members(&["10.0.0.2"], &[], &[group(&[], &["10.1.0.1 b", "10.0.0.1"])])])], 2, false, true]),
    );
    assert_eq!(ptr(&mut server, "10.0.0.1"), ["10-0-0-1.web"]);
    assert_eq!(ptr(&mut server, "10.0.0.2"), ["web"]);
    assert_eq!(ptr(&mut server, "10.1.0.1"), ["b.web"]);
    assert!(ptr(&mut server, "10.1.0.2").is_empty());
    server.apply(ZONE, &json!([[owner("new", &[addresses(&["10.0.0.2"], &[])])], 3, false, true]));
    assert_eq!(ptr(&mut server, "10.0.0.2"), ["new"], "of two owners the first in the order of names");
    server.apply(ZONE, &json!([[owner("new", &[])], 4, false, true]));
    assert_eq!(ptr(&mut server, "10.0.0.2"), ["web"]);
    server.apply(ZONE, &json!([[], 5, true, true]));
    for address in ["10.0.0.1", "10.0.0.2", "10.1.0.1"] {
        assert!(ptr(&mut server, address).is_empty());
    }
}
