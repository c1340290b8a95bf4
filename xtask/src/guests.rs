//! `cargo xtask guests`: builds every example in `guest-examples/` as `target/guests/NAME.wasm`.
//!
//! The target's standard library comes with the active toolchain, or from rustup. If it cannot be
//! downloaded, it is built from the sources that Debian packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::command::{cargo, command, run, succeeds, text};
use crate::component::{Adapter, encode, is_component};
use crate::{Result, languages, native, public, root};

/// The target that guests are built for.
pub const TARGET: &str = "wasm32-wasip1";

/// The folder of Debian's wasi-libc.
const WASI_LIBC: &str = "/usr/lib/wasm32-wasi";

/// The packages that Debian needs: a Rust with sources of the same version, and a C library to
/// link.
const DEBIAN_INSTALL: &str = "apt-get update && apt-get install -y --no-install-recommends \
                              rustc-web cargo-web rust-web-src wasi-libc";

/// The examples that are built for 128-bit SIMD, which every CPU that wpool runs on has.
const SIMD: [&str; 1] = ["kernels"];

/// The compiler's flag for SIMD.
const SIMD_FLAG: &str = "-C target-feature=+simd128";

/// The time within which the target is downloaded. A download takes seconds; one that takes longer
/// will not succeed.
const RUSTUP_TIME_MAX: Duration = Duration::from_secs(60);

/// Builds the guests that have changed, and returns the folder of the modules.
pub fn build() -> Result<PathBuf> {
    let target = root().join("target");
    let build = target.join("guests-build");
    let guests = target.join("guests");
    fs::create_dir_all(&build)?;
    fs::create_dir_all(&guests)?;

    let examples = examples()?;
    let (components, modules): (Vec<&str>, Vec<&str>) =
        examples.iter().map(String::as_str).partition(|example| is_component(example));
    let (simd, modules): (Vec<_>, Vec<_>) =
        modules.into_iter().partition(|example| SIMD.contains(example));
    // The groups are built one after the other: in a single build the SDK would be built for all of
    // them with the features of components.
    for (examples, flags) in [(modules, ""), (simd, SIMD_FLAG), (components, "")] {
        let packages = examples.into_iter().flat_map(|example| ["--package", example]);
        run(cargo_for_target(&build, flags)?
            .args(["build", "--release", "--target", TARGET])
            .args(["--manifest-path", "guest-examples/Cargo.toml", "--target-dir"])
            .arg(&build)
            .args(packages))?;
    }

    for name in examples {
        let module = format!("{name}.wasm");
        let mut built = build.join(TARGET).join("release").join(module.replace('-', "_"));
        if is_component(&name) {
            let component = build.join(&module);
            encode(&built, &component, Adapter::Reactor)?;
            built = component;
        }
        if replace_if_changed(&built, &guests.join(&module))? {
            println!("target/guests/{module}");
        }
    }
    native::build(&build, &guests)?;
    languages::build(&build.join("languages"), &guests)?;
    public::build(&sysroot()?, &guests)?;
    Ok(guests)
}

