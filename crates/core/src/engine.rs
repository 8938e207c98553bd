//! What all threads share: the running program, the zones, and where log lines and observations go.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::ask::Task;
use crate::cache::Cache;
use crate::errors::Tally;
use crate::forward::{Traffic, Upstream};
use crate::log::Logged;
use crate::lookout::Lookout;
use crate::metrics::Metrics;
use crate::own_sockets::OwnSockets;
use crate::plan::{self, Plan};
use crate::program::{PlanError, Program};
use crate::trace::Step;
use crate::zone::Zone;

/// Takes what the core has to say; must not block.
pub trait Sink: Send + Sync {
    /// A log line, without its newline.
    fn log(&self, line: &str);
    /// The line of a query that was answered, and what it tells.
    fn log_query(&self, line: &str, _: &Logged<'_>) {
        self.log(line);
    }
    /// A query that was answered while somebody watches.
    fn observe(&self, observation: Observation);
    /// Somebody outside is asked. False: nobody can take it.
    fn ask(&self, _task: Task) -> bool {
        false
    }
}

/// A query and its answer, with the reasons.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The query's message.
    pub query: Vec<u8>,
    /// The reply's message.
    pub reply: Vec<u8>,
    /// Who asked.
    pub client: std::net::SocketAddr,
    /// `udp` or `tcp`.
    pub transport: &'static str,
    /// The steps.
    pub steps: Vec<Step>,
    /// Whose data was used.
    pub origins: Vec<u32>,
    /// Nanoseconds from the message to the reply.
    pub nanoseconds: u64,
}

/// The shared state.
pub struct Engine {
    /// What is counted.
    pub metrics: Metrics,
    /// Where sockets to upstreams leave from.
    pub own_sockets: Arc<OwnSockets>,
    program: ArcSwap<Program>,
    resources: Mutex<Resources>,
    listeners: Mutex<Vec<String>>,
    sink: ArcSwapOption<Box<dyn Sink>>,
    watched: AtomicBool,
    shed: Shed,
}

/// Queries that were given up because too many waited.
#[derive(Default)]
struct Shed {
    count: AtomicU64,
    /// As many have been told of.
    told: AtomicU64,
    /// When there may be the next line, in milliseconds.
    due: AtomicU64,
}

/// Between two lines about queries that were given up: whoever is flooded needs no flood of lines.
const SHED_TOLD_MS: u64 = 1000;

/// What plans name by identity; a new plan keeps those that it still names.
#[derive(Clone, Default)]
pub struct Resources {
    /// Local zones.
    pub zones: HashMap<String, Arc<Zone>>,
    /// Caches.
    pub caches: HashMap<String, Arc<Cache>>,
    /// What each `forward` remembers.
    pub traffic: HashMap<String, Arc<Traffic>>,
    /// Upstreams: one for each address, each way to secure it and each address to ask it from.
    pub upstreams: HashMap<plan::Upstream, Arc<Upstream>>,
    /// Failures that are counted, for each `errors`.
    pub tallies: HashMap<(String, plan::Consolidation), Arc<Tally>>,
    /// Questions that are looked out for.
    pub lookouts: HashMap<String, Arc<Lookout>>,
}

