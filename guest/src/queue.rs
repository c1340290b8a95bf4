//! Queues of messages, for any number of producers and consumers.

use std::fmt::Display;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::fetch_with;
use crate::error::{Error, answer, done, number};
use crate::handle::{FOREVER, Handle, NOW, nanoseconds, object};
use crate::raw;

/// The size of the buffer that is offered first for a message, in bytes: most messages are shorter.
const SHORT_BYTES: usize = 512;

/// A flag in the high half of the answer to a get, beside the length: the message was delivered before.
const REDELIVERED: u32 = 1;

/// A queue that processes share by its name, as Python's `Queue` and `JoinableQueue`.
///
/// The messages are values of type `T` as JSON, or with `Queue<[u8]>` plain bytes.
///
/// ```no_run
/// use wpool_guest::{Capacity, Queue};
///
/// let queue = Queue::<(i64, String)>::open_or_create("numbers", Capacity::messages(1000))?;
/// queue.put(&(1, "one".to_owned()))?;
/// queue.close()?; // Nothing will be put any more.
///
/// for message in &queue {
///     let (number, word) = message?.value;
///     println!("{number} is {word}");
/// }
/// # Ok::<(), wpool_guest::Error>(())
/// ```
///
/// # What a death does
/// A message that was got stays with the queue until this process calls the queue again, or
/// [acknowledges](Queue::acknowledge) the message, or its job succeeds. If the process dies before
/// that, or the job traps, the message is delivered again, and is marked as
/// [redelivered](Received::redelivered). So no message is lost; a message may be dealt with twice.
#[derive(Debug)]
pub struct Queue<T: ?Sized> {
    handle: Handle<T>,
}

/// The capacity of a new queue. A put waits while there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    messages: u32,
    bytes: u64,
}

impl Capacity {
    /// Returns a capacity of this many messages, with 256 bytes for each message longer than 96
    /// bytes.
    pub const fn messages(messages: u32) -> Capacity {
        // The host rounds up to pieces of 256 bytes.
        Capacity { messages, bytes: messages as u64 * 256 }
    }

    /// Sets the number of bytes for messages longer than 96 bytes; each takes a multiple of 256.
    pub const fn bytes(self, bytes: u64) -> Capacity {
        Capacity { bytes, ..self }
    }
}

/// A message that was taken from a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<T> {
    /// The message.
    pub value: T,
    /// True if another process got the message before and died, perhaps in the middle of dealing
    /// with it.
    pub redelivered: bool,
}

impl<T: ?Sized> Queue<T> {
    object! {
        "queue", open: raw::queue_open;

        /// Creates a queue.
        create, open_or_create(capacity: Capacity):
            |name| raw::queue_create(name, capacity.messages, capacity.bytes, 0);

        /// Creates a queue that counts the messages that are not [done](Queue::task_done) yet.
        create_joinable, open_or_create_joinable(capacity: Capacity):
            |name| raw::queue_create(name, capacity.messages, capacity.bytes, 1);
    }

    /// Acknowledges the message got last: it will not be delivered again. The next call of this
    /// queue by this process acknowledges it as well.
    ///
    /// # Errors
    /// Returns [`NotOwner`](Error::NotOwner) if there is no such message;
    /// [`Broken`](Error::Broken).
    pub fn acknowledge(&self) -> Result<(), Error> {
        done(raw::queue_acknowledge(self.handle.id()))
    }

    /// Marks a message that was got as done, for processes that wait in [`join`](Queue::join). It
    /// must be called once for each message got from a joinable queue.
    ///
    /// # Errors
    /// Returns [`TooMany`](Error::TooMany) if all messages are done;
    /// [`WrongKind`](Error::WrongKind) if the queue is not joinable; [`Broken`](Error::Broken).
    pub fn task_done(&self) -> Result<(), Error> {
        done(raw::queue_task_done(self.handle.id()))
    }

