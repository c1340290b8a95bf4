//! Benches of the parts that no user of the library can reach.
//!
//! Each function sets up one subject, and returns a closure that runs it. If an operation takes
//! nanoseconds, a run does [`JOBS`] of them, as a batch does, so that the time of calling the
//! closure does not matter. A set-up may stay until the end of the program.

use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use wpool_module::compile::compile;
use wpool_module::description::Description;
use wpool_objects::{Shared, Side, Space};
use wpool_wire::channel::FrameBuffer;
use wpool_wire::control::Membership;
use wpool_wire::frame::{Entries, FrameKind, Header, Walk};
use wpool_wire::jobmem::JobMem;
use wpool_wire::record::{self, Record};
use wpool_wire::settings::{Isolation, Settings, TaskSpec};
use wpool_worker::imports::attached::Attached;
use wpool_worker::worker::guest::Guest;
use wpool_worker::worker::log::{LogSink, Origin};
use wpool_worker::worker::program::Program;
use wpool_worker::worker::wasi::Folders;

/// The number of jobs in a batch.
pub(crate) const JOBS: u16 = 1024;

/// The bytes of a job, and of its result.
const JOB: &[u8] = b"12345678";

/// Makes the dispatcher encode a batch of jobs as a frame.
pub(crate) fn jobs_encoded() -> impl FnMut() {
    let mut entries = Entries::default();
    move || {
        encode(&mut entries);
        black_box(entries.frame());
    }
}

/// Makes the worker take the jobs out of a frame.
pub(crate) fn jobs_decoded() -> impl FnMut() {
    let mut entries = Entries::default();
    encode(&mut entries);
    let mut buffer = FrameBuffer::default();
    move || {
        buffer.fill(&mut entries.frame()).expect("memory can be read");
        let (header, body) = buffer.next().expect("it is a frame").expect("it is whole");
        Walk::new(body, header.first_job).for_each(|job| {
            black_box(job);
        });
    }
}

fn encode(entries: &mut Entries) {
    entries.clear();
    (0..u64::from(JOBS)).for_each(|number| entries.push(number, black_box(JOB)));
    let bytes = entries.bytes().len() as u32;
    let first_job = entries.first();
    entries.set_header(&Header { kind: FrameKind::Jobs, count: JOBS, batch: 1, first_job, bytes });
}

/// Makes the worker encode the records of a batch, one after the other in the same memory.
pub(crate) fn records_encoded() -> impl FnMut() {
    let mut record = Vec::new();
    move || {
        for index in 0..JOBS {
            encode_record(&mut record, index);
            black_box(record.as_slice());
        }
    }
}

/// Makes the dispatcher decode the records of a batch.
pub(crate) fn records_decoded() -> impl FnMut() {
    let (mut records, mut record) = (Vec::new(), Vec::new());
    for index in 0..JOBS {
        encode_record(&mut record, index);
        records.extend_from_slice(&record);
    }
    move || {
        let mut rest = records.as_slice();
        while let Some((record, tail)) = Record::split_first(rest) {
            black_box(record);
            rest = tail;
        }
    }
}

fn encode_record(record: &mut Vec<u8>, index: u16) {
    record::begin(record, false);
    record.extend_from_slice(black_box(JOB));
    record::finish(record, index, false, None);
}

/// Makes the dispatcher arm a batch, and the worker claim its jobs.
pub(crate) fn jobs_claimed() -> impl FnMut() {
    let (dispatcher, worker) = job_memories();
    let mut batch = 0;
    move || {
        batch += 1;
        dispatcher.arm(batch, JOBS);
        while let Some(job) = worker.claim(batch) {
            black_box(job);
        }
        black_box(dispatcher.claimed(batch));
    }
}

/// Makes the dispatcher arm a batch, and the worker write and commit its records.
pub(crate) fn records_committed() -> impl FnMut() {
    let (dispatcher, worker) = job_memories();
    let mut record = Vec::new();
    encode_record(&mut record, 0);
    let mut batch = 0;
    move || {
        batch += 1;
        dispatcher.arm(batch, JOBS);
        let mut bytes = 0;
        for _ in 0..JOBS {
            worker.write(batch, bytes, black_box(&record));
            bytes += record.len();
            worker.commit(batch, bytes);
        }
        black_box(dispatcher.committed(batch));
    }
}

/// Makes a job memory, mapped by both sides.
fn job_memories() -> (JobMem, JobMem) {
    let (dispatcher, fd) = JobMem::create(0).expect("there is memory");
    (dispatcher, JobMem::map(&fd).expect("it is a job memory"))
}

/// Makes a worker run the same job of a module again and again.
///
/// # Panics
/// Panics if the module cannot be used, or the job fails.
pub(crate) fn job(
    module: &[u8],
    task: &str,
    job: &'static str,
    isolation: Isolation,
) -> impl FnMut() + use<> {
    let (cwasm, description) = compile(module, false, false).expect("a module");
    let code = memfd_create("wpool-micro", MemfdFlags::CLOEXEC).expect("there is memory");
    let mut code = File::from(code);
    code.write_all(&cwasm).expect("there is memory");
    let name = Some(task.to_owned());
    let settings = Settings::from(TaskSpec { name, isolation, ..TaskSpec::default() });
    let program =
        Program::load(&settings, &description, code, Folders::default()).expect("it can be linked");
    // The guest borrows its program, which therefore lives as long as the process.
    let program = Box::leak(Box::new(program));
    let mut guest = Guest::new(program, Arc::new(Silence), attached(&description), None);
    let (mut number, mut result) = (0, Vec::new());
    move || {
        result.clear();
        guest.run(number, job.as_bytes(), &mut result).expect("the job succeeds");
        black_box(result.as_slice());
        number += 1;
    }
}

/// Makes shared state for a module, if the module uses any.
fn attached(description: &Description) -> Option<Attached> {
    description.shares().then(|| {
        let shared = Shared::new(Space::default()).expect("there is memory");
        let owner = shared.attach(Side::Worker).expect("nobody else is there");
        let (memory, _) = job_memories();
        let slot = Membership { slot: owner.slot, epoch: owner.epoch };
        Attached::new(Arc::new(shared), slot, Arc::new(memory))
    })
}

/// A sink that drops the lines of guests.
struct Silence;

impl LogSink for Silence {
    fn line(&self, _: Origin, _: &[u8]) {}
}
