//! The sieve of Eratosthenes: strided writes to bytes.

/// Returns the number of prime numbers below `limit`.
pub(crate) fn count(limit: u32) -> u32 {
    let limit = limit as usize;
    // The element `n` says whether 2n + 1 is composite; 1 stands in for 2, the only even prime.
    let mut composite = vec![false; limit / 2];
    let mut factor = 3;
    while factor * factor < limit {
        if !composite[factor / 2] {
            for multiple in composite[factor * factor / 2..].iter_mut().step_by(factor) {
                *multiple = true;
            }
        }
        factor += 2;
    }
    composite.iter().filter(|composite| !**composite).count() as u32 - u32::from(limit == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_primes_as_published() {
        let counts = [0, 1, 2, 3, 4, 5, 9, 10, 100, 1000, 1_000_000].map(count);
        assert_eq!(counts, [0, 0, 0, 1, 2, 2, 4, 4, 25, 168, 78_498]);
    }
}