    /// Waits until all messages that were put are done. Returns how many were lost: acknowledged by
    /// processes that died before they were done.
    ///
    /// # Errors
    /// Returns [`WrongKind`](Error::WrongKind) if the queue is not joinable;
    /// [`Interrupted`](Error::Interrupted) or [`Broken`](Error::Broken).
    pub fn join(&self) -> Result<u32, Error> {
        answer(raw::queue_join(self.handle.id(), FOREVER))
    }

    /// Waits like [`join`](Queue::join), but at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut), and the errors of `join`.
    pub fn join_timeout(&self, timeout: Duration) -> Result<u32, Error> {
        answer(raw::queue_join(self.handle.id(), nanoseconds(timeout)))
    }

    /// Closes the queue for puts. The messages in the queue can still be got.
    ///
    /// # Errors
    /// Returns [`Broken`](Error::Broken).
    pub fn close(&self) -> Result<(), Error> {
        done(raw::queue_close(self.handle.id()))
    }

    /// Returns whether the queue is closed.
    pub fn is_closed(&self) -> bool {
        number(raw::queue_is_closed(self.handle.id())) != 0
    }

    /// Returns how many messages can be got at this moment.
    pub fn len(&self) -> usize {
        number(raw::queue_len(self.handle.id())) as usize
    }

    /// Returns whether no message can be got at this moment.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn put_bytes(&self, message: &[u8], timeout_ns: i64) -> Result<(), Error> {
        done(raw::queue_put(self.handle.id(), message, timeout_ns))
    }

    /// Gets a message into `buffer`, replacing its contents. Returns whether the message is
    /// redelivered.
    fn get_bytes(&self, buffer: &mut Vec<u8>, timeout_ns: i64) -> Result<bool, Error> {
        let id = self.handle.id();
        let ask = |room: &mut [_]| raw::queue_get(id, room, timeout_ns);
        let flags =
            fetch_with(buffer, SHORT_BYTES, ask, |rest, offset| raw::queue_read(id, rest, offset))?;
        Ok(flags & REDELIVERED != 0)
    }
}

/// The functions for messages as JSON.
impl<T: Serialize + DeserializeOwned> Queue<T> {
    /// Puts a message at the end, waiting for room however long that takes.
    ///
    /// # Errors
    /// Returns [`Closed`](Error::Closed), [`TooLarge`](Error::TooLarge),
    /// [`Interrupted`](Error::Interrupted) or [`Broken`](Error::Broken);
    /// [`Malformed`](Error::Malformed) if the message cannot be written as JSON.
    pub fn put(&self, message: &T) -> Result<(), Error> {
        self.put_bytes(&encode(message)?, FOREVER)
    }

    /// Puts a message at the end if there is room.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut) if there is no room, and the errors of
    /// [`put`](Queue::put).
    pub fn try_put(&self, message: &T) -> Result<(), Error> {
        self.put_bytes(&encode(message)?, NOW)
    }

    /// Puts a message at the end, waiting for room at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut), and the errors of [`put`](Queue::put).
    pub fn put_timeout(&self, message: &T, timeout: Duration) -> Result<(), Error> {
        self.put_bytes(&encode(message)?, nanoseconds(timeout))
    }

    /// Gets the first message, waiting for one however long that takes.
    ///
    /// # Errors
    /// Returns [`Closed`](Error::Closed) if the queue is closed and empty;
    /// [`Interrupted`](Error::Interrupted) or [`Broken`](Error::Broken);
    /// [`Malformed`](Error::Malformed) if the message is not JSON of a `T`. A malformed message
    /// counts as got all the same.
    pub fn get(&self) -> Result<Received<T>, Error> {
        self.get_value(FOREVER)
    }

    /// Gets the first message if there is one.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut) if there is no message, and the errors of
    /// [`get`](Queue::get).
    pub fn try_get(&self) -> Result<Received<T>, Error> {
        self.get_value(NOW)
    }

    /// Gets the first message, waiting for one at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut), and the errors of [`get`](Queue::get).
    pub fn get_timeout(&self, timeout: Duration) -> Result<Received<T>, Error> {
        self.get_value(nanoseconds(timeout))
    }

