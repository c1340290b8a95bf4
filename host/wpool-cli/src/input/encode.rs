//! Encodes the words of a job as the bytes that a worker gets.

use super::columns::Columns;
use super::files::Paths;
use super::lines::START_BYTES_MAX;
use super::names::{Names, shorten};
use crate::cli::escape;
use crate::cli::files::Written;
use crate::cli::output::resume::Skip;
use crate::cli::output::words::command_text;
use crate::cli::readiness::is_readable;
use crate::cli::report::Report;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use wpool::pool::error::PoolError;
use wpool::pool::feed::InputQueue;
use wpool::wire::directory::Directory;
use wpool::wire::failure::{Failure, FailureDetail, FailureKind, json_error};
use wpool::wire::settings::command_job;

/// The shape of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The only word, unchanged.
    #[default]
    Word,
    /// A JSON array of the words. A word that is not JSON becomes a string.
    Array {
        /// True if a single word is the value itself, without an array.
        bare: bool,
        /// The places of the words that are picked, in order; all words if empty.
        picked: Vec<usize>,
    },
    /// A JSON object of the words, by these names.
    Object(Vec<String>),
    /// The arguments of a command.
    Arguments,
    /// The standard input of a command: the only word.
    Stdin,
}

/// The way in which records become the words of jobs.
#[derive(Clone, Debug, Default)]
pub(crate) enum Words {
    /// A record is a job's only word.
    #[default]
    One,
    /// The columns of a record are the words of a job.
    Columns(Columns),
    /// A number of records that together are the words of a job.
    Several(usize),
    /// A record is a job without words.
    None,
}

/// The way in which records become jobs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    /// The shape of a job.
    pub(crate) shape: Shape,
    /// The way in which records become words.
    pub(crate) words: Words,
    /// True if the only word is the path of a file whose bytes are the job.
    pub(crate) files: bool,
    /// True if each word must be JSON.
    pub(crate) jsonl: bool,
    /// True if each word of an array or an object is a string, even if the word is JSON.
    pub(crate) texts: bool,
}

/// An encoder that makes jobs of words.
#[derive(Debug)]
pub(crate) struct Encoder {
    form: Form,
    /// The opener of files whose bytes are jobs.
    paths: Paths,
    bytes_max: usize,
    skip: Option<Skip>,
    names: Names,
    /// True if a word is a job unchanged: the fast path.
    plain: bool,
    /// True if jobs are only compared with those of the log.
    compares: bool,
    /// The first job that differs from the job of the same number in the log.
    differs: Option<Differs>,
    /// The files that the run writes; a job whose bytes are in one of these fails.
    written: Written,
    scratch: Vec<u8>,
    columns: Vec<Vec<u8>>,
    run: Run,
    /// The job whose bytes come from a pipe that has not ended.
    piped: Option<Piped>,
}

/// Records that are collected until there are enough for a job.
#[derive(Debug, Default)]
struct Run {
    /// The bytes of the records, and the end of each.
    text: Vec<u8>,
    ends: Vec<usize>,
    /// The number of records, including those for which there was no room.
    count: usize,
}

/// A job whose bytes come from a pipe.
#[derive(Debug)]
struct Piped {
    pipe: File,
    words: Vec<Vec<u8>>,
    bytes: Vec<u8>,
}

/// The file at a path.
enum Opened {
    /// A regular file, whose bytes are all in the scratch buffer.
    Read,
    Pipe(File),
}

/// The most bytes that are read from a pipe before other work has its turn.
const TURN_BYTES: u64 = 4 << 20;

/// A job that differs from the job of the same number in the joblog.
#[derive(Debug)]
pub(crate) struct Differs {
    /// The place of the job in the input.
    pub(crate) place: String,
    /// The text of the job as it is now, if the job still exists.
    pub(crate) text: Option<String>,
}

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Differs { place, text } = self;
        match text {
            Some(text) => write!(f, "is of other jobs: {place} is `{text}`, which it was not"),
            None => write!(f, "is of other jobs: there is no {place} any more"),
        }
    }
}

impl std::error::Error for Differs {}

