//! What is counted under which labels. Each thread counts for itself; whoever reads adds up what all have counted.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// Sets of counters by number. The same labels have the same number for the life of the process, so that counts survive a reload.
pub struct Registry<K, T> {
    entries: Mutex<Entries<K, T>>,
}

struct Entries<K, T> {
    numbers: HashMap<K, u32, RandomState>,
    /// What each thread has counted, by number.
    parts: Vec<Vec<Arc<T>>>,
}

/// One thread's part of a registry. It is the only one that writes there.
pub struct Own<K, T> {
    registry: Arc<Registry<K, T>>,
    parts: Vec<Option<Arc<T>>>,
}

impl<K, T> Default for Registry<K, T> {
    fn default() -> Registry<K, T> {
        Registry { entries: Mutex::new(Entries { numbers: HashMap::default(), parts: Vec::new() }) }
    }
}

impl<K: Eq + Hash, T: Default> Registry<K, T> {
    /// The number of these labels.
    pub fn number(&self, labels: K) -> u32 {
        let mut entries = self.entries();
        let next = entries.parts.len() as u32;
        let number = *entries.numbers.entry(labels).or_insert(next);
        if number == next {
            entries.parts.push(Vec::new());
        }
        number
    }

    /// Everything that anybody has counted: once for each thread and labels.
    pub fn for_each(&self, mut read: impl FnMut(&K, &T)) {
        let entries = self.entries();
        for (labels, number) in &entries.numbers {
            entries.parts[*number as usize].iter().for_each(|part| read(labels, part));
        }
    }

    fn join(&self, number: u32) -> Arc<T> {
        let part = Arc::<T>::default();
        self.entries().parts[number as usize].push(Arc::clone(&part));
        part
    }

    fn entries(&self) -> MutexGuard<'_, Entries<K, T>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, T: Default> Own<K, T> {
    /// Nothing is counted yet.
    pub fn new(registry: &Arc<Registry<K, T>>) -> Own<K, T> {
        Own { registry: Arc::clone(registry), parts: Vec::new() }
    }

    /// The number of these labels. It takes a lock and compares texts: for what is rare.
    pub fn number(&self, labels: K) -> u32 {
        self.registry.number(labels)
    }

    /// The counters under a number that the registry gave.
    #[inline]
    pub fn at(&mut self, number: u32) -> &T {
        let at = number as usize;
        if self.parts.get(at).is_none_or(Option::is_none) {
            self.begin(at);
        }
        self.parts[at].as_ref().expect("it has begun")
    }

    #[cold]
    fn begin(&mut self, at: usize) {
        if self.parts.len() <= at {
            self.parts.resize(at + 1, None);
        }
        self.parts[at] = Some(self.registry.join(at as u32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Counter;

    #[test]
    fn what_threads_count_under_the_same_labels_adds_up() {
        let registry = Arc::new(Registry::<&str, Counter>::default());
        let (a, b) = (registry.number("a"), registry.number("b"));
        assert_eq!((a, b, registry.number("a")), (0, 1, 0));
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    let mut own = Own::new(&registry);
                    (0..1000).for_each(|_| own.at(b).add(1));
                });
            }
        });
        let mut sums = HashMap::<&str, u64, RandomState>::default();
        registry.for_each(|labels, counter| *sums.entry(*labels).or_default() += counter.get());
        assert_eq!((sums.get("a"), sums.get("b")), (None, Some(&4000)));
    }
}
