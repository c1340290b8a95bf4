//! The checks that must hold for control memory while nobody is inside an operation.
//!
//! Each line of the report names an invariant that does not hold. The tests check after every
//! death. A host may check at any time while nobody changes anything.

use super::Shared;
use super::arena;
use super::array::Array;
use super::barrier::Barrier;
use super::collection;
use super::condition;
use super::directory;
use super::layout::{SLOTS, record};
use super::lock::Lock;
use super::message::{Store, halves};
use super::object::{Entry, Kind, Object, Stage};
use super::queue::{BUSY, FREE, JOURNAL, RING, TICKETS, UNDONE, USED};
use super::region::Region;
use super::semaphore::Semaphore;
use super::slots::{Owner, Slot};
use super::wait::LINES;
use std::collections::HashSet;
use std::sync::atomic::Ordering;

/// The invariants that were found not to hold.
struct Report<'a> {
    shared: &'a Shared,
    wrong: Vec<String>,
}

impl Shared {
    /// Returns the invariants that do not hold, one line each. The list is empty if all is well.
    pub fn fsck(&self) -> Vec<String> {
        let mut report = Report { shared: self, wrong: Vec::new() };
        report.check(directory::latch(self).is_free(), || "the directory's latch is held".into());
        report.slots();
        report.directory();
        for object in Object::all(self.memory()) {
            if let Some(entry) = object.entry()
                && object.broken().is_none()
            {
                report.object(object, entry);
            }
        }
        report.wrong
    }
}

/// Returns the members of a chain, at most `most`. Links are indices plus one, and 0 ends the
/// chain.
fn members(first: u32, most: u32, next: impl Fn(u32) -> Option<u32>) -> Option<Vec<u32>> {
    let (mut at, mut all) = (first, Vec::new());
    while at != 0 {
        if all.len() as u32 >= most {
            return None;
        }
        all.push(at - 1);
        at = next(at - 1)?;
    }
    all.sort_unstable();
    Some(all)
}

