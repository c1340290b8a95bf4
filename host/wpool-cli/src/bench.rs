//! `wpool bench`: measures the same jobs in several modes, side by side.

use super::argv::Column;
use super::exit::Exit;
use super::files::Outputs;
use super::flags::BenchFlags;
use super::input::encode::{Encoder, Form};
use super::input::{Input, fill_waiting};
use super::map;
use super::output::console::Console;
use super::output::progress::Progress;
use super::output::stream::Patience;
use super::output::trace::Traced;
use super::plan;
use super::report::Report;
use super::setup::Setup;
use super::signals::{SharedCause, Signals};
use super::{modules, summary, units};
use anstream::{AutoStream, ColorChoice};
use indicatif::ProgressBar;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wpool::module::description::Task;
use wpool::pool::config::{CompileConfig, Config};
use wpool::pool::cpus;
use wpool::pool::feed::{Command, Commands, Fill, InputQueue};
use wpool::pool::session::Session;
use wpool::wire::settings::{Limits, OutputForm, Probe, TaskSpec};
use wpool_bench::error::{Error, Told};
use wpool_bench::findings::{Findings, Group};
use wpool_bench::mode::{Contender, Mode, Way};
use wpool_bench::subject::{JOBS_BYTES_MAX, Jobs, Module, Subject};
use wpool_bench::timeline::Spans;
use wpool_bench::{contest, doubts, export, html, machine, shell, table, timeline};

/// Runs the subcommand. `columns` is the words after each `:::`.
///
/// # Errors
/// Fails if a mode could not be run, a job failed, or modes do not agree.
pub(crate) fn run(flags: &BenchFlags, columns: Vec<Column>) -> Result<Exit, Report> {
    flags.console.apply_color();
    flags.limits.refuse_share("bench")?;
    let seed = flags.grants.seed.unwrap_or_else(rand::random);
    let shuffle = plan::Shuffle { seed, bytes_max: JOBS_BYTES_MAX };
    let planned = plan::jobs(&flags.input, columns, shuffle)?;
    check_files(flags, &planned)?;
    let compile = flags.jail.compile(flags.foreign.compile(flags.limits.compile(true)));
    let open = |path| open(flags, path, &compile, &planned);
    let modules = flags.modules.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
    check_alike(&modules)?;
    let first = &modules[0];
    let contenders = contenders(flags, &modules)?;
    let exports = Exports::open(flags)?;
    let trace = map::trace(&flags.exports.trace, vec![first.task.name.clone()])?;
    let form = plan::form(&flags.input, &first.task, &planned)?;
    let jobs = jobs(form, &first.config, planned)?;
    let cause = SharedCause::default();
    let asking = || Asking::take(cause.clone()).map(|asking| Box::new(asking) as Box<dyn Commands>);
    let wrong = |error| report(error, &cause);
    let subject = Subject {
        modules: &modules,
        compile,
        jobs: &jobs,
        native: flags.compared.native.as_deref(),
        python: flags.compared.python.as_ref(),
        ignore_failure: flags.compared.ignore_failure,
        asking: &asking,
    };
    let mut console = console(flags)?;
    flags.jail.tell(&first.config.settings, &mut console);
    let shown = spinner(flags);
    contest::compare(&subject, &contenders, &shown).map_err(wrong)?;
    shown.finish_and_clear();
    let counted = units::count(jobs.len() as u64, "job");
    console.info(format_args!("all agree on the results of {counted}; measuring"));
    let shown = spinner(flags);
    let rounds = flags.rounds.rounds();
    let results = contest::measure(&subject, &contenders, &rounds, &shown).map_err(wrong)?;
    shown.finish_and_clear();
    let timelines = match (&flags.exports.export_html, &trace) {
        (None, None) => Vec::new(),
        _ => {
            let mut sink = Traced::new(Spans::default(), trace);
            let timelines =
                timeline::record(&subject, &contenders, &mut sink, |sink| &mut sink.sink);
            let wrong_trace =
                |error| Report::new(Exit::Output, format!("cannot write --trace: {error}"));
            let timelines = timelines.map_err(wrong)?;
            sink.end_trace().map_err(wrong_trace)?;
            timelines
        }
    };
    console.finish(Patience::Endless);
    let findings = Findings {
        title: title(&modules, &counted),
        machine: machine::facts(&subject, crate::VERSION),
        results,
        timelines,
    };
    exports.write(&findings, flags)?;
    let color = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
    let printed = summary::print(&table::text(&findings, flags.exports.time_unit, color))?;
    doubts::warnings(&findings).iter().for_each(|doubt| console.warning(doubt));
    console.finish(Patience::Endless);
    Ok(printed)
}

