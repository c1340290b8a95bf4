//! `wpool map`: runs each job through the module.

use super::argv::Column;
use super::exit::Exit;
use super::files::{Outputs, Written};
use super::flags::{MapFlags, ProgressWhen, TraceFlags};
use super::input::compare::compare;
use super::input::encode::{Encoder, Form};
use super::input::pacing::{Delayed, Pacing};
use super::input::{Input, Origin};
use super::objects::{self, Objects};
use super::output::console::Console;
use super::output::failures::Failures;
use super::output::journal::{self, Journal, Meta, Opened};
use super::output::progress::Progress;
use super::output::results::{Filed, ResultFiles};
use super::output::resume::Skip;
use super::output::stream::Patience;
use super::output::target::Target;
use super::output::trace::{Trace, Traced};
use super::output::{Output, Plan};
use super::plan::{self, Jobs, Shuffle};
use super::report::Report;
use super::signals::{SharedCause, Signals};
use super::summary::Again;
use super::{compiling, dry_run, modules, summary};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Instant;
use wpool::pool::config::Config;
use wpool::pool::error::PoolError;
use wpool::pool::session::{EarlyZygote, Session};
use wpool::pool::summary::End;
use wpool::wire::template::Template;

/// Runs the subcommand. `args` is the whole command line, `columns` the words after each `:::`, and
/// `early` a zygote to use.
///
/// # Errors
/// Fails if the run could not be started, or had to be given up.
pub(crate) fn run(
    flags: &MapFlags,
    columns: Vec<Column>,
    args: &[OsString],
    early: Option<EarlyZygote>,
) -> Result<Exit, Report> {
    flags.console.apply_color();
    let limits = &flags.limits;
    let compile = flags.compile();
    let jobs = plan::jobs(&flags.input, columns, shuffle(flags))?;
    check_files(flags, &jobs)?;
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
        let source = input(flags, form, &config, jobs, None, Delayed::default())?;
        return dry_run::run(&session, &task, &config, source, flags.console.quiet);
    }
    objects.open_files()?;
    // The session loads before signals are taken, because a task that initialises may take a while.
    session.load(&config).map_err(of_load)?;
    let command = task.is_command();
    let Ready { target, mut journal } = ready(flags, &session, &task.name, &config, &jobs, &form)?;
    let again = again(flags, &jobs, args);
    let mut signals = Signals::take(flags.policy.grace)
        .map_err(|error| Report::new(Exit::Setup, format!("cannot take signals: {error}")))?;
    let cause = signals.cause();
    let sink = output(flags, &config, &jobs, command, (&target, &mut journal), cause.clone())?;
    let sink = Filed::new(sink, result_files(flags, &jobs, command)?);
    let mut sink = Traced::new(sink, trace(&flags.log.trace, vec![task.name])?);
    let mut source = input(flags, form, &config, jobs, journal.skip, sink.sink.sink.delayed())?;

    let began = Instant::now();
    let ended = session.run(config, &mut source, &mut sink, &mut signals);
    let took = began.elapsed();
    signals.release();
    let traced = sink.end_trace();
    let mut sink = sink.sink.sink;
    sink.settle();
    // Objects and failed jobs are reported even if the run had to be given up.
    let unread = ended.as_ref().is_ok_and(|summary| summary.undelivered > 0);
    let wrong = objects.tell(after_results(flags, &sink, unread), sink.record_end());
    let console = sink.end();
    if let Some(ending) = journal.ending {
        ending.end(&target, console);
    }
    let mut exit = match &ended {
        Ok(summary) if summary.end == End::Complete && source.seen() == 0 => {
            summary::no_jobs(flags.no_input(), console)
        }
        Ok(summary) => summary::tell(console, summary, took, &again, cause.get()),
        Err(error) => Exit::of_error(error),
    };
    for report in wrong {
        report.tell(console);
        exit = exit.or(report.exit);
    }
    console.finish(ended.as_ref().map_or(Patience::Short, |summary| Patience::after(summary.end)));
    let told = |error| Report::of_module(&flags.module, error).then(again.go_on());
    ended.map_err(told)?;
    traced.map_err(PoolError::Output).map_err(told)?;
    Ok(exit)
}

/// Returns the writer for objects. They are shown on a line of their own after results, which may
/// end without a line end; nowhere if the results were not read.
fn after_results(flags: &MapFlags, sink: &Output, unread: bool) -> Box<dyn Write> {
    if unread {
        return Box::new(io::sink());
    }
    let shows = !flags.objects.show.is_empty();
    Box::new(sink.after_results(shows && flags.results.output.is_none()))
}

