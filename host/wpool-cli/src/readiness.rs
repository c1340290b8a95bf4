//! Readiness: whether reading from a file, or writing to it, would wait.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;

/// Returns whether a read would not wait. Regular files are always readable.
pub(crate) fn is_readable(file: &File) -> io::Result<bool> {
    is_ready(file, PollFlags::POLLIN)
}

/// Returns whether a small write would not wait. A pipe without a reader counts as writable,
/// because the write fails at once.
pub(crate) fn is_writable(file: &File) -> io::Result<bool> {
    is_ready(file, PollFlags::POLLOUT)
}

fn is_ready(file: &File, wanted: PollFlags) -> io::Result<bool> {
    match poll(&mut [PollFd::new(file.as_fd(), wanted)], PollTimeout::ZERO) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
