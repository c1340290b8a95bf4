//! `--shuf`: a random order of jobs.

/// A random order of items, of which only a key is kept. A Feistel network permutes a power of four
/// that is no less than the number of items, and is applied again until its output is among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    len: u64,
    half_bits: u32,
    key: u64,
}

const ROUNDS: u64 = 6;

/// The least number of bits in a half; fewer would leave too few orders for a small number of
/// items.
const HALF_BITS_MIN: u32 = 4;

impl Order {
    /// Makes the order of `len` items for a seed.
    pub(crate) fn new(len: u64, seed: u64) -> Self {
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        Order { len, half_bits: bits.div_ceil(2).max(HALF_BITS_MIN), key: mix(seed) }
    }

    /// Returns the item at a place, which must be below the number of items.
    pub(crate) fn at(&self, place: u64) -> u64 {
        let mut thing = self.permute(place);
        while thing >= self.len {
            thing = self.permute(thing);
        }
        thing
    }

    fn permute(&self, number: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (number >> self.half_bits, number & mask);
        for round in 0..ROUNDS {
            let mixed = mix(self.key ^ mix(right ^ (round << 56))) & mask;
            (left, right) = (right, left ^ mixed);
        }
        left << self.half_bits | right
    }
}

/// Mixes a number like the end of splitmix64: every bit of the input changes about half of the
/// output's bits.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn every_thing_comes_once() {
        for len in [1, 2, 3, 10, 255, 256, 257, 5000] {
            let order = Order::new(len, 7);
            let mut all: Vec<u64> = (0..len).map(|place| order.at(place)).collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..len), "{len}");
        }
    }

    #[test]
    fn all_orders_of_a_few_are_about_as_frequent() {
        let mut seen: HashMap<Vec<u64>, u32> = HashMap::new();
        for seed in 0..6000 {
            let order = Order::new(3, seed);
            *seen.entry((0..3).map(|place| order.at(place)).collect()).or_default() += 1;
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|times| (850..1150).contains(times)), "{seen:?}");
    }

    #[test]
    fn the_most_things_there_can_be_have_an_order_too() {
        let order = Order::new(u64::MAX, 1);
        assert!(order.at(0) != order.at(u64::MAX - 1));
    }
}
