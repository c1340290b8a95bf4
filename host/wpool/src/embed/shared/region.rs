//! Regions: shared memory, which guests map into their own.

use super::Shared;
use super::error::SharedError;
use super::handle::{Handle, object};
use crate::shared::{self as control, Spec};
use std::io::{self, Read, Write};
use std::sync::Arc;

/// The number of bytes that are copied at once.
const PIECE_BYTES: usize = 1 << 20;

/// Memory that processes and threads share by its name, as Python's `SharedMemory`.
///
/// A program copies bytes in and out; a guest can also map the region into its own memory. A copy
/// is not atomic while others write: a consistent copy needs a lock.
///
/// ```
/// use wpool::{Region, Shared};
///
/// let shared = Shared::new()?;
/// let samples = Region::create(&shared, "samples", 1 << 20)?;
/// samples.write(5, b"hello")?;
/// let mut bytes = [0; 6];
/// samples.read(4, &mut bytes)?;
/// assert_eq!(&bytes, b"\0hello");
/// # Ok::<(), wpool::SharedError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Region {
    handle: Arc<Handle>,
    size: u64,
    read_only: bool,
}

fn spec(bytes: u64, read_only: bool) -> Spec {
    // A size that is too large for `usize` is refused as too large.
    Spec::Region { bytes: usize::try_from(bytes).unwrap_or(usize::MAX), read_only }
}

impl Region {
    object! {
        Region "region";

        /// Creates a region of `bytes` zero bytes.
        create, open_or_create(bytes: u64): spec(bytes, false);
    }

    fn opened(handle: Handle) -> Result<Region, SharedError> {
        let (size, read_only) = handle.look(|memory, id| {
            let region = memory.region(id)?;
            Ok((region.bytes() as u64, region.is_read_only()))
        })?;
        Ok(Region { handle: Arc::new(handle), size, read_only })
    }

    /// Creates a region of `bytes` bytes that begins with everything read from `contents`. The rest
    /// is zero.
    ///
    /// # Errors
    /// Returns the errors of [`Region::create`]; [`SharedError::OutOfRange`] if `contents` does not
    /// fit, and [`SharedError::System`] if it cannot be read. No region is left behind then.
    pub fn create_with(
        shared: &Shared,
        name: &str,
        bytes: u64,
        contents: impl Read,
    ) -> Result<Region, SharedError> {
        Region::create_filled(shared, name, &spec(bytes, false), contents)
    }

    /// Creates a region like [`Region::create_with`], which can only be read from then on.
    ///
    /// # Errors
    /// Returns the same errors as [`Region::create_with`].
    pub fn create_read_only(
        shared: &Shared,
        name: &str,
        bytes: u64,
        contents: impl Read,
    ) -> Result<Region, SharedError> {
        Region::create_filled(shared, name, &spec(bytes, true), contents)
    }

    fn create_filled(
        shared: &Shared,
        name: &str,
        spec: &Spec,
        contents: impl Read,
    ) -> Result<Region, SharedError> {
        let handle = Handle::create(shared, crate::ObjectKind::Region, name, spec)?;
        let region = Region::opened(handle)?;
        region.fill(contents).inspect_err(|_| {
            // The region has just been made; nothing is lost if another has deleted it already.
            let _ = region.delete();
        })?;
        Ok(region)
    }

    fn fill(&self, mut contents: impl Read) -> Result<(), SharedError> {
        let mut piece = vec![0; PIECE_BYTES];
        let mut at = 0;
        loop {
            let bytes = match contents.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(system(&error)),
            };
            if at + bytes as u64 > self.size {
                let limits =
                    format!("it has {} bytes, and there are more: make it larger", self.size);
                return Err(SharedError::OutOfRange { object: self.handle.object(), limits });
            }
            // Zeros need no write: holes of a file cost no memory.
            if piece[..bytes].iter().any(|&byte| byte != 0) {
                self.with(|region| region.fill(place(at), &piece[..bytes]))?;
            }
            at += bytes as u64;
        }
    }

    fn with<T>(
        &self,
        operation: impl FnOnce(control::Region<'_>) -> Result<T, control::Error>,
    ) -> Result<T, SharedError> {
        self.handle.look(|memory, id| operation(memory.region(id)?))
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns whether the region may only be read.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Copies bytes from `offset` on, as many as `to` holds.
    ///
    /// # Errors
    /// Returns [`SharedError::OutOfRange`] if not all bytes are inside; [`SharedError::Broken`].
    pub fn read(&self, offset: u64, to: &mut [u8]) -> Result<(), SharedError> {
        self.with(|region| region.read(place(offset), to))
    }

    /// Copies `from` to the bytes from `offset` on.
    ///
    /// # Errors
    /// Returns [`SharedError::OutOfRange`] if not all bytes are inside; [`SharedError::ReadOnly`]
    /// or [`SharedError::Broken`].
    pub fn write(&self, offset: u64, from: &[u8]) -> Result<(), SharedError> {
        self.with(|region| region.write(place(offset), from))
    }

    /// Writes all bytes of the region to `to`.
    ///
    /// # Errors
    /// Returns [`SharedError::System`] if they cannot be written; [`SharedError::Broken`].
    pub fn copy_to(&self, mut to: impl Write) -> Result<(), SharedError> {
        let mut piece = vec![0; PIECE_BYTES.min(place(self.size))];
        let mut at = 0;
        while at < self.size {
            let bytes = (self.size - at).min(piece.len() as u64) as usize;
            self.with(|region| region.fetch(place(at), &mut piece[..bytes]))?;
            to.write_all(&piece[..bytes]).map_err(|error| system(&error))?;
            at += bytes as u64;
        }
        Ok(())
    }
}

/// Converts an offset. An offset too large for `usize` becomes one that is outside of every region.
fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn system(error: &io::Error) -> SharedError {
    SharedError::System { reason: error.to_string() }
}
