//! Job memory: one memfd for each worker, mapped by the dispatcher and that worker only.
//!
//! ```text
//! word[2]     {batch u32, next u16, end u16}   the claimed jobs of a batch, and its number of jobs
//! commit[2]   {batch u32, bytes u32}           the committed bytes of the outbox
//! writing     u32                              not 0 while a child of the worker writes to the pipe
//! stop        u32                              not 0 once the worker's waits for its guest must end
//! fatal text  {bytes u32, text}                the reason why the process is about to end by itself
//! began       u64                              the begin of the running job, if jobs are measured
//! called      u64                              the last call of a shared object, if waits are told
//! printed     u64                              how many bytes the running command has printed
//! outbox[2]   records (see `super::record`)
//! tape        the bytes that it has printed (see `super::tape`), if jobs may be killed; not mapped
//! ```
//!
//! Batch *b* uses half *b* & 1. The dispatcher arms a half only when it holds all results of the
//! batch that used it before, so no half has two batches at once.
//!
//! **Invariant:** a job is finished if and only if its record is committed; it is running if and only
//! if it is the last claimed and not finished; else it has not started. This holds after SIGKILL at
//! any instruction, because a claim is one CAS and a commit is one store.
//!
//! The worker can write anything here at any time. The dispatcher copies everything that it reads
//! once and checks it against its own bounds; nothing read here is ever used as a pointer or an
//! unchecked index.
#![expect(unsafe_code, reason = "memory that another process writes at the same time")]

use super::clock::MonotonicTime;
use super::tape::Tape;
use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// The size of one outbox in bytes.
pub const OUTBOX_BYTES: usize = 256 << 10;

/// The distance of words, a cache line, because dispatcher and worker write different words.
const LINE: usize = 64;
const COMMITS: usize = 2 * LINE;
const WRITING: usize = 4 * LINE;
const STOP: usize = 5 * LINE;
const FATAL_MESSAGE: usize = 6 * LINE;
const BEGAN: usize = 11 * LINE;
const CALLED: usize = 12 * LINE;
const PRINTED: usize = 13 * LINE;
const OUTBOXES: usize = 4096;
/// The exit code of a process that left a fatal message: its guest did something that ends a process.
pub const EXIT_WITH_MESSAGE: i32 = 3;
/// The exit code of a worker that could not fork a process for a job. It has not started that job.
pub const EXIT_WITHOUT_PROCESS: i32 = 4;
/// The exit code of a process that was refused memory by the system. (5 is that of a job's process for which no job was
/// left.)
pub const EXIT_OUT_OF_MEMORY: i32 = 6;

/// The message of a process that was refused memory.
pub const NEEDED_TOO_MUCH: &str = "its process needed more than the limits of memory, twice a result, \
                                          three times a job and 256 MiB together";

/// The greatest size of a fatal message in bytes.
const FATAL_BYTES_MAX: usize = 256;
const _: () = assert!(FATAL_MESSAGE + 4 + FATAL_BYTES_MAX <= BEGAN, "the message ends before it");
const TOTAL: usize = OUTBOXES + 2 * OUTBOX_BYTES;

/// The claimed jobs of a batch: those below `next`, of those below `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The first job that is not claimed.
    pub next: u16,
    /// The first job that may not be claimed.
    pub end: u16,
}

/// A mapped job memory.
#[derive(Debug)]
pub struct JobMem {
    map: MmapRaw,
    tape: Option<Tape>,
}

fn pack(batch: u32, next: u16, end: u16) -> u64 {
    u64::from(batch) << 32 | u64::from(next) << 16 | u64::from(end)
}

fn unpack(word: u64, batch: u32) -> Option<Claimed> {
    ((word >> 32) as u32 == batch)
        .then_some(Claimed { next: (word >> 16) as u16, end: word as u16 })
}

