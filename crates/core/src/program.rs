//! The plan, ready to run: routes from listeners and names to blocks, and each block's ops.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap as FastMap;
use hashbrown::hash_map::Entry;

use crate::acl::AclOp;
use crate::ask::AskOp;
use crate::cache::{Cache, CacheOp};
use crate::dns64::Dns64;
use crate::engine::Resources;
use crate::errors::Errors;
use crate::facts::Facts;
use crate::fixed::FixedOp;
use crate::forward::ForwardOp;
use crate::labels::Labels;
use crate::log::Log;
use crate::lookout::Lookout;
use crate::metrics::{Metrics, OpCounter, PlaceLabels, SeriesLabels, queries::DROPPED};
use crate::name;
use crate::plan::{self, Plan};
use crate::rewrite::RewriteOp;
use crate::shuffle::Shuffle;
use crate::template::TemplateOp;
use crate::trace::Recorder;
use crate::view::View;
use crate::wire::rtype;
use crate::zone::{RecordsOp, ZoneOp};

/// What every thread runs until the next plan comes.
pub struct Program {
    /// The document that it was made from.
    pub plan: Arc<Plan>,
    /// By listener number; listeners that the plan does not name have none.
    routes: Vec<Option<Route>>,
    blocks: Vec<Block>,
    /// Whether any block logs every query's way.
    pub debug: bool,
    /// Whether any block logs its queries.
    pub logs: bool,
}

/// The blocks that a listener serves, by zone.
#[derive(Default)]
struct Route {
    zones: FastMap<Box<[u8]>, Candidates, foldhash::fast::RandomState>,
    most_labels: usize,
    /// One of its blocks takes questions of other classes than the Internet's.
    all_classes: bool,
    /// What queries are counted under that come to no block, if anything is counted.
    dropped: Option<u32>,
}

/// The blocks for one zone, in the order in which they are tried; nearly always there is one.
struct Candidates {
    first: u32,
    others: Box<[u32]>,
}

/// One block.
pub struct Block {
    /// Its number in the program.
    pub index: u32,
    /// Its zone, lower-case wire.
    pub zone: Box<[u8]>,
    /// The ops in order.
    pub ops: Vec<PlacedOp>,
    /// Place of its key.
    pub span: u32,
    /// Every query's way is logged.
    pub debug: bool,
    /// What has to be true of its queries.
    pub view: Option<Box<View>>,
    /// What can be told of them.
    pub labels: Labels,
    /// Its queries are counted.
    counted: bool,
    /// What is counted where, by listener.
    places: Vec<Place>,
}

/// A block on one of its listeners.
pub struct Place {
    listener: u16,
    /// The listener's label, the block's zone and view.
    labels: [Box<str>; 3],
    /// What its queries are counted under, if they are.
    pub series: Option<u32>,
    /// The numbers of the counters of each op.
    counters: Vec<Box<[u32]>>,
}

/// An op and its place in the Corefile.
pub struct PlacedOp {
    /// What it does.
    pub op: Op,
    /// Index into the plan's spans.
    pub span: u32,
}

/// What an op does. It acts before the ops behind it, after them, or both; it does not know which they are.
pub enum Op {
    /// Before: answers from a local zone.
    Zone(Box<ZoneOp>),
    /// Before: answers what stands in local zones.
    Records(Box<RecordsOp>),
    /// Before: answers from what is kept. After: keeps what the ops behind said.
    Cache(Box<CacheOp>),
    /// Before: asks upstreams.
    Forward(Box<ForwardOp>),
    /// Before: asks somebody outside; after: undoes what they made of the question.
    Ask(Box<AskOp>),
    /// Before: says how long those behind it may wait.
    Cancel(Duration),
    /// Before: takes note of a question.
    Lookout(Arc<Lookout>),
    /// Before: lowers what the client takes; after: undoes it.
    Bufsize(u16),
    /// Before and after: changes flags of the question and of the answer.
    Header(plan::Flags, plan::Flags),
    /// Before and after: changes the question and the answer by rules.
    Rewrite(Box<RewriteOp>),
    /// After: leaves out what was not asked for.
    Minimal,
    /// After: asks for IPv4 addresses, and makes IPv6 addresses of them.
    Dns64(Box<Dns64>),
    /// Before: refuses, or says nothing.
    Acl(Box<AclOp>),
    /// Before: answers from records of the plan.
    Fixed(Box<FixedOp>),
    /// Before: answers with records made from the question.
    Template(Box<TemplateOp>),
    /// After: tells clients that ask for it which server this is.
    Nsid(Box<[u8]>),
    /// Before: answers with the client's own address.
    Whoami,
    /// After: orders addresses.
    Shuffle(Box<Shuffle>),
    /// After: logs failures.
    Errors(Box<Errors>),
    /// At the very end: logs queries.
    Log(Box<Log>),
}

