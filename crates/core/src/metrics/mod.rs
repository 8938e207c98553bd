//! Metrics: what the engine has counted, as the text that Prometheus reads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All that is known about the engine's work.
#[derive(Default)]
pub struct Metrics {
    told: Mutex<Arc<str>>,
}

impl Metrics {
    /// Keeps what others have counted, as text of the exposition format; it takes the place of what they told before.
    pub fn tell(&self, text: &str) {
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        *self.told() = format!("{text}{end}").into();
    }

    /// Everything, in the exposition format.
    pub fn page(&self) -> String {
        self.told().to_string()
    }

    fn told(&self) -> MutexGuard<'_, Arc<str>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
