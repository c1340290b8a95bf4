//! The shared state of the library.

mod array;
mod barrier;
mod bounds;
mod condition;
mod contents;
mod dict;
mod error;
mod event;
mod guard;
mod handle;
mod list;
mod lock;
mod number;
mod queue;
mod region;
mod semaphore;
mod set;
mod show;
mod state;
mod value;

pub use array::Array;
pub use barrier::Barrier;
pub use bounds::Bounds;
pub use condition::Condition;
pub use dict::{Dict, Versioned};
pub use error::SharedError;
pub use event::Event;
pub use guard::Guard;
pub use handle::ObjectKind;
pub use list::List;
pub use lock::Lock;
pub use number::{Arithmetic, Number};
pub use queue::{Capacity, Iter, Queue, Received};
pub use region::Region;
pub use semaphore::{Permit, Permits, Semaphore};
pub use set::Set;
pub use value::Value;

use crate::pool::config::Config;
use crate::shared as control;
use state::State;
use std::io::Write;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The time that [`Shared::check`] gives threads that are ending.
const SETTLED: Duration = Duration::from_secs(1);

/// Shared state: objects with names, for the processes of any number of pools and for the threads of
/// this program.
///
/// ```
/// use wpool::{Lock, Pool, Shared, Value};
///
/// let shared = Shared::new()?;
/// let balance = Value::create(&shared, "balance", 100_i64)?;
/// let guard = Lock::create(&shared, "guard")?;
///
/// // Tasks that open `balance` and `guard` find them.
/// let pool = Pool::from_bytes(
///     r#"(module (func (export "half") (param i64) (result i64)
///            (i64.div_s (local.get 0) (i64.const 2))))"#,
/// )
/// .shared(&shared)
/// .start()?;
///
/// let held = guard.lock()?;
/// if held.owner_died() {
///     eprintln!("a worker was killed while it changed the balance");
/// }
/// balance.set(pool.apply(balance.get()?)?)?;
/// drop(held);
/// assert_eq!(shared.show("balance")?, 50);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// - A clone is another handle to the same state. The state lives until its last handle, last
///   object and last pool are gone. An object lives until it is deleted, whether or not it is open
///   anywhere.
/// - Objects behave as they do in guests: the types here are those of the crate `wpool-guest`, but
///   each function takes the state, or can fail, because **no memory is trusted that a worker could
///   write**: a guest that broke out of its sandbox can break objects, and no more.
/// - Locks and permits belong to the *thread* that acquired them. A thread that ends counts as
///   dead: the locks that it held are free, and the next owner is told.
///
/// # Limits
/// State has room for 1024 objects, for 960 workers and for 64 members on this side: one for the
/// state itself, one for each pool, one for each thread that uses locks, semaphores, conditions,
/// events, barriers or queues (values, arrays and regions need none). A thread takes its place at
/// its first use and gives it back when the thread or the state ends. If no place is left, calls
/// return [`SharedError::NoSlot`].
///
/// A child that this program forks must not use the state of its parent.
#[derive(Clone, Debug)]
pub struct Shared {
    state: Arc<State>,
}

/// A builder of shared state, which sets its sizes; [`Shared::builder`] makes one.
#[derive(Clone, Copy, Debug, Default)]
pub struct SharedBuilder {
    space: control::Space,
}

impl SharedBuilder {
    /// Sets the greatest size of all shared memory except regions, in bytes, such as the contents
    /// of queues and arrays; 256 MiB unless set. Unused memory costs nothing.
    #[must_use]
    pub fn shared_bytes(mut self, bytes: u64) -> Self {
        self.space.shared_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self
    }

    /// Sets the greatest size of all regions together, in bytes; 4 GiB unless set. Unused memory
    /// costs nothing.
    #[must_use]
    pub fn region_bytes(mut self, bytes: u64) -> Self {
        self.space.region_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self
    }

