//! The shared objects of a run: made before the run, shown and saved after it.

mod make;

use super::exit::Exit;
use super::flags::ObjectFlags;
use super::flags::object::{Barrier, Save};
use super::output::console::Console;
use super::report::Report;
use make::Maker;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};
use wpool::module::description::Description;
use wpool::pool::config::Config;
use wpool::{ObjectKind, Queue, Region, Shared, SharedError};

/// The shared objects that flags name.
#[derive(Debug)]
pub(crate) struct Objects {
    /// The shared state; `None` if no flag names an object. A module that uses objects nevertheless
    /// gets state of its own.
    shared: Option<Shared>,
    shown: Vec<String>,
    saved: Vec<Save>,
    /// The files into which objects are saved.
    files: Vec<File>,
}

impl Objects {
    /// Makes the objects, in shared state with space for `shared_bytes` and `region_bytes`.
    ///
    /// # Errors
    /// Fails if a name is given twice or is unknown, if there is not enough space, or if a file
    /// cannot be read.
    pub(crate) fn make(
        flags: &ObjectFlags,
        shared_bytes: u64,
        region_bytes: u64,
    ) -> Result<Objects, Report> {
        let (shown, saved) = (flags.show.clone(), flags.save.clone());
        let mut objects = Objects { shared: None, shown, saved, files: Vec::new() };
        if !flags.is_empty() {
            let shared = Shared::builder().shared_bytes(shared_bytes).region_bytes(region_bytes);
            let shared = shared.build().map_err(|error| {
                Report::new(Exit::Setup, error.to_string()).help(
                    "lower --shared-space and --region-space, or raise `ulimit -f` and `ulimit -v`: \
                     shared state is files in memory",
                )
            })?;
            Maker { shared: &shared }.make_all(flags)?;
            objects.shared = Some(shared);
        }
        Ok(objects)
    }

    /// Checks the names of --show and --save, as far as they can be known: a guest may make an
    /// object later.
    ///
    /// # Errors
    /// Fails if there is no such object and no guest will make it, or if the object has no contents
    /// to be saved.
    pub(crate) fn check(&self, module: &Path, description: &Description) -> Result<(), Report> {
        let Some(shared) = &self.shared else { return Ok(()) };
        let names = self.shown.iter().map(|name| ("--show", name));
        for (flag, name) in names.chain(self.saved.iter().map(|save| ("--save", &save.name))) {
            match kind(shared, name)? {
                None if !description.shares() => {
                    let module = module.display();
                    let error = format!(
                        "{flag} {name}: no flag makes an object of this name, and {module} uses none"
                    );
                    return Err(Report::usage(error).help(existing(shared)?));
                }
                Some(kind) if flag == "--save" => savable(name, kind)?,
                _ => (),
            }
        }
        Ok(())
    }

    /// Checks that a resumed run keeps what the run before has saved, because the objects are made
    /// anew.
    ///
    /// # Errors
    /// Fails if an object is saved to a file with contents, and does not begin with them.
    pub(crate) fn check_kept(flags: &ObjectFlags, forced: bool) -> Result<(), Report> {
        for Save { name, file } in &flags.save {
            let kept =
                file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0);
            if kept && !forced && !flags.begins_with(name, file) {
                let what = format!("--save {name}={}", file.display());
                return Err(Report::usage(format!(
                    "{what} would replace what the run before has saved, without what is in it"
                ))
                .help(
                    "have the object begin with it (=@FILE), or save to another file; --force-resume \
                     replaces it",
                ));
            }
        }
        Ok(())
    }

    /// Opens the files of --save. Their contents stay until the end of the run.
    ///
    /// # Errors
    /// Fails if a file cannot be written.
    pub(crate) fn open_files(&mut self) -> Result<(), Report> {
        for save in &self.saved {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&save.file);
            self.files.push(file.map_err(|error| unwritable(save, error))?);
        }
        Ok(())
    }

    /// Gives the guests of a run access to the objects.
    pub(crate) fn lend_to(&self, config: &mut Config) {
        if let Some(shared) = &self.shared {
            shared.lend_to(config);
        }
    }

    /// Prints the objects of --show, each followed by `end`, and saves those of --save. An error
    /// does not keep the others from being tried; returns all errors.
    pub(crate) fn tell(self, mut to: impl Write, end: u8) -> Vec<Report> {
        let Some(shared) = &self.shared else { return Vec::new() };
        let mut wrong = Vec::new();
        for name in &self.shown {
            wrong.extend(show(shared, name, &mut to, end).err());
        }
        let flushed = to.flush().map_err(unprintable);
        wrong.extend(flushed.err());
        for (save, file) in self.saved.iter().zip(self.files) {
            wrong.extend(write(shared, save, file).err());
        }
        wrong
    }
}

