//! The few system calls that neither std nor socket2 offers, each behind a safe function.
//!
//! Knows the kernel's structures. Must not know listeners, messages or workers. Besides `mmsg`, the only place with `unsafe`.

use std::ffi::CString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;
use std::{fs::File, mem, ptr};

/// An epoll instance: watches many sockets, level-triggered. It is itself a thing to wait for, see `Waits`.
#[derive(Debug)]
pub struct Poll {
    fd: OwnedFd,
}

/// What a socket waits for. Errors and hang-ups are always told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interest {
    /// Bytes, datagrams or connections to take.
    pub read: bool,
    /// Room for bytes.
    pub write: bool,
}

impl Interest {
    /// Only to read.
    pub const READ: Interest = Interest { read: true, write: false };
    /// Nothing but errors.
    pub const NONE: Interest = Interest { read: false, write: false };
}

/// What happened to one socket.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// The token it was added with.
    pub token: u64,
    /// Something to take.
    pub readable: bool,
    /// Both directions are closed, or the socket has failed.
    pub dead: bool,
}

/// Room for the events of one wait.
pub struct Events {
    events: [libc::epoll_event; Events::ROOM],
    count: usize,
}

impl Events {
    const ROOM: usize = 256;

    /// No events yet.
    pub fn new() -> Events {
        Events { events: [libc::epoll_event { events: 0, u64: 0 }; Events::ROOM], count: 0 }
    }

    /// The events of the last wait.
    pub fn iter(&self) -> impl Iterator<Item = Event> + '_ {
        self.events[..self.count].iter().map(|event| {
            let happened = event.events;
            Event {
                token: event.u64,
                readable: happened & libc::EPOLLIN as u32 != 0,
                dead: happened & (libc::EPOLLHUP | libc::EPOLLERR) as u32 != 0,
            }
        })
    }
}

impl Poll {
    /// A new instance without sockets.
    pub fn new() -> io::Result<Poll> {
        // SAFETY: no pointers; a result that is not negative is a new descriptor that nobody else owns.
        let fd = unsafe { OwnedFd::from_raw_fd(checked(libc::epoll_create1(libc::EPOLL_CLOEXEC))?) };
        Ok(Poll { fd })
    }

    /// Begins to watch a socket. Closing the socket ends it.
    pub fn add(&self, socket: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, socket.as_fd(), token, interest)
    }

    /// Changes what a socket waits for.
    pub fn change(&self, socket: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, socket.as_fd(), token, interest)
    }

    fn control(&self, operation: i32, socket: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        let read = if interest.read { libc::EPOLLIN } else { 0 };
        let write = if interest.write { libc::EPOLLOUT } else { 0 };
        let mut event = libc::epoll_event { events: (read | write) as u32, u64: token };
        // SAFETY: both descriptors are open while borrowed, and the kernel only reads `event` during the call.
        unsafe { checked(libc::epoll_ctl(self.fd.as_raw_fd(), operation, socket.as_raw_fd(), &mut event)) }?;
        Ok(())
    }

    /// Takes what has happened, without waiting.
    pub fn take(&self, events: &mut Events) -> io::Result<()> {
        events.count = 0;
        let room = events.events.as_mut_ptr();
        // SAFETY: `room` points to ROOM events that live through the call; the kernel writes no more than that.
        let taken = unsafe { checked(libc::epoll_wait(self.fd.as_raw_fd(), room, Events::ROOM as i32, 0)) };
        events.count = ignoring_signals(taken)? as usize;
        Ok(())
    }
}

impl AsFd for Poll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Waits for a few descriptors to become readable (ppoll). Unlike an epoll instance it touches them only while it sleeps: to a
/// datagram socket in an epoll instance, the kernel announces new room for writing after each datagram that it has sent.
#[derive(Debug)]
pub struct Waits {
    fds: Vec<libc::pollfd>,
}

impl Waits {
    /// Nothing to wait for.
    pub fn new() -> Waits {
        Waits { fds: Vec::new() }
    }

    /// Forgets all descriptors.
    pub fn clear(&mut self) {
        self.fds.clear();
    }

    /// Waits for this one too. It is to be forgotten before it is closed.
    pub fn add(&mut self, fd: impl AsFd) {
        self.fds.push(libc::pollfd { fd: fd.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 });
    }

