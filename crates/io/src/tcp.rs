//! TCP, in the clear and under TLS: a worker's share of the connections, their limits and deadlines.
//!
//! Knows listeners, the poll and the order of deadlines; one connection's own affairs are in `connection`. Must not know what a
//! message means, nor the other workers.

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use core_dns::client::{Client, Transport};
use core_dns::plan::{Timeouts, TlsServer};

use crate::connection::{Connection, Due, Missing};
use crate::counters::Counters;
use crate::listeners::{BACKLOG, canonical};
use crate::queries::Queries;
use crate::respond::Respond;
use crate::slots::{Key, Slots};
use crate::sys::{Interest, Poll};
use crate::tls::{Channel, Store};
use crate::worker::{Heir, Token};

/// What TCP clients may cost. The defaults are CoreDNS's, where it has any; a listener may have times of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpLimits {
    /// How long a connection may be silent between queries.
    pub idle: Duration,
    /// How long a message may take to arrive, and the first one to begin.
    pub read: Duration,
    /// How long the client may take nothing of its replies.
    pub write: Duration,
    /// Connections of all workers; each has its equal part.
    pub max_connections: usize,
    /// Queries of one connection that wait for their replies; while so many wait, no more are read.
    pub max_pipelined: usize,
    /// Queries of one connection, after which it is closed; none: any number.
    pub max_queries: Option<u32>,
}

impl TcpLimits {
    /// The same, with what a listener says.
    pub fn with(self, timeouts: &Timeouts) -> TcpLimits {
        let time = |said: Option<u32>, usual: Duration| said.map_or(usual, |said| Duration::from_millis(said.into()));
        TcpLimits {
            idle: time(timeouts.idle_ms, self.idle),
            read: time(timeouts.read_ms, self.read),
            write: time(timeouts.write_ms, self.write),
            max_queries: timeouts.most_queries.or(self.max_queries),
            ..self
        }
    }
}

/// How the connections of a listener are served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// What each may take.
    pub limits: TcpLimits,
    /// How they are secured; none: they are not.
    pub tls: Option<TlsServer>,
}

impl Default for TcpLimits {
    fn default() -> TcpLimits {
        let seconds = Duration::from_secs;
        TcpLimits { idle: seconds(10), read: seconds(3), write: seconds(5), max_connections: 4096, max_pipelined: 128, max_queries: None }
    }
}

/// How long no connection is accepted after the system had no descriptor or memory left for one.
const PAUSE: Duration = Duration::from_millis(100);
/// Steps of TLS handshakes in one turn, before other sockets have theirs: a signature costs as much as many queries.
const HANDSHAKES: usize = 4;
/// One read takes up to this.
const READ_SIZE: usize = 64 * 1024;

/// All listeners and connections of one worker.
pub struct Tcp {
    listeners: Slots<Listening>,
    connections: Slots<Connection>,
    deadlines: Deadlines,
    /// Since accepting failed: when it is tried again.
    accept_again: Option<Duration>,
    max_connections: usize,
    tls: Arc<Store>,
    /// Steps of handshakes that may still be done in this turn.
    handshakes: usize,
    buffer: Box<[u8]>,
    reply: Vec<u8>,
}

struct Listening {
    socket: TcpListener,
    serial: u64,
    number: u16,
    address: SocketAddr,
    terms: Arc<Terms>,
}

/// Deadlines in their order; those of idle connections apart, so that the oldest of them is found at once.
#[derive(Default)]
struct Deadlines {
    idle: BTreeSet<(Duration, Key)>,
    busy: BTreeSet<(Duration, Key)>,
}

impl Tcp {
    /// No listeners yet, and at most so many connections; `tls` knows how some are secured.
    pub fn new(max_connections: usize, tls: Arc<Store>) -> Tcp {
        Tcp {
            listeners: Slots::new(),
            connections: Slots::new(),
            deadlines: Deadlines::default(),
            accept_again: None,
            max_connections,
            tls,
            handshakes: HANDSHAKES,
            buffer: vec![0; READ_SIZE].into(),
            reply: Vec::new(),
        }
    }

    /// Takes a listening socket.
    pub fn adopt(
        &mut self,
        socket: TcpListener,
        serial: u64,
        number: u16,
        address: SocketAddr,
        terms: Arc<Terms>,
        poll: &Poll,
    ) -> io::Result<()> {
        let key = self.listeners.insert(Listening { socket, serial, number, address, terms });
        let watched = self.watch(key, |socket, token| poll.add(socket, token, Interest::READ));
        watched.inspect_err(|_| drop(self.listeners.remove(key)))
    }

    /// Whether no connection is left.
    pub fn is_empty(&self) -> bool {
        self.connections.len() == 0
    }

