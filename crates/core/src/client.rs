//! Who asks, how the question came, and by what name a query that waits is known.

use std::net::SocketAddr;

/// How a question came.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transport {
    /// A datagram.
    Udp,
    /// A stream.
    Tcp,
}

impl Transport {
    /// `udp` or `tcp`.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        }
    }
}

/// Who asks, and where the question arrived.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The client's address and port.
    pub address: SocketAddr,
    /// The address that was asked.
    pub local: SocketAddr,
    /// The listener's number.
    pub listener: u16,
    /// Datagram or stream.
    pub transport: Transport,
}

/// A query that waits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ticket(pub u64);
