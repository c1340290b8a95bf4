//! Linear memory: what the host does to it, and what the host lets guests do.

#![expect(unsafe_code, reason = "looking at any address")]

use serde_json::Value;

use crate::answer::{Answer, unknown};
use crate::step::Words;

/// Runs `size`, `grow PAGES` or `peek ADDRESS COUNT`.
pub(crate) fn act(mut words: Words<'_>) -> Answer {
    let operation = words.word()?;
    let answer = match operation {
        "size" => pages().into(),
        "grow" => grow(words.number()?).into(),
        "peek" => peek(words.number()?, words.number()?),
        _ => return unknown(operation),
    };
    words.end()?;
    Ok(answer)
}

/// Returns bytes as text.
pub(crate) fn text(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).into()
}

/// Returns the bytes at an address, which may be any address inside the memory; outside of it this
/// function traps.
fn peek(address: usize, count: usize) -> Value {
    let start = std::ptr::with_exposed_provenance::<u8>(address);
    // SAFETY: none that Rust could know of. Inside linear memory all bytes can be read, and outside
    // of it the host makes this a trap.
    let bytes: Vec<u8> = (0..count).map(|at| unsafe { start.add(at).read_volatile() }).collect();
    text(&bytes)
}

#[cfg(target_family = "wasm")]
fn pages() -> usize {
    std::arch::wasm32::memory_size(0)
}

/// Grows the memory as the instruction does, and returns the size before, or the highest number.
#[cfg(target_family = "wasm")]
fn grow(pages: usize) -> usize {
    std::arch::wasm32::memory_grow(0, pages)
}

#[cfg(not(target_family = "wasm"))]
fn pages() -> usize {
    0
}

#[cfg(not(target_family = "wasm"))]
fn grow(_: usize) -> usize {
    usize::MAX
}
