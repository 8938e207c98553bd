//! Batches of datagrams, as cheap as the kernel allows: headers, names and buffers are prepared once and reused by each call.
//!
//! Knows the kernel's structures. Must not know DNS. The only place with `unsafe` of this crate. The product has its own batches
//! (`io_dns`), which are safe to hand around; these are the yardstick for them, so they do nothing that is not needed.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::{io, mem, ptr, slice};

/// Datagrams of one call.
pub const BATCH: usize = 32;
/// The longest datagram.
pub const SIZE: usize = 4096;
/// Room for one control message with the address that a datagram was sent to, of either family.
const CONTROL: usize = 64;

/// Room for one datagram. Slots are no power of two apart, or their beginnings would share a few lines of the CPU's cache.
#[repr(C)]
struct Slot {
    part: libc::iovec,
    name: libc::sockaddr_in6,
    control: [u64; CONTROL / 8],
    data: [u8; SIZE],
}

/// Which parts of a message the kernel shall fill in besides its data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum With {
    /// Nothing: the socket is connected.
    Nothing,
    /// The sender.
    Sender,
    /// The sender, and the address that was asked.
    SenderAndPacketInfo,
}

/// Room for a batch, which lives as long as its process.
pub struct Batch {
    headers: &'static mut [libc::mmsghdr],
    slots: *mut Slot,
    with: With,
}

impl Batch {
    /// Allocates it.
    pub fn new(with: With) -> Batch {
        let zeroed = || {
            // SAFETY: these are plain C structures and octets, for which all bits zero is a value.
            unsafe { (mem::zeroed::<Slot>(), mem::zeroed::<libc::mmsghdr>()) }
        };
        let slots = Vec::leak((0..BATCH).map(|_| zeroed().0).collect()).as_mut_ptr();
        let mut headers: Vec<libc::mmsghdr> = (0..BATCH).map(|_| zeroed().1).collect();
        for (at, header) in headers.iter_mut().enumerate() {
            // SAFETY: `at` is within the slots, which are never freed and from now on only reached through this pointer.
            let slot = unsafe { &mut *slots.add(at) };
            slot.part.iov_base = slot.data.as_mut_ptr().cast();
            header.msg_hdr.msg_iov = &mut slot.part;
            header.msg_hdr.msg_iovlen = 1;
            if with != With::Nothing {
                header.msg_hdr.msg_name = ptr::from_mut(&mut slot.name).cast();
            }
            if with == With::SenderAndPacketInfo {
                header.msg_hdr.msg_control = slot.control.as_mut_ptr().cast();
            }
        }
        let mut batch = Batch { headers: headers.leak(), slots, with };
        batch.make_room(BATCH);
        batch
    }

    /// Receives what is there. `wait`: until there is at least one.
    pub fn receive(&mut self, socket: &UdpSocket, wait: bool) -> io::Result<usize> {
        let flags = if wait { libc::MSG_WAITFORONE } else { libc::MSG_DONTWAIT };
        // SAFETY: each header points to parts of its slot and their sizes.
        let count = unsafe { libc::recvmmsg(socket.as_raw_fd(), self.headers.as_mut_ptr(), BATCH as u32, flags as _, ptr::null_mut()) };
        if count < 0 { Err(io::Error::last_os_error()) } else { Ok(count as usize) }
    }

    /// The datagram that was received at a place.
    pub fn message(&self, at: usize) -> &[u8] {
        let length = (self.headers[at].msg_len as usize).min(SIZE);
        assert!(at < BATCH);
        // SAFETY: `at` is within the slots, whose octets are always initialised; nobody writes to them while `self` is borrowed.
        unsafe { slice::from_raw_parts((&raw const (*self.slots.add(at)).data).cast(), length) }
    }

    /// Puts a datagram that is to be sent at a place.
    pub fn put(&mut self, at: usize, message: &[u8]) {
        assert!(at < BATCH && message.len() <= SIZE);
        // SAFETY: `at` is within the slots and the message fits; nobody else reaches them while `self` is borrowed.
        let slot = unsafe { &mut *self.slots.add(at) };
        slot.data[..message.len()].copy_from_slice(message);
        slot.part.iov_len = message.len();
    }

    /// Sends the first `count` that were put there, without waiting; tells how many the kernel took.
    pub fn send(&mut self, socket: &UdpSocket, count: usize) -> io::Result<usize> {
        assert!(count <= BATCH);
        // SAFETY: each header points to parts of its slot and their sizes; the kernel only reads them.
        let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), self.headers.as_mut_ptr(), count as u32, libc::MSG_DONTWAIT as _) };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(sent as usize) }
    }

    /// Answers each message that was received (with nothing: an empty one), and makes room for the next.
    pub fn answer(&mut self, socket: &UdpSocket, answers: &[Vec<u8>]) -> io::Result<usize> {
        for (at, answer) in answers.iter().enumerate() {
            self.put(at, answer);
        }
        let sent = self.send(socket, answers.len());
        self.make_room(answers.len());
        sent
    }

    /// Sends what was received back to where it came from, and makes room for the next.
    pub fn send_back(&mut self, socket: &UdpSocket, count: usize) -> io::Result<usize> {
        for at in 0..count {
            let length = self.message(at).len();
            // SAFETY: `message` has checked that `at` is within the slots; nobody else reaches them while `self` is borrowed.
            unsafe { (*self.slots.add(at)).part.iov_len = length };
        }
        let sent = self.send(socket, count);
        self.make_room(count);
        sent
    }

    /// Undoes what the kernel and `send_back` wrote into the headers.
    fn make_room(&mut self, count: usize) {
        for (at, header) in self.headers[..count].iter_mut().enumerate() {
            // SAFETY: there are as many slots as headers; nobody else reaches them while `self` is borrowed.
            unsafe { (*self.slots.add(at)).part.iov_len = SIZE };
            if self.with != With::Nothing {
                header.msg_hdr.msg_namelen = mem::size_of::<libc::sockaddr_in6>() as u32;
            }
            if self.with == With::SenderAndPacketInfo {
                header.msg_hdr.msg_controllen = CONTROL as _;
            }
        }
    }
}

/// Asks for the address that each datagram was sent to.
pub fn receive_packet_info(socket: &UdpSocket, ipv6: bool) -> io::Result<()> {
    let (level, name) = if ipv6 { (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO) } else { (libc::IPPROTO_IP, libc::IP_PKTINFO) };
    let on: i32 = 1;
    // SAFETY: the kernel reads the four octets of `on` during the call.
    match unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, ptr::from_ref(&on).cast(), mem::size_of_val(&on) as u32) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Waits until one of the sockets can be read, or the time is over.
pub fn wait(sockets: &[UdpSocket], nanoseconds: u64) {
    let mut polled: Vec<libc::pollfd> =
        sockets.iter().map(|socket| libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 }).collect();
    let time = libc::timespec { tv_sec: (nanoseconds / 1_000_000_000) as _, tv_nsec: (nanoseconds % 1_000_000_000) as _ };
    // SAFETY: the kernel writes to as many entries as there are; no signal mask is given. A signal only ends the wait.
    unsafe { libc::ppoll(polled.as_mut_ptr(), polled.len() as _, &time, ptr::null()) };
}

/// Lets timers of this thread end when they should, not up to 50 µs later.
pub fn be_punctual() {
    // SAFETY: no pointers. A kernel that refuses leaves the timers as they were.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
}
