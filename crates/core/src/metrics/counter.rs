//! Counters and histograms that one thread adds to, and all may read: no lock, and no locked instruction.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A count. Only its owner adds.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    #[inline]
    pub fn add(&self, count: u64) {
        // Nobody else writes: what was read is still there.
        self.0.store(self.0.load(Relaxed).wrapping_add(count), Relaxed);
    }

    /// What has been added so far.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How often something took how long. Bounds are 250 µs, and twice as long each time.
#[derive(Default)]
pub struct Durations {
    buckets: [Counter; DURATIONS + 1],
    nanoseconds: Counter,
}

/// How often something had how many octets.
#[derive(Default)]
pub struct Sizes {
    buckets: [Counter; SIZE_BOUNDS.len() + 1],
    octets: Counter,
}

/// A histogram as it was at one moment: counts up to each bound, those above all bounds last.
#[derive(Clone, Debug, PartialEq)]
pub struct Buckets {
    /// The bounds, ascending.
    pub bounds: Vec<f64>,
    /// What fell into each bucket, and into none of them.
    pub counts: Vec<u64>,
    /// All values together.
    pub sum: f64,
}

const DURATIONS: usize = 16;
const SHORTEST: u64 = 250_000;
const SIZE_BOUNDS: [u16; 14] = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16_000, 32_000, 48_000, 64_000];

impl Durations {
    /// Counts so many that took `each`.
    #[inline]
    pub fn add(&self, each: Duration, count: u64) {
        let nanoseconds = each.as_nanos() as u64;
        let bucket = if nanoseconds <= SHORTEST { 0 } else { ((nanoseconds - 1) / SHORTEST).ilog2() as usize + 1 };
        self.buckets[bucket.min(DURATIONS)].add(count);
        self.nanoseconds.add(nanoseconds.wrapping_mul(count));
    }

    /// In seconds.
    pub fn buckets(&self) -> Buckets {
        Buckets {
            bounds: (0..DURATIONS).map(|bound| 0.000_25 * f64::from(1 << bound)).collect(),
            counts: self.buckets.iter().map(Counter::get).collect(),
            sum: self.nanoseconds.get() as f64 / 1e9,
        }
    }
}

impl Sizes {
    /// Counts one.
    #[inline]
    pub fn add(&self, octets: usize) {
        let bucket = SIZE_BOUNDS.iter().filter(|bound| octets > usize::from(**bound)).count();
        self.buckets[bucket].add(1);
        self.octets.add(octets as u64);
    }

    /// In octets.
    pub fn buckets(&self) -> Buckets {
        Buckets {
            bounds: SIZE_BOUNDS.iter().map(|bound| f64::from(*bound)).collect(),
            counts: self.buckets.iter().map(Counter::get).collect(),
            sum: self.octets.get() as f64,
        }
    }
}

impl Buckets {
    /// A histogram of its own, for what is counted elsewhere.
    pub fn new(bounds: &[f64]) -> Buckets {
        Buckets { bounds: bounds.to_vec(), counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    /// Counts a value.
    pub fn observe(&mut self, value: f64) {
        let bucket = self.bounds.iter().filter(|bound| value > **bound).count();
        self.counts[bucket] += 1;
        self.sum += value;
    }

    /// How many values there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Adds another one with the same bounds.
    pub fn merge(&mut self, other: &Buckets) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.sum += other.sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bucket that a value falls into.
    fn bucket(buckets: &Buckets) -> usize {
        buckets.counts.iter().position(|count| *count > 0).expect("a value")
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        for (number, bound) in Durations::default().buckets().bounds.iter().enumerate() {
            let bound = Duration::from_secs_f64(*bound);
            for (each, expected) in [(bound, number), (bound + Duration::from_nanos(1), number + 1)] {
                let durations = Durations::default();
                durations.add(each, 1);
                assert_eq!(bucket(&durations.buckets()), expected, "{each:?}");
            }
        }
        for (number, bound) in SIZE_BOUNDS.iter().enumerate() {
            for (octets, expected) in [(*bound, number), (bound + 1, number + 1)] {
                let sizes = Sizes::default();
                sizes.add(octets.into());
                assert_eq!(bucket(&sizes.buckets()), expected, "{octets}");
            }
        }
    }

    #[test]
    fn sums_are_in_the_unit_of_the_bounds() {
        let durations = Durations::default();
        durations.add(Duration::from_millis(3), 2);
        durations.add(Duration::from_secs(100), 1);
        durations.add(Duration::ZERO, 1);
        let buckets = durations.buckets();
        assert_eq!((buckets.sum, buckets.total()), (100.006, 4));
        assert_eq!((buckets.counts[0], buckets.counts[4], buckets.counts[16]), (1, 2, 1));
    }
}
