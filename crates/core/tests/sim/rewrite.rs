//! What `rewrite` does with questions and with what upstreams say.

use core_dns::client::Transport;
use core_dns::text::Message;
use serde_json::{Value, json};

use crate::world::*;

/// The op with these rules; all but the last go on to the next.
fn rewrite(rules: &[Value]) -> Value {
    let rules: Vec<Value> =
        (1..).zip(rules).map(|(number, change)| json!({"change": change, "stop": number == rules.len(), "span": 0})).collect();
    json!({"op": "rewrite", "rules": rules, "span": 0})
}

fn matching(how: &str, text: &str) -> Value {
    json!({"how": how, "text": text})
}

/// A rule about names; `answers` are parts, patterns, and what takes their place.
fn name(how: &str, from: &str, to: &str, auto: bool, answers: &[(&str, &str, &str)]) -> Value {
    let answers: Vec<Value> = answers.iter().map(|(part, pattern, to)| json!({"part": part, "pattern": pattern, "to": to})).collect();
    json!({"field": "name", "name": matching(how, from), "to": to, "auto": auto, "answers": answers})
}

fn exact(from: &str, to: &str) -> Value {
    name("exact", from, to, true, &[])
}

fn ttl(how: &str, text: &str, least: u32, most: u32) -> Value {
    json!({"field": "ttl", "name": matching(how, text), "least": least, "most": most})
}

fn rcode(how: &str, text: &str, from: u16, to: u16) -> Value {
    json!({"field": "rcode", "name": matching(how, text), "from": from, "to": to})
}

fn cname(how: &str, from: &str, to: &str) -> Value {
    json!({"field": "cname", "name": matching(how, from), "to": to})
}

fn option(action: &str, code: u16, data: Value, revert: bool) -> Value {
    json!({"field": "option", "action": action, "code": code, "data": data, "revert": revert, "echo": code > 100})
}

fn hex(hex: &str) -> Value {
    json!({"kind": "octets", "hex": hex})
}

fn variable(name: &str) -> Value {
    json!({"kind": "variable", "variable": name})
}

/// An upstream as in the recordings.
fn answers(seen: &Seen) -> Act {
    say(match (seen.name.as_str(), seen.qtype.as_str()) {
        ("nx.example.org.", _) => denial(seen, 3, 60),
        ("sf.example.org.", _) => reply(seen, 2, &[]),
        ("c.example.org.", _) => {
            reply(seen, 0, &[(0, "", CNAME, 300, wire("t.example.org.")), (0, "t.example.org.", A, 200, vec![192, 0, 2, 7])])
        }
        (_, "AAAA") => denial(seen, 0, 60),
        (_, "MX") => reply(seen, 0, &[(0, "", MX, 300, [&[0, 10][..], &wire("mx.b.example.org.")].concat())]),
        _ => a(seen, 300, [192, 0, 2, 1]),
    })
}

fn world(rules: &[Value]) -> World {
    let mut world = World::new(1, vec![rewrite(rules), forward(1, json!({}))]);
    world.upstream(1, answers);
    world
}

/// `owner TTL data` of each record of the answer section.
fn records(message: &Message) -> Vec<String> {
    message.answer.iter().map(|record| format!("{} {} {}", record.name, record.ttl, record.data)).collect()
}

fn ask(world: &mut World, name: &str) -> Vec<String> {
    records(&world.ask(name, "A"))
}

#[test]
fn an_exact_rule_reverts_by_itself() {
    let mut world = world(&[exact("a.example.org.", "b.example.org.")]);
    assert_eq!(ask(&mut world, "a.example.org."), ["a.example.org. 300 192.0.2.1"]);
    assert_eq!(ask(&mut world, "A.Example.ORG."), ["A.Example.ORG. 300 192.0.2.1"]);
    assert_eq!(ask(&mut world, "x.a.example.org."), ["x.a.example.org. 300 192.0.2.1"]);
    assert_eq!(world.sent(), ["1 udp b.example.org. A", "1 udp b.example.org. A", "1 udp x.a.example.org. A"]);
    let message = world.ask("a.example.org.", "MX");
    assert_eq!((message.name.as_str(), records(&message)), ("a.example.org.", vec!["a.example.org. 300 10 mx.a.example.org.".to_owned()]));
}

