//! The op `template`: records made from the question (recorded: `template-*`).

use core_dns::engine::Engine;
use domain::base::iana::Class;
use serde_json::{Value, json};

use crate::ask::{Edns, Question, Server, block, owner, plan, rrset, whoami, zone_op};

const GOLDEN: &str = include_str!("../../../../tests/plans/template.json");

const A: u16 = 1;
const TXT: u16 = 16;
const ANY: u16 = 255;

/// A record that is always the same.
fn fixed(text: &str) -> Value {
    json!({"source": text, "pieces": [{"piece": "text", "text": text}]})
}

/// A record of the name that was asked, and the rest of its text.
fn of_name(rest: &str) -> Value {
    let name = json!({"piece": "print", "value": {"term": "field", "of": {"term": "data"}, "name": "Name"}});
    json!({"source": format!("{{{{.Name}}}} {rest}"), "pieces": [name, {"piece": "text", "text": format!(" {rest}")}]})
}

/// A rule for a type in the class IN, with what is different.
fn rule(qtype: u16, different: Value) -> Value {
    let mut rule = json!({
        "qclass": 1, "qtype": qtype, "zones": ["."], "patterns": [], "answer": [], "authority": [], "additional": [],
        "rcode": 0, "extended_error": null, "fallthrough": [], "span": 0,
    });
    let Value::Object(different) = different else { panic!("fields") };
    rule.as_object_mut().unwrap().extend(different);
    rule
}

fn template(rules: &[Value]) -> Value {
    json!({"op": "template", "rules": rules, "span": 0})
}

fn server(rules: &[Value]) -> Server {
    Server::new(&plan(&[block(".", &[template(rules), whoami()])]))
}

/// Whether the next op has had the question.
fn goes_on(server: &mut Server, question: &Question) -> bool {
    server.reply(question).additional.len() == 2
}

#[test]
fn the_golden_plan_answers() {
    let mut server = Server::new(&serde_json::from_str(GOLDEN).unwrap());
    let reply = server.reply_with_options(&Question::new("a.Invalid.", "MX").edns(1232));
    assert_eq!((reply.rcode.as_str(), reply.flags.as_str()), ("NXDOMAIN", "aa rd"));
    assert_eq!(reply.authority, ["invalid. 60 SOA ns.invalid. hostmaster.invalid. 1 60 60 60 60"]);
    assert_eq!(reply.options, [(15, b"\0\x15not in this world".to_vec())]);
    assert_eq!(reply.edns, Some(Edns { size: 1232, dnssec_ok: true }));
    for (name, address) in [("IP-10-1-2-3.example.", "10.1.2.3"), ("ip0a0a0bff.hex.example.", "10.10.11.255")] {
        let reply = server.ask(name, "A");
        assert_eq!(reply.answer, [format!("{} 60 A {address}", name.to_lowercase())], "the owner is in lower case");
        assert_eq!(
            (reply.authority, reply.additional),
            (vec!["example. 60 NS ns0.example.".into()], vec!["ns0.example. 60 A 203.0.113.8".into()])
        );
    }
    assert_eq!(server.ask("3.2.1.10.in-addr.arpa.", "PTR").answer, ["3.2.1.10.in-addr.arpa. 60 PTR ip-10-3-2-1.example."]);
    assert!(goes_on(&mut server, &Question::new("www.example.", "A")), "it falls through");
    assert!(goes_on(&mut server, &Question::new("ip-10-1-2-3.example.", "AAAA")), "another type");
    let reply = server.ask("x.10.in-addr.arpa.", "PTR");
    assert_eq!((reply.rcode.as_str(), reply.flags.as_str()), ("SERVFAIL", "rd"), "no pattern has it, and nothing falls through");
}

