//! Sets: members, once each.

use super::bounds::Bounds;
use super::error::SharedError;
use super::handle::{Handle, object};
use super::list::decode;
use super::queue::encode;
use crate::shared::{self as control, Caller, Spec, Update};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// A set that processes and threads share by its name, as the `set` of Python's `Manager`, without a server
/// process.
///
/// The members are values of type `T`, equal if they are equal as JSON. Each call is one step, which
/// happens as a whole or not at all, whoever dies in it.
///
/// ```
/// use wpool::{Set, Shared};
///
/// let shared = Shared::new()?;
/// let seen = Set::<u64>::create(&shared, "seen")?;
/// assert!(seen.insert(&7)?);
/// assert!(!seen.insert(&7)?);
/// assert!(seen.intersect_with(&[1, 2])?);
/// assert!(seen.is_empty()?);
/// # Ok::<(), wpool::SharedError>(())
/// ```
///
/// # Errors
/// All functions return [`SharedError::Broken`] if a hostile worker has destroyed the set;
/// [`SharedError::NoSlot`]; [`SharedError::Malformed`] for what is not JSON of a `T`; those that put
/// something in return [`SharedError::NoSpace`], [`SharedError::TooLarge`].
#[derive(Clone, Debug)]
pub struct Set<T> {
    handle: Arc<Handle>,
    member: PhantomData<fn(T) -> T>,
}

impl<T> Set<T> {
    object! {
        Set "set";

        /// Creates a set, empty.
        create, open_or_create(): Spec::Set(Bounds::default().inner());

        /// Creates a set, empty, that holds no more than this.
        create_bounded, open_or_create_bounded(bounds: Bounds): Spec::Set(bounds.inner());
    }

    fn opened(handle: Handle) -> Result<Set<T>, SharedError> {
        Ok(Set { handle: Arc::new(handle), member: PhantomData })
    }

    #[inline]
    fn act<R>(
        &self,
        operation: impl FnOnce(control::Set<'_>, &Caller<'_>) -> Result<R, control::Error>,
    ) -> Result<R, SharedError> {
        self.handle.act(|memory, me, id| operation(control::Set::of(memory, id)?, me))
    }

    /// Returns the number of members.
    pub fn len(&self) -> Result<usize, SharedError> {
        self.act(|set, me| set.len(me)).map(|len| len as usize)
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> Result<bool, SharedError> {
        Ok(self.len()? == 0)
    }

    /// Returns the version of the set, which each change increments.
    pub fn version(&self) -> Result<u64, SharedError> {
        self.act(|set, me| set.version(me))
    }

    /// Waits until the version is not `since`, for at most `timeout`, and returns the new version.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`].
    pub fn wait_changed(&self, since: u64, timeout: Duration) -> Result<u64, SharedError> {
        self.act(|set, me| set.wait_changed(me, since, Some(timeout)))
    }

    /// Removes everything, in one step.
    pub fn clear(&self) -> Result<(), SharedError> {
        self.act(|set, me| set.clear(me))
    }
}

impl<T: Serialize + DeserializeOwned> Set<T> {
    /// Returns whether it has a member.
    pub fn contains(&self, member: &T) -> Result<bool, SharedError> {
        let member = encode(member)?;
        self.act(|set, me| set.contains(me, &member))
    }

    /// Adds a member, and returns whether it was new.
    pub fn insert(&self, member: &T) -> Result<bool, SharedError> {
        let member = encode(member)?;
        self.act(|set, me| set.add(me, &member))
    }

    /// Removes a member, and returns whether it was there.
    pub fn remove(&self, member: &T) -> Result<bool, SharedError> {
        let member = encode(member)?;
        self.act(|set, me| set.discard(me, &member))
    }

    /// Takes any member out.
    pub fn pop(&self) -> Result<Option<T>, SharedError> {
        let mut member = Vec::new();
        let popped = self.act(|set, me| set.pop(me, &mut member))?;
        popped.then(|| decode(&member)).transpose()
    }

    /// Puts members in, all or none; whether any was not there.
    ///
    /// # Errors
    /// Returns [`SharedError::TooLarge`]: more than 4,096 members or 64 KiB.
    pub fn unite_with(&self, members: &[T]) -> Result<bool, SharedError> {
        self.update(Update::Union, members)
    }

    /// Takes out all but these members, in one step; whether there were others.
    ///
    /// # Errors
    /// Returns [`SharedError::TooLarge`]: more than 4,096 members or 64 KiB, or the set has more.
    pub fn intersect_with(&self, members: &[T]) -> Result<bool, SharedError> {
        self.update(Update::Intersection, members)
    }

    /// Takes these members out, in one step; returns whether any was there.
    ///
    /// # Errors
    /// Returns [`SharedError::TooLarge`]: more than 4,096 members or 64 KiB.
    pub fn subtract(&self, members: &[T]) -> Result<bool, SharedError> {
        self.update(Update::Difference, members)
    }

    fn update(&self, update: Update, members: &[T]) -> Result<bool, SharedError> {
        let members: Vec<_> = members.iter().map(encode).collect::<Result<_, _>>()?;
        let members: Vec<&[u8]> = members.iter().map(|member| &member[..]).collect();
        self.act(|set, me| set.update(me, update, &members))
    }

    /// Returns all members, read at one moment.
    ///
    /// # Errors
    /// Returns [`SharedError::Changing`].
    pub fn to_vec(&self) -> Result<Vec<T>, SharedError> {
        let members =
            self.act(|set, me| control::whole(|cursor, version| set.page(me, (cursor, version))))?;
        members.iter().map(|member| decode(member)).collect()
    }
}
