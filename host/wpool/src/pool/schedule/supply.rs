//! How many workers the system gives: fewer than asked for, where processes or descriptors run out.

use std::time::{Duration, Instant};

/// Time after which a pool that had to do with fewer workers asks for more again.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// Time until a pool without any worker asks again for the first time; it doubles with each refusal.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// So many refusals in a row, without any worker, end the run: after six seconds in all.
const REFUSALS_MAX: u32 = 6;

/// How a pool goes on after it was refused a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// With the workers that there are; the flag tells whether they are fewer than at the last refusal.
    Fewer(bool),
    /// It has none, and asks again in a moment.
    Pause,
    /// It has none, and has asked often enough.
    GiveUp,
}

/// How many workers the system gives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Supply {
    /// Most workers, until a time.
    limit: Option<(usize, Instant)>,
    /// The fewest that a pool has been told to do with.
    fewest: Option<usize>,
    /// Refusals in a row while there was no worker.
    refusals: u32,
}

impl Supply {
    /// Most workers at this time, of the `wanted` ones.
    pub(crate) fn most(&self, wanted: usize, now: Instant) -> usize {
        match self.limit {
            Some((limit, until)) if now < until => limit.min(wanted),
            _ => wanted,
        }
    }

    /// When to ask again.
    pub(crate) fn wake(&self, now: Instant) -> Option<Instant> {
        self.limit.map(|(_, until)| until).filter(|&until| until > now)
    }

    /// Takes note that a worker was refused while there were `others`.
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

    /// Takes note that a worker works.
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
