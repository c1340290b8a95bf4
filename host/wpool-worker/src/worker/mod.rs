//! The worker: runs the jobs of its batches and commits their results.
//!
//! A worker is forked from the zygote with everything linked. It reads frames from one pipe, writes
//! frames into another, and shares its job memory with the dispatcher. It ends when the pipe of
//! jobs ends.

pub(crate) mod alone;
mod call;
pub mod command;
mod concurrent;
mod convert;
mod engine;
pub(crate) mod fault;
pub mod guest;
mod json;
pub(crate) mod link;
mod live;
pub mod log;
mod native;
mod outbox;
mod outcome;
mod paths;
mod pipe;
pub mod program;
mod runtime;
mod sandbox;
mod stack;
pub(crate) mod stdio;
mod streams;
mod text;
pub(crate) mod threads;
mod typed;
pub mod wasi;

use crate::imports::attached::Attached;
use crate::jail::{Cell, Needs};
use crate::shared::Shared;
use crate::wire::channel::FrameBuffer;
use crate::wire::clock::MonotonicTime;
use crate::wire::control::Membership;
use crate::wire::failure::{Failure, FailureDetail, FailureKind};
use crate::wire::frame::{ENTRY_BYTES, FrameKind, Header, PART_BYTES, Walk, entry_head, u64_at};
use crate::wire::jail::Jail;
use crate::wire::jobmem::{EXIT_WITHOUT_PROCESS, JobMem};
use crate::wire::record::{self, Measure};
use crate::wire::settings::{Isolation, PauseAfter, Settings};
use crate::wire::spin::Spin;
use guest::Guest;
use outbox::Outbox;
use pipe::ResultPipe;
use program::Program;
use rustix::event::{PollFd, PollFlags, poll};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use stdio::Stdio;
use threads::Threads;
use wasi::Folders;

/// A function that forks, runs the function in the child, and waits. It returns the exit code, or
/// `None` if a signal ended the child. (The zygote provides it; a worker has no fork of its own.)
pub(crate) type Fork = fn(&Threads, &mut dyn FnMut() -> i32) -> io::Result<Option<i32>>;

/// The exit code of a worker that cannot go on.
const FAILED: i32 = 1;

/// The exit code of a child after whose job the rest of the batch is given back.
const GIVE_BACK: i32 = 2;

/// The exit code of a child for which no job was left.
const NO_JOB: i32 = 5;

/// The number of times that a child is forked, if the system refuses it or something kills it
/// before it has begun.
const TRIES: u32 = 10;

/// The time between two tries: the children of others end, and make room.
const NEXT_TRY: Duration = Duration::from_millis(10);

/// The end of a worker that cannot fork a process for a job.
#[derive(Debug, thiserror::Error)]
#[error("cannot fork a process for a job: {0}")]
struct NoProcess(io::Error);

fn is_without_process(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<NoProcess>())
}

/// The things that a worker starts with.
pub(crate) struct Start<'a> {
    pub(crate) program: &'a Program,
    pub(crate) settings: &'a Settings,
    /// The worker's slot in its pool.
    pub(crate) slot: u32,
    pub(crate) jobs: OwnedFd,
    pub(crate) results: OwnedFd,
    pub(crate) memory: OwnedFd,
    /// The shared state, and the worker's slot there.
    pub(crate) shared: Option<(Arc<Shared>, Membership)>,
    /// The standard streams that a command uses, if not its own.
    pub(crate) stdio: Option<&'a Stdio>,
    pub(crate) fork: Fork,
    /// How the worker is confined.
    pub(crate) jail: Jail,
}

/// A worker that has opened all that it will need, and has one thread.
pub(crate) struct Prepared<'a> {
    worker: Worker<'a>,
    jobs: File,
}

