//! The folder of a session in which its workers have their scratch folders.

use crate::pool::error::PoolError;
use crate::wire::scratch::{Scratch, empty, excess, new_name, remove};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open, openat};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How the names of such folders begin.
const NAME: &str = "wpool-scratch-";

/// Least time between two looks at how much there is.
const LOOK: Duration = Duration::from_millis(100);

/// A look may take this part of the time.
const SHARE: u32 = 10;

/// How a folder is opened.
const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The folder, which goes with this.
#[derive(Debug)]
pub(in crate::pool) struct ScratchFolder {
    path: PathBuf,
    /// Locked as long as a process of the session lives, so that others know that it is in use.
    folder: OwnedFd,
    bytes_max: u64,
    next_look: Instant,
}

impl ScratchFolder {
    /// Makes the folder, where temporary files are. Those of sessions that were killed go.
    ///
    /// # Errors
    /// Returns [`PoolError::Grant`]: it cannot be made.
    pub(in crate::pool) fn make(scratch: &Scratch) -> Result<ScratchFolder, PoolError> {
        let place = std::env::temp_dir();
        sweep(&place);
        let wrong = |error: io::Error| {
            PoolError::Grant(format!("cannot make a folder in {}: {error}", place.display()))
        };
        // It has its name once it is locked.
        let name = format!("{NAME}{}", new_name());
        let (new, path) = (place.join(format!(".{name}")), place.join(name));
        let made = || -> io::Result<ScratchFolder> {
            DirBuilder::new().mode(0o700).create(&new)?;
            let folder = open(&new, FOLDER, Mode::empty())?;
            lock(&folder)?;
            fs::rename(&new, &path)?;
            let bytes_max = scratch.bytes_max;
            Ok(ScratchFolder { path: path.clone(), folder, bytes_max, next_look: Instant::now() })
        };
        made().map_err(wrong)
    }

    /// The folder itself.
    pub(in crate::pool) fn descriptor(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// Removes what a worker that has ended has left.
    pub(super) fn remove(&self, pid: i32) {
        // What cannot be removed now is tried again when all go.
        let _ = remove(self.descriptor(), &pid.to_string());
    }

    /// Whether it is time to look how much jobs have there.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.next_look
    }

    /// Returns those of these workers, by slot and process, whose jobs have too much, and what that is.
    pub(super) fn look(&mut self, workers: impl Iterator<Item = (u32, i32)>) -> Vec<(u32, String)> {
        let began = Instant::now();
        let folder = |pid: i32| openat(self.descriptor(), pid.to_string(), FOLDER, Mode::empty());
        let found = workers.filter_map(|(slot, pid)| {
            let what = excess(folder(pid).ok()?.as_fd(), self.bytes_max)?;
            Some((slot, what))
        });
        let found = found.collect();
        self.next_look = Instant::now() + LOOK.max(began.elapsed() * SHARE);
        found
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // Another session's sweep takes what is left.
        let _ = empty(self.descriptor());
        let _ = fs::remove_dir(&self.path);
    }
}

fn lock(folder: &OwnedFd) -> rustix::io::Result<()> {
    flock(folder, FlockOperation::NonBlockingLockExclusive)
}

/// Removes the folders of sessions whose processes are all gone.
fn sweep(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let is_one = entry.file_name().to_string_lossy().starts_with(NAME);
        if is_one
            && let Ok(folder) = open(entry.path(), FOLDER, Mode::empty())
            && lock(&folder).is_ok()
        {
            // Somebody else's stays.
            let _ = empty(folder.as_fd());
            let _ = fs::remove_dir(entry.path());
        }
    }
}
