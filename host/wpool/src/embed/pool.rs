//! The pool of the library.

use super::builder::{Builder, Module};
use super::error::{Error, MapError};
use super::home;
use super::imap::Imap;
use super::inbox::{Inbox, InboxCommands, InboxSource, Submission};
use super::reply::{Address, Addresses, GuestLine, Mailbox, Router, write_line};
use super::result::{AsyncResult, MapResult};
use super::shared::{Shared, SharedError};
use crate::module::description::{Description, Form, Task};
use crate::pool::error::PoolError;
use crate::pool::feed::Command;
use crate::pool::session::Session;
use crate::pool::summary::Summary;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::io;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

/// A pool of worker processes that run the tasks of one module.
///
/// A pool can be shared: all methods take `&self`, from any thread, and any number of pools can
/// live in one program. Dropping a pool terminates it.
#[derive(Debug)]
pub struct Pool {
    inbox: Arc<Inbox>,
    description: Description,
    shared: Option<Shared>,
    dispatcher: Mutex<Option<JoinHandle<Option<Summary>>>>,
}

/// Encodes a job as JSON.
pub(super) fn encode<T: Serialize + ?Sized>(job: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(job).map_err(|error| Error::Encode(error.to_string()))
}

impl Pool {
    /// Returns a builder of a pool for the module in a file: a core module or a component, in
    /// binary or text form.
    pub fn builder(module: impl AsRef<Path>) -> Builder {
        Builder::new(Module::File(module.as_ref().to_owned()), Box::new(print_with_pid))
    }

    /// Returns a builder of a pool for a module given as bytes.
    pub fn from_bytes(module: impl Into<Vec<u8>>) -> Builder {
        Builder::new(Module::Bytes(module.into()), Box::new(print_with_pid))
    }

    pub(super) fn start(builder: Builder) -> Result<Pool, Error> {
        let inbox = Inbox::new(builder.config.buffer_bytes_max)
            .map_err(|error| Error::Pool(format!("cannot make an eventfd: {error}")))?;
        let inbox = Arc::new(inbox);
        let (started, answer) = sync_channel(1);
        let theirs = Arc::clone(&inbox);
        let dispatcher = std::thread::Builder::new()
            .name("wpool".into())
            .spawn(move || dispatch(builder, theirs, &started))
            .map_err(|error| Error::Pool(format!("cannot start a thread: {error}")))?;
        match answer.recv() {
            Ok(Ok(Started { description, shared })) => {
                Ok(Pool { inbox, description, shared, dispatcher: Mutex::new(Some(dispatcher)) })
            }
            Ok(Err(error)) => {
                // The thread has nothing more to do; after the join nothing is left of the pool
                // when this returns.
                let _ = dispatcher.join();
                Err(error)
            }
            Err(_) => Err(Error::Pool("the pool's thread panicked".into())),
        }
    }

    /// Returns the inbox of the pool.
    pub(super) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// Returns the description of the module.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Returns the shared state that the tasks use: the state given to [`Builder::shared`], or
    /// state of the pool's own if the module uses shared objects.
    pub fn shared(&self) -> Option<&Shared> {
        self.shared.as_ref()
    }

    /// Runs one job and waits for its result.
    ///
    /// A job holds the task's arguments: the value of its only parameter, or a tuple of several.
    /// Jobs and results travel as JSON, which has no NaN and no infinities: give and take them as
    /// the strings `"NaN"`, `"Infinity"` and `"-Infinity"`.
    ///
    /// # Errors
    /// Returns the reason why there is no result.
    pub fn apply<T: Serialize, R: DeserializeOwned>(&self, job: T) -> Result<R, Error> {
        self.apply_async(job)?.get(None)
    }

    /// Submits one job, whose result may be asked for later. Waits only while too many jobs are
    /// waiting.
    ///
    /// # Errors
    /// Returns an error if the job cannot be written as JSON, or if the pool takes no more jobs.
    pub fn apply_async<T: Serialize, R: DeserializeOwned>(
        &self,
        job: T,
    ) -> Result<AsyncResult<R>, Error> {
        let mailbox = Arc::new(Mailbox::default());
        let address = Address::Call(Arc::clone(&mailbox), 0);
        let ticket = self.inbox.submit(Submission { job: encode(&job)?, address })?;
        Ok(AsyncResult {
            inbox: Arc::clone(&self.inbox),
            ticket,
            mailbox,
            arrived: None,
            result: PhantomData,
        })
    }