/// Checks that no file is written that is also read, or that lies where guests may write.
fn check_files(flags: &BenchFlags, planned: &plan::Jobs) -> Result<(), Report> {
    let outputs = Outputs {
        files: flags.exports.files(),
        saved: &[],
        results: None,
        granted: &flags.grants.dir,
    };
    planned.files.clone().check_run(&flags.modules, &outputs)
}

/// Reads and compiles a module, and finds its task.
fn open<'a>(
    flags: &'a BenchFlags,
    path: &'a Path,
    compile: &CompileConfig,
    planned: &plan::Jobs,
) -> Result<Module<'a>, Report> {
    let bytes = modules::read(path)?;
    let session =
        Session::open(&bytes, compile.clone()).map_err(|error| Report::of_module(path, error))?;
    let description = session.description().clone();
    let task = plan::task(&flags.call(path), &description)?;
    let config = config(flags, path, &task, planned);
    Ok(Module { path, bytes, description, task, config })
}

/// Checks that modules can be compared, because they take the same jobs.
fn check_alike(modules: &[Module<'_>]) -> Result<(), Report> {
    let first = &modules[0];
    let is_command = |module: &Module<'_>| module.task.is_command();
    for (at, module) in modules.iter().enumerate() {
        let path = module.path.display();
        if is_command(module) != is_command(first) {
            let what = format!("{} and {path} are not both commands", first.path.display());
            return Err(Report::usage(what).help("compare modules that take the same jobs"));
        }
        if modules[..at].iter().any(|other| other.path == module.path) {
            return Err(Report::usage(format!("{path} is given twice")).help("leave one out"));
        }
    }
    Ok(())
}

/// Returns the title: the modules' names, their task, and the number of jobs.
fn title(modules: &[Module<'_>], jobs: &str) -> String {
    let name = |module: &Module<'_>| match modules {
        [_] => module.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        _ => module.path.display().to_string(),
    };
    let names: Vec<String> = modules.iter().map(name).collect();
    format!("{}, {}: {jobs}", names.join(" and "), modules[0].task.name)
}

/// Makes the display of what is being measured, which shows on a terminal only.
fn spinner(flags: &BenchFlags) -> ProgressBar {
    if flags.console.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() }
}

fn config(flags: &BenchFlags, path: &Path, task: &Task, planned: &plan::Jobs) -> Config {
    let spec = TaskSpec {
        output: if flags.input.files { OutputForm::Bytes } else { OutputForm::Json },
        ..plan::task_spec(&flags.call(path), task, planned)
    };
    let setup = Setup {
        limits: &flags.limits,
        grants: &flags.grants,
        scratch: None,
        foreign: &flags.foreign,
    };
    let shared = setup.config(spec, Limits::default().log_bytes_max, Probe::default());
    Config {
        batch_jobs_max: flags.compared.batch,
        init_timeout: [shared.init_timeout, shared.deadline].into_iter().flatten().min(),
        ..shared
    }
}

/// Reads and encodes all jobs.
fn jobs(form: Form, config: &Config, planned: plan::Jobs) -> Result<Jobs, Report> {
    let encoder = Encoder::new(form, config.buffer_bytes_max, None, planned.names)
        .beside(&config.settings.grants.dirs);
    let jobs = read(Input::new(planned.origin, encoder))?;
    match jobs.len() {
        0 => Err(Report::new(Exit::NoInput, "there are no jobs to measure")),
        _ => Ok(jobs),
    }
}

