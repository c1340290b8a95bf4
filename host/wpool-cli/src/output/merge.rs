//! Merges results: moves those that a resumed run has appended to their places in the order of
//! jobs, in the log and in the results' file alike.
//!
//! Both files are written anew and then replace the old ones. The log's second file announces this
//! beforehand, so that at whatever moment the run is killed, the next one has either both old files
//! or both new ones.

use super::journal::{Meta, Placed, meta_path, with_suffix};
use super::resume::{Row, whole_rows};
use super::target::Target;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, fchown};
use std::path::{Path, PathBuf};

/// The most pieces that are merged. Each piece was written by one run, and takes two buffers.
const PIECES_MAX: usize = 256;

/// A merge that was begun, and the results' file that it replaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Merge {
    output: PathBuf,
    /// True when both new files are whole.
    ready: bool,
}

/// Returns the path of the new file that is to replace another.
fn new_path(path: &Path) -> PathBuf {
    with_suffix(path, ".merging")
}

/// Ends a merge during which a run was killed. Returns whether there was one.
///
/// # Errors
/// Fails if a file cannot be replaced.
pub(super) fn recover(log: &Path) -> io::Result<bool> {
    if !meta_path(log).exists() {
        return Ok(false);
    }
    // A caller that needs the description reports the error of reading it.
    let Ok(mut meta) = Meta::read(log) else { return Ok(false) };
    let Some(merge) = meta.merge.take() else { return Ok(false) };
    for path in [&merge.output, log] {
        let new = new_path(path);
        match (new.exists(), merge.ready) {
            (true, true) => fs::rename(new, path)?,
            (true, false) => fs::remove_file(new)?,
            (false, _) => (),
        }
    }
    meta.write(log)?;
    Ok(true)
}

/// Puts the results of a file, and their rows in the log, in the order of jobs. If a job was run
/// again, its earlier output is dropped, and its earlier row says that it has no bytes.
///
/// # Errors
/// Fails if a file cannot be written. Both files are then unchanged.
pub(super) fn merge(log: &Path, meta: &mut Meta, target: &Target) -> io::Result<()> {
    let Some(placed) = meta.output.clone() else { return Ok(()) };
    let old_log = File::open(log)?;
    let pieces = pieces(&old_log, &placed)?;
    if pieces.len() < 2 {
        return Ok(());
    }
    let output = target.path().ok_or_else(|| io::Error::other("it has no path"))?;
    let there = output.metadata()?;
    if (there.dev(), there.ino()) != (placed.device, placed.inode) || there.nlink() > 1 {
        return Err(io::Error::other("the file has been moved, or has several names"));
    }
    let old = meta.clone();
    meta.merge = Some(Merge { output: output.clone(), ready: false });
    meta.write(log)?;
    let written = write_merged(&pieces, &old_log, log, target, &output, &placed);
    let merged = written.and_then(|inode| {
        let placed = meta.output.as_mut().expect("it has a place");
        placed.inode = inode;
        meta.merge = Some(Merge { output: output.clone(), ready: true });
        meta.write(log)
    });
    if let Err(error) = merged {
        *meta = old;
        for path in [&output, log] {
            let _ = fs::remove_file(new_path(path));
        }
        return Err(error);
    }
    meta.merge = None;
    fs::rename(new_path(&output), &output)?;
    fs::rename(new_path(log), log)
}

/// A run of rows whose numbers never decrease, and the place of their results in the output.
struct Piece {
    rows: Range<u64>,
    output: u64,
}

/// Splits a log into pieces, from the first row on whose result is in the file.
fn pieces(log: &File, placed: &Placed) -> io::Result<Vec<Piece>> {
    let mut pieces: Vec<Piece> = Vec::new();
    // The last row's job, and whether the row has bytes: after a merge only the last row of a job
    // has any.
    let (mut last, mut output) = (None, placed.start);
    whole_rows(BufReader::new(Part { file: log, range: 0..u64::MAX }), |row, at| {
        if at.start < placed.log || pieces.len() > PIECES_MAX {
            return;
        }
        match pieces.last_mut() {
            Some(piece) if last < Some((row.job, true)) => piece.rows.end = at.end,
            _ => pieces.push(Piece { rows: at, output }),
        }
        last = Some((row.job, row.received > 0));
        output += row.received;
    })?;
    match pieces.len() > PIECES_MAX {
        true => Err(io::Error::other("there are too many of them")),
        false => Ok(pieces),
    }
}

