//! A stand-in for the core: answers words instead of DNS messages, so that a test says what shall happen by what it sends.

#![allow(dead_code)] // each test file uses its part

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_dns::client::{Client, Ticket, Transport};

use core_dns::machine::Verdict;
use core_dns::plan::Timeouts;
use io_dns::{Listener, Respond, TcpLimits, Workers};

/// Longer than any test takes.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What all stand-ins of a test share with it.
#[derive(Default)]
pub struct Outside {
    /// The generation of the plan, told by `plan`.
    pub generation: AtomicU64,
    /// Where `block` waits.
    pub gate: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

/// The stand-in.
///
/// - `echo X`: X. `who`: client, local address, listener, transport. `plan`: generation, listener. `big N`: N bytes.
/// - `drop`: nothing. `panic`: a panic. `block`: tells the gate, then waits for it.
/// - `wait X`: X, after somebody has said `release X`. `tick X`: X, a few milliseconds later; `tick panic`: a panic then.
pub struct Words {
    outside: Arc<Outside>,
    tickets: u64,
    waiting: HashMap<String, Vec<Ticket>>,
    finished: Vec<(Ticket, Vec<u8>)>,
    ticking: Vec<(Duration, Ticket, String)>,
    /// Whose tick panics.
    lost: Option<Ticket>,
}

impl Words {
    pub fn new(outside: Arc<Outside>) -> Words {
        Words { outside, tickets: 0, waiting: HashMap::new(), finished: Vec::new(), ticking: Vec::new(), lost: None }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }
}

impl Respond for Words {
    fn query(&mut self, now: Duration, client: &Client, message: &[u8], reply: &mut Vec<u8>) -> Verdict {
        let message = String::from_utf8_lossy(message).into_owned();
        let (word, rest) = message.split_once(' ').unwrap_or((&message, ""));
        reply.clear();
        match word {
            "echo" => reply.extend_from_slice(rest.as_bytes()),
            "who" => {
                let transport = if client.transport == Transport::Udp { "udp" } else { "tcp" };
                write!(reply, "{} {} {} {transport}", client.address, client.local, client.listener).unwrap();
            }
            "plan" => write!(reply, "{} {}", self.outside.generation.load(Ordering::SeqCst), client.listener).unwrap(),
            "big" => reply.resize(rest.parse().unwrap(), b'x'),
            "panic" => panic!("as asked"),
            "block" => {
                let gate = self.outside.gate.lock().unwrap().take().unwrap();
                gate.0.send(()).unwrap();
                gate.1.recv().unwrap();
                reply.extend_from_slice(b"unblocked");
            }
            "wait" => {
                let ticket = self.ticket();
                self.waiting.entry(rest.to_owned()).or_default().push(ticket);
                return Verdict::Wait(ticket);
            }
            "release" => {
                let released = self.waiting.remove(rest).unwrap_or_default();
                self.finished.extend(released.into_iter().map(|ticket| (ticket, rest.as_bytes().to_vec())));
                reply.extend_from_slice(b"released");
            }
            "tick" => {
                let ticket = self.ticket();
                self.ticking.push((now + Duration::from_millis(5), ticket, rest.to_owned()));
                return Verdict::Wait(ticket);
            }
            _ => return Verdict::Drop,
        }
        Verdict::Reply
    }

    fn fail(&mut self, _: &Client, message: &[u8], reply: &mut Vec<u8>) -> Verdict {
        reply.clear();
        write!(reply, "failed: {}", String::from_utf8_lossy(message)).unwrap();
        Verdict::Reply
    }

    fn finished(&mut self) -> Option<(Ticket, Vec<u8>)> {
        self.finished.pop()
    }

    fn next_deadline(&self) -> Option<Duration> {
        self.ticking.iter().map(|(at, ..)| *at).min()
    }

