//! How the words of a job become the bytes that a worker gets.

use super::names::Names;
use crate::cli::output::resume::Skip;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use wpool::pool::feed::Intake;
use wpool::wire::failure::{Failure, FailureKind};
use wpool::wire::settings::command_job;

/// What a job is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The only word, as it is.
    Word,
    /// A JSON array of the words; one that is not JSON becomes a string.
    Array,
    /// A command's arguments.
    Arguments,
    /// A command's standard input: the only word.
    Stdin,
}

/// Makes jobs of words.
#[derive(Debug)]
pub(crate) struct Encoder {
    shape: Shape,
    /// Whether the only word is the path of a file whose bytes are the job.
    files: bool,
    /// Whether each word must be JSON.
    jsonl: bool,
    bytes_max: usize,
    skip: Option<Skip>,
    names: Names,
    /// Whether a word is a job as it is: the fast path.
    plain: bool,
    scratch: Vec<u8>,
}

impl Encoder {
    /// An encoder of jobs of at most `bytes_max` bytes.
    pub(crate) fn new(
        shape: Shape,
        files: bool,
        jsonl: bool,
        bytes_max: usize,
        skip: Option<Skip>,
        names: Names,
    ) -> Self {
        let plain = shape == Shape::Word && !files && !jsonl && skip.is_none();
        Encoder { shape, files, jsonl, bytes_max, skip, names, plain, scratch: Vec::new() }
    }

    /// Adds the job of a single word.
    #[inline]
    pub(crate) fn add_word(&mut self, intake: &mut Intake, word: &[u8]) {
        if self.plain && word.len() <= self.bytes_max {
            intake.push(word);
        } else {
            self.add(intake, &[word]);
        }
    }

    /// Adds the job of these words, at least one.
    pub(crate) fn add(&mut self, intake: &mut Intake, words: &[&[u8]]) {
        let job = intake.next_number();
        if self.skip.as_ref().is_some_and(|skip| skip.contains(job)) {
            return intake.skip();
        }
        if self.files {
            self.names.opened(job, words[0]);
        }
        match self.encode(words) {
            Ok(bytes) => intake.push(&bytes),
            Err(failure) => self.fail(intake, &words.join(&b' '), failure),
        }
    }

    /// Adds a job whose word is too long to be kept; `start` is its beginning.
    pub(crate) fn add_too_large(&mut self, intake: &mut Intake, start: &[u8]) {
        let job = intake.next_number();
        match self.skip.as_ref().is_some_and(|skip| skip.contains(job)) {
            true => intake.skip(),
            false => self.fail(intake, start, too_large(self.bytes_max)),
        }
    }

    /// Adds a job that cannot be run. Its input has the form that jobs of its kind have.
    fn fail(&self, intake: &mut Intake, text: &[u8], failure: Failure) {
        match self.shape {
            Shape::Word | Shape::Array => intake.fail(text, failure),
            Shape::Arguments | Shape::Stdin => {
                let job = command_job(&[], text).expect("no word holds a NUL byte");
                intake.fail(&job, failure);
            }
        }
    }

    /// Most bytes of a word.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    fn encode<'a>(&'a mut self, words: &[&'a [u8]]) -> Result<Cow<'a, [u8]>, Failure> {
        let text: &'a [u8] = match self.files {
            true => {
                read_file(words[0], self.bytes_max, &mut self.scratch)?;
                &self.scratch
            }
            false => words[0],
        };
        if text.len() > self.bytes_max {
            return Err(too_large(self.bytes_max));
        }
        if self.jsonl {
            words.iter().try_for_each(|word| check_json(word))?;
        }
        match self.shape {
            Shape::Word => Ok(Cow::Borrowed(text)),
            Shape::Array => array(words).map(Cow::Owned),
            Shape::Arguments if self.files => command(words, text).map(Cow::Owned),
            Shape::Arguments => command(words, b"").map(Cow::Owned),
            Shape::Stdin => command(&[], text).map(Cow::Owned),
        }
    }
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::InvalidJob, message)
}

fn too_large(bytes_max: usize) -> Failure {
    invalid(format!("too large: more than {bytes_max} bytes"))
}

fn command(words: &[&[u8]], stdin: &[u8]) -> Result<Vec<u8>, Failure> {
    command_job(words, stdin).map_err(|_| invalid("an argument cannot hold a NUL byte"))
}

