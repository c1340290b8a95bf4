//! Turns the flags of `wpool map` and `wpool bench` into a plan: the origin of jobs, the task to
//! call, and the configuration of the pool.

use super::argv::Column;
use super::files::Files;
use super::flags::{InputFlags, InputFormat, MapFlags};
use super::input::Origin;
use super::input::columns::Columns;
use super::input::encode::{Encoder, Form, Shape, Words};
use super::input::lines::{Lines, Reader, Record};
use super::input::names::Names;
use super::input::pacing::Conditions;
use super::input::product::Product;
use super::input::range::Range;
use super::modules;
use super::output::Format;
use super::output::words::WordsOf;
use super::report::Report;
use super::setup::Setup;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use wpool::module::description::{Description, Kind, Parameter, Task};
use wpool::pool::config::Config;
use wpool::pool::feed::{Fill, InputQueue};
use wpool::pool::session::closed_at_start;
use wpool::wire::settings::{CommandLine, InputForm, Probe, TaskSpec};

/// The jobs of a run, before the kind of the module is known.
#[derive(Debug)]
pub(crate) struct Jobs {
    /// The origin of the jobs.
    pub(crate) origin: Origin,
    /// The names of the jobs.
    pub(crate) names: Names,
    /// The number of words in a job; 2 stands for any number.
    pub(crate) width: usize,
    /// The way in which records become words.
    words: Words,
    /// The names of the words, if a header gives them.
    pub(crate) header: Option<Vec<String>>,
    /// A description of where the jobs come from.
    pub(crate) about: String,
    /// A description of how records become jobs; empty if each record is a job.
    pub(crate) shape: String,
    /// The files that the jobs are read from.
    pub(crate) files: Files,
}

/// The call that is made for each job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// The module's file.
    pub(crate) module: &'a Path,
    /// The task, if the flags name one.
    pub(crate) task: Option<&'a str>,
    /// The task that each guest calls once before its jobs.
    pub(crate) init: Option<&'a str>,
    /// The name of a command, its `argv[0]`.
    pub(crate) argv0: Option<&'a str>,
    /// The arguments of a command.
    pub(crate) template: &'a [String],
    /// The text that stands for `{}` in the template, if it is something else.
    pub(crate) replace: Option<&'a str>,
    /// The exit codes of a command that are successes.
    pub(crate) ok_exit: &'a [i32],
    /// True if results that are bytes are written in base64.
    pub(crate) base64: bool,
    /// True if results that are strings are written without quotes.
    pub(crate) raw_output: bool,
    /// The flags that say where jobs come from.
    pub(crate) input: &'a InputFlags,
}

impl Jobs {
    /// Returns the meaning of a job's words, for output that repeats them.
    pub(crate) fn words_of(&self, command: bool) -> WordsOf {
        match self.width {
            _ if command => WordsOf::Command,
            1 => WordsOf::Value,
            _ => WordsOf::Columns,
        }
    }
}

/// A random order of jobs (`--shuf`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shuffle {
    /// The seed; equal seeds give equal orders.
    pub(crate) seed: u64,
    /// The most bytes of jobs that are kept for the shuffle.
    pub(crate) bytes_max: usize,
}

/// Makes the jobs that the flags name.
///
/// # Errors
/// Fails if there are no jobs, if they are named in two ways, or if a file cannot be opened.
pub(crate) fn jobs(
    input: &InputFlags,
    columns: Vec<Column>,
    shuffle: Shuffle,
) -> Result<Jobs, Report> {
    input.check()?;
    let jobs = named_jobs(input, columns, shuffle)?;
    Ok(Jobs { shape: shape(input, shuffle), ..jobs })
}

/// The words before the seed of a random order in [`Jobs::shape`].
pub(crate) const SHUFFLED: &str = "shuffled by";

