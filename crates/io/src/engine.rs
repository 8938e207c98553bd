//! The workers of an engine, and the listeners of its plan.
//!
//! The only place that knows both `core_dns`'s engine and the workers.

use std::io;
use std::sync::Arc;

use core_dns::engine::Engine;
use core_dns::machine::Machine;
use core_dns::plan::Plan;

use crate::clock::nanoseconds;
use crate::listeners::Listener;
use crate::sys;
use crate::tcp::TcpLimits;
use crate::workers::{Prepared, Workers};

/// Starts so many workers, each with its own machine of this engine.
pub fn start_engine(engine: &Arc<Engine>, count: usize, limits: TcpLimits) -> io::Result<Workers> {
    let engine = Arc::clone(engine);
    // Nobody outside may guess a machine's seed: query ids and ports are drawn from it.
    let seeds = (0..count.max(1)).map(|_| sys::random()).collect::<io::Result<Vec<u64>>>()?;
    let respond = move |worker: usize| Machine::new(Arc::clone(&engine), seeds[worker], nanoseconds);
    Workers::start(count, limits, respond)
}

/// Opens the listeners of a plan under the engine's numbers, and reads the files that it names. The errors are for people.
pub fn prepare_plan(workers: &Workers, engine: &Engine, plan: &Plan) -> Result<Prepared, Vec<String>> {
    let numbered = |listener: &core_dns::plan::Listener| Listener {
        number: engine.listener_number(&listener.id),
        id: listener.id.clone(),
        host: listener.host.clone(),
        port: listener.port,
        timeouts: listener.timeouts,
        tls: listener.tls.clone(),
    };
    let bound = workers.prepare(&plan.listeners.iter().map(numbered).collect::<Vec<_>>());
    match (bound, workers.tls().read(plan)) {
        (Ok(prepared), Ok(tls)) => Ok(prepared.with_tls(tls)),
        (bound, tls) => {
            let unbound = bound.err().into_iter().flatten().map(|error| error.message);
            Err(unbound.chain(tls.err().into_iter().flatten()).collect())
        }
    }
}