/// A part of a file, read without the file's position.
struct Part<'a> {
    file: &'a File,
    range: Range<u64>,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let bytes = self.file.read_at(&mut buffer[..most], self.range.start)?;
        self.range.start += bytes as u64;
        Ok(bytes)
    }
}

/// A piece that is being merged.
struct Cursor<'a> {
    rows: BufReader<Part<'a>>,
    output: BufReader<Part<'a>>,
    /// The next row.
    row: Vec<u8>,
}

impl Cursor<'_> {
    /// Reads the next row, and returns its job if there is one.
    fn advance(&mut self) -> io::Result<Option<u64>> {
        self.row.clear();
        self.rows.read_until(b'\n', &mut self.row)?;
        Ok(Row::parse(&self.row).map(|row| row.job))
    }
}

/// Writes both new files, and returns the inode of the results' file.
fn write_merged(
    pieces: &[Piece],
    old_log: &File,
    log: &Path,
    target: &Target,
    output: &Path,
    placed: &Placed,
) -> io::Result<u64> {
    let (rows_begin, results) = (pieces[0].rows.start, &target.file);
    let (new_log, new_output) = (create(log, old_log)?, create(output, results)?);
    let mut to_log = BufWriter::new(&new_log);
    let mut to_output = BufWriter::with_capacity(256 << 10, &new_output);
    io::copy(&mut Part { file: old_log, range: 0..rows_begin }, &mut to_log)?;
    io::copy(&mut Part { file: results, range: 0..placed.start }, &mut to_output)?;
    let mut cursors = Vec::new();
    let mut next = BinaryHeap::new();
    for (at, piece) in pieces.iter().enumerate() {
        let rows = BufReader::new(Part { file: old_log, range: piece.rows.clone() });
        let output = BufReader::new(Part { file: results, range: piece.output..u64::MAX });
        let mut cursor = Cursor { rows, output, row: Vec::new() };
        next.extend(cursor.advance()?.map(|job| Reverse((job, at))));
        cursors.push(cursor);
    }
    while let Some(Reverse((job, at))) = next.pop() {
        let cursor = &mut cursors[at];
        let row = std::mem::take(&mut cursor.row);
        let received = Row::parse(&row).map_or(0, |row| row.received);
        next.extend(cursor.advance()?.map(|job| Reverse((job, at))));
        let mut result = (&mut cursor.output).take(received);
        // A later row has the same job again.
        let is_old = matches!(next.peek(), Some(Reverse((other, _))) if *other == job);
        let copied = match is_old {
            true => io::copy(&mut result, &mut io::sink())?,
            false => io::copy(&mut result, &mut to_output)?,
        };
        if copied < received {
            return Err(io::Error::other("results are missing"));
        }
        match is_old {
            true => to_log.write_all(&without_bytes(&row))?,
            false => to_log.write_all(&row)?,
        }
    }
    for (mut writer, file) in
        [(Box::new(to_log) as Box<dyn Write>, &new_log), (Box::new(to_output), &new_output)]
    {
        writer.flush()?;
        file.sync_all()?;
    }
    Ok(new_output.metadata()?.ino())
}

/// Makes a new file with the permissions and owner of the one it is to replace.
fn create(path: &Path, old: &File) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).open(new_path(path))?;
    let metadata = old.metadata()?;
    file.set_permissions(metadata.permissions())?;
    // Only root may give files away.
    let _ = fchown(&file, Some(metadata.uid()), Some(metadata.gid()));
    Ok(file)
}

/// Returns the row of a job, changed to say that it has no bytes in the output.
fn without_bytes(row: &[u8]) -> Vec<u8> {
    let columns = row.splitn(9, |&byte| byte == b'\t').enumerate();
    let columns: Vec<&[u8]> =
        columns.map(|(at, column)| if at == 5 { &b"0"[..] } else { column }).collect();
    columns.join(&b'\t')
}