/// Describes in words how records become jobs.
fn shape(input: &InputFlags, shuffle: Shuffle) -> String {
    let parts = [
        input.columns().map(|columns| format!("in columns by {columns:?}")),
        input.run().map(|most| format!("{most} in a job")),
        input.pipe.then(|| format!("in blocks: {:?}", input.record())),
        input.shuf.then(|| format!("{SHUFFLED} {}", shuffle.seed)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn named_jobs(input: &InputFlags, columns: Vec<Column>, shuffle: Shuffle) -> Result<Jobs, Report> {
    if !columns.is_empty() {
        if input.range.is_some() || !input.arg_file.is_empty() {
            return Err(Report::usage(
                "jobs come either after `:::` or from --range or --arg-file",
            )
            .help("leave one of them out"));
        }
        return words(input, columns, shuffle);
    }
    if let Some(range) = input.range {
        if input.files {
            return Err(Report::usage("--files needs paths, not a --range")
                .help("give paths after `:::`, or one a line on standard input"));
        }
        let range = if input.shuf { range.shuffled(shuffle.seed) } else { range };
        return Ok(integers(input, range));
    }
    if input.arg_file.is_empty() && io::stdin().is_terminal() {
        return Err(Report::usage("there are no jobs: standard input is a terminal").help(
            "give jobs as in `wpool map m.wasm ::: 1 2 3`, with --range 0..100, with -a FILE, or \
             pipe them in; -a - reads the terminal",
        ));
    }
    let jobs = records(input)?;
    if input.shuf { shuffled(jobs, shuffle) } else { Ok(jobs) }
}

fn words(input: &InputFlags, columns: Vec<Column>, shuffle: Shuffle) -> Result<Jobs, Report> {
    let mut columns = columns;
    if input.pipe {
        return Err(Report::usage("--pipe reads files or standard input, not words after `:::`")
            .help("give files with -a; --files gives each job the bytes of a file"));
    }
    let header = match input.has_header() {
        true => Some(header_of_words(input, &mut columns)?),
        false => None,
    };
    let mut hasher = blake3::Hasher::new();
    for Column { words, linked: _ } in &columns {
        for word in words {
            hasher.update(&(word.len() as u64).to_le_bytes());
            hasher.update(word);
        }
        hasher.update(&u64::MAX.to_le_bytes());
    }
    let mut product = Product::new(columns)
        .ok_or_else(|| Report::usage("the words after `:::` make more than 2^64 jobs"))?;
    // Without --colsep, a header names the columns after several `:::`.
    let alone = product.width() == 1;
    let several = input.words();
    let splits = |flag: &str| {
        Err(Report::usage(format!("{flag} takes the words after a single `:::`"))
            .help("give all words after one `:::`"))
    };
    let words = match several {
        Words::Columns(_) if !alone && input.colsep.is_none() && !input.csv => Words::One,
        Words::Columns(_) if !alone => return splits("--colsep or --csv"),
        Words::Several(_) | Words::None if !alone => return splits("-N"),
        Words::Several(most) => {
            product = product.in_runs(most as u64);
            Words::One
        }
        words => words,
    };
    let width = if matches!(words, Words::Columns(_)) { 2 } else { product.width() };
    for (given, flag) in [(input.files, "--files"), (input.stdin, "--stdin")] {
        if given && width > 1 {
            return Err(Report::usage(format!("{flag} takes one word for each job"))
                .help("give all words after a single `:::`"));
        }
    }
    if input.shuf {
        product = product.shuffled(shuffle.seed);
    }
    let about = format!("{} words {}", product.len(), hasher.finalize().to_hex());
    let names = Names::product(product.clone());
    let origin = Origin::Words { product, next: 0 };
    let files = Files::default();
    Ok(Jobs { origin, names, width, words, header, about, shape: String::new(), files })
}

/// Takes the names of columns from the words: from the first word after each `:::`, or, if there is
/// only one, from the columns of its first word.
fn header_of_words(input: &InputFlags, columns: &mut [Column]) -> Result<Vec<String>, Report> {
    let missing = || {
        Report::usage("--header : takes the first word after each `:::`, and there is none")
            .help("write ::: NAME WORD …")
    };
    let mut names = Vec::new();
    for column in columns.iter_mut() {
        if column.words.is_empty() {
            return Err(missing());
        }
        names.push(column.words.remove(0));
    }
    match (names.as_slice(), input.columns()) {
        ([only], Some(columns)) => header_names(&columns, only, "the words after `:::`"),
        _ => Ok(names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()),
    }
}

/// Returns the names that a header gives to columns.
fn header_names(columns: &Columns, header: &[u8], place: &str) -> Result<Vec<String>, Report> {
    let mut names = Vec::new();
    columns
        .split(header, &mut names)
        .map_err(|wrong| Report::usage(format!("the header of {place}: {wrong}")))?;
    Ok(names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

fn integers(input: &InputFlags, range: Range) -> Jobs {
    let about = format!("{} integers from {} by {}", range.len(), range.first(), range.step());
    let words = input.words();
    let (width, each) = (width(&words), input.run().unwrap_or(1).max(1));
    let names = Names::range(range, each.into());
    let (origin, header, shape, files) =
        (Origin::Range(range), None, String::new(), Files::default());
    Jobs { origin, names, width, words, header, about, shape, files }
}

/// Returns the number of words in a job; 2 stands for any number.
fn width(words: &Words) -> usize {
    match words {
        Words::One => 1,
        Words::Columns(_) | Words::Several(_) => 2,
        Words::None => 0,
    }
}

fn records(input: &InputFlags) -> Result<Jobs, Report> {
    let (mut readers, mut about, mut read) = (Vec::new(), Vec::new(), Files::default());
    let mut header: Option<Vec<u8>> = None;
    let standard_input = [PathBuf::from("-")];
    let files = &input.arg_file;
    let files = if files.is_empty() { &standard_input } else { files.as_slice() };
    if files.iter().any(|path| path == Path::new("-")) && closed_at_start()[0] {
        return Err(Report::usage("standard input is closed, and jobs would come from there")
            .help("give jobs after `:::`, with --range or with -a FILE, or pipe them in"));
    }
    for path in files {
        let wrong = |error: io::Error| {
            Report::usage(format!("cannot open --arg-file {}: {error}", path.display()))
                .help("give a file with a job on each line; - is standard input")
        };
        let (file, name, place) = match path == Path::new("-") {
            true => {
                let file = io::stdin().as_fd().try_clone_to_owned().map(File::from);
                (file, "standard input".into(), Path::new("/dev/stdin"))
            }
            false => (File::open(path), path.display().to_string(), path.as_path()),
        };
        let file = file.map_err(wrong)?;
        about.push(describe(&file, &name).map_err(wrong)?);
        read.reads(file.metadata(), &name, place);
        let mut reader = Reader::new(file, name).map_err(wrong)?;
        if input.has_header() {
            let line = reader.take_header(input.line()).map_err(wrong)?;
            match &header {
                Some(first) if *first != line => {
                    return Err(Report::usage(format!("{} has another header", reader.name()))
                        .help("give files whose first lines are the same"));
                }
                _ => header = Some(line),
            }
        }
        readers.push(reader);
    }
    let noun = match input.record() {
        Record::Line(0) => "record",
        Record::Line(_) => "line",
        Record::Quoted(_) => "row",
        Record::Block { .. } | Record::Lines { .. } => "block",
    };
    let (words, before) = (input.words(), u64::from(input.has_header() && !input.pipe));
    let names = Names::records(noun, input.run().unwrap_or(1).max(1).into(), before);
    let prefix = match (&header, input.line()) {
        (Some(header), Record::Line(end)) if input.pipe => [header.as_slice(), &[end]].concat(),
        _ => Vec::new(),
    };
    let named = header.as_deref().zip(input.columns());
    let header =
        named.map(|(line, columns)| header_names(&columns, line, &about[0])).transpose()?;
    let lines = Lines::new(readers, input.record(), prefix, names.clone());
    let (origin, width) = (Origin::Lines(lines), width(&words));
    let (about, shape) = (about.join(", "), String::new());
    Ok(Jobs { origin, names, width, words, header, about, shape, files: read })
}

/// Reads the records of files to the end, and puts them into a random order.
fn shuffled(jobs: Jobs, shuffle: Shuffle) -> Result<Jobs, Report> {
    let (mut inputs, mut records) = (InputQueue::default(), Vec::new());
    // The record is read as a word. Its place among the jobs is not known yet.
    let encoder = Encoder::new(Form::default(), shuffle.bytes_max, None, Names::words());
    let mut all = super::input::Input::new(jobs.origin, encoder);
    let mut bytes = 0;
    let too_large = || {
        let most = super::units::size_text(shuffle.bytes_max as u64);
        Report::usage(format!("--shuf keeps all jobs in memory, and they have more than {most}"))
            .help("raise --max-buffer, or shuffle them before: shuf FILE | wpool map MODULE")
    };
    let cannot_read = |error: io::Error| Report::usage(format!("cannot read the jobs: {error}"));
    loop {
        let fill = super::input::fill_waiting(&mut all, &mut inputs).map_err(cannot_read)?;
        inputs.drain(|record| {
            bytes += record.len() + size_of::<Vec<u8>>();
            records.push(record.to_vec());
        });
        if bytes > shuffle.bytes_max || inputs.first_failed().is_some() {
            return Err(too_large());
        }
        if fill == Fill::End {
            break;
        }
    }
    let column = Column { words: records, linked: false };
    let product = Product::new(vec![column]).expect("one column has no combinations");
    let (product, words) = match jobs.words {
        Words::Several(most) => (product.in_runs(most as u64), Words::One),
        words => (product, words),
    };
    let product = product.shuffled(shuffle.seed);
    let width = if matches!(words, Words::One) { product.width() } else { jobs.width };
    let names = Names::product(product.clone());
    let origin = Origin::Words { product, next: 0 };
    Ok(Jobs { origin, names, width, words, ..jobs })
}

/// Returns a text that tells a file from another, and from itself after a change. The bytes of a
/// pipe are not known beforehand.
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

/// Checks the flags against the module, and returns the task.
///
/// # Errors
/// Fails if there is no such task, or a flag has no meaning for this kind of task.
pub(crate) fn task(call: &Call<'_>, description: &Description) -> Result<Task, Report> {
    let task = description.choose(call.task);
    let task = task.map_err(|error| Report::of_module(call.module, error.into()))?;
    if task.is_command() {
        if call.init.is_some() {
            return Err(command_has_no_init(call.module));
        }
        refuse_values(call)?;
        return Ok(task.clone());
    }
    if call.base64 && !description.component {
        let error = format!("{} is no component: --base64 has no meaning", call.module.display());
        return Err(Report::usage(error).help("it is for results of the type list<u8>"));
    }
    let not_a_command = match description.kind {
        Kind::Tasks => format!("{} is not a command", call.module.display()),
        Kind::Command => format!("task {} is not a command", task.signature()),
    };
    if let Some(arg) = call.template.first() {
        return Err(Report::usage(format!(
            "{not_a_command}, so it takes no argument {arg:?} after `--`"
        ))
        .help("give jobs after `:::`"));
    }
    for (given, flag) in [(call.input.stdin, "--stdin"), (call.replace.is_some(), "-I")] {
        if given {
            return Err(Report::usage(format!("{not_a_command}: {flag} has no meaning"))
                .help("-R passes each job as a string"));
        }
    }
    if call.ok_exit != [0] {
        return Err(Report::usage(format!("{not_a_command}: --ok-exit has no meaning"))
            .help("a task succeeds if it has a result"));
    }
    Ok(task.clone())
}

/// Refuses flags for values, because a command takes texts and prints bytes.
fn refuse_values(call: &Call<'_>) -> Result<(), Report> {
    let module = call.module.display();
    let wrong = |flag, help| {
        Err(Report::usage(format!("{module} is a command: {flag} has no meaning")).help(help))
    };
    match call {
        _ if call.input.raw_input => {
            wrong("--raw-input", "its arguments are texts; --stdin passes each job as its input")
        }
        _ if call.base64 => wrong("--base64", "pipe its output through `base64`"),
        _ if call.raw_output => wrong("--raw-output", "its output is printed as it is"),
        _ => Ok(()),
    }
}

/// Returns the error of --init for a command.
pub(super) fn command_has_no_init(module: &Path) -> Report {
    let error = format!("{} is a command: --init has no meaning", module.display());
    Report::usage(error).help("it begins anew with each job")
}

/// Returns the form of the jobs.
///
/// # Errors
/// Fails if the header lacks a parameter of the task.
pub(crate) fn form(input: &InputFlags, task: &Task, jobs: &Jobs) -> Result<Form, Report> {
    let command = task.is_command();
    let shape = match (command, &jobs.header) {
        (true, _) if input.stdin || input.pipe => Shape::Stdin,
        (true, _) => Shape::Arguments,
        (false, _) if input.pipe => Shape::Word,
        (false, Some(header)) => named_shape(task, header)?,
        (false, None) if jobs.width == 1 => Shape::Word,
        // A row of one column is an array if the task takes one, and else the value.
        (false, None) => Shape::Array {
            bare: matches!(jobs.words, Words::Columns(_)) && !takes_list(task),
            picked: Vec::new(),
        },
    };
    Ok(Form {
        shape,
        words: jobs.words.clone(),
        files: input.files,
        jsonl: input.input_format == InputFormat::Jsonl,
        texts: input.raw_input,
    })
}

/// Returns whether the task's only parameter is a list or the like.
fn takes_list(task: &Task) -> bool {
    match task.params.as_deref() {
        Some([only]) => only.ty.starts_with("list") || only.ty.starts_with("tuple"),
        params => params.is_some(),
    }
}

/// Returns the shape of a job whose words have names: the values of the parameters of these names,
/// or else an object.
fn named_shape(task: &Task, header: &[String]) -> Result<Shape, Report> {
    let params = match task.params.as_deref() {
        Some(params) if params.len() > 1 => params,
        _ => return Ok(Shape::Object(header.to_vec())),
    };
    let place = |param: &Parameter| {
        let name = param.name.as_deref().unwrap_or_default();
        let named = |column: &String| column == name || column.replace('_', "-") == name;
        header.iter().position(named).ok_or_else(|| {
            Report::usage(format!("the header has no column {name:?}, which the task takes"))
                .help(format!("the task is {}", task.signature()))
        })
    };
    let picked = params.iter().map(place).collect::<Result<_, _>>()?;
    Ok(Shape::Array { bare: false, picked })
}

/// Replaces the names of columns in a command's arguments by their places.
fn template(arguments: &[String], header: &[String]) -> Vec<String> {
    const PARTS: [&str; 5] = ["", ".", "/", "//", "/."];
    let replaced = |argument: &String| {
        let mut argument = argument.clone();
        for (place, name) in header.iter().enumerate() {
            for part in PARTS {
                let from = format!("{{{name}{part}}}");
                argument = argument.replace(&from, &format!("{{{}{part}}}", place + 1));
            }
        }
        argument
    };
    arguments.iter().map(replaced).collect()
}

/// Returns the task as workers need it: its name, and the encoding of its jobs.
pub(crate) fn task_spec(call: &Call<'_>, task: &Task, jobs: &Jobs) -> TaskSpec {
    let input = call.input;
    TaskSpec {
        name: call.task.map(str::to_owned),
        init: call.init.map(str::to_owned),
        input: match jobs.origin {
            _ if jobs.width == 1 && input.is_raw() => InputForm::Raw,
            Origin::Words { .. } if jobs.width == 1 => InputForm::Word,
            _ => InputForm::Json,
        },
        command: match task.is_command() {
            true => CommandLine {
                name: call.argv0.map_or_else(|| modules::file_name(call.module), str::to_owned),
                template: match &jobs.header {
                    Some(header) => template(call.template, header),
                    None => call.template.to_vec(),
                },
                append: !input.stdin && !input.files && !input.pipe,
                replace: call.replace.map(str::to_owned),
            },
            false => CommandLine::default(),
        },
        ..TaskSpec::default()
    }
}

/// Returns the configuration of the pool for `wpool map`.
pub(crate) fn config(flags: &MapFlags, task: &Task, jobs: &Jobs) -> Config {
    let (input, results, output) = (&flags.input, &flags.results, &flags.output);
    let (pool, policy, limits) = (&flags.pool, &flags.policy, &flags.limits);
    let traced = flags.log.trace.trace.is_some();
    let recorded = results.format() == Format::Jsonl || flags.log.joblog.is_some();
    let spec = TaskSpec {
        isolation: pool.isolation,
        ok_exit: output.ok_exit.clone(),
        ..results.apply(task_spec(&flags.call(), task, jobs))
    };
    let probe =
        Probe { measured: recorded || traced || limits.timeout_percent().is_some(), waits: traced };
    let setup = Setup {
        limits,
        grants: &flags.grants,
        scratch: Some(&flags.scratch),
        foreign: &flags.foreign,
    };
    let shared = setup.config(spec, flags.buffer.max_log, probe);
    Config {
        workers: pool.workers.unwrap_or(shared.workers),
        retry: policy.retry(),
        halt: policy.halt(),
        jobs_per_worker_max: pool.max_jobs_per_worker,
        buffer_bytes_max: flags.buffer.max_buffer,
        batch_jobs_max: pool.batch,
        paced: pool.conditions() != Conditions::default(),
        nice: pool.nice,
        ordered: !output.unordered,
        // Files may have many bytes, and their paths are kept anyway.
        keep_inputs: (recorded || output.needs_words()) && !input.files,
        ..shared
    }
}
