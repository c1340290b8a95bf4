//! Runs of the `wpool` program. Each run is bounded by a watchdog that kills all its processes and
//! fails the test with what was printed.

use super::printed::Printed;
use super::{guest, processes};
use std::cell::LazyCell;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

thread_local! {
    /// The test's own folder: its files, and its cache.
    static SCRATCH: LazyCell<TempDir> =
        LazyCell::new(|| tempfile::tempdir().expect("a temporary folder"));
}

/// Returns a path in the test's own folder.
pub(crate) fn path(name: &str) -> PathBuf {
    SCRATCH.with(|folder| folder.path().join(name))
}

/// Makes a file in the test's own folder.
pub(crate) fn file(name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = path(name);
    fs::write(&path, bytes).expect("the test's folder is writable");
    path
}

/// Makes an empty folder in the test's own folder.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = path(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir(&path).expect("the test's folder is writable");
    path
}

/// Returns a run of `wpool map` for an example guest.
pub(crate) fn map(guest_name: &str) -> Wpool {
    map_file(guest(guest_name))
}

/// Returns a run of `wpool map` for a module in text form.
pub(crate) fn map_wat(text: &str) -> Wpool {
    map_file(file("module.wat", text))
}

/// Returns a run of `wpool map` for a module's file.
pub(crate) fn map_file(module: impl AsRef<OsStr>) -> Wpool {
    wpool(["map"]).arg(module)
}

/// Returns the path of the program, which is built for the tests of its own package.
pub(crate) fn program() -> &'static str {
    const PROGRAM: Option<&str> = option_env!("CARGO_BIN_EXE_wpool");
    PROGRAM.expect("only tests of `wpool-cli` have the program")
}

/// Returns a run of the program with these arguments.
pub(crate) fn wpool<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Wpool {
    copy_of_wpool(Path::new(program()), args)
}

/// Returns a run of a copy of the program with these arguments.
pub(crate) fn copy_of_wpool<S: AsRef<OsStr>>(
    program: &Path,
    args: impl IntoIterator<Item = S>,
) -> Wpool {
    let mut command = Command::new("env");
    // The tests send signals that the test program may itself have been told to ignore: `nohup`,
    // `&`.
    command.arg("--default-signal").arg(program);
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"WPOOL_") {
            command.env_remove(name);
        }
    }
    command
        .env("XDG_CACHE_HOME", path(""))
        .env("XDG_STATE_HOME", path("state"))
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE");
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Wpool { command, words: Vec::new(), stdin: None, seconds: 60, leads_session: false }
}

/// Returns a run of a shell with a script, in which `$0` is the program.
pub(crate) fn shell(script: &str) -> Wpool {
    let mut run = wpool(["-"]);
    let program = OsStr::new(program());
    let first = ["-c".as_ref(), script.as_ref()];
    run.command = executed("bash", first, std::iter::once(program), run.command.get_envs());
    run
}

