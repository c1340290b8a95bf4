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

/// How a mode is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// All jobs in one process.
    Alone {
        /// Whether a shared library runs them.
        native: bool,
    },
    /// In a pool of workers.
    Pool {
        /// Whether a shared library runs them.
        native: bool,
        /// How jobs are kept apart.
        isolation: Isolation,
    },
    /// By another program.
    Program,
}

impl Mode {
    /// All of them, in the order in which they are shown.
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

    /// What it is called where results are shown.
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

    /// Who runs the task.
    pub fn group(self) -> Group {
        match self.way() {
            Way::Alone { native: true } | Way::Pool { native: true, .. } => Group::Native,
            Way::Alone { native: false } | Way::Pool { native: false, .. } => Group::Wasm,
            Way::Program => Group::Peer,
        }
    }

    /// How the mode is run.
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

    /// Whether there are several workers or threads.
    pub fn is_parallel(self) -> bool {
        !matches!(self, Mode::Native | Mode::Wasm | Mode::PythonSerial)
    }
}

/// A mode with so many workers, for one of the modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contender {
    /// Which module; of modes without one, the first, whose jobs are everybody's.
    pub module: usize,
    /// The way in which jobs are run.
    pub mode: Mode,
    /// How many processes or threads there are.
    pub workers: usize,
}
