//! Links the program with packed relocations (RELR). Each run starts the program twice, and each
//! start spends a fifth of a millisecond on 40 000 relocations of the usual form. A linker that
//! does not know the option prints a warning and goes on.
//!
//! The script also tells the program which wasmtime it is built with (`WASMTIME_VERSION`), from the
//! lock file.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo says where the package is");
    let mut locks = Path::new(&folder).ancestors().map(|folder| folder.join("Cargo.lock"));
    let lock = locks.find(|lock| lock.exists()).expect("there is a lock file");
    println!("cargo::rerun-if-changed={}", lock.display());
    let locked = std::fs::read_to_string(lock).expect("the lock file can be read");
    let version = version(&locked, "wasmtime").expect("wasmtime is locked");
    println!("cargo::rustc-env=WASMTIME_VERSION={version}");
}

/// Returns the version of a package in a lock file.
fn version<'a>(locked: &'a str, name: &str) -> Option<&'a str> {
    let (_, package) = locked.split_once(&format!("\nname = \"{name}\"\nversion = \""))?;
    package.split('"').next()
}
