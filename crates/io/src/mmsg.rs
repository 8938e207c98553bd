//! Batches of datagrams: `recvmmsg` and `sendmmsg` over buffers that are allocated once.
//!
//! Knows the kernel's structures. Must not know DNS, nor who answers. Besides `sys`, the only place with `unsafe`.
//! A reply goes to the name, and with the packet info, that the kernel gave with the query: neither is parsed for that.

use std::mem::{self, MaybeUninit, offset_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::{io, ptr};

/// Datagrams received by one call.
pub const BATCH: usize = 32;
/// The longest datagram that is read; a longer one is dropped.
pub const RECEIVE_SIZE: usize = 4096;
/// From one buffer to the next. Not a power of two, or the beginnings of all would share a few lines of the CPU's cache.
const STRIDE: usize = RECEIVE_SIZE + 64;
/// A reply's buffer that has grown beyond this is given back.
const REPLY_KEPT: usize = 16 * 1024;

/// A client's address as the kernel writes it.
#[repr(C)]
#[derive(Clone, Copy)]
union Name {
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

/// The one control message that we ask for: where the datagram was sent to. Aligned as CMSG_SPACE counts, whatever the header is.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control {
    header: libc::cmsghdr,
    info: PacketInfo,
}

#[repr(C)]
#[derive(Clone, Copy)]
union PacketInfo {
    v4: libc::in_pktinfo,
    v6: libc::in6_pktinfo,
}

// SAFETY: CMSG_LEN and CMSG_SPACE only compute. `Control` is laid out as the kernel lays out one message.
const _: () = unsafe {
    assert!(offset_of!(Control, info) == libc::CMSG_LEN(0) as usize);
    assert!(mem::size_of::<Control>() >= libc::CMSG_SPACE(mem::size_of::<PacketInfo>() as u32) as usize);
};

/// Where a reply goes, and which address it leaves from.
#[derive(Clone, Copy)]
pub struct ReturnAddress {
    name: Name,
    name_length: u32,
    control: Control,
    control_length: usize,
}

/// Buffers for one batch of queries and their replies.
pub struct Batch {
    data: Box<[u8]>,
    received: Box<[libc::mmsghdr; BATCH]>,
    addresses: Box<[ReturnAddress; BATCH]>,
    replies: [Vec<u8>; BATCH],
    /// Which query each of the replies that are to be sent belongs to.
    answered: [usize; BATCH],
    queued: usize,
}

impl Batch {
    /// Allocates all buffers.
    pub fn new() -> Batch {
        // SAFETY: these are plain C structures, for which all bits zero is a value.
        let (header, address) = unsafe { (mem::zeroed::<libc::mmsghdr>(), mem::zeroed::<ReturnAddress>()) };
        Batch {
            data: vec![0; BATCH * STRIDE].into(),
            received: Box::new([header; BATCH]),
            addresses: Box::new([address; BATCH]),
            replies: std::array::from_fn(|_| Vec::with_capacity(RECEIVE_SIZE)),
            answered: [0; BATCH],
            queued: 0,
        }
    }

    /// Receives what is there, without waiting. `packet_info`: the socket tells where datagrams were sent to.
    pub fn receive(&mut self, socket: BorrowedFd<'_>, packet_info: bool) -> io::Result<usize> {
        self.queued = 0;
        // SAFETY: an iovec is a pointer and a length; null and zero is a value.
        let mut parts: [libc::iovec; BATCH] = unsafe { mem::zeroed() };
        // All pointers are set anew for each call: none outlives the borrow that it was made from.
        for (index, buffer) in self.data.chunks_exact_mut(STRIDE).enumerate() {
            let address = &mut self.addresses[index];
            parts[index] = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: RECEIVE_SIZE };
            let header = &mut self.received[index].msg_hdr;
            header.msg_name = ptr::from_mut(&mut address.name).cast();
            header.msg_namelen = mem::size_of::<Name>() as u32;
            header.msg_iov = &mut parts[index];
            header.msg_iovlen = 1;
            header.msg_control = if packet_info { ptr::from_mut(&mut address.control).cast() } else { ptr::null_mut() };
            header.msg_controllen = if packet_info { mem::size_of::<Control>() } else { 0 } as _;
        }
        let flags = libc::MSG_DONTWAIT as _;
        // SAFETY: each header points to a name, a control message, an iovec and a buffer of the lengths given; all live through
        // the call and are borrowed by nobody else.
        let count = unsafe { libc::recvmmsg(socket.as_raw_fd(), self.received.as_mut_ptr(), BATCH as u32, flags, ptr::null_mut()) };
        if count < 0 {
            return Err(io::Error::last_os_error());
        }
        for index in 0..count as usize {
            let (header, address) = (&self.received[index].msg_hdr, &mut self.addresses[index]);
            address.name_length = header.msg_namelen;
            address.control_length = header.msg_controllen as _;
            address.forget_interface();
        }
        Ok(count as usize)
    }

    /// Whether this datagram was longer than its buffer.
    pub fn truncated(&self, index: usize) -> bool {
        self.received[index].msg_hdr.msg_flags & libc::MSG_TRUNC != 0
    }

    /// Who sent this datagram.
    pub fn client(&self, index: usize) -> SocketAddr {
        self.addresses[index].client()
    }

    /// The address that it was sent to, if the socket tells.
    pub fn local(&self, index: usize) -> Option<IpAddr> {
        self.addresses[index].local()
    }

    /// Where its reply goes.
    pub fn return_address(&self, index: usize) -> &ReturnAddress {
        &self.addresses[index]
    }

    /// The datagram, and the buffer for its reply.
    pub fn exchange(&mut self, index: usize) -> (&[u8], &mut Vec<u8>) {
        let start = index * STRIDE;
        let length = (self.received[index].msg_len as usize).min(RECEIVE_SIZE);
        (&self.data[start..start + length], &mut self.replies[self.queued])
    }

    /// Keeps what was written to the reply buffer of `exchange(index)` until `send`.
    pub fn queue(&mut self, index: usize) {
        self.answered[self.queued] = index;
        self.queued += 1;
    }

    /// Sends all queued replies, without waiting. Returns how many the kernel did not take.
    pub fn send(&mut self, socket: BorrowedFd<'_>) -> usize {
        // Only those of queued replies are written, and read: most batches are small.
        let mut headers: [MaybeUninit<libc::mmsghdr>; BATCH] = [const { MaybeUninit::uninit() }; BATCH];
        // SAFETY: null and zero is a value of an iovec.
        let mut parts: [libc::iovec; BATCH] = unsafe { mem::zeroed() };
        for index in 0..self.queued {
            let address = &mut self.addresses[self.answered[index]];
            headers[index].write(libc::mmsghdr { msg_hdr: address.header(&mut parts[index], &self.replies[index]), msg_len: 0 });
        }
        let (mut sent, mut unsent) = (0, 0);
        while sent < self.queued {
            let rest = &mut headers[sent..self.queued];
            // SAFETY: these have been written; each points to a name, perhaps a control message, an iovec and a reply of the lengths
            // given; all live through the call, and the kernel only reads them.
            let count = unsafe { libc::sendmmsg(socket.as_raw_fd(), rest.as_mut_ptr().cast(), rest.len() as u32, libc::MSG_DONTWAIT as _) };
            if count > 0 {
                sent += count as usize;
                continue;
            }
            match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => {}
                // The buffer is full: what waits for it now comes too late anyway.
                error if error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::ENOBUFS) => {
                    unsent += self.queued - sent;
                    break;
                }
                // This one cannot be sent: no route, a packet filter. The others can.
                _ => {
                    unsent += 1;
                    sent += 1;
                }
            }
        }
        for reply in &mut self.replies[..self.queued] {
            if reply.capacity() > REPLY_KEPT {
                *reply = Vec::with_capacity(RECEIVE_SIZE);
            }
        }
        self.queued = 0;
        unsent
    }
}