impl Op {
    /// The op's name, for explain.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Zone(_) => "zone",
            Op::Records(_) => "records",
            Op::Cache(_) => "cache",
            Op::Forward(_) => "forward",
            Op::Ask(_) => "ask",
            Op::Cancel(_) => "cancel",
            Op::Lookout(_) => "lookout",
            Op::Bufsize(_) => "bufsize",
            Op::Header(..) => "header",
            Op::Minimal => "minimal",
            Op::Rewrite(_) => "rewrite",
            Op::Dns64(_) => "dns64",
            Op::Acl(_) => "acl",
            Op::Fixed(_) => "fixed",
            Op::Template(_) => "template",
            Op::Nsid(_) => "nsid",
            Op::Whoami => "whoami",
            Op::Shuffle(_) => "shuffle",
            Op::Errors(_) => "errors",
            Op::Log(_) => "log",
        }
    }

    /// Whether it neither answers nor asks about another name.
    fn leaves_names_alone(&self) -> bool {
        matches!(
            self,
            Op::Cancel(_) | Op::Lookout(_) | Op::Bufsize(_) | Op::Header(..) | Op::Minimal | Op::Shuffle(_) | Op::Errors(_) | Op::Log(_)
        )
    }

    /// What it counts, in the order of its own numbers.
    fn counters(&self) -> Vec<OpCounter> {
        match self {
            Op::Cache(op) => op.counters(),
            Op::Forward(op) => op.counters(),
            Op::Acl(op) => op.counters(),
            Op::Fixed(op) => op.counters(),
            Op::Dns64(op) => op.counters(),
            Op::Template(op) => op.counters(),
            _ => Vec::new(),
        }
    }

    fn cache(&self) -> Option<&Arc<Cache>> {
        match self {
            Op::Cache(op) => Some(&op.cache),
            _ => None,
        }
    }

    /// The directive that the log of errors names.
    pub fn directive(&self) -> &str {
        match self {
            Op::Zone(zone) => &zone.name,
            Op::Records(records) => &records.name,
            Op::Fixed(fixed) => &fixed.name,
            Op::Shuffle(_) => "loadbalance",
            Op::Ask(_) => "python",
            Op::Lookout(_) => "loop",
            other => other.name(),
        }
    }
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
        let plan = Plan {
            version: plan::VERSION,
            listeners: Vec::new(),
            zones: Vec::new(),
            blocks: Vec::new(),
            spans: Vec::new(),
            http: Vec::new(),
        };
        Program { plan: Arc::new(plan), routes: Vec::new(), blocks: Vec::new(), debug: false, logs: false }
    }

    /// Compiles a plan. `resources` has everything that it names; `number` gives listeners their stable numbers.
    pub fn compile(plan: Arc<Plan>, resources: &Resources, metrics: &Metrics, number: impl Fn(&str) -> u16) -> Result<Program, PlanError> {
        if plan.version != plan::VERSION {
            return Err(PlanError(format!("the plan has version {}, this engine reads {}", plan.version, plan::VERSION)));
        }
        let mut program = Program { plan: Arc::clone(&plan), routes: Vec::new(), blocks: Vec::new(), debug: false, logs: false };
        let counts = plan.blocks.iter().flat_map(|block| &block.program).any(|op| matches!(op, plan::Op::Count { .. }));
        for listener in &plan.listeners {
            let at = number(&listener.id) as usize;
            if program.routes.len() <= at {
                program.routes.resize_with(at + 1, || None);
            }
            let dropped =
                SeriesLabels { server: listener.server.clone(), zone: DROPPED.to_owned(), view: String::new(), plugin: String::new() };
            program.routes[at] = Some(Route { dropped: counts.then(|| metrics.queries.number(dropped)), ..Route::default() });
        }
        for (index, block) in plan.blocks.iter().enumerate() {
            let failed = |why: String| PlanError(format!("block {}: {why}", block.zone));
            let zone = name::absolute_lower(&block.zone).map_err(|why| failed(format!("the zone {why}")))?;
            for id in &block.listeners {
                if !plan.listeners.iter().any(|listener| listener.id == *id) {
                    return Err(failed(format!("listener {id} is not in the plan")));
                }
                let Some(Some(route)) = program.routes.get_mut(number(id) as usize) else { continue };
                route.all_classes |= block.program.iter().any(plan::Op::wants_all_classes);
                route.most_labels = route.most_labels.max(name::labels(&zone).count());
                match route.zones.entry(zone.clone()) {
                    Entry::Vacant(vacant) => drop(vacant.insert(Candidates { first: index as u32, others: Box::default() })),
                    Entry::Occupied(mut occupied) => {
                        let takes_all = |index: u32| plan.blocks[index as usize].takes_all();
                        if block.takes_all() && occupied.get().iter().any(takes_all) {
                            return Err(failed(format!("served twice on {id}")));
                        }
                        occupied.get_mut().push(index as u32);
                    }
                }
            }
            let mut compiled = Block::compile(index as u32, block, zone, resources, metrics).map_err(failed)?;
            for listener in plan.listeners.iter().filter(|listener| block.listeners.contains(&listener.id)) {
                compiled.count_on(number(&listener.id), &listener.server, block, metrics);
            }
            program.blocks.push(compiled);
        }
        program.debug = program.blocks.iter().any(|block| block.debug);
        program.logs = program.blocks.iter().any(|block| block.log().is_some());
        Ok(program)
    }

    /// Whether questions of other classes than the Internet's may be asked here.
    pub fn serves_all_classes(&self, listener: u16) -> bool {
        self.routes.get(listener as usize).and_then(Option::as_ref).is_some_and(|route| route.all_classes)
    }

    /// What queries on a listener are counted under that come to no block, if they are.
    pub fn dropped(&self, listener: u16) -> Option<u32> {
        self.routes.get(listener as usize)?.as_ref()?.dropped
    }

    /// This program runs from now on.
    pub fn install(&self) {
        for placed in self.blocks.iter().flat_map(|block| &block.ops) {
            if let Op::Cache(op) = &placed.op {
                op.install();
            }
        }
    }

    /// What caches must forget when this program follows `old`: the names whose way has changed behind them.
    pub fn changed_routes(&self, old: &Program) -> Vec<(Arc<Cache>, Box<[u8]>)> {
        let mut changes = Vec::new();
        for (block, described) in self.blocks.iter().zip(&self.plan.blocks) {
            let Some((id, ops)) = described.cache_and_its_ops() else { continue };
            let before = old.plan.blocks.iter().find_map(|block| block.cache_and_its_ops().filter(|(other, _)| *other == id));
            let Some(cache) = block.ops.iter().find_map(|placed| placed.op.cache()) else { continue };
            let Some((_, before)) = before else { continue };
            for zone in plan::zones_that_differ(&before, &ops) {
                // Names in a plan that was compiled are good.
                changes.extend(name::absolute_lower(zone).ok().map(|zone| (Arc::clone(cache), zone)));
            }
            // Blocks below this one take names away from it, or give them back.
            let serves = |program: &Program, zone: &[u8]| program.blocks.iter().any(|block| *block.zone == *zone);
            let all = self.blocks.iter().chain(&old.blocks).map(|block| &block.zone);
            let moved = all.filter(|zone| name::is_under(zone, &block.zone) && serves(self, zone) != serves(old, zone));
            changes.extend(moved.map(|zone| (Arc::clone(cache), zone.clone())));
        }
        changes
    }

    /// The caches, and the blocks that they stand in.
    pub fn caches(&self) -> impl Iterator<Item = (&plan::Block, &CacheOp)> {
        let ops =
            self.plan.blocks.iter().zip(&self.blocks).flat_map(|(said, block)| block.ops.iter().map(move |placed| (said, &placed.op)));
        ops.filter_map(|(said, op)| match op {
            Op::Cache(op) => Some((said, op.as_ref())),
            _ => None,
        })
    }

    /// A block by its number.
    pub fn block(&self, index: u32) -> &Block {
        &self.blocks[index as usize]
    }

    /// The block for a query: that of the longest zone that its name is under, of several the first whose view takes it; for DS that of
    /// the shortest zone but the root, because the parent answers it (RFC 4035 2.4).
    pub fn block_for<R: Recorder>(&self, facts: &Facts<'_>, recorder: &mut R) -> Option<&Block> {
        let route = self.routes.get(facts.client.listener as usize)?.as_ref()?;
        let total = name::labels(facts.name).count();
        let mut rest = facts.name;
        let mut parent = None;
        for labels in (1..=total).rev() {
            if labels <= route.most_labels
                && let Some(candidates) = route.zones.get(rest)
                && let Some(block) = self.choose(candidates, facts, recorder)
            {
                // A block without directives refuses, DS or not.
                if facts.request.qtype != rtype::DS || block.is_empty() {
                    return Some(block);
                }
                parent = Some(block);
            }
            rest = &rest[1 + rest[0] as usize..];
        }
        parent.or_else(|| self.choose(route.zones.get(&b"\0"[..])?, facts, recorder))
    }

    /// The first block that takes the query.
    #[inline]
    fn choose<R: Recorder>(&self, candidates: &Candidates, facts: &Facts<'_>, recorder: &mut R) -> Option<&Block> {
        candidates.iter().map(|index| &self.blocks[index as usize]).find(|block| match &block.view {
            None => true,
            Some(view) => view.takes(facts, &block.labels, recorder),
        })
    }
}

