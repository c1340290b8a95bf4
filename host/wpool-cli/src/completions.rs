//! `wpool completions`: prints completion scripts for shells, and the names of tasks that the
//! scripts ask for.

use super::exit::Exit;
use super::report::Report;
use super::{modules, summary};
use clap::Args;
use clap_complete::Shell;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;
use wpool::module::description::Kind;
use wpool::pool::config::CompileConfig;
use wpool::pool::session::Session;

/// The longest time for inspecting a module, while somebody waits for the names of its tasks.
const PATIENCE: Duration = Duration::from_secs(3);

/// Prints the completion script of a shell.
#[derive(Args, Debug)]
pub(crate) struct CompletionsFlags {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the tasks of the first module among the words of a command line, for completion scripts.
#[derive(Args, Debug)]
pub(crate) struct TasksFlags {
    /// The words of the command line.
    #[arg(value_name = "WORD", trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

/// Runs the subcommand.
///
/// # Errors
/// Fails if standard output cannot be written.
pub(crate) fn run(flags: &CompletionsFlags) -> Result<Exit, Report> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut super::command(), "wpool", &mut script);
    summary::print(&with_tasks(flags.shell, &String::from_utf8_lossy(&script)))
}

/// Runs the hidden subcommand that completion scripts call. Prints nothing if there is no module or
/// the module cannot be used, because nobody could read an error.
///
/// # Errors
/// Fails if standard output cannot be written.
pub(crate) fn tasks(flags: &TasksFlags) -> Result<Exit, Report> {
    let is_module = |word: &&OsString| {
        let extension = Path::new(word).extension().unwrap_or_default();
        ["wasm", "wat"].iter().any(|known| extension == *known)
    };
    let module = flags.words.iter().find(is_module);
    let Some(module) = module.and_then(|path| modules::read(Path::new(path)).ok()) else {
        return Ok(Exit::Success);
    };
    let config = CompileConfig { timeout: PATIENCE, ..CompileConfig::default() };
    let Ok(description) = Session::describe(&module, &config) else { return Ok(Exit::Success) };
    let tasks = description.tasks.iter();
    let names = tasks.filter(|task| task.refusal.is_none()).map(|task| &task.name);
    // A module chooses the names of its tasks: none may control the terminal, or be more than one
    // word.
    let plain =
        |name: &&String| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.#:/@".contains(c));
    let lines: String = names.filter(plain).map(|name| format!("{name}\n")).collect();
    match description.kind {
        Kind::Tasks => summary::print(&lines),
        Kind::Command => Ok(Exit::Success),
    }
}

/// Returns the script with tasks instead of files after `--task` and `--init`.
fn with_tasks(shell: Shell, script: &str) -> String {
    let mut lines = Vec::new();
    let mut of_task = false;
    for line in script.lines() {
        let trimmed = line.trim_start();
        let line = match shell {
            Shell::Bash if of_task && trimmed.starts_with("COMPREPLY=") => {
                let indent = &line[..line.len() - trimmed.len()];
                format!(
                    "{indent}COMPREPLY=($(compgen -W \"$(\"$1\" tasks \"${{COMP_WORDS[@]:1}}\" 2>/dev/null)\" -- \
                     \"${{cur}}\"))"
                )
            }
            Shell::Zsh if trimmed.starts_with("'--task=") || trimmed.starts_with("'--init=") => {
                line.replace(":_default'", ":_wpool_tasks'")
            }
            Shell::Fish if line.contains(" -l task ") || line.contains(" -l init ") => {
                format!("{line} -f -a '(command wpool tasks (commandline -opc)[2..] 2>/dev/null)'")
            }
            _ => line.to_owned(),
        };
        of_task = matches!(trimmed, "--task)" | "--init)");
        lines.push(line);
    }
    if let (Shell::Zsh, Some(begin)) = (shell, lines.iter().position(|line| line == "_wpool() {")) {
        let function = "_wpool_tasks() {\n    compadd -- ${(f)\"$(_call_program tasks ${(q)service} tasks \
                        ${(q)words} 2>/dev/null)\"}\n}\n";
        lines.insert(begin, function.to_owned());
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_ask_for_the_tasks_of_the_module() {
        let bash =
            "                --task)\n                    COMPREPLY=($(compgen -f \"${cur}\"))\n";
        assert!(with_tasks(Shell::Bash, bash).contains("tasks \"${COMP_WORDS[@]:1}\""));
        let zsh = "_wpool() {\n'--task=[T]:NAME:_default' \\\n'--batch=[B]:N:_default' \\\n";
        let made = with_tasks(Shell::Zsh, zsh);
        assert!(made.contains("NAME:_wpool_tasks'") && made.contains(":N:_default'"), "{made}");
        assert!(made.starts_with("_wpool_tasks() {"), "{made}");
        let fish = "complete -c wpool -n \"x\" -l task -d 'T' -r\n";
        assert!(with_tasks(Shell::Fish, fish).contains("command wpool tasks"));
        // The scripts of the other shells stay as they are.
        assert_eq!(with_tasks(Shell::Elvish, bash), bash);
    }
}
