//! Live instances, with the tasks that are called there: the only place that distinguishes core
//! modules from components while jobs run.

use super::call::ScalarCall;
use super::concurrent;
use super::program::{Calling, Code, Entry, Program};
use super::runtime;
use super::sandbox::Sandbox;
use super::typed::quick::Quick;
use crate::imports::Host;
use wasmtime::{Func, ModuleExport, Store, TypedFunc, component};
use wasmtime_wasi::I32Exit;

/// An instance with the task that is called there.
pub(super) struct Live {
    pub(super) store: Sandbox,
    pub(super) instance: Instance,
    /// The index of the task in the program.
    pub(super) task: usize,
    pub(super) call: TaskCall,
}

/// An instance of either kind.
pub(super) enum Instance {
    Core(wasmtime::Instance),
    Component(component::Instance),
}

/// The function that is called for a job.
pub(super) enum TaskCall {
    Scalar(ScalarCall),
    Byte(TypedFunc<(), i32>),
    Typed(component::Func),
    /// The function of a concurrent component.
    Concurrent(component::Func),
    Quick(Quick),
    Start(TypedFunc<(), ()>),
    Run(Run),
    /// The command of a concurrent component.
    ConcurrentRun(Run),
}

/// A component's `wasi:cli/run#run`.
type Run = component::TypedFunc<(), (Result<(), ()>,)>;

impl Live {
    /// Makes an instance in the store, initialises it, and finds the task.
    ///
    /// # Errors
    /// Returns the trap of the instance, or an error if it lacks something that its description
    /// has.
    pub(super) fn start(
        program: &Program,
        task: usize,
        store: &mut Store<Host>,
    ) -> wasmtime::Result<(Instance, TaskCall)> {
        let instance = match &program.code {
            Code::Component(pre) if program.is_concurrent() => {
                Instance::Component(runtime::block_on(pre.instantiate_async(&mut *store))?)
            }
            Code::Component(pre) => Instance::Component(pre.instantiate(&mut *store)?),
            Code::Native { .. } => unreachable!("a library has no instances"),
            Code::Core { pre, memory, initialize } => {
                let instance = pre.instantiate(&mut *store)?;
                if let Some(memory) = memory {
                    let memory = instance.get_module_export(&mut *store, memory);
                    store.data_mut().memory = memory.and_then(|export| export.into_memory());
                }
                if let Some(initialize) = initialize
                    && let Some(initialize) = function(&instance, store, initialize)
                {
                    initialize.typed::<(), ()>(&*store)?.call(&mut *store, ())?;
                }
                Instance::Core(instance)
            }
        };
        let call = find(program, task, &instance, store)?;
        Ok((instance, call))
    }

    /// Finds another task, unless it is the present one.
    ///
    /// # Errors
    /// Returns an error if the instance does not have the task.
    #[inline]
    pub(super) fn turn_to(&mut self, program: &Program, task: usize) -> wasmtime::Result<()> {
        if self.task != task {
            self.call = find(program, task, &self.instance, &mut self.store)?;
            self.task = task;
        }
        Ok(())
    }

    /// Runs a command. If the error is an [`I32Exit`], it holds the exit code.
    pub(super) fn run_command(&mut self) -> wasmtime::Result<()> {
        let (answer,) = match &self.call {
            TaskCall::Start(start) => return start.call(&mut *self.store, ()),
            TaskCall::Run(run) => run.call(&mut *self.store, ())?,
            TaskCall::ConcurrentRun(run) => {
                let store = &mut *self.store;
                runtime::block_on(async {
                    let answer = run.call_async(&mut *store, ()).await?;
                    concurrent::settle(store).await.map(|()| answer)
                })?
            }
            _ => unreachable!("a command program has command instances"),
        };
        answer.map_err(|()| I32Exit(1).into())
    }
}

/// Returns a task of an instance, ready to be called.
fn find(
    program: &Program,
    task: usize,
    instance: &Instance,
    store: &mut Store<Host>,
) -> wasmtime::Result<TaskCall> {
    let call = match (program.calling(task), instance) {
        (Calling::Scalar { export, .. }, Instance::Core(instance)) => {
            export.of(instance, store).map(TaskCall::Scalar)
        }
        (Calling::Byte { export, .. }, Instance::Core(instance)) => {
            match function(instance, store, export) {
                Some(task) => Some(TaskCall::Byte(task.typed(&*store)?)),
                None => None,
            }
        }
        (Calling::Command { entry: Entry::Core(export), .. }, Instance::Core(instance)) => {
            match function(instance, store, export) {
                Some(start) => Some(TaskCall::Start(start.typed(&*store)?)),
                None => None,
            }
        }
        (Calling::Typed { signature, export }, Instance::Component(instance)) => {
            match (instance.get_func(&mut *store, export), signature.quick) {
                (function, _) if program.is_concurrent() => function.map(TaskCall::Concurrent),
                (Some(function), Some(quick)) => Some(TaskCall::Quick(quick(&function, store)?)),
                (function, _) => function.map(TaskCall::Typed),
            }
        }
        (
            Calling::Command { entry: Entry::Component(export), .. },
            Instance::Component(instance),
        ) => match instance.get_func(&mut *store, export) {
            Some(run) if program.is_concurrent() => {
                Some(TaskCall::ConcurrentRun(run.typed(&*store)?))
            }
            Some(run) => Some(TaskCall::Run(run.typed(&*store)?)),
            None => None,
        },
        _ => None,
    };
    call.ok_or_else(|| wasmtime::format_err!("the task is not a function"))
}

fn function(
    instance: &wasmtime::Instance,
    store: &mut Store<Host>,
    export: &ModuleExport,
) -> Option<Func> {
    instance.get_module_export(store, export)?.into_func()
}
