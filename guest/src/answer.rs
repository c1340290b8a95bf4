//! The arguments and answers of lists, dicts and sets: bytes, and rows of them.

#![expect(unsafe_code, reason = "the host writes answers into memory that is not initialised")]

use std::fmt::Display;
use std::mem::MaybeUninit;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::code::error as code;
use crate::error::{Error, answer};
use crate::raw;

/// The room in bytes that is offered for an answer at first: most answers are shorter.
const SHORT_BYTES: usize = 256;
/// Times that pages are read from the first on because something has changed.
const READS: usize = 100;
/// Most items that one call takes, and most bytes of them, if they are more than one.
pub(crate) const ITEMS_MAX: usize = 4096;
pub(crate) const BYTES_MAX: usize = 64 << 10;

/// A version that is none.
pub(crate) const ANY: i64 = -1;

/// Gets an answer into `buffer`, in the place of what was there. `ask` is given room for it. Answers with
/// what lies above the length.
pub(crate) fn fetch(
    id: i32,
    buffer: &mut Vec<u8>,
    ask: impl FnOnce(&mut [MaybeUninit<u8>]) -> i64,
) -> Result<u32, Error> {
    fetch_with(buffer, SHORT_BYTES, ask, |rest, offset| raw::object_answer(id, rest, offset))
}

/// Gets bytes into `buffer`, in the place of what was there. `ask` is given room for `short` bytes at least, and returns
/// their length in the low half; `read` is given room for those behind an offset, if there are more. Returns the high half.
pub(crate) fn fetch_with(
    buffer: &mut Vec<u8>,
    short: usize,
    ask: impl FnOnce(&mut [MaybeUninit<u8>]) -> i64,
    read: impl FnOnce(&mut [MaybeUninit<u8>], usize) -> i32,
) -> Result<u32, Error> {
    buffer.clear();
    buffer.reserve(short);
    let room = buffer.spare_capacity_mut();
    let capacity = room.len();
    let got = ask(room);
    if got < 0 {
        // All codes are small.
        return Err(Error::of(got as i32));
    }
    let len = got as u32 as usize;
    // SAFETY: the host has written the bytes, or as many of them as there was room for.
    unsafe { buffer.set_len(len.min(capacity)) };
    if len > capacity {
        buffer.reserve_exact(len - capacity);
        let rest = &mut buffer.spare_capacity_mut()[..len - capacity];
        let read = answer(read(rest, capacity))? as usize;
        // SAFETY: so many bytes after the first `capacity` are written now.
        unsafe { buffer.set_len(capacity + read) };
    }
    Ok((got >> 32) as u32)
}

/// Gets an answer as [`fetch`] does, and returns whether there is one.
pub(crate) fn fetch_some(
    id: i32,
    buffer: &mut Vec<u8>,
    ask: impl FnOnce(&mut [MaybeUninit<u8>]) -> i64,
) -> Result<bool, Error> {
    match fetch(id, buffer, ask) {
        Ok(_) => Ok(true),
        Err(Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A number of 64 bits, or an error.
pub(crate) fn wide(number: i64) -> Result<u64, Error> {
    // All codes are small.
    u64::try_from(number).map_err(|_| Error::of(number as i32))
}

/// Returns the items of all pages, read at one moment. `ask` is told the cursor and the version of the
/// page before, and given room for the page.
pub(crate) fn pages(
    id: i32,
    mut ask: impl FnMut(u64, u64, &mut [MaybeUninit<u8>]) -> i64,
) -> Result<Vec<Vec<u8>>, Error> {
    for _ in 0..READS {
        let (mut all, mut row, mut cursor, mut version) = (Vec::new(), Vec::new(), 0, None);
        loop {
            fetch(id, &mut row, |room| ask(cursor, version.unwrap_or(0), room))?;
            let now = raw::object_answer_version(id) as u64;
            if version.is_some_and(|version| version != now) {
                break;
            }
            all.extend(unpack(&row).into_iter().map(<[u8]>::to_vec));
            (cursor, version) = (raw::object_answer_cursor(id) as u64, Some(now));
            if cursor == 0 {
                return Ok(all);
            }
        }
    }
    Err(Error::of(code::CHANGING))
}

/// A row of items: each behind its length in 32 bits.
pub(crate) fn pack(items: &[Vec<u8>]) -> Vec<u8> {
    let mut row = Vec::with_capacity(items.iter().map(|item| item.len() + 4).sum());
    for item in items {
        row.extend_from_slice(&(item.len() as u32).to_le_bytes());
        row.extend_from_slice(item);
    }
    row
}

/// Returns the items of a row that the host has made.
pub(crate) fn unpack(mut row: &[u8]) -> Vec<&[u8]> {
    let mut items = Vec::new();
    while let Some((length, rest)) = row.split_first_chunk::<4>() {
        let (item, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        items.push(item);
        row = rest;
    }
    items
}

pub(crate) fn encode(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(malformed)
}

pub(crate) fn encode_all<'a, T: Serialize + 'a>(
    values: impl IntoIterator<Item = &'a T>,
) -> Result<Vec<Vec<u8>>, Error> {
    values.into_iter().map(encode).collect()
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(malformed)
}

pub(crate) fn malformed(error: impl Display) -> Error {
    Error::Malformed { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_its_items_again() {
        let items = [b"one".to_vec(), Vec::new(), vec![0; 300]];
        assert_eq!(unpack(&pack(&items)), items);
    }
}
