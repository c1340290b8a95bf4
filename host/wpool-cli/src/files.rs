//! The files of a run, identified by device and inode: a file that is read must not be written, and
//! no file may be written twice.

use super::flags::object::Save;
use super::input::files::Paths;
use super::output::results;
use super::report::Report;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use wpool::wire::directory::Directory;

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
    /// The paths of both, without links in them.
    paths: Vec<PathBuf>,
}

impl Files {
    /// Adds a file that is read, by its name in messages and its path.
    pub(crate) fn reads(&mut self, metadata: io::Result<Metadata>, name: &str, path: &Path) {
        let Some(id) = regular(metadata) else { return };
        self.read.push((id, name.to_owned()));
        self.paths.extend(without_links(path));
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
    fn writes(&mut self, path: &Path, flag: &str) -> Result<(), Report> {
        self.paths.extend(without_links(path));
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

/// The paths that a run writes, as its flags name them, and the folders that its guests are granted.
#[derive(Debug)]
pub(crate) struct Outputs<'a> {
    /// The flags that name a file, each with the file.
    pub(crate) files: Vec<(&'static str, Option<&'a Path>)>,
    /// The files of --save.
    pub(crate) saved: &'a [Save],
    /// The folder of --results.
    pub(crate) results: Option<&'a Path>,
    /// The folders of --dir.
    pub(crate) granted: &'a [Directory],
}

impl Outputs<'_> {
    /// Returns the flags that name a file, each with the file.
    fn named(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let files = self.files.iter().filter_map(|(flag, path)| Some((*flag, (*path)?)));
        files.chain(self.saved.iter().map(|save| ("--save", save.file.as_path())))
    }

    /// Checks that no guest can redirect an output by a link.
    ///
    /// # Errors
    /// Fails if an output is in a folder that guests may write.
    fn check_granted(&self) -> Result<(), Report> {
        let paths = Paths::beside(self.granted);
        let lies_in = |flag: &str, path: &Path, granted: &Directory| {
            let (path, folder) = (path.display(), granted.host.display());
            let error =
                format!("{flag} {path} lies in {folder}, where guests may put a link in its place");
            let help = format!(
                "write elsewhere, or grant the folder for reading: --dir {folder}::{}::ro",
                granted.guest
            );
            Report::usage(error).help(help)
        };
        let results = self.results.map(|folder| ("--results", folder));
        for (flag, path) in self.named().chain(results) {
            if let Some(granted) = paths.granted(path) {
                return Err(lies_in(flag, path, granted));
            }
        }
        match self
            .results
            .and_then(|folder| paths.granted_in(folder).map(|granted| (folder, granted)))
        {
            None => Ok(()),
            Some((folder, granted)) => {
                let (folder, granted) = (folder.display(), granted.host.display());
                let error = format!(
                    "--results {folder} is written, and guests may put links into {granted} in it"
                );
                Err(Report::usage(error).help("give another folder"))
            }
        }
    }
}

impl Files {
    /// Checks that a run which reads these files and its modules writes none of them, writes no file
    /// twice, and writes none where guests may write. No file may have been opened for writing yet.
    ///
    /// # Errors
    /// Fails if the run would overwrite a file.
    pub(crate) fn check_run<'a>(
        mut self,
        modules: impl IntoIterator<Item = &'a PathBuf>,
        outputs: &Outputs<'_>,
    ) -> Result<(), Report> {
        outputs.check_granted()?;
        for module in modules {
            self.reads(module.metadata(), &module.display().to_string(), module);
        }
        self.writes_stream(io::stdout().as_fd(), "standard output")?;
        self.writes_stream(io::stderr().as_fd(), "standard error")?;
        for (flag, path) in outputs.named() {
            self.writes(path, flag)?;
        }
        match outputs.results {
            None => Ok(()),
            Some(folder) => self.writes_results(folder),
        }
    }

    /// Checks the folder of --results, whose files are named by jobs that are not known yet.
    ///
    /// # Errors
    /// Fails if a file that is read, or written by another flag, may be one of them.
    fn writes_results(&self, folder: &Path) -> Result<(), Report> {
        let Ok(folder) = folder.canonicalize() else { return Ok(()) };
        match self.paths.iter().find(|path| may_be_result(&folder, path)) {
            None => Ok(()),
            Some(path) => {
                let (folder, path) = (folder.display(), path.display());
                Err(Report::usage(format!(
                    "--results {folder} may write {path}, which is another file of this run"
                ))
                .help("give another folder: nothing was written"))
            }
        }
    }
}

/// Returns whether a path without links may be the path of a file of --results.
fn may_be_result(folder: &Path, path: &Path) -> bool {
    path.starts_with(folder) && path.file_name().is_some_and(results::is_name_of_file)
}

/// Returns the path of a file without links in it. The file need not be there.
fn without_links(path: &Path) -> Option<PathBuf> {
    let made = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Some(folder.unwrap_or(Path::new(".")).canonicalize().ok()?.join(path.file_name()?))
    };
    path.canonicalize().ok().or_else(made)
}

/// The files that a run writes, once they have been opened.
#[derive(Debug, Default)]
pub(crate) struct Written {
    files: Vec<FileId>,
    /// The folder of --results, without links in its path.
    results: Option<PathBuf>,
}

impl Written {
    /// Returns the files at these paths, the standard streams, and all files that --results may write.
    pub(crate) fn new<'a>(
        paths: impl IntoIterator<Item = &'a Path>,
        results: Option<&Path>,
    ) -> Written {
        let streams =
            [io::stdout().as_fd().try_clone_to_owned(), io::stderr().as_fd().try_clone_to_owned()];
        let streams = streams.into_iter().flatten().map(|fd| File::from(fd).metadata());
        let files = streams.chain(paths.into_iter().map(Path::metadata)).filter_map(regular);
        let results = results.and_then(|folder| folder.canonicalize().ok());
        Written { files: files.collect(), results }
    }

    /// Returns whether the run writes, or may write, the file at a path.
    pub(crate) fn has(&self, path: &Path, metadata: &Metadata) -> bool {
        let may_be_result =
            |folder: &PathBuf| path.canonicalize().is_ok_and(|path| may_be_result(folder, &path));
        metadata.is_file()
            && (self.files.contains(&FileId::of(metadata))
                || self.results.as_ref().is_some_and(may_be_result))
    }
}

fn regular(metadata: io::Result<Metadata>) -> Option<FileId> {
    metadata.ok().filter(Metadata::is_file).map(|metadata| FileId::of(&metadata))
}
