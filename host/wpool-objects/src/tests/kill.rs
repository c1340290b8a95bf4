//! The core test: a victim is stepped through an operation one instruction at a time and killed
//! after instruction k, for every k (see `points`). After each death comes the sweep, then `fsck`.
//! The others must be able to go on within a second, with nothing lost and everyone told.
//!
//! Instructions that change nothing in shared memory leave the others in the same situation, so a
//! death after such an instruction is the same as after the one before. A first pass finds the
//! instructions that do change something. The short form kills after some of them, spread evenly;
//! `WPOOL_KILL=full` after each (a minute); `WPOOL_KILL=every` after every instruction, or every
//! n-th where there are more than 10,000 (an hour). `WPOOL_KILL_CASE=TEXT` takes the cases whose
//! names contain the text.

use super::process::{Child, Step, stay_on_one_cpu};
use super::*;
use super::{kill_cases, kill_collections, kill_queue};
use std::sync::atomic::Ordering;

/// A word of the header that nothing else uses: the victim's progress.
const PROGRESS: usize = 2048;
/// The approximate number of instructions that are stepped for all deaths of a case in the short
/// form.
const SHORT_STEPS: usize = 16_000;
/// The approximate number of instructions that are stepped for all deaths of a case with
/// `WPOOL_KILL=every`.
const EVERY_STEPS: usize = 2_000_000;
/// The longest operation, in instructions, that has a first pass in the short form.
const SHORT_LENGTH: usize = 20_000;

/// The things that a case can use.
pub(super) struct Stage {
    pub(super) shared: Arc<Shared>,
    /// The survivor.
    pub(super) me: Caller<'static>,
    pub(super) victim: Caller<'static>,
    /// The caller that waits in another process.
    pub(super) waiter: Caller<'static>,
    pub(super) waiting: Option<Child>,
    pub(super) ids: Vec<ObjectId>,
}

impl Stage {
    pub(super) fn new() -> Stage {
        let (shared, me) = world();
        let (victim, waiter) = (another(&shared), another(&shared));
        Stage { shared, me, victim, waiter, waiting: None, ids: Vec::new() }
    }

    pub(super) fn make(&mut self, spec: Spec) -> ObjectId {
        let name = format!("o{}", self.ids.len());
        let id = self.shared.create(&self.me, &name, &spec, 0).unwrap();
        for caller in [self.victim, self.waiter] {
            self.shared.open(&caller, &name).unwrap();
        }
        self.ids.push(id);
        id
    }

    pub(super) fn id(&self) -> ObjectId {
        self.ids[0]
    }

    /// Notes the victim's progress.
    pub(super) fn at(&self, progress: u64) {
        self.shared.memory().word(PROGRESS).store(progress, Ordering::Release);
    }

    pub(super) fn progress(&self) -> u64 {
        self.shared.memory().word(PROGRESS).load(Ordering::Acquire)
    }

    /// Forks the waiter and waits until its slot waits.
    pub(super) fn wait_in_line(&mut self, work: impl FnOnce(&Stage) -> i32) {
        let child = Child::new(|| work(self));
        until_waiting(&self.shared, self.waiter.owner);
        self.waiting = Some(child);
    }

    /// Returns the waiter's exit code. The waiter has a second to end.
    pub(super) fn waited(&mut self) -> i32 {
        let code = self.waiting.take().expect("a waiter").wait(Duration::from_secs(1));
        code.expect("the waiter was not woken within a second")
    }
}

/// An operation in a situation.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) setup: fn(&mut Stage),
    /// The operation in which the victim is killed.
    pub(super) work: fn(&Stage),
    /// The check after the death and the sweep.
    pub(super) check: fn(&mut Stage),
}

fn cases() -> impl Iterator<Item = &'static Case> {
    kill_cases::CASES.iter().chain(kill_queue::CASES)
}

/// Returns the cases of lists, dicts and sets.
fn collection_cases() -> impl Iterator<Item = &'static Case> {
    kill_collections::CASES.iter().chain(kill_collections::OTHERS)
}

/// Kills the victim after `steps` instructions, or when it can go no further. Returns the number of
/// instructions.
fn die(case: &Case, steps: usize) -> (Stage, usize) {
    let mut stage = Stage::new();
    (case.setup)(&mut stage);
    let child = Child::stopped(|| (case.work)(&stage));
    let mut done = 0;
    while done < steps && child.step() == Step::Stepped {
        done += 1;
    }
    child.kill();
    (stage, done)
}

fn examine(case: &Case, stage: &mut Stage) {
    let swept = stage.shared.release(&stage.me, stage.victim.owner).unwrap();
    assert_eq!(swept, Swept::default(), "the sweep finished and broke nothing");
    if stage.waiting.is_none() {
        assert_sound(&stage.shared);
    }
    (case.check)(stage);
    assert_sound(&stage.shared);
}

/// Returns how many instructions the operation takes.
fn length(case: &Case) -> usize {
    let (mut stage, length) = die(case, usize::MAX);
    examine(case, &mut stage);
    length
}

