//! The op `ask`: what is counted of those outside.

use std::sync::{Arc, Mutex};

use core_dns::ask::Task;
use core_dns::client::{Client, Transport};
use core_dns::engine::{Observation, Sink};
use serde_json::{Value, json};

use crate::world::*;

/// Somebody outside, who takes so many questions at a time, and hears what is logged.
#[derive(Clone)]
pub struct Outside {
    tasks: Arc<Mutex<Vec<Task>>>,
    log: Arc<Mutex<Vec<String>>>,
    room: usize,
}

impl Outside {
    pub fn of(world: &World) -> Outside {
        Outside::with_room(world, 1)
    }

    fn with_room(world: &World, room: usize) -> Outside {
        let outside = Outside { tasks: Arc::default(), log: Arc::default(), room };
        world.engine.set_sink(Box::new(outside.clone()));
        outside
    }

    fn say(&self, told: &[u8], world: &mut World) {
        self.tasks.lock().unwrap().pop().expect("a question").reply(told.to_vec());
        world.settle();
    }
}

impl Sink for Outside {
    fn log(&self, line: &str) {
        self.log.lock().unwrap().push(line.to_owned());
    }

    fn observe(&self, _: Observation) {}

    fn ask(&self, task: Task) -> bool {
        let mut tasks = self.tasks.lock().unwrap();
        let has_room = tasks.len() < self.room;
        if has_room {
            tasks.push(task);
        }
        has_room
    }
}

fn ask(on_failure: &str) -> Value {
    json!({"op": "ask", "function": "m:f", "zones": ["."], "timeout_ms": 1000, "on_failure": on_failure, "span": 0})
}

fn whoami() -> Value {
    json!({"op": "whoami", "span": 0})
}

/// An answer without records to a question.
fn answer(name: &str) -> Vec<u8> {
    let mut message = query(name, "A");
    message[2] |= 0x80;
    [vec![3], message].concat()
}

fn results(world: &World) -> Vec<String> {
    let of = |line: String| {
        let rest = line.strip_prefix("clusterdns_plugin_calls_total{function=\"m:f\",result=\"").expect("its labels").to_owned();
        rest.replace("\"}", "")
    };
    world.metrics("clusterdns_plugin_calls_total").into_iter().map(of).collect()
}

#[test]
fn calls_are_counted_by_how_they_ended() {
    let mut world = World::new(1, vec![ask("servfail"), whoami()]);
    let outside = Outside::of(&world);
    let (other, nonsense) = ([&b"\x02\x00\x01"[..], &wire("b.example.org.")].concat(), answer("b.example.org."));
    for told in [&[0][..], b"\x01why", &other, b"\x09", &nonsense, &answer("a.example.org."), &answer("a.example.org.")] {
        world.send(0, Transport::Udp, &query("a.example.org.", "A"));
        world.wait(0.3);
        outside.say(told, &mut world);
    }
    assert_eq!(results(&world), ["answered 2", "error 3", "next 1", "rewritten 1"]);
    let late = world.send(0, Transport::Udp, &query("a.example.org.", "A"));
    assert_eq!(line(&world.ask("a.example.org.", "A")), "SERVFAIL qr,rd: ", "there is no room for it");
    world.wait_for(late);
    assert_eq!(results(&world), ["answered 2", "deadline 1", "error 3", "next 1", "queue_full 1", "rewritten 1"]);
    outside.say(&answer("a.example.org."), &mut world);
    assert_eq!(results(&world).len(), 6, "what comes too late is counted as that alone");
}

#[test]
fn a_call_of_a_query_that_had_to_go_for_others_is_counted_and_told_with_the_others() {
    let mut world = World::new(1, vec![ask("servfail")]);
    let outside = Outside::with_room(&world, usize::MAX);
    for _ in 0..10_001 {
        world.send(0, Transport::Udp, &query("a.example.org.", "A"));
    }
    assert_eq!((line(&world.reply(0)).as_str(), results(&world)), ("SERVFAIL qr,rd: ", vec!["shed 1".to_owned()]));
    let log = outside.log.lock().unwrap();
    assert!(log.len() == 1 && log[0].contains("1 queries were given up"), "{log:?}");
}

#[test]
fn a_failure_is_counted_where_the_next_op_has_its_turn_too() {
    let mut world = World::new(1, vec![ask("next"), whoami()]);
    let outside = Outside::of(&world);
    let asked = world.send(0, Transport::Udp, &query("a.example.org.", "A"));
    outside.say(b"\x01why", &mut world);
    assert!(line(&world.reply(asked)).starts_with("NOERROR"));
    assert_eq!(results(&world), ["error 1"]);
}

#[test]
fn a_call_takes_until_its_answer_or_until_it_is_given_up() {
    let mut world = World::new(1, vec![ask("servfail")]);
    let outside = Outside::of(&world);
    world.send(0, Transport::Udp, &query("a.example.org.", "A"));
    world.wait(0.3);
    outside.say(&answer("a.example.org."), &mut world);
    world.ask("a.example.org.", "A");
    let page: String = core_dns::gauges::page(&world.engine, Vec::new()).collect();
    let of = |what: &str, more: &str| format!("clusterdns_plugin_call_duration_seconds_{what}{{function=\"m:f\"{more}}}");
    for (bound, below) in [("0.256", 0), ("0.512", 1), ("1.024", 2)] {
        assert!(page.contains(&format!("{} {below}\n", of("bucket", &format!(",le=\"{bound}\"")))), "{page}");
    }
    assert!(page.contains(&format!("{} 1.3\n{} 2\n", of("sum", ""), of("count", ""))), "{page}");
}

#[test]
fn an_explained_call_is_not_counted() {
    let mut world = World::new(1, vec![ask("servfail")]);
    let outside = Outside::of(&world);
    let listener = world.engine.listener_number(LISTENER);
    let client = Client { address: ([10, 0, 0, 1], 999).into(), local: ([10, 0, 0, 2], 53).into(), listener, transport: Transport::Udp };
    world.machines[0].explain(world.now, &client, &query("a.example.org.", "A"), &mut Vec::new());
    outside.say(&answer("a.example.org."), &mut world);
    assert!(world.machines[0].explained().is_some());
    assert_eq!(results(&world), [""; 0]);
}