impl JobMem {
    /// Makes a job memory, with a tape of `tape_bytes` bytes. Its size is sealed: a worker cannot
    /// shrink it under the dispatcher.
    ///
    /// # Errors
    /// Returns the error of `memfd_create` or `mmap`.
    pub fn create(tape_bytes: u64) -> io::Result<(JobMem, OwnedFd)> {
        let fd = memfd_create("wpool-jobs", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let all = (TOTAL as u64).saturating_add(tape_bytes);
        // There is no tape if files may not be that long.
        ftruncate(&fd, all).or_else(|_| ftruncate(&fd, TOTAL as u64))?;
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok((JobMem::map(&fd)?, fd))
    }

    /// Maps a job memory that the other side made.
    ///
    /// # Errors
    /// Returns the error of `mmap`, or `InvalidData` if the size is not a job memory's.
    pub fn map(fd: &impl AsFd) -> io::Result<JobMem> {
        let file = File::from(fd.as_fd().try_clone_to_owned()?);
        if file.metadata()?.len() < TOTAL as u64 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a job memory"));
        }
        let map = MmapOptions::new().len(TOTAL).map_raw(&file)?;
        Ok(JobMem { map, tape: Tape::new(file, TOTAL as u64)? })
    }

    #[inline]
    fn word(&self, batch: u32) -> &AtomicU64 {
        self.atomic((batch & 1) as usize * LINE)
    }

    #[inline]
    fn commit_word(&self, batch: u32) -> &AtomicU64 {
        self.atomic(COMMITS + (batch & 1) as usize * LINE)
    }

    #[inline]
    fn atomic(&self, at: usize) -> &AtomicU64 {
        debug_assert!(at.is_multiple_of(8) && at < OUTBOXES);
        // SAFETY: `at` is one of the word offsets above, aligned and inside the mapping, which
        // lives as long as `self` and never shrinks (its memfd is sealed). All access is atomic.
        unsafe { AtomicU64::from_ptr(self.map.as_mut_ptr().add(at).cast()) }
    }

    /// Returns a pointer to the first byte of a range of the batch's outbox.
    #[inline]
    fn outbox(&self, batch: u32, range: &Range<usize>) -> *mut u8 {
        assert!(range.start <= range.end && range.end <= OUTBOX_BYTES, "outside of the outbox");
        let at = OUTBOXES + (batch & 1) as usize * OUTBOX_BYTES + range.start;
        // SAFETY: the assertion puts `at` inside the mapping.
        unsafe { self.map.as_mut_ptr().add(at) }
    }

    // --- The dispatcher's side ---

    /// Offers a batch of `count` jobs. Its half must be free.
    pub fn arm(&self, batch: u32, count: u16) {
        self.commit_word(batch).store(u64::from(batch) << 32, Ordering::Relaxed);
        // Release: a worker that sees the word (by claiming) sees the commit word reset.
        self.word(batch).store(pack(batch, 0, count), Ordering::Release);
    }

    /// Returns the claimed jobs of the batch, or `None` if the half does not hold this batch.
    pub fn claimed(&self, batch: u32) -> Option<Claimed> {
        unpack(self.word(batch).load(Ordering::Acquire), batch)
    }

    /// Takes back the unclaimed jobs from `keep(next, end)` on. Returns the claims before, and the
    /// new end. `keep` returns the new end, between `next` and `end`.
    pub fn take_back(&self, batch: u32, keep: impl Fn(Claimed) -> u16) -> Option<(Claimed, u16)> {
        let word = self.word(batch);
        let mut seen = word.load(Ordering::Acquire);
        // A worker that changes the word all the time must not keep the dispatcher here.
        for _ in 0..1000 {
            let claimed = unpack(seen, batch)?;
            if claimed.next >= claimed.end {
                return Some((claimed, claimed.end));
            }
            let end = keep(claimed).clamp(claimed.next, claimed.end);
            let wanted = pack(batch, claimed.next, end);
            match word.compare_exchange(seen, wanted, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some((claimed, end)),
                Err(now) => seen = now,
            }
        }
        None
    }

    /// Returns how many bytes of the batch's outbox are committed, or `None` if the half holds another batch: the
    /// dispatcher offers one there as soon as it has taken all records of the last, sent or not.
    pub fn committed(&self, batch: u32) -> Option<usize> {
        // Acquire: pairs with the Release in `commit`; the records below it are whole.
        let word = self.commit_word(batch).load(Ordering::Acquire);
        ((word >> 32) as u32 == batch).then(|| (word as u32 as usize).min(OUTBOX_BYTES))
    }

