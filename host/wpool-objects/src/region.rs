//! Regions: pieces of one sparse memfd, which guests map into their linear memory.
//!
//! ```text
//! params     {bytes: 63 bits, read only: 1 bit}
//! extent     {first piece: 32 bits, pieces: 32 bits}, of 64 KiB each
//! ```
//!
//! Here they are only handed out, read and written; nothing is known of linear memories.
//!
//! **Invariant:** regions do not overlap, and a new one is zero.

use super::Shared;
use super::directory;
use super::error::Error;
use super::layout::record;
use super::memory::Memory;
use super::object::{Kind, Object, ObjectId};
use std::os::fd::BorrowedFd;

pub(super) const READ_ONLY: u64 = 1;
/// Where the parameters have the length.
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
    /// The region of this id.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`; `Broken` if its words make no sense.
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

    /// Its name, whatever bytes it is; also after it was deleted.
    pub fn name(&self) -> String {
        let entry = self.object.entry();
        entry.map(|entry| directory::name(self.object, entry)).unwrap_or_default()
    }

    /// The memfd of regions.
    pub fn fd(&self) -> BorrowedFd<'a> {
        self.memory.fd()
    }

    /// Where it begins in the memfd of regions: a multiple of 64 KiB.
    pub fn offset(&self) -> u64 {
        self.at as u64
    }

    /// How long it is.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether guests may only read it.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    fn range(&self, at: usize, bytes: usize) -> Result<usize, Error> {
        let inside = at.checked_add(bytes).is_some_and(|end| end <= self.bytes);
        if inside { Ok(self.at + at) } else { Err(Error::OutOfRange) }
    }

    /// Claims that bytes are inside.
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn check(&self, at: usize, bytes: usize) -> Result<(), Error> {
        self.range(at, bytes).map(drop)
    }

    /// Copies bytes out.
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn read(&self, at: usize, to: &mut [u8]) -> Result<(), Error> {
        self.memory.read(self.range(at, to.len())?, to);
        Ok(())
    }

    /// Copies bytes in.
    ///
    /// # Errors
    /// `OutOfRange`, `ReadOnly`.
    pub fn write(&self, at: usize, from: &[u8]) -> Result<(), Error> {
        if self.read_only {
            return Err(Error::ReadOnly);
        }
        self.memory.write(self.range(at, from.len())?, from);
        Ok(())
    }

    /// Copies bytes in, whoever may write it: for the host, before guests see the region.
    ///
    /// # Errors
    /// `OutOfRange`; `NoSpace` if the system has no memory for them.
    pub fn fill(&self, at: usize, from: &[u8]) -> Result<(), Error> {
        self.memory.store(self.range(at, from.len())?, from).map_err(|_| Error::NoSpace)
    }

    /// Copies bytes out, of which those that were never written cost no memory.
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn fetch(&self, at: usize, to: &mut [u8]) -> Result<(), Error> {
        let from = self.range(at, to.len())?;
        self.memory.fetch(from, to).map_err(|_| Error::Broken { culprit: None })
    }
}