/// Copies the parts of control memory that hold anything.
fn picture(shared: &Shared, to: &mut Vec<u8>) {
    let slots = 4 * super::super::layout::SLOT_BYTES;
    let records = 4 * super::super::layout::OBJECT_BYTES;
    let parts = [
        (0, PROGRESS),
        (super::super::layout::SLOT_BASE, slots),
        (super::super::layout::OBJECT_BASE, records),
        (super::super::layout::BLOCK_BASE, 200 << 10),
    ];
    to.resize(parts.iter().map(|(_, bytes)| bytes).sum(), 0);
    let mut rest = &mut to[..];
    for (at, bytes) in parts {
        let (now, then) = rest.split_at_mut(bytes);
        shared.memory().read(at, now);
        rest = then;
    }
}

/// Returns the instructions that change something, and the number of all instructions.
fn changes(case: &Case) -> (Vec<usize>, usize) {
    let mut stage = Stage::new();
    (case.setup)(&mut stage);
    let child = Child::stopped(|| (case.work)(&stage));
    let (mut before, mut now) = (Vec::new(), Vec::new());
    picture(&stage.shared, &mut before);
    let (mut changes, mut done) = (vec![0], 0);
    while child.step() == Step::Stepped {
        done += 1;
        picture(&stage.shared, &mut now);
        if now != before {
            changes.push(done);
            std::mem::swap(&mut now, &mut before);
        }
    }
    child.kill();
    changes.push(done);
    (changes, done)
}

/// Returns the instructions after which to kill, and the length of the operation.
fn points(case: &Case) -> (Vec<usize>, usize) {
    let form = std::env::var("WPOOL_KILL").unwrap_or_default();
    let length = length(case);
    if form == "every" {
        return (every(case, length), length);
    }
    let (all, length) = if form == "full" || length < SHORT_LENGTH {
        changes(case)
    } else {
        ((0..=length).step_by(length / 12).collect(), length)
    };
    let most = (2 * SHORT_STEPS / length.max(1)).max(8);
    let stride = if form == "full" { 1 } else { all.len().div_ceil(most) };
    (all.into_iter().step_by(stride).collect(), length)
}

/// Returns every instruction. For long work it returns those that change something and, between
/// them, as many as can be stepped to in about a minute, at points where the memory is the same as
/// after the last change.
fn every(case: &Case, length: usize) -> Vec<usize> {
    let stride = (length * length / 2).div_ceil(EVERY_STEPS).max(1);
    let mut points: Vec<usize> = (0..=length).step_by(stride).collect();
    if stride > 1 {
        points.extend(changes(case).0);
        points.sort_unstable();
        points.dedup();
    }
    points
}

fn run(case: &Case) -> usize {
    let since = Instant::now();
    let (points, length) = points(case);
    for steps in &points {
        let (mut stage, done) = die(case, *steps);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            examine(case, &mut stage);
        }));
        if outcome.is_err() {
            let progress = stage.progress();
            panic!("{}: killed after instruction {done} of {length}, at {progress}", case.name);
        }
    }
    let seconds = since.elapsed().as_secs_f64();
    println!("{}: {length} instructions, {} deaths, {seconds:.2} s", case.name, points.len());
    points.len()
}

#[test]
fn a_death_at_any_instruction_loses_nothing_and_hangs_nobody() {
    run_all(cases());
}

#[test]
fn a_death_at_any_instruction_leaves_a_list_whole() {
    run_all(collection_cases().filter(|case| case.name.starts_with("list: ")));
}

#[test]
fn a_death_at_any_instruction_leaves_a_dict_or_a_set_whole() {
    run_all(collection_cases().filter(|case| !case.name.starts_with("list: ")));
}

fn run_all(cases: impl Iterator<Item = &'static Case>) {
    let full = std::env::var_os("WPOOL_KILL").is_some();
    let _watchdog = watchdog(if full { 20_000 } else { 120 });
    super::super::wait::SPINS.store(3, Ordering::Relaxed);
    stay_on_one_cpu();
    let only = std::env::var("WPOOL_KILL_CASE").ok();
    let since = Instant::now();
    let chosen = cases.filter(|case| only.as_ref().is_none_or(|only| case.name.contains(only)));
    let deaths: usize = chosen.map(run).sum();
    println!("{deaths} deaths in {:.1} s", since.elapsed().as_secs_f64());
}

/// Without rebuilding the same test must fail: a test that cannot fail proves nothing.
#[test]
fn without_rebuilding_deaths_do_harm() {
    let _watchdog = watchdog(120);
    let case = cases().find(|case| case.name == "queue: put a long message").unwrap();
    assert!(is_harmed(case, || super::super::sweep::REBUILDS.store(false, Ordering::Relaxed)));
}

/// A collection without its journal: each store of a call is a commit of its own.
#[test]
fn without_the_journal_deaths_tear_collections() {
    let _watchdog = watchdog(120);
    let case =
        collection_cases().find(|case| case.name == "list: insert, the leaf is full").unwrap();
    let no_journal = || super::super::collection::JOURNALS.store(false, Ordering::Relaxed);
    assert!(is_harmed(case, no_journal));
}

/// Returns whether deaths do harm once something is switched off.
fn is_harmed(case: &Case, switch_off: impl FnOnce()) -> bool {
    // A child is needed because the switch is for the whole process.
    let child = Child::new(|| {
        stay_on_one_cpu();
        std::panic::set_hook(Box::new(|_| {}));
        switch_off();
        let (points, _) = changes(case);
        let harmed = points.into_iter().step_by(9).any(|steps| {
            let (mut stage, _) = die(case, steps);
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| examine(case, &mut stage)))
                .is_err()
        });
        i32::from(harmed)
    });
    child.wait(Duration::from_secs(100)) == Some(1)
}
