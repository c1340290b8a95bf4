//! The description of a module, derived from its bytes: its kind, its tasks, and its imports.

use super::toolchain::Toolchain;
use super::{ModuleError, name_list};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The largest size of a description as JSON, in bytes: enough for 100,000 tasks.
pub const DESCRIPTION_BYTES_MAX: usize = 16 << 20;

/// The kind of a module. The file name is never considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A core module with `_start`, or a component that exports `wasi:cli/run`. The command is the
    /// first task, its result is its standard output, and it is called if no task is named. The
    /// module may have other tasks.
    Command,
    /// Any other module: its tasks are exported functions.
    Tasks,
}

/// The way in which a task is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// An exported function of numbers, called by its name.
    Scalar,
    /// An export `task_NAME: () -> i32` that reads its job and writes its result through imports.
    Byte,
    /// A command's `_start` or `run`.
    Command,
    /// An exported function of a component, with any WIT types.
    Typed,
}

/// A parameter of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The name of the parameter in the source, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The type of the parameter in the words of WIT (`s64`, `list<u8>`, …), or `json`.
    #[serde(rename = "type")]
    pub ty: String,
}

/// The resources that an instance of a module needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// The number of linear memories.
    pub memories: u32,
    /// The number of tables.
    pub tables: u32,
    /// True if a core module has a memory with 64-bit addresses.
    pub wide: bool,
}

/// A callable of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The name that `--task` takes. A function in an interface that a component exports is named
    /// `INTERFACE#FUNCTION`.
    pub name: String,
    /// The way in which the task is called.
    pub form: Form,
    /// The parameters of the task, in order. `None` if the module does not say (a byte task without
    /// a `wpool:tasks` section).
    pub params: Option<Vec<Parameter>>,
    /// The types of the task's results: none, one, or several for a multi-value function.
    pub results: Vec<String>,
    /// The reason why the task cannot be called, if it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// True if the types are only what numbers are taken for, because the module does not say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
    /// True if the task is called when none is named.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
    /// The first paragraph of the task's documentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
}

impl Task {
    /// Returns a task of which nothing is known but its name and its form.
    pub fn new(name: impl Into<String>, form: Form) -> Task {
        Task {
            name: name.into(),
            form,
            params: None,
            results: Vec::new(),
            refusal: None,
            assumed: false,
            default: false,
            doc: None,
        }
    }
}

/// An import of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The name of the module that is imported from.
    pub module: String,
    /// The name of the import in that module.
    pub name: String,
}

/// The description of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The kind of the module.
    pub kind: Kind,
    /// True if the module is a component and not a core module.
    pub component: bool,
    /// The tasks of the module, in the order of its exports.
    pub tasks: Vec<Task>,
    /// The imports of the module.
    pub imports: Vec<Import>,
    /// The names of the imports that the host does not provide.
    pub missing: Vec<String>,
    /// The toolchain of a module that was made for another host than this one.
    pub toolchain: Option<Toolchain>,
    /// The names of exports that are not tasks, because a toolchain left them there or their types
    /// are not numbers.
    pub hidden: Vec<String>,
    /// The proposals beyond WebAssembly 1.0 that the module uses, by their usual names.
    pub proposals: Vec<String>,
    /// The initial and, if any, maximal size of the module's memory, in pages of 64 KiB; `None`
    /// without a memory.
    pub memory_pages: Option<(u64, Option<u64>)>,
    /// The resources that each instance needs.
    pub parts: Parts,
    /// The size of the wasm binary in bytes.
    pub bytes: u64,
    /// True if the machine code was made by inlining functions across the modules of a component.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inlined: bool,
    /// The world of a component, as WIT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wit: Option<String>,
}

/// The proposal that concurrent components use.
pub(super) const CONCURRENT: &str = "component-model-async";

/// The reason why there is no task, or no single task, to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoChoice {
    /// The module exports none.
    NoTask,
    /// The module is a command, and a task was named.
    Command,
    /// There are several, and none was named.
    Several,
    /// None has this name.
    Unknown,
    /// Several answer to this name.
    Ambiguous,
    /// It cannot be called.
    Refused,
}

