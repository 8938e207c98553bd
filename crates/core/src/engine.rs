//! What all threads share: the running program, the zones, and where log lines and observations go.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::plan::Plan;
use crate::program::{PlanError, Program};
use crate::trace::Step;
use crate::zone::Zone;

/// Takes what the core has to say; must not block.
pub trait Sink: Send + Sync {
    /// A log line, without its newline.
    fn log(&self, line: &str);
    /// A query that was answered while somebody watches.
    fn observe(&self, observation: Observation);
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
    program: ArcSwap<Program>,
    zones: Mutex<HashMap<String, Arc<Zone>>>,
    listeners: Mutex<Vec<String>>,
    sink: ArcSwapOption<Box<dyn Sink>>,
    watched: AtomicBool,
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
            program: ArcSwap::from_pointee(Program::empty()),
            zones: Mutex::default(),
            listeners: Mutex::default(),
            sink: ArcSwapOption::empty(),
            watched: AtomicBool::new(false),
        })
    }

    /// Reads and checks a plan (JSON). Nothing changes for running queries; zones that it names exist from now on, so that they can be filled.
    pub fn prepare(&self, plan: &[u8]) -> Result<Prepared, PlanError> {
        let plan: Plan = serde_json::from_slice(plan).map_err(|why| PlanError(format!("the plan cannot be read: {why}")))?;
        let mut zones = self.zones();
        let mut named = HashMap::new();
        for id in &plan.zones {
            let zone = zones.get(id).cloned().unwrap_or_else(|| Arc::new(Zone::new(id)));
            named.insert(id.clone(), zone);
        }
        let program = Program::compile(Arc::new(plan), &named, |id| self.listener_number(id))?;
        zones.extend(named);
        Ok(Prepared { program: Arc::new(program) })
    }

    /// Makes a plan the running one: one pointer. Zones that it does not name go when the last query lets go of them.
    pub fn commit(&self, prepared: Prepared) {
        let kept = &prepared.program.plan.zones;
        self.zones().retain(|id, _| kept.contains(id));
        self.program.store(prepared.program);
    }

    /// Gives up a prepared plan: zones that only it named go.
    pub fn abandon(&self, prepared: Prepared) {
        drop(prepared);
        let running = self.program();
        self.zones().retain(|id, _| running.plan.zones.contains(id));
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
        self.zones().get(id).cloned()
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

    pub(crate) fn observe(&self, observation: Observation) {
        if let Some(sink) = &*self.sink.load() {
            sink.observe(observation);
        }
    }

    fn zones(&self) -> MutexGuard<'_, HashMap<String, Arc<Zone>>> {
        self.zones.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}
