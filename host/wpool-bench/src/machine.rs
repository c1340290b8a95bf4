//! The facts about the machine and the programs that were compared.

use super::subject::Subject;
use nix::sys::utsname::uname;
use std::fs;
use wpool::pool::cpus;

/// Returns the facts, as names and values; `version` is that of the program.
pub fn facts(subject: &Subject<'_>, version: &str) -> Vec<(String, String)> {
    let mut facts = vec![("wpool".to_owned(), version.to_owned())];
    let modules = subject.modules.iter().map(|module| module.path.display().to_string());
    facts.extend(modules.map(|path| ("module".to_owned(), path)));
    let mut add = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("native", subject.native.map(|path| path.display().to_string()));
    add(
        "python",
        subject.python.map(|found| format!("{}, {}", found.file.display(), found.function)),
    );
    add("CPU", processor());
    add("usable CPUs", Some(cpus::usable().to_string()));
    let system = uname().ok();
    add(
        "system",
        system.map(|system| {
            let [name, release, machine] = [system.sysname(), system.release(), system.machine()];
            [name, release, machine].map(|part| part.to_string_lossy().into_owned()).join(" ")
        }),
    );
    facts
}

/// Returns the processor's name, if the kernel tells it.
fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}
