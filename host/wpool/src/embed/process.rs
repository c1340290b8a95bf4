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
/// What the task prints goes to this program's standard output and standard error, line by line, unless
/// [`Builder::on_log`] says otherwise; all of it is there when the process has ended.
///
/// Dropping a process that runs kills it, as Python does at exit with daemonic ones: [`join`](Self::join)
/// those that are to finish. Several processes of one module start four times as fast from a
/// [`Launcher`], as they share its zygote.
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
    /// Its launcher, if it has one for itself.
    own: Option<Launcher>,
}

impl Process {
    /// A process for a task of the module in a file: a core module, or its text form.
    pub fn builder(module: impl AsRef<Path>) -> Builder<Process> {
        Launcher::builder(module).retarget()
    }

    /// A process for a task of a module whose bytes are here.
    pub fn from_bytes(module: impl Into<Vec<u8>>) -> Builder<Process> {
        Launcher::from_bytes(module).retarget()
    }

    pub(super) fn new(name: String, life: Arc<Life>, inbox: Arc<Inbox>, ticket: Ticket) -> Process {
        Process { name, life, inbox, ticket, own: None }
    }

    /// The same process under another name, which is for people only.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Process {
        self.name = name.into();
        self
    }

    /// What it is called: as its task, unless [`named`](Self::named) otherwise.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id. Once it has ended, the id may be another process's.
    pub fn pid(&self) -> i32 {
        self.life.pid()
    }

    /// Whether it has not ended.
    pub fn is_alive(&self) -> bool {
        self.life.is_alive()
    }

    /// Waits until it has ended, but not longer than `timeout`; tells whether it has. May be called any
    /// number of times, from any thread.
    pub fn join(&self, timeout: Option<Duration>) -> bool {
        self.life.wait(deadline(timeout)).is_ok()
    }

    /// How it ended; `None` while it runs. 0 after a result, the guest's own code if it exits, 1 if the
    /// task answers an error, `-N` for a death by signal N; see
    /// [`Failure::exit_code`](crate::Failure::exit_code) for all others.
    pub fn exit_code(&self) -> Option<i32> {
        self.life.exit_code()
    }

    /// The result of its task; waits for it, but not longer than `timeout`. May be asked for any number
    /// of times.
    ///
    /// # Errors
    /// Why there is none; or [`Error::TimedOut`]: the process goes on.
    pub fn result<R: DeserializeOwned>(&self, timeout: Option<Duration>) -> Result<R, Error> {
        decode(self.result_bytes(timeout))
    }

    /// The bytes of its result: a line of JSON, or what a command wrote to its standard output.
    ///
    /// # Errors
    /// As [`Process::result`].
    pub fn result_bytes(&self, timeout: Option<Duration>) -> Result<Vec<u8>, Error> {
        self.life.wait(deadline(timeout))?
    }

    /// Asks it to end, by SIGTERM. It dies of it as it would of [`Process::kill`]: guests handle no
    /// signals. Nothing happens if it has ended.
    pub fn terminate(&self) {
        self.life.ask(Signal::TERM.as_raw());
        self.inbox.terminate(self.ticket);
    }

    /// Kills it, by SIGKILL. Nothing happens if it has ended.
    pub fn kill(&self) {
        self.life.ask(Signal::KILL.as_raw());
        self.inbox.cancel(self.ticket);
    }

    /// A descriptor that is readable from its end on, to be waited for with others by `poll` or an event
    /// loop. Its exit code is known by then.
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
    /// The task to call; may be left out if the module has only one.
    #[must_use]
    pub fn task(mut self, name: impl Into<String>) -> Self {
        self.config.settings.task = Some(name.into());
        self
    }

    /// Starts the process, and a zygote for it alone. `args` is what the task takes: the value of its
    /// only parameter, a tuple of several, or `()`.
    ///
    /// # Errors
    /// The module cannot be used, has no such task, or the system allows no process. That the task fails
    /// is not an error of its start.
    pub fn start<T: Serialize>(mut self, args: T) -> Result<Process, Error> {
        let task = self.config.settings.task.take();
        self.alone(|launcher| {
            let task = launcher.description().choose(task.as_deref());
            let task = task.map_err(|error| Error::Pool(error.to_string()))?;
            launcher.start(&task.name, args)
        })
    }

    /// Starts a command: its arguments after its name, and its standard input. Its standard output is
    /// the result, see [`Process::result_bytes`].
    ///
    /// # Errors
    /// As [`Launcher::start_command`], and those of its zygote.
    pub fn start_command(self, arguments: &[&str], stdin: &[u8]) -> Result<Process, Error> {
        self.alone(|launcher| launcher.start_command(arguments, stdin))
    }

    fn alone(
        self,
        start: impl FnOnce(&Launcher) -> Result<Process, Error>,
    ) -> Result<Process, Error> {
        let launcher = self.retarget::<Launcher>().start()?;
        let mut process = start(&launcher)?;
        // It goes when its process has gone.
        launcher.close();
        process.own = Some(launcher);
        Ok(process)
    }
}
