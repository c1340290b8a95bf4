//! The free descriptors and blocks of a queue, and how a queue is rebuilt after a death.
//!
//! Free descriptors and blocks are linked in two chains; all above `high` are free as well. The
//! chains are derived from the descriptors' words and the chains of the messages in use.
//!
//! **Invariant:** each block is in exactly one place: in one message, in the free chain, or above
//! `high`. The ring holds exactly the descriptors that are ready, by ticket.

use super::error::Error;
use super::layout::{SLOTS, record};
use super::message::{State, Store, Word, halves, join};
use super::object::Held;
use super::queue::{
    BUSY, FREE, JOURNAL, LOST, Queue, RING, TICKETS, UNDONE, USED, set_undone, undone_of,
};
use super::slots::Owner;
use super::sweep;
use std::sync::atomic::Ordering;

/// Takes a descriptor and a chain of blocks for it. The caller has checked that there is space.
#[inline]
pub(super) fn take(held: &mut Held<'_>, store: &Store<'_>, blocks: u32) -> Result<u32, Error> {
    let object = held.object;
    let (free, free_block) = halves(object.get(FREE));
    let (high, high_block) = store.high();
    let index = free.checked_sub(1).unwrap_or(high);
    let index = held.checked((index < store.descriptors).then_some(index))?;
    let word = store.word(index).filter(|word| word.state == State::Free);
    held.checked(word)?;
    let (free, high) = match free {
        0 => (0, high + 1),
        _ => (halves(store.links(index).load(Ordering::Relaxed)).1, high),
    };
    if blocks == 0 {
        store.links(index).store(0, Ordering::Relaxed);
        object.put(record::SECOND, join(high, high_block));
        object.put(FREE, join(free, free_block));
        return Ok(index);
    }
    let taken = take_blocks(store, blocks, free_block, high_block);
    let (first, free_block, high_block) = held.checked(taken)?;
    store.links(index).store(join(first, 0), Ordering::Relaxed);
    object.put(record::SECOND, join(high, high_block));
    object.put(FREE, join(free, free_block));
    object.put(USED, object.get(USED).saturating_add(u64::from(blocks)));
    Ok(index)
}

/// Returns a chain of `blocks` blocks: its first block plus one, and the new `free` and `high`.
/// Returns `None` if too few blocks are left.
fn take_blocks(store: &Store<'_>, blocks: u32, free: u32, high: u32) -> Option<(u32, u32, u32)> {
    let (mut free, mut high, mut first, mut last) = (free, high, 0, None);
    for _ in 0..blocks {
        let block = free.checked_sub(1).unwrap_or(high);
        if block >= store.blocks {
            return None;
        }
        if free == 0 {
            high += 1;
        } else {
            free = store.next(block).load(Ordering::Relaxed);
        }
        match last {
            None => first = block + 1,
            Some(last) => store.next(last).store(block + 1, Ordering::Relaxed),
        }
        last = Some(block);
    }
    store.next(last?).store(0, Ordering::Relaxed);
    Some((first, free, high))
}

/// Puts a descriptor that has become free, and its blocks, into the free chains.
#[inline]
pub(super) fn give_back(
    held: &mut Held<'_>,
    store: &Store<'_>,
    index: u32,
    blocks: u32,
) -> Result<(), Error> {
    let object = held.object;
    let (free, mut free_block) = halves(object.get(FREE));
    if blocks > 0 {
        let first = halves(store.links(index).load(Ordering::Relaxed)).0;
        let last = store.chain(index, blocks).last().flatten();
        let last = held.checked(last)?;
        store.next(last).store(free_block, Ordering::Relaxed);
        free_block = first;
        object.put(USED, object.get(USED).saturating_sub(u64::from(blocks)));
    }
    store.links(index).store(join(0, free), Ordering::Relaxed);
    object.put(FREE, join(index + 1, free_block));
    Ok(())
}

/// The state of a queue as its primary words give it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Survey {
    /// The ready descriptors by ticket.
    pub(super) ready: Vec<(u64, u32)>,
    pub(super) writing: u32,
    /// The leased descriptors with their owners.
    pub(super) leased: Vec<(Owner, u32)>,
    pub(super) writers: Vec<Owner>,
    /// The free descriptors below `high`.
    pub(super) free: Vec<u32>,
    pub(super) free_blocks: Vec<u32>,
    pub(super) used: u32,
    pub(super) ticket: u64,
    pub(super) undone: u64,
    pub(super) undone_owners: Vec<Owner>,
}