    /// Copies a piece of the batch's outbox. The bytes are whatever the worker left there.
    pub fn copy_out(&self, batch: u32, range: Range<usize>) -> Vec<u8> {
        let from = self.outbox(batch, &range);
        (0..range.len())
            .map(|at| {
                // SAFETY: `outbox` checked the range. The worker may write here at this moment, so
                // each byte is read atomically.
                unsafe { AtomicU8::from_ptr(from.add(at)) }.load(Ordering::Relaxed)
            })
            .collect()
    }

    /// Ends the worker's present and future waits on behalf of its guest.
    pub fn stop(&self) {
        self.stop_word().store(1, Ordering::Release);
    }

    /// Returns the fatal message of a process that ended with [`EXIT_WITH_MESSAGE`], on one line,
    /// or an empty text if it left none.
    pub(crate) fn fatal_message(&self) -> String {
        let bytes = self.half(FATAL_MESSAGE).load(Ordering::Acquire) as usize;
        let range = FATAL_MESSAGE + 4..FATAL_MESSAGE + 4 + bytes.min(FATAL_BYTES_MAX);
        let words: Vec<u8> = range.map(|at| self.byte(at).load(Ordering::Relaxed)).collect();
        String::from_utf8_lossy(&words).replace(char::is_control, "\u{fffd}")
    }

    /// Returns the moment at which the running job began, or `None` if no job runs, or if jobs are
    /// not measured.
    pub fn began(&self) -> Option<MonotonicTime> {
        match self.atomic(BEGAN).load(Ordering::Acquire) {
            0 => None,
            nanos => Some(MonotonicTime::of_nanos(nanos)),
        }
    }

    /// Returns the moment at which the worker last called a shared object: a wait began then, if
    /// there is one.
    pub fn called(&self) -> MonotonicTime {
        MonotonicTime::of_nanos(self.atomic(CALLED).load(Ordering::Acquire))
    }

    /// Returns the bytes that the running command has printed, or nothing without a tape.
    pub fn printed(&self) -> Vec<u8> {
        let bytes = self.atomic(PRINTED).load(Ordering::Acquire);
        self.tape.as_ref().map_or_else(Vec::new, |tape| tape.read(bytes))
    }

    // --- The worker's side ---

    /// Returns whether the output of commands is to be noted.
    pub fn has_tape(&self) -> bool {
        self.tape.is_some()
    }

    /// Appends bytes that the running command has printed to those that it had printed before.
    pub fn note_printed(&self, bytes: &[u8]) {
        if let Some(tape) = &self.tape {
            let at = self.atomic(PRINTED).load(Ordering::Relaxed);
            let written = tape.write(at, bytes) as u64;
            self.atomic(PRINTED).store(at + written, Ordering::Release);
        }
    }

    /// Forgets the bytes that a command has printed.
    pub fn forget_printed(&self) {
        if let Some(tape) = &self.tape {
            tape.forget(self.atomic(PRINTED).swap(0, Ordering::AcqRel));
        }
    }

    /// Returns a word that is not 0 once the dispatcher has asked to [`stop`](Self::stop).
    pub fn stop_word(&self) -> &AtomicU32 {
        self.half(STOP)
    }

    /// Leaves the reason why this process is about to end. May be called from a signal handler.
    pub fn set_fatal_message(&self, words: &[&[u8]]) {
        let mut bytes = 0;
        for byte in words.iter().copied().flatten().take(FATAL_BYTES_MAX) {
            self.byte(FATAL_MESSAGE + 4 + bytes).store(*byte, Ordering::Relaxed);
            bytes += 1;
        }
        self.half(FATAL_MESSAGE).store(bytes as u32, Ordering::Release);
    }

    /// Notes when the running job began, or that it is over.
    pub fn set_began(&self, began: Option<MonotonicTime>) {
        self.atomic(BEGAN).store(began.map_or(0, MonotonicTime::nanos), Ordering::Release);
    }

    /// Notes when a shared object is called, because the call may have to wait.
    pub fn set_called(&self, called: MonotonicTime) {
        self.atomic(CALLED).store(called.nanos(), Ordering::Release);
    }

