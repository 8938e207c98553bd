//! Listeners: which addresses they mean, and binding them, or saying why not.
//!
//! Knows sockets before they have a worker. Must not know messages.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, UdpSocket};

use core_dns::plan::{Timeouts, TlsServer};
use socket2::{Domain, Socket, Type};

use crate::sys;

/// A place to listen: UDP and TCP on one port, or TLS alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// The engine's number for `id`, the same for the life of the process; `Client.listener` carries it.
    pub number: u16,
    /// The plan's name for it.
    pub id: String,
    /// An IP address (`fe80::1%eth0` where it needs its interface). Empty or unspecified: all addresses of both families.
    pub host: String,
    /// The port. 0: any that is free.
    pub port: u16,
    /// What its connections may take.
    pub timeouts: Timeouts,
    /// How its connections are secured; none: they are not.
    pub tls: Option<TlsServer>,
}

/// Why a listener cannot be opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BindError {
    /// The listener's id.
    pub listener: String,
    /// The system's number of the error.
    pub errno: i32,
    /// What went wrong and what to do.
    pub message: String,
}

/// An open listener: its sockets for each worker.
pub struct Bound {
    /// Where it really listens: the port is never 0.
    pub address: SocketAddr,
    /// Those for each worker.
    pub sockets: Vec<(Option<UdpSocket>, TcpListener)>,
}

/// Asked for both buffers of a datagram socket: room for 50 ms of 20,000 queries a second and more.
const BUFFER: i32 = 1 << 20;
/// Connections that wait to be accepted; the system's limit is lower, mostly.
pub const BACKLOG: i32 = 4096;
/// How often another free port is tried for both protocols.
const FREE_PORT_TRIES: usize = 16;

impl Listener {
    /// Whether sockets of this one serve the other too: they differ in what can be changed while they are open.
    pub fn has_sockets_of(&self, other: &Listener) -> bool {
        let place = |listener: &Listener| (listener.number, listener.port, listener.tls.is_some());
        place(self) == place(other) && (&self.id, &self.host) == (&other.id, &other.host)
    }

    /// Opens it for so many workers. `ours`: addresses of this process's other listeners, which may overlap with it.
    pub fn bind(&self, workers: usize, ours: &[SocketAddr]) -> Result<Bound, BindError> {
        self.bind_first(ours, |address, shared| match self.tls {
            None => bind_workers(address, workers, shared),
            Some(_) => bind_streams(address, workers, shared),
        })
    }

    /// Opens it for streams alone, once. Gives the address too, whose port is never 0.
    pub fn bind_stream(&self, ours: &[SocketAddr]) -> Result<(SocketAddr, TcpListener), BindError> {
        self.bind_first(ours, bind_stream)
    }

    /// Opens the first of its addresses that this machine can have.
    fn bind_first<T>(&self, ours: &[SocketAddr], open: impl Fn(SocketAddr, bool) -> Result<T, SocketError>) -> Result<T, BindError> {
        let mut refused = None;
        for address in addresses(&self.host, self.port).map_err(|error| self.error(None, &error))? {
            let shared = ours.iter().any(|other| overlap(*other, address));
            match open(address, shared) {
                Ok(bound) => return Ok(bound),
                // Without IPv6, every address means every IPv4 address.
                Err(error) if matches!(error.error.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL)) => {
                    refused = Some(self.error(Some(error.protocol), &error.error));
                }
                Err(error) => return Err(self.error(Some(error.protocol), &error.error)),
            }
        }
        Err(refused.unwrap_or_else(|| self.error(None, &io::ErrorKind::AddrNotAvailable.into())))
    }

    /// Why it cannot be opened, in words.
    pub fn error(&self, protocol: Option<&str>, error: &io::Error) -> BindError {
        let place = if self.host.contains(':') { format!("[{}]:{}", self.host, self.port) } else { format!("{}:{}", self.host, self.port) };
        let place = protocol.map_or(place.clone(), |protocol| format!("{place} ({protocol})"));
        let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
        let why = match errno {
            libc::EADDRINUSE => "the port is in use by another process".to_owned(),
            libc::EACCES if self.port < 1024 => "permission denied: a port below 1024 needs the capability CAP_NET_BIND_SERVICE".to_owned(),
            libc::EADDRNOTAVAIL => "no interface of this machine has the address".to_owned(),
            _ => error.to_string(),
        };
        BindError { listener: self.id.clone(), errno, message: format!("cannot listen on {place}: {why}") }
    }
}

/// The listener of a new plan that gets what an old one at `old` would have got: the one with the same port and address, else
/// the one with the same port and all addresses.
pub fn heir<T>(old: SocketAddr, new: impl Iterator<Item = (SocketAddr, T)>) -> Option<T> {
    let covering = new.filter(|(address, _)| address.port() == old.port() && (address.ip() == old.ip() || address.ip().is_unspecified()));
    covering.min_by_key(|(address, _)| address.ip() != old.ip()).map(|(_, listener)| listener)
}

/// IPv4 addresses as such, also where an IPv6 socket gave them.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => SocketAddr::new(ip.to_canonical(), address.port()),
        _ => address,
    }
}

