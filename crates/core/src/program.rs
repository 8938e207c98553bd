//! The plan, ready to run: routes from listeners and names to blocks, and each block's ops.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use hashbrown::HashMap as FastMap;

use crate::answer::{Answer, Rdata, Rr};
use crate::name;
use crate::plan::{self, Plan};
use crate::wire::rtype;
use crate::zone::{Zone, ZoneOp};

/// What every thread runs until the next plan comes.
pub struct Program {
    /// The document that it was made from.
    pub plan: Arc<Plan>,
    /// By listener number; listeners that the plan does not name have none.
    routes: Vec<Option<Route>>,
    blocks: Vec<Block>,
}

/// The blocks that a listener serves, by zone.
struct Route {
    zones: FastMap<Box<[u8]>, u32, foldhash::fast::RandomState>,
    most_labels: usize,
}

/// One block.
pub struct Block {
    /// Its zone, lower-case wire.
    pub zone: Box<[u8]>,
    /// The ops in order.
    pub ops: Vec<Op>,
    /// Place of its key.
    pub span: u32,
    /// Failures are logged.
    pub logs_errors: bool,
    /// On the way out, addresses are shuffled.
    pub shuffle: Option<Shuffle>,
}

/// An op that may answer.
pub enum Op {
    /// A local zone.
    Zone {
        /// The compiled op.
        op: Box<ZoneOp>,
        /// Its place in the Corefile.
        span: u32,
    },
    /// The client's own address.
    Whoami {
        /// Its place in the Corefile.
        span: u32,
    },
}

/// Orders addresses on the way out.
pub struct Shuffle {
    prefer: Vec<Prefix>,
    weights: HashMap<Box<[u8]>, Vec<(IpAddr, u32)>>,
    /// Its place in the Corefile.
    pub span: u32,
}

struct Prefix {
    network: u128,
    mask: u128,
    is_v4: bool,
}

/// A plan that cannot be run; says where and why.
#[derive(Debug)]
pub struct PlanError(pub String);

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PlanError {}

impl Program {
    /// A program that serves nothing.
    pub fn empty() -> Program {
        let plan = Plan { version: plan::VERSION, listeners: Vec::new(), zones: Vec::new(), blocks: Vec::new(), spans: Vec::new() };
        Program { plan: Arc::new(plan), routes: Vec::new(), blocks: Vec::new() }
    }

    /// Compiles a plan. `zones` has every zone that it names; `number` gives listeners their stable numbers.
    pub fn compile(plan: Arc<Plan>, zones: &HashMap<String, Arc<Zone>>, number: impl Fn(&str) -> u16) -> Result<Program, PlanError> {
        if plan.version != plan::VERSION {
            return Err(PlanError(format!("the plan has version {}, this engine reads {}", plan.version, plan::VERSION)));
        }
        let mut program = Program { plan: Arc::clone(&plan), routes: Vec::new(), blocks: Vec::new() };
        for listener in &plan.listeners {
            let at = number(&listener.id) as usize;
            if program.routes.len() <= at {
                program.routes.resize_with(at + 1, || None);
            }
            program.routes[at] = Some(Route { zones: FastMap::default(), most_labels: 0 });
        }
        for (index, block) in plan.blocks.iter().enumerate() {
            let failed = |why: String| PlanError(format!("block {}: {why}", block.zone));
            let zone = name::absolute_lower(&block.zone).map_err(|why| failed(format!("the zone {why}")))?;
            for id in &block.listeners {
                if !plan.listeners.iter().any(|listener| listener.id == *id) {
                    return Err(failed(format!("listener {id} is not in the plan")));
                }
                let Some(Some(route)) = program.routes.get_mut(number(id) as usize) else { continue };
                route.most_labels = route.most_labels.max(name::labels(&zone).count());
                if route.zones.insert(zone.clone(), index as u32).is_some() {
                    return Err(failed(format!("served twice on {id}")));
                }
            }
            program.blocks.push(Block::compile(block, zone, zones).map_err(failed)?);
        }
        Ok(program)
    }

    /// The block for a name: the longest zone that it is under; for DS the shortest but the root, because the parent answers it (RFC 4035 2.4).
    pub fn block_for(&self, listener: u16, asked: &[u8], qtype: u16) -> Option<&Block> {
        let route = self.routes.get(listener as usize)?.as_ref()?;
        let total = name::labels(asked).count();
        let mut rest = asked;
        let mut parent = None;
        for labels in (1..=total).rev() {
            if labels <= route.most_labels
                && let Some(&block) = route.zones.get(rest)
            {
                let block = &self.blocks[block as usize];
                // A block without directives refuses, DS or not.
                if qtype != rtype::DS || block.is_empty() {
                    return Some(block);
                }
                parent = Some(block);
            }
            rest = &rest[1 + rest[0] as usize..];
        }
        parent.or_else(|| route.zones.get(&b"\0"[..]).map(|&block| &self.blocks[block as usize]))
    }
}

