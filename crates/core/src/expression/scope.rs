//! Where an expression is evaluated: what it may ask for, and how much work it may be.

use std::cell::Cell;

use super::Value;
use crate::labels::Known;

/// The most octets of a text.
pub const MAX_TEXT: usize = u16::MAX as usize;
/// The most steps of one expression; making a text counts as steps too.
const MAX_STEPS: usize = 10_000;
/// So many octets of a text are one step.
const OCTETS_PER_STEP: usize = 64;

/// What has matched a pattern: a group by its number or name.
pub type Groups<'s, 'a> = &'s dyn Fn(&str) -> Option<&'a str>;

/// What an expression may ask for: of the query (`'a`), and of the place where it stands (`'s`).
#[derive(Clone, Copy)]
pub struct Scope<'s, 'a> {
    /// The query.
    pub known: Known<'a>,
    groups: Option<Groups<'s, 'a>>,
    variables: &'s [Value<'a>],
    item: Option<&'s Value<'a>>,
    steps: &'s Cell<usize>,
}

impl<'s, 'a> Scope<'s, 'a> {
    /// Where there is nothing but the query. `steps` counts from zero.
    pub fn new(known: Known<'a>, steps: &'s Cell<usize>) -> Scope<'s, 'a> {
        Scope { known, groups: None, variables: &[], item: None, steps }
    }

    /// The same with what a pattern has found, and the variables so far.
    pub fn with(self, groups: Groups<'s, 'a>, variables: &'s [Value<'a>]) -> Scope<'s, 'a> {
        Scope { groups: Some(groups), variables, ..self }
    }

    /// The same with an item of a list.
    pub fn with_item<'t>(&'t self, item: &'t Value<'a>) -> Scope<'t, 'a> {
        Scope { item: Some(item), ..*self }
    }

    /// The item; None: there is no list around.
    pub fn item(&self) -> Option<Value<'a>> {
        self.item.cloned()
    }

    /// A variable; None: it has not been set.
    pub fn variable(&self, slot: usize) -> Option<Value<'a>> {
        self.variables.get(slot).cloned()
    }

    /// What a group has matched; nothing where there is no such group.
    pub fn group(&self, name: &str) -> Option<&'a str> {
        self.groups.and_then(|groups| groups(name))
    }

    /// One more step; None: there were too many.
    pub fn step(&self) -> Option<()> {
        self.spend(1)
    }

    /// A text of so many octets is made; None: it is too long, or there were too many steps.
    pub fn text(&self, octets: usize) -> Option<()> {
        if octets > MAX_TEXT { None } else { self.spend(octets / OCTETS_PER_STEP) }
    }

    fn spend(&self, steps: usize) -> Option<()> {
        self.steps.set(self.steps.get() + steps);
        (self.steps.get() <= MAX_STEPS).then_some(())
    }
}
