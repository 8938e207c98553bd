//! Why an answer is what it is: a recorder that queries carry, and that costs nothing when it is off.

use serde::Serialize;

/// What the machine tells while it works. Texts are made only when someone listens.
pub trait Recorder {
    /// A block was chosen; `span` is the place of its key.
    fn block(&mut self, zone: &[u8], span: u32);
    /// An op begins.
    fn op(&mut self, name: &'static str, span: u32);
    /// An op sees the answer on its way out.
    fn way_out(&mut self, name: &'static str, span: u32);
    /// Something worth knowing happened inside the op.
    fn note(&mut self, what: &'static str, detail: impl FnOnce() -> String);
    /// Data that this origin made was used.
    fn origin(&mut self, origin: u32);
}

/// Nobody listens.
pub struct Off;

impl Recorder for Off {
    #[inline(always)]
    fn block(&mut self, _: &[u8], _: u32) {}
    #[inline(always)]
    fn op(&mut self, _: &'static str, _: u32) {}
    #[inline(always)]
    fn way_out(&mut self, _: &'static str, _: u32) {}
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

    fn step(&mut self, what: &'static str, detail: String, span: Option<u32>) {
        let at = self.elapsed();
        self.steps.push(Step { what, detail, span, on_way_out: false, at });
    }
}

impl Recorder for Trace {
    fn block(&mut self, zone: &[u8], span: u32) {
        self.step("block", crate::name::Display(zone).to_string(), Some(span));
    }

    fn op(&mut self, name: &'static str, span: u32) {
        self.step(name, String::new(), Some(span));
    }

    fn way_out(&mut self, name: &'static str, span: u32) {
        let at = self.elapsed();
        self.steps.push(Step { what: name, detail: String::new(), span: Some(span), on_way_out: true, at });
    }

    fn note(&mut self, what: &'static str, detail: impl FnOnce() -> String) {
        self.step(what, detail(), None);
    }

    fn origin(&mut self, origin: u32) {
        if !self.origins.contains(&origin) && self.origins.len() < 64 {
            self.origins.push(origin);
        }
    }
}
