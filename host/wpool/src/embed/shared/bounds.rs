//! How much a list, dict or set may hold.

use crate::shared as control;

/// How much a list, dict or set may hold. By default as much as the state has space for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    inner: control::Bounds,
}

impl Bounds {
    /// At most so many elements, entries or members; 0 for any number.
    #[must_use]
    pub const fn entries(mut self, entries: u32) -> Bounds {
        self.inner.entries = entries;
        self
    }

    /// At most so many bytes, in pages of 4 KiB, with all that is needed to find them; 0 for any number.
    #[must_use]
    pub const fn bytes(mut self, bytes: u64) -> Bounds {
        self.inner.bytes = bytes;
        self
    }

    pub(super) const fn inner(self) -> control::Bounds {
        self.inner
    }
}
