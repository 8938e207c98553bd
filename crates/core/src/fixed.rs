//! The op `fixed`: answers questions for some names with the same records always.

use crate::answer::{Answer, Rr};
use crate::metrics::{Count, OpCounter};
use crate::name;
use crate::plan::{self, FixedMatch};
use crate::trace::Recorder;
use crate::way::Turn;
use crate::zone::Asked;
use crate::zonefile::Record;

/// Answers from records of the plan.
pub struct FixedOp {
    /// The directive whose records they are.
    pub name: String,
    names: Vec<Names>,
}

struct Names {
    which: FixedMatch,
    name: Box<[u8]>,
    /// Its number among the op's.
    counter: Option<(usize, OpCounter)>,
    replies: Vec<Reply>,
}

struct Reply {
    qtype: Option<u16>,
    qclass: Option<u16>,
    rcode: u16,
    answer: Vec<Fixed>,
    authority: Vec<Fixed>,
}

/// A record, and whether it belongs to whatever name is asked.
struct Fixed {
    record: Record,
    is_at_name: bool,
}

impl FixedOp {
    /// Compiles the op; the error names what cannot be read.
    pub fn new(op: &plan::FixedOp) -> Result<FixedOp, String> {
        let mut numbers = 0..;
        let names = op.names.iter().map(|names| {
            let name = name::absolute_lower(&names.name).map_err(|why| format!("{} {why}", names.name))?;
            let replies = names.replies.iter().map(Reply::new).collect::<Result<_, String>>()?;
            let counter = names.counter.as_ref().and_then(|counter| Some((numbers.next()?, counter.into())));
            Ok::<_, String>(Names { which: names.which, name, counter, replies })
        });
        Ok(FixedOp { name: op.name.clone(), names: names.collect::<Result<_, _>>()? })
    }

    /// What it counts, numbered as the names that have a counter.
    pub fn counters(&self) -> Vec<OpCounter> {
        self.names.iter().filter_map(|names| names.counter.as_ref()).map(|(_, counter)| counter.clone()).collect()
    }

    /// Answers, if there are records for this question.
    pub fn run<R: Recorder>(&self, turn: &Turn<'_>, count: &mut Count<'_>, answer: &mut Answer, span: u32, recorder: &mut R) -> bool {
        let found = self.names.iter().filter(|names| names.has(turn.asked.lower)).find_map(|names| {
            let reply = names.replies.iter().find(|reply| reply.is_for(turn))?;
            Some((reply, &names.counter))
        });
        let Some((reply, counter)) = found else { return false };
        recorder.op("fixed", span);
        if let Some((number, _)) = counter {
            count.one(*number);
        }
        answer.rcode = reply.rcode;
        for fixed in &reply.answer {
            let rr = fixed.put(&turn.asked, answer);
            answer.answer.push(rr);
        }
        for fixed in &reply.authority {
            let rr = fixed.put(&turn.asked, answer);
            answer.authority.push(rr);
        }
        true
    }
}

impl Names {
    fn has(&self, lower: &[u8]) -> bool {
        match self.which {
            FixedMatch::All => true,
            FixedMatch::Name => *lower == *self.name,
            FixedMatch::Below => lower.len() > self.name.len() && name::is_under(lower, &self.name),
            // The root of the name is no label, so it is no part of what is compared.
            FixedMatch::Label => lower.len() > self.name.len() && lower.starts_with(&self.name[..self.name.len() - 1]),
        }
    }
}

impl Reply {
    fn new(reply: &plan::FixedReply) -> Result<Reply, String> {
        let records = |texts: &[String]| texts.iter().map(|text| Fixed::new(text)).collect::<Result<_, _>>();
        Ok(Reply {
            qtype: reply.qtype,
            qclass: reply.qclass,
            rcode: reply.rcode,
            answer: records(&reply.answer)?,
            authority: records(&reply.authority)?,
        })
    }

    fn is_for(&self, turn: &Turn<'_>) -> bool {
        self.qtype.is_none_or(|qtype| qtype == turn.request.qtype) && self.qclass.is_none_or(|qclass| qclass == turn.request.qclass)
    }
}

impl Fixed {
    fn new(text: &str) -> Result<Fixed, String> {
        let record = Record::parse(text, 0).map_err(|mistake| format!("{text}: {mistake}"))?;
        Ok(Fixed { record, is_at_name: text.starts_with("@ ") })
    }

    /// Where it belongs to the end of the name that was asked, that is written as the client did.
    fn put(&self, asked: &Asked<'_>, answer: &mut Answer) -> Rr {
        let owner = &self.record.owner;
        let owner = if self.is_at_name {
            asked.owner
        } else if name::is_under(asked.lower, owner) {
            answer.intern(&[&asked.name[asked.name.len() - owner.len()..]])
        } else {
            answer.intern(&[owner])
        };
        self.record.put(owner, answer)
    }
}
