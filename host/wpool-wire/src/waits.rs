//! Waits: what a job waited for in shared state, as its worker tells of it in a `Waits` frame.

use super::clock::Moment;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most waits of a job that are told one by one. With the longest names, and each of their bytes written
/// as six, they fit a frame.
pub(crate) const WAITS_MAX: usize = 1000;

/// What a job waits for in shared state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    /// What it wants of the object.
    pub want: Want,
    /// The object's name; any text.
    pub name: String,
}

/// What can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Want {
    /// A lock.
    Lock,
    /// A permit of a semaphore.
    Permit,
    /// A notification of a condition.
    Notification,
    /// That an event is set.
    Event,
    /// The other parties of a barrier.
    Parties {
        /// How many are there.
        here: u32,
        /// How many there are in all.
        all: u32,
    },
    /// A message in a queue.
    Message,
    /// Room in a queue.
    Room,
    /// That all messages of a queue are done with.
    Done,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.want {
            Want::Lock => write!(f, "lock {name}"),
            Want::Permit => write!(f, "a permit of semaphore {name}"),
            Want::Notification => write!(f, "a notification of condition {name}"),
            Want::Event => write!(f, "event {name}"),
            Want::Parties { here, all } => {
                write!(f, "the other parties of barrier {name} ({here} of {all} are there)")
            }
            Want::Message => write!(f, "a message in queue {name}"),
            Want::Room => write!(f, "room in queue {name}"),
            Want::Done => write!(f, "the messages of queue {name} to be done with"),
        }
    }
}

/// A time that a job waited for a shared object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// What kind of object: `lock`, `queue`, ….
    pub kind: String,
    /// Its name; any text.
    pub name: String,
    /// When the call began that had to wait.
    pub began: Moment,
    /// When it ended.
    pub ended: Moment,
}

/// The waits of one attempt at a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// The job.
    pub job: u64,
    /// The first ones, in their order.
    pub list: Vec<Wait>,
    /// How many there were after them.
    pub left_out: u64,
}

impl Waits {
    /// Adds one, or counts it.
    pub fn add(&mut self, wait: impl FnOnce() -> Wait) {
        match self.list.len() < WAITS_MAX {
            true => self.list.push(wait()),
            false => self.left_out += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::BODY_BYTES_MAX;

    #[test]
    fn as_many_as_are_told_fit_a_frame_whatever_their_names_are() {
        let far = Moment::of_nanos(u64::MAX);
        let wait =
            || Wait { kind: "condition".into(), name: "\x01".repeat(128), began: far, ended: far };
        let mut waits = Waits { job: u64::MAX, ..Waits::default() };
        (0..WAITS_MAX + 5).for_each(|_| waits.add(wait));
        assert_eq!((waits.list.len(), waits.left_out), (WAITS_MAX, 5));
        assert!(serde_json::to_vec(&waits).unwrap().len() <= BODY_BYTES_MAX);
    }
}
