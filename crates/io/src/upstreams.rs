//! Sockets to upstreams: carries out what the core wants sent, and tells it what comes back.
//!
//! Knows a worker's lanes. Must not know what a message means, which upstream is chosen, nor when a reply is late.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use core_dns::client::Transport;
use core_dns::exchanges::{Effect, LaneId, Target};
use core_dns::forward::Loss;
use socket2::{Domain, Protocol, Socket, Type};

use crate::counters::Counters;
use crate::frames::Frames;
use crate::queries::Queries;
use crate::respond::Respond;
use crate::slots::{Key, Slots};
use crate::sys::{Interest, Poll};
use crate::tls::{Channel, Failure, Store, failed};
use crate::worker::Token;

/// The longest message.
const LONGEST: usize = u16::MAX as usize;
/// Messages from one socket before the others have their turn.
const TURN: usize = 32;
/// A connection that takes nothing of this much is broken.
const OUTPUT_FULL: usize = 1 << 20;

/// All lanes of one worker.
pub struct Upstreams {
    lanes: Slots<Lane>,
    keys: HashMap<LaneId, Key>,
    buffer: Box<[u8]>,
    tls: Arc<Store>,
}

struct Lane {
    id: LaneId,
    channel: Channel<Socket>,
    stream: Option<Stream>,
}

/// What a connection has besides its socket.
struct Stream {
    connected: bool,
    input: Frames,
    output: Vec<u8>,
    watched: Interest,
}

impl Upstreams {
    /// No lanes yet; `tls` knows how some are secured.
    pub fn new(tls: Arc<Store>) -> Upstreams {
        Upstreams { lanes: Slots::new(), keys: HashMap::new(), buffer: vec![0; LONGEST].into(), tls }
    }

    /// Does what the core wants done. False: there was nothing.
    pub fn carry_out(&mut self, poll: &Poll, queries: &mut Queries<impl Respond>) -> bool {
        let mut any = false;
        while let Some(effect) = queries.effect() {
            any = true;
            match effect {
                Effect::Send { lane, target, message } => {
                    if let Err(error) = self.send(lane, &target, &message, poll, queries) {
                        self.close(lane);
                        queries.lost(lane, loss_of(&error));
                    }
                }
                Effect::Close(lane) => self.close(lane),
            }
        }
        any
    }

    /// Something has happened to a lane.
    pub fn event(&mut self, key: Key, poll: &Poll, queries: &mut Queries<impl Respond>) {
        let Some(lane) = self.lanes.get_mut(key) else { return };
        let id = lane.id;
        if let Err(error) = lane.serve(key, &mut self.buffer, poll, queries) {
            self.close(id);
            queries.lost(id, loss_of(&error));
        }
    }

