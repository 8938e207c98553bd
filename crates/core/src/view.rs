//! Views: which of several blocks for one zone a query comes to.

use std::cell::Cell;

use crate::expression::{Expression, Scope};
use crate::facts::Facts;
use crate::labels::{Known, Labels};
use crate::plan;
use crate::trace::Recorder;

/// What has to be true of a query.
pub struct View {
    /// What the Corefile calls it.
    pub name: Box<str>,
    conditions: Box<[Condition]>,
}

struct Condition {
    text: Box<str>,
    expression: Expression,
}

impl View {
    /// The view of a block; None: it has none. `labels` are those of the block.
    pub fn new(block: &plan::Block, labels: &Labels) -> Result<Option<Box<View>>, String> {
        if block.view.is_empty() && block.when.is_empty() {
            return Ok(None);
        }
        let condition = |condition: &plan::Condition| {
            let wrong = |why| format!("view {}: {}: {why}", block.view, condition.text);
            let expression = Expression::new(&condition.expression, labels, &[]).map_err(wrong)?;
            Ok::<_, String>(Condition { text: condition.text.as_str().into(), expression })
        };
        let conditions = block.when.iter().map(condition).collect::<Result<_, _>>()?;
        Ok(Some(Box::new(View { name: block.view.as_str().into(), conditions })))
    }

    /// Whether a query comes to the block; it tells why, or why not.
    pub fn takes<R: Recorder>(&self, facts: &Facts<'_>, labels: &Labels, recorder: &mut R) -> bool {
        let failed = self.conditions.iter().find(|condition| !condition.expression.is_true(facts, labels));
        recorder.note("view", || match failed {
            Some(condition) => format!("{} is not for this query: {}", self.name, condition.told(facts, labels)),
            None => {
                let all = self.conditions.iter().map(|condition| condition.told(facts, labels)).collect::<Vec<_>>();
                format!("{} is for this query{}{}", self.name, if all.is_empty() { "" } else { ": " }, all.join("; "))
            }
        });
        failed.is_none()
    }
}

impl Condition {
    /// The condition, and what it is made of: `type() == 'A' is false, as type() is 'TXT'`.
    fn told(&self, facts: &Facts<'_>, labels: &Labels) -> String {
        let steps = Cell::new(0);
        let scope = Scope::new(Known { facts, labels, upstream: None }, &steps);
        format!("{} is {}{}", self.text, self.expression.is_true(facts, labels), self.expression.why(&scope))
    }
}
