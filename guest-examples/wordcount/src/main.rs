//! Word count: a command that prints the lines, words and bytes of standard input, or of each file
//! named as an argument.

use std::env;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::process::ExitCode;

fn main() -> ExitCode {
    let files: Vec<String> = env::args().skip(1).collect();
    if files.is_empty() {
        return print("standard input", count(io::stdin().lock()));
    }
    for file in files {
        let code = print(&file, File::open(&file).and_then(count));
        if code != ExitCode::SUCCESS {
            return code;
        }
    }
    ExitCode::SUCCESS
}

fn print(input: &str, counts: io::Result<Counts>) -> ExitCode {
    match counts {
        Ok(counts) => {
            println!("{counts}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("wordcount: {input}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The numbers that `wc` counts.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.lines, self.words, self.bytes)
    }
}

/// Counts everything that is read from `input`.
fn count(mut input: impl Read) -> io::Result<Counts> {
    let mut counts = Counts::default();
    let mut in_word = false;
    let mut buffer = [0; 16 * 1024];
    loop {
        let size = input.read(&mut buffer)?;
        if size == 0 {
            return Ok(counts);
        }
        counts.bytes += size as u64;
        for byte in &buffer[..size] {
            counts.lines += u64::from(*byte == b'\n');
            let space = byte.is_ascii_whitespace();
            counts.words += u64::from(!space && !in_word);
            in_word = !space;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: impl Read, expect: &str) {
        assert_eq!(count(input).expect("is readable").to_string(), expect);
    }

    #[test]
    fn lines_words_and_bytes_are_counted() {
        check(&b""[..], "0 0 0");
        check(&b"one two\n  three\n\nfour"[..], "3 4 21");
    }

    #[test]
    fn a_word_may_lie_across_two_reads() {
        check(b"one tw".chain(&b"o three"[..]), "0 3 13");
        check(io::repeat(b'x').take(100_000), "0 1 100000");
    }
}
