//! Inner collections: lists, dicts and sets that are elements and values of others.
//!
//! The word of the element or value names the header, which is where it was made: so each has one
//! owner, none is in itself, and what is taken out or replaced becomes garbage with all that is in it.
//! They have the space and the latch of the outermost.

use super::super::object::{Kind, ObjectId};
use super::change::Change;
use super::header::Header;
use super::item::{self, Words};
use super::space::{Ref, Space};
use super::{Collection, Error, Fault};

/// A list, dict or set that is an element or a value of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inner {
    pub(super) id: ObjectId,
    /// The kind of the outermost.
    pub(super) outermost: Kind,
    pub(super) nested: Nested,
}

impl Inner {
    /// Returns the id of the outermost object.
    pub fn id(self) -> ObjectId {
        self.id
    }

    /// Returns its kind.
    pub fn kind(self) -> Kind {
        self.nested.kind
    }
}

/// The meaning of a word of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nested {
    pub(super) kind: Kind,
    pub(super) block: Ref,
    pub(super) serial: u64,
}

impl Nested {
    /// Makes one, empty.
    pub(super) fn new(change: &mut Change<'_, '_>, kind: Kind) -> Result<Nested, Fault> {
        let header = Header::new(change, kind)?;
        Ok(Nested { kind, block: header.block, serial: header.serial(&change.space) })
    }

    /// Returns the header, if the collection is still there.
    #[inline]
    pub(super) fn header(self, space: &Space<'_>) -> Result<Header, Fault> {
        let header = Header::of(space, self.block)?;
        if header.serial(space) == self.serial {
            Ok(header)
        } else {
            Err(Fault::Answer(Error::NotFound))
        }
    }
}

impl Collection<'_> {
    /// The meaning of the words of an element or a value: bytes are of the wrong type.
    pub(super) fn inner_of(&self, words: &Words, width: usize) -> Result<Inner, Fault> {
        let nested = item::nested(words, width)?.ok_or(Fault::Answer(Error::WrongType))?;
        Ok(self.inner(nested))
    }

    pub(super) fn inner(&self, nested: Nested) -> Inner {
        let outermost = self.inner.map_or(self.kind, |inner| inner.outermost);
        Inner { id: self.id, outermost, nested }
    }
}