    /// Claims the next job of the batch. Returns `None` if none is left.
    #[inline]
    pub fn claim(&self, batch: u32) -> Option<u16> {
        let word = self.word(batch);
        let mut seen = word.load(Ordering::Acquire);
        loop {
            let claimed = unpack(seen, batch)?;
            if claimed.next >= claimed.end {
                return None;
            }
            let wanted = pack(batch, claimed.next + 1, claimed.end);
            match word.compare_exchange_weak(seen, wanted, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(claimed.next),
                Err(now) => seen = now,
            }
        }
    }

    /// Returns the index of the next job of the batch to be claimed, or `None` if none is left.
    pub fn unclaimed(&self, batch: u32) -> Option<u16> {
        let claimed = self.claimed(batch)?;
        (claimed.next < claimed.end).then_some(claimed.next)
    }

    /// Gives the unclaimed jobs of the batch back.
    pub fn give_back(&self, batch: u32) {
        self.take_back(batch, |claimed| claimed.next);
    }

    /// Writes into the batch's outbox above the committed bytes.
    #[inline]
    pub fn write(&self, batch: u32, at: usize, bytes: &[u8]) {
        let to = self.outbox(batch, &(at..at + bytes.len()));
        // SAFETY: `outbox` checked the range, `bytes` is private memory, and nobody else writes
        // this half's outbox while the worker has its batch. A reader reads only committed bytes,
        // or copies bytes that it does not trust.
        unsafe { copy(bytes, to) };
    }

    /// Commits the batch's outbox up to `bytes`.
    #[inline]
    pub fn commit(&self, batch: u32, bytes: usize) {
        // Release: pairs with the Acquire in `committed`.
        let word = u64::from(batch) << 32 | bytes as u64;
        self.commit_word(batch).store(word, Ordering::Release);
    }

    /// Returns the bytes of a range of the outbox that is committed, for writing them into the pipe. The half may have
    /// been offered for another batch since.
    #[inline]
    pub fn written(&self, batch: u32, range: Range<usize>) -> &[u8] {
        let from = self.outbox(batch, &range);
        // SAFETY: `outbox` checked the range. Only the worker writes here (the dispatcher never
        // does), and it writes nothing before the caller has sent what is borrowed, so these bytes
        // do not change meanwhile.
        unsafe { std::slice::from_raw_parts(from, range.len()) }
    }

    /// Notes whether a child of the worker is in the middle of writing into the pipe.
    pub fn set_writing(&self, writing: bool) {
        self.writing().store(u32::from(writing), Ordering::Release);
    }

    /// Returns whether a child died in the middle of writing into the pipe.
    pub fn is_writing(&self) -> bool {
        self.writing().load(Ordering::Acquire) != 0
    }

    fn writing(&self) -> &AtomicU32 {
        self.half(WRITING)
    }

    fn half(&self, at: usize) -> &AtomicU32 {
        debug_assert!(at.is_multiple_of(4) && at < OUTBOXES);
        // SAFETY: a constant, aligned offset inside the mapping; all access is atomic.
        unsafe { AtomicU32::from_ptr(self.map.as_mut_ptr().add(at).cast()) }
    }

    fn byte(&self, at: usize) -> &AtomicU8 {
        assert!(at < OUTBOXES, "outside of the words");
        // SAFETY: the assertion puts `at` inside the mapping; all access is atomic.
        unsafe { AtomicU8::from_ptr(self.map.as_mut_ptr().add(at)) }
    }
}

/// Copies bytes; the short bytes of most records are copied without a call.
///
/// # Safety
/// 1. `to` can be written for `bytes.len()` bytes, and 2. is not part of `bytes`.
#[inline]
unsafe fn copy(bytes: &[u8], to: *mut u8) {
    if bytes.len() > 64 {
        // SAFETY: as the caller guarantees.
        return unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        // SAFETY: inside the length that the caller guarantees; the write may be unaligned.
        unsafe { to.add(at * 8).cast::<u64>().write_unaligned(u64::from_ne_bytes(*word)) };
    }
    let at = words.len() * 8;
    for (offset, byte) in rest.iter().enumerate() {
        // SAFETY: as above.
        unsafe { to.add(at + offset).write(*byte) };
    }
}

#[cfg(test)]
mod tests;
