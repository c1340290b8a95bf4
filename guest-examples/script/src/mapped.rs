//! Mapped regions: what a guest does to their bytes itself, and what it lets the host do.

#![expect(unsafe_code, reason = "writing where that may not be possible")]

use serde_json::Value;
use wpool_guest::SharedCell;

use crate::answer::{Answer, Failure, unknown};
use crate::memory::text;
use crate::step::Words;

/// The bytes of a mapped region.
type Cells<'a> = &'a [SharedCell<u8>];

/// Runs `peek OFFSET COUNT`, `poke OFFSET TEXT`, `fill OFFSET COUNT BYTE` or `random OFFSET COUNT`.
pub(crate) fn act(
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

fn part(cells: Cells<'_>, offset: usize, count: usize) -> Result<Cells<'_>, Failure> {
    let part = offset.checked_add(count).and_then(|end| cells.get(offset..end));
    let outside = || format!("{count} bytes at {offset} are not inside the region");
    part.ok_or_else(|| Failure::Step(outside()))
}

/// Fills the bytes by one instruction for all, not by a store for each.
fn fill(cells: Cells<'_>, byte: u8) -> Value {
    let start = cells.as_ptr().cast::<u8>().cast_mut();
    // SAFETY: these are bytes of a mapping, and there is no reference to the inside of it.
    unsafe { start.write_bytes(byte, cells.len()) };
    true.into()
}

/// Lets WASI write random bytes.
fn random(cells: Cells<'_>) -> Value {
    let start = cells.as_ptr().cast::<u8>().cast_mut();
    // SAFETY: these are bytes of a mapping, and there is no reference to the inside of it.
    unsafe { system::random_get(start, cells.len()) }.into()
}

#[cfg(target_family = "wasm")]
mod system {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        pub(super) fn random_get(dst: *mut u8, len: usize) -> i32;
    }
}

#[cfg(not(target_family = "wasm"))]
mod system {
    /// Touches no pointer; `unsafe` because the import is.
    pub(super) unsafe fn random_get(_: *mut u8, _: usize) -> i32 {
        0
    }
}
