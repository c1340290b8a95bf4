//! Shared state: control memory and the objects in it.
//!
//! Control memory is one memfd, mapped by the host (the program that makes it), by zygotes and by
//! workers. It holds slots, which are identities, and objects: locks, semaphores, conditions, events,
//! barriers, queues, values, arrays, regions. Guests never see it; they hold handles. A second memfd
//! holds the contents of regions. This module knows nothing of wasm, pipes or jobs.
//!
//! # Protocol
//! - Everything is done by a caller with a slot. A slot belongs to one thread at a time.
//! - An object's words are changed under its **latch** (`latch`), which is held for nanoseconds and
//!   never while anything is waited for. Values and elements of arrays need none.
//! - An operation **commits with one store** (Release) to a *primary* word, which names the owner's slot
//!   and epoch where there is one. Everything else is *derived*: counts, rings, free chains, sets.
//! - Who has to **wait** writes so into its slot and sleeps on its own park word, at most a slice at a
//!   time, until nudged, its time is over, its stop flag is set, or the object is broken (`wait`).
//! - When a process **dies** the host sweeps its slot over all objects (`sweep`): it breaks the latches
//!   that the dead held, rebuilds what is derived from what is primary, frees what the dead owned, and
//!   wakes everyone that waits, since wake-ups may have died with the dead.
//!
//! # Invariants
//! - **A death at any instruction hangs nobody**: after the sweep each object can be used, nothing that
//!   was committed is lost, and those whom it concerns are told.
//! - **Nothing in the memory is trusted.** Each word is copied once, each index and length is checked
//!   against the mapping's own bounds, each walk is bounded. An object whose words make no sense is
//!   marked as broken, and its users are told. Who is alive the host knows by itself, not from here.
//! - `fsck` states the invariants of each object and is run after every death in the tests.
//!
//! ```text
//! memory  layout             the mapping and its parts          [unsafe: memory.rs]
//! park    latch   slots      sleeping; exclusion; identities
//! object  wait    sweep      what all objects do (watch: whether somebody waits)
//! directory  spec   member   names, handles, storage; threads of the host
//! lock semaphore condition event barrier queue (message arena peek) value array (scalar) region
//! ```

extern crate self as shared;

mod arena;
mod array;
mod barrier;
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
    spec::Spec,
    sweep::Swept,
    value::Value,
    watch::Standing,
};

use layout::{BLOCK_BASE, BLOCK_BYTES, MAGIC, header};
use memory::Memory;
use registry::Registry;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

/// How large the memories are. Both are sparse: what is not used costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// For control memory: `--shared-space`.
    pub shared_bytes: usize,
    /// For the contents of regions: `--region-space`.
    pub region_bytes: usize,
}

impl Default for Space {
    fn default() -> Space {
        Space { shared_bytes: 256 << 20, region_bytes: 4 << 30 }
    }
}

/// Control memory and the memory of regions, mapped.
#[derive(Debug)]
pub struct Shared {
    memory: Memory,
    regions: Memory,
    /// Who is alive: with the host only.
    registry: Option<Mutex<Registry>>,
}

impl Shared {
    /// Makes the memories. The process that does so is the host.
    ///
    /// # Errors
    /// Those of memfd_create and mmap.
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
    /// That of mmap, or memfds that are not a host's.
    pub fn map(control: OwnedFd, regions: OwnedFd) -> io::Result<Shared> {
        let (memory, regions) = (Memory::map(control)?, Memory::map(regions)?);
        let whole = memory.bytes() >= BLOCK_BASE;
        if !whole || memory.word(header::MAGIC).load(Ordering::Acquire) != MAGIC {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a control memory"));
        }
        Ok(Shared { memory, regions, registry: None })
    }

    /// The two memfds, for `map` in another process.
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
