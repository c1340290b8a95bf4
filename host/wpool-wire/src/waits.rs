//! Waits: the times that a job waited in shared state, as its worker reports them in a `Waits`
//! frame.

use super::clock::MonotonicTime;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The greatest number of a job's waits that are reported one by one. With the longest names, and
/// each of their bytes written as six, they fit a frame.
pub(crate) const WAITS_MAX: usize = 1000;

/// An object in shared state that a job waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    /// The state of the object that the job waits for.
    pub want: Want,
    /// The name of the object; any text.
    pub name: String,
}

/// A state of an object that can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Want {
    /// A lock.
    Lock,
    /// A permit of a semaphore.
    Permit,
    /// A notification of a condition.
    Notification,
    /// An event that is set.
    Event,
    /// The other parties of a barrier.
    Parties {
        /// The number of parties that are there.
        here: u32,
        /// The number of all parties.
        all: u32,
    },
    /// A message in a queue.
    Message,
    /// Room in a queue.
    Room,
    /// The end of the work on all messages of a queue.
    Done,
    /// A change of a list, dict or set.
    Change,
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
            Want::Change => write!(f, "a change of {name}"),
        }
    }
}

/// A time that a job waited for a shared object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The kind of the object: `lock`, `queue`, ….
    pub kind: String,
    /// The name of the object; any text.
    pub name: String,
    /// The moment at which the call that had to wait began.
    pub began: MonotonicTime,
    /// The moment at which the call ended.
    pub ended: MonotonicTime,
}

/// The waits of one attempt at a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// The job.
    pub job: u64,
    /// The first waits, in their order.
    pub list: Vec<Wait>,
    /// The number of waits after them.
    pub left_out: u64,
}

impl Waits {
    /// Adds a wait, or counts it if the list is full.
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
        let far = MonotonicTime::of_nanos(u64::MAX);
        let wait =
            || Wait { kind: "condition".into(), name: "\x01".repeat(128), began: far, ended: far };
        let mut waits = Waits { job: u64::MAX, ..Waits::default() };
        (0..WAITS_MAX + 5).for_each(|_| waits.add(wait));
        assert_eq!((waits.list.len(), waits.left_out), (WAITS_MAX, 5));
        assert!(serde_json::to_vec(&waits).unwrap().len() <= BODY_BYTES_MAX);
    }
}