impl Candidates {
    fn iter(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    fn push(&mut self, index: u32) {
        let mut others = std::mem::take(&mut self.others).into_vec();
        others.push(index);
        self.others = others.into();
    }
}

impl Block {
    /// Whether its queries are looked at for those that come back to us, and what that means is decided there (`loop`).
    pub fn looks_for_loops(&self) -> bool {
        self.ops.iter().any(|placed| matches!(placed.op, Op::Lookout(_)))
    }

    /// What logs its queries.
    pub fn log(&self) -> Option<&Log> {
        self.ops.iter().find_map(|op| match &op.op {
            Op::Log(log) => Some(log.as_ref()),
            _ => None,
        })
    }

    /// Whether it has no directives at all: it refuses.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty() && !self.counted && self.view.is_none()
    }

    /// What is counted here of queries on a listener.
    #[inline]
    pub fn place(&self, listener: u16) -> Option<&Place> {
        self.places.iter().find(|place| place.listener == listener)
    }

    fn compile(index: u32, block: &plan::Block, zone: Box<[u8]>, resources: &Resources, metrics: &Metrics) -> Result<Block, String> {
        let labels = Labels::new(block.metadata.as_ref(), resources)?;
        let view = View::new(block, &labels)?;
        let mut compiled =
            Block { index, zone, ops: Vec::new(), span: block.span, debug: false, view, labels, counted: false, places: Vec::new() };
        for (number, op) in block.program.iter().enumerate() {
            let (op, span) = match op {
                plan::Op::Zone { zone, span, .. } => (Op::Zone(Box::new(ZoneOp::new(resources.zone(zone)?, op)?)), *span),
                plan::Op::Records(op) => {
                    let zones = op.zones.iter().map(|id| resources.zone(id)).collect::<Result<_, _>>()?;
                    (Op::Records(Box::new(RecordsOp::new(op, zones)?)), op.span)
                }
                plan::Op::Cache(op) => {
                    let cache = resources.caches.get(&op.id).ok_or_else(|| format!("there is no cache {}", op.id))?;
                    (Op::Cache(Box::new(CacheOp::new(Arc::clone(cache), op)?)), op.span)
                }
                plan::Op::Forward(op) => {
                    let may_pass_on = matches!(block.program.get(number + 1), Some(plan::Op::Forward(_)));
                    (Op::Forward(Box::new(compile_forward(op, may_pass_on, resources)?)), op.span)
                }
                plan::Op::Ask(op) => (Op::Ask(Box::new(AskOp::new(op, metrics)?)), op.span),
                plan::Op::Cancel { timeout_ms, span } => (Op::Cancel(Duration::from_millis((*timeout_ms).into())), *span),
                plan::Op::Lookout { id, span } => {
                    let lookout = resources.lookouts.get(id).ok_or_else(|| format!("there is no lookout {id}"))?;
                    (Op::Lookout(Arc::clone(lookout)), *span)
                }
                plan::Op::Bufsize { size, span } => (Op::Bufsize(*size), *span),
                plan::Op::Header { query, response, span } => (Op::Header(*query, *response), *span),
                plan::Op::Minimal { span } => (Op::Minimal, *span),
                plan::Op::Rewrite { rules, span } => (Op::Rewrite(Box::new(RewriteOp::new(rules, &compiled.labels)?)), *span),
                plan::Op::Dns64 { prefix, translate_all, allow_ipv4, span } => {
                    (Op::Dns64(Box::new(Dns64::new(prefix, *translate_all, *allow_ipv4)?)), *span)
                }
                plan::Op::Acl { lists, span } => (Op::Acl(Box::new(AclOp::new(lists)?)), *span),
                plan::Op::Fixed(op) => (Op::Fixed(Box::new(FixedOp::new(op)?)), op.span),
                plan::Op::Template { rules, span } => (Op::Template(Box::new(TemplateOp::new(rules, &compiled.labels)?)), *span),
                plan::Op::Nsid { data, span } => (Op::Nsid(data.as_bytes().into()), *span),
                plan::Op::Whoami { span } => (Op::Whoami, *span),
                plan::Op::Errors { id, consolidate, span } => {
                    let tally = |group: &plan::Consolidation| resources.tallies.get(&(id.clone(), group.clone())).cloned();
                    (Op::Errors(Box::new(Errors::new(consolidate, tally)?)), *span)
                }
                plan::Op::Log { rules, span } => (Op::Log(Box::new(Log::new(rules, &compiled.labels)?)), *span),
                plan::Op::Shuffle { prefer, weights, span } => (Op::Shuffle(Box::new(Shuffle::new(prefer, weights)?)), *span),
                plan::Op::Debug { .. } => {
                    compiled.debug = true;
                    continue;
                }
                plan::Op::Count { .. } => {
                    compiled.counted = true;
                    continue;
                }
            };
            compiled.ops.push(PlacedOp { op, span });
        }
        compiled.leave_local_names_alone();
        Ok(compiled)
    }
}

