//! Builds AssemblyScript and JavaScript with tools that npm installs: the package's script `build`
//! makes the module.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use super::sources::Sources;
use crate::Result;
use crate::command::{command, run, succeeds};

/// The time within which Node.js and npm must answer. Both start in less than a second.
const PROBE_TIME_MAX: Duration = Duration::from_secs(20);

/// The files that decide which packages are installed.
const PACKAGE: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

const IS_NEW_ENOUGH: &str = "process.exit(process.versions.node.split('.')[0] >= 20 ? 0 : 1)";

/// Looks for Node.js, and installs the packages that the example has locked.
pub fn prepare(sources: &Sources) -> Result {
    if !succeeds(&mut command("node", ["-e", IS_NEW_ENOUGH]), PROBE_TIME_MAX)
        || !succeeds(&mut command("npm", ["--version"]), PROBE_TIME_MAX)
    {
        return Err("it needs Node.js 20 or later, with npm: https://nodejs.org".into());
    }
    let (folder, tools) = (sources.folder(), sources.tools());
    let same = |name: &&str| same(&folder.join(name), &tools.join(name));
    if !tools.join("node_modules").exists() || !PACKAGE.iter().all(same) {
        for name in PACKAGE {
            fs::copy(folder.join(name), tools.join(name))?;
        }
        let install = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
        if let Err(error) = run(command("npm", install).current_dir(&tools)) {
            // The packages are incomplete: the next attempt is to install them again. If the file
            // cannot be removed, nothing else can be done.
            let _ = fs::remove_file(tools.join(PACKAGE[0]));
            return Err(error);
        }
    }
    symlink(tools.join("node_modules"), folder.join("node_modules"))?;
    Ok(())
}

/// Runs the package's script.
pub fn build(sources: &Sources) -> Result {
    let script = ["run", "--silent", "build"];
    run(command("npm", script).current_dir(sources.folder()))
        .map_err(|error| format!("{}: {error}", sources.name()).into())
}

fn same(a: &Path, b: &Path) -> bool {
    fs::read(a).is_ok_and(|a| fs::read(b).is_ok_and(|b| a == b))
}
