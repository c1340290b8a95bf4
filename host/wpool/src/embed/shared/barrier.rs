//! Barriers: parties that go on together.

use super::error::SharedError;
use super::handle::{Handle, object};
use crate::shared::Spec;
use std::sync::Arc;
use std::time::Duration;

/// A barrier that processes and threads share by its name, as Python's `Barrier`.
///
/// A worker that dies with the barrier open, or a party that waits no longer, breaks it: nobody waits
/// for a party that will not come.
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

        /// Creates a barrier for so many parties.
        create, open_or_create(parties: u32): Spec::Barrier { parties };
    }

    fn opened(handle: Handle) -> Result<Barrier, SharedError> {
        Ok(Barrier { handle: Arc::new(handle) })
    }

    /// Waits until all parties wait, and answers which of them this is: 0 came first.
    ///
    /// # Errors
    /// [`SharedError::Broken`] if the barrier is, or is broken or reset meanwhile;
    /// [`SharedError::NoSlot`].
    pub fn wait(&self) -> Result<u32, SharedError> {
        self.handle.act(|memory, me, id| memory.barrier(id)?.wait(me, None))
    }

    /// Waits as [`Barrier::wait`] does, at most for so long.
    ///
    /// # Errors
    /// [`SharedError::TimedOut`], which breaks the barrier for the others; else those of `wait`.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<u32, SharedError> {
        self.handle.act(|memory, me, id| memory.barrier(id)?.wait(me, Some(timeout)))
    }

    /// Breaks the barrier: all that wait, or will, get an error.
    ///
    /// # Errors
    /// [`SharedError::Broken`], if it is damaged; [`SharedError::NoSlot`].
    pub fn abort(&self) -> Result<(), SharedError> {
        self.handle.act(|memory, me, id| memory.barrier(id)?.abort(me))
    }

    /// Makes the barrier as new: all that wait get an error, and then it can be used again.
    ///
    /// # Errors
    /// [`SharedError::Broken`], if it is damaged; [`SharedError::NoSlot`].
    pub fn reset(&self) -> Result<(), SharedError> {
        self.handle.act(|memory, me, id| memory.barrier(id)?.reset(me))
    }

    /// How many parties it is for.
    ///
    /// # Errors
    /// [`SharedError::Broken`].
    pub fn parties(&self) -> Result<u32, SharedError> {
        self.handle.look(|memory, id| Ok(memory.barrier(id)?.parties()))
    }

    /// How many parties wait, at this moment.
    ///
    /// # Errors
    /// [`SharedError::Broken`].
    pub fn waiting(&self) -> Result<u32, SharedError> {
        self.handle.look(|memory, id| Ok(memory.barrier(id)?.waiting()))
    }

    /// Whether it is broken.
    ///
    /// # Errors
    /// [`SharedError::Broken`], if it is damaged.
    pub fn is_broken(&self) -> Result<bool, SharedError> {
        self.handle.look(|memory, id| Ok(memory.barrier(id)?.is_broken()))
    }
}
