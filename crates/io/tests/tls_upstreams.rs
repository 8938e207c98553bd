//! Upstreams that are asked over TLS: whom we trust, what we say when something is wrong, and what becomes of connections.

mod certs;
mod dns;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use certs::{Authority, Folder, Identity, self_signed, self_signed_expired};
use dns::{PATIENCE, Server, answer, client, forward, is_answer, query, read_frame, receive, write_frame};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{HandshakeKind, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

const NAME: &str = "dns.example.test";

/// What a stand-in does with a connection.
#[derive(Clone, Copy)]
enum Act {
    /// Answers all queries.
    Answer,
    /// Answers one, reads the next one, and closes.
    Close,
    /// Says nothing, not even of TLS.
    Silence,
    /// Speaks, but no TLS.
    Plain,
}

/// An upstream over TLS.
struct Upstream {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// From where they came.
    askers: Receiver<SocketAddr>,
    /// The names that were asked for (SNI); None: none was.
    names: Receiver<Option<String>>,
    /// Whether handshakes took sessions up that were known from before.
    resumed: Receiver<bool>,
    /// Told when a connection has ended as TLS wants it, or otherwise.
    ended: Receiver<bool>,
    config: Arc<Mutex<Arc<ServerConfig>>>,
}

fn config(identity: &Identity, clients: Option<&Authority>) -> Arc<ServerConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(authority.cert.as_bytes()).unwrap()).unwrap();
            builder.with_client_cert_verifier(WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap())
        }
    };
    let chain = vec![CertificateDer::from_pem_slice(identity.cert.as_bytes()).unwrap()];
    Arc::new(builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap()).unwrap())
}

impl Upstream {
    fn start(identity: &Identity, act: Act) -> Upstream {
        Upstream::on("127.0.0.1:0", config(identity, None), act)
    }

    fn on(place: &str, config: Arc<ServerConfig>, act: Act) -> Upstream {
        let listener = TcpListener::bind(place).unwrap();
        let (asking, askers) = channel();
        let (named, names) = channel();
        let (resuming, resumed) = channel();
        let (ending, ended) = channel();
        let upstream = Upstream {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            askers,
            names,
            resumed,
            ended,
            config: Arc::new(Mutex::new(config)),
        };
        let (connections, config) = (Arc::clone(&upstream.connections), Arc::clone(&upstream.config));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                connections.fetch_add(1, SeqCst);
                let _ = asking.send(stream.peer_addr().unwrap());
                let (config, told) = (Arc::clone(&config.lock().unwrap()), (named.clone(), resuming.clone(), ending.clone()));
                thread::spawn(move || serve(stream, config, act, &told));
            }
        });
        upstream
    }

    /// As the plan has it; without files the system's authorities are trusted.
    fn plan(&self, name: &str, ca: &str) -> Value {
        json!({"address": self.address.to_string(), "tls": {"server_name": name, "ca": ca, "cert": "", "key": ""}})
    }

    fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }
}

fn serve(mut stream: TcpStream, config: Arc<ServerConfig>, act: Act, told: &(Sender<Option<String>>, Sender<bool>, Sender<bool>)) {
    match act {
        Act::Silence => return drop(stream.read_to_end(&mut Vec::new())),
        Act::Plain => return drop(stream.write_all(b"220 this is no DNS\r\n").and_then(|()| stream.read_to_end(&mut Vec::new()))),
        Act::Answer | Act::Close => {}
    }
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    while stream.conn.is_handshaking() {
        if stream.conn.complete_io(&mut stream.sock).is_err() {
            return;
        }
    }
    let _ = told.0.send(stream.conn.server_name().map(str::to_owned));
    let _ = told.1.send(stream.conn.handshake_kind() == Some(HandshakeKind::Resumed));
    let mut answered = 0;
    while let Some(query) = read_frame(&mut stream) {
        if matches!(act, Act::Close) && answered == 1 {
            return;
        }
        write_frame(&mut stream, &answer(&query));
        answered += 1;
    }
    let _ = told.2.send(stream.read(&mut [0]).is_ok());
}

/// Forwards over the upstreams that a test names, and logs errors.
fn program(upstreams: &[Value]) -> Value {
    json!([{"op": "errors", "span": 0}, forward(upstreams)])
}

