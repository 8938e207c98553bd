//! What happens when the process has no descriptor left for a connection. One test: the limit is the whole process's.

mod standin;

use std::fs::File;
use std::io::Write;
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use io_dns::TcpLimits;
use socket2::{Domain, Socket, Type};
use standin::{PATIENCE, Server, converse, frames, next, tcp};

#[test]
fn idle_connections_make_room_for_new_ones_and_without_any_new_ones_wait() {
    let (server, address) = Server::on("127.0.0.1", TcpLimits::default());
    // The client's own descriptors exist before there are none left.
    let [second, third] = [(); 2].map(|()| Socket::new(Domain::IPV4, Type::STREAM, None).unwrap());
    let connect = |socket: Socket| {
        socket.connect(&address.into()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        TcpStream::from(socket)
    };
    let idle = tcp(address);
    assert_eq!(converse(&idle, &["echo idle"]), ["idle"]);
    let usual = limit_files(next_descriptor());

    let second = connect(second);
    assert_eq!(converse(&second, &["echo room"]), ["room"]);
    assert_eq!(next(&idle), None);
    assert_eq!(server.workers.counts().closed_for_room, 1);

    (&second).write_all(&frames(&["wait word", "echo busy"])).unwrap();
    assert_eq!(next(&second).unwrap(), "busy");
    let mut third = connect(third);
    third.write_all(&frames(&["echo late"])).unwrap();
    // Answered after the third was tried in vain, or not at all: one worker.
    assert_eq!(converse(&second, &["echo still"]), ["still"]);
    limit_files(usual);
    assert_eq!(next(&third).unwrap(), "late");
}

/// The number that the next opened file gets.
fn next_descriptor() -> u64 {
    File::open("/dev/null").unwrap().as_raw_fd() as u64
}

/// Sets how many files may be open, and returns how many might be before.
fn limit_files(most: u64) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes, then reads, the one structure, which lives through both calls.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        let before = std::mem::replace(&mut limit.rlim_cur, most);
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
        before
    }
}
