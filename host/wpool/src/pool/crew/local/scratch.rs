//! The folder of a session in which its workers have their scratch folders.

use crate::pool::error::PoolError;
use crate::wire::scratch::{Excess, Scratch, empty, excess, new_name, remove};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open, openat};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The prefix of the names of such folders.
const NAME: &str = "wpool-scratch-";

/// The shortest time between two looks at how much the folders hold.
const LOOK: Duration = Duration::from_millis(100);

/// The factor by which the pause after a look exceeds the time that the look took.
const SHARE: u32 = 10;

/// The flags with which a folder is opened.
const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The folder of a session, which is removed when this value is dropped.
#[derive(Debug)]
pub(in crate::pool) struct ScratchFolder {
    path: PathBuf,
    /// The descriptor of the folder, locked as long as a process of the session lives, so that
    /// others know that the folder is in use.
    folder: OwnedFd,
    bytes_max: u64,
    next_look: Instant,
}

impl ScratchFolder {
    /// Makes the folder in the place for temporary files, and removes the folders of sessions that
    /// were killed.
    ///
    /// # Errors
    /// Returns [`PoolError::Grant`] if the folder cannot be made.
    pub(in crate::pool) fn make(scratch: &Scratch) -> Result<ScratchFolder, PoolError> {
        let place = std::env::temp_dir();
        sweep(&place);
        let wrong = |error: io::Error| {
            PoolError::Grant(format!("cannot make a folder in {}: {error}", place.display()))
        };
        // The folder gets its name only once it is locked.
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

    /// Returns the descriptor of the folder.
    pub(in crate::pool) fn descriptor(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// Removes what a worker that has ended left behind.
    pub(super) fn remove(&self, pid: i32) {
        // The files that cannot be removed now are tried again when all are removed.
        let _ = remove(self.descriptor(), &pid.to_string());
    }

    /// Returns whether it is time to look how much the jobs' folders hold.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.next_look
    }

    /// Returns those of these workers, by slot, whose jobs hold too much, each with the limit that
    /// the job exceeds.
    pub(super) fn look(&mut self, workers: impl Iterator<Item = (u32, i32)>) -> Vec<(u32, Excess)> {
        let began = Instant::now();
        let folder = |pid: i32| openat(self.descriptor(), pid.to_string(), FOLDER, Mode::empty());
        let found = workers.filter_map(|(slot, pid)| {
            Some((slot, excess(folder(pid).ok()?.as_fd(), self.bytes_max)?))
        });
        let found = found.collect();
        self.next_look = Instant::now() + LOOK.max(began.elapsed() * SHARE);
        found
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // The sweep of another session takes what is left.
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
            // The folder of another user stays.
            let _ = empty(folder.as_fd());
            let _ = fs::remove_dir(entry.path());
        }
    }
}
