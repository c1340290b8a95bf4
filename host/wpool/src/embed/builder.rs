//! The builder of pools, launchers and processes.

use super::error::Error;
use super::pool::Pool;
use super::reply::{GuestLine, OnLog};
use super::shared::Shared;
use crate::pool::config::{CompileConfig, Config};
use crate::wire::directory::Directory;
use crate::wire::jail::JailMode;
use crate::wire::scratch::Scratch;
use crate::wire::settings::{Isolation, Settings};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A builder of a [`Pool`], a [`Launcher`](super::Launcher) or a [`Process`](super::Process).
///
/// Settings that have no method of their own are changed by [`Builder::config`].
pub struct Builder<Of = Pool> {
    pub(super) module: Module,
    pub(super) config: Config,
    pub(super) compile: CompileConfig,
    pub(super) on_log: OnLog,
    pub(super) shared: Option<Shared>,
    /// True if jobs name their tasks, which may be any of the module's tasks.
    pub(super) every_task: bool,
    of: PhantomData<fn() -> Of>,
}

/// The place of a module's bytes.
pub(super) enum Module {
    /// The bytes are in a file.
    File(PathBuf),
    /// The bytes are in memory.
    Bytes(Vec<u8>),
}

impl<Of> Builder<Of> {
    pub(super) fn new(module: Module, on_log: OnLog) -> Builder<Of> {
        let name = match &module {
            Module::File(path) => path.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
            Module::Bytes(_) => None,
        };
        let mut config = Config { ordered: false, ..Config::default() };
        config.settings.task.command.name = name.unwrap_or_else(|| "command".into());
        config.settings.task.command.append = true;
        Builder {
            module,
            config,
            compile: CompileConfig::default(),
            on_log,
            shared: None,
            every_task: false,
            of: PhantomData,
        }
    }

    /// Returns a builder with the same settings for something else.
    pub(super) fn retarget<To>(self) -> Builder<To> {
        let Builder { module, config, compile, on_log, shared, every_task, .. } = self;
        Builder { module, config, compile, on_log, shared, every_task, of: PhantomData }
    }

