//! A module that is loaded and ready to be run: its zygote, its machine code, its description.

use super::config::{CompileConfig, CompileLimit, Config, FOREVER};
use super::crew::local::{LocalCrew, ScratchFolder, Sharing};
use super::dispatcher::Dispatcher;
use super::error::PoolError;
use super::feed::{Commands, Notice, Sink, Source};
use super::grants;
use super::jail;
use super::summary::Summary;
use crate::module::cache::Cache;
use crate::module::description::{DESCRIPTION_BYTES_MAX, Description};
use crate::module::{MODULE_BYTES_MAX, ModuleError};
use crate::shared::Shared;
use crate::wire::clock::after;
use crate::wire::control::{Load, ToZygote};
use crate::wire::line::Line;
use crate::wire::packet::{Attachment, Attachments};
use crate::wire::settings::Settings;
use nix::sys::resource::{Resource, getrlimit};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wpool_worker::zygote::{
    LOADED, LoadError, Loaded, Uncompiled, Unloaded, Zygote, loaded, payload,
};

/// The number of zygotes that are started, one after another, if each is killed before it has done
/// what was asked of it.
const ZYGOTES_MAX: u32 = 3;

/// The origin of a module's machine code.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// True if the machine code was found in the cache.
    pub cached: bool,
    /// The file of the machine code in the cache, if there is one.
    pub path: Option<PathBuf>,
    /// The size of machine code and data, in bytes.
    pub bytes: u64,
    /// The time from the start of the zygote until the machine code was available.
    pub took: Duration,
}

/// A zygote started before its purpose is known, so that the system loads it while the dispatcher
/// is busy.
///
/// An early zygote lives and dies with the thread that started it.
#[derive(Debug)]
pub struct EarlyZygote {
    zygote: Zygote,
    not_send: PhantomData<*const ()>,
}

impl EarlyZygote {
    /// Starts this program again as a zygote. Returns `None` if that fails; [`Session::open`] then
    /// reports why.
    pub fn start() -> Option<EarlyZygote> {
        let zygote = Zygote::start(None).ok()?;
        Some(EarlyZygote { zygote, not_send: PhantomData })
    }
}

/// A module that is loaded and ready to be run.
///
/// A session and its zygote live and die with the thread that opened it.
#[derive(Debug)]
pub struct Session {
    pub(super) zygote: Zygote,
    /// The digest of the module's bytes.
    digest: blake3::Hash,
    code: File,
    description: Description,
    compiled: Compiled,
    config: CompileConfig,
    /// The settings for which the zygote has loaded the module.
    loaded: Option<Settings>,
    /// The time until which a replacement zygote may load the module, while it does so.
    loading: Option<Instant>,
    /// The part of this session in the shared state of its workers, if there is any. The field
    /// follows the zygote, so that it is dropped after all workers have ended.
    pub(super) sharing: Option<Sharing>,
    /// The folder with the scratch folders of workers. Dropped after the zygote, as `sharing` is.
    pub(super) scratch: Option<ScratchFolder>,
    /// The lines printed while a guest was initialised, until a run passes them on.
    printed: Vec<Line>,
    /// A marker that keeps the session on its thread, because a zygote dies with the thread that
    /// started it.
    not_send: PhantomData<*const ()>,
}

impl Session {
    /// Starts a zygote, and finds the module's machine code in the cache or has it compiled.
    ///
    /// # Errors
    /// Returns [`PoolError::Module`] if the module cannot be used, and [`PoolError::Setup`] if the
    /// system does not allow a zygote.
    pub fn open(module: &[u8], config: CompileConfig) -> Result<Session, PoolError> {
        Session::open_in(None, module, config)
    }

