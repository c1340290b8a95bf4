//! Waiting for an object. Waits are written down in slots, so that a wait ends with its slot.
//!
//! ```text
//! slot.wait    PRIMARY {arg: 32 bits, object: 16, line: 8, state: 8}, 0 if the slot waits for nothing
//! waiting      derived: the number of slots in each of the object's four lines
//! waiters      derived: the set of slots that stand in any of them
//! reserved     derived: a slot that has waited so long that no other may pass it
//! ```
//!
//! A wait goes as follows: under the latch, try; if that fails, stand in a line (the store to
//! `slot.wait` commits) and leave the latch; sleep on the slot's own park word; try again. An
//! operation that changes an object wakes the slot that came first, which then tries as every
//! other does. A wake-up hands over nothing, so a woken slot that dies takes nothing with it. Where
//! a slot must be chosen (a condition's notification, a barrier's release, an event), the choice is
//! a store to the chosen slot's wait word.
//!
//! **Invariant:** a sweep ends by waking all waiting slots, so that every wake-up that was lost
//! between the commit and its system call is sent again.

use super::error::Error;
use super::layout::{SLOTS, header, record};
use super::object::{Held, Object};
use super::park::SLICE;
use super::slots::{Caller, Slot};
use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::time::{Duration, Instant};

/// The number of lines of an object.
pub(super) const LINES: u8 = 4;
/// The turns of looking before a slot stands in a line: some microseconds. (The tests that step
/// through waits set fewer.)
pub(super) static SPINS: AtomicU32 = AtomicU32::new(300);
/// The time after which a waiting slot is not passed any more.
const PATIENCE: Duration = Duration::from_millis(1);

const SET: usize = SLOTS / 64;

/// The state of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting = 1,
    /// The slot was told to try.
    Woken = 2,
    /// The slot has got what it waited for.
    Granted = 3,
    /// The slot will not get what it waits for.
    Denied = 4,
}

/// A slot's wait word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) object: u16,
    pub(super) line: u8,
    pub(super) state: State,
    pub(super) arg: u32,
}

impl Wait {
    pub(super) fn pack(self) -> u64 {
        u64::from(self.arg) << 32
            | u64::from(self.object) << 16
            | u64::from(self.line) << 8
            | self.state as u64
    }

    pub(super) fn unpack(word: u64) -> Option<Wait> {
        let state = match word as u8 {
            1 => State::Waiting,
            2 => State::Woken,
            3 => State::Granted,
            4 => State::Denied,
            _ => return None,
        };
        let (object, line) = ((word >> 16) as u16, (word >> 8) as u8);
        (line < LINES).then_some(Wait { object, line, state, arg: (word >> 32) as u32 })
    }

    /// Returns whether the slot stands in a line, so that its wait is not settled yet.
    pub(super) fn is_queued(self) -> bool {
        matches!(self.state, State::Waiting | State::Woken)
    }
}

impl Slot<'_> {
    /// Returns the slot's wait, if it waits for anything.
    pub(super) fn waits(self) -> Option<Wait> {
        // Acquire: pairs with the Release stores of waits and grants.
        Wait::unpack(self.wait().load(Ordering::Acquire))
    }

    /// Returns the slot's wait, if it waits for this object.
    fn waits_for(self, object: Object<'_>) -> Option<Wait> {
        self.waits().filter(|wait| wait.object == object.index)
    }
}

fn line_shift(line: u8) -> u32 {
    u32::from(line) * 16
}

