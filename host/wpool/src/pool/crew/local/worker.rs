//! A worker of this machine: its process, its pipes, and its job memory.

use super::events::{Events, Token};
use crate::pool::parcel::Parcel;
use crate::wire::channel::FrameBuffer;
use crate::wire::control::{ExitStatus, Membership, WorkerId};
use crate::wire::jobmem::JobMem;
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::{Signal, pidfd_send_signal};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::Instant;

/// The number of bytes requested for each pipe. If the kernel refuses, the pipe keeps its size.
pub(super) const PIPE_BYTES: usize = 1 << 20;

/// The number of descriptors that a pool leaves to the rest of the program when it makes a worker:
/// for its inputs and outputs, and for what the zygote sends.
const DESCRIPTORS_LEFT: usize = 8;

/// A result that arrives in parts.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) total: usize,
    pub(super) bytes: Vec<u8>,
}

impl Partial {
    /// Returns a result of `total` bytes, none of which has arrived yet.
    pub(super) fn new(total: usize) -> Partial {
        let mut bytes = Vec::new();
        // The total comes from the worker and cannot be trusted. Memory that the system does not
        // give now may be free when the bytes arrive.
        let _ = bytes.try_reserve_exact(total);
        Partial { total, bytes }
    }
}

/// A batch on its way to a worker, and the results that come back.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) parcel: Rc<Parcel>,
    /// The number of bytes of the batch's frames that are written.
    written: usize,
    /// True if the schedule has been told that the batch is written.
    pub(super) is_written: bool,
    /// The number of bytes of the outbox that have been taken.
    pub(super) outbox_seen: usize,
    /// The end of the batch's claims, as last reported.
    pub(super) end: u16,
    pub(super) partial: Option<Partial>,
}

/// A worker of this machine.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) id: WorkerId,
    /// The worker's slot in shared state, if it uses any.
    pub(super) member: Option<Membership>,
    /// The process id of the worker, once the zygote has reported it.
    pub(super) pid: Option<i32>,
    pub(super) pidfd: Option<OwnedFd>,
    /// The pipe of jobs; closed when the worker is to end by itself.
    jobs: Option<File>,
    pub(super) results: File,
    pub(super) memory: JobMem,
    pub(super) frames: FrameBuffer,
    pub(super) flights: VecDeque<Flight>,
    /// The time at which the worker was requested.
    pub(super) asked: Instant,
    pub(super) ready: bool,
    /// True if the worker's end is not its own fault.
    pub(super) excused: bool,
    /// True if the worker broke the protocol. Nothing that it sends is heard any more.
    pub(super) broken: bool,
    /// The signal to send to the worker as soon as possible.
    pub(super) signal: Option<Signal>,
    /// The last message of the worker before it gave up.
    pub(super) fatal_message: Option<String>,
    /// The time since which only the end of the worker's pipe can show its death, because its
    /// zygote died before it had sent a pidfd.
    pub(super) orphaned: Option<Instant>,
    /// True if no process holds the other end of the worker's pipe any more.
    pub(super) hung_up: bool,
    /// The time at which the worker's end was seen.
    pub(super) ended: Option<Instant>,
    pub(super) status: Option<ExitStatus>,
    /// True if the worker's pipe is to be read. (`reading` is true if it is watched.)
    wanted: bool,
    reading: bool,
    writing: bool,
}

/// The worker's ends of its pipes, and its memory, to be sent to the zygote.
pub(super) struct WorkerEnds {
    pub(super) jobs: OwnedFd,
    pub(super) results: OwnedFd,
    pub(super) memory: OwnedFd,
}

