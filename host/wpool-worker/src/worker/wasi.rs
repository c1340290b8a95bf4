//! The WASI of guests, which gives no more than the settings grant.

use super::stdio::Stdio;
use super::streams::{Input, Output};
use crate::jail::Grant;
use crate::wire::directory::{Directory, identity};
use crate::wire::scratch;
use crate::wire::settings::Settings;
use rand::rngs::StdRng;
use rand::{SeedableRng, TryRng};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::fchdir;
use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtx, WasiFilesystemView};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::random::WasiRandomCtx;
use wasmtime_wasi::{FsPerms, HostMonotonicClock, HostWallClock, WasiCtxBuilder, WasiView};

/// The most entries of an instance's table that may be folders: no process has more files open.
const KEYS_MAX: u32 = 1024;

/// The arguments and the input with which one instance is called, if it is a command.
#[derive(Default)]
pub(crate) struct Invocation<'a> {
    /// The arguments of a command, its name first.
    pub(crate) arguments: &'a [String],
    /// The standard input of a command.
    pub(crate) input: Option<Input>,
}

/// The standard streams of one instance.
pub(crate) enum Streams<'a> {
    /// Bytes in memory.
    Job { input: Option<Input>, output: Output, error: Output },
    /// The streams of wpool's own process.
    Own(&'a Stdio),
}

/// The granted folders, open. All instances have the same descriptors.
#[derive(Clone, Default)]
pub struct Folders {
    granted: Arc<[(Directory, OwnedFd)]>,
    /// The folder in which each process has its scratch folder, if jobs have any, and the path that
    /// guests see.
    base: Option<Arc<(OwnedFd, String)>>,
    /// The scratch folder of this process.
    scratch: Option<Arc<OwnedFd>>,
    context: WasiFilesystemCtx,
}

impl Folders {
    /// Opens the granted folders for instances.
    ///
    /// # Errors
    /// Returns a folder that may not be entered, with the reason.
    pub fn open(
        granted: Vec<(Directory, OwnedFd)>,
        base: Option<(OwnedFd, String)>,
    ) -> Result<Folders, (String, io::Error)> {
        let folders =
            Folders { granted: granted.into(), base: base.map(Arc::new), ..Folders::default() };
        Ok(Folders { context: folders.context()?, ..folders })
    }

    /// Returns the folders of a process that has a scratch folder of this name, if jobs have any.
    ///
    /// # Errors
    /// Returns the error of making the scratch folder.
    pub(crate) fn of_process(&self, name: &str) -> io::Result<Folders> {
        let Some(base) = &self.base else { return Ok(self.clone()) };
        let scratch = scratch::make(base.0.as_fd(), name)?;
        let folders = Folders { scratch: Some(Arc::new(scratch)), ..self.clone() };
        let context = folders.context().map_err(|(_, error)| error)?;
        Ok(Folders { context, ..folders })
    }

    /// Returns what the jail of a process with these folders does not hide.
    pub(crate) fn grants(&self) -> Vec<Grant> {
        let folder =
            |fd: &OwnedFd, read_only| Grant { fd: fd.as_raw_fd(), is_folder: true, read_only };
        let granted = self.granted.iter().map(|(directory, fd)| folder(fd, directory.read_only));
        // A process that has no scratch folder makes those of others.
        let scratch = self.scratch.as_deref().or(self.base.as_ref().map(|base| &base.0));
        granted.chain(scratch.map(|fd| folder(fd, false))).collect()
    }

    /// Removes the files that a job has left in the scratch folder.
    ///
    /// # Errors
    /// Returns the error of a removal.
    pub(crate) fn clean(&self) -> io::Result<()> {
        match &self.scratch {
            Some(scratch) => scratch::empty(scratch.as_fd()).map_err(io::Error::from),
            None => Ok(()),
        }
    }

