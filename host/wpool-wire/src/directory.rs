//! Folders of the host that guests may use, and the descriptors that stand for them.

use rustix::fs::{Mode, OFlags, fstat, open, openat};
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The greatest number of folders that one session grants: their descriptors travel beside one
/// message, which takes 253.
pub const DIRECTORIES_MAX: usize = 200;

/// A folder of the host that guests may use.
///
/// The folder is opened once, and its clones share the descriptor: the granted folder stays the
/// same, whatever its name leads to later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// The path on the host.
    pub host: PathBuf,
    /// The path that guests see.
    pub guest: String,
    /// True if guests may only read the folder.
    pub read_only: bool,
    #[serde(skip)]
    opened: Opened,
}

/// A descriptor that all clones share, once there is one.
#[derive(Clone, Debug, Default)]
struct Opened(Arc<OnceLock<OwnedFd>>);

impl PartialEq for Opened {
    fn eq(&self, other: &Opened) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Opened {}

impl Directory {
    /// Makes a folder that is not opened before its descriptor is asked for.
    pub fn new(host: impl AsRef<Path>, guest: impl Into<String>, read_only: bool) -> Directory {
        let host = host.as_ref().to_owned();
        Directory { host, guest: guest.into(), read_only, opened: Opened::default() }
    }

    /// Returns the descriptor of the folder.
    ///
    /// # Errors
    /// Returns the error of `open` if the path does not exist, is no folder, or may not be read.
    pub fn descriptor(&self) -> io::Result<BorrowedFd<'_>> {
        if self.opened.0.get().is_none() {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            // If another thread has opened it meanwhile, that descriptor stays.
            let _ = self.opened.0.set(open(&self.host, flags, Mode::empty())?);
        }
        Ok(self.opened.0.get().expect("it has just been opened").as_fd())
    }
}

/// The flags with which a folder is opened only to identify it.
pub const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The device and inode of a folder.
pub type Identity = (u64, u64);

/// Returns the identity of a folder.
pub fn identity(folder: BorrowedFd<'_>) -> Option<Identity> {
    fstat(folder).ok().map(|stat| (stat.st_dev, stat.st_ino))
}

/// Returns the identities of a folder and of all folders above it.
pub fn line(folder: BorrowedFd<'_>) -> Vec<Identity> {
    let mut line: Vec<Identity> = identity(folder).into_iter().collect();
    let above = |at: BorrowedFd<'_>| openat(at, "..", FOLDER, Mode::empty()).ok();
    let mut next: Option<OwnedFd> = above(folder);
    while let Some(folder) = next {
        match identity(folder.as_fd()) {
            // The root directory is its own parent.
            Some(identity) if line.last() != Some(&identity) => line.push(identity),
            _ => break,
        }
        next = above(folder.as_fd());
    }
    line
}
