//! Events: flags that processes can wait for.

use std::time::Duration;

use crate::error::{Error, done, number};
use crate::handle::{FOREVER, Handle, nanoseconds, object};
use crate::raw;

/// A flag that processes share by its name, as Python's `Event`.
///
/// ```no_run
/// use wpool_guest::Event;
///
/// let start = Event::open_or_create("start")?;
/// start.wait()?; // Until another process calls start.set().
/// # Ok::<(), wpool_guest::Error>(())
/// ```
#[derive(Debug)]
pub struct Event {
    handle: Handle,
}

impl Event {
    object! {
        "event", open: raw::event_open;

        /// Creates an event that is not set.
        create, open_or_create(): raw::event_create;
    }

    /// Sets the flag. All waiting processes go on, even if the flag is cleared at once.
    ///
    /// # Errors
    /// Returns [`Broken`](Error::Broken).
    pub fn set(&self) -> Result<(), Error> {
        done(raw::event_set(self.handle.id()))
    }

    /// Clears the flag.
    ///
    /// # Errors
    /// Returns [`Broken`](Error::Broken).
    pub fn clear(&self) -> Result<(), Error> {
        done(raw::event_clear(self.handle.id()))
    }

    /// Returns whether the flag is set.
    #[inline]
    pub fn is_set(&self) -> bool {
        number(raw::event_is_set(self.handle.id())) != 0
    }

    /// Waits until the flag is set, however long that takes.
    ///
    /// # Errors
    /// Returns [`Interrupted`](Error::Interrupted) or [`Broken`](Error::Broken).
    pub fn wait(&self) -> Result<(), Error> {
        done(raw::event_wait(self.handle.id(), FOREVER))
    }

    /// Waits until the flag is set, at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut), and the errors of [`wait`](Event::wait).
    pub fn wait_timeout(&self, timeout: Duration) -> Result<(), Error> {
        done(raw::event_wait(self.handle.id(), nanoseconds(timeout)))
    }
}
