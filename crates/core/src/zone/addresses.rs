//! The index from addresses to the names that have them, for PTR.

use std::hash::BuildHasher;
use std::sync::Arc;

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;

use super::node::Node;
use super::shards::Exchange;

const SHARDS: usize = 1024;

/// Sorted by address, owners of the address before those whose member has it.
type Shard = Box<[Entry]>;

#[derive(Clone)]
struct Entry {
    address: u128,
    member: bool,
    owner: Arc<[u8]>,
}

impl Entry {
    fn key(&self) -> (u128, bool, &[u8]) {
        (self.address, self.member, &self.owner)
    }
}

/// IPv6 addresses, and IPv4 ones as they are mapped into IPv6, to owner names.
pub struct Addresses {
    shards: Box<[ArcSwap<Shard>]>,
    hasher: RandomState,
}

impl Default for Addresses {
    fn default() -> Addresses {
        Addresses { shards: (0..SHARDS).map(|_| ArcSwap::from_pointee(Shard::default())).collect(), hasher: RandomState::default() }
    }
}

impl Addresses {
    /// The names that PTR of the address leads to: the first one that owns it, else all that have it as a member's.
    pub fn owners(&self, address: u128) -> Vec<Arc<[u8]>> {
        let shard = self.shards[self.shard_of(address)].load();
        let first = shard.partition_point(|entry| entry.address < address);
        let same = shard[first..].iter().take_while(|entry| entry.address == address);
        let mut owners = Vec::new();
        for entry in same {
            owners.push(Arc::clone(&entry.owner));
            if !entry.member {
                break;
            }
        }
        owners
    }

    /// Follows the replacement of nodes: only addresses that came or went are touched, each shard once.
    pub fn exchange(&self, exchanges: &[Exchange]) {
        let mut changes: Vec<(usize, bool, Entry)> = Vec::new();
        for (old, new) in exchanges {
            let (old, new) = (entries(old.as_deref()), entries(new.as_deref()));
            let missing_in = |others: &[Entry], entry: &Entry| others.binary_search_by(|other| other.key().cmp(&entry.key())).is_err();
            for (came, these, others) in [(false, &old, &new), (true, &new, &old)] {
                changes.extend(
                    these.iter().filter(|entry| missing_in(others, entry)).map(|entry| (self.shard_of(entry.address), came, entry.clone())),
                );
            }
        }
        // Stable: where two names exchange an address in one transaction, the order of the transaction stays.
        changes.sort_by_key(|(shard, ..)| *shard);
        for group in changes.chunk_by(|(a, ..), (b, ..)| a == b) {
            let slot = &self.shards[group[0].0];
            let mut entries = Vec::with_capacity(slot.load().len() + group.len());
            entries.extend_from_slice(&slot.load());
            for (_, came, entry) in group {
                match (entries.binary_search_by(|other| other.key().cmp(&entry.key())), came) {
                    (Err(at), true) => entries.insert(at, entry.clone()),
                    (Ok(at), false) => drop(entries.remove(at)),
                    (Ok(_), true) | (Err(_), false) => {}
                }
            }
            slot.store(Arc::new(entries.into()));
        }
    }

    fn shard_of(&self, address: u128) -> usize {
        self.hasher.hash_one(address) as usize % SHARDS
    }
}

/// A node's addresses, sorted, each once.
fn entries(node: Option<&Node>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = node.map_or_else(Vec::new, |node| {
        node.addresses().map(|(address, member)| Entry { address, member, owner: Arc::clone(&node.name) }).collect()
    });
    entries.sort_by(|a, b| a.key().cmp(&b.key()));
    entries.dedup_by(|a, b| a.key() == b.key());
    entries
}
