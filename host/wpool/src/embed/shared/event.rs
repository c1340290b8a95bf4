//! Events: flags that can be waited for.

use super::error::SharedError;
use super::handle::{Handle, object};
use crate::shared::Spec;
use std::sync::Arc;
use std::time::Duration;

/// A flag that processes and threads share by its name, as Python's `Event`.
///
/// ```
/// use wpool::{Event, Shared};
///
/// let shared = Shared::new()?;
/// let start = Event::create(&shared, "start")?;
/// std::thread::scope(|scope| {
///     let waiting = scope.spawn(|| start.wait());
///     start.set()?;
///     waiting.join().expect("it does not panic")
/// })?;
/// # Ok::<(), wpool::SharedError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Event {
    handle: Arc<Handle>,
}

impl Event {
    object! {
        Event "event";

        /// Creates an event that is not set.
        create, open_or_create(): Spec::Event;
    }

    fn opened(handle: Handle) -> Result<Event, SharedError> {
        Ok(Event { handle: Arc::new(handle) })
    }

    /// Sets the flag. All waiters go on, even if the flag is cleared at once.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`] or [`SharedError::NoSlot`].
    pub fn set(&self) -> Result<(), SharedError> {
        self.handle.act(|memory, me, id| memory.event(id)?.set(me))
    }

    /// Clears the flag.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`] or [`SharedError::NoSlot`].
    pub fn clear(&self) -> Result<(), SharedError> {
        self.handle.act(|memory, me, id| memory.event(id)?.clear(me))
    }

    /// Returns whether the flag is set.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`].
    pub fn is_set(&self) -> Result<bool, SharedError> {
        self.handle.look(|memory, id| Ok(memory.event(id)?.is_set()))
    }

    /// Waits until the flag is set, however long that takes.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`] or [`SharedError::NoSlot`].
    pub fn wait(&self) -> Result<(), SharedError> {
        self.handle.act(|memory, me, id| memory.event(id)?.wait(me, None))
    }

    /// Waits until the flag is set, at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`], and the errors of [`Event::wait`].
    pub fn wait_timeout(&self, timeout: Duration) -> Result<(), SharedError> {
        self.handle.act(|memory, me, id| memory.event(id)?.wait(me, Some(timeout)))
    }
}
