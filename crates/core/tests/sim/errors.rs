//! What `errors` makes of failures that are alike.

use core_dns::client::Transport;
use serde_json::{Value, json};

use crate::world::*;

/// Two machines whose upstream is not there, and `errors` that counts its refusals for 2 s.
fn refused(groups: &[Value]) -> World {
    let world = World::new(2, vec![]);
    install(&world, groups);
    world
}

fn install(world: &World, groups: &[Value]) {
    let errors = json!({"op": "errors", "id": "errors .", "consolidate": groups, "span": 0});
    world.install(&[(".", vec![errors, forward(1, json!({"max_fails": 0}))])]);
}

fn group(level: &str, show_first: bool) -> Value {
    json!({"pattern": "refused$", "period_ms": 2000, "period": "2s", "level": level, "show_first": show_first})
}

/// Asks both machines in turn.
fn ask(world: &mut World, times: usize) {
    for at in 0..times {
        let number = world.send(at % 2, Transport::Udp, &query("a.example.org.", "A"));
        world.wait_for(number);
    }
}

#[test]
fn errors_consolidate() {
    let mut world = refused(&[group("error", false)]);
    ask(&mut world, 3);
    world.wait(1.9);
    assert!(world.log().is_empty());
    ask(&mut world, 1);
    world.wait(0.2);
    assert_eq!(world.log(), ["[ERROR] plugin/errors: 4 errors like 'refused$' occurred in last 2s"], "one line for all threads");
    world.wait(5.0);
    ask(&mut world, 1);
    world.wait(2.1);
    assert_eq!(world.log(), ["[ERROR] plugin/errors: 1 errors like 'refused$' occurred in last 2s"]);
}

#[test]
fn errors_consolidate_show_first() {
    let mut world = refused(&[group("warning", true)]);
    ask(&mut world, 1);
    let first = "[WARNING] plugin/errors: 2 a.example.org. A: read udp 192.0.2.1:53: read: connection refused";
    assert_eq!(world.log(), [first]);
    world.wait(2.1);
    assert!(world.log().is_empty(), "it stayed alone");
    ask(&mut world, 2);
    world.wait(2.1);
    assert_eq!(world.log(), [first, "[WARNING] plugin/errors: 2 errors like 'refused$' occurred in last 2s"]);
}

#[test]
fn errors_consolidate_at_the_end() {
    let mut world = refused(&[group("error", false)]);
    ask(&mut world, 2);
    world.engine.tell_failures();
    assert_eq!(world.log(), ["[ERROR] plugin/errors: 2 errors like 'refused$' occurred in last 2s"]);
    world.wait(2.1);
    assert!(world.log().is_empty());
}

#[test]
fn lines_of_debugging_need_somebody_who_debugs() {
    let mut world = refused(&[group("debug", true)]);
    ask(&mut world, 2);
    world.wait(2.1);
    assert!(world.log().is_empty());
}

#[test]
fn a_reload_goes_on_counting_what_is_counted_alike() {
    let mut world = refused(&[group("error", false)]);
    ask(&mut world, 2);
    install(&world, &[group("error", false)]);
    ask(&mut world, 2);
    world.wait(2.1);
    assert_eq!(world.log(), ["[ERROR] plugin/errors: 4 errors like 'refused$' occurred in last 2s"]);
    ask(&mut world, 1);
    install(&world, &[group("info", false)]);
    ask(&mut world, 1);
    world.wait(2.1);
    let both = ["ERROR", "INFO"].map(|level| format!("[{level}] plugin/errors: 1 errors like 'refused$' occurred in last 2s"));
    assert_eq!(world.log(), both, "what was counted otherwise is told all the same");
}
