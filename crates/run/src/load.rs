//! `dns-load ADDRESS:PORT`: asks a server on this machine as fast as it answers, or so many questions a second, and tells what came
//! back and how long it took. One thread, no more than one core; it always ends by itself.

mod histogram;
#[allow(dead_code, reason = "shared with the echo, which needs other parts of it")]
mod mmsg;
mod questions;
mod results;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use std::{env, fs, io, process};

use mmsg::{BATCH, Batch, With};
use questions::Questions;
use results::Results;

const USAGE: &str = "usage: dns-load ADDRESS:PORT (--questions FILE | --name NAME[/TYPE] ...) [--seconds S] [--rate R | --saturate]
    [--window N] [--clients N] [--edns SIZE] [--echo] [--json]
ADDRESS is one of this machine's loopback addresses. --rate: questions a second (default 20000). --saturate: as fast as answers come,
--window questions under way (default 128). --clients: sockets (default 4). --edns: ask with EDNS. --echo: what comes back is the question.";
/// Nothing runs longer than this.
const MOST_SECONDS: f64 = 600.0;
/// An answer that takes longer is lost.
const LOST_AFTER: u64 = 500_000_000;
/// Questions that are sent at once to keep up with a rate.
const BURST: u64 = 4;

/// How questions are paced.
#[derive(Clone, Copy)]
enum Pace {
    /// So many are under way, shared by all clients.
    Window(usize),
    /// Nanoseconds from one to the next.
    Every(f64),
}

struct Options {
    server: SocketAddr,
    questions: Questions,
    seconds: f64,
    pace: Pace,
    clients: usize,
    echo: bool,
    json: bool,
}

