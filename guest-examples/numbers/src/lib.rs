//! Squares and square roots of a list, to be run as two processes at once:
//! `wpool run numbers.wasm 'calc_square([1,2,3])' 'calc_square_root([1,2,3])'`.

use wpool_guest::task;

/// Prints the squares of the numbers.
#[task]
fn calc_square(numbers: Vec<i64>) {
    println!("Squares: {:?}", squares(&numbers));
}

/// Prints the square roots of the numbers, rounded to two digits.
#[task]
fn calc_square_root(numbers: Vec<f64>) {
    println!("Square Roots: {:?}", square_roots(&numbers));
}

fn squares(numbers: &[i64]) -> Vec<i64> {
    numbers.iter().map(|n| n * n).collect()
}

fn square_roots(numbers: &[f64]) -> Vec<f64> {
    numbers.iter().map(|n| (n.sqrt() * 100.0).round() / 100.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_whole_and_roots_have_two_digits() {
        assert_eq!(squares(&[1, 2, -3]), [1, 4, 9]);
        assert_eq!(square_roots(&[1.0, 2.0, 9.0]), [1.0, 1.41, 3.0]);
    }
}
