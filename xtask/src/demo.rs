//! `cargo xtask demo`: shows what wpool does, command by command, and checks results against native
//! tools.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Instant;

use crate::{Result, command, guests};

/// Builds guests and host and runs the demonstration; fails if a result is wrong.
pub fn run() -> Result {
    guests::build()?;
    command::run(&mut command::cargo(["build", "--release"]))?;

    let square = "target/guests/square.wasm";
    wpool(&["map", square, "--task", "compute_squares", "--range", "0..12", "-j", "4"])?;
    let numbers = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    wpool(&[&["map", "target/guests/roots.wasm", ":::"][..], &numbers].concat())?;
    wpool(&["map", "target/guests/product.wasm", ":::", "[1,2,3]", "[3,4,5]"])?;
    wpool(&["map", "target/guests/cubes.wasm", "--task", "cubes_sum", "--range", "0..8"])?;
    wpool(&["map", "target/guests/evens.wasm", ":::", "[0,1,2,3,4,5,6,7,8,9]"])?;
    processes()?;
    product()?;
    digests()
}

/// Runs the seed's processes: alone, with a queue, and with a value that they change without a lock
/// and then with one.
fn processes() -> Result {
    let list = "([1,2,3,4,5,6,7,8,9,10])";
    let (squares, roots) = (format!("calc_square{list}"), format!("calc_square_root{list}"));
    wpool(&["run", "target/guests/numbers.wasm", &squares, &roots])?;
    let numbers: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let evens = format!("put_evens([{}])", numbers.join(","));
    wpool(&["run", "target/guests/evens.wasm", &evens, "--queue", "evens", "--show", "evens"])?;
    let mut balance = vec!["--value", "balance=i32:1", "--lock", "guard", "--show", "balance"];
    balance.extend(["--barrier", "start=2"]);
    for calls in
        [["add(10000)", "subtract(10000)"], ["add_locked(10000)", "subtract_locked(10000)"]]
    {
        wpool(&[&["run", "target/guests/counter.wasm"], &calls[..], &balance].concat())?;
    }
    Ok(())
}

/// The number of rows and columns of the matrices.
const N: usize = 256;

/// Multiplies matrices in regions by two processes, and compares the product with the same product
/// made here.
fn product() -> Result {
    let folder = Folder::create()?;
    let path = |name: &str| folder.0.join(name).display().to_string();
    let number = |n: usize| (n * 7919 % 1000) as f64 / 8.0;
    let a: Vec<f64> = (0..N * N).map(number).collect();
    let b: Vec<f64> = (0..N * N).map(|n| number(n + 1)).collect();
    for (name, matrix) in [("a", &a), ("b", &b)] {
        let bytes: Vec<u8> = matrix.iter().flat_map(|number| number.to_le_bytes()).collect();
        fs::write(path(name), bytes)?;
    }
    let half = N / 2;
    wpool(&[
        "run",
        "target/guests/matrix.wasm",
        &format!("multiply({N},0,{half})"),
        &format!("multiply({N},{half},{N})"),
        "--region",
        &format!("a=@{}:ro", path("a")),
        "--region",
        &format!("b=@{}:ro", path("b")),
        "--region",
        &format!("c:{}", N * N * 8),
        "--save",
        &format!("c={}", path("c")),
    ])?;
    let c = fs::read(path("c"))?;
    let wrong = (0..N * N).filter(|&at| {
        let (row, column) = (at / N, at % N);
        // The products are added in the guest's order, so that not even the last bit may differ.
        let sum = (0..N).fold(0.0, |sum, k| sum + a[row * N + k] * b[k * N + column]);
        c[at * 8..][..8] != sum.to_le_bytes()
    });
    match wrong.count() {
        0 => println!("{N} × {N} numbers: all agree with the product made here"),
        wrong => return Err(format!("{wrong} numbers of the product are wrong").into()),
    }
    Ok(())
}

/// Shows a command and runs it with the binary just built.
fn wpool<S: AsRef<OsStr>>(arguments: &[S]) -> Result {
    println!("\n$ {}", command::typed(&command::command("wpool", arguments)));
    command::run(&mut command::command("target/release/wpool", arguments))
}