#[test]
fn class_and_type_fit_or_are_any() {
    let mut server =
        server(&[rule(A, json!({"answer": [of_name("TXT in")]})), rule(ANY, json!({"qclass": 255, "answer": [of_name("CH TXT any")]}))]);
    for (qtype, class, answer) in
        [("A", Class::IN, "a. 3600 TXT \"in\""), ("ANY", Class::IN, "a. 3600 TXT \"in\""), ("MX", Class::IN, "a. 3600 CH TXT \"any\"")]
    {
        assert_eq!(server.reply(&Question::new("a.", qtype).class(class)).answer, [answer], "{qtype} {class}");
    }
    assert_eq!(server.reply(&Question::new("a.", "A").class(Class::CH)).rcode, "REFUSED", "a template lets no class in");
}

#[test]
fn names_that_no_pattern_has_fall_through_where_they_may() {
    let some = |pattern: &str, fallthrough: &[&str]| json!({"patterns": [pattern], "fallthrough": fallthrough, "answer": [of_name("A 192.0.2.1")]});
    let mut server = server(&[rule(A, some("^a[.]", &["example.org.", "test."])), rule(A, some("^b[.]", &["example.org."]))]);
    for (name, rcode) in
        [("a.example.org.", "NOERROR"), ("b.example.org.", "NOERROR"), ("a.", "NOERROR"), ("c.test.", "SERVFAIL"), ("b.", "SERVFAIL")]
    {
        let reply = server.ask(name, "A");
        assert_eq!((reply.rcode.as_str(), reply.answer.len()), (rcode, usize::from(rcode == "NOERROR")), "{name}");
    }
    assert!(goes_on(&mut server, &Question::new("c.example.org.", "A")));
    assert!(goes_on(&mut server, &Question::new("c.test.", "TXT")));
}

fn call(function: &str, arguments: &[Value]) -> Value {
    json!({"is": "call", "function": function, "arguments": arguments})
}

fn constant(value: impl Into<Value>) -> Value {
    json!({"is": "constant", "value": value.into()})
}

/// Whether an expression is equal to a text or number.
fn is(left: Value, value: impl Into<Value>) -> Value {
    json!({"is": "compare", "by": "==", "left": left, "right": constant(value)})
}

fn variable(name: &str) -> Value {
    json!({"is": "variable", "name": name})
}

fn set(name: &str, expression: Value) -> Value {
    json!({"name": name, "text": "as told", "expression": expression})
}

/// A TXT record that tells a variable.
fn told(name: &str) -> Value {
    let of = json!({"term": "field", "of": {"term": "data"}, "name": "Var"});
    json!({"source": "", "pieces": [
        {"piece": "text", "text": "x. TXT \""},
        {"piece": "print", "value": {"term": "field", "of": of, "name": name}},
        {"piece": "text", "text": "\""},
    ]})
}

#[test]
fn variables_are_computed_in_their_order_and_told() {
    let variables = [
        set("a", call("int", &[call("group", &[constant("n")])])),
        set("b", call("+", &[variable("a"), constant(1)])),
        set("c", json!({"is": "list", "of": [call("group", &[constant(0)]), json!({"is": "fact", "name": "type"})]})),
    ];
    let told = ["a", "b", "c", "d"].map(told);
    let mut server = server(&[rule(TXT, json!({"patterns": ["^(?P<n>[0-9]+)[.]"], "variables": variables, "answer": told}))]);
    let answer = ["41", "42", "[41. TXT]", "<no value>"].map(|text| format!("x. 3600 TXT \"{text}\""));
    assert_eq!(server.ask("41.example.org.", "TXT").answer, answer);
}

#[test]
fn where_a_condition_is_false_it_is_as_if_no_pattern_had_the_name() {
    let conditions = [is(variable("n"), 7), is(call("group", &[constant(1)]), "7")].map(|of| json!({"text": "as told", "expression": of}));
    let seven = |fallthrough: &[&str]| {
        json!({
            "patterns": ["^([0-9])"], "variables": [set("n", call("int", &[call("group", &[constant(1)])]))], "conditions": conditions,
            "fallthrough": fallthrough, "answer": [of_name("A 192.0.2.7")],
        })
    };
    let mut server = server(&[rule(A, seven(&["test."])), rule(A, json!({"answer": [of_name("A 192.0.2.1")]}))]);
    for (name, answer) in
        [("7.test.", "7.test. 3600 A 192.0.2.7"), ("8.test.", "8.test. 3600 A 192.0.2.1"), ("7.org.", "7.org. 3600 A 192.0.2.7")]
    {
        assert_eq!(server.ask(name, "A").answer, [answer]);
    }
    let reply = server.ask("8.org.", "A");
    assert_eq!((reply.rcode.as_str(), reply.flags.as_str()), ("SERVFAIL", "rd"), "it falls through for names in test. alone");
}