/// What to bind, in order: what comes later is for machines without IPv6.
fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let every = vec![SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port), SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)];
    if host.is_empty() {
        return Ok(every);
    }
    if let Some((ip, interface)) = host.split_once('%') {
        let ip: Ipv6Addr = ip.parse().map_err(io::Error::other)?;
        let missing = || io::Error::from_raw_os_error(libc::ENODEV);
        return Ok(vec![SocketAddrV6::new(ip, port, 0, sys::interface_index(interface).ok_or_else(missing)?).into()]);
    }
    let ip: IpAddr = host.parse().map_err(io::Error::other)?;
    Ok(if ip.is_unspecified() { every } else { vec![SocketAddr::new(ip, port)] })
}

fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port() && (one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified())
}

struct SocketError {
    protocol: &'static str,
    error: io::Error,
}

fn bind_workers(address: SocketAddr, workers: usize, shared: bool) -> Result<Bound, SocketError> {
    let (address, (first, listener)) = bind_pair(address, shared)?;
    let mut sockets = vec![(Some(first), listener)];
    while sockets.len() < workers {
        sockets.push((Some(udp(address, true)?), tcp(address, true)?));
    }
    Ok(Bound { address, sockets })
}

fn bind_streams(address: SocketAddr, workers: usize, shared: bool) -> Result<Bound, SocketError> {
    let (address, first) = bind_stream(address, shared)?;
    let mut sockets = vec![(None, first)];
    while sockets.len() < workers {
        sockets.push((None, tcp(address, true)?));
    }
    Ok(Bound { address, sockets })
}

fn bind_stream(address: SocketAddr, shared: bool) -> Result<(SocketAddr, TcpListener), SocketError> {
    let listener = tcp(address, shared)?;
    let address = listener.local_addr().map_err(|error| SocketError { protocol: "tcp", error })?;
    Ok((address, listener))
}

fn bind_pair(address: SocketAddr, shared: bool) -> Result<(SocketAddr, (UdpSocket, TcpListener)), SocketError> {
    let mut tries = if address.port() == 0 { FREE_PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let udp = udp(address, shared)?;
        let bound = udp.local_addr().map_err(|error| SocketError { protocol: "udp", error })?;
        match tcp(bound, shared) {
            Ok(tcp) => return Ok((bound, (udp, tcp))),
            Err(error) if tries == 0 || error.error.raw_os_error() != Some(libc::EADDRINUSE) => return Err(error),
            Err(_) => {}
        }
    }
}

fn udp(address: SocketAddr, shared: bool) -> Result<UdpSocket, SocketError> {
    let open = || {
        let socket = bind_socket(address, Type::DGRAM, shared)?;
        sys::size_buffers(&socket, BUFFER);
        if address.ip().is_unspecified() {
            sys::receive_packet_info(&socket, address.is_ipv6())?;
        }
        Ok(socket.into())
    };
    open().map_err(|error| SocketError { protocol: "udp", error })
}

fn tcp(address: SocketAddr, shared: bool) -> Result<TcpListener, SocketError> {
    let open = || {
        let socket = bind_socket(address, Type::STREAM, shared)?;
        // Connections inherit it.
        socket.set_tcp_nodelay(true)?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    open().map_err(|error| SocketError { protocol: "tcp", error })
}

/// Binds one socket. Not `shared`: binding fails if anybody has the port, and only then our next sockets may share it. With
/// SO_REUSEPORT from the start, a second server of the same user would get a part of the queries unnoticed.
fn bind_socket(address: SocketAddr, kind: Type, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind.nonblocking(), None)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    if kind == Type::STREAM {
        // Connections of a predecessor that linger do not matter; its listening socket still does.
        socket.set_reuse_address(true)?;
    }
    if shared {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    socket.set_reuse_port(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_both_families_with_ipv4_alone_as_the_second_choice() {
        let every = ["[::]:53".parse().unwrap(), "0.0.0.0:53".parse().unwrap()];
        for host in ["", "0.0.0.0", "::"] {
            assert_eq!(addresses(host, 53).unwrap(), every);
        }
    }

    #[test]
    fn link_local_addresses_name_their_interface() {
        let [SocketAddr::V6(address)] = addresses("fe80::1%lo", 53).unwrap()[..] else { panic!("one IPv6 address") };
        assert_ne!(address.scope_id(), 0);
        assert_eq!(addresses("fe80::1%none", 53).unwrap_err().raw_os_error(), Some(libc::ENODEV));
        assert!(addresses("localhost", 53).is_err());
    }

    #[test]
    fn the_heir_is_the_same_address_before_all_addresses() {
        let heir = |old: &str, new: &[&'static str]| heir(old.parse().unwrap(), new.iter().map(|a| (a.parse().unwrap(), *a)));
        assert_eq!(heir("127.0.0.1:53", &["[::]:53", "127.0.0.1:53"]), Some("127.0.0.1:53"));
        assert_eq!(heir("127.0.0.1:53", &["[::]:5353", "[::]:53"]), Some("[::]:53"));
        assert_eq!(heir("[::]:53", &["127.0.0.1:53"]), None);
    }
}
