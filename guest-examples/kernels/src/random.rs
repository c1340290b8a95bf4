//! Numbers that look random, and are the same every time.

/// A generator of random numbers (Vigna's xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u32) -> Self {
        // The constant is an odd number with bits all over, so that small seeds are no special
        // case.
        Self(u64::from(seed) ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Returns a number below `limit`.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        // The upper bits are the best; a product is used because a remainder takes far longer.
        (((self.next() >> 32) * u64::from(limit)) >> 32) as u32
    }
}
