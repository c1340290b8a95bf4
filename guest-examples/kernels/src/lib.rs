//! Kernels: what processors are kept busy with, for comparing a sandbox with none.
//!
//! One source is built both as a module and as a native library, and each result is the same bits in
//! both. Each task makes its own input from a number. `jobs.txt` has a job for each, which takes some
//! milliseconds, and its result.
//!
//! What would be other work in the one than in the other is left out, such as LZ4, whose crate hashes
//! more bytes where pointers have 64 bits. Sines are used only where the result is rounded: the last
//! bits of a sine are the C library's.

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

/// A checksum of the polynomial 1 + x, squared so many times by Fourier transforms.
#[task]
fn fft(squarings: u32) -> i64 {
    fft::checksum_of_squares(squarings)
}

/// A checksum of a JSON document of so many records, written and read.
#[task]
fn json(records: u32) -> Result<i64, serde_json::Error> {
    json::checksum_of_document(records)
}

/// Levenshtein's distance of two random texts of so many letters.
#[task]
fn levenshtein(letters: u32) -> u32 {
    levenshtein::distance(letters)
}

/// How many bytes a text of 200,000 bytes has when compressed as by zlib.
#[task]
fn lz(seed: u32) -> Result<u32, String> {
    lz::compressed_len(seed)
}

/// How many points of a grid of `size` by `size` are in Mandelbrot's set.
#[task]
fn mandelbrot(size: u32) -> u32 {
    mandelbrot::count(size)
}

/// A checksum of the product of two matrices of `size` by `size`.
#[task]
fn matmul(size: u32) -> i64 {
    matmul::checksum_of_product(size)
}

/// The energy of the Sun and four planets after so many steps of 3.65 days.
#[task]
fn nbody(steps: u32) -> f64 {
    nbody::energy_after(steps)
}

/// How often nine regular expressions occur in a genome of ten times `size` letters.
#[task]
fn regex(size: u32) -> Result<u32, ::regex::Error> {
    regex::count(size)
}

/// The SHA-256 of a million bytes of one value.
#[task]
fn sha256(byte: u8) -> String {
    sha256::of_a_million(byte)
}

/// How many prime numbers there are below `limit`.
#[task]
fn sieve(limit: u32) -> u32 {
    sieve::count(limit)
}

/// A checksum of so many random numbers, sorted.
#[task]
fn sort(count: u32) -> i64 {
    sort::checksum_of_sorted(count)
}

/// The spectral norm of a matrix of `size` by `size`.
#[task]
fn spectral_norm(size: u32) -> f64 {
    spectral_norm::norm(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result in JSON.
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