impl Report<'_> {
    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }

    fn alive(&mut self, owner: Owner, what: &str) {
        let lives = Slot::new(self.shared.memory(), owner.slot).life() == Some(owner);
        self.check(lives, || format!("{what}: owned by {owner}, which is not alive"));
    }

    /// Checks that each waiting slot is alive and stands in a line of an object that exists.
    fn slots(&mut self) {
        for (index, slot) in Slot::all(self.shared.memory()) {
            let word = slot.wait().load(Ordering::Acquire);
            if word == 0 {
                continue;
            }
            let wait = slot.waits();
            let exists = wait.is_some_and(|wait| {
                let known = usize::from(wait.object) < super::layout::OBJECTS;
                known && Object::new(self.shared.memory(), wait.object).entry().is_some()
            });
            self.check(exists, || format!("slot {index} waits for nothing that exists: {word:x}"));
            self.check(slot.life().is_some(), || format!("slot {index} waits and is dead"));
        }
    }

    /// Checks that names are unique, that storages do not overlap, and that objects that nobody can
    /// reach are freed.
    fn directory(&mut self) {
        let mut names = HashSet::new();
        let mut extents = Vec::new();
        for object in Object::all(self.shared.memory()) {
            let Some(entry) = object.entry() else { continue };
            let name = directory::name(object, entry);
            if entry.stage == Stage::Named {
                self.check(names.insert(name.clone()), || format!("two objects named {name}"));
            } else if entry.kind != Kind::Lock {
                let open = directory::has_handles(object);
                self.check(open, || format!("{name} is deleted, not open, and not free"));
            }
            for slot in (0..SLOTS as u16).filter(|slot| directory::has_handle(object, *slot)) {
                let lives = Slot::new(self.shared.memory(), slot).life().is_some();
                self.check(lives, || format!("{name} is open in slot {slot}, which is free"));
            }
            let region = entry.kind == Kind::Region;
            for (first, count) in object.extents() {
                extents.push((region, first, first + count, name.clone()));
            }
        }
        extents.sort_unstable();
        for pair in extents.windows(2) {
            let apart = pair[0].0 != pair[1].0 || pair[0].2 <= pair[1].1;
            self.check(apart, || format!("{} and {} overlap", pair[0].3, pair[1].3));
        }
    }

    fn object(&mut self, object: Object<'_>, entry: Entry) {
        let name = format!("{} {}", entry.kind, directory::name(object, entry));
        self.check(object.latch().is_free(), || format!("{name}: the latch is held"));
        self.waits(object, &name);
        match entry.kind {
            Kind::Lock | Kind::Condition => self.lock(object, &name),
            Kind::Semaphore => self.semaphore(object, &name),
            Kind::Barrier => {
                let held = object.held_by_nobody();
                self.check(Barrier::is_sound(&held), || format!("{name}: waits for another time"));
                std::mem::forget(held);
            }
            Kind::Queue => match self.queue(object, &name) {
                Some(()) => {}
                None => self.wrong.push(format!("{name}: its words make no sense")),
            },
            Kind::Array => {
                self.check(Array::at(object).is_some(), || {
                    format!("{name}: outside of its storage")
                });
            }
            Kind::Region => {
                let region = Region::at(object, self.shared.region_memory());
                self.check(region.is_some(), || format!("{name}: outside of its storage"));
            }
            Kind::List | Kind::Dict | Kind::Set => match collection::survey(object) {
                Some(wrong) => {
                    self.wrong.extend(wrong.iter().map(|wrong| format!("{name}: {wrong}")))
                }
                None => self.wrong.push(format!("{name}: its words make no sense")),
            },
            Kind::Event | Kind::Value => {}
        }
    }

    /// Checks that the counts of the lines and the set of waiting slots agree with the slots' wait
    /// words.
    fn waits(&mut self, object: Object<'_>, name: &str) {
        let mut counts = 0u64;
        for (index, slot) in Slot::all(self.shared.memory()) {
            let wait = slot.waits().filter(|wait| wait.object == object.index && wait.is_queued());
            if let Some(wait) = wait {
                counts += 1 << (u32::from(wait.line) * 16);
            }
            let set = object.get(record::WAITERS + usize::from(index) / 64 * 8);
            let in_set = set & 1 << (index % 64) != 0;
            self.check(in_set == wait.is_some(), || {
                format!("{name}: slot {index} in the set: {in_set}, waits: {wait:?}")
            });
        }
        let said = object.get(record::WAITING);
        self.check(said == counts, || {
            format!("{name}: {said:x} wait in its {LINES} lines, and should be {counts:x}")
        });
    }

    /// Checks that a lock is held by nobody, or by an owner that is alive.
    fn lock(&mut self, object: Object<'_>, name: &str) {
        self.check(Lock::is_sound(object), || format!("{name}: held by nobody, but deep"));
        if let Some(owner) = Lock::owners(object) {
            self.alive(owner, name);
        }
        let known = condition::lock_of(object).is_some_and(|lock| lock.entry().is_some());
        self.check(known, || format!("{name}: its lock does not exist"));
    }

    /// Checks that free and held permits add up to all permits, and that holders are alive.
    fn semaphore(&mut self, object: Object<'_>, name: &str) {
        let free = Semaphore::free(object);
        let said = Semaphore::said_free(object);
        self.check(free == Some(said), || format!("{name}: {said} free, and should be {free:?}"));
        for owner in Semaphore::owners(object) {
            self.alive(owner, name);
        }
    }

    /// Checks that the ring holds the ready messages by ticket, that each block is in one place,
    /// and that owners are alive.
    fn queue(&mut self, object: Object<'_>, name: &str) -> Option<()> {
        let store = Store::of(object)?;
        let survey = arena::survey(&store)?;
        self.check(object.get(JOURNAL) == 0, || format!("{name}: the journal is not empty"));
        let (first, ready) = halves(object.get(RING));
        let at = |place| store.ring((first + place) % store.descriptors).load(Ordering::Relaxed);
        let ring: Vec<u32> = (0..ready.min(store.descriptors)).map(at).collect();
        let wanted: Vec<u32> = survey.ready.iter().map(|(_, index)| *index).collect();
        self.check(ring == wanted, || format!("{name}: ring {ring:?}, should be {wanted:?}"));
        let busy = halves(object.get(BUSY));
        let wanted = (survey.writing, survey.leased.len() as u32);
        self.check(busy == wanted, || format!("{name}: busy {busy:?}, should be {wanted:?}"));
        let (free, free_block) = halves(object.get(FREE));
        let (high, high_block) = store.high();
        let chain = members(free, high, |index| {
            (index < high).then(|| halves(store.links(index).load(Ordering::Relaxed)).1)
        });
        self.check(chain.as_ref() == Some(&survey.free), || {
            format!("{name}: free {chain:?}, should be {:?}", survey.free)
        });
        let chain = members(free_block, high_block, |block| {
            (block < high_block).then(|| store.next(block).load(Ordering::Relaxed))
        });
        self.check(chain.as_ref() == Some(&survey.free_blocks), || {
            format!("{name}: free blocks {chain:?}, should be {:?}", survey.free_blocks)
        });
        let used = object.get(USED);
        self.check(used == u64::from(survey.used), || format!("{name}: {used} blocks in use"));
        let undone = object.get(UNDONE);
        self.check(undone == survey.undone, || format!("{name}: {undone} undone"));
        let ticket = object.get(TICKETS);
        self.check(ticket >= survey.ticket, || format!("{name}: ticket {ticket} comes again"));
        for (owner, index) in &survey.leased {
            let lease = store.lease(owner.slot).load(Ordering::Relaxed);
            self.check(lease == index + 1, || format!("{name}: a lease that its owner lost"));
        }
        let owners = survey.leased.iter().map(|(owner, _)| owner).chain(&survey.writers);
        for owner in owners.chain(&survey.undone_owners).copied().collect::<Vec<_>>() {
            self.alive(owner, name);
        }
        Some(())
    }
}
