//! The workers: starting them, changing what they listen on without losing a query, stopping them.
//!
//! Knows all workers and all listeners of the process. Must not know what happens inside a worker, nor what a message means.
//!
//! A change has two phases. `prepare` binds what is new; it may fail, and then nothing has changed. `commit` lets the workers
//! answer what waits on the listeners that go, stand still while the caller installs the new plan, and go on with the new
//! listeners. So each query is asked under a number of the plan that was valid when it was taken, and a number, once given, means
//! the same listener for ever.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::clock;
use crate::counters::{Counters, Counts};
use crate::listeners::{BindError, Bound, Listener, heir};
use crate::queries::Queries;
use crate::respond::Respond;
use crate::sys::{self, Interest, Poll, Waits, Waker};
use crate::tcp::{Tcp, TcpLimits, Terms};
use crate::tls::{Configurations, Store};
use crate::udp::Udp;
use crate::upstreams::Upstreams;
use crate::worker::{Command, Heir, Sockets, Token, Worker};

/// All workers of the process.
pub struct Workers {
    started: Instant,
    /// What connections may take where their listener says nothing else.
    limits: TcpLimits,
    tls: Arc<Store>,
    threads: Vec<Thread>,
    listening: Mutex<Listening>,
}

struct Thread {
    commands: Sender<Command>,
    waker: Arc<Waker>,
    counters: Arc<Counters>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

/// The listeners that are open.
#[derive(Default)]
struct Listening {
    open: Vec<Open>,
    /// How many changes there were; also numbers them, so that one that was prepared too early is noticed.
    changes: u64,
    /// How many bindings there were.
    bindings: u64,
}

#[derive(Clone)]
struct Open {
    serial: u64,
    listener: Listener,
    address: SocketAddr,
}

/// New listeners, bound and waiting for `Workers::commit`. Dropping it closes them.
pub struct Prepared {
    plan: Vec<Listener>,
    new: Vec<(Listener, Bound)>,
    changes: u64,
    tls: Option<Configurations>,
}

impl Prepared {
    /// The same, for a plan that needs these.
    pub fn with_tls(self, tls: Configurations) -> Prepared {
        Prepared { tls: Some(tls), ..self }
    }
}

/// Another change was committed since this one was prepared; prepare it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Superseded;

impl Workers {
    /// Starts so many workers, without listeners. `respond` makes the part that answers, on the thread of the worker that it
    /// gets the number of. `limits.max_connections` is for all of them together.
    pub fn start<R, F>(count: usize, limits: TcpLimits, respond: F) -> io::Result<Workers>
    where
        R: Respond + 'static,
        F: Fn(usize) -> R + Send + Sync + 'static,
    {
        // Where it may not be raised, connections are limited by what there is.
        let _ = sys::raise_file_limit();
        let respond = Arc::new(respond);
        let limits = TcpLimits { max_connections: (limits.max_connections / count.max(1)).max(1), ..limits };
        let mut workers =
            Workers { started: clock::start(), limits, tls: Arc::default(), threads: Vec::new(), listening: Mutex::default() };
        for number in 0..count.max(1) {
            let respond = Arc::clone(&respond);
            let thread = Thread::start(number, workers.started, limits.max_connections, Arc::clone(&workers.tls), move || respond(number))?;
            workers.threads.push(thread);
        }
        Ok(workers)
    }