#[test]
fn what_has_no_value_fails_and_nothing_falls_through() {
    let nonsense = || call("int", &[call("group", &[constant(0)])]);
    let patterns = json!({"patterns": ["^a"], "fallthrough": ["."], "answer": [of_name("A 192.0.2.1")]});
    let with = |field: &str, value: Value| {
        let mut rule = patterns.clone();
        rule[field] = value;
        rule
    };
    for different in [
        with("variables", json!([set("n", nonsense())])),
        with("conditions", json!([{"text": "", "expression": is(nonsense(), 1)}])),
        with("conditions", json!([{"text": "", "expression": constant(1)}])),
        with("conditions", json!([{"text": "", "expression": {"is": "item"}}])),
    ] {
        let mut server = server(&[rule(A, different.clone())]);
        assert_eq!(server.ask("a.", "A").rcode, "SERVFAIL", "{different}");
        assert!(goes_on(&mut server, &Question::new("b.", "A")), "nothing is computed for a name that no pattern has: {different}");
    }
}

#[test]
fn a_rule_is_for_its_zones_and_knows_the_longest_that_has_the_name() {
    let zone = json!({"source": "", "pieces": [
        {"piece": "text", "text": "x. TXT "},
        {"piece": "print", "value": {"term": "field", "of": {"term": "data"}, "name": "Zone"}},
    ]});
    let mut server = server(&[rule(A, json!({"zones": ["org.", "Example.org.", "a.b.example.org."], "answer": [zone]}))]);
    for (name, zone) in [("www.example.ORG.", "Example.org."), ("b.example.org.", "Example.org."), ("x.org.", "org.")] {
        assert_eq!(server.ask(name, "A").answer, [format!("x. 3600 TXT \"{zone}\"")]);
    }
    assert!(goes_on(&mut server, &Question::new("xorg.", "A")));
}

#[test]
fn a_response_code_may_be_all_that_is_said() {
    for (rcode, name, flags) in [(3, "NXDOMAIN", "aa rd"), (5, "REFUSED", "aa rd"), (0, "NOERROR", "aa rd"), (2, "SERVFAIL", "rd")] {
        let reply =
            server(&[rule(ANY, json!({"rcode": rcode, "answer": if rcode == 2 { vec![fixed("a. A 192.0.2.1")] } else { vec![] }}))])
                .ask("a.", "A");
        assert_eq!((reply.rcode.as_str(), reply.flags.as_str(), reply.answer.len()), (name, flags, 0));
    }
}

#[test]
fn a_text_that_is_empty_is_no_record() {
    let if_a = json!({"source": "", "pieces": [{"piece": "text", "text": " "}, {"piece": "if", "otherwise": [], "branches": [{
        "value": {"term": "call", "function": "eq", "arguments": [
            {"term": "field", "of": {"term": "data"}, "name": "Name"}, {"term": "constant", "value": "a."},
        ]},
        "then": [{"piece": "text", "text": "b. A 192.0.2.1"}],
    }]}]});
    let mut server = server(&[rule(A, json!({"answer": [if_a], "additional": [fixed("c. A 192.0.2.2")]}))]);
    // The blank in front makes a line without an owner.
    assert_eq!(server.ask("a.", "A").rcode, "SERVFAIL");
    let reply = server.ask("b.", "A");
    assert_eq!((reply.rcode.as_str(), reply.answer.len(), reply.additional.len()), ("NOERROR", 0, 1));
}

