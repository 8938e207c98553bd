//! Changing what is listened on: nothing happens until commit, and no query is lost by it.

mod standin;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread;
use std::time::Duration;

use core_dns::plan::Timeouts;
use io_dns::{Listener, Superseded, TcpLimits};
use socket2::{Domain, Socket, Type};
use standin::{PATIENCE, Server, ask, converse, frames, listener, next, take, tcp, udp};

#[test]
fn udp_and_tcp_share_the_port_that_was_free() {
    let (_server, address) = Server::on("127.0.0.1", TcpLimits::default());
    assert_ne!(address.port(), 0);
    assert_eq!(ask(&udp(address), "echo udp"), "udp");
    assert_eq!(converse(&tcp(address), &["echo tcp"]), ["tcp"]);
}

#[test]
fn all_errors_are_told_at_once_and_what_runs_goes_on() {
    let (server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let stream = TcpListener::bind("127.0.0.1:0").unwrap();
    let (datagrams, stream) = (datagrams.local_addr().unwrap().port(), stream.local_addr().map(|a| (a.port(), stream)).unwrap());
    let _held = UdpSocket::bind((Ipv4Addr::LOCALHOST, datagrams));
    let plan = [
        listener(1, "127.0.0.1", datagrams),
        listener(2, "127.0.0.1", stream.0),
        listener(3, "192.0.2.1", 0),
        listener(4, "fe80::1%nowhere", 53),
        listener(5, "127.0.0.1", 0),
    ];
    let errors = server.workers.prepare(&plan).err().unwrap();
    let told: Vec<(&str, i32)> = errors.iter().map(|error| (error.listener.as_str(), error.errno)).collect();
    let ids: Vec<&str> = plan.iter().map(|listener| listener.id.as_str()).collect();
    let expected = [(ids[0], libc::EADDRINUSE), (ids[1], libc::EADDRINUSE), (ids[2], libc::EADDRNOTAVAIL), (ids[3], libc::ENODEV)];
    assert_eq!(told, expected);
    let messages = [
        format!("cannot listen on 127.0.0.1:{datagrams} (udp): the port is in use by another process"),
        format!("cannot listen on 127.0.0.1:{} (tcp): the port is in use by another process", stream.0),
        "cannot listen on 192.0.2.1:0 (udp): no interface of this machine has the address".to_owned(),
    ];
    assert!(errors.iter().map(|error| &error.message).zip(&messages).all(|(told, expected)| told == expected), "{errors:?}");
    assert_eq!(ask(&udp(address), "echo on"), "on");
    assert_eq!(server.workers.bound().len(), 1);
}

#[test]
fn a_stranger_that_would_share_the_port_is_noticed_too() {
    let server = Server::start(2, TcpLimits::default());
    for kind in [Type::DGRAM, Type::STREAM] {
        let stranger = Socket::new(Domain::IPV4, kind, None).unwrap();
        stranger.set_reuse_port(true).unwrap();
        stranger.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        if kind == Type::STREAM {
            stranger.listen(1).unwrap();
        }
        let port = stranger.local_addr().unwrap().as_socket().unwrap().port();
        for host in ["127.0.0.1", ""] {
            let errors = server.workers.prepare(&[listener(0, host, port)]).err().unwrap();
            assert_eq!(errors[0].errno, libc::EADDRINUSE);
        }
    }
}

#[test]
fn a_plan_that_is_given_up_leaves_its_ports() {
    let (server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let port = free_port();
    drop(server.workers.prepare(&[listener(0, "127.0.0.1", port)]).unwrap());
    UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    assert_eq!(ask(&udp(address), "echo on"), "on");
}

#[test]
fn a_plan_prepared_before_another_was_committed_is_refused() {
    let server = Server::start(1, TcpLimits::default());
    let early = server.workers.prepare(&[listener(0, "127.0.0.1", 0)]).unwrap();
    server.listen(&[listener(1, "127.0.0.2", 0)]);
    assert_eq!(server.workers.commit(early, || panic!("not installed")), Err(Superseded));
    assert_eq!(server.workers.bound().len(), 1);
}

#[test]
fn new_listeners_answer_from_the_new_plan_also_what_came_before_it() {
    let server = Server::start(2, TcpLimits::default());
    let (first, port) = (listener(1, "127.0.0.1", 0), free_port());
    server.listen(std::slice::from_ref(&first));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let prepared = server.workers.prepare(&[first, listener(2, "127.0.0.1", port)]).unwrap();
    let (datagrams, mut stream) = (udp(address), tcp(address));
    datagrams.send(b"plan").unwrap();
    stream.write_all(&frames(&["plan"])).unwrap();
    server.workers.commit(prepared, || server.outside.generation.store(2, Ordering::SeqCst)).unwrap();
    assert_eq!(take(&datagrams), "2 2");
    assert_eq!(next(&stream).unwrap(), "2 2");
}

#[test]
fn what_waits_on_a_listener_that_goes_is_answered_from_the_old_plan() {
    let server = Server::start(1, TcpLimits::default());
    let (stays, goes) = (listener(1, "127.0.0.1", 0), listener(2, "127.0.0.1", free_port()));
    let address = server.listen(&[stays.clone(), goes])[1];
    let (datagrams, mut stream) = (udp(address), tcp(address));
    assert_eq!(converse(&stream, &["echo accepted"]), ["accepted"]);
    let (blocked, open) = server.gate();
    datagrams.send(b"block").unwrap();
    blocked.recv().unwrap();
    for _ in 0..100 {
        datagrams.send(b"plan").unwrap();
    }
    stream.write_all(&frames(&["plan"])).unwrap();
    let mut queued = tcp(address);
    queued.write_all(&frames(&["plan"])).unwrap();
    thread::scope(|scope| {
        let change = scope.spawn(|| server.listen(std::slice::from_ref(&stays)));
        open.send(()).unwrap();
        change.join().unwrap();
    });
    assert_eq!(take(&datagrams), "unblocked");
    (0..100).for_each(|_| assert_eq!(take(&datagrams), "1 2"));
    assert_eq!([next(&stream).unwrap(), next(&queued).unwrap()], ["1 2", "1 2"]);
    assert_eq!((next(&stream), next(&queued)), (None, None));
    UdpSocket::bind(address).unwrap();
}

#[test]
fn a_query_that_waits_is_answered_after_its_listener_has_gone() {
    let server = Server::start(1, TcpLimits::default());
    let (stays, goes) = (listener(1, "127.0.0.1", 0), listener(2, "127.0.0.1", free_port()));
    let addresses = server.listen(&[stays.clone(), goes]);
    let (datagrams, mut stream) = (udp(addresses[1]), tcp(addresses[1]));
    datagrams.send(b"wait word").unwrap();
    stream.write_all(&frames(&["wait word", "echo read"])).unwrap();
    assert_eq!(next(&stream).unwrap(), "read");
    server.listen(&[stays]);
    assert_eq!(ask(&udp(addresses[0]), "release word"), "released");
    assert_eq!(take(&datagrams), "word");
    assert_eq!(next(&stream).unwrap(), "word");
    assert_eq!(next(&stream), None);
}

#[test]
fn a_connection_stays_open_when_its_address_belongs_to_another_listener_now() {
    let server = Server::start(2, TcpLimits::default());
    let port = free_port();
    let address = server.listen(&[listener(1, "127.0.0.1", port)])[0];
    let stream = tcp(address);
    assert_eq!(converse(&stream, &["plan"]), ["1 1"]);
    server.listen(&[listener(2, "", port)]);
    assert_eq!(converse(&stream, &["plan"]), ["2 2"]);
    server.listen(&[listener(1, "127.0.0.1", port)]);
    // The other way: a wildcard has no heir.
    assert_eq!(next(&stream), None);
}

#[test]
fn connections_that_are_open_get_the_new_times_of_their_listener() {
    let server = Server::start(1, TcpLimits { idle: PATIENCE, ..TcpLimits::default() });
    let port = free_port();
    let address = server.listen(&[listener(0, "127.0.0.1", port)])[0];
    let stream = tcp(address);
    assert_eq!(converse(&stream, &["plan"]), ["1 0"]);
    let timeouts = Timeouts { idle_ms: Some(20), ..Timeouts::default() };
    server.listen(&[Listener { timeouts, ..listener(0, "127.0.0.1", port) }]);
    assert_eq!(next(&stream), None);
}

#[test]
fn no_query_is_lost_while_listeners_change_and_each_is_asked_under_a_number_of_its_plan() {
    let server = Server::start(2, TcpLimits::default());
    let port = free_port();
    // Odd generations listen on one address, even ones on all.
    let plans = [listener(0, "", port), listener(1, "127.0.0.1", port)];
    let address = server.listen(&plans[1..])[0];
    let done = Arc::new(AtomicBool::new(false));
    let client = thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let socket = udp(address);
            let mut asked = 0;
            while !done.load(Ordering::SeqCst) {
                let reply = ask(&socket, "plan");
                let (generation, number) = reply.split_once(' ').unwrap();
                assert_eq!(generation.parse::<u64>().unwrap() % 2, number.parse::<u64>().unwrap(), "{reply}");
                asked += 1;
            }
            asked
        }
    });
    for generation in 2..60 {
        server.listen(&plans[generation % 2..=generation % 2]);
    }
    done.store(true, Ordering::SeqCst);
    let asked = client.join().unwrap();
    assert!(asked > 0);
}

