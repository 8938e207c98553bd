//! The op `cache`: answers that came from elsewhere, kept for later. Shared by all threads, in shards behind a lock each.
//!
//! Bounded twice: by entries, as configured, and by octets. What must go is drawn by lot, stale entries first.

mod bailiwick;
mod kept;
mod op;
mod rules;
mod sharing;
mod tell;

pub use kept::Kept;
pub use op::{CacheOp, Found, Lead};
pub use rules::{Class, Judgement};

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::client::Ticket;
use crate::mailbox::{Letter, Mailbox};
use crate::name::is_under;
use crate::plan;
use crate::random::Random;

const SHARDS: usize = 64;
/// Octets per entry of the capacity: a full cache of large answers holds fewer entries.
const BYTES_PER_ENTRY: usize = 1024;
/// A shard may always hold this much, so that one large answer finds room in a small cache.
const LEAST_BYTES: usize = 160 * 1024;
/// Entries that are looked at to find a stale one before one is drawn.
const DRAWS: usize = 4;
/// A question that was asked this long ago will not be answered: the next one asks anew.
const FLIGHT_LOST: Duration = Duration::from_secs(8);

/// What entries are kept by: name, type, class, DO and CD.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    hash: u64,
    /// Type, class, DO, CD in one number.
    bits: u64,
    lower: &'a [u8],
}

/// The answers of one block's zone.
pub struct Cache {
    /// Its identity in the plan.
    pub id: String,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    /// Entries that a shard holds of each kind: success, denial.
    capacity: [usize; 2],
    /// How often names got another way behind it: what was asked on the old way is not kept any more.
    epoch: AtomicU64,
    /// Something was kept once.
    used: AtomicBool,
}

#[derive(Default)]
struct Shard {
    /// Places by hash: the entry's number, and the kind in the lowest bit.
    index: HashTable<u32>,
    kinds: [Vec<Entry>; 2],
    bytes: [usize; 2],
    flights: Vec<Flight>,
    random: u64,
}

struct Entry {
    hash: u64,
    bits: u64,
    kept: Arc<Kept>,
}

/// A question that somebody is asking, and those who wait for the answer.
struct Flight {
    number: u64,
    hash: u64,
    key: FlightKey,
    since: Duration,
    waiters: Vec<(Arc<Mailbox>, Ticket)>,
}

/// Questions that get the same reply: besides the entry's key, whatever changes what goes upstream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlightKey {
    /// The name, lower case.
    pub lower: Box<[u8]>,
    /// Type, class, DO, CD in one number.
    pub bits: u64,
    /// RD, the transport, which EDNS options there are, and the size that the client takes.
    pub how: u32,
    /// The way behind the cache.
    pub epoch: u64,
}

/// Who asks, of those who want to know the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Joined {
    /// The caller; the number is for [`Cache::land`].
    Leads(u64),
    /// Somebody does already; the answer comes by letter.
    Waits,
}

/// What a cache holds.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Held {
    /// Entries: success, denial.
    pub entries: [u64; 2],
    /// Octets of all of them.
    pub bytes: u64,
}

/// What entries with records are counted as.
pub const SUCCESS: &str = "success";
/// What entries are counted as that say what does not exist.
pub const DENIAL: &str = "denial";

impl Cache {
    /// An empty cache as the op describes it.
    pub fn new(op: &plan::CacheOp) -> Cache {
        let part = |class: &plan::CacheClass| (class.capacity as usize).div_ceil(SHARDS).max(1);
        let hasher = RandomState::default();
        let shard = |number: usize| Mutex::new(Shard { random: hasher.hash_one(number), ..Shard::default() });
        let (shards, capacity) = ((0..SHARDS).map(shard).collect(), [part(&op.success), part(&op.denial)]);
        Cache { id: op.id.clone(), shards, hasher, capacity, epoch: AtomicU64::new(0), used: AtomicBool::new(false) }
    }

