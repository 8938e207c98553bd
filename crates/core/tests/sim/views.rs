//! What views and metadata mean for queries that wait and for caches.

use serde_json::{Value, json};

use crate::world::*;

/// Makes these blocks the running plan, with what is different about each.
fn install(world: &World, blocks: &[(&str, Vec<Value>, Value)]) {
    let plain: Vec<(&str, Vec<Value>)> = blocks.iter().map(|(zone, program, _)| (*zone, program.clone())).collect();
    let mut plan: Value = serde_json::from_slice(&plan(&plain)).unwrap();
    for (number, (_, _, different)) in blocks.iter().enumerate() {
        plan["blocks"][number].as_object_mut().unwrap().extend(different.as_object().unwrap().clone());
    }
    world.engine.commit(world.engine.prepare(plan.to_string().as_bytes()).unwrap());
}

/// A view of the clients in a network.
fn view_of(network: &str) -> Value {
    let address = json!({"is": "fact", "name": "client_ip"});
    json!({"view": network, "when": [{"text": network, "expression": {"is": "in_network", "address": address, "network": network}}]})
}

#[test]
fn what_one_view_has_cached_is_not_answered_in_another() {
    let mut world = World::new(1, vec![]);
    let program = |number: usize| vec![cache(json!({"id": format!("cache {number}")})), forward_to(&[number], json!({}))];
    install(&world, &[(".", program(1), view_of("10.1.0.0/16")), (".", program(2), view_of("10.2.0.0/16")), (".", program(3), json!({}))]);
    for number in 1..=3 {
        world.upstream(number, move |seen| say(a(seen, 300, [192, 0, 2, number as u8])));
    }
    let clients = [([10, 1, 0, 9], 1), ([10, 2, 0, 9], 2), ([10, 3, 0, 9], 3)];
    for (flags, sent) in [("qr,rd,ra", 1), ("qr,aa,rd,ra", 0)] {
        for (client, number) in clients {
            world.from = (client, 4711).into();
            assert_eq!(line(&world.ask("a.example.org.", "A")), format!("NOERROR {flags}: 300 192.0.2.{number}"));
            assert_eq!(world.sent().len(), sent);
        }
    }
}

fn logging(format: &[&str]) -> Value {
    json!({"op": "log", "rules": [{"zone": ".", "format": format, "classes": ["success", "denial", "error"]}], "span": 0})
}

fn upstream_label() -> Value {
    json!({"metadata": {"zones": ["example.org."], "labels": {"forward/upstream": {"is": "upstream"}, "view/name": {"is": "text", "text": "v"}}, "names": []}})
}

#[test]
fn a_line_tells_the_upstream_that_was_asked_last() {
    let mut world = World::new(1, vec![]);
    let log = logging(&["", "name", " ", "/forward/upstream", " ", "/view/name", ""]);
    install(&world, &[(".", vec![log, cache(json!({})), forward(2, json!({}))], upstream_label())]);
    world.upstream(1, |_| Act::Drop);
    world.upstream(2, |seen| say(a(seen, 300, [192, 0, 2, 1])));
    for name in ["a.example.org.", "a.example.org.", "b.example.com."] {
        world.ask(name, "A");
    }
    let expected = ["a.example.org. 192.0.2.2:53 v", "a.example.org. - v", "b.example.com. 192.0.2.2:53 -"];
    assert_eq!(world.log(), expected.map(|line| format!("[INFO] {line}")), "a cached answer came from no upstream");
}

#[test]
fn a_query_is_logged_by_the_block_that_it_came_to_whatever_runs_then() {
    let mut world = World::new(1, vec![]);
    let block = |text: &str| (".", vec![logging(&[text]), forward(1, json!({}))], json!({}));
    install(&world, &[("example.com.", vec![logging(&["other"])], json!({})), block("old")]);
    world.upstream(1, |seen| Act::Say(seconds(1.0), a(seen, 300, [192, 0, 2, 1])));
    let number = world.send(0, core_dns::client::Transport::Udp, &query("a.example.org.", "A"));
    install(&world, &[block("new")]);
    world.wait_for(number);
    assert_eq!(world.log(), ["[INFO] old"]);
}
