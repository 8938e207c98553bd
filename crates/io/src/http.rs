//! What the process serves over HTTP: whether it lives (`/health`), whether it may be asked (`/ready`), what it has done (`/metrics`).
//!
//! On a thread of its own, with its own event loop: it answers while the workers are busy and while whoever steers the engine is
//! stuck. Knows HTTP, plain or over TLS, and its sockets. Must not know messages. A connection carries one request and lasts a few seconds at most,
//! so that nobody can hold on to what few connections there are.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use core_dns::engine::Engine;
use core_dns::plan::{HttpListener, Op, Plan, Serves, Timeouts, TlsServer};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn as respond_with;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle as Task;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::body::Said;
use crate::checks::HealthChecks;
use crate::counters::Counts;
use crate::heartbeat::Heartbeat;
use crate::inspect::nanoseconds;
use crate::listeners::{BindError, Listener};
use crate::metrics;
use crate::tls::Store;

/// The longest head of a request.
const LONGEST_HEAD: usize = 16 * 1024;
/// The most header lines of a request.
const MOST_HEADERS: usize = 64;
/// How long nobody is accepted after that has failed.
const PAUSE: Duration = Duration::from_millis(100);
/// The log says at most once in so many nanoseconds what is not ready.
const QUIET: u64 = 1_000_000_000;
/// How often the process looks after itself.
const LOOK: Duration = Duration::from_secs(1);
/// The first octet of whoever begins TLS (RFC 8446 5.1).
const HANDSHAKE: u8 = 22;
/// What is said to others where TLS is spoken.
const NOT_SECURED: &str = "this port is for HTTPS\n";
/// The content type of metrics.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the listeners grant their clients.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Connections at a time, of all listeners together.
    pub connections: usize,
    /// How long a connection may take from its acceptance to its end.
    pub longest: Duration,
}

impl Default for HttpLimits {
    fn default() -> HttpLimits {
        HttpLimits { connections: 128, longest: Duration::from_secs(5) }
    }
}

/// The HTTP listeners of the process and their thread.
pub struct HttpServer {
    state: Arc<State>,
    commands: UnboundedSender<Command>,
    thread: Option<JoinHandle<()>>,
}

/// New HTTP listeners, bound and waiting for `HttpServer::commit`. Dropping it closes them.
pub struct PreparedHttp {
    wanted: Vec<HttpListener>,
    new: Vec<(String, SocketAddr, TcpListener)>,
}

/// What each request is answered from.
struct State {
    engine: Arc<Engine>,
    tls: Arc<Store>,
    serving: Mutex<Vec<HttpListener>>,
    /// The addresses that are open, as the plan writes them and as they really are.
    open: Mutex<Vec<(String, SocketAddr)>>,
    connections: Arc<Semaphore>,
    longest: Duration,
    /// The zones were all complete once.
    was_ready: AtomicBool,
    /// The process is about to end.
    ending: AtomicBool,
    /// When the log was told last what is not ready.
    told: AtomicU64,
    /// What went wrong on the sockets of the workers.
    counts: Box<dyn Fn() -> Counts + Send + Sync>,
    checks: Arc<HealthChecks>,
    heartbeat: Arc<Heartbeat>,
}

enum Command {
    Open(String, TcpListener),
    Close(String),
    /// Everything before has happened when the sender is dropped.
    Done(#[expect(dead_code, reason = "only its end matters")] Sender<()>),
}

impl HttpServer {
    /// Starts the thread, without listeners. `tls` knows how some are secured; `counts` are those of the workers, for `/metrics`.
    pub fn start(
        engine: Arc<Engine>,
        tls: Arc<Store>,
        limits: HttpLimits,
        counts: impl Fn() -> Counts + Send + Sync + 'static,
    ) -> io::Result<HttpServer> {
        let state = Arc::new(State {
            engine,
            tls,
            serving: Mutex::default(),
            open: Mutex::default(),
            connections: Arc::new(Semaphore::new(limits.connections)),
            longest: limits.longest,
            was_ready: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            told: AtomicU64::new(0),
            counts: Box::new(counts),
            checks: Arc::new(HealthChecks::new()),
            heartbeat: Arc::default(),
        });
        let (commands, received) = unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let its = Arc::clone(&state);
        let thread = Builder::new().name("http".to_owned()).spawn(move || runtime.block_on(listen(received, its)))?;
        Ok(HttpServer { state, commands, thread: Some(thread) })
    }

