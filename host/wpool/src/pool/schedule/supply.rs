//! The supply of workers: fewer than requested if the system runs out of processes or descriptors.

use std::time::{Duration, Instant};

/// The time after which a pool that had to make do with fewer workers asks for more again.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// The time until a pool without any worker asks again for the first time. The time doubles with
/// each refusal.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The number of refusals in a row, without any worker, that end the run: after six seconds in all.
const REFUSALS_MAX: u32 = 6;

/// The way in which a pool goes on after it was refused a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The pool goes on with the workers that it has. The flag is true if they are fewer than at
    /// the last refusal.
    Fewer(bool),
    /// The pool has no worker, and asks again in a moment.
    Pause,
    /// The pool has no worker, and has asked often enough.
    GiveUp,
}

/// The number of workers that the system allows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Supply {
    /// The largest number of workers, and the time until which this limit holds.
    limit: Option<(usize, Instant)>,
    /// The smallest number of workers that the pool has had to make do with.
    fewest: Option<usize>,
    /// The number of refusals in a row while there was no worker.
    refusals: u32,
}

impl Supply {
    /// Returns the largest number of workers at this time, at most `wanted`.
    pub(crate) fn most(&self, wanted: usize, now: Instant) -> usize {
        match self.limit {
            Some((limit, until)) if now < until => limit.min(wanted),
            _ => wanted,
        }
    }

    /// Returns the time at which to ask again, if there is a limit now.
    pub(crate) fn wake(&self, now: Instant) -> Option<Instant> {
        self.limit.map(|(_, until)| until).filter(|&until| until > now)
    }

    /// Notes that a worker was refused while there were `others`.
    pub(crate) fn refused(&mut self, others: usize, now: Instant) -> Refused {
        if others > 0 {
            self.limit = Some((others, now + ASK_AGAIN));
            let news = self.fewest.is_none_or(|fewest| others < fewest);
            self.fewest = Some(self.fewest.map_or(others, |fewest| fewest.min(others)));
            return Refused::Fewer(news);
        }
        self.refusals += 1;
        if self.refusals > REFUSALS_MAX {
            return Refused::GiveUp;
        }
        self.limit = Some((0, now + FIRST_PAUSE * 2_u32.pow(self.refusals - 1)));
        Refused::Pause
    }

    /// Notes that a worker has done a job.
    pub(crate) fn given(&mut self) {
        self.refusals = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_is_refused_a_worker_does_with_the_others_and_asks_again_later() {
        let now = Instant::now();
        let mut supply = Supply::default();
        assert_eq!(supply.most(8, now), 8);
        assert_eq!(supply.refused(5, now), Refused::Fewer(true));
        assert_eq!(supply.refused(3, now), Refused::Fewer(true));
        assert_eq!(supply.refused(3, now), Refused::Fewer(false), "that is no news");
        assert_eq!(supply.most(8, now), 3);
        assert_eq!(supply.most(2, now), 2);
        assert_eq!(supply.most(8, supply.wake(now).unwrap()), 8);
    }

    #[test]
    fn a_pool_without_any_worker_asks_again_a_few_times_and_then_gives_up() {
        let mut now = Instant::now();
        let start = now;
        let mut supply = Supply::default();
        for _ in 0..REFUSALS_MAX {
            assert_eq!(supply.refused(0, now), Refused::Pause);
            assert_eq!(supply.most(8, now), 0);
            now = supply.wake(now).unwrap();
            assert_eq!(supply.most(8, now), 8);
        }
        assert_eq!(supply.refused(0, now), Refused::GiveUp);
        assert!(now - start < Duration::from_secs(10));
    }

    #[test]
    fn a_worker_that_works_is_a_new_beginning() {
        let now = Instant::now();
        let mut supply = Supply::default();
        for _ in 0..10 * REFUSALS_MAX {
            assert_eq!(supply.refused(0, now), Refused::Pause);
            supply.given();
        }
    }
}
