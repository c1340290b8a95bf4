//! The process that runs the job.

use crate::raw;

/// Returns the id of the process that runs this job: its worker's, like Python's `os.getpid()`.
///
/// ```
/// println!("Process {} at work", wpool_guest::process_id());
/// ```
pub fn process_id() -> u32 {
    raw::process_id() as u32
}

/// Returns the slot of this process in shared state, by which errors and guards name a dead owner.
///
/// Slots are small numbers. The slot is given to another process when this one has ended. Natively
/// it is 0.
pub fn process_slot() -> u32 {
    // The host's answer is never negative.
    raw::process_slot() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natively_there_is_a_process() {
        assert_eq!(process_id(), std::process::id());
        assert_eq!(process_slot(), 0);
    }
}
