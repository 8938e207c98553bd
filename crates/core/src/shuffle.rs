//! The op `shuffle`: the order of the records of an answer, on the way out.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::answer::{Answer, Rdata, Rr};
use crate::name;
use crate::network::Network;
use crate::random::Random;
use crate::wire::rtype;

/// Orders addresses on the way out.
pub struct Shuffle {
    prefer: Vec<Network>,
    weights: HashMap<Box<[u8]>, Vec<(IpAddr, u32)>>,
}

impl Shuffle {
    /// Compiles the op; the error names what cannot be read.
    pub fn new(prefer: &[String], weights: &BTreeMap<String, BTreeMap<String, u32>>) -> Result<Shuffle, String> {
        let weights = weights.iter().map(|(owner, weights)| {
            let owner = name::absolute_lower(owner).map_err(|why| format!("{owner} {why}"))?;
            let weights = weights.iter().map(|(address, &weight)| {
                let address = address.parse().map_err(|_| format!("{address} is no address"))?;
                Ok::<_, String>((address, weight))
            });
            Ok::<_, String>((owner, weights.collect::<Result<_, _>>()?))
        });
        let prefer = prefer.iter().map(|text| Network::parse(text)).collect::<Result<_, _>>()?;
        Ok(Shuffle { prefer, weights: weights.collect::<Result<_, _>>()? })
    }

    /// CNAME records first, then the rest, then addresses and MX in random order (RFC 1794).
    pub fn apply(&self, answer: &mut Answer, random: &mut Random) {
        let mut sections =
            [std::mem::take(&mut answer.answer), std::mem::take(&mut answer.authority), std::mem::take(&mut answer.additional)];
        for section in &mut sections {
            if section.len() > 1 {
                self.order(section, answer, random);
            }
        }
        [answer.answer, answer.authority, answer.additional] = sections;
    }

    fn order(&self, section: &mut [Rr], answer: &Answer, random: &mut Random) {
        let rank = |rr: &Rr| match rr.rtype {
            rtype::CNAME => 0,
            rtype::A | rtype::AAAA => 2,
            rtype::MX => 3,
            _ => 1,
        };
        if section.iter().any(|rr| rank(rr) != 2) {
            section.sort_by_key(rank);
        }
        for run in section.chunk_by_mut(|a, b| rank(a) == rank(b)) {
            match rank(&run[0]) {
                2 => {
                    if !self.weigh(run, answer, random) {
                        random.shuffle(run);
                    }
                    self.put_preferred_first(run);
                }
                3 => random.shuffle(run),
                _ => {}
            }
        }
    }

    /// Draws the first address by weight, where the owner has weights; the others keep their places (recorded: `loadbalance-weighted`).
    fn weigh(&self, run: &mut [Rr], answer: &Answer, random: &mut Random) -> bool {
        if self.weights.is_empty() {
            return false;
        }
        let owner = answer.name(run[0].owner).to_ascii_lowercase();
        let Some(weights) = self.weights.get(&*owner) else { return false };
        let weight = |rr: &Rr| {
            let address = address_of(rr);
            weights.iter().find(|(known, _)| Some(*known) == address).map_or(1, |(_, weight)| *weight)
        };
        let total: u64 = run.iter().map(|rr| u64::from(weight(rr))).sum();
        if total == 0 {
            return false;
        }
        let mut left = random.below(total);
        for at in 0..run.len() {
            let share = u64::from(weight(&run[at]));
            if left < share {
                run.swap(0, at);
                break;
            }
            left -= share;
        }
        true
    }

    /// Addresses within the first network that has any come before the others.
    fn put_preferred_first(&self, run: &mut [Rr]) {
        for network in &self.prefer {
            let is_within = |rr: &Rr| address_of(rr).is_some_and(|address| network.contains(address));
            if run.iter().any(is_within) {
                run.sort_by_key(|rr| !is_within(rr));
                return;
            }
        }
    }
}

fn address_of(rr: &Rr) -> Option<IpAddr> {
    match rr.rdata {
        Rdata::A(octets) => Some(octets.into()),
        Rdata::Aaaa(octets) => Some(octets.into()),
        _ => None,
    }
}