    /// Opens the addresses that are not open yet; what runs is not touched. All that are required and fail are reported.
    pub fn prepare(&self, wanted: &[HttpListener]) -> Result<PreparedHttp, Vec<BindError>> {
        let open = locked(&self.state.open);
        let mut ours: Vec<SocketAddr> = open.iter().map(|(_, address)| *address).collect();
        let (mut new, mut errors): (Vec<(String, SocketAddr, TcpListener)>, Vec<BindError>) = (Vec::new(), Vec::new());
        for listener in wanted {
            let known = |address: &str| *address == listener.address;
            if open.iter().any(|(address, _)| known(address)) || new.iter().any(|(address, ..)| known(address)) {
                continue;
            }
            match bind(&listener.address, &ours) {
                Ok((address, socket)) => {
                    ours.push(address);
                    new.push((listener.address.clone(), address, socket));
                }
                Err(error) if wanted.iter().any(|other| other.required && known(&other.address)) => errors.push(error),
                Err(error) => self.state.engine.log(&missing(listener.serves, &error)),
            }
        }
        if errors.is_empty() { Ok(PreparedHttp { wanted: wanted.to_vec(), new }) } else { Err(errors) }
    }

    /// Makes the prepared listeners the only ones. Addresses that were open stay so, and answer as the new plan says. Returns when
    /// all others are closed.
    pub fn commit(&self, prepared: PreparedHttp) {
        let mut open = locked(&self.state.open);
        let wanted = |address: &str| prepared.wanted.iter().any(|listener| *listener.address == *address);
        let (kept, gone): (Vec<_>, Vec<_>) = open.drain(..).partition(|(address, _)| wanted(address));
        *open = kept;
        *locked(&self.state.serving) = prepared.wanted;
        for (address, _) in gone {
            self.tell(Command::Close(address));
        }
        for (address, bound, socket) in prepared.new {
            open.push((address.clone(), bound));
            self.tell(Command::Open(address, socket));
        }
        drop(open);
        self.wait();
    }

    /// Tells everybody who asks that the process is about to end: it lives, but is not ready any more.
    pub fn end_readiness(&self) {
        self.state.ending.store(true, Relaxed);
        let serving = locked(&self.state.serving).clone();
        let only_ready = |address: &str| serving.iter().all(|listener| listener.address != address || listener.serves == Serves::Ready);
        for (address, _) in locked(&self.state.open).extract_if(.., |(address, _)| only_ready(address)) {
            self.tell(Command::Close(address));
        }
        self.wait();
    }

    /// Says that whoever steers the engine is alive.
    pub fn beat(&self) {
        self.state.heartbeat.beat();
    }

    /// Closes all listeners.
    pub fn close(&self) {
        self.commit(PreparedHttp { wanted: Vec::new(), new: Vec::new() });
    }

    /// Where it really listens: the addresses as the plan writes them, and those whose port is never 0.
    pub fn bound(&self) -> Vec<(String, SocketAddr)> {
        locked(&self.state.open).clone()
    }

    /// Until the thread has done what it was told.
    fn wait(&self) {
        let (done, is_done) = channel();
        self.tell(Command::Done(done));
        // Nobody sends: the end of the sender is the sign.
        let _ = is_done.recv();
    }

