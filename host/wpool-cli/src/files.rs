//! The files of a run, identified by device and inode: a file that is read must not be written, and
//! no file may be written twice.

use super::flags::object::Save;
use super::report::Report;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The identity of a file, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Returns the identity of the file with this metadata.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        FileId { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// The regular files of a run. Pipes, terminals and devices may be read and written at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    read: Vec<(FileId, String)>,
    written: Vec<(FileId, String)>,
}

impl Files {
    /// Adds a file that is read.
    pub(crate) fn reads(&mut self, metadata: io::Result<Metadata>, name: &str) {
        self.read.extend(regular(metadata).map(|id| (id, name.to_owned())));
    }

    /// Checks a standard stream that is written, as a shell has opened it.
    ///
    /// # Errors
    /// Fails if the stream is a file that is read.
    fn writes_stream(&self, stream: BorrowedFd<'_>, name: &str) -> Result<(), Report> {
        let metadata = stream.try_clone_to_owned().and_then(|fd| File::from(fd).metadata());
        match regular(metadata) {
            Some(id) => self.check(&self.read, id, name),
            None => Ok(()),
        }
    }

    /// Adds a file that is to be written, before it is opened.
    ///
    /// # Errors
    /// Fails if the file is read, or written by another flag.
    fn writes(&mut self, path: Option<&Path>, flag: &str) -> Result<(), Report> {
        let Some(path) = path else { return Ok(()) };
        let name = format!("{flag} {}", path.display());
        let Some(id) = regular(path.metadata()) else { return Ok(()) };
        self.check(&self.read, id, &name)?;
        self.check(&self.written, id, &name)?;
        self.written.push((id, name));
        Ok(())
    }

    fn check(&self, known: &[(FileId, String)], id: FileId, name: &str) -> Result<(), Report> {
        match known.iter().find(|(other, _)| *other == id) {
            None => Ok(()),
            Some((_, other)) => Err(Report::usage(format!("{name} and {other} are one file"))
                .help("write to another file: nothing was written")),
        }
    }
}

impl Files {
    /// Checks that a run which reads these files and its module writes none of them, and writes no
    /// file twice. No file may have been opened for writing yet.
    ///
    /// # Errors
    /// Fails if the run would overwrite a file.
    pub(crate) fn check_run<'a>(
        mut self,
        module: &Path,
        saved: &[Save],
        written: impl IntoIterator<Item = (&'a str, Option<&'a Path>)>,
    ) -> Result<(), Report> {
        self.reads(module.metadata(), &module.display().to_string());
        self.writes_stream(io::stdout().as_fd(), "standard output")?;
        self.writes_stream(io::stderr().as_fd(), "standard error")?;
        for (flag, path) in written {
            self.writes(path, flag)?;
        }
        saved.iter().try_for_each(|save| self.writes(Some(&save.file), "--save"))
    }
}

/// Returns the regular files that a run writes, once they have been opened.
pub(crate) fn written<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Vec<FileId> {
    let streams =
        [io::stdout().as_fd().try_clone_to_owned(), io::stderr().as_fd().try_clone_to_owned()];
    let streams = streams.into_iter().flatten().map(|fd| File::from(fd).metadata());
    streams.chain(paths.into_iter().map(Path::metadata)).filter_map(regular).collect()
}

fn regular(metadata: io::Result<Metadata>) -> Option<FileId> {
    metadata.ok().filter(Metadata::is_file).map(|metadata| FileId::of(&metadata))
}
