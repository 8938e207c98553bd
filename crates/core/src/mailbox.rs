//! How one thread's machine tells another's that what its query waits for has come.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::cache::Kept;
use crate::client::Ticket;

/// What came, for a query that waits.
pub enum Letter {
    /// Another has got the answer to the same question.
    Kept(Ticket, Arc<Kept>),
    /// Somebody outside was asked, and said this.
    Told(Ticket, Vec<u8>),
}

/// A machine's mailbox.
#[derive(Default)]
pub struct Mailbox {
    letters: Mutex<Vec<Letter>>,
    any: AtomicBool,
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Mailbox {
    /// Says how the machine's thread is woken.
    pub fn wake_with(&self, wake: Box<dyn Fn() + Send + Sync>) {
        // A machine has one thread for all its life.
        let _ = self.wake.set(wake);
    }

    /// Puts a letter in, and wakes the machine if it has none yet.
    pub fn post(&self, letter: Letter) {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
        if !self.any.swap(true, Ordering::AcqRel)
            && let Some(wake) = self.wake.get()
        {
            wake();
        }
    }

    /// Whether there is a letter.
    pub fn has_letters(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Takes all letters.
    pub fn take(&self) -> Vec<Letter> {
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut *self.letters.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
