//! The programs that are compared: wpool as built, Python, xargs, and the floor in C.

use std::env;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::command::{bytes, command, run, text, typed};
use crate::{Result, root};

/// The number of files that P10 digests.
const FILES: u32 = 10_000;
const FILE_BYTES: usize = 4096;

/// The first job of each module that is measured, which puts the compiled module into the cache.
const FIRST_JOBS: [(&str, &[&str]); 11] = [
    ("benches/modules/bare.wat", &[":::", "3"]),
    ("target/guests/square.wasm", &["--task", "square", ":::", "3"]),
    ("target/guests/cubes.wasm", &["--task", "cubes", ":::", "3"]),
    ("target/guests/primitives.wasm", &["--task", "lock_pair", ":::", "3"]),
    ("target/guests/work.wasm", &[":::", "3"]),
    ("target/guests/sha256.wasm", &["--stdin", ":::", "3"]),
    ("target/guests/square-component.wasm", &["--task", "square", ":::", "3"]),
    ("target/guests/c.wasm", &["--task", "square", ":::", "3"]),
    ("target/guests/assemblyscript.wasm", &["--task", "square", ":::", "3"]),
    ("target/guests/javascript.wasm", &["--task", "square", ":::", "3"]),
    ("target/guests/python.wasm", &["--task", "square", ":::", "3"]),
];

/// The modules and tasks for which floor and guest must print the same, so that the floor does the
/// same work.
const SAME: [(&str, &str); 4] = [
    ("target/guests/square.wasm", "square"),
    ("target/guests/cubes.wasm", "cubes"),
    ("target/guests/cubes.wasm", "cubes_sum"),
    ("target/guests/work.wasm", "busy"),
];

/// The programs and files that the rows need.
pub struct Peers {
    /// The least number of rounds for each row.
    pub rounds: usize,
    wpool: PathBuf,
    python: PathBuf,
    floor: Option<PathBuf>,
    folder: PathBuf,
}

impl Peers {
    /// Finds or makes everything in `target/bench`.
    pub fn prepare(rounds: usize) -> Result<Self> {
        let folder = root().join("target/bench");
        fs::create_dir_all(&folder)?;
        // wpool is copied, so that a build in the meantime changes nothing.
        let wpool = folder.join("wpool");
        let built = root().join("target/release/wpool");
        fs::copy(&built, &wpool).map_err(|error| format!("{}: {error}", built.display()))?;
        let peers = Self { rounds, wpool, python: python()?, floor: floor(&folder)?, folder };
        peers.make_files()?;
        for (module, job) in FIRST_JOBS {
            run(peers.wpool(module, job).stdout(Stdio::null()))?;
        }
        for (module, task) in SAME {
            if let Some(mut floor) = peers.floor(&[task, "2", "7", "0", "100"]) {
                let mut wpool = peers.wpool(module, &["--task", task, "--range", "0..100"]);
                agree(&mut wpool, &mut floor, usize::MAX)?;
            }
        }
        Ok(peers)
    }

    /// Returns `wpool map MODULE OPTION…`, with a cache of its own and without the user's settings.
    pub fn wpool(&self, module: &str, options: &[&str]) -> Command {
        self.subcommand("map", module, options)
    }

    /// Returns `wpool bench MODULE OPTION…`, with the same cache and settings.
    pub fn wpool_bench(&self, module: &str, options: &[&str]) -> Command {
        self.subcommand("bench", module, options)
    }

    /// Returns `wpool compile MODULE OPTION…`, with the same cache and settings.
    pub fn wpool_compile(&self, module: &str, options: &[&str]) -> Command {
        self.at_home(command(&self.wpool, ["compile", module]), options)
    }

    /// Returns `wpool run MODULE CALL…`, with the same cache and settings.
    pub fn wpool_run(&self, module: &str, calls: &[&str]) -> Command {
        self.subcommand("run", module, calls)
    }

    fn subcommand(&self, name: &str, module: &str, options: &[&str]) -> Command {
        self.at_home(command(&self.wpool, [name, "-q", module]), options)
    }