/// Returns the examples written in Rust: the folders that are packages.
fn examples() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("guest-examples"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Replaces a changed file by renaming, as a process may be running the old one. An unchanged file
/// is left alone, so that a program that watches its time sees real changes only.
pub fn replace_if_changed(from: &Path, to: &Path) -> Result<bool> {
    let new = fs::read(from).map_err(|error| format!("{}: {error}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(false);
    }
    let temporary = to.with_extension("tmp");
    fs::write(&temporary, new)?;
    fs::rename(temporary, to)?;
    Ok(true)
}

/// Makes a cargo command that can build for the target, with flags for the compiler.
fn cargo_for_target(build: &Path, flags: &str) -> Result<Command> {
    let sysroot = sysroot()?;
    let mut flags = flags.to_owned();
    let mut cargo = if has_target(&sysroot) || rustup_adds_target(&sysroot, build) {
        cargo::<&str>([])
    } else {
        // The folder in which rustc finds libc.a and, for commands, crt1-command.o. wpool-guest
        // itself holds the code of crt1-reactor.o, so one set of flags is enough for both.
        flags += &format!(" -L native={WASI_LIBC}");
        debian_cargo(&sysroot)?
    };
    // Flags meant for the host's code are wrong for guests.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo.env("CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS", flags.trim_start());
    Ok(cargo)
}

/// Returns the folder of the active toolchain.
fn sysroot() -> Result<String> {
    text(&mut command("rustc", ["--print", "sysroot"]))
}

/// Returns whether a toolchain has the standard library of the target.
pub fn has_target(sysroot: &str) -> bool {
    Path::new(sysroot).join("lib/rustlib").join(TARGET).join("lib").exists()
}

/// Adds the target to the toolchain with rustup; returns whether that succeeded. A failure, which
/// may take a minute, is remembered until `target/` is removed.
fn rustup_adds_target(sysroot: &str, build: &Path) -> bool {
    let failed = build.join("rustup-has-no-target-for");
    if fs::read_to_string(&failed).is_ok_and(|toolchain| toolchain == sysroot) {
        return false;
    }
    succeeds(&mut command("rustup", ["target", "add", TARGET]), RUSTUP_TIME_MAX);
    let added = has_target(sysroot);
    if !added {
        // Without the note the next attempt is slow, not wrong.
        let _ = fs::write(failed, sysroot);
    }
    added
}

/// Makes a command of Debian's cargo, which builds the standard library too. The linker comes from
/// the host's toolchain, because Debian's own is older than its compiler.
fn debian_cargo(sysroot: &str) -> Result<Command> {
    if !debian_is_ready() {
        install_debian()?;
    }
    let host = text(&mut command("rustc", ["--print", "host-tuple"]))?;
    let linker = Path::new(sysroot).join("lib/rustlib").join(host).join("bin/rust-lld");
    if !linker.exists() {
        let missing = linker.display();
        return Err(format!("{missing} not found: install Rust by https://rustup.rs").into());
    }
    let mut cargo = command("/usr/bin/cargo", ["-Zbuild-std=std,panic_abort"]);
    // The variables that `cargo xtask` was started with belong to another toolchain.
    for name in ["CARGO", "LD_LIBRARY_PATH", "RUSTC_WRAPPER", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        cargo.env_remove(name);
    }
    cargo
        .env("RUSTC", "/usr/bin/rustc")
        // Building the standard library is not a stable feature.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_WASIP1_LINKER", linker);
    Ok(cargo)
}

fn debian_is_ready() -> bool {
    let sources = "/usr/lib/rustlib/src/rust/library/Cargo.toml";
    let libc = format!("{WASI_LIBC}/crt1-command.o");
    ["/usr/bin/rustc", "/usr/bin/cargo", sources, &libc].iter().all(|file| Path::new(file).exists())
}

fn install_debian() -> Result {
    if !Path::new("/usr/bin/apt-get").exists() {
        return Err(format!("guests need the target {TARGET}: rustup target add {TARGET}").into());
    }
    if text(&mut command("id", ["-u"]))? != "0" {
        let run = format!("sudo sh -c '{DEBIAN_INSTALL}'");
        return Err(format!("guests need a toolchain for {TARGET}. Run: {run}").into());
    }
    println!("{DEBIAN_INSTALL}");
    let mut install = command("sh", ["-ec", DEBIAN_INSTALL]);
    run(install.env("DEBIAN_FRONTEND", "noninteractive"))?;
    if !debian_is_ready() {
        return Err("Debian's packages have no Rust sources in /usr/lib/rustlib/src".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    #[test]
    fn every_package_is_an_example() {
        let examples = examples().expect("the folder is there");
        assert!(examples.contains(&"square".to_owned()), "{examples:?}");
        assert!(!examples.contains(&"target".to_owned()), "{examples:?}");
    }

    #[test]
    fn an_unchanged_file_is_left_alone() {
        let folder = env::temp_dir().join(format!("wpool-xtask-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        fs::create_dir_all(&folder).expect("is writable");
        fs::write(&from, "1").expect("is writable");
        let replaced = [(); 2].map(|()| replace_if_changed(&from, &to).expect("is writable"));
        fs::write(&from, "2").expect("is writable");
        let changed = replace_if_changed(&from, &to).expect("is writable");
        let content = fs::read_to_string(&to).expect("was written");
        fs::remove_dir_all(&folder).expect("is there");
        assert_eq!((replaced, changed, content.as_str()), ([true, false], true, "2"));
    }
}
