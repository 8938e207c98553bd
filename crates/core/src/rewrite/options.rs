//! Rules about the options of a question's EDNS (RFC 6891 6.1.2).

use std::borrow::Cow;
use std::net::IpAddr;

use super::Draft;
use crate::edns::{option, options};
use crate::labels::{LabelId, Labels};
use crate::plan::{self, OptionAction, OptionData, Variable};
use crate::wire::Edns;

/// What a question's EDNS offers that had none (recorded: `rewrite-edns0-local`).
const EDNS: Edns = Edns { size: 4096, version: 0, dnssec_ok: false };
/// Address families of RFC 7871 6.
const IPV4: u16 = 1;
const IPV6: u16 = 2;

/// A rule about one option.
pub struct OptionRule {
    /// Which option.
    pub code: u16,
    /// Where an answer has no EDNS of its own, clients are told the option.
    pub is_echoed: bool,
    reverts: bool,
    action: OptionAction,
    data: Data,
}

enum Data {
    Octets(Vec<u8>),
    Variable(Variable),
    /// A label of the block's metadata, if the block knows it.
    Label(Option<LabelId>),
    Subnet {
        ipv4: u8,
        ipv6: u8,
    },
}

impl OptionRule {
    /// Compiles what the plan says; the error says what is wrong.
    pub fn new(plan: &plan::OptionChange, labels: &Labels) -> Result<OptionRule, String> {
        let data = match &plan.data {
            OptionData::Octets { hex } => Data::Octets(octets(hex).ok_or_else(|| format!("{hex} is not hexadecimal"))?),
            OptionData::Variable { variable } => Data::Variable(*variable),
            OptionData::Label { label } => Data::Label(labels.find(label)),
            OptionData::Subnet { ipv4: ..=32, ipv6: ..=128 } if plan.action == OptionAction::Unset => Data::Octets(Vec::new()),
            OptionData::Subnet { ipv4: ipv4 @ ..=32, ipv6: ipv6 @ ..=128 } => Data::Subnet { ipv4: *ipv4, ipv6: *ipv6 },
            OptionData::Subnet { ipv4, ipv6 } => return Err(format!("no address has a prefix of {ipv4} or {ipv6} bits")),
        };
        Ok(OptionRule { code: plan.code, is_echoed: plan.echo, reverts: plan.revert, action: plan.action, data })
    }

    /// Changes the question. False: the rule does not apply; it may have got an EDNS without options nevertheless, as in CoreDNS.
    pub fn apply(&self, draft: &mut Draft<'_>) -> bool {
        let Some(data) = self.data(draft) else { return false };
        draft.request.edns.get_or_insert(EDNS);
        let is_there = options(&draft.options).any(|(code, _)| code == self.code);
        let changed = match (self.action, is_there) {
            (OptionAction::Unset, _) => without(&draft.options, self.code),
            (OptionAction::Set | OptionAction::Replace, true) => with(&draft.options, self.code, &data),
            (OptionAction::Set | OptionAction::Append, false) => [&draft.options, &option(self.code, &[&data])[..]].concat(),
            (OptionAction::Append, true) | (OptionAction::Replace, false) => return false,
        };
        // What a message cannot hold is not asked.
        let fits = u16::try_from(changed.len()).is_ok();
        if fits {
            draft.options = Cow::Owned(changed);
        }
        fits
    }

    /// The options of an answer as they are without this rule, which has changed the question's: from `before`. The same, if the rule does not revert.
    pub fn take_back(&self, before: &[u8], told: Vec<u8>) -> Vec<u8> {
        match (self.reverts, options(before).find(|(code, _)| *code == self.code)) {
            (false, _) => told,
            (true, Some((_, data))) => with(&told, self.code, data),
            (true, None) => without(&told, self.code),
        }
    }

    /// What it did, for people.
    pub fn tell(&self, now: &[u8]) -> String {
        match options(now).find(|(code, _)| *code == self.code) {
            Some((code, data)) => format!("EDNS option {code} to {} octets", data.len()),
            None => format!("EDNS option {} is removed", self.code),
        }
    }