/// Reads all jobs of an input.
///
/// # Errors
/// Fails if the jobs cannot be read, if one of them has failed before it is run, or if they are too
/// large.
fn read(mut input: Input) -> Result<Jobs, Report> {
    let wrong = |error: io::Error| Report::usage(format!("cannot read the jobs: {error}"));
    let (mut jobs, mut inputs) = (Jobs::default(), InputQueue::default());
    loop {
        let fill = fill_waiting(&mut input, &mut inputs).map_err(wrong)?;
        if let Some((job, failure)) = inputs.first_failed() {
            return Err(Report::usage(format!("job {job} cannot be run: {failure}")));
        }
        inputs.drain(|job| jobs.push(job));
        if jobs.bytes() > JOBS_BYTES_MAX {
            return Err(Report::usage("the jobs are larger than 1 GiB together")
                .help("a part of them measures as well"));
        }
        if fill == Fill::End {
            return Ok(jobs);
        }
    }
}

/// The signals that may end the run of another program. Dropping it restores their default actions.
struct Asking {
    signals: Option<Signals>,
    /// The signal that asked the run to end, if one did.
    cause: SharedCause,
}

impl Asking {
    /// Takes the signals.
    ///
    /// # Errors
    /// Fails as [`Signals::take`] does.
    fn take(cause: SharedCause) -> io::Result<Asking> {
        Ok(Asking { signals: Some(Signals::take(Duration::ZERO)?), cause })
    }
}

impl Commands for Asking {
    fn next(&mut self) -> Option<Command> {
        let signals = self.signals.as_mut()?;
        let next = signals.next();
        self.cause.set(signals.cause().get());
        next
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.signals.as_ref()?.fd()
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.signals.take().into_iter().for_each(Signals::release);
    }
}

/// Turns an error into a report; `cause` is the signal that asked the run to end, if one did.
fn report(error: Error, cause: &SharedCause) -> Report {
    let (exit, Told { text, help }) = match error {
        Error::Usage(told) => (Exit::Usage, told),
        Error::Setup(told) => (Exit::Setup, told),
        Error::Failed(told) => (Exit::JobsFailed, told),
        Error::Deadline(told) => (Exit::Deadline, told),
        Error::Asked => return Report::new(Exit::of_cause(cause.get()), "killed on request"),
        Error::Pool { module, error } => return Report::of_module(&module, error),
    };
    Report { help, ..Report::new(exit, text) }
}

