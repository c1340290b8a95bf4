//! The control socket: what dispatcher and zygote say to each other.
//!
//! A sequenced-packet socket, one message a packet, as JSON, with descriptors beside it. Payloads
//! without a small bound (the module, what is known of it, settings) travel in memfds.

use super::directory::DIRECTORIES_MAX;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Most bytes of one message.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// Most bytes of a text inside a message; longer ones are cut by their sender.
const TEXT_BYTES_MAX: usize = 8 << 10;

/// Most descriptors beside one message.
const DESCRIPTORS_MAX: usize = 8 + DIRECTORIES_MAX;

/// Most bytes of the records of a run in one process.
pub const ALONE_BYTES_MAX: u64 = 1 << 30;

/// What stands in the place of the nanoseconds of a run in one process whose job was too slow.
pub const JOB_TOO_SLOW: u64 = u64::MAX;

/// What the dispatcher asks of the zygote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToZygote {
    /// What makes machine code usable by this program: answered by [`FromZygote::Compatible`].
    Compatibility {
        /// Whether jobs will have a limit of fuel.
        fuel: bool,
    },
    /// Compile a module in a process of its own: answered by [`FromZygote::Compiled`].
    /// Descriptors: the module, where its description (JSON) goes, and where the machine code goes; it is
    /// only described where there is no third one.
    Compile {
        /// Whether jobs will have a limit of fuel.
        fuel: bool,
        /// Whether functions are inlined across the modules of a component.
        inline: bool,
        /// Most bytes of writable memory of the compiler process.
        bytes_max: u64,
        /// Longest time in milliseconds.
        timeout_ms: u64,
        /// Whether imports that nobody provides are no error.
        stub_imports: bool,
    },
    /// Load the machine code and link it: answered by [`FromZygote::Loaded`], with a memfd of [`Line`]s where
    /// a guest was initialised.
    /// Descriptors: the machine code, a [`Load`] as JSON, and what that says follows: those of shared
    /// state, then, if the settings say so, the dispatcher's standard input, output and error, then the
    /// granted folders and the one for scratch folders.
    Load,
    /// Run all jobs in one process: answered by [`FromZygote::Alone`].
    /// Descriptors: the jobs ([`Entries`](super::frame::Entries)), and where what came of them goes: the
    /// nanoseconds that they took (`u64 LE`) and their records, or [`JOB_TOO_SLOW`] and the number of the job
    /// (`u64 LE`) that took longer than the time for each.
    Alone {
        /// How many threads run them; more than one for a native library only.
        threads: usize,
        /// Longest time of a job in milliseconds.
        timeout_ms: Option<u64>,
    },
    /// Wait for the end of the workers, and end: not answered.
    Finish,
    /// Fork a worker: answered by [`FromZygote::Forked`] and, once it ended, [`FromZygote::Exited`].
    /// Descriptors: the pipe of jobs (to read), the pipe of results (to write), the job memory.
    Fork {
        /// The worker.
        worker: WorkerId,
        /// Who it is in shared state, if there is one.
        member: Option<Membership>,
    },
}

/// A slot of shared state in one of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Membership {
    /// The slot.
    pub slot: u16,
    /// Which of its lives.
    pub epoch: u32,
}

/// What a zygote must know to link a module and to start workers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load<S, D> {
    /// Whether the descriptors of control memory and of the memory of regions follow.
    pub shared: bool,
    /// Settings of the workers.
    pub settings: S,
    /// Description of the module.
    pub description: D,
}

/// One life of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerId {
    /// Its slot.
    pub slot: u32,
    /// How often the slot was used before.
    pub epoch: u64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitStatus {
    /// With an exit code.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

impl ExitStatus {
    /// Returns the status, as far as it is one that the system can tell.
    pub fn checked(self) -> Option<ExitStatus> {
        let possible = match self {
            ExitStatus::Code(code) => (0..=255).contains(&code),
            ExitStatus::Signal(signal) => (1..=64).contains(&signal),
        };
        possible.then_some(self)
    }
}

/// What the zygote answers and reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromZygote {
    /// The answer to [`ToZygote::Compatibility`].
    Compatible {
        /// Equal hashes: machine code can be exchanged.
        hash: u64,
    },
    /// The answer to [`ToZygote::Compatibility`] of a zygote that cannot fork: why not.
    Unfit(String),
    /// The module is compiled, or why not.
    Compiled(Result<(), Uncompiled>),
    /// The module is linked, or why not. Where a guest was to be initialised, what it printed is in a
    /// descriptor, and in another one, if it failed, its failure (JSON).
    Loaded(Result<(), Unloaded>),
    /// All jobs were run in one process, or why not.
    Alone(Result<(), String>),
    /// A worker was forked, or why not. Descriptor: its pidfd.
    Forked {
        /// The worker.
        worker: WorkerId,
        /// Its process id, or why there is none.
        pid: Result<i32, String>,
    },
    /// A worker ended and was reaped.
    Exited {
        /// The worker.
        worker: WorkerId,
        /// How it ended.
        status: ExitStatus,
    },
}

