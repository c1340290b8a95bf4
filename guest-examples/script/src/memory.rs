//! Linear memory: what the host does to it, and what it lets guests do.

#![expect(
    unsafe_code,
    reason = "looking at any address, and writing where that may not be possible"
)]

use serde_json::Value;
use wpool_guest::SharedCell;

use crate::answer::{Answer, Failure, unknown};
use crate::step::Words;

/// A mapped region's bytes.
type Cells<'a> = &'a [SharedCell<u8>];

/// `size`, `grow PAGES`, `peek ADDRESS COUNT`
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

/// What is done to a mapped region: `peek`, `poke`, `fill`, `random`.
pub(crate) fn act_on(
    cells: Cells<'_>,
    operation: &str,
    offset: usize,
    mut words: Words<'_>,
) -> Answer {
    if operation == "poke" {
        let text = words.rest().as_bytes();
        for (cell, byte) in part(cells, offset, text.len())?.iter().zip(text) {
            cell.set(*byte);
        }
        return Ok(true.into());
    }
    let cells = part(cells, offset, words.number()?)?;
    let answer = match operation {
        "peek" => text(&cells.iter().map(SharedCell::get).collect::<Vec<_>>()),
        "fill" => fill(cells, words.number()?),
        "random" => random(cells),
        _ => return unknown(operation),
    };
    words.end()?;
    Ok(answer)
}

/// Bytes as text.
pub(crate) fn text(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).into()
}

fn part(cells: Cells<'_>, offset: usize, count: usize) -> Result<Cells<'_>, Failure> {
    let part = offset.checked_add(count).and_then(|end| cells.get(offset..end));
    let outside = || format!("{count} bytes at {offset} are not inside the region");
    part.ok_or_else(|| Failure::Step(outside()))
}

/// Fills by one instruction for all bytes, not by a store for each.
fn fill(cells: Cells<'_>, byte: u8) -> Value {
    let start = cells.as_ptr().cast::<u8>().cast_mut();
    // SAFETY: these are bytes of a mapping, which nobody has a reference to the inside of.
    unsafe { start.write_bytes(byte, cells.len()) };
    true.into()
}

/// Has WASI write.
fn random(cells: Cells<'_>) -> Value {
    let start = cells.as_ptr().cast::<u8>().cast_mut();
    // SAFETY: these are bytes of a mapping, which nobody has a reference to the inside of.
    unsafe { system::random_get(start, cells.len()) }.into()
}

/// The bytes at an address that may be any inside the memory; beyond it this traps.
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

/// As the instruction: the size before, or the highest number.
#[cfg(target_family = "wasm")]
fn grow(pages: usize) -> usize {
    std::arch::wasm32::memory_grow(0, pages)
}

#[cfg(target_family = "wasm")]
mod system {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        pub(super) fn random_get(dst: *mut u8, len: usize) -> i32;
    }
}

#[cfg(not(target_family = "wasm"))]
fn pages() -> usize {
    0
}

#[cfg(not(target_family = "wasm"))]
fn grow(_: usize) -> usize {
    usize::MAX
}

#[cfg(not(target_family = "wasm"))]
mod system {
    /// Touches no pointer; `unsafe` because the import is.
    pub(super) unsafe fn random_get(_: *mut u8, _: usize) -> i32 {
        0
    }
}