impl ReturnAddress {
    /// Sends one reply, without waiting.
    pub fn send(&self, socket: BorrowedFd<'_>, reply: &[u8]) -> io::Result<()> {
        // SAFETY: null and zero is a value of an iovec.
        let mut part = unsafe { mem::zeroed() };
        let header = self.header(&mut part, reply);
        // SAFETY: the header points to a name, perhaps a control message, an iovec and the reply; all live through the call, and the
        // kernel only reads them.
        match unsafe { libc::sendmsg(socket.as_raw_fd(), &header, libc::MSG_DONTWAIT) } {
            0.. => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// A header for sending. It points to `self`, `part` and `reply`, and is only valid while they are.
    fn header(&self, part: &mut libc::iovec, reply: &[u8]) -> libc::msghdr {
        *part = libc::iovec { iov_base: reply.as_ptr().cast_mut().cast(), iov_len: reply.len() };
        // SAFETY: a plain C structure, for which all bits zero is a value.
        let mut header: libc::msghdr = unsafe { mem::zeroed() };
        header.msg_name = ptr::from_ref(&self.name).cast_mut().cast();
        header.msg_namelen = self.name_length;
        header.msg_iov = part;
        header.msg_iovlen = 1;
        if self.control_length > 0 {
            header.msg_control = ptr::from_ref(&self.control).cast_mut().cast();
            header.msg_controllen = self.control_length as _;
        }
        header
    }

    fn client(&self) -> SocketAddr {
        // SAFETY: both variants are plain numbers, begin with the family, and were zeroed before the kernel wrote: any bits are valid.
        unsafe {
            if i32::from(self.name.v4.sin_family) == libc::AF_INET {
                let ip = Ipv4Addr::from(self.name.v4.sin_addr.s_addr.to_ne_bytes());
                return SocketAddrV4::new(ip, u16::from_be(self.name.v4.sin_port)).into();
            }
            let name = &self.name.v6;
            let (ip, port) = (Ipv6Addr::from(name.sin6_addr.s6_addr), u16::from_be(name.sin6_port));
            match ip.to_ipv4_mapped() {
                Some(ip) => SocketAddrV4::new(ip, port).into(),
                None => SocketAddrV6::new(ip, port, 0, name.sin6_scope_id).into(),
            }
        }
    }

    fn local(&self) -> Option<IpAddr> {
        if self.control_length == 0 {
            return None;
        }
        // SAFETY: both variants are plain numbers and were zeroed before the kernel wrote: any bits are valid.
        unsafe {
            match (self.control.header.cmsg_level, self.control.header.cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => Some(Ipv4Addr::from(self.control.info.v4.ipi_spec_dst.s_addr.to_ne_bytes()).into()),
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => Some(Ipv6Addr::from(self.control.info.v6.ipi6_addr.s6_addr).to_canonical()),
                _ => None,
            }
        }
    }

    /// The reply takes the way that the routes give, which need not be the interface that the query came by; only link-local
    /// addresses mean nothing without their interface.
    fn forget_interface(&mut self) {
        match self.local() {
            Some(IpAddr::V6(ip)) if ip.is_unicast_link_local() => {}
            Some(_) if self.control.header.cmsg_level == libc::IPPROTO_IPV6 => self.control.info.v6.ipi6_ifindex = 0,
            Some(_) => self.control.info.v4.ipi_ifindex = 0,
            None => {}
        }
    }
}
