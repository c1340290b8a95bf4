//! Merging: what a run that went on has appended goes to its place in the order of jobs, in the log and in the
//! results' file alike.
//!
//! Both files are written anew and then replace the old ones. The log's second file says beforehand that they
//! will, so that whichever moment the run is killed in, the next one has either both old files or both new ones.

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

/// Most pieces that are merged: each was written by one run, and takes two buffers.
const PIECES_MAX: usize = 256;

/// A merge that was begun: which new file replaces which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Merge {
    output: PathBuf,
    /// Set when both new files are whole.
    ready: bool,
}

/// The new file that is to replace another.
fn new_path(path: &Path) -> PathBuf {
    with_suffix(path, ".merging")
}

/// Ends a merge in which a run was killed; true if there was one.
///
/// # Errors
/// A file cannot be replaced.
pub(super) fn recover(log: &Path) -> io::Result<bool> {
    if !meta_path(log).exists() {
        return Ok(false);
    }
    // What cannot be read is told by whoever needs it.
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

/// Puts the results of a file, and their rows in the log, in the order of jobs. What a job had written before it
/// was run again goes, and its row says that it has no bytes.
///
/// # Errors
/// A file cannot be written. All is as it was.
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

/// Rows whose numbers do not fall, and where in the output their results are.
struct Piece {
    rows: Range<u64>,
    output: u64,
}

/// The pieces that a log consists of, from where its results are.
fn pieces(log: &File, placed: &Placed) -> io::Result<Vec<Piece>> {
    let mut pieces: Vec<Piece> = Vec::new();
    // The last row's job, and whether it has bytes: what was merged has none but in a job's last row.
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

/// Bytes of a file, read without its position.
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
    /// Goes on to the next row; answers with its job, unless there is none.
    fn advance(&mut self) -> io::Result<Option<u64>> {
        self.row.clear();
        self.rows.read_until(b'\n', &mut self.row)?;
        Ok(Row::parse(&self.row).map(|row| row.job))
    }
}

/// Writes both new files; answers with the inode of that with the results.
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
        // A later row has the job again.
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

/// A new file, like the one that it is to replace.
fn create(path: &Path, old: &File) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).open(new_path(path))?;
    let metadata = old.metadata()?;
    file.set_permissions(metadata.permissions())?;
    // Only root may give files away.
    let _ = fchown(&file, Some(metadata.uid()), Some(metadata.gid()));
    Ok(file)
}

/// A row of a job that has nothing in the output.
fn without_bytes(row: &[u8]) -> Vec<u8> {
    let columns = row.splitn(9, |&byte| byte == b'\t').enumerate();
    let columns: Vec<&[u8]> =
        columns.map(|(at, column)| if at == 5 { &b"0"[..] } else { column }).collect();
    columns.join(&b'\t')
}
