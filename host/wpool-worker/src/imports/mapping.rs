//! Regions in the linear memory of an instance.
//!
//! Only the host chooses where. It grows the memory beyond what the guest has, and maps the region's
//! piece of the memfd over the pages that it has added. What is unmapped turns into zeros that may only
//! be read, so that it is no memory beside `--memory`, and is used again before the memory grows again.
//!
//! **Invariants:** initial pages, and those that the guest has grown itself, are never mapped over. Before
//! an instance goes, all its pages are its own again ([`Mappings::restore`]): a pooling allocator, which
//! resets the slot, never sees a region, and the next instance does not either.
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

/// Most bytes at the start of a memory that the pooling allocator resets by writing to them.
pub(crate) const RESIDENT_BYTES_MAX: usize = 1 << 20;

thread_local! {
    /// The regions of the instance that this thread runs; null while there are none or they change.
    static HERE: Cell<*const Space> = const { Cell::new(ptr::null()) };
}

/// The regions that an instance has mapped, and what it had.
#[derive(Debug, Default)]
pub(crate) struct Mappings(Option<Box<Space>>);

#[derive(Debug)]
struct Space {
    /// Where the linear memory begins in this process. It never moves.
    base: usize,
    ranges: Ranges,
}

impl Mappings {
    /// A handle has a region mapped no more. With the last one it goes.
    pub(super) fn unmap(&mut self, id: ObjectId, handle: i32) {
        self.change(|space| {
            if let Some((at, bytes)) = space.ranges.release(id, handle) {
                space.map_zeros(at, bytes, ProtFlags::PROT_READ);
            }
        });
    }

    /// What lies in these bytes of the memory and may not be written.
    #[inline]
    pub(super) fn guarded(&self, at: usize, bytes: usize) -> Option<&str> {
        self.0.as_ref()?.ranges.guarded(at, bytes)
    }

    /// Whether a region lies in some of these bytes of the memory: others write them at the same time.
    #[inline]
    pub(super) fn shared(&self, at: usize, bytes: usize) -> bool {
        self.0.as_ref().is_some_and(|space| space.ranges.shared(at, bytes))
    }

    /// What lies at an address of this process and may not be written.
    pub(crate) fn guarded_at(&self, address: usize) -> Option<&str> {
        self.0.as_ref()?.guarded_at(address)
    }

    /// Makes all pages the instance's own again: it is thrown away.
    pub(crate) fn restore(&mut self) {
        HERE.set(ptr::null());
        if let Some(space) = self.0.take() {
            for (at, bytes) in space.ranges.all() {
                // What is inaccessible does not count as memory of this process.
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

    /// Changes what is there, if there is anything, while no signal handler looks.
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

    /// Where a range begins in this process, and its length.
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
        // Below the size of a memfd.
        let offset = region.offset() as i64;
        // SAFETY: the range is one of those that the host has added to the linear memory, which is
        // alive as long as `self` is used and never moves; it is free, and whole pages. No reference
        // into the memory exists: whoever calls has its store. The memfd's size is sealed and the
        // region inside it, so no access to the mapping can fault.
        unsafe { mmap(address, bytes, access, flags, region.fd(), offset) }?;
        Ok(())
    }

    /// Maps zeros over a range.
    fn map_zeros(&self, at: usize, bytes: usize, access: ProtFlags) {
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE | MapFlags::MAP_FIXED;
        let (address, bytes) = self.place(at, bytes);
        // SAFETY: as in `map_region`; what was there is the host's, whether it is free or not.
        let mapped = unsafe { mmap_anonymous(address, bytes, access, flags) };
        // Or else the next instance would see it.
        mapped.expect("a mapping can be replaced by one of the same size");
    }
}

/// Maps a region for one of its handles, and answers with its address in the memory: the one it has
/// if it is mapped already.
///
/// # Errors
/// `NoSpace`: the memory cannot grow so far, or not so far for regions.
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

/// Does what needs so many bytes of private memory until a region covers them, if this process may have
/// them.
fn with_room<T>(bytes: usize, what: impl FnOnce() -> T) -> T {
    let Ok((bound, most)) = getrlimit(Resource::RLIMIT_DATA) else { return what() };
    let raised = bound.saturating_add(bytes as u64).min(most);
    // Where the bound stays as it is, the memory does not grow, which is told.
    let _ = setrlimit(Resource::RLIMIT_DATA, raised, most);
    let done = what();
    let _ = setrlimit(Resource::RLIMIT_DATA, bound, most);
    done
}

/// Adds a free range to the memory, or enlarges the one at its end, so that so many bytes fit; answers
/// with its address, which is never 0: the region's name stood in the memory.
fn grow(caller: &mut Caller<'_, Host>, memory: Memory, bytes: usize) -> Result<usize, Error> {
    let end = memory.data_size(&*caller);
    let mappings = &caller.data().mappings;
    let free = mappings.0.as_ref().map_or(0, |space| space.ranges.free_before(end));
    let added = bytes - free;
    caller.data_mut().limits.grow_for_region(true);
    let grown = memory.grow(&mut *caller, (added / PIECE_BYTES) as u64);
    caller.data_mut().limits.grow_for_region(false);
    // Nothing has changed.
    grown.map_err(|_| Error::NoSpace)?;
    caller.data_mut().mappings.change(|space| space.ranges.add(end, added));
    Ok(end - free)
}

/// Copies bytes of a memory out of it, some of which may be a region's.
#[cold]
pub(super) fn copy_out(from: &mut [u8]) -> Vec<u8> {
    let mut copied = Vec::with_capacity(from.len());
    let (first, words, last) = words(from);
    copied.extend(first.iter().map(|byte| byte.load(Relaxed)));
    words.iter().for_each(|word| copied.extend_from_slice(&word.load(Relaxed).to_ne_bytes()));
    copied.extend(last.iter().map(|byte| byte.load(Relaxed)));
    copied
}

/// Copies bytes to a place in a memory of the same length, some of which may be a region's. Aligned words are
/// written whole.
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

/// The memory of the instance that calls, as cells that others may write at the same time, and what the host keeps.
///
/// # Errors
/// The module exports none.
pub(crate) fn cells<'a>(
    caller: &'a mut Caller<'_, Host>,
) -> wasmtime::Result<(&'a [UnsafeCell<u8>], &'a mut Host)> {
    let Some(memory) = caller.data().memory else {
        wasmtime::bail!("the module exports no memory under the name `memory`");
    };
    let (memory, host) = memory.data_and_store_mut(caller);
    // SAFETY: the cells live as long as the reference, through which nobody else in this process has them, and
    // have the form of bytes.
    Ok((unsafe { &*(&raw const *memory as *const [UnsafeCell<u8>]) }, host))
}

/// Bytes that other processes write at the same time: those before the first aligned word, the words, and the
/// rest.
fn words(bytes: &mut [u8]) -> (&[AtomicU8], &[AtomicU64], &[AtomicU8]) {
    // SAFETY: the bytes live as long as the reference, through which nobody else in this process has them. Atomic
    // bytes have the form of bytes, and any bytes are one; so have aligned words.
    unsafe {
        let bytes = &*(&raw const *bytes as *const [AtomicU8]);
        bytes.align_to::<AtomicU64>()
    }
}

/// Tells what lies at an address of this process, if it belongs to the instance that this thread runs
/// and may not be written. For signal handlers: takes no lock and allocates nothing.
pub(crate) fn tell_guarded(address: usize, tell: impl FnOnce(&str)) {
    // SAFETY: the pointer is null, or to what the mappings of a live instance own: it is null while
    // they change and when they go. It belongs to this thread, which runs nothing else meanwhile.
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
