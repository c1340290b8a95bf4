//! Builds programs that others have published, from the package registry and with the versions that
//! their authors locked. They are built for WASI and encoded as components,
//! `target/guests/public/NAME.wasm`. The programs know nothing of wpool, and their results are
//! published.
//!
//! Each program is built once. If the toolchain has no target for WASI, the programs are skipped
//! with a line that says so. Debian's Rust sources would do for the examples, but have not been
//! tried for these programs.

use std::fs;
use std::path::Path;

use crate::command::{cargo, run};
use crate::component::{Adapter, encode};
use crate::guests::{TARGET, has_target, replace_if_changed};
use crate::{Result, root};

/// A published program.
struct Program {
    /// The name of the package and of its only program.
    name: &'static str,
    version: &'static str,
    /// The flags for cargo beside the usual ones.
    flags: &'static [&'static str],
}

const PROGRAMS: [Program; 3] = [
    Program { name: "b2sum", version: "0.4.0", flags: &[] },
    // jaq's allocator is written in C. From version 2.0 on jaq edits lines, for which it needs a
    // terminal, and WASI has none.
    Program { name: "jaq", version: "1.6.0", flags: &["--no-default-features"] },
    Program { name: "pulldown-cmark", version: "0.13.6", flags: &[] },
];

/// Builds the programs that are missing in a folder of `guests`.
pub fn build(sysroot: &str, guests: &Path) -> Result {
    let names = PROGRAMS.map(|program| program.name).join(", ");
    if !has_target(sysroot) {
        let missing = format!("{names} need the target {TARGET}: rustup target add {TARGET}");
        println!("skipped: target/guests/public: {missing}");
        return Ok(());
    }
    let kept = root().join("target/public");
    let guests = guests.join("public");
    fs::create_dir_all(&kept)?;
    fs::create_dir_all(&guests)?;
    for program in &PROGRAMS {
        install(program, &kept)?;
        let module = format!("{}.wasm", program.name);
        let component = kept.join(&module);
        encode(&kept.join("bin").join(&module), &component, Adapter::Command)?;
        if replace_if_changed(&component, &guests.join(&module))? {
            println!("target/guests/public/{module}");
        }
    }
    Ok(())
}

/// Builds a program, unless this version was built in this way.
fn install(program: &Program, kept: &Path) -> Result {
    let Program { name, version, flags } = program;
    let built = kept.join(format!("{name}.built"));
    let this = format!("{version} {flags:?}");
    if fs::read_to_string(&built).is_ok_and(|last| last == this) {
        return Ok(());
    }
    let mut install = cargo(["install", "--quiet", "--locked", "--force", "--target", TARGET]);
    install.arg("--root").arg(kept).arg("--target-dir").arg(kept.join("build"));
    // Flags meant for the host's code are wrong for guests.
    install.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    run(install.args(*flags).arg(format!("{name}@{version}")))?;
    Ok(fs::write(built, this)?)
}
