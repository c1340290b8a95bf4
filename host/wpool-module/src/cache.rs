//! The cache of compiled modules: a directory of the user's, so that a module is compiled only
//! once.
//!
//! An entry is `KEY.cwasm` and `KEY.json`. Both are written under another name, synced and then
//! renamed, the description last. The description begins with a seal: a keyed digest of the
//! description and of the machine code. An entry whose seal is wrong (torn, damaged, or written
//! without the key) does not exist. A file that has its final name is never changed in place,
//! because workers have it mapped.
//!
//! **Invariant:** a process that can write machine code decides what workers execute. Therefore a
//! directory that others could write to is not used, and the key of the seals lies elsewhere
//! (`seal`).

use super::description::{DESCRIPTION_BYTES_MAX, Description};
use super::seal::{SEAL_BYTES, Sealer};
use nix::unistd::geteuid;
use rustix::fs::{FlockOperation, flock};
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The largest size of all entries together: 1 GiB. Above this size, the entries that were unused
/// longest are removed.
const CACHE_BYTES_MAX: u64 = 1 << 30;

/// The version of the description's format. The number changes when descriptions say something
/// else.
const FORMAT: u32 = 2;

/// The number of bytes copied at a time.
const COPY_BYTES: usize = 1 << 20;

/// The extension of files that are not completely written yet.
const UNFINISHED: &str = "new";

/// A directory of compiled modules.
#[derive(Debug)]
pub struct Cache {
    directory: PathBuf,
    sealer: Sealer,
    bytes_max: u64,
}

impl Cache {
    /// Opens the user's cache: `$XDG_CACHE_HOME/wpool`, or else `~/.cache/wpool`. Returns `None` if
    /// there is none that is safe to use.
    pub fn open() -> Option<Cache> {
        let directory = Cache::folder()?;
        let state = Cache::key_folder()?;
        Cache::open_at(&directory, &state, CACHE_BYTES_MAX)
    }

    /// Returns the path of the user's cache, whether or not the cache exists.
    pub fn folder() -> Option<PathBuf> {
        user_directory("XDG_CACHE_HOME", ".cache")
    }

    /// Returns the path of the folder of the key that seals the entries, whether or not the folder
    /// exists.
    pub fn key_folder() -> Option<PathBuf> {
        user_directory("XDG_STATE_HOME", ".local/state")
    }

    fn open_at(directory: &Path, state: &Path, bytes_max: u64) -> Option<Cache> {
        private_directory(directory).then_some(())?;
        let sealer = private_directory(state).then(|| Sealer::open(state))?.ok()?;
        Some(Cache { directory: directory.to_owned(), sealer, bytes_max })
    }

    /// Returns the key of a module's entry, made from the digest of its bytes and from everything
    /// else that decides what they compile to.
    pub fn key(module: &blake3::Hash, compatibility: u64) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
        hasher.update(&FORMAT.to_le_bytes());
        hasher.update(&compatibility.to_le_bytes());
        hasher.update(module.as_bytes());
        hasher.finalize().to_hex().to_string()
    }

    /// Returns the compiled module under this key, if it is there and whole.
    pub fn get(&self, key: &str) -> Option<(File, Description)> {
        let mut entry = Vec::new();
        let description = open_own(&self.file(key, "json"))?;
        (&description)
            .take((SEAL_BYTES + DESCRIPTION_BYTES_MAX) as u64)
            .read_to_end(&mut entry)
            .ok()?;
        let (seal, json) = entry.split_first_chunk::<SEAL_BYTES>()?;
        let cwasm = open_own(&self.file(key, "cwasm"))?;
        (self.sealer.seal(key, json, &cwasm).ok()? == *seal).then_some(())?;
        // The time of last use decides which entries are removed. Failing to record it does no
        // harm.
        let _ = cwasm.set_modified(SystemTime::now());
        Some((cwasm, serde_json::from_slice(json).ok()?))
    }

    /// Stores a compiled module, and removes the modules that were unused longest if there are too
    /// many bytes. The file is read from its beginning; its position is left alone.
    ///
    /// # Errors
    /// Returns an error if the entry cannot be written. The cache is then as good as before.
    pub fn put(&self, key: &str, cwasm: &File, description: &Description) -> io::Result<()> {
        let json = serde_json::to_vec(description)?;
        let seal = self.sealer.seal(key, &json, cwasm)?;
        self.make_room(cwasm.metadata()?.len());
        self.write(&self.file(key, "cwasm"), |file| copy(cwasm, file))?;
        self.write(&self.file(key, "json"), |file| {
            file.write_all(&seal)?;
            file.write_all(&json)
        })
    }

    /// Returns the path of the machine code under this key, whether or not the file exists.
    pub fn code_path(&self, key: &str) -> PathBuf {
        self.file(key, "cwasm")
    }

    fn file(&self, key: &str, extension: &str) -> PathBuf {
        self.directory.join(format!("{key}.{extension}"))
    }

    /// Writes a file under a temporary name, and renames it once it is on the disk.
    fn write(
        &self,
        path: &Path,
        content: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        let stamp = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        let name = format!("{}.{stamp}.{UNFINISHED}", std::process::id());
        let temporary = self.directory.join(name);
        // The mode keeps guests from writing to the file, whatever they are granted, because they
        // cannot change modes.
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o400).open(&temporary)?;
        let written = claim(&file)
            .and_then(|()| content(&mut file))
            .and_then(|()| file.sync_data())
            .and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// Removes unfinished files, and removes the entries that were unused longest until `bytes`
    /// more bytes fit.
    ///
    /// Two processes may do this at the same time. A file that is already gone is no error, and a
    /// mapped file stays with the processes that have mapped it.
    fn make_room(&self, bytes: u64) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let (path, metadata) = (entry.path(), entry.metadata().ok()?);
                if is_abandoned(&path) {
                    let _ = fs::remove_file(&path);
                    return None;
                }
                Some((metadata.modified().ok()?, metadata.len(), path))
            })
            .collect();
        files.sort();
        let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in files {
            if total.saturating_add(bytes) <= self.bytes_max {
                break;
            }
            // A description without machine code is small, and is recognised as no entry when it is
            // requested.
            let _ = fs::remove_file(path.with_extension("json"));
            let _ = fs::remove_file(&path);
            total = total.saturating_sub(length);
        }
    }
}

