//! The parameters of SVCB and HTTPS records (RFC 9460 2.1, 7): `alpn=h2,h3 port=8443`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::fields::{number, push_string, unescape};

const MANDATORY: u16 = 0;

/// Keys by name; any other one is `keyNUMBER`.
const KEYS: &[(&str, u16)] =
    &[("mandatory", MANDATORY), ("alpn", 1), ("no-default-alpn", 2), ("port", 3), ("ipv4hint", 4), ("ipv6hint", 6), ("dohpath", 7)];

/// Adds the parameters in the order of their keys. None where one is wrong, there twice, or mandatory and not there.
pub fn write(params: &[(&str, Option<&str>)], data: &mut Vec<u8>) -> Option<()> {
    let mut written = Vec::new();
    for (name, value) in params {
        let key = key_of(name)?;
        written.push((key, value_of(key, value.map(unescape).map_or(Some(None), |text| text.map(Some))?)?));
    }
    written.sort();
    let is_there = |key: &[u8]| written.iter().any(|(other, _)| other.to_be_bytes() == key);
    let mandatory = written.iter().filter(|(key, _)| *key == MANDATORY).all(|(_, keys)| keys.chunks(2).all(is_there));
    if !mandatory || written.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return None;
    }
    for (key, value) in written {
        data.extend(key.to_be_bytes());
        data.extend(u16::try_from(value.len()).ok()?.to_be_bytes());
        data.extend(value);
    }
    Some(())
}

fn key_of(name: &str) -> Option<u16> {
    let known = KEYS.iter().find(|(known, _)| *known == name).map(|(_, key)| *key);
    known.or_else(|| name.strip_prefix("key").and_then(number))
}

fn value_of(key: u16, value: Option<Vec<u8>>) -> Option<Vec<u8>> {
    let items = || value.as_deref().filter(|value| !value.is_empty()).map(|value| value.split(|&octet| octet == b','));
    let text = |octets: &[u8]| std::str::from_utf8(octets).ok().map(str::to_owned);
    let mut data = Vec::new();
    match key {
        MANDATORY => {
            let mut keys = items()?.map(|name| key_of(&text(name)?).filter(|key| *key != MANDATORY)).collect::<Option<Vec<u16>>>()?;
            keys.sort_unstable();
            data.extend(keys.iter().flat_map(|key| key.to_be_bytes()));
        }
        1 => items()?.try_for_each(|protocol| push_string(&mut data, Some(protocol).filter(|protocol| !protocol.is_empty())?))?,
        2 => return value.is_none().then_some(data),
        3 => data.extend(number::<u16>(&text(value.as_deref()?)?)?.to_be_bytes()),
        4 => items()?.try_for_each(|address| text(address)?.parse::<Ipv4Addr>().ok().map(|address| data.extend(address.octets())))?,
        6 => items()?.try_for_each(|address| text(address)?.parse::<Ipv6Addr>().ok().map(|address| data.extend(address.octets())))?,
        _ => data = value.unwrap_or_default(),
    }
    Some(data)
}
