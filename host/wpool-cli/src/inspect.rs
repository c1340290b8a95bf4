//! `wpool inspect`: shows what a module is, and what it will need.

use super::exit::Exit;
use super::flags::{CompileLimitFlags, JailFlags};
use super::report::Report;
use super::{escape, modules, summary, units};
use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;
use wpool::module::description::{Description, Form, Kind, Task};
use wpool::pool::session::Session;

/// Shows a module's kind, its tasks with their types, and what it will need granted.
#[derive(Args, Debug)]
pub(crate) struct InspectFlags {
    /// The module: WebAssembly, binary or text.
    #[arg(value_name = "MODULE")]
    module: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Show all exports, those that a toolchain left there too
    #[arg(short = 'v', long)]
    all: bool,

    #[command(flatten)]
    limits: CompileLimitFlags,

    #[command(flatten)]
    jail: JailFlags,
}

/// Runs the subcommand.
///
/// # Errors
/// Fails if the module cannot be used.
pub(crate) fn run(flags: &InspectFlags) -> Result<Exit, Report> {
    let config = flags.jail.compile(flags.limits.config());
    let description = Session::describe(&modules::read(&flags.module)?, &config)
        .map_err(|error| Report::of_module(&flags.module, error))?;
    let text = match flags.json {
        true => {
            let mut json = serde_json::to_vec_pretty(&description)
                .map_err(|error| Report::new(Exit::Internal, error.to_string()))?;
            escape::json_from(&mut json, 0);
            String::from_utf8_lossy(&json).into_owned()
        }
        false => text(&description, flags.all),
    };
    summary::print(&(text + "\n"))
}

/// Formats the description for people. All names are escaped, because the module chooses them.
fn text(description: &Description, all: bool) -> String {
    let mut rows = vec![("kind", kind(description).to_owned())];
    rows.push(("size", units::size_text(description.bytes)));
    if let Some((initial, most)) = description.memory_pages {
        let pages = |pages: u64| units::size_text(pages.saturating_mul(64 << 10));
        let most = most.map_or("no maximum".into(), |most| format!("at most {}", pages(most)));
        rows.push(("memory", format!("{} at first, {most}", pages(initial))));
    }
    if !description.proposals.is_empty() {
        rows.push(("proposals", description.proposals.join(" ")));
    }
    let needs = needs(description);
    let needs = if needs.is_empty() { "nothing".into() } else { needs.join("; ") };
    rows.push(("needs", needs));
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        writeln!(text, "{name:10} {}", escape::text(value))
            .expect("writing to a String cannot fail");
    };
    rows.iter().for_each(|(name, value)| line(name, value));
    for task in &description.tasks {
        line("task", &signature(task));
        task.doc.iter().flat_map(|doc| doc.lines()).for_each(|doc| line("", &format!("    {doc}")));
        task.refusal.iter().for_each(|why| line("", &format!("    cannot be called: {why}")));
    }
    description.missing.iter().for_each(|name| line("missing", name));
    if let Some(made) = description.toolchain.filter(|_| !description.missing.is_empty()) {
        line("help", &format!("it is {}: {}", made.name(), made.way()));
    }
    description.hidden.iter().filter(|_| all).for_each(|name| line("export", name));
    // A component's imports are listed in its world.
    for import in description.imports.iter().filter(|_| description.wit.is_none()) {
        line("import", &format!("{} {}", import.module, import.name));
    }
    text.truncate(text.trim_end().len());
    if let Some(wit) = &description.wit {
        text += "\n\n";
        let lines: Vec<_> = wit.trim_end().lines().map(escape::text).collect();
        text += &lines.join("\n");
    }
    text
}

fn kind(description: &Description) -> &'static str {
    match (description.kind, description.component) {
        (Kind::Command, false) => "command (its standard output is its result)",
        (Kind::Command, true) => "component, a command (its standard output is its result)",
        (Kind::Tasks, false) => "core module of tasks",
        (Kind::Tasks, true) => "component of tasks",
    }
}

/// Formats the task as `name(parameters) -> results`.
fn signature(task: &Task) -> String {
    if task.form == Form::Command || task.name.is_empty() {
        return task.signature();
    }
    let params = match &task.params {
        None => "json".into(),
        Some(params) => params
            .iter()
            .map(|param| match &param.name {
                Some(name) => format!("{name}: {}", param.ty),
                None => param.ty.clone(),
            })
            .collect::<Vec<_>>()
            .join(", "),
    };
    match task.results.as_slice() {
        [] => format!("{}({params})", task.name),
        [result] => format!("{}({params}) -> {result}", task.name),
        results => format!("{}({params}) -> ({})", task.name, results.join(", ")),
    }
}

/// Returns what the imports ask for, in words. WASI modules import much that they never call, so
/// these are things that the module may use, not things that it must have.
fn needs(description: &Description) -> Vec<String> {
    let any = |names: &[&str]| {
        description.imports.iter().any(|import| {
            import.module.starts_with("wasi")
                && names
                    .iter()
                    .any(|name| import.name.starts_with(name) || import.module.contains(name))
        })
    };
    let mut needs = Vec::new();
    if any(&["path_", "filesystem"]) {
        needs.push("may use files: --dir HOST::GUEST".to_owned());
    }
    if any(&["environ_get", "cli/environment"]) {
        needs.push("may read variables: --env KEY=VALUE".to_owned());
    }
    if any(&["random"]) {
        needs.push("may use random numbers: --seed makes them the same".to_owned());
    }
    if any(&["clock", "poll"]) {
        needs.push("may use clocks: --clock makes them the same".to_owned());
    }
    if any(&["sock", "http"]) {
        needs.push("may use the network, which is never granted".to_owned());
    }
    if !description.missing.is_empty() {
        needs.push("imports that wpool does not have: --stub-imports runs it without".to_owned());
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;
    use wpool::module::description::{Import, Parameter, Parts};

    fn description() -> Description {
        let import = |module: &str, name: &str| Import { module: module.into(), name: name.into() };
        Description {
            kind: Kind::Tasks,
            component: false,
            tasks: vec![Task {
                params: Some(vec![Parameter { name: Some("n".into()), ty: "s64".into() }]),
                results: vec!["s64".into()],
                doc: Some("The square of n.".into()),
                ..Task::new("evil\x1b", Form::Scalar)
            }],
            imports: vec![
                import("wasi_snapshot_preview1", "path_open"),
                import("wpool", "result_write"),
                import("env", "f"),
            ],
            missing: vec!["env.f".into()],
            toolchain: None,
            hidden: vec!["memory".into()],
            proposals: vec!["simd".into()],
            memory_pages: Some((16, None)),
            parts: Parts::default(),
            bytes: 4096,
            inlined: false,
            wit: None,
        }
    }

    #[test]
    fn a_module_is_described_with_its_names_escaped() {
        assert_eq!(
            text(&description(), true),
            "kind       core module of tasks\n\
             size       4KiB\n\
             memory     1MiB at first, no maximum\n\
             proposals  simd\n\
             needs      may use files: --dir HOST::GUEST; imports that wpool does not have: \
             --stub-imports runs it without\n\
             task       evil\\x1b(n: s64) -> s64\n\
             \x20              The square of n.\n\
             missing    env.f\n\
             export     memory\n\
             import     wasi_snapshot_preview1 path_open\n\
             import     wpool result_write\n\
             import     env f"
        );
    }
}
