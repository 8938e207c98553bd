//! TCP over loopback: framing, order, limits and deadlines.

mod standin;

use std::io::Write;
use std::net::Shutdown;
use std::time::Duration;

use core_dns::plan::Timeouts;
use io_dns::{Listener, TcpLimits};
use standin::{Server, converse, frames, listener, next, tcp};

const SOON: Duration = Duration::from_millis(30);

#[test]
fn several_queries_in_one_segment_and_one_query_in_many() {
    let (_server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let mut stream = tcp(address);
    assert_eq!(converse(&stream, &["echo 1", "echo 2", "echo 3"]), ["1", "2", "3"]);
    for byte in frames(&["echo split"]) {
        stream.write_all(&[byte]).unwrap();
    }
    assert_eq!(next(&stream).unwrap(), "split");
    let who = &converse(&stream, &["who"])[0];
    assert_eq!(*who, format!("{} {address} 0 tcp", stream.local_addr().unwrap()));
}

#[test]
fn the_address_that_was_asked_is_known_on_a_wildcard_listener() {
    let (_server, bound) = Server::on("", TcpLimits::default());
    for ip in ["127.0.0.5", "::1"] {
        let asked = std::net::SocketAddr::new(ip.parse().unwrap(), bound.port());
        let stream = tcp(asked);
        assert_eq!(converse(&stream, &["who"]), [format!("{} {asked} 0 tcp", stream.local_addr().unwrap())]);
    }
}

#[test]
fn the_longest_message_comes_and_goes() {
    let (_server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let text = "x".repeat(65535 - "echo ".len());
    assert_eq!(converse(&tcp(address), &[&format!("echo {text}"), "big 65535"])[0], text);
}

#[test]
fn a_query_that_waits_does_not_hold_up_the_others() {
    let (_server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let replies = converse(&tcp(address), &["wait slow", "echo fast", "tick later", "release slow"]);
    assert_eq!(replies, ["fast", "released", "slow", "later"]);
}

#[test]
fn empty_and_bad_frames_do_not_close_the_connection() {
    let (server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let mut stream = tcp(address);
    stream.write_all(&frames(&["", "drop", ""])).unwrap();
    assert_eq!(converse(&stream, &["panic", "echo still here"]), ["failed: panic", "still here"]);
    assert_eq!(server.workers.counts().panics, 1);
}

#[test]
fn nobody_waits_for_the_reply_of_a_query_that_panicked_late() {
    let (server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let mut stream = tcp(address);
    stream.write_all(&frames(&["tick panic"])).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(next(&stream), None);
    assert_eq!(server.workers.counts().panics, 1);
}

#[test]
fn a_client_that_closes_its_side_still_gets_its_answers() {
    let (_server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let mut stream = tcp(address);
    stream.write_all(&frames(&["wait word", "echo now", "incomplete"])[..26]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(next(&stream).unwrap(), "now");
    assert_eq!(converse(&tcp(address), &["release word"]), ["released"]);
    assert_eq!(next(&stream).unwrap(), "word");
    assert_eq!(next(&stream), None);
}

#[test]
fn an_idle_connection_is_closed_and_one_that_waits_for_us_is_not() {
    let (_server, address) = Server::on("127.0.0.1", TcpLimits { idle: SOON, ..TcpLimits::default() });
    let (mut waiting, idle) = (tcp(address), tcp(address));
    waiting.write_all(&frames(&["wait word"])).unwrap();
    assert_eq!(next(&idle), None);
    assert_eq!(converse(&tcp(address), &["release word"]), ["released"]);
    assert_eq!(next(&waiting).unwrap(), "word");
    assert_eq!(next(&waiting), None);
}

#[test]
fn a_message_that_does_not_end_is_given_up_and_the_answers_before_it_are_not() {
    let (_server, address) = Server::on("127.0.0.1", TcpLimits { read: SOON, ..TcpLimits::default() });
    let mut begun = tcp(address);
    begun.write_all(&frames(&["echo whole", "echo half"])[..16]).unwrap();
    let mut waiting = tcp(address);
    waiting.write_all(&frames(&["wait word", "echo half"])[..15]).unwrap();
    assert_eq!(next(&begun).unwrap(), "whole");
    assert_eq!(next(&begun), None);
    assert_eq!(converse(&tcp(address), &["release word"]), ["released"]);
    assert_eq!(next(&waiting).unwrap(), "word");
    assert_eq!(next(&waiting), None);
}

#[test]
fn the_rest_of_a_message_must_come_in_time_however_its_bytes_trickle() {
    let (_server, address) = Server::on("127.0.0.1", TcpLimits { read: SOON, ..TcpLimits::default() });
    let mut stream = tcp(address);
    stream.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    stream.write_all(&[0xff, 0xff]).unwrap();
    let mut sent = 0;
    // The wait for the end paces the trickle.
    while std::io::Read::read(&mut stream, &mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock) {
        sent += usize::from(stream.write_all(b"x").is_ok());
    }
    assert!(sent < 65535);
}

#[test]
fn a_listener_may_have_times_of_its_own() {
    let server = Server::start(1, TcpLimits::default());
    let hurried =
        Listener { timeouts: Timeouts { idle_ms: Some(30), read_ms: Some(30), ..Timeouts::default() }, ..listener(0, "127.0.0.1", 0) };
    let [hurried, usual] = server.listen(&[hurried, listener(1, "127.0.0.2", 0)])[..] else { unreachable!() };
    let (silent, idle, other) = (tcp(hurried), tcp(hurried), tcp(usual));
    assert_eq!(converse(&idle, &["echo 1"]), ["1"]);
    assert_eq!((next(&silent), next(&idle)), (None, None));
    assert_eq!(converse(&other, &["echo still open"]), ["still open"]);
}

#[test]
fn a_connection_is_closed_after_as_many_queries_as_it_may_bring_and_their_answers() {
    let (_server, address) = Server::on("127.0.0.1", TcpLimits { max_queries: Some(3), ..TcpLimits::default() });
    let mut stream = tcp(address);
    stream.write_all(&frames(&["wait word", "echo 2", "drop"])).unwrap();
    assert_eq!(next(&stream).unwrap(), "2");
    assert_eq!(converse(&tcp(address), &["release word"]), ["released"]);
    assert_eq!(next(&stream).unwrap(), "word");
    assert_eq!(next(&stream), None);
}

#[test]
fn the_oldest_idle_connection_makes_room_for_a_new_one() {
    let (server, address) = Server::on("127.0.0.1", TcpLimits { max_connections: 2, ..TcpLimits::default() });
    let (oldest, younger) = (tcp(address), tcp(address));
    assert_eq!(converse(&oldest, &["echo 1"]), ["1"]);
    assert_eq!(converse(&younger, &["echo 2"]), ["2"]);
    let newest = tcp(address);
    assert_eq!(converse(&newest, &["echo 3"]), ["3"]);
    assert_eq!(next(&oldest), None);
    assert_eq!(converse(&younger, &["echo 4"]), ["4"]);
    assert_eq!(server.workers.counts().closed_for_room, 1);
}

#[test]
fn without_an_idle_connection_the_new_one_is_closed() {
    let (server, address) = Server::on("127.0.0.1", TcpLimits { max_connections: 1, ..TcpLimits::default() });
    let mut busy = tcp(address);
    busy.write_all(&frames(&["wait word", "echo read"])).unwrap();
    assert_eq!(next(&busy).unwrap(), "read");
    assert_eq!(next(&tcp(address)), None);
    assert_eq!(server.workers.counts().refused_connections, 1);
    assert_eq!(converse(&busy, &["release word", "echo more"]), ["released", "more"]);
    assert_eq!(next(&busy).unwrap(), "word");
}

#[test]
fn a_connection_with_too_many_waiting_queries_is_not_read_until_one_is_answered() {
    let (_server, address) = Server::on("127.0.0.1", TcpLimits { max_pipelined: 2, ..TcpLimits::default() });
    let (mut full, other) = (tcp(address), tcp(address));
    full.write_all(&frames(&["wait a", "wait b", "echo 1", "wait c", "echo 2"])).unwrap();
    full.shutdown(Shutdown::Write).unwrap();
    // The other's connection is read after it: one worker. The reply to `release` says that both wait.
    assert_eq!(converse(&other, &["release a"]), ["released"]);
    assert_eq!([next(&full).unwrap(), next(&full).unwrap()], ["a", "1"]);
    assert_eq!(converse(&other, &["release b"]), ["released"]);
    assert_eq!([next(&full).unwrap(), next(&full).unwrap()], ["b", "2"]);
    assert_eq!(converse(&other, &["release c"]), ["released"]);
    assert_eq!(next(&full).unwrap(), "c");
    assert_eq!(next(&full), None);
}

#[test]
fn a_client_that_reads_late_gets_everything() {
    let (_server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let mut stream = tcp(address);
    let words = vec!["big 65000"; 400];
    stream.write_all(&frames(&words)).unwrap();
    // Much more than the kernel's buffers hold waits by now, and the server answers others meanwhile.
    assert_eq!(converse(&tcp(address), &["echo other"]), ["other"]);
    for _ in &words {
        assert_eq!(next(&stream).unwrap().len(), 65000);
    }
    assert_eq!(converse(&stream, &["echo after"]), ["after"]);
}

#[test]
fn a_client_that_never_reads_is_given_up() {
    let (_server, address) = Server::on("127.0.0.1", TcpLimits { write: SOON, ..TcpLimits::default() });
    let mut stream = tcp(address);
    stream.write_all(&frames(&["big 65000"; 400])).unwrap();
    // It would go on for ever if the server kept the connection: what is sent is never read there.
    let chunk = frames(&["big 65000"; 1000]);
    while stream.write_all(&chunk).is_ok() {}
}
