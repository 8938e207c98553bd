//! Whether whoever steers the engine still does: it says so now and then, and its silence is told.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock::nanoseconds;

/// Silence of this length is told.
const SILENCE: Duration = Duration::from_secs(60);

/// The last sign of life.
#[derive(Default)]
pub struct Heartbeat {
    /// Since this process's clock began; 0: there was none yet.
    at: AtomicU64,
    /// Milliseconds since 1970.
    wall: AtomicU64,
    /// The silence was told.
    told: AtomicBool,
}

impl Heartbeat {
    /// A sign of life.
    pub fn beat(&self) {
        self.at.store(nanoseconds().max(1), Relaxed);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.wall.store(wall.as_millis() as u64, Relaxed);
    }

    /// When the last one was, in seconds since 1970.
    pub fn last(&self) -> Option<f64> {
        let wall = self.wall.load(Relaxed);
        (wall > 0).then_some(wall as f64 / 1000.0)
    }

    /// What the log should say now, if anything.
    pub fn news(&self) -> Option<String> {
        self.news_at(nanoseconds())
    }

    fn news_at(&self, now: u64) -> Option<String> {
        let at = self.at.load(Relaxed);
        let silence = Duration::from_nanos(now.saturating_sub(at));
        let is_silent = at > 0 && silence > SILENCE;
        if self.told.swap(is_silent, Relaxed) == is_silent {
            return None;
        }
        Some(match is_silent {
            true => format!(
                "[ERROR] Python has been silent for {} s: answers go on, from what was known then; restart if it does not come back",
                silence.as_secs()
            ),
            false => "[INFO] Python is there again".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_and_its_end_are_told_once() {
        let heartbeat = Heartbeat::default();
        assert_eq!((heartbeat.news_at(u64::MAX), heartbeat.last()), (None, None));
        heartbeat.beat();
        let at = heartbeat.at.load(Relaxed);
        let silent = at + SILENCE.as_nanos() as u64 + 1;
        assert_eq!(heartbeat.news_at(silent - 1), None);
        let told = heartbeat.news_at(silent).expect("news");
        assert!(told.starts_with("[ERROR] Python has been silent for 60 s"), "{told}");
        assert_eq!(heartbeat.news_at(silent + 1), None);
        heartbeat.beat();
        assert_eq!(heartbeat.news().as_deref(), Some("[INFO] Python is there again"));
        assert_eq!(heartbeat.news(), None);
        assert!(heartbeat.last().expect("a time") > 1e9);
    }
}
