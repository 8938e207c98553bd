//! Clients over TLS: who we are, what they must show, new certificates, and what a flood of them may cost.

mod certs;
mod standin;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use certs::{Authority, Folder, Identity, self_signed};
use core_dns::engine::Engine;
use core_dns::plan::{ClientAuth, Plan, Timeouts, TlsServer};
use io_dns::{Listener, TcpLimits};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};
use standin::{PATIENCE, Server, ask, converse, frames, listener, next, tcp, udp};

const NAME: &str = "dns.example.test";

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A folder with a server's certificate and key.
fn folder_with(identity: &Identity) -> Folder {
    let folder = Folder::new();
    folder.write("cert.pem", &identity.cert);
    folder.write("key.pem", &identity.key);
    folder
}

/// A listener over TLS with the files of a folder.
fn secured(folder: &Folder, port: u16) -> Listener {
    let path = |name: &str| folder.path(name);
    let tls = TlsServer { cert: path("cert.pem"), key: path("key.pem"), ca: String::new(), client_auth: ClientAuth::Nocert };
    Listener { tls: Some(tls), ..listener(0, "127.0.0.1", port) }
}

/// Makes these the listeners, as a plan would.
fn listen(server: &Server, listeners: &[Listener]) -> Result<Vec<SocketAddr>, Vec<String>> {
    let described = listeners.iter().map(|listener| core_dns::plan::Listener {
        id: listener.id.clone(),
        host: listener.host.clone(),
        port: listener.port,
        server: String::new(),
        timeouts: listener.timeouts,
        tls: listener.tls.clone(),
    });
    let plan = Plan { listeners: described.collect(), ..Engine::new().plan().as_ref().clone() };
    let tls = server.workers.tls().read(&plan)?;
    let prepared = server.workers.prepare(listeners).unwrap().with_tls(tls);
    server.workers.commit(prepared, || {}).unwrap();
    let bound = server.workers.bound();
    Ok(listeners.iter().map(|listener| bound.iter().find(|(id, _)| *id == listener.id).unwrap().1).collect())
}

/// One worker with one listener over TLS.
fn server(folder: &Folder, limits: TcpLimits) -> (Server, SocketAddr) {
    let server = Server::start(1, limits);
    let address = listen(&server, &[secured(folder, 0)]).unwrap()[0];
    (server, address)
}

/// What a client needs that trusts this certificate, and shows its own if it has one.
fn client(trusts: &str, shows: Option<&Identity>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusts.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    Arc::new(match shows {
        None => builder.with_no_client_auth(),
        Some(shows) => {
            let chain = vec![CertificateDer::from_pem_slice(shows.cert.as_bytes()).unwrap()];
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(shows.key.as_bytes()).unwrap()).unwrap()
        }
    })
}

/// A connection whose handshake is still to be done.
fn connect(config: &Arc<ClientConfig>, address: SocketAddr) -> Stream {
    StreamOwned::new(ClientConnection::new(Arc::clone(config), ServerName::try_from(NAME).unwrap()).unwrap(), tcp(address))
}

fn say(stream: &mut Stream, words: &[&str]) {
    stream.write_all(&frames(words)).unwrap();
}

/// The next reply; none at the end that TLS tells.
fn hear(stream: &mut Stream) -> Option<String> {
    let mut length = [0; 2];
    let (first, rest) = length.split_at_mut(1);
    if stream.read(first).unwrap() == 0 {
        return None;
    }
    stream.read_exact(rest).unwrap();
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).unwrap();
    Some(String::from_utf8(message).unwrap())
}

/// Sends words, and takes as many replies.
fn talk(stream: &mut Stream, words: &[&str]) -> Vec<String> {
    say(stream, words);
    words.iter().map(|_| hear(stream).unwrap()).collect()
}

