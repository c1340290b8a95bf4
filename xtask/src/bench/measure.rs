//! Runs programs in turns, and computes the medians of their times.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Result, command};

/// The time for which short work is measured, even beyond the rounds asked for, because one round
/// says little.
const TIME_MIN: Duration = Duration::from_secs(3);

/// The most rounds of short work, unless more were asked for.
const ROUNDS_MAX: usize = 50;

/// A program whose time is measured.
pub struct Contender {
    command: Command,
    tells: bool,
}

impl Contender {
    /// Makes a contender whose whole process is timed, start-up included.
    pub fn whole(command: Command) -> Self {
        Self { command, tells: false }
    }

    /// Makes a contender that prints the seconds that count.
    pub fn telling(command: Command) -> Self {
        Self { command, tells: true }
    }

    /// Runs the program once and returns its seconds. All other output is discarded.
    fn seconds(&mut self) -> Result<f64> {
        if self.tells {
            let told = command::text(self.command.stdin(Stdio::null()))?;
            return Ok(told.parse().map_err(|_| format!("`{told}` is not a number of seconds"))?);
        }
        let quiet = self.command.stdin(Stdio::null()).stdout(Stdio::null());
        let start = Instant::now();
        let status = quiet.status();
        let seconds = start.elapsed().as_secs_f64();
        if status.is_ok_and(|status| status.success()) {
            return Ok(seconds);
        }
        Err(format!("`{}` failed", command::typed(&self.command)).into())
    }
}

/// The times of each round, in the order of the contenders.
#[derive(Debug)]
pub struct Samples(Vec<Vec<f64>>);

impl Samples {
    /// Returns the number of rounds.
    pub fn rounds(&self) -> usize {
        self.0.len()
    }

    /// Returns the median time of one contender.
    pub fn time(&self, contender: usize) -> f64 {
        self.figure(|times| times[contender])
    }

    /// Returns the median of the figure that `of` computes from each round's times. A ratio made in
    /// this way stands firm when the machine is slower in one round than in another.
    pub fn figure(&self, of: impl Fn(&[f64]) -> f64) -> f64 {
        median(self.0.iter().map(|times| of(times)).collect())
    }
}

/// Runs the contenders in turns, at least `rounds` times each.
pub fn in_turns(rounds: usize, contenders: &mut [Contender]) -> Result<Samples> {
    let start = Instant::now();
    let mut samples = Vec::new();
    while samples.len() < rounds || start.elapsed() < TIME_MIN && samples.len() < ROUNDS_MAX {
        let mut times = vec![0.0; contenders.len()];
        // Each contender goes first in turn, because a program inherits caches and clock rates from
        // the one that ran before it.
        for turn in 0..contenders.len() {
            let contender = (turn + samples.len()) % contenders.len();
            times[contender] = contenders[contender].seconds()?;
        }
        samples.push(times);
    }
    Ok(Samples(samples))
}

/// Returns the median of the figures, of which there is at least one.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 {
        return figures[middle];
    }
    f64::midpoint(figures[middle - 1], figures[middle])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(vec![3.0]), 3.0);
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![9.0, 1.0, 2.0, 4.0]), 3.0);
    }

    #[test]
    fn ratios_are_those_of_each_round() {
        let samples = Samples(vec![vec![1.0, 5.0], vec![10.0, 50.0], vec![2.0, 8.0]]);
        assert_eq!((samples.rounds(), samples.time(0)), (3, 2.0));
        assert_eq!(samples.figure(|times| times[1] / times[0]), 5.0);
    }

    #[test]
    fn programs_run_in_turns_and_tell_what_they_took() {
        let told = command::command("printf", ["0.25"]);
        let mut contenders =
            [Contender::telling(told), Contender::whole(command::command("sleep", ["0.05"]))];
        let samples = in_turns(2, &mut contenders).expect("both are installed");
        assert!(samples.rounds() >= 2);
        assert_eq!(samples.time(0), 0.25);
        assert!(samples.time(1) >= 0.05);
    }

    #[test]
    fn a_program_that_fails_has_no_time() {
        let mut failing = [Contender::whole(command::command("false", ["--really"]))];
        let error = in_turns(1, &mut failing).unwrap_err().to_string();
        assert_eq!(error, "`false --really` failed");
    }
}
