//! Packets: the form of messages and descriptors on the control socket.
//!
//! The socket is a sequenced-packet socket, which carries one message in each packet, as JSON. The
//! descriptors beside a message have names, which the packet lists in their order.

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

/// The greatest size of one packet in bytes.
const PACKET_BYTES_MAX: usize = 64 << 10;

/// The greatest number of descriptors beside one message: the granted folders, and at most eight
/// others.
const ATTACHMENTS_MAX: usize = 8 + DIRECTORIES_MAX;

/// The name of a descriptor that travels beside a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attachment {
    /// A module as its user has written it.
    Module,
    /// The file for the description of a module, or for the reason why there is none.
    Description,
    /// Machine code, or the file for it.
    Code,
    /// The pipe into which a compiler writes when it begins to compile.
    Begun,
    /// The facts that a zygote must know to link a module, as JSON.
    Load,
    /// Control memory.
    Control,
    /// The memory of regions.
    Regions,
    /// The standard input of the dispatcher.
    Input,
    /// The standard output of the dispatcher.
    Output,
    /// The standard error of the dispatcher.
    Error,
    /// A granted folder, by its place among the granted folders.
    Folder(u16),
    /// The folder in which each job gets an empty one of its own.
    Scratch,
    /// Jobs: a pipe to read from, or a file.
    Jobs,
    /// Results: a pipe to write to, or a file.
    Results,
    /// Job memory.
    Memory,
    /// The pidfd of a process.
    Process,
    /// The lines that a guest printed while it was initialised.
    Printed,
    /// The failure of a guest that was initialised.
    Failure,
}

/// The descriptors that came beside a message.
#[derive(Debug, Default)]
pub struct Attachments(Vec<(Attachment, OwnedFd)>);

impl Attachments {
    /// Takes a descriptor, if it came.
    pub fn find(&mut self, name: Attachment) -> Option<OwnedFd> {
        let at = self.0.iter().position(|(other, _)| *other == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Takes a descriptor.
    ///
    /// # Errors
    /// Returns an error if the descriptor did not come: the sender has left it out, or this process
    /// has no room for it.
    pub fn take(&mut self, name: Attachment) -> io::Result<OwnedFd> {
        self.find(name).ok_or_else(|| {
            let what = format!("no descriptor came for: {}", Name(name));
            io::Error::new(io::ErrorKind::NotFound, what)
        })
    }

    /// Names received descriptors. There may be fewer descriptors than names: this process had no
    /// room for the others.
    fn named(names: Vec<Attachment>, fds: Vec<OwnedFd>) -> io::Result<Attachments> {
        let repeated = (1..names.len()).any(|at| names[..at].contains(&names[at]));
        match repeated || fds.len() > names.len() {
            true => Err(invalid("its descriptors are not named one by one")),
            false => Ok(Attachments(names.into_iter().zip(fds).collect())),
        }
    }
}

/// The name of an attachment in messages.
struct Name(Attachment);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{:?}", self.0).to_lowercase();
        f.write_str(&text)
    }
}

/// A message with the names of its descriptors.
#[derive(Serialize, Deserialize)]
struct Packet<M> {
    message: M,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attached: Vec<Attachment>,
}

/// One end of a control socket.
#[derive(Debug)]
pub struct ControlSocket(OwnedFd);

impl ControlSocket {
    /// Returns both ends of a new socket.
    ///
    /// # Errors
    /// Returns the error of `socketpair`.
    pub fn pair() -> io::Result<(ControlSocket, OwnedFd)> {
        let kind = SocketType::SEQPACKET;
        let (here, there) = socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
        Ok((ControlSocket(here), there))
    }

    /// Makes a socket of an inherited end.
    pub fn from_fd(fd: OwnedFd) -> Self {
        ControlSocket(fd)
    }

