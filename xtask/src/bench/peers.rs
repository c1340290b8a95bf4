//! The programs that are compared: wpool as built, Python, xargs, and the floor in C.

use std::env;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::command::{bytes, command, run, text, typed};
use crate::{Result, root};

/// Files that P10 digests.
const FILES: u32 = 10_000;
const FILE_BYTES: usize = 4096;

/// One job for each module that is measured: what it compiles is then in the cache.
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

/// What floor and guest must agree on, or the floor is none.
const SAME: [(&str, &str); 4] = [
    ("target/guests/square.wasm", "square"),
    ("target/guests/cubes.wasm", "cubes"),
    ("target/guests/cubes.wasm", "cubes_sum"),
    ("target/guests/work.wasm", "busy"),
];

/// All that the rows need.
pub struct Peers {
    /// Each row is measured at least so often.
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
        // A copy, so that a build meanwhile changes nothing.
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

    /// `wpool map MODULE OPTION…`, with a cache of its own and no settings of whoever runs this.
    pub fn wpool(&self, module: &str, options: &[&str]) -> Command {
        self.subcommand("map", module, options)
    }

    /// `wpool bench MODULE OPTION…`, just so.
    pub fn wpool_bench(&self, module: &str, options: &[&str]) -> Command {
        self.subcommand("bench", module, options)
    }

    /// `wpool compile MODULE OPTION…`, just so.
    pub fn wpool_compile(&self, module: &str, options: &[&str]) -> Command {
        self.at_home(command(&self.wpool, ["compile", module]), options)
    }

    /// `wpool run MODULE CALL…`, just so.
    pub fn wpool_run(&self, module: &str, calls: &[&str]) -> Command {
        self.subcommand("run", module, calls)
    }

    fn subcommand(&self, name: &str, module: &str, options: &[&str]) -> Command {
        self.at_home(command(&self.wpool, [name, "-q", module]), options)
    }

    /// A command of wpool's with folders of its own, and no flags from the environment.
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

    /// A script of `benches/peers`.
    pub fn python(&self, script: &str, arguments: &[&str]) -> Command {
        let mut python = command(&self.python, [format!("benches/peers/{script}")]);
        python.args(arguments);
        python
    }

    /// The floor, if there is a C compiler.
    pub fn floor(&self, arguments: &[&str]) -> Option<Command> {
        Some(command(self.floor.as_ref()?, arguments))
    }

    /// A file that lists the files to digest, each path ended by NUL.
    pub fn list_of_files(&self) -> String {
        self.folder.join("files").display().to_string()
    }

    /// A file of so many empty lines.
    pub fn empty_lines(&self, count: usize) -> Result<String> {
        let path = self.folder.join(format!("empty-{count}"));
        fs::write(&path, "\n".repeat(count))?;
        Ok(path.display().to_string())
    }

    /// What the measured wpool says of itself.
    pub fn wpool_version(&self) -> Result<String> {
        text(&mut command(&self.wpool, ["--version"]))
    }

    /// What Python says of itself.
    pub fn python_version(&self) -> Result<String> {
        text(&mut command(&self.python, ["--version"]))
    }

    /// Files of text that is always the same, and the list of them.
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

/// The bytes of a file, which nothing but its number decides.
fn content(number: u32) -> Vec<u8> {
    let mut state = u64::from(number) << 32 | 0x9e37_79b9;
    let mut byte = || {
        // Knuth's MMIX generator; its high bits are good enough to look random.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..FILE_BYTES).map(|_| byte()).collect()
}

/// The interpreter itself: `python3` may be a script of a version manager, whose time would count.
fn python() -> Result<PathBuf> {
    let mut ask = command("python3", ["-c", "import sys; print(sys.executable)"]);
    Ok(text(&mut ask)?.into())
}

/// Compiles the floor; none where there is no C compiler.
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

/// An error unless both print the same lines, of which only the first `columns` characters count.
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