impl Block {
    /// Whether it has no directives at all: it refuses.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty() && !self.logs_errors && self.shuffle.is_none()
    }

    fn compile(block: &plan::Block, zone: Box<[u8]>, zones: &HashMap<String, Arc<Zone>>) -> Result<Block, String> {
        let mut compiled = Block { zone, ops: Vec::new(), span: block.span, logs_errors: false, shuffle: None };
        for op in &block.program {
            match op {
                plan::Op::Zone { zone: id, span, .. } => {
                    let zone = zones.get(id).ok_or_else(|| format!("zone {id} is not in the plan"))?;
                    compiled.ops.push(Op::Zone { op: Box::new(ZoneOp::new(Arc::clone(zone), op)?), span: *span });
                }
                plan::Op::Whoami { span } => compiled.ops.push(Op::Whoami { span: *span }),
                plan::Op::Errors { .. } => compiled.logs_errors = true,
                plan::Op::Shuffle { prefer, weights, span } => compiled.shuffle = Some(Shuffle::compile(prefer, weights, *span)?),
                plan::Op::Debug { .. } => {}
            }
        }
        Ok(compiled)
    }
}

impl Shuffle {
    fn compile(
        prefer: &[String],
        weights: &std::collections::BTreeMap<String, std::collections::BTreeMap<String, u32>>,
        span: u32,
    ) -> Result<Shuffle, String> {
        let weights = weights.iter().map(|(owner, weights)| {
            let owner = name::absolute_lower(owner).map_err(|why| format!("{owner} {why}"))?;
            let weights = weights.iter().map(|(address, &weight)| {
                let address = address.parse().map_err(|_| format!("{address} is no address"))?;
                Ok::<_, String>((address, weight))
            });
            Ok::<_, String>((owner, weights.collect::<Result<_, _>>()?))
        });
        Ok(Shuffle { prefer: prefer.iter().map(|text| Prefix::parse(text)).collect::<Result<_, _>>()?, weights: weights.collect::<Result<_, _>>()?, span })
    }

    /// CNAME records first, then the rest, then addresses and MX in random order (RFC 1794).
    pub fn apply(&self, answer: &mut Answer, random: &mut Random) {
        let mut sections = [std::mem::take(&mut answer.answer), std::mem::take(&mut answer.authority), std::mem::take(&mut answer.additional)];
        for section in &mut sections {
            if section.len() > 1 {
                self.order(section, answer, random);
            }
        }
        [answer.answer, answer.authority, answer.additional] = sections;
    }

    fn order(&self, section: &mut [Rr], answer: &Answer, random: &mut Random) {
        let rank = |rr: &Rr| match rr.rtype {
            rtype::CNAME => 0,
            rtype::A | rtype::AAAA => 2,
            rtype::MX => 3,
            _ => 1,
        };
        if section.iter().any(|rr| rank(rr) != 2) {
            section.sort_by_key(rank);
        }
        for run in section.chunk_by_mut(|a, b| rank(a) == rank(b)) {
            match rank(&run[0]) {
                2 => {
                    random.shuffle(run);
                    self.weigh(run, answer, random);
                    self.put_preferred_first(run);
                }
                3 => random.shuffle(run),
                _ => {}
            }
        }
    }

    /// Draws the first address by weight, where the owner has weights.
    fn weigh(&self, run: &mut [Rr], answer: &Answer, random: &mut Random) {
        if self.weights.is_empty() {
            return;
        }
        let owner = answer.name(run[0].owner).to_ascii_lowercase();
        let Some(weights) = self.weights.get(&*owner) else { return };
        let weight = |rr: &Rr| {
            let address = address_of(rr);
            weights.iter().find(|(known, _)| Some(*known) == address).map_or(1, |(_, weight)| *weight)
        };
        let total: u64 = run.iter().map(|rr| u64::from(weight(rr))).sum();
        let mut left = random.below(total.max(1));
        for at in 0..run.len() {
            let share = u64::from(weight(&run[at]));
            if left < share {
                run.swap(0, at);
                return;
            }
            left -= share;
        }
    }

    /// Addresses within the first network that has any come before the others.
    fn put_preferred_first(&self, run: &mut [Rr]) {
        for prefix in &self.prefer {
            let is_within = |rr: &Rr| address_of(rr).is_some_and(|address| prefix.contains(&address));
            if run.iter().any(is_within) {
                run.sort_by_key(|rr| !is_within(rr));
                return;
            }
        }
    }
}

impl Prefix {
    fn parse(text: &str) -> Result<Prefix, String> {
        let wrong = || format!("{text} is no network");
        let (address, length) = text.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let length: u32 = length.parse().map_err(|_| wrong())?;
        let (most, offset) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        if length > most {
            return Err(wrong());
        }
        let mask = u128::MAX.checked_shl(128 - offset - length).unwrap_or(0);
        Ok(Prefix { network: number(&address) & mask, mask, is_v4: address.is_ipv4() })
    }

    fn contains(&self, address: &IpAddr) -> bool {
        self.is_v4 == address.is_ipv4() && number(address) & self.mask == self.network
    }
}

fn number(address: &IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn address_of(rr: &Rr) -> Option<IpAddr> {
    match rr.rdata {
        Rdata::A(octets) => Some(octets.into()),
        Rdata::Aaaa(octets) => Some(octets.into()),
        _ => None,
    }
}

/// A small generator (wyrand) for the order of records; not for ids or ports.
pub struct Random(u64);

impl Random {
    /// The same seed gives the same order.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0xa076_1d64_78bd_642f);
        let product = u128::from(self.0) * u128::from(self.0 ^ 0xe703_7ed1_a0b4_28db);
        (product >> 64) as u64 ^ product as u64
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}
