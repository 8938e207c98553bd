//! Chance: a quick generator for orders and choices, and a strong one for what nobody may guess.

/// A small generator (wyrand) for the order of records; not for ids or ports.
pub struct Random(u64);

impl Random {
    /// The same seed gives the same order.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0xa076_1d64_78bd_642f);
        let product = u128::from(self.0) * u128::from(self.0 ^ 0xe703_7ed1_a0b4_28db);
        (product >> 64) as u64 ^ product as u64
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// Puts items into random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

/// A strong generator (ChaCha with 8 rounds) for message ids and ports: who sees many of its numbers cannot tell the next.
pub struct Secret {
    state: [u32; 16],
    block: [u32; 16],
    used: usize,
}

impl Secret {
    /// The seed must be secret, and real chance.
    pub fn new(seed: u64) -> Secret {
        let mut expand = Random::new(seed);
        let mut state = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        state[4..12].iter_mut().for_each(|word| *word = expand.bits() as u32);
        // The seed itself is part of the key: nothing of it is lost.
        (state[4], state[5]) = (seed as u32, (seed >> 32) as u32);
        Secret { state, block: [0; 16], used: 16 }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        if self.used >= 16 {
            self.refill();
        }
        let bits = u64::from(self.block[self.used]) << 32 | u64::from(self.block[self.used + 1]);
        self.used += 2;
        bits
    }

    fn refill(&mut self) {
        let mut block = self.state;
        for _ in 0..4 {
            for [a, b, c, d] in
                [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]]
            {
                for (to, from, with, left) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
                    block[to] = block[to].wrapping_add(block[from]);
                    block[with] = (block[with] ^ block[to]).rotate_left(left);
                }
            }
        }
        for (word, start) in block.iter_mut().zip(self.state) {
            *word = word.wrapping_add(start);
        }
        self.block = block;
        let counter = (u64::from(self.state[13]) << 32 | u64::from(self.state[12])).wrapping_add(1);
        (self.state[12], self.state[13]) = (counter as u32, (counter >> 32) as u32);
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strong_generator_is_chacha8() {
        // The key stream of the all-zero key and nonce (draft-strombergson-chacha-test-vectors, TC1, 8 rounds).
        let mut secret = Secret::new(0);
        secret.state[4..12].fill(0);
        let bits = secret.bits();
        let stream = [(bits >> 32) as u32, bits as u32].map(u32::to_le_bytes).concat();
        assert_eq!(stream, [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]);
    }
}
