//! Sorting by the standard library: comparisons that no processor can predict.

use crate::checksum::checksum;
use crate::random::Random;

/// Returns a checksum of `count` random numbers, sorted.
pub(crate) fn checksum_of_sorted(count: u32) -> i64 {
    let mut random = Random::new(count);
    let mut numbers: Vec<u64> = (0..count).map(|_| random.next()).collect();
    numbers.sort_unstable();
    checksum(numbers)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_numbers_come_as_from_a_tree() {
        let mut random = Random::new(10_000);
        let tree: BTreeSet<u64> = (0..10_000).map(|_| random.next()).collect();
        assert_eq!(checksum_of_sorted(10_000), checksum(tree));
    }
}
