//! A local zone: names with data, an index of addresses for PTR, and a state.
//!
//! Readers never wait: both tables are many small immutable shards, each behind one atomic pointer; a change builds new shards for the names that it
//! touches. So a change is atomic per owner name, and there is never a second zone in memory.

mod addresses;
mod change;
mod lookup;
mod node;
mod records;
mod reply;
mod shards;
mod values;

pub use change::{Applied, ChangeError, Owner, ZoneChange, decode_change};
pub use lookup::{Found, find};
pub use node::{Address, Group, Member, MemberSet, Node, Port, RrSet, StoredRdata};
pub use records::RecordsOp;
pub use reply::{Asked, Said, ZoneOp};
pub use values::Values;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use addresses::Addresses;
use shards::Names;
use values::AddressValues;

/// One zone's data. Its names are relative, so it can be served under several origins.
pub struct Zone {
    /// Its identity in the plan.
    pub id: String,
    names: Names,
    addresses: Addresses,
    /// Most zones know nothing of addresses.
    values: OnceLock<AddressValues>,
    complete: AtomicBool,
    serial: AtomicU32,
    wildcards: AtomicUsize,
    writer: Mutex<Relist>,
}

/// The relist at hand, or the last one.
#[derive(Default)]
struct Relist {
    number: u16,
    is_open: bool,
}

impl Zone {
    /// An empty zone that is loading.
    pub fn new(id: &str) -> Zone {
        Zone {
            id: id.to_owned(),
            names: Names::default(),
            addresses: Addresses::default(),
            values: OnceLock::new(),
            complete: AtomicBool::new(false),
            serial: AtomicU32::new(0),
            wildcards: AtomicUsize::new(0),
            writer: Mutex::default(),
        }
    }

    /// Whether all data has been seen once: only then is an absent name NXDOMAIN.
    pub fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }

    /// The SOA's serial.
    pub fn serial(&self) -> u32 {
        self.serial.load(Ordering::Relaxed)
    }

    /// How many names hold data.
    pub fn owners(&self) -> usize {
        self.names.len()
    }

    /// Whether any name begins with `*`.
    fn has_wildcards(&self) -> bool {
        self.wildcards.load(Ordering::Relaxed) > 0
    }

    /// What the relative name (lower case) holds.
    fn node(&self, relative: &[u8]) -> Option<Arc<Node>> {
        self.names.get(relative)
    }

    /// The nodes that have `address`, those that own it first.
    fn nodes_of(&self, address: u128) -> Vec<Arc<Node>> {
        self.addresses.owners(address).iter().filter_map(|owner| self.names.get(owner)).collect()
    }

    /// What is known of whoever has an address.
    pub fn values_of(&self, address: IpAddr) -> Option<Arc<Values>> {
        self.values.get()?.get(address)
    }

    /// Applies a transaction; what equals what is held is dropped. Names that make no sense are reported and skipped, the rest is applied.
    pub fn apply(&self, change: &ZoneChange<'_>) -> Applied {
        let mut relist = self.writer.lock().unwrap_or_else(|poison| poison.into_inner());
        if change.begins || change.replace && !relist.is_open {
            relist.number = relist.number.wrapping_add(1);
        }
        relist.is_open = (relist.is_open || change.begins) && !change.replace;
        let mut applied = Applied::default();
        let mut nodes = Vec::with_capacity(change.owners.len());
        for owner in &change.owners {
            match Node::build(owner) {
                Ok((node, complaints)) => {
                    applied.problems.extend(complaints);
                    node.relist.set(relist.number);
                    nodes.push(node);
                }
                Err(complaint) => applied.problems.push(complaint),
            }
        }
        let mut exchanges = self.names.replace(nodes);
        if change.replace {
            let gone = self.names.not_named_by(relist.number);
            exchanges.extend(self.names.replace(gone.into_iter().map(Node::empty).collect()));
        }
        for (old, new) in &exchanges {
            applied.changed += 1;
            let holder = new.as_deref().or(old.as_deref()).map(Node::is_wildcard);
            if holder == Some(true) {
                let delta = isize::from(new.is_some()) - isize::from(old.is_some());
                self.wildcards.fetch_add(delta as usize, Ordering::Relaxed);
            }
        }
        self.addresses.exchange(&exchanges);
        self.exchange_values(change, relist.number, &mut applied);
        if applied.changed > 0 || change.complete != self.is_complete() {
            self.serial.store(change.serial, Ordering::Relaxed);
        }
        if change.complete {
            self.complete.store(true, Ordering::Release);
        }
        applied
    }

    fn exchange_values(&self, change: &ZoneChange<'_>, relist: u16, applied: &mut Applied) {
        if !change.addresses.is_empty() {
            self.values.get_or_init(AddressValues::default).put(&change.addresses, relist, &mut |what| applied.problems.push(what));
        }
        if let Some(values) = self.values.get().filter(|_| change.replace) {
            values.keep_named_by(relist);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::rtype;

    #[test]
    fn readers_see_a_name_as_it_was_before_a_change_or_after_it() {
        let zone = Zone::new("z");
        let generations = ["1", "2"].map(|generation| {
            let texts: Vec<String> = (0..50).map(|at| format!("10.{generation}.0.{at}")).collect();
            let rdata: Vec<&str> = texts.iter().map(String::as_str).collect();
            rmp_serde::to_vec(&([("web", 0, [("rrset", rtype::A, 5, rdata)], [0u16; 0])], 1, generation == "1", true)).unwrap()
        });
        let apply = |generation: usize| zone.apply(&decode_change(&generations[generation]).unwrap());
        apply(0);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        let node = zone.node(b"\x03web").expect("the name is always there");
                        let rdata = &node.rrset(rtype::A).unwrap().rdata;
                        let generation = |at: usize| matches!(rdata[at], StoredRdata::A([_, 1, ..]));
                        assert!(rdata.len() == 50 && (1..50).all(|at| generation(at) == generation(0)));
                    }
                });
            }
            let changed: usize = (0..2000).map(|at| apply((at + 1) % 2).changed).sum();
            done.store(true, Ordering::Relaxed);
            assert_eq!(changed, 2000);
        });
    }
}