    /// Opens the listeners of a plan that are not open yet; what runs is not touched. All that fail are reported.
    pub fn prepare(&self, plan: &[Listener]) -> Result<Prepared, Vec<BindError>> {
        let listening = self.listening();
        let (mut new, mut errors) = (Vec::new(), Vec::new());
        let mut ours: Vec<SocketAddr> = listening.open.iter().map(|open| open.address).collect();
        for listener in plan.iter().filter(|listener| !listening.has(listener)) {
            match listener.bind(self.threads.len(), &ours) {
                Ok(bound) => {
                    ours.push(bound.address);
                    new.push((listener.clone(), bound));
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(Prepared { plan: plan.to_vec(), new, changes: listening.changes, tls: None }) } else { Err(errors) }
    }

    /// Makes the prepared listeners the only ones. `swap` installs the plan that they belong to; where listeners go, the workers
    /// stand still meanwhile, so it must be short and must not wait for a worker. Returns when all workers serve the new ones.
    pub fn commit(&self, prepared: Prepared, swap: impl FnOnce()) -> Result<(), Superseded> {
        let mut listening = self.listening();
        if listening.changes != prepared.changes {
            return Err(Superseded);
        }
        listening.changes += 1;
        let mut gone = Vec::new();
        for mut open in std::mem::take(&mut listening.open) {
            match prepared.plan.iter().find(|listener| listener.has_sockets_of(&open.listener)) {
                Some(listener) => {
                    open.listener = listener.clone();
                    listening.open.push(open);
                }
                None => gone.push(open),
            }
        }
        let terms_of = |listener: &Listener| Arc::new(Terms { limits: self.limits.with(&listener.timeouts), tls: listener.tls.clone() });
        let kept: Vec<(u64, Arc<Terms>)> = listening.open.iter().map(|open| (open.serial, terms_of(&open.listener))).collect();
        let mut new: Vec<Vec<Sockets>> = self.threads.iter().map(|_| Vec::new()).collect();
        for (listener, bound) in prepared.new {
            listening.bindings += 1;
            let (serial, number, address) = (listening.bindings, listener.number, bound.address);
            let terms = terms_of(&listener);
            for (sockets, (udp, tcp)) in new.iter_mut().zip(bound.sockets) {
                sockets.push(Sockets { serial, number, address, udp, tcp, terms: Arc::clone(&terms) });
            }
            listening.open.push(Open { serial, listener, address });
        }
        let leaving: Vec<(u64, Option<Heir>)> = gone.iter().map(|open| (open.serial, listening.heir(open))).collect();

        let hold = if gone.is_empty() { Vec::new() } else { self.hold(&gone) };
        if let Some(tls) = prepared.tls {
            self.tls.install(tls);
        }
        swap();
        let (done, all_done) = channel();
        for (thread, new) in self.threads.iter().zip(new) {
            thread.tell(Command::Change { new, kept: kept.clone(), leaving: leaving.clone(), done: done.clone() });
        }
        drop((hold, done));
        wait_for_all(&all_done);
        Ok(())
    }

    /// The TLS configurations that the workers use.
    pub fn tls(&self) -> &Arc<Store> {
        &self.tls
    }

    /// Where the listeners really listen: their ids, and addresses whose port is never 0.
    pub fn bound(&self) -> Vec<(String, SocketAddr)> {
        self.listening().open.iter().map(|open| (open.listener.id.clone(), open.address)).collect()
    }

    /// What went wrong on the sockets of all workers.
    pub fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        self.threads.iter().for_each(|thread| thread.counters.add_to(&mut sum));
        sum
    }

    /// Closes the listeners, answers what has arrived, waits for outstanding replies for at most `grace`, and ends the threads.
    pub fn stop(&self, grace: Duration) {
        self.listening().open.clear();
        let until = self.started.elapsed() + grace;
        self.threads.iter().for_each(|thread| thread.tell(Command::Stop { until }));
        for thread in &self.threads {
            let handle = thread.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
            // A worker that has panicked has said so already.
            let _ = handle.map(JoinHandle::join);
        }
    }

    /// Makes all workers answer what waits on these, and stand still until the result is dropped.
    fn hold(&self, leaving: &[Open]) -> Vec<Sender<()>> {
        let (held, all_held) = channel();
        let mut hold = Vec::new();
        for thread in &self.threads {
            let (keep, go) = channel();
            let leaving = leaving.iter().map(|open| open.serial).collect();
            thread.tell(Command::Hold { leaving, held: held.clone(), go });
            hold.push(keep);
        }
        drop(held);
        for _ in &self.threads {
            // A worker that is gone cannot be held.
            let _ = all_held.recv();
        }
        hold
    }

    fn listening(&self) -> MutexGuard<'_, Listening> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop(Duration::ZERO);
    }
}

impl Listening {
    fn has(&self, listener: &Listener) -> bool {
        self.open.iter().any(|open| open.listener.has_sockets_of(listener))
    }

    fn heir(&self, gone: &Open) -> Option<Heir> {
        let alike = self.open.iter().filter(|open| open.listener.tls.is_some() == gone.listener.tls.is_some());
        let new = alike.map(|open| (open.address, Heir { serial: open.serial, number: open.listener.number }));
        heir(gone.address, new)
    }
}

impl Thread {
    fn start<R: Respond>(
        number: usize,
        started: Instant,
        max_connections: usize,
        tls: Arc<Store>,
        respond: impl FnOnce() -> R + Send + 'static,
    ) -> io::Result<Thread> {
        let (poll, waker, counters) = (Poll::new()?, Arc::new(Waker::new()?), Arc::new(Counters::default()));
        poll.add(waker.as_ref(), Token::Waker.pack(), Interest::READ)?;
        let (commands, received) = channel();
        let (its_waker, its_counters) = (Arc::clone(&waker), Arc::clone(&counters));
        let work = move || {
            let (mut respond, waker) = (respond(), Arc::clone(&its_waker));
            respond.wake_with(Box::new(move || waker.wake()));
            let queries = Queries::new(respond, its_counters);
            Worker {
                started,
                poll,
                waits: Waits::new(),
                datagrams: Vec::new(),
                waker: its_waker,
                commands: received,
                queries,
                udp: Udp::new(),
                tcp: Tcp::new(max_connections, Arc::clone(&tls)),
                upstreams: Upstreams::new(tls),
                until: None,
            }
            .run();
        };
        let handle = Builder::new().name(format!("dns-{number}")).spawn(work)?;
        Ok(Thread { commands, waker, counters, handle: Mutex::new(Some(handle)) })
    }

    fn tell(&self, command: Command) {
        // A worker that has stopped needs no commands.
        if self.commands.send(command).is_ok() {
            self.waker.wake();
        }
    }
}

/// Until everybody who has a sender has dropped it.
fn wait_for_all(done: &Receiver<()>) {
    while done.recv().is_ok() {}
}
