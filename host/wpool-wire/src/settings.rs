//! The settings of a worker: the task, its limits, and its grants.

use super::directory::Directory;
use super::scratch::Scratch;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The time at which a guest instance is thrown away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// One instance per worker is kept until it traps (as Python's pool keeps its interpreters).
    #[default]
    Reuse,
    /// Each job gets a new instance.
    Fresh,
    /// Each job gets a new process, forked from the worker.
    Process,
}

/// The form in which the bytes of a job become the arguments of its task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputForm {
    /// The bytes are a line of JSON: the value of the only parameter, or an array with one value
    /// for each.
    #[default]
    Json,
    /// The bytes are the text of the only parameter, a string.
    Raw,
    /// The form is `Json` if the bytes are JSON, and otherwise `Raw` if the only parameter is a
    /// string.
    Word,
}

/// The jobs after which a worker starts no other until the dispatcher has heard of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PauseAfter {
    /// No job: the worker goes on with the jobs that it has been sent.
    #[default]
    Nothing,
    /// A job that failed.
    Failure,
    /// Any job.
    AnyJob,
}

/// The form of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputForm {
    /// A result is one line of JSON in UTF-8. A byte task with any other result has failed.
    #[default]
    Json,
    /// A string is printed as its bare text, any other result as under `Json`. The bytes of a byte
    /// task pass unchanged.
    Raw,
    /// The form is `Json`, but the bytes of a byte task pass unchanged (the reader separates
    /// results by NUL).
    Bytes,
}

/// The way a command's arguments are made from a job's words.
///
/// A command's job is `{words_bytes u32 LE}`, its words, each with a NUL at its end, then its standard input
/// (see [`command_job`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandLine {
    /// The value of `argv[0]`: the module's file stem.
    pub name: String,
    /// The arguments after `--`. `{}`, `{.}`, `{/}`, `{//}`, `{/.}`, `{#}`, `{%}` and `{N}` are
    /// replaced as in GNU parallel. If no argument holds a replacement, the words are appended.
    pub template: Vec<String>,
    /// True if words are appended when the template has no replacement. False if the job is the
    /// command's standard input.
    pub append: bool,
    /// The text that stands for `{}`, if it is another one.
    pub replace: Option<String>,
}

/// Encodes a command's job: its words and its standard input.
///
/// # Errors
/// Returns the first word that holds a NUL byte, which cannot be an argument.
pub fn command_job<'a>(words: &[&'a [u8]], stdin: &[u8]) -> Result<Vec<u8>, &'a [u8]> {
    if let Some(word) = words.iter().find(|word| word.contains(&0)) {
        return Err(word);
    }
    let words_bytes: usize = words.iter().map(|word| word.len() + 1).sum();
    let mut job = Vec::with_capacity(4 + words_bytes + stdin.len());
    job.extend_from_slice(&(words_bytes as u32).to_le_bytes());
    for word in words {
        job.extend_from_slice(word);
        job.push(0);
    }
    job.extend_from_slice(stdin);
    Ok(job)
}

/// Splits a command's job into its words, each with a NUL at its end, and its standard input.
/// Returns `None` if the job is torn.
pub fn split_command_job(job: &[u8]) -> Option<(&[u8], &[u8])> {
    let (words_bytes, rest) = job.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*words_bytes) as usize)
}

/// Encodes a job that names its task: the task's index in [`TaskSpec::tasks`] (`u32 LE`), then the
/// job.
pub fn task_job(task: u32, job: &[u8]) -> Vec<u8> {
    [&task.to_le_bytes(), job].concat()
}

/// Splits a job that names its task into the task's index and the job. Returns `None` if the job is
/// torn.
pub fn split_task_job(job: &[u8]) -> Option<(usize, &[u8])> {
    let (task, job) = job.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*task) as usize, job))
}

/// All settings that the zygote and its workers need to run jobs, by who may know them. They cross
/// the control socket as JSON, and all of them may travel to another process or machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The task to call, and the encoding of its jobs and results.
    pub task: TaskSpec,
    /// The costs that jobs may have.
    pub limits: Limits,
    /// The parts of the host that guests may use.
    pub grants: Grants,
    /// The measurements of jobs.
    pub probe: Probe,
}

/// The task to call: how jobs become arguments, and answers results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// The name of the task to call; ignored for a command, and `None` if the module has only one.
    pub name: Option<String>,
    /// The tasks of jobs that name their own (see [`task_job`]). If the list is empty, all jobs are
    /// for [`name`](Self::name).
    pub tasks: Vec<String>,
    /// A shared library whose tasks are called instead of the module's, without a sandbox.
    pub native: Option<PathBuf>,
    /// The task that is called once in each new instance, before its first job. Unless instances
    /// are `fresh`, it is called once, and the workers are forked from the process that called it.
    pub init: Option<String>,
    /// The time at which an instance is thrown away.
    pub isolation: Isolation,
    /// The jobs after which a worker gives back the jobs that it has not started. The pool chooses
    /// them by the conditions that may end the run.
    pub pause: PauseAfter,
    /// The form in which jobs become arguments.
    pub input: InputForm,
    /// The form of results.
    pub output: OutputForm,
    /// True if a NUL byte ends each printed result, so that a job fails whose result holds one.
    pub nul_ends: bool,
    /// The exit codes of commands that are successes.
    pub ok_exit: Vec<i32>,
    /// True if a `list<u8>` in results is a string in base64, and not an array of numbers.
    pub base64: bool,
    /// The arguments of a command.
    pub command: CommandLine,
    /// True if functions that the module imports and nobody provides trap when they are called,
    /// instead of being an error of the run.
    pub stub_imports: bool,
    /// True if integers of tasks are unsigned if the module does not give their types.
    pub unsigned: bool,
}

