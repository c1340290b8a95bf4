//! The spectral norm of an infinite matrix's corner: `f64` divisions.
//!
//! The matrix and the published norms are those of the Benchmarks Game.

/// Returns the norm of the corner of `size` by `size`, by the power method.
pub(crate) fn norm(size: u32) -> f64 {
    let size = size as usize;
    let (mut u, mut v, mut between) = (vec![1.0; size], vec![0.0; size], vec![0.0; size]);
    for _ in 0..10 {
        multiply_by_both(&u, &mut between, &mut v);
        multiply_by_both(&v, &mut between, &mut u);
    }
    (dot(&u, &v) / dot(&v, &v)).sqrt()
}

/// Returns an element of the matrix, the first of which is 1. The arguments are whole numbers.
fn element(row: f64, column: f64) -> f64 {
    let diagonal = row + column;
    1.0 / (diagonal * (diagonal + 1.0) * 0.5 + row + 1.0)
}

/// Multiplies a vector by the matrix, and then by its transpose.
fn multiply_by_both(vector: &[f64], between: &mut [f64], product: &mut [f64]) {
    multiply(vector, between, element);
    multiply(between, product, |row, column| element(column, row));
}

fn multiply(vector: &[f64], product: &mut [f64], element: impl Fn(f64, f64) -> f64) {
    // The loop takes two rows at a time, each with its own sum, so that a compiler finds work for
    // SIMD.
    let mut rows = [0.0, 1.0];
    for pair in product.chunks_mut(2) {
        let (mut sums, mut column) = ([0.0; 2], 0.0);
        for value in vector {
            for (sum, row) in sums.iter_mut().zip(rows) {
                *sum += element(row, column) * value;
            }
            column += 1.0;
        }
        pair.copy_from_slice(&sums[..pair.len()]);
        rows = rows.map(|row| row + 2.0);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_norm_is_the_published_one() {
        let norm = norm(100);
        assert!((norm - 1.274219991).abs() < 1e-9, "{norm}");
    }
}
