//! The layout of control memory.
//!
//! ```text
//! 0         header     magic, size, directory latch, ticket counter
//! 4 KiB     slots      1024 × 128 bytes
//! 132 KiB   objects    1024 × 1024 bytes, one record each
//! …         blocks     4 KiB each: storage of queues, arrays, semaphores and collections
//! ```
//!
//! The memory is sparse: a page that nobody has touched costs nothing.

/// The number of slots, for workers and for host threads.
pub(crate) const SLOTS: usize = 1024;
/// The number of slots kept for threads of the host: the last ones.
pub const HOST_SLOTS: usize = 64;
/// The number of objects that can exist at once.
pub const OBJECTS: usize = 1024;
/// The number of objects that one job can have created and not yet deleted.
pub(crate) const OBJECTS_PER_CREATOR: usize = 64;
/// The longest name of an object, in bytes.
pub const NAME_BYTES: usize = 128;
/// The size of the blocks in which storage is handed out, in bytes.
pub(crate) const BLOCK_BYTES: usize = 4096;
/// The size of the pieces in which regions are handed out, in bytes: a page of wasm.
pub const PIECE_BYTES: usize = 64 << 10;

/// The first word of control memory: "wpool-1", little endian.
pub(super) const MAGIC: u64 = 0x0031_2d6c_6f6f_7077;

/// The words of the header.
pub(super) mod header {
    pub(in crate::shared) const MAGIC: usize = 0;
    pub(in crate::shared) const BYTES: usize = 8;
    pub(in crate::shared) const DIRECTORY_LATCH: usize = 64;
    pub(in crate::shared) const TICKETS: usize = 128;
    /// PRIMARY: the number of records that were ever used. It only grows, and grows before the
    /// entry that needs it.
    pub(in crate::shared) const RECORDS: usize = 192;
}

pub(super) const SLOT_BASE: usize = 4096;
pub(super) const SLOT_BYTES: usize = 128;

/// The words of a slot. The park word has a cache line of its own, because others write it.
pub(super) mod slot {
    pub(in crate::shared) const LIFE: usize = 0;
    pub(in crate::shared) const WAIT: usize = 8;
    pub(in crate::shared) const TICKET: usize = 16;
    pub(in crate::shared) const NOTE: usize = 24;
    pub(in crate::shared) const NOTIFIED: usize = 32;
    pub(in crate::shared) const PARK: usize = 64;
}

pub(super) const OBJECT_BASE: usize = SLOT_BASE + SLOTS * SLOT_BYTES;
pub(super) const OBJECT_BYTES: usize = 1024;

/// The words of an object's record. The first cache line holds all that a lock or a value needs.
pub(super) mod record {
    pub(in crate::shared) const LATCH: usize = 0;
    pub(in crate::shared) const STATUS: usize = 8;
    pub(in crate::shared) const ENTRY: usize = 16;
    pub(in crate::shared) const PRIMARY: usize = 24;
    pub(in crate::shared) const SECOND: usize = 32;
    pub(in crate::shared) const WAITING: usize = 40;
    pub(in crate::shared) const RESERVED: usize = 48;
    pub(in crate::shared) const PARAMS: usize = 56;
    /// The first of eight derived words, for the kinds that need them.
    pub(in crate::shared) const DERIVED: usize = 64;
    /// The first of eight further words.
    pub(in crate::shared) const MORE: usize = 128;
    pub(in crate::shared) const EXTENT: usize = 192;
    pub(in crate::shared) const CREATOR: usize = 200;
    pub(in crate::shared) const WAITERS: usize = 256;
    pub(in crate::shared) const HANDLES: usize = 384;
    pub(in crate::shared) const NAME: usize = 512;
    /// PRIMARY: the extents that a collection was given since its creation, as words like the extent's.
    pub(in crate::shared) const GROWN: usize = 640;
    /// The end of the words that `create` sets to zero, from the status on.
    pub(in crate::shared) const END: usize = 768;
}

pub(super) const BLOCK_BASE: usize = OBJECT_BASE + OBJECTS * OBJECT_BYTES;

const _: () = assert!(BLOCK_BASE.is_multiple_of(BLOCK_BYTES), "blocks are pages");
const _: () = assert!(record::NAME + NAME_BYTES == record::GROWN && record::END <= OBJECT_BYTES);
const _: () = assert!(record::GROWN + super::collection::GROWN * 8 == record::END);
const _: () = assert!(SLOTS == 1024 && SLOTS.is_multiple_of(64), "a set of slots is 16 words");
