//! The standard streams of wpool's own process, for a command that uses them directly: nothing
//! stands between the command and a terminal or a pipe.

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, getpgid, getppid, setpgid};
use std::future::{self, Future};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe::Receiver;
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

/// The greatest number of bytes that are read or written at once.
const PIECE_BYTES_MAX: usize = 64 << 10;

type Promise<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The standard streams of wpool's own process.
pub struct Stdio {
    pub(super) input: OwnInput,
    pub(super) output: OwnOutput,
    pub(super) error: OwnOutput,
    /// The process group of the dispatcher, which gets the signals of a terminal's keys.
    group: Option<Pid>,
}

impl Stdio {
    /// Makes the streams, which are those of this process's parent. Called in the zygote.
    ///
    /// # Errors
    /// Returns an error if the parent has ended.
    pub(crate) fn of_parent(fds: [OwnedFd; 3]) -> io::Result<Stdio> {
        let [input, output, error] = fds.map(Arc::new);
        let group = Some(getpgid(getppid())?);
        let (output, error) = (OwnOutput(output), OwnOutput(error));
        Ok(Stdio { input: OwnInput(input), output, error, group })
    }

    /// Joins the dispatcher's process group, because a terminal stops readers in any other group,
    /// and its Ctrl-C is for the command. Called in the worker.
    ///
    /// # Errors
    /// Returns an error if the group no longer exists.
    pub(super) fn enter(&self) -> io::Result<()> {
        Ok(setpgid(None, self.group)?)
    }
}

/// The standard input.
#[derive(Clone)]
pub(super) struct OwnInput(Arc<OwnedFd>);

/// The standard output, or the standard error.
#[derive(Clone)]
pub(super) struct OwnOutput(Arc<OwnedFd>);

/// Waits until a descriptor is ready, at most for `limit`. Returns whether it is.
fn wait(fd: &OwnedFd, what: PollFlags, limit: Option<&Timespec>) -> rustix::io::Result<bool> {
    match poll(&mut [PollFd::new(fd, what)], limit) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error),
    }
}

impl OwnInput {
    /// Reads the available bytes, waiting if there are none yet. Returns 0 at the end.
    fn read_some(&self, buffer: &mut [u8]) -> rustix::io::Result<usize> {
        loop {
            match rustix::io::read(&*self.0, &mut *buffer) {
                Err(Errno::INTR) => {}
                // Another user of the stream has made it non-blocking.
                Err(Errno::AGAIN) => drop(wait(&self.0, PollFlags::IN, None)?),
                done => return done,
            }
        }
    }

    /// Reads in the form that WASI wants.
    fn take(&self, size: usize) -> StreamResult<Bytes> {
        let mut buffer = vec![0; size.min(PIECE_BYTES_MAX)];
        match self.read_some(&mut buffer).map_err(failed)? {
            0 if size > 0 => Err(StreamError::Closed),
            read => {
                buffer.truncate(read);
                Ok(buffer.into())
            }
        }
    }

    /// Returns whether there is something to read, or the end.
    fn has_input(&self) -> bool {
        poll(&mut [PollFd::new(&*self.0, PollFlags::IN)], Some(&Timespec::default())) != Ok(0)
    }

    /// Waits for something to read while other things are waited for, too.
    async fn readable(&self) {
        // The file may be of any kind: it is only watched, never read from here.
        let watched = self.0.try_clone().and_then(Receiver::from_owned_fd_unchecked);
        // A file cannot be watched, and is always readable.
        if let Ok(watched) = watched {
            // The wait fails if the runtime is gone, and the guest with it.
            let _ = watched.readable().await;
        }
    }
}

impl OwnOutput {
    /// Writes all bytes, waiting as long as it takes.
    fn write_all(&self, mut bytes: &[u8]) -> rustix::io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(&*self.0, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => drop(wait(&self.0, PollFlags::OUT, None)?),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn failed(error: Errno) -> StreamError {
    StreamError::LastOperationFailed(io::Error::from(error).into())
}

impl InputStream for OwnInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match wait(&self.0, PollFlags::IN, Some(&Timespec::default())).map_err(failed)? {
            true => self.take(size),
            false => Ok(Bytes::new()),
        }
    }

    // WASI's `fd_read` ends here.
    fn blocking_read<'a, 'b>(&'a mut self, size: usize) -> Promise<'b, StreamResult<Bytes>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(future::ready(self.take(size)))
    }
}

impl OutputStream for OwnOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_all(&bytes).map_err(failed)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PIECE_BYTES_MAX)
    }

    fn blocking_write_and_flush<'a, 'b>(&'a mut self, bytes: Bytes) -> Promise<'b, StreamResult<()>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(future::ready(self.write(bytes)))
    }
}

impl Pollable for OwnInput {
    fn ready<'a, 'b>(&'a mut self) -> Promise<'b, ()>
    where
        'a: 'b,
    {
        Box::pin(self.readable())
    }
}

impl Pollable for OwnOutput {
    // A write waits by itself for room.
    fn ready<'a, 'b>(&'a mut self) -> Promise<'b, ()>
    where
        'a: 'b,
    {
        Box::pin(future::ready(()))
    }
}

impl IsTerminal for OwnInput {
    fn is_terminal(&self) -> bool {
        std::io::IsTerminal::is_terminal(&self.0.as_fd())
    }
}

impl IsTerminal for OwnOutput {
    fn is_terminal(&self) -> bool {
        std::io::IsTerminal::is_terminal(&self.0.as_fd())
    }
}

impl StdinStream for OwnInput {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(Awaited { stream: self.clone(), waiting: None })
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

impl StdoutStream for OwnOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

/// An input for which a component waits while its other tasks go on.
struct Awaited {
    stream: OwnInput,
    /// The wait that is under way.
    waiting: Option<Wait>,
}

type Wait = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

impl AsyncRead for Awaited {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.stream.has_input() {
            let stream = self.stream.clone();
            let wait = || -> Wait { Box::pin(async move { stream.readable().await }) };
            ready!(self.waiting.get_or_insert_with(wait).as_mut().poll(cx));
        }
        self.waiting = None;
        let read = self.stream.read_some(buffer.initialize_unfilled());
        Poll::Ready(read.map(|read| buffer.advance(read)).map_err(io::Error::from))
    }
}

impl AsyncWrite for OwnOutput {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write_all(bytes).map(|()| bytes.len()).map_err(io::Error::from))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
