//! Seals: keyed digests that distinguish what was written with the user's key from everything else.
//!
//! The key is 32 random bytes in a file of the user's state folder, made when it is first needed.
//! The key lies apart from what it seals, so that a folder that others once had access to does not
//! give the key away.

use super::cache::open_own;
use rustix::fs::{AtFlags, CWD, linkat};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The number of bytes of a key, and of a seal.
pub(super) const SEAL_BYTES: usize = blake3::OUT_LEN;

/// The name of the key's file.
const KEY: &str = "cache.key";

/// The number of bytes of a file that one thread digests at a time. A smaller file needs no thread.
const PART_BYTES: u64 = 4 << 20;

/// The largest number of threads that digest a file.
const THREADS_MAX: usize = 4;

/// The number of bytes read at a time.
const READ_BYTES: usize = 256 << 10;

/// A key that makes seals.
#[derive(Debug)]
pub(super) struct Sealer {
    key: [u8; SEAL_BYTES],
}

impl Sealer {
    /// Reads the key in this folder, or makes one.
    ///
    /// # Errors
    /// Returns an error if the key can neither be read nor made, or if others can read it.
    pub(super) fn open(directory: &Path) -> io::Result<Sealer> {
        let path = directory.join(KEY);
        let mut file = match open_own(&path) {
            Some(file) => file,
            None => {
                make(directory, &path)?;
                open_own(&path).ok_or(io::ErrorKind::PermissionDenied)?
            }
        };
        if file.metadata()?.mode() & 0o077 != 0 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let mut key = [0; SEAL_BYTES];
        file.read_exact(&mut key)?;
        Ok(Sealer { key })
    }

    /// Returns the seal of a file and of its description, under a name.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read.
    pub(super) fn seal(
        &self,
        name: &str,
        said: &[u8],
        file: &File,
    ) -> io::Result<[u8; SEAL_BYTES]> {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for bytes in [name.as_bytes(), said] {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
        hasher.update(digest(file)?.as_bytes());
        Ok(*hasher.finalize().as_bytes())
    }
}

/// Makes a key, unless another process was faster.
fn make(directory: &Path, path: &Path) -> io::Result<()> {
    let temporary = directory.join(format!("{KEY}.{}", std::process::id()));
    // A process with the same id may have left this file, or it may be damaged.
    let _ = fs::remove_file(&temporary);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    let made = file
        .write_all(&rand::random::<[u8; SEAL_BYTES]>())
        .and_then(|()| file.sync_data())
        .and_then(|()| match linkat(CWD, &temporary, CWD, path, AtFlags::empty()) {
            Err(error) if error != rustix::io::Errno::EXIST => Err(error.into()),
            _ => Ok(()),
        });
    let _ = fs::remove_file(&temporary);
    made
}

/// Returns the digest of the digests of a file's parts, which several threads compute.
fn digest(file: &File) -> io::Result<blake3::Hash> {
    let parts = file.metadata()?.len().div_ceil(PART_BYTES);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let threads = threads.min(usize::try_from(parts).unwrap_or(usize::MAX)).max(1);
    let next = AtomicU64::new(0);
    let work = || {
        let mut digests = Vec::new();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= parts {
                return Ok::<_, io::Error>(digests);
            }
            digests.push((part, digest_part(file, part, &mut buffer)?));
        }
    };
    let mut digests = thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut digests = work()?;
        for helper in helpers {
            digests.extend(helper.join().expect("it does not panic")?);
        }
        Ok::<_, io::Error>(digests)
    })?;
    digests.sort_unstable_by_key(|(part, _)| *part);
    let mut hasher = blake3::Hasher::new();
    for (_, digest) in digests {
        hasher.update(digest.as_bytes());
    }
    Ok(hasher.finalize())
}

fn digest_part(file: &File, part: u64, buffer: &mut [u8]) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    let (mut at, end) = (part * PART_BYTES, (part + 1) * PART_BYTES);
    while at < end {
        let room = buffer.len().min((end - at) as usize);
        match file.read_at(&mut buffer[..room], at) {
            Ok(0) => break,
            Ok(read) => {
                hasher.update(&buffer[..read]);
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn every_byte_every_name_and_every_key_makes_another_seal() {
        let directory = tempfile::tempdir().unwrap();
        let sealer = Sealer::open(directory.path()).unwrap();
        let seal = |name, said: &[u8], bytes: &[u8]| sealer.seal(name, said, &file(bytes)).unwrap();
        let large = vec![7; 3 * PART_BYTES as usize + 5];
        let mut damaged = large.clone();
        damaged[2 * PART_BYTES as usize] ^= 1;
        let other = tempfile::tempdir().unwrap();
        let other = Sealer::open(other.path()).unwrap();
        let seals = [
            seal("a", b"b", &large),
            seal("a", b"b", &damaged),
            seal("a", b"b", &large[1..]),
            seal("ab", b"", &large),
            seal("", b"ab", &large),
            other.seal("a", b"b", &file(&large)).unwrap(),
        ];
        for (at, seal) in seals.iter().enumerate() {
            assert!(!seals[..at].contains(seal), "{at}");
        }
        assert_eq!(
            seals[0],
            Sealer::open(directory.path()).unwrap().seal("a", b"b", &file(&large)).unwrap()
        );
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_cut_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        Sealer::open(directory.path()).unwrap();
        let key = directory.path().join(KEY);
        assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Sealer::open(directory.path()).is_err());
        fs::remove_file(&key).unwrap();
        fs::write(&key, b"short").unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(Sealer::open(directory.path()).is_err());
    }
}
