//! `rewrite` before a local zone: what it must not change, and what comes back as it was asked.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::ask::{ORIGIN, Question, Server, block, group, members, owner, plan, rrset, whoami, zone_op};

const A: u16 = 1;
const TXT: u16 = 16;

fn rule(how: &str, from: &str, to: &str, auto: bool) -> Value {
    let name = json!({"how": how, "text": from});
    json!({"change": {"field": "name", "name": name, "to": to, "auto": auto, "answers": []}, "stop": true, "span": 0})
}

/// A server with a zone, and rules before it.
fn server(rules: &[Value]) -> Server {
    let many: Vec<String> = (0..40).map(|at| format!("10.0.1.{at}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let server = Server::new(&plan(&[block(".", &[json!({"op": "rewrite", "rules": rules, "span": 0}), zone_op(json!({}))])]));
    server.fill(&[
        owner("web.shop.svc", &[members(&[group(&["http/tcp/80"], &["10.0.0.1 one", "10.0.0.2 two", "fd00::1 one"])])]),
        owner("many", &[rrset(A, &many)]),
        owner("text", &[rrset(TXT, &["x"])]),
    ]);
    server
}

fn hairpin() -> Vec<Value> {
    vec![rule("exact", "shop.example.com.", "web.shop.svc.cluster.local.", true)]
}

/// Rules of each kind about names below `test.`
fn about_others() -> Vec<Value> {
    let rcode = json!({"field": "rcode", "name": {"how": "suffix", "text": ".test."}, "from": 0, "to": 5});
    let ttl = json!({"field": "ttl", "name": {"how": "regex", "text": r"^.*\.test\.$"}, "least": 0, "most": 0});
    let cname = json!({"field": "cname", "name": {"how": "substring", "text": ".test."}, "to": "."});
    let answers = [rcode, ttl, cname].map(|change| json!({"change": change, "stop": false, "span": 0}));
    let names = [
        rule("exact", "web.shop.svc.test.", "many.cluster.local.", true),
        rule("prefix", "web.test.", "many.", true),
        rule("suffix", ".test.", ".cluster.local.", true),
        rule("substring", ".test.", ".cluster.local.", true),
        rule("regex", r"^(.*)\.test\.$", "{1}.cluster.local.", true),
    ];
    answers.into_iter().chain(names).collect()
}

#[test]
fn the_asked_name_comes_back_in_the_letters_of_the_client() {
    let mut server = server(&hairpin());
    let reply = server.ask("Shop.Example.COM.", "A");
    assert_eq!(reply.question, "Shop.Example.COM. A IN");
    assert_eq!(reply.answer, ["Shop.Example.COM. 5 A 10.0.0.1", "Shop.Example.COM. 5 A 10.0.0.2"]);
    assert_eq!(server.ask("shop.example.com.", "SRV").answer[0], "shop.example.com. 5 SRV 0 33 80 one.shop.example.com.");
    assert_eq!(server.ask("shop.example.com.", "AAAA").answer, ["shop.example.com. 5 AAAA fd00::1"]);
}

#[test]
fn datagrams_of_renamed_records_are_as_short_as_others() {
    let rules = [rule("exact", "abcd.efghijkl.lmno.", "many.cluster.local.", true)];
    let mut server = server(&rules);
    let length = |name: &str, server: &mut Server| server.reply(&Question::new(name, "A").udp().edns(4096)).octets.len();
    // Names of the same length.
    assert_eq!(length("abcd.efghijkl.lmno.", &mut server), length("many", &mut server));
    let cut = server.reply(&Question::new("abcd.efghijkl.lmno.", "A").udp());
    assert_eq!((cut.flags.as_str(), cut.octets.len() <= 512, cut.answer.len()), ("aa tc rd", true, 29));
}

#[test]
fn a_denial_is_about_the_name_that_was_found_missing() {
    let mut server = server(&[rule("suffix", ".test.", ".cluster.local.", true)]);
    let reply = server.ask("absent.Test.", "A");
    assert_eq!((reply.rcode.as_str(), reply.authority[0].split(' ').next()), ("NXDOMAIN", Some("@")));
}

#[test]
fn labels_of_the_metadata_are_told_to_upstreams_if_the_block_knows_them() {
    let option = |code: u16, label: &str| {
        let data = json!({"kind": "label", "label": label});
        json!({"change": {"field": "option", "action": "set", "code": code, "data": data, "revert": false, "echo": true}, "stop": false, "span": 0})
    };
    let rules = [option(0xffe0, "view/name"), option(0xffe1, "view/none"), option(0xffe2, "view/empty")];
    let mut block = block(".", &[json!({"op": "rewrite", "rules": rules, "span": 0}), whoami()]);
    let text = |text: &str| json!({"is": "text", "text": text});
    block["metadata"] = json!({"zones": ["inside."], "labels": {"view/name": text("one"), "view/empty": text("")}, "names": []});
    let mut server = Server::new(&plan(&[block]));
    assert_eq!(server.reply_with_options(&Question::new("a.inside.", "A")).options, [(0xffe0, b"one".to_vec())]);
    assert_eq!(server.reply(&Question::new("a.outside.", "A")).edns, None);
}

#[test]
fn a_name_may_become_itself_so_that_its_answer_changes() {
    let name = json!({"how": "suffix", "text": ".svc.cluster.local."});
    let answers = [json!({"part": "value", "pattern": r"(?i)^(.*)\.web\.shop\.svc\..*$", "to": "{1}.outside."})];
    let change = json!({"field": "name", "name": name, "to": ".svc.cluster.local.", "auto": false, "answers": answers});
    let mut server = server(&[json!({"change": change, "stop": true, "span": 0})]);
    let reply = server.ask("web.shop.svc", "SRV");
    assert_eq!(reply.answer, ["web.shop.svc 5 SRV 0 33 80 one.outside.", "web.shop.svc 5 SRV 0 33 80 two.outside."]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rules_about_other_names_change_nothing(
        name in prop_oneof![
            Just("web.shop.svc"), Just("WEB.shop.svc"), Just("many"), Just("text"), Just("absent"), Just("@"), Just("test"), Just("a.test.b"),
            Just("example.org."), Just("."), Just(r"a\.test."),
        ],
        qtype in prop_oneof![Just("A"), Just("AAAA"), Just("SRV"), Just("TXT"), Just("SOA"), Just("ANY")],
        size in prop::option::of(512..4096u16),
    ) {
        let ask = |mut server: Server| {
            let question = Question::new(name, qtype).udp();
            let question = match size {
                Some(size) => question.edns(size),
                None => question,
            };
            server.send(&question.octets(), &question)
        };
        prop_assert_eq!(ask(server(&about_others())), ask(server(&[])));
    }

    /// There and back, by every kind of rule that says so: the records are those of the new name, and belong to the asked one.
    #[test]
    fn an_answer_belongs_to_the_name_that_was_asked(
        name in "[a-z]{1,9}(-[a-z0-9]{1,9})?",
        qtype in prop_oneof![Just("A"), Just("AAAA"), Just("SRV")],
        how in 0..5usize,
        upper in any::<bool>(),
    ) {
        let target = "web.shop.svc.cluster.local.";
        let asked = format!("{name}.example.com.");
        let rules = match how {
            0 => rule("exact", &asked, target, true),
            1 => rule("prefix", &asked, target, true),
            2 => rule("suffix", &asked, target, true),
            3 => rule("substring", &asked, target, true),
            _ => rule("regex", &format!("^{name}\\.example\\.com\\.$"), target, true),
        };
        let mut server = server(&[rules]);
        let asked = if upper { asked.to_uppercase() } else { asked };
        let there = server.ask(target, qtype);
        prop_assert!(!there.answer.is_empty());
        let own = target.strip_suffix(ORIGIN).unwrap().trim_end_matches('.');
        // Names below the new one that end like it get the end of the rule.
        let below = if how == 2 { asked.to_lowercase() } else { asked.clone() };
        let renamed = |line: &String| line.replace(&format!(".{own}"), &format!(".{below}")).replace(own, &asked);
        let expected: Vec<String> = there.answer.iter().map(renamed).collect();
        let back = server.ask(&asked, qtype);
        prop_assert_eq!((back.rcode, back.answer), (there.rcode, expected));
    }
}
