//! Guests: they run jobs, in instances that are made and thrown away as the isolation asks.

use super::command::{Command, CommandJob};
use super::convert;
use super::fault;
use super::live::{Live, TaskCall};
use super::log::{Log, LogSink};
use super::outcome::{self, Circumstances};
use super::program::{Calling, Program};
use super::runtime::{self, Waiting};
use super::sandbox::Sandbox;
use super::stdio::Stdio;
use super::streams::{Captured, Input, Output};
use super::text::{self, Takes};
use super::typed;
use super::wasi::{self, Folders, Invocation, SeededRandom, Streams};
use crate::imports::attached::Attached;
use crate::imports::objects::Objects;
use crate::imports::{Host, job::Job, limits::Limiter, mapping::Mappings};
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::jobmem::JobMem;
use crate::wire::line::Stream;
use crate::wire::settings::Isolation;
use std::sync::Arc;
use wasmtime::{Store, ValRaw};

/// A guest, which runs the jobs of a worker one after the other.
pub struct Guest<'a> {
    program: &'a Program,
    log: Arc<Log>,
    captured: Arc<Captured>,
    random: SeededRandom,
    /// The shared state, if there is any.
    attached: Option<Attached>,
    /// The standard streams of a command, if they are not those of its job.
    stdio: Option<&'a Stdio>,
    live: Option<Live>,
    /// The numbers of a scalar call, kept from job to job.
    numbers: Vec<ValRaw>,
    /// The folders that instances see.
    folders: Folders,
    /// The bytes of linear memory of the last instance that was thrown away.
    memory_bytes: u64,
    /// The code with which the last command exited.
    exit_code: i32,
}

impl<'a> Guest<'a> {
    /// Makes a guest without an instance. Called in the worker, after the fork: for a module that
    /// imports WASI it enters a tokio runtime, which may start a thread.
    pub fn new(
        program: &'a Program,
        sink: Arc<dyn LogSink>,
        attached: Option<Attached>,
        stdio: Option<&'a Stdio>,
    ) -> Self {
        let guest = Guest { attached, stdio, ..Guest::before_fork(program, sink) };
        guest.enter_runtime();
        guest
    }

    /// Makes a guest that is in no runtime yet.
    fn before_fork(program: &'a Program, sink: Arc<dyn LogSink>) -> Self {
        let settings = &program.settings;
        Guest {
            log: Arc::new(Log::new(sink, settings.limits.log_bytes_max)),
            captured: Arc::new(Captured::new(settings.limits.output_bytes_max)),
            random: SeededRandom::new(settings.grants.seed.unwrap_or_default()),
            attached: None,
            stdio: None,
            live: None,
            numbers: vec![ValRaw::i64(0); program.width()],
            folders: program.folders.clone(),
            memory_bytes: 0,
            exit_code: 0,
            program,
        }
    }

    /// Enters the runtime that WASI needs, once in the process that runs jobs.
    pub(crate) fn enter_runtime(&self) {
        if self.program.waits() {
            let own = self.stdio.is_some() && self.program.waiting == Waiting::Concurrent;
            runtime::enter(if own { Waiting::ConcurrentInput } else { self.program.waiting });
        }
    }

    /// Notes the output of commands also in job memory, while they run.
    pub(crate) fn note_printed_in(&self, memory: Arc<JobMem>) {
        self.captured.note_in(memory);
    }

    /// Does the work of the first job except running the guest: for a process whose children run
    /// one job each, and would all have to do it.
    pub(crate) fn warm_up(&self) {
        // If the store cannot be made, the first job fails.
        drop(self.store(Invocation::default()));
    }

    /// Runs job `number` and appends its result to `out`, without a line end. All lines that the
    /// guest printed have been passed on when this returns.
    ///
    /// # Errors
    /// Returns the failure if the job has no result; nothing is appended then.
    #[inline]
    pub fn run(&mut self, number: u64, job: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        let start = out.len();
        let program = self.program;
        self.log.begin_job(number);
        let (task, job) = program.route(job)?;
        let result = match program.calling(task) {
            Calling::Scalar { signature, .. } => self.run_scalar(number, task, signature, job, out),
            Calling::Byte { takes, .. } => self.run_bytes(number, task, *takes, job, out),
            Calling::Typed { signature, .. } => self.run_typed(number, task, signature, job, out),
            Calling::Command { command, .. } => self.run_command(number, task, command, job, out),
            Calling::Native(task) => self.run_native(task, job, out),
        };
        let result = result.and_then(|()| outcome::check_nul(&program.settings, &out[start..]));
        match (&result, &mut self.live) {
            (Ok(()), Some(live)) => live.store.end_job(),
            (Ok(()), None) => {}
            (Err(_), _) => out.truncate(start),
        }
        // A command has ended when it returns: the next job finds no memory of it.
        let command = matches!(program.calling(task), Calling::Command { .. });
        if command || program.settings.task.isolation != Isolation::Reuse {
            self.discard();
        }
        self.log.end_job();
        result
    }

