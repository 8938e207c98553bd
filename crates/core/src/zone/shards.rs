//! The table of names: 1,024 small sorted shards, each replaced whole.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;

use super::node::Node;

const SHARDS: usize = 1024;

/// Nodes by the hash of their name; ties stand next to each other.
type Shard = Box<[(u64, Arc<Node>)]>;

/// What a name held before, and what it holds now.
pub type Exchange = (Option<Arc<Node>>, Option<Arc<Node>>);

/// Relative names (lower case) to nodes.
pub struct Names {
    shards: Box<[ArcSwap<Shard>]>,
    hasher: RandomState,
    length: AtomicUsize,
}

impl Default for Names {
    fn default() -> Names {
        Names {
            shards: (0..SHARDS).map(|_| ArcSwap::from_pointee(Shard::default())).collect(),
            hasher: RandomState::default(),
            length: AtomicUsize::new(0),
        }
    }
}

impl Names {
    pub fn len(&self) -> usize {
        self.length.load(Ordering::Relaxed)
    }

    pub fn get(&self, name: &[u8]) -> Option<Arc<Node>> {
        let hash = self.hasher.hash_one(name);
        let shard = self.shards[hash as usize % SHARDS].load();
        position(&shard, hash, name).ok().map(|at| Arc::clone(&shard[at].1))
    }

    /// The names that the relist has not mentioned.
    pub fn not_named_by(&self, relist: u16) -> Vec<Arc<[u8]>> {
        let of_shard = |shard: &ArcSwap<Shard>| {
            let shard = shard.load();
            let missed = shard.iter().filter(|(_, node)| node.relist.get() != relist);
            missed.map(|(_, node)| Arc::clone(&node.name)).collect::<Vec<_>>()
        };
        self.shards.iter().flat_map(of_shard).collect()
    }

    /// Puts nodes in the place of what their names held; nodes without data remove. Returns what really changed: (old, new).
    pub fn replace(&self, mut nodes: Vec<Node>) -> Vec<Exchange> {
        let place = |node: &Node| self.hasher.hash_one(&*node.name);
        nodes.sort_by_cached_key(|node| place(node) as usize % SHARDS);
        let mut changes = Vec::new();
        let mut nodes = nodes.into_iter().peekable();
        while let Some(first) = nodes.next() {
            let at = place(&first) as usize % SHARDS;
            let mut group = vec![first];
            while let Some(node) = nodes.next_if(|node| place(node) as usize % SHARDS == at) {
                group.push(node);
            }
            self.replace_in_shard(at, group, &mut changes);
        }
        changes
    }

    fn replace_in_shard(&self, at: usize, nodes: Vec<Node>, changes: &mut Vec<Exchange>) {
        let mut entries: Vec<(u64, Arc<Node>)> = self.shards[at].load().to_vec();
        let before = changes.len();
        for mut node in nodes {
            let hash = self.hasher.hash_one(&*node.name);
            let place = position(&entries, hash, &node.name);
            match (place, node.holds_data()) {
                (Ok(place), true) => {
                    if *entries[place].1 == node {
                        entries[place].1.relist.set(node.relist.get());
                        continue;
                    }
                    // The index of addresses holds the name: keep one copy of it.
                    node.name = Arc::clone(&entries[place].1.name);
                    let new = Arc::new(node);
                    let old = std::mem::replace(&mut entries[place].1, Arc::clone(&new));
                    changes.push((Some(old), Some(new)));
                }
                (Ok(place), false) => {
                    let (_, old) = entries.remove(place);
                    self.length.fetch_sub(1, Ordering::Relaxed);
                    changes.push((Some(old), None));
                }
                (Err(place), true) => {
                    let new = Arc::new(node);
                    entries.insert(place, (hash, Arc::clone(&new)));
                    self.length.fetch_add(1, Ordering::Relaxed);
                    changes.push((None, Some(new)));
                }
                (Err(_), false) => {}
            }
        }
        if changes.len() > before {
            self.shards[at].store(Arc::new(entries.into()));
        }
    }
}

/// Where `name` stands in a shard, or where it would.
fn position(shard: &[(u64, Arc<Node>)], hash: u64, name: &[u8]) -> Result<usize, usize> {
    let mut at = shard.partition_point(|(other, _)| *other < hash);
    while at < shard.len() && shard[at].0 == hash {
        if *shard[at].1.name == *name {
            return Ok(at);
        }
        at += 1;
    }
    Err(at)
}
