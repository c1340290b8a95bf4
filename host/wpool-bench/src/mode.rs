//! Modes: the ways in which the same jobs are run.

use super::findings::Group;
use clap::ValueEnum;
use wpool::wire::settings::Isolation;

/// A way to run jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// A shared library, in one process.
    Native,
    /// A shared library, in the threads of one process.
    Threads,
    /// A shared library, in the workers of a pool.
    NativeWorkers,
    /// WebAssembly in one process.
    Wasm,
    /// WebAssembly in workers, an instance for each.
    Reuse,
    /// WebAssembly in workers, an instance for each job.
    Fresh,
    /// WebAssembly in workers, a process for each job.
    Process,
    /// A Python function, in one process.
    PythonSerial,
    /// The same in `multiprocessing.Pool`.
    Python,
    /// xargs, a process of a native program for each job.
    Xargs,
    /// GNU parallel, likewise.
    Parallel,
}

/// The way in which a mode is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A single process runs all jobs.
    Alone {
        /// True if the tasks are in a shared library.
        native: bool,
    },
    /// A pool of workers runs the jobs.
    Pool {
        /// True if the tasks are in a shared library.
        native: bool,
        /// The isolation of jobs from one another.
        isolation: Isolation,
    },
    /// Another program runs the jobs.
    Program,
}

impl Mode {
    /// The modes in the order in which they are shown.
    pub const ALL: [Mode; 11] = [
        Mode::Native,
        Mode::Threads,
        Mode::NativeWorkers,
        Mode::Wasm,
        Mode::Reuse,
        Mode::Fresh,
        Mode::Process,
        Mode::PythonSerial,
        Mode::Python,
        Mode::Xargs,
        Mode::Parallel,
    ];

    /// Returns the mode's name in results.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Native => "native",
            Mode::Threads => "native threads",
            Mode::NativeWorkers => "native workers",
            Mode::Wasm => "wasm",
            Mode::Reuse => "wasm reuse",
            Mode::Fresh => "wasm fresh",
            Mode::Process => "wasm process",
            Mode::PythonSerial => "python",
            Mode::Python => "python pool",
            Mode::Xargs => "xargs",
            Mode::Parallel => "GNU parallel",
        }
    }

    /// Returns the kind of program that runs the task.
    pub fn group(self) -> Group {
        match self.way() {
            Way::Alone { native: true } | Way::Pool { native: true, .. } => Group::Native,
            Way::Alone { native: false } | Way::Pool { native: false, .. } => Group::Wasm,
            Way::Program => Group::Peer,
        }
    }

    /// Returns the way in which the mode is run.
    pub fn way(self) -> Way {
        match self {
            Mode::Native | Mode::Threads => Way::Alone { native: true },
            Mode::Wasm => Way::Alone { native: false },
            Mode::NativeWorkers => Way::Pool { native: true, isolation: Isolation::Reuse },
            Mode::Reuse => Way::Pool { native: false, isolation: Isolation::Reuse },
            Mode::Fresh => Way::Pool { native: false, isolation: Isolation::Fresh },
            Mode::Process => Way::Pool { native: false, isolation: Isolation::Process },
            Mode::PythonSerial | Mode::Python | Mode::Xargs | Mode::Parallel => Way::Program,
        }
    }

    /// Returns whether there are several workers or threads.
    pub fn is_parallel(self) -> bool {
        !matches!(self, Mode::Native | Mode::Wasm | Mode::PythonSerial)
    }
}

/// A mode with a number of workers, for one of the modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contender {
    /// The place of the module among those measured. A mode without a module has the first, because
    /// all modules take the same jobs.
    pub module: usize,
    /// The way in which jobs are run.
    pub mode: Mode,
    /// The number of processes or threads.
    pub workers: usize,
}
