//! Items: the keys, values and elements of collections, in two or three words each.
//!
//! ```text
//! short      {length: 8 bits, bytes…}: up to 15 in two words, 23 in three
//! long       {64: 8 bits, length: 32 bits}, {block}
//! nested     {128 and kind: 8 bits, –, header: 32 bits}, {serial}
//! ```

use super::change::Change;
use super::header::Header;
use super::inner::Nested;
use super::space::{Ref, Space};
use super::{Error, Fault};

/// Longest key or value: 1 MiB.
pub(crate) const ITEM_BYTES_MAX: usize = 1 << 20;

/// Words of an element of a list, and of a key.
pub(super) const NARROW: usize = 2;
/// Words of a value of a dict.
pub(super) const WIDE: usize = 3;

const LONG: u8 = 64;
const NESTED: u8 = 128;

/// An item's words; of a narrow one the last is 0.
pub(super) type Words = [u64; WIDE];

/// The meaning of an item's words.
enum Form {
    Short(usize),
    Long { bytes: usize, block: Ref },
    Nested(Nested),
}

fn form(words: &Words, width: usize) -> Result<Form, Fault> {
    let (tag, high) = (words[0] as u8, (words[0] >> 32) as usize);
    match tag {
        LONG if high <= ITEM_BYTES_MAX => Ok(Form::Long { bytes: high, block: words[1] as Ref }),
        _ if usize::from(tag) < width * 8 => Ok(Form::Short(tag.into())),
        _ => {
            let kind = tag.checked_sub(NESTED).and_then(|code| Header::kind_of(code.into()));
            let kind = kind.ok_or(Fault::Damaged)?;
            Ok(Form::Nested(Nested { kind, block: high as Ref, serial: words[1] }))
        }
    }
}

/// Returns the bytes of a short item, and what follows them in its words.
fn short(words: &Words) -> [u8; WIDE * 8] {
    let mut bytes = [0; WIDE * 8];
    for (piece, word) in bytes.chunks_exact_mut(8).zip(words) {
        piece.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// Makes an item of these bytes, in a block of its own if they are many.
pub(super) fn make(change: &mut Change<'_, '_>, from: &[u8], width: usize) -> Result<Words, Fault> {
    if from.len() < width * 8 {
        let mut bytes = [0; WIDE * 8];
        bytes[0] = from.len() as u8;
        bytes[1..=from.len()].copy_from_slice(from);
        let word =
            |at: usize| u64::from_le_bytes(bytes[at * 8..][..8].try_into().expect("eight bytes"));
        return Ok([word(0), word(1), word(2)]);
    }
    let block = change.take(from.len())?;
    let at = change.space.at(block, from.len())?;
    change.space.memory.write(at, from);
    Ok([(from.len() as u64) << 32 | u64::from(LONG), block.into(), 0])
}

/// Makes an item of a list, dict or set.
pub(super) fn nest(nested: Nested) -> Words {
    let tag = u64::from(NESTED) + nested.kind as u64;
    [u64::from(nested.block) << 32 | tag, nested.serial, 0]
}

/// Returns the list, dict or set that an item is, if it is no bytes.
pub(super) fn nested(words: &Words, width: usize) -> Result<Option<Nested>, Fault> {
    match form(words, width)? {
        Form::Nested(nested) => Ok(Some(nested)),
        Form::Short(_) | Form::Long { .. } => Ok(None),
    }
}

/// Adds an item's bytes to `to`. A list, dict or set has none, and answers with its kind.
pub(super) fn read(
    space: &Space<'_>,
    words: &Words,
    width: usize,
    to: &mut Vec<u8>,
) -> Result<(), Fault> {
    match form(words, width)? {
        Form::Short(bytes) => to.extend_from_slice(&short(words)[1..=bytes]),
        Form::Long { bytes, block } => {
            let (at, start) = (space.at(block, bytes)?, to.len());
            to.resize(start + bytes, 0);
            space.memory.read(at, &mut to[start..]);
        }
        Form::Nested(nested) => {
            return Err(Fault::Answer(Error::WrongKind { kind: nested.kind }));
        }
    }
    Ok(())
}

/// Returns whether an item is these bytes.
pub(super) fn is(
    space: &Space<'_>,
    words: &Words,
    width: usize,
    wanted: &[u8],
) -> Result<bool, Fault> {
    match form(words, width)? {
        Form::Short(bytes) => Ok(short(words)[1..=bytes] == *wanted),
        Form::Long { bytes, .. } if bytes != wanted.len() => Ok(false),
        Form::Long { .. } => {
            let mut bytes = Vec::new();
            read(space, words, width, &mut bytes)?;
            Ok(bytes == wanted)
        }
        Form::Nested(_) => Ok(false),
    }
}

/// Frees what an item has beside its words.
pub(super) fn release(
    change: &mut Change<'_, '_>,
    words: &Words,
    width: usize,
) -> Result<(), Fault> {
    match form(words, width)? {
        Form::Short(_) => {}
        Form::Long { bytes, block } => change.give_back(block, bytes),
        Form::Nested(nested) => {
            let header = nested.header(&change.space).map_err(|_| Fault::Damaged)?;
            header.discard(change)?;
        }
    }
    Ok(())
}

/// Returns the block of an item, for `fsck`.
pub(super) fn block(words: &Words, width: usize) -> Result<Option<(Ref, usize)>, Fault> {
    Ok(match form(words, width)? {
        Form::Long { bytes, block } => Some((block, bytes)),
        Form::Short(_) | Form::Nested(_) => None,
    })
}

/// Adds an item to a packed row: its length in four bytes, little endian, and its bytes. A list, dict or
/// set stands there as an item without bytes.
pub(super) fn pack_from(
    space: &Space<'_>,
    words: &Words,
    width: usize,
    row: &mut Vec<u8>,
) -> Result<(), Fault> {
    let start = row.len();
    row.extend_from_slice(&[0; 4]);
    if nested(words, width)?.is_some() {
        return Ok(());
    }
    read(space, words, width, row)?;
    let length = (row.len() - start - 4) as u32;
    row[start..start + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Returns the items of a packed row; `None` if it is none.
pub fn unpack(mut row: &[u8]) -> Option<Vec<&[u8]>> {
    let mut items = Vec::new();
    while !row.is_empty() {
        let (length, rest) = row.split_first_chunk::<4>()?;
        let (item, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        items.push(item);
        row = rest;
    }
    Some(items)
}
