//! Garbage: what was taken out at once and is freed bit by bit.

use super::super::object::Kind;
use super::change::Change;
use super::header::Header;
use super::item;
use super::space::{Ref, root};
use super::{Fault, buckets, table, tree};

/// Entries of garbage that a call frees in passing, and one that needs their room.
pub(super) const FREED: usize = 8;
pub(super) const FREED_MOST: usize = 32;

/// Frees garbage, at most so many entries; returns the number.
pub(super) fn free(change: &mut Change<'_, '_>, most: usize) -> Result<usize, Fault> {
    let mut freed = 0;
    while freed < most {
        let head = change.get(change.space.root(root::GARBAGE)) as Ref;
        if head == 0 {
            break;
        }
        freed += free_some(change, head, most - freed)?;
    }
    Ok(freed)
}

/// Frees entries of the first of the garbage, or the garbage itself if it has none; how many, at least 1.
fn free_some(change: &mut Change<'_, '_>, block: Ref, most: usize) -> Result<usize, Fault> {
    let header = Header::of(&change.space, block)?;
    let len = header.len(&change.space);
    let is_list = header.kind(&change.space).ok_or(Fault::Damaged)? == Kind::List;
    if len == 0 {
        if !is_list {
            buckets::free(change, header)?;
        }
        header.free(change)?;
        return Ok(1);
    }
    if is_list {
        let count = most.min(len as usize);
        return tree::remove(change, header, len - count as u64, count, |change, words| {
            item::release(change, &words, item::NARROW)
        });
    }
    let entry = table::end(&change.space, header, false)?.ok_or(Fault::Damaged)?;
    let found = table::again(&change.space, header, entry)?;
    table::remove(change, header, &found)?;
    Ok(1)
}
