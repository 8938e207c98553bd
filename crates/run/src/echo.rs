//! `udp-echo ADDR`: sends each datagram back, with the product's socket options and nothing else. What it costs is what the kernel
//! costs: the yardstick of the bench. One thread. Ends with the signals that end any process.

#[allow(dead_code, reason = "shared with the load client, which needs other parts of it")]
mod mmsg;

use std::net::{SocketAddr, UdpSocket};
use std::{env, io, process};

use mmsg::{Batch, With};
use socket2::{Domain, Socket, Type};

/// Both buffers, as large as the product's.
const BUFFER: usize = 1 << 20;

fn main() {
    let address = env::args().nth(1).and_then(|text| text.parse().ok());
    let Some(address) = address else {
        eprintln!("usage: udp-echo ADDRESS:PORT");
        process::exit(2);
    };
    if let Err(error) = echo(address) {
        eprintln!("udp-echo {address}: {error}");
        process::exit(1);
    }
}

/// Serves until the process ends.
fn echo(address: SocketAddr) -> io::Result<()> {
    let socket = bind(address)?;
    let every = address.ip().is_unspecified();
    if every {
        mmsg::receive_packet_info(&socket, address.is_ipv6())?;
    }
    println!("ready {}", socket.local_addr()?);
    let mut batch = Batch::new(if every { With::SenderAndPacketInfo } else { With::Sender });
    loop {
        // The errors that a datagram socket tells here belong to clients that have gone.
        if let Ok(count) = batch.receive(&socket, true) {
            let _ = batch.send_back(&socket, count);
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_port(true)?;
    socket.set_recv_buffer_size(BUFFER)?;
    socket.set_send_buffer_size(BUFFER)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}
