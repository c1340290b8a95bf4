//! The configuration of a pool: the number of workers, and every limit.

use crate::shared::{Shared, Space};
use crate::wire::failure::FailureKind;
use crate::wire::jail::Jail;
use crate::wire::settings::{PauseAfter, Settings};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The largest number of workers of a pool: the number of slots that control memory has for them.
pub const WORKERS_MAX: usize = 960;

/// A time that no process lives to see the end of, yet every clock can still add; it stands for "no
/// limit".
pub(crate) const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The rule by which the pool stops taking jobs because of how earlier ones ended (`--halt` of GNU
/// parallel).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Halt {
    /// Runs every job, whatever happens.
    #[default]
    Never,
    /// Starts no more jobs once the limit is met; running jobs finish.
    Soon(HaltOn),
    /// Kills running jobs once the limit is met.
    Now(HaltOn),
}

/// The jobs that [`Halt`] counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HaltOn {
    /// Counts failed jobs.
    Fail(HaltLimit),
    /// Counts successful jobs.
    Success(HaltLimit),
    /// Counts jobs with any outcome.
    Done(HaltLimit),
}

/// The number of jobs at which [`Halt`] acts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HaltLimit {
    /// A number of jobs.
    Count(u64),
    /// A share of all jobs, in percent. Needs an input of known length, or acts at its end.
    Percent(f64),
}

/// The failures that `--retries` tries again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The number of extra attempts after the first.
    pub attempts: u32,
    /// The kinds of failure that are retried.
    pub on: Vec<FailureKind>,
    /// The time between a failure and the next attempt.
    pub delay: Duration,
}

impl Default for Retry {
    /// Returns a rule without retries. If attempts are added, traps, timeouts, memory failures and
    /// lost workers are retried.
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

/// The longest time of the task that initialises, if no other limit is set.
const INIT_TIMEOUT: Duration = Duration::from_secs(60);

/// The configuration of a pool.
#[derive(Clone, Debug)]
pub struct Config {
    /// The largest number of worker processes. (One more may be forked where memory is short; see
    /// ARCHITECTURE.md.)
    pub workers: usize,
    /// The settings that workers receive.
    pub settings: Settings,
    /// The shared state that workers use. If `None`, a module that uses shared state gets its own.
    pub shared: Option<Arc<Shared>>,
    /// The largest size of control memory, in bytes, if it is made for this pool.
    pub shared_bytes_max: u64,
    /// The longest time of the task that initialises ([`TaskSpec::init`](crate::wire::settings::TaskSpec::init)) if it is called once for
    /// all workers. If `None`, the limit of one attempt at a job applies, or a minute.
    pub init_timeout: Option<Duration>,
    /// The longest time of one attempt at a job.
    pub timeout: Option<Duration>,
    /// The longest time of one attempt at a job, in percent of the median of the jobs that have
    /// succeeded so far, once there are enough of them. Needs [`Probe::measured`](crate::wire::settings::Probe::measured).
    pub timeout_percent: Option<f64>,
    /// The longest time of the whole run.
    pub deadline: Option<Duration>,
    /// The failed jobs that are tried again.
    pub retry: Retry,
    /// The rule by which the run stops early.
    pub halt: Halt,
    /// The number of jobs after which a worker is replaced by a new one.
    pub jobs_per_worker_max: Option<u64>,
    /// The largest number of bytes held: inputs of unfinished jobs, and results not yet taken.
    pub buffer_bytes_max: usize,
    /// The largest number of jobs in a batch; chosen by measurement if `None`.
    pub batch_jobs_max: Option<u16>,
    /// True if the source is asked for a job only when a worker can start it at once, because the
    /// source decides when that is.
    pub paced: bool,
    /// The niceness of the pool's processes; that of this process if `None`.
    pub nice: Option<i8>,
    /// True if outcomes are handed to the sink in job order.
    pub ordered: bool,
    /// True if the sink needs each job's input with its outcome.
    pub keep_inputs: bool,
}

impl Config {
    /// Returns the size of the shared state that is made for this pool.
    pub(crate) fn space(&self) -> Space {
        let bytes = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
        Space {
            shared_bytes: bytes(self.shared_bytes_max),
            region_bytes: bytes(self.settings.limits.region_bytes_max),
        }
    }

