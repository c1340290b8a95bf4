//! Regions in the linear memory of an instance.
//!
//! Only the host chooses their place. It grows the memory beyond what the guest has, and maps the
//! region's piece of the memfd over the pages that it has added. An unmapped range turns into zeros
//! that may only be read, so that it is no memory beside the limit, and is used again before the
//! memory grows again.
//!
//! **Invariants:** initial pages, and pages that the guest has grown itself, are never mapped over.
//! Before an instance is dropped, all its pages are its own again ([`Mappings::restore`]): a
//! pooling allocator, which resets the slot, never sees a region, and neither does the next
//! instance.
#![expect(unsafe_code, reason = "maps over pages of a linear memory")]

use super::Host;
use super::ranges::{Ranges, Taken};
use crate::shared::{Error, ObjectId, PIECE_BYTES, Region};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::cell::{Cell, UnsafeCell};
use std::num::NonZeroUsize;
use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use wasmtime::{Caller, Memory};

/// The number of bytes at the start of a memory that the pooling allocator may reset by writing to
/// them.
pub(crate) const RESIDENT_BYTES_MAX: usize = 1 << 20;

thread_local! {
    /// The regions of the instance that this thread runs; null while there are none or they change.
    static HERE: Cell<*const Space> = const { Cell::new(ptr::null()) };
}

/// The regions that an instance has mapped, and the ranges that it had.
#[derive(Debug, Default)]
pub(crate) struct Mappings(Option<Box<Space>>);

#[derive(Debug)]
struct Space {
    /// The address in this process at which the linear memory begins. It never moves.
    base: usize,
    ranges: Ranges,
}

impl Mappings {
    /// Notes that a handle does not have a region mapped any more. The last handle unmaps the
    /// region.
    pub(super) fn unmap(&mut self, id: ObjectId, handle: i32) {
        self.change(|space| {
            if let Some((at, bytes)) = space.ranges.release(id, handle) {
                space.map_zeros(at, bytes, ProtFlags::PROT_READ);
            }
        });
    }

    /// Returns a description of a range in these bytes of the memory that may not be written, if
    /// there is one.
    #[inline]
    pub(super) fn guarded(&self, at: usize, bytes: usize) -> Option<&str> {
        self.0.as_ref()?.ranges.guarded(at, bytes)
    }

    /// Returns whether a region lies in some of these bytes of the memory, so that others write
    /// them at the same time.
    #[inline]
    pub(super) fn shared(&self, at: usize, bytes: usize) -> bool {
        self.0.as_ref().is_some_and(|space| space.ranges.shared(at, bytes))
    }

    /// Returns a description of the range at an address of this process, if it may not be written.
    pub(crate) fn guarded_at(&self, address: usize) -> Option<&str> {
        self.0.as_ref()?.guarded_at(address)
    }

    /// Makes all pages the instance's own again, because the instance is thrown away.
    pub(crate) fn restore(&mut self) {
        HERE.set(ptr::null());
        if let Some(space) = self.0.take() {
            for (at, bytes) in space.ranges.all() {
                // Inaccessible pages do not count as memory of this process.
                let near = RESIDENT_BYTES_MAX.saturating_sub(at).min(bytes);
                if near > 0 {
                    space.map_zeros(at, near, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE);
                }
                if near < bytes {
                    space.map_zeros(at + near, bytes - near, ProtFlags::PROT_NONE);
                }
            }
        }
    }

    /// Changes the mappings, if there are any, while no signal handler looks at them.
    fn change<T>(&mut self, change: impl FnOnce(&mut Space) -> T) -> Option<T> {
        let space = self.0.as_mut()?;
        HERE.set(ptr::null());
        let changed = change(space);
        HERE.set(&raw const **space);
        Some(changed)
    }
}

impl Drop for Mappings {
    fn drop(&mut self) {
        if self.0.is_some() {
            HERE.set(ptr::null());
        }
    }
}

impl Space {
    fn guarded_at(&self, address: usize) -> Option<&str> {
        self.ranges.guarded(address.checked_sub(self.base)?, 1)
    }

