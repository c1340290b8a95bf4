//! Even numbers: lists in and out.

use wpool_guest::task;

/// The even ones among `numbers`.
#[task]
fn evens(numbers: Vec<i64>) -> Vec<i64> {
    numbers.into_iter().filter(|n| n % 2 == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_numbers_are_dropped() {
        assert_eq!(evens(vec![0, 1, 2, 3, -4]), [0, 2, -4]);
        assert!(evens(vec![]).is_empty());
    }
}
