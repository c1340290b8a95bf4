//! Follows paths that the user names, and opens files whose bytes are jobs (`--files`).
//!
//! The user names the files, so links are followed, except where a guest may have made them: no
//! path leads out of a folder that guests may write.

use rustix::fs::{
    FileType, Mode, OFlags, PROC_SUPER_MAGIC, ResolveFlags, fstat, fstatfs, open, openat, openat2,
    readlinkat,
};
use rustix::io::Errno;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use wpool::wire::directory::{Directory, identity, line};

/// The most links in one path, as in Linux.
const LINKS_MAX: usize = 40;

/// The flags for a file that is to be read, which never block on any kind of file.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// The flags for one step of a path.
const STEP: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// A follower of paths that are named on the command line or in the input.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    /// The folders that guests may write.
    writable: Vec<Directory>,
}

/// The end of a path.
enum End<'a> {
    /// A file in a folder that guests may write: the folder, and the steps from there, the first
    /// one last.
    Granted(&'a Directory, Vec<OsString>),
    /// A file elsewhere: a folder, the last step, and the flags with which to take it.
    Step(OwnedFd, OsString, OFlags),
    /// A folder.
    Folder(OwnedFd),
}

impl Paths {
    /// Makes a follower of paths for a run whose guests are granted these folders.
    pub(crate) fn beside(granted: &[Directory]) -> Paths {
        Paths { writable: granted.iter().filter(|folder| !folder.read_only).cloned().collect() }
    }

    /// Opens a file of any kind, without waiting for other processes.
    ///
    /// # Errors
    /// Returns the error of `open`, or an error if the path leads out of a folder that guests may
    /// write.
    pub(crate) fn open(&self, path: &[u8]) -> io::Result<File> {
        let path = OsStr::from_bytes(path);
        if self.writable.is_empty() {
            return Ok(File::from(open(path, READ, Mode::empty())?));
        }
        let file = match self.walk(path)? {
            End::Granted(folder, steps) => beneath(folder.descriptor()?, &steps)?,
            End::Step(folder, name, flags) => openat(&folder, &name, flags, Mode::empty())?,
            End::Folder(folder) => folder,
        };
        Ok(File::from(file))
    }

    /// Returns the folder on a path that guests may write, if there is one. The file need not be
    /// there.
    pub(crate) fn granted(&self, path: &Path) -> Option<&Directory> {
        match self.walk(path.as_os_str()) {
            Ok(End::Granted(folder, _)) => Some(folder),
            Ok(End::Step(..) | End::Folder(_)) | Err(_) => None,
        }
    }

    /// Returns a folder in this one that guests may write, if there is one.
    pub(crate) fn granted_in(&self, folder: &Path) -> Option<&Directory> {
        let folder = folder.metadata().map(|folder| (folder.dev(), folder.ino())).ok()?;
        let is_there = |granted: &&Directory| {
            granted.descriptor().is_ok_and(|granted| line(granted).contains(&folder))
        };
        self.writable.iter().find(is_there)
    }

    /// Follows a path step by step, up to a folder that guests may write.
    fn walk(&self, path: &OsStr) -> io::Result<End<'_>> {
        let mut rest = Vec::new();
        // The walk starts at the root, so that it does not miss a folder above this one that guests
        // may write.
        let mut at = match start(path, &mut rest)? {
            Some(root) => root,
            None => start(env::current_dir()?.as_os_str(), &mut rest)?.ok_or(Errno::NOENT)?,
        };
        let mut links = 0;
        while let Some(name) = rest.pop() {
            if let Some(folder) = self.writable_folder(at.as_fd())? {
                rest.push(name);
                return Ok(End::Granted(folder, rest));
            }
            let next = openat(&at, &name, STEP | OFlags::NOFOLLOW, Mode::empty())?;
            match FileType::from_raw_mode(fstat(&next)?.st_mode) {
                FileType::Directory => at = next,
                // A link in /proc is opened by the kernel, because its text need not be a path.
                FileType::Symlink if fstatfs(&next)?.f_type == PROC_SUPER_MAGIC => {
                    if rest.is_empty() {
                        return Ok(End::Step(at, name, READ));
                    }
                    at = openat(&at, &name, STEP, Mode::empty())?;
                }
                FileType::Symlink => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(Errno::LOOP.into());
                    }
                    let target = readlinkat(&next, "", Vec::new())?;
                    at = start(OsStr::from_bytes(target.as_bytes()), &mut rest)?.unwrap_or(at);
                }
                _ if rest.is_empty() => return Ok(End::Step(at, name, READ | OFlags::NOFOLLOW)),
                _ => return Err(Errno::NOTDIR.into()),
            }
        }
        match self.writable_folder(at.as_fd())? {
            Some(folder) => Ok(End::Granted(folder, rest)),
            None => Ok(End::Folder(at)),
        }
    }

    /// Returns the granted folder that `at` is, if guests may write there.
    fn writable_folder(&self, at: BorrowedFd<'_>) -> io::Result<Option<&Directory>> {
        let here = identity(at);
        for folder in &self.writable {
            if identity(folder.descriptor()?) == here {
                return Ok(Some(folder));
            }
        }
        Ok(None)
    }
}

