//! Barriers: parties that wait for one another and go on together.

use super::error::SharedError;
use super::handle::{Handle, object};
use crate::shared::Spec;
use std::sync::Arc;
use std::time::Duration;

/// A barrier that processes and threads share by its name, as Python's `Barrier`.
///
/// A worker that dies with the barrier open, or a party that gives up waiting, breaks the barrier:
/// no party waits for one that will not come.
///
/// ```
/// use wpool::{Barrier, Shared};
///
/// let shared = Shared::new()?;
/// let phase = Barrier::create(&shared, "phase", 2)?;
/// std::thread::scope(|scope| {
///     let other = scope.spawn(|| phase.wait());
///     let mut parties = [phase.wait()?, other.join().expect("it does not panic")?];
///     parties.sort();
///     assert_eq!(parties, [0, 1]);
///     Ok::<(), wpool::SharedError>(())
/// })?;
/// # Ok::<(), wpool::SharedError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Barrier {
    handle: Arc<Handle>,
}

impl Barrier {
    object! {
        Barrier "barrier";

        /// Creates a barrier for this many parties.
        create, open_or_create(parties: u32): Spec::Barrier { parties };
    }

    fn opened(handle: Handle) -> Result<Barrier, SharedError> {
        Ok(Barrier { handle: Arc::new(handle) })
    }

    /// Waits until all parties wait. Returns the place of the caller in the order of arrival: 0
    /// came first.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`] if the barrier is broken, or is broken or reset meanwhile;
    /// [`SharedError::NoSlot`].
    pub fn wait(&self) -> Result<u32, SharedError> {
        self.handle.act(|memory, me, id| memory.barrier(id)?.wait(me, None))
    }

    /// Waits like [`Barrier::wait`], but at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`], which breaks the barrier for the others; otherwise the
    /// errors of `wait`.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<u32, SharedError> {
        self.handle.act(|memory, me, id| memory.barrier(id)?.wait(me, Some(timeout)))
    }

    /// Breaks the barrier. All parties that wait now or later get an error.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`] if the barrier is damaged; [`SharedError::NoSlot`].
    pub fn abort(&self) -> Result<(), SharedError> {
        self.handle.act(|memory, me, id| memory.barrier(id)?.abort(me))
    }

    /// Resets the barrier. All waiting parties get an error; after that the barrier can be used
    /// again.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`] if the barrier is damaged; [`SharedError::NoSlot`].
    pub fn reset(&self) -> Result<(), SharedError> {
        self.handle.act(|memory, me, id| memory.barrier(id)?.reset(me))
    }

    /// Returns the number of parties.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`].
    pub fn parties(&self) -> Result<u32, SharedError> {
        self.handle.look(|memory, id| Ok(memory.barrier(id)?.parties()))
    }

    /// Returns how many parties wait at this moment.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`].
    pub fn waiting(&self) -> Result<u32, SharedError> {
        self.handle.look(|memory, id| Ok(memory.barrier(id)?.waiting()))
    }

    /// Returns whether the barrier is broken.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`] if the barrier is damaged.
    pub fn is_broken(&self) -> Result<bool, SharedError> {
        self.handle.look(|memory, id| Ok(memory.barrier(id)?.is_broken()))
    }
}
