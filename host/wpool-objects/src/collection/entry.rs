//! Entries: the keys and values of tables.
//!
//! ```text
//! entry      64 bytes: {hash, next of the chain}, {before, after in the order}, version, key (two words),
//!            value (three)
//! ```

use super::Fault;
use super::change::Change;
use super::item::{self, NARROW, WIDE, Words};
use super::space::{Ref, Space};

/// Bytes of an entry.
pub(super) const ENTRY_BYTES: usize = 64;

const ORDER: usize = 8;
const VERSION: usize = 16;
const KEY: usize = 24;
const VALUE: usize = 40;

/// Half of a word: a reference that stands in one.
#[derive(Clone, Copy)]
pub(super) struct Half {
    pub(super) at: usize,
    pub(super) shift: u32,
}

impl Half {
    #[inline]
    pub(super) fn get(self, space: &Space<'_>) -> Ref {
        (space.get(self.at) >> self.shift) as Ref
    }

    #[inline]
    pub(super) fn put(self, change: &mut Change<'_, '_>, value: Ref) -> Result<(), Fault> {
        let rest = change.get(self.at) & !(0xffff_ffff << self.shift);
        change.put(self.at, rest | u64::from(value) << self.shift)
    }
}

/// An entry's place.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) block: Ref,
    at: usize,
}

impl Entry {
    #[inline]
    pub(super) fn of(space: &Space<'_>, block: Ref) -> Result<Entry, Fault> {
        Ok(Entry { block, at: space.at(block, ENTRY_BYTES)? })
    }

    #[inline]
    pub(super) fn hash(self, space: &Space<'_>) -> u32 {
        space.get(self.at) as u32
    }

    #[inline]
    pub(super) fn chain(self) -> Half {
        Half { at: self.at, shift: 32 }
    }

    #[inline]
    pub(super) fn before(self) -> Half {
        Half { at: self.at + ORDER, shift: 0 }
    }

    #[inline]
    pub(super) fn after(self) -> Half {
        Half { at: self.at + ORDER, shift: 32 }
    }

    /// Returns the entry that came before it, or 0.
    pub(super) fn comes_after(self, space: &Space<'_>) -> Ref {
        self.before().get(space)
    }

    /// Returns the version of the table when its value was set.
    #[inline]
    pub(super) fn version(self, space: &Space<'_>) -> u64 {
        space.get(self.at + VERSION)
    }

    #[inline]
    pub(super) fn key(self, space: &Space<'_>) -> Words {
        [space.get(self.at + KEY), space.get(self.at + KEY + 8), 0]
    }

    #[inline]
    pub(super) fn value(self, space: &Space<'_>) -> Words {
        [0, 8, 16].map(|word| space.get(self.at + VALUE + word))
    }

    /// Replaces the value; what the old one has beside its words is freed.
    #[inline]
    pub(super) fn set_value(
        self,
        change: &mut Change<'_, '_>,
        value: &Words,
        version: u64,
    ) -> Result<(), Fault> {
        let old = self.value(&change.space);
        item::release(change, &old, WIDE)?;
        for (word, value) in value.iter().enumerate() {
            change.put(self.at + VALUE + word * 8, *value)?;
        }
        change.put(self.at + VERSION, version)
    }

    /// Writes all of an entry that was taken in the same change, but for its place in the order.
    pub(super) fn init(
        self,
        change: &Change<'_, '_>,
        hash: u32,
        next: Ref,
        (key, value): (&Words, &Words),
        version: u64,
    ) {
        change.init(self.at, u64::from(next) << 32 | u64::from(hash));
        change.init(self.at + VERSION, version);
        for (word, key) in key.iter().enumerate().take(NARROW) {
            change.init(self.at + KEY + word * 8, *key);
        }
        for (word, value) in value.iter().enumerate() {
            change.init(self.at + VALUE + word * 8, *value);
        }
    }

    /// Says what it comes after, of an entry that was taken in the same change and is the last.
    pub(super) fn init_last(self, change: &Change<'_, '_>, before: Ref) {
        change.init(self.at + ORDER, before.into());
    }
}
