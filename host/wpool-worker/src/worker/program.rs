//! Programs: compiled modules, linked and ready to be instantiated. A program is made once, in the
//! zygote.

use super::call::ScalarExport;
use super::command::Command;
use super::engine::{self, PAGE_BYTES};
use super::link;
use super::native::{NativeLibrary, NativeTask};
use super::outcome::size;
use super::runtime::Waiting;
use super::stack;
use super::text::Takes;
use super::wasi::Folders;
use super::{convert, typed};
use crate::imports::Host;
use crate::imports::limits::TABLE_ELEMENTS_MAX;
use crate::jail::limits::Memory;
use crate::jail::{Cell, Needs};
use crate::module::ModuleError;
use crate::module::description::{Description, Form, Task};
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::jail::Jail;
use crate::wire::settings::{InputForm, OutputForm, Settings, split_task_job};
use std::fs::File;
use std::io;
use std::path::Path;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{self, Component, ComponentExportIndex};
use wasmtime::{Engine, InstancePre, Module, ModuleExport, ResourcesRequired};

/// The way a job becomes a call.
pub(crate) enum Calling {
    /// A scalar task: numbers in, numbers out.
    Scalar { signature: convert::Signature, export: ScalarExport },
    /// A byte task, which reads and writes bytes by imports.
    Byte { takes: Takes, export: ModuleExport },
    /// A typed task: values of any WIT types in, at most one out.
    Typed { signature: typed::Signature, export: ComponentExportIndex },
    /// A command: arguments and standard input in, standard output out.
    Command { command: Command, entry: Entry },
    /// A function of a shared library.
    Native(NativeTask),
}

/// The function that runs a command.
pub(crate) enum Entry {
    Core(ModuleExport),
    Component(ComponentExportIndex),
}

/// The linked code of a program.
pub(crate) enum Code {
    Core {
        pre: InstancePre<Host>,
        /// The function that is called once per instance.
        initialize: Option<ModuleExport>,
        /// The memory of the module, from and to which imports copy.
        memory: Option<ModuleExport>,
    },
    Component(component::InstancePre<Host>),
    /// The tasks of a shared library, without a module.
    Native {
        /// The library, which is kept loaded.
        _library: NativeLibrary,
        /// An engine without a module.
        engine: Engine,
    },
}

/// A module that is ready to be instantiated.
pub struct Program {
    pub(crate) settings: Settings,
    /// The tasks that jobs call, followed by the task that is called first.
    tasks: Vec<Calling>,
    /// The index of the task that is called once in each instance.
    pub(crate) init: Option<usize>,
    pub(crate) code: Code,
    /// The folders that guests may use.
    pub(crate) folders: Folders,
    /// True if the module uses shared objects.
    shares: bool,
    /// True if the module imports WASI.
    pub(crate) wasi: bool,
    /// The way calls wait.
    pub(crate) waiting: Waiting,
}

impl Program {
    /// Loads compiled code and links it. Starts no threads: the zygote forks.
    ///
    /// # Errors
    /// Returns an error if no job could be run: there is no such task, or the module cannot be
    /// linked.
    pub fn load(
        settings: &Settings,
        description: &Description,
        cwasm: File,
        folders: Folders,
    ) -> Result<Program, ModuleError> {
        let names = settings.task.names();
        let mut tasks: Vec<&Task> =
            names.into_iter().map(|name| choose(description, name)).collect::<Result<_, _>>()?;
        let init = settings.task.init.as_ref().map(|_| tasks.len());
        if let Some(name) = &settings.task.init {
            let init = initialiser(description, name)?;
            // A command starts as its module does, each time, so it cannot be initialised.
            if tasks.iter().any(|task| task.form == Form::Command) {
                return Err(ModuleError::Initialiser(init.signature()));
            }
            tasks.push(init);
        }
        let unsigned: Vec<Task>;
        if settings.task.unsigned {
            unsigned = tasks.into_iter().map(Task::unsigned).collect();
            tasks = unsigned.iter().collect();
        }
        check_memory(settings, description)?;
        if settings.task.native.is_none() && !settings.task.stub_imports {
            description.check_imports()?;
        }
        let stack_bytes_max =
            stack::make_room(settings.limits.stack_bytes_max).map_err(ModuleError::Stack)?;
        let mut settings = settings.clone();
        settings.limits.stack_bytes_max = stack_bytes_max;
        let (tasks, code) = match &settings.task.native {
            Some(library) => native(&settings, &tasks, library)?,
            None if description.component => component(&settings, description, &tasks, &cwasm)?,
            None => core(&settings, description, &tasks, &cwasm)?,
        };
        let wasm = settings.task.native.is_none();
        Ok(Program {
            settings,
            tasks,
            init,
            code,
            folders,
            shares: description.shares(),
            wasi: wasm
                && description.imports.iter().any(|import| import.module.starts_with("wasi")),
            waiting: match description {
                _ if !wasm => Waiting::Blocking,
                it if it.is_concurrent() => Waiting::Concurrent,
                it if it.polls() => Waiting::Polling,
                _ => Waiting::Blocking,
            },
        })
    }

