//! `wpool map`: runs each job through the module.

use super::argv::Column;
use super::exit::Exit;
use super::flags::{MapFlags, ProgressWhen, TraceFlags};
use super::input::Input;
use super::input::encode::{Encoder, Form};
use super::input::pacing::Pacing;
use super::objects::{self, Objects};
use super::output::console::Console;
use super::output::failures::Failures;
use super::output::joblog::JobLog;
use super::output::journal::{self, Meta};
use super::output::progress::Progress;
use super::output::results::{Filed, ResultFiles};
use super::output::resume::Skip;
use super::output::stream::{Patience, Stream};
use super::output::trace::{Trace, Traced};
use super::output::{Output, Plan};
use super::plan::{self, Jobs, Shuffle};
use super::report::Report;
use super::signals::{SharedCause, Signals};
use super::{compiling, dry_run, modules, summary};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Instant;
use wpool::pool::config::Config;
use wpool::pool::error::PoolError;
use wpool::pool::session::EarlyZygote;
use wpool::pool::summary::End;
use wpool::wire::template::Template;

/// Runs the subcommand. `args` is the whole command line, `columns` what followed each `:::`; `early` is a
/// zygote to use.
///
/// # Errors
/// The run could not be started, or had to be given up.
pub(crate) fn run(
    flags: &MapFlags,
    columns: Vec<Column>,
    args: &[OsString],
    early: Option<EarlyZygote>,
) -> Result<Exit, Report> {
    flags.console.apply_color();
    let limits = &flags.limits;
    let compile = flags.foreign.compile(limits.compile_now(!flags.policy.no_cache));
    let jobs = plan::jobs(&flags.input, columns, shuffle(flags))?;
    let module = modules::read(&flags.module)?;
    let mut objects = Objects::make(&flags.objects, limits.shared_space, limits.region_space)?;
    let mut session = compiling::open(early, &flags.module, &module, compile, flags.console.quiet)?;
    let task = plan::task(&flags.call(), session.description())?;
    let form = plan::form(&flags.input, &task, &jobs)?;
    let mut config = plan::config(flags, &task, &jobs);
    objects.check(&flags.module, session.description())?;
    objects.lend_to(&mut config);
    let of_load = |error| Report::of_load(&flags.module, error, &config);
    if flags.pool.dry_run {
        session.load(&config).map_err(of_load)?;
        let source = input(flags, form, &config, jobs, None)?;
        return dry_run::run(&session, &task, &config, source, flags.console.quiet);
    }
    objects.open_files()?;
    // Before signals are taken: a task that initialises may take a while.
    session.load(&config).map_err(of_load)?;
    let command = task.is_command();
    let names = vec![task.name.clone()];
    let meta = Meta::new(session.digest(), task.name, flags.template.clone(), jobs.about.clone());
    let journal = journal::open(&flags.log, &meta)?;
    let mut signals = Signals::take(flags.policy.grace)
        .map_err(|error| Report::new(Exit::Setup, format!("cannot take signals: {error}")))?;
    let cause = signals.cause();
    let sink = output(flags, &config, &jobs, command, journal.log, cause.clone())?;
    let files = result_files(flags, &jobs, command)?;
    let mut sink = Traced::new(Filed::new(sink, files), trace(&flags.log.trace, names)?);
    let mut source = input(flags, form, &config, jobs, journal.skip)?;

    let began = Instant::now();
    let ended = session.run(config, &mut source, &mut sink, &mut signals);
    let took = began.elapsed();
    signals.release();
    let traced = sink.end_trace();
    let mut sink = sink.sink.sink;
    // What is known of objects and of failed jobs is told even where the run had to be given up.
    let unread = ended.as_ref().is_ok_and(|summary| summary.undelivered > 0);
    let wrong = objects.tell(after_results(flags, &sink, unread), sink.record_end());
    let console = sink.end();
    let mut exit = match &ended {
        Ok(summary) if summary.end == End::Complete && source.seen() == 0 => {
            summary::no_jobs(flags.no_input(), console)
        }
        Ok(summary) => {
            summary::tell(console, summary, took, flags.log.joblog.is_some(), args);
            Exit::of_run(summary, cause.get())
        }
        Err(error) => Exit::of_error(error),
    };
    for report in wrong {
        report.tell(console);
        exit = exit.or(report.exit);
    }
    console.finish(ended.as_ref().map_or(Patience::Short, |summary| Patience::after(summary.end)));
    ended.map_err(|error| Report::of_module(&flags.module, error))?;
    traced.map_err(PoolError::Output)?;
    Ok(exit)
}