/// Returns a command with its output piped and nothing to read.
fn executed<'a>(
    program: &str,
    first: [&OsStr; 2],
    args: impl Iterator<Item = &'a OsStr>,
    envs: impl Iterator<Item = (&'a OsStr, Option<&'a OsStr>)>,
) -> Command {
    let mut command = Command::new(program);
    command.args(first).args(args);
    for (key, value) in envs {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A run that is not started yet.
pub(crate) struct Wpool {
    command: Command,
    /// The words after `:::`.
    words: Vec<OsString>,
    stdin: Option<Vec<u8>>,
    seconds: u64,
    /// True if another program makes the run the leader of a session, which the leader of a process
    /// group cannot be.
    leads_session: bool,
}

impl Wpool {
    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds the words of a text as arguments.
    pub(crate) fn flags(self, flags: &str) -> Self {
        self.args(flags.split_whitespace())
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Grants a folder to guests.
    pub(crate) fn dir(self, host: &Path, guest: &str) -> Self {
        let mut grant = host.as_os_str().to_owned();
        grant.push("::");
        grant.push(guest);
        self.arg("--dir").arg(grant)
    }

    /// Adds jobs after `:::`.
    pub(crate) fn jobs<S: AsRef<OsStr>>(mut self, jobs: impl IntoIterator<Item = S>) -> Self {
        self.words.push(":::".into());
        self.words.extend(jobs.into_iter().map(|job| job.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Gives bytes on standard input.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self.command.stdin(Stdio::piped());
        self
    }

    /// Connects standard input to a pipe that the test writes to.
    pub(crate) fn piped(mut self) -> Self {
        self.command.stdin(Stdio::piped());
        self
    }

    /// Connects the standard streams in another way.
    pub(crate) fn with_streams(mut self, connect: impl FnOnce(&mut Command)) -> Self {
        connect(&mut self.command);
        self
    }

    /// Makes a terminal the standard input of the run, which also gets signals from the terminal.
    pub(crate) fn on_terminal(mut self, terminal: OwnedFd) -> Self {
        let first = ["--ctty".as_ref(), self.command.get_program()];
        self.command = executed("setsid", first, self.command.get_args(), self.command.get_envs());
        self.command.stdin(terminal);
        self.leads_session = true;
        self
    }

    /// Starts the run with a signal ignored, as after `nohup`, or a shell's `&`.
    pub(crate) fn ignoring(mut self, signal: &str) -> Self {
        let ignore = format!("--ignore-signal={signal}");
        // The last word on a signal counts; the first argument resets all signals to their
        // defaults.
        let mut args = self.command.get_args();
        let first = [args.next().expect("an option of env"), ignore.as_ref()];
        self.command = executed("env", first, args, self.command.get_envs());
        self
    }

    /// Runs the program under another program with one option.
    fn under(mut self, program: &str, option: &str) -> Self {
        let first = [option.as_ref(), self.command.get_program()];
        self.command = executed(program, first, self.command.get_args(), self.command.get_envs());
        self
    }

    /// Limits a resource, as an option of `prlimit` says.
    pub(crate) fn limited(self, limit: &str) -> Self {
        self.under("prlimit", limit)
    }

    /// Runs the program as another user.
    pub(crate) fn by_user(self, id: u32) -> Self {
        self.under("setpriv", &format!("--reuid={id}"))
    }

    /// Lets a shell start the program, by a script that does so with `exec "$@"`.
    pub(crate) fn in_shell(mut self, script: &str) -> Self {
        let name = OsStr::new("sh");
        let command = &self.command;
        let args = [name, command.get_program()].into_iter().chain(command.get_args());
        self.command = executed("sh", ["-c".as_ref(), script.as_ref()], args, command.get_envs());
        self
    }

    /// Sets the time that the run may take, in seconds. The default is a minute.
    pub(crate) fn within(mut self, seconds: u64) -> Self {
        self.seconds = seconds;
        self
    }

    /// Starts the run.
    pub(crate) fn start(mut self) -> Running {
        self.command.args(&self.words);
        if !self.leads_session {
            self.command.process_group(0);
        }
        let text = format!("{:?}", self.command);
        let mut child = self.command.spawn().expect("wpool can be started");
        let mut stdin = child.stdin.take();
        let (stdout, stderr) = (Printed::default(), Printed::default());
        let mut threads = Vec::new();
        if let Some(pipe) = child.stdout.take() {
            threads.push(stdout.keep(pipe));
        }
        if let Some(pipe) = child.stderr.take() {
            threads.push(stderr.keep(pipe));
        }
        if let Some(bytes) = self.stdin {
            let mut pipe = stdin.take().expect("standard input is piped");
            // A run that ends early closes the pipe.
            threads.push(thread::spawn(move || drop(pipe.write_all(&bytes))));
        }
        let watch = Watch::new(child.id() as i32, self.seconds);
        let started = Instant::now();
        Running { child, stdin, stdout, stderr, threads, watch, text, started }
    }

    /// Runs the program to its end.
    pub(crate) fn run(self) -> Done {
        self.start().finish()
    }
}

/// A guard that kills a process group unless it is dropped in time.
struct Watch {
    _in_time: Sender<()>,
    late: Arc<AtomicBool>,
}

impl Watch {
    fn new(group: i32, seconds: u64) -> Watch {
        let (in_time, end) = channel();
        let late = Arc::new(AtomicBool::new(false));
        let is_late = Arc::clone(&late);
        thread::spawn(move || {
            if end.recv_timeout(Duration::from_secs(seconds)) == Err(RecvTimeoutError::Timeout) {
                is_late.store(true, Ordering::SeqCst);
                kill_group(group);
            }
        });
        Watch { _in_time: in_time, late }
    }
}

fn kill_group(group: i32) {
    let group = nix::unistd::Pid::from_raw(group);
    let _ = nix::sys::signal::killpg(group, processes::Signal::SIGKILL);
}

/// A run that has been started.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    /// The standard output so far.
    pub(crate) stdout: Printed,
    /// The standard error so far.
    pub(crate) stderr: Printed,
    threads: Vec<JoinHandle<()>>,
    watch: Watch,
    text: String,
    started: Instant,
}

impl Running {
    /// Returns the id of the dispatcher's process.
    pub(crate) fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// Returns the id of the zygote's process, as soon as there is one.
    pub(crate) fn zygote(&self) -> i32 {
        let mut zygote = None;
        self.until("a zygote", || {
            zygote = processes::children(self.pid()).first().copied();
            zygote.is_some()
        });
        zygote.expect("just seen")
    }

    /// Returns the workers that are alive; none while there is no zygote.
    pub(crate) fn workers(&self) -> Vec<i32> {
        let children = |pid| processes::children(pid);
        let is_worker = |pid: &i32| name(*pid).is_some_and(|name| name.starts_with("wpool-worker"));
        children(self.pid()).into_iter().flat_map(children).filter(is_worker).collect()
    }

    /// Sends a signal to the dispatcher.
    pub(crate) fn signal(&self, signal: processes::Signal) {
        processes::signal(self.pid(), signal);
    }

    /// Writes to standard input.
    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("standard input is piped and open");
        stdin.write_all(bytes.as_ref()).expect("the run reads its standard input");
    }

    /// Ends standard input.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Returns whether the run has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// Waits until a condition holds. The watchdog bounds the wait.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, mut it_is_so: impl FnMut() -> bool) {
        while !it_is_so() {
            self.check(what);
            thread::park_timeout(Duration::from_millis(1));
        }
        self.check(what);
    }

    #[track_caller]
    fn check(&self, what: &str) {
        if self.watch.late.load(Ordering::SeqCst) {
            let (stdout, stderr) = (shorten(&self.stdout.text()), shorten(&self.stderr.text()));
            panic!("{} hangs, waiting for {what}\n{stdout}\n--- and\n{stderr}", self.text);
        }
    }

    /// Waits until a text was printed to standard error.
    #[track_caller]
    pub(crate) fn wait_for_message(&self, text: &str) {
        self.until(&format!("the message {text:?}"), || self.stderr.text().contains(text));
    }

    /// Waits until the dispatcher sleeps and has done so for a while.
    #[track_caller]
    pub(crate) fn wait_until_stuck(&self) {
        let used = || processes::cpu_ticks(self.pid());
        let (mut last, mut since) = (used(), Instant::now());
        self.until("the run to stand still", || {
            let now = used();
            if now != last {
                (last, since) = (now, Instant::now());
            }
            since.elapsed() > Duration::from_millis(300)
        });
    }

    /// Waits for the end of the run.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Done {
        self.stdin = None;
        let mut status: Option<ExitStatus> = None;
        while status.is_none() {
            self.check("its end");
            thread::park_timeout(Duration::from_micros(500));
            status = self.child.try_wait().expect("it is our child");
        }
        let took = self.started.elapsed();
        for thread in std::mem::take(&mut self.threads) {
            // The watchdog bounds this wait, too: every process that holds the pipes is in the
            // process group.
            thread.join().expect("no reader panics");
        }
        self.check("its end");
        let status = status.expect("just seen");
        Done {
            code: status.code(),
            signal: status.signal(),
            stdout: self.stdout.bytes(),
            stderr: self.stderr.text(),
            text: self.text.clone(),
            took,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The process is not reaped, so the id is still its own.
        if matches!(self.child.try_wait(), Ok(None)) {
            kill_group(self.pid());
            let _ = self.child.wait();
        }
    }
}

/// Returns the name of a process.
pub(crate) fn name(pid: i32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/comm")).ok()
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(4000) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    /// The exit code of the run.
    pub(crate) code: Option<i32>,
    /// The signal that ended the run.
    pub(crate) signal: Option<i32>,
    /// The standard output, which holds the results.
    pub(crate) stdout: Vec<u8>,
    /// The standard error, which holds messages for people.
    pub(crate) stderr: String,
    /// The time that the run took.
    pub(crate) took: Duration,
    /// The command line, for messages.
    pub(crate) text: String,
}
