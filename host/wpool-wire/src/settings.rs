//! What a worker is told before its first job: the task, its limits, and its grants.

use super::directory::Directory;
use super::scratch::Scratch;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// When a guest instance is thrown away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// One instance per worker, kept until it traps (as Python's pool keeps its interpreters).
    #[default]
    Reuse,
    /// A new instance for every job.
    Fresh,
    /// A new process, forked from the worker, for every job.
    Process,
}

/// How the bytes of a job become the arguments of its task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputForm {
    /// A line of JSON: the value of the only parameter, or an array with one value for each.
    #[default]
    Json,
    /// The bytes are the text of the only parameter, a string.
    Raw,
    /// As JSON if the bytes are JSON, otherwise as `Raw` where the only parameter is a string.
    Word,
}

/// The jobs after which a worker starts no other until the dispatcher has heard of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PauseAfter {
    /// None: it goes on with what it has been sent.
    #[default]
    Nothing,
    /// One that failed.
    Failure,
    /// Each one.
    AnyJob,
}

/// What a result may look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputForm {
    /// One line of JSON in UTF-8. A byte task that answers anything else has failed.
    #[default]
    Json,
    /// A string result is its bare text, any other result is as under `Json`. A byte task's bytes
    /// pass as they are.
    Raw,
    /// As `Json`, but a byte task's bytes pass as they are (the reader separates results by NUL).
    Bytes,
}

/// How a command's arguments are made from a job's words.
///
/// A command's job is `{words_bytes u32 LE}`, its words, each with a NUL at its end, then its standard input
/// (see [`command_job`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandLine {
    /// `argv[0]`: the module's file stem.
    pub name: String,
    /// The arguments after `--`; `{}`, `{.}`, `{/}`, `{//}`, `{/.}`, `{#}`, `{%}` and `{N}` are
    /// replaced as in GNU parallel. Where no argument holds a replacement, the words are appended.
    pub template: Vec<String>,
    /// Whether words are appended at all when the template has no replacement (false where the
    /// job is the command's standard input).
    pub append: bool,
    /// What stands for `{}`, if it is something else.
    pub replace: Option<String>,
}

/// Encodes a command's job: its words and its standard input.
///
/// # Errors
/// A word that holds a NUL byte cannot be an argument; it is returned.
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

/// Takes a command's job apart: its words, each with a NUL at its end, and its standard input. `None`
/// if it is torn.
pub fn split_command_job(job: &[u8]) -> Option<(&[u8], &[u8])> {
    let (words_bytes, rest) = job.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*words_bytes) as usize)
}

/// Encodes a job that names its task: the index of that in [`Settings::tasks`] (`u32 LE`), then the job.
pub fn task_job(task: u32, job: &[u8]) -> Vec<u8> {
    [&task.to_le_bytes(), job].concat()
}

/// Takes a job apart that names its task: the task's index, and the job. `None` if it is torn.
pub fn split_task_job(job: &[u8]) -> Option<(usize, &[u8])> {
    let (task, job) = job.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*task) as usize, job))
}

