//! Queues of messages, for any number of producers and consumers.

use super::error::SharedError;
use super::handle::{Handle, object};
use crate::shared::Spec;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// A queue that processes and threads share by its name, as Python's `Queue` and `JoinableQueue`.
///
/// The messages are values of type `T` as JSON, or with `Queue<[u8]>` plain bytes.
///
/// ```
/// use wpool::{Capacity, Queue, Shared};
///
/// let shared = Shared::new()?;
/// let queue = Queue::<(i64, String)>::create(&shared, "numbers", Capacity::messages(1000))?;
/// queue.put(&(1, "one".to_owned()))?;
/// queue.close()?; // Nothing will be put any more.
///
/// for message in &queue {
///     assert_eq!(message?.value, (1, "one".to_owned()));
/// }
/// # Ok::<(), wpool::SharedError>(())
/// ```
///
/// # What a death does
/// A message that a worker has got but not dealt with when it dies is delivered again, and is
/// marked as [redelivered](Received::redelivered). A message that a thread of this program gets is
/// out of the queue at once.
#[derive(Debug)]
pub struct Queue<T: ?Sized> {
    handle: Arc<Handle>,
    message: PhantomData<fn(&T)>,
}

impl<T: ?Sized> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Queue { handle: Arc::clone(&self.handle), message: PhantomData }
    }
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
        Capacity { messages, bytes: messages as u64 * 256 }
    }

    /// Sets the number of bytes for messages longer than 96 bytes; each takes a multiple of 256.
    #[must_use]
    pub const fn bytes(self, bytes: u64) -> Capacity {
        Capacity { bytes, ..self }
    }

    fn spec(self, joinable: bool) -> Spec {
        Spec::Queue { messages: self.messages, bytes: self.bytes, joinable }
    }
}

/// A message that was taken from a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<T> {
    /// The message.
    pub value: T,
    /// True if a worker got the message before and died, perhaps in the middle of dealing with it.
    pub redelivered: bool,
}

impl<T: ?Sized> Queue<T> {
    object! {
        Queue "queue";

        /// Creates a queue.
        create, open_or_create(capacity: Capacity): capacity.spec(false);

        /// Creates a queue that counts the messages that are not [done](Queue::task_done) yet.
        create_joinable, open_or_create_joinable(capacity: Capacity): capacity.spec(true);
    }

    fn opened(handle: Handle) -> Result<Queue<T>, SharedError> {
        Ok(Queue { handle: Arc::new(handle), message: PhantomData })
    }

    /// Marks a message that was got as done, for threads that wait in [`join`](Queue::join). It
    /// must be called once for each message got from a joinable queue, before the thread that got
    /// the message ends.
    ///
    /// # Errors
    /// Returns [`SharedError::TooMany`] if all messages are done; [`SharedError::NotJoinable`],
    /// [`SharedError::Broken`] or [`SharedError::NoSlot`].
    pub fn task_done(&self) -> Result<(), SharedError> {
        let done = self.handle.act(|memory, me, id| memory.queue(id)?.task_done(me));
        done.map_err(not_joinable)
    }

    /// Waits until all messages that were put are done. Returns how many were lost: got by a thread
    /// or worker that ended before they were done.
    ///
    /// # Errors
    /// Returns [`SharedError::NotJoinable`], [`SharedError::Broken`] or [`SharedError::NoSlot`].
    pub fn join(&self) -> Result<u64, SharedError> {
        self.join_limit(None)
    }

    /// Waits like [`Queue::join`], but at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`], and the errors of `join`.
    pub fn join_timeout(&self, timeout: Duration) -> Result<u64, SharedError> {
        self.join_limit(Some(timeout))
    }

    fn join_limit(&self, limit: Option<Duration>) -> Result<u64, SharedError> {
        let joined = self.handle.act(|memory, me, id| memory.queue(id)?.join(me, limit));
        joined.map(|joined| joined.lost).map_err(not_joinable)
    }

