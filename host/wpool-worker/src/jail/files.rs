//! The reach of a process (Landlock): what it opens, connects to, or signals.

use super::Grant;
use super::system;
use std::io;
use std::os::fd::AsFd;

/// The rights over files, by the bits of `LANDLOCK_ACCESS_FS_*`.
mod access {
    pub(super) const WRITE_FILE: u64 = 1 << 1;
    pub(super) const READ_FILE: u64 = 1 << 2;
    pub(super) const READ_DIR: u64 = 1 << 3;
    pub(super) const REMOVE_DIR: u64 = 1 << 4;
    pub(super) const REMOVE_FILE: u64 = 1 << 5;
    pub(super) const MAKE_DIR: u64 = 1 << 7;
    pub(super) const MAKE_REG: u64 = 1 << 8;
    pub(super) const MAKE_SYM: u64 = 1 << 12;
    pub(super) const REFER: u64 = 1 << 13;
    pub(super) const TRUNCATE: u64 = 1 << 14;
}

use access::{
    MAKE_DIR, MAKE_REG, MAKE_SYM, READ_DIR, READ_FILE, REFER, REMOVE_DIR, REMOVE_FILE, TRUNCATE,
    WRITE_FILE,
};

const READ: u64 = READ_FILE | READ_DIR;

/// The rights of guests in a writable folder. No code is run from there, and no devices, pipes or sockets are
/// made.
const WRITE: u64 =
    WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM | REFER | TRUNCATE;

/// Binding and connecting by TCP.
const TCP: u64 = 0b11;

/// Abstract sockets, and signals, of processes outside.
const SCOPES: u64 = 0b11;

/// Returns what a version of Landlock can refuse: files, the network, and what is outside.
fn handled(version: u32) -> [u64; 3] {
    let files = match version {
        0 => 0,
        1 => (1 << 13) - 1,
        2 => (1 << 14) - 1,
        3 | 4 => (1 << 15) - 1,
        _ => (1 << 16) - 1,
    };
    [files, if version >= 4 { TCP } else { 0 }, if version >= 6 { SCOPES } else { 0 }]
}

/// Confines this process, which has one thread, and all that it makes, to what is granted: of files it opens no
/// others, and connects to nobody and signals nobody outside.
///
/// # Errors
/// The system refuses rules that it knows.
pub(super) fn confine(version: u32, grants: &[Grant]) -> io::Result<()> {
    let handled @ [files, ..] = handled(version);
    let rules = system::new_rules(handled)?;
    for grant in grants {
        system::add_rule(rules.as_fd(), grant.fd, grant.access() & files)?;
    }
    system::restrict(rules.as_fd())
}

impl Grant {
    /// Returns what may be done with it.
    fn access(&self) -> u64 {
        match (self.is_folder, self.read_only) {
            (false, _) => READ_FILE,
            (true, true) => READ,
            (true, false) => READ | WRITE,
        }
    }
}
