//! Programs: a compiled module, linked and ready to be instantiated. Made once, in the zygote.

use super::call::ScalarExport;
use super::command::Command;
use super::convert::Signature;
use super::engine::{self, PAGE_BYTES};
use super::outcome::size;
use super::text::Takes;
use crate::imports::{self, Host};
use crate::module::description::{ChooseError, Description, Form, Task};
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::settings::{InputForm, OutputForm, Settings, split_task_job};
use std::fs::File;
use wasmtime::{Engine, FuncType, InstancePre, Linker, Module, ModuleExport};
use wasmtime_wasi::{I32Exit, p1};

/// Most names that a message lists.
const LISTED_MAX: usize = 20;

const WASI: &str = "wasi_snapshot_preview1";

/// Why no job can be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    /// There is no such task, or none to choose.
    #[error(transparent)]
    Choose(#[from] ChooseError),
    /// The jobs' form does not suit the task.
    #[error("{0} does not take raw text: its only parameter would have to be a string")]
    Input(String),
    /// The module's memory is above the limit from the start.
    #[error("the module needs {} of memory to start, more than --memory {}", size(*.needed), size(*.limit))]
    Memory { needed: u64, limit: u64 },
    /// A granted directory is none.
    #[error("cannot open directory {0}: {1}")]
    Directory(String, std::io::Error),
    /// The module imports what nobody provides.
    #[error("the module imports what wpool does not provide: {0}")]
    Imports(String),
    /// The compiled code cannot be used.
    #[error("cannot load the module: {0:#}")]
    Load(wasmtime::Error),
}

/// How a job becomes a call.
pub(crate) enum Calling {
    /// Numbers in, numbers out.
    Scalar { signature: Signature, export: ScalarExport },
    /// Bytes by imports.
    Byte { takes: Takes, export: ModuleExport },
    /// Arguments and standard input; standard output.
    Command { command: Command, export: ModuleExport },
}

/// A module that is ready to be instantiated.
pub(crate) struct Program {
    pub(crate) settings: Settings,
    /// What jobs call.
    tasks: Vec<Calling>,
    /// What is called once per instance.
    pub(crate) initialize: Option<ModuleExport>,
    /// Its memory, which imports copy from and to.
    pub(crate) memory: Option<ModuleExport>,
    pub(crate) pre: InstancePre<Host>,
    /// Whether it imports WASI.
    pub(crate) wasi: bool,
    /// Whether it waits for time: WASI then needs a second thread.
    pub(crate) polls: bool,
}

impl Program {
    /// Loads compiled code and links it. Starts no threads: the zygote forks.
    ///
    /// # Errors
    /// No job could be run: there is no such task, or the module cannot be linked.
    pub(crate) fn load(
        settings: &Settings,
        description: &Description,
        cwasm: File,
    ) -> Result<Program, ProgramError> {
        let names = settings.task_names();
        let tasks: Vec<&Task> =
            names.into_iter().map(|name| description.choose(name)).collect::<Result<_, _>>()?;
        check_memory(settings, description)?;
        check_directories(settings)?;
        let module = engine::load_module(settings, description.shares(), cwasm)
            .map_err(ProgramError::Load)?;
        module.initialize_copy_on_write_image().map_err(ProgramError::Load)?;
        let tasks = tasks.into_iter().map(|task| calling(settings, task, &module));
        let tasks = tasks.collect::<Result<_, _>>()?;
        let imports_from =
            |name: &str| description.imports.iter().any(|import| import.module == name);
        let wasi = imports_from(WASI);
        Ok(Program {
            settings: settings.clone(),
            tasks,
            initialize: module.get_export_index("_initialize"),
            memory: module.get_export_index("memory"),
            pre: link(&module, wasi, imports_from(imports::MODULE))?,
            wasi,
            polls: description.polls(),
        })
    }