    fn tell(&self, command: Command) {
        // The thread lives as long as this has a sender.
        let _ = self.commands.send(command);
    }
}

impl Drop for HttpServer {
    /// Closes everything; what is being answered ends where it is.
    fn drop(&mut self) {
        let (closed, _) = unbounded_channel();
        self.commands = closed;
        // The thread does not panic; if it did, it has said so.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl State {
    fn answer(&self, address: &str, request: &Request<Incoming>) -> Response<Said> {
        let serving = locked(&self.serving);
        let serves = |what: Serves| serving.iter().find(|listener| listener.address == address && listener.serves == what).cloned();
        let found = match request.uri().path() {
            "/health" => serves(Serves::Health),
            "/ready" => serves(Serves::Ready),
            "/metrics" => serves(Serves::Metrics),
            _ => None,
        };
        drop(serving);
        let Some(listener) = found else { return reply(StatusCode::NOT_FOUND, "404 page not found\n".to_owned()) };
        match listener.serves {
            Serves::Health => reply(StatusCode::OK, "OK".to_owned()),
            Serves::Ready => self.readiness(&listener, is_verbose(request)),
            Serves::Metrics => {
                let page = metrics::page(&self.engine, (self.counts)(), &self.checks, &self.heartbeat);
                said(StatusCode::OK, EXPOSITION, Said::Page(page))
            }
        }
    }

    /// 200 once all zones are complete; before that 503 with the names of the ops that wait for theirs.
    fn readiness(&self, listener: &HttpListener, verbose: bool) -> Response<Said> {
        let plan = self.engine.plan();
        let is_complete = |zone: &String| self.engine.zone(zone).is_some_and(|zone| zone.is_complete());
        let mut missing: Vec<&str> = listener.zones.iter().filter(|zone| !is_complete(zone)).map(|zone| op_name(&plan, zone)).collect();
        missing.sort_unstable();
        missing.dedup();
        let all = missing.is_empty();
        if all {
            self.was_ready.store(true, Relaxed);
        }
        let ready = !self.ending.load(Relaxed) && (all || listener.latched && self.was_ready.load(Relaxed));
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        if verbose {
            return reply(status, self.report(&plan, listener, ready));
        }
        if ready {
            return reply(status, "OK".to_owned());
        }
        if self.ending.load(Relaxed) {
            return reply(status, "Shutting down".to_owned());
        }
        let names = missing.join(",");
        self.tell_missing(&names);
        reply(status, names)
    }

    /// The state of each zone, and what follows from it.
    fn report(&self, plan: &Plan, listener: &HttpListener, ready: bool) -> String {
        let mut text = String::new();
        for id in &listener.zones {
            let (sign, state) = match self.engine.zone(id) {
                Some(zone) if zone.is_complete() => ('+', format!("{} names", zone.owners())),
                Some(zone) => ('-', format!("loading, {} names so far", zone.owners())),
                None => ('-', "not in the plan".to_owned()),
            };
            let source = source(plan, id).map_or_else(String::new, |source| format!(" ({source})"));
            text += &format!("[{sign}] {} {}{source}: {state}\n", op_name(plan, id), origins(plan, id).join(" "));
        }
        let last = match ready {
            true => "ready",
            false if self.ending.load(Relaxed) => "shutting down",
            false => "not ready",
        };
        text + last + "\n"
    }

    /// How an address is secured; None: it is not.
    fn secured(&self, address: &str) -> Option<TlsServer> {
        locked(&self.serving).iter().find(|listener| listener.address == address)?.tls.clone()
    }

    /// Where `/health` is answered.
    fn health_addresses(&self) -> Vec<SocketAddr> {
        let serving = locked(&self.serving);
        let is_health = |address: &str| serving.iter().any(|listener| listener.serves == Serves::Health && listener.address == address);
        locked(&self.open).iter().filter(|(address, _)| is_health(address)).map(|(_, bound)| *bound).collect()
    }

    /// Says it in the log, but not for each of many questions.
    fn tell_missing(&self, names: &str) {
        let (now, told) = (nanoseconds(), self.told.load(Relaxed));
        if (told == 0 || now - told > QUIET) && self.told.compare_exchange(told, now.max(1), Relaxed, Relaxed).is_ok() {
            self.engine.log(&format!("[INFO] plugin/ready: Plugins not ready: {names:?}"));
        }
    }
}

/// Opens and closes listeners until there is nobody left who could say so.
async fn listen(mut commands: UnboundedReceiver<Command>, state: Arc<State>) {
    let mut acceptors: Vec<(String, Task<()>)> = Vec::new();
    tokio::spawn(look_after_forever(Arc::clone(&state)));
    while let Some(command) = commands.recv().await {
        match command {
            Command::Open(address, socket) => match tokio::net::TcpListener::from_std(socket) {
                Ok(listener) => acceptors.push((address.clone(), tokio::spawn(accept_forever(listener, address, Arc::clone(&state))))),
                Err(error) => state.engine.log(&format!("[ERROR] {address} cannot be listened on: {error}")),
            },
            Command::Close(closed) => {
                for (_, acceptor) in acceptors.extract_if(.., |(address, _)| *address == closed) {
                    acceptor.abort();
                    // Its socket is closed once it has really ended.
                    let _ = acceptor.await;
                }
            }
            Command::Done(_) => {}
        }
    }
}

/// Asks our own `/health`, and looks whether there is still somebody who steers.
async fn look_after_forever(state: Arc<State>) {
    loop {
        sleep(LOOK).await;
        if let Some(news) = state.heartbeat.news() {
            state.engine.log(&news);
        }
        for address in state.health_addresses() {
            if let Some(told) = state.checks.check(address).await {
                state.engine.log(&told);
            }
        }
    }
}

async fn accept_forever(listener: tokio::net::TcpListener, address: String, state: Arc<State>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Nothing can be opened, mostly: what is closed meanwhile makes room.
            sleep(PAUSE).await;
            continue;
        };
        // Closing the connection at once says enough.
        let Ok(permit) = Arc::clone(&state.connections).try_acquire_owned() else { continue };
        let (state, address) = (Arc::clone(&state), address.clone());
        tokio::spawn(async move {
            // A client that goes, says nonsense or nothing at all is no error of ours.
            let _ = timeout(state.longest, converse(stream, &address, &state)).await;
            drop(permit);
        });
    }
}

