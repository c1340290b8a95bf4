//! Places: which element of a list stands where.
//!
//! A list that was reversed is read from the other end: that is one store, however long it is.

use super::change::Change;
use super::header::Header;
use super::item::{self, NARROW, Words};
use super::space::Space;
use super::{Error, Fault, tree};

/// A word of the header: 1 if the list is read from the other end.
const REVERSED: usize = 1;

fn is_reversed(space: &Space<'_>, header: Header) -> bool {
    space.get(header.more(REVERSED)) != 0
}

/// Returns where in the tree the element at a place stands.
pub(super) fn at(space: &Space<'_>, header: Header, place: u64) -> u64 {
    if is_reversed(space, header) { header.len(space) - 1 - place } else { place }
}

/// Returns the place that an index names: from the end if it is negative.
pub(super) fn place(index: i64, len: u64) -> Option<u64> {
    let from_end = i128::from(index) + if index < 0 { i128::from(len) } else { 0 };
    u64::try_from(from_end).ok().filter(|place| *place < len)
}

/// Returns the place before which an index puts, as Python's slices clamp it.
pub(super) fn edge(index: i64, len: u64) -> u64 {
    let from_end = i128::from(index) + if index < 0 { i128::from(len) } else { 0 };
    from_end.clamp(0, len.into()) as u64
}

/// Hands over the elements from a place on, in order, until `each` answers that it is enough.
pub(super) fn walk(
    space: &Space<'_>,
    header: Header,
    (start, end): (u64, u64),
    mut each: impl FnMut(u64, &Words) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let reversed = is_reversed(space, header);
    let mut place = start;
    while place < end {
        let at = at(space, header, place);
        let leaf = tree::leaf(space, header, at)?;
        let here = (at - leaf.first) as usize;
        let count = if reversed { here + 1 } else { leaf.len - here };
        for step in 0..count.min((end - place) as usize) {
            let index = if reversed { here - step } else { here + step };
            if !each(place, &leaf.item(space, index))? {
                return Ok(());
            }
            place += 1;
        }
    }
    Ok(())
}

/// Puts one element in before a place.
pub(super) fn put_in(
    change: &mut Change<'_, '_>,
    header: Header,
    place: u64,
    words: Words,
) -> Result<(), Fault> {
    let space = change.space;
    let at = if is_reversed(&space, header) { header.len(&space) - place } else { place };
    while tree::insert(change, header, at, &[words])? == 0 {}
    Ok(())
}

/// Puts elements in before a place.
pub(super) fn put_all(
    change: &mut Change<'_, '_>,
    header: Header,
    place: u64,
    mut items: Vec<Words>,
) -> Result<(), Fault> {
    let space = change.space;
    let mut at = place;
    if is_reversed(&space, header) {
        at = header.len(&space) - place;
        items.reverse();
    }
    let mut rest = &items[..];
    while !rest.is_empty() {
        let count = tree::insert(change, header, at, rest)?;
        at += count as u64;
        rest = &rest[count..];
    }
    Ok(())
}

/// Puts an element in the place of the one at an index, which is freed.
pub(super) fn replace_at(
    change: &mut Change<'_, '_>,
    header: Header,
    index: i64,
    words: Words,
) -> Result<(), Fault> {
    let space = change.space;
    let place = place(index, header.len(&space)).ok_or(Fault::Answer(Error::OutOfRange))?;
    let at = at(&space, header, place);
    let old = tree::get(&space, header, at)?;
    item::release(change, &old, NARROW)?;
    tree::set(change, header, at, &words)
}

/// Takes the elements of a range out, and frees them.
pub(super) fn take_out(
    change: &mut Change<'_, '_>,
    header: Header,
    (start, end): (u64, u64),
) -> Result<(), Fault> {
    let space = change.space;
    let (start, end) = match is_reversed(&space, header) {
        true => (header.len(&space) - end, header.len(&space) - start),
        false => (start, end),
    };
    let mut left = (end - start) as usize;
    while left > 0 {
        left -= tree::remove(change, header, start, left, |change, words| {
            item::release(change, &words, NARROW)
        })?;
    }
    Ok(())
}

/// Reverses the order.
pub(super) fn reverse(change: &mut Change<'_, '_>, header: Header) -> Result<(), Fault> {
    let reversed = is_reversed(&change.space, header);
    change.put(header.more(REVERSED), u64::from(!reversed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_count_from_the_end_when_negative_and_edges_are_clamped() {
        assert_eq!(
            [0, 2, 3, -1, -3, -4].map(|index| place(index, 3)),
            [Some(0), Some(2), None, Some(2), Some(0), None]
        );
        assert_eq!(
            [0, 3, 9, -1, -9, i64::MIN, i64::MAX].map(|index| edge(index, 3)),
            [0, 3, 3, 2, 0, 0, 3]
        );
    }
}
