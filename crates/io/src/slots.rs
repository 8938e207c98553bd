//! Numbered places for sockets and connections: a place is used again, but its old key never finds the new content.
//!
//! Pure. The key fits into the 64 bits that epoll gives back with an event.

/// Where something is, and the how manieth content of that place it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    index: u32,
    generation: u32,
}

/// Generations count to this and start again: two bits of the token are left for its kind.
const GENERATIONS: u32 = (1 << 30) - 1;

impl Key {
    /// As 62 bits of a token.
    pub fn pack(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// From the lower 62 bits of a token.
    pub fn unpack(token: u64) -> Key {
        Key { index: token as u32, generation: (token >> 32) as u32 & GENERATIONS }
    }
}

/// Contents by key.
#[derive(Debug)]
pub struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    content: Option<T>,
}

impl<T> Slots<T> {
    /// No contents.
    pub fn new() -> Slots<T> {
        Slots { slots: Vec::new(), free: Vec::new() }
    }

    /// Puts content into a free place.
    pub fn insert(&mut self, content: T) -> Key {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, content: None });
            self.slots.len() as u32 - 1
        });
        let slot = &mut self.slots[index as usize];
        slot.content = Some(content);
        Key { index, generation: slot.generation }
    }

    /// What this key was given for, if it is still there.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation == key.generation { slot.content.as_mut() } else { None }
    }

    /// Takes it out; its key is dead from now on.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get_mut(key.index as usize).filter(|slot| slot.generation == key.generation)?;
        let content = slot.content.take()?;
        slot.generation = (slot.generation + 1) & GENERATIONS;
        self.free.push(key.index);
        Some(content)
    }

    /// How many contents there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// All contents, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().filter_map(|slot| slot.content.as_mut())
    }

    /// All contents and their keys.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        let key = |(index, slot): (usize, &Slot<T>)| Key { index: index as u32, generation: slot.generation };
        self.slots.iter().enumerate().filter_map(move |(index, slot)| Some((key((index, slot)), slot.content.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_key_never_finds_the_new_content_of_its_place() {
        let mut slots = Slots::new();
        let first = slots.insert("first");
        assert_eq!(slots.remove(first), Some("first"));
        let second = slots.insert("second");
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get_mut(second), Some(&mut "second"));
        assert_eq!((slots.len(), slots.iter().count()), (1, 1));
    }

    #[test]
    fn a_key_survives_its_way_through_a_token() {
        let mut slots = Slots::new();
        let gone = slots.insert(0);
        slots.remove(gone);
        let key = slots.insert(1);
        assert_eq!(Key::unpack(key.pack() | 3 << 62), key);
    }
}
