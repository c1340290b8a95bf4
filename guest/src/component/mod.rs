//! The imports of a component: the interfaces of `../wit`, in the form of the functions that a core
//! module imports.
//!
//! For one function of a core module, a component has one for each kind of objects. A handle here
//! therefore also holds the kind and the type of numbers: bits 0 to 3 are the kind, bits 4 to 6 the
//! type, and the component's own handle lies above.

#![expect(unsafe_code, reason = "resources are made of the numbers that stand for them")]

use std::cell::RefCell;
use std::mem::{ManuallyDrop, MaybeUninit};

use bindings::wpool::host;
use host::array::Array;
use host::barrier::Barrier;
use host::condition::{Condition, Waited};
use host::dict::Dict;
use host::event::Event;
use host::list::List;
use host::lock::Lock;
use host::queue::{Message, Queue};
use host::region::Region;
use host::semaphore::{Options, Semaphore};
use host::set::Set;
use host::types::{Acquired, Error};
use host::value::Value;

use crate::code::error as code;

mod collections;
mod numbers;

pub(crate) use collections::*;
pub(crate) use numbers::*;

mod bindings {
    wit_bindgen::generate!({ path: "../wit", world: "guest" });
}

/// A flag in the answer to a get, beside the length: the message was delivered before.
const REDELIVERED: i64 = 1 << 32;

/// The positions in a handle of the parts above the kind.
const TYPE: u32 = 4;
const RESOURCE: u32 = 8;

