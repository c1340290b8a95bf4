//! The events that the dispatcher waits for.

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

/// The origin of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A worker's pipe of results has bytes, or is at its end.
    Results(u32),
    /// A worker's pipe of jobs has room.
    Jobs(u32),
    /// A worker ended.
    Ended(u32),
    /// The zygote has sent something, or ended.
    Zygote,
    /// The source may have more jobs.
    Source,
    /// The sink can take more bytes.
    Sink,
    /// There may be a command.
    Commands,
}

impl Token {
    fn encode(self) -> u64 {
        let (kind, slot) = match self {
            Token::Results(slot) => (0, slot),
            Token::Jobs(slot) => (1, slot),
            Token::Ended(slot) => (2, slot),
            Token::Zygote => (3, 0),
            Token::Source => (4, 0),
            Token::Sink => (5, 0),
            Token::Commands => (6, 0),
        };
        u64::from(slot) << 8 | kind
    }

    fn decode(data: u64) -> Token {
        let slot = (data >> 8) as u32;
        match data & 0xff {
            0 => Token::Results(slot),
            1 => Token::Jobs(slot),
            2 => Token::Ended(slot),
            3 => Token::Zygote,
            4 => Token::Source,
            5 => Token::Sink,
            _ => Token::Commands,
        }
    }
}

/// The descriptors that are watched.
#[derive(Debug)]
pub(crate) struct Events {
    epoll: Epoll,
    ready: Vec<EpollEvent>,
}

impl Events {
    /// Makes a set of watched descriptors that is empty.
    ///
    /// # Errors
    /// Returns the error of `epoll_create`.
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        Ok(Events { epoll, ready: vec![EpollEvent::empty(); 64] })
    }

    /// Watches a descriptor for bytes to read, or for its end. Returns false for a descriptor that
    /// is always ready (a file).
    ///
    /// # Errors
    /// Returns the error of `epoll_ctl`.
    pub(crate) fn watch_readable(&self, fd: impl AsFd, token: Token) -> io::Result<bool> {
        self.add(fd, token, EpollFlags::EPOLLIN)
    }

    /// Watches a descriptor for room to write.
    ///
    /// # Errors
    /// Returns the same errors as [`Events::watch_readable`].
    pub(crate) fn watch_writable(&self, fd: impl AsFd, token: Token) -> io::Result<bool> {
        self.add(fd, token, EpollFlags::EPOLLOUT)
    }

    fn add(&self, fd: impl AsFd, token: Token, flags: EpollFlags) -> io::Result<bool> {
        match self.epoll.add(fd, EpollEvent::new(flags, token.encode())) {
            Ok(()) => Ok(true),
            Err(nix::errno::Errno::EPERM) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Stops watching a descriptor.
    pub(crate) fn forget(&self, fd: impl AsFd) {
        // The descriptor may have been forgotten already.
        let _ = self.epoll.delete(fd);
    }

    /// Waits for events until the timeout passes (for ever if `None`), and appends them to
    /// `tokens`.
    ///
    /// # Errors
    /// Returns the error of `epoll_wait`.
    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
        tokens: &mut Vec<Token>,
    ) -> io::Result<()> {
        let timeout = match timeout {
            None => EpollTimeout::NONE,
            // The time is rounded up, so that a timer is due when the wait ends.
            Some(left) => {
                let ms = left.as_micros().div_ceil(1000).min(60_000) as u16;
                EpollTimeout::from(ms)
            }
        };
        match self.epoll.wait(&mut self.ready, timeout) {
            Ok(count) => {
                tokens.extend(self.ready[..count].iter().map(|event| Token::decode(event.data())));
                Ok(())
            }
            Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
