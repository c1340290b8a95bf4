//! `--delay`, `--load` and `--memfree`: holds jobs back for a while.

use crate::cli::units;
use nix::sys::time::TimeSpec;
use nix::sys::timer::TimerSetTimeFlags;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags};
use std::cell::RefCell;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The time between two checks of the load and the memory.
const LOOK: Duration = Duration::from_millis(500);

/// The time that a job is held back before wpool says so.
const SILENCE: Duration = Duration::from_secs(3);

/// The least time between two lines that say so.
const AGAIN: Duration = Duration::from_secs(60);

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

/// A line for people about what jobs wait for. The source of jobs leaves the line, and the output
/// takes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delayed(Rc<RefCell<Option<String>>>);

impl Delayed {
    /// Takes the line, if there is one.
    pub(crate) fn take(&self) -> Option<String> {
        self.0.take()
    }
}

/// The time after which to ask again whether a job may start, and a reason to show to people, if
/// any.
#[derive(Debug, PartialEq)]
struct Wait {
    time: Duration,
    reason: Option<String>,
}

/// A gate that lets jobs pass one by one, each when it may start.
#[derive(Debug)]
pub(crate) struct Pacing {
    conditions: Conditions,
    delayed: Delayed,
    /// The time since which the next job has waited for the load or the memory.
    since: Option<Instant>,
    /// The time of the last line about the wait.
    told: Option<Instant>,
    /// The time at which the last job started.
    last: Option<Instant>,
    timer: TimerFd,
    /// True if the gate is closed until the timer ends.
    holding: bool,
}

impl Pacing {
    /// Makes a gate for the conditions, which leaves a line if they hold jobs back for long; `None`
    /// if there are no conditions.
    ///
    /// # Errors
    /// Fails if no descriptor is left.
    pub(crate) fn new(conditions: Conditions, delayed: Delayed) -> io::Result<Option<Self>> {
        if conditions == Conditions::default() {
            return Ok(None);
        }
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        let (since, told, last) = (None, None, None);
        Ok(Some(Pacing { conditions, delayed, since, told, last, timer, holding: false }))
    }

    /// Returns whether a job may start now. If not, [`Pacing::fd`] tells when to ask again.
    ///
    /// # Errors
    /// Fails if the system does not report its load or memory.
    pub(crate) fn is_open(&mut self) -> io::Result<bool> {
        let now = Instant::now();
        let wait = self.wait(now)?;
        self.holding = wait.is_some();
        if let Some(Wait { time, reason }) = wait {
            let expiration = Expiration::OneShot(TimeSpec::from_duration(time));
            self.timer.set(expiration, TimerSetTimeFlags::empty())?;
            self.tell(reason, now);
        }
        Ok(!self.holding)
    }

    /// Leaves a line about what a job waits for, once the job has waited for a while.
    fn tell(&mut self, reason: Option<String>, now: Instant) {
        let Some(reason) = reason else { return };
        let since = *self.since.get_or_insert(now);
        let again = self.told.is_none_or(|told| now >= told + AGAIN);
        if now >= since + SILENCE && again {
            self.delayed.0.replace(Some(reason));
            self.told = Some(now);
        }
    }

    /// Records that a job started.
    pub(crate) fn passed(&mut self) {
        self.last = Some(Instant::now());
        self.since = None;
    }

    /// Returns the descriptor that becomes readable when it is time to ask again, while the gate is
    /// closed.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.holding.then(|| self.timer.as_fd())
    }

    fn wait(&self, now: Instant) -> io::Result<Option<Wait>> {
        let Conditions { delay, load, memory_free } = self.conditions;
        let since = self.last.map_or(Duration::MAX, |last| now.saturating_duration_since(last));
        if since < delay {
            return Ok(Some(Wait { time: delay - since, reason: None }));
        }
        let mut reason = None;
        if let Some(most) = load {
            let running = read("/proc/loadavg", running)?;
            reason = (running as f64 >= most).then(|| {
                format!("jobs wait until fewer processes run than --load {most}: {running} run now")
            });
        }
        if let (None, Some(least)) = (&reason, memory_free) {
            let available = read("/proc/meminfo", available)?;
            reason = (available < least).then(|| {
                let (least, available) = (units::size_text(least), units::size_text(available));
                format!(
                    "jobs wait until --memfree {least} of memory is available: {available} is now"
                )
            });
        }
        Ok(reason.map(|reason| Wait { time: LOOK, reason: Some(reason) }))
    }
}

/// Reads a figure of the system.
fn read(path: &str, figure: fn(&str) -> Option<u64>) -> io::Result<u64> {
    let text = fs::read_to_string(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
    figure(&text).ok_or_else(|| io::Error::other(format!("{path} tells no figure")))
}

/// Returns the number of running processes without the caller: `0.20 0.18 0.12 3/80 11206` gives 2.
fn running(loadavg: &str) -> Option<u64> {
    let (running, _) = loadavg.split_whitespace().nth(3)?.split_once('/')?;
    Some(running.parse::<u64>().ok()?.saturating_sub(1))
}

/// Returns the bytes of memory that are available without swapping.
pub(crate) fn available(meminfo: &str) -> Option<u64> {
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
        let pacing = Pacing::new(conditions, Delayed::default());
        let mut pacing = pacing.expect("a timer").expect("conditions");
        assert!(pacing.is_open().expect("no error"));
        assert!(pacing.fd().is_none());
        pacing.passed();
        assert!(!pacing.is_open().expect("no error"));
        assert!(pacing.fd().is_some());
        let last = pacing.last.expect("one passed");
        assert_eq!(pacing.wait(last + conditions.delay).expect("no error"), None);
        let none = Pacing::new(Conditions::default(), Delayed::default());
        assert!(none.expect("none").is_none());
    }

    #[test]
    fn a_job_that_waits_for_long_says_what_for_and_not_too_often() {
        let delayed = Delayed::default();
        let conditions = Conditions { memory_free: Some(u64::MAX), ..Conditions::default() };
        let pacing = Pacing::new(conditions, delayed.clone());
        let mut pacing = pacing.expect("a timer").expect("conditions");
        let start = Instant::now();
        let mut told = |after: Duration| {
            let wait = pacing.wait(start + after).expect("no error").expect("it waits");
            pacing.tell(wait.reason, start + after);
            delayed.take()
        };
        assert_eq!((told(Duration::ZERO), told(SILENCE / 2)), (None, None));
        let line = told(SILENCE).expect("a line");
        assert!(line.starts_with("jobs wait until --memfree "), "{line}");
        assert_eq!(told(SILENCE + AGAIN / 2), None);
        assert!(told(SILENCE + AGAIN).is_some());
    }
}
