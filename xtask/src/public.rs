//! Programs that others have published: built for WASI from the package registry, with the versions that
//! their authors locked, and encoded as components, `target/guests/public/NAME.wasm`. They know nothing of
//! wpool, and their results are published.
//!
//! They are built once. Where the toolchain has no target for WASI they are skipped with a line that says
//! so, although the examples can then be built with Debian's Rust sources: that way was not tried for them.

use std::fs;
use std::path::Path;

use crate::command::{cargo, run};
use crate::component::{Adapter, encode};
use crate::guests::{TARGET, has_target, replace_if_changed};
use crate::{Result, root};

/// A published program.
struct Program {
    /// The package, and its only program.
    name: &'static str,
    version: &'static str,
    /// Cargo's flags beside the usual ones.
    flags: &'static [&'static str],
}

const PROGRAMS: [Program; 3] = [
    Program { name: "b2sum", version: "0.4.0", flags: &[] },
    // Its allocator is written in C. From 2.0 on it edits lines, which takes a terminal that WASI has not.
    Program { name: "jaq", version: "1.6.0", flags: &["--no-default-features"] },
    Program { name: "pulldown-cmark", version: "0.13.6", flags: &[] },
];

/// Builds what is not there yet into a folder of `guests`.
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
