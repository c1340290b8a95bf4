//! The registry of slots that are alive. The host keeps it in its own memory; control memory only
//! has a copy for others.
//!
//! **Invariant:** a slot is given away again only after a sweep of its last owner has finished.

use super::Shared;
use super::error::Error;
use super::layout::{HOST_SLOTS, SLOTS};
use super::slots::{Caller, Owner, Slot};
use super::sweep::Swept;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A part of the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The slots of workers.
    Worker,
    /// The slots of threads of the host.
    Host,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Free,
    Alive,
    /// The owner is dead, and not yet swept from all objects.
    Dead,
    /// The owner is dead, and a thread sweeps it: a second sweep could take from the slot's next
    /// owner.
    Sweeping,
}

/// The life of each slot, as the host knows it.
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

    fn die(&mut self, owner: Owner) {
        if self.is_alive(owner) {
            self.set(owner, Life::Dead);
        }
    }

    fn set(&mut self, owner: Owner, life: Life) {
        let entry = &mut self.slots[usize::from(owner.slot)];
        if entry.1 == owner && entry.0 != Life::Free {
            entry.0 = life;
        }
    }

    /// Claims the sweeps of all dead owners that no thread sweeps.
    fn claim(&mut self) -> Vec<Owner> {
        let dead = self.slots.iter_mut().filter(|(life, _)| *life == Life::Dead);
        let claimed = dead.map(|(life, owner)| {
            *life = Life::Sweeping;
            *owner
        });
        claimed.collect()
    }

    fn is_swept(&self) -> bool {
        !self.slots.iter().any(|(life, _)| matches!(life, Life::Dead | Life::Sweeping))
    }
}

/// The sweeps that one thread has claimed. Dropping the claim leaves the unfinished ones to others.
struct Claim<'a> {
    registry: &'a Mutex<Registry>,
    left: Vec<Owner>,
}

impl<'a> Claim<'a> {
    fn of(registry: &'a Mutex<Registry>) -> Claim<'a> {
        Claim { registry, left: lock(registry).claim() }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut registry = lock(self.registry);
        self.left.iter().for_each(|owner| registry.set(*owner, Life::Dead));
    }
}

fn lock(registry: &Mutex<Registry>) -> MutexGuard<'_, Registry> {
    registry.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Hands out a slot, for the calling thread of the host or for a worker that will be started.
    ///
    /// # Errors
    /// Returns `NoSpace` if all slots are taken; `NotOwner` if this process is not the host.
    pub fn attach(&self, side: Side) -> Result<Owner, Error> {
        let registry = self.registry.as_ref().ok_or(Error::NotOwner)?;
        let owner = lock(registry).attach(side).ok_or(Error::NoSpace)?;
        Slot::new(self.memory(), owner.slot).begin(owner);
        Ok(owner)
    }

    /// Sweeps and frees the slot of a dead process, or of a thread that no longer uses shared
    /// state. Earlier sweeps that did not finish are done again.
    ///
    /// # Errors
    /// Returns `NotOwner` if this process is not the host, or if `dead` names no slot.
    pub fn release(&self, caller: &Caller<'_>, dead: Owner) -> Result<Swept, Error> {
        let registry = self.registry.as_ref().ok_or(Error::NotOwner)?;
        if usize::from(dead.slot) >= SLOTS {
            return Err(Error::NotOwner);
        }
        lock(registry).die(dead);
        self.sweep_again(caller)
    }

    /// Notes a death, and leaves the sweep to others.
    #[cfg(test)]
    pub(super) fn dies(&self, dead: Owner) {
        self.registry.as_ref().into_iter().for_each(|registry| lock(registry).die(dead));
    }

    /// Does all unfinished sweeps again, except those that another thread is doing.
    ///
    /// # Errors
    /// Returns `NotOwner` if this process is not the host.
    pub fn sweep_again(&self, caller: &Caller<'_>) -> Result<Swept, Error> {
        let registry = self.registry.as_ref().ok_or(Error::NotOwner)?;
        let mut all = Swept::default();
        let mut claim = Claim::of(registry);
        while let Some(&dead) = claim.left.last() {
            let gone = |holder: Option<Owner>| {
                holder.is_none_or(|holder| !lock(registry).is_alive(holder))
            };
            let swept = self.sweep_with(caller, dead, &gone);
            let done = swept.stuck.is_empty();
            if done {
                Slot::new(self.memory(), dead.slot).end();
            }
            lock(registry).set(dead, if done { Life::Free } else { Life::Dead });
            claim.left.pop();
            all.broken += swept.broken;
            all.stuck.extend(swept.stuck);
        }
        Ok(all)
    }

    /// Returns whether no sweep is left to be done again. (Always true if this process is not the
    /// host.)
    pub fn is_swept(&self) -> bool {
        self.registry.as_ref().is_none_or(|registry| lock(registry).is_swept())
    }

    /// Sweeps the caller's own slot, whose instance was discarded. The slot stays alive.
    pub fn discard(&self, caller: &Caller<'_>) -> Swept {
        self.sweep_with(caller, caller.owner, &|holder| holder == Some(caller.owner))
    }

    /// Sweeps the caller's own slot and gives it back.
    pub(super) fn leave(&self, caller: &Caller<'_>) {
        let Some(registry) = &self.registry else { return };
        let gone = |holder: Option<Owner>| {
            holder.is_none_or(|holder| holder == caller.owner || !lock(registry).is_alive(holder))
        };
        let swept = self.sweep_with(caller, caller.owner, &gone);
        // The next sweeper finishes this sweep if it had to leave something.
        let done = swept.stuck.is_empty();
        if done {
            Slot::new(self.memory(), caller.owner.slot).end();
        }
        lock(registry).set(caller.owner, if done { Life::Free } else { Life::Dead });
    }

    /// Makes a waiting slot look at its stop flag.
    pub fn interrupt(&self, owner: Owner) {
        if usize::from(owner.slot) < SLOTS {
            Slot::new(self.memory(), owner.slot).park().bump_surely();
        }
    }
}
