//! Launchers: each has a zygote that starts processes.

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
use crate::wire::line::Stream;
use crate::wire::settings::{command_job, task_job};
use serde::Serialize;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// A launcher starts processes that run the tasks of one module. The module is loaded once, so that
/// a process costs only a fork.
///
/// A launcher can be shared: all methods take `&self`, from any thread. At most 960 of its
/// processes are alive at once; each takes three of the program's descriptors. Dropping a launcher
/// kills the processes that run.
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
    /// The pool that runs the processes; each job has a worker of its own there.
    pool: Pool,
    alive: Arc<AtomicUsize>,
}

impl Launcher {
    /// Returns a builder of a launcher for the module in a file: a core module or a component, in
    /// binary or text form.
    pub fn builder(module: impl AsRef<Path>) -> Builder<Launcher> {
        Builder::new(Module::File(module.as_ref().to_owned()), Box::new(print))
    }

    /// Returns a builder of a launcher for a module given as bytes.
    pub fn from_bytes(module: impl Into<Vec<u8>>) -> Builder<Launcher> {
        Builder::new(Module::Bytes(module.into()), Box::new(print))
    }

    /// Returns the description of the module.
    pub fn description(&self) -> &Description {
        self.pool.description()
    }

    /// Returns the shared state that the tasks use: the state given to [`Builder::shared`], or
    /// state of the launcher's own if the module uses shared objects.
    pub fn shared(&self) -> Option<&Shared> {
        self.pool.shared()
    }

    /// Starts a process that runs a task. `args` holds the task's arguments: the value of its only
    /// parameter, a tuple of several, or `()`.
    ///
    /// # Errors
    /// Returns an error if there is no such task, if the arguments cannot be written as JSON, or if
    /// there can be no more processes. A failure of the task is not an error of the start.
    pub fn start<T: Serialize>(&self, task: &str, args: T) -> Result<Process, Error> {
        let (index, found) = self.find(Some(task))?;
        if found.form == Form::Command {
            return Err(Error::Pool("the task is a command: start it with start_command".into()));
        }
        self.launch(task, task_job(index, &encode(&args)?))
    }

    /// Returns the task with this name, or the only task if there is no name, and the task's index
    /// in the pool's settings.
    fn find(&self, name: Option<&str>) -> Result<(u32, &Task), Error> {
        let description = self.description();
        let found = description.choose(name).map_err(|error| not_started(error.into()))?;
        let index = launchable(description).position(|task| std::ptr::eq(task, found));
        Ok((index.expect("it was chosen from these") as u32, found))
    }

    /// Starts a process that runs a command, with the arguments after the command's name and its
    /// standard input. Its standard output is the result, see [`Process::result_bytes`].
    ///
    /// # Errors
    /// Returns an error if the module is not a command, if an argument holds a NUL byte, or if
    /// there can be no more processes.
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

    /// Closes the launcher for new processes. It ends by itself once its processes have ended.
    pub(super) fn close(&self) {
        self.pool.close();
    }
}

impl Builder<Launcher> {
    /// Starts the launcher: starts its zygote, which compiles and loads the module.
    ///
    /// # Errors
    /// Returns [`Error::Pool`] if the module cannot be used, or the system does not allow a zygote.
    pub fn start(mut self) -> Result<Launcher, Error> {
        self.every_task = true;
        // Each job gets a process of its own, and is run once.
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

/// Prints a line of a process as the program's own output: the default for lines that processes
/// print.
fn print(line: GuestLine<'_>) {
    match line.stream {
        Stream::Out => write_line(&io::stdout(), line.bytes),
        Stream::Err => write_line(&io::stderr(), line.bytes),
    }
}