    /// Opens a session like [`Session::open`], using a zygote that has already been started, if
    /// there is one.
    ///
    /// # Errors
    /// Returns the same errors as [`Session::open`].
    pub fn open_in(
        early: Option<EarlyZygote>,
        module: &[u8],
        config: CompileConfig,
    ) -> Result<Session, PoolError> {
        let config = CompileConfig { timeout: config.timeout.min(FOREVER), ..config };
        let started = Instant::now();
        check_size(module)?;
        jail::layers(config.jail, &Settings::default())?;
        let mut zygote = match early {
            Some(early) => early.zygote,
            None => start_zygote(&config)?,
        };
        // The zygote starts meanwhile.
        let digest = blake3::hash(module);
        let cache = if config.host.cache { Cache::open() } else { None };
        let hash = ask(&mut zygote, &config, |zygote| zygote.compatibility(config.fuel))?;
        let key = Cache::key(&digest, hash);
        let found = cache.as_ref().and_then(|cache| cache.get(&key));
        let found = found.filter(|(_, found)| found.inlined || !found.component || !config.inline);
        let cached = found.is_some();
        let (code, description) = match found {
            Some(found) => found,
            None => {
                let (code, description) = compile(&mut zygote, module, &config)?;
                if let Some(cache) = &cache {
                    // Without the entry, the next start merely compiles again.
                    let _ = cache.put(&key, &code, &description);
                }
                (code, description)
            }
        };
        let bytes = code.metadata().map_or(0, |metadata| metadata.len());
        let path = cache.map(|cache| cache.code_path(&key));
        let compiled = Compiled { cached, path, bytes, took: started.elapsed() };
        Ok(Session {
            zygote,
            digest,
            code,
            description,
            compiled,
            config,
            loaded: None,
            loading: None,
            sharing: None,
            scratch: None,
            printed: Vec::new(),
            not_send: PhantomData,
        })
    }

    /// Describes a module with a zygote of its own, which neither compiles nor keeps the module.
    ///
    /// # Errors
    /// Returns the same errors as [`Session::open`].
    pub fn describe(module: &[u8], config: &CompileConfig) -> Result<Description, PoolError> {
        check_size(module)?;
        jail::layers(config.jail, &Settings::default())?;
        let mut zygote = start_zygote(config)?;
        ask(&mut zygote, config, |zygote| zygote.compatibility(config.fuel))?;
        let description = ask_compiler(&mut zygote, module, config, None)?;
        zygote.close();
        Ok(description)
    }

    /// Returns the description of the module.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Returns the BLAKE3 digest of the module's bytes, in hexadecimal.
    pub fn digest(&self) -> String {
        self.digest.to_hex().to_string()
    }

    /// Returns the origin of the module's machine code.
    pub fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    /// Returns the shared state that the workers use, once the module is loaded; `None` if the
    /// module uses none and none was given.
    pub(crate) fn shared(&self) -> Option<&Arc<Shared>> {
        self.sharing.as_ref().map(Sharing::shared)
    }

    /// Runs the jobs of `source` and hands their outcomes to `sink`, until there are no more jobs
    /// or the run is ended early.
    ///
    /// # Errors
    /// Returns a [`PoolError`] if the run could not be started or had to be given up. A failed job
    /// is an outcome, not an error.
    pub fn run(
        &mut self,
        config: Config,
        source: &mut dyn Source,
        sink: &mut dyn Sink,
        commands: &mut dyn Commands,
    ) -> Result<Summary, PoolError> {
        let mut config = config.bounded();
        self.load(&config)?;
        config.deadline = match (config.deadline, left(&self.config)) {
            (Some(run), Some(all)) => Some(run.min(all)),
            (run, all) => run.or(all),
        };
        for line in std::mem::take(&mut self.printed) {
            sink.notice(self.notice_of(line));
        }
        let crew = LocalCrew::new(self, config.clone())?;
        Dispatcher::new(crew, config, source, sink, commands).run()
    }

