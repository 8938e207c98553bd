//! A worker: one thread that waits for all of its sockets at once, answers on the spot, and keeps time for the core.
//!
//! Knows its sockets, its poll and the commands that it gets. Must not know the other workers, nor what a message means.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use crate::log::log_line;
use crate::queries::{Asker, Queries};
use crate::respond::Respond;
use crate::slots::Key;
use crate::sys::{Event, Events, Poll, Waits, Waker};
use crate::tcp::{Tcp, Terms};
use crate::udp::Udp;
use crate::upstreams::Upstreams;

/// What a worker is told.
pub enum Command {
    /// Answer what has arrived on these bindings, say so, and stand still until the sender of `go` is gone.
    Hold {
        /// The bindings that the next command closes.
        leaving: Vec<u64>,
        /// Told when everything is answered.
        held: Sender<()>,
        /// Nothing ever comes; it ends.
        go: Receiver<()>,
    },
    /// Open and close listeners. Dropping `done` says that it has happened.
    Change {
        /// New sockets.
        new: Vec<Sockets>,
        /// Bindings that stay, and how their connections are served from now on.
        kept: Vec<(u64, Arc<Terms>)>,
        /// Bindings to close, and who inherits what is still under way.
        leaving: Vec<(u64, Option<Heir>)>,
        /// Gone when it is done.
        done: Sender<()>,
    },
    /// Answer what has arrived, wait for outstanding replies until then, and end.
    Stop {
        /// Since the workers' start.
        until: Duration,
    },
}

/// A listener's sockets for one worker.
pub struct Sockets {
    /// Which binding they belong to.
    pub serial: u64,
    /// The engine's number of the listener.
    pub number: u16,
    /// Where they listen.
    pub address: SocketAddr,
    /// Datagrams, where there are any.
    pub udp: Option<UdpSocket>,
    /// Connections.
    pub tcp: TcpListener,
    /// How these are served.
    pub terms: Arc<Terms>,
}

/// The binding that gets the rest of a closed one.
#[derive(Clone, Copy)]
pub struct Heir {
    /// Its binding.
    pub serial: u64,
    /// The engine's number of its listener.
    pub number: u16,
}

/// What an event is about, in the 64 bits that the poll carries.
pub enum Token {
    /// Commands.
    Waker,
    /// A listening socket.
    Listener(Key),
    /// A connection.
    Connection(Key),
    /// A socket to an upstream.
    Upstream(Key),
}

impl Token {
    /// As the poll carries it: two bits of kind, then the key.
    pub fn pack(self) -> u64 {
        match self {
            Token::Waker => 0,
            Token::Listener(key) => 1 << 62 | key.pack(),
            Token::Connection(key) => 2 << 62 | key.pack(),
            Token::Upstream(key) => 3 << 62 | key.pack(),
        }
    }

    /// From what the poll gives back.
    pub fn unpack(token: u64) -> Token {
        let key = Key::unpack(token);
        match token >> 62 {
            0 => Token::Waker,
            1 => Token::Listener(key),
            2 => Token::Connection(key),
            _ => Token::Upstream(key),
        }
    }
}

/// Everything that one thread owns.
pub struct Worker<R> {
    /// When all workers started.
    pub started: Instant,
    /// Watches listeners, connections and the waker.
    pub poll: Poll,
    /// What to sleep for: datagram sockets and the poll.
    pub waits: Waits,
    /// The datagram sockets in `waits`.
    pub datagrams: Vec<Key>,
    /// Set when commands have come.
    pub waker: Arc<Waker>,
    /// The commands.
    pub commands: Receiver<Command>,
    /// The core, and who waits for it.
    pub queries: Queries<R>,
    /// Datagram sockets.
    pub udp: Udp,
    /// Listeners and connections.
    pub tcp: Tcp,
    /// Sockets to upstreams.
    pub upstreams: Upstreams,
    /// Since `Stop`: when to end at last.
    pub until: Option<Duration>,
}

