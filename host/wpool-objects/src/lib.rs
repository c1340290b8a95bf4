//! Shared state: control memory and the objects in it.
//!
//! Control memory is one memfd, mapped by the host (the program that makes it), by zygotes and by
//! workers. It holds slots, which are identities, and objects: locks, semaphores, conditions,
//! events, barriers, queues, values, arrays, regions, lists, dicts and sets. Guests never see control memory; they hold
//! handles. A second memfd holds the contents of regions. This crate knows nothing of wasm, pipes
//! or jobs.
//!
//! # Protocol
//! - Every operation has a caller with a slot. A slot belongs to one thread at a time.
//! - An object's words are changed under its **latch** (`latch`), which is held for nanoseconds and
//!   never while anything is waited for. Values and elements of arrays need no latch.
//! - An operation **commits with one store** (Release) to a *primary* word, which names the owner's
//!   slot and epoch where there is an owner. All other words are *derived*: counts, rings, free
//!   chains, sets.
//! - A slot that has to **wait** says so in its wait word and sleeps on its own park word, at most
//!   a slice at a time, until it is woken, its time is over, its stop flag is set, or the object
//!   is broken (`wait`).
//! - When a process **dies**, the host sweeps its slot over all objects (`sweep`): the sweep breaks
//!   the latches that the dead owner held, rebuilds the derived words from the primary ones, frees
//!   what the dead owner had, and wakes every slot that waits, since wake-ups may have been lost
//!   with the process.
//!
//! # Invariants
//! - **A death at any instruction makes nobody hang**: after the sweep each object can be used,
//!   nothing that was committed is lost, and the users concerned are told.
//! - **Nothing in the memory is trusted.** Each word is copied once, each index and length is
//!   checked against the mapping's own bounds, each walk is bounded. An object whose words make no
//!   sense is marked as broken, and its users are told. The host keeps its own record of which
//!   owners are alive, and does not read it from control memory.
//! - `fsck` states the invariants of each object; the tests run it after every death.
//!
//! ```text
//! memory  layout             the mapping and its parts          [unsafe: memory.rs]
//! park    latch   slots      sleeping; exclusion; identities
//! object  wait    sweep      what all objects do (watch: which slots wait, and for what)
//! directory  spec   member   names, handles, storage; threads of the host
//! lock semaphore condition event barrier queue (message arena peek) value array (scalar) region
//! collection         lists, dicts, sets
//! ```

extern crate self as shared;

mod arena;
mod array;
mod barrier;
mod collection;
mod condition;
mod directory;
mod error;
mod event;
mod fsck;
mod latch;
mod layout;
mod lock;
mod member;
mod memory;
mod message;
mod object;
mod park;
mod peek;
mod queue;
mod region;
mod registry;
mod scalar;
mod semaphore;
mod slots;
mod spec;
mod sweep;
mod value;
mod wait;
mod watch;

#[cfg(test)]
pub(crate) mod tests;

pub use self::{
    array::Array,
    barrier::Barrier,
    collection::{
        CALL_BYTES_MAX, CALL_ENTRIES_MAX, Dict, Inner, List, Page, Part, Set, Update, unpack, whole,
    },
    condition::{Condition, LINE as NOTIFIED, Waited},
    error::Error,
    event::Event,
    layout::{HOST_SLOTS, NAME_BYTES, OBJECTS, PIECE_BYTES},
    lock::{Acquired, Lock},
    member::Member,
    object::{Kind, ObjectId},
    peek::Peek,
    queue::{Delivery, JOINERS, Joined, PUTTERS, Queue},
    region::Region,
    registry::Side,
    scalar::{Scalar, Type},
    semaphore::{Permit, Semaphore},
    slots::{Caller, Owner},
    spec::{Bounds, Spec},
    sweep::Swept,
    value::Value,
    watch::Standing,
};

#[cfg(test)]
pub(crate) use self::collection::ITEM_BYTES_MAX;

use layout::{BLOCK_BASE, BLOCK_BYTES, MAGIC, header};
use memory::Memory;
use registry::Registry;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

/// The sizes of the two memories. Both are sparse: pages that are not used cost nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// The bytes of control memory: `--shared-space`.
    pub shared_bytes: usize,
    /// The bytes for the contents of regions: `--region-space`.
    pub region_bytes: usize,
}

impl Default for Space {
    fn default() -> Space {
        Space { shared_bytes: 256 << 20, region_bytes: 4 << 30 }
    }
}

/// Control memory and the memory of regions, both mapped.
#[derive(Debug)]
pub struct Shared {
    memory: Memory,
    regions: Memory,
    /// The record of which owners are alive; only the host has one.
    registry: Option<Mutex<Registry>>,
}

impl Shared {
    /// Makes the memories. The process that makes them is the host.
    ///
    /// # Errors
    /// Returns the error of `memfd_create` or `mmap`.
    pub fn new(space: Space) -> io::Result<Shared> {
        let bytes = space.shared_bytes.max(BLOCK_BASE).next_multiple_of(BLOCK_BYTES);
        let memory = Memory::create("wpool-shared", bytes)?;
        let regions = space.region_bytes.max(PIECE_BYTES).next_multiple_of(PIECE_BYTES);
        let regions = Memory::create("wpool-regions", regions)?;
        memory.word(header::BYTES).store(bytes as u64, Ordering::Relaxed);
        memory.word(header::MAGIC).store(MAGIC, Ordering::Release);
        Ok(Shared { memory, regions, registry: Some(Mutex::new(Registry::new())) })
    }

    /// Maps the memories that a host made.
    ///
    /// # Errors
    /// Returns the error of `mmap`, or `InvalidData` if the memfds are not those of a host.
    pub fn map(control: OwnedFd, regions: OwnedFd) -> io::Result<Shared> {
        let (memory, regions) = (Memory::map(control)?, Memory::map(regions)?);
        let whole = memory.bytes() >= BLOCK_BASE;
        if !whole || memory.word(header::MAGIC).load(Ordering::Acquire) != MAGIC {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a control memory"));
        }
        Ok(Shared { memory, regions, registry: None })
    }

    /// Returns the memfds of control memory and of regions, for `map` in another process.
    pub fn fds(&self) -> (BorrowedFd<'_>, BorrowedFd<'_>) {
        (self.memory.fd(), self.regions.fd())
    }

    fn memory(&self) -> &Memory {
        &self.memory
    }

    fn region_memory(&self) -> &Memory {
        &self.regions
    }
}