impl Differs {
    /// Returns the difference that an error of a run is about, if any.
    pub(crate) fn in_error(error: &PoolError) -> Option<&Differs> {
        match error {
            PoolError::Input(error) => error.get_ref()?.downcast_ref(),
            _ => None,
        }
    }

    /// Returns the report for people.
    pub(crate) fn report(&self) -> Report {
        Report::usage(format!("the joblog {self}"))
            .help("give the same jobs, or more; without a resume flag the log begins anew")
    }
}

impl Encoder {
    /// Makes an encoder of jobs of at most `bytes_max` bytes.
    pub(crate) fn new(form: Form, bytes_max: usize, skip: Option<Skip>, names: Names) -> Self {
        let as_it_is = form.shape == Shape::Word && matches!(form.words, Words::One);
        let plain = as_it_is && !form.files && !form.jsonl && skip.is_none();
        let (scratch, columns, run) = (Vec::new(), Vec::new(), Run::default());
        Encoder {
            form,
            paths: Paths::default(),
            bytes_max,
            skip,
            names,
            plain,
            compares: false,
            differs: None,
            written: Written::default(),
            scratch,
            columns,
            run,
            piped: None,
        }
    }

    /// Protects the files of jobs from guests that are granted these folders.
    pub(crate) fn beside(self, granted: &[Directory]) -> Self {
        Encoder { paths: Paths::beside(granted), ..self }
    }

    /// Makes the encoder only compare jobs with those of the log.
    pub(crate) fn comparing(self) -> Self {
        Encoder { compares: true, ..self }
    }

    /// Makes jobs fail whose bytes are in one of these files.
    pub(crate) fn sparing(self, written: Written) -> Self {
        Encoder { written, ..self }
    }

    /// Takes the first job that differs from the job of the same number in the log.
    pub(crate) fn take_differs(&mut self) -> Option<Differs> {
        self.differs.take()
    }

    /// Adds a record: as a job, or as a part of a job of several records.
    #[inline]
    pub(crate) fn add_word(&mut self, inputs: &mut InputQueue, word: &[u8]) {
        if self.plain && word.len() <= self.bytes_max {
            inputs.push(word);
        } else {
            self.add_record(inputs, word);
        }
    }

    fn add_record(&mut self, inputs: &mut InputQueue, record: &[u8]) {
        match &self.form.words {
            Words::One => self.add(inputs, &[record]),
            Words::None => self.add(inputs, &[]),
            Words::Columns(columns) => {
                let mut found = std::mem::take(&mut self.columns);
                match columns.split(record, &mut found) {
                    Ok(()) => {
                        self.add(inputs, &found.iter().map(Vec::as_slice).collect::<Vec<_>>());
                    }
                    Err(wrong) => self.fail(inputs, record, invalid(wrong)),
                }
                self.columns = found;
            }
            &Words::Several(most) => {
                self.run.add(record, self.bytes_max);
                if self.run.count == most {
                    self.finish(inputs);
                }
            }
        }
    }

    /// Adds the last job, of fewer records than the others.
    pub(crate) fn finish(&mut self, inputs: &mut InputQueue) {
        let run = std::mem::take(&mut self.run);
        match run.count {
            0 => {}
            count if count > run.ends.len() => {
                self.add_too_large(inputs, &run.text[..run.text.len().min(START_BYTES_MAX)]);
            }
            _ => self.add(inputs, &run.words()),
        }
    }

    /// Adds the job of these words.
    pub(crate) fn add(&mut self, inputs: &mut InputQueue, words: &[&[u8]]) {
        let job = inputs.next_number();
        if let Some(skip) = self.skip.clone() {
            let differs = self.differs_from(&skip, job, &self.text(words));
            if !self.is_same(differs) {
                return;
            }
            if self.compares || skip.contains(job) {
                return inputs.skip();
            }
        }
        if self.form.files {
            self.names.opened(job, words[0]);
            match open(&self.paths, words[0], self.bytes_max, &self.written, &mut self.scratch) {
                Ok(Opened::Read) => {}
                Ok(Opened::Pipe(pipe)) => {
                    let words = words.iter().map(|word| word.to_vec()).collect();
                    self.piped = Some(Piped { pipe, words, bytes: Vec::new() });
                    self.go_on(inputs);
                    return;
                }
                Err(failure) => return self.fail(inputs, &words.join(&b' '), failure),
            }
        }
        self.push(inputs, words);
    }