fn server(upstreams: &[Value]) -> Server {
    Server::start(1, &program(upstreams))
}

/// The one line of the log about a question that could not be answered.
fn failure(upstream: Value) -> String {
    let server = server(&[upstream]);
    assert_eq!(server.ask("a.example")[3] & 0x0f, 2, "SERVFAIL");
    let [line] = &server.logged()[..] else { panic!("one line") };
    line.strip_prefix("[ERROR] plugin/errors: 2 a.example. A: ").unwrap().to_owned()
}

/// Calls until it is so.
fn wait_until(mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "in vain");
        thread::yield_now();
    }
}

#[test]
fn one_connection_carries_all_queries_however_they_came() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let upstream = Upstream::start(&authority.sign(NAME), Act::Answer);
    let server = server(&[upstream.plan(NAME, &folder.write("ca.pem", &authority.cert))]);
    assert!(is_answer(&server.ask("a.example")));
    assert!(is_answer(&server.ask("b.example")));
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write_frame(&mut stream, &query(1, "c.example"));
    assert!(is_answer(&read_frame(&mut stream).unwrap()));
    assert_eq!(upstream.names.recv().unwrap().as_deref(), Some(NAME));
    assert_eq!(upstream.connections(), 1);
}

#[test]
fn a_server_is_known_by_its_address_where_nothing_else_is_said() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let ca = folder.write("ca.pem", &authority.cert);
    for ip in ["127.0.0.1", "::1"] {
        let place = SocketAddr::new(ip.parse().unwrap(), 0).to_string();
        let upstream = Upstream::on(&place, config(&authority.sign(ip), None), Act::Answer);
        let server = server(&[upstream.plan(ip, &ca)]);
        assert!(is_answer(&server.ask("a.example")));
        assert_eq!(upstream.names.recv().unwrap(), None, "an address is not sent as a name (RFC 6066 3)");
    }
}

#[test]
fn many_queries_at_a_time_share_few_connections() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let upstream = Upstream::start(&authority.sign(NAME), Act::Answer);
    let server = server(&[upstream.plan(NAME, &folder.write("ca.pem", &authority.cert))]);
    let clients: Vec<_> = (0..500).map(|_| client(server.address())).collect();
    for (number, client) in clients.iter().enumerate() {
        client.send(&query(7, &format!("n{number}.example"))).unwrap();
    }
    assert!(clients.iter().all(|client| is_answer(&receive(client))));
    assert!(upstream.connections() <= 8, "{}", upstream.connections());
}

#[test]
fn a_certificate_that_vouches_for_itself_is_trusted_where_it_is_named() {
    let (identity, folder) = (self_signed(NAME), Folder::new());
    let upstream = Upstream::start(&identity, Act::Answer);
    let ca = folder.write("ca.pem", &identity.cert);
    assert!(is_answer(&server(&[upstream.plan(NAME, &ca)]).ask("a.example")));
    let why = "tls: failed to verify certificate: x509: certificate is valid for dns.example.test, not other.example.test";
    assert_eq!(failure(upstream.plan("other.example.test", &ca)), why);
    let other = folder.write("other.pem", &self_signed(NAME).cert);
    let why = "tls: failed to verify certificate: x509: certificate signed by unknown authority";
    assert_eq!(failure(upstream.plan(NAME, &other)), why);
}

#[test]
fn a_certificate_whose_authority_is_not_known_is_trusted_where_it_is_named_itself() {
    let (identity, folder) = (Authority::new().sign(NAME), Folder::new());
    let upstream = Upstream::start(&identity, Act::Answer);
    assert!(is_answer(&server(&[upstream.plan(NAME, &folder.write("ca.pem", &identity.cert))]).ask("a.example")));
}

#[test]
fn a_certificate_whose_time_is_over_is_refused_wherever_it_is_named() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let why = "tls: failed to verify certificate: x509: certificate has expired";
    let upstream = Upstream::start(&authority.sign_expired(NAME), Act::Answer);
    assert_eq!(failure(upstream.plan(NAME, &folder.write("ca.pem", &authority.cert))), why);
    let identity = self_signed_expired(NAME);
    let upstream = Upstream::start(&identity, Act::Answer);
    assert_eq!(failure(upstream.plan(NAME, &folder.write("self.pem", &identity.cert))), why);
}