/// Returns the random order of the jobs: by --seed, as in the run that is resumed, or a new one.
fn shuffle(flags: &MapFlags) -> Shuffle {
    let seed = flags.grants.seed.or_else(|| journal::earlier_seed(&flags.log));
    Shuffle { seed: seed.unwrap_or_else(rand::random), bytes_max: flags.buffer.max_buffer }
}

/// Checks that no file is written that is also read, or that lies where guests may write.
fn check_files(flags: &MapFlags, jobs: &Jobs) -> Result<(), Report> {
    let meta = flags.log.joblog.as_deref().map(journal::meta_path);
    let outputs = Outputs {
        files: vec![
            ("--output", flags.results.output.as_deref()),
            ("--joblog", flags.log.joblog.as_deref()),
            ("--joblog", meta.as_deref()),
            ("--trace", flags.log.trace.trace.as_deref()),
        ],
        saved: &flags.objects.save,
        results: flags.output.results.as_deref(),
        granted: &flags.grants.dir,
    };
    jobs.files.clone().check_run([&flags.module], &outputs)
}

fn again<'a>(flags: &MapFlags, jobs: &Jobs, args: &'a [OsString]) -> Again<'a> {
    let reads = matches!(jobs.origin, Origin::Lines(_)) && flags.input.reads_standard_input();
    Again::new(args, flags.log.joblog.is_some(), reads, flags.results.output.is_none())
}

/// The results' file and the joblog, ready to be written.
struct Ready {
    target: Target,
    journal: Journal,
}

/// Opens the files for results and rows, and prepares them for writing. On an error nothing has
/// been changed.
fn ready(
    flags: &MapFlags,
    session: &Session,
    task: &str,
    config: &Config,
    jobs: &Jobs,
    form: &Form,
) -> Result<Ready, Report> {
    let args = flags.template.clone();
    let plan = journal::Plan {
        meta: Meta::new(session.digest(), task.to_owned(), args, jobs),
        format: flags.results.words(flags.output.tag),
        ordered: config.ordered,
        ok_exit: flags.output.ok_exit.clone(),
    };
    let opened = Opened::open(&flags.log, plan)?;
    if let Some(skip) = opened.as_ref().and_then(Opened::skip) {
        if !flags.log.force_resume {
            let most = config.buffer_bytes_max;
            let differs = compare(&jobs.origin, &jobs.names, form.clone(), most, skip);
            if let Some(differs) = differs.map_err(|error| Report::from(PoolError::Input(error)))? {
                return Err(differs.report());
            }
        }
        Objects::check_kept(&flags.objects, flags.log.force_resume)?;
    }
    let mut target = Target::open(flags.results.output.as_deref())?;
    let journal = match opened {
        Some(opened) => opened.begin(&mut target)?,
        None => target.empty().map(|()| Journal::default())?,
    };
    Ok(Ready { target, journal })
}

fn input(
    flags: &MapFlags,
    form: Form,
    config: &Config,
    jobs: Jobs,
    skip: Option<Skip>,
    delayed: Delayed,
) -> Result<Input, Report> {
    let named = [&flags.results.output, &flags.log.joblog, &flags.log.trace.trace];
    let named = named.into_iter().flatten().map(PathBuf::as_path);
    let written = Written::new(named, flags.output.results.as_deref());
    let encoder = Encoder::new(form, config.buffer_bytes_max, skip, jobs.names);
    let encoder = encoder.beside(&config.settings.grants.dirs).sparing(written);
    let pacing = Pacing::new(flags.pool.conditions(), delayed)
        .map_err(|error| Report::new(Exit::Setup, format!("cannot make a timer: {error}")))?;
    Ok(Input::new(jobs.origin, encoder).paced(pacing))
}

fn output(
    flags: &MapFlags,
    config: &Config,
    jobs: &Jobs,
    command: bool,
    (target, journal): (&Target, &mut Journal),
    cause: SharedCause,
) -> Result<Output, Report> {
    let results = target.stream()?;
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
    flags.jail.tell(&config.settings, &mut console);
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
    let results = (results, target.name().to_owned(), journal.before);
    Ok(Output::new(results, plan, failures, console, journal.log.take(), cause))
}

/// Makes the files of `--results`, if the flag is given.
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

/// Begins the timeline of `--trace`, if the flag is given. Jobs are named as [`Trace::begin`]
/// describes.
///
/// # Errors
/// Fails if the timeline's file cannot be written.
pub(super) fn trace(flags: &TraceFlags, names: Vec<String>) -> Result<Option<Trace>, Report> {
    let Some(path) = &flags.trace else { return Ok(None) };
    let mut target = Target::own("--trace", path)?;
    target.empty()?;
    let trace = target.file().and_then(|file| Trace::begin(file, path, names));
    trace.map(Some).map_err(|error| target.unwritable(&error))
}
