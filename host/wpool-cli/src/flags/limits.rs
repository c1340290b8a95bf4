//! The flags that say how jobs are run, what they may cost, and what guests are granted.

use super::grammar::{self, Timeout};
use crate::cli::input::pacing::Conditions;
use crate::cli::report::Report;
use crate::cli::units;
use clap::Args;
use std::time::{Duration, Instant};
use wpool::pool::config::{CompileConfig, Halt, HaltLimit, HaltOn, HostOnly, Retry};
use wpool::wire::directory::Directory;
use wpool::wire::failure::FailureKind;
use wpool::wire::scratch::Scratch;
use wpool::wire::settings::{Grants, Isolation, Limits};

/// The flags for the task of `wpool map`, and for its workers.
#[derive(Args, Debug)]
#[command(next_help_heading = "Workers")]
pub(crate) struct PoolFlags {
    /// Worker processes: a number, a share of the usable CPUs (50%), more or fewer than there are of them
    /// (+1, -1), or as many as there are jobs (0) [default: usable CPUs]
    #[arg(short = 'j', long, value_name = "N|N%|+N|-N", value_parser = grammar::workers,
          allow_hyphen_values = true, visible_alias = "jobs", visible_short_alias = 'P',
          aliases = ["max-procs", "processes", "max-workers"])]
    pub(crate) workers: Option<usize>,

    /// The task to call, where the module has several
    #[arg(long, value_name = "NAME")]
    pub(crate) task: Option<String>,

    /// Call this task once before the first job, and fork the workers from there; with `--isolation
    /// fresh`, once in each instance
    #[arg(long, value_name = "TASK")]
    pub(crate) init: Option<String>,

    /// When a guest instance is thrown away: `reuse` (after a trap), `fresh` (after each job) or
    /// `process` (after each job, with its process)
    #[arg(long, value_name = "HOW", default_value = "reuse", value_parser = grammar::isolation(),
          hide_possible_values = true)]
    pub(crate) isolation: Isolation,

    /// Replace a worker after this many jobs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..),
          aliases = ["maxtasksperchild", "max-tasks-per-child"])]
    pub(crate) max_jobs_per_worker: Option<u64>,

    /// Most jobs sent to a worker at once [default: as many as run in about a millisecond]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096),
          alias = "chunksize")]
    pub(crate) batch: Option<u16>,

    /// Least time between the starts of two jobs
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = units::duration,
          help_heading = "When jobs start")]
    delay: Duration,

    /// Start a job only while fewer processes than this run on the machine, by themselves or as a share of the
    /// usable CPUs (100%)
    #[arg(long, value_name = "N|N%|+N|-N", value_parser = grammar::load,
          allow_hyphen_values = true, help_heading = "When jobs start")]
    load: Option<f64>,

    /// Start a job only while so much memory is available
    #[arg(long, value_name = "SIZE", value_parser = units::size, help_heading = "When jobs start")]
    memfree: Option<u64>,

    /// Run workers with this niceness, from -20 (first served) to 19
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i8).range(-20..=19),
          allow_hyphen_values = true)]
    pub(crate) nice: Option<i8>,

    /// Load and check everything, print each job as it would be run, and run nothing
    #[arg(long, alias = "dryrun")]
    pub(crate) dry_run: bool,
}

impl PoolFlags {
    /// Returns the conditions under which a job may start.
    pub(crate) fn conditions(&self) -> Conditions {
        Conditions { delay: self.delay, load: self.load, memory_free: self.memfree }
    }
}

/// The flags for jobs that fail, and for runs that end early.
#[derive(Args, Debug)]
#[command(next_help_heading = "Workers")]
pub(crate) struct PolicyFlags {
    /// Run a failed job up to N more times
    #[arg(long, value_name = "N", default_value_t = 0)]
    retries: u32,

