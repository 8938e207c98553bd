//! Networks: `10.0.0.0/8`, `fd00::/8`. An IPv4 address is in no IPv6 network, however the socket wrote it.

use std::net::IpAddr;

/// All addresses with the same first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// It is one of IPv4.
    pub is_v4: bool,
    /// Its first address.
    pub first: u128,
    /// Its last address.
    pub last: u128,
}

impl Network {
    /// A network from its text; bits behind the prefix are dropped.
    pub fn parse(text: &str) -> Result<Network, String> {
        let wrong = || format!("{text} is no network");
        let (address, length) = text.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let length: u32 = length.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32u32 } else { 128 };
        let behind = most.checked_sub(length).ok_or_else(wrong)?;
        let inside = 1u128.checked_shl(behind).map_or(u128::MAX, |addresses| addresses - 1);
        let first = bits(address) & !inside;
        Ok(Network { is_v4: address.is_ipv4(), first, last: first | inside })
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.is_v4 == address.is_ipv4() && (self.first..=self.last).contains(&bits(address))
    }
}

/// An address as a number.
pub fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_with_its_first_bits() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("10.1.2.3/31", "10.1.2.2", "10.1.2.4"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("::/0", "ffff::", "0.0.0.0"),
            ("fd00::1/128", "fd00::1", "fd00::2"),
            ("fd00::/7", "fcff::", "fe00::"),
        ] {
            let network = Network::parse(network).unwrap();
            assert!(network.contains(inside.parse().unwrap()) && !network.contains(outside.parse().unwrap()), "{network:?}");
        }
    }

    #[test]
    fn what_is_no_network_is_told() {
        for text in ["", "10.0.0.0", "10.0.0.0/33", "fd00::/129", "10.0.0.0/x", "10.0.0.0/-1", "x/8"] {
            assert_eq!(Network::parse(text), Err(format!("{text} is no network")));
        }
    }
}