    /// Adds the job of these words, after its file has been read.
    fn push(&mut self, inputs: &mut InputQueue, words: &[&[u8]]) {
        match self.encode(words) {
            Ok(bytes) => inputs.push(&bytes),
            Err(failure) => self.fail(inputs, &words.join(&b' '), failure),
        }
    }

    /// Returns whether a job waits for a pipe to end. No other job may be added meanwhile.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        self.piped.is_some()
    }

    /// Returns the pipe that a job waits for, if any.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.piped.as_ref().map(|piped| piped.pipe.as_fd())
    }

    /// Reads the available bytes of the pipe that a job waits for. Adds the job if the pipe has
    /// ended.
    pub(crate) fn go_on(&mut self, inputs: &mut InputQueue) {
        let Some(mut piped) = self.piped.take() else { return };
        let left = self.bytes_max as u64 + 1 - piped.bytes.len() as u64;
        let ended = read_ready(&piped.pipe, left.min(TURN_BYTES), &mut piped.bytes);
        let words: Vec<&[u8]> = piped.words.iter().map(Vec::as_slice).collect();
        match ended {
            Ok(false) if piped.bytes.len() <= self.bytes_max => self.piped = Some(piped),
            Ok(_) => {
                self.scratch = piped.bytes;
                self.push(inputs, &words);
            }
            Err(error) => self.fail(inputs, words[0], cannot_open(words[0], &error)),
        }
    }

    /// Adds a job whose word is too long to be kept; `start` is the beginning of the word.
    pub(crate) fn add_too_large(&mut self, inputs: &mut InputQueue, start: &[u8]) {
        let job = inputs.next_number();
        match self.skip.clone() {
            Some(skip) if !self.is_same(self.differs_from(&skip, job, start)) => (),
            Some(skip) if self.compares || skip.contains(job) => inputs.skip(),
            _ => self.fail(inputs, start, too_large(self.bytes_max)),
        }
    }

    /// Returns how a job differs from the one that the log has under its number, if it does.
    fn differs_from(&self, skip: &Skip, job: u64, text: &[u8]) -> Option<Differs> {
        (!skip.is_same(job, text)).then(|| {
            let text = Some(shorten(&escape::bytes(text)));
            Differs { place: self.names.position(job), text }
        })
    }

    /// Returns whether a job may be the one that the log has, and all before it were.
    fn is_same(&mut self, differs: Option<Differs>) -> bool {
        if self.differs.is_none() {
            self.differs = differs;
        }
        self.differs.is_none()
    }

    /// Returns the text of a job as the log has it.
    fn text<'a>(&'a self, words: &[&'a [u8]]) -> Cow<'a, [u8]> {
        match (&self.form.shape, words) {
            (_, [path]) if self.form.files => Cow::Borrowed(path),
            (Shape::Word | Shape::Stdin, [only]) => Cow::Borrowed(only),
            (shape, _) => match (self.encode(words), shape) {
                (Ok(job), Shape::Arguments | Shape::Stdin) => {
                    Cow::Owned(command_text(&job).into_owned())
                }
                (Ok(job), _) => job,
                // A job that cannot be run is logged as it was given.
                (Err(_), _) => Cow::Owned(words.join(&b' ')),
            },
        }
    }

    /// Adds a job that cannot be run. Its input has the form of other jobs of its kind.
    fn fail(&self, inputs: &mut InputQueue, text: &[u8], failure: Failure) {
        match self.form.shape {
            Shape::Word | Shape::Array { .. } | Shape::Object(_) => inputs.fail(text, failure),
            Shape::Arguments | Shape::Stdin => {
                let job = command_job(&[], text).expect("there are no words");
                inputs.fail(&job, failure);
            }
        }
    }

    /// Returns the number of records that become one job.
    pub(crate) fn records_of_a_job(&self) -> u64 {
        match self.form.words {
            Words::Several(most) => most as u64,
            Words::One | Words::Columns(_) | Words::None => 1,
        }
    }

    /// Returns the most bytes of a word.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Encodes the job of these words. The bytes of a file are in the scratch buffer.
    fn encode<'a>(&'a self, words: &[&'a [u8]]) -> Result<Cow<'a, [u8]>, Failure> {
        let Form { shape, files, jsonl, texts, .. } = &self.form;
        let text = match words {
            _ if *files => self.scratch.as_slice(),
            [] => b"null",
            [first, ..] => first,
        };
        if text.len() > self.bytes_max {
            return Err(too_large(self.bytes_max));
        }
        if *jsonl {
            words.iter().try_for_each(|word| check_json(word))?;
        }
        let job = match shape {
            Shape::Word => Cow::Borrowed(text),
            Shape::Array { .. } if words.is_empty() => Cow::Borrowed(text),
            Shape::Array { bare, picked } => Cow::Owned(match picked.as_slice() {
                [] if *bare && words.len() == 1 => value(words[0], 0, *texts)?,
                [] => array(words, *texts)?,
                picked => array(&pick(words, picked)?, *texts)?,
            }),
            Shape::Object(names) => Cow::Owned(object(names, words, *texts)?),
            Shape::Arguments if *files => Cow::Owned(command(words, text)?),
            Shape::Arguments => Cow::Owned(command(words, b"")?),
            Shape::Stdin => Cow::Owned(command(&[], text)?),
        };
        match job.len() > self.bytes_max && words.len() > 1 {
            true => Err(too_large(self.bytes_max)),
            false => Ok(job),
        }
    }
}

impl Run {
    /// Adds a record. The record is only counted if all of them, each with a separator, have more
    /// than `bytes_max` bytes.
    fn add(&mut self, record: &[u8], bytes_max: usize) {
        self.count += 1;
        if self.text.len() + record.len() + self.ends.len() <= bytes_max {
            self.text.extend_from_slice(record);
            self.ends.push(self.text.len());
        }
    }

    /// Returns the records.
    fn words(&self) -> Vec<&[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start..end]).collect()
    }
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::InvalidJob, message)
}