    /// Sets the longest time of one attempt at a job; there is no limit unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.config.timeout = Some(timeout);
        self
    }

    /// Sets a task that is called once before the first job, without arguments. Workers are forked
    /// from the process in which it was called. With [`Isolation::Fresh`] it is called once in each
    /// instance.
    #[must_use]
    pub fn init(mut self, task: impl Into<String>) -> Self {
        self.config.settings.task.init = Some(task.into());
        self
    }

    /// Sets the longest time of the task of [`Builder::init`]. Unless set, it is the time of one
    /// attempt at a job, or a minute if that has no limit.
    #[must_use]
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.config.init_timeout = Some(timeout);
        self
    }

    /// Sets the greatest size of an instance's call stack in bytes, from 64 KiB to 64 MiB; 1 MiB
    /// unless set.
    #[must_use]
    pub fn stack(mut self, bytes: u64) -> Self {
        self.config.settings.limits.stack_bytes_max = bytes;
        self
    }

    /// Sets the greatest amount of memory for compiling the module, in bytes; 4 GiB unless set.
    #[must_use]
    pub fn compile_memory(mut self, bytes: u64) -> Self {
        self.compile.bytes_max = bytes;
        self
    }

    /// Sets the longest time for compiling the module; ten minutes unless set.
    #[must_use]
    pub fn compile_timeout(mut self, timeout: Duration) -> Self {
        self.compile.timeout = timeout;
        self
    }

    /// Sets the greatest size of an instance's linear memory in bytes; 1 GiB unless set.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.config.settings.limits.memory_bytes_max = bytes;
        self
    }

    /// Sets the greatest number of instructions (wasmtime fuel) of a job; there is no limit unless
    /// set.
    #[must_use]
    pub fn fuel(mut self, fuel: u64) -> Self {
        self.config.settings.limits.fuel = Some(fuel);
        self.compile.fuel = true;
        self
    }

    /// Replaces functions that the module imports and nobody provides by functions that trap when
    /// they are called. Unless set, such a module is an error.
    #[must_use]
    pub fn stub_imports(mut self) -> Self {
        self.config.settings.task.stub_imports = true;
        self.compile.stub_imports = true;
        self
    }

    /// Grants guests an environment variable.
    #[must_use]
    pub fn env(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.settings.grants.env.push((key.into(), value.into()));
        self
    }

    /// Grants guests a folder of the host. The folder is opened when the pool starts, and stays the
    /// same whatever its name leads to later.
    #[must_use]
    pub fn dir(
        mut self,
        host: impl AsRef<Path>,
        guest: impl Into<String>,
        read_only: bool,
    ) -> Self {
        self.config.settings.grants.dirs.push(Directory::new(host, guest, read_only));
        self
    }

    /// Gives each job an empty folder of its own, which is removed after the job. Guests see the
    /// folder under this path, and may write up to `bytes_max` bytes there.
    #[must_use]
    pub fn scratch(mut self, guest: impl Into<String>, bytes_max: u64) -> Self {
        self.config.settings.grants.scratch = Some(Scratch { guest: guest.into(), bytes_max });
        self
    }

    /// Lets the tasks use this shared state. Unless set, a module that uses shared objects gets
    /// state of its own, see [`Pool::shared`].
    #[must_use]
    pub fn shared(mut self, shared: &Shared) -> Self {
        shared.lend_to(&mut self.config);
        self.shared = Some(shared.clone());
        self
    }

    /// Sets the function that receives the lines that guests print. Unless set, lines go to
    /// standard error, each after its worker's process id.
    ///
    /// The function is called on the pool's thread and must be quick. It may submit jobs but not
    /// wait for any, and an operation on a shared object for which it would have to wait fails. If
    /// the function panics, the pool is given up: all callers that wait for the pool get an
    /// [`Error::Pool`].
    #[must_use]
    pub fn on_log(mut self, on_log: impl Fn(GuestLine<'_>) + Send + 'static) -> Self {
        self.on_log = Box::new(on_log);
        self
    }

    /// How the processes that compile the module and run its tasks are confined; [`JailMode::Auto`] unless set: by
    /// all that the kernel has.
    #[must_use]
    pub fn jail(mut self, mode: JailMode) -> Self {
        self.compile.jail.mode = mode;
        self
    }

    /// Sets whether compiled modules are read from and written to the user's cache folder (true
    /// unless set).
    #[must_use]
    pub fn cache(mut self, cache: bool) -> Self {
        self.compile.host.cache = cache;
        self
    }

    /// Sets the path of the `wpool` program, for a program whose own executable does not contain
    /// this crate (a plug-in inside another program).
    #[must_use]
    pub fn executable(mut self, path: impl Into<PathBuf>) -> Self {
        self.compile.host.executable = Some(path.into());
        self
    }

    /// Changes any of the other settings.
    #[must_use]
    pub fn config(mut self, change: impl FnOnce(&mut Config, &mut Settings)) -> Self {
        let mut settings = std::mem::take(&mut self.config.settings);
        change(&mut self.config, &mut settings);
        self.config.settings = settings;
        self
    }
}

impl Builder<Pool> {
    /// Sets the task to call; may be left out if the module has only one.
    #[must_use]
    pub fn task(mut self, name: impl Into<String>) -> Self {
        self.config.settings.task.name = Some(name.into());
        self
    }

    /// Sets the greatest number of worker processes; the number of usable CPUs unless set.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.config.workers = workers;
        self
    }

    /// Sets when an instance is thrown away; [`Isolation::Reuse`] unless set.
    #[must_use]
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.config.settings.task.isolation = isolation;
        self
    }

    /// Sets the number of jobs after which a worker is replaced (Python's `maxtasksperchild`);
    /// never unless set.
    #[must_use]
    pub fn jobs_per_worker(mut self, jobs: u64) -> Self {
        self.config.jobs_per_worker_max = Some(jobs);
        self
    }

    /// Sets the number of extra attempts at a job that failed by a trap, a timeout, its memory, or
    /// its worker's death.
    #[must_use]
    pub fn retries(mut self, attempts: u32) -> Self {
        self.config.retry.attempts = attempts;
        self
    }

    /// Starts the pool: starts its zygote, which compiles and loads the module. Workers are forked
    /// when there are jobs for them.
    ///
    /// # Errors
    /// Returns [`Error::Pool`] if the module cannot be used, or the system does not allow a pool.
    pub fn start(self) -> Result<Pool, Error> {
        if self.config.workers == 0 {
            return Err(Error::Pool("a pool needs at least one worker".into()));
        }
        if self.config.jobs_per_worker_max == Some(0) {
            return Err(Error::Pool("a worker needs at least one job".into()));
        }
        Pool::start(Builder { config: self.config.bounded(), ..self })
    }
}