impl TaskSpec {
    /// Returns the names of all tasks that jobs may call; `None` is the task that needs no name.
    pub fn names(&self) -> Vec<Option<&str>> {
        match self.tasks.as_slice() {
            [] => vec![self.name.as_deref()],
            tasks => tasks.iter().map(|name| Some(name.as_str())).collect(),
        }
    }
}

impl Default for TaskSpec {
    fn default() -> Self {
        TaskSpec {
            name: None,
            tasks: Vec::new(),
            native: None,
            init: None,
            isolation: Isolation::default(),
            pause: PauseAfter::default(),
            input: InputForm::default(),
            output: OutputForm::default(),
            nul_ends: false,
            ok_exit: vec![0],
            base64: false,
            command: CommandLine::default(),
            stub_imports: false,
            unsigned: false,
        }
    }
}

/// The costs that jobs may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// The greatest size of one instance's linear memory, in bytes.
    pub memory_bytes_max: u64,
    /// The greatest size of one instance's call stack, in bytes.
    pub stack_bytes_max: u64,
    /// The greatest size of the regions that one instance may have mapped, beyond its own memory,
    /// in bytes.
    pub region_bytes_max: u64,
    /// The number of instructions (wasmtime fuel) that a job may use; no limit if `None`.
    pub fuel: Option<u64>,
    /// The greatest size of one result, in bytes.
    pub output_bytes_max: u64,
    /// The greatest size of one job, in bytes.
    pub job_bytes_max: u64,
    /// The greatest size of the printed lines of one job, in bytes; the rest is cut, with a note.
    pub log_bytes_max: u64,
}

/// The private memory that a process needs beside its guest's, a job and a result, in bytes: values
/// of components in transit (40 bytes each), handles, buffers of WASI.
const HOST_BYTES: u64 = 256 << 20;

/// The largest memory that grows in place, in bytes; a larger one may have to move, and then exists
/// twice.
const GROWS_IN_PLACE: u64 = 4 << 30;

impl Limits {
    /// Returns how many bytes of private memory a process may add to its initial ones to run one
    /// guest: the guest's memory, twice a result, three times a job, and 256 MiB. A job that makes
    /// it need more fails.
    pub fn process_bytes_max(&self) -> u64 {
        let times = if self.memory_bytes_max > GROWS_IN_PLACE { 2 } else { 1 };
        let memory = self.memory_bytes_max.saturating_mul(times);
        let results = self.output_bytes_max.saturating_mul(2);
        let jobs = self.job_bytes_max.saturating_mul(3);
        memory.saturating_add(results).saturating_add(jobs).saturating_add(HOST_BYTES)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes_max: 1 << 30,
            stack_bytes_max: 1 << 20,
            region_bytes_max: 4 << 30,
            fuel: None,
            output_bytes_max: 64 << 20,
            job_bytes_max: 64 << 20,
            log_bytes_max: 1 << 20,
        }
    }
}

/// The parts of the host that guests may use: none but those that are given here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Grants {
    /// The environment variables.
    pub env: Vec<(String, String)>,
    /// The folders.
    pub dirs: Vec<Directory>,
    /// A folder that each job finds empty, and may write.
    pub scratch: Option<Scratch>,
    /// True if a command uses the standard streams of the dispatcher's process instead of its job's
    /// input and its result.
    pub stdio: bool,
    /// The seed of WASI's random numbers; the system's numbers are used if `None`.
    pub seed: Option<u64>,
    /// The fixed time of WASI's clocks in nanoseconds since 1970; the system's clocks are used if
    /// `None`.
    pub clock: Option<u64>,
}

/// The measurements of jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// True if each result carries when its job began, how many nanoseconds it ran, and its peak of
    /// linear memory.
    pub measured: bool,
    /// True if the waits of jobs in shared state are reported.
    pub waits: bool,
}

impl From<TaskSpec> for Settings {
    fn from(task: TaskSpec) -> Settings {
        Settings { task, ..Settings::default() }
    }
}

impl From<Limits> for Settings {
    fn from(limits: Limits) -> Settings {
        Settings { limits, ..Settings::default() }
    }
}

impl From<Grants> for Settings {
    fn from(grants: Grants) -> Settings {
        Settings { grants, ..Settings::default() }
    }
}
