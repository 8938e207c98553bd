//! The op `lookout`: takes note of one question, which whoever steers the engine chooses, and does nothing else.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::way::Turn;

/// What is looked out for, and how often it was seen. Plans name it by its identity.
#[derive(Default)]
pub struct Lookout {
    /// The type that is looked out for; 0: nothing is. So that all other questions cost no lock.
    qtype: AtomicU16,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    name: Box<[u8]>,
    seen: Sightings,
}

/// How often a question came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sightings {
    /// How often.
    pub count: u32,
    /// From where it came last.
    pub last: Option<SocketAddr>,
}

impl Lookout {
    /// Looks out for a name (text) and a type from now on, and forgets what was seen before; type 0: for nothing.
    pub fn look_out(&self, name: &str, qtype: u16) -> Result<(), String> {
        let name = crate::name::absolute_lower(name).map_err(|why| format!("{name} {why}"))?;
        *self.lock() = State { name, seen: Sightings::default() };
        self.qtype.store(qtype, Ordering::Release);
        Ok(())
    }

    /// What was seen since then.
    pub fn sightings(&self) -> Sightings {
        self.lock().seen
    }

    /// Takes note of a question, if it is the one.
    pub fn sees(&self, turn: &Turn<'_>) -> bool {
        let qtype = self.qtype.load(Ordering::Acquire);
        if qtype == 0 || qtype != turn.request.qtype || turn.quiet {
            return false;
        }
        let mut state = self.lock();
        if *state.name != *turn.asked.lower {
            return false;
        }
        state.seen = Sightings { count: state.seen.count.saturating_add(1), last: Some(turn.client.address) };
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}
