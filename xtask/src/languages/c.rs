//! Builds C, with any clang that has a C library for WASI: Debian's, or that of the WASI SDK.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::sources::Sources;
use crate::command::{command, run, succeeds};
use crate::{Result, root};

/// The time within which a probe must have linked an empty program.
const PROBE_TIME_MAX: Duration = Duration::from_secs(20);

/// The compiler's flags. `-mexec-model=reactor` makes a library that is initialised once, not a
/// program.
const FLAGS: [&str; 4] =
    ["--target=wasm32-wasi", "-mexec-model=reactor", "-O2", "-Wl,--strip-debug"];

/// Looks for a clang that can link for WASI.
pub fn prepare(sources: &Sources) -> Result {
    let out = sources.tools().join("nothing.wasm");
    let mut probe = clang(&out);
    probe.args(["-x", "c", "/dev/null"]);
    if !succeeds(&mut probe, PROBE_TIME_MAX) {
        return Err(
            "C needs clang with a C library for WASI: apt-get install clang lld wasi-libc \
                    libclang-rt-dev-wasm32, or set WASI_SDK_PATH"
                .into(),
        );
    }
    Ok(())
}

/// Compiles and links the example.
pub fn build(sources: &Sources) -> Result {
    let out = sources.folder().join("target/c.wasm");
    let mut clang = clang(&out);
    clang.args(["-Wall", "-Wextra", "-Werror", "-I"]).arg(sources.root().join("guest/c"));
    run(clang.arg(sources.folder().join("tasks.c")))
}

fn clang(out: &Path) -> Command {
    let clang = match env::var_os("WASI_SDK_PATH") {
        Some(sdk) => Path::new(&sdk).join("bin/clang").into_os_string(),
        None => "clang".into(),
    };
    let mut command = command(clang, FLAGS);
    command.current_dir(root()).arg("-o").arg(out);
    command
}
