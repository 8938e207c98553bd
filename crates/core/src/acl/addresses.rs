//! Which rules an address meets: the address space cut into ranges, so that a question costs one search, however many networks there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use super::Rule;
use crate::network::{Network, bits};

/// For each family, the ranges and what is in them.
pub struct Addresses {
    v4: Ranges,
    v6: Ranges,
    /// Rows of rules, each kept once.
    rows: Vec<Box<[u32]>>,
}

/// Where each range begins, ascending from zero, and which row is its own.
#[derive(Default)]
struct Ranges {
    starts: Vec<u128>,
    rows: Vec<u32>,
}

impl Addresses {
    /// Cuts the address space at the ends of all networks.
    pub fn new(rules: &[Rule]) -> Addresses {
        let mut rows = Rows { known: HashMap::new(), rules };
        let (v4, v6) = (rows.ranges(true), rows.ranges(false));
        let mut ordered = vec![Box::default(); rows.known.len()];
        for (row, number) in rows.known {
            ordered[number as usize] = row;
        }
        Addresses { v4, v6, rows: ordered }
    }

    /// The numbers of the rules that could decide about an address, the first one first.
    pub fn rules_of(&self, address: IpAddr) -> &[u32] {
        let ranges = if address.is_ipv4() { &self.v4 } else { &self.v6 };
        let at = ranges.starts.partition_point(|start| *start <= bits(address)) - 1;
        &self.rows[ranges.rows[at] as usize]
    }
}

struct Rows<'a> {
    known: HashMap<Box<[u32]>, u32>,
    rules: &'a [Rule],
}

impl Rows<'_> {
    fn ranges(&mut self, is_v4: bool) -> Ranges {
        // What begins and ends at an address; the first range begins at zero.
        let mut cuts = BTreeMap::from([(0, Vec::new())]);
        for (number, rule) in (0..).zip(self.rules) {
            let (all, first, last) = (rule.networks.is_empty(), 0, u128::MAX);
            let everywhere = all.then_some(Network { is_v4, first, last });
            for network in everywhere.iter().chain(&rule.networks).filter(|network| network.is_v4 == is_v4) {
                cuts.entry(network.first).or_default().push((number, 1));
                if let Some(behind) = network.last.checked_add(1) {
                    cuts.entry(behind).or_default().push((number, -1));
                }
            }
        }
        // How many networks of each rule the range is in.
        let mut inside = BTreeMap::<u32, i32>::new();
        let mut ranges = Ranges::default();
        for (start, changes) in cuts {
            for (number, change) in changes {
                let count = inside.entry(number).or_default();
                *count += change;
                if *count == 0 {
                    inside.remove(&number);
                }
            }
            let row = self.row(inside.keys());
            if ranges.rows.last() != Some(&row) {
                ranges.starts.push(start);
                ranges.rows.push(row);
            }
        }
        ranges
    }

    /// The number of the row of these rules, without those that never decide.
    fn row<'r>(&mut self, numbers: impl Iterator<Item = &'r u32>) -> u32 {
        let (mut row, mut decided) = (Vec::new(), BTreeSet::new());
        for &number in numbers {
            let types = &self.rules[number as usize].types;
            let is_new = types.is_empty() || types.iter().any(|rtype| decided.insert(*rtype));
            decided.extend(types);
            if is_new {
                row.push(number);
            }
            if types.is_empty() {
                break;
            }
        }
        let next = self.known.len() as u32;
        *self.known.entry(row.into()).or_insert(next)
    }
}