#[test]
fn rewrite_exact_cname() {
    let mut world = world(&[exact("a.example.org.", "c.example.org.")]);
    assert_eq!(ask(&mut world, "a.example.org."), ["a.example.org. 300 t.example.org.", "t.example.org. 200 192.0.2.7"]);
}

#[test]
fn rewrite_cache_order() {
    let mut world = World::new(1, vec![rewrite(&[exact("a.example.org.", "b.example.org.")]), cache(json!({})), forward(1, json!({}))]);
    world.upstream(1, answers);
    for name in ["a.example.org.", "b.example.org.", "A.example.org."] {
        assert_eq!(ask(&mut world, name), [format!("{name} 300 192.0.2.1")]);
    }
    assert_eq!(world.sent(), ["1 udp b.example.org. A"]);
}

#[test]
fn rewrite_prefix_dot() {
    let mut world = world(&[name("prefix", "old.", "new.", false, &[])]);
    assert_eq!(ask(&mut world, "OLD.a.example.org."), ["new.a.example.org. 300 192.0.2.1"]);
    assert_eq!(ask(&mut world, "x.old.a.example.org."), ["x.old.a.example.org. 300 192.0.2.1"]);
    assert_eq!(world.sent(), ["1 udp new.a.example.org. A", "1 udp x.old.a.example.org. A"]);
}

#[test]
fn rewrite_suffix() {
    let rules = |auto| [name("suffix", ".schmoogle.com.", ".example.org.", auto, &[])];
    let mut plain = world(&rules(false));
    assert_eq!(ask(&mut plain, "A.SCHMOOGLE.com."), ["a.example.org. 300 192.0.2.1"]);
    assert_eq!(ask(&mut plain, "schmoogle.com."), ["schmoogle.com. 300 192.0.2.1"]);
    let mut auto = world(&rules(true));
    assert_eq!(ask(&mut auto, "A.SCHMOOGLE.com."), ["A.SCHMOOGLE.com. 300 192.0.2.1"]);
    assert_eq!(ask(&mut auto, "c.schmoogle.com."), ["c.schmoogle.com. 300 t.schmoogle.com.", "t.schmoogle.com. 200 192.0.2.7"]);
}

#[test]
fn rewrite_substring() {
    let mut world = world(&[name("substring", "foo.", "bar.", true, &[])]);
    assert_eq!(ask(&mut world, "foofoo.example.org."), ["foofoo.example.org. 300 192.0.2.1"]);
    assert_eq!(ask(&mut world, "afoob.example.org."), ["afoob.example.org. 300 192.0.2.1"]);
    assert_eq!(world.sent(), ["1 udp foobar.example.org. A", "1 udp afoob.example.org. A"]);
}

#[test]
fn a_pattern_takes_groups_and_answers_are_renamed_by_patterns() {
    let rule = name(
        "regex",
        r"(.*)-(us-west-1)\.example\.org",
        "{1}.service.{2}.consul.",
        false,
        &[("name", r"(?i)(.*)\.service\.(us-west-1)\.consul", "{1}-{2}.example.org."), ("value", r"(?i)^mx\.b\.(.*)$", "other.{1}")],
    );
    let mut world = world(&[rule]);
    assert_eq!(ask(&mut world, "ftp-us-west-1.Example.org."), ["ftp-us-west-1.example.org. 300 192.0.2.1"]);
    assert_eq!(world.sent(), ["1 udp ftp.service.us-west-1.consul. A"]);
    assert_eq!(records(&world.ask("ftp-us-west-1.example.org.", "MX")), ["ftp-us-west-1.example.org. 300 10 other.example.org."]);
    assert_eq!(ask(&mut world, "ftp-us-west-2.example.org."), ["ftp-us-west-2.example.org. 300 192.0.2.1"]);
}