impl<'a> Start<'a> {
    /// Opens all that the worker will need, and returns the jail in which it is used; `guest` is a
    /// guest that has been initialised.
    ///
    /// # Errors
    /// Returns the exit code of a worker that cannot begin, after it has reported why.
    pub(crate) fn prepare(self, guest: Option<Guest<'a>>) -> Result<(Prepared<'a>, Cell), i32> {
        fault::install_abort().map_err(|_| FAILED)?;
        let memory = JobMem::map(&self.memory).map(Arc::new).map_err(|_| FAILED)?;
        fault::report_to(&memory);
        let in_children = self.settings.task.isolation == Isolation::Process;
        let noted_in = in_children.then(|| Arc::clone(&memory));
        let pipe = Arc::new(ResultPipe::new(File::from(self.results), noted_in));
        let attached = self.shared.map(|(shared, slot)| {
            let attached = Attached::new(shared, slot, Arc::clone(&memory));
            if self.settings.probe.waits { attached.noting_waits() } else { attached }
        });
        let jobs = File::from(self.jobs);
        let mut worker = Worker {
            program: self.program,
            settings: self.settings,
            fork: self.fork,
            threads: None,
            pipe: Arc::clone(&pipe),
            memory,
            attached,
            folders: Folders::default(),
            cell: Cell::none(),
            stdio: self.stdio,
            guest,
            is_ready: false,
            spin: Spin::default(),
            record: Vec::new(),
        };
        command::take_slot(self.slot);
        part(&pipe, || {
            worker.threads = in_children.then(Threads::open).transpose()?;
            let name = std::process::id().to_string();
            worker.folders = worker.program.folders.of_process(&name)?;
            worker.move_in();
            worker.begin_process();
            worker.stdio.map_or(Ok(()), Stdio::enter)?;
            rustix::io::ioctl_fionbio(&jobs, true)?;
            let (program, terminal) = (worker.program, worker.stdio.is_some());
            let needs = Needs { terminal, children: in_children, ..program.needs() };
            let cell = program.cell(self.jail, needs, &worker.folders)?;
            worker.cell = cell.clone();
            Ok((Prepared { worker, jobs }, cell))
        })
    }
}

impl Prepared<'_> {
    /// Runs jobs until the pipe of jobs ends. Returns the exit code.
    pub(crate) fn serve(self) -> i32 {
        let Prepared { mut worker, jobs } = self;
        let pipe = Arc::clone(&worker.pipe);
        let served = part(&pipe, || {
            worker.start_runtime();
            worker.run(jobs)
        });
        served.err().unwrap_or(0)
    }
}

/// Runs a part of a worker's life.
///
/// # Errors
/// Returns the worker's exit code if the part failed or panicked; the dispatcher has been told.
fn part<T>(pipe: &ResultPipe, part: impl FnOnce() -> io::Result<T>) -> Result<T, i32> {
    let (why, code) = match catch_unwind(AssertUnwindSafe(part)) {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(error)) if is_without_process(&error) => (error.to_string(), EXIT_WITHOUT_PROCESS),
        Ok(Err(error)) => (error.to_string(), FAILED),
        Err(panic) => (panic_text(&*panic), FAILED),
    };
    // If the dispatcher is gone, nobody needs the message.
    let _ = pipe.send(FrameKind::Fatal, why.as_bytes());
    Err(code)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    format!("internal error: {text}")
}

/// The way a batch goes on after one of its jobs.
enum After {
    /// The next job runs.
    Next,
    /// No job of the batch is left.
    NoJob,
    /// The rest of the batch is given back, for other workers.
    GiveBack,
}

/// A worker at work.
struct Worker<'a> {
    program: &'a Program,
    settings: &'a Settings,
    fork: Fork,
    /// The count of threads of this process, if it forks.
    threads: Option<&'static Threads>,
    pipe: Arc<ResultPipe>,
    memory: Arc<JobMem>,
    attached: Option<Attached>,
    /// The folders that guests may use.
    folders: Folders,
    /// The jail of this process, where it forks.
    cell: Cell,
    stdio: Option<&'a Stdio>,
    /// The guest, once there was a job. In `process` isolation it is ready and never used: children
    /// use their copies.
    guest: Option<Guest<'a>>,
    /// True if there is a guest, and it can run here.
    is_ready: bool,
    spin: Spin,
    /// The record being written; kept for its memory.
    record: Vec<u8>,
}

impl<'a> Worker<'a> {
    /// Takes over a guest that was initialised in another process.
    fn move_in(&mut self) {
        if let Some(guest) = &mut self.guest {
            guest.move_in(self.pipe.clone(), self.attached.clone());
            guest.settle_in(self.folders.clone());
        }
    }

    /// Starts the runtime in which the guest waits, with its threads. A process that forks keeps
    /// one thread, so that its children start theirs.
    fn start_runtime(&mut self) {
        if self.threads.is_none() {
            self.make_ready();
        } else if self.program.waiting.survives_fork() {
            self.make_ready();
            self.guest.iter().for_each(Guest::warm_up);
        }
    }