    /// Returns the address of a range in this process, and its length.
    fn place(&self, at: usize, bytes: usize) -> (Option<NonZeroUsize>, NonZeroUsize) {
        let bytes = NonZeroUsize::new(bytes).expect("a range is not empty");
        (NonZeroUsize::new(self.base + at), bytes)
    }

    /// Maps a region over a free range.
    fn map_region(&self, at: usize, bytes: usize, region: &Region<'_>) -> nix::Result<()> {
        let mut access = ProtFlags::PROT_READ;
        access.set(ProtFlags::PROT_WRITE, !region.is_read_only());
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
        let (address, bytes) = self.place(at, bytes);
        // The offset is below the size of a memfd.
        let offset = region.offset() as i64;
        // SAFETY: the range is one of those that the host has added to the linear memory, which is
        // alive as long as `self` is used and never moves; it is free, and whole pages. No
        // reference into the memory exists, because the caller has its store. The memfd's size is
        // sealed and the region inside it, so no access to the mapping can fault.
        unsafe { mmap(address, bytes, access, flags, region.fd(), offset) }?;
        Ok(())
    }

    /// Maps zeros over a range.
    fn map_zeros(&self, at: usize, bytes: usize, access: ProtFlags) {
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE | MapFlags::MAP_FIXED;
        let (address, bytes) = self.place(at, bytes);
        // SAFETY: as in `map_region`; the range is the host's, whether it is free or not.
        let mapped = unsafe { mmap_anonymous(address, bytes, access, flags) };
        // A range that stayed mapped would be visible to the next instance.
        mapped.expect("a mapping can be replaced by one of the same size");
    }
}

/// Maps a region for one of its handles. Returns its address in the memory, which stays the same if
/// the region is mapped already.
///
/// # Errors
/// Returns `NoSpace` if the memory cannot grow so far, or not so far for regions.
pub(super) fn map(
    caller: &mut Caller<'_, Host>,
    memory: Memory,
    (id, handle): (ObjectId, i32),
    region: &Region<'_>,
) -> Result<usize, Error> {
    let base = memory.data_ptr(&*caller) as usize;
    let bytes = region.bytes().next_multiple_of(PIECE_BYTES);
    let mappings = &mut caller.data_mut().mappings;
    mappings.0.get_or_insert_with(|| Box::new(Space { base, ranges: Ranges::default() }));
    let known = mappings.change(|space| (space.ranges.hold(id, handle), space.ranges.fit(bytes)));
    let taken = Taken::new(id, handle);
    let taken = if region.is_read_only() { taken.read_only(&region.name()) } else { taken };
    let cover = |caller: &mut Caller<'_, Host>, at| {
        let covered = caller.data_mut().mappings.change(|space| {
            assert_eq!(space.base, base, "a memory with regions never moves");
            space.map_region(at, bytes, region)?;
            space.ranges.take(at, bytes, taken);
            Ok(())
        });
        covered.expect("just made").map_err(|_: nix::Error| Error::NoSpace)?;
        Ok(at)
    };
    match known.expect("just made") {
        (Some(at), _) => Ok(at),
        (None, Some(at)) => cover(caller, at),
        (None, None) => with_room(bytes, || {
            let at = grow(caller, memory, bytes)?;
            cover(caller, at)
        }),
    }
}

/// Does an operation that needs `bytes` bytes of private memory until a region covers them, if this
/// process may have them.
fn with_room<T>(bytes: usize, what: impl FnOnce() -> T) -> T {
    let Ok((bound, most)) = getrlimit(Resource::RLIMIT_DATA) else { return what() };
    let raised = bound.saturating_add(bytes as u64).min(most);
    // If the bound stays as it is, the memory does not grow, and the guest gets that error.
    let _ = setrlimit(Resource::RLIMIT_DATA, raised, most);
    let done = what();
    let _ = setrlimit(Resource::RLIMIT_DATA, bound, most);
    done
}

