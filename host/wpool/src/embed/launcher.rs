//! Launchers: a zygote that starts processes.

use super::builder::{Builder, Module};
use super::error::Error;
use super::home::may_wait;
use super::inbox::Submission;
use super::life::Life;
use super::pool::{Pool, encode, launchable, not_started};
use super::process::Process;
use super::reply::{Address, GuestLine, write_line};
use super::shared::Shared;
use crate::module::description::{Description, Form, Kind, Task};
use crate::pool::config::{Config, Halt, Retry, WORKERS_MAX};
use crate::pool::error::PoolError;
use crate::wire::line::Stream;
use crate::wire::settings::{command_job, task_job};
use serde::Serialize;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// Starts processes that run tasks of one module, which it has loaded: a process costs a fork.
///
/// It can be shared: all methods take `&self`, from any thread. At most 960 of its processes are alive
/// at once; each takes three of the program's descriptors. Dropping a launcher kills those that run.
///
/// ```
/// let launcher = wpool::Launcher::from_bytes(
///     r#"(module
///         (func (export "square") (param i64) (result i64)
///             (i64.mul (local.get 0) (local.get 0)))
///         (func (export "half") (param i64) (result i64)
///             (i64.div_s (local.get 0) (i64.const 2))))"#,
/// )
/// .start()?;
///
/// let square = launcher.start("square", 12)?.named("p1");
/// let half = launcher.start("half", 12)?;
/// assert_ne!(square.pid(), half.pid());
/// square.join(None);
/// assert_eq!(square.exit_code(), Some(0));
/// assert_eq!(square.result::<i64>(None)?, 144);
/// assert_eq!(half.result::<i64>(None)?, 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Launcher {
    /// Each job has a worker of its own there.
    pool: Pool,
    alive: Arc<AtomicUsize>,
}

impl Launcher {
    /// A launcher for the module in a file: a core module, or its text form.
    pub fn builder(module: impl AsRef<Path>) -> Builder<Launcher> {
        Builder::new(Module::File(module.as_ref().to_owned()), Box::new(print))
    }

    /// A launcher for a module whose bytes are here.
    pub fn from_bytes(module: impl Into<Vec<u8>>) -> Builder<Launcher> {
        Builder::new(Module::Bytes(module.into()), Box::new(print))
    }

    /// What the module is.
    pub fn description(&self) -> &Description {
        self.pool.description()
    }

    /// The shared state that its tasks take part in: that of [`Builder::shared`], or one of its own if
    /// the module uses any.
    pub fn shared(&self) -> Option<&Shared> {
        self.pool.shared()
    }

    /// Starts a process that runs a task. `args` is what the task takes: the value of its only
    /// parameter, a tuple of several, or `()`.
    ///
    /// # Errors
    /// There is no such task, the arguments cannot be written as JSON, or there can be no more
    /// processes. That the task fails is not an error of its start.
    pub fn start<T: Serialize>(&self, task: &str, args: T) -> Result<Process, Error> {
        let (index, found) = self.find(Some(task))?;
        if found.form == Form::Command {
            return Err(Error::Pool("the task is a command: start it with start_command".into()));
        }
        self.launch(task, task_job(index, &encode(&args)?))
    }

    /// The task of this name, or the one that needs none, and its index in the pool's settings.
    fn find(&self, name: Option<&str>) -> Result<(u32, &Task), Error> {
        let description = self.description();
        let found = description.choose(name).map_err(|error| {
            not_started(PoolError::Task { message: error.message, candidates: error.candidates })
        })?;
        let index = launchable(description).position(|task| std::ptr::eq(task, found));
        Ok((index.expect("it was chosen from these") as u32, found))
    }

    /// Starts a process that runs a command: its arguments after its name, and its standard input. Its
    /// standard output is the result, see [`Process::result_bytes`].
    ///
    /// # Errors
    /// The module is not a command, an argument holds a NUL byte, or there can be no more processes.
    pub fn start_command(&self, arguments: &[&str], stdin: &[u8]) -> Result<Process, Error> {
        if self.description().kind != Kind::Command {
            return Err(Error::Pool("the module is not a command: start one of its tasks".into()));
        }
        let (index, _) = self.find(None)?;
        let words: Vec<&[u8]> = arguments.iter().map(|word| word.as_bytes()).collect();
        let job = command_job(&words, stdin)
            .map_err(|_| Error::Encode("an argument holds a NUL byte".into()))?;
        self.launch("command", task_job(index, &job))
    }

    fn launch(&self, name: &str, job: Vec<u8>) -> Result<Process, Error> {
        may_wait()?;
        let life = Life::begin(&self.alive, WORKERS_MAX)
            .map_err(|error| Error::Pool(format!("cannot start a process: {error}")))?;
        let address = Address::Process(Arc::clone(&life));
        let inbox = Arc::clone(self.pool.inbox());
        let ticket = inbox.submit(Submission { job, address }).inspect_err(|error| {
            life.end(Err(error.clone()));
        })?;
        life.wait_for_start()?;
        Ok(Process::new(name.to_owned(), life, inbox, ticket))
    }

    /// Starts no more processes; ends by itself once those that it has started have ended.
    pub(super) fn close(&self) {
        self.pool.close();
    }
}

impl Builder<Launcher> {
    /// Starts the launcher: its zygote, with the module compiled and loaded.
    ///
    /// # Errors
    /// [`Error::Pool`]: the module cannot be used, or the system does not allow a zygote.
    pub fn start(mut self) -> Result<Launcher, Error> {
        self.every_task = true;
        // A process of its own for each job, which is run once.
        self.config = Config {
            workers: WORKERS_MAX,
            jobs_per_worker_max: Some(1),
            batch_jobs_max: Some(1),
            retry: Retry::default(),
            halt: Halt::Never,
            ..self.config
        };
        let pool = self.retarget::<Pool>().start()?;
        Ok(Launcher { pool, alive: Arc::default() })
    }
}

/// What becomes of the lines of processes unless a program says otherwise: they are its own output.
fn print(line: GuestLine<'_>) {
    match line.stream {
        Stream::Out => write_line(&io::stdout(), line.bytes),
        Stream::Err => write_line(&io::stderr(), line.bytes),
    }
}