impl<'a> Held<'a> {
    fn own(&self) -> Slot<'a> {
        Slot::new(self.object.memory, self.me.slot)
    }

    /// Returns how many slots stand in a line.
    #[inline]
    pub(super) fn waiting(&self, line: u8) -> usize {
        let counts = self.object.word(record::WAITING).load(Ordering::Relaxed);
        usize::from((counts >> line_shift(line)) as u16)
    }

    fn count(&self, line: u8, more: bool) {
        let counts = self.object.get(record::WAITING);
        let shift = line_shift(line);
        let one = (counts >> shift) as u16;
        let one = if more { one.saturating_add(1) } else { one.saturating_sub(1) };
        let others = counts & !(0xffff << shift);
        self.object.put(record::WAITING, others | u64::from(one) << shift);
    }

    fn mark(&self, slot: u16, queued: bool) {
        let at = record::WAITERS + usize::from(slot) / 64 * 8;
        let (set, bit) = (self.object.get(at), 1 << (slot % 64));
        self.object.put(at, if queued { set | bit } else { set & !bit });
    }

    /// Puts the caller into a line.
    pub(super) fn enqueue(&mut self, line: u8, arg: u32, note: u64) {
        let own = self.own();
        let tickets = self.object.memory.word(header::TICKETS);
        // Tickets count from 1: a slot that never stood in a line has 0.
        let ticket = tickets.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        own.ticket().store(ticket, Ordering::Relaxed);
        own.note().store(note, Ordering::Relaxed);
        self.mark(self.me.slot, true);
        self.count(line, true);
        let wait = Wait { object: self.object.index, line, state: State::Waiting, arg };
        own.wait().store(wait.pack(), Ordering::Release);
    }

    /// Returns the caller's wait for this object.
    pub(super) fn queued(&self) -> Option<Wait> {
        self.own().waits_for(self.object)
    }

    /// Ends the wait of a slot, whatever its state.
    pub(super) fn dequeue(&mut self, slot: u16) {
        let words = Slot::new(self.object.memory, slot);
        if let Some(wait) = words.waits_for(self.object) {
            words.wait().store(0, Ordering::Release);
            if wait.is_queued() {
                self.count(wait.line, false);
            }
        }
        self.mark(slot, false);
        if self.object.get(record::RESERVED) == u64::from(slot) + 1 {
            self.object.put(record::RESERVED, 0);
        }
    }

    /// Returns the slots that stand in a line, in no order. Stale members of the set are skipped.
    pub(super) fn line(&self, line: u8) -> impl Iterator<Item = (u16, Slot<'a>, Wait)> + use<'a> {
        let object = self.object;
        (0..SET).flat_map(move |at| {
            let mut set = object.get(record::WAITERS + at * 8);
            std::iter::from_fn(move || {
                let bit = set.trailing_zeros();
                set &= set.wrapping_sub(1);
                (bit < 64).then(|| (at * 64) as u16 + bit as u16)
            })
            .filter_map(move |index| {
                let slot = Slot::new(object.memory, index);
                let wait = slot.waits_for(object)?;
                (wait.line == line && wait.is_queued()).then_some((index, slot, wait))
            })
        })
    }

    /// Returns the slot that came first to a line and was not woken yet.
    fn first(&self, line: u8) -> Option<(u16, Slot<'a>, Wait)> {
        let reserved = self.object.get(record::RESERVED);
        self.line(line).filter(|(.., wait)| wait.state == State::Waiting).min_by_key(
            |(index, slot, _)| {
                (u64::from(*index) + 1 != reserved, slot.ticket().load(Ordering::Relaxed))
            },
        )
    }

    /// Wakes the slot that came first to a line.
    #[inline]
    pub(super) fn wake(&mut self, line: u8) {
        if self.waiting(line) > 0 {
            self.wake_first(line);
        }
    }

    #[cold]
    fn wake_first(&mut self, line: u8) {
        if let Some((index, slot, wait)) = self.first(line) {
            let woken = Wait { state: State::Woken, ..wait };
            slot.wait().store(woken.pack(), Ordering::Release);
            self.wake_later(index);
        }
    }

    /// Ends the wait of the slot that came first, in the given state. Returns false if no slot
    /// stands in the line.
    pub(super) fn choose(&mut self, line: u8, state: State) -> bool {
        let Some((index, slot, wait)) = self.first(line) else { return false };
        self.finish(index, slot, wait, state);
        true
    }

    /// Ends all waits in a line, in the given state.
    pub(super) fn choose_all(&mut self, line: u8, state: State) {
        if self.waiting(line) == 0 {
            return;
        }
        let queued: Vec<_> = self.line(line).collect();
        for (index, slot, wait) in queued {
            self.finish(index, slot, wait, state);
        }
    }

    pub(super) fn finish(&mut self, index: u16, slot: Slot<'_>, wait: Wait, state: State) {
        // The store is the choice. Release: the slot that wakes sees all that was done for it.
        slot.wait().store(Wait { state, ..wait }.pack(), Ordering::Release);
        self.count(wait.line, false);
        self.mark(index, false);
        self.wake_later(index);
    }

    /// Makes all slots that wait for this object look again.
    pub(super) fn wake_all_waiting(&mut self) {
        for line in 0..LINES {
            let queued: Vec<u16> = self.line(line).map(|(index, ..)| index).collect();
            queued.into_iter().for_each(|index| self.wake_later(index));
        }
    }

    /// Returns whether another slot has waited so long that it comes first.
    #[inline]
    pub(super) fn is_kept_for_another(&self) -> bool {
        let reserved = self.object.word(record::RESERVED).load(Ordering::Relaxed);
        reserved != 0 && self.is_kept(reserved)
    }

    #[cold]
    fn is_kept(&self, reserved: u64) -> bool {
        let slot = reserved.wrapping_sub(1) as usize;
        if slot >= SLOTS || slot == usize::from(self.me.slot) {
            return false;
        }
        let slot = Slot::new(self.object.memory, slot as u16);
        slot.waits_for(self.object).is_some_and(Wait::is_queued)
    }

    /// Notes that the caller tried and stays: it can be woken again, and after a while comes
    /// first.
    fn stay(&mut self, since: Instant) {
        if let Some(wait) = self.queued().filter(|wait| wait.state == State::Woken) {
            let waiting = Wait { state: State::Waiting, ..wait };
            self.own().wait().store(waiting.pack(), Ordering::Release);
        }
        if since.elapsed() > PATIENCE && !self.is_kept_for_another() {
            self.object.put(record::RESERVED, u64::from(self.me.slot) + 1);
        }
    }

    /// Rebuilds the lines from the slots' wait words.
    pub(super) fn rebuild_waits(&mut self) {
        let (mut counts, mut set) = ([0u16; LINES as usize], [0u64; SET]);
        for (index, slot) in Slot::all(self.object.memory) {
            if let Some(wait) = slot.waits_for(self.object).filter(|wait| wait.is_queued()) {
                counts[usize::from(wait.line)] += 1;
                set[usize::from(index) / 64] |= 1 << (index % 64);
            }
        }
        let packed =
            (0..LINES).map(|line| u64::from(counts[usize::from(line)]) << line_shift(line));
        self.object.put(record::WAITING, packed.sum());
        for (at, word) in set.into_iter().enumerate() {
            self.object.put(record::WAITERS + at * 8, word);
        }
        self.object.put(record::RESERVED, 0);
    }
}

