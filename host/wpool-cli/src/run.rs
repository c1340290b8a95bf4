//! `wpool run`: runs a process for each call, all at once, or a command.

use super::call::{Call, names};
use super::exit::Exit;
use super::files::{Files, Outputs};
use super::flags::RunFlags;
use super::help;
use super::input::names::Names;
use super::map::trace;
use super::objects::{self, Objects};
use super::output::Format;
use super::output::console::Console;
use super::output::failures::Failures;
use super::output::processes::{Process, Processes};
use super::output::progress::Progress;
use super::output::stream::Patience;
use super::output::target::Target;
use super::output::trace::Traced;
use super::plan::command_has_no_init;
use super::report::Report;
use super::setup::Setup;
use super::signals::{AtOnce, Cause, Signals};
use super::{argv, compiling, modules};
use std::io;
use std::os::fd::BorrowedFd;
use wpool::module::description::{ChooseError, Description, Form, Kind, Task};
use wpool::pool::config::{Config, Halt, WORKERS_MAX};
use wpool::pool::error::PoolError;
use wpool::pool::feed::{Fill, InputQueue, Source};
use wpool::pool::session::EarlyZygote;
use wpool::pool::summary::End;
use wpool::wire::settings::{CommandLine, Probe, TaskSpec, command_job, task_job};

/// The jobs of a run, and the processes that run them.
struct Plan {
    jobs: Vec<Vec<u8>>,
    processes: Vec<Process>,
    config: Config,
}

/// Runs the subcommand, in the zygote `early` if there is one.
///
/// # Errors
/// Fails if the run could not be started, or had to be given up.
pub(crate) fn run(flags: &RunFlags, early: Option<EarlyZygote>) -> Result<Exit, Report> {
    flags.console.apply_color();
    flags.limits.refuse_share("run")?;
    let of_module = |error| Report::of_module(&flags.module, error);
    check_files(flags)?;
    let limits = &flags.limits;
    let compile = flags.foreign.compile(limits.compile_now(!flags.policy.no_cache));
    let compile = flags.jail.compile(compile);
    let module = modules::read(&flags.module)?;
    let mut objects = Objects::make(&flags.objects, limits.shared_space, limits.region_space)?;
    let mut session = compiling::open(early, &flags.module, &module, compile, flags.console.quiet)?;
    let description = session.description();
    // With calls, a command's module is used for its other tasks, if it has any.
    let command = description.kind == Kind::Command
        && (flags.calls.is_empty() || description.tasks.len() == 1);
    objects.check(&flags.module, description)?;
    let mut plan = if command { command_plan(flags)? } else { calls_plan(flags, description)? };
    objects.lend_to(&mut plan.config);
    objects.open_files()?;
    // The session loads before signals are taken, because a task that initialises may take a while.
    let of_load = |error| Report::of_load(&flags.module, error, &plan.config);
    session.load(&plan.config).map_err(of_load)?;
    let file = flags.results.output.as_deref().map(|path| Target::own("--output", path));
    let file = file.transpose()?;
    let names = plan.processes.iter().map(|process| process.name.clone()).collect();
    let trace = trace(&flags.trace, names)?;
    let mut signals = Signals::take(flags.policy.grace)
        .map_err(|error| Report::new(Exit::Setup, format!("cannot take signals: {error}")))?;
    let cause = signals.cause();
    let mut console = Console::new(flags.console.quiet, flags.console.verbose, Progress::None)
        .map_err(|error| Report::new(Exit::Setup, format!("standard error: {error}")))?;
    flags.jail.tell(&plan.config.settings, &mut console);
    objects::warn_of_barriers(&flags.objects, plan.processes.len() as u64, &mut console);
    // No buffer holds results here: help lines about the buffer are for `wpool map`.
    let limits = Config { buffer_bytes_max: usize::MAX, ..plan.config.clone() };
    let processes = Processes::new(
        plan.processes,
        flags.tag,
        flags.results.format(),
        Target::standard_output()?.stream()?,
        console,
        Failures::new(Names::words(), &limits),
        cause.clone(),
    );
    let mut sink = Traced::new(processes, trace);
    let mut source = Calls { jobs: plan.jobs.into_iter() };
    let ended = match command {
        true => session.run(plan.config, &mut source, &mut sink, &mut AtOnce(&mut signals)),
        false => session.run(plan.config, &mut source, &mut sink, &mut signals),
    };
    signals.release();
    let traced = sink.end_trace();
    let mut sink = sink.sink;
    // Ended processes and objects are reported even if the run had to be given up.
    let patience = ended.as_ref().map_or(Patience::Short, |summary| Patience::after(summary.end));
    let written = sink.finish(file, patience);
    let end = if flags.results.format() == Format::Null { 0 } else { b'\n' };
    let wrong = objects.tell(io::stdout().lock(), end);
    let summary = ended.map_err(of_module)?;
    written.and(traced).map_err(|error| of_module(PoolError::Output(error)))?;
    let exit = match (summary.end, cause.get()) {
        (End::Complete, _) => sink.exit(),
        (_, Some(Cause::HangUp)) if command => Exit::Process(129),
        (_, cause) => Exit::of_run(&summary, cause),
    };
    Ok(wrong.into_iter().fold(exit, |exit, report| {
        report.print();
        exit.or(report.exit)
    }))
}

