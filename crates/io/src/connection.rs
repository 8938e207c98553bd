//! One TCP connection: messages in, replies out, in whatever order they are ready (RFC 7766).
//!
//! Knows its own stream. Must not know the other connections, the poll or the deadlines' order.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use core_dns::client::Client;

use core_dns::machine::Verdict;

use crate::frames::Frames;
use crate::queries::{Asker, Queries};
use crate::respond::Respond;
use crate::slots::Key;
use crate::sys::Interest;
use crate::tcp::Terms;
use crate::tls::Channel;

/// While more than this waits to be written, nothing is read.
const OUTPUT_FULL: usize = 64 * 1024;
/// An empty output buffer larger than this is given back.
const OUTPUT_KEPT: usize = 2048;

/// A client's connection.
pub struct Connection {
    /// The socket.
    pub channel: Channel<TcpStream>,
    /// Who asks here.
    pub client: Client,
    /// Which binding of a listener it came through.
    pub serial: u64,
    /// What the poll watches for.
    pub watched: Interest,
    /// When it must have done something.
    pub due: Option<Due>,
    /// How it is served.
    pub terms: Arc<Terms>,
    input: Frames,
    output: Vec<u8>,
    /// Replies that are still to come.
    waiting: usize,
    /// Messages that have come.
    queries: u32,
    /// No more queries: the client has closed its side, or we have turned away.
    ended: bool,
    /// Since when an incomplete message waits for its rest, or a handshake for its end.
    begun: Option<Duration>,
    /// When the client last took something.
    taken: Duration,
}

/// When a connection must have done something, and what it lacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// The time.
    pub at: Duration,
    /// What has not happened by then.
    pub missing: Missing,
}

/// What a connection is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// Any query: it is idle.
    Query,
    /// The end of the handshake.
    Handshake,
    /// The rest of a message.
    Rest,
    /// The client taking its replies.
    Room,
}

impl Connection {
    /// A connection that was just accepted.
    pub fn new(client: Client, serial: u64, channel: Channel<TcpStream>, terms: Arc<Terms>) -> Connection {
        Connection {
            channel,
            client,
            serial,
            watched: Interest::READ,
            due: None,
            terms,
            input: Frames::default(),
            output: Vec::new(),
            waiting: 0,
            queries: 0,
            ended: false,
            begun: None,
            taken: Duration::ZERO,
        }
    }

    /// Takes what the client has sent.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        if self.ended {
            return Ok(());
        }
        match self.channel.read(buffer) {
            Ok(0) => self.ended = true,
            Ok(count) => self.input.push(&buffer[..count]),
            Err(error) if is_temporary(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Whether it cannot carry messages yet.
    pub fn is_handshaking(&self) -> bool {
        self.channel.is_handshaking()
    }

    /// Takes no more queries; replies that wait are still sent.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Puts the reply that a query waited for behind the others.
    pub fn finish(&mut self, reply: &[u8], now: Duration) {
        self.waiting -= 1;
        // An empty one is none: the core wants nothing said.
        if !reply.is_empty() {
            self.append(reply, now);
        }
    }

    /// Answers and writes as far as it goes. False: nothing is left to do, and nothing will come.
    pub fn serve<R: Respond>(&mut self, key: Key, reply: &mut Vec<u8>, queries: &mut Queries<R>) -> io::Result<bool> {
        let mut asked = false;
        loop {
            while self.has_room() {
                let Some(message) = self.input.next() else { break };
                asked = true;
                match queries.ask(&self.client, message, reply) {
                    Verdict::Reply => self.append(reply, queries.now),
                    Verdict::Drop => {}
                    Verdict::Wait(ticket) => {
                        self.waiting += 1;
                        queries.wait(ticket, Asker::Tcp(key));
                    }
                }
                self.queries = self.queries.saturating_add(1);
                if self.terms.limits.max_queries.is_some_and(|most| self.queries >= most) {
                    self.ended = true;
                    self.input.clear();
                }
            }
            let was_full = !self.has_room();
            self.write(queries.now)?;
            if !(was_full && self.has_room()) {
                break;
            }
        }
        let incomplete = self.is_handshaking() || self.has_room() && !self.input.is_empty();
        self.begun = match self.begun {
            _ if !incomplete => None,
            Some(begun) if !asked => Some(begun),
            _ => Some(queries.now),
        };
        let exhausted = self.ended && self.has_room();
        Ok(!(exhausted && self.waiting == 0 && !self.has_output()))
    }

    /// What the poll shall watch for.
    pub fn wants(&self) -> Interest {
        Interest { read: !self.ended && self.has_room(), write: self.channel.wants_room(!self.output.is_empty()) }
    }

    /// When it must have done something, seen from now. Nobody hurries those who wait for us.
    pub fn next_due(&self, now: Duration) -> Option<Due> {
        if self.is_handshaking() {
            return Some(Due { at: self.begun.unwrap_or(now) + self.terms.limits.read, missing: Missing::Handshake });
        }
        if self.has_output() {
            return Some(Due { at: self.taken + self.terms.limits.write, missing: Missing::Room });
        }
        match self.begun {
            Some(begun) if !self.ended => Some(Due { at: begun + self.terms.limits.read, missing: Missing::Rest }),
            _ if self.waiting > 0 => None,
            // Who connects and says nothing is given less time than who pauses between queries.
            _ if self.queries == 0 => Some(Due { at: now + self.terms.limits.read, missing: Missing::Query }),
            _ => Some(Due { at: now + self.terms.limits.idle, missing: Missing::Query }),
        }
    }

    /// Whether something waits to be sent.
    fn has_output(&self) -> bool {
        !self.output.is_empty() || self.channel.wants_room(false)
    }

    fn has_room(&self) -> bool {
        self.output.len() <= OUTPUT_FULL && self.waiting < self.terms.limits.max_pipelined
    }

    fn append(&mut self, reply: &[u8], now: Duration) {
        // What does not fit into a frame is no DNS message.
        let Ok(length) = u16::try_from(reply.len()) else { return };
        if self.output.is_empty() {
            self.taken = now;
        }
        self.output.extend_from_slice(&length.to_be_bytes());
        self.output.extend_from_slice(reply);
    }

    fn write(&mut self, now: Duration) -> io::Result<()> {
        self.channel.flush()?;
        let mut written = 0;
        while written < self.output.len() {
            match self.channel.write(&self.output[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if written > 0 {
            self.taken = now;
            self.output.drain(..written);
            if self.output.is_empty() {
                self.output.shrink_to(OUTPUT_KEPT);
            }
        }
        Ok(())
    }
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
