//! The specifications of new objects.

use super::Shared;
use super::array;
use super::collection::{BYTES_MAX as COLLECTION_BYTES_MAX, STORAGE_BYTES};
use super::condition;
use super::error::Error;
use super::layout::{BLOCK_BYTES, SLOTS, record};
use super::lock;
use super::message::{self, BYTES_MAX, MESSAGES_MAX, PIECE};
use super::object::{Kind, Object, ObjectId};
use super::region;
use super::scalar::{Scalar, Type};
use super::semaphore::{self, PERMITS_MAX};

/// The specification of a new object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spec {
    /// A lock, which its owner may take again if it is recursive.
    Lock {
        /// True if the owner may take the lock again.
        recursive: bool,
    },
    /// A semaphore.
    Semaphore {
        /// The number of permits at the start.
        initial: u32,
        /// True if permits belong to the slots that acquired them, and are restored when those die.
        owned: bool,
        /// True if there are never more permits than at the start.
        bounded: bool,
    },
    /// A condition.
    Condition {
        /// The lock to use; without it, the condition has a recursive lock of its own.
        lock: Option<ObjectId>,
    },
    /// An event, not set.
    Event,
    /// A barrier.
    Barrier {
        /// The number of parties that go on together.
        parties: u32,
    },
    /// A queue.
    Queue {
        /// The greatest number of messages in the queue.
        messages: u32,
        /// The greatest number of bytes in messages longer than 96 bytes, counted in pieces of 256.
        bytes: u64,
        /// True if done tasks are counted.
        joinable: bool,
    },
    /// A value.
    Value {
        /// The initial number, which sets the type as well.
        initial: Scalar,
    },
    /// An array of zeros.
    Array {
        /// The type of the elements.
        kind: Type,
        /// The number of elements.
        length: usize,
    },
    /// A region of zeros.
    Region {
        /// The length in bytes.
        bytes: usize,
        /// True if guests may only read the region.
        read_only: bool,
    },
    /// A list, empty.
    List(Bounds),
    /// A dict, empty.
    Dict(Bounds),
    /// A set, empty.
    Set(Bounds),
}

/// How much a list, dict or set may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Most elements, entries or members; 0 for as many as there is space for.
    pub entries: u32,
    /// Most bytes, in pages of 4 KiB, with all that is needed to find them; 0 for as many as there are.
    pub bytes: u64,
}

/// The words of a new object.
pub(super) struct Plan {
    pub(super) kind: Kind,
    /// The bytes of storage.
    pub(super) bytes: usize,
    pub(super) words: [(usize, u64); 3],
}

fn plan(kind: Kind, bytes: usize, params: u64, primary: u64) -> Plan {
    // The third word holds a semaphore's free permits; no other kind reads it.
    let derived = if kind == Kind::Semaphore { primary } else { 0 };
    let words = [(record::PARAMS, params), (record::PRIMARY, primary), (record::DERIVED, derived)];
    Plan { kind, bytes, words }
}

fn within<T: PartialOrd>(number: T, least: T, most: T) -> Result<T, Error> {
    if least <= number && number <= most { Ok(number) } else { Err(Error::OutOfRange) }
}

impl Bounds {
    fn plan(self, kind: Kind) -> Result<Plan, Error> {
        let bytes = within(self.bytes, 0, COLLECTION_BYTES_MAX)?;
        let pages = bytes.div_ceil(BLOCK_BYTES as u64);
        Ok(plan(kind, STORAGE_BYTES, pages << 32 | u64::from(self.entries), 0))
    }
}

impl Spec {
    /// Returns a sentence about the limits of this kind of object.
    pub fn limits(&self) -> String {
        match self {
            Spec::Lock { .. } | Spec::Condition { .. } | Spec::Event => "it has no limits".into(),
            Spec::Semaphore { .. } => format!("it has at most {PERMITS_MAX} permits"),
            Spec::Barrier { .. } => format!("it is for 1 to {SLOTS} parties"),
            Spec::Queue { .. } => {
                let gib = BYTES_MAX >> 30;
                format!("it has room for 1 to {MESSAGES_MAX} messages, and for at most {gib} GiB")
            }
            Spec::Value { .. } => "it is a number".into(),
            Spec::Array { .. } => format!("it has at most {} elements", u32::MAX),
            Spec::Region { .. } => "it has at least a byte, and at most a TiB".into(),
            Spec::List(_) | Spec::Dict(_) | Spec::Set(_) => {
                format!("it has room for at most {} MiB", COLLECTION_BYTES_MAX >> 20)
            }
        }
    }

    pub(super) fn plan(&self, shared: &Shared) -> Result<Plan, Error> {
        Ok(match *self {
            Spec::Lock { recursive } => {
                plan(Kind::Lock, 0, if recursive { lock::RECURSIVE } else { 0 }, 0)
            }
            Spec::Semaphore { initial, owned, bounded } => {
                let initial = u64::from(within(initial, 0, PERMITS_MAX)?);
                let owned_bit = if owned { semaphore::OWNED } else { 0 };
                let bounded_bit = if bounded { semaphore::BOUNDED } else { 0 };
                let params = initial << 32 | owned_bit | bounded_bit;
                let bytes = if owned { semaphore::STORAGE_BYTES } else { 0 };
                plan(Kind::Semaphore, bytes, params, initial)
            }
            Spec::Condition { lock: None } => plan(Kind::Condition, 0, lock::RECURSIVE, 0),
            Spec::Condition { lock: Some(id) } => {
                let lock = Object::of(shared.memory(), id, Kind::Lock)?;
                let params = (u64::from(lock.index) + 1) << condition::LOCK_SHIFT;
                plan(Kind::Condition, 0, params, 0)
            }
            Spec::Event => plan(Kind::Event, 0, 0, 0),
            Spec::Barrier { parties } => {
                plan(Kind::Barrier, 0, u64::from(within(parties, 1, SLOTS as u32)?), 0)
            }
            Spec::Queue { messages, bytes, joinable } => {
                let messages = within(messages, 1, MESSAGES_MAX)?;
                let blocks = within(bytes, 0, BYTES_MAX)?.div_ceil(PIECE as u64) as u32;
                let joinable = if joinable { message::JOINABLE } else { 0 };
                let params = joinable | u64::from(blocks) << 32 | u64::from(messages);
                plan(Kind::Queue, message::storage_bytes(messages, blocks), params, 0)
            }
            Spec::Value { initial } => plan(Kind::Value, 0, initial.kind() as u64, initial.bits()),
            Spec::Array { kind, length } => {
                let length = within(length, 0, u32::MAX as usize)?;
                let params = (length as u64) << array::LENGTH_SHIFT | kind as u64;
                plan(Kind::Array, length * kind.bytes(), params, 0)
            }
            Spec::Region { bytes, read_only } => {
                let bytes = within(bytes, 1, 1 << 40)?;
                let read_only = if read_only { region::READ_ONLY } else { 0 };
                plan(Kind::Region, bytes, (bytes as u64) << region::BYTES_SHIFT | read_only, 0)
            }
            Spec::List(bounds) => bounds.plan(Kind::List)?,
            Spec::Dict(bounds) => bounds.plan(Kind::Dict)?,
            Spec::Set(bounds) => bounds.plan(Kind::Set)?,
        })
    }
}
