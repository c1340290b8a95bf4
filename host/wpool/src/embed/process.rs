//! Processes: a task that runs in a process of its own.

use super::builder::Builder;
use super::error::Error;
use super::inbox::{Inbox, Ticket};
use super::launcher::Launcher;
use super::life::Life;
use super::reply::deadline;
use super::result::decode;
use rustix::process::Signal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A task that runs in an OS process of its own (Python's `multiprocessing.Process`).
///
/// Lines that the task prints go to this program's standard output and standard error, unless
/// [`Builder::on_log`] says otherwise; all lines are there when the process has ended.
///
/// Dropping a process that runs kills it, as Python kills daemonic processes at exit:
/// [`join`](Self::join) processes that are to finish. Several processes of one module start four
/// times as fast from a [`Launcher`], because they share its zygote.
///
/// ```
/// let square = wpool::Process::from_bytes(
///     r#"(module
///         (func (export "square") (param i64) (result i64)
///             (i64.mul (local.get 0) (local.get 0))))"#,
/// )
/// .start(12)?;
/// assert!(square.join(None));
/// assert_eq!(square.exit_code(), Some(0));
/// assert_eq!(square.result::<i64>(None)?, 144);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Process {
    name: String,
    life: Arc<Life>,
    inbox: Arc<Inbox>,
    ticket: Ticket,
    /// The launcher that serves only this process, if there is one.
    own: Option<Launcher>,
}

impl Process {
    /// Returns a builder of a process for the module in a file: a core module or a component, in
    /// binary or text form.
    pub fn builder(module: impl AsRef<Path>) -> Builder<Process> {
        Launcher::builder(module).retarget()
    }

    /// Returns a builder of a process for a module given as bytes.
    pub fn from_bytes(module: impl Into<Vec<u8>>) -> Builder<Process> {
        Launcher::from_bytes(module).retarget()
    }

    pub(super) fn new(name: String, life: Arc<Life>, inbox: Arc<Inbox>, ticket: Ticket) -> Process {
        Process { name, life, inbox, ticket, own: None }
    }

    /// Returns the process with another name, which is for people only.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Process {
        self.name = name.into();
        self
    }

    /// Returns the name of the process: the task's name, unless [`named`](Self::named) has changed
    /// it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the process id. Once the process has ended, the id may be another process's.
    pub fn pid(&self) -> i32 {
        self.life.pid()
    }

    /// Returns whether the process has not ended.
    pub fn is_alive(&self) -> bool {
        self.life.is_alive()
    }

    /// Waits until the process has ended, but not longer than `timeout`. Returns whether it has
    /// ended. May be called any number of times, from any thread.
    pub fn join(&self, timeout: Option<Duration>) -> bool {
        self.life.wait(deadline(timeout)).is_ok()
    }

    /// Returns the exit code, or `None` while the process runs. The code is 0 after a result, the
    /// guest's own code if the guest exits, 1 if the task returns an error, and `-N` for a death by
    /// signal N; see [`Failure::exit_code`](crate::Failure::exit_code) for all others.
    pub fn exit_code(&self) -> Option<i32> {
        self.life.exit_code()
    }

    /// Returns the result of the task, waiting for it but not longer than `timeout`. May be called
    /// any number of times.
    ///
    /// # Errors
    /// Returns the reason why there is no result, or [`Error::TimedOut`] if the process goes on.
    pub fn result<R: DeserializeOwned>(&self, timeout: Option<Duration>) -> Result<R, Error> {
        decode(self.result_bytes(timeout))
    }

    /// Returns the bytes of the result: a line of JSON, or a command's standard output.
    ///
    /// # Errors
    /// Returns the same errors as [`Process::result`].
    pub fn result_bytes(&self, timeout: Option<Duration>) -> Result<Vec<u8>, Error> {
        self.life.wait(deadline(timeout))?
    }

    /// Asks the process to end, by SIGTERM. The process dies as it would by [`Process::kill`],
    /// since guests handle no signals. Does nothing if the process has ended.
    pub fn terminate(&self) {
        self.life.ask(Signal::TERM.as_raw());
        self.inbox.terminate(self.ticket);
    }

    /// Kills the process by SIGKILL. Does nothing if the process has ended.
    pub fn kill(&self) {
        self.life.ask(Signal::KILL.as_raw());
        self.inbox.cancel(self.ticket);
    }

    /// Returns a descriptor that is readable once the process has ended, to be waited for with
    /// others by `poll` or an event loop. The exit code is known by then.
    pub fn sentinel(&self) -> BorrowedFd<'_> {
        self.life.sentinel()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_alive() {
            self.kill();
        }
    }
}

impl Builder<Process> {
    /// Sets the task to call; may be left out if the module has only one.
    #[must_use]
    pub fn task(mut self, name: impl Into<String>) -> Self {
        self.config.settings.task.name = Some(name.into());
        self
    }

    /// Starts the process, with a zygote for it alone. `args` holds the task's arguments: the value
    /// of its only parameter, a tuple of several, or `()`.
    ///
    /// # Errors
    /// Returns an error if the module cannot be used or has no such task, or if the system allows
    /// no process. A failure of the task is not an error of the start.
    pub fn start<T: Serialize>(mut self, args: T) -> Result<Process, Error> {
        let task = self.config.settings.task.name.take();
        self.alone(|launcher| {
            let task = launcher.description().choose(task.as_deref());
            let task = task.map_err(|error| Error::Pool(error.to_string()))?;
            launcher.start(&task.name, args)
        })
    }

    /// Starts a command with these arguments after its name and this standard input. Its standard
    /// output is the result, see [`Process::result_bytes`].
    ///
    /// # Errors
    /// Returns the errors of [`Launcher::start_command`], and those of the zygote's start.
    pub fn start_command(self, arguments: &[&str], stdin: &[u8]) -> Result<Process, Error> {
        self.alone(|launcher| launcher.start_command(arguments, stdin))
    }

    fn alone(
        self,
        start: impl FnOnce(&Launcher) -> Result<Process, Error>,
    ) -> Result<Process, Error> {
        let launcher = self.retarget::<Launcher>().start()?;
        let mut process = start(&launcher)?;
        // The launcher ends when its process has ended.
        launcher.close();
        process.own = Some(launcher);
        Ok(process)
    }
}