#[test]
fn queries_are_answered_as_over_tcp_in_the_order_in_which_they_get_ready() {
    let authority = Authority::new();
    let (_server, address) = server(&folder_with(&authority.sign(NAME)), TcpLimits::default());
    let mut stream = connect(&client(&authority.cert, None), address);
    let here = stream.sock.local_addr().unwrap();
    assert_eq!(talk(&mut stream, &["who"]), [format!("{here} {address} 0 tcp")]);
    let replies = talk(&mut stream, &["wait slow", "echo fast", "tick later", "release slow"]);
    assert_eq!(replies, ["fast", "released", "slow", "later"]);
}

#[test]
fn the_longest_messages_come_and_go() {
    let authority = Authority::new();
    let (_server, address) = server(&folder_with(&authority.sign(NAME)), TcpLimits::default());
    let mut stream = connect(&client(&authority.cert, None), address);
    let text = "x".repeat(65535 - "echo ".len());
    assert_eq!(talk(&mut stream, &[&format!("echo {text}"), "big 65535", "echo short"])[2], "short");
}

#[test]
fn a_client_that_takes_nothing_is_waited_for_and_no_longer_than_it_may_take() {
    let authority = Authority::new();
    let limits = TcpLimits { write: Duration::from_millis(50), ..TcpLimits::default() };
    let (_server, address) = server(&folder_with(&authority.sign(NAME)), limits);
    let mut stream = connect(&client(&authority.cert, None), address);
    // It would go on for ever if the server kept the connection: what is sent is never read there.
    let chunk = frames(&["big 65000"; 1000]);
    while stream.write_all(&chunk).is_ok() {}
}

#[test]
fn there_are_no_datagrams_and_no_messages_in_the_clear() {
    let authority = Authority::new();
    let (server, address) = server(&folder_with(&authority.sign(NAME)), TcpLimits::default());
    UdpSocket::bind(address).unwrap();
    let mut stream = tcp(address);
    stream.write_all(&frames(&["echo in the clear"])).unwrap();
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    assert_eq!(said.first(), Some(&21), "an alert (RFC 8446 B.1)");
    assert_eq!(server.workers.counts().failed_handshakes, 1);
}

#[test]
fn both_versions_of_tls_are_spoken() {
    let authority = Authority::new();
    let (_server, address) = server(&folder_with(&authority.sign(NAME)), TcpLimits::default());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.cert.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_protocol_versions(&[version]).unwrap();
        let mut stream = connect(&Arc::new(builder.with_root_certificates(roots).with_no_client_auth()), address);
        assert_eq!(talk(&mut stream, &["echo 1"]), ["1"]);
        assert_eq!(stream.conn.protocol_version(), Some(version.version));
    }
}

#[test]
fn an_idle_connection_is_ended_as_tls_wants_it() {
    let authority = Authority::new();
    let limits = TcpLimits { idle: Duration::from_millis(30), max_queries: Some(2), ..TcpLimits::default() };
    let (_server, address) = server(&folder_with(&authority.sign(NAME)), limits);
    let (mut idle, mut spent) = (connect(&client(&authority.cert, None), address), connect(&client(&authority.cert, None), address));
    assert_eq!(talk(&mut idle, &["echo 1"]), ["1"]);
    assert_eq!(hear(&mut idle), None);
    assert_eq!(talk(&mut spent, &["echo 1", "echo 2"]), ["1", "2"]);
    assert_eq!(hear(&mut spent), None);
}

#[test]
fn a_handshake_that_does_not_end_is_ended() {
    let authority = Authority::new();
    let limits = TcpLimits { read: Duration::from_millis(30), idle: PATIENCE, ..TcpLimits::default() };
    let (server, address) = server(&folder_with(&authority.sign(NAME)), limits);
    let (silent, mut begun) = (tcp(address), tcp(address));
    begun.write_all(&[22, 3, 1, 2, 0]).unwrap();
    // What trickles does not put it off.
    begun.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    while begun.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
        let _ = begun.write_all(&[0]);
    }
    assert_eq!(next(&silent), None);
    assert_eq!(server.workers.counts().failed_handshakes, 2);
}