    /// Returns the index of the task that a job calls, and the job without the name of its task.
    ///
    /// # Errors
    /// Returns a failure if the job should name one of several tasks, but does not.
    #[inline]
    pub(crate) fn route<'a>(&self, job: &'a [u8]) -> Result<(usize, &'a [u8]), Failure> {
        if self.settings.task.tasks.is_empty() {
            return Ok((0, job));
        }
        let routed = split_task_job(job).filter(|(task, _)| *task < self.settings.task.tasks.len());
        routed.ok_or_else(|| Failure::new(FailureKind::InvalidJob, "it names no task"))
    }

    /// Returns the private memory of a process that runs one guest; `more` is added for other
    /// needs.
    pub(crate) fn memory(&self, more: u64) -> Memory {
        if matches!(self.code, Code::Native { .. }) {
            return Memory::Inherited;
        }
        let above = if self.shares { self.settings.limits.region_bytes_max } else { 0 };
        Memory::More { bytes: self.settings.limits.process_bytes_max().saturating_add(more), above }
    }

    /// Returns what a process needs beside its memory that runs one guest.
    pub(crate) fn needs(&self) -> Needs {
        let events = self.waiting != Waiting::Blocking;
        Needs { events, threads: self.waiting == Waiting::Polling, ..Needs::default() }
    }

    /// Returns the jail of a process that runs guests with these folders. Native code is trusted.
    ///
    /// # Errors
    /// Returns the error of `open`.
    pub(crate) fn cell(&self, jail: Jail, needs: Needs, folders: &Folders) -> io::Result<Cell> {
        if matches!(self.code, Code::Native { .. }) {
            return Ok(Cell::none());
        }
        let grants = folders.grants();
        Cell::new(jail, Needs { files: !grants.is_empty(), ..needs }, grants)
    }

    /// Returns how a task is called.
    #[inline]
    pub(crate) fn calling(&self, task: usize) -> &Calling {
        &self.tasks[task]
    }

    /// Returns the greatest number of numbers that a call passes in either direction.
    pub(crate) fn width(&self) -> usize {
        let widths = self.tasks.iter().map(|task| match task {
            Calling::Scalar { signature, .. }
            | Calling::Native(NativeTask::Numbers { signature, .. }) => signature.width(),
            _ => 0,
        });
        widths.max().unwrap_or(0)
    }

    /// Returns whether calls need a runtime to wait in.
    pub(crate) fn waits(&self) -> bool {
        self.wasi || self.is_concurrent()
    }

    /// Returns whether the module is a component whose tasks wait for one another.
    pub(crate) fn is_concurrent(&self) -> bool {
        self.waiting == Waiting::Concurrent
    }

    /// Returns the engine that the module was loaded into.
    pub(crate) fn engine(&self) -> &Engine {
        match &self.code {
            Code::Core { pre, .. } => pre.module().engine(),
            Code::Component(pre) => pre.engine(),
            Code::Native { engine, .. } => engine,
        }
    }
}

/// Loads and links a core module.
fn core(
    settings: &Settings,
    description: &Description,
    tasks: &[&Task],
    cwasm: &File,
) -> Result<(Vec<Calling>, Code), ModuleError> {
    let module = engine::load_module(settings, description, cwasm)
        .map_err(|error| ModuleError::load(&error))?;
    check_tables(Some(module.resources_required()))?;
    module.initialize_copy_on_write_image().map_err(|error| ModuleError::load(&error))?;
    let tasks = tasks.iter().map(|task| calling(settings, task, &module));
    let tasks = tasks.collect::<Result<_, _>>()?;
    let pre = link::core(&module, description, settings.task.stub_imports)?;
    let initialize = module.get_export_index("_initialize");
    Ok((tasks, Code::Core { pre, initialize, memory: module.get_export_index("memory") }))
}

/// Loads and links a component.
fn component(
    settings: &Settings,
    description: &Description,
    tasks: &[&Task],
    cwasm: &File,
) -> Result<(Vec<Calling>, Code), ModuleError> {
    let component = engine::load_component(settings, description, cwasm)
        .map_err(|error| ModuleError::load(&error))?;
    check_tables(component.resources_required())?;
    component.initialize_copy_on_write_image().map_err(|error| ModuleError::load(&error))?;
    let tasks = tasks.iter().map(|task| typed_calling(settings, task, &component));
    let tasks = tasks.collect::<Result<_, _>>()?;
    Ok((
        tasks,
        Code::Component(link::component(&component, description, settings.task.stub_imports)?),
    ))
}