fn too_large(bytes_max: usize) -> Failure {
    invalid(format!("too large: more than {bytes_max} bytes")).detailed(FailureDetail::JobBytes)
}

fn command(words: &[&[u8]], stdin: &[u8]) -> Result<Vec<u8>, Failure> {
    command_job(words, stdin).map_err(|_| invalid("an argument cannot hold a NUL byte"))
}

/// Returns the words as a JSON array.
fn array(words: &[&[u8]], texts: bool) -> Result<Vec<u8>, Failure> {
    let mut array = vec![b'['];
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            array.push(b',');
        }
        array.extend(value(word, index, texts)?);
    }
    array.push(b']');
    Ok(array)
}

/// Returns the words as a JSON object.
fn object(names: &[String], words: &[&[u8]], texts: bool) -> Result<Vec<u8>, Failure> {
    if words.len() > names.len() {
        let (columns, named) = (words.len(), names.len());
        return Err(invalid(format!("{columns} columns, and the header has {named}")));
    }
    let mut object = vec![b'{'];
    for (index, (name, word)) in names.iter().zip(words).enumerate() {
        if index > 0 {
            object.push(b',');
        }
        serde_json::to_writer(&mut object, name).expect("a string can be written to memory");
        object.push(b':');
        object.extend(value(word, index, texts)?);
    }
    object.push(b'}');
    Ok(object)
}

/// Returns the words at these places.
fn pick<'a>(words: &[&'a [u8]], places: &[usize]) -> Result<Vec<&'a [u8]>, Failure> {
    let missing = |place: &usize| invalid(format!("column {} is missing", place + 1));
    places.iter().map(|place| words.get(*place).copied().ok_or_else(|| missing(place))).collect()
}