#[test]
fn handshakes_that_do_not_end_make_room_for_clients() {
    let authority = Authority::new();
    let limits = TcpLimits { max_connections: 8, read: PATIENCE, ..TcpLimits::default() };
    let (server, address) = server(&folder_with(&authority.sign(NAME)), limits);
    let flood: Vec<_> = (0..100).map(|_| tcp(address)).collect();
    let mut stream = connect(&client(&authority.cert, None), address);
    assert_eq!(talk(&mut stream, &["echo through"]), ["through"]);
    assert_eq!(next(&flood[0]), None);
    assert!(server.workers.counts().failed_handshakes >= 93);
}

#[test]
fn a_flood_of_handshakes_lets_other_queries_through() {
    const FLOOD: usize = 200;
    let authority = Authority::new();
    let folder = folder_with(&authority.sign(NAME));
    let server = Server::start(1, TcpLimits { read: PATIENCE, ..TcpLimits::default() });
    let plain = Listener { number: 1, ..listener(1, "127.0.0.2", 0) };
    let [address, plain] = listen(&server, &[secured(&folder, 0), plain]).unwrap()[..] else { unreachable!() };
    let config = client(&authority.cert, None);
    let mut flood: Vec<Stream> = (0..FLOOD).map(|_| connect(&config, address)).collect();
    // All begin at once, while the worker is held up.
    let (blocked, open) = server.gate();
    let (blocker, other) = (udp(plain), udp(plain));
    blocker.send(b"block").unwrap();
    blocked.recv().unwrap();
    for stream in &mut flood {
        stream.conn.write_tls(&mut stream.sock).unwrap();
        stream.sock.set_nonblocking(true).unwrap();
    }
    open.send(()).unwrap();
    let is_answered = |stream: &Stream| stream.sock.peek(&mut [0]).is_ok();
    while !flood.iter().any(is_answered) {
        thread::yield_now();
    }
    assert_eq!(ask(&other, "echo through"), "through");
    let done = flood.iter().filter(|stream| is_answered(stream)).count();
    assert!(done < FLOOD / 2, "{done} handshakes came first");
    for stream in &mut flood {
        stream.sock.set_nonblocking(false).unwrap();
        assert_eq!(talk(stream, &["echo 1"]), ["1"]);
    }
}

#[test]
fn many_clients_are_answered_at_a_time() {
    let authority = Authority::new();
    let folder = folder_with(&authority.sign(NAME));
    let server = Server::start(2, TcpLimits { read: PATIENCE, ..TcpLimits::default() });
    let address = listen(&server, &[secured(&folder, 0)]).unwrap()[0];
    let config = client(&authority.cert, None);
    let mut clients: Vec<Stream> = (0..500).map(|_| connect(&config, address)).collect();
    for (number, stream) in clients.iter_mut().enumerate() {
        say(stream, &[&format!("echo {number}"), "tick later"]);
    }
    for (number, stream) in clients.iter_mut().enumerate() {
        assert_eq!([hear(stream).unwrap(), hear(stream).unwrap()], [number.to_string(), "later".to_owned()]);
    }
}

#[test]
fn new_certificates_are_for_new_connections_and_open_ones_go_on() {
    let (old, new) = (Authority::new(), Authority::new());
    let folder = folder_with(&old.sign(NAME));
    let (server, address) = server(&folder, TcpLimits::default());
    let mut stream = connect(&client(&old.cert, None), address);
    assert_eq!(talk(&mut stream, &["echo 1"]), ["1"]);
    let renewed = new.sign(NAME);
    folder.write("cert.pem", &renewed.cert);
    let why = format!("the private key in {} does not belong to the certificate in {}", folder.path("key.pem"), folder.path("cert.pem"));
    assert_eq!(listen(&server, &[secured(&folder, 0)]).unwrap_err(), [why]);
    assert_eq!(talk(&mut connect(&client(&old.cert, None), address), &["echo old"]), ["old"]);
    folder.write("key.pem", &renewed.key);
    listen(&server, &[secured(&folder, 0)]).unwrap();
    assert_eq!(talk(&mut connect(&client(&new.cert, None), address), &["echo new"]), ["new"]);
    assert_eq!(talk(&mut stream, &["echo still open"]), ["still open"]);
    // Other files may be named, too.
    let moved = folder_with(&old.sign(NAME));
    let listener = Listener { tls: secured(&moved, 0).tls, ..secured(&folder, 0) };
    assert_eq!(listen(&server, &[listener]).unwrap(), [address]);
    assert_eq!(talk(&mut connect(&client(&old.cert, None), address), &["echo moved"]), ["moved"]);
    assert_eq!(talk(&mut stream, &["echo still open"]), ["still open"]);
}