#[test]
fn stopping_answers_what_has_come_and_waits_for_what_is_outstanding() {
    let (server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let (datagrams, mut stream, blocker) = (udp(address), tcp(address), udp(address));
    assert_eq!(converse(&stream, &["echo accepted"]), ["accepted"]);
    let (blocked, open) = server.gate();
    blocker.send(b"block").unwrap();
    blocked.recv().unwrap();
    datagrams.send(b"tick udp").unwrap();
    datagrams.send(b"echo udp").unwrap();
    stream.write_all(&frames(&["tick tcp", "echo tcp"])).unwrap();
    thread::scope(|scope| {
        let stopped = scope.spawn(|| server.workers.stop(PATIENCE));
        open.send(()).unwrap();
        stopped.join().unwrap();
    });
    assert_eq!([take(&datagrams), take(&datagrams)], ["udp", "udp"]);
    assert_eq!([next(&stream).unwrap(), next(&stream).unwrap()], ["tcp", "tcp"]);
    assert_eq!(next(&stream), None);
    UdpSocket::bind(address).unwrap();
}

#[test]
fn stopping_does_not_wait_longer_than_its_grace() {
    let (server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let client = udp(address);
    client.send(b"wait for ever").unwrap();
    assert_eq!(ask(&client, "echo read"), "read");
    server.workers.stop(Duration::from_millis(5));
    UdpSocket::bind(address).unwrap();
}

/// A port that nobody has, and that no other test gets: below those that the kernel gives to clients.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let port = 20_000 + (std::process::id() as u16 % 100 * 100 + NEXT.fetch_add(1, Ordering::SeqCst)) % 10_000;
        let free = |ip: Ipv4Addr| UdpSocket::bind((ip, port)).is_ok() && TcpListener::bind((ip, port)).is_ok();
        if free(Ipv4Addr::UNSPECIFIED) {
            return port;
        }
    }
}