/// Reads each primary word once. Returns `None` if the words make no sense.
pub(super) fn survey(store: &Store<'_>) -> Option<Survey> {
    let (high, high_block) = store.high();
    let mut in_use = vec![false; high_block as usize];
    let mut survey = Survey {
        ready: Vec::new(),
        writing: 0,
        leased: Vec::new(),
        writers: Vec::new(),
        free: Vec::new(),
        free_blocks: Vec::new(),
        used: 0,
        ticket: 0,
        undone: 0,
        undone_owners: Vec::new(),
    };
    for index in 0..high {
        let word = store.word(index)?;
        if word.state == State::Free {
            survey.free.push(index);
            continue;
        }
        let (_, blocks) = store.size(index)?;
        for block in store.chain(index, blocks) {
            let taken = in_use.get_mut(block? as usize)?;
            if std::mem::replace(taken, true) {
                return None;
            }
        }
        survey.used += blocks;
        let ticket = store.ticket(index).load(Ordering::Relaxed);
        match word.state {
            State::Writing => {
                survey.writing += 1;
                survey.writers.push(Owner::unpack(word.owner)?);
                continue;
            }
            State::Ready => survey.ready.push((ticket, index)),
            _ => survey.leased.push((Owner::unpack(word.owner)?, index)),
        }
        survey.ticket = survey.ticket.max(ticket.saturating_add(1));
    }
    survey.ready.sort_unstable();
    survey.free_blocks = (0..high_block).filter(|block| !in_use[*block as usize]).collect();
    for slot in (0..SLOTS as u16).filter(|_| store.joinable) {
        let (count, epoch) = halves(store.undone(slot).load(Ordering::Relaxed));
        if count > 0 {
            survey.undone += u64::from(count);
            survey.undone_owners.push(Owner { slot, epoch });
        }
    }
    Some(survey)
}

/// Rebuilds all derived words. Returns `None` if the primary words make no sense.
pub(super) fn rebuild(held: &mut Held<'_>) -> Option<()> {
    let object = held.object;
    let store = Store::of(object)?;
    if !sweep::rebuilds() {
        return Some(());
    }
    redo(&store)?;
    let survey = survey(&store)?;
    for (place, (_, index)) in survey.ready.iter().enumerate() {
        store.ring(place as u32).store(*index, Ordering::Relaxed);
    }
    object.put(RING, join(0, survey.ready.len() as u32));
    object.put(BUSY, join(survey.writing, survey.leased.len() as u32));
    for slot in 0..SLOTS as u16 {
        if store.lease(slot).load(Ordering::Relaxed) != 0 {
            store.lease(slot).store(0, Ordering::Relaxed);
        }
    }
    for (owner, index) in &survey.leased {
        store.lease(owner.slot).store(index + 1, Ordering::Relaxed);
    }
    let mut free = 0;
    for index in survey.free.iter().rev() {
        store.links(*index).store(join(0, free), Ordering::Relaxed);
        free = index + 1;
    }
    let mut free_block = 0;
    for block in survey.free_blocks.iter().rev() {
        store.next(*block).store(free_block, Ordering::Relaxed);
        free_block = block + 1;
    }
    object.put(FREE, join(free, free_block));
    object.put(USED, u64::from(survey.used));
    object.put(TICKETS, survey.ticket);
    object.put(UNDONE, survey.undone);
    Queue::at(store).tell_joiners(held);
    Some(())
}

/// Finishes an acknowledgement that was committed to the journal.
fn redo(store: &Store<'_>) -> Option<()> {
    let (descriptor, undone) = halves(store.object.get(JOURNAL));
    if let Some(index) = descriptor.checked_sub(1) {
        let word = (index < store.descriptors).then(|| store.word(index)).flatten()?;
        if word.state == State::Leased {
            set_undone(store, Owner::unpack(word.owner)?, undone);
            store.commit(index, Word { state: State::Free, owner: 0, deliveries: 0 });
        }
        store.object.put(JOURNAL, 0);
    }
    Some(())
}

/// Frees the descriptors that a dead slot was writing, and makes its leased messages ready again.
pub(super) fn sweep(held: &mut Held<'_>, dead: Owner) -> Option<()> {
    let object = held.object;
    let store = Store::of(object)?;
    for index in 0..store.high().0 {
        let word = store.word(index)?;
        if word.is(State::Writing, dead) {
            store.commit(index, Word { state: State::Free, owner: 0, deliveries: 0 });
        } else if word.is(State::Leased, dead) {
            let deliveries = word.deliveries.saturating_add(1);
            store.commit(index, Word { state: State::Ready, owner: 0, deliveries });
        }
    }
    let undone = undone_of(&store, dead);
    if undone > 0 {
        object.put(LOST, object.get(LOST).saturating_add(u64::from(undone)));
        set_undone(&store, dead, 0);
    }
    rebuild(held)
}