    /// Returns an iterator that gets messages until the queue is closed and empty.
    pub fn iter(&self) -> Messages<'_, T> {
        Messages { queue: self }
    }

    fn get_value(&self, timeout_ns: i64) -> Result<Received<T>, Error> {
        let mut buffer = Vec::new();
        let redelivered = self.get_bytes(&mut buffer, timeout_ns)?;
        let value = serde_json::from_slice(&buffer).map_err(malformed)?;
        Ok(Received { value, redelivered })
    }
}

fn encode(message: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(message).map_err(malformed)
}

fn malformed(error: impl Display) -> Error {
    Error::Malformed { reason: error.to_string() }
}

/// An iterator over the messages of a queue, made by [`Queue::iter`].
#[derive(Debug)]
pub struct Messages<'a, T> {
    queue: &'a Queue<T>,
}

impl<T: Serialize + DeserializeOwned> Iterator for Messages<'_, T> {
    type Item = Result<Received<T>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.queue.get() {
            Err(Error::Closed) => None,
            got => Some(got),
        }
    }
}

impl<'a, T: Serialize + DeserializeOwned> IntoIterator for &'a Queue<T> {
    type Item = Result<Received<T>, Error>;
    type IntoIter = Messages<'a, T>;

    fn into_iter(self) -> Messages<'a, T> {
        self.iter()
    }
}

/// The functions for messages as bytes. A message is got into a buffer that is used again: a
/// message that fits into it needs no allocation.
impl Queue<[u8]> {
    /// Puts a message at the end, waiting for room however long that takes.
    ///
    /// # Errors
    /// Returns [`Closed`](Error::Closed), [`TooLarge`](Error::TooLarge),
    /// [`Interrupted`](Error::Interrupted) or [`Broken`](Error::Broken).
    pub fn put(&self, message: &[u8]) -> Result<(), Error> {
        self.put_bytes(message, FOREVER)
    }

    /// Puts a message at the end if there is room.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut) if there is no room, and the errors of
    /// [`put`](Queue::<[u8]>::put).
    pub fn try_put(&self, message: &[u8]) -> Result<(), Error> {
        self.put_bytes(message, NOW)
    }

    /// Puts a message at the end, waiting for room at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut), and the errors of [`put`](Queue::<[u8]>::put).
    pub fn put_timeout(&self, message: &[u8], timeout: Duration) -> Result<(), Error> {
        self.put_bytes(message, nanoseconds(timeout))
    }

    /// Gets the first message, waiting for one however long that takes.
    ///
    /// # Errors
    /// Returns [`Closed`](Error::Closed) if the queue is closed and empty;
    /// [`Interrupted`](Error::Interrupted) or [`Broken`](Error::Broken).
    pub fn get<'b>(&self, buffer: &'b mut Vec<u8>) -> Result<Received<&'b [u8]>, Error> {
        self.get_slice(buffer, FOREVER)
    }

    /// Gets the first message if there is one.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut) if there is no message, and the errors of
    /// [`get`](Queue::<[u8]>::get).
    pub fn try_get<'b>(&self, buffer: &'b mut Vec<u8>) -> Result<Received<&'b [u8]>, Error> {
        self.get_slice(buffer, NOW)
    }

    /// Gets the first message, waiting for one at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut), and the errors of [`get`](Queue::<[u8]>::get).
    pub fn get_timeout<'b>(
        &self,
        buffer: &'b mut Vec<u8>,
        timeout: Duration,
    ) -> Result<Received<&'b [u8]>, Error> {
        self.get_slice(buffer, nanoseconds(timeout))
    }

    fn get_slice<'b>(
        &self,
        buffer: &'b mut Vec<u8>,
        timeout_ns: i64,
    ) -> Result<Received<&'b [u8]>, Error> {
        let redelivered = self.get_bytes(buffer, timeout_ns)?;
        Ok(Received { value: buffer.as_slice(), redelivered })
    }
}
