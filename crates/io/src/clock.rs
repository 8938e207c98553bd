//! The time of this process: one beginning for all threads, so that they can compare.

use std::sync::OnceLock;
use std::time::Instant;

/// When it was asked for first.
pub fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

/// Nanoseconds since then.
pub fn nanoseconds() -> u64 {
    start().elapsed().as_nanos() as u64
}
