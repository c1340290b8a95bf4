//! `--trace`: writes a timeline of the dispatcher and its workers, for Perfetto and
//! chrome://tracing.
//!
//! The file has Chrome's trace event format, in its form of a bare array, with an event on each
//! line. Viewers accept the array without its end, so the trace of a run that was killed can be
//! viewed too. Times are in microseconds since the file was begun. A row ("thread") is a process,
//! and has its id.

use super::unwritable::Unwritable;
use serde::Serialize;
use serde_json::json;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wpool::FailureKind;
use wpool::pool::feed::{Attempt, Notice, Outcome, Results, Sink, Stats};
use wpool::wire::clock::MonotonicTime;
use wpool::wire::waits::{Wait, Waits};

/// The beginning of the file.
const BEGIN: &[u8] = b"[\n";
/// The end of the file.
const END: &[u8] = b"\n]\n";

/// A line of the file. `ph` is the event's type: `X` a span, `i` an instant, `M` the name of a row.
#[derive(Serialize)]
struct Event<'a, A> {
    name: &'a str,
    cat: &'a str,
    ph: char,
    ts: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    /// The scope of an instant: its row.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<char>,
    pid: u32,
    tid: u32,
    args: A,
}

/// The arguments of an attempt at a job.
#[derive(Serialize)]
struct JobArgs {
    job: u64,
    attempt: u32,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<u64>,
}

/// A timeline that is being written.
#[derive(Debug)]
pub(crate) struct Trace {
    file: File,
    path: PathBuf,
    /// The events not yet written.
    events: Vec<u8>,
    began: MonotonicTime,
    /// The names of jobs.
    names: Vec<String>,
    /// The dispatcher's process, which is also the number of its row.
    dispatcher: u32,
}

impl Trace {
    /// Begins a timeline in this file, which is empty. Jobs have these names; further jobs have the
    /// last of them.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub(crate) fn begin(file: File, path: &Path, names: Vec<String>) -> io::Result<Trace> {
        let dispatcher = std::process::id();
        let (path, events, began) = (path.to_owned(), BEGIN.to_vec(), MonotonicTime::now());
        let mut trace = Trace { file, path, events, began, names, dispatcher };
        trace.label("process_name", dispatcher, json!({"name": "wpool"}));
        trace.label("thread_name", dispatcher, json!({"name": "dispatcher"}));
        trace.label("thread_sort_index", dispatcher, json!({"sort_index": -1}));
        trace.write()?;
        Ok(trace)
    }

    fn push(&mut self, event: &Event<'_, impl Serialize>) {
        // The comma stands before each event but the first, so that the file only lacks its end at
        // any time.
        if self.events != BEGIN {
            self.events.extend_from_slice(b",\n");
        }
        serde_json::to_writer(&mut self.events, event).expect("writing to memory cannot fail");
    }

    /// Adds a fact about a row as such.
    fn label(&mut self, name: &str, tid: u32, args: impl Serialize) {
        let pid = self.dispatcher;
        self.push(&Event { name, cat: "", ph: 'M', ts: 0.0, dur: None, s: None, pid, tid, args });
    }

    /// Adds a span to a row, or an instant if nothing took time.
    fn add(
        &mut self,
        tid: u32,
        (cat, name): (&str, &str),
        began: MonotonicTime,
        took: Option<Duration>,
        args: impl Serialize,
    ) {
        let (ph, s) = if took.is_some() { ('X', None) } else { ('i', Some('t')) };
        let (ts, dur) = (micros(began.since(self.began)), took.map(micros));
        let pid = self.dispatcher;
        self.push(&Event { name, cat, ph, ts, dur, s, pid, tid, args });
    }

    /// Adds an act of the dispatcher at this moment.
    fn act(&mut self, name: &str, args: impl Serialize) {
        self.add(self.dispatcher, ("dispatcher", name), MonotonicTime::now(), None, args);
    }

    /// Adds an attempt at a job: in its worker's row, unless no worker had the job.
    fn attempt(&mut self, job: u64, attempt: &Attempt, failure: Option<FailureKind>) {
        let args = JobArgs {
            job,
            attempt: attempt.number,
            ok: failure.is_none(),
            failure,
            memory: attempt.memory_bytes,
        };
        match attempt.began {
            Some(began) if attempt.pid != 0 => {
                let name = self.names.get(job as usize).or(self.names.last());
                let name = name.cloned().unwrap_or_default();
                let ran = attempt.ran.unwrap_or_default();
                self.add(attempt.pid as u32, ("job", &name), began, Some(ran), args);
            }
            _ => self.act("not run", args),
        }
    }

    /// Adds the waits of a job, inside its span.
    fn waits(&mut self, row: u32, Waits { job, list, left_out }: &Waits) {
        for Wait { kind, name: object, began, ended } in list {
            let name = format!("wait for {kind} {object}");
            let args = json!({"job": job, "kind": kind, "object": object});
            self.add(row, ("wait", &name), *began, Some(ended.since(*began)), args);
        }
        if let (1.., Some(last)) = (*left_out, list.last()) {
            let args = json!({"job": job, "waits": left_out});
            self.add(row, ("wait", "further waits are left out"), last.ended, None, args);
        }
    }

    fn notice(&mut self, notice: &Notice) {
        match notice {
            Notice::Sent { slot, job, jobs } => {
                self.act("dispatch", json!({"worker": slot, "first": job, "jobs": jobs}));
            }
            Notice::Retrying { job, attempt, failure } => {
                self.attempt(*job, attempt, Some(failure.kind));
            }
            Notice::Waited { pid, waits } => self.waits(*pid as u32, waits),
            Notice::WorkerStarted { slot, pid, asked, ready, .. } => {
                let row = *pid as u32;
                let name = format!("worker {slot} (pid {pid})");
                self.label("thread_name", row, json!({"name": name}));
                self.label("thread_sort_index", row, json!({"sort_index": slot}));
                let args = json!({"worker": slot, "pid": pid});
                let took = Some(ready.since(*asked));
                self.add(row, ("worker", "start"), *asked, took, &args);
                self.add(self.dispatcher, ("dispatcher", "worker start"), *asked, None, args);
            }
            Notice::WorkerKilled { slot, pid, why } => {
                let (why, message) = (why.kind, &why.message);
                let args = json!({"worker": slot, "pid": pid, "why": why, "message": message});
                self.act("kill", args);
            }
            Notice::WorkerEnded { slot, pid, how, .. } => {
                self.act("worker end", json!({"worker": slot, "pid": pid, "how": how}));
            }
            Notice::Draining { running, why } => {
                self.act("drain", json!({"running": running, "why": why}));
            }
            Notice::FewerWorkers { workers, why } => {
                self.act("fewer workers", json!({"workers": workers, "why": why}));
            }
            Notice::ZygoteLost { how } => self.act("zygote lost", json!({"how": how})),
            Notice::Log { .. } | Notice::Report(_) => {}
        }
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_all(&self.events)?;
        self.events.clear();
        Ok(())
    }

    /// Writes the held events. An error names the file, because it is one of several.
    fn flush(&mut self) -> io::Result<()> {
        self.write()
            .map_err(|error| Unwritable::output(&format!("--trace {}", self.path.display()))(error))
    }
}

