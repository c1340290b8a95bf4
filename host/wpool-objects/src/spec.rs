//! What an object is to be, when it is created.

use super::Shared;
use super::array;
use super::condition;
use super::error::Error;
use super::layout::{SLOTS, record};
use super::lock;
use super::message::{self, BYTES_MAX, MESSAGES_MAX, PIECE};
use super::object::{Kind, Object, ObjectId};
use super::region;
use super::scalar::{Scalar, Type};
use super::semaphore::{self, PERMITS_MAX};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spec {
    /// A lock, which its owner may take again if it is recursive.
    Lock {
        /// Whether it is recursive.
        recursive: bool,
    },
    /// A semaphore.
    Semaphore {
        /// Permits at the start.
        initial: u32,
        /// Permits belong to who acquired them, and are restored at its death.
        owned: bool,
        /// There are never more permits than at the start.
        bounded: bool,
    },
    /// A condition.
    Condition {
        /// Its lock; by default it has a recursive one of its own.
        lock: Option<ObjectId>,
    },
    /// An event, not set.
    Event,
    /// A barrier.
    Barrier {
        /// How many go on together.
        parties: u32,
    },
    /// A queue.
    Queue {
        /// Most messages in it.
        messages: u32,
        /// Most bytes of messages longer than 96 bytes in it, in pieces of 256.
        bytes: u64,
        /// Whether done tasks are counted.
        joinable: bool,
    },
    /// A value.
    Value {
        /// Its number, which gives its type as well.
        initial: Scalar,
    },
    /// An array of zeros.
    Array {
        /// The elements' type.
        kind: Type,
        /// How many elements.
        length: usize,
    },
    /// A region of zeros.
    Region {
        /// How long it is.
        bytes: usize,
        /// Guests may only read it.
        read_only: bool,
    },
}

/// The words of a new object.
pub(super) struct Plan {
    pub(super) kind: Kind,
    /// Of storage.
    pub(super) bytes: usize,
    pub(super) words: [(usize, u64); 3],
}

fn plan(kind: Kind, bytes: usize, params: u64, primary: u64) -> Plan {
    // A semaphore's free permits, which nobody else reads.
    let derived = if kind == Kind::Semaphore { primary } else { 0 };
    let words = [(record::PARAMS, params), (record::PRIMARY, primary), (record::DERIVED, derived)];
    Plan { kind, bytes, words }
}

fn within<T: PartialOrd>(number: T, least: T, most: T) -> Result<T, Error> {
    if least <= number && number <= most { Ok(number) } else { Err(Error::OutOfRange) }
}

impl Spec {
    /// What a new object of this kind may be like, in words.
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
        })
    }
}
