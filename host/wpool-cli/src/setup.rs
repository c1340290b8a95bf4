//! The set-up of a pool: the one place where flags become settings of workers and limits of a run.

use super::flags::{GrantFlags, LimitFlags, ModuleFlags, ScratchFlags};
use wpool::pool::config::Config;
use wpool::wire::settings::{Grants, Limits, Probe, Settings, TaskSpec};

/// The groups of flags that set up a pool, whatever the subcommand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup<'a> {
    /// The limits of jobs.
    pub(crate) limits: &'a LimitFlags,
    /// The grants of guests.
    pub(crate) grants: &'a GrantFlags,
    /// The scratch folders of jobs, for subcommands whose jobs may have one.
    pub(crate) scratch: Option<&'a ScratchFlags>,
    /// The treatment of modules that were not made for wpool.
    pub(crate) foreign: &'a ModuleFlags,
}

impl Setup<'_> {
    /// Returns the configuration for a task whose jobs may print this many bytes, and are measured
    /// by `probe`. All that these flags do not set has its default.
    pub(crate) fn config(&self, task: TaskSpec, log_bytes_max: u64, probe: Probe) -> Config {
        let limits = self.limits;
        let settings = Settings {
            task: self.foreign.apply(task),
            limits: Limits { log_bytes_max, ..limits.of_jobs() },
            grants: Grants {
                scratch: self.scratch.and_then(ScratchFlags::folder),
                ..self.grants.granted()
            },
            probe,
        };
        Config {
            settings,
            shared_bytes_max: limits.shared_space,
            init_timeout: limits.init_timeout,
            timeout: limits.timeout(),
            timeout_percent: limits.timeout_percent(),
            deadline: limits.deadline,
            ..Config::default()
        }
    }
}
