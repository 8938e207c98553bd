//! The op `records`: flat lists of names. A name and a type have what stands in the zones under exactly them, or under a `*` in the place of
//! the name's first label. There are no origins and no SOA: who is not known can only be told that nobody knows.

use std::sync::Arc;

use super::node::{Node, StoredRdata};
use super::reply::{Asked, Said};
use super::{Zone, lookup};
use crate::answer::{Answer, NameRef, Rdata, Rr};
use crate::name::{absolute_lower, is_under};
use crate::plan;
use crate::trace::Recorder;
use crate::wire::rcode;

/// The op, ready to run.
pub struct RecordsOp {
    /// The directive's name, for logs.
    pub name: String,
    zones: Vec<Arc<Zone>>,
    under: Vec<Box<[u8]>>,
    types: Vec<u16>,
    anywhere: Vec<u16>,
    fallthrough: Vec<Box<[u8]>>,
    fallthrough_types: bool,
}

impl RecordsOp {
    /// Compiles the op; the error names what is no domain name.
    pub fn new(op: &plan::RecordsOp, zones: Vec<Arc<Zone>>) -> Result<RecordsOp, String> {
        let absolute = |texts: &[String]| -> Result<Vec<_>, String> {
            texts.iter().map(|text| absolute_lower(text).map_err(|why| format!("{text} {why}"))).collect()
        };
        Ok(RecordsOp {
            name: op.name.clone(),
            zones,
            under: absolute(&op.under)?,
            types: op.types.clone(),
            anywhere: op.anywhere.clone(),
            fallthrough: absolute(&op.fallthrough)?,
            fallthrough_types: op.fallthrough_types,
        })
    }

    /// Answers a question of type `qtype` for `asked`.
    pub fn run<R: Recorder>(&self, qtype: u16, asked: &Asked<'_>, answer: &mut Answer, recorder: &mut R) -> Said {
        let lower = asked.lower;
        let relative = &lower[..lower.len() - 1];
        let anywhere = self.anywhere.contains(&qtype);
        if !anywhere && !self.under.iter().any(|zone| is_under(lower, zone)) {
            return Said::Next;
        }
        if anywhere || self.types.contains(&qtype) {
            // The owner's letters are ours, not the client's (recorded: `hosts-case`).
            let owner = if asked.name == lower { asked.owner } else { answer.intern(&[lower]) };
            for zone in &self.zones {
                if let Some(node) = holder(zone, relative, qtype) {
                    recorder.origin(node.origin);
                    push(&node, owner, qtype, answer);
                }
            }
            if !answer.answer.is_empty() {
                (answer.aa, answer.cacheable) = (true, true);
                return Said::Answered;
            }
        }
        let falls_through = self.fallthrough.iter().any(|zone| is_under(lower, zone));
        let other_type = !anywhere && !self.types.contains(&qtype);
        if other_type && self.fallthrough_types && falls_through {
            recorder.note("fallthrough", || "records of this type are not told here; the next directive is asked".to_owned());
            return Said::Next;
        }
        let holds = |qtype: &u16| self.zones.iter().any(|zone| holder(zone, relative, *qtype).is_some());
        if !anywhere && self.types.iter().any(holds) {
            recorder.note("absent", || "the name exists, the type does not".to_owned());
            (answer.aa, answer.cacheable) = (true, true);
            return Said::Answered;
        }
        if !self.zones.iter().all(|zone| zone.is_complete()) {
            recorder.note("absent", || "no such name; the data is still loading".to_owned());
            answer.rcode = rcode::SERVFAIL;
            return Said::Answered;
        }
        if anywhere || falls_through {
            recorder.note("fallthrough", || "the name is absent here; the next directive is asked".to_owned());
            return Said::Next;
        }
        recorder.note("absent", || "no such name; all data has been loaded".to_owned());
        (answer.rcode, answer.left_to_server) = (rcode::SERVFAIL, true);
        Said::Answered
    }
}

/// What holds records of a type for a name: the name itself, else a `*` in the place of its first label, but not at the top.
fn holder(zone: &Zone, relative: &[u8], rtype: u16) -> Option<Arc<Node>> {
    let holds = |node: &Arc<Node>| node.rrset(rtype).is_some_and(|rrset| !rrset.rdata.is_empty());
    zone.node(relative).filter(holds).or_else(|| {
        let (_, parent) = lookup::split(relative).filter(|(_, parent)| !parent.is_empty() && zone.has_wildcards())?;
        zone.node(&[b"\x01*", parent].concat()).filter(holds)
    })
}

/// Adds the node's records of a type.
fn push(node: &Node, owner: NameRef, rtype: u16, answer: &mut Answer) {
    let Some(rrset) = node.rrset(rtype) else { return };
    for stored in &rrset.rdata {
        let rdata = match stored {
            StoredRdata::A(octets) => Rdata::A(*octets),
            StoredRdata::Aaaa(octets) => Rdata::Aaaa(*octets),
            StoredRdata::Absolute(name) => Rdata::Name(answer.intern(&[name])),
            // The zone's origin is the root.
            StoredRdata::Relative(name) => Rdata::Name(answer.intern(&[name, b"\0"])),
            StoredRdata::Opaque(octets) => Rdata::Opaque(answer.keep(octets)),
        };
        answer.answer.push(Rr::new(owner, rtype, rrset.ttl, rdata));
    }
}