/// Pushes the steps of a path onto the remaining steps, so that the first step is on top. Returns
/// the root if the path begins there.
fn start(path: &OsStr, rest: &mut Vec<OsString>) -> io::Result<Option<OwnedFd>> {
    let steps = path.as_bytes().split(|byte| *byte == b'/').rev();
    let steps = steps.filter(|step| !step.is_empty() && *step != b".");
    rest.extend(steps.map(|step| OsStr::from_bytes(step).to_owned()));
    match path.as_bytes().first() {
        None => Err(Errno::NOENT.into()),
        Some(b'/') => Ok(Some(open("/", STEP, Mode::empty())?)),
        Some(_) => Ok(None),
    }
}

/// Opens the file at the end of the steps from a folder, if all steps stay in the folder.
fn beneath(folder: BorrowedFd<'_>, steps: &[OsString]) -> io::Result<OwnedFd> {
    let steps: Vec<&[u8]> = steps.iter().rev().map(|step| step.as_bytes()).collect();
    let path = steps.join(&b'/');
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    openat2(folder, path, READ, Mode::empty(), resolve).map_err(|error| match error {
        Errno::XDEV => io::Error::other("it leads out of a folder that guests may write"),
        error => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    /// Reads the file at a path, with guests that may write the folder `work`.
    fn read(files: &Paths, path: impl AsRef<Path>) -> Result<String, String> {
        let mut text = String::new();
        let file = files.open(path.as_ref().as_os_str().as_bytes());
        let read = file.and_then(|mut file| file.read_to_string(&mut text));
        read.map(|_| text).map_err(|error| error.to_string())
    }

    #[test]
    fn links_are_followed_unless_they_lead_out_of_a_folder_that_guests_may_write() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("work/deep")).unwrap();
        fs::write(at("secret"), "secret").unwrap();
        fs::write(at("work/file"), "file").unwrap();
        for (target, link) in [
            ("../secret", "work/relative"),
            (at("secret").to_str().unwrap(), "work/absolute"),
            ("/proc/self/root/etc/passwd", "work/magic"),
            ("../file", "work/deep/inside"),
            ("../../secret", "work/deep/outside"),
            ("work", "alias"),
            ("work/relative", "user"),
            ("secret", "plain"),
            ("endless", "endless"),
        ] {
            symlink(target, at(link)).unwrap();
        }
        let granted = |read_only| [Directory::new(at("work"), "/w", read_only)];
        let files = Paths::beside(&granted(false));
        let out = Err("it leads out of a folder that guests may write".to_owned());
        for path in
            ["work/relative", "work/absolute", "work/deep/outside", "user", "work/../secret"]
        {
            assert_eq!(read(&files, at(path)), out, "{path}");
            assert_eq!(read(&files, at(&format!("alias/../{path}"))), out, "{path}");
        }
        assert!(read(&files, at("work/magic")).is_err());
        for (path, text) in [
            ("work/file", "file"),
            ("work//./file", "file"),
            ("work/deep/inside", "file"),
            ("alias/deep/../file", "file"),
            ("plain", "secret"),
            ("secret", "secret"),
        ] {
            assert_eq!(read(&files, at(path)), Ok(text.into()), "{path}");
        }
        for path in ["endless", "nowhere", "secret/x", "work", "work/", "", "/"] {
            let plain = read(&Paths::default(), at(path)).is_err();
            assert!(read(&files, at(path)).is_err() && plain, "{path}");
        }
        // If guests may only read a folder, its links are the user's own.
        let files = Paths::beside(&granted(true));
        assert_eq!(read(&files, at("work/relative")), Ok("secret".into()));
    }

    #[test]
    fn an_open_file_can_be_named_by_its_descriptor() {
        let folder = tempfile::tempdir().unwrap();
        let files = Paths::beside(&[Directory::new(folder.path(), "/w", false)]);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, b"open").unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(file.as_file());
        for path in [format!("/proc/self/fd/{number}"), format!("/dev/fd/{number}")] {
            assert_eq!(read(&files, path), Ok("open".into()));
        }
    }
}
