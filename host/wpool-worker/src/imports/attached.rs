//! Shared state as one process sees it: where it is, in whose name the process acts there, and what it
//! waited for, if that is to be told.

use crate::shared::{self, Kind, ObjectId, Owner, Shared};
use crate::wire::clock::Moment;
use crate::wire::control::Membership;
use crate::wire::jobmem::JobMem;
use crate::wire::waits::{Wait, Waits};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often the objects of an instance are given back where that is held up, each time for 100 ms.
const DISCARDS_MAX: u32 = 20;

/// Shared state, attached to.
#[derive(Clone, Debug)]
pub struct Attached {
    shared: Arc<Shared>,
    owner: Owner,
    /// Has the word that ends waits.
    memory: Arc<JobMem>,
    /// What the job that runs has waited for; `None` where nobody wants to know.
    waits: Option<Arc<Mutex<Waits>>>,
}

impl Attached {
    /// The state, for the process that was given this slot.
    pub fn new(shared: Arc<Shared>, slot: Membership, memory: Arc<JobMem>) -> Attached {
        let owner = Owner { slot: slot.slot, epoch: slot.epoch };
        Attached { shared, owner, memory, waits: None }
    }

    /// The same, which takes note of waits.
    pub(crate) fn noting_waits(self) -> Attached {
        Attached { waits: Some(Arc::default()), ..self }
    }

    /// Where it is.
    #[inline]
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// In whose name things are done.
    #[inline]
    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    /// The same, as operations are told it.
    #[inline]
    pub(super) fn caller(&self) -> shared::Caller<'_> {
        shared::Caller { owner: self.owner, stop: self.memory.stop_word() }
    }

    /// Does something with an object, which may have to wait for it.
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
        let (before, began) = (ticket(), Moment::now());
        // Should it never return, the dispatcher tells of the wait.
        self.memory.set_called(began);
        let done = operation(&self.caller());
        // It had to stand in a line. What was free at once is no wait.
        if ticket() != before {
            lock(waits).add(|| Wait {
                kind: kind.to_string(),
                name: self.shared.name(id, kind).unwrap_or_default(),
                began,
                ended: Moment::now(),
            });
        }
        done
    }

    /// What this job has waited for, the last one that ran; `None` if nothing.
    pub(crate) fn take_waits(&self, job: u64) -> Option<Waits> {
        let waits = std::mem::take(&mut *lock(self.waits.as_ref()?));
        (!waits.list.is_empty()).then_some(Waits { job, ..waits })
    }

    /// Gives back all that was done in the name of this process: its guest is gone. What another
    /// process holds up is tried again.
    ///
    /// # Panics
    /// It was held up for long. Then this process ends, and the host sees to both.
    pub(crate) fn discard(&self) {
        let is_done = || self.shared.discard(&self.caller()).stuck.is_empty();
        assert!((0..DISCARDS_MAX).any(|_| is_done()), "shared state is held up by another process");
    }
}

fn lock(waits: &Mutex<Waits>) -> MutexGuard<'_, Waits> {
    waits.lock().unwrap_or_else(PoisonError::into_inner)
}