#[test]
fn the_authorities_of_the_system_do_not_know_ours() {
    let upstream = Upstream::start(&Authority::new().sign(NAME), Act::Answer);
    let why = "tls: failed to verify certificate: x509: certificate signed by unknown authority";
    assert_eq!(failure(upstream.plan(NAME, "")), why);
}

#[test]
fn a_server_that_wants_to_know_us_is_shown_our_certificate() {
    let (authority, ours, folder) = (Authority::new(), Authority::new(), Folder::new());
    let upstream = Upstream::on("127.0.0.1:0", config(&authority.sign(NAME), Some(&ours)), Act::Answer);
    let mut plan = upstream.plan(NAME, &folder.write("ca.pem", &authority.cert));
    assert_eq!(failure(plan.clone()), "remote error: tls: certificate required");
    let identity = ours.sign("us.example.test");
    plan["tls"]["cert"] = folder.write("cert.pem", &identity.cert).into();
    plan["tls"]["key"] = folder.write("key.pem", &identity.key).into();
    assert!(is_answer(&server(&[plan]).ask("a.example")));
}

#[test]
fn a_connection_that_is_closed_midway_is_made_anew_for_the_query() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let upstream = Upstream::start(&authority.sign(NAME), Act::Close);
    let server = server(&[upstream.plan(NAME, &folder.write("ca.pem", &authority.cert))]);
    for number in 1..=4 {
        assert!(is_answer(&server.ask("a.example")));
        assert_eq!(upstream.connections(), number);
    }
    assert_eq!(server.logged(), [""; 0]);
}

#[test]
fn a_handshake_that_does_not_end_costs_the_time_of_a_reply_and_the_next_upstream_is_asked() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let ca = folder.write("ca.pem", &authority.cert);
    let silent = Upstream::start(&authority.sign(NAME), Act::Silence);
    let upstream = Upstream::start(&authority.sign(NAME), Act::Answer);
    let mut program = program(&[silent.plan(NAME, &ca), upstream.plan(NAME, &ca)]);
    program[1]["read_timeout_ms"] = 100.into();
    let server = Server::start(1, &program);
    let begun = Instant::now();
    assert!(is_answer(&server.ask("a.example")));
    assert!(begun.elapsed() >= Duration::from_millis(100));
    program[1]["upstreams"].as_array_mut().unwrap().pop();
    server.run(&program).unwrap();
    assert_eq!(server.ask("a.example")[3] & 0x0f, 2, "SERVFAIL");
    let why = format!("[ERROR] plugin/errors: 2 a.example. A: read tcp {}: i/o timeout", silent.address);
    assert_eq!(server.logged(), [why]);
}

#[test]
fn a_server_that_speaks_no_tls_is_told() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let upstream = Upstream::start(&authority.sign(NAME), Act::Plain);
    let why = "tls: first record does not look like a TLS handshake";
    assert_eq!(failure(upstream.plan(NAME, &folder.write("ca.pem", &authority.cert))), why);
}

#[test]
fn probes_find_out_over_tls_that_a_server_is_good_again() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let upstream = Upstream::start(&authority.sign("other.example.test"), Act::Answer);
    let plan = upstream.plan(NAME, &folder.write("ca.pem", &authority.cert));
    let mut program = program(std::slice::from_ref(&plan));
    program[1]["health_check"]["interval_ms"] = 20.into();
    program[1]["failfast_all_unhealthy"] = true.into();
    let server = Server::start(1, &program);
    // It fails until probes have found out that it is down; then nobody is asked.
    wait_until(|| {
        server.ask("a.example");
        server.logged().last().unwrap().ends_with("no healthy upstreams")
    });
    *upstream.config.lock().unwrap() = config(&authority.sign(NAME), None);
    wait_until(|| is_answer(&server.ask("a.example")));
}

#[test]
fn a_connection_that_is_not_used_is_ended_as_tls_wants_it() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let upstream = Upstream::start(&authority.sign(NAME), Act::Answer);
    let mut program = program(&[upstream.plan(NAME, &folder.write("ca.pem", &authority.cert))]);
    program[1]["expire_ms"] = 50.into();
    let server = Server::start(1, &program);
    assert!(is_answer(&server.ask("a.example")));
    assert!(upstream.ended.recv_timeout(PATIENCE).unwrap());
}

