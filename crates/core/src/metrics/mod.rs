//! Metrics: what the engine counts, as the text that Prometheus reads.
//!
//! Reading order: [`counter`] (how a thread counts), [`registry`] (under which labels), [`queries`], [`upstreams`], [`calls`] and [`ops`]
//! (what is counted), [`page`] (the text).

pub mod calls;
pub mod counter;
pub mod ops;
pub mod page;
pub mod queries;
pub mod registry;
pub mod upstreams;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use calls::AllCalls;
pub use counter::{Buckets, Counter, Durations, Sizes};
pub use ops::{AllCounters, Count, OpCounter, PlaceLabels};
pub use page::{Family, Kind, Page, Samples};
pub use queries::{AllQueries, Counted, Queries, SeriesLabels};
pub use registry::{Own, Registry};
pub use upstreams::AllUpstreams;

use crate::client::Transport;
pub use crate::plan::PlaceLabel;
use crate::text;

/// All that is counted of the engine's work.
#[derive(Default)]
pub struct Metrics {
    /// Of queries.
    pub queries: AllQueries,
    /// By ops.
    pub counters: AllCounters,
    /// Of upstreams.
    pub upstreams: AllUpstreams,
    /// Of those outside who are asked.
    pub calls: AllCalls,
    told: Mutex<Arc<str>>,
}

impl Metrics {
    /// Keeps what others have counted, as text of the exposition format; it takes the place of what they told before.
    pub fn tell(&self, text: &str) {
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        *self.told() = format!("{text}{end}").into();
    }

    /// What is counted here, `more` families, and what others have counted.
    pub fn page(&self, more: Vec<Family>) -> Page {
        let mut families = more;
        families.extend(queries::families(&self.queries));
        families.extend(ops::families(&self.counters));
        families.extend(upstreams::families(&self.upstreams));
        families.extend(calls::families(&self.calls));
        Page::new(families, Arc::clone(&self.told()))
    }

    fn told(&self) -> MutexGuard<'_, Arc<str>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Transports, as labels.
const PROTOCOLS: [&str; 2] = ["udp", "tcp"];
/// Response codes that are counted apart, and one place for all others.
const RCODES: usize = 25;

fn protocol(transport: Transport) -> usize {
    match transport {
        Transport::Udp => 0,
        Transport::Tcp => 1,
    }
}

fn rcode_label(rcode: usize) -> String {
    if rcode < RCODES - 1 { text::rcode_name(rcode as u16) } else { "other".to_owned() }
}
