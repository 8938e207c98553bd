//! What a machine counts, for itself alone; whoever reads adds up all machines.

use std::time::Duration;

use super::Question;
use crate::client::Client;
use crate::engine::Engine;
use crate::metrics::ops::CounterLabels;
use crate::metrics::{Count, Counted, Counter, Own, Queries, SeriesLabels, calls, upstreams};
use crate::program::Block;
use crate::waiting::Purpose;
use crate::way::Arrival;

/// Runs of queries that wait to be told how long they took; then the clock is asked in any case.
const MOST_UNTIMED: usize = 256;

/// A machine's own counters.
pub struct Counting {
    queries: Own<SeriesLabels, Queries>,
    counters: Own<CounterLabels, Counter>,
    upstreams: Own<String, upstreams::Upstream>,
    calls: Own<String, calls::Calls>,
    clock: fn() -> u64,
    /// The query at hand, if it is to be counted.
    pub at_hand: Option<Arrival>,
    /// Queries that were answered since the clock was asked last: their series, and how many in a row.
    untimed: Vec<(u32, u64)>,
    /// When that was, or when the first of them came.
    since: u64,
}

impl Counting {
    /// Nothing is counted yet.
    pub fn new(engine: &Engine, clock: fn() -> u64) -> Counting {
        Counting {
            queries: Own::new(&engine.metrics.queries),
            counters: Own::new(&engine.metrics.counters),
            upstreams: Own::new(&engine.metrics.upstreams),
            calls: Own::new(&engine.metrics.calls),
            clock,
            at_hand: None,
            untimed: Vec::new(),
            since: 0,
        }
    }

    /// Counts the query at hand, but for how long it took.
    #[inline]
    pub fn count(&mut self, counted: &Counted) {
        if let Some(arrival) = &self.at_hand {
            self.queries.at(arrival.series).count(counted);
        }
    }

    /// The query at hand was answered at once. How long that took is told later, for many at once: asking the clock each time would cost
    /// more than all other counting.
    #[inline]
    pub fn answered_at_once(&mut self) {
        let Some(Arrival { series, at }) = self.at_hand.take() else { return };
        if self.untimed.is_empty() {
            self.since = self.since.max(at.as_nanos() as u64);
        }
        match self.untimed.last_mut() {
            Some((last, count)) if *last == series => *count += 1,
            _ => self.untimed.push((series, 1)),
        }
        if self.untimed.len() == MOST_UNTIMED {
            self.time();
        }
    }

    /// The query at hand has waited, and is answered now.
    pub fn answered_late(&mut self, now: Duration) {
        if let Some(Arrival { series, at }) = self.at_hand.take() {
            self.queries.at(series).took(now.saturating_sub(at), 1);
        }
    }

    /// Asks the clock, and gives each query that was answered since it was asked last the same part of the time.
    #[inline]
    pub fn time(&mut self) {
        if self.untimed.is_empty() {
            return;
        }
        let now = (self.clock)();
        let total: u64 = self.untimed.iter().map(|(_, count)| count).sum();
        let each = Duration::from_nanos(now.saturating_sub(self.since) / total);
        for (series, count) in self.untimed.drain(..) {
            self.queries.at(series).took(each, count);
        }
        self.since = now;
    }

    /// The counters of the op at a place of a block that has its turn for a question.
    #[inline]
    pub fn of<'a>(&'a mut self, block: &'a Block, at: usize, question: &Question<'_>) -> Count<'a> {
        self.of_waiting(block, at, question.client, question.purpose)
    }

    /// The same for a query that waits.
    #[inline]
    pub fn of_waiting<'a>(&'a mut self, block: &'a Block, at: usize, client: &Client, purpose: Purpose) -> Count<'a> {
        match block.place(client.listener) {
            Some(place) if purpose != Purpose::Explain => Count::new(&mut self.counters, place.labels(), place.counters(at)),
            _ => Count::nothing(&mut self.counters),
        }
    }

    /// The counters of an upstream.
    pub fn upstream(&mut self, number: u32) -> &upstreams::Upstream {
        self.upstreams.at(number)
    }

    /// The counters of a function outside, if it is asked for somebody who counts.
    pub fn calls(&mut self, number: u32, purpose: Purpose) -> Option<&calls::Calls> {
        (purpose != Purpose::Explain).then(|| self.calls.at(number))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::*;
    use crate::gauges;

    static NOW: AtomicU64 = AtomicU64::new(0);

    #[test]
    fn queries_of_a_batch_share_its_time() {
        let engine = Engine::new();
        let mut counting = Counting::new(&engine, || NOW.load(Relaxed));
        let labels = |zone: &str| SeriesLabels { server: "s".into(), zone: zone.into(), view: String::new(), plugin: String::new() };
        let [one, other] = ["one", "other"].map(|zone| engine.metrics.queries.number(labels(zone)));
        let mut batch = |at: u64, series: &[u32], until: u64| {
            for series in series {
                counting.at_hand = Some(Arrival { series: *series, at: Duration::from_nanos(at) });
                counting.answered_at_once();
            }
            NOW.store(until, Relaxed);
            counting.time();
        };
        let milliseconds = |time: u64| time * 1_000_000;
        batch(milliseconds(10), &[one, one, other, one], milliseconds(14));
        // A further batch of the same wake-up begins when the one before has ended.
        batch(milliseconds(10), &[one], milliseconds(17));
        batch(milliseconds(100), &[other], milliseconds(101));
        counting.time();
        let page: String = gauges::page(&engine, Vec::new()).collect();
        for (zone, count, sum) in [("one", 4, "0.006"), ("other", 2, "0.002")] {
            let of = |what: &str| format!("coredns_dns_request_duration_seconds_{what}{{server=\"s\",view=\"\",zone=\"{zone}\"}}");
            assert!(page.contains(&format!("{} {sum}\n{} {count}\n", of("sum"), of("count"))), "{page}");
        }
    }
}
