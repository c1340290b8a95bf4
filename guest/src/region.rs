//! Regions: shared memory, which can be copied from and to, or mapped.

#![expect(unsafe_code, reason = "the host copies bytes from and to slices")]

use std::slice;

use crate::error::{Error, done, number};
use crate::handle::{Handle, object};
use crate::plain::Plain;
use crate::raw;

/// Memory that processes share by its name, as Python's `SharedMemory`.
///
/// Bytes can be copied out of the region and into it. A [mapped](Region::map) region lies in this
/// module's own memory, and nothing is copied.
///
/// ```no_run
/// use wpool_guest::Region;
///
/// let samples = Region::open("samples")?;
/// let mut first = [0.0_f32; 16];
/// samples.read(0, &mut first)?;
///
/// let samples = samples.map()?;
/// let loudest = samples.cells::<f32>().iter().map(|sample| sample.get()).fold(0.0, f32::max);
/// println!("of {} bytes: {first:?} …, at most {loudest}", samples.size());
/// # Ok::<(), wpool_guest::Error>(())
/// ```
#[derive(Debug)]
pub struct Region {
    handle: Handle,
}

impl Region {
    object! {
        "region", open: raw::region_open;

        /// Creates a region of `bytes` zero bytes.
        create, open_or_create(bytes: u64): |name| raw::region_create(name, bytes);
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        let size = raw::region_size(self.handle.id());
        // All codes are small.
        u64::try_from(size).unwrap_or_else(|_| number(size as i32).into())
    }

    /// Returns whether the region may only be read.
    pub fn is_read_only(&self) -> bool {
        number(raw::region_is_read_only(self.handle.id())) != 0
    }

    /// Copies bytes from `offset` on, as many as `to` holds.
    ///
    /// # Errors
    /// Returns no error of those that exist today.
    ///
    /// # Traps
    /// Traps if not all bytes are inside the region.
    pub fn read<T: Plain>(&self, offset: u64, to: &mut [T]) -> Result<(), Error> {
        let (start, len) = (to.as_mut_ptr().cast(), size_of_val(to));
        // SAFETY: these are the bytes of `to`. The host may write any bytes there, and all are
        // valid, because the data is plain.
        let to = unsafe { slice::from_raw_parts_mut(start, len) };
        done(raw::region_read(self.handle.id(), offset, to))
    }

    /// Copies `from` to the bytes from `offset` on.
    ///
    /// # Errors
    /// Returns [`ReadOnly`](Error::ReadOnly).
    ///
    /// # Traps
    /// Traps if not all bytes are inside the region.
    pub fn write<T: Plain>(&self, offset: u64, from: &[T]) -> Result<(), Error> {
        let (start, len) = (from.as_ptr().cast(), size_of_val(from));
        // SAFETY: these are the bytes of `from`; all are initialised, because the data is plain.
        let from = unsafe { slice::from_raw_parts(start, len) };
        done(raw::region_write(self.handle.id(), offset, from))
    }

    /// Returns the handle as the imports take it.
    #[cfg(not(all(feature = "component", target_family = "wasm")))]
    pub(crate) fn id(&self) -> i32 {
        self.handle.id()
    }
}