/// Runs `attempt` under the latch until it succeeds or fails, or the time is over.
///
/// `ready` looks without the latch whether an attempt is worthwhile.
#[inline]
pub(super) fn wait<'a, T>(
    object: Object<'a>,
    caller: &Caller<'_>,
    limit: Option<Duration>,
    line: u8,
    ready: impl Fn() -> bool,
    mut attempt: impl FnMut(&mut Held<'a>) -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    if let Some(done) = attempt(&mut object.hold(caller)?)? {
        return Ok(done);
    }
    if limit == Some(Duration::ZERO) {
        return Err(Error::TimedOut);
    }
    wait_in_line(object, caller, limit, line, ready, attempt)
}

#[cold]
fn wait_in_line<'a, T>(
    object: Object<'a>,
    caller: &Caller<'_>,
    limit: Option<Duration>,
    line: u8,
    ready: impl Fn() -> bool,
    mut attempt: impl FnMut(&mut Held<'a>) -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let since = Instant::now();
    let deadline = limit.and_then(|limit| since.checked_add(limit));
    for _ in 0..SPINS.load(Ordering::Relaxed) {
        if ready() {
            break;
        }
        std::hint::spin_loop();
    }
    let own = Slot::new(object.memory, caller.owner.slot);
    let mut is_queued = false;
    loop {
        // The park word is read first of all, so that any later change ends the sleep below.
        let seen = own.park().seen();
        let mut held =
            object.hold(caller).inspect_err(|_| own.wait().store(0, Ordering::Release))?;
        match attempt(&mut held) {
            Ok(None) => {}
            done => {
                if is_queued {
                    held.dequeue(caller.owner.slot);
                }
                return done.map(|done| done.expect("not none"));
            }
        }
        if let Some(over) = is_over(caller, deadline) {
            if is_queued {
                held.dequeue(caller.owner.slot);
                // The caller may have been woken, and another slot could use the wake-up.
                held.wake(line);
            }
            return Err(over);
        }
        if is_queued && held.queued().is_some() {
            held.stay(since);
        } else {
            held.enqueue(line, 0, 0);
            is_queued = true;
            // The loop tries once more: words that need no latch may have changed meanwhile. See
            // `super::lock`.
            fence(Ordering::SeqCst);
            continue;
        }
        drop(held);
        own.park().sleep(seen, slice(deadline));
    }
}

/// Returns the error with which a wait ends now, if it has to end.
pub(super) fn is_over(caller: &Caller<'_>, deadline: Option<Instant>) -> Option<Error> {
    if caller.stop.load(Ordering::Acquire) != 0 {
        return Some(Error::Interrupted);
    }
    deadline.is_some_and(|deadline| Instant::now() >= deadline).then_some(Error::TimedOut)
}

/// Returns the longest time to sleep.
pub(super) fn slice(deadline: Option<Instant>) -> Duration {
    deadline.map_or(SLICE, |deadline| deadline.saturating_duration_since(Instant::now()).min(SLICE))
}

/// Sleeps without the latch until the caller's wait is settled, or the time is over.
pub(super) fn until_settled(caller: &Caller<'_>, object: Object<'_>, deadline: Option<Instant>) {
    let own = Slot::new(object.memory, caller.owner.slot);
    loop {
        let seen = own.park().seen();
        let settled = own.waits_for(object).is_none_or(|wait| !wait.is_queued());
        if settled || object.broken().is_some() || is_over(caller, deadline).is_some() {
            return;
        }
        own.park().sleep(seen, slice(deadline));
    }
}
