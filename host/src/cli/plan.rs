//! What the flags of `wpool map` and `wpool bench` amount to: where jobs come from, what is called, and
//! how the pool is set up.

use super::argv::Column;
use super::flags::{InputFlags, MapFlags};
use super::input::Origin;
use super::input::encode::Shape;
use super::input::lines::{Lines, Reader};
use super::input::names::Names;
use super::input::product::Product;
use super::input::range::Range;
use super::modules;
use super::output::Format;
use super::report::Report;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use wpool::module::description::{Description, Kind};
use wpool::pool::config::Config;
use wpool::pool::error::PoolError;
use wpool::wire::settings::{CommandLine, InputForm, OutputForm, Settings};

/// The jobs of a run, before it is known what kind of module they are for.
#[derive(Debug)]
pub(crate) struct Jobs {
    /// Where they come from.
    pub(crate) origin: Origin,
    /// What they are called.
    pub(crate) names: Names,
    /// Words of each.
    pub(crate) width: usize,
    /// What tells them from others, for `--resume`.
    pub(crate) about: String,
}

/// What is called, and what its jobs are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// The module's file.
    pub(crate) module: &'a Path,
    /// Its task, where it has several.
    pub(crate) task: Option<&'a str>,
    /// The task that is called once before.
    pub(crate) init: Option<&'a str>,
    /// Arguments of a command.
    pub(crate) template: &'a [String],
    /// Where jobs come from.
    pub(crate) input: &'a InputFlags,
}

impl Jobs {
    /// How many there are, where that is known beforehand.
    pub(crate) fn count(&self) -> Option<u64> {
        match &self.origin {
            Origin::Words { product, .. } => Some(product.len()),
            Origin::Range(range) => Some(range.len()),
            Origin::Lines(_) => None,
        }
    }
}

/// The jobs that the flags name.
///
/// # Errors
/// There are none, or they are named in two ways, or a file cannot be opened.
pub(crate) fn jobs(input: &InputFlags, columns: Vec<Column>) -> Result<Jobs, Report> {
    if !columns.is_empty() {
        if input.range.is_some() || !input.arg_file.is_empty() {
            return Err(Report::usage(
                "jobs come either after `:::` or from --range or --arg-file",
            )
            .help("leave one of them out"));
        }
        return words(input, columns);
    }
    if let Some(range) = input.range {
        if input.files {
            return Err(Report::usage("--files needs paths, not a --range")
                .help("give paths after `:::`, or one a line on standard input"));
        }
        return Ok(integers(range));
    }
    if input.arg_file.is_empty() && io::stdin().is_terminal() {
        return Err(Report::usage("there are no jobs: standard input is a terminal").help(
            "give jobs as in `wpool map m.wasm ::: 1 2 3`, with --range 0..100, with -a FILE, or \
             pipe them in; -a - reads the terminal",
        ));
    }
    records(&input.arg_file, input.null)
}

fn words(input: &InputFlags, columns: Vec<Column>) -> Result<Jobs, Report> {
    let product = Product::new(columns)
        .ok_or_else(|| Report::usage("the words after `:::` make more than 2^64 jobs"))?;
    let width = product.width();
    for (given, flag) in
        [(input.files, "--files"), (input.raw_input, "--raw-input"), (input.stdin, "--stdin")]
    {
        if given && width > 1 {
            return Err(Report::usage(format!("{flag} takes one word for each job"))
                .help("give all words after a single `:::`"));
        }
    }
    let mut hasher = blake3::Hasher::new();
    for column in product.columns() {
        for word in column {
            hasher.update(&(word.len() as u64).to_le_bytes());
            hasher.update(word);
        }
        hasher.update(&u64::MAX.to_le_bytes());
    }
    let about = format!("{} words {}", product.len(), hasher.finalize().to_hex());
    let names = Names::product(product.clone());
    Ok(Jobs { origin: Origin::Words { product, next: 0 }, names, width, about })
}

fn integers(range: Range) -> Jobs {
    let about = format!("{} integers from {} by {}", range.len(), range.at(0), range.step());
    Jobs { origin: Origin::Range(range), names: Names::range(range), width: 1, about }
}

