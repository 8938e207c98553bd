//! Why an answer is what it is: a recorder that queries carry, and that costs nothing when it is off.

use serde::Serialize;

use crate::answer::Answer;
use crate::changes::Snapshot;

/// The most steps that are told: one query may try its upstreams again and again until its time is over.
const MOST_STEPS: usize = 400;

/// What the machine tells while it works. Texts are made only when someone listens.
pub trait Recorder {
    /// What is remembered of an answer while an op sees it on its way out.
    type Before;
    /// A block was chosen; `span` is the place of its key.
    fn block(&mut self, zone: &[u8], span: u32);
    /// An op begins.
    fn op(&mut self, name: &'static str, span: u32);
    /// An op sees the answer on its way out.
    fn way_out(&mut self, name: &'static str, span: u32, answer: &Answer) -> Self::Before;
    /// What it made of the answer, or that it changed nothing.
    fn changed(&mut self, before: Self::Before, answer: &Answer);
    /// What it made of the answer; if that is nothing, the op is not told of at all.
    fn changed_or_not_told(&mut self, before: Self::Before, answer: &Answer);
    /// Something worth knowing happened inside the op.
    fn note(&mut self, what: &'static str, detail: impl FnOnce() -> String);
    /// Data that this origin made was used.
    fn origin(&mut self, origin: u32);
}

/// Nobody listens.
pub struct Off;

impl Recorder for Off {
    type Before = ();
    #[inline(always)]
    fn block(&mut self, _: &[u8], _: u32) {}
    #[inline(always)]
    fn op(&mut self, _: &'static str, _: u32) {}
    #[inline(always)]
    fn way_out(&mut self, _: &'static str, _: u32, _: &Answer) {}
    #[inline(always)]
    fn changed(&mut self, (): (), _: &Answer) {}
    #[inline(always)]
    fn changed_or_not_told(&mut self, (): (), _: &Answer) {}
    #[inline(always)]
    fn note(&mut self, _: &'static str, _: impl FnOnce() -> String) {}
    #[inline(always)]
    fn origin(&mut self, _: u32) {}
}

/// One step of a query's way.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// `block`, an op's name, or what an op noted.
    pub what: &'static str,
    /// More about it.
    pub detail: String,
    /// Index into the plan's spans, for blocks and ops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<u32>,
    /// Whether the answer was there already.
    pub on_way_out: bool,
    /// Nanoseconds since the query came.
    pub at: u64,
}

/// A recorded way.
pub struct Trace {
    clock: fn() -> u64,
    start: u64,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// Origins of the data used, each once.
    pub origins: Vec<u32>,
}

impl Trace {
    /// Starts recording; `clock` tells nanoseconds and never goes back.
    pub fn new(clock: fn() -> u64) -> Trace {
        Trace { clock, start: clock(), steps: Vec::new(), origins: Vec::new() }
    }

    /// Nanoseconds since the start.
    pub fn elapsed(&self) -> u64 {
        (self.clock)() - self.start
    }

    fn step(&mut self, what: &'static str, detail: String, span: Option<u32>, on_way_out: bool) {
        let at = self.elapsed();
        match self.steps.len() {
            ..MOST_STEPS => self.steps.push(Step { what, detail, span, on_way_out, at }),
            MOST_STEPS => self.steps.push(Step { what: "more", detail: "steps are not told".to_owned(), span: None, on_way_out, at }),
            _ => {}
        }
    }
}

impl Recorder for Trace {
    /// The step's place, and the answer as it was.
    type Before = (usize, Snapshot);

    fn block(&mut self, zone: &[u8], span: u32) {
        self.step("block", crate::name::Display(zone).to_string(), Some(span), false);
    }

    fn op(&mut self, name: &'static str, span: u32) {
        self.step(name, String::new(), Some(span), false);
    }

    fn way_out(&mut self, name: &'static str, span: u32, answer: &Answer) -> (usize, Snapshot) {
        let place = self.steps.len();
        self.step(name, String::new(), Some(span), true);
        (place, Snapshot::of(answer))
    }

    fn changed(&mut self, (place, before): (usize, Snapshot), answer: &Answer) {
        if let Some(step) = self.steps.get_mut(place).filter(|_| place < MOST_STEPS) {
            step.detail = before.changes(answer);
            if step.detail.is_empty() {
                step.detail.push_str("changes nothing");
            }
        }
    }

    fn changed_or_not_told(&mut self, (place, before): (usize, Snapshot), answer: &Answer) {
        let changes = before.changes(answer);
        if changes.is_empty() && place < MOST_STEPS {
            self.steps.remove(place);
        } else if let Some(step) = self.steps.get_mut(place).filter(|_| place < MOST_STEPS) {
            step.detail = changes;
        }
    }

    fn note(&mut self, what: &'static str, detail: impl FnOnce() -> String) {
        self.step(what, detail(), None, false);
    }

    fn origin(&mut self, origin: u32) {
        if !self.origins.contains(&origin) && self.origins.len() < 64 {
            self.origins.push(origin);
        }
    }
}
