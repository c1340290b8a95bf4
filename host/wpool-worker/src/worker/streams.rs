//! The standard streams of guests in the form that WASI wants: bytes in memory that never make
//! anybody wait.

use super::log::Log;
use crate::imports::job::OutputTooLarge;
use crate::wire::jobmem::JobMem;
use crate::wire::line::Stream;
use bytes::Bytes;
use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

/// The greatest number of bytes that a guest may write at once.
const WRITE_BYTES_MAX: usize = 64 << 10;

type Ready<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A command's standard input: the bytes of its job.
#[derive(Clone)]
pub(crate) struct Input(Arc<Mutex<Bytes>>);

impl Input {
    /// Makes an input of these bytes.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Input(Arc::new(Mutex::new(Bytes::copy_from_slice(bytes))))
    }

    fn take(&self, size: usize) -> Bytes {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size = size.min(bytes.len());
        bytes.split_to(size)
    }
}

impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let bytes = self.take(size);
        if bytes.is_empty() && size > 0 { Err(StreamError::Closed) } else { Ok(bytes) }
    }
}

impl Pollable for Input {
    fn ready<'a, 'b>(&'a mut self) -> Ready<'b, ()>
    where
        'a: 'b,
    {
        Box::pin(ready(()))
    }
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Input {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

impl AsyncRead for Input {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buffer.put_slice(&self.take(buffer.remaining()));
        Poll::Ready(Ok(()))
    }
}

/// The destination of a standard output or standard error.
#[derive(Clone)]
pub(crate) enum Output {
    /// The output goes to the log, as lines.
    Log(Arc<Log>, Stream),
    /// The output goes to a command's result.
    Result(Arc<Captured>),
}

/// The standard output of a command.
pub(crate) struct Captured {
    bytes: Mutex<Kept>,
    bytes_max: u64,
}

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    /// The offset in `bytes` at which this output begins.
    start: usize,
    /// The job memory in which the output is noted as well, in case that this process is killed.
    noted: Option<Arc<JobMem>>,
}

impl Captured {
    /// Makes an empty capture of at most `bytes_max` bytes.
    pub(crate) fn new(bytes_max: u64) -> Self {
        Captured { bytes: Mutex::default(), bytes_max }
    }

    /// Exchanges the captured bytes with `bytes`, after which the output is appended to the latter.
    pub(crate) fn swap(&self, bytes: &mut Vec<u8>) {
        let mut kept = self.lock();
        if let Some(memory) = &kept.noted {
            memory.forget_printed();
        }
        kept.start = bytes.len();
        std::mem::swap(&mut kept.bytes, bytes);
    }

    /// Notes the output also in job memory.
    pub(crate) fn note_in(&self, memory: Arc<JobMem>) {
        self.lock().noted = Some(memory);
    }

    fn write(&self, bytes: &[u8]) -> Result<(), OutputTooLarge> {
        let mut kept = self.lock();
        if (kept.bytes.len() - kept.start + bytes.len()) as u64 > self.bytes_max {
            return Err(OutputTooLarge);
        }
        kept.bytes.extend_from_slice(bytes);
        if let Some(memory) = &kept.noted {
            memory.note_printed(bytes);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Output {
    fn put(&self, bytes: &[u8]) -> Result<(), OutputTooLarge> {
        match self {
            Output::Log(log, stream) => {
                log.write(*stream, bytes);
                Ok(())
            }
            Output::Result(captured) => captured.write(bytes),
        }
    }
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.put(&bytes).map_err(|error| StreamError::Trap(error.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }

    // WASI's `fd_write` ends here. The default waits before and after; here nothing ever waits.
    fn blocking_write_and_flush<'a, 'b>(&'a mut self, bytes: Bytes) -> Ready<'b, StreamResult<()>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(ready(self.write(bytes)))
    }
}

impl Pollable for Output {
    fn ready<'a, 'b>(&'a mut self) -> Ready<'b, ()>
    where
        'a: 'b,
    {
        Box::pin(ready(()))
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Output {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.put(bytes).map(|()| bytes.len()).map_err(io::Error::other))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
