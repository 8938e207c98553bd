//! The plan as the document says it: the mirror of `src/clusterdns/plan/`, which describes each field. Unknown fields are refused.

#![allow(missing_docs, reason = "Python's plan describes the fields; a second description would drift")]

mod expressions;
mod labels;
mod listeners;
mod ops;
mod rewrites;
mod templates;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wire::CLASS_IN;

pub use expressions::*;
pub use labels::*;
pub use listeners::*;
pub use ops::*;
pub use rewrites::*;
pub use templates::*;

/// The version of the document that this engine reads.
pub const VERSION: u32 = 1;

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub version: u32,
    pub listeners: Vec<Listener>,
    pub zones: Vec<String>,
    pub blocks: Vec<Block>,
    pub spans: Vec<Span>,
    #[serde(default)]
    pub http: Vec<HttpListener>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Block {
    pub zone: String,
    pub listeners: Vec<String>,
    pub program: Vec<Op>,
    pub span: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub view: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Condition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl Block {
    /// Whether it leaves no query to further blocks for its zone.
    pub(crate) fn takes_all(&self) -> bool {
        self.view.is_empty() && self.when.is_empty()
    }

    /// The identity of its cache, and the ops that make what it keeps: those behind it, and those before it that make upstreams see what
    /// the cache does not tell apart.
    pub(crate) fn cache_and_its_ops(&self) -> Option<(&str, Vec<&Op>)> {
        let at = self.program.iter().position(|op| matches!(op, Op::Cache(_)))?;
        let (before, [Op::Cache(cache), behind @ ..]) = self.program.split_at(at) else { return None };
        Some((&cache.id, before.iter().filter(|op| op.changes_options()).chain(behind).collect()))
    }
}

/// The zones whose names two programs answer differently.
pub(crate) fn zones_that_differ<'a>(before: &[&'a Op], now: &[&'a Op]) -> Vec<&'a str> {
    let unplaced = |ops: &[&Op]| ops.iter().map(|op| op.without_place()).collect::<Vec<_>>();
    let (old, new) = (unplaced(before), unplaced(now));
    if old == new {
        return Vec::new();
    }
    let mut zones = Vec::new();
    let changed =
        before.iter().zip(&old).filter(|(_, op)| !new.contains(op)).chain(now.iter().zip(&new).filter(|(_, op)| !old.contains(op)));
    for (op, _) in changed {
        match op {
            Op::Forward(forward) => zones.push(forward.from_zone.as_str()),
            _ => return vec!["."],
        }
    }
    // The same ops in another order.
    if zones.is_empty() { vec!["."] } else { zones }
}

impl Op {
    /// Whether it may ask with other EDNS options than the client's.
    fn changes_options(&self) -> bool {
        matches!(self, Op::Rewrite { rules, .. } if rules.iter().any(|rule| matches!(rule.change, Rewrite::Option(_))))
    }

    /// Whether it is there for questions of other classes than the Internet's too.
    pub(crate) fn wants_all_classes(&self) -> bool {
        match self {
            Op::Forward(_) => true,
            Op::Fixed(fixed) => {
                fixed.names.iter().flat_map(|names| &names.replies).any(|reply| reply.qclass.is_some_and(|class| class != CLASS_IN))
            }
            _ => false,
        }
    }

    /// What it says, wherever it stands in the Corefile.
    fn without_place(&self) -> Value {
        // A plan that was read can be written.
        let mut said = serde_json::to_value(self).unwrap_or_default();
        drop_spans(&mut said);
        said
    }
}

fn drop_spans(said: &mut Value) {
    match said {
        Value::Object(fields) => {
            fields.remove("span");
            fields.values_mut().for_each(drop_spans);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_spans),
        _ => {}
    }
}