    /// Has the zygote load and link the module for these settings, unless it already has.
    /// [`Session::run`] does so itself; this function finds the errors that would prevent a run
    /// without starting one.
    ///
    /// # Errors
    /// Returns [`PoolError::Task`] if there is no such task, [`PoolError::Module`] if the module
    /// cannot be linked, and [`PoolError::Grant`] or [`PoolError::CacheGranted`] if folders cannot
    /// be granted.
    pub fn load(&mut self, config: &Config) -> Result<(), PoolError> {
        let config = config.clone().bounded();
        let settings = &config.settings;
        let same = match (self.shared(), &config.shared) {
            (Some(shared), Some(wanted)) => Arc::ptr_eq(shared, wanted),
            (Some(_), None) => true,
            (None, wanted) => wanted.is_none() && !self.description.shares(),
        };
        if same && self.loaded.as_ref() == Some(settings) {
            return Ok(());
        }
        jail::layers(self.config.jail, settings)?;
        // Even if loading fails, the zygote no longer has what it had loaded before.
        self.loaded = None;
        if !same {
            let made = || Shared::new(config.space()).map(Arc::new);
            let shared = config.shared.clone().map_or_else(made, Ok);
            self.sharing = Some(Sharing::new(&shared.map_err(setup("make shared state"))?)?);
        }
        self.scratch = settings.grants.scratch.as_ref().map(ScratchFolder::make).transpose()?;
        let init = settings.task.init.iter().map(|name| Some(name.as_str()));
        for name in settings.task.names().into_iter().chain(init) {
            self.description.choose(name)?;
        }
        let loaded = self.ask_to_load(&config)?;
        self.printed = self.take_loaded(loaded, &config)?;
        Ok(())
    }

