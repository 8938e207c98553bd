//! What came back, and when.

use std::fs;

use serde_json::{Map, Value, json};

use crate::histogram::Histogram;

/// Counts of a load.
#[derive(Default)]
pub struct Results {
    /// Questions that left.
    pub sent: u64,
    /// Questions without an answer in time.
    pub lost: u64,
    /// Questions that nobody listened to.
    pub refused: u64,
    answered: u64,
    wrong: u64,
    octets: u64,
    rcodes: [u64; 16],
    latency: Histogram,
}

const SHARES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

impl Results {
    /// Looks at one answer: it must be one, and belong to a question under way, whose time in `sent_at` is then set to 0.
    /// Returns how many questions it answers. `echo`: what comes back is the question.
    pub fn take(&mut self, message: &[u8], sent_at: &mut [u64], now: u64, echo: bool) -> usize {
        let Some(&[high, low, flags, rcode]) = message.first_chunk() else {
            self.wrong += 1;
            return 0;
        };
        let sent_at = &mut sent_at[u16::from_be_bytes([high, low]) as usize];
        if *sent_at == 0 || (flags & 0x80 == 0) != echo {
            self.wrong += 1;
            return 0;
        }
        self.latency.add(now.saturating_sub(*sent_at));
        *sent_at = 0;
        self.answered += 1;
        self.octets += message.len() as u64;
        self.rcodes[(rcode & 0x0f) as usize] += 1;
        1
    }

    /// All of it, times in microseconds. `seconds`: for how long questions were asked.
    pub fn as_json(&self, seconds: f64) -> Value {
        let rcodes = self.rcodes.iter().enumerate().filter(|(_, count)| **count > 0);
        let microseconds = |nanoseconds: u64| json!(nanoseconds as f64 / 1e3);
        let latency = SHARES.iter().map(|(name, share)| ((*name).to_owned(), microseconds(self.latency.percentile(*share))));
        json!({
            "sent": self.sent,
            "answered": self.answered,
            "lost": self.lost,
            "wrong": self.wrong,
            "seconds": seconds,
            "per_second": self.answered as f64 / seconds,
            "octets": self.octets.checked_div(self.answered).unwrap_or(0),
            "waited": waited(),
            "rcodes": rcodes.map(|(rcode, count)| (rcode.to_string(), json!(count))).collect::<Map<_, _>>(),
            "latency_us": latency.chain([("max".to_owned(), microseconds(self.latency.most()))]).collect::<Map<_, _>>(),
        })
    }
}

/// Seconds for which this process could have run, and somebody else did: a load that had to wait is no measure.
fn waited() -> f64 {
    let text = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}
