//! Terminals: a screen and a keyboard for a run.

use super::run::{Running, Wpool};
use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;

pub(crate) const CTRL_C: u8 = 0x03;
pub(crate) const CTRL_D: u8 = 0x04;
pub(crate) const CTRL_Z: u8 = 0x1a;
pub(crate) const CTRL_BACKSLASH: u8 = 0x1c;

/// Opens a terminal, and returns its screen and its keyboard.
pub(crate) fn open_terminal() -> (File, File) {
    // The terminal is not opened by `openpty`, because other tests' processes must not inherit the
    // keyboard.
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let keyboard = posix_openpt(flags).expect("a terminal");
    grantpt(&keyboard).and_then(|()| unlockpt(&keyboard)).expect("it is ours");
    let name = ptsname_r(&keyboard).expect("it has a name");
    let flags = OFlag::O_NOCTTY.bits();
    let screen = OpenOptions::new().read(true).write(true).custom_flags(flags).open(name);
    (screen.expect("it is there"), File::from(OwnedFd::from(keyboard)))
}

/// Starts a run on a terminal of its own, and returns the keyboard.
pub(crate) fn at_terminal(run: Wpool) -> (Running, File) {
    let (screen, keyboard) = open_terminal();
    (run.on_terminal(screen.into()).start(), keyboard)
}

/// Presses a key.
pub(crate) fn press(keyboard: &mut File, key: u8) {
    keyboard.write_all(&[key]).expect("the terminal is open");
}

/// Returns whether a process is stopped.
pub(crate) fn is_stopped(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
}