thread_local! {
    /// The message that was got last, for `queue_read`.
    static RECEIVED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A resource for one kind of objects.
trait Object: Sized {
    /// The number of the kind.
    const KIND: u32;

    /// Returns the resource of a handle that the component has.
    fn of(resource: u32) -> Self;

    /// Returns the handle of the resource, which the caller has to drop from now on.
    fn into_handle(self) -> u32;
}

macro_rules! objects {
    ($($(#[$about:meta])* $Object:ident = $kind:literal: $name:literal,)+) => {
        $(impl Object for $Object {
            const KIND: u32 = $kind;

            fn of(resource: u32) -> $Object {
                // SAFETY: the number is a handle of this kind, which was taken from a resource.
                unsafe { $Object::from_handle(resource) }
            }

            fn into_handle(self) -> u32 {
                self.take_handle()
            }
        })+

        pub(crate) fn object_close(handle: i32) -> i32 {
            let resource = handle as u32 >> RESOURCE;
            match handle as u32 & 15 {
                $($kind => drop($Object::of(resource)),)+
                _ => unreachable!("{handle} is not a handle"),
            }
            0
        }

        pub(crate) fn object_delete(handle: i32) -> i32 {
            match handle as u32 & 15 {
                $($kind => with(handle, |object: &$Object| object.delete()).number(),)+
                _ => unreachable!("{handle} is not a handle"),
            }
        }
    };
}

objects! {
    // codegen: kinds
    /// Locks, recursive or not, between the processes of a pool.
    Lock = 1: "lock",
    /// Semaphores: counts of permits between the processes of a pool.
    Semaphore = 2: "semaphore",
    /// Conditions: waiting for a notification, with a lock given back meanwhile.
    Condition = 3: "condition",
    /// Events: flags that many processes can wait for.
    Event = 4: "event",
    /// Barriers: parties that wait for one another and go on together.
    Barrier = 5: "barrier",
    /// Queues of messages, bounded in messages and in bytes, for any number of producers and
    /// consumers.
    Queue = 6: "queue",
    /// Values: one number each, changed by one instruction, and so always whole, whoever dies.
    Value = 7: "value",
    /// Arrays of numbers.
    Array = 8: "array",
    /// Regions: shared memory.
    Region = 9: "region",
    /// Lists of elements by index, like Python's.
    List = 10: "list",
    /// Dicts of values by key, in the order of insertion, like Python's.
    Dict = 11: "dict",
    /// Sets of members, like Python's.
    Set = 12: "set",
    // codegen: end
}

/// Does an operation with the object of a handle.
fn with<O: Object, T>(handle: i32, operation: impl FnOnce(&O) -> T) -> T {
    operation(&ManuallyDrop::new(O::of(handle as u32 >> RESOURCE)))
}

/// Returns the handle of an object that was opened or created, or the code of the error.
fn made<O: Object>(object: Result<O, Error>) -> i32 {
    made_of(object, |_| 0)
}

/// Does the same for an object with numbers.
fn made_of<O: Object>(object: Result<O, Error>, kind: impl FnOnce(&O) -> i32) -> i32 {
    let of_object = |object: O| {
        let kind = kind(&object) as u32;
        let resource = object.into_handle();
        assert!(resource < 1 << (31 - RESOURCE), "too many handles");
        resource << RESOURCE | kind << TYPE | O::KIND
    };
    object.map(of_object).number()
}

/// An answer in the form of a number: from 0 on, or the code of an error.
trait Answer {
    fn number(self) -> i32;
}

impl Answer for () {
    fn number(self) -> i32 {
        0
    }
}

impl Answer for bool {
    fn number(self) -> i32 {
        self.into()
    }
}

impl Answer for u32 {
    fn number(self) -> i32 {
        i32::try_from(self).unwrap_or(i32::MAX)
    }
}

impl Answer for Acquired {
    fn number(self) -> i32 {
        (self == Acquired::OwnerDied).into()
    }
}

impl Answer for Waited {
    fn number(self) -> i32 {
        i32::from(self.owner_died) | i32::from(self.timed_out) << 1
    }
}

impl<T: Answer> Answer for Result<T, Error> {
    fn number(self) -> i32 {
        match self {
            Ok(done) => done.number(),
            Err(error) => code_of(error),
        }
    }
}

/// Returns the code of an error.
fn code_of(error: Error) -> i32 {
    match error {
        // codegen: errors
        Error::TimedOut => code::TIMED_OUT,
        Error::Interrupted => code::INTERRUPTED,
        Error::Broken => code::BROKEN,
        Error::NotOwner => code::NOT_OWNER,
        Error::AlreadyOwner => code::ALREADY_OWNER,
        Error::TooMany => code::TOO_MANY,
        Error::Closed => code::CLOSED,
        Error::TooLarge => code::TOO_LARGE,
        Error::NoSpace => code::NO_SPACE,
        Error::Exists => code::EXISTS,
        Error::NotFound => code::NOT_FOUND,
        Error::WrongKind => code::WRONG_KIND,
        Error::WrongType => code::WRONG_TYPE,
        Error::OutOfRange => code::OUT_OF_RANGE,
        Error::ReadOnly => code::READ_ONLY,
        Error::Changing => code::CHANGING,
        // codegen: end
    }
}

/// Returns the longest time to wait: `None`, for ever, if the number is negative.
fn limit(timeout_ns: i64) -> Option<u64> {
    u64::try_from(timeout_ns).ok()
}

pub(crate) fn process_id() -> i32 {
    host::process::id() as i32
}

pub(crate) fn process_slot() -> i32 {
    host::process::slot().number()
}

pub(crate) fn culprit() -> i32 {
    host::process::culprit().map_or(-1, Answer::number)
}

macro_rules! made {
    ($($name:ident($object:ident $(, $arg:ident: $Arg:ty)*) = $make:expr;)+) => {$(
        pub(crate) fn $name($object: &str $(, $arg: $Arg)*) -> i32 {
            made($make)
        }
    )+};
}

made! {
    lock_open(name) = Lock::open(name);
    lock_create(name, recursive: i32) = Lock::create(name, recursive != 0);
    semaphore_open(name) = Semaphore::open(name);
    semaphore_create(name, initial: u32, flags: i32) =
        Semaphore::create(name, initial, Options::from_bits_truncate(flags as u8));
    condition_open(name) = Condition::open(name);
    condition_create(name, lock: i32) = match lock {
        0 => Condition::create(name, None),
        lock => with(lock, |lock| Condition::create(name, Some(lock))),
    };
    event_open(name) = Event::open(name);
    event_create(name) = Event::create(name);
    barrier_open(name) = Barrier::open(name);
    barrier_create(name, parties: u32) = Barrier::create(name, parties);
    queue_open(name) = Queue::open(name);
    queue_create(name, messages: u32, bytes: u64, joinable: i32) =
        Queue::create(name, messages, bytes, joinable != 0);
    region_open(name) = Region::open(name);
    region_create(name, bytes: u64) = Region::create(name, bytes);
    list_open(name) = List::open(name);
    list_create(name, elements: u32, bytes: u64) = List::create(name, elements, bytes);
    dict_open(name) = Dict::open(name);
    dict_create(name, entries: u32, bytes: u64) = Dict::create(name, entries, bytes);
    set_open(name) = Set::open(name);
    set_create(name, members: u32, bytes: u64) = Set::create(name, members, bytes);
}

/// Declares functions that call an object by its handle, and return a number.
macro_rules! calls {
    ($($name:ident($object:ident: $Object:ident $(, $arg:ident: $Arg:ty)*) = $call:expr;)+) => {$(
        pub(crate) fn $name(handle: i32 $(, $arg: $Arg)*) -> i32 {
            with(handle, |$object: &$Object| $call).number()
        }
    )+};
}

calls! {
    lock_acquire(lock: Lock, timeout_ns: i64) = lock.acquire(limit(timeout_ns));
    lock_release(lock: Lock) = lock.release();
    lock_mark_consistent(lock: Lock) = lock.mark_consistent();

    semaphore_acquire(semaphore: Semaphore, timeout_ns: i64) = semaphore.acquire(limit(timeout_ns));
    semaphore_release(semaphore: Semaphore) = semaphore.release();
    semaphore_count(semaphore: Semaphore) = semaphore.count();

    condition_acquire(condition: Condition, timeout_ns: i64) = condition.acquire(limit(timeout_ns));
    condition_release(condition: Condition) = condition.release();
    condition_mark_consistent(condition: Condition) = condition.mark_consistent();
    condition_wait(condition: Condition, timeout_ns: i64) = condition.wait(limit(timeout_ns));
    condition_notify(condition: Condition, count: u32) = condition.notify(count);
    condition_notify_all(condition: Condition) = condition.notify_all();

    event_set(event: Event) = event.set();
    event_clear(event: Event) = event.clear();
    event_is_set(event: Event) = event.is_set();
    event_wait(event: Event, timeout_ns: i64) = event.wait(limit(timeout_ns));

    barrier_wait(barrier: Barrier, timeout_ns: i64) = barrier.wait(limit(timeout_ns));
    barrier_abort(barrier: Barrier) = barrier.abort();
    barrier_reset(barrier: Barrier) = barrier.reset();
    barrier_parties(barrier: Barrier) = barrier.parties();
    barrier_waiting(barrier: Barrier) = barrier.waiting();
    barrier_is_broken(barrier: Barrier) = barrier.is_broken();

    queue_acknowledge(queue: Queue) = queue.acknowledge();
    queue_task_done(queue: Queue) = queue.task_done();
    queue_join(queue: Queue, timeout_ns: i64) = queue.join(limit(timeout_ns));
    queue_close(queue: Queue) = queue.close();
    queue_is_closed(queue: Queue) = queue.is_closed();
    queue_len(queue: Queue) = queue.len();

    region_is_read_only(region: Region) = region.is_read_only();
}

/// Copies as many bytes as there is room for. Returns how many.
fn copy(bytes: &[u8], room: &mut [MaybeUninit<u8>]) -> usize {
    let copied = bytes.len().min(room.len());
    for (to, from) in room.iter_mut().zip(bytes) {
        to.write(*from);
    }
    copied
}

pub(crate) fn queue_put(handle: i32, src: &[u8], timeout_ns: i64) -> i32 {
    with(handle, |queue: &Queue| queue.put(src, limit(timeout_ns))).number()
}

pub(crate) fn queue_get(handle: i32, dst: &mut [MaybeUninit<u8>], timeout_ns: i64) -> i64 {
    match with(handle, |queue: &Queue| queue.get(limit(timeout_ns))) {
        Ok(Message { bytes, redelivered }) => {
            let length = bytes.len();
            let copied = copy(&bytes, dst);
            RECEIVED.set(if length > copied { bytes } else { Vec::new() });
            length as i64 | if redelivered { REDELIVERED } else { 0 }
        }
        Err(error) => code_of(error).into(),
    }
}

pub(crate) fn queue_read(_: i32, dst: &mut [MaybeUninit<u8>], offset: usize) -> i32 {
    let message = RECEIVED.take();
    copy(message.get(offset..).unwrap_or_default(), dst) as i32
}

pub(crate) fn region_size(handle: i32) -> i64 {
    // No region is so large that its size would have a sign.
    with(handle, |region: &Region| region.size()) as i64
}

pub(crate) fn region_read(handle: i32, offset: u64, dst: &mut [MaybeUninit<u8>]) -> i32 {
    let read = with(handle, |region: &Region| region.read(offset, dst.len() as u32));
    let copied = |bytes: Vec<u8>| {
        copy(&bytes, dst);
    };
    read.map(copied).number()
}

pub(crate) fn region_write(handle: i32, offset: u64, src: &[u8]) -> i32 {
    with(handle, |region: &Region| region.write(offset, src)).number()
}
