//! Any octets as a plan: an error, or a plan that runs; what it answers at once is a message.
#![no_main]

use std::sync::Arc;

use ask::{Question, Reply, Server};
use core_dns::engine::Engine;
use core_dns::name::{MAX_NAME, absolute_lower};
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the core's tests use the rest")]
#[path = "../../crates/core/tests/answers/ask.rs"]
mod ask;

/// A, SOA, DS.
const TYPES: [u8; 3] = [1, 6, 43];

fuzz_target!(|document: &[u8]| {
    let engine = Engine::new();
    let Ok(prepared) = engine.prepare(document) else { return };
    let plan = Arc::clone(prepared.plan());
    engine.commit(prepared);
    assert_eq!(engine.plan(), plan);
    let mut server = Server::over(engine);
    for block in plan.blocks.iter().take(4) {
        let zone = absolute_lower(&block.zone).expect("it was a name when the plan was checked");
        for below in [&b""[..], b"\x01x"] {
            for listener in block.listeners.iter().take(2) {
                ask(&mut server, &[below, &zone].concat(), &Question::new("web", "A").on(listener));
            }
        }
    }
});

fn ask(server: &mut Server, name: &[u8], like: &Question) {
    if name.len() > MAX_NAME {
        return;
    }
    for qtype in TYPES {
        let message = [b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0", name, &[0, qtype, 0, 1]].concat();
        if let Some(reply) = server.send(&message, like) {
            Reply::read(&reply);
        }
    }
}
