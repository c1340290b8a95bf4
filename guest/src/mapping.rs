//! Mappings: regions mapped into this module's memory.

#![expect(unsafe_code, reason = "references into memory that other processes write")]

use std::hint::black_box;
use std::ops::{Bound, Deref, RangeBounds};
use std::ptr::{self, NonNull};
use std::slice;

use crate::error::Error;
use crate::plain::{Plain, SharedCell};
use crate::{Region, raw};

/// A region that is mapped into this module's memory until the mapping is dropped.
///
/// [`cells`](Mapping::cells) is safe whatever other processes do meanwhile.
/// [`slice`](Mapping::slice) and [`slice_mut`](Mapping::slice_mut) return ordinary, fast slices;
/// their caller promises that nobody interferes.
///
/// Two mappings of a region, by two handles, are the same memory, which is unmapped with the last
/// of them.
#[derive(Debug)]
pub struct Mapping {
    // The pages come first, so that they are unmapped before the region is closed.
    pages: Pages,
    region: Region,
}

/// The place of the region in memory.
#[derive(Debug)]
struct Pages {
    region: i32,
    start: NonNull<u8>,
    bytes: usize,
}

impl Drop for Pages {
    fn drop(&mut self) {
        raw::region_unmap(self.region);
    }
}

impl Region {
    /// Maps the region into this module's memory.
    ///
    /// # Errors
    /// Returns [`NoSpace`](Error::NoSpace) if the region is larger than the rest of the address
    /// space, or of the memory that this module may have.
    pub fn map(self) -> Result<Mapping, Error> {
        Mapping::new(self)
    }
}

impl Mapping {
    fn new(region: Region) -> Result<Mapping, Error> {
        // A region of more bytes could not be a slice.
        let bytes = isize::try_from(region.size()).map_err(|_| Error::NoSpace)? as usize;
        // An allocator may take all memory that its first call finds for its own (as in an old
        // wasi-libc), so that call comes before the region is mapped.
        drop(black_box(Box::new(0_u8)));
        let address = raw::region_map(region.id());
        if address < 0 {
            // All codes are small.
            return Err(Error::of(address as i32));
        }
        // The host chose the address: it lies in this memory, and in no object of the program's
        // own.
        let start = NonNull::new(ptr::with_exposed_provenance_mut(address as usize));
        let start = start.expect("no region lies at address 0");
        Ok(Mapping { pages: Pages { region: region.id(), start, bytes }, region })
    }

    /// Unmaps the region.
    pub fn unmap(self) -> Region {
        self.region
    }

    /// Returns all of the region as cells of whole values. The bytes of an incomplete value at the
    /// end are left out.
    pub fn cells<T: Plain>(&self) -> &[SharedCell<T>] {
        // SAFETY: the host mapped this many bytes at a multiple of 64 KiB, and they stay as long as
        // the mapping is borrowed. A cell expects that others write it.
        unsafe { slice::from_raw_parts(self.start::<SharedCell<T>>(), self.count::<T>()) }
    }

    /// Returns the values in this range, counted in values.
    ///
    /// # Safety
    /// As long as the slice is used, nobody writes to these values: no other process, and nobody
    /// through `cells` or another mapping. A lock, a barrier, or a region that may only be read
    /// ensures that.
    ///
    /// # Panics
    /// Panics if the range is not inside the region.
    pub unsafe fn slice<T: Plain>(&self, range: impl RangeBounds<usize>) -> &[T] {
        let (first, count) = self.checked::<T>(range);
        // SAFETY: the range is inside what the host mapped at a multiple of 64 KiB, any bytes there
        // are a `T`, and the caller promises that nobody writes them.
        unsafe { slice::from_raw_parts(self.start::<T>().add(first), count) }
    }

    /// Returns the values in this range, counted in values, to be changed.
    ///
    /// # Safety
    /// As long as the slice is used, nobody else reads or writes these values: no other process,
    /// and nobody through another mapping. A lock, a barrier, or a range of its own for each
    /// process ensures that.
    ///
    /// # Panics
    /// Panics if the range is not inside the region, or if the region may only be read.
    pub unsafe fn slice_mut<T: Plain>(&mut self, range: impl RangeBounds<usize>) -> &mut [T] {
        assert!(!self.is_read_only(), "the region may only be read");
        let (first, count) = self.checked::<T>(range);
        // SAFETY: the range is inside what the host mapped at a multiple of 64 KiB, any bytes there
        // are a `T`, and the caller promises that nobody else uses them.
        unsafe { slice::from_raw_parts_mut(self.start::<T>().add(first), count) }
    }

    fn start<T>(&self) -> *mut T {
        self.pages.start.as_ptr().cast()
    }

    /// Returns the number of whole values.
    fn count<T>(&self) -> usize {
        self.pages.bytes / size_of::<T>()
    }

    /// Returns the first index of a range, and its length.
    fn checked<T>(&self, range: impl RangeBounds<usize>) -> (usize, usize) {
        span(range, self.count::<T>())
    }
}

/// Gives access to the region, which a mapping still is.
impl Deref for Mapping {
    type Target = Region;

    fn deref(&self) -> &Region {
        &self.region
    }
}

/// Returns the first index of a range inside `0..count`, and its length.
fn span(range: impl RangeBounds<usize>, count: usize) -> (usize, usize) {
    let first = match range.start_bound() {
        Bound::Included(&first) => Some(first),
        Bound::Excluded(&before) => before.checked_add(1),
        Bound::Unbounded => Some(0),
    };
    let end = match range.end_bound() {
        Bound::Included(&last) => last.checked_add(1),
        Bound::Excluded(&end) => Some(end),
        Bound::Unbounded => Some(count),
    };
    match (first, end) {
        (Some(first), Some(end)) if first <= end && end <= count => (first, end - first),
        _ => panic!("the range is not inside the {count} values of the region"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_inside_the_values() {
        assert_eq!(span(.., 8), (0, 8));
        assert_eq!(span(2..5, 8), (2, 3));
        assert_eq!(span(2..=7, 8), (2, 6));
        assert_eq!(span(8.., 8), (8, 0));
    }

    #[test]
    #[should_panic(expected = "not inside the 8 values")]
    fn a_range_beyond_the_end_panics() {
        span(..9, 8);
    }

    #[test]
    #[should_panic(expected = "not inside the 8 values")]
    fn a_range_without_an_end_panics() {
        span(0..=usize::MAX, 8);
    }
}