impl Resources {
    /// What a plan names; what is not there yet is made.
    fn named_by(&self, plan: &Plan, metrics: &Metrics) -> Result<Resources, PlanError> {
        let mut named = Resources::default();
        for id in &plan.zones {
            let zone = self.zones.get(id).cloned().unwrap_or_else(|| Arc::new(Zone::new(id)));
            named.zones.insert(id.clone(), zone);
        }
        for op in plan.blocks.iter().flat_map(|block| &block.program) {
            match op {
                plan::Op::Cache(op) => {
                    let cache = self.caches.get(&op.id).cloned().unwrap_or_else(|| Arc::new(Cache::new(op)));
                    named.caches.entry(op.id.clone()).or_insert(cache);
                }
                plan::Op::Forward(op) => {
                    named.traffic.entry(op.id.clone()).or_insert_with(|| self.traffic.get(&op.id).cloned().unwrap_or_default());
                    for upstream in &op.upstreams {
                        let new = || Upstream::new(upstream, |address| metrics.upstreams.number(address)).map(Arc::new);
                        let known = self.upstreams.get(upstream).cloned().map_or_else(new, Ok).map_err(PlanError)?;
                        named.upstreams.entry(upstream.clone()).or_insert(known);
                    }
                }
                plan::Op::Errors { id, consolidate, .. } => {
                    for group in consolidate {
                        let key = (id.clone(), group.clone());
                        let known = self.tallies.get(&key).cloned();
                        named.tallies.entry(key).or_insert_with(|| known.unwrap_or_else(|| Arc::new(Tally::new(group))));
                    }
                }
                plan::Op::Lookout { id, .. } => {
                    named.lookouts.entry(id.clone()).or_insert_with(|| self.lookouts.get(id).cloned().unwrap_or_default());
                }
                _ => {}
            }
        }
        Ok(named)
    }

    /// A zone that the plan names.
    pub fn zone(&self, id: &str) -> Result<Arc<Zone>, String> {
        self.zones.get(id).cloned().ok_or_else(|| format!("zone {id} is not in the plan"))
    }

    fn extend(&mut self, other: Resources) {
        self.zones.extend(other.zones);
        self.caches.extend(other.caches);
        self.traffic.extend(other.traffic);
        self.upstreams.extend(other.upstreams);
        self.tallies.extend(other.tallies);
        self.lookouts.extend(other.lookouts);
    }

    /// Drops what only other plans name.
    fn keep_named_by(&mut self, plan: &Plan, metrics: &Metrics) {
        // A plan that runs was read before: its addresses are good.
        let named = self.named_by(plan, metrics).unwrap_or_default();
        *self = named;
    }
}

/// A plan that has been checked and can be installed.
pub struct Prepared {
    program: Arc<Program>,
}

impl Prepared {
    /// The plan in it.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.program.plan
    }
}

impl Engine {
    /// An engine that serves nothing yet.
    pub fn new() -> Arc<Engine> {
        Arc::new(Engine {
            metrics: Metrics::default(),
            own_sockets: Arc::default(),
            program: ArcSwap::from_pointee(Program::empty()),
            resources: Mutex::default(),
            listeners: Mutex::default(),
            sink: ArcSwapOption::empty(),
            watched: AtomicBool::new(false),
            shed: Shed::default(),
        })
    }

    /// Reads and checks a plan (JSON). Nothing changes for running queries; zones that it names exist from now on, so that they can be
    /// filled.
    pub fn prepare(&self, plan: &[u8]) -> Result<Prepared, PlanError> {
        let plan: Plan = serde_json::from_slice(plan).map_err(|why| PlanError(format!("the plan cannot be read: {why}")))?;
        let mut resources = self.resources();
        let named = resources.named_by(&plan, &self.metrics)?;
        let program = Program::compile(Arc::new(plan), &named, &self.metrics, |id| self.listener_number(id))?;
        resources.extend(named);
        Ok(Prepared { program: Arc::new(program) })
    }

    /// Makes a plan the running one: one pointer. What it does not name goes when the last query lets go of it. Caches forget the names
    /// that are answered another way from now on.
    pub fn commit(&self, prepared: Prepared) {
        let mut resources = self.resources();
        let changes = prepared.program.changed_routes(&self.program.load());
        resources.keep_named_by(&prepared.program.plan, &self.metrics);
        // What is under way on the old way is not kept: its op belongs to an older epoch from here on.
        changes.iter().for_each(|(cache, _)| cache.begin_epoch());
        prepared.program.install();
        self.program.store(prepared.program);
        for (cache, zone) in changes {
            cache.forget_under(&zone);
        }
    }