/// Loads a shared library with the same tasks.
fn native(
    settings: &Settings,
    tasks: &[&Task],
    path: &Path,
) -> Result<(Vec<Calling>, Code), ModuleError> {
    let wrong =
        |message: String| ModuleError::Native { library: path.display().to_string(), why: message };
    let library = NativeLibrary::load(path).map_err(|error| wrong(error.to_string()))?;
    let bare = settings.task.output == OutputForm::Raw;
    let tasks = tasks.iter().map(|task| library.task(task, bare).map(Calling::Native));
    let tasks = tasks.collect::<Result<_, _>>().map_err(wrong)?;
    Ok((tasks, Code::Native { _library: library, engine: Engine::default() }))
}

fn calling(settings: &Settings, task: &Task, module: &Module) -> Result<Calling, ModuleError> {
    let export = |name: &str| module.get_export_index(name).ok_or_else(|| undescribed(name));
    let takes = Takes::of(task);
    match task.form {
        Form::Command => {
            let command = Command::new(&settings.task.command);
            Ok(Calling::Command { command, entry: Entry::Core(export(&task.name)?) })
        }
        _ if settings.task.input == InputForm::Raw
            && matches!(takes, Takes::Json | Takes::Integer) =>
        {
            Err(ModuleError::RawText(task.signature()))
        }
        Form::Byte => Ok(Calling::Byte { takes, export: export(&format!("task_{}", task.name))? }),
        Form::Scalar => {
            let bare = settings.task.output == OutputForm::Raw;
            let scalar = convert::Signature::new(task, bare).and_then(|signature| {
                let export = ScalarExport::new(module, &task.name, &signature)?;
                Some(Calling::Scalar { signature, export })
            });
            scalar.ok_or_else(|| undescribed(&task.name))
        }
        Form::Typed => Err(undescribed(&task.name)),
    }
}

fn typed_calling(
    settings: &Settings,
    task: &Task,
    component: &Component,
) -> Result<Calling, ModuleError> {
    let (ty, export) = exported(component, &task.name).ok_or_else(|| undescribed(&task.name))?;
    if task.form == Form::Command {
        let command = Command::new(&settings.task.command);
        return Ok(Calling::Command { command, entry: Entry::Component(export) });
    }
    let signature = typed::Signature::new(task, &ty, settings);
    let signature = signature.ok_or_else(|| undescribed(&task.name))?;
    if settings.task.input == InputForm::Raw && !signature.takes_raw() {
        return Err(ModuleError::RawText(task.signature()));
    }
    Ok(Calling::Typed { signature, export })
}

/// Returns a function that a component exports, by the name of its task.
fn exported(component: &Component, name: &str) -> Option<(ComponentFunc, ComponentExportIndex)> {
    let (interface, function) = match name.rsplit_once('#') {
        Some((interface, function)) => {
            (Some(component.get_export_index(None, interface)?), function)
        }
        None => (None, name),
    };
    match component.get_export(interface.as_ref(), function)? {
        (ComponentItem::ComponentFunc(ty), export) => Some((ty, export)),
        _ => None,
    }
}

/// Returns the task with this name, if it can be called without a job.
fn initialiser<'a>(description: &'a Description, name: &str) -> Result<&'a Task, ModuleError> {
    let task = choose(description, Some(name))?;
    match task.params.as_ref().is_some_and(|params| !params.is_empty()) {
        true => Err(ModuleError::Initialiser(task.signature())),
        false => Ok(task),
    }
}

/// Returns the task that is called by this name.
fn choose<'a>(description: &'a Description, name: Option<&str>) -> Result<&'a Task, ModuleError> {
    description.choose(name).map_err(|error| ModuleError::Task(error.to_string()))
}

fn undescribed(name: &str) -> ModuleError {
    let name = name.escape_debug();
    ModuleError::Load(format!("its export `{name}` is not what was described"))
}

fn check_memory(settings: &Settings, description: &Description) -> Result<(), ModuleError> {
    let pages = description.memory_pages.map_or(0, |(initial, _)| initial);
    let (needed, limit) = (pages.saturating_mul(PAGE_BYTES), settings.limits.memory_bytes_max);
    match needed > limit {
        true => Err(ModuleError::StartMemory { needed: size(needed), limit: size(limit) }),
        false => Ok(()),
    }
}

fn check_tables(required: Option<ResourcesRequired>) -> Result<(), ModuleError> {
    let largest = required.and_then(|required| required.max_initial_table_size);
    match largest {
        Some(needed) if needed > TABLE_ELEMENTS_MAX as u64 => {
            Err(ModuleError::Table { needed, limit: TABLE_ELEMENTS_MAX as u64 })
        }
        _ => Ok(()),
    }
}