/// Returns the directory `wpool` in the directory that a variable names, or else in `in_home` in
/// the user's home.
fn user_directory(named_by: &str, in_home: &str) -> Option<PathBuf> {
    let variable = |name| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let base = variable(named_by).or_else(|| Some(variable("HOME")?.join(in_home)))?;
    Some(base.join("wpool"))
}

/// Makes a directory if there is none, and returns whether only the user can write to it.
fn private_directory(directory: &Path) -> bool {
    // A directory that already exists is no error; its owner and mode are checked next.
    let _ = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    fs::symlink_metadata(directory).is_ok_and(|metadata| {
        metadata.is_dir() && metadata.uid() == geteuid().as_raw() && metadata.mode() & 0o022 == 0
    })
}

/// Opens a regular file that this user owns. The path must not be a link.
pub(super) fn open_own(path: &Path) -> Option<File> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    let metadata = file.metadata().ok()?;
    (metadata.is_file() && metadata.uid() == geteuid().as_raw()).then_some(file)
}

/// Returns whether a file is unfinished and no process is still writing it.
fn is_abandoned(path: &Path) -> bool {
    path.extension() == Some(OsStr::new(UNFINISHED))
        && open_own(path).is_some_and(|file| claim(&file).is_ok())
}

/// Locks a file for as long as it is open.
fn claim(file: &File) -> io::Result<()> {
    Ok(flock(file, FlockOperation::NonBlockingLockExclusive)?)
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
            missing: vec![],
            toolchain: None,
            hidden: vec![],
            inlined: false,
            wit: None,
        }
    }

    /// Returns a cache in a folder that also holds the key.
    fn cache(directory: &tempfile::TempDir, bytes_max: u64) -> Option<Cache> {
        let path = directory.path();
        Cache::open_at(&path.join("cache"), &path.join("state"), bytes_max)
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
        let cache = cache(&directory, 1 << 20).unwrap();
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
        let cache = cache(&directory, 1 << 20).unwrap();
        let replace = |cache: &Cache, extension, bytes: &[u8]| {
            fs::remove_file(cache.file("k", extension)).unwrap();
            fs::write(cache.file("k", extension), bytes).unwrap();
        };
        let other = |cache: &Cache, extension| {
            cache.put("other", &code(b"else"), &description()).unwrap();
            fs::rename(cache.file("other", extension), cache.file("k", extension)).unwrap();
        };
        let tear: [&dyn Fn(&Cache); 7] = [
            &|cache| fs::remove_file(cache.file("k", "json")).unwrap(),
            &|cache| fs::remove_file(cache.file("k", "cwasm")).unwrap(),
            &|cache| replace(cache, "cwasm", b"co"),
            &|cache| replace(cache, "cwasm", b"cods"),
            &|cache| replace(cache, "json", b"{"),
            &|cache| other(cache, "cwasm"),
            &|cache| other(cache, "json"),
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
        let cache = cache(&directory, 1 << 20).unwrap();
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
        let state = directory.path().join("state");
        assert!(Cache::open_at(&shared, &state, 1).is_none());
        assert!(Cache::open_at(&state, &shared, 1).is_none());
        let link = directory.path().join("link");
        symlink(directory.path(), &link).unwrap();
        assert!(Cache::open_at(&link, &state, 1).is_none());
        let file = directory.path().join("file");
        fs::write(&file, b"").unwrap();
        assert!(Cache::open_at(&file, &state, 1).is_none());
    }

    #[test]
    fn the_entry_that_was_unused_longest_makes_room() {
        let directory = tempfile::tempdir().unwrap();
        let cache = cache(&directory, 10_000).unwrap();
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

    #[test]
    fn an_entry_that_was_sealed_with_another_key_does_not_exist() {
        let directory = tempfile::tempdir().unwrap();
        let cache = cache(&directory, 1 << 20).unwrap();
        cache.put("k", &code(b"code"), &description()).unwrap();
        fs::remove_dir_all(directory.path().join("state")).unwrap();
        assert!(self::cache(&directory, 1 << 20).unwrap().get("k").is_none());
    }

    #[test]
    fn what_a_killed_process_left_unfinished_is_removed_and_what_others_write_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let cache = cache(&directory, 1 << 20).unwrap();
        let (left, held) = (cache.directory.join("1.2.new"), cache.directory.join("3.4.new"));
        fs::write(&left, b"half").unwrap();
        let writer = File::create(&held).unwrap();
        claim(&writer).unwrap();
        cache.put("k", &code(b"code"), &description()).unwrap();
        assert_eq!((left.exists(), held.exists()), (false, true));
    }
}
