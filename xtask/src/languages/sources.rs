//! The sources of an example, and the copy that the example is built from.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::{Result, root};

/// The folders into which tools write; they are never sources.
const LEFT_BY_TOOLS: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// The files of an example, and the folder that is kept from build to build.
pub struct Sources {
    /// The name of the example.
    name: &'static str,
    /// The bytes of the files, by their paths from the root.
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// The folder that is kept from build to build.
    kept: PathBuf,
}

impl Sources {
    /// Reads the given files, and all files of the given folders.
    pub fn read(name: &'static str, paths: &[&str], kept: &Path) -> Result<Sources> {
        let mut files = BTreeMap::new();
        for path in paths {
            read_all(Path::new(path), &mut files)?;
        }
        Ok(Sources { name, files, kept: kept.to_owned() })
    }

    /// Returns a hash that changes with any file and with the recipe.
    pub fn fingerprint(&self, recipe: &str) -> String {
        let mut hasher = DefaultHasher::new();
        (&self.files, recipe).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Makes the copy anew.
    pub fn copy(&self) -> Result {
        let copy = self.root();
        if copy.exists() {
            fs::remove_dir_all(&copy)?;
        }
        for (path, bytes) in &self.files {
            let path = copy.join(path);
            fs::create_dir_all(path.parent().expect("it lies in the copy"))?;
            fs::write(&path, bytes)?;
        }
        fs::create_dir_all(self.folder().join("target"))?;
        fs::create_dir_all(self.tools())?;
        Ok(())
    }

    /// Returns the name of the example.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Returns the root of the copy, in which files lie as in the repository.
    pub fn root(&self) -> PathBuf {
        self.kept.join("sources")
    }

    /// Returns the copy of the example's own folder.
    pub fn folder(&self) -> PathBuf {
        self.root().join("guest-examples").join(self.name)
    }

    /// Returns a folder for tools, which is kept from build to build.
    pub fn tools(&self) -> PathBuf {
        self.kept.join("tools")
    }
}

/// Reads a file, or all files of a folder, named as seen from the root.
fn read_all(path: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result {
    let here = root().join(path);
    if !here.is_dir() {
        let bytes = fs::read(&here).map_err(|error| format!("{}: {error}", path.display()))?;
        files.insert(path.to_owned(), bytes);
        return Ok(());
    }
    for entry in fs::read_dir(&here)? {
        let name = entry?.file_name();
        if !LEFT_BY_TOOLS.iter().any(|left| name == *left) {
            read_all(&path.join(name), files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    fn sources(paths: &[&str]) -> Sources {
        let kept = env::temp_dir().join(format!("wpool-xtask-sources-{}", std::process::id()));
        Sources::read("c", paths, &kept).expect("they are there")
    }

    #[test]
    fn a_fingerprint_changes_with_the_files_and_with_the_recipe() {
        let all = sources(&["guest-examples/c", "guest/c"]);
        let again = sources(&["guest/c", "guest-examples/c"]);
        assert_eq!(all.fingerprint("build"), again.fingerprint("build"));
        assert_ne!(all.fingerprint("build"), all.fingerprint("build otherwise"));
        let fewer = sources(&["guest-examples/c"]);
        assert_ne!(all.fingerprint("build"), fewer.fingerprint("build"));
    }

    #[test]
    fn the_copy_holds_the_sources_and_nothing_of_the_copy_before() {
        let sources = sources(&["guest-examples/c", "guest/c/wpool.h"]);
        fs::create_dir_all(sources.folder()).expect("is writable");
        let old = sources.folder().join("old.c");
        fs::write(&old, "").expect("is writable");
        sources.copy().expect("is writable");
        let here = ["guest/c/wpool.h", "guest-examples/c/tasks.c"];
        let there = here.map(|path| sources.root().join(path).exists());
        let old = old.exists();
        fs::remove_dir_all(&sources.kept).expect("is there");
        assert_eq!((there, old), ([true, true], false));
    }

    #[test]
    fn a_source_that_is_missing_is_named() {
        let error = Sources::read("c", &["guest-examples/no"], Path::new("")).err();
        let error = error.expect("there is no such file").to_string();
        assert!(error.starts_with("guest-examples/no: "), "{error}");
    }
}
