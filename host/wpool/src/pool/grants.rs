//! The folders that guests are granted, and the folders that they must not be granted.

use super::error::PoolError;
use crate::module::cache::Cache;
use crate::wire::directory::{DIRECTORIES_MAX, Directory};
use rustix::fs::{Mode, OFlags, fstat, open, openat};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The flags with which a folder is opened only to identify it.
const LOOK: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A folder's device and inode.
type Identity = (u64, u64);

/// Returns the descriptors of the granted folders, opening any that are not open yet.
///
/// # Errors
/// Returns an error if a folder cannot be opened, or if guests could write to it and so change the
/// cache of machine code.
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

/// Refuses a writable folder that holds, or lies in, the cache of machine code (which later runs
/// execute) or the folder of the key that seals the cache.
fn check(granted: &[Directory], descriptors: &[BorrowedFd<'_>]) -> Result<(), PoolError> {
    if granted.iter().all(|folder| folder.read_only) {
        return Ok(());
    }
    for cache in [Cache::folder(), Cache::key_folder()].into_iter().flatten() {
        let looked = |path| open(path, LOOK, Mode::empty()).ok();
        // Ancestors are found along the cache's path and along the links in it, even while the
        // cache does not exist yet.
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

/// Returns the identities of a folder and of all folders above it.
fn line(folder: BorrowedFd<'_>) -> Vec<Identity> {
    let mut line: Vec<Identity> = identity(folder).into_iter().collect();
    let above = |at: BorrowedFd<'_>| openat(at, "..", LOOK, Mode::empty()).ok();
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

fn identity(folder: BorrowedFd<'_>) -> Option<Identity> {
    fstat(folder).ok().map(|stat| (stat.st_dev, stat.st_ino))
}
