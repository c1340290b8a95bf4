//! Products: a job with several arguments is an array, as in Python's `starmap`.

use wpool_guest::task;

/// The product of three numbers.
#[task]
fn product(a: i64, b: i64, c: i64) -> i64 {
    a * b * c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_count() {
        assert_eq!(product(1, 2, 3), 6);
        assert_eq!(product(3, 4, -5), -60);
    }
}
