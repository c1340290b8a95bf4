//! SHA-256: a command that prints the digest of standard input, or of each file named as an
//! argument.

use std::env;
use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::process::ExitCode;

use sha2::{Digest, Sha256};

fn main() -> ExitCode {
    let files: Vec<String> = env::args().skip(1).collect();
    if files.is_empty() {
        return print("standard input", digest(io::stdin().lock()));
    }
    for file in files {
        let code = print(&file, File::open(&file).and_then(digest));
        if code != ExitCode::SUCCESS {
            return code;
        }
    }
    ExitCode::SUCCESS
}

fn print(input: &str, digest: io::Result<String>) -> ExitCode {
    match digest {
        Ok(digest) => {
            println!("{digest}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("sha256: {input}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the digest of everything that is read from `input`, in hexadecimal.
fn digest(mut input: impl Read) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let size = input.read(&mut buffer)?;
        if size == 0 {
            break;
        }
        hasher.update(&buffer[..size]);
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        write!(hex, "{byte:02x}").expect("a String takes all text");
    }
    Ok(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expect: &str) {
        assert_eq!(digest(input).expect("a slice is always readable"), expect);
    }

    #[test]
    fn digests_are_those_of_the_standard() {
        check(b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        check(b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        check(
            &[b'a'; 1_000_000],
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        );
    }
}