    /// Failures that are tried again: trap, timeout, memory, crash, fuel, exit, error
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = grammar::retry_on(),
          default_value = "trap,timeout,memory,crash", hide_possible_values = true)]
    retry_on: Vec<FailureKind>,

    /// Time between a failure and the next attempt
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = units::duration)]
    retry_delay: Duration,

    /// When to stop early: `never`, or `soon` or `now` (killing running jobs), then `fail`,
    /// `success` or `done`, then how many jobs: now,fail=1 or soon,fail=20%
    #[arg(long, value_name = "WHEN", default_value = "never", value_parser = grammar::halt,
          allow_hyphen_values = true, alias = "halt-on-error")]
    halt: Halt,

    /// Stop at the first failed job: --halt now,fail=1
    #[arg(long)]
    fail_fast: bool,

    /// Time that running jobs have after SIGTERM before they are killed
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = units::duration)]
    pub(crate) grace: Duration,

    /// Do not keep the compiled module in the user's cache folder
    #[arg(long)]
    pub(crate) no_cache: bool,
}

impl PolicyFlags {
    /// Returns the rule for retrying failed jobs.
    pub(crate) fn retry(&self) -> Retry {
        Retry { attempts: self.retries, on: self.retry_on.clone(), delay: self.retry_delay }
    }

    /// Returns the rule for stopping early.
    pub(crate) fn halt(&self) -> Halt {
        match self.fail_fast {
            true => Halt::Now(HaltOn::Fail(HaltLimit::Count(1))),
            false => self.halt,
        }
    }
}

/// The flags for the cost of compiling a module.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct CompileLimitFlags {
    /// Most memory for compiling the module, where it is not in the cache
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = units::size)]
    compile_memory: u64,

    /// Longest time for compiling the module, where it is not in the cache
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = units::limit)]
    compile_timeout: Duration,
}

impl CompileLimitFlags {
    /// Returns the limits on compiling.
    pub(crate) fn config(&self) -> CompileConfig {
        CompileConfig {
            bytes_max: self.compile_memory,
            timeout: self.compile_timeout,
            ..CompileConfig::default()
        }
    }
}

/// The flags for the cost of jobs. Sizes take units: 64MiB, 1G, 512k.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitFlags {
    /// Longest time of one attempt at a job: 0.5 (seconds), 200ms, 1m, or a share of the median of the jobs
    /// that have succeeded so far: 200% [default: none]
    #[arg(long, value_name = "DURATION|N%", value_parser = grammar::timeout)]
    timeout: Option<Timeout>,

    /// Longest time of the whole run, with what is done before its first job [default: none]
    #[arg(long, value_name = "DURATION", value_parser = units::limit)]
    pub(crate) deadline: Option<Duration>,

    /// Longest time of the task of --init [default: that of --timeout, or else 1m]
    #[arg(long, value_name = "DURATION", value_parser = units::limit)]
    pub(crate) init_timeout: Option<Duration>,

    /// Most linear memory of a guest
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = units::size)]
    pub(crate) memory: u64,

    /// Most call stack of a guest, which it needs to recurse deeply
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = grammar::stack)]
    pub(crate) stack: u64,

    /// Most memory of all regions together, and of those that one guest has mapped
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = units::size)]
    pub(crate) region_space: u64,

    /// Most memory of all other shared objects: the contents of queues and arrays
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = units::size)]
    pub(crate) shared_space: u64,

    /// Instructions a job may use, counted by wasmtime: a limit that does not depend on the machine
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) fuel: Option<u64>,

    /// Largest result
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = units::size)]
    pub(crate) max_output: u64,

    #[command(flatten)]
    compile: CompileLimitFlags,
}

/// The flags for the memory that jobs and results take on their way.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct BufferFlags {
    /// Most bytes that a job may print; the rest is cut
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = units::size)]
    pub(crate) max_log: u64,

    /// Most memory for jobs and results on their way; also the largest job
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = grammar::buffer)]
    pub(crate) max_buffer: usize,
}

