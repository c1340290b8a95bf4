//! The product of two square matrices that lie in regions: each job makes some rows of it, and no
//! byte of any matrix is copied.
//!
//! The task needs the regions `a`, `b` and `c`, each of n × n numbers of eight bytes, row by row:
//! `wpool map matrix.wasm --region a=@a.f64:ro --region b=@b.f64:ro --region c:8MiB --save c=c.f64
//! ::: '[1024,0,512]' '[1024,512,1024]'`.

#![expect(unsafe_code, reason = "slices of memory that other processes use as well")]

use std::error::Error;

use wpool_guest::{Mapping, Region, task};

/// Computes the rows from `first` up to but not including `last` of the product of the matrices `a`
/// and `b` in `c`, and returns the sum of their numbers.
///
/// The three matrices all have `n` rows and columns. No two jobs may be given the same row.
#[task]
fn multiply(n: u32, first: u32, last: u32) -> Result<f64, Box<dyn Error>> {
    let (n, rows) = (n as usize, first as usize..last as usize);
    if rows.is_empty() || rows.end > n {
        return Err(format!("a matrix of {n} rows has no rows {first}..{last}").into());
    }
    let [a, b, mut c] = [matrix("a", n)?, matrix("b", n)?, matrix("c", n)?];
    let numbers = rows.start * n..rows.end * n;
    // SAFETY: `a` and `b` are inputs, which no process writes while there are jobs. No other job is
    // given these rows of `c`. This job maps each of the regions once.
    let (a, b, c) = unsafe { (a.slice(numbers.clone()), b.slice(..), c.slice_mut(numbers)) };
    Ok(product(a, &b[..n * n], c, n))
}

/// Maps the region with a matrix.
fn matrix(name: &str, n: usize) -> Result<Mapping, Box<dyn Error>> {
    let region = Region::open(name)?;
    let needed = (n as u64).pow(2).saturating_mul(size_of::<f64>() as u64);
    if region.size() < needed {
        let size = region.size();
        return Err(format!("region `{name}` has {size} bytes; n = {n} needs {needed}").into());
    }
    Ok(region.map()?)
}

/// Multiplies some rows of a matrix by the matrix `b` into the same rows of `c`, and returns their
/// sum.
fn product(a: &[f64], b: &[f64], c: &mut [f64], n: usize) -> f64 {
    // The loop goes through `b` row by row, so that memory is read in the order in which it lies
    // there.
    for (a, c) in a.chunks(n).zip(c.chunks_mut(n)) {
        c.fill(0.0);
        for (a, b) in a.iter().zip(b.chunks(n)) {
            for (c, b) in c.iter_mut().zip(b) {
                *c += a * b;
            }
        }
    }
    c.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_multiplied_by_columns() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
        let mut c = [f64::NAN; 4];
        assert_eq!(product(&a, &b, &mut c, 2), 134.0);
        assert_eq!(c, [19.0, 22.0, 43.0, 50.0]);
    }

    #[test]
    fn some_rows_can_be_made_alone() {
        let (a, b) = ([3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
        let mut c = [f64::NAN; 2];
        assert_eq!(product(&a, &b, &mut c, 2), 93.0);
        assert_eq!(c, [43.0, 50.0]);
    }

    #[test]
    fn rows_outside_of_the_matrix_are_an_error() {
        let error = multiply(4, 3, 5).unwrap_err().to_string();
        assert_eq!(error, "a matrix of 4 rows has no rows 3..5");
    }

    #[test]
    fn without_a_region_there_is_an_error_that_names_it() {
        let error = multiply(4, 0, 4).unwrap_err().to_string();
        assert!(error.contains("region `a`"), "{error}");
    }
}
