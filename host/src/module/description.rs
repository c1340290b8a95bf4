//! What a module is, as far as its bytes tell: its kind, its tasks, and what it imports.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of module the bytes are. Never judged by the file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A core module with `_start`: one task, whose result is its standard output.
    Command,
    /// Any other core module: its tasks are exported functions.
    Tasks,
    /// A component (recognised; not yet run).
    Component,
}

/// How a task is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// An exported function of numbers, called by its name.
    Scalar,
    /// An export `task_NAME: () -> i32` that reads its job and writes its result by imports.
    Byte,
    /// A command's `_start`.
    Command,
}

/// A parameter of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name in the source, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its type in WIT's words (`s64`, `list<u8>`, …), or `json`.
    #[serde(rename = "type")]
    pub ty: String,
}

/// One callable of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The name that `--task` takes.
    pub name: String,
    /// How it is called.
    pub form: Form,
    /// Its parameters, in order. `None` where the module does not say (a byte task without
    /// a `wpool:tasks` section).
    pub params: Option<Vec<Parameter>>,
    /// Types of its results: none, one, or several for a multi-value function.
    pub results: Vec<String>,
    /// Whether it is the one to call where none is named.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
    /// The first paragraph of its documentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
}

/// Something a module imports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The module it is imported from.
    pub module: String,
    /// Its name there.
    pub name: String,
}

/// What a module is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Its kind.
    pub kind: Kind,
    /// Its tasks, in the order of its exports.
    pub tasks: Vec<Task>,
    /// What it imports.
    pub imports: Vec<Import>,
    /// The proposals beyond the WebAssembly 1.0 core that it uses, by their usual names.
    pub proposals: Vec<String>,
    /// Initial and, if any, maximal size of its memory in 64 KiB pages; `None` without a memory.
    pub memory_pages: Option<(u64, Option<u64>)>,
    /// Size of the wasm binary in bytes.
    pub bytes: u64,
}

/// No task, or no single task, to call.
#[derive(Debug, thiserror::Error)]
#[error("{message}{}", list(.candidates))]
pub struct ChooseError {
    /// What is wrong, in words.
    pub message: String,
    /// Signatures of the tasks that could be called.
    pub candidates: Vec<String>,
}

fn list(candidates: &[String]) -> String {
    match candidates {
        [] => String::new(),
        candidates => format!("; choose one of: {}", candidates.join(", ")),
    }
}

impl Description {
    /// The task with this name; or, where none is named, the only one or the one default. A command's only task has no name to give.
    ///
    /// # Errors
    /// There is no such task, none at all, or more than one to choose from.
    pub fn choose(&self, name: Option<&str>) -> Result<&Task, ChooseError> {
        let fail = |message: String, candidates: &[Task]| {
            Err(ChooseError {
                message,
                candidates: candidates.iter().map(Task::signature).collect(),
            })
        };
        match (self.kind, self.tasks.as_slice(), name) {
            (Kind::Component, ..) => {
                fail("the module is a component, and components are not supported yet".into(), &[])
            }
            (_, [], _) => fail("the module exports no function that can be a task".into(), &[]),
            (Kind::Command, [task, ..], _) | (_, [task], None) => Ok(task),
            (_, tasks, None) => {
                let mut defaults = tasks.iter().filter(|task| task.default);
                match (defaults.next(), defaults.next()) {
                    (Some(task), None) => Ok(task),
                    _ => fail("the module has several tasks".into(), tasks),
                }
            }
            (_, tasks, Some(name)) => match tasks.iter().find(|task| task.name == name) {
                Some(task) => Ok(task),
                None => {
                    let name = name.escape_debug();
                    fail(format!("the module has no task `{name}`"), tasks)
                }
            },
        }
    }

    /// Whether the module uses shared objects: it needs control memory.
    pub fn shares(&self) -> bool {
        const OTHERS: [&str; 4] = ["job_size", "job_read", "result_write", "process_id"];
        self.imports
            .iter()
            .any(|import| import.module == "wpool" && !OTHERS.contains(&import.name.as_str()))
    }

    /// Whether the module can wait for time to pass or for input: it needs timers.
    pub fn polls(&self) -> bool {
        self.imports
            .iter()
            .any(|import| import.name == "poll_oneoff" || import.module.starts_with("wasi:io/poll"))
    }
}

impl Task {
    /// How the task is called, as `product(a: s64, b: s64, c: s64) -> s64`. Control characters in
    /// names, which come from the module, are escaped.
    pub fn signature(&self) -> String {
        let mut text = self.name.escape_debug().to_string();
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
        Task {
            name: name.into(),
            form: Form::Scalar,
            params,
            results: vec![],
            default: false,
            doc: None,
        }
    }

    fn module(kind: Kind, tasks: Vec<Task>) -> Description {
        let (imports, proposals) = (vec![], vec![]);
        Description { kind, tasks, imports, proposals, memory_pages: None, bytes: 0 }
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
    fn a_task_that_is_not_there_is_an_error_that_lists_those_that_are() {
        let error = module(Kind::Tasks, vec![task("a\n")]).choose(Some("b")).unwrap_err();
        assert_eq!(error.to_string(), "the module has no task `b`; choose one of: a\\n(n: s64)");
        let error = module(Kind::Tasks, vec![]).choose(None).unwrap_err();
        assert_eq!(error.to_string(), "the module exports no function that can be a task");
    }
}
