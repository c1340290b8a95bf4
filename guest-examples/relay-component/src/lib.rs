//! A command of WASI 0.3. Without arguments it copies its input to its output, in capitals; with a word it does
//! what the word says.
//!
//! ```console
//! $ echo hello | wpool run relay-component.wasm
//! HELLO
//! ```

mod bindings {
    #![expect(unsafe_code, reason = "how a component's functions are called")]

    wit_bindgen::generate!({ path: "wit", world: "relay", generate_all });

    use super::Relay;
    export!(Relay);
}

use bindings::exports::wasi::cli::run::Guest;
use bindings::wasi::cli::{environment, exit, stderr, stdin, stdout};
use bindings::wasi::clocks::monotonic_clock;
use bindings::wasi::filesystem::preopens;
use bindings::wasi::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use bindings::wasi::random::random;
use bindings::wit_stream;
use wit_bindgen::{StreamReader, StreamResult, spawn_local};

/// The largest number of bytes that are read at once.
const PIECE_BYTES: usize = 4096;

/// The time that a `tick` takes, in nanoseconds.
const TICK: u64 = 1_000_000;

/// The implementation of the component's world.
struct Relay;

impl Guest for Relay {
    async fn run() -> Result<(), ()> {
        let words = environment::get_arguments();
        let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        match words.as_slice() {
            [] => relay().await,
            ["fail"] => Err(()),
            ["exit"] => {
                exit::exit(Err(()));
                Ok(())
            }
            ["panic"] => panic!("as asked"),
            ["cat", path] => cat(path).await,
            ["print", text] => print(text).await,
            ["warn", text] => warn(text).await,
            ["variable", name] => {
                let all = environment::get_environment();
                let found = all.iter().find(|(known, _)| known == name);
                print(found.map_or("none", |(_, value)| value)).await
            }
            ["random"] => print(&random::get_random_u64().to_string()).await,
            ["clock"] => print(&monotonic_clock::now().to_string()).await,
            ["tick"] => tick().await,
            _ => warn("usage: relay [WORD [TEXT]]\n").await.and(Err(())),
        }
    }
}

/// Copies the input to the output.
async fn relay() -> Result<(), ()> {
    let (input, read) = stdin::read_via_stream();
    let (mut writer, output) = wit_stream::new();
    let written = stdout::write_via_stream(output);
    let mut input = input;
    while let Some(mut piece) = next(&mut input).await {
        piece.make_ascii_uppercase();
        if !writer.write_all(piece).await.is_empty() {
            break;
        }
    }
    drop((writer, input));
    read.await.map_err(drop)?;
    written.await.map_err(drop)
}

/// Waits for input and for time at once, and prints `tick` while there is no input.
async fn tick() -> Result<(), ()> {
    let (mut writer, output) = wit_stream::new();
    let written = stdout::write_via_stream(output);
    spawn_local(async move {
        monotonic_clock::wait_for(TICK).await;
        writer.write_all(b"tick\n".to_vec()).await;
    });
    let (mut input, _) = stdin::read_via_stream();
    while next(&mut input).await.is_some() {}
    written.await.map_err(drop)
}

async fn cat(path: &str) -> Result<(), ()> {
    let Some((directory, _)) = preopens::get_directories().into_iter().next() else {
        return warn("no directory is granted\n").await.and(Err(()));
    };
    let (follow, read) = (PathFlags::SYMLINK_FOLLOW, DescriptorFlags::READ);
    match directory.open_at(follow, path.to_owned(), OpenFlags::empty(), read).await {
        Ok(file) => {
            let (bytes, read) = file.read_via_stream(0);
            stdout::write_via_stream(bytes).await.map_err(drop)?;
            read.await.map_err(drop)
        }
        Err(error) => warn(&format!("{error:?}\n")).await.and(Err(())),
    }
}

async fn print(text: &str) -> Result<(), ()> {
    let (mut writer, output) = wit_stream::new();
    let written = stdout::write_via_stream(output);
    writer.write_all(text.as_bytes().to_vec()).await;
    drop(writer);
    written.await.map_err(drop)
}

async fn warn(text: &str) -> Result<(), ()> {
    let (mut writer, output) = wit_stream::new();
    let written = stderr::write_via_stream(output);
    writer.write_all(text.as_bytes().to_vec()).await;
    drop(writer);
    written.await.map_err(drop)
}

/// Returns the next bytes, at most a piece of them.
async fn next(bytes: &mut StreamReader<u8>) -> Option<Vec<u8>> {
    let (result, piece) = bytes.read(Vec::with_capacity(PIECE_BYTES)).await;
    match result {
        StreamResult::Complete(_) => Some(piece),
        _ if !piece.is_empty() => Some(piece),
        _ => None,
    }
}