    /// Returns the longest time of the task that initialises, if it is called once for all workers.
    pub fn init_limit(&self) -> Duration {
        self.init_timeout.or(self.timeout).unwrap_or(INIT_TIMEOUT)
    }

    /// Returns how many bytes of a command's output are kept outside its worker, for a job that may be killed.
    pub(crate) fn tape_bytes(&self) -> u64 {
        let kills = self.timeout.is_some() || self.timeout_percent.is_some();
        if kills { self.settings.limits.output_bytes_max } else { 0 }
    }

    /// Returns the configuration with limits that agree: a result also has to fit the buffer, and
    /// times have to fit the clock.
    pub(crate) fn bounded(mut self) -> Self {
        self.timeout = self.timeout.filter(|timeout| *timeout < FOREVER);
        self.deadline = self.deadline.filter(|deadline| *deadline < FOREVER);
        self.init_timeout = self.init_timeout.map(|timeout| timeout.min(FOREVER));
        self.retry.delay = self.retry.delay.min(FOREVER);
        let limits = &mut self.settings.limits;
        limits.output_bytes_max = limits.output_bytes_max.min(self.buffer_bytes_max as u64);
        limits.job_bytes_max = self.buffer_bytes_max as u64;
        self.settings.task.pause = match self.halt {
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

/// How a module is compiled, and the cost that this may have.
#[derive(Clone, Debug)]
pub struct CompileConfig {
    /// The largest amount of writable memory of the compiler process, in bytes.
    pub bytes_max: u64,
    /// The longest time of compiling.
    pub timeout: Duration,
    /// The time by which everything must be done: compiling, initialising, and the jobs of every
    /// run. No limit if `None`.
    pub deadline: Option<Instant>,
    /// True if jobs will have a limit of fuel, which changes the machine code.
    pub fuel: bool,
    /// True if functions are inlined across the modules of a component. Inlining makes Python an
    /// eighth faster and takes ten times the memory to compile. A module in the cache that was
    /// compiled without inlining is compiled again.
    pub inline: bool,
    /// True if a module is compiled even though the host does not provide what it imports
    /// ([`TaskSpec::stub_imports`](crate::wire::settings::TaskSpec::stub_imports)).
    pub stub_imports: bool,
    /// How the processes that compile the module and run guests are confined.
    pub jail: Jail,
    /// The part that has a meaning on this host only.
    pub host: HostOnly,
}

/// The part of a configuration that has a meaning on this host and in this process only.
#[derive(Clone, Debug)]
pub struct HostOnly {
    /// True if compiled modules are read from and written to the user's cache folder.
    pub cache: bool,
    /// The function that is called when a module has to be compiled, before compiling begins.
    pub on_compile: OnCompile,
    /// The program to run as the zygote if the embedding program does not contain this crate.
    pub executable: Option<PathBuf>,
}

impl Default for HostOnly {
    fn default() -> Self {
        HostOnly { cache: true, on_compile: OnCompile::default(), executable: None }
    }
}

impl Default for CompileConfig {
    fn default() -> Self {
        CompileConfig {
            bytes_max: 4 << 30,
            timeout: Duration::from_secs(600),
            deadline: None,
            fuel: false,
            inline: false,
            stub_imports: false,
            jail: Jail::default(),
            host: HostOnly::default(),
        }
    }
}

/// A function that is called when a module has to be compiled.
#[derive(Clone, Default)]
pub struct OnCompile(Option<Arc<dyn Fn() + Send + Sync>>);

impl OnCompile {
    /// Makes a hook that calls this function.
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

/// A limit that was crossed by compiling a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompileLimit {
    /// The limit of memory, in bytes.
    Memory(u64),
    /// The limit of time.
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
