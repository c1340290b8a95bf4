//! What a pool is told at its start: how many workers, and every limit.

use crate::shared::{Shared, Space};
use crate::wire::failure::FailureKind;
use crate::wire::settings::{PauseAfter, Settings};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most workers of a pool: the slots that control memory has for them.
pub const WORKERS_MAX: usize = 960;

/// A time that nobody lives to see the end of, and that every clock can still add: as long as no limit.
pub(crate) const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// When the pool stops taking jobs because of how earlier ones ended (GNU parallel's `--halt`).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Halt {
    /// Run every job whatever happens.
    #[default]
    Never,
    /// Start no more jobs once the limit is met; running ones finish.
    Soon(HaltOn),
    /// Kill running jobs once the limit is met.
    Now(HaltOn),
}

/// What is counted for [`Halt`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HaltOn {
    /// Failed jobs.
    Fail(HaltLimit),
    /// Successful jobs.
    Success(HaltLimit),
    /// Jobs with any outcome.
    Done(HaltLimit),
}

/// How many make [`Halt`] act.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HaltLimit {
    /// This many.
    Count(u64),
    /// This share of all jobs, in percent; needs an input of known length, or its end.
    Percent(f64),
}

/// Which failures `--retries` tries again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Extra attempts after the first.
    pub attempts: u32,
    /// Kinds of failure that are tried again.
    pub on: Vec<FailureKind>,
    /// Time between a failure and the next attempt.
    pub delay: Duration,
}

impl Default for Retry {
    /// No retries; were there any, of traps, timeouts, memory and lost workers.
    fn default() -> Self {
        Retry {
            attempts: 0,
            on: vec![
                FailureKind::Trap,
                FailureKind::Timeout,
                FailureKind::OutOfMemory,
                FailureKind::WorkerLost,
            ],
            delay: Duration::ZERO,
        }
    }
}

/// Longest time of a task that initialises where nothing says otherwise.
const INIT_TIMEOUT: Duration = Duration::from_secs(60);

/// Everything a pool is told at its start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Most worker processes (one more may be forked where memory is short; see ARCHITECTURE.md).
    pub workers: usize,
    /// What workers are told.
    pub settings: Settings,
    /// Shared state that workers take part in. A module that uses any gets some of its own where this
    /// is `None`.
    pub shared: Option<Arc<Shared>>,
    /// Most bytes of control memory, where it is made for this pool.
    pub shared_bytes_max: u64,
    /// Longest time of the task that initialises ([`Settings::init`]), where it is called once for all
    /// workers; where this is `None`, that of one attempt at a job, or a minute.
    pub init_timeout: Option<Duration>,
    /// Longest time of one attempt at a job.
    pub timeout: Option<Duration>,
    /// Longest time of one attempt at a job, in percent of the median of the jobs that have succeeded so far,
    /// once there are enough of them. Needs [`Settings::measured`].
    pub timeout_percent: Option<f64>,
    /// Longest time of the whole run.
    pub deadline: Option<Duration>,
    /// Which failed jobs are tried again.
    pub retry: Retry,
    /// When to stop early.
    pub halt: Halt,
    /// Jobs after which a worker is replaced by a new one.
    pub jobs_per_worker_max: Option<u64>,
    /// Most bytes held: inputs of unfinished jobs and results not yet taken.
    pub buffer_bytes_max: usize,
    /// Most jobs in a batch; chosen by measurement when `None`.
    pub batch_jobs_max: Option<u16>,
    /// Whether the source is asked for a job only when a worker can start with it at once, because the source
    /// decides when that is.
    pub paced: bool,
    /// Niceness of the processes of the pool; that of this process when `None`.
    pub nice: Option<i8>,
    /// Whether outcomes are handed to the sink in job order.
    pub ordered: bool,
    /// Whether the sink wants each job's input with its outcome.
    pub keep_inputs: bool,
}

impl Config {
    /// How large shared state is that is made for this pool.
    pub(crate) fn space(&self) -> Space {
        let bytes = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
        Space {
            shared_bytes: bytes(self.shared_bytes_max),
            region_bytes: bytes(self.settings.region_bytes_max),
        }
    }