    /// Accepts a connection; the poll tells again when there are more. Asking without being told would not do: without a free
    /// descriptor the kernel refuses before it looks whether anybody waits.
    pub fn accept(&mut self, key: Key, poll: &Poll, queries: &mut Queries<impl Respond>) {
        if self.try_accept(key, poll, queries).is_err_and(|error| is_exhaustion(&error)) {
            self.pause(poll, queries);
        }
    }

    fn try_accept(&mut self, key: Key, poll: &Poll, queries: &mut Queries<impl Respond>) -> io::Result<()> {
        let Some(listening) = self.listeners.get_mut(key) else { return Ok(()) };
        let (stream, address) = listening.socket.accept()?;
        let (client, serial, terms) = (listening.client(&stream, address), listening.serial, Arc::clone(&listening.terms));
        if self.make_room(queries)
            && stream.set_nonblocking(true).is_ok()
            && let Some(channel) = self.secure(stream, &terms)
        {
            self.open(Connection::new(client, serial, channel, terms), poll, queries);
        }
        Ok(())
    }

    /// None: what it needs is not there; the plan that named it is gone.
    fn secure(&self, stream: TcpStream, terms: &Terms) -> Option<Channel<TcpStream>> {
        match &terms.tls {
            None => Some(Channel::plain(stream)),
            Some(plan) => Some(Channel::secured(stream, self.tls.server(plan)?.begin().ok()?)),
        }
    }

    /// The events of one wait begin.
    pub fn begin_turn(&mut self) {
        self.handshakes = HANDSHAKES;
    }

