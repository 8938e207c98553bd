//! HTTP over real sockets: what is answered when, and what nobody can hold up.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_dns::engine::{Engine, Observation, Sink};
use core_dns::plan::{HttpListener, Plan, Serves};
use core_dns::zone::ZoneChange;
use io_dns::{Counts, HttpLimits, HttpServer};

const PATIENCE: Duration = Duration::from_secs(20);

/// The lines that the engine logs.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Sink for Lines {
    fn log(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }

    fn observe(&self, _: Observation) {}
}

fn listener(address: &str, serves: Serves) -> HttpListener {
    let zones = if serves == Serves::Ready { vec!["one".to_owned(), "two".to_owned()] } else { Vec::new() };
    HttpListener { address: address.to_owned(), serves, required: serves == Serves::Health, zones, latched: true, tls: None }
}

/// An engine with two zones that are loading, and its HTTP server.
fn server(limits: HttpLimits) -> (Arc<Engine>, HttpServer, Lines) {
    let (engine, lines) = (Engine::new(), Lines::default());
    engine.set_sink(Box::new(lines.clone()));
    let zone = |id: &str, name: &str| {
        format!(
            r#"{{"op":"zone","zone":"{id}","origins":[{{"name":"{id}.example.","reverse":false}}],"primary":0,
            "soa":{{"mname":"ns","rname":"host","refresh":1,"retry":1,"expire":1,"minimum":1,"ttl":1}},
            "fallthrough":[],"exists":[],"soa_nodata":true,"bare_ports":true,"name":"{name}","span":0}}"#
        )
    };
    let plan = format!(
        r#"{{"version":1,"listeners":[],"zones":["one","two"],"spans":[],
        "blocks":[{{"zone":".","listeners":[],"span":0,"program":[{},{}]}}]}}"#,
        zone("one", "hosts"),
        zone("two", "file")
    );
    assert_eq!(serde_json::from_str::<Plan>(&plan).unwrap().http, []);
    engine.commit(engine.prepare(plan.as_bytes()).unwrap());
    let server = HttpServer::start(Arc::clone(&engine), Arc::default(), limits, Counts::default).unwrap();
    (engine, server, lines)
}

fn serve(server: &HttpServer, wanted: &[HttpListener]) -> Vec<SocketAddr> {
    server.commit(server.prepare(wanted).unwrap());
    server.bound().into_iter().map(|(_, address)| address).collect()
}

