//! Sets: members, once each.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::{decode, encode, encode_all, fetch_some, pack, pages, wide};
use crate::error::{Error, answer, done};
use crate::handle::{Handle, nanoseconds, object};
use crate::raw;

const UNION: i32 = 0;
const INTERSECTION: i32 = 1;
const DIFFERENCE: i32 = 2;

/// A set that processes share by its name, as the `set` of Python's `Manager`, without a server process.
///
/// The members are values of type `T`, equal if they are equal as JSON. Each call is one step, which
/// happens as a whole or not at all, whoever dies in it.
///
/// ```no_run
/// use wpool_guest::Set;
///
/// let seen = Set::<u64>::open_or_create("seen")?;
/// if seen.insert(&7)? {
///     println!("7 is new");
/// }
/// # Ok::<(), wpool_guest::Error>(())
/// ```
///
/// # Errors
/// All functions return [`Broken`](Error::Broken), [`Malformed`](Error::Malformed) for what is not JSON of a
/// `T`; those that put something in return [`NoSpace`](Error::NoSpace), [`TooLarge`](Error::TooLarge) for more
/// than 1 MiB.
#[derive(Debug)]
pub struct Set<T> {
    pub(crate) handle: Handle<T>,
}

impl<T> Set<T> {
    object! {
        "set", open: raw::set_open;

        /// Creates a set, empty, that grows as far as there is space.
        create, open_or_create(): |name| raw::set_create(name, 0, 0);

        /// Creates a set, empty, with at most so many members, and so many bytes for them with all that is
        /// needed to find them. 0 is any number.
        create_bounded, open_or_create_bounded(members: u32, bytes: u64):
            |name| raw::set_create(name, members, bytes);
    }

    /// Returns the number of members.
    pub fn len(&self) -> Result<usize, Error> {
        answer(raw::set_len(self.handle.id())).map(|len| len as usize)
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// Returns the version of the set, which each change increments.
    pub fn version(&self) -> Result<u64, Error> {
        wide(raw::set_version(self.handle.id()))
    }

    /// Waits until the version is not `since`, for at most `timeout`, and returns the new version.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut), [`Interrupted`](Error::Interrupted).
    pub fn wait_changed(&self, since: u64, timeout: Duration) -> Result<u64, Error> {
        let timeout = nanoseconds(timeout);
        wide(raw::set_wait_changed(self.handle.id(), since, timeout))
    }

    /// Removes everything, in one step.
    pub fn clear(&self) -> Result<(), Error> {
        done(raw::set_clear(self.handle.id()))
    }
}

impl<T: Serialize + DeserializeOwned> Set<T> {
    /// Returns whether it has a member.
    pub fn contains(&self, member: &T) -> Result<bool, Error> {
        let member = encode(member)?;
        let said = raw::set_contains(self.handle.id(), &member);
        Ok(answer(said)? != 0)
    }

    /// Adds a member, and returns whether it was new.
    pub fn insert(&self, member: &T) -> Result<bool, Error> {
        let member = encode(member)?;
        let said = raw::set_add(self.handle.id(), &member);
        Ok(answer(said)? != 0)
    }

    /// Removes a member, and returns whether it was there.
    pub fn remove(&self, member: &T) -> Result<bool, Error> {
        let member = encode(member)?;
        let said = raw::set_discard(self.handle.id(), &member);
        Ok(answer(said)? != 0)
    }

    /// Takes any member out.
    pub fn pop(&self) -> Result<Option<T>, Error> {
        let (id, mut member) = (self.handle.id(), Vec::new());
        let found = fetch_some(id, &mut member, |room| raw::set_pop(id, room))?;
        found.then(|| decode(&member)).transpose()
    }

    /// Puts members in, all or none; whether any was not there.
    ///
    /// # Errors
    /// Returns [`TooLarge`](Error::TooLarge): more than 4,096 members or 64 KiB.
    pub fn unite_with(&self, members: &[T]) -> Result<bool, Error> {
        self.update(UNION, members)
    }

    /// Takes out all but these members, in one step; whether there were others.
    ///
    /// # Errors
    /// Returns [`TooLarge`](Error::TooLarge): more than 4,096 members or 64 KiB, or the set has more.
    pub fn intersect_with(&self, members: &[T]) -> Result<bool, Error> {
        self.update(INTERSECTION, members)
    }

    /// Takes these members out, in one step; returns whether any was there.
    ///
    /// # Errors
    /// Returns [`TooLarge`](Error::TooLarge): more than 4,096 members or 64 KiB.
    pub fn subtract(&self, members: &[T]) -> Result<bool, Error> {
        self.update(DIFFERENCE, members)
    }

    fn update(&self, how: i32, members: &[T]) -> Result<bool, Error> {
        let row = pack(&encode_all(members)?);
        let changed = raw::set_update(self.handle.id(), how, &row);
        Ok(answer(changed)? != 0)
    }

    /// Returns all members, read at one moment.
    ///
    /// # Errors
    /// Returns [`Changing`](Error::Changing).
    pub fn to_vec(&self) -> Result<Vec<T>, Error> {
        let id = self.handle.id();
        let members = pages(id, |cursor, version, room| raw::set_page(id, cursor, version, room))?;
        members.iter().map(|member| decode(member)).collect()
    }
}
