//! Queries that wait for upstreams, over real sockets.

mod dns;

use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use core_dns::gauges;
use dns::{PATIENCE, Server, answer, client, forward, is_answer, query, read_frame, receive, write_frame};
use serde_json::{Value, json};

/// An upstream on one port, for datagrams and streams; it answers `192.0.2.1` and counts.
struct Upstream {
    address: SocketAddr,
    datagrams: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
    /// From where datagrams and connections came.
    askers: Arc<Mutex<Vec<SocketAddr>>>,
    /// What it has been asked and does not answer until it is told.
    held: Arc<Mutex<Option<std::sync::mpsc::Receiver<()>>>>,
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
        let upstream =
            Upstream { address, datagrams: Arc::default(), connections: Arc::default(), askers: Arc::default(), held: Arc::default() };
        let (datagrams, connections, held) =
            (Arc::clone(&upstream.datagrams), Arc::clone(&upstream.connections), Arc::clone(&upstream.held));
        let (over_udp, over_tcp) = (Arc::clone(&upstream.askers), Arc::clone(&upstream.askers));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = udp.recv_from(&mut buffer) {
                datagrams.fetch_add(1, Ordering::SeqCst);
                over_udp.lock().unwrap().push(from);
                if let Some(held) = held.lock().unwrap().take() {
                    held.recv().unwrap();
                }
                udp.send_to(&answer(&buffer[..length]), from).unwrap();
            }
        });
        thread::spawn(move || {
            for stream in tcp.incoming() {
                let stream = stream.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                over_tcp.lock().unwrap().push(stream.peer_addr().unwrap());
                thread::spawn(move || serve(stream));
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

/// A server that caches and forwards to these.
fn server(workers: usize, upstreams: &[SocketAddr]) -> Server {
    let class = json!({"capacity": 1024, "max_ttl": 3600, "min_ttl": 5});
    let upstreams: Vec<Value> = upstreams.iter().map(|address| json!({"address": address.to_string(), "tls": null})).collect();
    let cache = json!({"op": "cache", "id": "c", "zones": ["."], "success": class, "denial": class, "servfail": 5, "prefetch": null,
        "serve_stale": null, "keepttl": false, "disable_success": [], "disable_denial": [], "span": 0});
    Server::start(workers, &json!([cache, forward(&upstreams)]))
}

#[test]
fn datagrams_go_up_and_come_back_and_are_kept() {
    let upstream = Upstream::start();
    let server = server(1, &[upstream.address]);
    let client = client(server.address());
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
    let server = server(1, &[upstream.address]);
    let mut client = TcpStream::connect(server.address()).unwrap();
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
    let server = server(1, &[dead, upstream.address]);
    let client = client(server.address());
    client.set_read_timeout(Some(Duration::from_millis(1900))).unwrap();
    client.send(&query(1, "a.example")).unwrap();
    assert!(is_answer(&receive(&client)), "sooner than the read timeout");
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write_frame(&mut stream, &query(2, "b.example"));
    assert!(is_answer(&read_frame(&mut stream).unwrap()));
}

#[test]
fn all_workers_ask_the_same_question_once() {
    let upstream = Upstream::start();
    let (release, held) = std::sync::mpsc::channel();
    *upstream.held.lock().unwrap() = Some(held);
    let server = server(4, &[upstream.address]);
    // Sockets with many ports: the kernel spreads them over the workers.
    let clients: Vec<UdpSocket> = (0..32).map(|_| client(server.address())).collect();
    for client in &clients {
        client.send(&query(1, "same.example")).unwrap();
    }
    let all_have_missed = "coredns_cache_misses_total{server=\"dns://\",view=\"\",zones=\".\"} 32";
    while !gauges::page(&server.engine, Vec::new()).any(|family| family.contains(all_have_missed)) {
        thread::yield_now();
    }
    release.send(()).unwrap();
    assert!(clients.iter().all(|client| is_answer(&receive(client))));
    assert_eq!(upstream.datagrams.load(Ordering::SeqCst), 1);
}

/// A server that forwards to one upstream, from this address, and logs errors.
fn server_from(source: &str, upstream: SocketAddr) -> Server {
    let upstream = json!({"address": upstream.to_string(), "tls": null, "source": source});
    Server::start(1, &json!([{"op": "errors", "span": 0}, forward(&[upstream])]))
}

#[test]
fn an_upstream_is_asked_from_the_address_that_the_plan_says_and_ports_stay_random() {
    let upstream = Upstream::start();
    let server = server_from("127.0.0.2", upstream.address);
    for number in 0..32 {
        assert!(is_answer(&server.ask(&format!("n{number}.example"))));
    }
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write_frame(&mut stream, &query(1, "stream.example"));
    assert!(is_answer(&read_frame(&mut stream).unwrap()));
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 1);
    let askers = upstream.askers.lock().unwrap().clone();
    assert_eq!(askers.len(), 33);
    assert!(askers.iter().all(|asker| asker.ip().to_string() == "127.0.0.2"), "{askers:?}");
    let ports: HashSet<u16> = askers.iter().map(SocketAddr::port).collect();
    let spread = ports.iter().max().unwrap() - ports.iter().min().unwrap();
    assert!(ports.len() > 4 && usize::from(spread) > 10 * ports.len(), "the kernel draws them: {ports:?}");
}

#[test]
fn an_address_that_this_machine_does_not_have_is_told() {
    let upstream = Upstream::start();
    let server = server_from("192.0.2.77", upstream.address);
    assert_eq!(server.ask("a.example")[3] & 0x0f, 2, "SERVFAIL");
    let why = format!("dial udp 192.0.2.77:0->{}: bind: cannot assign requested address", upstream.address);
    assert_eq!(server.logged(), [format!("[ERROR] plugin/errors: 2 a.example. A: {why}")]);
    assert_eq!(upstream.datagrams.load(Ordering::SeqCst), 0);
}

#[test]
fn the_same_upstream_asked_from_another_address_is_asked_over_sockets_of_its_own() {
    let upstream = Upstream::start();
    let server = server_from("127.0.0.2", upstream.address);
    server.ask("a.example");
    server.run(&json!([forward(&[json!({"address": upstream.address.to_string(), "tls": null, "source": "127.0.0.3"})])])).unwrap();
    server.ask("b.example");
    let askers: Vec<String> = upstream.askers.lock().unwrap().iter().map(|asker| asker.ip().to_string()).collect();
    assert_eq!(askers, ["127.0.0.2", "127.0.0.3"]);
}

#[test]
fn a_probe_leaves_from_the_same_address() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    silent.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let mut op = forward(&[json!({"address": address, "tls": null, "source": "127.0.0.2"})]);
    op["read_timeout_ms"] = 10.into();
    let server = Server::start(1, &json!([op]));
    client(server.address()).send(&query(1, "a.example")).unwrap();
    let mut buffer = [0; 512];
    loop {
        let (length, asker) = silent.recv_from(&mut buffer).unwrap();
        assert_eq!(asker.ip().to_string(), "127.0.0.2");
        // The root and NS.
        if buffer[12..length] == [0, 0, 2, 0, 1] {
            return;
        }
    }
}
