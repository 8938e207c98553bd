//! Any octets as a change of a zone: an error, or a zone whose every answer is a message.
#![no_main]

use std::cell::RefCell;
use std::collections::HashSet;

use ask::{Question, Reply, Server, ZONE};
use core_dns::name::{MAX_NAME, labels_of_text};
use core_dns::zone::{ZoneChange, decode_change};
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the core's tests use the rest")]
#[path = "../../crates/core/tests/answers/ask.rs"]
mod ask;

/// A, NS, CNAME, PTR, TXT, AAAA, SRV.
const TYPES: [u8; 7] = [1, 2, 5, 12, 16, 28, 33];
/// What is asked for below each owner: itself, members and ports as the seeds have them, an address, anything.
const BELOW: [&[u8]; 6] = [b"", b"\x01m", b"\x01n", b"\x02_x\x04_tcp", b"\x0810-0-0-1", b"\x01?"];
const ORIGIN: &[u8] = b"\x07cluster\x05local\0";
/// The addresses of the seeds.
const REVERSE: [&[u8]; 2] = [b"\x011\x010\x010\x0210\x07in-addr\x04arpa\0", b"\x011\x010\x011\x0210\x07in-addr\x04arpa\0"];

thread_local! {
    static SERVER: RefCell<Server> = RefCell::new(Server::with(&[]));
}

fuzz_target!(|buffer: &[u8]| {
    let Ok(change) = decode_change(buffer) else { return };
    SERVER.with_borrow_mut(|server| {
        let zone = server.engine.zone(ZONE).unwrap();
        zone.apply(&change);
        let owners = owners(&change);
        for owner in owners.iter().take(4) {
            BELOW.iter().for_each(|below| ask(server, &[*below, owner, ORIGIN].concat()));
        }
        REVERSE.iter().for_each(|name| ask(server, name));
        if owners.iter().collect::<HashSet<_>>().len() == owners.len() {
            assert_eq!(zone.apply(&change).changed, 0, "the same again is no change");
        }
        server.fill(&[]);
        assert_eq!(zone.owners(), 0);
    });
});

/// The names in a change, as far as they are names.
fn owners(change: &ZoneChange<'_>) -> Vec<Vec<u8>> {
    change.owners.iter().filter_map(|owner| labels_of_text(owner.name).ok()).map(|(wire, _)| wire.to_ascii_lowercase()).collect()
}

/// Asks for every type that a zone can hold.
fn ask(server: &mut Server, name: &[u8]) {
    if name.len() > MAX_NAME {
        return;
    }
    for like in [Question::new("web", "A"), Question::new("web", "A").udp()] {
        for qtype in TYPES {
            let message = [b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0", name, &[0, qtype, 0, 1]].concat();
            Reply::read(&server.send(&message, &like).expect("a reply"));
        }
    }
}
