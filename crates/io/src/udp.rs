//! UDP: batches of queries in, batches of replies out.
//!
//! Knows a worker's datagram sockets. Must not know what a message means, nor the other workers.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;

use core_dns::client::{Client, Transport};

use core_dns::machine::Verdict;

use crate::counters::Counters;
use crate::mmsg::{BATCH, Batch, ReturnAddress};
use crate::queries::{Asker, Queries};
use crate::respond::Respond;
use crate::slots::{Key, Slots};
use crate::sys::Waits;
use crate::worker::Heir;

/// Full batches from one socket before the others have their turn.
const TURN: usize = 8;
/// Batches that are answered before a socket is left: more than its receive buffer holds.
const LAST_TURN: usize = 256;

/// All datagram sockets of one worker.
pub struct Udp {
    sockets: Slots<Socket>,
    batch: Batch,
}

struct Socket {
    socket: UdpSocket,
    /// Which binding of a listener this belongs to.
    serial: u64,
    number: u16,
    address: SocketAddr,
    packet_info: bool,
    /// Replies that are still to come.
    waiting: usize,
    /// Hears nothing any more, and is closed when nobody waits.
    leaving: bool,
}

impl Udp {
    /// No sockets yet.
    pub fn new() -> Udp {
        Udp { sockets: Slots::new(), batch: Batch::new() }
    }

    /// Takes a bound socket.
    pub fn adopt(&mut self, socket: UdpSocket, serial: u64, number: u16, address: SocketAddr) {
        let packet_info = address.ip().is_unspecified();
        self.sockets.insert(Socket { socket, serial, number, address, packet_info, waiting: 0, leaving: false });
    }

    /// The sockets to wait for, in the order that they are added to `waits`.
    pub fn watch(&self, waits: &mut Waits) -> Vec<Key> {
        let heard = self.sockets.iter().filter(|(_, socket)| !socket.leaving);
        heard.inspect(|(_, socket)| waits.add(&socket.socket)).map(|(key, _)| key).collect()
    }

    /// Whether no socket is left.
    pub fn is_empty(&self) -> bool {
        self.sockets.len() == 0
    }

    /// Answers what has arrived.
    pub fn readable(&mut self, key: Key, queries: &mut Queries<impl Respond>) {
        self.answer(key, TURN, queries);
    }

    /// Answers everything that has arrived by now for one binding (for all without one).
    pub fn drain(&mut self, serial: Option<u64>, queries: &mut Queries<impl Respond>) {
        for key in self.of_binding(serial) {
            self.answer(key, LAST_TURN, queries);
        }
    }

    /// Sends the reply that a client waited for.
    pub fn reply(&mut self, key: Key, address: &ReturnAddress, reply: &[u8], queries: &mut Queries<impl Respond>) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        socket.waiting -= 1;
        // An empty one is none: the core wants nothing said.
        if !reply.is_empty() && address.send(socket.socket.as_fd(), reply).is_err() {
            Counters::one(&queries.counters.unsent);
        }
        self.close_if_done(key);
    }

    /// Closes drained sockets once nobody waits for their replies. With an heir, that one hears their clients from now on, and what
    /// they have heard until now is asked under its number.
    pub fn leave(&mut self, serial: Option<u64>, heir: Option<Heir>, queries: &mut Queries<impl Respond>) {
        for key in self.of_binding(serial) {
            let Some(socket) = self.sockets.get_mut(key) else { continue };
            socket.leaving = true;
            if let Some(heir) = heir {
                socket.number = heir.number;
                socket.turn_away();
                self.answer(key, LAST_TURN, queries);
            }
            self.close_if_done(key);
        }
    }

    fn close_if_done(&mut self, key: Key) {
        if self.sockets.get_mut(key).is_some_and(|socket| socket.leaving && socket.waiting == 0) {
            self.sockets.remove(key);
        }
    }

    fn of_binding(&self, serial: Option<u64>) -> Vec<Key> {
        let of = |socket: &Socket| serial.is_none_or(|serial| serial == socket.serial);
        self.sockets.iter().filter(|(_, socket)| of(socket)).map(|(key, _)| key).collect()
    }

    fn answer(&mut self, key: Key, turns: usize, queries: &mut Queries<impl Respond>) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        for _ in 0..turns {
            match socket.answer_batch(key, &mut self.batch, queries) {
                // Fewer than a batch: it was the last, asking again would only cost.
                Ok(received) if received < BATCH => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => Counters::one(&queries.counters.receive_errors),
            }
        }
    }
}

impl Socket {
    /// Makes the kernel give datagrams to other sockets of this address, so that none comes between the last read and the close: a
    /// connected socket hears only its peer, and this one's peer (port 1 here) does not exist. It can still send to others.
    fn turn_away(&self) {
        let mut nobody = self.address;
        nobody.set_port(1);
        match nobody.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => nobody.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => nobody.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        // Without a way there, a datagram of just this moment may get lost, as it may on the wire.
        let _ = self.socket.connect(nobody);
    }

    fn answer_batch(&mut self, key: Key, batch: &mut Batch, queries: &mut Queries<impl Respond>) -> io::Result<usize> {
        let received = batch.receive(self.socket.as_fd(), self.packet_info)?;
        let mut client = Client { address: self.address, local: self.address, listener: self.number, transport: Transport::Udp };
        for index in 0..received {
            if batch.truncated(index) {
                Counters::one(&queries.counters.truncated);
                continue;
            }
            client.address = batch.client(index);
            if let Some(local) = batch.local(index) {
                client.local.set_ip(local);
            }
            let (message, reply) = batch.exchange(index);
            match queries.ask(&client, message, reply) {
                Verdict::Reply => batch.queue(index),
                Verdict::Drop => {}
                Verdict::Wait(ticket) => {
                    self.waiting += 1;
                    queries.wait(ticket, Asker::Udp(key, *batch.return_address(index)));
                }
            }
        }
        for _ in 0..batch.send(self.socket.as_fd()) {
            Counters::one(&queries.counters.unsent);
        }
        queries.time();
        Ok(received)
    }
}
