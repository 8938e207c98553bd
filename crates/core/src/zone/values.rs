//! What a zone knows of whoever has an address: a table of small shards, each replaced whole, read without a lock.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;

use super::change::AddressLabels;
use super::node::number_of;

const SHARDS: usize = 256;

/// The values of an address, by their place; nothing where nothing is known.
pub type Values = [Option<Box<str>>];

/// Sorted by address.
type Shard = Box<[Entry]>;

#[derive(Clone)]
struct Entry {
    address: u128,
    values: Arc<Values>,
    /// The relist that mentioned it last.
    relist: u16,
}

/// Addresses to values.
pub struct AddressValues {
    shards: Box<[ArcSwap<Shard>]>,
    hasher: RandomState,
}

impl Default for AddressValues {
    fn default() -> AddressValues {
        AddressValues { shards: (0..SHARDS).map(|_| ArcSwap::from_pointee(Shard::default())).collect(), hasher: RandomState::default() }
    }
}

impl AddressValues {
    /// What is known of an address.
    pub fn get(&self, address: IpAddr) -> Option<Arc<Values>> {
        let number = number_of(&address);
        let shard = self.shards[self.shard_of(number)].load();
        let at = shard.binary_search_by_key(&number, |entry| entry.address).ok()?;
        Some(Arc::clone(&shard[at].values))
    }

    /// Takes rows that a relist mentions; rows without values are removed. Those that are no address are told.
    pub fn put(&self, rows: &[AddressLabels<'_>], relist: u16, complain: &mut dyn FnMut(String)) {
        let mut by_shard: Vec<Vec<Entry>> = vec![Vec::new(); SHARDS];
        for AddressLabels(text, values) in rows {
            match text.parse::<IpAddr>() {
                Ok(address) => {
                    let address = number_of(&address.to_canonical());
                    let values = values.iter().map(|value| value.map(Into::into)).collect();
                    by_shard[self.shard_of(address)].push(Entry { address, values, relist });
                }
                Err(_) => complain(format!("{text} is no address")),
            }
        }
        for (shard, rows) in self.shards.iter().zip(by_shard).filter(|(_, rows)| !rows.is_empty()) {
            let mut entries = shard.load().to_vec();
            for row in rows {
                match (entries.binary_search_by_key(&row.address, |entry| entry.address), row.values.is_empty()) {
                    (Ok(at), true) => drop(entries.remove(at)),
                    (Ok(at), false) => entries[at] = row,
                    (Err(at), false) => entries.insert(at, row),
                    (Err(_), true) => {}
                }
            }
            shard.store(Arc::new(entries.into()));
        }
    }

    /// Removes the rows that a relist has not mentioned.
    pub fn keep_named_by(&self, relist: u16) {
        for shard in &self.shards {
            let before = shard.load();
            if before.iter().any(|entry| entry.relist != relist) {
                shard.store(Arc::new(before.iter().filter(|entry| entry.relist == relist).cloned().collect()));
            }
        }
    }

    fn shard_of(&self, address: u128) -> usize {
        self.hasher.hash_one(address) as usize % SHARDS
    }
}
