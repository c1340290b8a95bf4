//! Events: a flag that many can wait for.
//!
//! ```text
//! primary    PRIMARY {times set: 63 bits, set: 1 bit}
//! ```
//!
//! Nobody owns a flag, so a death leaves nothing to repair. A slot that waits when the flag is set
//! is let go, even if the flag is cleared at once.

use super::Shared;
use super::error::Error;
use super::layout::record;
use super::object::{Held, Kind, Object, ObjectId};
use super::slots::Caller;
use super::wait::{self, State};
use std::time::Duration;

const LINE: u8 = 0;
const SET: u64 = 1;

/// An event.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    object: Object<'a>,
}

impl Shared {
    /// Returns the event with this id.
    ///
    /// # Errors
    /// Returns `NotFound` or `WrongKind`.
    #[inline]
    pub fn event(&self, id: ObjectId) -> Result<Event<'_>, Error> {
        Object::of(self.memory(), id, Kind::Event).map(|object| Event { object })
    }
}

impl Event<'_> {
    /// Sets the flag and releases all slots that wait for it.
    ///
    /// # Errors
    /// Returns `Broken`.
    pub fn set(&self, caller: &Caller<'_>) -> Result<(), Error> {
        let mut held = self.object.hold(caller)?;
        let word = self.object.get(record::PRIMARY);
        if word & SET == 0 {
            // The store commits: the slots that wait now have seen the flag set.
            self.object.put(record::PRIMARY, word.wrapping_add(2) | SET);
        }
        held.choose_all(LINE, State::Granted);
        Ok(())
    }

    /// Clears the flag.
    ///
    /// # Errors
    /// Returns `Broken`.
    pub fn clear(&self, caller: &Caller<'_>) -> Result<(), Error> {
        let _held = self.object.hold(caller)?;
        self.object.put(record::PRIMARY, self.object.get(record::PRIMARY) & !SET);
        Ok(())
    }

    /// Returns whether the flag is set.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.object.get(record::PRIMARY) & SET != 0
    }

    /// Waits until the flag is set, at most for `limit`.
    ///
    /// # Errors
    /// Returns `TimedOut`, `Interrupted` or `Broken`.
    pub fn wait(&self, caller: &Caller<'_>, limit: Option<Duration>) -> Result<(), Error> {
        if self.is_set() && self.object.broken().is_none() {
            return Ok(());
        }
        wait::wait(
            self.object,
            caller,
            limit,
            LINE,
            || self.is_set(),
            |held| {
                let granted = held.queued().is_some_and(|wait| wait.state == State::Granted);
                Ok((granted || self.is_set()).then_some(()))
            },
        )
    }

    /// Releases the slots that wait for a flag whose setter died before it released them.
    pub(super) fn rebuild(held: &mut Held<'_>) {
        if held.object.get(record::PRIMARY) & SET != 0 {
            held.choose_all(LINE, State::Granted);
        }
    }
}