#[test]
fn what_is_no_record_is_a_failure_and_logged() {
    let errors = json!({"op": "errors", "span": 0});
    let call = json!({"term": "call", "function": "index", "arguments": [{"term": "field", "of": {"term": "data"}, "name": "Match"}, {"term": "constant", "value": 1}]});
    let broken = json!({"source": "", "pieces": [{"piece": "print", "value": call}]});
    let rules = [rule(A, json!({"answer": [fixed("x. A 192.0.2.1"), of_name("A 999.0.0.1")]})), rule(TXT, json!({"answer": [broken]}))];
    let mut server = Server::new(&plan(&[block(".", &[errors, template(&rules)])]));
    let logged = server.logged();
    for qtype in ["A", "TXT"] {
        let reply = server.ask("A.example.org.", qtype);
        assert_eq!((reply.rcode.as_str(), reply.flags.as_str(), reply.answer.len()), ("SERVFAIL", "rd", 0));
    }
    let told = logged.lock().unwrap();
    assert_eq!(
        *told,
        [
            "[ERROR] plugin/errors: 2 a.example.org. A: dns: bad A A: \"999.0.0.1\" at line: 1:26",
            "[ERROR] plugin/errors: 2 a.example.org. TXT: error calling index: index out of range: 1",
        ]
    );
}

#[test]
fn aliases_are_followed_through_the_server_for_addresses() {
    let alias = |to: &str| of_name(&format!("60 IN CNAME {to}"));
    let rules = [rule(
        ANY,
        json!({"zones": ["alias."], "answer": [alias("web.cluster.local."), alias("nobody.cluster.local."), alias("db.cluster.local.")]}),
    )];
    let looped = [rule(ANY, json!({"zones": ["loop."], "answer": [alias("x.loop.")]}))];
    let mut server =
        Server::new(&plan(&[block(".", &[template(&[rules, looped].concat()), whoami()]), block("cluster.local.", &[zone_op(json!({}))])]));
    server.fill(&[owner("web", &[rrset(A, &["10.0.0.1"])]), owner("db", &[rrset(A, &["10.0.0.2"])])]);
    let reply = server.ask("www.alias.", "A");
    assert_eq!((reply.rcode.as_str(), reply.flags.as_str(), reply.authority.len()), ("NOERROR", "aa rd", 0));
    assert_eq!(
        reply.answer,
        ["www.alias. 60 CNAME web", "www.alias. 60 CNAME nobody", "www.alias. 60 CNAME db", "web 5 A 10.0.0.1", "db 5 A 10.0.0.2",]
    );
    assert_eq!(server.ask("www.alias.", "TXT").answer.len(), 3, "only for addresses");
    assert_eq!(server.ask("a.loop.", "A").answer, ["a.loop. 60 CNAME x.loop.", "x.loop. 60 CNAME x.loop."], "what leads to itself ends");
}

#[test]
fn what_cannot_run_is_refused() {
    let refused = |different: Value| {
        let engine = Engine::new();
        let plan = plan(&[block(".", &[template(&[rule(A, different)])])]);
        engine.prepare(plan.to_string().as_bytes()).map(|_| panic!("a plan that cannot run")).unwrap_err().to_string()
    };
    for (different, why) in [
        (json!({"answer": [fixed("a. A 999.0.0.1")]}), "bad A A"),
        (json!({"answer": [{"source": "", "pieces": []}]}), "there is no record"),
        (json!({"patterns": ["("]}), "("),
        (json!({"zones": ["a..b"]}), "a..b has an empty label"),
        (json!({"fallthrough": ["a..b"]}), "a..b has an empty label"),
        (json!({"variables": [set("a", variable("b")), set("b", constant(1))]}), "the variable a (as told): there is no variable b"),
        (json!({"conditions": [{"text": "no > 1", "expression": variable("no")}]}), "no > 1: there is no variable no"),
        (json!({"conditions": [{"text": "", "expression": call("exec", &[])}]}), "exec"),
        (
            json!({"answer": [{"source": "", "pieces": [{"piece": "print", "value": {"term": "call", "function": "exec", "arguments": []}}]}]}),
            "exec",
        ),
    ] {
        let told = refused(different);
        assert!(told.contains(why), "{told}");
    }
}