    /// Makes the context that instances see. Must be called while this process has one thread:
    /// meanwhile each of the folders becomes the working directory, since wasmtime-wasi takes a
    /// path, and `.` is a path that depends on no name.
    fn context(&self) -> Result<WasiFilesystemCtx, (String, io::Error)> {
        let granted = self.granted.iter().map(|(directory, descriptor)| {
            let perms = if directory.read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
            (directory.host.display().to_string(), directory.guest.as_str(), perms, descriptor)
        });
        let scratch = self.base.iter().zip(&self.scratch).map(|(base, descriptor)| {
            ("scratch".to_owned(), base.1.as_str(), FsPerms::ReadWrite, &**descriptor)
        });
        let mut all = granted.chain(scratch).peekable();
        if all.peek().is_none() {
            return Ok(WasiFilesystemCtx::default());
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let here = open(".", flags, Mode::empty()).map_err(|error| (".".into(), error.into()))?;
        let mut builder = WasiCtxBuilder::new();
        builder.allow_blocking_current_thread(true);
        let opened = all.try_for_each(|(host, guest, perms, descriptor)| {
            let opened = fchdir(descriptor)
                .map_err(io::Error::from)
                .and_then(|()| builder.preopened_dir(".", guest, perms).map_err(io::Error::other));
            opened.map(drop).map_err(|error| (host, error))
        });
        fchdir(&here).map_err(|error| (".".into(), error.into()))?;
        opened?;
        Ok(builder.build_p1().filesystem().ctx.clone())
    }
}

/// Gives an instance that was made in another process, which had the folders `old`, the folders of
/// this process.
pub(super) fn move_to(context: &mut WasiP1Ctx, old: &Folders, new: &Folders) {
    *context.filesystem().ctx = new.context.clone();
    let (Some(old), Some(new)) = (&old.scratch, &new.scratch) else { return };
    let Ok(new) = new.try_clone() else { return };
    let (old, new) = (identity(old.as_fd()), Arc::new(File::from(new)));
    // Descriptors that the instance has open of the old folder become descriptors of the new one.
    let table = context.ctx().table;
    for key in 0..KEYS_MAX {
        let Ok(entry) = table.get_any_mut(key) else { continue };
        if let Some(Descriptor::Dir(folder)) = entry.downcast_mut()
            && identity(folder.dir.as_fd()) == old
        {
            folder.dir = Arc::clone(&new);
        }
    }
}

/// Makes WASI's state for a new instance.
pub(crate) fn context(
    settings: &Settings,
    folders: &Folders,
    arguments: &[String],
    streams: Streams,
    random: &SeededRandom,
) -> WasiP1Ctx {
    let mut builder = WasiCtxBuilder::new();
    builder.allow_blocking_current_thread(true).envs(&settings.grants.env).args(arguments);
    // The network is never granted; without this call a guest could make sockets that lead nowhere.
    builder.allow_tcp(false).allow_udp(false);
    match streams {
        Streams::Job { input, output, error } => {
            builder.stdout(output).stderr(error);
            if let Some(input) = input {
                builder.stdin(input);
            }
        }
        Streams::Own(Stdio { input, output, error, .. }) => {
            builder.stdin(input.clone()).stdout(output.clone()).stderr(error.clone());
        }
    }
    if settings.grants.seed.is_some() {
        builder.secure_random(random.clone()).insecure_random(random.clone());
        builder.insecure_random_seed(random.seed().into());
    }
    if let Some(nanoseconds) = settings.grants.clock {
        builder.wall_clock(FixedClock(nanoseconds)).monotonic_clock(FixedClock(nanoseconds));
    }
    let mut context = builder.build_p1();
    *context.filesystem().ctx = folders.context.clone();
    context
}

/// Gives an instance that was made in another process random numbers of its own, because the others
/// that were forked from there have the same numbers. Called after [`reseed`].
pub(super) fn renew(context: &mut WasiP1Ctx) {
    *context.ctx().ctx.random() = WasiRandomCtx::default();
}

/// Makes the random numbers of this process its own. After a fork they would be the same as those
/// of its parent and all its siblings.
pub(crate) fn reseed() {
    // A worker without random numbers from the system must not go on.
    rand::rng().reseed().expect("the system has random numbers");
}

/// Random numbers that depend on the granted seed and the job's number alone, so that they are the same
/// whichever worker runs the job, and whatever it ran before.
#[derive(Clone)]
pub(crate) struct SeededRandom {
    seed: u64,
    random: Arc<Mutex<StdRng>>,
}

impl SeededRandom {
    /// Makes the random numbers for this seed, before any job.
    pub(crate) fn new(seed: u64) -> Self {
        SeededRandom { seed, random: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))) }
    }

    /// Starts the sequence of job `number`.
    pub(crate) fn begin_job(&self, number: u64) {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&number.to_le_bytes());
        *self.lock() = StdRng::from_seed(seed);
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn lock(&self) -> MutexGuard<'_, StdRng> {
        self.random.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TryRng for SeededRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.lock().try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.lock().try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.lock().try_fill_bytes(bytes)
    }
}

/// A clock that stands still.
struct FixedClock(u64);

impl HostWallClock for FixedClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

impl HostMonotonicClock for FixedClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0
    }
}
