//! The standard streams of whoever runs wpool, where a command is to use them itself: nothing stands
//! between it and a terminal or a pipe.

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, getpgid, getppid, setpgid};
use std::future::{Future, ready};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe::Receiver;
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

/// Most bytes that are read or written at once.
const PIECE_BYTES_MAX: usize = 64 << 10;

type Promise<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The standard streams of whoever runs wpool.
pub(crate) struct Stdio {
    pub(super) input: OwnStream,
    pub(super) output: OwnStream,
    pub(super) error: OwnStream,
    /// The dispatcher's process group, which a terminal's keys go to.
    group: Option<Pid>,
}

impl Stdio {
    /// These streams, of this process' parent. Called in the zygote.
    ///
    /// # Errors
    /// The parent has ended.
    pub(crate) fn of_parent(fds: [OwnedFd; 3]) -> io::Result<Stdio> {
        let [input, output, error] = fds.map(|fd| OwnStream(Arc::new(fd)));
        let group = Some(getpgid(getppid())?);
        Ok(Stdio { input, output, error, group })
    }

    /// Joins the dispatcher's process group: a terminal stops others that read from it, and its Ctrl-C
    /// is for the command. Called in the worker.
    ///
    /// # Errors
    /// The group has gone.
    pub(super) fn enter(&self) -> io::Result<()> {
        Ok(setpgid(None, self.group)?)
    }
}

/// One of them.
#[derive(Clone)]
pub(super) struct OwnStream(Arc<OwnedFd>);

impl OwnStream {
    /// Reads what is there; waits if there is nothing yet. 0 bytes are the end.
    fn read_some(&self, buffer: &mut [u8]) -> rustix::io::Result<usize> {
        loop {
            match rustix::io::read(&*self.0, &mut *buffer) {
                Err(Errno::INTR) => {}
                // Somebody else who has the stream open made it so.
                Err(Errno::AGAIN) => self.wait(PollFlags::IN)?,
                done => return done,
            }
        }
    }

    /// Writes all; waits as long as it takes.
    fn write_all(&self, mut bytes: &[u8]) -> rustix::io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(&*self.0, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT)?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn wait(&self, what: PollFlags) -> rustix::io::Result<()> {
        match poll(&mut [PollFd::new(&*self.0, what)], None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Waits for something to read while other things are waited for, too.
    async fn readable(&self) {
        // Whatever it is: it is only watched, never read from here.
        let watched = self.0.try_clone().and_then(Receiver::from_owned_fd_unchecked);
        // A file cannot be watched, and is always readable.
        if let Ok(watched) = watched {
            // Fails if the runtime is gone, and the guest with it.
            let _ = watched.readable().await;
        }
    }
}

fn failed(error: Errno) -> StreamError {
    StreamError::LastOperationFailed(io::Error::from(error).into())
}

impl InputStream for OwnStream {
    // Waits where the trait says that it does not: WASI's `fd_read` wants it so.
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let mut buffer = vec![0; size.min(PIECE_BYTES_MAX)];
        match self.read_some(&mut buffer).map_err(failed)? {
            0 if size > 0 => Err(StreamError::Closed),
            read => {
                buffer.truncate(read);
                Ok(buffer.into())
            }
        }
    }

    fn blocking_read<'a, 'b>(&'a mut self, size: usize) -> Promise<'b, StreamResult<Bytes>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(ready(self.read(size)))
    }
}

impl OutputStream for OwnStream {
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
        Box::pin(ready(self.write(bytes)))
    }
}

impl Pollable for OwnStream {
    fn ready<'a, 'b>(&'a mut self) -> Promise<'b, ()>
    where
        'a: 'b,
    {
        Box::pin(self.readable())
    }
}

impl IsTerminal for OwnStream {
    fn is_terminal(&self) -> bool {
        std::io::IsTerminal::is_terminal(&self.0.as_fd())
    }
}

impl StdinStream for OwnStream {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

impl StdoutStream for OwnStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncRead for OwnStream {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.read_some(buffer.initialize_unfilled());
        Poll::Ready(read.map(|read| buffer.advance(read)).map_err(io::Error::from))
    }
}

impl AsyncWrite for OwnStream {
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
