//! The op `dns64`: IPv6 addresses for names that have IPv4 addresses only (RFC 6147), put together as RFC 6052 says.

use std::net::Ipv6Addr;

use crate::answer::{Answer, Aside, Rdata, Rr};
use crate::metrics::{Count, OpCounter, PlaceLabel};
use crate::way::{Other, Turn};
use crate::wire::{CLASS_IN, Flags, rcode, rtype};

/// The most seconds for addresses that are put together where no SOA says it (RFC 6147 5.1.7).
const MOST_TTL: u32 = 600;
/// Bits 64 to 71 are zero in every address with an IPv4 address inside (RFC 6052 2.2).
const ZERO: usize = 8;

/// The number of its counter.
const TRANSLATED: usize = 0;

/// The op, ready to run.
pub struct Dns64 {
    prefix: [u8; 16],
    /// Octets of the prefix.
    length: usize,
    translate_all: bool,
    allow_ipv4: bool,
}

impl Dns64 {
    /// Compiles the op; `prefix` is a network whose length is a number of octets, 32 to 96 bits.
    pub fn new(prefix: &str, translate_all: bool, allow_ipv4: bool) -> Result<Dns64, String> {
        let wrong = || format!("{prefix} is no prefix for addresses");
        let (address, bits) = prefix.split_once('/').ok_or_else(wrong)?;
        let (address, bits): (Ipv6Addr, usize) = (address.parse().map_err(|_| wrong())?, bits.parse().map_err(|_| wrong())?);
        if !(32..=96).contains(&bits) || bits % 8 != 0 {
            return Err(wrong());
        }
        Ok(Dns64 { prefix: address.octets(), length: bits / 8, translate_all, allow_ipv4 })
    }

    /// What it counts.
    pub fn counters(&self) -> Vec<OpCounter> {
        let (name, help) = ("coredns_dns64_requests_translated_total", "Questions answered with IPv6 addresses made of IPv4 addresses.");
        vec![OpCounter::new(name, help, &[PlaceLabel::Server])]
    }

    /// What is to be asked so that the answer gets addresses. None: it may stay as it is.
    pub fn wants(&self, turn: &Turn<'_>, answer: &Answer) -> Option<Other> {
        let (request, client) = (turn.request, turn.client.address.ip().to_canonical());
        let is_asked = request.qtype == rtype::AAAA && request.qclass == CLASS_IN && (self.allow_ipv4 || client.is_ipv6());
        // Any other code counts as no data (RFC 6147 5.1.2).
        if !is_asked || answer.failure.is_some() || answer.rcode == rcode::NXDOMAIN {
            return None;
        }
        if !self.translate_all && answer.answer.iter().any(|rr| rr.rtype == rtype::AAAA) {
            return None;
        }
        let mut other = Other::of(turn);
        other.request.qtype = rtype::A;
        Some(other)
    }

    /// Makes the answer to the question for A the one to the question for AAAA, whose own answer is `aside`.
    pub fn synthesise(&self, aside: &Aside, count: &mut Count<'_>, answer: &mut Answer) {
        count.one(TRANSLATED);
        // RFC 6147 5.1.7
        let most = aside.authority().iter().rev().find(|rr| rr.rtype == rtype::SOA).map_or(MOST_TTL, |soa| soa.ttl);
        for rr in &mut answer.answer {
            if let Rdata::A(v4) = rr.rdata {
                *rr = Rr { rtype: rtype::AAAA, ttl: rr.ttl.min(most), rdata: Rdata::Aaaa(self.address(v4)), ..*rr };
            }
        }
        (answer.rcode, answer.failure) = (rcode::NOERROR, None);
        answer.set_flags(Flags { tc: answer.tc, ..Flags::default() });
    }

    /// The IPv6 address for an IPv4 address (RFC 6052 2.2).
    fn address(&self, v4: [u8; 4]) -> [u8; 16] {
        let mut address = [0; 16];
        address[..self.length].copy_from_slice(&self.prefix[..self.length]);
        let places = (self.length..16).filter(|place| *place != ZERO);
        for (place, octet) in places.zip(v4) {
            address[place] = octet;
        }
        address
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(prefix: &str) -> Dns64 {
        Dns64::new(prefix, false, false).unwrap_or_else(|why| panic!("{why}"))
    }

    #[test]
    fn rfc6052_2_4_the_examples() {
        for (prefix, address) in [
            ("2001:db8::/32", "2001:db8:c000:221::"),
            ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
            ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
            ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
            ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
            ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
            ("64:ff9b::/96", "64:ff9b::192.0.2.33"),
        ] {
            assert_eq!(Ipv6Addr::from(with(prefix).address([192, 0, 2, 33])).to_string(), address.parse::<Ipv6Addr>().unwrap().to_string());
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        for prefix in ["64:ff9b::/97", "64:ff9b::/31", "64:ff9b::/44", "64:ff9b::", "192.0.2.0/24", "x/96", "::/104"] {
            assert!(Dns64::new(prefix, false, false).is_err(), "{prefix}");
        }
    }

    /// The IPv4 address inside (RFC 6052 2.3).
    fn inside(op: &Dns64, address: [u8; 16]) -> [u8; 4] {
        let octets: Vec<u8> = (op.length..16).filter(|place| *place != 8).map(|place| address[place]).take(4).collect();
        octets.try_into().unwrap()
    }

    proptest! {
        #[test]
        fn an_address_goes_there_and_back(prefix: u128, octets in 4usize..=12, v4: [u8; 4]) {
            let op = with(&format!("{}/{}", Ipv6Addr::from(prefix), 8 * octets));
            let address = op.address(v4);
            prop_assert_eq!(inside(&op, address), v4);
            prop_assert_eq!(&address[..octets], &prefix.to_be_bytes()[..octets]);
            prop_assert!(octets > 8 || address[8] == 0);
        }
    }
}