    /// Has the zygote load the module, or a new zygote if the first is killed meanwhile.
    fn ask_to_load(&mut self, config: &Config) -> Result<Loaded, PoolError> {
        for zygotes in 1.. {
            let (limit, left) = (load_limit(config), left(&self.config).unwrap_or(Duration::MAX));
            let limits = limit.min(left);
            match self.with_load(config, |zygote, files| zygote.load(files, limits))? {
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    // The zygote is still initialising and cannot answer anything else.
                    self.zygote.end();
                    self.zygote = start_zygote(&self.config)?;
                    return Err(match &config.settings.task.init {
                        _ if left <= limit => PoolError::Deadline("loaded"),
                        Some(task) => PoolError::InitTime { task: task.clone(), limit },
                        None => no_zygote(error),
                    });
                }
                Err(_) if zygotes < ZYGOTES_MAX && self.zygote.was_killed() => {
                    self.zygote = start_zygote(&self.config)?;
                }
                loaded => return loaded.map_err(no_zygote),
            }
        }
        unreachable!("the last zygote's answer is returned")
    }

    /// Takes a zygote's answer about the module that it has loaded, and returns what was printed.
    fn take_loaded(&mut self, loaded: Loaded, config: &Config) -> Result<Vec<Line>, PoolError> {
        self.loading = None;
        let (loaded, printed) = loaded;
        loaded.map_err(|error| match error {
            LoadError::Refused(error) => PoolError::Module(error),
            LoadError::Init(failure) => {
                let task = config.settings.task.init.clone().unwrap_or_default();
                let printed = printed.iter().map(|line| line.bytes.clone()).collect();
                PoolError::Init { task, failure: Box::new(failure), printed }
            }
        })?;
        self.loaded = Some(config.settings.clone());
        Ok(printed)
    }

    /// Prepares the files that a zygote needs to load the module, and passes them to `send`.
    fn with_load<T>(
        &self,
        config: &Config,
        send: impl FnOnce(&Zygote, &[(Attachment, BorrowedFd<'_>)]) -> T,
    ) -> Result<T, PoolError> {
        if let Some(nice) = config.nice {
            self.zygote.set_nice(nice).map_err(setup("set the niceness of workers"))?;
        }
        let settings = &config.settings;
        check_addresses(&self.description)?;
        let jail = self.config.jail;
        let load = Load { jail, settings, description: &self.description };
        let load =
            serde_json::to_vec(&load).map_err(|error| setup("pass the settings")(error.into()))?;
        let load = payload("wpool-load", &load).map_err(setup("pass the settings"))?;
        let mut files =
            vec![(Attachment::Code, self.code.as_fd()), (Attachment::Load, load.as_fd())];
        if let Some(shared) = self.shared() {
            let (control, regions) = shared.fds();
            files.extend([(Attachment::Control, control), (Attachment::Regions, regions)]);
        }
        let (input, output, error) = (io::stdin(), io::stdout(), io::stderr());
        if settings.grants.stdio {
            files.extend([
                (Attachment::Input, input.as_fd()),
                (Attachment::Output, output.as_fd()),
                (Attachment::Error, error.as_fd()),
            ]);
        }
        let folders = grants::descriptors(&settings.grants.dirs)?;
        files.extend((0..).map(Attachment::Folder).zip(folders));
        let scratch = self.scratch.as_ref().map(ScratchFolder::descriptor);
        files.extend(scratch.map(|folder| (Attachment::Scratch, folder)));
        Ok(send(&self.zygote, &files))
    }

    /// Ends the zygote in good order, so that the processor time of all its workers is counted for
    /// this process (as that of its children).
    pub fn close(self) {
        self.zygote.close();
    }

    /// Ends what is left of a zygote, and returns a description of how it ended.
    pub(super) fn end_zygote(&mut self) -> String {
        (self.loaded, self.loading) = (None, None);
        self.zygote.end()
    }

    /// Starts another zygote in place of a lost one and asks it to load the module; the answer is
    /// handled by [`Session::take_loaded`]. Returns a description of how the lost zygote ended.
    pub(super) fn restart(&mut self, config: &Config) -> Result<String, PoolError> {
        let how = self.end_zygote();
        self.zygote = start_zygote(&self.config)?;
        // The socket of the new zygote reports if it dies at once.
        let _ = self.with_load(config, |zygote, files| zygote.send(&ToZygote::Load, files))?;
        self.loading = Some(after(Instant::now(), load_limit(config)));
        Ok(how)
    }

    /// Returns the time until which the zygote may load the module, while it does so.
    pub(super) fn loading_until(&self) -> Option<Instant> {
        self.loading
    }

    /// Takes the answer of a replacement zygote, and returns what was printed.
    pub(super) fn hear_loaded(
        &mut self,
        answer: Result<(), Unloaded>,
        files: Attachments,
        config: &Config,
    ) -> Result<Vec<Notice>, PoolError> {
        if self.loading.is_none() {
            // The answer was not asked for.
            return Ok(Vec::new());
        }
        let loaded = loaded(answer, files).map_err(no_zygote)?;
        let printed = self.take_loaded(loaded, config)?;
        Ok(printed.into_iter().map(|line| self.notice_of(line)).collect())
    }

    /// Returns the notice of a line that was printed while a guest was initialised.
    fn notice_of(&self, line: Line) -> Notice {
        let Line { stream, bytes } = line;
        Notice::Log { pid: self.zygote.pid(), job: None, stream, line: bytes }
    }
}

fn check_size(module: &[u8]) -> Result<(), PoolError> {
    match module.len() as u64 > MODULE_BYTES_MAX {
        true => Err(ModuleError::TooLarge.into()),
        false => Ok(()),
    }
}

/// Returns the time left until everything must be done, if there is such a limit.
fn left(config: &CompileConfig) -> Option<Duration> {
    config.deadline.map(|end| end.saturating_duration_since(Instant::now()))
}

/// Returns which of standard input, output and error were closed when this program began.
pub fn closed_at_start() -> [bool; 3] {
    wpool_worker::zygote::closed_at_start()
}

pub(super) fn setup(what: &'static str) -> impl Fn(io::Error) -> PoolError {
    move |error| PoolError::setup(what, error)
}

/// The smallest address space that suffices for a guest with a memory: 4 GiB are reserved for the
/// memory, so that no access has to be checked, and the rest is for everything else.
const ADDRESSES_MIN: u64 = 6 << 30;

/// Checks that the memory of a guest can be reserved; otherwise every job would fail for lack of
/// it.
fn check_addresses(description: &Description) -> Result<(), PoolError> {
    match getrlimit(Resource::RLIMIT_AS) {
        Ok((limit, _)) if limit < ADDRESSES_MIN && description.parts.memories > 0 => {
            let why = format!("addresses are limited to {} MiB (ulimit -v)", limit >> 20);
            let error = io::Error::new(io::ErrorKind::OutOfMemory, why);
            Err(setup("reserve the memory of a guest")(error))
        }
        _ => Ok(()),
    }
}

fn start_zygote(config: &CompileConfig) -> Result<Zygote, PoolError> {
    Zygote::start(config.host.executable.as_deref()).map_err(setup("start a zygote"))
}

pub(super) fn no_zygote(error: io::Error) -> PoolError {
    PoolError::setup(
        "use the zygote: is this program linked with the wpool crate (or, if not, the wpool program \
         named by `executable`)?",
        error,
    )
}

/// Asks the zygote, or a new zygote if the first is killed meanwhile.
fn ask<T>(
    zygote: &mut Zygote,
    config: &CompileConfig,
    ask: impl Fn(&Zygote) -> io::Result<T>,
) -> Result<T, PoolError> {
    for _ in 1..ZYGOTES_MAX {
        match ask(zygote) {
            Err(_) if zygote.was_killed() => *zygote = start_zygote(config)?,
            asked => return asked.map_err(useless),
        }
    }
    ask(zygote).map_err(useless)
}

/// Returns the error for a zygote that cannot be used, or that itself reported why.
fn useless(error: io::Error) -> PoolError {
    match error.kind() {
        io::ErrorKind::Unsupported => setup("start a zygote")(error),
        _ => no_zygote(error),
    }
}

/// Returns the longest time of loading a module and of initialising a guest of it.
fn load_limit(config: &Config) -> Duration {
    config.settings.task.init.as_ref().map_or(LOADED, |_| config.init_limit())
}

/// Compiles a module. The machine code is sealed before it is used.
fn compile(
    zygote: &mut Zygote,
    module: &[u8],
    config: &CompileConfig,
) -> Result<(File, Description), PoolError> {
    let code = memfd("wpool-code").map_err(setup("pass the module"))?;
    let description = ask_compiler(zygote, module, config, Some(&code))?;
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    fcntl_add_seals(&code, seals).map_err(|error| setup("seal the code")(error.into()))?;
    Ok((code, description))
}

/// Describes a module, and compiles it if there is a file for the machine code.
fn ask_compiler(
    zygote: &mut Zygote,
    module: &[u8],
    config: &CompileConfig,
    code: Option<&File>,
) -> Result<Description, PoolError> {
    let module = payload("wpool-module", module).map_err(setup("pass the module"))?;
    let mut description = memfd("wpool-description").map_err(setup("pass the module"))?;
    let left = left(config).unwrap_or(Duration::MAX);
    let timeout = config.timeout.min(left);
    let request = ToZygote::Compile {
        fuel: config.fuel,
        inline: config.inline,
        bytes_max: config.bytes_max,
        timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
        stub_imports: config.stub_imports,
        jail: config.jail,
    };
    let compiled = ask(zygote, config, |zygote| {
        // An earlier zygote may have begun to read or write these files.
        (&module).rewind()?;
        for mut file in [Some(&description), code].into_iter().flatten() {
            file.set_len(0)?;
            file.rewind()?;
        }
        let mut files = vec![
            (Attachment::Module, module.as_fd()),
            (Attachment::Description, description.as_fd()),
        ];
        files.extend(code.map(|code| (Attachment::Code, code.as_fd())));
        let begun = || config.host.on_compile.call();
        let begun = code.map(|_| &begun as &dyn Fn());
        zygote.compile(&request, &files, timeout, &begun)
    })?;
    compiled.map_err(|why| match why {
        Uncompiled::Refused(error) => PoolError::Module(error),
        Uncompiled::Memory => PoolError::Compile(CompileLimit::Memory(config.bytes_max)),
        Uncompiled::Time if left <= config.timeout => PoolError::Deadline("compiled"),
        Uncompiled::Time => PoolError::Compile(CompileLimit::Time(config.timeout)),
    })?;
    let described = (|| {
        description.rewind()?;
        let bytes = (&description).take(DESCRIPTION_BYTES_MAX as u64);
        serde_json::from_reader(io::BufReader::new(bytes)).map_err(io::Error::from)
    })();
    described.map_err(setup("read the module's description"))
}

/// Creates a file in memory, to be filled by another process.
fn memfd(name: &str) -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    Ok(File::from(memfd_create(name, flags)?))
}
