//! The op `lookout`: what it sees, and that what it sees comes by each time.

use serde_json::json;

use crate::world::{Act, World, a, cache, forward, query, say};
use core_dns::client::Transport;

const HINFO: u16 = 13;

/// A lookout behind a cache and in front of `forward`, as a server that forwards has it.
fn world() -> World {
    World::new(1, vec![cache(json!({})), json!({"op": "lookout", "id": "l", "span": 0}), forward(1, json!({}))])
}

fn count(world: &World) -> u32 {
    world.engine.lookout("l").unwrap().sightings().count
}

#[test]
fn it_counts_the_name_and_type_that_it_was_told_and_nothing_else() {
    let mut world = world();
    world.upstream(1, |seen| say(a(seen, 300, [192, 0, 2, 1])));
    world.ask("1.2.example.org.", "HINFO");
    assert_eq!(count(&world), 0, "nothing is looked out for");
    let lookout = world.engine.lookout("l").unwrap();
    lookout.look_out("3.4.Example.org", HINFO).unwrap();
    for (name, qtype) in [("3.4.example.org.", "A"), ("x.3.4.example.org.", "HINFO"), ("3.4.EXAMPLE.org.", "HINFO")] {
        world.ask(name, qtype);
    }
    let seen = lookout.sightings();
    assert_eq!((seen.count, seen.last.is_some()), (1, true));
    lookout.look_out("5.6.example.org", HINFO).unwrap();
    assert_eq!(count(&world), 0, "what was seen before is forgotten");
    lookout.look_out(".", 0).unwrap();
    world.ask("5.6.example.org.", "HINFO");
    assert_eq!(count(&world), 0);
    assert!(lookout.look_out("a..b", HINFO).is_err());
}

#[test]
fn what_it_looks_out_for_does_not_wait_for_the_same_question_of_another() {
    let mut world = world();
    world.upstream(1, |_| Act::Drop);
    world.engine.lookout("l").unwrap().look_out("1.2.example.org", HINFO).unwrap();
    // As in a loop: each forwarded question comes in again, and must be seen to do so.
    for name in ["1.2.example.org.", "3.4.example.org."] {
        for _ in 0..3 {
            world.send(0, Transport::Udp, &query(name, "HINFO"));
        }
    }
    world.wait(0.1);
    assert_eq!(count(&world), 3);
    let sent = world.sent();
    let times = |name: &str| sent.iter().filter(|sent| sent.contains(name)).count();
    assert_eq!((times("1.2.example.org."), times("3.4.example.org.")), (3, 1));
}

#[test]
fn a_new_program_with_the_same_lookout_goes_on_counting() {
    let mut world = world();
    world.upstream(1, |seen| say(a(seen, 300, [192, 0, 2, 1])));
    world.engine.lookout("l").unwrap().look_out("1.2.", HINFO).unwrap();
    world.ask("1.2.", "HINFO");
    world.install(&[(".", vec![json!({"op": "lookout", "id": "l", "span": 0}), json!({"op": "whoami", "span": 0})])]);
    world.ask("1.2.", "HINFO");
    assert_eq!(count(&world), 2);
    world.install(&[(".", vec![json!({"op": "whoami", "span": 0})])]);
    assert!(world.engine.lookout("l").is_none());
}