    /// Makes the state.
    ///
    /// # Errors
    /// Returns [`SharedError::System`] if there is no memory of this size.
    pub fn build(self) -> Result<Shared, SharedError> {
        let memory = control::Shared::new(self.space);
        let memory = memory.map_err(|error| SharedError::System {
            reason: format!("cannot make shared memory: {error}"),
        })?;
        Shared::of(Arc::new(memory))
    }
}

impl Shared {
    /// Makes state without any objects.
    ///
    /// # Errors
    /// Returns the same errors as [`SharedBuilder::build`].
    pub fn new() -> Result<Shared, SharedError> {
        Shared::builder().build()
    }

    /// Returns a builder that sets the sizes of the state.
    pub fn builder() -> SharedBuilder {
        SharedBuilder::default()
    }

    /// Makes a handle to state that exists.
    ///
    /// # Errors
    /// Returns [`SharedError::NoSlot`].
    pub(super) fn of(memory: Arc<control::Shared>) -> Result<Shared, SharedError> {
        Ok(Shared { state: Arc::new(State::new(memory)?) })
    }

    pub(super) fn memory(&self) -> &Arc<control::Shared> {
        self.state.memory()
    }

    /// Lets the workers of a run with this configuration use the state. A [`Pool`](crate::Pool)
    /// gets it by [`Builder::shared`](crate::Builder::shared).
    pub fn lend_to(&self, config: &mut Config) {
        config.shared = Some(Arc::clone(self.memory()));
    }

    /// Returns the names and kinds of all objects, sorted by name.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`].
    pub fn list(&self) -> Result<Vec<(String, ObjectKind)>, SharedError> {
        let mut objects = self.state.list()?;
        objects.sort();
        Ok(objects)
    }

    /// Deletes an object: its name is free at once, its storage when no handle to the object is
    /// left.
    ///
    /// # Errors
    /// Returns [`SharedError::NotFound`] or [`SharedError::Broken`].
    pub fn delete(&self, name: &str) -> Result<(), SharedError> {
        self.state.delete(name)
    }

    /// Returns the state of an object as JSON, without changing the object.
    ///
    /// | object | JSON |
    /// |---|---|
    /// | value | its number |
    /// | array | `[…]` of its numbers |
    /// | queue | `[…]` of its messages: as they are if they are JSON, strings if they are text, else `{"base64":"…"}` |
    /// | event | true if it is set |
    /// | semaphore | the number of free permits |
    /// | lock | `{"held":…,"owner-died":…}` |
    /// | condition | the same, and `"waiting"`: the number of waiters for a notification |
    /// | barrier | `{"parties":…,"waiting":…,"broken":…}` |
    /// | list, set | `[…]` of its elements or members, each as a message of a queue, or what is nested |
    /// | dict | `{…}` of its entries in their order: keys that are strings in JSON, or any text, as they are, others in Base64; values as messages |
    /// | region | `{"bytes":…}`, and up to 64 KiB `"text"` or `"base64"`: its bytes without the zeros at the end |
    ///
    /// NaN and the infinities are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`, as they are in
    /// jobs and results.
    ///
    /// # Errors
    /// Returns [`SharedError::NotFound`] or [`SharedError::Broken`].
    pub fn show(&self, name: &str) -> Result<serde_json::Value, SharedError> {
        self.state.view(name, |view| serde_json::to_value(view)).and_then(show::shown)
    }

    /// Writes the JSON that [`Shared::show`] returns, without holding all of it in memory.
    ///
    /// # Errors
    /// Returns the same errors as [`Shared::show`]; [`SharedError::System`] if the JSON cannot be
    /// written.
    pub fn write_json(&self, name: &str, to: impl Write) -> Result<(), SharedError> {
        self.state.view(name, |view| serde_json::to_writer(to, view)).and_then(show::shown)
    }

    /// Returns the faults in the memory of the state: an empty list, unless the memory was damaged.
    /// Call it while no other thread or process uses the state; threads that are just ending get a
    /// second to finish.
    pub fn check(&self) -> Vec<String> {
        let deadline = Instant::now() + SETTLED;
        loop {
            let wrong = self.memory().fsck();
            if wrong.is_empty() || Instant::now() >= deadline {
                return wrong;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}
