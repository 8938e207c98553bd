//! What went wrong on the sockets, counted: drops are silent on the wire, so they must not be silent here.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One worker's counts; it alone adds.
#[derive(Debug, Default)]
pub struct Counters {
    /// See `Counts`.
    pub truncated: AtomicU64,
    /// See `Counts`.
    pub receive_errors: AtomicU64,
    /// See `Counts`.
    pub unsent: AtomicU64,
    /// See `Counts`.
    pub refused_connections: AtomicU64,
    /// See `Counts`.
    pub closed_for_room: AtomicU64,
    /// See `Counts`.
    pub failed_handshakes: AtomicU64,
    /// See `Counts`.
    pub panics: AtomicU64,
}

/// The counts of all workers since their start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Datagrams longer than the receive buffer, dropped.
    pub truncated: u64,
    /// Errors of a receiving call.
    pub receive_errors: u64,
    /// UDP replies that the kernel did not take: its buffer was full, or there was no way to the client.
    pub unsent: u64,
    /// Connections closed right after they were accepted, because no other one was idle.
    pub refused_connections: u64,
    /// Idle connections closed to make room for a new one.
    pub closed_for_room: u64,
    /// Connections that ended before their TLS handshake did: nobody can have asked there.
    pub failed_handshakes: u64,
    /// Queries during which the core panicked; they got SERVFAIL, or nothing if they had waited.
    pub panics: u64,
}

impl Counters {
    /// Counts one.
    pub fn one(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }

    /// Adds this worker's counts to a sum.
    pub fn add_to(&self, sum: &mut Counts) {
        sum.truncated += self.truncated.load(Relaxed);
        sum.receive_errors += self.receive_errors.load(Relaxed);
        sum.unsent += self.unsent.load(Relaxed);
        sum.refused_connections += self.refused_connections.load(Relaxed);
        sum.closed_for_room += self.closed_for_room.load(Relaxed);
        sum.failed_handshakes += self.failed_handshakes.load(Relaxed);
        sum.panics += self.panics.load(Relaxed);
    }
}
