//! A memfd mapped by several processes that do not trust one another.
//!
//! **Invariant:** the size of the memfd is sealed, so no access inside the mapping can fault. All
//! access is atomic: other processes write here at any time, and no reference to plain bytes ever
//! exists.
#![expect(unsafe_code, reason = "memory that other processes write at the same time")]

use memmap2::MmapRaw;
use rustix::fs::{
    FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, ftruncate, memfd_create,
};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// A mapped memory.
#[derive(Debug)]
pub(crate) struct Memory {
    map: MmapRaw,
    file: File,
}

impl Memory {
    /// Makes a memory of zeros. Pages cost nothing until they are written.
    ///
    /// # Errors
    /// Returns the error of `memfd_create` or `mmap`.
    pub(crate) fn create(name: &str, bytes: usize) -> io::Result<Memory> {
        let fd = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&fd, bytes as u64)?;
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Memory::map(fd)
    }

    /// Maps a memory that another process made.
    ///
    /// # Errors
    /// Returns the error of `mmap`, or `InvalidData` if the size of the memfd is not sealed.
    pub(crate) fn map(fd: OwnedFd) -> io::Result<Memory> {
        let seals = rustix::fs::fcntl_get_seals(&fd)?;
        if !seals.contains(SealFlags::SHRINK | SealFlags::GROW) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "memory of unsealed size"));
        }
        Ok(Memory { map: MmapRaw::map_raw(fd.as_raw_fd())?, file: File::from(fd) })
    }

    /// Returns the memfd, to be sent to another process.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.map.len()
    }

    #[inline]
    fn at(&self, at: usize, bytes: usize) -> *mut u8 {
        let inside = at.checked_add(bytes).is_some_and(|end| end <= self.map.len());
        assert!(inside && at.is_multiple_of(bytes), "outside of shared memory");
        // SAFETY: the assertion puts `at` inside the mapping.
        unsafe { self.map.as_mut_ptr().add(at) }
    }

    /// Returns the word at an offset that the caller has checked.
    #[inline]
    pub(crate) fn word(&self, at: usize) -> &AtomicU64 {
        // SAFETY: `at` is aligned and inside the mapping, which lives as long as `self` and never
        // shrinks (`map` asks for the seal). All access is atomic.
        unsafe { AtomicU64::from_ptr(self.at(at, 8).cast()) }
    }

    /// Returns the half word at an offset that the caller has checked.
    #[inline]
    pub(crate) fn half(&self, at: usize) -> &AtomicU32 {
        // SAFETY: as in `word`.
        unsafe { AtomicU32::from_ptr(self.at(at, 4).cast()) }
    }

    /// Returns the byte at an offset that the caller has checked.
    #[inline]
    pub(crate) fn byte(&self, at: usize) -> &AtomicU8 {
        // SAFETY: as in `word`.
        unsafe { AtomicU8::from_ptr(self.at(at, 1)) }
    }

    /// Copies bytes out of the memory. No aligned word, half word or byte is torn.
    #[inline]
    pub(crate) fn read(&self, mut at: usize, mut to: &mut [u8]) {
        while !to.is_empty() {
            let bytes = step(at, to.len());
            let (now, rest) = std::mem::take(&mut to).split_at_mut(bytes);
            match bytes {
                8.. => {
                    for (word, piece) in now.chunks_exact_mut(8).enumerate() {
                        let word = self.word(at + 8 * word).load(Ordering::Relaxed);
                        piece.copy_from_slice(&word.to_le_bytes());
                    }
                }
                4 => now.copy_from_slice(&self.half(at).load(Ordering::Relaxed).to_le_bytes()),
                _ => now[0] = self.byte(at).load(Ordering::Relaxed),
            }
            at += bytes;
            to = rest;
        }
    }

    /// Copies bytes into the memory. No aligned word, half word or byte is torn.
    #[inline]
    pub(crate) fn write(&self, mut at: usize, mut from: &[u8]) {
        while !from.is_empty() {
            let bytes = step(at, from.len());
            let (now, rest) = from.split_at(bytes);
            match bytes {
                8.. => {
                    for (word, piece) in now.chunks_exact(8).enumerate() {
                        let piece = piece.try_into().expect("eight bytes");
                        let piece = u64::from_le_bytes(piece);
                        self.word(at + 8 * word).store(piece, Ordering::Relaxed);
                    }
                }
                4 => {
                    let piece = u32::from_le_bytes(now.try_into().expect("four bytes"));
                    self.half(at).store(piece, Ordering::Relaxed);
                }
                _ => self.byte(at).store(now[0], Ordering::Relaxed),
            }
            at += bytes;
            from = rest;
        }
    }

    /// Copies bytes out by way of the file, so that pages that were never written stay unallocated.
    /// Bytes that are written meanwhile may be torn.
    ///
    /// # Errors
    /// Returns the error of `pread`.
    pub(crate) fn fetch(&self, at: usize, to: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(to, at as u64)
    }

    /// Copies bytes in by way of the file: if the system has no memory for them, the call fails,
    /// instead of a signal being sent. Readers may see torn bytes meanwhile.
    ///
    /// # Errors
    /// Returns the error of `pwrite`; the size is sealed.
    pub(crate) fn store(&self, at: usize, from: &[u8]) -> io::Result<()> {
        self.file.write_all_at(from, at as u64)
    }

    /// Zeroes whole pages and gives them back to the system.
    pub(crate) fn discard(&self, at: usize, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        if fallocate(&self.file, flags, at as u64, bytes as u64).is_err() {
            // The call is not allowed here (a jail): zeros are what counts.
            for at in (at..at + bytes).step_by(8) {
                self.word(at).store(0, Ordering::Relaxed);
            }
        }
    }
}

/// Returns how many of `left` bytes at `at` can be copied in one way.
#[inline]
fn step(at: usize, left: usize) -> usize {
    if at.is_multiple_of(8) && left >= 8 {
        left & !7
    } else if at.is_multiple_of(4) && left >= 4 {
        4
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_any_offset() {
        let memory = Memory::create("test", 4096).unwrap();
        let bytes: Vec<u8> = (1..=100).collect();
        for at in 0..16 {
            for length in [0, 1, 3, 4, 7, 8, 9, 31, 100] {
                memory.write(at, &bytes[..length]);
                let mut back = vec![0; length];
                memory.read(at, &mut back);
                assert_eq!(back, bytes[..length], "{length} bytes at {at}");
            }
        }
    }

    #[test]
    fn another_mapping_sees_the_same_and_the_size_cannot_change() {
        let memory = Memory::create("test", 8192).unwrap();
        let other = Memory::map(memory.fd().try_clone_to_owned().unwrap()).unwrap();
        memory.word(8).store(7, Ordering::Relaxed);
        assert_eq!(other.word(8).load(Ordering::Relaxed), 7);
        assert!(ftruncate(memory.fd(), 0).is_err());
        other.discard(0, 4096);
        assert_eq!(memory.word(8).load(Ordering::Relaxed), 0);
    }

    #[test]
    #[should_panic(expected = "outside of shared memory")]
    fn an_offset_beyond_the_end_is_refused() {
        let memory = Memory::create("test", 4096).unwrap();
        memory.word(4096);
    }
}
