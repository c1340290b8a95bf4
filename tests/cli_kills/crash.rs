//! Processes that are killed at any time: every job keeps its one outcome, and no process is left
//! over.

use crate::common::dice::Dice;
use crate::common::gate::Gate;
use crate::common::processes::{self, Signal};
use crate::common::run::{Done, Running, folder, map};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The time that the processes of a killed dispatcher may live.
const ORPHAN_TIME: Duration = Duration::from_secs(1);

/// Returns the number of jobs: 20,000, or what `WPOOL_TEST_JOBS` says (for a soak).
fn job_count() -> usize {
    std::env::var("WPOOL_TEST_JOBS").ok().and_then(|jobs| jobs.parse().ok()).unwrap_or(20_000)
}

/// Compares the guests' own log with what must have run: each job at least once, no unknown job,
/// and no more repeats than workers were killed.
fn check_log(log: &str, jobs: usize, kills: usize) -> Result<(), String> {
    let mut runs = BTreeMap::<usize, usize>::new();
    for line in log.lines() {
        let job: usize = line.parse().map_err(|_| format!("a torn line {line:?}"))?;
        *runs.entry(job).or_default() += 1;
    }
    if let Some(job) = (0..jobs).find(|job| !runs.contains_key(job)) {
        return Err(format!("job {job} did not run"));
    }
    if runs.len() > jobs {
        return Err(format!("{} jobs that were not given ran", runs.len() - jobs));
    }
    let repeated: Vec<_> = runs.iter().filter(|(_, runs)| **runs > 1).collect();
    let repeats: usize = repeated.iter().map(|(_, runs)| **runs - 1).sum();
    if repeats > kills {
        return Err(format!("{repeats} repeats by {kills} kills: {repeated:?}"));
    }
    Ok(())
}

/// A run of the guest `journal`, which logs each job that it runs.
struct Journal {
    run: Running,
    log: PathBuf,
}

impl Journal {
    fn start(jobs: usize, flags: &str) -> Journal {
        let journal = folder("journal");
        let run = map("journal").flags("--task journal -v -j 2").flags(flags);
        let run = run.dir(&journal, "/journal").args(["--range", &format!("0..{jobs}")]);
        let run = run.within(60 + jobs as u64 / 500).start();
        Journal { run, log: journal.join("log") }
    }

    /// Returns the size of the log in bytes, which grows with every job.
    fn size(&self) -> usize {
        fs::metadata(&self.log).map_or(0, |log| log.len() as usize)
    }

    /// Harms a random worker each time that about `every` more bytes were logged. Returns how many
    /// times, once the run has ended.
    fn harass(&mut self, dice: &mut Dice, every: usize, mut harm: impl FnMut(i32)) -> usize {
        let (mut times, mut next) = (0, dice.below(every));
        while self.run.is_running() {
            self.run.until("the log to grow", || self.size() > next || self.ended());
            let workers = self.run.workers();
            if self.size() > next && !workers.is_empty() {
                harm(workers[dice.below(workers.len())]);
                times += 1;
                next = self.size() + dice.below(2 * every) + 1;
            }
        }
        times
    }

    fn ended(&self) -> bool {
        !processes::is_alive(self.run.pid())
    }

    fn finish(self) -> (Done, PathBuf) {
        (self.run.finish(), self.log)
    }
}

/// Kills a process that may have ended just now.
fn kill(pid: i32) {
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
}

fn read(log: &Path) -> String {
    fs::read_to_string(log).expect("the log is there")
}

fn all(jobs: usize) -> String {
    (0..jobs).map(|job| format!("{job}\n")).collect()
}

#[test]
fn killed_workers_cost_nothing_but_a_second_run_of_the_job_they_were_at() {
    let jobs = job_count();
    let mut journal = Journal::start(jobs, "--retries 5 --retry-on crash");
    let kills = journal.harass(&mut Dice::new(1), 4000, kill);
    assert!(kills >= jobs / 2000, "{kills} kills");
    let (done, log) = journal.finish();
    let done = done.ends(0);
    assert!(done.stdout == all(jobs).as_bytes(), "{}", done.stderr);
    check_log(&read(&log), jobs, kills).unwrap_or_else(|error| panic!("{error}\n{}", done.stderr));
}

#[test]
fn without_retries_each_kill_fails_one_job_at_most() {
    let jobs = job_count();
    let mut journal = Journal::start(jobs, "");
    let kills = journal.harass(&mut Dice::new(2), 4000, kill);
    let (done, log) = journal.finish();
    let done = done.ends(100);
    let lines = done.lines();
    assert_eq!(lines.len(), jobs);
    let failed: Vec<usize> = (0..jobs).filter(|job| lines[*job] == "null").collect();
    assert!((1..=kills).contains(&failed.len()), "{} failed by {kills} kills", failed.len());
    for (job, line) in lines.iter().enumerate().filter(|(job, _)| !failed.contains(job)) {
        assert_eq!(*line, job.to_string());
    }
    let lost =
        done.labelled("error: ").iter().filter(|line| line.contains("lost its worker")).count();
    assert_eq!(lost, failed.len());
    let log = read(&log);
    let mut runs: Vec<usize> = log.lines().map(|line| line.parse().expect("a job")).collect();
    runs.sort_unstable();
    assert!(runs.windows(2).all(|two| two[0] < two[1]), "a job ran twice without --retries");
    let missing = |job: &&usize| runs.binary_search(job).is_err();
    let succeeded = (0..jobs).filter(|job| failed.binary_search(job).is_err());
    assert_eq!(succeeded.filter(|job| missing(&job)).count(), 0);
}

