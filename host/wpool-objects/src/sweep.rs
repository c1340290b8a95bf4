//! Sweeping: freeing what a slot owned when it died or its instance was discarded.
//!
//! For each object a sweep takes the latch (it breaks the latch if the dead owner has it, and
//! rebuilds what the latch protects), frees what the dead slot owned, and takes the slot out of the
//! lines. Then it closes the slot's handles and wakes all waiting slots. A second sweep of the same
//! slot does no harm.
//!
//! Only the host sweeps the dead: no other process knows who is dead. A live slot may sweep itself.

use super::Shared;
use super::arena;
use super::barrier::Barrier;
use super::collection;
use super::condition::Condition;
use super::directory;
use super::event::Event;
use super::lock::Lock;
use super::object::{Entry, Held, Kind, Object};
use super::semaphore::Semaphore;
use super::slots::{Caller, Owner, Slot};
use std::collections::HashSet;

/// The result of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// The number of objects that made no sense, and are now marked as broken.
    pub(crate) broken: u32,
    /// The owners that held latches for all the time that the sweep could wait. The sweep has to be
    /// done again after they have gone on or were killed.
    pub stuck: Vec<Owner>,
}

/// The number of slices that one sweep waits for latches, all in all.
const SLICES: u32 = 2;

/// A sweep in progress.
struct Sweep<'a> {
    shared: &'a Shared,
    me: Owner,
    dead: Owner,
    /// The test of owners whose latches may be broken.
    gone: &'a dyn Fn(Option<Owner>) -> bool,
    slices: u32,
    swept: Swept,
    stuck: HashSet<Owner>,
}

impl Shared {
    /// Sweeps `dead` on behalf of `caller`. Latches of holders that are `gone` are broken.
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
    /// Takes a latch. Returns `Some(true)` if the latch was broken, `None` if it was stuck.
    fn take(&mut self, latch: super::latch::Latch<'_>) -> Option<bool> {
        // Tries several times, because a hostile word may change at any time.
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
        // The object's kind is certain only under the latch.
        let Some(entry) = object.entry() else { return };
        if object.broken().is_some() {
            return;
        }
        let mut sound = !broken || rebuild(&mut held, entry).is_some();
        sound = sound && self.kind(&mut held, entry).is_some();
        held.dequeue(self.dead.slot);
        if !sound {
            held.mark_broken(Some(self.dead));
            self.swept.broken += 1;
        }
    }

    /// Does the part of a sweep that depends on the kind.
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
            // What is in them belongs to nobody.
            Kind::List | Kind::Dict | Kind::Set => {}
        }
        Some(())
    }

    fn directory(&mut self) {
        if self.take(directory::latch(self.shared)).is_some() {
            self.shared.directory_held_by_sweep().sweep(self.dead, self.me);
        }
    }
}

/// Rebuilds what the latch protected, after its holder died inside.
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
        Kind::List | Kind::Dict | Kind::Set => collection::rebuild(held.object),
    }
}

/// False in the negative control of the tests only, which must fail without rebuilding.
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
