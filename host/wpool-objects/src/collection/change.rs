//! One change of a collection: all of it happens, or nothing.
//!
//! Before a word that anybody can reach is changed, the journal is told where it stands and what it
//! was. One store commits: it says that nothing is to be undone any more. Who breaks the latch undoes
//! what was not committed (`Space::undo`); so does whoever finds in mid-call that there is no space. So
//! nothing in a collection is derived, and nothing need be rebuilt, however large it is.
//!
//! Bytes that are written into blocks taken in the same change need no journal: nobody can reach
//! them before the commit. Blocks that are given back are free from the end of the change on, so none
//! is taken and written over while it may still have to be what it was.

use super::super::error::Error;
use super::super::object::Held;
use super::Fault;
use super::space::{Ref, START, Space, root};

/// Smallest and largest block, as powers of two.
const LOG_MIN: u32 = 5;
const LOG_MAX: u32 = 30;

/// Returns the power of two that is the size of a block for so many bytes.
pub(super) fn block_log(bytes: usize) -> u32 {
    bytes.next_power_of_two().trailing_zeros().max(LOG_MIN)
}

/// A change under way.
pub(super) struct Change<'a, 'h> {
    pub(super) held: &'h mut Held<'a>,
    pub(super) space: Space<'a>,
    /// Entries in the journal.
    noted: usize,
    /// Blocks to be given back at the end.
    given: Vec<(Ref, u32)>,
    /// Most bytes for what is in the collection.
    bytes_max: u64,
}

impl<'a, 'h> Change<'a, 'h> {
    /// Begins a change.
    #[inline]
    pub(super) fn begin(
        held: &'h mut Held<'a>,
        space: Space<'a>,
        bytes_max: u64,
    ) -> Change<'a, 'h> {
        Change { held, space, noted: 0, given: Vec::new(), bytes_max }
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> u64 {
        self.space.get(at)
    }

    /// Changes a word that others can reach.
    #[inline]
    pub(super) fn put(&mut self, at: usize, value: u64) -> Result<(), Fault> {
        self.note(at)?;
        self.space.set(at, value);
        Ok(())
    }

    /// Has the journal remember what a word is.
    #[inline]
    fn note(&mut self, at: usize) -> Result<(), Fault> {
        if !journals() {
            return Ok(());
        }
        let space = self.space;
        let entry = space.entry(self.noted)?;
        space.set(entry, at as u64);
        space.set(entry + 8, space.get(at));
        self.noted += 1;
        space.set(space.root(root::JOURNAL), self.noted as u64);
        Ok(())
    }

    /// Writes a word of a block that this change has taken.
    #[inline]
    pub(super) fn init(&self, at: usize, value: u64) {
        self.space.set(at, value);
    }

    /// Takes a block for so many bytes. What is in it makes no sense yet.
    #[inline]
    pub(super) fn take(&mut self, bytes: usize) -> Result<Ref, Fault> {
        let log = block_log(bytes);
        if log > LOG_MAX {
            return Err(Fault::Answer(Error::TooLarge));
        }
        match self.pop(log)? {
            Some(block) => Ok(block),
            None => self.take_slowly(log),
        }
    }

    fn take_slowly(&mut self, log: u32) -> Result<Ref, Fault> {
        // Halves of a larger one, before what was never used.
        for larger in log + 1..=LOG_MAX {
            if let Some(block) = self.pop(larger)? {
                for half in log..larger {
                    self.push(block + (1 << (half - 4)), half)?;
                }
                return Ok(block);
            }
        }
        let at = self.space.root(root::BUMP);
        let mut bump = self.get(at).max(START);
        let end = bump.next_multiple_of(1 << log) + (1 << log);
        if end - START > self.bytes_max {
            return Err(Fault::Full);
        }
        if let Some(segment) = self.space.missing(end - 1) {
            return Err(Fault::Grow(segment));
        }
        while !bump.is_multiple_of(1 << log) {
            let gap = bump.trailing_zeros();
            self.push((bump >> 4) as Ref, gap)?;
            bump += 1 << gap;
        }
        self.put(at, bump + (1 << log))?;
        Ok((bump >> 4) as Ref)
    }

    #[inline]
    fn pop(&mut self, log: u32) -> Result<Option<Ref>, Fault> {
        let head = self.space.root(root::FREE + log as usize * 8);
        let block = self.get(head) as Ref;
        if block == 0 {
            return Ok(None);
        }
        let at = self.space.at(block, 1 << log)?;
        // The link: it has to be there again if this is undone, whatever is written here until then.
        self.note(at)?;
        self.put(head, self.get(at))?;
        Ok(Some(block))
    }

    fn push(&mut self, block: Ref, log: u32) -> Result<(), Fault> {
        let head = self.space.root(root::FREE + log as usize * 8);
        let at = self.space.at(block, 1 << log)?;
        self.put(at, self.get(head))?;
        self.put(head, block.into())
    }

    /// Gives a block back.
    #[inline]
    pub(super) fn give_back(&mut self, block: Ref, bytes: usize) {
        self.given.push((block, block_log(bytes)));
    }

    /// Commits.
    #[inline]
    pub(super) fn commit(mut self) -> Result<(), Fault> {
        for (block, log) in std::mem::take(&mut self.given) {
            self.push(block, log)?;
        }
        // The commit.
        self.noted = 0;
        self.space.set(self.space.root(root::JOURNAL), 0);
        Ok(())
    }
}

/// A change that was not committed is undone.
impl Drop for Change<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        if self.noted > 0 && self.space.undo().is_none() {
            self.held.mark_broken(None);
        }
    }
}

/// Off in the negative control of the tests only: they must fail without the journal.
#[cfg(test)]
pub(crate) static JOURNALS: std::sync::atomic::AtomicBool =
    std::sync::atomic::AtomicBool::new(true);

#[cfg(test)]
fn journals() -> bool {
    JOURNALS.load(std::sync::atomic::Ordering::Relaxed)
}

#[cfg(not(test))]
#[inline]
fn journals() -> bool {
    true
}
