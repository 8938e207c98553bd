//! `clusterdns-run PLAN.json`: answers as a plan says, without Python: for measuring, profiling and bug reports. Ends when it is told to.
//!
//! A zone's data comes from files with what `clusterdns.zones.encode_change` gives; they are applied in the order given.

use std::path::PathBuf;
use std::{env, fs, process, thread};

use core_dns::engine::{Engine, Observation, Sink};
use core_dns::zone::decode_change;
use io_dns::{LogFormat, TcpLimits, log_line, log_to_stdout, prepare_plan, start_engine, worker_count};

const USAGE: &str = "usage: clusterdns-run PLAN.json [--zone ID=CHANGE.msgpack]... [--workers N]";

struct Options {
    plan: PathBuf,
    /// Identities of zones, and files with changes to them.
    changes: Vec<(String, PathBuf)>,
    workers: usize,
}

/// The engine's lines go to the log, nothing else does.
struct Log;

impl Sink for Log {
    fn log(&self, line: &str) {
        log_line(line);
    }

    fn observe(&self, _: Observation) {}
}

fn main() {
    let options = options(env::args().skip(1)).unwrap_or_else(|why| {
        eprintln!("clusterdns-run: {why}\n{USAGE}");
        process::exit(2);
    });
    if let Err(why) = serve(&options) {
        eprintln!("clusterdns-run: {why}");
        process::exit(1);
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let (mut plan, mut changes, mut workers) = (None, Vec::new(), worker_count());
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--zone" => {
                let value = value()?;
                let (id, file) = value.split_once('=').ok_or(format!("{value}: an identity, =, and a file"))?;
                changes.push((id.to_owned(), file.into()));
            }
            "--workers" => workers = value()?.parse().map_err(|_| "--workers is a number".to_owned())?,
            option if option.starts_with('-') => return Err(format!("{option} is no option")),
            file if plan.is_none() => plan = Some(file.into()),
            file => return Err(format!("{file} is a second plan")),
        }
    }
    Ok(Options { plan: plan.ok_or("which plan?")?, changes, workers })
}

/// Serves until a signal ends the process.
fn serve(options: &Options) -> Result<(), String> {
    log_to_stdout(LogFormat::Text);
    let engine = Engine::new();
    engine.set_sink(Box::new(Log));
    let text = fs::read(&options.plan).map_err(|error| format!("{}: {error}", options.plan.display()))?;
    let prepared = engine.prepare(&text).map_err(|error| error.to_string())?;
    for (id, file) in &options.changes {
        apply(&engine, id, file).map_err(|why| format!("{}: {why}", file.display()))?;
    }
    let workers = start_engine(&engine, options.workers, TcpLimits::default()).map_err(|error| error.to_string())?;
    let listeners = prepare_plan(&workers, &engine, prepared.plan()).map_err(|errors| errors.join("\n"))?;
    workers.commit(listeners, || engine.commit(prepared)).map_err(|_| "another plan was faster")?;
    for (_, address) in workers.bound() {
        println!("ready {address}");
    }
    loop {
        thread::park();
    }
}

fn apply(engine: &Engine, id: &str, file: &PathBuf) -> Result<(), String> {
    let zone = engine.zone(id).ok_or_else(|| format!("the plan has no zone {id}"))?;
    let buffer = fs::read(file).map_err(|error| error.to_string())?;
    let change = decode_change(&buffer).map_err(|error| error.to_string())?;
    for problem in zone.apply(&change).problems {
        eprintln!("{}: {problem}", file.display());
    }
    Ok(())
}