fn main() {
    let options = options(env::args().skip(1)).unwrap_or_else(|why| {
        eprintln!("dns-load: {why}\n{USAGE}");
        process::exit(2);
    });
    match Load::new(&options).and_then(|mut load| load.run(&options).map(|seconds| (load, seconds))) {
        Ok((load, seconds)) => {
            let results = load.results.as_json(seconds);
            println!("{}", if options.json { results.to_string() } else { format!("{results:#}") });
        }
        Err(error) => {
            eprintln!("dns-load {}: {error}", options.server);
            process::exit(1);
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let server = arguments.next().ok_or("which server?")?;
    let server: SocketAddr = server.parse().map_err(|_| format!("{server} is no address with a port"))?;
    if !server.ip().is_loopback() {
        return Err(format!("{server} is not on this machine: a load belongs to nobody else"));
    }
    let (mut lines, mut edns) = (Vec::new(), None);
    let (mut seconds, mut rate, mut saturate, mut window, mut clients, mut echo, mut json) = (5.0, 20_000.0, false, 128, 4, false, false);
    while let Some(option) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{option} needs a value"));
        fn number<T: std::str::FromStr>(text: String) -> Result<T, String> {
            text.parse().map_err(|_| format!("{text} is not such a number"))
        }
        match option.as_str() {
            "--questions" => {
                let file = value()?;
                let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
                lines.extend(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
            }
            "--name" => lines.push(value()?.replacen('/', " ", 1)),
            "--seconds" => seconds = number::<f64>(value()?)?.clamp(0.0, MOST_SECONDS),
            "--rate" => rate = number::<f64>(value()?)?,
            "--saturate" => saturate = true,
            "--window" => window = number::<usize>(value()?)?.clamp(1, 16_384),
            "--clients" => clients = number::<usize>(value()?)?.clamp(1, 64),
            "--edns" => edns = Some(number(value()?)?),
            "--echo" => echo = true,
            "--json" => json = true,
            other => return Err(format!("{other} is no option")),
        }
    }
    if !(1.0..=10_000_000.0).contains(&rate) {
        return Err("a rate lies between 1 and 10,000,000 a second".to_owned());
    }
    let pace = if saturate { Pace::Window(window) } else { Pace::Every(1e9 / rate) };
    Ok(Options { server, questions: Questions::parse(&lines, edns)?, seconds, pace, clients, echo, json })
}

/// One socket and its questions under way, by id.
struct Client {
    socket: UdpSocket,
    /// When each was sent, in nanoseconds since the start; 0: not under way.
    sent_at: Vec<u64>,
    next_id: u16,
    /// The oldest that may be under way.
    oldest: u16,
    under_way: usize,
}

struct Load {
    clients: Vec<Client>,
    sockets: Vec<UdpSocket>,
    outgoing: Batch,
    incoming: Batch,
    start: Instant,
    results: Results,
}

impl Load {
    fn new(options: &Options) -> io::Result<Load> {
        let mut clients = Vec::new();
        for _ in 0..options.clients {
            let socket = match options.server {
                SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?,
                SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::LOCALHOST, 0))?,
            };
            socket.connect(options.server)?;
            clients.push(Client { socket, sent_at: vec![0; 1 << 16], next_id: 0, oldest: 0, under_way: 0 });
        }
        let sockets = clients.iter().map(|client| client.socket.try_clone()).collect::<io::Result<_>>()?;
        let (outgoing, incoming) = (Batch::new(With::Nothing), Batch::new(With::Nothing));
        Ok(Load { clients, sockets, outgoing, incoming, start: Instant::now(), results: Results::default() })
    }

    /// Asks for as long as it shall, then waits for what is under way. Returns how many seconds it asked.
    fn run(&mut self, options: &Options) -> io::Result<f64> {
        mmsg::be_punctual();
        self.start = Instant::now();
        let end = Duration::from_secs_f64(options.seconds).as_nanos() as u64;
        let mut questions = options.questions.clone();
        match options.pace {
            Pace::Window(window) => self.saturate(end, (window / options.clients).max(1), &mut questions, options.echo)?,
            Pace::Every(gap) => self.keep_rate(end, gap, &mut questions, options.echo)?,
        }
        let seconds = self.start.elapsed().as_secs_f64();
        let last = self.now() + LOST_AFTER;
        while self.now() < last && self.clients.iter().any(|client| client.under_way > 0) {
            mmsg::wait(&self.sockets, 10_000_000);
            self.receive_all(options.echo);
        }
        self.give_up(u64::MAX);
        Ok(seconds)
    }

    /// Each answer makes room for a question.
    fn saturate(&mut self, end: u64, window: usize, questions: &mut Questions, echo: bool) -> io::Result<()> {
        loop {
            let now = self.now();
            if now >= end {
                return Ok(());
            }
            for at in 0..self.clients.len() {
                let room = (window - self.clients[at].under_way.min(window)).min(BATCH);
                // Small batches would make the client dearer than the server, which would then wait for it.
                if room >= window.min(BATCH / 2) {
                    self.send(at, room, now, questions)?;
                }
            }
            if !self.receive_all(echo) {
                mmsg::wait(&self.sockets, 20_000_000);
                self.give_up(now);
            }
        }
    }

    /// Questions leave when they are due, whatever comes back.
    fn keep_rate(&mut self, end: u64, gap: f64, questions: &mut Questions, echo: bool) -> io::Result<()> {
        let (mut asked, mut looked_for_lost) = (0u64, 0);
        loop {
            let now = self.now();
            if now >= end {
                return Ok(());
            }
            let due = (now as f64 / gap) as u64 + 1;
            if due > asked {
                let count = (due - asked).min(BURST);
                let at = asked as usize % self.clients.len();
                self.send(at, count as usize, now, questions)?;
                asked += count;
            }
            self.receive_all(echo);
            let next = (asked as f64 * gap) as u64;
            let now = self.now();
            if next > now {
                mmsg::wait(&self.sockets, next - now);
            }
            if now - looked_for_lost > LOST_AFTER / 4 {
                self.give_up(now);
                looked_for_lost = now;
            }
        }
    }

    fn send(&mut self, at: usize, count: usize, now: u64, questions: &mut Questions) -> io::Result<()> {
        let client = &mut self.clients[at];
        let first = client.next_id;
        for place in 0..count {
            let id = first.wrapping_add(place as u16);
            self.outgoing.put(place, questions.next(id));
        }
        let sent = match self.outgoing.send(&client.socket, count) {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                self.results.refused += 1;
                return if self.results.refused > 1000 { Err(error) } else { Ok(()) };
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => 0,
            Err(error) => return Err(error),
        };
        for place in 0..sent {
            let slot = &mut client.sent_at[first.wrapping_add(place as u16) as usize];
            if *slot != 0 {
                self.results.lost += 1;
                client.under_way -= 1;
            }
            *slot = now.max(1);
        }
        client.next_id = first.wrapping_add(sent as u16);
        client.under_way += sent;
        self.results.sent += sent as u64;
        Ok(())
    }

    /// Takes what has come; whether there was anything.
    fn receive_all(&mut self, echo: bool) -> bool {
        let mut any = false;
        for client in &mut self.clients {
            while client.under_way > 0 {
                let Ok(count) = self.incoming.receive(&client.socket, false) else { break };
                any |= count > 0;
                let now = self.start.elapsed().as_nanos() as u64;
                for place in 0..count {
                    client.under_way -= self.results.take(self.incoming.message(place), &mut client.sent_at, now, echo);
                }
                if count < BATCH {
                    break;
                }
            }
        }
        any
    }

    /// Counts as lost what was sent too long ago.
    fn give_up(&mut self, now: u64) {
        for client in &mut self.clients {
            while client.oldest != client.next_id {
                let sent_at = &mut client.sent_at[client.oldest as usize];
                if *sent_at != 0 {
                    if now - *sent_at < LOST_AFTER {
                        break;
                    }
                    *sent_at = 0;
                    client.under_way -= 1;
                    self.results.lost += 1;
                }
                client.oldest = client.oldest.wrapping_add(1);
            }
        }
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}
