//! Builds Python with componentize-py, which carries its own CPython.

use std::fs;
use std::time::Duration;

use super::sources::Sources;
use crate::Result;
use crate::command::{command, run, succeeds};

/// The time within which Python must answer. It starts in less than a second, unless a version
/// manager is busy with itself.
const PROBE_TIME_MAX: Duration = Duration::from_secs(120);

/// Looks for Python, and installs componentize-py into an environment of its own, in the version
/// that the example requires.
pub fn prepare(sources: &Sources) -> Result {
    if !succeeds(&mut command("python3", ["-c", "import ensurepip, venv"]), PROBE_TIME_MAX) {
        return Err("Python tasks need python3 with venv: apt-get install python3-venv".into());
    }
    let requirements = fs::read(sources.folder().join("requirements.txt"))?;
    let tools = sources.tools();
    let installed = tools.join("installed.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == requirements) {
        return Ok(());
    }
    run(command("python3", ["-m", "venv", "--clear"]).arg(&tools))?;
    let install = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
    let mut pip = command(tools.join("bin/pip"), install);
    run(pip.arg(sources.folder().join("requirements.txt")))?;
    fs::write(installed, requirements)?;
    Ok(())
}

/// Runs the example's modules up to their first call, and keeps their state at that point as a
/// component.
pub fn build(sources: &Sources) -> Result {
    let mut componentize = command(sources.tools().join("bin/componentize-py"), ["--quiet"]);
    componentize
        .args(["--wit-path", "wit", "--wit-path", "guest-examples/python/world.wit"])
        .args(["--world", "wpool:python-example/python", "componentize"])
        .args(["--python-path", "guest/python", "--python-path", "guest-examples/python", "tasks"])
        .args(["--output", "guest-examples/python/target/python.wasm"]);
    run(componentize.current_dir(sources.root()))
}