impl Block {
    /// Spares caches the names that a local zone behind them answers in any case.
    fn leave_local_names_alone(&mut self) {
        for at in 0..self.ops.len() {
            let (before, behind) = self.ops.split_at_mut(at + 1);
            let Op::Cache(cache) = &mut before[at].op else { continue };
            // Anything else before the zone might answer its names.
            let undisturbed = behind.iter().take_while(|placed| matches!(placed.op, Op::Zone(_)) || placed.op.leaves_names_alone());
            for placed in undisturbed {
                if let Op::Zone(zone) = &placed.op {
                    zone.held().for_each(|origin| cache.leave_to_local_data(origin));
                }
            }
        }
    }
}

impl Block {
    /// Numbers what is counted here of queries on a listener.
    fn count_on(&mut self, listener: u16, server: &str, block: &plan::Block, metrics: &Metrics) {
        let labels = PlaceLabels { server, zone: &block.zone, view: &block.view };
        let plugin = block.program.iter().find_map(|op| match op {
            plan::Op::Count { directive, .. } => Some(directive.clone()),
            _ => None,
        });
        let series = plugin.map(|plugin| {
            let (server, zone, view) = (server.to_owned(), block.zone.clone(), block.view.clone());
            metrics.queries.number(SeriesLabels { server, zone, view, plugin })
        });
        let numbers = |placed: &PlacedOp| placed.op.counters().into_iter().map(|op| metrics.counters.number(op.at(labels))).collect();
        let counters = self.ops.iter().map(numbers).collect();
        self.places.push(Place { listener, labels: [server, &block.zone, &block.view].map(Box::from), series, counters });
    }
}

impl Place {
    /// Its labels.
    #[inline]
    pub fn labels(&self) -> PlaceLabels<'_> {
        let [server, zone, view] = &self.labels;
        PlaceLabels { server, zone, view }
    }

    /// The numbers of the counters of the op at a place of its block, in the order of the op's own numbers.
    #[inline]
    pub fn counters(&self, at: usize) -> &[u32] {
        self.counters.get(at).map_or(&[], |numbers| numbers)
    }
}

fn compile_forward(op: &plan::ForwardOp, may_pass_on: bool, resources: &Resources) -> Result<ForwardOp, String> {
    let upstream = |upstream: &plan::Upstream| {
        resources.upstreams.get(upstream).cloned().ok_or_else(|| format!("there is no upstream {}", upstream.address))
    };
    let upstreams = op.upstreams.iter().map(upstream).collect::<Result<_, _>>()?;
    let traffic = resources.traffic.get(&op.id).cloned().unwrap_or_default();
    ForwardOp::new(op, upstreams, traffic, may_pass_on)
}
