//! The simulator for others: machines that run a plan, while whoever writes to stdin is the clients, the upstreams and the clock.
//!
//! A line of JSON is a request, and is replied to with one: `{"ask": ..}` sends a query, `{"close": ..}` closes a lane, `{"wait": ..}`
//! lets time pass. Whenever an upstream is asked meanwhile, a line tells it, and the line that comes next says what it does.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::time::Duration;
use std::{env, fs};

use core_dns::client::Transport;
use core_dns::exchanges::LaneId;
use serde::{Deserialize, Serialize};
use world::{Act, Seen, World};

#[allow(dead_code, reason = "shared with the tests, which need other parts of it")]
#[path = "../tests/sim/world.rs"]
mod world;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    /// Sends a query; its number is told.
    Ask { machine: usize, listener: String, from: SocketAddr, to: SocketAddr, tcp: bool, message: String },
    /// The other side of a lane closes it.
    Close { machine: usize, lane: u64 },
    /// Lets time pass: until these queries are answered, if there are any, but not longer.
    Wait { seconds: f64, answered: Vec<usize> },
}

/// What an upstream was asked.
#[derive(Serialize)]
struct Question {
    upstream: usize,
    machine: usize,
    lane: u64,
    tcp: bool,
    message: String,
}

/// What it does.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Deed {
    Say { message: String, after_ms: u64, close: bool },
    Drop,
    Refuse,
    Close,
}

/// What has happened meanwhile.
#[derive(Serialize)]
struct Passed {
    now: f64,
    /// By the number of a query that was waited for: when it was answered, and how.
    answers: BTreeMap<usize, (f64, String)>,
    log: Vec<String>,
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let [_, machines, plan, upstreams @ ..] = arguments.as_slice() else {
        panic!("usage: simulator MACHINES PLAN UPSTREAM...");
    };
    let mut world = World::with_plan(1, machines.parse().expect("a number"), &fs::read(plan).expect("a plan"));
    for (number, address) in upstreams.iter().enumerate() {
        world.upstream_at(address.parse().expect("an address"), number, consult);
    }
    while let Some(request) = hear::<Request>() {
        match request {
            Request::Ask { machine, listener, from, to, tcp, message } => {
                (world.listener, world.from, world.to) = (listener, from, to);
                tell(&world.send(machine, if tcp { Transport::Tcp } else { Transport::Udp }, &octets(&message)));
            }
            Request::Close { machine, lane } => {
                world.close(machine, LaneId(lane));
                tell(&());
            }
            Request::Wait { seconds, answered } => {
                if answered.is_empty() {
                    world.wait(seconds);
                } else {
                    world.wait_until(|world| answered.iter().all(|number| world.asked[*number].answered.is_some()), seconds);
                }
                tell(&passed(&world, &answered));
            }
        }
    }
}

/// Has the other side say what an upstream does.
fn consult(seen: &Seen) -> Act {
    let (machine, LaneId(lane)) = seen.lane;
    tell(&Question { upstream: seen.upstream, machine, lane, tcp: seen.transport == Transport::Tcp, message: hex(&seen.message) });
    match hear().expect("what the upstream does") {
        Deed::Say { message, close: true, .. } => Act::SayAndClose(octets(&message)),
        Deed::Say { message, after_ms, close: false } => Act::Say(Duration::from_millis(after_ms), octets(&message)),
        Deed::Drop => Act::Drop,
        Deed::Refuse => Act::Refuse,
        Deed::Close => Act::Close,
    }
}

fn passed(world: &World, asked: &[usize]) -> Passed {
    let answers = asked.iter().filter_map(|number| {
        let (at, reply) = world.asked[*number].answered.as_ref()?;
        Some((*number, (at.as_secs_f64(), hex(reply))))
    });
    Passed { now: world.now.as_secs_f64(), answers: answers.collect(), log: world.log() }
}

fn hear<T: for<'a> Deserialize<'a>>() -> Option<T> {
    let mut line = String::new();
    let length = io::stdin().lock().read_line(&mut line).expect("a line");
    (length > 0).then(|| serde_json::from_str(&line).expect("what can be read"))
}

fn tell(what: &impl Serialize) {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, what).expect("somebody who reads");
    writeln!(out).and_then(|()| out.flush()).expect("somebody who reads");
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn octets(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("text"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
}
