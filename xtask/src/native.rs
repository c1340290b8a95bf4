//! Builds examples as native libraries: the same source without WebAssembly, for comparison.
//!
//! `target/guests/native/libNAME.so` is made for any CPU of the architecture, as a module is, and
//! does not detect what the CPU can do. `target/guests/native-shipped/libNAME.so` has its
//! dependencies as published: some detect the CPU, and have faster code for many CPUs.

use std::fs;
use std::path::Path;

use crate::Result;
use crate::command::{cargo, run};
use crate::guests::replace_if_changed;

/// The flags that keep `sha2` from detecting the CPU; for other crates a feature of the example
/// decides.
const PLAIN: &str = r#"--cfg sha2_backend="soft""#;

/// Builds the libraries that have changed, with a folder of `kept` for each variant.
pub fn build(kept: &Path, guests: &Path) -> Result {
    let plain = Build { folder: "native", features: &["native"], flags: PLAIN };
    plain.libraries(&["cubes", "kernels", "square"], kept, guests)?;
    let shipped = Build { folder: "native-shipped", features: &["native", "detect"], flags: "" };
    shipped.libraries(&["kernels"], kept, guests)
}

/// A variant of the build.
struct Build {
    folder: &'static str,
    features: &'static [&'static str],
    flags: &'static str,
}

impl Build {
    fn libraries(&self, examples: &[&str], kept: &Path, guests: &Path) -> Result {
        let (kept, guests) = (kept.join(self.folder), guests.join(self.folder));
        fs::create_dir_all(&guests)?;
        let mut cargo =
            cargo(["build", "--release", "--manifest-path", "guest-examples/Cargo.toml"]);
        // The flags replace those that were meant for the host's code.
        cargo.env_remove("CARGO_ENCODED_RUSTFLAGS").env("RUSTFLAGS", self.flags);
        cargo.arg("--target-dir").arg(&kept);
        for example in examples {
            cargo.args(["--package", example]);
            for feature in self.features {
                cargo.arg("--features").arg(format!("{example}/{feature}"));
            }
        }
        run(&mut cargo)?;
        for example in examples {
            let library = format!("lib{example}.so");
            if replace_if_changed(&kept.join("release").join(&library), &guests.join(&library))? {
                println!("target/guests/{}/{library}", self.folder);
            }
        }
        Ok(())
    }
}
