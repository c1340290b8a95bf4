//! Kernels: work that keeps processors busy, for comparing a sandbox with none.
//!
//! The source is built both as a module and as a native library, and each result has the same bits
//! in both. Each task makes its own input from a number. `jobs.txt` has a job for each task, which
//! takes some milliseconds, and its result.
//!
//! The kernels leave out anything that would be different work in the two, such as LZ4, whose crate
//! hashes more bytes where pointers have 64 bits. Sines are used only where the result is rounded:
//! the last bits of a sine depend on the C library.

mod checksum;
mod fft;
mod json;
mod levenshtein;
mod lz;
mod mandelbrot;
mod matmul;
mod nbody;
mod random;
mod regex;
mod sha256;
mod sieve;
mod sort;
mod spectral_norm;

use wpool_guest::task;

/// Returns a checksum of the polynomial 1 + x, squared `squarings` times by Fourier transforms.
#[task]
fn fft(squarings: u32) -> i64 {
    fft::checksum_of_squares(squarings)
}

/// Returns a checksum of a JSON document of `records` records, written and read.
#[task]
fn json(records: u32) -> Result<i64, serde_json::Error> {
    json::checksum_of_document(records)
}

/// Returns Levenshtein's distance of two random texts of `letters` letters.
#[task]
fn levenshtein(letters: u32) -> u32 {
    levenshtein::distance(letters)
}

/// Returns the size, in bytes, of a text of 200,000 bytes when compressed as by zlib.
#[task]
fn lz(seed: u32) -> Result<u32, String> {
    lz::compressed_len(seed)
}

/// Returns the number of points of a grid of `size` by `size` that are in Mandelbrot's set.
#[task]
fn mandelbrot(size: u32) -> u32 {
    mandelbrot::count(size)
}

/// Returns a checksum of the product of two matrices of `size` by `size`.
#[task]
fn matmul(size: u32) -> i64 {
    matmul::checksum_of_product(size)
}

/// Returns the energy of the Sun and four planets after `steps` steps of 3.65 days.
#[task]
fn nbody(steps: u32) -> f64 {
    nbody::energy_after(steps)
}

/// Counts the occurrences of nine regular expressions in a genome of ten times `size` letters.
#[task]
fn regex(size: u32) -> Result<u32, ::regex::Error> {
    regex::count(size)
}

/// Returns the SHA-256 of a million bytes of one value.
#[task]
fn sha256(byte: u8) -> String {
    sha256::of_a_million(byte)
}

/// Returns the number of prime numbers below `limit`.
#[task]
fn sieve(limit: u32) -> u32 {
    sieve::count(limit)
}

/// Returns a checksum of `count` random numbers, sorted.
#[task]
fn sort(count: u32) -> i64 {
    sort::checksum_of_sorted(count)
}

/// Returns the spectral norm of a matrix of `size` by `size`.
#[task]
fn spectral_norm(size: u32) -> f64 {
    spectral_norm::norm(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the result of a job in JSON.
    fn result(task: &str, job: &str) -> String {
        let job = job.parse().expect("a number");
        match task {
            "fft" => fft(job).to_string(),
            "json" => json(job).expect("reads as written").to_string(),
            "levenshtein" => levenshtein(job).to_string(),
            "lz" => lz(job).expect("comes back").to_string(),
            "mandelbrot" => mandelbrot(job).to_string(),
            "matmul" => matmul(job).to_string(),
            "nbody" => nbody(job).to_string(),
            "regex" => regex(job).expect("the expressions are right").to_string(),
            "sha256" => format!("{:?}", sha256(job as u8)),
            "sieve" => sieve(job).to_string(),
            "sort" => sort(job).to_string(),
            "spectral_norm" => spectral_norm(job).to_string(),
            _ => panic!("no task {task}"),
        }
    }

    #[test]
    fn the_usual_jobs_have_the_usual_results() {
        for line in include_str!("../jobs.txt").lines() {
            let [task, job, expect] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("not a task, a job and a result: {line}");
            };
            assert_eq!(result(task, job), expect, "{task} {job}");
        }
    }
}