/// An error of choosing a task: there is none, or no single one, to call.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}{}", list(.candidates))]
pub struct ChooseError {
    /// The reason.
    pub why: NoChoice,
    /// A description of what is wrong.
    pub message: String,
    /// The signatures of the tasks that could be called.
    pub candidates: Vec<String>,
}

fn list(candidates: &[String]) -> String {
    match candidates {
        [] => String::new(),
        candidates => format!("; choose one of: {}", candidates.join(", ")),
    }
}

impl Description {
    /// Returns the task with this name or, if none is named, the command, the only task, or the
    /// only default task. A function of a component can be named by any part of its name that is
    /// unambiguous: `INTERFACE#FUNCTION` with or without package and version, or `FUNCTION`.
    ///
    /// # Errors
    /// Returns an error if there is no such task, no task at all, more than one to choose from, or
    /// if the task cannot be called.
    pub fn choose(&self, name: Option<&str>) -> Result<&Task, ChooseError> {
        let task = match (self.kind, self.tasks.as_slice(), name) {
            (_, [], _) => {
                fail(NoChoice::NoTask, "the module exports no function that can be a task", &[])
            }
            (Kind::Command, [task, ..], None) => Ok(task),
            (Kind::Command, [task], Some(name)) if task.name != name => {
                let name = name.escape_debug();
                fail(
                    NoChoice::Command,
                    &format!("the module is a command and has no task `{name}`"),
                    &[],
                )
            }
            (Kind::Tasks, tasks, None) => only(tasks),
            (_, tasks, Some(name)) => named(tasks, name),
        }?;
        match &task.refusal {
            None => Ok(task),
            Some(why) => {
                let name = task.name.escape_debug();
                let others: Vec<&Task> = self.callable().collect();
                fail(NoChoice::Refused, &format!("task `{name}` cannot be called: {why}"), &others)
            }
        }
    }

    /// Returns the tasks that can be called.
    pub fn callable(&self) -> impl Iterator<Item = &Task> {
        callable(&self.tasks)
    }

    /// Checks that the host provides all that the module imports.
    ///
    /// # Errors
    /// Returns an error with the names of what the host does not provide.
    pub fn check_imports(&self) -> Result<(), ModuleError> {
        match self.missing.is_empty() {
            true => Ok(()),
            false => Err(ModuleError::Imports {
                names: name_list(&self.missing),
                made_for: self.toolchain,
            }),
        }
    }

    /// Returns whether the module uses shared objects, and so needs control memory.
    pub fn shares(&self) -> bool {
        const OTHERS: [&str; 5] = ["job_size", "job_read", "result_write", "process_id", "id"];
        self.imports.iter().any(|import| {
            let wpool = import.module == "wpool" || import.module.starts_with("wpool:host/");
            wpool && !OTHERS.contains(&import.name.as_str())
        })
    }

    /// Returns whether the module is a component whose tasks can wait for one another, and so needs
    /// an event loop.
    pub fn is_concurrent(&self) -> bool {
        self.component && self.proposals.iter().any(|proposal| proposal == CONCURRENT)
    }

    /// Returns whether the module can wait for time to pass or for input, and so needs timers.
    pub fn polls(&self) -> bool {
        const WAITS: [&str; 4] =
            ["poll_oneoff", "poll", "[method]pollable.block", "[method]pollable.ready"];
        self.imports.iter().any(|import| {
            let wasi = ["wasi_snapshot_preview1", "wasi_unstable"].contains(&&*import.module)
                || import.module.starts_with("wasi:io/poll@");
            wasi && WAITS.contains(&import.name.as_str())
        })
    }
}

fn callable(tasks: &[Task]) -> impl Iterator<Item = &Task> {
    tasks.iter().filter(|task| task.refusal.is_none())
}