    /// Closes the queue for puts. The messages in the queue can still be got.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`] or [`SharedError::NoSlot`].
    pub fn close(&self) -> Result<(), SharedError> {
        self.handle.act(|memory, me, id| memory.queue(id)?.close(me))
    }

    /// Returns whether the queue is closed.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`].
    pub fn is_closed(&self) -> Result<bool, SharedError> {
        self.handle.look(|memory, id| Ok(memory.queue(id)?.is_closed()))
    }

    /// Returns how many messages can be got at this moment.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`].
    pub fn len(&self) -> Result<usize, SharedError> {
        self.handle.look(|memory, id| Ok(memory.queue(id)?.len()))
    }

    /// Returns whether no message can be got at this moment.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`].
    pub fn is_empty(&self) -> Result<bool, SharedError> {
        Ok(self.len()? == 0)
    }

    fn put_bytes(&self, message: &[u8], limit: Option<Duration>) -> Result<(), SharedError> {
        self.handle.act(|memory, me, id| memory.queue(id)?.put(me, message, limit))
    }

    fn get_bytes(&self, limit: Option<Duration>) -> Result<Received<Vec<u8>>, SharedError> {
        self.handle.act(|memory, me, id| {
            let queue = memory.queue(id)?;
            let mut value = Vec::new();
            let delivery = queue.get(me, &mut value, limit)?;
            queue.acknowledge(me)?;
            Ok(Received { value, redelivered: delivery.redelivered > 0 })
        })
    }

    /// Returns copies of all messages that can be got at this moment. The messages stay in the
    /// queue.
    fn peek_bytes(&self) -> Result<Vec<Vec<u8>>, SharedError> {
        self.handle.act(|memory, me, id| {
            let peek = memory.peek(me, id)?;
            let mut messages = Vec::with_capacity(peek.len());
            for place in 0..peek.len() {
                let mut message = Vec::new();
                if peek.read(place, &mut message) {
                    messages.push(message);
                }
            }
            Ok(messages)
        })
    }
}

/// The functions for messages as JSON.
impl<T: Serialize + DeserializeOwned> Queue<T> {
    /// Puts a message at the end, waiting for room however long that takes.
    ///
    /// # Errors
    /// Returns [`SharedError::Closed`], [`SharedError::TooLarge`], [`SharedError::Broken`] or
    /// [`SharedError::NoSlot`]; [`SharedError::Malformed`] if the message cannot be written as
    /// JSON.
    pub fn put(&self, message: &T) -> Result<(), SharedError> {
        self.put_bytes(&encode(message)?, None)
    }

    /// Puts a message at the end if there is room.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`] if there is no room, and the errors of
    /// [`put`](Queue::put).
    pub fn try_put(&self, message: &T) -> Result<(), SharedError> {
        self.put_bytes(&encode(message)?, Some(Duration::ZERO))
    }

    /// Puts a message at the end, waiting for room at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`], and the errors of [`put`](Queue::put).
    pub fn put_timeout(&self, message: &T, timeout: Duration) -> Result<(), SharedError> {
        self.put_bytes(&encode(message)?, Some(timeout))
    }

    /// Gets the first message, waiting for one however long that takes.
    ///
    /// # Errors
    /// Returns [`SharedError::Closed`] if the queue is closed and empty; [`SharedError::Broken`] or
    /// [`SharedError::NoSlot`]; [`SharedError::Malformed`] if the message is not JSON of a `T`. A
    /// malformed message is out of the queue all the same.
    pub fn get(&self) -> Result<Received<T>, SharedError> {
        decode(self.get_bytes(None)?)
    }

    /// Gets the first message if there is one.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`] if there is no message, and the errors of
    /// [`get`](Queue::get).
    pub fn try_get(&self) -> Result<Received<T>, SharedError> {
        decode(self.get_bytes(Some(Duration::ZERO))?)
    }

    /// Gets the first message, waiting for one at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`], and the errors of [`get`](Queue::get).
    pub fn get_timeout(&self, timeout: Duration) -> Result<Received<T>, SharedError> {
        decode(self.get_bytes(Some(timeout))?)
    }