#[test]
fn files_are_read_again_with_each_plan_and_connections_outlive_what_they_held() {
    let (old, new, folder) = (Authority::new(), Authority::new(), Folder::new());
    let upstream = Upstream::start(&old.sign(NAME), Act::Answer);
    let program = program(&[upstream.plan(NAME, &folder.write("ca.pem", &old.cert))]);
    let server = Server::start(1, &program);
    assert!(is_answer(&server.ask("a.example")));
    *upstream.config.lock().unwrap() = config(&new.sign(NAME), None);
    folder.write("ca.pem", &new.cert);
    server.run(&program).unwrap();
    assert!(is_answer(&server.ask("a.example")));
    assert_eq!(upstream.connections(), 1, "the connection from before");
    let fresh = Upstream::on("127.0.0.1:0", config(&new.sign(NAME), None), Act::Answer);
    assert!(is_answer(&Server::start(1, &self::program(&[fresh.plan(NAME, &folder.path("ca.pem"))])).ask("a.example")));
}

#[test]
fn sessions_are_taken_up_again_also_after_a_reload_that_finds_the_same_files() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let upstream = Upstream::start(&authority.sign(NAME), Act::Close);
    let program = program(&[upstream.plan(NAME, &folder.write("ca.pem", &authority.cert))]);
    let server = Server::start(1, &program);
    assert!(is_answer(&server.ask("a.example")));
    server.run(&program).unwrap();
    assert!(is_answer(&server.ask("b.example")));
    assert_eq!([upstream.resumed.recv().unwrap(), upstream.resumed.recv().unwrap()], [false, true]);
}

#[test]
fn a_connection_leaves_from_the_address_that_the_plan_says() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let upstream = Upstream::start(&authority.sign(NAME), Act::Answer);
    let mut plan = upstream.plan(NAME, &folder.write("ca.pem", &authority.cert));
    plan["source"] = "127.0.0.2".into();
    assert!(is_answer(&server(&[plan]).ask("a.example")));
    assert_eq!(upstream.askers.recv().unwrap().ip().to_string(), "127.0.0.2");
}

#[test]
fn the_same_address_in_the_clear_is_another_upstream() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let upstream = Upstream::start(&authority.sign(NAME), Act::Answer);
    let plain = json!({"address": upstream.address.to_string(), "tls": null});
    let server = server(&[plain, upstream.plan(NAME, &folder.write("ca.pem", &authority.cert))]);
    assert!(is_answer(&server.ask("a.example")), "over TLS, since nobody answers datagrams there");
}

#[test]
fn what_is_wrong_with_a_file_is_told_and_what_runs_goes_on() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let upstream = Upstream::start(&authority.sign(NAME), Act::Answer);
    let (ca, identity) = (folder.write("ca.pem", &authority.cert), authority.sign("us.example.test"));
    let (cert, key) = (folder.write("cert.pem", &identity.cert), folder.write("key.pem", &identity.key));
    let other_key = folder.write("other.pem", &authority.sign("x").key);
    let garbage = folder.write("garbage.pem", "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n");
    let server = server(&[upstream.plan(NAME, &ca)]);
    let refused = |ca: &str, cert: &str, key: &str| {
        let mut plan = upstream.plan(NAME, ca);
        (plan["tls"]["cert"], plan["tls"]["key"]) = (cert.into(), key.into());
        let [why] = &server.run(&program(&[plan])).unwrap_err()[..] else { panic!("one reason") };
        why.clone()
    };
    let missing = folder.path("missing.pem");
    assert_eq!(refused(&missing, "", ""), format!("cannot read {missing}: no such file"));
    assert_eq!(refused(&ca, &cert, &missing), format!("cannot read {missing}: no such file"));
    assert!(refused(&key, "", "").starts_with(&format!("there is no certificate in {key}")));
    assert!(refused(&ca, &cert, &cert).starts_with(&format!("there is no private key in {cert}")));
    assert!(refused(&garbage, "", "").starts_with(&format!("cannot read the certificates in {garbage}: ")));
    let why = format!("the private key in {other_key} does not belong to the certificate in {cert}");
    assert_eq!(refused(&ca, &cert, &other_key), why);
    assert!(is_answer(&server.ask("a.example")));
    assert_eq!(upstream.connections(), 1);
}