    /// Completes a wpool command with folders of its own, and without flags from the environment.
    fn at_home(&self, mut wpool: Command, options: &[&str]) -> Command {
        wpool.args(options).env("XDG_CACHE_HOME", self.folder.join("cache"));
        wpool.env("XDG_STATE_HOME", self.folder.join("state"));
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("WPOOL_") {
                wpool.env_remove(name);
            }
        }
        wpool
    }

    /// Returns the command that runs a script of `benches/peers`.
    pub fn python(&self, script: &str, arguments: &[&str]) -> Command {
        let mut python = command(&self.python, [format!("benches/peers/{script}")]);
        python.args(arguments);
        python
    }

    /// Returns the command that runs the floor, if there is a C compiler.
    pub fn floor(&self, arguments: &[&str]) -> Option<Command> {
        Some(command(self.floor.as_ref()?, arguments))
    }

    /// Returns the path of a file that lists the files to digest, each path ended by NUL.
    pub fn list_of_files(&self) -> String {
        self.folder.join("files").display().to_string()
    }

    /// Writes a file of `count` empty lines, and returns its path.
    pub fn empty_lines(&self, count: usize) -> Result<String> {
        let path = self.folder.join(format!("empty-{count}"));
        fs::write(&path, "\n".repeat(count))?;
        Ok(path.display().to_string())
    }

    /// Returns the version that the measured wpool prints.
    pub fn wpool_version(&self) -> Result<String> {
        text(&mut command(&self.wpool, ["--version"]))
    }

    /// Returns the version that Python prints.
    pub fn python_version(&self) -> Result<String> {
        text(&mut command(&self.python, ["--version"]))
    }

    /// Makes the files to digest, whose text is always the same, and their list.
    fn make_files(&self) -> Result {
        let folder = root().join("target/bench-files");
        fs::create_dir_all(&folder)?;
        let mut list = Vec::new();
        for number in 0..FILES {
            let path = folder.join(format!("{number:05}"));
            if !path.metadata().is_ok_and(|data| data.len() == FILE_BYTES as u64) {
                fs::write(&path, content(number))?;
            }
            list.extend_from_slice(path.as_os_str().as_bytes());
            list.push(0);
        }
        Ok(fs::write(self.list_of_files(), list)?)
    }
}

/// Returns the bytes of a file, which depend on its number only.
fn content(number: u32) -> Vec<u8> {
    let mut state = u64::from(number) << 32 | 0x9e37_79b9;
    let mut byte = || {
        // The numbers come from Knuth's MMIX generator, whose high bits look random enough.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..FILE_BYTES).map(|_| byte()).collect()
}

/// Returns the path of the interpreter itself. `python3` may be a version manager's script, whose
/// time would count.
fn python() -> Result<PathBuf> {
    let mut ask = command("python3", ["-c", "import sys; print(sys.executable)"]);
    Ok(text(&mut ask)?.into())
}

/// Compiles the floor; returns `None` if there is no C compiler.
fn floor(folder: &Path) -> Result<Option<PathBuf>> {
    if bytes(&mut command("cc", ["--version"])).is_err() {
        eprintln!("no C compiler (`cc`): floors are left out");
        return Ok(None);
    }
    let floor = folder.join("pool");
    let mut sources = Vec::new();
    for entry in fs::read_dir(root().join("benches/floors"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            sources.push(path);
        }
    }
    let mut cc = command("cc", ["-O2", "-std=gnu11", "-Wall", "-Wextra", "-o"]);
    run(cc.arg(&floor).args(sources))?;
    Ok(Some(floor))
}

/// Fails unless both commands print the same lines, compared by their first `columns` characters.
pub fn agree(ours: &mut Command, theirs: &mut Command, columns: usize) -> Result {
    let [our_lines, their_lines] = [text(ours)?, text(theirs)?];
    let cut = |line: &str| line.chars().take(columns).collect::<String>();
    let [our_lines, their_lines] =
        [our_lines, their_lines].map(|lines| lines.lines().map(cut).collect::<Vec<_>>());
    if our_lines.is_empty() || our_lines != their_lines {
        return Err(format!("`{}` and `{}` differ", typed(ours), typed(theirs)).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_differ_and_are_always_the_same() {
        assert_eq!(content(7), content(7));
        assert_ne!(content(7), content(8));
        assert_eq!(content(0).len(), FILE_BYTES);
    }

    #[test]
    fn programs_agree_if_the_columns_that_count_do() {
        let say = |words: &str| command("printf", [words]);
        agree(&mut say("12\n34"), &mut say("12 a\n34 b\n"), 2).expect("they agree");
        agree(&mut say("12\n34"), &mut say("12 a\n34 b\n"), 3).expect_err("they differ");
        agree(&mut say(""), &mut say(""), 3).expect_err("there is nothing to compare");
    }
}