impl LimitFlags {
    /// Returns the longest time of one attempt at a job, if it is the same for all jobs.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        match self.timeout {
            Some(Timeout::Fixed(timeout)) => Some(timeout),
            Some(Timeout::OfMedian(_)) | None => None,
        }
    }

    /// Returns the longest time of one attempt in percent of the median of successes, if it is
    /// given in this way.
    pub(crate) fn timeout_percent(&self) -> Option<f64> {
        match self.timeout {
            Some(Timeout::OfMedian(percent)) => Some(percent),
            Some(Timeout::Fixed(_)) | None => None,
        }
    }

    /// Refuses a timeout that depends on other jobs, for a subcommand whose jobs are not alike.
    ///
    /// # Errors
    /// Fails if the timeout is a share.
    pub(crate) fn refuse_share(&self, subcommand: &str) -> Result<(), Report> {
        match self.timeout_percent() {
            None => Ok(()),
            Some(percent) => Err(Report::usage(format!(
                "--timeout {percent}% has no meaning for `wpool {subcommand}`: jobs that ended tell nothing \
                 of others"
            ))
            .help("give a time: --timeout 2s")),
        }
    }

    /// Returns the limits on compiling, with the cache or without it.
    pub(crate) fn compile(&self, cache: bool) -> CompileConfig {
        let host = HostOnly { cache, ..HostOnly::default() };
        CompileConfig { host, fuel: self.fuel.is_some(), ..self.compile.config() }
    }

    /// Returns the limits on compiling, for a run that `--deadline` bounds from now on.
    pub(crate) fn compile_now(&self, cache: bool) -> CompileConfig {
        let deadline = self.deadline.and_then(|limit| Instant::now().checked_add(limit));
        CompileConfig { deadline, ..self.compile(cache) }
    }

    /// Returns the limits of jobs.
    pub(crate) fn of_jobs(&self) -> Limits {
        Limits {
            memory_bytes_max: self.memory,
            stack_bytes_max: self.stack,
            region_bytes_max: self.region_space,
            fuel: self.fuel,
            output_bytes_max: self.max_output,
            ..Limits::default()
        }
    }
}

/// The flags for what guests are granted: nothing, unless a flag says so.
#[derive(Args, Debug)]
#[command(next_help_heading = "Grants")]
pub(crate) struct GrantFlags {
    /// Let guests see an environment variable; the last of one name counts
    #[arg(long, value_name = "KEY=VALUE", value_parser = grammar::variable)]
    env: Vec<(String, String)>,

    /// Let guests use a folder, under the same or another name; `ro`: only read it
    #[arg(long, value_name = "HOST[::GUEST[::ro]]", value_parser = grammar::directory)]
    pub(crate) dir: Vec<Directory>,

    /// What a command finds as its own name, argv[0] [default: the module's file name]
    #[arg(long, value_name = "NAME")]
    pub(crate) argv0: Option<String>,

    /// Make guests' random numbers the same in every run
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Stop guests' clocks at a time: 2026-01-31T12:00:00Z, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = grammar::clock)]
    pub(crate) clock: Option<u64>,
}

/// An empty folder for each job.
#[derive(Args, Debug)]
#[command(next_help_heading = "Grants")]
pub(crate) struct ScratchFlags {
    /// Give each job an empty folder of its own, under this name [if none is given: /tmp], which is removed
    /// after the job
    #[arg(long, value_name = "GUEST", num_args = 0..=1, require_equals = true,
          default_missing_value = "/tmp", value_parser = grammar::guest_path)]
    scratch: Option<String>,

    /// Most bytes that a job may have there, looked at some times a second
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = units::size)]
    scratch_size: u64,
}

impl ScratchFlags {
    /// Returns the folder that each job finds empty.
    pub(crate) fn folder(&self) -> Option<Scratch> {
        let guest = self.scratch.clone()?;
        Some(Scratch { guest, bytes_max: self.scratch_size })
    }
}

impl GrantFlags {
    /// Returns the grants of guests.
    pub(crate) fn granted(&self) -> Grants {
        Grants {
            env: self.variables(),
            dirs: self.dir.clone(),
            seed: self.seed,
            clock: self.clock,
            ..Grants::default()
        }
    }

    /// Returns the variables, the last of each name.
    fn variables(&self) -> Vec<(String, String)> {
        let again = |at: usize, key: &str| self.env[at + 1..].iter().any(|(other, _)| other == key);
        let last = self.env.iter().enumerate().filter(|(at, (key, _))| !again(*at, key));
        last.map(|(_, variable)| variable.clone()).collect()
    }
}
