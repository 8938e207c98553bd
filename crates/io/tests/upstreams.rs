//! Queries that wait for upstreams, over real sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use core_dns::engine::Engine;
use io_dns::{TcpLimits, Workers, prepare_plan, start_engine};
use serde_json::{Value, json};

/// Longer than any test takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// An upstream on one port, for datagrams and streams; it answers `192.0.2.1` and counts.
struct Upstream {
    address: SocketAddr,
    datagrams: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
    /// What it has been asked and does not answer until it is told.
    held: Arc<Mutex<Option<std::sync::mpsc::Receiver<()>>>>,
}

fn answer(query: &[u8]) -> Vec<u8> {
    let end = 12 + query[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
    let mut reply = query[..end].to_vec();
    reply[2] |= 0x80;
    reply[3] = 0x80;
    reply[6..12].copy_from_slice(&[0, 1, 0, 0, 0, 0]);
    reply.extend_from_slice(b"\xc0\x0c\0\x01\0\x01\0\0\x01\0\0\x04\xc0\0\x02\x01");
    reply
}

impl Upstream {
    fn start() -> Upstream {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let upstream = Upstream { address, datagrams: Arc::default(), connections: Arc::default(), held: Arc::default() };
        let (datagrams, connections, held) =
            (Arc::clone(&upstream.datagrams), Arc::clone(&upstream.connections), Arc::clone(&upstream.held));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = udp.recv_from(&mut buffer) {
                datagrams.fetch_add(1, Ordering::SeqCst);
                if let Some(held) = held.lock().unwrap().take() {
                    held.recv().unwrap();
                }
                udp.send_to(&answer(&buffer[..length]), from).unwrap();
            }
        });
        thread::spawn(move || {
            for stream in tcp.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || serve(stream.unwrap()));
            }
        });
        upstream
    }
}

/// Answers what comes over a connection, until it ends.
fn serve(mut stream: TcpStream) {
    while let Some(query) = read_frame(&mut stream) {
        write_frame(&mut stream, &answer(&query));
    }
}

fn read_frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

fn write_frame(stream: &mut TcpStream, message: &[u8]) {
    stream.write_all(&[&(message.len() as u16).to_be_bytes(), message].concat()).unwrap();
}

fn query(id: u8, name: &str) -> Vec<u8> {
    let mut message = [&[0, id][..], b"\x01\0\0\x01\0\0\0\0\0\0"].concat();
    message.extend(core_dns::name::labels_of_text(name).unwrap().0);
    message.extend([0, 0, 1, 0, 1]);
    message
}

/// A server that caches and forwards to these, and its address.
fn server(workers: usize, upstreams: &[SocketAddr]) -> (Arc<Engine>, Workers, SocketAddr) {
    let engine = Engine::new();
    let class = json!({"capacity": 1024, "max_ttl": 3600, "min_ttl": 5});
    let upstreams: Vec<Value> = upstreams.iter().map(|address| json!({"address": address.to_string(), "tls": null})).collect();
    let program = json!([
        {"op": "cache", "id": "c", "zones": ["."], "success": class, "denial": class, "servfail": 5, "prefetch": null, "serve_stale": null,
         "keepttl": false, "disable_success": [], "disable_denial": [], "span": 0},
        {"op": "forward", "id": "f", "from_zone": ".", "except_zones": [], "upstreams": upstreams, "policy": "sequential", "max_fails": 2,
         "expire_ms": 10000, "max_age_ms": 0, "max_concurrent": 0, "force_tcp": false, "prefer_udp": false, "read_timeout_ms": 2000,
         "max_connect_attempts": 2 * upstreams.len(), "health_check": {"interval_ms": 500, "domain": ".", "recursion_desired": true},
         "failover": [], "next": [], "next_on_nodata": false, "failfast_all_unhealthy": false, "span": 0}
    ]);
    let mut plan = serde_json::to_value(engine.plan().as_ref()).unwrap();
    plan["listeners"] = json!([{"id": "l", "host": "127.0.0.1", "port": 0, "server": "dns://"}]);
    plan["blocks"] = json!([{"zone": ".", "listeners": ["l"], "program": program, "span": 0}]);
    plan["spans"] = json!([{"file": "Corefile", "line": 1, "column": 1, "text": "forward"}]);
    let prepared = engine.prepare(&serde_json::to_vec(&plan).unwrap()).unwrap();
    let workers = start_engine(&engine, workers, TcpLimits::default()).unwrap();
    let listeners = prepare_plan(&workers, &engine, prepared.plan()).unwrap();
    workers.commit(listeners, || engine.commit(prepared)).unwrap();
    let address = workers.bound()[0].1;
    (engine, workers, address)
}

fn client(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.connect(server).unwrap();
    socket
}

fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

fn is_answer(reply: &[u8]) -> bool {
    reply[3] & 0x0f == 0 && reply.ends_with(&[192, 0, 2, 1])
}

#[test]
fn datagrams_go_up_and_come_back_and_are_kept() {
    let upstream = Upstream::start();
    let (_, _workers, address) = server(1, &[upstream.address]);
    let client = client(address);
    for id in 1..=3 {
        client.send(&query(id, "a.example")).unwrap();
        let reply = receive(&client);
        assert!(is_answer(&reply) && reply[1] == id);
    }
    assert_eq!(upstream.datagrams.load(Ordering::SeqCst), 1);
}

#[test]
fn a_stream_goes_up_as_a_stream_and_its_connection_is_kept() {
    let upstream = Upstream::start();
    let (_, _workers, address) = server(1, &[upstream.address]);
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    for id in 1..=3 {
        write_frame(&mut client, &query(id, &format!("n{id}.example")));
        let reply = read_frame(&mut client).unwrap();
        assert!(is_answer(&reply) && reply[1] == id);
    }
    assert_eq!((upstream.datagrams.load(Ordering::SeqCst), upstream.connections.load(Ordering::SeqCst)), (0, 1));
}

#[test]
fn a_closed_port_is_known_at_once_and_the_next_upstream_is_asked() {
    let upstream = Upstream::start();
    // Bound and dropped: nobody listens there now.
    let dead = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_, _workers, address) = server(1, &[dead, upstream.address]);
    let client = client(address);
    client.set_read_timeout(Some(Duration::from_millis(1900))).unwrap();
    client.send(&query(1, "a.example")).unwrap();
    assert!(is_answer(&receive(&client)), "sooner than the read timeout");
    let mut stream = TcpStream::connect(address).unwrap();
    write_frame(&mut stream, &query(2, "b.example"));
    assert!(is_answer(&read_frame(&mut stream).unwrap()));
}

#[test]
fn all_workers_ask_the_same_question_once() {
    let upstream = Upstream::start();
    let (release, held) = std::sync::mpsc::channel();
    *upstream.held.lock().unwrap() = Some(held);
    let (engine, _workers, address) = server(4, &[upstream.address]);
    // Sockets with many ports: the kernel spreads them over the workers.
    let clients: Vec<UdpSocket> = (0..32).map(|_| client(address)).collect();
    for client in &clients {
        client.send(&query(1, "same.example")).unwrap();
    }
    while engine.cache("c").unwrap().counts().misses < 32 {
        thread::yield_now();
    }
    release.send(()).unwrap();
    assert!(clients.iter().all(|client| is_answer(&receive(client))));
    assert_eq!(upstream.datagrams.load(Ordering::SeqCst), 1);
}
