//! Headers: what each list, dict and set in a collection's space is known by.
//!
//! ```text
//! serial     never the same twice; 0 if the header is free
//! kind       list, dict or set
//! version    one more with each change; a free header's next, and one's that is garbage
//! len        how many elements or entries
//! more       twelve words, see `super::tree` and `super::table`
//! ```
//!
//! **Invariant:** a block that was a header once is never anything else, so a header can be asked for
//! its serial number however old the reference to it is.

use super::super::object::Kind;
use super::Fault;
use super::change::Change;
use super::space::{Ref, Space, root};

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = 128;

const SERIAL: usize = 0;
const KIND: usize = 8;
const VERSION: usize = 16;
const LEN: usize = 24;
/// The place at which the words of the kind begin.
const MORE: usize = 32;
const MORE_BYTES: usize = HEADER_BYTES - MORE;

/// A header's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) block: Ref,
    at: usize,
}

impl Header {
    /// Returns the header in this block.
    #[inline]
    pub(super) fn of(space: &Space<'_>, block: Ref) -> Result<Header, Fault> {
        Ok(Header { block, at: space.at(block, HEADER_BYTES)? })
    }

    /// Returns the outermost one, if anything was ever stored.
    #[inline]
    pub(super) fn outermost(space: &Space<'_>) -> Result<Option<Header>, Fault> {
        match space.get(space.root(root::OUTERMOST)) as Ref {
            0 => Ok(None),
            block => Header::of(space, block).map(Some),
        }
    }

    /// A new one, of something empty.
    pub(super) fn new(change: &mut Change<'_, '_>, kind: Kind) -> Result<Header, Fault> {
        let head = change.space.root(root::HEADERS);
        let header = match change.get(head) as Ref {
            0 => {
                let block = change.take(HEADER_BYTES)?;
                Header::of(&change.space, block)?
            }
            block => {
                let header = Header::of(&change.space, block)?;
                change.put(head, change.get(header.at + VERSION))?;
                header
            }
        };
        let serials = change.space.root(root::SERIAL);
        let serial = change.get(serials).wrapping_add(1);
        change.put(serials, serial)?;
        for field in (VERSION..HEADER_BYTES).step_by(8) {
            change.put(header.at + field, 0)?;
        }
        change.put(header.at + KIND, kind as u64)?;
        change.put(header.at + SERIAL, serial)?;
        Ok(header)
    }

    /// Returns the kind of the collection that has this header; `None` if the word makes no sense.
    pub(super) fn kind(self, space: &Space<'_>) -> Option<Kind> {
        Header::kind_of(space.get(self.at + KIND))
    }

    /// Returns the kind that a code says.
    pub(super) fn kind_of(code: u64) -> Option<Kind> {
        [Kind::List, Kind::Dict, Kind::Set].into_iter().find(|kind| *kind as u64 == code)
    }

    #[inline]
    pub(super) fn version(self, space: &Space<'_>) -> u64 {
        space.get(self.at + VERSION)
    }

    /// Says that something has changed; answers the version from then on.
    #[inline]
    pub(super) fn moved(self, change: &mut Change<'_, '_>) -> Result<u64, Fault> {
        let version = self.version(&change.space).wrapping_add(1);
        change.put(self.at + VERSION, version)?;
        Ok(version)
    }

    #[inline]
    pub(super) fn len(self, space: &Space<'_>) -> u64 {
        space.get(self.at + LEN)
    }

    #[inline]
    pub(super) fn set_len(self, change: &mut Change<'_, '_>, len: u64) -> Result<(), Fault> {
        change.put(self.at + LEN, len)
    }

    /// One of the words of the kind.
    #[inline]
    pub(super) fn more(self, word: usize) -> usize {
        debug_assert!(word * 8 < MORE_BYTES);
        self.at + MORE + word * 8
    }

    /// Empties it, however much is in it: what was is moved to a header that is garbage.
    pub(super) fn empty(self, change: &mut Change<'_, '_>, kind: Kind) -> Result<(), Fault> {
        let garbage = Header::new(change, kind)?;
        for field in (LEN..HEADER_BYTES).step_by(8) {
            change.put(garbage.at + field, change.get(self.at + field))?;
            change.put(self.at + field, 0)?;
        }
        garbage.discard(change)
    }

    /// Makes it garbage: what is in it is freed bit by bit.
    pub(super) fn discard(self, change: &mut Change<'_, '_>) -> Result<(), Fault> {
        let head = change.space.root(root::GARBAGE);
        change.put(self.at + SERIAL, 0)?;
        change.put(self.at + VERSION, change.get(head))?;
        change.put(head, self.block.into())
    }

    /// Returns the header that follows one that is free or garbage.
    pub(super) fn next(self, space: &Space<'_>) -> Ref {
        space.get(self.at + VERSION) as Ref
    }

    pub(super) fn serial(self, space: &Space<'_>) -> u64 {
        space.get(self.at + SERIAL)
    }

    /// Frees the first of the garbage, which is empty.
    pub(super) fn free(self, change: &mut Change<'_, '_>) -> Result<(), Fault> {
        let (garbage, free) = (change.space.root(root::GARBAGE), change.space.root(root::HEADERS));
        change.put(garbage, self.next(&change.space).into())?;
        change.put(self.at + VERSION, change.get(free))?;
        change.put(free, self.block.into())
    }
}