impl<R: Respond> Worker<R> {
    /// Works until `Stop`.
    pub fn run(mut self) {
        let mut events = Events::new();
        self.watch();
        while !self.is_done() {
            // Waiting fails only when the kernel has no memory or a descriptor is broken: without it nothing can go on.
            self.waits.wait(self.timeout()).expect("waiting for sockets");
            self.queries.now = self.started.elapsed();
            for index in 0..self.datagrams.len() {
                if self.waits.is_ready(index) {
                    self.udp.readable(self.datagrams[index], &mut self.queries);
                }
            }
            if self.waits.is_ready(self.datagrams.len()) {
                self.poll.take(&mut events).expect("taking events");
                self.tcp.begin_turn();
                events.iter().for_each(|event| self.event(event));
            }
            self.queries.tick();
            self.queries.collect();
            self.tcp.expire(&self.poll, &mut self.queries);
            // A reply lets the next query of its connection in, which may have to ask an upstream.
            while self.upstreams.carry_out(&self.poll, &mut self.queries) | self.deliver() {}
            self.queries.time();
        }
    }

    /// Waits from now on for the sockets that there are now: datagrams first, then everything that the poll watches.
    fn watch(&mut self) {
        self.waits.clear();
        self.datagrams = self.udp.watch(&mut self.waits);
        self.waits.add(&self.poll);
    }

    fn event(&mut self, event: Event) {
        match Token::unpack(event.token) {
            Token::Connection(key) => self.tcp.event(key, event.readable, event.dead, &self.poll, &mut self.queries),
            Token::Upstream(key) => self.upstreams.event(key, &self.poll, &mut self.queries),
            Token::Listener(key) => self.tcp.accept(key, &self.poll, &mut self.queries),
            Token::Waker => {
                self.waker.clear();
                while let Ok(command) = self.commands.try_recv() {
                    self.obey(command);
                }
                self.watch();
            }
        }
    }

    /// Sends the replies that were waited for. False: there were none.
    fn deliver(&mut self) -> bool {
        let mut any = false;
        while let Some((asker, reply)) = self.queries.finished() {
            match asker {
                Asker::Udp(key, address) => self.udp.reply(key, &address, &reply, &mut self.queries),
                Asker::Tcp(key) => self.tcp.reply(key, &reply, &self.poll, &mut self.queries),
            }
            any = true;
        }
        any
    }

    fn timeout(&self) -> Option<Duration> {
        let deadlines = [self.queries.next_deadline(), self.tcp.next_deadline(), self.until];
        deadlines.into_iter().flatten().min().map(|deadline| deadline.saturating_sub(self.started.elapsed()))
    }

    fn is_done(&self) -> bool {
        self.until.is_some_and(|until| self.queries.now >= until || (self.udp.is_empty() && self.tcp.is_empty()))
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Hold { leaving, held, go } => {
                for serial in leaving {
                    self.drain(Some(serial));
                }
                // Both end early only when the one who commands is gone; then there is nothing to wait for.
                if held.send(()).is_ok() {
                    let _ = go.recv();
                }
            }
            Command::Change { new, kept, leaving, done } => {
                for sockets in new {
                    self.adopt(sockets);
                }
                for (serial, terms) in kept {
                    self.tcp.change(serial, &terms, &self.poll, &mut self.queries);
                }
                for (serial, heir) in leaving {
                    self.leave(Some(serial), heir);
                }
                drop(done);
            }
            Command::Stop { until } => {
                self.until = Some(until);
                self.drain(None);
                self.leave(None, None);
            }
        }
    }

    fn adopt(&mut self, sockets: Sockets) {
        let Sockets { serial, number, address, udp, tcp, terms } = sockets;
        if let Some(udp) = udp {
            self.udp.adopt(udp, serial, number, address);
        }
        if let Err(error) = self.tcp.adopt(tcp, serial, number, address, terms, &self.poll) {
            // A socket that cannot be watched has been closed: the kernel gives its clients to the other workers.
            log_line(&format!("[ERROR] a worker cannot watch {address} (tcp): {error}"));
        }
    }

    fn drain(&mut self, serial: Option<u64>) {
        self.udp.drain(serial, &mut self.queries);
        self.tcp.close_listeners(serial, &self.poll, &mut self.queries);
        self.deliver();
    }

    fn leave(&mut self, serial: Option<u64>, heir: Option<Heir>) {
        self.udp.leave(serial, heir, &mut self.queries);
        self.tcp.leave(serial, heir, &self.poll, &mut self.queries);
    }
}