/// Returns the task to call if none is named.
fn only(tasks: &[Task]) -> Result<&Task, ChooseError> {
    let callable: Vec<&Task> = callable(tasks).collect();
    let defaults: Vec<&Task> = callable.iter().copied().filter(|task| task.default).collect();
    match (callable.as_slice(), defaults.as_slice()) {
        ([task], _) | (_, [task]) => Ok(task),
        // The caller reports why the only task cannot be called.
        ([], _) => Ok(&tasks[0]),
        (several, _) => fail(NoChoice::Several, "the module has several tasks", several),
    }
}

/// Returns the task with this name, or the only task that answers to it.
fn named<'a>(tasks: &'a [Task], name: &str) -> Result<&'a Task, ChooseError> {
    if let Some(task) = tasks.iter().find(|task| task.name == name) {
        return Ok(task);
    }
    let name_shown = name.escape_debug();
    match tasks.iter().filter(|task| task.answers_to(name)).collect::<Vec<_>>().as_slice() {
        [task] => Ok(task),
        [] => {
            let all: Vec<&Task> = callable(tasks).collect();
            fail(NoChoice::Unknown, &format!("the module has no task `{name_shown}`"), &all)
        }
        several => {
            fail(NoChoice::Ambiguous, &format!("several tasks answer to `{name_shown}`"), several)
        }
    }
}

fn fail<T>(why: NoChoice, message: &str, candidates: &[&Task]) -> Result<T, ChooseError> {
    let candidates = candidates.iter().map(|task| task.signature()).collect();
    Err(ChooseError { why, message: message.to_owned(), candidates })
}

/// Splits a name into the interface, if it has one, and the function's own name.
fn split(name: &str) -> (Option<&str>, &str) {
    name.rsplit_once('#').map_or((None, name), |(interface, name)| (Some(interface), name))
}

impl Task {
    /// Returns whether an inexact name stands for the task: one without version, package or
    /// interface, or with `_` for `-`, as in languages that have no `-` in names.
    fn answers_to(&self, name: &str) -> bool {
        let (interface, function) = split(&self.name);
        let (asked_interface, asked) = split(name);
        let is_function = self.form == Form::Typed && function == asked.replace('_', "-");
        is_function
            && asked_interface.is_none_or(|asked| {
                let Some(interface) = interface else { return false };
                let unversioned = interface.split('@').next().unwrap_or_default();
                let bare = unversioned.rsplit('/').next().unwrap_or_default();
                [interface, unversioned, bare].contains(&asked)
            })
    }

    /// Returns whether the task is a command.
    pub fn is_command(&self) -> bool {
        self.form == Form::Command
    }

    /// Returns the task with unsigned integers, if the module does not say what they are.
    #[must_use]
    pub fn unsigned(&self) -> Task {
        let mut task = self.clone();
        if task.assumed {
            let params = task.params.iter_mut().flatten().map(|param| &mut param.ty);
            for ty in params.chain(&mut task.results) {
                if let Some(bits) = ty.strip_prefix('s') {
                    *ty = format!("u{bits}");
                }
            }
        }
        task
    }

    /// Returns whether a call yields a value, and not only success.
    pub fn answers(&self) -> bool {
        match self.results.as_slice() {
            [] => false,
            [only] if self.form == Form::Typed => only != "result" && !only.starts_with("result<_"),
            _ => true,
        }
    }

    /// Returns the signature of the task, such as `product(a: s64, b: s64, c: s64) -> s64`. Control
    /// characters in names, which come from the module, are escaped.
    pub fn signature(&self) -> String {
        let mut text = match self.name.as_str() {
            "" => "\"\"".to_owned(),
            name => name.escape_debug().to_string(),
        };
        if self.form == Form::Command {
            return text;
        }
        match &self.params {
            None => text += "(json)",
            Some(params) => {
                let params: Vec<String> = params.iter().map(Parameter::to_string).collect();
                text += &format!("({})", params.join(", "));
            }
        }
        match self.results.as_slice() {
            [] => {}
            [result] => text += &format!(" -> {}", result.escape_debug()),
            results => text += &format!(" -> ({})", results.join(", ").escape_debug()),
        }
        text
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{}: ", name.escape_debug())?;
        }
        write!(f, "{}", self.ty.escape_debug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str) -> Task {
        let params = Some(vec![Parameter { name: Some("n".into()), ty: "s64".into() }]);
        Task { params, ..Task::new(name, Form::Scalar) }
    }