fn records(files: &[PathBuf], null: bool) -> Result<Jobs, Report> {
    let mut readers = Vec::new();
    let mut about = Vec::new();
    let standard_input = [PathBuf::from("-")];
    for path in if files.is_empty() { &standard_input } else { files } {
        let wrong = |error: io::Error| {
            Report::usage(format!("cannot open --arg-file {}: {error}", path.display()))
                .help("give a file with a job on each line; - is standard input")
        };
        let (file, name) = match path == Path::new("-") {
            true => {
                (io::stdin().as_fd().try_clone_to_owned().map(File::from), "standard input".into())
            }
            false => (File::open(path), path.display().to_string()),
        };
        let file = file.map_err(wrong)?;
        about.push(describe(&file, &name).map_err(wrong)?);
        readers.push(Reader::new(file, name).map_err(wrong)?);
    }
    let (separator, noun) = if null { (0, "record") } else { (b'\n', "line") };
    let names = Names::records(noun);
    let lines = Lines::new(readers, separator, names.clone());
    Ok(Jobs { origin: Origin::Lines(lines), names, width: 1, about: about.join(", ") })
}

/// What tells a file from another, or from itself after a change. A pipe's bytes are not known
/// beforehand.
fn describe(file: &File, name: &str) -> io::Result<String> {
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Ok(name.to_owned());
    }
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(format!("{name}, {} bytes of {:.3}", metadata.len(), modified.as_secs_f64()))
}

/// Checks the flags against the module, and answers with the task's name.
///
/// # Errors
/// There is no such task, or a flag that has no meaning for this kind of module.
pub(crate) fn task(
    call: &Call<'_>,
    description: &Description,
    jobs: &Jobs,
) -> Result<String, Report> {
    let task = description.choose(call.task).map_err(|error| {
        let error = PoolError::Task { message: error.message, candidates: error.candidates };
        Report::of_module(call.module, error)
    })?;
    let module = call.module.display();
    if description.kind != Kind::Command {
        if let Some(arg) = call.template.first() {
            return Err(Report::usage(format!(
                "{module} is not a command, so it takes no argument {arg:?} after `--`"
            ))
            .help("give jobs after `:::`"));
        }
        if call.input.stdin {
            return Err(Report::usage(format!(
                "{module} is not a command: --stdin has no meaning"
            ))
            .help("-R passes each job as a string"));
        }
    }
    debug_assert!(jobs.width > 0, "a job has at least one word");
    Ok(task.name.clone())
}

/// What jobs are made of.
pub(crate) fn shape(input: &InputFlags, command: bool, width: usize) -> Shape {
    match command {
        true if input.stdin => Shape::Stdin,
        true => Shape::Arguments,
        false if width > 1 => Shape::Array,
        false => Shape::Word,
    }
}

/// What workers are told of the task and its jobs; of results and limits, what `rest` says.
pub(crate) fn settings(call: &Call<'_>, kind: Kind, jobs: &Jobs, rest: Settings) -> Settings {
    let input = call.input;
    Settings {
        task: call.task.map(str::to_owned),
        init: call.init.map(str::to_owned),
        input: match jobs.origin {
            _ if input.raw_input || input.files => InputForm::Raw,
            Origin::Words { .. } if jobs.width == 1 => InputForm::Word,
            _ => InputForm::Json,
        },
        command: match kind {
            Kind::Command => CommandLine {
                name: modules::stem(call.module),
                template: call.template.to_vec(),
                append: !input.stdin && !input.files,
            },
            _ => CommandLine::default(),
        },
        ..rest
    }
}

/// How the pool of `wpool map` is set up.
pub(crate) fn config(flags: &MapFlags, kind: Kind, jobs: &Jobs) -> Config {
    let (input, results, output) = (&flags.input, &flags.results, &flags.output);
    let (pool, policy, limits) = (&flags.pool, &flags.policy, &flags.limits);
    let traced = flags.log.trace.trace.is_some();
    let recorded = results.format() == Format::Jsonl || flags.log.joblog.is_some();
    let rest = Settings {
        isolation: pool.isolation,
        output: match results.form() {
            OutputForm::Json if input.files || input.null => OutputForm::Bytes,
            form => form,
        },
        base64: results.base64,
        log_bytes_max: flags.buffer.max_log,
        measured: recorded || traced,
        waits: traced,
        ..limits.settings(&flags.grants)
    };
    let settings = settings(&flags.call(), kind, jobs, rest);
    let default = Config::default();
    Config {
        workers: pool.workers.unwrap_or(default.workers),
        settings,
        shared: None,
        shared_bytes_max: limits.shared_space,
        init_timeout: limits.init_timeout,
        timeout: limits.timeout,
        deadline: limits.deadline,
        retry: policy.retry(),
        halt: policy.halt(),
        jobs_per_worker_max: pool.max_jobs_per_worker,
        buffer_bytes_max: flags.buffer.max_buffer,
        batch_jobs_max: pool.batch,
        ordered: !output.unordered,
        // The bytes of files are many, and their paths are kept anyhow.
        keep_inputs: (recorded || output.tag) && !input.files,
    }
}