    /// The key of a question; `lower` is its name in lower case.
    pub fn key<'a>(&self, lower: &'a [u8], qtype: u16, qclass: u16, dnssec_ok: bool, cd: bool) -> Key<'a> {
        let bits = u64::from(qtype) << 32 | u64::from(qclass) << 16 | u64::from(dnssec_ok) << 1 | u64::from(cd);
        let mut hasher = self.hasher.build_hasher();
        hasher.write(lower);
        hasher.write_u64(bits);
        Key { hash: hasher.finish(), bits, lower }
    }

    /// What is kept under a key, if it is not older than `window` beyond its time.
    #[inline]
    pub fn look<T>(&self, key: &Key<'_>, now: Duration, window: u32, take: impl FnOnce(&Arc<Kept>, i64) -> T) -> Option<T> {
        let shard = self.shard(key.hash);
        let found = shard.place(key).map(|place| &shard.kinds[kind_of(place)][number_of(place)].kept);
        let found = found.map(|kept| (kept, kept.left(now))).filter(|(_, left)| *left > 0 || -*left < i64::from(window));
        found.map(|(kept, left)| take(kept, left))
    }

    /// Keeps an answer in the place of what is there. A failure does not replace an answer that can still be used. Returns how many
    /// others had to go for it.
    pub fn store(&self, key: &Key<'_>, kept: &Arc<Kept>, now: Duration, window: u32, prefer_positive: bool) -> u64 {
        let mut shard = self.shard(key.hash);
        if let Some(place) = shard.place(key) {
            let old = &shard.kinds[kind_of(place)][number_of(place)].kept;
            if old.comes_before(kept.class, kept.answering, now, window, prefer_positive) {
                return 0;
            }
            kept.inherit_hits(old);
            shard.remove(place);
        }
        let kind = kind(kept.class);
        let limit = (self.capacity[kind] * BYTES_PER_ENTRY).max(LEAST_BYTES);
        if kept.bytes() > limit {
            return 0;
        }
        let mut evicted = 0;
        while shard.kinds[kind].len() >= self.capacity[kind] || shard.bytes[kind] + kept.bytes() > limit {
            shard.evict(kind, now);
            evicted += 1;
        }
        shard.insert(kind, Entry { hash: key.hash, bits: key.bits, kept: Arc::clone(kept) });
        self.used.store(true, Ordering::Relaxed);
        evicted
    }

    /// Joins those who ask the same question; the first of them asks it.
    pub fn join(&self, key: FlightKey, now: Duration, mailbox: &Arc<Mailbox>, ticket: Ticket) -> Joined {
        let hash = self.hasher.hash_one(&*key.lower);
        let mut shard = self.shard(hash);
        let known = shard.flights.iter_mut().find(|flight| flight.hash == hash && flight.key == key);
        match known {
            Some(flight) if now.saturating_sub(flight.since) < FLIGHT_LOST => {
                flight.waiters.push((Arc::clone(mailbox), ticket));
                Joined::Waits
            }
            Some(flight) => {
                flight.since = now;
                Joined::Leads(flight.number)
            }
            None => {
                let number = shard.next_random();
                shard.flights.push(Flight { number, hash, key, since: now, waiters: Vec::new() });
                Joined::Leads(number)
            }
        }
    }

    /// Gives what a question's leader got to all who wait for it.
    pub fn land(&self, lower: &[u8], number: u64, kept: &Arc<Kept>) {
        let hash = self.hasher.hash_one(lower);
        let mut shard = self.shard(hash);
        let Some(at) = shard.flights.iter().position(|flight| flight.number == number) else { return };
        let flight = shard.flights.swap_remove(at);
        drop(shard);
        for (mailbox, ticket) in flight.waiters {
            mailbox.post(Letter::Kept(ticket, Arc::clone(kept)));
        }
    }

    /// How often names got another way behind it.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// From now on names have another way behind it.
    pub fn begin_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Forgets what is kept about names under `zone`.
    pub fn forget_under(&self, zone: &[u8]) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            for kind in 0..2 {
                let mut at = 0;
                while at < shard.kinds[kind].len() {
                    if is_under(shard.kinds[kind][at].kept.name(), zone) {
                        shard.remove(place_of(kind, at));
                    } else {
                        at += 1;
                    }
                }
            }
        }
    }

    /// What it holds; nothing if it never held anything.
    pub fn held(&self) -> Option<Held> {
        let mut held = Held::default();
        for shard in &self.shards {
            let shard = lock(shard);
            for kind in 0..2 {
                held.entries[kind] += shard.kinds[kind].len() as u64;
                held.bytes += shard.bytes[kind] as u64;
            }
        }
        self.used.load(Ordering::Relaxed).then_some(held)
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        // The table below uses the highest and the lowest bits.
        lock(&self.shards[(hash >> 20) as usize % SHARDS])
    }
}

impl Shard {
    fn place(&self, key: &Key<'_>) -> Option<u32> {
        let is_it = |place: &u32| {
            let entry = &self.kinds[kind_of(*place)][number_of(*place)];
            entry.hash == key.hash && entry.bits == key.bits && entry.kept.name().eq_ignore_ascii_case(key.lower)
        };
        self.index.find(key.hash, is_it).copied()
    }

    fn insert(&mut self, kind: usize, entry: Entry) {
        let place = place_of(kind, self.kinds[kind].len());
        self.bytes[kind] += entry.kept.bytes();
        let (hash, kinds) = (entry.hash, &self.kinds);
        self.index.insert_unique(hash, place, |place| kinds[kind_of(*place)][number_of(*place)].hash);
        self.kinds[kind].push(entry);
    }

    fn remove(&mut self, place: u32) {
        let (kind, number) = (kind_of(place), number_of(place));
        self.unindex(place);
        let last = place_of(kind, self.kinds[kind].len() - 1);
        if last != place
            && let Ok(moved) = self.index.find_entry(self.kinds[kind][number_of(last)].hash, |other| *other == last)
        {
            *moved.into_mut() = place;
        }
        let entry = self.kinds[kind].swap_remove(number);
        self.bytes[kind] -= entry.kept.bytes();
    }

    fn unindex(&mut self, place: u32) {
        let hash = self.kinds[kind_of(place)][number_of(place)].hash;
        if let Ok(found) = self.index.find_entry(hash, |other| *other == place) {
            found.remove();
        }
    }

    /// Removes one entry by lot; one that is past its time, if one is drawn.
    fn evict(&mut self, kind: usize, now: Duration) {
        let count = self.kinds[kind].len() as u64;
        let mut drawn = 0;
        for _ in 0..DRAWS {
            drawn = (self.next_random() % count) as usize;
            if self.kinds[kind][drawn].kept.left(now) <= 0 {
                break;
            }
        }
        self.remove(place_of(kind, drawn));
    }

    fn next_random(&mut self) -> u64 {
        let mut random = Random::new(self.random);
        self.random = random.bits();
        self.random
    }
}

/// Where an entry is counted.
fn kind(class: Class) -> usize {
    usize::from(class != Class::Success)
}

fn place_of(kind: usize, number: usize) -> u32 {
    (number as u32) << 1 | kind as u32
}

fn kind_of(place: u32) -> usize {
    (place & 1) as usize
}

fn number_of(place: u32) -> usize {
    (place >> 1) as usize
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