    fn tick(&mut self, now: Duration) {
        assert!(self.next_deadline().is_some_and(|deadline| deadline <= now), "called too early");
        let (due, rest) = self.ticking.drain(..).partition(|(at, ..)| *at <= now);
        self.ticking = rest;
        let due: Vec<(Duration, Ticket, String)> = due;
        self.lost = due.iter().find(|(.., word)| word == "panic").map(|(_, ticket, _)| *ticket);
        assert!(self.lost.is_none(), "as asked");
        self.finished.extend(due.into_iter().map(|(_, ticket, word)| (ticket, word.into_bytes())));
    }

    fn recover(&mut self) {
        self.finished.extend(self.lost.take().map(|ticket| (ticket, Vec::new())));
    }
}

/// Workers with stand-ins.
pub struct Server {
    pub workers: Arc<Workers>,
    pub outside: Arc<Outside>,
}

impl Server {
    /// Workers without listeners.
    pub fn start(workers: usize, limits: TcpLimits) -> Server {
        let outside = Arc::new(Outside::default());
        let its = Arc::clone(&outside);
        let workers = Arc::new(Workers::start(workers, limits, move |_| Words::new(Arc::clone(&its))).unwrap());
        Server { workers, outside }
    }

    /// One worker with one listener on a free port of this host.
    pub fn on(host: &str, limits: TcpLimits) -> (Server, SocketAddr) {
        let server = Server::start(1, limits);
        let address = server.listen(&[listener(0, host, 0)])[0];
        (server, address)
    }

    /// Makes these the listeners, and counts the generation up.
    pub fn listen(&self, listeners: &[Listener]) -> Vec<SocketAddr> {
        let prepared = self.workers.prepare(listeners).unwrap();
        let swap = || {
            self.outside.generation.fetch_add(1, Ordering::SeqCst);
        };
        self.workers.commit(prepared, swap).unwrap();
        let bound = self.workers.bound();
        listeners.iter().map(|listener| bound.iter().find(|(id, _)| *id == listener.id).unwrap().1).collect()
    }

    /// The next `block` tells the first end, and waits for the second.
    pub fn gate(&self) -> (Receiver<()>, Sender<()>) {
        let ((blocked, is_blocked), (open, opened)) = (channel(), channel());
        *self.outside.gate.lock().unwrap() = Some((blocked, opened));
        (is_blocked, open)
    }
}

/// A listener; its id follows from where it listens.
pub fn listener(number: u16, host: &str, port: u16) -> Listener {
    Listener { number, id: format!("{host}:{port}"), host: host.to_owned(), port, timeouts: Timeouts::default(), tls: None }
}

/// A client's datagram socket that talks to this address.
pub fn udp(server: SocketAddr) -> UdpSocket {
    let here: SocketAddr = if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }.parse().unwrap();
    let socket = UdpSocket::bind(here).unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Sends a word and takes the next reply.
pub fn ask(socket: &UdpSocket, word: &str) -> String {
    socket.send(word.as_bytes()).unwrap();
    take(socket)
}

/// The next datagram.
pub fn take(socket: &UdpSocket) -> String {
    let mut buffer = [0; 65536];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

/// A client's connection to this address.
pub fn tcp(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Words as frames.
pub fn frames(words: &[&str]) -> Vec<u8> {
    words.iter().flat_map(|word| [&(word.len() as u16).to_be_bytes()[..], word.as_bytes()].concat()).collect()
}

/// The next frame; None at the end of the stream.
pub fn next(mut stream: &TcpStream) -> Option<String> {
    let mut length = [0; 2];
    match stream.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset) => return None,
        Err(error) => panic!("{error}"),
    }
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).unwrap();
    Some(String::from_utf8(message).unwrap())
}

/// Sends words as frames, and takes as many replies.
pub fn converse(mut stream: &TcpStream, words: &[&str]) -> Vec<String> {
    stream.write_all(&frames(words)).unwrap();
    words.iter().map(|_| next(stream).unwrap()).collect()
}