    /// Waits until one of them is ready or the time is over.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(|wait| libc::timespec { tv_sec: wait.as_secs() as _, tv_nsec: wait.subsec_nanos() as _ });
        let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
        let (fds, count) = (self.fds.as_mut_ptr(), self.fds.len() as libc::nfds_t);
        // SAFETY: `fds` points to `count` structures, `timeout` to one or to nothing; all live through the call.
        ignoring_signals(unsafe { checked(libc::ppoll(fds, count, timeout, ptr::null())) })?;
        Ok(())
    }

    /// Whether the descriptor that was added as the `index`th is ready, or has failed.
    pub fn is_ready(&self, index: usize) -> bool {
        self.fds[index].revents != 0
    }
}

/// Wakes a thread that waits (an eventfd).
#[derive(Debug)]
pub struct Waker {
    file: File,
}

impl Waker {
    /// A new one that is not set.
    pub fn new() -> io::Result<Waker> {
        // SAFETY: no pointers; a result that is not negative is a new descriptor that nobody else owns.
        let fd = unsafe { OwnedFd::from_raw_fd(checked(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK))?) };
        Ok(Waker { file: fd.into() })
    }

    /// Sets it: the watching thread wakes. A full counter is set already, so its refusal is none.
    pub fn wake(&self) {
        let _ = (&self.file).write(&1u64.to_ne_bytes());
    }

    /// Resets it.
    pub fn clear(&self) {
        let _ = (&self.file).read(&mut [0; 8]);
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Asks for the address that each datagram was sent to. An IPv6 socket tells it for IPv4 datagrams too, mapped.
pub fn receive_packet_info(socket: impl AsFd, ipv6: bool) -> io::Result<()> {
    match ipv6 {
        true => set_option(socket.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1),
        false => set_option(socket.as_fd(), libc::IPPROTO_IP, libc::IP_PKTINFO, 1),
    }
}

/// Sizes both buffers: beyond the system's limit where we may (CAP_NET_ADMIN), else up to it.
pub fn size_buffers(socket: impl AsFd, bytes: i32) {
    let socket = socket.as_fd();
    for (force, size) in [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)] {
        if set_option(socket, libc::SOL_SOCKET, force, bytes).is_err() {
            // A smaller buffer than wished still serves.
            let _ = set_option(socket, libc::SOL_SOCKET, size, bytes);
        }
    }
}

fn set_option(socket: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    let length = mem::size_of::<i32>() as libc::socklen_t;
    // SAFETY: the kernel reads `length` bytes of `value` during the call.
    unsafe { checked(libc::setsockopt(socket.as_raw_fd(), level, name, ptr::from_ref(&value).cast(), length)) }?;
    Ok(())
}

/// The number of a network interface, for addresses such as `fe80::1%eth0`.
pub fn interface_index(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    // SAFETY: `name` ends with a zero byte and lives through the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => None,
        index => Some(index),
    }
}

/// The CPUs that this process may run on.
pub fn allowed_cpus() -> usize {
    // SAFETY: `cpu_set_t` is a plain bit set, for which zero is a value; the kernel writes no more than its size.
    let set = unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        checked(libc::sched_getaffinity(0, mem::size_of_val(&set), &mut set)).map(|_| libc::CPU_COUNT(&set) as usize)
    };
    // A machine with more CPUs than the set can hold refuses.
    set.unwrap_or_else(|_| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Allows this process as many open files as it may allow itself: the usual 1024 are too few for our connections.
pub fn raise_file_limit() -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes, then reads, the one structure, which lives through both calls.
    unsafe {
        checked(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit))?;
        limit.rlim_cur = limit.rlim_max;
        checked(libc::setrlimit(libc::RLIMIT_NOFILE, &limit))?;
    }
    Ok(())
}

/// Random bits from the kernel.
pub fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    // SAFETY: the kernel writes at most the 8 bytes of `bytes`; so few are never given in part (getrandom(2)).
    let read = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    if read == 8 { Ok(u64::from_ne_bytes(bytes)) } else { Err(io::Error::last_os_error()) }
}

/// A signal is no event: nothing has happened.
fn ignoring_signals(result: io::Result<i32>) -> io::Result<i32> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        result => result,
    }
}

fn checked(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
