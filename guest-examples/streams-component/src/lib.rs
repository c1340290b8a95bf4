//! Asynchronous tasks of a component: they wait for time to pass, and they take and give streams.
//!
//! ```console
//! $ wpool map streams-component.wasm --task shout -R -r ::: 'hello world'
//! HELLO WORLD
//! ```

mod bindings {
    #![expect(unsafe_code, reason = "how a component's functions are called")]

    wit_bindgen::generate!({ path: "wit", world: "streams", generate_all });

    use super::Streams;
    export!(Streams);
}

use bindings::wasi::clocks::monotonic_clock::wait_for;
use bindings::{wit_future, wit_stream};
use std::sync::atomic::{AtomicU32, Ordering};
use wit_bindgen::{FutureReader, StreamReader, StreamResult, StreamWriter, spawn_local};
use wpool_guest::{Lock, Value};

/// The largest number of bytes that are read or written at once.
const PIECE_BYTES: usize = 4096;

/// The number of nanoseconds in a millisecond.
const MILLISECOND: u64 = 1_000_000;

static CALLS: AtomicU32 = AtomicU32::new(0);

/// The implementation of the component's world.
struct Streams;

impl bindings::Guest for Streams {
    async fn square_later(n: i64, milliseconds: u32) -> i64 {
        wait_for(u64::from(milliseconds) * MILLISECOND).await;
        n.wrapping_mul(n)
    }

    async fn shout(mut text: StreamReader<u8>) -> StreamReader<u8> {
        let (mut writer, reader) = wit_stream::new();
        spawn_local(async move {
            while let Some(mut piece) = next(&mut text).await {
                piece.make_ascii_uppercase();
                if !writer.write_all(piece).await.is_empty() {
                    break;
                }
            }
        });
        reader
    }

    async fn measure(mut bytes: StreamReader<u8>) -> (u64, u64) {
        let (mut count, mut sum) = (0, 0);
        while let Some(piece) = next(&mut bytes).await {
            count += piece.len() as u64;
            sum += piece.into_iter().map(u64::from).sum::<u64>();
        }
        (count, sum)
    }

    async fn evens(n: i64) -> (StreamReader<i64>, FutureReader<u64>) {
        let (mut writer, reader) = wit_stream::new();
        let (told, many) = wit_future::new(|| 0);
        spawn_local(async move {
            let mut count = 0;
            for even in (0..n).step_by(2) {
                writer.write_one(even).await;
                count += 1;
            }
            drop(writer);
            // The caller may have gone.
            let _ = told.write(count).await;
        });
        (reader, many)
    }

    async fn words(text: FutureReader<String>) -> Result<StreamReader<String>, String> {
        let text = text.await;
        if text.is_empty() {
            return Err("there are no words".into());
        }
        let (mut writer, reader) = wit_stream::new();
        spawn_local(async move {
            for word in text.split_whitespace() {
                writer.write_one(word.to_owned()).await;
            }
        });
        Ok(reader)
    }

    async fn zeros(bytes: u64, endless: bool) -> Result<StreamReader<u8>, String> {
        let (writer, reader) = wit_stream::new();
        spawn_local(write_zeros(writer, bytes, endless));
        Ok(reader)
    }

    async fn add_after(n: i64) -> i64 {
        spawn_local(async move {
            wit_bindgen::yield_async().await;
            let guard = Lock::open("guard").expect("there is a lock");
            let _held = guard.lock().expect("its owners live");
            let total: Value<i64> = Value::open("total").expect("there is a value");
            total.set(total.get() + n);
        });
        n
    }

    async fn busy_after() -> u32 {
        spawn_local(async {
            loop {
                wit_bindgen::yield_async().await;
            }
        });
        1
    }

    fn count() -> u32 {
        CALLS.fetch_add(1, Ordering::Relaxed) + 1
    }

    async fn prepare() {
        // The waiting goes on in the worker that goes on from here.
        spawn_local(async {
            wait_for(20 * MILLISECOND).await;
            CALLS.fetch_add(1000, Ordering::Relaxed);
        });
        wait_for(MILLISECOND).await;
        CALLS.fetch_add(100, Ordering::Relaxed);
    }

    async fn prepared() -> u32 {
        while CALLS.load(Ordering::Relaxed) < 1000 {
            wait_for(MILLISECOND).await;
        }
        CALLS.load(Ordering::Relaxed)
    }

    async fn forget() -> StreamReader<u8> {
        let (writer, reader) = wit_stream::new();
        std::mem::forget(writer);
        reader
    }

    async fn crowd(tasks: u32, milliseconds: u32) -> u32 {
        let (mut writer, mut reader) = wit_stream::new();
        let mut writers = Vec::new();
        for _ in 0..tasks {
            let (mut one, done) = wit_stream::new::<u8>();
            spawn_local(async move {
                wait_for(u64::from(milliseconds) * MILLISECOND).await;
                one.write_one(1).await;
            });
            writers.push(done);
        }
        spawn_local(async move {
            for mut done in writers {
                writer.write_one(done.next().await.expect("each writes")).await;
            }
        });
        let mut count = 0;
        while let Some(one) = reader.next().await {
            count += u32::from(one);
        }
        count
    }

    async fn panic_later(why: String) {
        wait_for(MILLISECOND).await;
        panic!("{why}");
    }

    async fn grow_later(mebibytes: u32) -> u32 {
        wait_for(MILLISECOND).await;
        let memory = vec![1u8; (mebibytes as usize) << 20];
        std::hint::black_box(&memory).len() as u32 >> 20
    }

    async fn spin() {
        wait_for(MILLISECOND).await;
        loop {
            std::hint::black_box(0);
        }
    }
}

/// Returns the next bytes, at most a piece of them.
async fn next(bytes: &mut StreamReader<u8>) -> Option<Vec<u8>> {
    let (result, piece) = bytes.read(Vec::with_capacity(PIECE_BYTES)).await;
    match result {
        StreamResult::Complete(_) => Some(piece),
        StreamResult::Dropped | StreamResult::Cancelled if !piece.is_empty() => Some(piece),
        StreamResult::Dropped | StreamResult::Cancelled => None,
    }
}

async fn write_zeros(mut writer: StreamWriter<u8>, mut bytes: u64, endless: bool) {
    while bytes > 0 || endless {
        let piece = if endless { PIECE_BYTES } else { PIECE_BYTES.min(bytes as usize) };
        if !writer.write_all(vec![0; piece]).await.is_empty() {
            return;
        }
        bytes = bytes.saturating_sub(piece as u64);
    }
}
