//! Which folders guests are granted, and which they may not be.

use super::error::PoolError;
use crate::module::cache::Cache;
use crate::wire::directory::{DIRECTORIES_MAX, Directory};
use rustix::fs::{Mode, OFlags, fstat, open, openat};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How a folder is opened to be told from others.
const LOOK: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A folder's device and inode.
type Identity = (u64, u64);

/// Returns the descriptors of granted folders, which are opened now if that has not been done before.
///
/// # Errors
/// A folder cannot be opened; or guests may write it, and could so change the cache of machine code.
pub(super) fn descriptors(granted: &[Directory]) -> Result<Vec<BorrowedFd<'_>>, PoolError> {
    if granted.len() > DIRECTORIES_MAX {
        return Err(PoolError::Grant(format!("more than {DIRECTORIES_MAX} folders are granted")));
    }
    let mut descriptors = Vec::with_capacity(granted.len());
    for folder in granted {
        let descriptor = folder.descriptor().map_err(|error| {
            PoolError::Grant(format!("cannot open directory {}: {error}", folder.host.display()))
        })?;
        descriptors.push(descriptor);
    }
    check(granted, &descriptors)?;
    Ok(descriptors)
}

/// Refuses folders that guests may write where the cache is, which later runs execute, or the key that seals it.
fn check(granted: &[Directory], descriptors: &[BorrowedFd<'_>]) -> Result<(), PoolError> {
    if granted.iter().all(|folder| folder.read_only) {
        return Ok(());
    }
    for cache in [Cache::folder(), Cache::key_folder()].into_iter().flatten() {
        let looked = |path| open(path, LOOK, Mode::empty()).ok();
        // By its path and by what links in that lead to, and also while it is not there yet.
        let above: Vec<Identity> =
            cache.ancestors().filter_map(looked).flat_map(|folder| line(folder.as_fd())).collect();
        let itself = looked(&cache).and_then(|folder| identity(folder.as_fd()));
        for (folder, descriptor) in granted.iter().zip(descriptors) {
            let inside = || itself.is_some_and(|cache| line(*descriptor).contains(&cache));
            let covers = identity(*descriptor).is_some_and(|folder| above.contains(&folder));
            if !folder.read_only && (covers || inside()) {
                let folder = folder.host.clone();
                return Err(PoolError::CacheGranted { folder, cache });
            }
        }
    }
    Ok(())
}

/// A folder and all that are above it.
fn line(folder: BorrowedFd<'_>) -> Vec<Identity> {
    let mut line: Vec<Identity> = identity(folder).into_iter().collect();
    let above = |at: BorrowedFd<'_>| openat(at, "..", LOOK, Mode::empty()).ok();
    let mut next: Option<OwnedFd> = above(folder);
    while let Some(folder) = next {
        match identity(folder.as_fd()) {
            // The root is above itself.
            Some(identity) if line.last() != Some(&identity) => line.push(identity),
            _ => break,
        }
        next = above(folder.as_fd());
    }
    line
}

fn identity(folder: BorrowedFd<'_>) -> Option<Identity> {
    fstat(folder).ok().map(|stat| (stat.st_dev, stat.st_ino))
}