#[test]
fn values_of_all_types_with_names_are_renamed_in_all_sections() {
    let target = || wire("host.b.example.org.");
    let script = move |seen: &Seen| {
        let soa = [target(), wire("hostmaster.b.example.org."), vec![0; 20]].concat();
        say(reply(
            seen,
            0,
            &[
                (0, "", SRV, 5, [&[0, 1, 0, 2, 0, 80][..], &target()].concat()),
                (0, "", NAPTR, 5, [&b"\0\x01\0\x02\x01u\x03sip\0"[..], &target()].concat()),
                (1, "b.example.org.", NS, 5, target()),
                (1, "b.example.org.", SOA, 5, soa),
                (2, "host.b.example.org.", A, 5, vec![192, 0, 2, 1]),
            ],
        ))
    };
    let mut world = world(&[exact("a.example.org.", "b.example.org.")]);
    world.upstream(1, script);
    let message = world.ask("a.example.org.", "SRV");
    assert_eq!(records(&message)[0], "a.example.org. 5 1 2 80 host.a.example.org.");
    let naptr = "\\# 31 000100020175037369700004686f73740161076578616d706c65036f726700";
    assert_eq!(message.answer[1].data, naptr);
    let authority: Vec<String> = message.authority.iter().map(|record| format!("{} {}", record.name, record.data)).collect();
    assert_eq!(authority[0], "a.example.org. host.a.example.org.");
    // CoreDNS leaves the mailbox.
    assert!(authority[1].starts_with("a.example.org. host.a.example.org. hostmaster.b.example.org. "), "{}", authority[1]);
    assert_eq!(message.additional[0].name, "host.a.example.org.");
}

#[test]
fn rules_follow_each_other_and_answers_go_back_the_same_way() {
    let rules = [
        exact("a.example.org.", "b.example.org."),
        name("suffix", ".example.org.", ".example.net.", true, &[]),
        name("regex", r"^b\.(.*)", "{1}c.", true, &[]),
        exact("example.net.c.", "d.example.com."),
    ];
    let mut world = world(&rules);
    assert_eq!(ask(&mut world, "A.example.org."), ["A.example.org. 300 192.0.2.1"]);
    assert_eq!(ask(&mut world, "b.example.org."), ["b.example.org. 300 192.0.2.1"]);
    assert_eq!(world.sent(), ["1 udp d.example.com. A", "1 udp d.example.com. A"]);
}

#[test]
fn a_rule_that_stops_is_the_last_one() {
    let rules = json!([
        {"change": exact("a.example.org.", "b.example.org."), "stop": true, "span": 0},
        {"change": exact("b.example.org.", "d.example.org."), "stop": true, "span": 0},
    ]);
    let mut world = World::new(1, vec![json!({"op": "rewrite", "rules": rules, "span": 0}), forward(1, json!({}))]);
    world.upstream(1, answers);
    assert_eq!(ask(&mut world, "a.example.org."), ["a.example.org. 300 192.0.2.1"]);
    assert_eq!(ask(&mut world, "b.example.org."), ["b.example.org. 300 192.0.2.1"]);
    assert_eq!(world.sent(), ["1 udp b.example.org. A", "1 udp d.example.org. A"]);
}

#[test]
fn type_and_class_are_asked_anew_and_the_question_comes_back() {
    let mut world = world(&[json!({"field": "type", "from": 255, "to": 1}), json!({"field": "class", "from": 3, "to": 1})]);
    let mut message = query("a.example.org.", "ANY");
    *message.last_mut().unwrap() = 3;
    let reply = world.ask_with(Transport::Udp, &message);
    assert_eq!((reply.qtype.as_str(), records(&reply)), ("ANY", vec!["a.example.org. 300 192.0.2.1".to_owned()]));
    assert_eq!(world.sent(), ["1 udp a.example.org. A"]);
}

#[test]
fn what_is_no_name_any_more_is_servfail() {
    for rule in [
        name("regex", "^a(.*)$", ".{1}", false, &[]),
        name("regex", "^a.*$", &"{0}.".repeat(40), false, &[]),
        name("substring", "a.", "..", false, &[]),
        name("prefix", "a.", &"x".repeat(64), false, &[]),
    ] {
        let mut world = world(&[rule]);
        assert_eq!(line(&world.ask("a.example.org.", "A")), "SERVFAIL qr,rd: ");
        assert!(world.sent().is_empty());
        let log = world.log();
        assert!(log[0].starts_with("[ERROR] plugin/errors: 2 a.example.org. A: invalid name after rewrite: "), "{log:?}");
    }
}