    /// Sends a message with descriptors.
    ///
    /// # Errors
    /// Returns the error of `sendmsg`, or an error if the message is above the limit.
    pub fn send<M: Serialize>(
        &self,
        message: &M,
        attached: &[(Attachment, BorrowedFd<'_>)],
    ) -> io::Result<()> {
        let (names, fds): (Vec<Attachment>, Vec<BorrowedFd<'_>>) = attached.iter().copied().unzip();
        let bytes = serde_json::to_vec(&Packet { message, attached: names })?;
        if bytes.len() > PACKET_BYTES_MAX || fds.len() > ATTACHMENTS_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "control message too large"));
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(ATTACHMENTS_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            let pushed = control.push(SendAncillaryMessage::ScmRights(&fds));
            assert!(pushed, "the buffer has room for ATTACHMENTS_MAX");
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

    /// Receives a message with its descriptors, as far as there is room for them in this process.
    /// Returns `None` if the other end is closed.
    ///
    /// # Errors
    /// Returns the error of `recvmsg`, or an error if the packet is no message.
    pub fn receive<M: DeserializeOwned>(
        &self,
        block: bool,
    ) -> io::Result<Option<(M, Attachments)>> {
        let mut bytes = vec![0; PACKET_BYTES_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(ATTACHMENTS_MAX))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let wait = if block { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
        let mut reset = false;
        let received = loop {
            let mut iov = [IoSliceMut::new(&mut bytes)];
            match recvmsg(&self.0, &mut iov, &mut control, RecvFlags::CMSG_CLOEXEC | wait) {
                Err(Errno::INTR) => {}
                // A zygote that is killed with unread requests resets the socket, which is reported
                // once. Its earlier messages can still be received.
                Err(Errno::CONNRESET) if !reset => reset = true,
                Err(Errno::CONNRESET) => return Ok(None),
                Err(error) => return Err(error.into()),
                Ok(received) => break received,
            }
        };
        if received.bytes == 0 {
            return Ok(None);
        }
        if received.flags.contains(ReturnFlags::TRUNC) {
            return Err(invalid("it is cut short"));
        }
        let mut fds = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                fds.extend(rights);
            }
        }
        let packet: Packet<M> = serde_json::from_slice(&bytes[..received.bytes])?;
        Ok(Some((packet.message, Attachments::named(packet.attached, fds)?)))
    }
}

impl AsFd for ControlSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a bad control message: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (ControlSocket, ControlSocket) {
        let (here, there) = ControlSocket::pair().unwrap();
        (here, ControlSocket::from_fd(there))
    }

    #[test]
    fn a_message_arrives_with_its_descriptors_whatever_their_order() {
        let (here, there) = pair();
        let (read, write) = io::pipe().unwrap();
        let attached =
            [(Attachment::Results, write.as_fd()), (Attachment::Folder(1), read.as_fd())];
        here.send(&"message", &attached).unwrap();
        let (message, mut came) = there.receive::<String>(true).unwrap().unwrap();
        assert_eq!(message, "message");
        assert!(came.find(Attachment::Folder(0)).is_none());
        assert!(came.take(Attachment::Folder(1)).is_ok() && came.take(Attachment::Results).is_ok());
        let missing = came.take(Attachment::Results).unwrap_err();
        assert_eq!(missing.to_string(), "no descriptor came for: results");
    }

    #[test]
    fn a_closed_socket_is_an_end_and_a_stranger_s_packet_an_error() {
        let (here, there) = pair();
        here.send(&"who are you?", &[]).unwrap();
        assert!(there.receive::<u32>(true).is_err());
        drop(here);
        assert!(there.receive::<u32>(true).unwrap().is_none());
    }

    #[test]
    fn a_name_for_two_descriptors_and_a_descriptor_without_a_name_are_errors() {
        let (here, there) = pair();
        let (read, write) = io::pipe().unwrap();
        let twice = [(Attachment::Jobs, read.as_fd()), (Attachment::Jobs, write.as_fd())];
        here.send(&1, &twice).unwrap();
        assert_eq!(there.receive::<u32>(true).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(Attachments::named(vec![], vec![read.into()]).is_err());
    }

    #[test]
    fn a_message_above_the_limit_is_not_sent() {
        let (here, _there) = pair();
        assert!(here.send(&"x".repeat(PACKET_BYTES_MAX), &[]).is_err());
    }
}