/// Adds a free range to the memory, or enlarges the one at its end, so that `bytes` bytes fit.
/// Returns its address, which is never 0, because the region's name was in the memory.
fn grow(caller: &mut Caller<'_, Host>, memory: Memory, bytes: usize) -> Result<usize, Error> {
    let end = memory.data_size(&*caller);
    let mappings = &caller.data().mappings;
    let free = mappings.0.as_ref().map_or(0, |space| space.ranges.free_before(end));
    let added = bytes - free;
    caller.data_mut().limits.grow_for_region(true);
    let grown = memory.grow(&mut *caller, (added / PIECE_BYTES) as u64);
    caller.data_mut().limits.grow_for_region(false);
    // Nothing has changed if the growth failed.
    grown.map_err(|_| Error::NoSpace)?;
    caller.data_mut().mappings.change(|space| space.ranges.add(end, added));
    Ok(end - free)
}

/// Copies bytes out of a memory, some of which may be a region's.
#[cold]
pub(super) fn copy_out(from: &mut [u8]) -> Vec<u8> {
    let mut copied = Vec::with_capacity(from.len());
    let (first, words, last) = words(from);
    copied.extend(first.iter().map(|byte| byte.load(Relaxed)));
    words.iter().for_each(|word| copied.extend_from_slice(&word.load(Relaxed).to_ne_bytes()));
    copied.extend(last.iter().map(|byte| byte.load(Relaxed)));
    copied
}

/// Copies bytes to a place of the same length in a memory, some of which may be a region's. Aligned
/// words are written whole.
#[cold]
pub(super) fn copy_in(from: &[u8], to: &mut [u8]) {
    assert_eq!(from.len(), to.len(), "as much as there is room for");
    let (first, words, last) = words(to);
    let (of_first, rest) = from.split_at(first.len());
    let (of_words, of_last) = rest.as_chunks::<8>();
    let store = |bytes: &[AtomicU8], from: &[u8]| {
        bytes.iter().zip(from).for_each(|(byte, from)| byte.store(*from, Relaxed));
    };
    store(first, of_first);
    words.iter().zip(of_words).for_each(|(word, from)| {
        word.store(u64::from_ne_bytes(*from), Relaxed);
    });
    store(last, of_last);
}

/// Returns the memory of the calling instance, as cells that others may write at the same time, and
/// the host's data.
///
/// # Errors
/// Returns an error if the module exports no memory.
pub(crate) fn cells<'a>(
    caller: &'a mut Caller<'_, Host>,
) -> wasmtime::Result<(&'a [UnsafeCell<u8>], &'a mut Host)> {
    let Some(memory) = caller.data().memory else {
        wasmtime::bail!("the module exports no memory under the name `memory`");
    };
    let (memory, host) = memory.data_and_store_mut(caller);
    // SAFETY: the cells live as long as the reference, through which nobody else in this process
    // has them, and have the layout of bytes.
    Ok((unsafe { &*(&raw const *memory as *const [UnsafeCell<u8>]) }, host))
}

/// Returns bytes that other processes write at the same time: the bytes before the first aligned
/// word, the words, and the rest.
fn words(bytes: &mut [u8]) -> (&[AtomicU8], &[AtomicU64], &[AtomicU8]) {
    // SAFETY: the bytes live as long as the reference, through which nobody else in this process
    // has them. Atomic bytes have the layout of bytes, and any bytes are valid; the same holds for
    // aligned words.
    unsafe {
        let bytes = &*(&raw const *bytes as *const [AtomicU8]);
        bytes.align_to::<AtomicU64>()
    }
}

/// Calls `tell` with a description of the range at an address of this process, if the range belongs
/// to the instance that this thread runs and may not be written. For signal handlers: takes no lock
/// and allocates nothing.
pub(crate) fn tell_guarded(address: usize, tell: impl FnOnce(&str)) {
    // SAFETY: the pointer is null, or points to what the mappings of a live instance own: it is
    // null while they change and when they are dropped. It belongs to this thread, which runs
    // nothing else meanwhile.
    let here = unsafe { HERE.get().as_ref() };
    if let Some(what) = here.and_then(|space| space.guarded_at(address)) {
        tell(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_any_place() {
        let from: Vec<u8> = (1..=40).collect();
        for at in 0..9 {
            for length in 0..=from.len() {
                let mut memory = [0; 64];
                copy_in(&from[..length], &mut memory[at..at + length]);
                assert_eq!(copy_out(&mut memory[at..at + length]), from[..length]);
                let others = memory.iter().filter(|byte| **byte == 0).count();
                assert_eq!(others, memory.len() - length);
            }
        }
    }
}