#[test]
fn rewrite_ttl() {
    let mut world = world(&[
        ttl("exact", "a.example.org.", 60, 60),
        ttl("suffix", ".min.org.", 400, i32::MAX as u32),
        ttl("suffix", ".max.org.", 0, 30),
        ttl("regex", r"^r.*\.example\.org", 10, 20),
    ]);
    for (name, ttl) in [("a.example.org.", 60), ("b.example.org.", 300), ("x.min.org.", 400), ("x.max.org.", 30), ("r1.example.org.", 20)] {
        assert_eq!(ask(&mut world, name), [format!("{name} {ttl} 192.0.2.1")]);
    }
    assert_eq!(world.ask("a.example.org.", "AAAA").authority[0].ttl, 60);
    assert_eq!(world.sent().len(), 6);
}

#[test]
fn rcodes_are_replaced_and_failures_of_our_own_too() {
    let mut world = world(&[rcode("suffix", ".example.org.", 2, 0), rcode("exact", "nx.example.org.", 3, 5)]);
    assert_eq!(line(&world.ask("sf.example.org.", "A")), "NOERROR qr,rd,ra: ");
    assert_eq!(line(&world.ask("nx.example.org.", "A")), "REFUSED qr,rd,ra: ");
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,rd,ra: 300 192.0.2.1");
    world.upstream(1, |_| Act::Refuse);
    assert_eq!(line(&world.ask("a.example.org.", "A")), "NOERROR qr,rd: ");
    assert_eq!(line(&world.ask("a.example.net.", "A")), "SERVFAIL qr,rd: ");
}

/// An alias in two steps, and what a content network says elsewhere.
fn chain(seen: &Seen) -> Act {
    say(match seen.name.as_str() {
        "app.example.org." => reply(
            seen,
            0,
            &[
                (0, "", CNAME, 200, wire("app.example.net.")),
                (0, "app.example.net.", CNAME, 200, wire("app.cdn.example.net.")),
                (0, "app.cdn.example.net.", A, 300, vec![20, 2, 0, 1]),
            ],
        ),
        "gone.example.org." => reply(seen, 0, &[(0, "", CNAME, 200, wire("nx.cdn.example.net."))]),
        "nx.other.example." => denial(seen, 3, 60),
        "loop.example.org." | "loop.other.example." => reply(seen, 0, &[(0, "", CNAME, 200, wire("loop.cdn.example.net."))]),
        _ => a(seen, 100, [30, 3, 1, 2]),
    })
}

#[test]
fn an_alias_leads_elsewhere_through_the_whole_server() {
    let mut world = world(&[cname("suffix", ".cdn.example.net.", ".other.example.")]);
    world.upstream(1, chain);
    world.upstream(2, chain);
    let rules = rewrite(&[cname("suffix", ".cdn.example.net.", ".other.example.")]);
    world.install(&[(".", vec![rules, forward(1, json!({}))]), ("other.example.", vec![forward_to(&[2], json!({}))])]);
    assert_eq!(
        ask(&mut world, "app.example.org."),
        ["app.example.org. 200 app.example.net.", "app.example.net. 200 app.other.example.", "app.other.example. 100 30.3.1.2",]
    );
    assert_eq!(world.sent(), ["1 udp app.example.org. A", "2 udp app.other.example. A"]);
    assert_eq!(ask(&mut world, "gone.example.org."), ["gone.example.org. 200 nx.other.example."]);
    assert_eq!(ask(&mut world, "plain.example.org."), ["plain.example.org. 100 30.3.1.2"]);
}

#[test]
fn an_alias_is_followed_after_the_question_was_changed() {
    let mut world =
        world(&[exact("a.example.org.", "app.example.org."), cname("regex", r"(?i)^(.*)\.cdn\.example\.net\.$", "{1}.other.example.")]);
    world.upstream(1, chain);
    assert_eq!(
        ask(&mut world, "a.example.org."),
        ["a.example.org. 200 app.example.net.", "app.example.net. 200 app.other.example.", "app.other.example. 100 30.3.1.2"]
    );
    assert_eq!(world.sent(), ["1 udp app.example.org. A", "1 udp app.other.example. A"]);
}

#[test]
fn aliases_that_lead_to_themselves_end() {
    let mut world = world(&[cname("suffix", ".cdn.example.net.", ".other.example.")]);
    world.upstream(1, chain);
    let records = ask(&mut world, "loop.example.org.");
    assert!(records.len() <= 20, "{records:?}");
    assert!(world.sent().len() <= 20);
}

