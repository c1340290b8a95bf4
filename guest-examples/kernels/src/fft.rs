//! Fourier transforms by the crate `rustfft`: `f64` in the patterns of butterflies.
//!
//! The transforms multiply polynomials here, whose coefficients are whole numbers again once
//! rounded. Therefore the result does not depend on the last bits of sines, which differ between C
//! libraries.

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

use crate::checksum::checksum;

/// The number of coefficients; they wrap around.
const SIZE: usize = 4096;

/// The number by which coefficients are reduced: a prime so small that sums of products are exact
/// when rounded.
const MODULUS: i64 = 10_007;

/// Returns a checksum of the polynomial 1 + x after it has been squared `squarings` times.
pub(crate) fn checksum_of_squares(squarings: u32) -> i64 {
    checksum(squares(squarings).into_iter().map(|coefficient| coefficient as u64))
}

fn squares(squarings: u32) -> Vec<i64> {
    let mut planner = FftPlanner::new();
    let (forward, inverse) = (planner.plan_fft_forward(SIZE), planner.plan_fft_inverse(SIZE));
    let mut coefficients = vec![0; SIZE];
    coefficients[..2].fill(1);
    for _ in 0..squarings {
        square(&mut coefficients, &forward, &inverse);
    }
    coefficients
}

fn square(coefficients: &mut [i64], forward: &Arc<dyn Fft<f64>>, inverse: &Arc<dyn Fft<f64>>) {
    let mut values: Vec<_> =
        coefficients.iter().map(|&coefficient| Complex::new(coefficient as f64, 0.0)).collect();
    forward.process(&mut values);
    for value in &mut values {
        *value *= *value;
    }
    inverse.process(&mut values);
    for (coefficient, value) in coefficients.iter_mut().zip(values) {
        *coefficient = (value.re / SIZE as f64 + 0.5) as i64 % MODULUS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_one_plus_x_have_binomial_coefficients() {
        // The expected coefficients are Pascal's triangle, down to the row of the power.
        let mut row = vec![0; SIZE];
        row[0] = 1;
        for _ in 0..1 << 11 {
            for k in (1..SIZE).rev() {
                row[k] = (row[k] + row[k - 1]) % MODULUS;
            }
        }
        assert_eq!(squares(11), row);
    }

    #[test]
    fn at_one_a_power_is_the_power_of_two() {
        let expected = (0..50).fold(2, |power, _| power * power % MODULUS);
        assert_eq!(squares(50).iter().sum::<i64>() % MODULUS, expected);
    }
}
