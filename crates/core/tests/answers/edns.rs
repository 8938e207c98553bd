//! Ops that add to the EDNS of an answer (recorded: `nsid`).

use serde_json::{Value, json};

use crate::ask::{Edns, Question, Server, block, plan, whoami};

const NSID: u16 = 3;

fn server(program: &[Value]) -> Server {
    Server::new(&plan(&[block(".", program)]))
}

fn nsid() -> Value {
    json!({"op": "nsid", "data": "foo", "span": 0})
}

#[test]
fn the_server_is_told_to_those_who_ask_for_it() {
    let mut server = server(&[nsid(), whoami()]);
    let asked = || Question::new("a.", "A");
    assert_eq!(server.reply(&asked()).edns, None);
    assert_eq!(server.reply(&asked().edns(1232)).edns, Some(Edns { size: 1232, dnssec_ok: false }));
    assert_eq!(server.reply(&asked().edns(1232).option(10)).edns, Some(Edns { size: 1232, dnssec_ok: false }));
    let reply = server.reply_with_options(&asked().edns(1232).option(NSID));
    assert_eq!((reply.edns, reply.options), (Some(Edns { size: 1232, dnssec_ok: true }), vec![(NSID, b"foo".to_vec())]));
}

#[test]
fn it_stands_behind_what_others_have_to_say() {
    let filter = json!({"op": "acl", "span": 0, "lists": [{"zones": ["."], "rules": [{"action": "filter", "types": [], "networks": [], "span": 0}]}]});
    let mut server = server(&[nsid(), filter]);
    let reply = server.reply_with_options(&Question::new("a.", "A").edns(1232).option(NSID));
    assert_eq!(reply.options, [(15, vec![0, 17]), (NSID, b"foo".to_vec())]);
}

#[test]
fn failures_have_no_server() {
    let mut server = server(&[nsid()]);
    let reply = server.reply(&Question::new("a.", "A").edns(1232).option(NSID));
    assert_eq!((reply.rcode.as_str(), reply.edns), ("SERVFAIL", Some(Edns { size: 1232, dnssec_ok: false })));
}
