//! The folders that guests are granted, and the folders that they must not be granted.

use super::error::PoolError;
use crate::module::cache::Cache;
use crate::wire::directory::{DIRECTORIES_MAX, Directory, FOLDER, Identity, identity, line};
use rustix::fs::{Mode, open};
use std::os::fd::{AsFd, BorrowedFd};

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
        let looked = |path| open(path, FOLDER, Mode::empty()).ok();
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