/// Checks that no file is written that is also read, or that lies where guests may write.
fn check_files(flags: &RunFlags) -> Result<(), Report> {
    let outputs = Outputs {
        files: vec![
            ("--output", flags.results.output.as_deref()),
            ("--trace", flags.trace.trace.as_deref()),
        ],
        saved: &flags.objects.save,
        results: None,
        granted: &flags.grants.dir,
    };
    Files::default().check_run([&flags.module], &outputs)
}

/// Makes the plan of a command: one process that has wpool's own streams.
fn command_plan(flags: &RunFlags) -> Result<Plan, Report> {
    let module = flags.module.display();
    if !flags.calls.is_empty() {
        let again: Vec<String> = flags.calls.iter().map(argv::quote).collect();
        return Err(Report::usage(format!("{module} is a command and has no tasks to call"))
            .help(format!("its arguments stand behind `--`: -- {}", again.join(" "))));
    }
    if flags.init.is_some() {
        return Err(command_has_no_init(&flags.module));
    }
    let results = &flags.results;
    for (given, flag) in [
        (results.output.is_some(), "--output"),
        (results.format() != Format::Raw, "--output-format"),
        (results.raw_output, "--raw-output"),
        (results.base64, "--base64"),
        (flags.tag, "--tag"),
    ] {
        if given {
            return Err(Report::usage(format!("{module} is a command: {flag} has no meaning"))
                .help("its output is wpool's own; `wpool map` captures it"));
        }
    }
    let words: Vec<&[u8]> = flags.arguments.iter().map(|word| word.as_bytes()).collect();
    let job = command_job(&words, &[]).expect("no argument of a program has a NUL byte");
    let name = modules::stem(&flags.module);
    let argv0 = flags.grants.argv0.clone().unwrap_or_else(|| modules::file_name(&flags.module));
    let command = CommandLine { name: argv0, append: true, ..CommandLine::default() };
    let process =
        Process { task: name.clone(), name, arguments: Vec::new(), answers: false, command: true };
    let mut config = config(flags, TaskSpec { command, ..TaskSpec::default() }, 1);
    config.settings.grants.stdio = true;
    Ok(Plan { jobs: vec![job], processes: vec![process], config })
}