/// Why there is no machine code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Uncompiled {
    /// The module is refused, or the compiler was lost: in words for the user.
    Refused(String),
    /// Compiling needs more memory than it may have.
    Memory,
    /// Compiling takes longer than it may.
    Time,
}

/// Why a module is not linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unloaded {
    /// In words for the user.
    Refused(String),
    /// The guest failed while it was initialised.
    Init,
}

/// Cuts a text so that it fits into a message.
pub fn cut_text(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        let end = (0..=TEXT_BYTES_MAX).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
        text.push_str(" …");
    }
    text
}

/// One end of a control socket.
#[derive(Debug)]
pub struct ControlSocket(OwnedFd);

impl ControlSocket {
    /// Both ends of a new one.
    ///
    /// # Errors
    /// That of socketpair.
    pub fn pair() -> io::Result<(ControlSocket, OwnedFd)> {
        let kind = SocketType::SEQPACKET;
        let (here, there) = socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
        Ok((ControlSocket(here), there))
    }

    /// An end that was inherited.
    pub fn from_fd(fd: OwnedFd) -> Self {
        ControlSocket(fd)
    }

    /// Sends a message with descriptors.
    ///
    /// # Errors
    /// Those of sendmsg; a message above the limit.
    pub fn send<M: Serialize>(&self, message: &M, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let bytes = serde_json::to_vec(message)?;
        if bytes.len() > MESSAGE_BYTES_MAX || fds.len() > DESCRIPTORS_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "control message too large"));
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            let pushed = control.push(SendAncillaryMessage::ScmRights(fds));
            assert!(pushed, "the buffer has room for DESCRIPTORS_MAX");
        }
        let iov = [IoSlice::new(&bytes)];
        loop {
            match sendmsg(&self.0, &iov, &mut control, SendFlags::NOSIGNAL) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Ok(()),
            }
        }
    }

    /// Receives a message with its descriptors, as far as there is room for them in this process; `None` when
    /// the other end is closed.
    ///
    /// # Errors
    /// Those of recvmsg; a message that is none.
    pub fn receive<M: DeserializeOwned>(
        &self,
        block: bool,
    ) -> io::Result<Option<(M, Vec<OwnedFd>)>> {
        let mut bytes = vec![0; MESSAGE_BYTES_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let wait = if block { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
        let mut reset = false;
        let received = loop {
            let mut iov = [IoSliceMut::new(&mut bytes)];
            match recvmsg(&self.0, &mut iov, &mut control, RecvFlags::CMSG_CLOEXEC | wait) {
                Err(Errno::INTR) => {}
                // A zygote killed with requests unread resets the socket, which is told once. What it has sent
                // can still be received.
                Err(Errno::CONNRESET) if !reset => reset = true,
                Err(Errno::CONNRESET) => return Ok(None),
                Err(error) => return Err(error.into()),
                Ok(received) => break received,
            }
        };
        if received.bytes == 0 {
            return Ok(None);
        }
        // Descriptors that this process has no room for are not there: whoever needs them sees that.
        if received.flags.contains(ReturnFlags::TRUNC) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "control message cut short"));
        }
        let mut fds = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                fds.extend(rights);
            }
        }
        Ok(Some((serde_json::from_slice(&bytes[..received.bytes])?, fds)))
    }
}

impl AsFd for ControlSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrives_with_its_descriptors() {
        let (here, there) = ControlSocket::pair().unwrap();
        let there = ControlSocket::from_fd(there);
        let message = ToZygote::Fork { worker: WorkerId { slot: 1, epoch: 2 }, member: None };
        let (read, write) = io::pipe().unwrap();
        here.send(&message, &[read.as_fd(), write.as_fd()]).unwrap();
        let (received, fds) = there.receive::<ToZygote>(true).unwrap().unwrap();
        assert_eq!((received, fds.len()), (message, 2));
    }

    #[test]
    fn a_closed_socket_is_an_end_and_a_stranger_s_packet_an_error() {
        let (here, there) = ControlSocket::pair().unwrap();
        let there = ControlSocket::from_fd(there);
        here.send(&"who are you?", &[]).unwrap();
        assert!(there.receive::<ToZygote>(true).is_err());
        drop(here);
        assert!(there.receive::<ToZygote>(true).unwrap().is_none());
    }

    #[test]
    fn a_status_that_no_process_can_have_is_none() {
        for status in [ExitStatus::Code(0), ExitStatus::Code(255), ExitStatus::Signal(9)] {
            assert_eq!(status.checked(), Some(status));
        }
        for status in [ExitStatus::Code(-1), ExitStatus::Signal(0), ExitStatus::Signal(i32::MIN)] {
            assert_eq!(status.checked(), None);
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let cut = cut_text("é".repeat(TEXT_BYTES_MAX));
        assert!(cut.len() <= TEXT_BYTES_MAX + 5 && cut.ends_with(" …"));
        assert_eq!(cut_text("short".into()), "short");
    }
}
