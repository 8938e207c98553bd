//! The op `acl`: the first rule that is about the name, the type and the client decides (recorded: `acl-*`).

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::ask::{Edns, Question, Server, block, owner, plan, rrset, whoami, zone_op};

const A: u16 = 1;
const TXT: u16 = 16;
const AAAA: u16 = 28;

fn rule(action: &str, types: &[u16], networks: &[&str]) -> Value {
    json!({"action": action, "types": types, "networks": networks, "span": 0})
}

fn list(zones: &[&str], rules: &[Value]) -> Value {
    json!({"zones": zones, "rules": rules})
}

fn acl(lists: &[Value]) -> Value {
    json!({"op": "acl", "lists": lists, "span": 0})
}

fn server(lists: &[Value]) -> Server {
    Server::new(&plan(&[block(".", &[acl(lists), whoami()])]))
}

/// What is done with a question: its action's name.
fn action(server: &mut Server, question: &Question) -> &'static str {
    let Some(octets) = server.send(&question.octets(), question) else { return "drop" };
    let reply = crate::ask::Reply::read(&octets);
    match (reply.rcode.as_str(), &reply.options[..]) {
        ("REFUSED", [(15, code)]) if *code == [0, 15] => "block",
        ("NOERROR", [(15, code)]) if *code == [0, 17] => "filter",
        ("NOERROR", []) if reply.additional.len() == 2 => "allow",
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refusal_tells_why_in_edns_of_its_own_size_or_the_clients() {
    let mut server = server(&[list(&["."], &[rule("block", &[A], &[]), rule("filter", &[AAAA], &[])])]);
    for (qtype, rcode, why) in [("A", "REFUSED", 15), ("AAAA", "NOERROR", 17)] {
        let asked = Question::new("a.example.org.", qtype);
        let reply = server.reply_with_options(&asked);
        assert_eq!((reply.rcode.as_str(), reply.flags.as_str(), reply.octets.len()), (rcode, "rd", 12 + 19 + 11 + 6));
        assert_eq!((reply.edns, reply.options), (Some(Edns { size: 4096, dnssec_ok: true }), vec![(15, vec![0, why])]));
        let reply = server.reply_with_options(&asked.edns(1232));
        assert_eq!((reply.edns, reply.options), (Some(Edns { size: 1232, dnssec_ok: true }), vec![(15, vec![0, why])]));
    }
}

#[test]
fn nothing_is_said_to_what_is_dropped() {
    let mut server = server(&[list(&["."], &[rule("drop", &[TXT], &[])])]);
    for question in [Question::new("a.example.org.", "TXT"), Question::new("a.example.org.", "TXT").udp().edns(1232)] {
        assert_eq!(action(&mut server, &question), "drop");
    }
    assert_eq!(action(&mut server, &Question::new("a.example.org.", "A")), "allow", "silence is over");
}

#[test]
fn the_first_list_that_has_a_rule_decides() {
    let mut server = server(&[
        list(&["a.example.org."], &[rule("allow", &[A], &[]), rule("filter", &[TXT], &["192.0.2.0/24"])]),
        list(&["example.org.", "example.net."], &[rule("block", &[], &[])]),
    ]);
    for (name, qtype, client, expected) in [
        ("x.A.example.org.", "A", "192.0.2.1", "allow"),
        ("a.example.org.", "TXT", "192.0.2.1", "filter"),
        ("a.example.org.", "TXT", "198.51.100.1", "block"),
        ("xa.example.org.", "A", "192.0.2.1", "block"),
        ("example.net.", "A", "192.0.2.1", "block"),
        ("example.com.", "A", "192.0.2.1", "allow"),
    ] {
        assert_eq!(action(&mut server, &Question::new(name, qtype).from(client)), expected, "{name} {qtype} {client}");
    }
}

#[test]
fn a_socket_for_both_families_sees_the_same_clients() {
    let mut server = server(&[list(&["."], &[rule("block", &[], &["192.0.2.0/24"]), rule("filter", &[], &["::/0"])])]);
    for (client, expected) in
        [("192.0.2.1", "block"), ("::ffff:192.0.2.1", "block"), ("192.0.3.1", "allow"), ("::ffff:192.0.3.1", "allow"), ("::1", "filter")]
    {
        assert_eq!(action(&mut server, &Question::new("a.", "A").from(client)), expected, "{client}");
    }
}

#[test]
fn the_target_of_an_alias_is_left_out_and_the_alias_is_told() {
    for what in ["drop", "block", "filter"] {
        let hidden = block("example.org.", &[acl(&[list(&["example.org."], &[rule(what, &[], &[])])]), whoami()]);
        let mut server = Server::new(&plan(&[block(".", &[zone_op(json!({}))]), hidden]));
        server.fill(&[owner("www", &[rrset(5, &["a.example.org."])])]);
        let reply = server.ask("www", "A");
        assert_eq!((reply.rcode.as_str(), &reply.answer[..]), ("NOERROR", &["www 5 CNAME a.example.org.".to_owned()][..]), "{what}");
    }
}

#[test]
fn many_networks_cost_no_more_than_few() {
    let networks: Vec<String> = (0..20_000u32).map(|at| format!("{}/32", Ipv4Addr::from(0x0a00_0000 + 2 * at))).collect();
    let rules: Vec<Value> = networks.iter().map(|network| rule("block", &[], &[network])).collect();
    let mut server = server(&[list(&["."], &rules)]);
    for (client, expected) in [("10.0.0.0", "block"), ("10.0.0.1", "allow"), ("10.0.156.62", "block"), ("10.0.156.64", "allow")] {
        assert_eq!(action(&mut server, &Question::new("a.", "A").from(client)), expected, "{client}");
    }
}

/// A rule, and the same as an oracle reads it.
fn any_rule() -> impl Strategy<Value = (&'static str, Vec<u16>, Vec<(IpAddr, u8)>)> {
    // Few different bits, so that networks meet.
    let v4 = (0u32..16, 28u8..=32).prop_map(|(low, length)| (IpAddr::from((0x0a00_0000 + low).to_be_bytes()), length));
    let v6 = (0u128..16, 124u8..=128).prop_map(|(low, length)| (IpAddr::from((0xfd << 120 | low).to_be_bytes()), length));
    let everywhere = prop::sample::select(vec!["0.0.0.0/0", "::/0"]).prop_map(|text| {
        let (address, length) = text.split_once('/').unwrap();
        (IpAddr::from_str(address).unwrap(), length.parse().unwrap())
    });
    let networks = prop::collection::vec(prop_oneof![4 => v4, 2 => v6, 1 => everywhere], 0..4);
    let types = prop::collection::vec(prop::sample::select(vec![A, TXT, AAAA]), 0..3);
    (prop::sample::select(vec!["allow", "block", "filter", "drop"]), types, networks)
}

/// Whether the first bits of two addresses are the same.
fn is_in(address: IpAddr, network: IpAddr, length: u8) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.octets().map(|octet| format!("{octet:08b}")).concat(),
        IpAddr::V6(v6) => v6.octets().map(|octet| format!("{octet:08b}")).concat(),
    };
    address.is_ipv4() == network.is_ipv4() && bits(address)[..length.into()] == bits(network)[..length.into()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_search_finds_what_looking_at_each_rule_finds(rules in prop::collection::vec(any_rule(), 0..8), low in 0u8..18, is_v4: bool) {
        let documents: Vec<Value> = rules
            .iter()
            .map(|(action, types, networks)| {
                let networks: Vec<String> = networks.iter().map(|(address, length)| format!("{address}/{length}")).collect();
                rule(action, types, &networks.iter().map(String::as_str).collect::<Vec<_>>())
            })
            .collect();
        let mut server = server(&[list(&["."], &documents)]);
        let client = if is_v4 { format!("10.0.0.{low}") } else { format!("fd00::{low:x}") };
        let address: IpAddr = client.parse().unwrap();
        for (qtype, number) in [("A", A), ("TXT", TXT), ("AAAA", AAAA), ("MX", 15)] {
            let decides = rules.iter().find(|(_, types, networks)| {
                (types.is_empty() || types.contains(&number))
                    && (networks.is_empty() || networks.iter().any(|&(network, length)| is_in(address, network, length)))
            });
            let found = action(&mut server, &Question::new("a.", qtype).from(&client));
            prop_assert_eq!(found, decides.map_or("allow", |(action, ..)| action));
        }
    }
}