/// Makes the plan of calls: a process for each.
fn calls_plan(flags: &RunFlags, description: &Description) -> Result<Plan, Report> {
    let module = flags.module.display();
    if let Some(arg) = flags.arguments.first() {
        let error =
            format!("{module} is not a command, so it takes no argument {arg:?} after `--`");
        return Err(Report::usage(error).help("give calls of its tasks: 'TASK(ARGUMENT, …)'"));
    }
    let of_module = |error: ChooseError| {
        let help = help::of_choice(&error, "call one of");
        Report { help, ..Report::of_module(&flags.module, error.into()) }
    };
    if flags.calls.is_empty() {
        // A module without any task is reported first.
        if let (Err(error), true) = (description.choose(None), description.tasks.is_empty()) {
            return Err(of_module(error));
        }
        let tasks: Vec<String> = description.tasks.iter().map(Task::signature).collect();
        return Err(Report::usage(format!("{module} has tasks, and none is called")).help(
            format!("give a call as 'TASK(ARGUMENT, …)'; the tasks are: {}", tasks.join(", ")),
        ));
    }
    if flags.calls.len() > WORKERS_MAX {
        return Err(Report::usage(format!("{} calls are too many", flags.calls.len())).help(
            format!("at most {WORKERS_MAX} run at once; `wpool map` takes any number of jobs"),
        ));
    }
    let calls: Vec<Call> =
        flags.calls.iter().map(|call| Call::parse(call)).collect::<Result<_, _>>()?;
    let tasks = calls.iter().map(|call| description.choose(call.task.as_deref()));
    let tasks: Vec<&Task> = tasks.collect::<Result<_, _>>().map_err(of_module)?;
    if let Some(at) = tasks.iter().position(|task| task.form == Form::Command) {
        let call = &flags.calls[at];
        let others: Vec<_> = description.callable().map(Task::signature).skip(1).collect();
        return Err(Report::usage(format!("call `{call}` is of a command, which is not called"))
            .help(format!(
                "call one of: {}; `--` begins the command's arguments",
                others.join(", ")
            )));
    }
    let task_names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    let names = names(&calls, &task_names)?;
    let (mut jobs, mut processes) = (Vec::new(), Vec::new());
    let mut distinct: Vec<String> = Vec::new();
    for ((call, task), name) in calls.iter().zip(tasks).zip(names) {
        let index = distinct.iter().position(|name| *name == task.name).unwrap_or_else(|| {
            distinct.push(task.name.clone());
            distinct.len() - 1
        });
        let arguments = call.job(task)?;
        jobs.push(task_job(index as u32, &arguments));
        let (task, answers) = (task.name.clone(), task.answers());
        processes.push(Process { name, task, arguments, answers, command: false });
    }
    let spec = TaskSpec { tasks: distinct, ..TaskSpec::default() };
    let config = config(flags, spec, jobs.len());
    Ok(Plan { jobs, processes, config })
}

/// Returns the configuration of the pool: a process for each job, all at once.
fn config(flags: &RunFlags, task: TaskSpec, processes: usize) -> Config {
    let traced = flags.trace.trace.is_some();
    let probe = Probe {
        measured: flags.console.verbose || flags.results.format() == Format::Jsonl || traced,
        waits: traced,
    };
    let task = TaskSpec { init: flags.init.clone(), ..flags.results.apply(task) };
    let setup = Setup {
        limits: &flags.limits,
        grants: &flags.grants,
        scratch: Some(&flags.scratch),
        foreign: &flags.foreign,
    };
    // The processes' lines are passed on and not kept.
    let shared = setup.config(task, u64::MAX, probe);
    let output = usize::try_from(shared.settings.limits.output_bytes_max).unwrap_or(usize::MAX);
    Config {
        workers: processes,
        jobs_per_worker_max: Some(1),
        batch_jobs_max: Some(1),
        retry: flags.policy.retry(),
        // A single process ends with its own code.
        halt: if processes > 1 { flags.policy.halt() } else { Halt::Never },
        // The buffer has to hold a result.
        buffer_bytes_max: shared.buffer_bytes_max.max(output),
        // Results are kept until the end anyway, and lines must not wait for them.
        ordered: false,
        ..shared
    }
}

/// The jobs of the calls.
struct Calls {
    jobs: std::vec::IntoIter<Vec<u8>>,
}

impl Source for Calls {
    fn fill(&mut self, inputs: &mut InputQueue, _: usize) -> io::Result<Fill> {
        self.jobs.by_ref().for_each(|job| inputs.push(&job));
        Ok(Fill::End)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.jobs.len() as u64)
    }
}
