//! `--delay`, `--load` and `--memfree`: holds jobs back for a while.

use nix::sys::time::TimeSpec;
use nix::sys::timer::TimerSetTimeFlags;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// The time between two checks of the load and the memory.
const LOOK: Duration = Duration::from_millis(500);

/// The conditions under which a job may start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Conditions {
    /// The least time between the starts of two jobs.
    pub(crate) delay: Duration,
    /// The number of running processes from which on no job starts.
    pub(crate) load: Option<f64>,
    /// The bytes of memory that must be available.
    pub(crate) memory_free: Option<u64>,
}

/// A gate that lets jobs pass one by one, each when it may start.
#[derive(Debug)]
pub(crate) struct Pacing {
    conditions: Conditions,
    /// The time at which the last job started.
    last: Option<Instant>,
    timer: TimerFd,
    /// True if the gate is closed until the timer ends.
    holding: bool,
}

impl Pacing {
    /// Makes a gate for the conditions; `None` if there are none.
    ///
    /// # Errors
    /// Fails if no descriptor is left.
    pub(crate) fn new(conditions: Conditions) -> io::Result<Option<Self>> {
        if conditions == Conditions::default() {
            return Ok(None);
        }
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        Ok(Some(Pacing { conditions, last: None, timer, holding: false }))
    }

    /// Returns whether a job may start now. If not, [`Pacing::fd`] tells when to ask again.
    ///
    /// # Errors
    /// Fails if the system does not report its load or memory.
    pub(crate) fn is_open(&mut self) -> io::Result<bool> {
        let wait = self.wait(Instant::now())?;
        self.holding = wait.is_some();
        if let Some(wait) = wait {
            let wait = wait.max(Duration::from_nanos(1));
            let expiration = Expiration::OneShot(TimeSpec::from_duration(wait));
            self.timer.set(expiration, TimerSetTimeFlags::empty())?;
        }
        Ok(!self.holding)
    }

    /// Records that a job started.
    pub(crate) fn passed(&mut self) {
        self.last = Some(Instant::now());
    }

    /// Returns the descriptor that becomes readable when it is time to ask again, while the gate is
    /// closed.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.holding.then(|| self.timer.as_fd())
    }

    fn wait(&self, now: Instant) -> io::Result<Option<Duration>> {
        let Conditions { delay, load, memory_free } = self.conditions;
        let since = self.last.map_or(Duration::MAX, |last| now.saturating_duration_since(last));
        if since < delay {
            return Ok(Some(delay - since));
        }
        if let Some(most) = load
            && running(&fs::read_to_string("/proc/loadavg")?).ok_or_else(unreadable)? as f64 >= most
        {
            return Ok(Some(LOOK));
        }
        if let Some(least) = memory_free
            && available(&fs::read_to_string("/proc/meminfo")?).ok_or_else(unreadable)? < least
        {
            return Ok(Some(LOOK));
        }
        Ok(None)
    }
}

fn unreadable() -> io::Error {
    io::Error::other("/proc tells neither load nor memory")
}

/// Returns the number of running processes without the caller: `0.20 0.18 0.12 3/80 11206` gives 2.
fn running(loadavg: &str) -> Option<u64> {
    let (running, _) = loadavg.split_whitespace().nth(3)?.split_once('/')?;
    Some(running.parse::<u64>().ok()?.saturating_sub(1))
}

/// Returns the bytes of memory that are available without swapping.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_and_memory_are_what_proc_says() {
        assert_eq!(running("0.20 0.18 0.12 3/80 11206\n"), Some(2));
        assert_eq!(running("0.20"), None);
        let text = "MemTotal:  16 kB\nMemFree:  4 kB\nMemAvailable:    8 kB\n";
        assert_eq!(available(text), Some(8192));
        assert!(available(&fs::read_to_string("/proc/meminfo").expect("a file")).is_some());
        assert!(running(&fs::read_to_string("/proc/loadavg").expect("a file")).is_some());
    }

    #[test]
    fn the_next_job_waits_for_the_delay_since_the_last() {
        let conditions = Conditions { delay: Duration::from_secs(3600), ..Conditions::default() };
        let mut pacing = Pacing::new(conditions).expect("a timer").expect("conditions");
        assert!(pacing.is_open().expect("no error"));
        assert!(pacing.fd().is_none());
        pacing.passed();
        assert!(!pacing.is_open().expect("no error"));
        assert!(pacing.fd().is_some());
        let last = pacing.last.expect("one passed");
        assert_eq!(pacing.wait(last + conditions.delay).expect("no error"), None);
        assert!(Pacing::new(Conditions::default()).expect("none").is_none());
    }
}
