//! Shared state as one process uses it: the memory, the slot of the process, and the waits of its
//! jobs, if they are to be reported.

use crate::shared::{self, Kind, ObjectId, Owner, Shared};
use crate::wire::clock::MonotonicTime;
use crate::wire::control::Membership;
use crate::wire::jobmem::JobMem;
use crate::wire::waits::{Wait, Waits};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The number of tries to give back the objects of an instance while another process holds them up,
/// each for 100 ms.
const DISCARDS_MAX: u32 = 20;

/// Shared state that a process is attached to.
#[derive(Clone, Debug)]
pub struct Attached {
    shared: Arc<Shared>,
    owner: Owner,
    /// The job memory, which has the word that ends waits.
    memory: Arc<JobMem>,
    /// The waits of the running job; `None` if they are not reported.
    waits: Option<Arc<Mutex<Waits>>>,
}

impl Attached {
    /// Attaches the process that was given this slot.
    pub fn new(shared: Arc<Shared>, slot: Membership, memory: Arc<JobMem>) -> Attached {
        let owner = Owner { slot: slot.slot, epoch: slot.epoch };
        Attached { shared, owner, memory, waits: None }
    }

    /// Returns the state with the recording of waits turned on.
    pub(crate) fn noting_waits(self) -> Attached {
        Attached { waits: Some(Arc::default()), ..self }
    }

    /// Returns the shared state.
    #[inline]
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Returns the slot in whose name the process acts.
    #[inline]
    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    /// Returns the caller of the process's operations.
    #[inline]
    pub(super) fn caller(&self) -> shared::Caller<'_> {
        shared::Caller { owner: self.owner, stop: self.memory.stop_word() }
    }

    /// Does an operation with an object, which may have to wait.
    #[inline]
    pub(super) fn act<T>(
        &self,
        kind: Kind,
        id: ObjectId,
        operation: impl FnOnce(&shared::Caller<'_>) -> T,
    ) -> T {
        match &self.waits {
            None => operation(&self.caller()),
            Some(waits) => self.act_and_note(waits, kind, id, operation),
        }
    }

    fn act_and_note<T>(
        &self,
        waits: &Mutex<Waits>,
        kind: Kind,
        id: ObjectId,
        operation: impl FnOnce(&shared::Caller<'_>) -> T,
    ) -> T {
        let ticket = || self.shared.ticket(self.owner);
        let (before, began) = (ticket(), MonotonicTime::now());
        // If the operation never returns, the dispatcher reports the wait.
        self.memory.set_called(began);
        let done = operation(&self.caller());
        // The slot had to stand in a line. An object that was free at once is not a wait.
        if ticket() != before {
            lock(waits).add(|| Wait {
                kind: kind.to_string(),
                name: self.shared.name(id, kind).unwrap_or_default(),
                began,
                ended: MonotonicTime::now(),
            });
        }
        done
    }

    /// Returns the waits of the job that ran last, or `None` if there were none.
    pub(crate) fn take_waits(&self, job: u64) -> Option<Waits> {
        let waits = std::mem::take(&mut *lock(self.waits.as_ref()?));
        (!waits.list.is_empty()).then_some(Waits { job, ..waits })
    }

    /// Gives back everything that was done in the name of this process, because its guest is gone.
    /// Objects that another process holds up are tried again.
    ///
    /// # Panics
    /// Panics if they were held up for long. This process ends then, and the host sweeps both.
    pub(crate) fn discard(&self) {
        let is_done = || self.shared.discard(&self.caller()).stuck.is_empty();
        assert!((0..DISCARDS_MAX).any(|_| is_done()), "shared state is held up by another process");
    }
}

fn lock(waits: &Mutex<Waits>) -> MutexGuard<'_, Waits> {
    waits.lock().unwrap_or_else(PoisonError::into_inner)
}