#[test]
fn sessions_are_taken_up_again_also_after_a_reload_that_finds_the_same_files() {
    let authority = Authority::new();
    let folder = folder_with(&authority.sign(NAME));
    let (server, address) = server(&folder, TcpLimits::default());
    let config = client(&authority.cert, None);
    let kinds = [0, 1, 2].map(|round| {
        let mut stream = connect(&config, address);
        assert_eq!(talk(&mut stream, &["echo 1"]), ["1"]);
        if round == 1 {
            let timeouts = Timeouts { idle_ms: Some(5000), ..Timeouts::default() };
            listen(&server, &[Listener { timeouts, ..secured(&folder, 0) }]).unwrap();
        }
        stream.conn.handshake_kind().unwrap()
    });
    assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed]);
}

#[test]
fn a_listener_that_is_secured_from_now_on_ends_what_was_said_in_the_clear() {
    let authority = Authority::new();
    let folder = folder_with(&authority.sign(NAME));
    let server = Server::start(1, TcpLimits::default());
    let address = listen(&server, &[listener(0, "127.0.0.1", 0)]).unwrap()[0];
    let plain = tcp(address);
    assert_eq!(converse(&plain, &["echo 1"]), ["1"]);
    listen(&server, &[secured(&folder, address.port())]).unwrap();
    assert_eq!(next(&plain), None);
    UdpSocket::bind(address).unwrap();
    assert_eq!(talk(&mut connect(&client(&authority.cert, None), address), &["echo 2"]), ["2"]);
}

#[test]
fn clients_are_asked_for_what_client_auth_says() {
    let (authority, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let folder = folder_with(&authority.sign(NAME));
    folder.write("ca.pem", &clients.cert);
    let itself = self_signed("itself.example.test");
    folder.write("itself.pem", &itself.cert);
    let (known, stranger) = (clients.sign("us.example.test"), strangers.sign("us.example.test"));
    let passes = |client_auth: ClientAuth, ca: &str, shows: Option<&Identity>| {
        let server = Server::start(1, TcpLimits::default());
        let mut listener = secured(&folder, 0);
        let tls = listener.tls.as_mut().unwrap();
        (tls.client_auth, tls.ca) = (client_auth, folder.path(ca));
        let address = listen(&server, &[listener]).unwrap()[0];
        let mut stream = connect(&client(&authority.cert, shows), address);
        let answered = stream.write_all(&frames(&["echo 1"])).is_ok() && stream.read_exact(&mut [0; 3]).is_ok();
        // The client may hear of it before it is counted.
        while server.workers.counts().failed_handshakes < u64::from(!answered) {
            thread::yield_now();
        }
        assert_eq!(server.workers.counts().failed_handshakes, u64::from(!answered));
        answered
    };
    let all = |client_auth: ClientAuth| [None, Some(&known), Some(&stranger)].map(|shows| passes(client_auth, "ca.pem", shows));
    assert_eq!(all(ClientAuth::Nocert), [true, true, true]);
    assert_eq!(all(ClientAuth::Request), [true, true, true]);
    assert_eq!(all(ClientAuth::Require), [false, true, true]);
    assert_eq!(all(ClientAuth::VerifyIfGiven), [true, true, false]);
    assert_eq!(all(ClientAuth::RequireAndVerify), [false, true, false]);
    assert!(passes(ClientAuth::RequireAndVerify, "itself.pem", Some(&itself)));
}
