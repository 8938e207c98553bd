//! Where the sockets to upstreams leave from: a query that comes from one of them is our own, and asking on would never end.
//!
//! Shared by all threads. Asked only for clients on an address of this machine, which are few.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use hashbrown::HashSet;

use crate::client::{Client, Transport};

/// The local addresses of all sockets to upstreams.
#[derive(Default)]
pub struct OwnSockets {
    open: Mutex<HashSet<(Transport, SocketAddr), RandomState>>,
}

impl OwnSockets {
    /// One has been opened.
    pub fn opened(&self, transport: Transport, local: SocketAddr) {
        self.open().insert((transport, local));
    }

    /// One has been closed.
    pub fn closed(&self, transport: Transport, local: SocketAddr) {
        self.open().remove(&(transport, local));
    }

    /// Whether the client is one of them. Between two addresses of a machine the kernel takes the same for both ends, unless it is told
    /// another one to leave from.
    pub fn has(&self, client: &Client) -> bool {
        (client.address.ip() == client.local.ip() || client.address.ip().is_loopback())
            && self.open().contains(&(client.transport, client.address))
    }

    fn open(&self) -> MutexGuard<'_, HashSet<(Transport, SocketAddr), RandomState>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
