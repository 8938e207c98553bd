//! Where the sockets to upstreams leave from: a query that comes from one of them is our own, and asking on would never end.
//!
//! Shared by all threads. Asked only for clients on an address of this machine, which are few, as long as the system chooses the
//! addresses.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use hashbrown::HashSet;

use crate::client::{Client, Transport};

/// The local addresses of all sockets to upstreams.
#[derive(Default)]
pub struct OwnSockets {
    open: Mutex<HashSet<(Transport, SocketAddr), RandomState>>,
    /// Some were told the address to leave from, which may be any of this machine's.
    some_told: AtomicBool,
}

impl OwnSockets {
    /// One has been opened; `told`: it was told the address to leave from.
    pub fn opened(&self, transport: Transport, local: SocketAddr, told: bool) {
        if told {
            self.some_told.store(true, Relaxed);
        }
        self.open().insert((transport, local));
    }

    /// One has been closed.
    pub fn closed(&self, transport: Transport, local: SocketAddr) {
        self.open().remove(&(transport, local));
    }

    /// Whether the client is one of them. Between two addresses of a machine the kernel takes the same for both ends, unless it is told
    /// another one to leave from.
    pub fn has(&self, client: &Client) -> bool {
        let may_be = client.address.ip() == client.local.ip() || client.address.ip().is_loopback() || self.some_told.load(Relaxed);
        may_be && self.open().contains(&(client.transport, client.address))
    }

    fn open(&self) -> MutexGuard<'_, HashSet<(Transport, SocketAddr), RandomState>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str, local: &str) -> Client {
        Client { address: address.parse().unwrap(), local: local.parse().unwrap(), listener: 0, transport: Transport::Udp }
    }

    #[test]
    fn a_client_is_one_of_ours_as_long_as_it_is_open() {
        let (sockets, local) = (OwnSockets::default(), "192.0.2.1:5000".parse().unwrap());
        sockets.opened(Transport::Udp, local, false);
        assert!(sockets.has(&client("192.0.2.1:5000", "192.0.2.1:53")));
        assert!(!sockets.has(&client("192.0.2.1:5001", "192.0.2.1:53")));
        assert!(!sockets.has(&Client { transport: Transport::Tcp, ..client("192.0.2.1:5000", "192.0.2.1:53") }));
        sockets.closed(Transport::Udp, local);
        assert!(!sockets.has(&client("192.0.2.1:5000", "192.0.2.1:53")));
    }

    #[test]
    fn one_that_was_told_where_to_leave_from_asks_other_addresses_of_this_machine_too() {
        let sockets = OwnSockets::default();
        sockets.opened(Transport::Udp, "192.0.2.1:5000".parse().unwrap(), true);
        assert!(sockets.has(&client("192.0.2.1:5000", "192.0.2.2:53")));
        assert!(!sockets.has(&client("192.0.2.1:5001", "192.0.2.2:53")));
    }
}