/// Warns of barriers that have more parties than jobs run at once, and so can never be passed.
pub(crate) fn warn_of_barriers(flags: &ObjectFlags, at_once: u64, console: &mut Console) {
    for Barrier { name, parties } in &flags.barrier {
        if u64::from(*parties) > at_once {
            console.warning(format_args!(
                "barrier {name} has {parties} parties, and no more than {at_once} run at once: who \
                 waits there waits for ever"
            ));
        }
    }
}

/// Returns the kind of an object; `None` if there is no object of this name.
fn kind(shared: &Shared, name: &str) -> Result<Option<ObjectKind>, Report> {
    let objects = shared.list().map_err(|error| Report::new(Exit::Setup, error.to_string()))?;
    Ok(objects.into_iter().find(|(known, _)| known == name).map(|(_, kind)| kind))
}

/// Lists the objects that exist.
fn existing(shared: &Shared) -> Result<String, Report> {
    let objects = shared.list().map_err(|error| Report::new(Exit::Setup, error.to_string()))?;
    let names: Vec<_> = objects.iter().map(|(name, kind)| format!("{kind} {name}")).collect();
    Ok(match names.as_slice() {
        [] => "there are no objects; make one as with --value NAME=i64:0".into(),
        names => format!("there are: {}", names.join(", ")),
    })
}

fn savable(name: &str, kind: ObjectKind) -> Result<(), Report> {
    match kind {
        ObjectKind::Value
        | ObjectKind::Array
        | ObjectKind::Queue
        | ObjectKind::Region
        | ObjectKind::List
        | ObjectKind::Dict
        | ObjectKind::Set => Ok(()),
        _ => Err(Report::usage(format!("--save {name}: {kind:#} has no contents to be saved"))
            .help(format!("its state is printed by --show {name}"))),
    }
}

fn unwritable(save: &Save, error: impl std::fmt::Display) -> Report {
    let (name, file) = (&save.name, save.file.display());
    Report::new(Exit::Output, format!("cannot write --save {name}={file}: {error}"))
        .help("give a file that you may write, in a folder that is there")
}

fn unprintable(error: io::Error) -> Report {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Report::new(Exit::BrokenPipe, ""),
        _ => Report::new(Exit::Output, format!("standard output: {error}")),
    }
}

/// Reports an error with an object after the run.
fn lost(flag: &str, name: &str, shared: &Shared, error: SharedError) -> Report {
    match error {
        SharedError::NotFound { .. } => {
            let report = Report::usage(format!("{flag} {name}: there is no object of this name"));
            report.help(existing(shared).unwrap_or_else(|_| "the directory is broken".into()))
        }
        error => Report::new(Exit::Output, format!("{flag} {name}: {error}")),
    }
}

/// A writer that keeps its last error.
struct Told<W> {
    to: W,
    error: Option<io::Error>,
}

