//! Square roots: floating-point numbers in and out.

use wpool_guest::task;

/// The square root of `n`, rounded to two digits.
#[task]
fn square_root(n: f64) -> f64 {
    (n.sqrt() * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_have_two_digits() {
        assert_eq!([1.0, 2.0, 3.0, 4.0].map(square_root), [1.0, 1.41, 1.73, 2.0]);
    }

    #[test]
    fn a_negative_number_has_no_root() {
        assert!(square_root(-1.0).is_nan());
    }
}