/// Where objects are shown: on a line of its own, after results that may end without one; nowhere if nobody
/// reads there.
fn after_results(flags: &MapFlags, sink: &Output, unread: bool) -> Box<dyn Write> {
    if unread {
        return Box::new(io::sink());
    }
    let shows = !flags.objects.show.is_empty();
    Box::new(sink.after_results(shows && flags.results.output.is_none()))
}

/// In which order jobs are taken where it is a random one: as in the run that is gone on with.
fn shuffle(flags: &MapFlags) -> Shuffle {
    let seed = flags.grants.seed.or_else(|| journal::earlier_seed(&flags.log));
    Shuffle { seed: seed.unwrap_or_else(rand::random), bytes_max: flags.buffer.max_buffer }
}

fn input(
    flags: &MapFlags,
    form: Form,
    config: &Config,
    jobs: Jobs,
    skip: Option<Skip>,
) -> Result<Input, Report> {
    let encoder =
        Encoder::new(form, config.buffer_bytes_max, skip, jobs.names).beside(&config.settings.dirs);
    let pacing = Pacing::new(flags.pool.conditions())
        .map_err(|error| Report::new(Exit::Setup, format!("cannot make a timer: {error}")))?;
    Ok(Input::new(jobs.origin, encoder).paced(pacing))
}

fn output(
    flags: &MapFlags,
    config: &Config,
    jobs: &Jobs,
    command: bool,
    log: Option<JobLog>,
    cause: SharedCause,
) -> Result<Output, Report> {
    let results = match &flags.results.output {
        None => standard_output(),
        Some(path) => output_file(path),
    }?;
    let shown = &flags.console;
    let bar_fits = io::stderr().is_terminal() && !results.is_terminal();
    let progress = match flags.progress.how() {
        _ if shown.quiet => Progress::None,
        ProgressWhen::None => Progress::None,
        ProgressWhen::Bar => Progress::bar(),
        ProgressWhen::Plain => Progress::plain(),
        ProgressWhen::Auto if bar_fits => Progress::bar(),
        ProgressWhen::Auto if io::stderr().is_terminal() => Progress::None,
        ProgressWhen::Auto => Progress::plain(),
    };
    let mut console = Console::new(shown.quiet, shown.verbose, progress)
        .map_err(|error| Report::new(Exit::Setup, format!("standard error: {error}")))?;
    objects::warn_of_barriers(&flags.objects, config.workers as u64, &mut console);
    let plan = Plan {
        format: flags.results.format(),
        tag: flags.output.tag,
        tagstring: flags.output.tagstring().map(|text| Template::parse(&[text], None)),
        words: jobs.words_of(command),
        ordered: config.ordered,
        command,
        files: flags.input.files,
    };
    let failures = Failures::new(jobs.names.clone(), config);
    Ok(Output::new(results, plan, failures, console, log, cause))
}

/// The files of `--results`, if there are to be any.
fn result_files(
    flags: &MapFlags,
    jobs: &Jobs,
    command: bool,
) -> Result<Option<ResultFiles>, Report> {
    let Some(folder) = &flags.output.results else { return Ok(None) };
    let (words, names) = (jobs.words_of(command), jobs.names.clone());
    let files = ResultFiles::new(folder, jobs.header.clone(), words, names);
    files.map(Some).map_err(|error| {
        Report::new(Exit::Output, format!("cannot write --results {}: {error}", folder.display()))
            .help("give a folder, or a name for one, where you may write")
    })
}

/// wpool's own standard output.
///
/// # Errors
/// It is closed.
pub(super) fn standard_output() -> Result<Stream, Report> {
    Stream::of(io::stdout())
        .map_err(|error| Report::new(Exit::Output, format!("standard output: {error}")))
}

/// The file of `--output`, emptied.
///
/// # Errors
/// It cannot be written.
pub(super) fn output_file(path: &Path) -> Result<Stream, Report> {
    create("--output", path, Stream::new)
}

/// The timeline of `--trace`, begun, if there is to be one. Jobs are called as [`Trace::begin`] says.
///
/// # Errors
/// Its file cannot be written.
pub(super) fn trace(flags: &TraceFlags, names: Vec<String>) -> Result<Option<Trace>, Report> {
    let Some(path) = &flags.trace else { return Ok(None) };
    create("--trace", path, |file| Trace::begin(file, path, names)).map(Some)
}

/// Makes something of the file that a flag names, emptied.
fn create<T>(
    flag: &str,
    path: &Path,
    make: impl FnOnce(File) -> io::Result<T>,
) -> Result<T, Report> {
    File::create(path).and_then(make).map_err(|error| {
        Report::new(Exit::Output, format!("cannot write {flag} {}: {error}", path.display()))
            .help("give a file that you may write, in a folder that is there")
    })
}