impl<W: Write> Write for Told<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes).map_err(|error| {
            let kind = error.kind();
            self.error = Some(error);
            kind.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Prints `{"NAME":STATE}`.
fn show(shared: &Shared, name: &str, to: &mut impl Write, end: u8) -> Result<(), Report> {
    // Nothing may be printed for an object that does not exist.
    if kind(shared, name)?.is_none() {
        let missing = SharedError::NotFound { object: name.into() };
        return Err(lost("--show", name, shared, missing));
    }
    let mut told = Told { to: BufWriter::new(to), error: None };
    let key = serde_json::to_string(name).expect("a text is JSON");
    let written = write!(told, "{{{key}:").is_ok();
    let shown = if written { shared.write_json(name, &mut told) } else { Ok(()) };
    let flushed = told.write_all(&[b'}', end]).and_then(|()| told.flush());
    match (told.error.take(), shown) {
        (Some(error), _) => Err(unprintable(error)),
        (None, Err(error)) => Err(lost("--show", name, shared, error)),
        (None, Ok(())) => flushed.map_err(unprintable),
    }
}

/// Saves an object, in the form in which `@FILE` is read.
fn write(shared: &Shared, save: &Save, file: File) -> Result<(), Report> {
    let name = &save.name;
    let lost = |error| lost("--save", name, shared, error);
    let wrong = |error: io::Error| unwritable(save, error);
    let missing = || SharedError::NotFound { object: name.clone() };
    let kind = kind(shared, name)?.ok_or_else(missing).map_err(lost)?;
    savable(name, kind)?;
    // If possible, the old contents are replaced only when the new ones are complete.
    let (file, replaces) = match successor(&file) {
        Some((new, paths)) => (new, Some(paths)),
        None => (file, None),
    };
    // A pipe has no length.
    if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        file.set_len(0).map_err(wrong)?;
    }
    let mut to = Told { to: BufWriter::new(file), error: None };
    let saved = match kind {
        ObjectKind::Region => Region::open(shared, name).and_then(|region| region.copy_to(&mut to)),
        ObjectKind::Queue => lines(shared, name).map(|lines| {
            // `to` keeps the error.
            let _ = to.write_all(&lines);
        }),
        _ => shared.write_json(name, &mut to).map(|()| {
            let _ = to.write_all(b"\n");
        }),
    };
    let flushed = to.flush();
    let written = match (to.error.take(), saved) {
        (Some(error), _) => Err(wrong(error)),
        (None, Err(error)) => Err(lost(error)),
        (None, Ok(())) => flushed.map_err(wrong),
    };
    match (replaces, &written) {
        (Some([new, path]), Ok(())) => fs::rename(new, path).map_err(wrong),
        (Some([new, _]), Err(_)) => {
            // A file that stays behind does no harm.
            let _ = fs::remove_file(new);
            written
        }
        (None, _) => written,
    }
}

/// Makes a new file beside one with contents, to take its place. Returns the new file, and the
/// paths of both.
fn successor(file: &File) -> Option<(File, [PathBuf; 2])> {
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.len() == 0 || metadata.nlink() != 1 {
        return None;
    }
    let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    let mut new = path.clone().into_os_string();
    new.push(".saving");
    let new = PathBuf::from(new);
    let opened = OpenOptions::new().write(true).create_new(true).open(&new).ok()?;
    let kept = fchown(&opened, Some(metadata.uid()), Some(metadata.gid()))
        .and_then(|()| opened.set_permissions(metadata.permissions()));
    match kept {
        Ok(()) => Some((opened, [new, path])),
        Err(_) => {
            let _ = fs::remove_file(&new);
            None
        }
    }
}

/// Returns the messages of a queue, a line each.
fn lines(shared: &Shared, name: &str) -> Result<Vec<u8>, SharedError> {
    let mut lines = Vec::new();
    for (at, message) in Queue::<[u8]>::open(shared, name)?.peek()?.into_iter().enumerate() {
        if message.contains(&b'\n') {
            let reason = format!("message {at} has a line end in it, so it cannot be a line");
            return Err(SharedError::System { reason });
        }
        lines.extend_from_slice(&message);
        lines.push(b'\n');
    }
    Ok(lines)
}
