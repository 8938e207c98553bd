//! The op `acl`: who may ask what. The first rule that is about the name, the type and the client decides.

mod addresses;

use addresses::Addresses;

use crate::answer::Answer;
use crate::edns::extended_error;
use crate::name;
use crate::network::Network;
use crate::plan;
use crate::trace::Recorder;
use crate::way::Turn;
use crate::wire::rcode;

pub use crate::plan::AclAction as Action;

/// Extended errors (RFC 8914 4.16, 4.18).
const BLOCKED: u16 = 15;
const FILTERED: u16 = 17;

/// Lists of rules, in order.
pub struct AclOp {
    lists: Vec<List>,
}

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The next op has it.
    Allowed,
    /// It is answered.
    Answered,
    /// Nothing is said.
    Dropped,
}

struct List {
    zones: Vec<Box<[u8]>>,
    rules: Vec<Rule>,
    addresses: Addresses,
}

struct Rule {
    action: Action,
    /// In ascending order; none: all.
    types: Vec<u16>,
    /// None: all.
    networks: Vec<Network>,
    span: u32,
}

impl AclOp {
    /// Compiles the op; the error names what cannot be read.
    pub fn new(lists: &[plan::AclList]) -> Result<AclOp, String> {
        Ok(AclOp { lists: lists.iter().map(List::new).collect::<Result<_, _>>()? })
    }

    /// Decides; `span` is the op's place.
    pub fn run<R: Recorder>(&self, turn: &Turn<'_>, answer: &mut Answer, span: u32, recorder: &mut R) -> Access {
        let Some(rule) = self.lists.iter().find_map(|list| list.rule(turn)) else {
            recorder.op("acl", span);
            recorder.note("allowed", || "no rule is about this client and type".to_owned());
            return Access::Allowed;
        };
        recorder.op("acl", rule.span);
        recorder.note(rule.action.participle(), || format!("a question from {}", turn.client.address.ip().to_canonical()));
        match rule.action {
            Action::Allow => return Access::Allowed,
            Action::Drop => return Access::Dropped,
            Action::Block => {
                answer.rcode = rcode::REFUSED;
                extended_error(answer, BLOCKED, "");
            }
            Action::Filter => extended_error(answer, FILTERED, ""),
        }
        Access::Answered
    }
}

impl List {
    fn new(list: &plan::AclList) -> Result<List, String> {
        let zones = list.zones.iter().map(|zone| name::absolute_lower(zone).map_err(|why| format!("{zone} {why}")));
        let rules = list.rules.iter().map(Rule::new).collect::<Result<Vec<_>, String>>()?;
        Ok(List { zones: zones.collect::<Result<_, _>>()?, addresses: Addresses::new(&rules), rules })
    }

    fn rule(&self, turn: &Turn<'_>) -> Option<&Rule> {
        if !self.zones.iter().any(|zone| name::is_under(turn.asked.lower, zone)) {
            return None;
        }
        let numbers = self.addresses.rules_of(turn.client.address.ip().to_canonical());
        numbers.iter().map(|number| &self.rules[*number as usize]).find(|rule| rule.has(turn.request.qtype))
    }
}

impl Rule {
    fn new(rule: &plan::AclRule) -> Result<Rule, String> {
        let mut types = rule.types.clone();
        types.sort_unstable();
        let networks = rule.networks.iter().map(|text| Network::parse(text)).collect::<Result<_, _>>()?;
        Ok(Rule { action: rule.action, types, networks, span: rule.span })
    }

    fn has(&self, qtype: u16) -> bool {
        self.types.is_empty() || self.types.binary_search(&qtype).is_ok()
    }
}

impl Action {
    /// What it does to a question, in a word.
    fn participle(self) -> &'static str {
        match self {
            Action::Allow => "allowed",
            Action::Block => "blocked",
            Action::Filter => "filtered",
            Action::Drop => "dropped",
        }
    }
}