/// Returns a word as a JSON value: unchanged, or as a string.
fn value(word: &[u8], index: usize, text: bool) -> Result<Vec<u8>, Failure> {
    if !text && is_json(word) {
        return Ok(word.to_vec());
    }
    let text = std::str::from_utf8(word)
        .map_err(|_| invalid(format!("word {} is not UTF-8", index + 1)))?;
    Ok(serde_json::to_vec(text).expect("a string can be written to memory"))
}

/// Returns whether the bytes are one JSON value.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

fn check_json(word: &[u8]) -> Result<(), Failure> {
    match serde_json::from_slice::<IgnoredAny>(word) {
        Ok(IgnoredAny) => Ok(()),
        Err(error) => {
            // serde_json counts every record as line 1, and the record's own line is shown with the
            // job.
            let message = format!("not JSON at column {}: {}", error.column(), json_error(&error));
            Err(invalid(message).detailed(FailureDetail::NotJson))
        }
    }
}

/// Reads a regular file into `bytes`, or returns a pipe to read from. Reading anything else might
/// never end.
fn open(
    paths: &Paths,
    path: &[u8],
    bytes_max: usize,
    written: &Written,
    bytes: &mut Vec<u8>,
) -> Result<Opened, Failure> {
    bytes.clear();
    let mut open = || -> io::Result<Opened> {
        let file = paths.open(path)?;
        let metadata = file.metadata()?;
        let kind = metadata.file_type();
        if written.has(Path::new(OsStr::from_bytes(path)), &metadata) {
            return Err(io::Error::other("this run writes it"));
        }
        if kind.is_fifo() {
            return Ok(Opened::Pipe(file));
        }
        if !kind.is_file() {
            return Err(io::Error::other("neither a regular file nor a pipe"));
        }
        file.take(bytes_max as u64 + 1).read_to_end(bytes)?;
        Ok(Opened::Read)
    };
    match open() {
        Ok(Opened::Read) if bytes.len() > bytes_max => Err(too_large(bytes_max)),
        Ok(opened) => Ok(opened),
        Err(error) => Err(cannot_open(path, &error)),
    }
}

fn cannot_open(path: &[u8], error: &io::Error) -> Failure {
    invalid(format!("cannot open {}: {error}", String::from_utf8_lossy(path)))
}

