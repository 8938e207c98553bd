//! The op `whoami`: tells clients how they are seen.

use std::net::IpAddr;

use crate::answer::{Answer, Rdata, Rr};
use crate::client::Transport;
use crate::way::Turn;
use crate::wire::rtype;

/// The client's address and port as records in the additional section.
pub fn whoami(turn: &Turn<'_>, answer: &mut Answer) {
    let (client, asked) = (turn.client, &turn.asked);
    let (rtype, rdata) = match client.address.ip() {
        IpAddr::V4(v4) => (rtype::A, Rdata::A(v4.octets())),
        IpAddr::V6(v6) => (rtype::AAAA, Rdata::Aaaa(v6.octets())),
    };
    let label: &[u8] = match client.transport {
        Transport::Udp => b"_udp",
        Transport::Tcp => b"_tcp",
    };
    answer.aa = true;
    answer.additional.push(Rr::new(asked.owner, rtype, 0, rdata));
    // A name that has no room for one more label has no SRV.
    if let Some(owner) = answer.join_below(label, &[asked.name]) {
        let target = answer.intern(&[b"\0"]);
        let srv = Rdata::Srv { weight: 0, port: client.address.port(), target };
        answer.additional.push(Rr::new(owner, rtype::SRV, 0, srv));
    }
}
