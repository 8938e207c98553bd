//! The index from addresses to the names that have them, for PTR.

use std::hash::BuildHasher;
use std::sync::Arc;

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;

use super::node::Node;

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

    /// Follows the replacement of a node: only addresses that came or went are touched.
    pub fn exchange(&self, old: Option<&Node>, new: Option<&Node>) {
        let entries = |node: Option<&Node>| {
            let mut entries: Vec<Entry> = node.map_or_else(Vec::new, |node| {
                node.addresses().map(|(address, member)| Entry { address, member, owner: Arc::clone(&node.name) }).collect()
            });
            entries.sort_by(|a, b| a.key().cmp(&b.key()));
            entries.dedup_by(|a, b| a.key() == b.key());
            entries
        };
        let (old, new) = (entries(old), entries(new));
        let missing_in = |others: &[Entry], entry: &Entry| others.binary_search_by(|other| other.key().cmp(&entry.key())).is_err();
        let gone = old.iter().filter(|entry| missing_in(&new, entry)).map(|entry| (false, entry.clone()));
        let came = new.iter().filter(|entry| missing_in(&old, entry)).map(|entry| (true, entry.clone()));
        let mut changes: Vec<(bool, Entry)> = gone.chain(came).collect();
        changes.sort_by_key(|(_, entry)| self.shard_of(entry.address));
        for group in changes.chunk_by(|(_, a), (_, b)| self.shard_of(a.address) == self.shard_of(b.address)) {
            let slot = &self.shards[self.shard_of(group[0].1.address)];
            let mut entries = slot.load().to_vec();
            for (came, entry) in group {
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