#[test]
fn jobs_with_processes_of_their_own_survive_the_death_of_others() {
    let jobs = job_count() / 20;
    let mut journal = Journal::start(jobs, "--isolation process --retries 5 --retry-on crash");
    let kills = journal.harass(&mut Dice::new(3), 1000, |worker| {
        // The target is the job's own process if there is one, or else the worker.
        kill(processes::children(worker).first().copied().unwrap_or(worker));
    });
    let (done, log) = journal.finish();
    let done = done.ends(0);
    assert!(done.stdout == all(jobs).as_bytes(), "{}", done.stderr);
    check_log(&read(&log), jobs, kills).unwrap_or_else(|error| panic!("{error}\n{}", done.stderr));
}

#[test]
fn stopped_workers_go_on_where_they_were() {
    let jobs = job_count() / 4;
    let mut journal = Journal::start(jobs, "");
    let log = journal.log.clone();
    let size = || fs::metadata(&log).map_or(0, |log| log.len());
    let stops = journal.harass(&mut Dice::new(4), 4000, |worker| {
        let pid = nix::unistd::Pid::from_raw(worker);
        if nix::sys::signal::kill(pid, Signal::SIGSTOP).is_err() {
            return;
        }
        // The other worker goes on meanwhile, for as long as it has jobs.
        let (before, start) = (size(), Instant::now());
        while size() < before + 500 && start.elapsed() < Duration::from_millis(50) {
            std::thread::yield_now();
        }
        let _ = nix::sys::signal::kill(pid, Signal::SIGCONT);
    });
    assert!(stops > 0);
    let (done, log) = journal.finish();
    assert!(done.ends(0).stdout == all(jobs).as_bytes());
    check_log(&read(&log), jobs, 0).expect("each job ran once");
}

/// Returns all living processes of a run.
fn tree(root: i32) -> Vec<i32> {
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        found.extend(processes::children(found[next]));
        next += 1;
    }
    found
}

#[test]
fn nobody_outlives_a_killed_dispatcher() {
    for mode in ["reuse", "process"] {
        let gate = Gate::new();
        let run = gate.map("wait", 2).args(["-j", "2", "--isolation", mode]).start();
        run.until("both jobs", || gate.started().len() == 2);
        let tree = tree(run.pid());
        assert!(tree.len() >= 4, "{tree:?}");
        run.signal(Signal::SIGKILL);
        let killed = Instant::now();
        run.until("their end", || !tree.iter().any(|pid| processes::is_alive(*pid)));
        assert!(killed.elapsed() < ORPHAN_TIME, "{mode}: {:?}", killed.elapsed());
        assert_eq!(run.finish().signal, Some(9));
    }
}

#[test]
fn a_killed_zygote_is_replaced_and_the_run_completes() {
    let jobs = job_count() / 4;
    let journal = Journal::start(jobs, "--retries 5 --retry-on crash");
    journal.run.until("some jobs", || journal.size() > 1000);
    let zygote = journal.run.zygote();
    let workers = journal.run.workers().len();
    processes::kill(zygote);
    let another = || processes::children(journal.run.pid()).iter().any(|pid| *pid != zygote);
    journal.run.until("another zygote", || another() || journal.ended());
    let (done, log) = journal.finish();
    let done = done.ends(0).says("warning: the zygote was lost");
    assert!(done.stdout == all(jobs).as_bytes(), "{}", done.stderr);
    check_log(&read(&log), jobs, workers.max(2)).expect("only running jobs ran again");
}

#[test]
fn the_checker_notices_a_log_that_is_wrong() {
    let good = all(100);
    assert_eq!(check_log(&good, 100, 0), Ok(()));
    assert_eq!(check_log(&format!("{good}7\n"), 100, 1), Ok(()));
    let error = |log: String, kills| check_log(&log, 100, kills).expect_err("it is wrong");
    assert!(error(format!("{good}7\n"), 0).starts_with("1 repeats by 0 kills"));
    assert!(error(format!("{good}7\n7\n"), 1).starts_with("2 repeats by 1 kills"));
    assert_eq!(error(good.replace("\n42\n", "\n"), 5), "job 42 did not run");
    assert_eq!(error(good.clone() + "100\n", 5), "1 jobs that were not given ran");
    assert_eq!(error(good + "1 2\n", 5), "a torn line \"1 2\"");
}
