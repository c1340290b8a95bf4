//! The right to start a zygote: only the process that starts a program can make it a zygote, and no
//! process whose rights are fewer than the program's.

use crate::common::run::{file, map_wat};
use crate::common::watchdog;
use nix::unistd::geteuid;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{recv, send, socketpair};
use std::fs::{self, Permissions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The environment variable that names the program that this test program is to take over, when it
/// is started as another user.
const TARGET: &str = "WPOOL_TEST_TARGET";

/// The id of the protocol that the program speaks.
const PROTOCOL: &str = concat!("wpool ", env!("CARGO_PKG_VERSION"));

/// The id of a user without rights.
const NOBODY: u32 = 65534;

/// Starts a program as a zygote, through a socket of this process, and returns whether it obeys.
fn obeys(mut program: Command, protocol: &str) -> bool {
    let flags = SocketFlags::CLOEXEC;
    let (ours, theirs): (OwnedFd, OwnedFd) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
    program.env_clear().env("WPOOL_ZYGOTE", protocol);
    program.stdin(theirs).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = program.spawn().unwrap();
    drop(program);
    // The program answers, or sends nothing if it has ended, which may be before it is asked.
    let hello = format!(r#"{{"message":{{"Hello":{{"protocol":"{PROTOCOL}"}}}}}}"#);
    for packet in [hello.as_str(), r#"{"message":{"Compatibility":{"fuel":false}}}"#] {
        let _ = send(&ours, packet.as_bytes(), SendFlags::NOSIGNAL);
    }
    let mut answer = [0; 1000];
    let obeys = recv(&ours, &mut answer[..], RecvFlags::empty()).is_ok_and(|(bytes, _)| bytes > 0);
    drop(ours);
    child.wait().unwrap();
    obeys
}

fn wpool() -> Command {
    Command::new(crate::common::run::program())
}

#[test]
fn a_program_obeys_the_process_that_starts_it_and_no_other() {
    let _watchdog = watchdog(60);
    assert!(obeys(wpool(), PROTOCOL));
    // The shell is the parent, and has not made the socket.
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "\"$0\"; true", crate::common::run::program()]);
    assert!(!obeys(shell, PROTOCOL));
}

#[test]
fn a_program_does_not_react_to_another_version() {
    let _watchdog = watchdog(60);
    assert!(!obeys(wpool(), "1"));
    assert!(!obeys(wpool(), "wpool 0.0.0"));
}

/// Copies a program to a place where any user can execute it.
fn copy(program: &Path, folder: &Path, mode: u32) -> PathBuf {
    let name = program.file_name().unwrap().to_string_lossy();
    let copy = folder.join(format!("{name}-{mode:o}"));
    fs::copy(program, &copy).unwrap();
    fs::set_permissions(&copy, Permissions::from_mode(mode)).unwrap();
    copy
}

/// Needs root, because only root can make a program with more rights than its user.
#[test]
fn a_program_with_more_rights_than_its_user_is_no_zygote_and_has_none() {
    let _watchdog = watchdog(60);
    if let Some(target) = std::env::var_os(TARGET) {
        // The following part runs below, as another user.
        assert!(obeys(Command::new(&target), PROTOCOL), "it does not obey");
        return;
    }
    if !geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let wpool = Path::new(crate::common::run::program());
    let own = copy(wpool, folder.path(), 0o755);
    let privileged = copy(wpool, folder.path(), 0o4755);
    let attacker = copy(&std::env::current_exe().unwrap(), folder.path(), 0o755);
    let attack = |target: &Path| {
        let mut attack = Command::new(&attacker);
        attack.args(["a_program_with_more_rights", "--test-threads", "1"]).env(TARGET, target);
        attack.uid(NOBODY).gid(NOBODY).current_dir("/").stdin(Stdio::null());
        let attack = attack.output().unwrap();
        (attack.status.success(), String::from_utf8_lossy(&attack.stdout).into_owned())
    };
    // The program obeys with the attacker's own rights, because there is nothing to be gained.
    assert!(attack(&own).0, "{}", attack(&own).1);
    let (obeys, said) = attack(&privileged);
    assert!(!obeys && said.contains("it does not obey"), "{said}");
    // The program, used as it should be, says why it cannot have a zygote.
    let module = file("module.wat", "(module (func (export \"f\") (param i32)))");
    let module = copy(&module, folder.path(), 0o644);
    let mut used = Command::new(&privileged);
    used.arg("map").arg(module).args(["--no-cache", ":::", "1"]).uid(NOBODY).gid(NOBODY);
    let used = used.current_dir("/").output().unwrap();
    let said = String::from_utf8_lossy(&used.stderr).into_owned();
    assert_eq!(used.status.code(), Some(96), "{said}");
    assert!(said.contains("more rights than its user"), "{said}");
    map_wat("(module (func (export \"f\") (param i32)))").jobs(["1"]).run().ends(0);
}