    /// Runs a job given as bytes, and returns the bytes of its result: for tasks whose settings are
    /// raw, and for commands (see [`command_job`](crate::wire::settings::command_job)).
    ///
    /// # Errors
    /// Returns the reason why there is no result.
    pub fn apply_bytes(&self, job: Vec<u8>) -> Result<Vec<u8>, Error> {
        let mailbox = Arc::new(Mailbox::default());
        let address = Address::Call(Arc::clone(&mailbox), 0);
        self.inbox.submit(Submission { job, address })?;
        mailbox.take(None)?.1
    }

    /// Runs a command with these arguments after its name and this standard input. Returns its
    /// standard output.
    ///
    /// # Errors
    /// Returns the reason why there is no result; an argument with a NUL byte is an
    /// [`Error::Encode`].
    pub fn run_command(&self, arguments: &[&str], stdin: &[u8]) -> Result<Vec<u8>, Error> {
        let words: Vec<&[u8]> = arguments.iter().map(|word| word.as_bytes()).collect();
        let job = crate::wire::settings::command_job(&words, stdin)
            .map_err(|_| Error::Encode("an argument holds a NUL byte".into()))?;
        self.apply_bytes(job)
    }

    /// Runs all jobs and waits for all results, in order.
    ///
    /// # Errors
    /// Returns every job that failed. The other jobs have run.
    pub fn map<T, R>(&self, jobs: impl IntoIterator<Item = T>) -> Result<Vec<R>, MapError>
    where
        T: Serialize,
        R: DeserializeOwned,
    {
        self.map_async(jobs)?.get(None)
    }

    /// Submits all jobs, whose results may be asked for later.
    ///
    /// # Errors
    /// Returns an error if the pool takes no more jobs. A job that cannot be written as JSON fails
    /// alone.
    pub fn map_async<T, R>(&self, jobs: impl IntoIterator<Item = T>) -> Result<MapResult<R>, Error>
    where
        T: Serialize,
        R: DeserializeOwned,
    {
        let mailbox = Arc::new(Mailbox::default());
        let mut count = 0;
        for job in jobs {
            let address = Address::Call(Arc::clone(&mailbox), count);
            match encode(&job).and_then(|job| self.inbox.submit(Submission { job, address })) {
                Ok(_) => {}
                Err(error @ (Error::Closed | Error::Pool(_))) => return Err(error),
                Err(error) => mailbox.deliver(count, Err(error)),
            }
            count += 1;
        }
        Ok(MapResult {
            mailbox,
            arrived: (0..count).map(|_| None).collect(),
            missing: count,
            result: PhantomData,
        })
    }

    /// Runs all jobs like [`Pool::map`], for a task with several parameters: each job is a tuple of
    /// arguments.
    ///
    /// # Errors
    /// Returns the same errors as [`Pool::map`].
    pub fn starmap<T, R>(&self, jobs: impl IntoIterator<Item = T>) -> Result<Vec<R>, MapError>
    where
        T: Serialize,
        R: DeserializeOwned,
    {
        self.map(jobs)
    }

    /// Runs jobs as their results are taken. Results come in the order of the jobs.
    pub fn imap<I, R>(&self, jobs: I) -> Imap<I::IntoIter, R>
    where
        I: IntoIterator,
        I::Item: Serialize,
        R: DeserializeOwned,
    {
        Imap::new(Arc::clone(&self.inbox), jobs.into_iter(), true)
    }

    /// Runs jobs as their results are taken. Results come in the order in which they are ready.
    pub fn imap_unordered<I, R>(&self, jobs: I) -> Imap<I::IntoIter, R>
    where
        I: IntoIterator,
        I::Item: Serialize,
        R: DeserializeOwned,
    {
        Imap::new(Arc::clone(&self.inbox), jobs.into_iter(), false)
    }

    /// Closes the pool for new jobs. Submitted jobs are finished.
    pub fn close(&self) {
        self.inbox.close();
    }

    /// Closes the pool for new jobs, and gives up all jobs without an outcome; running jobs are
    /// killed.
    pub fn terminate(&self) {
        // The order matters: a pool without jobs must count as terminated, not as completed.
        self.inbox.command(Command::Kill);
        self.inbox.close();
    }

