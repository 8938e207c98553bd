//! What is counted of those outside who are asked (the op `ask`): how it ended, and how long it took.

use std::sync::Arc;
use std::time::Duration;

use super::{Counter, Durations, Family, Kind, Registry};

/// How a call has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Answered,
    /// The op behind is asked.
    Next,
    /// Another question is asked of the ops behind.
    Rewritten,
    /// With a failure, or with what makes no sense.
    Error,
    /// Not in time.
    Deadline,
    /// It has not begun: too many were unanswered.
    QueueFull,
    /// The query that waited for it had to go for others.
    Shed,
}

/// The outcomes with their labels, in the order of their numbers.
const OUTCOMES: [(Outcome, &str); 7] = [
    (Outcome::Answered, "answered"),
    (Outcome::Next, "next"),
    (Outcome::Rewritten, "rewritten"),
    (Outcome::Error, "error"),
    (Outcome::Deadline, "deadline"),
    (Outcome::QueueFull, "queue_full"),
    (Outcome::Shed, "shed"),
];

/// The counters of one function.
#[derive(Default)]
pub struct Calls {
    outcomes: [Counter; OUTCOMES.len()],
    durations: Durations,
}

/// All functions by name.
pub type AllCalls = Arc<Registry<String, Calls>>;

impl Calls {
    /// Counts a call that took so long, waiting for its turn included. One that has not begun took no time.
    pub fn ended(&self, outcome: Outcome, took: Duration) {
        self.outcomes[outcome as usize].add(1);
        if outcome != Outcome::QueueFull {
            self.durations.add(took, 1);
        }
    }
}

/// The families.
pub fn families(all: &AllCalls) -> [Family; 2] {
    let (counts, times) = (Arc::clone(all), Arc::clone(all));
    let (name, help) = ("clusterdns_plugin_calls_total", "Questions to functions, by how they ended.");
    let outcomes = Family::new(name, help, Kind::Counter, move |samples| {
        counts.for_each(|function, calls| {
            for ((_, result), count) in OUTCOMES.iter().zip(&calls.outcomes) {
                samples.add(&[("function", function), ("result", result)], count.get());
            }
        });
    });
    let (name, help) = ("clusterdns_plugin_call_duration_seconds", "How long queries waited for functions.");
    let durations = Family::new(name, help, Kind::Histogram, move |samples| {
        times.for_each(|function, calls| samples.add(&[("function", function)], calls.durations.buckets()));
    });
    [outcomes, durations]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_stand_under_their_numbers() {
        for (number, (outcome, label)) in OUTCOMES.iter().enumerate() {
            assert_eq!(*outcome as usize, number, "{label}");
        }
    }
}
