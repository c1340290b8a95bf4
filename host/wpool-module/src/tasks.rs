//! Tasks: the exports of a core module that can be called, and what the section `wpool:tasks` says
//! about them.

use super::ModuleError;
use super::description::{Form, Kind, Parameter, Task};
use super::scalar::{Core, Scalar};
use serde::Deserialize;
use std::collections::HashMap;

/// The custom section in which the SDK describes tasks: one JSON object per line.
pub(super) const SECTION: &str = "wpool:tasks";

/// The export that runtimes call if there is no `_start`: the default command.
const DEFAULT: &str = "";

/// The exports that languages' runtimes leave behind; they are never tasks.
const PLUMBING: &[&str] = &[
    "malloc",
    "free",
    "calloc",
    "realloc",
    "aligned_alloc",
    "posix_memalign",
    "memalign",
    // The following names are Emscripten's.
    "stackSave",
    "stackRestore",
    "stackAlloc",
    "setThrew",
    "setTempRet0",
    "getTempRet0",
    "saveSetjmp",
    "fflush",
    "sbrk",
    // The following names are TinyGo's.
    "go_scheduler",
];

/// The prefixes of the names of such exports.
const PLUMBING_PREFIXES: &[&str] =
    &["_", "cabi_", "canonical_abi_", "cm32p2", "dynCall_", "asyncify_", "emscripten_"];

/// An exported function. A type that is not a number is `None`.
pub(super) struct Export<'a> {
    pub(super) name: &'a str,
    pub(super) params: Vec<Option<Core>>,
    pub(super) results: Vec<Option<Core>>,
}

/// A line of the section.
#[derive(Deserialize)]
struct Entry {
    name: String,
    params: Vec<Parameter>,
    result: Option<String>,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    doc: Option<String>,
}

/// Returns the kind of a core module, and its tasks in the order of its exports.
///
/// # Errors
/// Returns an error if the section is malformed, or contradicts the export of a task.
pub(super) fn tasks(exports: &[Export], section: &str) -> Result<(Kind, Vec<Task>), ModuleError> {
    let mut tasks: Vec<Task> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let start = ["_start", DEFAULT].iter().find_map(|name| {
        let start = exports.iter().find(|export| export.name == *name)?;
        (start.params.is_empty() && start.results.is_empty()).then_some(name)
    });
    tasks.extend(start.map(|name| Task::new(*name, Form::Command)));
    let kind = if start.is_some() { Kind::Command } else { Kind::Tasks };
    for export in exports.iter().filter(|export| !is_plumbing(export.name, kind)) {
        if start == Some(&export.name) {
            continue;
        }
        let Some(found) = from_export(export) else { continue };
        match places.get(&found.name) {
            // NAME and task_NAME are one task, and numbers need no JSON in the guest.
            Some(&at) if found.form == Form::Scalar => tasks[at] = found,
            Some(_) => {}
            None => {
                places.insert(found.name.clone(), tasks.len());
                tasks.push(found);
            }
        }
    }
    for entry in entries(section)? {
        let task = places.get(&entry.name).map(|&at| &mut tasks[at]);
        describe(task, entry)?;
    }
    Ok((kind, tasks))
}

fn is_plumbing(name: &str, kind: Kind) -> bool {
    // The function `main` of a command is called by `_start`.
    (kind == Kind::Command && name == "main")
        || PLUMBING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || PLUMBING.contains(&name)
}

/// Returns the task that an export is, if it is one.
fn from_export(export: &Export) -> Option<Task> {
    let byte_name = export.name.strip_prefix("task_").filter(|name| !name.is_empty());
    if let Some(name) = byte_name
        && export.params.is_empty()
        && export.results == [Some(Core::I32)]
    {
        return Some(Task { results: vec!["json".into()], ..Task::new(name, Form::Byte) });
    }
    let params = export
        .params
        .iter()
        .map(|ty| ty.map(|core| Parameter { name: None, ty: core.wit().into() }));
    let results = export.results.iter().map(|ty| ty.map(|core| core.wit().into()));
    Some(Task {
        assumed: true,
        params: Some(params.collect::<Option<_>>()?),
        results: results.collect::<Option<_>>()?,
        ..Task::new(export.name, Form::Scalar)
    })
}

/// Parses the section.
fn entries(section: &str) -> Result<Vec<Entry>, ModuleError> {
    let lines = section.split(['\n', '\0']).filter(|line| !line.trim().is_empty());
    let parse =
        |line| serde_json::from_str(line).map_err(|error| ModuleError::Section(error.to_string()));
    lines.map(parse).collect()
}

/// Takes over what the section says about a task, if the export agrees.
fn describe(task: Option<&mut Task>, entry: Entry) -> Result<(), ModuleError> {
    let wrong = |what: &str| {
        let name = entry.name.escape_debug();
        Err(ModuleError::Section(format!("task {name}: {what}")))
    };
    let Some(task) = task else { return wrong("the module exports no such task") };
    let results: Vec<String> = entry.result.iter().cloned().collect();
    if task.form == Form::Scalar {
        let params = entry.params.iter().map(|param| param.ty.as_str());
        let exported = task.params.iter().flatten().map(|param| param.ty.as_str());
        if !agree(params, exported) {
            return wrong("its parameters differ from the exported function's");
        }
        if !agree(results.iter().map(String::as_str), task.results.iter().map(String::as_str)) {
            return wrong("its result differs from the exported function's");
        }
    }
    task.assumed = false;
    task.params = Some(entry.params);
    task.results = results;
    task.default = entry.default;
    task.doc = entry.doc.filter(|doc| !doc.is_empty());
    Ok(())
}