/// The words as a JSON array.
fn array(words: &[&[u8]]) -> Result<Vec<u8>, Failure> {
    let mut array = vec![b'['];
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            array.push(b',');
        }
        if is_json(word) {
            array.extend_from_slice(word);
        } else {
            let text = std::str::from_utf8(word)
                .map_err(|_| invalid(format!("word {} is not UTF-8", index + 1)))?;
            serde_json::to_writer(&mut array, text).expect("a string can be written to memory");
        }
    }
    array.push(b']');
    Ok(array)
}

/// Whether the bytes are one JSON value.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

fn check_json(word: &[u8]) -> Result<(), Failure> {
    match serde_json::from_slice::<IgnoredAny>(word) {
        Ok(IgnoredAny) => Ok(()),
        Err(error) => {
            // The record's own line is told with the job; serde_json's is always 1.
            let text = error.to_string();
            let text = text.split(" at line ").next().unwrap_or_default();
            Err(invalid(format!("not JSON at column {}: {text}", error.column())))
        }
    }
}

/// Replaces `bytes` by those of the file. Only a regular file will do: reading anything else
/// might not end.
fn read_file(path: &[u8], bytes_max: usize, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    bytes.clear();
    let open = || -> io::Result<File> {
        let path = Path::new(std::ffi::OsStr::from_bytes(path));
        let nonblocking = nix::fcntl::OFlag::O_NONBLOCK.bits();
        let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::other("not a regular file")),
        }
    };
    let read = |bytes: &mut Vec<u8>| open()?.take(bytes_max as u64 + 1).read_to_end(bytes);
    match read(bytes) {
        Ok(length) if length > bytes_max => Err(too_large(bytes_max)),
        Ok(_) => Ok(()),
        Err(error) => {
            let path = String::from_utf8_lossy(path);
            Err(invalid(format!("cannot open {path}: {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn encode(shape: Shape, files: bool, jsonl: bool, words: &[&[u8]]) -> Result<Vec<u8>, String> {
        let mut encoder = Encoder::new(shape, files, jsonl, 16, None, Names::words());
        encoder.encode(words).map(Cow::into_owned).map_err(|failure| failure.message)
    }

    #[test]
    fn several_words_become_an_array_and_what_is_not_json_a_string() {
        let words: [&[u8]; 4] = [b"1", b"a\"b", b"[2]", b""];
        assert_eq!(
            encode(Shape::Array, false, false, &words),
            Ok(br#"[1,"a\"b",[2],""]"#.to_vec())
        );
    }

    #[test]
    fn jsonl_names_the_column_of_what_is_not_json() {
        assert_eq!(encode(Shape::Word, false, true, &[b"[1, 2]"]), Ok(b"[1, 2]".to_vec()));
        assert_eq!(
            encode(Shape::Word, false, true, &[b"[1, x]"]),
            Err("not JSON at column 5: expected value".into())
        );
    }

    #[test]
    fn a_file_that_is_missing_too_large_or_no_file_fails_its_job() {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        let path = file.path().as_os_str().as_bytes().to_vec();
        file.write_all(b"0123456789").expect("written");
        assert_eq!(encode(Shape::Word, true, false, &[&path]), Ok(b"0123456789".to_vec()));
        file.write_all(b"0123456789").expect("written");
        let error = encode(Shape::Word, true, false, &[&path]).expect_err("20 bytes");
        assert_eq!(error, "too large: more than 16 bytes");
        let error = encode(Shape::Word, true, false, &[b"/"]).expect_err("a folder");
        assert_eq!(error, "cannot open /: not a regular file");
        let error = encode(Shape::Word, true, false, &[b"/nowhere"]).expect_err("missing");
        assert!(error.starts_with("cannot open /nowhere: No such file"), "{error}");
    }

    #[test]
    fn a_commands_job_holds_its_words_or_its_standard_input() {
        assert_eq!(
            encode(Shape::Arguments, false, false, &[b"a", b"b"]),
            Ok(b"\x04\0\0\0a\0b\0".to_vec())
        );
        assert_eq!(encode(Shape::Stdin, false, false, &[b"a b"]), Ok(b"\0\0\0\0a b".to_vec()));
        assert!(encode(Shape::Arguments, false, false, &[b"a\0b"]).is_err());
    }
}
