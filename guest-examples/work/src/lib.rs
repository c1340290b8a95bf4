//! Work: jobs that only calculate, for as long as one likes, to see what a second worker gains.

use wpool_guest::task;

/// Mixes the bits of a number `rounds` times; a million rounds take a few milliseconds.
#[task]
fn busy(rounds: i64) -> i64 {
    // The seed is an odd number with bits all over. Each round needs the one before it (Marsaglia's
    // xorshift).
    let mut mix = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..rounds {
        mix ^= mix << 13;
        mix ^= mix >> 7;
        mix ^= mix << 17;
    }
    // The sign takes the highest bit, so that the result fits.
    i64::from_ne_bytes(mix.to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rounds_change_nothing() {
        let start = -0x61c8_8646_80b5_83eb;
        assert_eq!([-1, 0].map(busy), [start, start]);
    }

    #[test]
    fn each_round_changes_the_number() {
        let mut numbers: Vec<i64> = (0..100).map(busy).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 100);
    }
}
