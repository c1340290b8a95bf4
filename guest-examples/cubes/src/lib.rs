//! Cubes: much the same work for every job, with a long result and with a short one.

use std::hint::black_box;

use wpool_guest::task;

/// The cubes of 0 to 999, whatever `n` is.
#[task]
fn cubes(_n: i64) -> Vec<i64> {
    (0..1000).map(|i| i * i * i).collect()
}

/// The sum of the cubes of 0 to 999, whatever `n` is.
#[task]
fn cubes_sum(_n: i64) -> i64 {
    // Without `black_box` the compiler would work the sum out and leave nothing to do.
    (0..1000_i64).map(|i| black_box(i * i * i)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_a_thousand_cubes() {
        let cubes = cubes(7);
        assert_eq!(cubes.len(), 1000);
        assert_eq!(cubes[..4], [0, 1, 8, 27]);
    }

    #[test]
    fn the_sum_is_the_sum_of_the_cubes() {
        assert_eq!(cubes_sum(7), cubes(7).iter().sum::<i64>());
    }
}