/// Answers one request, over TLS where the plan says so. Connections are secured as it is now: certificates may be new.
async fn converse(stream: TcpStream, address: &str, state: &State) {
    let Some(secured) = state.secured(address) else { return respond(stream, |request| state.answer(address, request)).await };
    let mut first = [0];
    if matches!(stream.peek(&mut first).await, Ok(1)) && first[0] != HANDSHAKE {
        return respond(stream, |_| reply(StatusCode::BAD_REQUEST, NOT_SECURED.to_owned())).await;
    }
    // Without its files, which were read with the plan, nothing is said.
    let Some(side) = state.tls.server(&secured) else { return };
    if let Ok(stream) = TlsAcceptor::from(side.config()).accept(stream).await {
        respond(stream, |request| state.answer(address, request)).await;
    }
}

/// Reads one request and answers it.
async fn respond(stream: impl AsyncRead + AsyncWrite + Unpin, answer: impl Fn(&Request<Incoming>) -> Response<Said>) {
    let answer = respond_with(|request: Request<Incoming>| {
        let response = answer(&request);
        async { Ok::<_, Infallible>(response) }
    });
    let mut http = http1::Builder::new();
    http.keep_alive(false).max_buf_size(LONGEST_HEAD).max_headers(MOST_HEADERS);
    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
}

/// Opens an address of the plan. A host name means its first address, IPv4 before IPv6.
fn bind(address: &str, ours: &[SocketAddr]) -> Result<(SocketAddr, TcpListener), BindError> {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "0"));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut listener = Listener {
        number: 0,
        id: address.to_owned(),
        host: host.to_owned(),
        port: port.parse().unwrap_or(0),
        timeouts: Timeouts::default(),
        tls: None,
    };
    if !(host.is_empty() || host.contains('%') || host.parse::<IpAddr>().is_ok()) {
        let found = (host, listener.port).to_socket_addrs().map_err(|error| listener.error(Some("tcp"), &error))?;
        let first = found.min_by_key(SocketAddr::is_ipv6).ok_or_else(|| listener.error(Some("tcp"), &io::ErrorKind::NotFound.into()))?;
        listener.host = first.ip().to_string();
    }
    listener.bind_stream(ours)
}

fn reply(status: StatusCode, body: String) -> Response<Said> {
    said(status, "text/plain; charset=utf-8", Said::Text(Some(body)))
}

fn said(status: StatusCode, kind: &'static str, body: Said) -> Response<Said> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn is_verbose(request: &Request<Incoming>) -> bool {
    let query = request.uri().query().unwrap_or("");
    query.split('&').any(|pair| pair.split('=').next() == Some("verbose"))
}

/// The word of the Corefile for what answers from a zone.
fn op_name<'a>(plan: &'a Plan, id: &'a str) -> &'a str {
    zone_op(plan, id).map_or(id, |(name, _)| name)
}

fn origins<'a>(plan: &'a Plan, id: &str) -> Vec<&'a str> {
    zone_op(plan, id).map_or_else(Vec::new, |(_, origins)| origins)
}

/// Where a zone's data comes from, if one directive has several zones.
fn source<'a>(plan: &'a Plan, id: &str) -> Option<&'a str> {
    plan.blocks.iter().flat_map(|block| &block.program).find_map(|op| match op {
        Op::Records(op) => op.zones.iter().zip(&op.sources).find(|(zone, _)| *zone == id).map(|(_, source)| source.as_str()),
        _ => None,
    })
}

fn zone_op<'a>(plan: &'a Plan, id: &str) -> Option<(&'a str, Vec<&'a str>)> {
    plan.blocks.iter().flat_map(|block| &block.program).find_map(|op| match op {
        Op::Zone { zone, name, origins, .. } if zone == id => {
            Some((name.as_str(), origins.iter().map(|origin| origin.name.as_str()).collect()))
        }
        Op::Records(op) if op.zones.iter().any(|zone| zone == id) => {
            Some((op.name.as_str(), op.under.iter().map(String::as_str).collect()))
        }
        _ => None,
    })
}

/// What the log says of a listener that could not be had; of metrics in CoreDNS's words.
fn missing(serves: Serves, why: &BindError) -> String {
    match serves {
        Serves::Health => format!("[WARNING] plugin/health: {}", why.message),
        Serves::Ready => format!("[WARNING] plugin/ready: {}", why.message),
        Serves::Metrics => format!("[ERROR] Failed to start metrics handler: {}", why.message),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
