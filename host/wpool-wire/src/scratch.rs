//! Scratch folders: empty folders that jobs may write. A session has a folder in which each of its
//! workers has one, which is emptied after each job.
//!
//! Guests write there. Therefore no link is followed, and nothing here recurses: guests may nest
//! folders as they like.

use rustix::fs::{
    AtFlags, Dir, DirEntry, FileType, Mode, OFlags, mkdirat, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The greatest number of files and folders that a job may have.
const ENTRIES_MAX: u64 = 100_000;

/// The greatest depth of nested folders.
const DEPTH_MAX: usize = 100;

/// The flags with which a folder is opened.
const OPEN: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A folder that each job finds empty, and may write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scratch {
    /// The path that guests see.
    pub guest: String,
    /// The greatest number of bytes that a job may have there.
    pub bytes_max: u64,
}

/// Returns a name that nobody can guess.
pub fn new_name() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// Makes an empty folder in another one. Files that another process has left there are removed.
///
/// # Errors
/// Returns the error of `mkdir` or `open`, or of a removal.
pub fn make(base: BorrowedFd<'_>, name: &str) -> rustix::io::Result<OwnedFd> {
    let made = mkdirat(base, name, Mode::RWXU);
    let folder = openat(base, name, OPEN, Mode::empty())?;
    match made {
        Err(Errno::EXIST) => empty(folder.as_fd())?,
        made => made?,
    }
    Ok(folder)
}

/// Removes a folder with its contents, if it exists.
///
/// # Errors
/// Returns the error of a removal.
pub fn remove(base: BorrowedFd<'_>, name: &str) -> rustix::io::Result<()> {
    match openat(base, name, OPEN, Mode::empty()) {
        Ok(folder) => empty(folder.as_fd())?,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error),
    }
    unlinkat(base, name, AtFlags::REMOVEDIR)
}

/// Removes the contents of a folder.
///
/// # Errors
/// Returns the error of a removal.
pub fn empty(folder: BorrowedFd<'_>) -> rustix::io::Result<()> {
    loop {
        let mut folders = false;
        for entry in entries(folder)? {
            let entry = entry?;
            match unlinkat(folder, entry.file_name(), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(Errno::ISDIR) => {
                    folders = true;
                    dissolve(folder, &entry)?;
                }
                Err(error) => return Err(error),
            }
        }
        if !folders {
            return Ok(());
        }
    }
}

/// Removes a folder from another one, into which its own folders are moved.
fn dissolve(folder: BorrowedFd<'_>, entry: &DirEntry) -> rustix::io::Result<()> {
    let inner = openat(folder, entry.file_name(), OPEN, Mode::empty())?;
    for entry in entries(inner.as_fd())? {
        let entry = entry?;
        match unlinkat(&inner, entry.file_name(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::ISDIR) => {
                renameat(&inner, entry.file_name(), folder, new_name())?;
            }
            Err(error) => return Err(error),
        }
    }
    match unlinkat(folder, entry.file_name(), AtFlags::REMOVEDIR) {
        // Entries that were skipped are removed the next time.
        Err(Errno::NOTEMPTY) => Ok(()),
        removed => removed,
    }
}

/// The limit of a scratch folder that a job has exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// The largest number of bytes.
    Bytes(u64),
    /// The largest number of files and folders.
    Files(u64),
    /// The largest number of folders in each other.
    Depth(usize),
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Excess::Bytes(bytes) => write!(f, "{bytes} bytes"),
            Excess::Files(files) => write!(f, "{files} files"),
            Excess::Depth(folders) => write!(f, "{folders} folders in each other"),
        }
    }
}

/// Returns the limit that a folder exceeds, if it exceeds one.
pub fn excess(folder: BorrowedFd<'_>, bytes_max: u64) -> Option<Excess> {
    let (mut bytes, mut count) = (0, 0);
    let mut open = vec![Dir::read_from(folder).ok()?];
    while let Some(dir) = open.last_mut() {
        // Entries that are removed meanwhile are not counted.
        let Some(Ok(entry)) = dir.next() else {
            open.pop();
            continue;
        };
        let (Ok(at), false) = (dir.fd(), is_dots(&entry)) else { continue };
        let name = entry.file_name();
        let Ok(stat) = statat(at, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        bytes += stat.st_blocks as u64 * 512;
        count += 1;
        if bytes > bytes_max {
            return Some(Excess::Bytes(bytes_max));
        }
        if count > ENTRIES_MAX {
            return Some(Excess::Files(ENTRIES_MAX));
        }
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory
            && let Ok(inner) = openat(at, name, OPEN, Mode::empty())
            && let Ok(inner) = Dir::new(inner)
        {
            open.push(inner);
            if open.len() > DEPTH_MAX {
                return Some(Excess::Depth(DEPTH_MAX));
            }
        }
    }
    None
}

fn entries(
    folder: BorrowedFd<'_>,
) -> rustix::io::Result<impl Iterator<Item = rustix::io::Result<DirEntry>>> {
    let entries = Dir::read_from(folder)?;
    Ok(entries.filter(|entry| !entry.as_ref().is_ok_and(is_dots)))
}

fn is_dots(entry: &DirEntry) -> bool {
    [&b"."[..], b".."].contains(&entry.file_name().to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn open(path: &std::path::Path) -> OwnedFd {
        rustix::fs::open(path, OPEN, Mode::empty()).unwrap()
    }

    #[test]
    fn whatever_guests_have_made_is_removed_and_nothing_behind_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("kept")).unwrap();
        fs::write(at("kept/file"), "kept").unwrap();
        let base = open(folder.path());
        let scratch = make(base.as_fd(), "1").unwrap();
        symlink(at("kept"), at("1/link")).unwrap();
        for n in 0..300 {
            fs::write(at(&format!("1/{n}")), "x").unwrap();
            fs::create_dir_all(at(&format!("1/d{n}/a/b"))).unwrap();
            fs::write(at(&format!("1/d{n}/a/file")), "x").unwrap();
        }
        // The folders are deeper than a path can be long, or a process can have files open.
        let mut deep = make(scratch.as_fd(), "deep").unwrap();
        for _ in 0..3000 {
            deep = make(deep.as_fd(), "deep").unwrap();
        }
        empty(scratch.as_fd()).unwrap();
        assert_eq!(fs::read_dir(at("1")).unwrap().count(), 0);
        assert_eq!(fs::read_to_string(at("kept/file")).unwrap(), "kept");
        fs::write(at("1/file"), "x").unwrap();
        remove(base.as_fd(), "1").unwrap();
        remove(base.as_fd(), "1").unwrap();
        assert!(!at("1").exists());
    }

    #[test]
    fn too_many_bytes_files_and_folders_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let base = open(folder.path());
        assert_eq!(excess(base.as_fd(), 0), None);
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/file"), vec![b'x'; 300 << 10]).unwrap();
        assert_eq!(excess(base.as_fd(), 1 << 20), None);
        assert_eq!(excess(base.as_fd(), 200 << 10), Some(Excess::Bytes(200 << 10)));
        let mut deep = make(base.as_fd(), "deep").unwrap();
        for _ in 0..DEPTH_MAX {
            deep = make(deep.as_fd(), "deep").unwrap();
        }
        assert_eq!(excess(base.as_fd(), 1 << 30), Some(Excess::Depth(DEPTH_MAX)));
    }
}