    /// Waits until all jobs are done, after [`Pool::close`] or [`Pool::terminate`], and returns the
    /// counts. Returns `None` if the pool had to be given up or was joined before; in a callback,
    /// which must not wait; and in a forked child, which has no pool.
    pub fn join(&self) -> Option<Summary> {
        if home::is_pool() || !self.inbox.home().is_here() {
            return None;
        }
        let mut dispatcher = self.dispatcher.lock().unwrap_or_else(PoisonError::into_inner);
        dispatcher.take().and_then(|thread| thread.join().ok().flatten())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.terminate();
        self.join();
    }
}

/// Returns the reason why a pool could not be started, with the tasks to choose from where that
/// helps.
pub(super) fn not_started(error: PoolError) -> Error {
    Error::Pool(match error {
        PoolError::Task(error) => error.to_string(),
        other => other.to_string(),
    })
}

/// Prints a guest's line to standard error: the default for lines that guests print.
fn print_with_pid(line: GuestLine<'_>) {
    let text = format!("[{}] {}", line.pid, String::from_utf8_lossy(line.bytes));
    write_line(&io::stderr(), text.as_bytes());
}

fn no_shared(error: SharedError) -> Error {
    Error::Pool(error.to_string())
}

/// The facts about a pool that are known once it has started.
struct Started {
    description: Description,
    shared: Option<Shared>,
}

/// Returns the tasks that processes can run, in the order in which jobs name them; a command comes
/// last.
pub(super) fn launchable(description: &Description) -> impl Iterator<Item = &Task> {
    let is = |command| move |task: &&Task| (task.form == Form::Command) == command;
    description.callable().filter(is(false)).chain(description.callable().filter(is(true)))
}

/// Runs the dispatcher on its own thread. The zygote dies with this thread.
fn dispatch(
    builder: Builder,
    inbox: Arc<Inbox>,
    started: &SyncSender<Result<Started, Error>>,
) -> Option<Summary> {
    home::become_pool();
    let Builder { module, mut config, mut compile, on_log, shared, every_task, .. } = builder;
    compile.deadline = config.deadline.and_then(|limit| Instant::now().checked_add(limit));
    let opened = match module {
        Module::File(path) => crate::module::read(&path)
            .map_err(|error| Error::Pool(format!("{}: {error}", path.display()))),
        Module::Bytes(bytes) => Ok(bytes),
    };
    let opened = opened.and_then(|bytes| {
        let mut session = Session::open(&bytes, compile).map_err(not_started)?;
        let description = session.description();
        if every_task {
            let settings = &mut config.settings;
            // A command cannot be initialised.
            let tasks = launchable(description)
                .filter(|task| settings.task.init.is_none() || task.form != Form::Command);
            settings.task.tasks = tasks.map(|task| task.name.clone()).collect();
        }
        session.load(&config).map_err(not_started)?;
        let shared = match (shared, session.shared()) {
            (None, Some(made)) => Some(Shared::of(Arc::clone(made)).map_err(no_shared)?),
            (given, _) => given,
        };
        Ok((Started { description: session.description().clone(), shared }, session))
    });
    let (is_started, session) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            // The receiver is there, or no longer needs the answer.
            let _ = started.send(Err(error));
            return None;
        }
    };
    let _ = started.send(Ok(is_started));
    let addresses = Addresses::default();
    let mut source = InboxSource { inbox: Arc::clone(&inbox), addresses: addresses.clone() };
    let mut router = Router { addresses, on_log };
    let mut commands = InboxCommands(Arc::clone(&inbox));
    // A callback of the program may panic, and callers that wait must hear of it.
    let ended = catch_unwind(AssertUnwindSafe(|| {
        // A panic drops the session here, so that its workers have ended before anybody hears of
        // the end.
        let mut session = session;
        let run = session.run(config, &mut source, &mut router, &mut commands);
        (run, session)
    }));
    let why = match &ended {
        Ok((Ok(_), _)) => Error::Closed,
        Ok((Err(error), _)) => Error::Pool(error.to_string()),
        Err(panic) => Error::Pool(format!("the pool's thread panicked: {}", words(&**panic))),
    };
    inbox.end(why.clone());
    router.give_up(&why);
    ended.ok().and_then(|(run, _)| run.ok())
}

/// Returns the message of a panic.
fn words(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    literal.or(panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it did not say why")
}