/// Returns a time in microseconds, the format's unit.
fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

/// A sink, and the timeline of what it receives, if one is to be written.
#[derive(Debug)]
pub(crate) struct Traced<S> {
    /// The sink.
    pub(crate) sink: S,
    trace: Option<Trace>,
}

impl<S> Traced<S> {
    /// Makes a sink that writes a timeline of what goes to `sink`.
    pub(crate) fn new(sink: S, trace: Option<Trace>) -> Self {
        Traced { sink, trace }
    }

    /// Ends the timeline.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub(crate) fn end_trace(&mut self) -> io::Result<()> {
        let Some(mut trace) = self.trace.take() else { return Ok(()) };
        trace.events.extend_from_slice(END);
        trace.flush()
    }
}

impl<S: Sink> Sink for Traced<S> {
    fn take(&mut self, outcome: &Outcome<'_>) -> io::Result<()> {
        if let Some(trace) = &mut self.trace {
            let failure = outcome.result.err().map(|failure| failure.kind);
            trace.attempt(outcome.job, &outcome.attempt, failure);
        }
        self.sink.take(outcome)
    }

    fn take_plain(&mut self, results: Results<'_>) -> bool {
        self.trace.is_none() && self.sink.take_plain(results)
    }

    fn notice(&mut self, notice: Notice) {
        if let Some(trace) = &mut self.trace {
            trace.notice(&notice);
        }
        self.sink.notice(notice);
    }

    fn progress(&mut self, stats: &Stats) {
        self.sink.progress(stats);
    }

    fn held(&self) -> usize {
        self.sink.held() + self.trace.as_ref().map_or(0, |trace| trace.events.len())
    }

    fn flush(&mut self) -> io::Result<bool> {
        self.trace.as_mut().map_or(Ok(()), Trace::flush)?;
        self.sink.flush()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.sink.fd()
    }
}
