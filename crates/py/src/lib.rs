//! The binding: the engine as a Python class. Every call that may wait releases the interpreter lock; nothing here calls Python.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_dns::pattern::Pattern;
use core_dns::zone::decode_change;
use core_dns::zonefile::Record;
use core_dns::{engine, name};
use io_dns::{
    AdminSocket, HttpLimits, HttpServer, Inspector, InspectorSink, PreparedHttp, TcpLimits, Workers, prepare_plan, start_engine,
    worker_count,
};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

create_exception!(_engine, EngineError, PyException, "The engine refuses; the message says what and why.");

/// The engine, its threads and its admin socket.
#[pyclass(frozen)]
struct Engine {
    engine: Arc<engine::Engine>,
    workers: Arc<Workers>,
    http: Arc<HttpServer>,
    tasks: Arc<io_dns::Tasks>,
    admin: Mutex<Option<AdminSocket>>,
}

/// A plan that was checked, with its sockets.
#[pyclass(frozen)]
struct Prepared {
    engine: Arc<engine::Engine>,
    workers: Arc<Workers>,
    http: Arc<HttpServer>,
    parts: Mutex<Option<(engine::Prepared, io_dns::Prepared, PreparedHttp)>>,
}

/// A question of the engine's.
#[pyclass(frozen)]
struct Task {
    kind: &'static str,
    body: Vec<u8>,
    task: Mutex<Option<io_dns::Task>>,
}

fn refuse(why: impl ToString) -> PyErr {
    EngineError::new_err(why.to_string())
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

#[pymethods]
impl Engine {
    #[new]
    fn new(py: Python<'_>, workers: usize, admin: Option<PathBuf>, json_log: bool) -> PyResult<Engine> {
        py.detach(|| {
            io_dns::log_to_stdout(if json_log { io_dns::LogFormat::Json } else { io_dns::LogFormat::Text });
            let engine = engine::Engine::new();
            let tasks = Arc::new(io_dns::Tasks::default());
            let count = if workers == 0 { worker_count() } else { workers };
            let no_threads = |why| refuse(format!("no threads: {why}"));
            let workers = Arc::new(start_engine(&engine, count, TcpLimits::default()).map_err(no_threads)?);
            let inspector = Inspector::new(Arc::clone(&engine), Arc::clone(workers.tls()), Arc::clone(&tasks));
            engine.set_sink(Box::new(InspectorSink(Arc::clone(&inspector))));
            let of = Arc::clone(&workers);
            let tls = Arc::clone(workers.tls());
            let http = HttpServer::start(Arc::clone(&engine), tls, HttpLimits::default(), move || of.counts()).map_err(no_threads)?;
            let open = |path: PathBuf| {
                AdminSocket::open(&path, inspector).map_err(|why| refuse(format!("admin socket {}: {why}", path.display())))
            };
            let admin = admin.map(open).transpose()?;
            Ok(Engine { engine, workers, http: Arc::new(http), tasks, admin: Mutex::new(admin) })
        })
    }

    fn prepare(&self, py: Python<'_>, plan: &[u8]) -> PyResult<Prepared> {
        py.detach(|| {
            let program = self.engine.prepare(plan).map_err(refuse)?;
            let listeners = prepare_plan(&self.workers, &self.engine, program.plan());
            let http = self.http.prepare(&program.plan().http);
            match (listeners, http) {
                (Ok(listeners), Ok(http)) => Ok(Prepared {
                    engine: Arc::clone(&self.engine),
                    workers: Arc::clone(&self.workers),
                    http: Arc::clone(&self.http),
                    parts: Mutex::new(Some((program, listeners, http))),
                }),
                (listeners, http) => {
                    self.engine.abandon(program);
                    let http = http.err().into_iter().flatten().map(|error| error.message);
                    let errors = listeners.err().into_iter().flatten().chain(http);
                    Err(refuse(errors.collect::<Vec<_>>().join("\n")))
                }
            }
        })
    }

    fn apply(&self, py: Python<'_>, zone: &str, change: &[u8]) -> PyResult<(usize, Vec<String>)> {
        py.detach(|| {
            let zone = self.engine.zone(zone).ok_or_else(|| refuse(format!("no plan names the zone {zone}")))?;
            let applied = zone.apply(&decode_change(change).map_err(refuse)?);
            Ok((applied.changed, applied.problems))
        })
    }

    fn bound(&self) -> Vec<(String, String)> {
        self.workers.bound().into_iter().map(|(id, address)| (id, address.to_string())).collect()
    }

    fn log(&self, line: &str) {
        io_dns::log_line(line);
    }

    #[pyo3(name = "next_task")]
    fn next(&self, py: Python<'_>, patience: f64) -> Option<Task> {
        let mut task = py.detach(|| self.tasks.next(seconds(patience)))?;
        Some(Task { kind: task.kind, body: std::mem::take(&mut task.body), task: Mutex::new(Some(task)) })
    }

    fn set_metrics(&self, py: Python<'_>, text: &str) {
        py.detach(|| self.engine.metrics.tell(text));
    }

    fn look_out(&self, py: Python<'_>, id: &str, name: &str, qtype: u16) -> PyResult<()> {
        py.detach(|| match self.engine.lookout(id) {
            Some(lookout) => lookout.look_out(name, qtype).map_err(refuse),
            None => Err(refuse(format!("no plan names the lookout {id}"))),
        })
    }

    fn sightings(&self, py: Python<'_>, id: &str) -> (u32, String) {
        let seen = py.detach(|| self.engine.lookout(id).map(|lookout| lookout.sightings()).unwrap_or_default());
        (seen.count, seen.last.map_or_else(String::new, |last| last.to_string()))
    }

    fn beat(&self) {
        self.http.beat();
    }

    fn end_readiness(&self, py: Python<'_>) {
        py.detach(|| self.http.end_readiness());
    }

    fn stop(&self, py: Python<'_>, grace: f64) {
        py.detach(|| {
            self.tasks.close();
            self.workers.stop(seconds(grace));
            self.engine.tell_failures();
            self.http.close();
            drop(lock(&self.admin).take());
            // The last words, unless nobody reads them.
            io_dns::log_flush(Duration::from_secs(1));
        });
    }
}

#[pymethods]
impl Prepared {
    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            let (program, listeners, http) = lock(&self.parts).take().ok_or_else(|| refuse("the plan was used already"))?;
            let swap = || self.engine.commit(program);
            self.workers.commit(listeners, swap).map_err(|_| refuse("another plan was committed meanwhile"))?;
            self.http.commit(http);
            Ok(())
        })
    }

    fn abandon(&self, py: Python<'_>) {
        py.detach(|| {
            if let Some((program, listeners, http)) = lock(&self.parts).take() {
                drop((listeners, http));
                self.engine.abandon(program);
            }
        });
    }
}