    /// None: nobody knows it.
    fn data(&self, draft: &Draft<'_>) -> Option<Cow<'_, [u8]>> {
        let client = draft.turn.client;
        Some(match &self.data {
            Data::Octets(octets) => Cow::Borrowed(octets),
            Data::Subnet { ipv4, ipv6 } => Cow::Owned(subnet(client.address.ip().to_canonical(), *ipv4, *ipv6)),
            Data::Label(label) => {
                Cow::Owned(draft.known.label((*label)?).map(|text| text.as_bytes().to_vec()).filter(|text| !text.is_empty())?)
            }
            Data::Variable(variable) => Cow::Owned(match variable {
                Variable::Qname => draft.name.text().as_bytes().to_vec(),
                Variable::Qtype => draft.request.qtype.to_be_bytes().to_vec(),
                Variable::ClientIp => address(client.address.ip()),
                Variable::ClientPort => client.address.port().to_be_bytes().to_vec(),
                Variable::Protocol => client.transport.name().as_bytes().to_vec(),
                Variable::ServerIp => address(client.local.ip()),
                Variable::ServerPort => client.local.port().to_be_bytes().to_vec(),
            }),
        })
    }
}

/// The options without those that have a code.
fn without(data: &[u8], code: u16) -> Vec<u8> {
    let kept = options(data).filter(|(found, _)| *found != code);
    kept.flat_map(|(code, data)| option(code, &[data])).collect()
}

/// The options with other data for those that have a code.
fn with(data: &[u8], code: u16, changed: &[u8]) -> Vec<u8> {
    options(data).flat_map(|(found, data)| option(found, &[if found == code { changed } else { data }])).collect()
}

fn address(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// The client's network (RFC 7871 6).
fn subnet(client: IpAddr, ipv4: u8, ipv6: u8) -> Vec<u8> {
    let (family, bits, mut octets) = match client {
        IpAddr::V4(v4) => (IPV4, ipv4, v4.octets().to_vec()),
        IpAddr::V6(v6) => (IPV6, ipv6, v6.octets().to_vec()),
    };
    octets.truncate(usize::from(bits).div_ceil(8));
    if let (Some(last), 1..) = (octets.last_mut(), bits % 8) {
        *last &= 0xff << (8 - bits % 8);
    }
    [&family.to_be_bytes()[..], &[bits, 0], &octets].concat()
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some((char::from(*high).to_digit(16)? << 4 | char::from(*low).to_digit(16)?) as u8),
        _ => None,
    });
    digits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7871_6_a_subnet_has_no_more_octets_than_its_bits_need() {
        let hex = |client: &str, ipv4, ipv6| {
            subnet(client.parse().unwrap(), ipv4, ipv6).iter().map(|octet| format!("{octet:02x}")).collect::<String>()
        };
        assert_eq!(hex("127.0.0.1", 24, 56), "000118007f0000");
        assert_eq!(hex("255.255.255.255", 9, 0), "00010900ff80");
        assert_eq!(hex("255.255.255.255", 0, 0), "00010000");
        assert_eq!(hex("255.255.255.255", 32, 0), "00012000ffffffff");
        assert_eq!(hex("2001:db8:ffff:ffff::1", 24, 56), "0002380020010db8ffffff");
        assert_eq!(hex("ffff::1", 24, 1), "0002010080");
    }

    #[test]
    fn options_are_changed_by_code() {
        let some = [option(1, &[b"a"]), option(2, &[b"b"]), option(1, &[b"c"])].concat();
        assert_eq!(without(&some, 1), option(2, &[b"b"]));
        assert_eq!(with(&some, 2, b"longer"), [option(1, &[b"a"]), option(2, &[b"longer"]), option(1, &[b"c"])].concat());
    }

    #[test]
    fn data_is_written_in_hexadecimal() {
        assert_eq!(octets("00ffA1"), Some(vec![0, 255, 0xa1]));
        assert_eq!(octets(""), Some(Vec::new()));
        assert_eq!([octets("0"), octets("0g"), octets("+1")], [None, None, None]);
    }
}