    /// Returns an iterator that gets messages until the queue is closed and empty.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { queue: self }
    }

    /// Returns copies of all messages that can be got at this moment. The messages stay in the
    /// queue.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`] or [`SharedError::NoSlot`]; [`SharedError::Malformed`] if a
    /// message is not JSON of a `T`.
    pub fn peek(&self) -> Result<Vec<T>, SharedError> {
        let decode = |message: Vec<u8>| serde_json::from_slice(&message).map_err(malformed);
        self.peek_bytes()?.into_iter().map(decode).collect()
    }
}

fn not_joinable(error: SharedError) -> SharedError {
    match error {
        SharedError::WrongKind { object, .. } => SharedError::NotJoinable { object },
        other => other,
    }
}

pub(super) fn encode(message: &impl Serialize) -> Result<Vec<u8>, SharedError> {
    serde_json::to_vec(message).map_err(malformed)
}

fn decode<T: DeserializeOwned>(got: Received<Vec<u8>>) -> Result<Received<T>, SharedError> {
    let value = serde_json::from_slice(&got.value).map_err(malformed)?;
    Ok(Received { value, redelivered: got.redelivered })
}

pub(super) fn malformed(error: impl Display) -> SharedError {
    SharedError::Malformed { reason: error.to_string() }
}

/// An iterator over the messages of a queue, made by [`Queue::iter`].
#[derive(Debug)]
pub struct Iter<'a, T> {
    queue: &'a Queue<T>,
}

impl<T: Serialize + DeserializeOwned> Iterator for Iter<'_, T> {
    type Item = Result<Received<T>, SharedError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.queue.get() {
            Err(SharedError::Closed) => None,
            got => Some(got),
        }
    }
}

impl<'a, T: Serialize + DeserializeOwned> IntoIterator for &'a Queue<T> {
    type Item = Result<Received<T>, SharedError>;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// The functions for messages as bytes.
impl Queue<[u8]> {
    /// Puts a message at the end, waiting for room however long that takes.
    ///
    /// # Errors
    /// Returns [`SharedError::Closed`], [`SharedError::TooLarge`], [`SharedError::Broken`] or
    /// [`SharedError::NoSlot`].
    pub fn put(&self, message: &[u8]) -> Result<(), SharedError> {
        self.put_bytes(message, None)
    }

    /// Puts a message at the end if there is room.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`] if there is no room, and the errors of
    /// [`put`](Queue::<[u8]>::put).
    pub fn try_put(&self, message: &[u8]) -> Result<(), SharedError> {
        self.put_bytes(message, Some(Duration::ZERO))
    }

    /// Puts a message at the end, waiting for room at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`], and the errors of [`put`](Queue::<[u8]>::put).
    pub fn put_timeout(&self, message: &[u8], timeout: Duration) -> Result<(), SharedError> {
        self.put_bytes(message, Some(timeout))
    }

    /// Gets the first message, waiting for one however long that takes.
    ///
    /// # Errors
    /// Returns [`SharedError::Closed`] if the queue is closed and empty; [`SharedError::Broken`] or
    /// [`SharedError::NoSlot`].
    pub fn get(&self) -> Result<Received<Vec<u8>>, SharedError> {
        self.get_bytes(None)
    }

    /// Gets the first message if there is one.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`] if there is no message, and the errors of
    /// [`get`](Queue::<[u8]>::get).
    pub fn try_get(&self) -> Result<Received<Vec<u8>>, SharedError> {
        self.get_bytes(Some(Duration::ZERO))
    }

    /// Gets the first message, waiting for one at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`], and the errors of [`get`](Queue::<[u8]>::get).
    pub fn get_timeout(&self, timeout: Duration) -> Result<Received<Vec<u8>>, SharedError> {
        self.get_bytes(Some(timeout))
    }

    /// Returns copies of all messages that can be got at this moment. The messages stay in the
    /// queue.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`] or [`SharedError::NoSlot`].
    pub fn peek(&self) -> Result<Vec<Vec<u8>>, SharedError> {
        self.peek_bytes()
    }
}
