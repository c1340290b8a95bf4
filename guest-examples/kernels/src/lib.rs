//! Kernels: what processors are kept busy with, for comparing a sandbox with none.
//!
//! One source is built both as a module and as a native library, and each result is the same bits in
//! both. Each task makes its own input from a number.

mod mandelbrot;
mod sha256;
mod sieve;

use wpool_guest::task;

/// How many points of a grid of `size` by `size` are in Mandelbrot's set.
#[task]
fn mandelbrot(size: u32) -> u32 {
    mandelbrot::count(size)
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
