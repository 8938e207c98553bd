//! Any octets as a message, over TCP and UDP: what is said is a message that fits, or nothing.
#![no_main]

use std::cell::RefCell;

use ask::{Question, Reply, Server};
use core_dns::text::read_message;
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the core's tests use the rest")]
#[path = "../../crates/core/tests/answers/ask.rs"]
mod ask;

thread_local! {
    static SERVER: RefCell<Server> = RefCell::new(Server::with_many_ways());
}

fuzz_target!(|message: &[u8]| {
    read_message(message);
    SERVER.with_borrow_mut(|server| {
        for like in [Question::new("web", "A"), Question::new("web", "A").udp(), Question::new("web", "A").udp().from("2001:db8::1")] {
            if let Some(reply) = server.send(message, &like) {
                assert_eq!(reply[..2], message[..2], "the id");
                Reply::read(&reply);
                assert!(read_message(&reply).is_some(), "our own reader takes it too");
            }
        }
    });
});
