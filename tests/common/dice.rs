//! Numbers that look random and are the same in every run with the same seed.

/// A generator of random numbers (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    /// Makes a generator that is seeded by `WPOOL_TEST_SEED`, or always in the same way, but
    /// differently in each test.
    pub(crate) fn new(test: u64) -> Dice {
        let seed = std::env::var("WPOOL_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        Dice(seed.unwrap_or(1_u64).wrapping_mul(1_000_003).wrapping_add(test))
    }

    /// Returns one of these items.
    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// Returns a number from 0 up to but not including `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((z ^ (z >> 27)) >> 16) as usize % limit
    }
}