/// The options of a message's EDNS as `code: octets`, and its size. The OPT stands at the end.
fn edns(message: &[u8], without: usize) -> Option<(u16, Vec<String>)> {
    let opt = message.get(without..)?;
    let [0, 0, 41, high, low, _, _, _, _, _, _, options @ ..] = opt else { return None };
    let said = core_dns::edns::options(options).map(|(code, data)| format!("{code}: {}", data.escape_ascii())).collect();
    Some((u16::from_be_bytes([*high, *low]), said))
}

/// What the upstream saw in the last query about `a.example.org.`
fn asked_with(world: &World) -> Option<(u16, Vec<String>)> {
    edns(&world.seen.last().unwrap().message, 12 + 15 + 4)
}

fn with_options(size: u16, options: &[u8]) -> Vec<u8> {
    query_with("a.example.org.", "A", |message| {
        add_edns(message, size, false);
        let at = message.len() - 2;
        message[at..].copy_from_slice(&(options.len() as u16).to_be_bytes());
        message.extend(options);
    })
}

#[test]
fn rewrite_edns0_local() {
    let mut world = world(&[
        option("set", 0xffee, hex("61626364"), false),
        option("set", 0xffef, hex("0102"), false),
        option("append", 0xfff0, variable("qname"), false),
    ]);
    let all = |size| Some((size, vec!["65518: abcd".to_owned(), "65519: \\x01\\x02".to_owned(), "65520: a.example.org.".to_owned()]));
    world.ask("a.example.org.", "A");
    assert_eq!(asked_with(&world), all(4096));
    world.ask_with(Transport::Udp, &with_options(1232, b""));
    assert_eq!(asked_with(&world), all(1232));
    world.ask_with(Transport::Udp, &with_options(1232, b"\xff\xee\0\x01\0\0\x0a\0\x01c"));
    let some = vec!["65518: abcd".to_owned(), "10: c".to_owned(), "65519: \\x01\\x02".to_owned(), "65520: a.example.org.".to_owned()];
    assert_eq!(asked_with(&world), Some((1232, some)));
    world.ask_with(Transport::Udp, &with_options(1232, b"\xff\xf0\0\x01x"));
    assert_eq!(asked_with(&world).unwrap().1[0], "65520: x", "it is there already");
}

#[test]
fn rewrite_edns0_vars_and_subnet() {
    let names = ["client_ip", "client_port", "protocol", "qtype", "server_ip", "server_port"];
    let mut rules: Vec<Value> = (0..).zip(names).map(|(number, name)| option("set", 1000 + number, variable(name), false)).collect();
    rules.push(option("set", 3, hex(""), false));
    rules.push(option("set", 8, json!({"kind": "subnet", "ipv4": 24, "ipv6": 56}), false));
    let mut world = world(&rules);
    world.ask("a.example.org.", "A");
    let expected = [
        r"1000: \n\x00\x00\x01",
        r"1001: \x03\xe7",
        "1002: udp",
        r"1003: \x00\x01",
        r"1004: \n\x00\x00\x02",
        r"1005: \x005",
        "3: ",
        r"8: \x00\x01\x18\x00\n\x00\x00",
    ];
    assert_eq!(asked_with(&world).unwrap().1, expected);
}

#[test]
fn rewrite_edns0_replace_unset() {
    let mut world = world(&[option("replace", 0xffee, hex("61626364"), false), option("unset", 0xffef, hex(""), false)]);
    world.ask("a.example.org.", "A");
    assert_eq!(asked_with(&world), Some((4096, Vec::new())));
    world.ask_with(Transport::Udp, &with_options(1232, b"\xff\xee\0\x01\0\xff\xef\0\x01\x01"));
    assert_eq!(asked_with(&world), Some((1232, vec!["65518: abcd".to_owned()])));
}

/// What the client is told about `a.example.org.` with one address.
fn told(world: &mut World, message: &[u8]) -> Option<(u16, Vec<String>)> {
    let number = world.send(0, Transport::Udp, message);
    world.wait_for(number);
    edns(&world.asked[number].answered.as_ref().unwrap().1, 12 + 15 + 4 + 15 + 14)
}

fn plain() -> Vec<u8> {
    query("a.example.org.", "A")
}

