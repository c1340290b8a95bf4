//! The state behind all handles, with the slots of the threads that use it.
//!
//! - Objects are opened and closed by the state's own slot, the **keeper**, so that a handle is
//!   good in every thread, and the end of a thread closes nothing.
//! - Things with an owner (locks, permits, places in a line) belong to the slot of a thread.

use super::super::home::{Home, is_pool};
use super::Shared;
use super::error::SharedError;
use super::handle::ObjectKind;
use super::show::View;
use crate::shared as control;
use control::{Caller, Kind, Member, ObjectId, Owner, Spec};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, ThreadId};

/// The stop flag of host threads, whose waits nobody interrupts.
static GO_ON: AtomicU32 = AtomicU32::new(0);

/// The stop flag of a pool's own thread, which must not wait: it is the thread that frees what the
/// dead hold.
static WAIT_NOT: AtomicU32 = AtomicU32::new(1);

/// Returns the caller for a slot of a thread of this program.
pub(super) fn caller(owner: Owner) -> Caller<'static> {
    Caller { owner, stop: if is_pool() { &WAIT_NOT } else { &GO_ON } }
}

/// The state that all its handles share.
pub(super) struct State {
    home: Home,
    memory: Arc<control::Shared>,
    keeper: Mutex<Keeper>,
    /// The slots of threads. A thread removes its own when it ends.
    members: Mutex<HashMap<ThreadId, Member>>,
}

/// The state's own slot, and how many handles have each object open.
struct Keeper {
    member: Member,
    open: HashMap<ObjectId, usize>,
}

/// The slots of one thread, in all states that it uses.
struct Slots {
    thread: ThreadId,
    slots: Vec<(Weak<State>, Owner)>,
}

thread_local! {
    static SLOTS: RefCell<Slots> =
        RefCell::new(Slots { thread: thread::current().id(), slots: Vec::new() });
}

impl Drop for Slots {
    fn drop(&mut self) {
        for (state, _) in self.slots.drain(..) {
            if let Some(state) = state.upgrade() {
                // Dropping the member frees what this thread still owns, as if the thread had died.
                let member = lock(&state.members).remove(&self.thread);
                drop(member);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic of another holder leaves the contents whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn join(memory: &Arc<control::Shared>) -> Result<Member, SharedError> {
    Member::join(memory).map_err(|_| SharedError::NoSlot)
}

impl State {
    pub(super) fn new(memory: Arc<control::Shared>) -> Result<State, SharedError> {
        let keeper = Keeper { member: join(&memory)?, open: HashMap::new() };
        Ok(State {
            home: Home::default(),
            memory,
            keeper: Mutex::new(keeper),
            members: Mutex::default(),
        })
    }

    #[inline]
    pub(super) fn memory(&self) -> &Arc<control::Shared> {
        &self.memory
    }

    /// Returns the slot of the calling thread, which takes one if it has none yet.
    ///
    /// # Errors
    /// Returns [`SharedError::NoSlot`] if none is left, or if the thread is ending.
    #[inline]
    pub(super) fn owner(self: &Arc<State>) -> Result<Owner, SharedError> {
        let found = SLOTS.try_with(|slots| {
            let slots = slots.borrow();
            // While there is a weak reference, no other state has the same address.
            let mut mine = slots.slots.iter();
            mine.find(|(state, _)| state.as_ptr() == Arc::as_ptr(self)).map(|(_, owner)| *owner)
        });
        match found {
            Ok(Some(owner)) => Ok(owner),
            Ok(None) => self.take_slot(),
            Err(_) => Err(SharedError::NoSlot),
        }
    }

    #[cold]
    fn take_slot(self: &Arc<State>) -> Result<Owner, SharedError> {
        let member = join(&self.memory)?;
        let owner = member.caller().owner;
        SLOTS.with(|slots| {
            let mut slots = slots.borrow_mut();
            slots.slots.retain(|(state, _)| state.strong_count() > 0);
            slots.slots.push((Arc::downgrade(self), owner));
            lock(&self.members).insert(slots.thread, member);
        });
        Ok(owner)
    }

    /// Makes an object and opens it.
    pub(super) fn create(&self, name: &str, spec: &Spec) -> Result<ObjectId, control::Error> {
        let mut keeper = lock(&self.keeper);
        let id = self.memory.create(&keeper.member.caller(), name, spec, 0)?;
        keeper.open.insert(id, 1);
        Ok(id)
    }

    /// Opens an object of any kind.
    pub(super) fn open(&self, name: &str) -> Result<(ObjectId, Kind), control::Error> {
        let mut keeper = lock(&self.keeper);
        let (id, kind) = self.memory.open(&keeper.member.caller(), name)?;
        *keeper.open.entry(id).or_default() += 1;
        Ok((id, kind))
    }

    /// Closes one handle to an object.
    pub(super) fn close(&self, id: ObjectId) {
        // A forked child has a copy of the handle, but does not count as a user.
        if !self.home.is_here() {
            return;
        }
        let mut keeper = lock(&self.keeper);
        let Some(handles) = keeper.open.get_mut(&id) else { return };
        *handles -= 1;
        if *handles == 0 {
            keeper.open.remove(&id);
            // An object that is gone already need not be closed.
            let _ = self.memory.close(&keeper.member.caller(), id);
        }
    }

    /// Deletes an object that is open.
    pub(super) fn delete_open(&self, id: ObjectId) -> Result<(), control::Error> {
        self.memory.delete(&lock(&self.keeper).member.caller(), id)
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), SharedError> {
        self.with(name, |id, _| self.delete_open(id))
    }

    pub(super) fn list(&self) -> Result<Vec<(String, ObjectKind)>, SharedError> {
        let listed = self.memory.list(&lock(&self.keeper).member.caller());
        let listed = listed.map_err(|error| wrong(error, "the directory of objects"))?;
        Ok(listed.into_iter().map(|(name, kind)| (name, kind.into())).collect())
    }

    /// Calls `look` with the present state of an object.
    pub(super) fn view<T>(
        &self,
        name: &str,
        look: impl FnOnce(&View<'_>) -> T,
    ) -> Result<T, SharedError> {
        self.with(name, |id, kind| {
            let view = View::new(&self.memory, &lock(&self.keeper).member.caller(), id, kind);
            view.map(|view| look(&view))
        })
    }

    /// Does an operation with an object that need not be open.
    fn with<T>(
        &self,
        name: &str,
        operation: impl FnOnce(ObjectId, Kind) -> Result<T, control::Error>,
    ) -> Result<T, SharedError> {
        let opened = self.open(name).and_then(|(id, kind)| {
            let done = operation(id, kind);
            self.close(id);
            done
        });
        opened.map_err(|error| wrong(error, &format!("object `{name}`")))
    }
}

fn wrong(error: control::Error, object: &str) -> SharedError {
    SharedError::of(error, || object.to_owned(), String::new)
}

impl Shared {
    #[inline]
    pub(super) fn state(&self) -> &Arc<State> {
        &self.state
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({:p})", self.memory)
    }
}
