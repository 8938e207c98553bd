//! The op `fixed`, on the golden plans of the directives that use it (recorded: `local`, `chaos`).

use crate::ask::{Question, Reply, Server};
use domain::base::iana::Class;

const LOCAL: &str = include_str!("../../../../tests/plans/local.json");
const CHAOS: &str = include_str!("../../../../tests/plans/chaos.json");
const ANY: &str = include_str!("../../../../tests/plans/any.json");

fn server(plan: &str) -> Server {
    Server::new(&serde_json::from_str(plan).unwrap())
}

/// What a reply says, without whoami's records.
fn said(reply: &Reply) -> String {
    let sections = [&reply.answer, &reply.authority].map(|section| section.join(", "));
    format!("{}: {} / {}", reply.rcode, sections[0], sections[1])
}

#[test]
fn local_names_have_the_loopback_addresses() {
    let mut server = server(LOCAL);
    let soa = |owner: &str| format!("{owner} 604800 SOA localhost. root.localhost. 1 0 0 0 604800");
    for (name, qtype, expected) in [
        ("localhost.", "A", "NOERROR: localhost. 604800 A 127.0.0.1 / ".to_owned()),
        ("localhost.", "AAAA", "NOERROR: localhost. 604800 AAAA ::1 / ".to_owned()),
        ("LocalHost.", "TXT", format!("NOERROR:  / {}", soa("LocalHost."))),
        ("localhost.", "SOA", format!("NOERROR: {} / ", soa("localhost."))),
        ("localhost.", "NS", "NOERROR: localhost. 604800 NS localhost. / ".to_owned()),
        ("LocalHost.example.net.", "A", "NOERROR: LocalHost.example.net. 604800 A 127.0.0.1 / ".to_owned()),
        ("a.b.localhost.", "A", "NOERROR: a.b.localhost. 604800 A 127.0.0.1 / ".to_owned()),
        ("a.localhost.", "SOA", format!("NOERROR:  / {}", soa("a.localhost."))),
        ("1.0.0.127.in-addr.arpa.", "PTR", "NOERROR: 1.0.0.127.in-addr.arpa. 604800 PTR localhost. / ".to_owned()),
        ("1.0.0.127.IN-addr.arpa.", "A", format!("NOERROR:  / {}", soa("127.IN-addr.arpa."))),
        ("2.0.0.127.In-Addr.arpa.", "PTR", format!("NXDOMAIN:  / {}", soa("127.In-Addr.arpa."))),
        ("0.in-addr.arpa.", "PTR", format!("NOERROR:  / {}", soa("0.in-addr.arpa."))),
        ("255.in-addr.arpa.", "NS", "NOERROR: 255.in-addr.arpa. 604800 NS localhost. / ".to_owned()),
        ("x.255.in-addr.arpa.", "A", format!("NXDOMAIN:  / {}", soa("255.in-addr.arpa."))),
    ] {
        let reply = server.ask(name, qtype);
        assert_eq!((said(&reply).as_str(), reply.flags.as_str()), (expected.as_str(), "rd"), "{name} {qtype}");
    }
    for name in ["xlocalhost.", "localhostx.example.net.", "a.localhost.example.net.", "10.in-addr.arpa.", "1255.in-addr.arpa."] {
        assert_eq!(server.ask(name, "A").additional.len(), 2, "{name} goes to the next op");
    }
    assert_eq!(server.ask("localhost.example.org.", "A").additional.len(), 2, "that block has turned the prefix off");
}

#[test]
fn the_class_ch_is_let_in_where_it_is_answered() {
    let mut server = server(CHAOS);
    let ch = |name: &str, qtype: &str| Question::new(name, qtype).class(Class::CH);
    for (name, expected) in [
        ("hostname.BIND.", "NOERROR: hostname.BIND. 0 CH TXT \"localhost\" / "),
        ("version.bind.", "NOERROR: version.bind. 0 CH TXT \"a \\\"b\\\" \\\\\\\\ \\195\\169\" / "),
    ] {
        assert_eq!(said(&server.reply(&ch(name, "TXT"))), expected);
    }
    for question in [ch("x.version.bind.", "TXT"), ch("version.bind.", "A"), Question::new("version.bind.", "TXT")] {
        assert_eq!(said(&server.reply(&question)), "SERVFAIL:  / ");
    }
    let mut server = self::server(LOCAL);
    assert_eq!(server.reply(&ch("version.bind.", "TXT")).rcode, "REFUSED");
}

#[test]
fn any_is_answered_with_one_record() {
    let mut server = server(ANY);
    let reply = server.ask("A.example.org.", "ANY");
    assert_eq!(reply.answer, ["A.example.org. 8482 HINFO \"ANY obsoleted\" \"See RFC 8482\""]);
    assert_eq!((reply.flags.as_str(), reply.additional.len()), ("rd", 0));
    assert_eq!(server.ask("A.example.org.", "HINFO").additional.len(), 2);
}