    /// Returns the bytes of linear memory of the instance that ran the last job.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.live.as_ref().map_or(self.memory_bytes, |live| live.store.data().limits.memory_bytes())
    }

    /// Returns the exit code of the last job's command, or 0 if the job's task is no command.
    pub(crate) fn exit_code(&self) -> i32 {
        self.exit_code
    }

    #[inline]
    fn run_scalar(
        &mut self,
        number: u64,
        task: usize,
        signature: &convert::Signature,
        job: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        signature.read(job, &mut self.numbers)?;
        self.begin_job(number, task)?;
        let Some(Live { store, call: TaskCall::Scalar(call), .. }) = &mut self.live else {
            unreachable!("a scalar program has scalar instances");
        };
        match call.call(store, &mut self.numbers) {
            Ok(()) => {
                signature.write(&self.numbers, out);
                Ok(())
            }
            Err(error) => Err(self.fail(&error)),
        }
    }

    fn run_bytes(
        &mut self,
        number: u64,
        task: usize,
        takes: Takes,
        job: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let settings = &self.program.settings;
        let input = text::job(settings.task.input, takes, job)?;
        self.begin_job(number, task)?;
        let Some(Live { store, call: TaskCall::Byte(task), .. }) = &mut self.live else {
            unreachable!("a byte program has byte instances");
        };
        let job = &mut store.data_mut().job;
        job.begin();
        input.put(&mut job.input);
        let called = task.call(&mut **store, ());
        let written = &mut store.data_mut().job.output;
        match called {
            Ok(0) => text::result(self.program.settings.task.output, written, out),
            Ok(_) => Err(outcome::guest_error(written)),
            Err(error) => Err(self.fail(&error)),
        }
    }

    fn run_typed(
        &mut self,
        number: u64,
        task: usize,
        signature: &typed::Signature,
        job: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        if self.program.is_concurrent() {
            return self.run_concurrent(number, task, signature, job, out);
        }
        if signature.quick.is_some() {
            let argument = signature.read_quick(job)?;
            self.begin_job(number, task)?;
            let Some(Live { store, call: TaskCall::Quick(call), .. }) = &mut self.live else {
                unreachable!("an instance has quick calls where its signature has");
            };
            return match call(store, argument) {
                Ok(answer) => signature.write_quick(answer?, out),
                Err(error) => Err(self.fail(&error)),
            };
        }
        let arguments = signature.read(job)?;
        self.begin_job(number, task)?;
        let Some(Live { store, call: TaskCall::Typed(function), .. }) = &mut self.live else {
            unreachable!("a component's program has its instances");
        };
        let mut results = signature.room();
        match function.call(&mut **store, &arguments, &mut results) {
            Ok(()) => signature.write(&results, out),
            Err(error) => Err(self.fail(&error)),
        }
    }

    fn run_concurrent(
        &mut self,
        number: u64,
        task: usize,
        signature: &typed::Signature,
        job: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let arguments = signature.read_flow(job)?;
        self.begin_job(number, task)?;
        let Some(Live { store, call: TaskCall::Concurrent(function), .. }) = &mut self.live else {
            unreachable!("a concurrent component's program has its instances");
        };
        match signature.call_concurrently(function, store, arguments) {
            Ok(answer) => signature.write_flow(answer, out),
            Err(error) => Err(self.fail(&error)),
        }
    }

    fn run_command(
        &mut self,
        number: u64,
        task: usize,
        command: &Command,
        job: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let job = CommandJob::decode(job)?;
        let arguments = command.arguments(number, &job)?;
        // The instance was left by another task of the module.
        self.discard();
        self.random.begin_job(number);
        let invocation = Invocation { arguments: &arguments, input: Some(Input::new(job.stdin)) };
        let start = out.len();
        self.captured.swap(out);
        let result = self.instantiate(number, task, invocation).and_then(|mut live| {
            let called = live.run_command();
            let failure = called.err().and_then(|error| self.failure(&live.store, &error));
            self.live = Some(live);
            self.judge(failure)
        });
        self.captured.swap(out);
        result.map_err(|failure| match failure.kind {
            // The output up to here is as large as a result may be, and cut.
            FailureKind::OutputTooLarge => failure,
            _ => Failure { stdout: out[start..].to_vec().into(), ..failure },
        })
    }

    /// Decides by the exit code whether a command has succeeded.
    fn judge(&mut self, failure: Option<Failure>) -> Result<(), Failure> {
        let ended = failure.unwrap_or_else(|| outcome::exited(0));
        self.exit_code = ended.code.unwrap_or(0);
        if outcome::is_ok_exit(&ended, &self.program.settings) { Ok(()) } else { Err(ended) }
    }

    /// Makes sure that there is an instance, and prepares it for a job.
    #[inline]
    fn begin_job(&mut self, number: u64, task: usize) -> Result<(), Failure> {
        if self.program.settings.grants.seed.is_some() {
            self.random.begin_job(number);
        }
        match &mut self.live {
            None => self.live = Some(self.instantiate(number, task, Invocation::default())?),
            Some(live) => {
                live.store.begin_job(number);
                live.turn_to(self.program, task).map_err(|error| not_found(&error))?;
                if let Some(fuel) = self.program.settings.limits.fuel {
                    live.store.set_fuel(fuel).expect(FUEL);
                }
            }
        }
        Ok(())
    }

    /// Makes a new instance, initialised, with fuel for one job.
    fn instantiate(&mut self, number: u64, task: usize, call: Invocation) -> Result<Live, Failure> {
        let mut store = self.store(call)?;
        store.begin_job(number);
        let started = Live::start(self.program, self.program.init.unwrap_or(task), &mut store);
        let mut live = match started {
            Ok((instance, call)) => Live { store, instance, task, call },
            Err(error) => {
                return Err(self.failure(&store, &error).unwrap_or_else(outcome::exited_early));
            }
        };
        if let Some(init) = self.program.init {
            live.task = init;
            self.initialise(init, &mut live)?;
            let fuel = self.program.settings.limits.fuel;
            fuel.into_iter().for_each(|fuel| live.store.set_fuel(fuel).expect(FUEL));
            live.turn_to(self.program, task).map_err(|error| not_found(&error))?;
        }
        Ok(live)
    }

    fn store(&self, call: Invocation) -> Result<Sandbox, Failure> {
        let program = self.program;
        let settings = &program.settings;
        let wasi = if program.wasi {
            let log = |stream| Output::Log(self.log.clone(), stream);
            let streams = match (call.input, self.stdio) {
                (Some(_), Some(stdio)) => Streams::Own(stdio),
                (Some(input), None) => {
                    let output = Output::Result(self.captured.clone());
                    Streams::Job { input: Some(input), output, error: log(Stream::Err) }
                }
                (None, _) => {
                    let (output, error) = (log(Stream::Out), log(Stream::Err));
                    Streams::Job { input: None, output, error }
                }
            };
            let folders = &self.folders;
            Some(wasi::context(settings, folders, call.arguments, streams, &self.random))
        } else {
            None
        };
        let job = Job { output_bytes_max: settings.limits.output_bytes_max, ..Job::default() };
        let limits =
            Limiter::new(settings.limits.memory_bytes_max, settings.limits.region_bytes_max);
        let objects = self.attached.clone().map(Objects::new);
        let mappings = Mappings::default();
        let host = Host { job, limits, wasi, objects, mappings, memory: None };
        let mut store = Store::new(program.engine(), host);
        store.limiter(|host| &mut host.limits);
        if self.attached.is_some() {
            fault::watch(&mut store);
        }
        if let Some(fuel) = settings.limits.fuel {
            store.set_fuel(fuel).expect(FUEL);
        }
        store.set_hostcall_fuel(outcome::lift_bytes_max(settings));
        Ok(Sandbox::new(store))
    }

    /// Returns the failure of a task that ended with this error, and throws its instance away.
    #[cold]
    fn fail(&mut self, error: &wasmtime::Error) -> Failure {
        let live = self.live.take().expect("the error came from an instance");
        self.memory_bytes = live.store.data().limits.memory_bytes();
        self.failure(&live.store, error).unwrap_or_else(outcome::exited_early)
    }

    /// Returns the failure for an error, or `None` if the error is an exit with code 0.
    fn failure(&self, store: &Store<Host>, error: &wasmtime::Error) -> Option<Failure> {
        let host = store.data();
        let guarded = host.mappings.guarded_at(fault::take_address());
        let circumstances = Circumstances {
            refused: host.limits.refused(),
            panic: self.log.last_panic(),
            guarded: guarded.map(str::to_owned),
        };
        outcome::failure(error, &self.program.settings, circumstances)
    }

    fn discard(&mut self) {
        if let Some(live) = self.live.take() {
            self.memory_bytes = live.store.data().limits.memory_bytes();
        }
    }
}

mod init;
mod native;

/// The reason why fuel can be set.
const FUEL: &str = "the engine counts fuel";

#[cold]
fn not_found(error: &wasmtime::Error) -> Failure {
    Failure::new(FailureKind::Trap, error.to_string())
}

#[cfg(test)]
mod tests;
