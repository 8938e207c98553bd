//! `rewrite` before a local zone: what it must not change, and what comes back as it was asked.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::ask::{ORIGIN, Question, Server, block, group, members, owner, plan, rrset, zone_op};

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
        // The end of a name is given back in lower case.
        let asked = if upper && how != 2 { asked.to_uppercase() } else { asked };
        let there = server.ask(target, qtype);
        prop_assert!(!there.answer.is_empty());
        let (name, own) = (&asked, target.strip_suffix(ORIGIN).unwrap().trim_end_matches('.'));
        let expected: Vec<String> = there.answer.iter().map(|line| line.replace(own, name)).collect();
        let back = server.ask(&asked, qtype);
        prop_assert_eq!((back.rcode, back.answer), (there.rcode, expected));
    }
}
