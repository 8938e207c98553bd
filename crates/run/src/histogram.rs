//! Counts of nanoseconds in buckets that grow with the value: 64 for each power of two, so a percentile is right within 1.6 %.

const SUB_BITS: u32 = 6;
const BUCKETS: usize = (64 - SUB_BITS as usize) << SUB_BITS;

/// How often each duration occurred.
pub struct Histogram {
    counts: Vec<u64>,
    most: u64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { counts: vec![0; BUCKETS], most: 0 }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn add(&mut self, nanoseconds: u64) {
        self.counts[bucket(nanoseconds)] += 1;
        self.most = self.most.max(nanoseconds);
    }

    /// The longest duration.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// The duration that a share of all did not exceed (the upper end of its bucket); 0 where nothing was counted.
    pub fn percentile(&self, share: f64) -> u64 {
        let total: u64 = self.counts.iter().sum();
        let rank = ((total as f64 * share).ceil() as u64).max(1);
        let mut below = 0;
        for (at, count) in self.counts.iter().enumerate() {
            below += count;
            if below >= rank {
                return upper_end(at).min(self.most);
            }
        }
        0
    }
}

/// Values below 64 have a bucket each; above, the six bits behind the highest one choose it.
fn bucket(value: u64) -> usize {
    let shift = (64 - SUB_BITS).saturating_sub(value.leading_zeros() + 1);
    ((shift as usize) << SUB_BITS) + (value >> shift) as usize
}

fn upper_end(at: usize) -> u64 {
    let shift = (at >> SUB_BITS).saturating_sub(1) as u32;
    let mantissa = at as u64 - ((shift as u64) << SUB_BITS);
    ((mantissa + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_in_its_bucket() {
        for value in (0..10_000).chain([u64::from(u32::MAX), 1 << 50, (1 << 61) + 12345]) {
            let end = upper_end(bucket(value));
            assert!(value <= end && end - value <= value / 64, "{value} {end}");
            assert!(value == 0 || upper_end(bucket(value) - usize::from(end == value && bucket(value) > 0)) <= end);
        }
    }

    #[test]
    fn percentiles_of_a_thousand() {
        let mut histogram = Histogram::default();
        (1..=1000).for_each(|value| histogram.add(value * 1000));
        for (share, value) in [(0.5, 500_000), (0.9, 900_000), (0.99, 990_000), (0.999, 999_000)] {
            let found = histogram.percentile(share);
            assert!(found >= value && found <= value + value / 60, "{share} {found}");
        }
        assert_eq!((histogram.percentile(1.0), histogram.most()), (1_000_000, 1_000_000));
        assert_eq!(Histogram::default().percentile(0.5), 0);
    }
}