    /// Longest time of the task that initialises, where it is called once for all workers.
    pub fn init_limit(&self) -> Duration {
        self.init_timeout.or(self.timeout).unwrap_or(INIT_TIMEOUT)
    }

    /// The same, with limits that agree: a result has to fit the buffer as well, and times the clock.
    pub(crate) fn bounded(mut self) -> Self {
        self.timeout = self.timeout.filter(|timeout| *timeout < FOREVER);
        self.deadline = self.deadline.filter(|deadline| *deadline < FOREVER);
        self.init_timeout = self.init_timeout.map(|timeout| timeout.min(FOREVER));
        self.retry.delay = self.retry.delay.min(FOREVER);
        let settings = &mut self.settings;
        settings.output_bytes_max = settings.output_bytes_max.min(self.buffer_bytes_max as u64);
        settings.job_bytes_max = self.buffer_bytes_max as u64;
        settings.pause = match self.halt {
            Halt::Never => PauseAfter::Nothing,
            Halt::Soon(HaltOn::Fail(_)) | Halt::Now(HaltOn::Fail(_)) => PauseAfter::Failure,
            Halt::Soon(_) | Halt::Now(_) => PauseAfter::AnyJob,
        };
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            workers: super::cpus::usable(),
            settings: Settings::default(),
            shared: None,
            shared_bytes_max: 256 << 20,
            init_timeout: None,
            timeout: None,
            timeout_percent: None,
            deadline: None,
            retry: Retry::default(),
            halt: Halt::default(),
            jobs_per_worker_max: None,
            buffer_bytes_max: 64 << 20,
            batch_jobs_max: None,
            paced: false,
            nice: None,
            ordered: true,
            keep_inputs: false,
        }
    }
}

/// What compiling a module may cost, and where the result is kept.
#[derive(Clone, Debug)]
pub struct CompileConfig {
    /// Whether compiled modules are read from and written to the user's cache folder.
    pub cache: bool,
    /// Most bytes of writable memory of the compiler process.
    pub bytes_max: u64,
    /// Longest compile time.
    pub timeout: Duration,
    /// When all must be done: compiling, initialising, and the jobs of every run. No such time if `None`.
    pub deadline: Option<Instant>,
    /// Whether jobs will have a limit of fuel (it changes the machine code).
    pub fuel: bool,
    /// Whether functions are inlined across the modules of a component, which makes Python an eighth faster,
    /// and takes ten times the memory to compile. What is in the cache is compiled again for this.
    pub inline: bool,
    /// Whether a module is compiled although nobody provides what it imports ([`Settings::stub_imports`]).
    pub stub_imports: bool,
    /// What is called when a module has to be compiled, before that begins.
    pub on_compile: OnCompile,
    /// The program to run as zygote where the embedding program lacks this crate.
    pub executable: Option<PathBuf>,
}

impl Default for CompileConfig {
    fn default() -> Self {
        CompileConfig {
            cache: true,
            bytes_max: 4 << 30,
            timeout: Duration::from_secs(600),
            deadline: None,
            fuel: false,
            inline: false,
            stub_imports: false,
            on_compile: OnCompile::default(),
            executable: None,
        }
    }
}

/// A function that is called when a module has to be compiled.
#[derive(Clone, Default)]
pub struct OnCompile(Option<Arc<dyn Fn() + Send + Sync>>);

impl OnCompile {
    /// Has this function called.
    pub fn new(call: impl Fn() + Send + Sync + 'static) -> OnCompile {
        OnCompile(Some(Arc::new(call)))
    }

    pub(super) fn call(&self) {
        if let Some(call) = &self.0 {
            call();
        }
    }
}

impl fmt::Debug for OnCompile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnCompile").field(&self.0.is_some()).finish()
    }
}

/// A limit that compiling a module has crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompileLimit {
    /// That of its memory, in bytes.
    Memory(u64),
    /// That of its time.
    Time(Duration),
}

impl fmt::Display for CompileLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompileLimit::Memory(bytes) => {
                write!(f, "needs more than {} MiB of memory", bytes >> 20)
            }
            CompileLimit::Time(time) => write!(f, "takes longer than {} s", time.as_secs_f64()),
        }
    }
}
