//! What the admin socket is asked: explain a name, watch queries, tell the status. JSON lines, answered without Python but for the names of origins.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use core_dns::ask::Task;
use core_dns::client::{Client, Transport};
use core_dns::engine::{Engine, Observation, Sink};
use core_dns::log::Logged;
use core_dns::plan::Plan;
use core_dns::text::{self, Message};
use core_dns::trace::Step;

use crate::admin::Admin;
pub use crate::clock::nanoseconds;
use crate::explain;
use crate::tasks::Tasks;
use crate::tls::Store;

/// How long the names of origins are waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// Observations that a slow watcher may be behind.
const BACKLOG: usize = 1024;
/// An empty line is sent this often, so that a watcher that has gone is noticed.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Answers the admin socket; also the engine's sink.
pub struct Inspector {
    engine: Arc<Engine>,
    tls: Arc<Store>,
    tasks: Arc<Tasks>,
    watchers: Mutex<Vec<SyncSender<Observation>>>,
    missed: AtomicU64,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Request {
    Explain(Explain),
    Watch {},
    Status {},
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Explain {
    name: String,
    #[serde(rename = "type", default = "a_record")]
    qtype: String,
    #[serde(default)]
    client: Option<IpAddr>,
    #[serde(default)]
    listener: Option<String>,
    #[serde(default)]
    tcp: bool,
}

fn a_record() -> String {
    "A".to_owned()
}

#[derive(Serialize)]
struct Explained {
    #[serde(flatten)]
    message: Message,
    listener: String,
    size: usize,
    steps: Vec<PlacedStep>,
    origins: Vec<String>,
    nanoseconds: u64,
}

#[derive(Serialize)]
struct PlacedStep {
    what: &'static str,
    detail: String,
    /// `Corefile:3:5`.
    place: Option<String>,
    /// The words of the Corefile there.
    line: Option<String>,
    at: u64,
}

#[derive(Serialize)]
struct Watched {
    client: SocketAddr,
    transport: &'static str,
    #[serde(flatten)]
    message: Message,
    place: Option<String>,
    line: Option<String>,
    origins: Vec<String>,
    nanoseconds: u64,
    /// Observations that this and other watchers were too slow for, since the start.
    missed: u64,
}

#[derive(Serialize)]
struct Status {
    listeners: Vec<String>,
    zones: Vec<ZoneStatus>,
}

#[derive(Serialize)]
struct ZoneStatus {
    zone: String,
    owners: usize,
    complete: bool,
    serial: u32,
}

#[derive(Serialize)]
struct Failed {
    error: String,
}

impl Inspector {
    /// An inspector of an engine.
    pub fn new(engine: Arc<Engine>, tls: Arc<Store>, tasks: Arc<Tasks>) -> Arc<Inspector> {
        Arc::new(Inspector { engine, tls, tasks, watchers: Mutex::default(), missed: AtomicU64::new(0) })
    }

    fn explain(&self, explain: &Explain) -> Result<Explained, String> {
        let qtype = text::type_number(&explain.qtype).ok_or_else(|| format!("{} is no record type", explain.qtype))?;
        let question = question(&explain.name, qtype)?;
        let plan = self.engine.plan();
        let chosen = match &explain.listener {
            Some(id) => plan.listeners.iter().find(|listener| listener.id == *id),
            None => plan.listeners.first(),
        };
        let listener = chosen.ok_or("no such listener")?.id.clone();
        let client = Client {
            address: SocketAddr::new(explain.client.unwrap_or(IpAddr::from([127, 0, 0, 1])), 0),
            local: SocketAddr::from(([127, 0, 0, 1], 53)),
            listener: self.engine.listener_number(&listener),
            transport: if explain.tcp { Transport::Tcp } else { Transport::Udp },
        };
        let explained =
            explain::explain(&self.engine, Arc::clone(&self.tls), &client, &question).map_err(|error| format!("cannot ask: {error}"))?;
        let (reply, trace) = explained.ok_or("the query had no end in time")?;
        let elapsed = trace.elapsed();
        Ok(Explained {
            message: text::read_message(&reply).unwrap_or_else(|| unanswered(&question)),
            listener,
            size: reply.len(),
            steps: trace.steps.into_iter().map(|step| place_step(&plan, step)).collect(),
            origins: self.describe(&trace.origins),
            nanoseconds: elapsed,
        })
    }

    /// Names of origins, in the same order; their numbers when nobody answers.
    fn describe(&self, origins: &[u32]) -> Vec<String> {
        let known = origins.iter().filter(|origin| **origin != 0).collect::<Vec<_>>();
        if known.is_empty() {
            return Vec::new();
        }
        let body = serde_json::to_vec(&known).unwrap_or_default();
        let answer = self.tasks.ask("describe", body, PATIENCE);
        let names = answer.and_then(|answer| serde_json::from_slice(&answer).ok());
        names.unwrap_or_else(|| known.iter().map(|origin| format!("object #{origin}")).collect())
    }

    /// Sends observations until the watcher goes.
    fn watch(&self, out: &mut dyn Write) -> io::Result<()> {
        let (sender, observations) = sync_channel(BACKLOG);
        {
            let mut watchers = self.watchers();
            watchers.push(sender);
            self.engine.set_watched(true);
        }
        let ended = self.send_observations(&observations, out);
        drop(observations);
        let mut watchers = self.watchers();
        // A sender whose receiver is gone fails; the observation itself does not matter.
        watchers.retain(|watcher| !matches!(watcher.try_send(nothing()), Err(TrySendError::Disconnected(_))));
        self.engine.set_watched(!watchers.is_empty());
        ended
    }

    fn send_observations(&self, observations: &Receiver<Observation>, out: &mut dyn Write) -> io::Result<()> {
        loop {
            match observations.recv_timeout(HEARTBEAT) {
                Ok(observation) if observation.reply.is_empty() => {}
                Ok(observation) => write_line(out, &self.watched(observation))?,
                Err(RecvTimeoutError::Timeout) => {
                    out.write_all(b"\n")?;
                    out.flush()?;
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn watched(&self, observation: Observation) -> Watched {
        let plan = self.engine.plan();
        let last = observation
            .steps
            .iter()
            .rev()
            .filter(|step| !step.on_way_out)
            .find_map(|step| step.span)
            .and_then(|span| plan.spans.get(span as usize));
        Watched {
            client: observation.client,
            transport: observation.transport,
            message: text::read_message(&observation.reply).unwrap_or_default(),
            place: last.map(|span| format!("{}:{}:{}", span.file, span.line, span.column)),
            line: last.map(|span| span.text.clone()),
            origins: self.describe(&observation.origins),
            nanoseconds: observation.nanoseconds,
            missed: self.missed.load(Ordering::Relaxed),
        }
    }

    fn status(&self) -> Status {
        let plan = self.engine.plan();
        let zone_status = |id: &String| {
            let zone = self.engine.zone(id)?;
            Some(ZoneStatus { zone: id.clone(), owners: zone.owners(), complete: zone.is_complete(), serial: zone.serial() })
        };
        Status {
            listeners: plan.listeners.iter().map(|listener| listener.id.clone()).collect(),
            zones: plan.zones.iter().filter_map(zone_status).collect(),
        }
    }

    fn watchers(&self) -> MutexGuard<'_, Vec<SyncSender<Observation>>> {
        self.watchers.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}

impl Admin for Inspector {
    fn request(&self, line: &str, out: &mut dyn Write) -> io::Result<()> {
        match serde_json::from_str(line) {
            Ok(Request::Explain(explain)) => match self.explain(&explain) {
                Ok(explained) => write_line(out, &explained),
                Err(error) => write_line(out, &Failed { error }),
            },
            Ok(Request::Watch {}) => self.watch(out),
            Ok(Request::Status {}) => write_line(out, &self.status()),
            Err(why) => write_line(out, &Failed { error: format!("not a request: {why}") }),
        }
    }
}

/// What is told of a question to which nothing is said.
fn unanswered(question: &[u8]) -> Message {
    Message { flags: Vec::new(), rcode: String::new(), ..text::read_message(question).unwrap_or_default() }
}

/// The engine's words: lines to the log, observations to those who watch.
pub struct InspectorSink(pub Arc<Inspector>);

impl Sink for InspectorSink {
    fn log(&self, line: &str) {
        crate::log_line(line);
    }

    fn log_query(&self, line: &str, logged: &Logged<'_>) {
        crate::log_query(line, || logged.fields());
    }

    fn observe(&self, observation: Observation) {
        let watchers = self.0.watchers();
        for watcher in watchers.iter() {
            if let Err(TrySendError::Full(_)) = watcher.try_send(observation.clone()) {
                self.0.missed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn ask(&self, mut task: Task) -> bool {
        let (body, patience) = (std::mem::take(&mut task.body), task.patience);
        self.0.tasks.push("ask", body, patience, move |told| task.reply(told))
    }
}

fn place_step(plan: &Plan, step: Step) -> PlacedStep {
    let span = step.span.and_then(|span| plan.spans.get(span as usize));
    PlacedStep {
        what: step.what,
        detail: step.detail,
        place: span.map(|span| format!("{}:{}:{}", span.file, span.line, span.column)),
        line: span.map(|span| span.text.clone()),
        at: step.at,
    }
}

/// A query with RD and EDNS, as stub resolvers send it today.
fn question(name: &str, qtype: u16) -> Result<Vec<u8>, String> {
    let (labels, _) = core_dns::name::labels_of_text(name).map_err(|why| format!("{name} {why}"))?;
    let mut message = b"\0\0\x01\0\0\x01\0\0\0\0\0\x01".to_vec();
    message.extend_from_slice(&labels);
    message.push(0);
    message.extend_from_slice(&qtype.to_be_bytes());
    message.extend_from_slice(b"\0\x01\0\0\x29\x04\xd0\0\0\0\0\0\0");
    Ok(message)
}

fn nothing() -> Observation {
    Observation {
        query: Vec::new(),
        reply: Vec::new(),
        client: SocketAddr::from(([0, 0, 0, 0], 0)),
        transport: "udp",
        steps: Vec::new(),
        origins: Vec::new(),
        nanoseconds: 0,
    }
}

fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}