    /// Gives up a prepared plan: what only it named goes.
    pub fn abandon(&self, prepared: Prepared) {
        drop(prepared);
        self.resources().keep_named_by(&self.program().plan, &self.metrics);
    }

    /// What runs now.
    pub fn program(&self) -> Arc<Program> {
        self.program.load_full()
    }

    /// The program for one query.
    pub(crate) fn current(&self) -> arc_swap::Guard<Arc<Program>> {
        self.program.load()
    }

    /// The running plan.
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.program.load().plan)
    }

    /// A zone of the running or of a prepared plan.
    pub fn zone(&self, id: &str) -> Option<Arc<Zone>> {
        self.resources().zones.get(id).cloned()
    }

    /// A listener's number: the same for the life of the process.
    pub fn listener_number(&self, id: &str) -> u16 {
        let mut listeners = self.listeners.lock().unwrap_or_else(|poison| poison.into_inner());
        let known = listeners.iter().position(|known| known == id);
        known.unwrap_or_else(|| {
            listeners.push(id.to_owned());
            listeners.len() - 1
        }) as u16
    }

    /// Says where lines and observations go.
    pub fn set_sink(&self, sink: Box<dyn Sink>) {
        self.sink.store(Some(Arc::new(sink)));
    }

    /// Whether every query is to be observed.
    pub fn set_watched(&self, watched: bool) {
        self.watched.store(watched, Ordering::Relaxed);
    }

    /// Whether somebody watches.
    pub fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }

    /// Logs a line.
    pub fn log(&self, line: &str) {
        if let Some(sink) = &*self.sink.load() {
            sink.log(line);
        }
    }

    /// Logs lines; those of debugging only where somebody debugs.
    pub(crate) fn log_lines(&self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            if self.program.load().debug || !line.starts_with("[DEBUG]") {
                self.log(&line);
            }
        }
    }

    /// Tells of the failures that have been counted so far; before the process ends.
    pub fn tell_failures(&self) {
        let counted: Vec<_> = self.resources().tallies.values().filter_map(|tally| tally.take()).collect();
        self.log_lines(counted);
    }

    pub(crate) fn log_query(&self, line: &str, logged: &Logged<'_>) {
        if let Some(sink) = &*self.sink.load() {
            sink.log_query(line, logged);
        }
    }

    pub(crate) fn observe(&self, observation: Observation) {
        if let Some(sink) = &*self.sink.load() {
            sink.observe(observation);
        }
    }

    /// Asks somebody outside. False: nobody can take it.
    pub(crate) fn ask(&self, task: Task) -> bool {
        self.sink.load().as_ref().is_some_and(|sink| sink.ask(task))
    }

    /// A cache of the running or of a prepared plan.
    pub fn cache(&self, id: &str) -> Option<Arc<Cache>> {
        self.resources().caches.get(id).cloned()
    }

    /// A lookout of the running or of a prepared plan.
    pub fn lookout(&self, id: &str) -> Option<Arc<Lookout>> {
        self.resources().lookouts.get(id).cloned()
    }

    /// Queries that were given up because too many waited.
    pub fn shed(&self) -> u64 {
        self.shed.count.load(Ordering::Relaxed)
    }

    /// Counts a query that is given up; gives how many there were since somebody was told of it, if it is time to tell again.
    pub(crate) fn count_shed(&self, now: Duration) -> Option<u64> {
        let Shed { count, told, due } = &self.shed;
        let count = count.fetch_add(1, Ordering::Relaxed) + 1;
        let (now, was_due) = (now.as_millis() as u64, due.load(Ordering::Relaxed));
        let is_time = now >= was_due && due.compare_exchange(was_due, now + SHED_TOLD_MS, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        is_time.then(|| count - told.swap(count, Ordering::Relaxed).min(count))
    }

    fn resources(&self) -> MutexGuard<'_, Resources> {
        self.resources.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}