    /// Makes a guest, or lets the present one enter the runtime of this process.
    #[cold]
    fn make_ready(&mut self) {
        match &self.guest {
            Some(guest) => guest.enter_runtime(),
            None => {
                let attached = self.attached.clone();
                let mut guest = Guest::new(self.program, self.pipe.clone(), attached, self.stdio);
                guest.settle_in(self.folders.clone());
                if self.memory.has_tape() {
                    guest.note_printed_in(Arc::clone(&self.memory));
                }
                self.guest = Some(guest);
            }
        }
        self.is_ready = true;
    }

    /// Does the first steps of a process that was forked from one that has run for a while.
    fn begin_process(&mut self) {
        match &mut self.guest {
            Some(guest) => guest.renew(),
            None if self.program.wasi => wasi::reseed(),
            None => {}
        }
    }

    /// Serves until the pipe of jobs ends.
    fn run(&mut self, mut jobs: File) -> io::Result<()> {
        self.pipe.send(FrameKind::Ready, &MonotonicTime::now().nanos().to_le_bytes())?;
        let mut frames = FrameBuffer::default();
        // The job is kept for its memory, like the guest's copy, which has to hold the job too.
        let mut long_job = Vec::new();
        loop {
            while let Some((header, body)) = frames.next().map_err(io::Error::other)? {
                match header.kind {
                    FrameKind::Jobs => self.run_batch(&header, body)?,
                    FrameKind::JobPart => {
                        let total = u64_at(body, 0) as usize;
                        if long_job.is_empty() {
                            long_job.reserve_exact(ENTRY_BYTES + total);
                            long_job.extend_from_slice(&entry_head(0, total as u32));
                        }
                        long_job.extend_from_slice(&body[PART_BYTES..]);
                        if long_job.len() == ENTRY_BYTES + total {
                            self.run_batch(&header, &long_job)?;
                            long_job.clear();
                        }
                    }
                    kind => return Err(io::Error::other(format!("unexpected frame: {kind:?}"))),
                }
            }
            if self.receive(&mut frames, &mut jobs)? == 0 {
                return Ok(());
            }
        }
    }

