//! The product of two matrices: `f64` in long rows, as many at a time as SIMD has lanes.

use crate::checksum::checksum;
use crate::random::Random;

/// Returns a checksum of the product of two matrices of `size` by `size`.
pub(crate) fn checksum_of_product(size: u32) -> i64 {
    let mut random = Random::new(size);
    let size = size as usize;
    // The elements are small whole numbers, whose products and sums are exact.
    let mut matrix = || (0..size * size).map(|_| f64::from(random.below(1000))).collect();
    let (a, b): (Vec<f64>, Vec<f64>) = (matrix(), matrix());
    checksum(product(size, &a, &b).into_iter().map(|element| element as u64))
}

fn product(size: usize, a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut product = vec![0.0; size * size];
    if size == 0 {
        return product;
    }
    for (row, a) in product.chunks_exact_mut(size).zip(a.chunks_exact(size)) {
        for (factor, b) in a.iter().zip(b.chunks_exact(size)) {
            for (sum, b) in row.iter_mut().zip(b) {
                *sum += factor * b;
            }
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_is_rows_by_columns() {
        assert_eq!(product(2, &[1., 2., 3., 4.], &[5., 6., 7., 8.]), [19., 22., 43., 50.]);
        assert_eq!(product(1, &[0.5], &[-4.0]), [-2.0]);
    }

    #[test]
    fn the_product_with_the_identity_is_the_matrix() {
        let size = 37;
        let matrix: Vec<_> = (0..size * size).map(|n| n as f64).collect();
        let identity: Vec<_> =
            (0..size * size).map(|n| f64::from(u8::from(n % (size + 1) == 0))).collect();
        assert_eq!(product(size, &matrix, &identity), matrix);
        assert_eq!(product(size, &identity, &matrix), matrix);
    }
}
