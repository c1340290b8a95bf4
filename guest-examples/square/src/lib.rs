//! Squares: the smallest task there is, and one that says which process it runs in.

use wpool_guest::{process_id, task};

/// The square of `n`.
#[task(default)]
fn square(n: i64) -> i64 {
    n * n
}

/// The square of `n`; prints the id of the process that calculates it.
#[task]
fn compute_squares(n: i64) -> i64 {
    println!("Process {} calculating square of {n}", process_id());
    square(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_never_negative() {
        assert_eq!([-3, 0, 12].map(square), [9, 0, 144]);
        assert_eq!(compute_squares(-3), 9);
    }
}