    /// Reads what the dispatcher has sent, and waits if there is nothing. Returns 0 at the end of
    /// the pipe.
    fn receive(&mut self, frames: &mut FrameBuffer, jobs: &mut File) -> io::Result<usize> {
        loop {
            let mut received = try_fill(frames, jobs);
            if matches!(received, Ok(None)) {
                self.spin.until(|| {
                    received = try_fill(frames, jobs);
                    !matches!(received, Ok(None))
                });
            }
            if let Some(bytes) = received? {
                return Ok(bytes);
            }
            match poll(&mut [PollFd::new(jobs, PollFlags::IN)], None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn run_batch(&mut self, header: &Header, body: &[u8]) -> io::Result<()> {
        let mut outbox = Outbox::new(header.batch);
        for (number, job) in Walk::new(body, header.first_job) {
            let after = match self.settings.task.isolation {
                Isolation::Process => self.run_in_child(number, job, &mut outbox)?,
                Isolation::Reuse | Isolation::Fresh => match self.memory.claim(header.batch) {
                    Some(index) => self.run_here(number, index, job, &mut outbox)?,
                    None => After::NoJob,
                },
            };
            self.folders.clean()?;
            match after {
                After::Next => outbox.send_if_due(&self.memory, &self.pipe)?,
                After::NoJob => break,
                After::GiveBack => {
                    // The half is full, or the result was sent in parts, or the run may end now:
                    // other workers may have the rest.
                    self.memory.give_back(header.batch);
                    break;
                }
            }
        }
        outbox.send(&self.memory, &self.pipe)
    }

    /// Runs a job in this process.
    #[inline]
    fn run_here(
        &mut self,
        number: u64,
        index: u16,
        job: &[u8],
        outbox: &mut Outbox,
    ) -> io::Result<After> {
        if !self.is_ready {
            self.make_ready();
        }
        let guest = self.guest.as_mut().expect("just made");
        let began = self.settings.probe.measured.then(MonotonicTime::now);
        if began.is_some() {
            self.memory.set_began(began);
        }
        record::begin(&mut self.record, began.is_some());
        let result = guest.run(number, job, &mut self.record);
        let (memory_bytes, exit_code) = (guest.memory_bytes(), guest.exit_code());
        let measure = began.map(|began| Measure::until_now(began, memory_bytes, exit_code));
        if let Err(failure) = &result {
            failure.encode(&mut self.record);
        }
        record::finish(&mut self.record, index, result.is_err(), measure);
        if self.settings.probe.waits {
            self.tell_waits(number)?;
        }
        let fits = outbox.put(&self.memory, &self.pipe, &self.record)?;
        if began.is_some() {
            self.memory.set_began(None);
        }
        Ok(self.after(result.is_err(), fits))
    }

    /// Returns how a batch goes on after a job.
    #[inline]
    fn after(&self, failed: bool, fits: bool) -> After {
        match self.settings.task.pause {
            PauseAfter::Failure if failed => After::GiveBack,
            PauseAfter::AnyJob => After::GiveBack,
            _ if fits => After::Next,
            _ => After::GiveBack,
        }
    }

    /// Reports the waits of a job, before its record is committed.
    #[cold]
    fn tell_waits(&self, number: u64) -> io::Result<()> {
        let waits = self.attached.as_ref().and_then(|attached| attached.take_waits(number));
        match waits {
            Some(waits) => self.pipe.send(FrameKind::Waits, &serde_json::to_vec(&waits)?),
            None => Ok(()),
        }
    }

    /// Runs a job in a child of its own, which claims the job and commits the record itself. So a
    /// job for which there is no process has not started.
    fn run_in_child(&mut self, number: u64, job: &[u8], outbox: &mut Outbox) -> io::Result<After> {
        let batch = outbox.batch();
        let mut lost = None;
        for attempt in 0..TRIES {
            let Some(index) = self.memory.unclaimed(batch) else { return Ok(After::NoJob) };
            // The last child may have left a time there.
            self.memory.set_began(None);
            let fork = self.fork;
            let threads =
                self.threads.expect("a worker whose jobs have processes counts its threads");
            let code = fork(threads, &mut || {
                let mut outbox = outbox.clone();
                if self.cell.narrow().is_err() {
                    return FAILED;
                }
                self.begin_process();
                let Some(index) = self.memory.claim(batch) else { return NO_JOB };
                match self.run_here(number, index, job, &mut outbox) {
                    Ok(After::GiveBack) => GIVE_BACK,
                    Ok(_) => 0,
                    Err(_) => 1,
                }
            });
            match code {
                Ok(Some(NO_JOB)) => return Ok(After::NoJob),
                Ok(Some(GIVE_BACK)) => {
                    // Unless the result was sent in parts, there is a record.
                    outbox.adopt(&self.memory);
                    return Ok(After::GiveBack);
                }
                // A committed record counts even if the child died afterwards: the job is finished
                // if and only if its record is committed.
                Ok(_) if outbox.adopt(&self.memory) => return Ok(After::Next),
                Ok(code) if self.memory.unclaimed(batch) != Some(index) => {
                    return self.child_lost(code, index, outbox);
                }
                Ok(_) => lost = Some(io::Error::other("it was killed before it began")),
                Err(error) => lost = Some(error),
            }
            if attempt + 1 < TRIES {
                std::thread::sleep(NEXT_TRY);
            }
        }
        Err(io::Error::other(NoProcess(lost.unwrap_or_else(|| io::ErrorKind::Other.into()))))
    }

    /// Commits the failure of a job whose child died before it had committed a record.
    fn child_lost(
        &mut self,
        code: Option<i32>,
        index: u16,
        outbox: &mut Outbox,
    ) -> io::Result<After> {
        if self.memory.is_writing() {
            // The child may have left half a frame in the pipe. The dispatcher handles that.
            return Err(io::Error::other("a job's process died while it was writing"));
        }
        if let Some(attached) = &self.attached {
            attached.discard();
        }
        let trap = code.and_then(|code| Failure::of_fatal_message(code, &self.memory));
        let mut failure = trap.unwrap_or_else(|| {
            let how = code.map_or("killed by a signal".into(), |code| format!("exit code {code}"));
            let detail = code.is_none().then_some(FailureDetail::Signal);
            Failure { code, detail, ..Failure::new(FailureKind::WorkerLost, how) }
        });
        failure.stdout = self.memory.printed().into();
        self.memory.forget_printed();
        // The memory of the child is gone with it.
        let began = || self.memory.began().unwrap_or_else(MonotonicTime::now);
        let measure = self.settings.probe.measured.then(|| Measure::until_now(began(), 0, 0));
        record::begin(&mut self.record, measure.is_some());
        failure.encode(&mut self.record);
        record::finish(&mut self.record, index, true, measure);
        let fits = outbox.put(&self.memory, &self.pipe, &self.record)?;
        Ok(self.after(true, fits))
    }
}

/// Reads once. Returns `None` if there is nothing yet.
fn try_fill(frames: &mut FrameBuffer, jobs: &mut File) -> io::Result<Option<usize>> {
    match frames.fill(jobs) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
        Err(error) => Err(error),
    }
}
