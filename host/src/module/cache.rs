//! The cache of compiled modules: a directory of the user's, so that a module is compiled once.
//!
//! An entry is `KEY.cwasm` and `KEY.json`. Both are written under another name, synced and then
//! renamed, the description last: an entry without its description, or whose code is not as long
//! as the description says, does not exist. A file that has its final name is never changed in
//! place, because workers have it mapped.
//!
//! **Invariant:** whoever can write here decides what workers execute, so a directory that anybody
//! but the user could write is not used.

use super::description::Description;
use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Most bytes of all entries: 1 GiB. Above it the entries that were unused longest are removed.
const CACHE_BYTES_MAX: u64 = 1 << 30;

/// Most bytes of a description; it is read before the module is known.
const DESCRIPTION_BYTES_MAX: u64 = 16 << 20;

/// Bytes copied at a time.
const COPY_BYTES: usize = 1 << 20;

/// A directory of compiled modules.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
    bytes_max: u64,
}

/// What `KEY.json` holds.
#[derive(Serialize, Deserialize)]
struct Entry {
    cwasm_bytes: u64,
    description: Description,
}

impl Cache {
    /// The user's cache: `$XDG_CACHE_HOME/wpool`, else `~/.cache/wpool`. `None` where there is
    /// none that is safe to use.
    pub(crate) fn open() -> Option<Cache> {
        let variable = |name| std::env::var_os(name).map(PathBuf::from);
        let base = variable("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| Some(variable("HOME").filter(|path| path.is_absolute())?.join(".cache")))?;
        Cache::open_at(&base.join("wpool"), CACHE_BYTES_MAX)
    }

    fn open_at(directory: &Path, bytes_max: u64) -> Option<Cache> {
        // A directory that is already there is no error; whether it is a good one is asked next.
        let _ = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        let metadata = fs::symlink_metadata(directory).ok()?;
        let private = metadata.is_dir()
            && metadata.uid() == geteuid().as_raw()
            && metadata.mode() & 0o022 == 0;
        private.then(|| Cache { directory: directory.to_owned(), bytes_max })
    }

    /// The name of a module's entry: the digest of its bytes, and all that decides what they compile to.
    pub(crate) fn key(module: &blake3::Hash, compatibility: u64) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
        hasher.update(&compatibility.to_le_bytes());
        hasher.update(module.as_bytes());
        hasher.finalize().to_hex().to_string()
    }

    /// The compiled module under this key, if it is there and whole.
    pub(crate) fn get(&self, key: &str) -> Option<(File, Description)> {
        let mut json = Vec::new();
        let description = open_own(&self.file(key, "json"))?;
        description.take(DESCRIPTION_BYTES_MAX).read_to_end(&mut json).ok()?;
        let entry: Entry = serde_json::from_slice(&json).ok()?;
        let cwasm = open_own(&self.file(key, "cwasm"))?;
        let metadata = cwasm.metadata().ok()?;
        (metadata.len() == entry.cwasm_bytes).then(|| {
            // The time of last use decides which entries are removed; failing to note it is no harm.
            let _ = cwasm.set_modified(SystemTime::now());
            (cwasm, entry.description)
        })
    }

    /// Stores a compiled module and removes those that were unused longest, if there are too many
    /// bytes. The file is read from its beginning; where it stands is left alone.
    ///
    /// # Errors
    /// The entry cannot be written. The cache is as good as before.
    pub(crate) fn put(&self, key: &str, cwasm: &File, description: &Description) -> io::Result<()> {
        let cwasm_bytes = cwasm.metadata()?.len();
        let entry = Entry { cwasm_bytes, description: description.clone() };
        self.make_room(cwasm_bytes);
        self.write(&self.file(key, "cwasm"), |file| copy(cwasm, file))?;
        let json = serde_json::to_vec(&entry)?;
        self.write(&self.file(key, "json"), |file| file.write_all(&json))
    }

    /// Where the compiled module under this key is, or would be.
    pub(crate) fn code_path(&self, key: &str) -> PathBuf {
        self.file(key, "cwasm")
    }

    fn file(&self, key: &str, extension: &str) -> PathBuf {
        self.directory.join(format!("{key}.{extension}"))
    }

    /// Writes a file under another name, and gives it its own when it is on the disk.
    fn write(
        &self,
        path: &Path,
        content: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        let stamp = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        let temporary = self.directory.join(format!("{}.{stamp}.new", std::process::id()));
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        let written = content(&mut file)
            .and_then(|()| file.sync_data())
            .and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// Removes the entries that were unused longest until `bytes` more fit.
    ///
    /// Two processes may do this at once: a file that is already gone is none to worry about, and a
    /// mapped one stays with those that have it.
    fn make_room(&self, bytes: u64) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let metadata = entry.metadata().ok()?;
                Some((metadata.modified().ok()?, metadata.len(), entry.path()))
            })
            .collect();
        files.sort();
        let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in files {
            if total.saturating_add(bytes) <= self.bytes_max {
                break;
            }
            // A description alone is small, and found to be no entry as soon as it is asked for.
            let _ = fs::remove_file(path.with_extension("json"));
            let _ = fs::remove_file(&path);
            total = total.saturating_sub(length);
        }
    }
}