/// Digests every source file that cargo has downloaded, each in a fresh sandbox, and compares the
/// digests with those of `sha256sum`.
fn digests() -> Result {
    let files = regular_files(&cargo_home()?.join("registry/src"))?;
    if files.is_empty() {
        return Err("cargo's registry has no sources to digest".into());
    }
    let bytes = files.iter().map(|file| Ok(file.metadata()?.len())).sum::<io::Result<u64>>()?;

    let folder = Folder::create()?;
    let (list, digests) = (folder.0.join("files"), folder.0.join("digests"));
    write_list(&list, &files)?;

    let start = Instant::now();
    let mut arguments: Vec<&OsStr> = Vec::new();
    arguments.extend(["map", "--isolation", "fresh", "target/guests/sha256.wasm"].map(OsStr::new));
    arguments.extend(["--files", "-0", "-a"].map(OsStr::new));
    arguments.extend([list.as_os_str(), OsStr::new("-o"), digests.as_os_str()]);
    wpool(&arguments)?;
    let seconds = start.elapsed().as_secs_f64();

    let expected = sha256sum(&list)?;
    compare(&files, &fs::read_to_string(&digests)?, &expected)?;
    println!(
        "{} files, {bytes} bytes, {seconds:.2} s: all digests agree with sha256sum",
        files.len()
    );
    Ok(())
}

fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    let home = env::var_os("HOME").ok_or("neither CARGO_HOME nor HOME is set")?;
    Ok(Path::new(&home).join(".cargo"))
}

/// Returns all regular files below `folder`, in a fixed order; links are not followed.
fn regular_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder);
        for entry in entries.map_err(|error| format!("{}: {error}", folder.display()))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Writes paths separated by NUL, which no path can contain.
fn write_list(list: &Path, files: &[PathBuf]) -> io::Result<()> {
    let mut out = io::BufWriter::new(File::create(list)?);
    for file in files {
        out.write_all(file.as_os_str().as_bytes())?;
        out.write_all(b"\0")?;
    }
    out.flush()
}

/// Returns the output of `sha256sum` for each file in the list, in the list's order.
fn sha256sum(list: &Path) -> Result<Vec<String>> {
    let mut xargs = command::command("xargs", ["-0", "sha256sum", "--"]);
    let output = command::bytes(xargs.stdin(File::open(list)?))?;
    Ok(output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(digest_of).collect())
}

/// Returns the digest at the start of a line. A backslash before the digest says that the name
/// after it is quoted.
fn digest_of(line: &[u8]) -> String {
    let line = line.strip_prefix(b"\\").unwrap_or(line);
    String::from_utf8_lossy(&line[..line.len().min(64)]).into_owned()
}

/// Compares one digest a line with those expected, in the order of the files; names the first few
/// differences.
fn compare(files: &[PathBuf], digests: &str, expected: &[String]) -> Result {
    let digests: Vec<&str> = digests.lines().collect();
    if digests.len() != files.len() || expected.len() != files.len() {
        let (wpool, native) = (digests.len(), expected.len());
        let files = files.len();
        return Err(format!("{files} files, but {wpool} digests, and {native} by sha256sum").into());
    }
    let differing: Vec<usize> = (0..files.len()).filter(|&n| digests[n] != expected[n]).collect();
    for &n in differing.iter().take(5) {
        eprintln!("{:?}: {}, sha256sum says {}", files[n], digests[n], expected[n]);
    }
    match differing.len() {
        0 => Ok(()),
        count => Err(format!("{count} digests of {} are wrong", files.len()).into()),
    }
}

/// A temporary folder, removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn create() -> io::Result<Self> {
        let path = env::temp_dir().join(format!("wpool-demo-{}", process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that cannot be removed is left to the system, like any temporary file.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_odd_names_are_digested_natively() {
        let folder = Folder::create().expect("is writable");
        let below = folder.0.join("below");
        fs::create_dir(&below).expect("is writable");
        for name in ["plain", "two\nlines", "back\\slash", "-dash"] {
            fs::write(below.join(name), name).expect("is writable");
        }
        let files = regular_files(&below).expect("is readable");
        let list = folder.0.join("list");
        write_list(&list, &files).expect("is writable");
        let digests = sha256sum(&list).expect("sha256sum is installed");
        assert_eq!(digests.len(), 4);
        assert!(digests.iter().all(|digest| digest.len() == 64), "{digests:?}");
        compare(&files, &(digests.join("\n") + "\n"), &digests).expect("they agree");
        compare(&files, &digests[1..].join("\n"), &digests).expect_err("one is missing");
        compare(&files, &"0\n".repeat(4), &digests).expect_err("they differ");
    }
}