/// Returns whether both lists of types are carried by the same core types.
fn agree<'a>(said: impl Iterator<Item = &'a str>, exported: impl Iterator<Item = &'a str>) -> bool {
    let core = |name| Scalar::from_wit(name).map(Scalar::core);
    said.map(core).eq(exported.map(core))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export<'a>(name: &'a str, params: &[Core], results: &[Core]) -> Export<'a> {
        let types = |types: &[Core]| types.iter().copied().map(Some).collect();
        Export { name, params: types(params), results: types(results) }
    }

    fn names(exports: &[Export]) -> Vec<(String, Form)> {
        let (_, tasks) = tasks(exports, "").unwrap();
        tasks.into_iter().map(|task| (task.name, task.form)).collect()
    }

    #[test]
    fn functions_of_numbers_are_scalar_tasks_and_plumbing_is_not() {
        let exports = [
            export("square", &[Core::I64], &[Core::I64]),
            export("malloc", &[Core::I32], &[Core::I32]),
            export("__wasm_call_ctors", &[], &[]),
            export("cabi_realloc", &[Core::I32], &[Core::I32]),
            Export { name: "vector", params: vec![None], results: vec![] },
        ];
        assert_eq!(names(&exports), [("square".into(), Form::Scalar)]);
    }

    #[test]
    fn task_name_without_parameters_that_answers_i32_is_a_byte_task() {
        let exports =
            [export("task_evens", &[], &[Core::I32]), export("task_odd", &[Core::I32], &[])];
        let expected = [("evens".into(), Form::Byte), ("task_odd".into(), Form::Scalar)];
        assert_eq!(names(&exports), expected);
    }

    #[test]
    fn name_and_task_name_are_one_scalar_task_in_either_order() {
        let scalar = || export("square", &[Core::I64], &[Core::I64]);
        let byte = || export("task_square", &[], &[Core::I32]);
        assert_eq!(names(&[scalar(), byte()]), [("square".into(), Form::Scalar)]);
        assert_eq!(names(&[byte(), scalar()]), [("square".into(), Form::Scalar)]);
    }

    #[test]
    fn a_hundred_thousand_tasks_take_no_longer_than_a_hundred_thousand_times_one() {
        let names: Vec<String> = (0..300_000).map(|n| format!("task_{n}")).collect();
        let exports: Vec<Export> =
            names.iter().map(|name| export(name, &[], &[Core::I32])).collect();
        let entry = |name: &String| {
            let name = name.trim_start_matches("task_");
            format!("{{\"name\":\"{name}\",\"params\":[],\"result\":\"s64\"}}\n")
        };
        let section: String = names.iter().map(entry).collect();
        let (_, tasks) = tasks(&exports, &section).unwrap();
        assert_eq!((tasks.len(), tasks[7].signature()), (300_000, "7() -> s64".into()));
    }

    #[test]
    fn start_makes_a_command_whose_other_functions_are_tasks_behind_it() {
        let exports = [
            export("other", &[], &[]),
            export("main", &[Core::I32, Core::I32], &[Core::I32]),
            export("_start", &[], &[]),
        ];
        let (kind, _) = tasks(&exports, "").unwrap();
        assert_eq!(kind, Kind::Command);
        let expected = [("_start".into(), Form::Command), ("other".into(), Form::Scalar)];
        assert_eq!(names(&exports), expected);
        assert_eq!(tasks(&exports[..2], "").unwrap().0, Kind::Tasks);
    }

    #[test]
    fn the_section_rules_signs_names_and_documentation() {
        let exports = [export("is_even", &[Core::I64], &[Core::I32])];
        let section = r#"{"name":"is_even","params":[{"name":"n","type":"u64"}],"result":"bool","doc":"Whether n is even."}"#;
        let (_, tasks) = tasks(&exports, section).unwrap();
        assert_eq!(tasks[0].signature(), "is_even(n: u64) -> bool");
        assert_eq!(tasks[0].doc.as_deref(), Some("Whether n is even."));
    }

    #[test]
    fn a_section_that_contradicts_the_exports_is_an_error_that_names_the_task() {
        let exports = || [export("f", &[Core::I64], &[Core::I64])];
        for (section, message) in [
            (
                r#"{"name":"g","params":[],"result":null}"#,
                "task g: the module exports no such task",
            ),
            (
                r#"{"name":"f","params":[{"type":"s32"}],"result":"s64"}"#,
                "task f: its parameters differ from the exported function's",
            ),
            (
                r#"{"name":"f","params":[{"type":"s64"}],"result":null}"#,
                "task f: its result differs from the exported function's",
            ),
        ] {
            let error = tasks(&exports(), section).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid section wpool:tasks: {message}"));
        }
        assert!(matches!(tasks(&exports(), "{"), Err(ModuleError::Section(_))));
    }
}
