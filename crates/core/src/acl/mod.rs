//! The op `acl`: who may ask what. The first rule that is about the name, the type and the client decides.

mod addresses;

use addresses::Addresses;

use crate::answer::Answer;
use crate::edns::extended_error;
use crate::metrics::{Count, OpCounter, PlaceLabel};
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

/// The number of the counter of questions that may pass; those of each list and zone follow.
const ALLOWED: usize = 0;
/// What is counted for each zone of a list.
const OF_ZONE: [(&str, &str); 3] = [
    ("coredns_acl_blocked_requests_total", "Questions that were refused."),
    ("coredns_acl_filtered_requests_total", "Questions that got an empty answer."),
    ("coredns_acl_dropped_requests_total", "Questions to which nothing was said."),
];
const PLACE: &[PlaceLabel] = &[PlaceLabel::Server, PlaceLabel::View];

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
    zones: Vec<Zone>,
    rules: Vec<Rule>,
    addresses: Addresses,
}

struct Zone {
    lower: Box<[u8]>,
    /// As metrics show it.
    label: String,
    /// The number of its first counter.
    counter: usize,
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
        let mut counters = (ALLOWED + 1..).step_by(OF_ZONE.len());
        Ok(AclOp { lists: lists.iter().map(|list| List::new(list, &mut counters)).collect::<Result<_, _>>()? })
    }

    /// What it counts.
    pub fn counters(&self) -> Vec<OpCounter> {
        let allowed = OpCounter::new("coredns_acl_allowed_requests_total", "Questions that may pass.", PLACE);
        let zones = self.lists.iter().flat_map(|list| &list.zones);
        let of_zones = zones.flat_map(|zone| OF_ZONE.map(|(name, help)| OpCounter::new(name, help, PLACE).with("zone", &zone.label)));
        [allowed].into_iter().chain(of_zones).collect()
    }

    /// Decides; `span` is the op's place.
    pub fn run<R: Recorder>(&self, turn: &Turn<'_>, count: &mut Count<'_>, answer: &mut Answer, span: u32, recorder: &mut R) -> Access {
        let Some((zone, rule)) = self.lists.iter().find_map(|list| list.rule(turn)) else {
            count.one(ALLOWED);
            recorder.op("acl", span);
            recorder.note("allowed", || "no rule is about this client and type".to_owned());
            return Access::Allowed;
        };
        recorder.op("acl", rule.span);
        recorder.note(rule.action.participle(), || format!("a question from {}", turn.client.address.ip().to_canonical()));
        match rule.action {
            Action::Allow => {
                count.one(ALLOWED);
                Access::Allowed
            }
            Action::Block => {
                count.one(zone.counter);
                answer.rcode = rcode::REFUSED;
                extended_error(answer, BLOCKED, "");
                Access::Answered
            }
            Action::Filter => {
                count.one(zone.counter + 1);
                extended_error(answer, FILTERED, "");
                Access::Answered
            }
            Action::Drop => {
                count.one(zone.counter + 2);
                Access::Dropped
            }
        }
    }
}

impl List {
    fn new(list: &plan::AclList, counters: &mut impl Iterator<Item = usize>) -> Result<List, String> {
        let zones = list.zones.iter().zip(counters).map(|(label, counter)| {
            let lower = name::absolute_lower(label).map_err(|why| format!("{label} {why}"))?;
            Ok::<_, String>(Zone { lower, label: label.clone(), counter })
        });
        let rules = list.rules.iter().map(Rule::new).collect::<Result<Vec<_>, String>>()?;
        Ok(List { zones: zones.collect::<Result<_, _>>()?, addresses: Addresses::new(&rules), rules })
    }

    /// The rule that decides, and the longest zone that the name is in.
    fn rule(&self, turn: &Turn<'_>) -> Option<(&Zone, &Rule)> {
        let zones = self.zones.iter().filter(|zone| name::is_under(turn.asked.lower, &zone.lower));
        let zone = zones.max_by_key(|zone| zone.lower.len())?;
        let numbers = self.addresses.rules_of(turn.client.address.ip().to_canonical());
        let rule = numbers.iter().map(|number| &self.rules[*number as usize]).find(|rule| rule.has(turn.request.qtype))?;
        Some((zone, rule))
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