#[test]
fn options_of_a_rule_are_told_where_nobody_said_others() {
    let mut echo = world(&[option("set", 0xffee, hex("61"), false), option("set", 3, hex(""), false)]);
    assert_eq!(told(&mut echo, &plain()), Some((4096, vec!["65518: a".to_owned()])));
    assert_eq!(told(&mut echo, &with_options(1232, b"\0\x0a\0\x01c")), Some((1232, vec!["65518: a".to_owned()])), "the cookie is not");
    let mut none = world(&[option("set", 0xffee, hex("61"), true)]);
    assert_eq!(told(&mut none, &plain()), Some((4096, Vec::new())));
    let mut back = world(&[option("set", 0xffee, hex("61"), false), option("replace", 0xffee, hex("62"), true)]);
    assert_eq!(told(&mut back, &plain()), Some((4096, vec!["65518: a".to_owned()])));
    assert_eq!(asked_with(&back).unwrap().1, ["65518: b"]);
}

#[test]
fn rewrite_edns0_revert() {
    let mut world = world(&[option("set", 0xffee, hex("61626364"), true)]);
    world.upstream(1, |seen| {
        let mut message = a(seen, 300, [192, 0, 2, 1]);
        message[11] += 1;
        message.extend(b"\0\0\x29\x03\xe8\0\0\0\0\0\x0e\xff\xee\0\x04abcd\0\x0f\0\x02\0\x01");
        say(message)
    });
    let number = world.send(0, Transport::Udp, &with_options(1232, b""));
    world.wait_for(number);
    // The owner of the record is compressed by the upstream, and written out here.
    assert_eq!(told(&mut world, &plain()), Some((4096, vec!["15: \\x00\\x01".to_owned()])));
    assert_eq!(told(&mut world, &with_options(1232, b"")), Some((1232, vec!["15: \\x00\\x01".to_owned()])));
}

#[test]
fn options_that_no_message_can_hold_are_left_out() {
    let mut world =
        world(&[option("set", 0xffee, hex(&"00".repeat(40_000)), false), option("set", 0xffef, hex(&"00".repeat(40_000)), false)]);
    assert_eq!(line(&world.ask_with(Transport::Tcp, &plain())), "NOERROR qr,rd,ra: 300 192.0.2.1");
    assert_eq!(asked_with(&world).unwrap().1.len(), 1);
}

#[test]
fn the_log_tells_what_was_asked_in_the_end() {
    let format = ["", "type", " ", "name", " ", "size", " ", ">bufsize", ""];
    let log = json!({"op": "log", "rules": [{"zone": ".", "format": format, "classes": ["success"]}], "span": 0});
    let rules = rewrite(&[
        exact("a.example.org.", "longer.example.org."),
        json!({"field": "type", "from": 1, "to": 15}),
        option("set", 0xffee, hex("61626364"), false),
    ]);
    let mut world = World::new(1, vec![log, rules, forward(1, json!({}))]);
    world.upstream(1, answers);
    world.ask("a.example.org.", "A");
    world.ask("a.example.org.", "A");
    let line = "[INFO] MX a.example.org. 55 4096";
    assert_eq!(world.log(), [line, line]);
}

#[test]
fn a_reload_with_other_rules_leaves_nothing_wrong_in_the_cache() {
    let rules = |to: &str| rewrite(&[exact("a.example.org.", to)]);
    let with = |rules: Value| vec![(".", vec![rules, cache(json!({})), forward(1, json!({}))])];
    let mut world = world(&[]);
    world.upstream(1, |seen| say(a(seen, 300, [192, 0, 2, seen.name.as_bytes()[0]])));
    world.install(&with(rules("b.example.org.")));
    assert_eq!(ask(&mut world, "a.example.org."), ["a.example.org. 300 192.0.2.98"]);
    world.install(&with(rules("d.example.org.")));
    assert_eq!(ask(&mut world, "a.example.org."), ["a.example.org. 300 192.0.2.100"]);
    assert_eq!(ask(&mut world, "b.example.org."), ["b.example.org. 300 192.0.2.98"]);
    world.install(&with(rewrite(&[])));
    assert_eq!(ask(&mut world, "a.example.org."), ["a.example.org. 300 192.0.2.97"]);
    assert_eq!(world.sent(), ["1 udp b.example.org. A", "1 udp d.example.org. A", "1 udp a.example.org. A"], "what is right stays");
    world.install(&with(rewrite(&[option("set", 0xffee, hex("61"), false)])));
    ask(&mut world, "a.example.org.");
    assert_eq!(world.sent(), ["1 udp a.example.org. A"], "upstreams may answer other options otherwise");
}
