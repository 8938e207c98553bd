//! Counters of ops: each op says what it counts, and adds by number.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Counter, Family, Kind, Own, Registry};
use crate::plan::{self, PlaceLabel};

/// What `forward` counts when all of its upstreams are down.
pub const FORWARD_ALL_DOWN: (&str, &str) =
    ("coredns_forward_healthcheck_broken_total", "Queries for which all upstreams were believed to be down.");
/// What `forward` counts when too many queries wait.
pub const FORWARD_REJECTED: (&str, &str) =
    ("coredns_forward_max_concurrent_rejects_total", "Queries refused because too many waited for upstreams.");
/// What `local` counts, as its directive describes it.
const LOCALHOST: (&str, &str) = ("coredns_local_localhost_requests_total", "Queries for names below localhost.");

/// Families without labels are there from the start, as in CoreDNS.
const ALWAYS: [(&str, &str); 3] = [FORWARD_ALL_DOWN, FORWARD_REJECTED, LOCALHOST];

/// A counter that an op adds to, as it describes it before it runs.
#[derive(Clone, Debug)]
pub struct OpCounter {
    /// The family: `coredns_cache_hits_total`.
    pub name: Cow<'static, str>,
    /// What the family counts.
    pub help: Cow<'static, str>,
    /// Which of the labels of the place where the op stands the family has; the others are the op's.
    pub place: Cow<'static, [PlaceLabel]>,
    /// The labels that the op knows.
    pub labels: Vec<(Cow<'static, str>, String)>,
}

/// A block on one of its listeners.
#[derive(Clone, Copy)]
pub struct PlaceLabels<'a> {
    /// The listener's label.
    pub server: &'a str,
    /// The block's zone.
    pub zone: &'a str,
    /// The block's view.
    pub view: &'a str,
}

/// A counter with all of its labels.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CounterLabels {
    name: Cow<'static, str>,
    help: Cow<'static, str>,
    labels: Vec<(Cow<'static, str>, String)>,
}

/// All counters of ops.
pub type AllCounters = Arc<Registry<CounterLabels, Counter>>;

/// The counters of the op at hand, by the numbers that the op gave them: the order in which it described them.
pub struct Count<'a> {
    own: &'a mut Own<CounterLabels, Counter>,
    /// Where it stands, if anything is to be counted.
    place: Option<PlaceLabels<'a>>,
    numbers: &'a [u32],
}

impl OpCounter {
    /// A counter without labels of the op's own.
    pub fn new(name: &'static str, help: &'static str, place: &'static [PlaceLabel]) -> OpCounter {
        OpCounter { name: name.into(), help: help.into(), place: place.into(), labels: Vec::new() }
    }

    /// The same with one more label.
    pub fn with(mut self, label: &'static str, value: &str) -> OpCounter {
        self.labels.push((label.into(), value.to_owned()));
        self
    }

    /// The same in a place.
    pub fn at(self, place: PlaceLabels<'_>) -> CounterLabels {
        let mut labels = self.labels;
        for label in self.place.iter() {
            let (name, value) = match label {
                PlaceLabel::Server => ("server", place.server),
                PlaceLabel::Zone => ("zone", place.zone),
                PlaceLabel::View => ("view", place.view),
            };
            labels.push((name.into(), value.to_owned()));
        }
        CounterLabels { name: self.name, help: self.help, labels }
    }
}

impl From<&plan::Counter> for OpCounter {
    /// One that the plan describes.
    fn from(said: &plan::Counter) -> OpCounter {
        let labels = said.labels.iter().map(|(name, value)| (name.clone().into(), value.clone()));
        OpCounter {
            name: said.name.clone().into(),
            help: said.help.clone().into(),
            place: said.place.clone().into(),
            labels: labels.collect(),
        }
    }
}

impl<'a> Count<'a> {
    /// For an op in a place, whose counters have these numbers in the registry.
    pub fn new(own: &'a mut Own<CounterLabels, Counter>, place: PlaceLabels<'a>, numbers: &'a [u32]) -> Count<'a> {
        Count { own, place: Some(place), numbers }
    }

    /// For one that is not to be counted.
    pub fn nothing(own: &'a mut Own<CounterLabels, Counter>) -> Count<'a> {
        Count { own, place: None, numbers: &[] }
    }

    /// Counts one.
    #[inline]
    pub fn one(&mut self, which: usize) {
        self.add(which, 1);
    }

    /// Counts so many.
    #[inline]
    pub fn add(&mut self, which: usize, count: u64) {
        if let Some(number) = self.numbers.get(which) {
            self.own.at(*number).add(count);
        }
    }

    /// Counts one of what is so rare that its counter is described when it happens.
    pub fn one_rarely(&mut self, counter: impl FnOnce() -> OpCounter) {
        if let Some(place) = self.place {
            let number = self.own.number(counter().at(place));
            self.own.at(number).add(1);
        }
    }
}

/// The families of these counters, and those that are there without an op that counts.
pub fn families(all: &AllCounters) -> Vec<Family> {
    let always = ALWAYS.iter().map(|(name, help)| (Cow::Borrowed(*name), Cow::Borrowed(*help)));
    let mut helps: BTreeMap<Cow<'static, str>, Cow<'static, str>> = always.collect();
    all.for_each(|counter, _| {
        helps.entry(counter.name.clone()).or_insert_with(|| counter.help.clone());
    });
    let family = |(name, help): (Cow<'static, str>, Cow<'static, str>)| {
        let (all, wanted) = (Arc::clone(all), name.clone());
        let is_always = ALWAYS.iter().any(|(name, _)| *name == wanted);
        Family::new(name, help, Kind::Counter, move |samples| {
            if is_always {
                samples.add(&[], 0);
            }
            all.for_each(|counter, value| {
                if counter.name == wanted {
                    let labels: Vec<_> = counter.labels.iter().map(|(name, value)| (&**name, value.as_str())).collect();
                    samples.add(&labels, value.get());
                }
            });
        })
    };
    helps.into_iter().map(family).collect()
}