    fn send(&mut self, id: LaneId, target: &Target, message: &[u8], poll: &Poll, queries: &mut Queries<impl Respond>) -> io::Result<()> {
        let key = match self.keys.get(&id) {
            Some(key) => *key,
            None => self.open(id, target, poll, queries)?,
        };
        let Some(lane) = self.lanes.get_mut(key) else { return Ok(()) };
        let Some(stream) = &mut lane.stream else {
            return match lane.channel.socket.send(message) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // As if it were lost on the way; the core asks again.
                    Counters::one(&queries.counters.unsent);
                    Ok(())
                }
                sent => sent.map(drop),
            };
        };
        // The core makes no longer ones.
        let Ok(length) = u16::try_from(message.len()) else { return Ok(()) };
        stream.output.extend_from_slice(&length.to_be_bytes());
        stream.output.extend_from_slice(message);
        if stream.output.len() > OUTPUT_FULL {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if stream.connected {
            lane.write()?;
        }
        lane.watch(key, poll)
    }

    /// Opens a socket to an upstream; its port is the kernel's choice, which is random.
    fn open(&mut self, id: LaneId, target: &Target, poll: &Poll, queries: &mut Queries<impl Respond>) -> io::Result<Key> {
        let (kind, protocol) = match target.transport {
            Transport::Udp => (Type::DGRAM, Protocol::UDP),
            Transport::Tcp => (Type::STREAM, Protocol::TCP),
        };
        let socket = Socket::new(Domain::for_address(target.address), kind.nonblocking().cloexec(), Some(protocol))?;
        let stream = match target.transport {
            Transport::Udp => None,
            Transport::Tcp => {
                socket.set_tcp_nodelay(true)?;
                Some(Stream {
                    connected: false,
                    input: Frames::default(),
                    output: Vec::new(),
                    watched: Interest { read: true, write: true },
                })
            }
        };
        if let Some(source) = target.source {
            socket.bind(&SocketAddr::new(source, 0).into())?;
        }
        match socket.connect(&target.address.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
            _ => {}
        }
        if let Some(local) = socket.local_addr()?.as_socket() {
            queries.opened(id, local);
        }
        let watched = stream.as_ref().map_or(Interest::READ, |stream| stream.watched);
        let channel = match &target.tls {
            None => Channel::plain(socket),
            Some(plan) => {
                // It is looked up before a plan is forgotten by the store, unless a query took longer than two changes of it.
                let client = self.tls.client(plan).ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected))?;
                Channel::secured(socket, client.begin().map_err(|why| failed(&why))?)
            }
        };
        let key = self.lanes.insert(Lane { id, channel, stream });
        self.keys.insert(id, key);
        if let Some(lane) = self.lanes.get_mut(key) {
            poll.add(&lane.channel.socket, Token::Upstream(key).pack(), watched)?;
        }
        Ok(key)
    }

    fn close(&mut self, id: LaneId) {
        if let Some(mut lane) = self.keys.remove(&id).and_then(|key| self.lanes.remove(key)) {
            lane.channel.end();
        }
    }
}

impl Lane {
    fn serve(&mut self, key: Key, buffer: &mut [u8], poll: &Poll, queries: &mut Queries<impl Respond>) -> io::Result<()> {
        if self.stream.is_none() {
            return self.receive(buffer, queries);
        }
        self.connect()?;
        if self.stream.as_ref().is_some_and(|stream| stream.connected) {
            self.write()?;
            self.read(buffer, queries)?;
            // A handshake that is done lets out what has waited for it.
            self.write()?;
        }
        self.watch(key, poll)
    }

    /// Takes datagrams.
    fn receive(&mut self, buffer: &mut [u8], queries: &mut Queries<impl Respond>) -> io::Result<()> {
        for _ in 0..TURN {
            match self.channel.read(buffer) {
                Ok(length) => queries.received(self.id, &buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Looks whether the connection has come about.
    fn connect(&mut self) -> io::Result<()> {
        let Some(stream) = self.stream.as_mut().filter(|stream| !stream.connected) else { return Ok(()) };
        if let Some(error) = self.channel.socket.take_error()? {
            return Err(error);
        }
        // It has none while it is not there yet.
        stream.connected = self.channel.socket.peer_addr().is_ok();
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        self.channel.flush()?;
        let mut written = 0;
        while written < stream.output.len() {
            match self.channel.write(&stream.output[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        stream.output.drain(..written);
        Ok(())
    }

    /// Takes messages from the connection.
    fn read(&mut self, buffer: &mut [u8], queries: &mut Queries<impl Respond>) -> io::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        loop {
            match self.channel.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    stream.input.push(&buffer[..count]);
                    while let Some(message) = stream.input.next() {
                        queries.received(self.id, message);
                    }
                    if count < buffer.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn watch(&mut self, key: Key, poll: &Poll) -> io::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        let wants = Interest { read: true, write: !stream.connected || self.channel.wants_room(!stream.output.is_empty()) };
        if wants != stream.watched {
            poll.change(&self.channel.socket, Token::Upstream(key).pack(), wants)?;
            stream.watched = wants;
        }
        Ok(())
    }
}

fn loss_of(error: &io::Error) -> Loss {
    if let Some(failure) = Failure::of(error) {
        return Loss::Tls(Arc::clone(&failure.0));
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Loss::Refused,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Loss::Closed,
        io::ErrorKind::TimedOut => Loss::Timeout,
        io::ErrorKind::AddrNotAvailable => Loss::Unassigned,
        _ => Loss::Unreachable,
    }
}
