//! Who is alive. The host knows it by itself; control memory only has a copy for others.
//!
//! **Invariant:** a slot is given away again only after a sweep of its last owner has finished.

use super::Shared;
use super::error::Error;
use super::layout::{HOST_SLOTS, SLOTS};
use super::slots::{Caller, Owner, Slot};
use super::sweep::Swept;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Which slots are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Those of workers.
    Worker,
    /// Those of threads of the host.
    Host,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Free,
    Alive,
    /// Dead, and not yet swept from all objects.
    Dead,
}

/// The host's knowledge.
#[derive(Debug)]
pub(super) struct Registry {
    slots: Vec<(Life, Owner)>,
}

impl Registry {
    pub(super) fn new() -> Registry {
        let slots = (0..SLOTS as u16).map(|slot| (Life::Free, Owner { slot, epoch: 0 }));
        Registry { slots: slots.collect() }
    }

    fn attach(&mut self, side: Side) -> Option<Owner> {
        let workers = SLOTS - HOST_SLOTS;
        let range = match side {
            Side::Worker => 0..workers,
            Side::Host => workers..SLOTS,
        };
        let (life, owner) = self.slots[range].iter_mut().find(|(life, _)| *life == Life::Free)?;
        *life = Life::Alive;
        *owner = owner.successor();
        Some(*owner)
    }

    fn is_alive(&self, owner: Owner) -> bool {
        self.slots[usize::from(owner.slot)] == (Life::Alive, owner)
    }

    fn set(&mut self, owner: Owner, life: Life) {
        let entry = &mut self.slots[usize::from(owner.slot)];
        if entry.1 == owner && entry.0 != Life::Free {
            entry.0 = life;
        }
    }

    fn dead(&self) -> Vec<Owner> {
        let dead = self.slots.iter().filter(|(life, _)| *life == Life::Dead);
        dead.map(|(_, owner)| *owner).collect()
    }
}

fn lock(registry: &Mutex<Registry>) -> MutexGuard<'_, Registry> {
    registry.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Gives a slot away: to the calling thread of the host, or for a worker to be started.
    ///
    /// # Errors
    /// `NoSpace` if all are taken; `NotOwner` if this process is not the host.
    pub(crate) fn attach(&self, side: Side) -> Result<Owner, Error> {
        let registry = self.registry.as_ref().ok_or(Error::NotOwner)?;
        let owner = lock(registry).attach(side).ok_or(Error::NoSpace)?;
        Slot::new(self.memory(), owner.slot).begin(owner);
        Ok(owner)
    }

    /// Sweeps the slot of a process that is dead, or of a thread that is done with shared state, and
    /// frees it. Earlier sweeps that did not finish are done again.
    ///
    /// # Errors
    /// `NotOwner` if this process is not the host, or `dead` is unknown.
    pub(crate) fn bury(&self, caller: &Caller<'_>, dead: Owner) -> Result<Swept, Error> {
        let registry = self.registry.as_ref().ok_or(Error::NotOwner)?;
        if usize::from(dead.slot) >= SLOTS {
            return Err(Error::NotOwner);
        }
        lock(registry).set(dead, Life::Dead);
        self.sweep_again(caller)
    }

    /// Does all sweeps again that did not finish.
    ///
    /// # Errors
    /// `NotOwner` if this process is not the host.
    pub(crate) fn sweep_again(&self, caller: &Caller<'_>) -> Result<Swept, Error> {
        let registry = self.registry.as_ref().ok_or(Error::NotOwner)?;
        let mut all = Swept::default();
        let pending = lock(registry).dead();
        for dead in pending {
            let gone = |holder: Option<Owner>| {
                holder.is_none_or(|holder| !lock(registry).is_alive(holder))
            };
            let swept = self.sweep_with(caller, dead, &gone);
            if swept.stuck.is_empty() {
                Slot::new(self.memory(), dead.slot).end();
                lock(registry).set(dead, Life::Free);
            }
            all.broken += swept.broken;
            all.stuck.extend(swept.stuck);
        }
        Ok(all)
    }

    /// Whether no sweep is left to be done again. (Always, if this process is not the host.)
    pub(crate) fn is_swept(&self) -> bool {
        self.registry.as_ref().is_none_or(|registry| lock(registry).dead().is_empty())
    }

    /// Sweeps the caller's own slot, which lives on: its instance was discarded.
    pub(crate) fn discard(&self, caller: &Caller<'_>) -> Swept {
        self.sweep_with(caller, caller.owner, &|holder| holder == Some(caller.owner))
    }

    /// Gives the caller's own slot back, swept.
    pub(super) fn leave(&self, caller: &Caller<'_>) {
        let Some(registry) = &self.registry else { return };
        let gone = |holder: Option<Owner>| {
            holder.is_none_or(|holder| holder == caller.owner || !lock(registry).is_alive(holder))
        };
        let swept = self.sweep_with(caller, caller.owner, &gone);
        // Whoever sweeps next finishes it, if it had to leave something.
        let done = swept.stuck.is_empty();
        if done {
            Slot::new(self.memory(), caller.owner.slot).end();
        }
        lock(registry).set(caller.owner, if done { Life::Free } else { Life::Dead });
    }

    /// Has a slot look at its stop flag, if it waits.
    pub(crate) fn interrupt(&self, owner: Owner) {
        if usize::from(owner.slot) < SLOTS {
            Slot::new(self.memory(), owner.slot).park().bump_surely();
        }
    }
}