/// Appends the available bytes of a pipe, at most `most`, without waiting. Returns whether the pipe
/// has ended.
fn read_ready(mut pipe: &File, most: u64, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let (mut left, mut piece) = (most as usize, vec![0; 64 << 10]);
    while left > 0 && is_readable(pipe)? {
        let room = left.min(piece.len());
        match pipe.read(&mut piece[..room]) {
            Ok(0) => return Ok(true),
            Ok(read) => {
                bytes.extend_from_slice(&piece[..read]);
                left -= read;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::ffi::OsStrExt;

    fn encoder(form: Form) -> Encoder {
        Encoder::new(form, 16, None, Names::words())
    }

    fn encode(shape: Shape, jsonl: bool, words: &[&[u8]]) -> Result<Vec<u8>, String> {
        let encoder = encoder(Form { shape, jsonl, ..Form::default() });
        encoder.encode(words).map(Cow::into_owned).map_err(|failure| failure.message)
    }

    fn all() -> Shape {
        Shape::Array { bare: false, picked: Vec::new() }
    }

    /// Returns the jobs that records become, and the reason why some records fail.
    fn jobs(form: Form, records: &[&str]) -> (Vec<String>, Option<String>) {
        let (mut encoder, mut inputs) = (encoder(form), InputQueue::default());
        records.iter().for_each(|record| encoder.add_word(&mut inputs, record.as_bytes()));
        encoder.finish(&mut inputs);
        let failure = inputs.first_failed().map(|(_, failure)| failure.message.clone());
        let mut jobs = Vec::new();
        inputs.drain(|job| jobs.push(String::from_utf8(job.to_vec()).expect("text")));
        (jobs, failure)
    }

    fn contents(path: &[u8]) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        match open(&Paths::default(), path, 16, &Written::default(), &mut bytes) {
            Ok(_) => Ok(bytes),
            Err(failure) => Err(failure.message),
        }
    }

    #[test]
    fn several_words_become_an_array_and_what_is_not_json_a_string() {
        let words: [&[u8]; 4] = [b"1", b"a\"b", b"[]", b""];
        assert_eq!(encode(all(), false, &words), Ok(br#"[1,"a\"b",[],""]"#.to_vec()));
        assert_eq!(encode(all(), false, &[]), Ok(b"null".to_vec()));
        assert_eq!(
            encode(all(), false, &[b"123456", b"123456", b"123"]),
            Err("too large: more than 16 bytes".into())
        );
    }

    #[test]
    fn columns_become_an_array_an_object_or_the_only_value() {
        let columns = Words::Columns(Columns::Csv(b','));
        let form = |shape| Form { shape, words: columns.clone(), ..Form::default() };
        let bare = Shape::Array { bare: true, picked: Vec::new() };
        assert_eq!(jobs(form(bare), &["1", "a", "1,2"]).0, ["1", "\"a\"", "[1,2]"]);
        let picked = Shape::Array { bare: false, picked: vec![2, 0] };
        let (made, failure) = jobs(form(picked), &["1,2,3", "1,2"]);
        assert_eq!((made, failure), (vec!["[3,1]".into()], Some("column 3 is missing".into())));
        let object = Shape::Object(vec!["a".into(), "b".into()]);
        let (made, failure) = jobs(form(object), &["1,x", "1", "1,2,3"]);
        assert_eq!(made, ["{\"a\":1,\"b\":\"x\"}", "{\"a\":1}"]);
        assert_eq!(failure, Some("3 columns, and the header has 2".into()));
        let texts = Form { texts: true, ..form(all()) };
        assert_eq!(jobs(texts, &["1,x"]).0, ["[\"1\",\"x\"]"]);
    }

    #[test]
    fn several_records_become_one_job_and_the_last_has_what_is_left() {
        let form = |most| Form { shape: all(), words: Words::Several(most), ..Form::default() };
        assert_eq!(jobs(form(2), &["1", "2", "3"]).0, ["[1,2]", "[3]"]);
        assert_eq!(jobs(form(2), &[]).0, [""; 0]);
        let long = "123456789";
        let (made, failure) = jobs(form(3), &[long, long, "1", "2"]);
        assert_eq!(
            (made, failure),
            (vec!["[2]".into()], Some("too large: more than 16 bytes".into()))
        );
        let none = Form { shape: all(), words: Words::None, ..Form::default() };
        assert_eq!(jobs(none, &["1", "2"]).0, ["null", "null"]);
    }

    #[test]
    fn jsonl_names_the_column_of_what_is_not_json() {
        assert_eq!(encode(Shape::Word, true, &[b"[1, 2]"]), Ok(b"[1, 2]".to_vec()));
        assert_eq!(
            encode(Shape::Word, true, &[b"[1, x]"]),
            Err("not JSON at column 5: expected value".into())
        );
    }

    #[test]
    fn a_file_that_is_missing_too_large_or_no_file_fails_its_job() {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        let path = file.path().as_os_str().as_bytes().to_vec();
        file.write_all(b"0123456789").expect("written");
        assert_eq!(contents(&path), Ok(b"0123456789".to_vec()));
        file.write_all(b"0123456789").expect("written");
        let error = contents(&path).expect_err("20 bytes");
        assert_eq!(error, "too large: more than 16 bytes");
        let error = contents(b"/").expect_err("a folder");
        assert_eq!(error, "cannot open /: neither a regular file nor a pipe");
        let error = contents(b"/nowhere").expect_err("missing");
        assert!(error.starts_with("cannot open /nowhere: No such file"), "{error}");
    }

    #[test]
    fn a_commands_job_holds_its_words_or_its_standard_input() {
        assert_eq!(
            encode(Shape::Arguments, false, &[b"a", b"b"]),
            Ok(b"\x04\0\0\0a\0b\0".to_vec())
        );
        assert_eq!(encode(Shape::Stdin, false, &[b"a b"]), Ok(b"\0\0\0\0a b".to_vec()));
        assert!(encode(Shape::Arguments, false, &[b"a\0b"]).is_err());
    }
}