    fn typed(name: &str) -> Task {
        Task { form: Form::Typed, ..task(name) }
    }

    fn module(kind: Kind, tasks: Vec<Task>) -> Description {
        Description {
            kind,
            component: false,
            tasks,
            imports: vec![],
            missing: vec![],
            toolchain: None,
            hidden: vec![],
            proposals: vec![],
            memory_pages: None,
            parts: Parts::default(),
            bytes: 0,
            inlined: false,
            wit: None,
        }
    }

    #[test]
    fn a_component_s_function_answers_to_what_is_its_own_in_its_name() {
        let tasks = ["shop:tools/cart@1.0.0#add-one", "shop:tools/list@1.0.0#add-one", "sum-all"];
        let mut module = module(Kind::Tasks, tasks.map(typed).into());
        for (asked, at) in [
            ("shop:tools/cart@1.0.0#add-one", 0),
            ("shop:tools/list#add-one", 1),
            ("cart#add_one", 0),
            ("sum_all", 2),
        ] {
            assert_eq!(module.choose(Some(asked)).unwrap().name, tasks[at], "{asked}");
        }
        let error = module.choose(Some("add-one")).unwrap_err();
        assert_eq!(error.message, "several tasks answer to `add-one`");
        assert_eq!(error.candidates.len(), 2);
        assert!(module.choose(Some("x#sum-all")).is_err());
        module.tasks[0].refusal = Some("its type `cart` is a resource".into());
        module.tasks[1].refusal = Some("its type `list` is a resource".into());
        assert_eq!(module.choose(None).unwrap().name, "sum-all");
        assert_eq!(
            module.choose(Some("cart#add-one")).unwrap_err().to_string(),
            "task `shop:tools/cart@1.0.0#add-one` cannot be called: its type `cart` is a resource; \
             choose one of: sum-all(n: s64)"
        );
    }

    #[test]
    fn the_only_task_needs_no_name_and_one_of_several_does() {
        let one = module(Kind::Tasks, vec![task("a")]);
        assert_eq!(one.choose(None).unwrap().name, "a");
        let two = module(Kind::Tasks, vec![task("a"), task("b")]);
        assert_eq!(two.choose(Some("b")).unwrap().name, "b");
        let error = two.choose(None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the module has several tasks; choose one of: a(n: s64), b(n: s64)"
        );
    }

    #[test]
    fn a_command_is_what_is_called_where_no_task_is_named_and_may_have_others() {
        let start = || Task { form: Form::Command, params: None, ..task("_start") };
        let both = module(Kind::Command, vec![start(), task("add")]);
        assert_eq!(both.choose(None).unwrap().form, Form::Command);
        assert_eq!(both.choose(Some("_start")).unwrap().form, Form::Command);
        assert_eq!(both.choose(Some("add")).unwrap().name, "add");
        let error = both.choose(Some("sub")).unwrap_err().to_string();
        assert_eq!(error, "the module has no task `sub`; choose one of: _start, add(n: s64)");
        let error = module(Kind::Command, vec![start()]).choose(Some("add")).unwrap_err();
        assert_eq!(error.to_string(), "the module is a command and has no task `add`");
    }

    #[test]
    fn a_task_that_is_not_there_is_an_error_that_lists_those_that_are() {
        let error = module(Kind::Tasks, vec![task("a\n")]).choose(Some("b")).unwrap_err();
        assert_eq!(error.to_string(), "the module has no task `b`; choose one of: a\\n(n: s64)");
        let error = module(Kind::Tasks, vec![]).choose(None).unwrap_err();
        assert_eq!(error.to_string(), "the module exports no function that can be a task");
    }
}