/// Everything the zygote and its workers need to know to run jobs. Crosses the control socket as
/// JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Name of the task to call; ignored for a command, and `None` where the module has only one.
    pub task: Option<String>,
    /// The tasks of jobs that name their own (see [`task_job`]). Where there are none, all jobs are for
    /// [`task`](Self::task).
    pub tasks: Vec<String>,
    /// A shared library whose tasks are called instead of the module's, without a sandbox.
    pub native: Option<PathBuf>,
    /// The task that is called once in each new instance, before its first job. Unless instances are
    /// `fresh`, that is done once, before the workers are forked from where it has been done.
    pub init: Option<String>,
    /// When an instance is thrown away.
    pub isolation: Isolation,
    /// The jobs after which a worker gives back those that it has not started. The pool chooses it by what may
    /// end the run.
    pub pause: PauseAfter,
    /// How jobs become arguments.
    pub input: InputForm,
    /// What results may look like.
    pub output: OutputForm,
    /// Set if a NUL byte ends each printed result, so that a job fails whose result holds one.
    pub nul_ends: bool,
    /// The exit codes of commands that are successes.
    pub ok_exit: Vec<i32>,
    /// Whether `list<u8>` in results is a string in base64, and not an array of numbers.
    pub base64: bool,
    /// Arguments of a command.
    pub command: CommandLine,
    /// Whether a command uses the standard streams of the dispatcher's process instead of its job's
    /// input and its result.
    pub stdio: bool,
    /// Most bytes of linear memory of one instance.
    pub memory_bytes_max: u64,
    /// Most bytes of the call stack of one instance.
    pub stack_bytes_max: u64,
    /// Most bytes of regions that one instance may have mapped, beyond its own memory.
    pub region_bytes_max: u64,
    /// Instructions (wasmtime fuel) a job may use; no limit when `None`.
    pub fuel: Option<u64>,
    /// Most bytes of one result.
    pub output_bytes_max: u64,
    /// Most bytes of one job.
    pub job_bytes_max: u64,
    /// Most bytes of printed lines of one job; the rest is cut, with a note.
    pub log_bytes_max: u64,
    /// Environment variables granted to guests.
    pub env: Vec<(String, String)>,
    /// Directories granted to guests.
    pub dirs: Vec<Directory>,
    /// A folder that each job finds empty, and may write.
    pub scratch: Option<Scratch>,
    /// Seed of WASI's random numbers; the system's when `None`.
    pub seed: Option<u64>,
    /// Fixed time of WASI's clocks in nanoseconds since 1970; the system's when `None`.
    pub clock: Option<u64>,
    /// Whether each result carries when its job began, the nanoseconds it ran, and its peak of linear
    /// memory.
    pub measured: bool,
    /// Whether it is told what jobs wait for in shared state.
    pub waits: bool,
    /// Whether functions that the module imports and nobody provides trap when they are called, instead of
    /// being an error of the run.
    pub stub_imports: bool,
    /// Whether integers of tasks are unsigned where the module does not say.
    pub unsigned: bool,
}

/// Private memory that a process needs beside its guest's, a job and a result: values of components on their
/// way (40 bytes each), handles, WASI's own.
const HOST_BYTES: u64 = 256 << 20;

/// Largest memory that grows where it is; a larger one may have to move, and is there twice meanwhile.
const GROWS_IN_PLACE: u64 = 4 << 30;

impl Settings {
    /// Most bytes of private memory that a process may add to what it begins with, to run one guest: the
    /// guest's memory, twice a result, three times a job, and 256 MiB. What makes it need more fails its job.
    pub fn process_bytes_max(&self) -> u64 {
        let times = if self.memory_bytes_max > GROWS_IN_PLACE { 2 } else { 1 };
        let memory = self.memory_bytes_max.saturating_mul(times);
        let results = self.output_bytes_max.saturating_mul(2);
        let jobs = self.job_bytes_max.saturating_mul(3);
        memory.saturating_add(results).saturating_add(jobs).saturating_add(HOST_BYTES)
    }

    /// The names of all tasks that jobs may call; `None` is the one that needs no name.
    pub fn task_names(&self) -> Vec<Option<&str>> {
        match self.tasks.as_slice() {
            [] => vec![self.task.as_deref()],
            tasks => tasks.iter().map(|name| Some(name.as_str())).collect(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            task: None,
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
            stdio: false,
            memory_bytes_max: 1 << 30,
            stack_bytes_max: 1 << 20,
            region_bytes_max: 4 << 30,
            fuel: None,
            output_bytes_max: 64 << 20,
            job_bytes_max: 64 << 20,
            log_bytes_max: 1 << 20,
            env: Vec::new(),
            dirs: Vec::new(),
            scratch: None,
            seed: None,
            clock: None,
            measured: false,
            waits: false,
            stub_imports: false,
            unsigned: false,
        }
    }
}
