//! Regions: pieces of one sparse memfd, which guests map into their linear memory.
//!
//! ```text
//! params     {bytes: 63 bits, read only: 1 bit}
//! extent     {first piece: 32 bits, pieces: 32 bits}, of 64 KiB each
//! ```
//!
//! Regions are only handed out, read and written here; this module knows nothing of linear
//! memories.
//!
//! **Invariant:** regions do not overlap, and a new region is zero.

use super::Shared;
use super::directory;
use super::error::Error;
use super::layout::record;
use super::memory::Memory;
use super::object::{Kind, Object, ObjectId};
use std::os::fd::BorrowedFd;

pub(super) const READ_ONLY: u64 = 1;
/// The position of the length in the parameters.
pub(super) const BYTES_SHIFT: u32 = 1;

/// A region.
#[derive(Clone, Copy)]
pub struct Region<'a> {
    object: Object<'a>,
    memory: &'a Memory,
    at: usize,
    bytes: usize,
    read_only: bool,
}

impl Shared {
    /// Returns the region with this id.
    ///
    /// # Errors
    /// Returns `NotFound` or `WrongKind`; `Broken` if the region's words make no sense.
    pub fn region(&self, id: ObjectId) -> Result<Region<'_>, Error> {
        let object = Object::of(self.memory(), id, Kind::Region)?;
        Region::at(object, self.region_memory()).ok_or(Error::Broken { culprit: None })
    }
}

impl<'a> Region<'a> {
    pub(super) fn at(object: Object<'a>, memory: &'a Memory) -> Option<Region<'a>> {
        let params = object.get(record::PARAMS);
        let bytes = usize::try_from(params >> BYTES_SHIFT).ok()?;
        let (at, whole) = object.pieces(memory)?;
        let read_only = params & READ_ONLY != 0;
        (bytes <= whole).then_some(Region { object, memory, at, bytes, read_only })
    }

    /// Returns the region's name, also after the region was deleted. Bytes that are not UTF-8 are
    /// replaced.
    pub fn name(&self) -> String {
        let entry = self.object.entry();
        entry.map(|entry| directory::name(self.object, entry)).unwrap_or_default()
    }

    /// Returns the memfd of regions.
    pub fn fd(&self) -> BorrowedFd<'a> {
        self.memory.fd()
    }

    /// Returns the region's offset in the memfd of regions, a multiple of 64 KiB.
    pub fn offset(&self) -> u64 {
        self.at as u64
    }

    /// Returns the length in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns whether guests may only read the region.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    fn range(&self, at: usize, bytes: usize) -> Result<usize, Error> {
        let inside = at.checked_add(bytes).is_some_and(|end| end <= self.bytes);
        if inside { Ok(self.at + at) } else { Err(Error::OutOfRange) }
    }

    /// Checks that a range of bytes is inside the region.
    ///
    /// # Errors
    /// Returns `OutOfRange`.
    pub fn check(&self, at: usize, bytes: usize) -> Result<(), Error> {
        self.range(at, bytes).map(drop)
    }

    /// Copies bytes out.
    ///
    /// # Errors
    /// Returns `OutOfRange`.
    pub fn read(&self, at: usize, to: &mut [u8]) -> Result<(), Error> {
        self.memory.read(self.range(at, to.len())?, to);
        Ok(())
    }

    /// Copies bytes in.
    ///
    /// # Errors
    /// Returns `OutOfRange` or `ReadOnly`.
    pub fn write(&self, at: usize, from: &[u8]) -> Result<(), Error> {
        if self.read_only {
            return Err(Error::ReadOnly);
        }
        self.memory.write(self.range(at, from.len())?, from);
        Ok(())
    }

    /// Copies bytes in even if the region is read-only: for the host, before guests see the region.
    ///
    /// # Errors
    /// Returns `OutOfRange`; `NoSpace` if the system has no memory for the bytes.
    pub fn fill(&self, at: usize, from: &[u8]) -> Result<(), Error> {
        self.memory.store(self.range(at, from.len())?, from).map_err(|_| Error::NoSpace)
    }

    /// Copies bytes out. Pages that were never written cost no memory.
    ///
    /// # Errors
    /// Returns `OutOfRange`.
    pub fn fetch(&self, at: usize, to: &mut [u8]) -> Result<(), Error> {
        let from = self.range(at, to.len())?;
        self.memory.fetch(from, to).map_err(|_| Error::Broken { culprit: None })
    }
}
