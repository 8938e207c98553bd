//! A socket that does not block, in the clear or under TLS: the same calls for both.

use std::io::{self, ErrorKind, Read, Write};

use rustls::Connection;

use super::reason::failed;

/// The most octets that are secured at once; what is behind them waits until they are sent.
const PIECE: usize = 16 * 1024;
/// Records' worth of reads before the others have their turn, from a peer that sends and says nothing.
const TURN: usize = 8;

/// A socket, and its session if it is secured.
pub struct Channel<S> {
    /// The socket.
    pub socket: S,
    session: Option<Box<Connection>>,
}

impl<S> Channel<S>
where
    for<'a> &'a S: Read + Write,
{
    /// In the clear.
    pub fn plain(socket: S) -> Channel<S> {
        Channel { socket, session: None }
    }

    /// Under TLS; the handshake goes on with each call.
    pub fn secured(socket: S, session: impl Into<Connection>) -> Channel<S> {
        Channel { socket, session: Some(Box::new(session.into())) }
    }

    /// Takes what has come; 0: nothing will come any more. What one read of the socket brings fits into 32 KiB: nothing is left
    /// behind in the session of which the socket would not tell again.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(session) = &mut self.session else { return (&self.socket).read(buffer) };
        for _ in 0..TURN {
            match session.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Cut off without a word. Messages have their length: none can be taken for whole that is not.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            session.read_tls(&mut &self.socket)?;
            if let Err(error) = session.process_new_packets() {
                // So that the other side learns why; it may be gone.
                let _ = flush(session, &self.socket);
                return Err(failed(&error));
            }
            flush(session, &self.socket)?;
        }
        Err(ErrorKind::WouldBlock.into())
    }

    /// Gives octets away; says how many were taken.
    pub fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let Some(session) = &mut self.session else { return (&self.socket).write(octets) };
        flush(session, &self.socket)?;
        if session.is_handshaking() || session.wants_write() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let taken = session.writer().write(&octets[..octets.len().min(PIECE)])?;
        flush(session, &self.socket)?;
        Ok(taken)
    }

    /// Sends on what was taken and could not be sent yet.
    pub fn flush(&mut self) -> io::Result<()> {
        self.session.as_mut().map_or(Ok(()), |session| flush(session, &self.socket))
    }

    /// Whether the handshake is still to be done; octets are neither taken nor given before.
    pub fn is_handshaking(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_handshaking())
    }

    /// Whether room in the socket is worth knowing of; `waiting`: there are octets to give away.
    pub fn wants_room(&self, waiting: bool) -> bool {
        self.session.as_ref().map_or(waiting, |session| session.wants_write() || waiting && !session.is_handshaking())
    }

    /// Tells the other side that nothing comes any more (RFC 8446 6.1), as far as it still listens.
    pub fn end(&mut self) {
        if let Some(session) = self.session.as_mut().filter(|session| !session.is_handshaking()) {
            session.send_close_notify();
            let _ = flush(session, &self.socket);
        }
    }
}

fn flush(session: &mut Connection, mut socket: impl Write) -> io::Result<()> {
    while session.wants_write() {
        match session.write_tls(&mut socket) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
