//! `errors`: a line for each query that could not be answered, or one for all that are alike within a time.
//!
//! All threads share the counts. The thread that counts the first of some keeps the time for all.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use crate::pattern::Pattern;
use crate::plan::{self, LogLevel};

/// What is done with failures.
pub struct Errors {
    groups: Box<[Group]>,
}

/// Failures that are alike.
struct Group {
    pattern: Pattern,
    tally: Arc<Tally>,
}

/// How many of them there were since the last line about them.
pub struct Tally {
    plan: plan::Consolidation,
    count: AtomicU32,
}

/// What is to be done about a failure.
pub struct Counted {
    /// The line, if it gets one.
    pub line: Option<String>,
    /// It is the first of some: in so much time they are to be told of.
    pub first: Option<(Duration, Arc<Tally>)>,
}

impl Errors {
    /// Compiles the op; `tally` gives the counts of a group.
    pub fn new(groups: &[plan::Consolidation], tally: impl Fn(&plan::Consolidation) -> Option<Arc<Tally>>) -> Result<Errors, String> {
        let group = |group: &plan::Consolidation| {
            let pattern = Pattern::parse(&group.pattern).map_err(|why| format!("errors like {}: {why}", group.pattern))?;
            let tally = tally(group).ok_or_else(|| format!("errors like {} are not counted", group.pattern))?;
            Ok::<_, String>(Group { pattern, tally })
        };
        Ok(Errors { groups: groups.iter().map(group).collect::<Result<_, _>>()? })
    }

    /// Takes a failure: what it is about, and why.
    pub fn take(&self, what: impl Display, why: &str) -> Counted {
        let Some(group) = self.groups.iter().find(|group| group.pattern.is_match(why.as_bytes())) else {
            return Counted { line: Some(line(LogLevel::Error, format_args!("{what}: {why}"))), first: None };
        };
        let Tally { plan, count } = group.tally.as_ref();
        let is_first = count.fetch_add(1, Relaxed) == 0;
        Counted {
            line: (is_first && plan.show_first).then(|| line(plan.level, format_args!("{what}: {why}"))),
            first: is_first.then(|| (Duration::from_millis(plan.period_ms.into()), Arc::clone(&group.tally))),
        }
    }
}

impl Tally {
    /// Nothing has been counted.
    pub fn new(plan: &plan::Consolidation) -> Tally {
        Tally { plan: plan.clone(), count: AtomicU32::new(0) }
    }

    /// Begins to count anew, and tells what was counted; nothing where that was told already.
    pub fn take(&self) -> Option<String> {
        let count = self.count.swap(0, Relaxed);
        let told = count == 0 || count == 1 && self.plan.show_first;
        let plan::Consolidation { pattern, period, level, .. } = &self.plan;
        (!told).then(|| line(*level, format_args!("{count} errors like '{pattern}' occurred in last {period}")))
    }
}

fn line(level: LogLevel, message: impl Display) -> String {
    format!("[{}] plugin/errors: {message}", level.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(pattern: &str, show_first: bool) -> plan::Consolidation {
        plan::Consolidation { pattern: pattern.to_owned(), period_ms: 2000, period: "2s".to_owned(), level: LogLevel::Warning, show_first }
    }

    fn errors(groups: &[plan::Consolidation]) -> (Errors, Vec<Arc<Tally>>) {
        let tallies: Vec<_> = groups.iter().map(|group| Arc::new(Tally::new(group))).collect();
        let tally = |wanted: &plan::Consolidation| tallies.iter().find(|tally| tally.plan == *wanted).cloned();
        (Errors::new(groups, tally).unwrap(), tallies)
    }

    #[test]
    fn what_is_like_nothing_has_a_line_of_its_own() {
        let (errors, tallies) = errors(&[group("timeout$", false)]);
        let counted = errors.take("2 a. A", "connection refused");
        assert_eq!(counted.line.as_deref(), Some("[ERROR] plugin/errors: 2 a. A: connection refused"));
        assert!(counted.first.is_none() && tallies[0].take().is_none());
    }

    #[test]
    fn what_is_alike_is_counted_by_the_first_pattern_that_fits() {
        let (errors, tallies) = errors(&[group("timeout$", false), group(".", true)]);
        for at in 0..3 {
            let counted = errors.take("2 a. A", "i/o timeout");
            assert_eq!((counted.line, counted.first.is_some()), (None, at == 0), "the first one keeps the time");
        }
        assert_eq!(tallies[0].take().as_deref(), Some("[WARNING] plugin/errors: 3 errors like 'timeout$' occurred in last 2s"));
        assert_eq!(tallies[0].take(), None);
        assert!(errors.take("", "i/o timeout").first.is_some(), "and then it begins again");
        assert_eq!(tallies[0].take().as_deref(), Some("[WARNING] plugin/errors: 1 errors like 'timeout$' occurred in last 2s"));
    }

    #[test]
    fn one_that_was_shown_is_not_counted_alone() {
        let (errors, tallies) = errors(&[group(".", true)]);
        let shown = errors.take("2 a. A", "refused");
        assert_eq!(shown.line.as_deref(), Some("[WARNING] plugin/errors: 2 a. A: refused"));
        assert_eq!(shown.first.map(|(period, _)| period), Some(Duration::from_secs(2)));
        assert_eq!(tallies[0].take(), None);
        for _ in 0..2 {
            errors.take("2 a. A", "refused");
        }
        assert_eq!(tallies[0].take().as_deref(), Some("[WARNING] plugin/errors: 2 errors like '.' occurred in last 2s"));
    }
}