    /// Reads, answers and writes: something has happened to this connection.
    pub fn event(&mut self, key: Key, readable: bool, dead: bool, poll: &Poll, queries: &mut Queries<impl Respond>) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if readable && !dead && connection.is_handshaking() {
            // The poll tells again what was left.
            let Some(left) = self.handshakes.checked_sub(1) else { return };
            self.handshakes = left;
        }
        let alive = !dead && (!readable || connection.read(&mut self.buffer).is_ok());
        self.serve(key, alive, poll, queries);
    }

    /// Sends the reply that a query of this connection waited for.
    pub fn reply(&mut self, key: Key, reply: &[u8], poll: &Poll, queries: &mut Queries<impl Respond>) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.finish(reply, queries.now);
        self.serve(key, true, poll, queries);
    }

    /// When `expire` is due.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.next().map(|(at, _)| at).into_iter().chain(self.accept_again).min()
    }

    /// Ends what has taken too long.
    pub fn expire(&mut self, poll: &Poll, queries: &mut Queries<impl Respond>) {
        while let Some((at, key)) = self.deadlines.next() {
            if at > queries.now {
                break;
            }
            let Some(connection) = self.connections.get_mut(key) else { break };
            let rest = connection.due.is_some_and(|due| due.missing == Missing::Rest);
            // An incomplete message has lost its chance, the replies of those before it have not.
            connection.end();
            self.serve(key, rest, poll, queries);
        }
        if self.accept_again.take_if(|again| *again <= queries.now).is_some() {
            self.watch_all(Interest::READ, poll);
        }
    }

    /// Closes the listening socket of one binding (of all without one), after accepting and answering what has arrived.
    pub fn close_listeners(&mut self, serial: Option<u64>, poll: &Poll, queries: &mut Queries<impl Respond>) {
        let of = |number: u64| serial.is_none_or(|serial| serial == number);
        let keys: Vec<Key> = self.listeners.iter().filter(|(_, listening)| of(listening.serial)).map(|(key, _)| key).collect();
        for key in keys {
            (0..BACKLOG).take_while(|_| self.try_accept(key, poll, queries).is_ok()).for_each(drop);
            self.listeners.remove(key);
        }
        for key in self.of_binding(serial) {
            self.event(key, true, false, poll, queries);
        }
    }

    /// Gives the connections of a closed binding to its heir; without one they end after the replies that wait.
    pub fn leave(&mut self, serial: Option<u64>, heir: Option<Heir>, poll: &Poll, queries: &mut Queries<impl Respond>) {
        let inherited = heir.and_then(|heir| self.listeners.iter().find(|(_, listening)| listening.serial == heir.serial));
        let terms = inherited.map(|(_, listening)| Arc::clone(&listening.terms));
        for key in self.of_binding(serial) {
            let Some(connection) = self.connections.get_mut(key) else { continue };
            match heir {
                Some(heir) => {
                    (connection.serial, connection.client.listener) = (heir.serial, heir.number);
                    terms.iter().for_each(|terms| connection.terms = Arc::clone(terms));
                }
                None => {
                    connection.end();
                    self.serve(key, true, poll, queries);
                }
            }
        }
    }

    /// Changes how the connections of a binding are served. Those that are secured stay as they are secured.
    pub fn change(&mut self, serial: u64, terms: &Arc<Terms>, poll: &Poll, queries: &mut Queries<impl Respond>) {
        let Some(listening) = self.listeners.iter_mut().find(|listening| listening.serial == serial) else { return };
        if listening.terms == *terms {
            return;
        }
        listening.terms = Arc::clone(terms);
        for key in self.of_binding(Some(serial)) {
            let Some(connection) = self.connections.get_mut(key) else { continue };
            connection.terms = Arc::clone(terms);
            self.serve(key, true, poll, queries);
        }
    }

    fn of_binding(&self, serial: Option<u64>) -> Vec<Key> {
        let of = |connection: &Connection| serial.is_none_or(|serial| serial == connection.serial);
        self.connections.iter().filter(|(_, connection)| of(connection)).map(|(key, _)| key).collect()
    }

    fn open(&mut self, connection: Connection, poll: &Poll, queries: &mut Queries<impl Respond>) {
        let key = self.connections.insert(connection);
        let Some(connection) = self.connections.get_mut(key) else { return };
        match poll.add(&connection.channel.socket, Token::Connection(key).pack(), connection.watched) {
            Ok(()) => self.serve(key, true, poll, queries),
            Err(_) => self.close(key, &queries.counters),
        }
    }

    fn serve(&mut self, key: Key, alive: bool, poll: &Poll, queries: &mut Queries<impl Respond>) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let open = alive && connection.serve(key, &mut self.reply, queries).unwrap_or(false);
        let wants = connection.wants();
        let watched = wants == connection.watched || poll.change(&connection.channel.socket, Token::Connection(key).pack(), wants).is_ok();
        if !(open && watched) {
            return self.close(key, &queries.counters);
        }
        connection.watched = wants;
        let due = connection.next_due(queries.now);
        self.deadlines.replace(key, connection.due, due);
        connection.due = due;
    }

    fn close(&mut self, key: Key, counters: &Counters) {
        if let Some(mut connection) = self.connections.remove(key) {
            if connection.is_handshaking() {
                Counters::one(&counters.failed_handshakes);
            }
            connection.channel.end();
            self.deadlines.replace(key, connection.due, None);
        }
    }

    fn make_room(&mut self, queries: &Queries<impl Respond>) -> bool {
        if self.connections.len() < self.max_connections {
            return true;
        }
        let closed = self.close_oldest_idle(queries);
        if !closed {
            Counters::one(&queries.counters.refused_connections);
        }
        closed
    }

    fn close_oldest_idle(&mut self, queries: &Queries<impl Respond>) -> bool {
        let Some((_, key)) = self.deadlines.idle.first().copied() else { return false };
        self.close(key, &queries.counters);
        Counters::one(&queries.counters.closed_for_room);
        true
    }

    /// The system has no room for a connection: make some, or look away for a while, or the waiting client would keep us spinning.
    fn pause(&mut self, poll: &Poll, queries: &Queries<impl Respond>) {
        if !self.close_oldest_idle(queries) {
            self.accept_again = Some(queries.now + PAUSE);
            self.watch_all(Interest::NONE, poll);
        }
    }

    fn watch_all(&mut self, interest: Interest, poll: &Poll) {
        let keys: Vec<Key> = self.listeners.iter().map(|(key, _)| key).collect();
        for key in keys {
            // It fails only without memory; then the listener stays as it is watched now.
            let _ = self.watch(key, |socket, token| poll.change(socket, token, interest));
        }
    }

    fn watch(&mut self, key: Key, how: impl FnOnce(&TcpListener, u64) -> io::Result<()>) -> io::Result<()> {
        self.listeners.get_mut(key).map_or(Ok(()), |listening| how(&listening.socket, Token::Listener(key).pack()))
    }
}

impl Listening {
    fn client(&self, stream: &TcpStream, address: SocketAddr) -> Client {
        let local = if self.address.ip().is_unspecified() { stream.local_addr().unwrap_or(self.address) } else { self.address };
        Client { address: canonical(address), local: canonical(local), listener: self.number, transport: Transport::Tcp }
    }
}

impl Deadlines {
    fn next(&self) -> Option<(Duration, Key)> {
        self.idle.first().into_iter().chain(self.busy.first()).min().copied()
    }

    fn replace(&mut self, key: Key, old: Option<Due>, new: Option<Due>) {
        if let Some(due) = old {
            self.of(due).remove(&(due.at, key));
        }
        if let Some(due) = new {
            self.of(due).insert((due.at, key));
        }
    }

    fn of(&mut self, due: Due) -> &mut BTreeSet<(Duration, Key)> {
        if matches!(due.missing, Missing::Query | Missing::Handshake) { &mut self.idle } else { &mut self.busy }
    }
}

fn is_exhaustion(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}
