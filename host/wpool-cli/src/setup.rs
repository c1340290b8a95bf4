//! How a pool is set up: the one place where flags become settings of workers and limits of a run.

use super::flags::{GrantFlags, LimitFlags, ModuleFlags, ScratchFlags};
use wpool::pool::config::Config;
use wpool::wire::settings::{Grants, Limits, Probe, Settings, TaskSpec};

/// The groups of flags that say how a pool is set up, whatever the subcommand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup<'a> {
    /// What jobs may cost.
    pub(crate) limits: &'a LimitFlags,
    /// What guests are granted.
    pub(crate) grants: &'a GrantFlags,
    /// What scratch folder jobs have, for subcommands whose jobs may have one.
    pub(crate) scratch: Option<&'a ScratchFlags>,
    /// How the module is taken.
    pub(crate) foreign: &'a ModuleFlags,
}

impl Setup<'_> {
    /// Returns the configuration that the flags amount to: its `task` calls what `task` says, jobs may print so
    /// many bytes, and `probe` says what is measured of them. What no shared flag is about is as by default.
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