#[pymethods]
impl Task {
    #[getter]
    fn kind(&self) -> &'static str {
        self.kind
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.body)
    }

    /// Seconds that are left to answer.
    fn left(&self) -> f64 {
        lock(&self.task).as_ref().map_or(0.0, |task| task.left().as_secs_f64())
    }

    fn reply(&self, body: Vec<u8>) {
        if let Some(task) = lock(&self.task).take() {
            task.reply(body);
        }
    }
}

/// The addresses of each network interface, by its name.
#[pyfunction]
fn interfaces() -> PyResult<BTreeMap<String, Vec<String>>> {
    let mut interfaces = BTreeMap::<String, Vec<String>>::new();
    for interface in if_addrs::get_if_addrs()? {
        interfaces.entry(interface.name.clone()).or_default().push(interface.ip().to_string());
    }
    Ok(interfaces)
}

/// The names of a pattern's groups ("" for one without a name), if the engine can use it.
#[pyfunction]
fn read_pattern(text: &str) -> PyResult<Vec<String>> {
    let pattern = Pattern::parse(text).map_err(PyValueError::new_err)?;
    Ok(pattern.group_names().iter().map(|name| String::from(&**name)).collect())
}

/// A name's octets in a message.
#[pyfunction]
fn name_on_wire<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyBytes>> {
    let (mut wire, _) = name::labels_of_text(name).map_err(|why| PyValueError::new_err(format!("`{name}` {why}")))?;
    wire.push(0);
    Ok(PyBytes::new(py, &wire))
}

/// A record's octets in a message, from its text.
#[pyfunction]
fn record_on_wire<'py>(py: Python<'py>, line: &str, default_ttl: u32) -> PyResult<Bound<'py, PyBytes>> {
    let record = Record::parse(line, default_ttl).map_err(|why| PyValueError::new_err(format!("`{line}` is no record: {why}")))?;
    let mut wire = Vec::new();
    record.write(&mut wire);
    Ok(PyBytes::new(py, &wire))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poison| poison.into_inner())
}

/// The engine for Python.
#[pymodule]
fn _engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Engine>()?;
    module.add_class::<Prepared>()?;
    module.add_class::<Task>()?;
    module.add_function(wrap_pyfunction!(interfaces, module)?)?;
    module.add_function(wrap_pyfunction!(read_pattern, module)?)?;
    module.add_function(wrap_pyfunction!(name_on_wire, module)?)?;
    module.add_function(wrap_pyfunction!(record_on_wire, module)?)?;
    module.add("EngineError", module.py().get_type::<EngineError>())
}