fn complete(engine: &Engine, zone: &str) {
    engine.zone(zone).unwrap().apply(&ZoneChange {
        owners: Vec::new(),
        serial: 1,
        replace: false,
        complete: true,
        begins: false,
        addresses: Vec::new(),
    });
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Until the server closes the connection. One that it closes with something unread is reset.
fn read(mut stream: TcpStream) -> String {
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8(reply).unwrap()
}

fn request(address: SocketAddr, head: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(format!("{head} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes()).unwrap();
    read(stream)
}

/// Status and body.
fn get(address: SocketAddr, path: &str) -> (String, String) {
    let reply = request(address, &format!("GET {path}"));
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: text/plain; charset=utf-8"), "{head}");
    (head[9..12].to_owned(), body.to_owned())
}

/// Metrics, as a client gets them that knows no chunks.
fn page(address: SocketAddr) -> String {
    let mut stream = connect(address);
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    read(stream).split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn is(status: &str, body: &str) -> (String, String) {
    (status.to_owned(), body.to_owned())
}

#[test]
fn health_is_ok_and_nothing_else_is_there() {
    let (_, server, _) = server(HttpLimits::default());
    let address = serve(&server, &[listener("127.0.0.1:0", Serves::Health)])[0];
    assert_eq!(get(address, "/health"), is("200", "OK"));
    assert_eq!(get(address, "/health?x=1"), is("200", "OK"));
    for path in ["/", "/health/x", "/healthz", "/ready"] {
        assert_eq!(get(address, path), is("404", "404 page not found\n"));
    }
    let head = request(address, "HEAD /health");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("content-length: 2\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(request(address, "POST /health").ends_with("\r\n\r\nOK"));
}

#[test]
fn ready_names_what_is_loading_and_stays_once_all_is_there() {
    let (engine, server, lines) = server(HttpLimits::default());
    let address = serve(&server, &[listener("127.0.0.1:0", Serves::Ready)])[0];
    assert_eq!(get(address, "/ready"), is("503", "file,hosts"));
    assert_eq!(get(address, "/ready"), is("503", "file,hosts"));
    assert_eq!(*lines.0.lock().unwrap(), [r#"[INFO] plugin/ready: Plugins not ready: "file,hosts""#]);
    complete(&engine, "one");
    assert_eq!(get(address, "/ready"), is("503", "file"));
    let report = "[+] hosts one.example.: 0 names\n[-] file two.example.: loading, 0 names so far\n";
    assert_eq!(get(address, "/ready?verbose"), is("503", &format!("{report}not ready\n")));
    complete(&engine, "two");
    assert_eq!(get(address, "/ready"), is("200", "OK"));
    assert_eq!(get(address, "/ready?verbose=1").1, "[+] hosts one.example.: 0 names\n[+] file two.example.: 0 names\nready\n");

    let further = HttpListener { zones: vec!["three".to_owned()], ..listener("127.0.0.1:0", Serves::Ready) };
    assert_eq!(serve(&server, std::slice::from_ref(&further)), [address]);
    assert_eq!(get(address, "/ready"), is("200", "OK"));
    serve(&server, &[HttpListener { latched: false, ..further }]);
    assert_eq!(get(address, "/ready"), is("503", "three"));
}

#[test]
fn without_zones_it_is_ready_at_once() {
    let (_, server, _) = server(HttpLimits::default());
    let address = serve(&server, &[HttpListener { zones: Vec::new(), ..listener("127.0.0.1:0", Serves::Ready) }])[0];
    assert_eq!(get(address, "/ready"), is("200", "OK"));
}

#[test]
fn metrics_show_what_was_told_last() {
    let (engine, server, _) = server(HttpLimits::default());
    let address = serve(&server, &[listener("127.0.0.1:0", Serves::Metrics)])[0];
    engine.metrics.tell("one 1\n");
    engine.metrics.tell("two 2");
    let reply = request(address, "GET /metrics");
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n") && !reply.contains("\none 1"), "{reply}");
    assert!(reply.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{reply}");
    let page = page(address);
    assert!(page.contains("\nprocess_open_fds ") && page.ends_with("\ntwo 2\n"), "{page}");
    assert!(request(address, "HEAD /metrics").ends_with("\r\n\r\n"));
    for path in ["/", "/health", "/nosuch"] {
        assert_eq!(get(address, path), is("404", "404 page not found\n"));
    }
}

#[test]
fn health_is_asked_by_ourselves_and_python_is_seen() {
    let (_, server, _) = server(HttpLimits::default());
    let addresses = serve(&server, &[listener("127.0.0.1:0", Serves::Metrics), listener("localhost:0", Serves::Health)]);
    assert!(!page(addresses[0]).contains("heartbeat"));
    server.beat();
    assert!(page(addresses[0]).contains("\nclusterdns_python_heartbeat_timestamp_seconds 1"));
    let until = std::time::Instant::now() + PATIENCE;
    while !page(addresses[0]).contains("\ncoredns_health_request_duration_seconds_bucket{le=\"+Inf\"} 1\n") {
        assert!(std::time::Instant::now() < until, "{}", page(addresses[0]));
        std::thread::yield_now();
    }
    assert!(page(addresses[0]).contains("\ncoredns_health_request_failures_total 0\n"));
}

#[test]
fn a_taken_address_is_refused_only_where_it_is_required() {
    let (_, server, lines) = server(HttpLimits::default());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let errors = server.prepare(&[listener(&address, Serves::Health)]).err().unwrap();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].message, format!("cannot listen on {address} (tcp): the port is in use by another process"));
    assert!(server.prepare(&[listener(&address, Serves::Ready), listener(&address, Serves::Health)]).is_err());

    let free = serve(&server, &[listener(&address, Serves::Ready), listener("127.0.0.1:0", Serves::Health)])[0];
    assert_eq!(get(free, "/health"), is("200", "OK"));
    let last = lines.0.lock().unwrap().last().unwrap().clone();
    assert_eq!(last, format!("[WARNING] plugin/ready: {}", errors[0].message));
    serve(&server, &[listener(&address, Serves::Metrics)]);
    let last = lines.0.lock().unwrap().last().unwrap().clone();
    assert_eq!(last, format!("[ERROR] Failed to start metrics handler: {}", errors[0].message));

    drop(taken);
    assert_eq!(serve(&server, &[listener(&address, Serves::Ready), listener("127.0.0.1:0", Serves::Health)]).len(), 2);
}

#[test]
fn addresses_are_kept_as_long_as_the_plan_names_them() {
    let (_, server, _) = server(HttpLimits::default());
    let health = listener("127.0.0.1:0", Serves::Health);
    let first = serve(&server, &[health.clone(), listener("localhost:0", Serves::Health)]);
    let waiting = connect(first[0]);
    assert_eq!(serve(&server, std::slice::from_ref(&health)), first[..1]);
    assert_eq!(get(first[0], "/health"), is("200", "OK"));
    assert!(TcpStream::connect(first[1]).is_err());
    // A connection from before the change is answered as well.
    let mut waiting = waiting;
    waiting.write_all(b"GET /health HTTP/1.0\r\n\r\n").unwrap();
    assert!(read(waiting).ends_with("\r\n\r\nOK"));

    // A plan that was only prepared leaves nothing behind.
    drop(server.prepare(&[listener("127.0.0.1:0", Serves::Ready), health]).unwrap());
    assert_eq!(server.bound().len(), 1);
}

#[test]
fn an_address_may_grow_to_all_addresses_and_be_shared() {
    let (_, server, _) = server(HttpLimits::default());
    let one = serve(&server, &[listener("127.0.0.1:0", Serves::Health)])[0];
    let every = format!(":{}", one.port());
    let both = [listener(&every, Serves::Health), listener(&every, Serves::Ready)];
    let bound = serve(&server, &both);
    assert_eq!(bound.len(), 1);
    assert_eq!(bound[0].port(), one.port());
    let reached = SocketAddr::from(([127, 0, 0, 1], one.port()));
    assert_eq!(get(reached, "/health"), is("200", "OK"));
    assert_eq!(get(reached, "/ready").0, "503");
}

#[test]
fn before_the_end_health_stays_and_ready_goes() {
    let (engine, server, _) = server(HttpLimits::default());
    complete(&engine, "one");
    complete(&engine, "two");
    let wanted = [listener("127.0.0.1:0", Serves::Health), listener("localhost:0", Serves::Ready)];
    let both = serve(&server, &wanted);
    assert_eq!(get(both[1], "/ready"), is("200", "OK"));
    server.end_readiness();
    assert_eq!(get(both[0], "/health"), is("200", "OK"));
    assert!(TcpStream::connect(both[1]).is_err());
    assert_eq!(server.bound().len(), 1);
}

#[test]
fn where_ready_shares_its_address_with_health_it_says_that_it_ends() {
    let (_, server, _) = server(HttpLimits::default());
    let address = serve(&server, &[listener("127.0.0.1:0", Serves::Health), listener("127.0.0.1:0", Serves::Ready)])[0];
    server.end_readiness();
    assert_eq!(get(address, "/ready"), is("503", "Shutting down"));
    assert_eq!(get(address, "/health"), is("200", "OK"));
}

#[test]
fn clients_are_limited_in_number_and_in_time() {
    let (_, server, _) = server(HttpLimits { connections: 2, longest: Duration::from_millis(300) });
    let address = serve(&server, &[listener("127.0.0.1:0", Serves::Health)])[0];
    let mut slow = [connect(address), connect(address)];
    slow.iter_mut().for_each(|client| client.write_all(b"GET /health HTTP/1.1\r\nX: ").unwrap());
    // A third one is closed at once, without an answer.
    assert_eq!(read(connect(address)), "");
    // The first two are closed after their time, which makes room.
    slow.into_iter().for_each(|client| assert_eq!(read(client), ""));
    assert_eq!(get(address, "/health"), is("200", "OK"));
}

#[test]
fn heads_are_limited_in_size() {
    let (_, server, _) = server(HttpLimits::default());
    let address = serve(&server, &[listener("127.0.0.1:0", Serves::Health)])[0];
    for head in [format!("GET /health?{}", "x".repeat(64 * 1024)), format!("GET /health HTTP/1.1\r\n{}", "X: y\r\n".repeat(100))] {
        let mut stream = connect(address);
        // It may close before all is sent.
        let _ = stream.write_all(head.as_bytes());
        let reply = read(stream);
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 4"), "{reply}");
    }
    assert_eq!(get(address, "/health"), is("200", "OK"));
}

#[test]
fn nonsense_is_no_error_of_ours() {
    let (_, server, _) = server(HttpLimits::default());
    let address = serve(&server, &[listener("127.0.0.1:0", Serves::Health)])[0];
    for nonsense in [&b"\0\0\0\0"[..], b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut stream = connect(address);
        stream.write_all(nonsense).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        read(stream);
    }
    assert_eq!(get(address, "/health"), is("200", "OK"));
}
