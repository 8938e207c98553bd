//! Views: which of several blocks for one zone answers, and what conditions know of a query.

use std::time::Duration;

use core_dns::client::{Client, Transport};
use core_dns::engine::Engine;
use core_dns::machine::{Machine, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::ask::{LISTENER, Question, Server, owner, plan, rrset, zone_op};

/// A block whose answers are all the same address.
fn block(zone: &str, answer: &str, view: Value) -> Value {
    let op = zone_op(json!({"zone": answer, "origins": [{"name": ".", "reverse": false}], "exists": []}));
    let mut block = json!({"zone": zone, "listeners": [LISTENER], "program": [op], "span": 0});
    block.as_object_mut().unwrap().extend(view.as_object().unwrap().clone());
    block
}

/// A view with one condition.
fn view(name: &str, expression: Value) -> Value {
    json!({"view": name, "when": [{"text": "as told", "expression": expression}]})
}

/// A server with these blocks, each of which answers with its own address.
fn server(blocks: &[Value]) -> Server {
    let server = Server::new(&plan(blocks));
    for (number, block) in blocks.iter().enumerate() {
        let answer = block["program"][0]["zone"].as_str().unwrap();
        server.apply(answer, &json!([[owner("*", &[rrset(1, &[answer])]), owner("", &[rrset(1, &[answer])])], number + 1, true, true]));
    }
    server
}

/// Who answers: the address, or for other types the number in its SOA.
fn who(server: &mut Server, question: &Question) -> String {
    let reply = server.reply(question);
    match (reply.answer.first(), reply.authority.first()) {
        (Some(record), _) => record.rsplit(' ').next().unwrap().to_owned(),
        (None, Some(soa)) => format!("10.0.0.{}", soa.split(' ').nth(5).unwrap()),
        (None, None) => reply.rcode,
    }
}

fn fact(name: &str) -> Value {
    json!({"is": "fact", "name": name})
}

fn constant(value: impl Into<Value>) -> Value {
    json!({"is": "constant", "value": value.into()})
}

fn compare(left: Value, by: &str, right: Value) -> Value {
    json!({"is": "compare", "by": by, "left": left, "right": right})
}

fn is(name: &str, value: impl Into<Value>) -> Value {
    compare(fact(name), "==", constant(value))
}

fn is_equal(left: Value, value: impl Into<Value>) -> Value {
    compare(left, "==", constant(value))
}

fn in_network(address: Value, network: &str) -> Value {
    json!({"is": "in_network", "address": address, "network": network})
}

fn not(of: Value) -> Value {
    json!({"is": "not", "of": of})
}

#[test]
fn of_several_blocks_for_a_zone_the_first_whose_conditions_are_true_answers() {
    let both = json!({"view": "both", "when": [
        {"text": "", "expression": in_network(fact("client_ip"), "192.0.2.0/24")}, {"text": "", "expression": is("type", "A")}]});
    let blocks = [
        block(".", "10.0.0.1", view("one", is("name", "a.example.org."))),
        block(".", "10.0.0.2", both),
        block(".", "10.0.0.3", json!({})),
        block(".", "10.0.0.4", view("never", constant(true))),
    ];
    let mut server = server(&blocks);
    for (question, answer) in [
        (Question::new("A.example.ORG.", "A").from("198.51.100.1"), "10.0.0.1"),
        (Question::new("b.example.org.", "A").from("192.0.2.77"), "10.0.0.2"),
        (Question::new("b.example.org.", "A").from("::ffff:192.0.2.77"), "10.0.0.2"),
        (Question::new("b.example.org.", "A").from("198.51.100.1"), "10.0.0.3"),
        (Question::new("b.example.org.", "A").from("2001:db8::1"), "10.0.0.3"),
    ] {
        assert_eq!(who(&mut server, &question), answer);
    }
}

#[test]
fn where_no_view_takes_a_query_shorter_zones_are_asked_and_then_it_is_refused() {
    let mut narrow = server(&[block("example.org.", "10.0.0.1", view("v", is("type", "A")))]);
    assert_eq!(who(&mut narrow, &Question::new("a.example.org.", "A")), "10.0.0.1");
    assert_eq!(who(&mut narrow, &Question::new("a.example.org.", "AAAA")), "REFUSED");
    let mut both =
        server(&[block("example.org.", "10.0.0.1", view("v", is("do", true))), block(".", "10.0.0.2", view("w", not(is("size", 0))))]);
    assert_eq!(who(&mut both, &Question::new("a.example.org.", "A").opt(1232, 0, true)), "10.0.0.1");
    assert_eq!(who(&mut both, &Question::new("a.example.org.", "A")), "10.0.0.2");
}

#[test]
fn ds_comes_to_the_block_of_the_parent_that_takes_it() {
    let blocks = [
        block("example.org.", "10.0.0.1", json!({})),
        block("org.", "10.0.0.2", view("v", is("type", "A"))),
        block("org.", "10.0.0.3", view("v", is("type", "DS"))),
    ];
    let mut server = server(&blocks);
    assert_eq!(who(&mut server, &Question::new("example.org.", "A")), "10.0.0.1");
    assert_eq!(who(&mut server, &Question::new("example.org.", "DS")), "10.0.0.3");
}

#[test]
fn a_block_with_nothing_but_a_view_fails() {
    let empty = |more: Value| {
        let mut block = json!({"zone": ".", "listeners": [LISTENER], "program": [], "span": 0});
        block.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Server::new(&plan(&[block])).ask("a.example.org.", "A").rcode
    };
    assert_eq!([empty(json!({})), empty(json!({"view": "v"}))], ["REFUSED", "SERVFAIL"]);
}

#[test]
fn two_blocks_that_take_all_are_one_too_many() {
    let prepare = |second: Value| {
        let plan =
            plan(&[block(".", "10.0.0.1", view("v", constant(true))), block(".", "10.0.0.2", json!({})), block(".", "10.0.0.3", second)]);
        Engine::new().prepare(plan.to_string().as_bytes()).map(drop).map_err(|why| why.to_string())
    };
    assert_eq!(prepare(json!({})), Err("block .: served twice on :53".to_owned()));
    assert_eq!(prepare(json!({"view": "w"})), Ok(()));
}

/// Whether an expression is true of a question over UDP from 192.0.2.1:4321 to 192.0.2.53:53.
fn holds(question: &Question, expression: Value) -> bool {
    let blocks = [block(".", "10.0.0.1", view("v", expression)), block(".", "10.0.0.2", json!({}))];
    who(&mut server(&blocks), question) == "10.0.0.1"
}

#[test]
fn every_fact_is_what_coredns_says() {
    let question = || Question::new(r"W\032x.Example.", "SRV").udp();
    for fact in [
        is("class", "IN"),
        is("client_ip", "192.0.2.1"),
        is("do", false),
        is("id", 0x1234),
        is("name", r"w\ x.example."),
        is("opcode", 0),
        is("port", "4321"),
        is("proto", "udp"),
        is("server_ip", "192.0.2.53"),
        is("server_port", "53"),
        is("size", 29),
        is("type", "SRV"),
        is("bufsize", 512),
    ] {
        assert!(holds(&question(), fact.clone()), "{fact}");
        assert!(!holds(&question(), not(fact.clone())), "not {fact}");
    }
    assert!(holds(&question().opt(4096, 0, true), json!({"is": "all", "of": [is("do", true), is("bufsize", 4096)]})));
    assert!(holds(
        &Question::new("a.", "TYPE65280"),
        json!({"is": "all", "of": [is("type", "TYPE65280"), is("proto", "tcp"), is("bufsize", 65535)]})
    ));
    assert!(holds(&question().from("2001:db8::7"), is("client_ip", "2001:db8::7")));
}

#[test]
fn values_of_one_type_are_compared_by_their_order() {
    let question = Question::new("web.example.org.", "A").udp();
    let text = |by: &str, other: &str| compare(fact("name"), by, constant(other));
    let number = |by: &str, other: i64| compare(fact("size"), by, constant(other));
    for (truth, expression) in [
        (true, text("startsWith", "web.")),
        (false, text("startsWith", "example.")),
        (true, text("endsWith", ".org.")),
        (false, text("endsWith", ".org")),
        (true, text("contains", "example")),
        (false, text("contains", "nosuch")),
        (true, text("<", "x")),
        (false, text(">=", "x")),
        (true, number(">", 32)),
        (false, number(">", 33)),
        (true, number("<=", 33)),
        (true, number("!=", -1)),
        (true, json!({"is": "one_of", "value": fact("type"), "among": [constant("TXT"), constant("A")]})),
        (false, json!({"is": "one_of", "value": fact("type"), "among": []})),
        (true, json!({"is": "matches", "text": fact("name"), "pattern": r"^w.b\..*\.org\.$"})),
        (false, json!({"is": "matches", "text": fact("name"), "pattern": "WEB"})),
        (true, json!({"is": "any", "of": [constant(false), is("type", "A")]})),
        (false, json!({"is": "any", "of": []})),
        (true, json!({"is": "all", "of": []})),
        (
            true,
            compare(
                json!({"is": "choice", "condition": is("type", "A"), "then": constant("x"), "otherwise": fact("name")}),
                "==",
                constant("x"),
            ),
        ),
        (true, json!({"is": "choice", "condition": is("type", "B"), "then": fact("do"), "otherwise": not(fact("do"))})),
    ] {
        assert_eq!(holds(&question, expression.clone()), truth, "{expression}");
    }
}

#[test]
fn what_makes_no_sense_is_true_in_no_way() {
    let question = Question::new("web.example.org.", "A");
    for nonsense in [
        in_network(fact("name"), "::/0"),
        compare(fact("size"), "==", constant("1")),
        compare(fact("do"), "<", constant(true)),
        compare(constant(1), "contains", constant(1)),
        json!({"is": "matches", "text": fact("size"), "pattern": ""}),
        fact("name"),
        constant(7),
        json!({"is": "item"}),
        json!({"is": "list", "of": []}),
        json!({"is": "call", "function": "lower", "arguments": []}),
        is_equal(json!({"is": "call", "function": "%", "arguments": [constant(1), constant(0)]}), 0),
        is_equal(json!({"is": "call", "function": "int", "arguments": [constant("x")]}), 0),
        json!({"is": "each", "by": "all", "list": fact("name"), "then": constant(true)}),
        compare(json!({"is": "list", "of": []}), "<", json!({"is": "list", "of": [constant(1)]})),
    ] {
        assert!(!holds(&question, nonsense.clone()), "{nonsense}");
        assert!(!holds(&question, not(nonsense.clone())), "not {nonsense}");
        assert!(!holds(&question, json!({"is": "any", "of": [nonsense, constant(true)]})));
    }
}

#[test]
fn the_target_of_an_alias_goes_to_the_block_that_takes_it() {
    let blocks = [
        block("one.", "10.0.0.1", json!({})),
        block("two.", "10.0.0.2", view("v", json!({"is": "all", "of": [is("name", "target.two."), is("client_ip", "192.0.2.9")]}))),
        block("two.", "10.0.0.3", json!({})),
    ];
    let mut blocks = blocks;
    blocks[0]["program"][0]["origins"] = json!([{"name": "one.", "reverse": false}]);
    let mut server = server(&blocks);
    server.apply("10.0.0.1", &json!([[owner("a", &[rrset(5, &["target.two."])])], 1, true, true]));
    let mut last = |ip: &str| server.reply(&Question::new("a.one.", "A").from(ip)).answer.pop().unwrap();
    assert_eq!(last("192.0.2.9"), "target.two. 5 A 10.0.0.2");
    assert_eq!(last("192.0.2.8"), "target.two. 5 A 10.0.0.3");
}

/// Metadata: the values that the zone has for the client's address, parts of the name, and one that is always the same.
fn metadata(zones: &[&str]) -> Value {
    let kinds = json!([[], [{"label": "part/first"}], [{"label": "part/first"}, {"label": "part/second", "prefix": "_"}]]);
    json!({
        "zones": zones,
        "labels": {
            "client/of": {"is": "address", "zone": "10.0.0.2", "at": 0},
            "client/who": {"is": "address", "zone": "10.0.0.2", "at": 1},
            "view/name": {"is": "text", "text": "v"},
            "forward/upstream": {"is": "upstream"},
        },
        "names": [{"origins": ["example.org."], "shapes": kinds, "error": "part/error", "message": "too long"}],
    })
}

fn label(label: &str, value: &str) -> Value {
    compare(json!({"is": "label", "label": label}), "==", constant(value))
}

fn labelled(zones: &[&str], expression: Value) -> Server {
    let mut with_labels = view("v", expression);
    with_labels["metadata"] = metadata(zones);
    server(&[block(".", "10.0.0.1", with_labels), block(".", "10.0.0.2", json!({}))])
}

#[test]
fn a_zone_knows_its_clients_by_their_addresses() {
    let shop = json!({"is": "all", "of": [label("client/of", "shop"), label("client/who", "web-0")]});
    let mut server = labelled(&["."], shop);
    let ask = |server: &mut Server, ip: &str| who(server, &Question::new("a.example.org.", "A").from(ip));
    let rows = |rows: Value, replace: bool| json!([[], 1, replace, true, false, rows]);
    assert_eq!(ask(&mut server, "192.0.2.1"), "10.0.0.2");
    server.apply(
        "10.0.0.2",
        &rows(json!([["192.0.2.1", ["shop", "web-0"]], ["fd00::1", ["shop", "web-0"]], ["192.0.2.2", ["shop", null]]]), false),
    );
    for (ip, answer) in [("192.0.2.1", "10.0.0.1"), ("::ffff:192.0.2.1", "10.0.0.1"), ("fd00::1", "10.0.0.1"), ("192.0.2.2", "10.0.0.2")] {
        assert_eq!(ask(&mut server, ip), answer, "{ip}");
    }
    server.apply("10.0.0.2", &rows(json!([["192.0.2.1", []], ["192.0.2.2", ["shop", "web-0"]]]), false));
    assert_eq!([ask(&mut server, "192.0.2.1"), ask(&mut server, "192.0.2.2")], ["10.0.0.2", "10.0.0.1"]);
    let applied = server.apply(
        "10.0.0.2",
        &json!([[owner("*", &[rrset(1, &["10.0.0.2"])])], 1, true, true, false, [["192.0.2.3", ["shop", "web-0"]], ["nonsense", []]]]),
    );
    assert_eq!(applied.problems, ["nonsense is no address"]);
    assert_eq!([ask(&mut server, "192.0.2.2"), ask(&mut server, "192.0.2.3")], ["10.0.0.2", "10.0.0.1"], "a relist replaces");
}

#[test]
fn labels_are_parts_of_the_name_and_constants() {
    for (expression, name, truth) in [
        (label("part/first", "b"), "a.b.example.org.", true),
        (label("part/second", "a"), "_a.b.example.org.", true),
        (label("part/second", ""), "b.example.org.", true),
        (label("part/error", "too long"), "a.b.c.example.org.", true),
        (label("part/first", ""), "a.b.c.example.org.", true),
        (label("part/first", "example"), "a.example.com.", false),
        (label("view/name", "v"), "a.example.com.", true),
        (label("no/such", ""), "a.example.com.", true),
        (label("forward/upstream", ""), "a.example.com.", true),
    ] {
        let mut server = labelled(&["."], expression.clone());
        assert_eq!(who(&mut server, &Question::new(name, "A")) == "10.0.0.1", truth, "{name}: {expression}");
    }
    let mut elsewhere = labelled(&["example.org."], label("view/name", "v"));
    assert_eq!(who(&mut elsewhere, &Question::new("a.example.com.", "A")), "10.0.0.2", "only names in the zones have labels");
    assert_eq!(who(&mut elsewhere, &Question::new("a.example.org.", "A")), "10.0.0.1");
}

#[test]
fn an_explanation_tells_which_view_it_is_and_why_no_other() {
    let condition = json!({"is": "any", "of": [is("type", "TXT"), in_network(fact("client_ip"), "10.0.0.0/8")]});
    let blocks = [
        block(".", "10.0.0.1", view("one", condition)),
        block(".", "10.0.0.2", view("two", label("no/such", ""))),
        block(".", "10.0.0.3", json!({})),
    ];
    let engine = server(&blocks).engine;
    let mut machine = Machine::new(engine, 7, || 0);
    let client =
        Client { address: "192.0.2.1:1".parse().unwrap(), local: "192.0.2.53:53".parse().unwrap(), listener: 0, transport: Transport::Tcp };
    let (verdict, trace) = machine.explain(Duration::ZERO, &client, &Question::new("a.example.org.", "A").octets(), &mut Vec::new());
    assert_eq!(verdict, Verdict::Reply);
    let notes: Vec<_> = trace.unwrap().steps.into_iter().filter(|step| step.what == "view").map(|step| step.detail).collect();
    assert_eq!(
        notes,
        [
            "one is not for this query: as told is false, as type() is 'A' and client_ip() is '192.0.2.1'",
            "two is for this query: as told is true, as metadata('no/such') is ''",
        ]
    );
}

const FUNCTIONS: [&str; 28] = [
    "+",
    "-",
    "*",
    "%",
    "in",
    "index",
    "slice",
    "incidr",
    "group",
    "abs",
    "hasPrefix",
    "hasSuffix",
    "indexOf",
    "int",
    "join",
    "lastIndexOf",
    "len",
    "lower",
    "max",
    "min",
    "repeat",
    "replace",
    "split",
    "string",
    "trim",
    "trimPrefix",
    "trimSuffix",
    "upper",
];
const EACH: [&str; 7] = ["all", "any", "none", "one", "count", "filter", "map"];

fn any_expression() -> impl Strategy<Value = Value> {
    let facts =
        ["bufsize", "class", "client_ip", "do", "id", "name", "opcode", "port", "proto", "server_ip", "server_port", "size", "type"];
    let leaf = prop_oneof![
        any::<bool>().prop_map(constant),
        Just(json!({"is": "item"})),
        any::<i64>().prop_map(constant),
        "[a-z.0-9\\PC]{0,12}".prop_map(constant),
        prop::sample::select(facts.to_vec()).prop_map(fact),
        prop::sample::select(vec!["client/of", "part/second", "part/error", "view/name", "no/such"])
            .prop_map(|label| json!({"is": "label", "label": label})),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let by = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">=", "startsWith", "endsWith", "contains"]);
        let many = prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            inner.clone().prop_map(not),
            inner.clone().prop_map(|of| in_network(of, "0.0.0.0/0")),
            inner.clone().prop_map(|of| json!({"is": "matches", "text": of, "pattern": "[a-z]+"})),
            (inner.clone(), by, inner.clone()).prop_map(|(left, by, right)| compare(left, by, right)),
            many.clone().prop_map(|of| json!({"is": "all", "of": of})),
            many.clone().prop_map(|of| json!({"is": "any", "of": of})),
            (inner.clone(), many.clone()).prop_map(|(value, among)| json!({"is": "one_of", "value": value, "among": among})),
            many.clone().prop_map(|of| json!({"is": "list", "of": of})),
            (prop::sample::select(FUNCTIONS.to_vec()), many)
                .prop_map(|(function, arguments)| json!({"is": "call", "function": function, "arguments": arguments})),
            (prop::sample::select(EACH.to_vec()), inner.clone(), inner.clone())
                .prop_map(|(by, list, then)| json!({"is": "each", "by": by, "list": list, "then": then})),
            (inner.clone(), inner.clone(), inner).prop_map(|(condition, then, otherwise)| {
                json!({"is": "choice", "condition": condition, "then": then, "otherwise": otherwise})
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever it says, an expression is true or not: one of both blocks answers. It and its contrary are not both true.
    #[test]
    fn any_expression_is_evaluated(expression in any_expression(), v6 in any::<bool>()) {
        let question = || Question::new("_a.b.example.org.", "A").from(if v6 { "2001:db8::1" } else { "192.0.2.1" });
        let answer = |expression| who(&mut labelled(&["."], expression), &question());
        let (truth, contrary) = (answer(expression.clone()), answer(not(expression)));
        prop_assert!(["10.0.0.1", "10.0.0.2"].contains(&truth.as_str()));
        prop_assert!((truth.as_str(), contrary.as_str()) != ("10.0.0.1", "10.0.0.1"));
    }
}
