//! Sweeping: taking from a slot what it owned, when it died or its instance was discarded.
//!
//! For each object: take the latch (break it, if the dead has it, and rebuild what it protects), free
//! what the dead owned, take it out of the lines. Then close its handles. Then wake all that wait.
//! Doing it twice does no harm.
//!
//! Only the host sweeps the dead: it alone knows who is dead. A live slot may sweep itself.

use super::Shared;
use super::arena;
use super::barrier::Barrier;
use super::condition::Condition;
use super::directory;
use super::event::Event;
use super::lock::Lock;
use super::object::{Entry, Held, Kind, Object};
use super::semaphore::Semaphore;
use super::slots::{Caller, Owner, Slot};
use std::collections::HashSet;

/// What a sweep did not finish.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Objects found to make no sense, now marked as broken.
    pub(crate) broken: u32,
    /// Who held latches for all the time the sweep could wait. The sweep is to be done again, after
    /// these have gone on or were killed.
    pub stuck: Vec<Owner>,
}

/// Slices that one sweep waits for latches, all in all.
const SLICES: u32 = 2;

/// One sweep.
struct Sweep<'a> {
    shared: &'a Shared,
    me: Owner,
    dead: Owner,
    /// Whose latches are broken.
    gone: &'a dyn Fn(Option<Owner>) -> bool,
    slices: u32,
    swept: Swept,
    stuck: HashSet<Owner>,
}

impl Shared {
    /// Sweeps `dead` on behalf of `caller`; latches of holders that are `gone` are broken.
    pub(super) fn sweep_with(
        &self,
        caller: &Caller<'_>,
        dead: Owner,
        gone: &dyn Fn(Option<Owner>) -> bool,
    ) -> Swept {
        let mut sweep = Sweep {
            shared: self,
            me: caller.owner,
            dead,
            gone,
            slices: SLICES,
            swept: Swept::default(),
            stuck: HashSet::new(),
        };
        for object in Object::all(self.memory()) {
            if object.entry().is_some() {
                sweep.object(object);
            }
        }
        sweep.directory();
        let slot = Slot::new(self.memory(), dead.slot);
        if sweep.stuck.is_empty() {
            slot.forget();
        }
        for (_, slot) in Slot::all(self.memory()) {
            if slot.wait().load(std::sync::atomic::Ordering::Acquire) != 0 {
                slot.park().bump_surely();
            }
        }
        sweep.swept.stuck = sweep.stuck.into_iter().collect();
        sweep.swept
    }
}

impl<'a> Sweep<'a> {
    /// Takes a latch. `Some(true)`: it was broken.
    fn take(&mut self, latch: super::latch::Latch<'_>) -> Option<bool> {
        // A few turns: a hostile word may change at any time.
        for _ in 0..4 {
            if latch.break_dead(self.gone, self.me) {
                return Some(true);
            }
            match latch.take_slowly(self.me.pack() << 1, self.slices) {
                Ok(()) => return Some(false),
                Err(stuck) if (self.gone)(stuck.holder) => {}
                Err(stuck) => {
                    self.slices = 0;
                    self.stuck.extend(stuck.holder);
                    return None;
                }
            }
        }
        None
    }

    fn object(&mut self, object: Object<'a>) {
        let Some(broken) = self.take(object.latch()) else { return };
        let mut held = object.held_by_sweep(self.me);
        // Only now is it sure what it is.
        let Some(entry) = object.entry() else { return };
        if object.broken().is_some() {
            return;
        }
        let mut sound = !broken || rebuild(&mut held, entry).is_some();
        sound = sound && self.kind(&mut held, entry).is_some();
        held.withdraw(self.dead.slot);
        if !sound {
            held.damage(Some(self.dead));
            self.swept.broken += 1;
        }
    }

    /// What is particular to the kind.
    fn kind(&self, held: &mut Held<'a>, entry: Entry) -> Option<()> {
        let dead = self.dead;
        let open = directory::has_handle(held.object, dead.slot);
        match entry.kind {
            Kind::Lock => Lock::sweep(held, dead),
            Kind::Condition => {
                Lock::sweep(held, dead);
                Condition::sweep(held, dead);
            }
            Kind::Semaphore => return Semaphore::sweep(held, dead),
            Kind::Barrier => Barrier::sweep(held, dead, open),
            Kind::Queue => return arena::sweep(held, dead),
            Kind::Event | Kind::Value | Kind::Array | Kind::Region => {}
        }
        Some(())
    }

    fn directory(&mut self) {
        if self.take(directory::latch(self.shared)).is_some() {
            self.shared.directory_held_by_sweep().sweep(self.dead, self.me);
        }
    }
}

/// Rebuilds what a latch protected whose holder died inside.
pub(super) fn rebuild(held: &mut Held<'_>, entry: Entry) -> Option<()> {
    if !rebuilds() {
        return Some(());
    }
    held.rebuild_waits();
    match entry.kind {
        Kind::Lock | Kind::Condition => Lock::is_sound(held.object).then_some(()),
        Kind::Semaphore => Semaphore::rebuild(held.object),
        Kind::Event => {
            Event::rebuild(held);
            Some(())
        }
        Kind::Barrier => Barrier::rebuild(held),
        Kind::Queue => arena::rebuild(held),
        Kind::Value | Kind::Array | Kind::Region => Some(()),
    }
}

/// Off in the negative control of the tests only: they must fail without rebuilding.
#[cfg(test)]
pub(super) static REBUILDS: std::sync::atomic::AtomicBool =
    std::sync::atomic::AtomicBool::new(true);

#[cfg(test)]
pub(super) fn rebuilds() -> bool {
    REBUILDS.load(std::sync::atomic::Ordering::Relaxed)
}

#[cfg(not(test))]
pub(super) fn rebuilds() -> bool {
    true
}