/// Returns the modes that can be run, each with all numbers of workers.
fn contenders(flags: &BenchFlags, modules: &[Module<'_>]) -> Result<Vec<Contender>, Report> {
    let compared = &flags.compared;
    let mut modes = compared.modes.clone();
    if modes.is_empty() {
        modes.extend(Mode::ALL.into_iter().filter(|mode| lacks(*mode, flags, modules).is_none()));
        check_used(flags, &modes, modules)?;
    }
    let mut workers = compared.workers.clone();
    if workers.is_empty() {
        workers.push(cpus::usable());
    }
    let mut contenders: Vec<Contender> = Vec::new();
    for mode in modes {
        if let Some((what, help)) = lacks(mode, flags, modules) {
            return Err(Report::usage(format!("mode `{}` {what}", mode.name())).help(help));
        }
        let modules = if mode.group() == Group::Wasm { modules.len() } else { 1 };
        for module in 0..modules {
            for &workers in if mode.is_parallel() { &workers[..] } else { &[1] } {
                let contender = Contender { module, mode, workers };
                if !contenders.contains(&contender) {
                    contenders.push(contender);
                }
            }
        }
    }
    Ok(contenders)
}

/// Checks that everything that was given for comparison is compared.
fn check_used(flags: &BenchFlags, modes: &[Mode], modules: &[Module<'_>]) -> Result<(), Report> {
    let (native, python) = (flags.compared.native.is_some(), flags.compared.python.is_some());
    let command = modules[0].task.is_command();
    let of_native: &[Mode] = match command {
        true => &[Mode::Xargs],
        false => &[Mode::Native, Mode::Threads, Mode::NativeWorkers],
    };
    for (given, flag, of) in
        [(native, "--native", of_native), (python, "--python", &[Mode::Python][..])]
    {
        if given && !of.iter().any(|mode| modes.contains(mode)) {
            let lacking = of.iter().find_map(|mode| lacks(*mode, flags, modules));
            let (what, help) = lacking.unwrap_or_default();
            let what = format!("{flag} cannot be compared with: mode `{}` {what}", of[0].name());
            return Err(Report::usage(what).help(help));
        }
    }
    Ok(())
}

/// Returns what a mode lacks, and what to do about it.
fn lacks(
    mode: Mode,
    flags: &BenchFlags,
    modules: &[Module<'_>],
) -> Option<(&'static str, &'static str)> {
    let compared = &flags.compared;
    let command = modules[0].task.is_command();
    match (mode, mode.way()) {
        (Mode::Native | Mode::Threads | Mode::NativeWorkers, _) if command => {
            Some(("is not for commands", "xargs and parallel run a native program"))
        }
        (Mode::Reuse, _) if command => {
            Some(("is not for commands", "each job of a command has a fresh instance"))
        }
        (Mode::Native | Mode::Threads | Mode::NativeWorkers, _) if compared.native.is_none() => {
            Some(("needs a shared library", "give it with --native LIB.so"))
        }
        (Mode::Python | Mode::PythonSerial, _) if compared.python.is_none() => {
            Some(("needs a function", "give it with --python FILE.py:FUNCTION"))
        }
        (Mode::Python | Mode::PythonSerial, _) if command => {
            Some(("is not for commands", "give a native program with --native"))
        }
        (Mode::Xargs | Mode::Parallel, _) if !command => {
            Some(("is for commands only", "--native gives a shared library with the same tasks"))
        }
        (Mode::Xargs | Mode::Parallel, _) if compared.native.is_none() => {
            Some(("needs a program", "give it with --native PROGRAM"))
        }
        (Mode::Parallel, _) if !shell::is_there("parallel") => {
            Some(("needs GNU parallel", "install it, or leave the mode out"))
        }
        (_, Way::Alone { .. }) if modules.iter().any(|module| module.description.shares()) => {
            Some(("has no shared objects", "leave it out: tasks that share need a pool"))
        }
        _ => None,
    }
}

fn console(flags: &BenchFlags) -> Result<Console, Report> {
    Console::new(flags.console.quiet, flags.console.verbose, Progress::None)
        .map_err(|error| Report::new(Exit::Setup, format!("standard error: {error}")))
}

/// The files that were asked for. They are opened first, so that nothing is measured in vain.
struct Exports {
    files: Vec<(PathBuf, Writer, File)>,
}

type Writer = fn(&Findings, &BenchFlags, &mut dyn Write) -> io::Result<()>;

impl Exports {
    fn open(flags: &BenchFlags) -> Result<Exports, Report> {
        let exports = &flags.exports;
        let all: [(&Option<PathBuf>, Writer); 6] = [
            (&exports.export_json, |findings, _, to| export::json(findings, to)),
            (&exports.export_csv, |findings, _, to| export::csv(findings, to)),
            (&exports.export_markdown, |findings, flags, to| {
                export::markdown(findings, flags.exports.time_unit, to)
            }),
            (&exports.export_asciidoc, |findings, flags, to| {
                export::asciidoc(findings, flags.exports.time_unit, to)
            }),
            (&exports.export_orgmode, |findings, flags, to| {
                export::orgmode(findings, flags.exports.time_unit, to)
            }),
            (&exports.export_html, |findings, _, to| html::page(findings, to)),
        ];
        let mut files = Vec::new();
        for (path, writer) in all {
            let Some(path) = path else { continue };
            let file = File::create(path).map_err(|error| wrong(path, &error))?;
            files.push((path.clone(), writer, file));
        }
        Ok(Exports { files })
    }

    fn write(self, findings: &Findings, flags: &BenchFlags) -> Result<(), Report> {
        for (path, writer, file) in self.files {
            let mut file = BufWriter::new(file);
            writer(findings, flags, &mut file)
                .and_then(|()| file.flush())
                .map_err(|error| wrong(&path, &error))?;
        }
        Ok(())
    }
}

fn wrong(path: &std::path::Path, error: &io::Error) -> Report {
    Report::new(Exit::Output, format!("cannot write {}: {error}", path.display()))
        .help("give a file that you may write, in a folder that is there")
}