/// Opens a regular file that this user owns and that the path names itself.
fn open_own(path: &Path) -> Option<File> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    let metadata = file.metadata().ok()?;
    (metadata.is_file() && metadata.uid() == geteuid().as_raw()).then_some(file)
}

/// Copies a file from its beginning without moving its position, which other processes may share.
fn copy(from: &File, to: &mut File) -> io::Result<()> {
    let mut buffer = vec![0; COPY_BYTES];
    let mut offset = 0;
    loop {
        let read = from.read_at(&mut buffer, offset)?;
        if read == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..read])?;
        offset += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::description::{Kind, Parts};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::Duration;

    fn description() -> Description {
        let (tasks, imports, proposals) = (vec![], vec![], vec![]);
        Description {
            kind: Kind::Tasks,
            component: false,
            tasks,
            imports,
            proposals,
            memory_pages: None,
            parts: Parts::default(),
            bytes: 8,
            wit: None,
        }
    }

    fn code(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn read(mut file: File) -> Vec<u8> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_was_put_is_found_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open_at(&directory.path().join("deep/wpool"), 1 << 20).unwrap();
        let key = Cache::key(&blake3::hash(b"module"), 1);
        assert!(cache.get(&key).is_none());
        cache.put(&key, &code(b"code"), &description()).unwrap();
        let (file, found) = cache.get(&key).unwrap();
        assert_eq!((read(file), found), (b"code".to_vec(), description()));
        assert_eq!(fs::read(cache.code_path(&key)).unwrap(), b"code");
        let key_of = |module: &[u8], hash| Cache::key(&blake3::hash(module), hash);
        for other in [key_of(b"module", 2), key_of(b"other", 1)] {
            assert!(cache.get(&other).is_none());
        }
        assert_eq!(fs::read_dir(&cache.directory).unwrap().count(), 2);
    }

    #[test]
    fn a_torn_entry_does_not_exist_and_can_be_rewritten() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open_at(directory.path(), 1 << 20).unwrap();
        let tear: [fn(&Cache); 4] = [
            |cache| fs::remove_file(cache.file("k", "json")).unwrap(),
            |cache| fs::remove_file(cache.file("k", "cwasm")).unwrap(),
            |cache| fs::write(cache.file("k", "cwasm"), b"co").unwrap(),
            |cache| fs::write(cache.file("k", "json"), b"{").unwrap(),
        ];
        for tear in tear {
            cache.put("k", &code(b"code"), &description()).unwrap();
            assert!(cache.get("k").is_some());
            tear(&cache);
            assert!(cache.get("k").is_none());
        }
    }

    #[test]
    fn an_entry_in_use_is_replaced_and_not_changed() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open_at(directory.path(), 1 << 20).unwrap();
        cache.put("k", &code(b"old"), &description()).unwrap();
        let (old, _) = cache.get("k").unwrap();
        cache.put("k", &code(b"newer"), &description()).unwrap();
        assert_eq!(read(old), b"old");
        assert_eq!(read(cache.get("k").unwrap().0), b"newer");
    }

    #[test]
    fn a_directory_that_others_could_write_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let shared = directory.path().join("shared");
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o770)).unwrap();
        assert!(Cache::open_at(&shared, 1).is_none());
        let link = directory.path().join("link");
        symlink(directory.path(), &link).unwrap();
        assert!(Cache::open_at(&link, 1).is_none());
        let file = directory.path().join("file");
        fs::write(&file, b"").unwrap();
        assert!(Cache::open_at(&file, 1).is_none());
    }

    #[test]
    fn the_entry_that_was_unused_longest_makes_room() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open_at(directory.path(), 10_000).unwrap();
        for (key, age) in [("old", 300), ("used", 200), ("new", 100)] {
            cache.put(key, &code(&[0; 3000]), &description()).unwrap();
            let then = SystemTime::now() - Duration::from_secs(age);
            for extension in ["cwasm", "json"] {
                File::open(cache.file(key, extension)).unwrap().set_modified(then).unwrap();
            }
        }
        cache.put("next", &code(&[0; 3000]), &description()).unwrap();
        assert!(cache.get("old").is_none());
        for key in ["used", "new", "next"] {
            assert!(cache.get(key).is_some(), "{key}");
        }
    }
}