    /// The task that a job calls, as an index, and the job without the name of its task.
    ///
    /// # Errors
    /// It should name one of several tasks, and does not.
    #[inline]
    pub(crate) fn route<'a>(&self, job: &'a [u8]) -> Result<(usize, &'a [u8]), Failure> {
        if self.settings.tasks.is_empty() {
            return Ok((0, job));
        }
        let routed = split_task_job(job).filter(|(task, _)| *task < self.tasks.len());
        routed.ok_or_else(|| Failure::new(FailureKind::InvalidJob, "it names no task"))
    }

    /// How a task is called.
    #[inline]
    pub(crate) fn calling(&self, task: usize) -> &Calling {
        &self.tasks[task]
    }

    /// Most numbers that a call passes in either direction.
    pub(crate) fn width(&self) -> usize {
        let widths = self.tasks.iter().map(|task| match task {
            Calling::Scalar { signature, .. } => signature.width(),
            Calling::Byte { .. } | Calling::Command { .. } => 0,
        });
        widths.max().unwrap_or(0)
    }

    /// Whether it is a command: it has no other task then.
    pub(crate) fn is_command(&self) -> bool {
        matches!(self.tasks[..], [Calling::Command { .. }])
    }

    /// The engine that it was loaded into.
    pub(crate) fn engine(&self) -> &Engine {
        self.pre.module().engine()
    }
}

fn calling(settings: &Settings, task: &Task, module: &Module) -> Result<Calling, ProgramError> {
    let export = |name: &str| module.get_export_index(name).ok_or_else(|| undescribed(name));
    let takes = Takes::of(task);
    match task.form {
        Form::Command => {
            let command = Command::new(&settings.command);
            Ok(Calling::Command { command, export: export(&task.name)? })
        }
        _ if settings.input == InputForm::Raw && takes == Takes::Json => {
            Err(ProgramError::Input(task.signature()))
        }
        Form::Byte => Ok(Calling::Byte { takes, export: export(&format!("task_{}", task.name))? }),
        Form::Scalar => {
            let signature = Signature::new(task, settings.output == OutputForm::Raw);
            let scalar = signature.and_then(|signature| {
                let export = ScalarExport::new(module, &task.name, &signature)?;
                Some(Calling::Scalar { signature, export })
            });
            scalar.ok_or_else(|| undescribed(&task.name))
        }
    }
}

fn undescribed(name: &str) -> ProgramError {
    let name = name.escape_debug();
    ProgramError::Load(wasmtime::format_err!("its export `{name}` is not what was described"))
}

fn check_memory(settings: &Settings, description: &Description) -> Result<(), ProgramError> {
    let pages = description.memory_pages.map_or(0, |(initial, _)| initial);
    let (needed, limit) = (pages.saturating_mul(PAGE_BYTES), settings.memory_bytes_max);
    if needed > limit { Err(ProgramError::Memory { needed, limit }) } else { Ok(()) }
}

fn check_directories(settings: &Settings) -> Result<(), ProgramError> {
    for directory in &settings.dirs {
        let host = &directory.host;
        std::fs::read_dir(host)
            .map_err(|error| ProgramError::Directory(host.display().to_string(), error))?;
    }
    Ok(())
}

fn link(module: &Module, wasi: bool, wpool: bool) -> Result<InstancePre<Host>, ProgramError> {
    let mut linker = Linker::new(module.engine());
    if wasi {
        link_wasi(&mut linker).map_err(ProgramError::Load)?;
    }
    if wpool {
        imports::link(&mut linker).map_err(ProgramError::Load)?;
    }
    linker.instantiate_pre(module).map_err(|error| {
        let missing = missing(module, &linker);
        if missing.is_empty() { ProgramError::Load(error) } else { ProgramError::Imports(missing) }
    })
}

fn link_wasi(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    p1::add_to_linker_sync(linker, |host: &mut Host| {
        host.wasi.as_mut().expect("a module that imports WASI is given it")
    })?;
    // Wasmtime's own refuses codes above 125.
    linker.allow_shadowing(true);
    linker.func_wrap(WASI, "proc_exit", |code: i32| -> wasmtime::Result<()> {
        Err(I32Exit(code).into())
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The names of the imports that the linker does not have: a second definition is an error.
fn missing(module: &Module, linker: &Linker<Host>) -> String {
    let mut probe = linker.clone();
    let missing = module.imports().filter(|import| {
        let ty = FuncType::new(module.engine(), [], []);
        probe.func_new(import.module(), import.name(), ty, |_, _, _| Ok(())).is_ok()
    });
    let mut names: Vec<String> = missing
        .map(|import| format!("{}.{}", import.module(), import.name()).escape_debug().to_string())
        .collect();
    let more = names.len().saturating_sub(LISTED_MAX);
    if more > 0 {
        names.truncate(LISTED_MAX);
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}