impl Worker {
    /// Makes the pipes and the job memory of a worker, which keeps up to `tape_bytes` bytes of its
    /// command's output, and checks that there is room for the descriptors of `coming` more workers.
    ///
    /// # Errors
    /// Returns an error if descriptors or memory are lacking.
    pub(super) fn new(
        id: WorkerId,
        tape_bytes: u64,
        coming: usize,
    ) -> io::Result<(Self, WorkerEnds)> {
        let (jobs_read, jobs) = pipe_with(PipeFlags::CLOEXEC)?;
        let (results, results_write) = pipe_with(PipeFlags::CLOEXEC)?;
        for pipe in [&jobs, &results] {
            // The kernel refuses if the user has many pipes already.
            let _ = fcntl_setpipe_size(pipe, PIPE_BYTES);
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        let (memory, memory_fd) = JobMem::create(tape_bytes)?;
        let room = (0..DESCRIPTORS_LEFT + coming).map(|_| results.try_clone());
        room.collect::<io::Result<Vec<_>>>().map(drop)?;
        let worker = Worker {
            id,
            member: None,
            pid: None,
            pidfd: None,
            jobs: Some(File::from(jobs)),
            results: File::from(results),
            memory,
            frames: FrameBuffer::default(),
            flights: VecDeque::new(),
            asked: Instant::now(),
            ready: false,
            excused: false,
            broken: false,
            signal: None,
            fatal_message: None,
            orphaned: None,
            hung_up: false,
            ended: None,
            status: None,
            wanted: false,
            reading: false,
            writing: false,
        };
        let ends = WorkerEnds { jobs: jobs_read, results: results_write, memory: memory_fd };
        Ok((worker, ends))
    }

    /// Offers a parcel and writes as much of it as the pipe takes.
    ///
    /// # Errors
    /// Returns the errors of the pipe. A worker that has ended is not an error (its end is an
    /// event).
    pub(super) fn send(&mut self, parcel: Rc<Parcel>, events: &Events) -> io::Result<()> {
        self.memory.arm(parcel.batch, parcel.count());
        let end = parcel.count();
        self.flights.push_back(Flight {
            parcel,
            written: 0,
            is_written: false,
            outbox_seen: 0,
            end,
            partial: None,
        });
        self.write(events)
    }

    /// Writes what is unwritten, as far as the pipe takes it.
    ///
    /// # Errors
    /// Returns the same errors as [`Worker::send`].
    pub(super) fn write(&mut self, events: &Events) -> io::Result<()> {
        let Some(pipe) = &self.jobs else { return Ok(()) };
        let mut blocked = false;
        'flights: for flight in &mut self.flights {
            loop {
                let unwritten = flight.parcel.unwritten(flight.written);
                if unwritten.is_empty() {
                    break;
                }
                match (&*pipe).write(&unwritten) {
                    Ok(written) => flight.written += written,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        blocked = true;
                        break 'flights;
                    }
                    // The worker has ended; its pidfd reports that.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break 'flights,
                    Err(error) => return Err(error),
                }
            }
        }
        if blocked != self.writing {
            self.writing = blocked;
            if blocked {
                events.watch_writable(pipe, Token::Jobs(self.id.slot))?;
            } else {
                events.forget(pipe);
            }
        }
        Ok(())
    }

    /// Returns a batch that has been written completely and was not returned before.
    pub(super) fn next_written(&mut self) -> Option<u32> {
        let done = |flight: &&mut Flight| {
            !flight.is_written && flight.parcel.unwritten(flight.written).is_empty()
        };
        let flight = self.flights.iter_mut().find(done)?;
        flight.is_written = true;
        Some(flight.parcel.batch)
    }

    /// Returns the index of a batch among the flights.
    pub(super) fn place(&self, batch: u32) -> Option<usize> {
        self.flights.iter().position(|flight| flight.parcel.batch == batch)
    }

    /// Returns the number of bytes of incomplete results.
    pub(super) fn partial_bytes(&self) -> usize {
        let partial = self.flights.iter().filter_map(|flight| flight.partial.as_ref());
        partial.map(|partial| partial.bytes.len()).sum()
    }

    /// Lets the worker end by itself once it has done the jobs it was sent.
    pub(super) fn close(&mut self, events: &Events) {
        if let Some(pipe) = self.jobs.take()
            && self.writing
        {
            events.forget(&pipe);
            self.writing = false;
        }
    }

    /// Reads from the worker's pipe, or leaves the pipe alone for a while.
    ///
    /// # Errors
    /// Returns the error of `epoll_ctl`.
    pub(super) fn set_wanted(&mut self, wanted: bool, events: &Events) -> io::Result<()> {
        self.wanted = wanted;
        self.update_reading(events)
    }

    /// Watches the worker's pipe if it is to be read and can be read.
    ///
    /// # Errors
    /// Returns the error of `epoll_ctl`.
    pub(super) fn update_reading(&mut self, events: &Events) -> io::Result<()> {
        // The end of the pipe is the only sign of the death of a worker without a pidfd.
        let wanted = self.wanted || self.orphaned.is_some();
        // The worker is read once its process is known, or once it is clear that the process will
        // not be reported.
        let is_known = self.pid.is_some() || self.orphaned.is_some();
        let deaf = self.ended.is_some() || self.hung_up || self.broken;
        if wanted == self.reading || deaf || !is_known {
            return Ok(());
        }
        self.reading = wanted;
        if wanted {
            events.watch_readable(&self.results, Token::Results(self.id.slot))?;
        } else {
            events.forget(&self.results);
        }
        Ok(())
    }

    /// Sends the worker a signal that ends it, now or as soon as its pidfd arrives.
    pub(super) fn kill(&mut self, signal: Signal) {
        self.signal = Some(signal);
        self.send_signal(signal);
    }

    /// Sends the worker a signal if its pidfd has arrived.
    pub(super) fn send_signal(&self, signal: Signal) {
        if let Some(pidfd) = &self.pidfd {
            // The worker may have ended already.
            let _ = pidfd_send_signal(pidfd.as_fd(), signal);
        }
    }
}
