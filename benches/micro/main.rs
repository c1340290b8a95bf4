//! Measures the parts of a run one by one: `cargo bench --bench micro`.
//!
//! `cargo xtask bench micro` builds the guest that the benches need, and writes the medians into
//! benches/MICRO.md.

mod parts;

use criterion::Criterion;
use parts::JOBS;
use std::hint::black_box;
use std::time::{Duration, Instant};
use wpool::{Capacity, Isolation, Lock, Queue, Shared, Value};

/// The warm-up of each bench; all benches together take about a minute.
const WARM_UP: Duration = Duration::from_millis(500);
const MEASUREMENT: Duration = Duration::from_secs(3);

const BARE: &[u8] = include_bytes!("../modules/bare.wat");
const CALLS: &[u8] = include_bytes!("../modules/calls.wat");

/// The module that `cargo xtask guests` builds from an example in Rust.
const SQUARE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/guests/square.wasm");

/// The number of calls to the host that a guest makes in one job, as text and as a number.
const TIMES: (&str, u64) = ("1000", 1000);

fn main() {
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(WARM_UP)
        .measurement_time(MEASUREMENT)
        .configure_from_args();
    wire(&mut criterion);
    guests(&mut criterion);
    objects(&mut criterion);
    criterion.final_summary();
}

/// Measures the work of dispatcher and worker for each job of a batch.
fn wire(criterion: &mut Criterion) {
    let jobs = u64::from(JOBS);
    bench(criterion, "job, encode into a frame", jobs, parts::jobs_encoded);
    bench(criterion, "job, decode from a frame", jobs, parts::jobs_decoded);
    bench(criterion, "job, claim", jobs, parts::jobs_claimed);
    bench(criterion, "record, encode", jobs, parts::records_encoded);
    bench(criterion, "record, write and commit", jobs, parts::records_committed);
    bench(criterion, "record, decode", jobs, parts::records_decoded);
}

/// Measures a job in a worker's guest, and the guest's calls to the host.
fn guests(criterion: &mut Criterion) {
    let square = || std::fs::read(SQUARE).expect("`cargo xtask guests` builds it");
    for (isolation, instance) in
        [(Isolation::Reuse, "the same instance"), (Isolation::Fresh, "a fresh instance")]
    {
        let name = |module| format!("call, {module} in {instance}");
        bench(criterion, &name("bare.wat"), 1, || parts::job(BARE, "square", "12", isolation));
        bench(criterion, &name("square.wasm"), 1, || {
            parts::job(&square(), "square", "12", isolation)
        });
    }
    let (text, times) = TIMES;
    for task in ["job_size", "value_add"] {
        bench(criterion, &format!("host call, {task}"), times, || {
            parts::job(CALLS, task, text, Isolation::Reuse)
        });
    }
}

/// Measures shared objects that a thread of an embedding program uses without contention.
fn objects(criterion: &mut Criterion) {
    let shared = Shared::new().expect("there is memory");
    bench(criterion, "lock, acquire and release", 1, || {
        let lock = Lock::open_or_create(&shared, "lock").expect("there is room");
        move || drop(black_box(lock.lock().expect("it is free")))
    });
    bench(criterion, "queue, put and get 64 bytes", 1, || {
        let one = Capacity::messages(1);
        let queue = Queue::<[u8]>::open_or_create(&shared, "queue", one).expect("there is room");
        move || {
            queue.put(black_box(&[7; 64])).expect("it has room");
            black_box(queue.get().expect("it has a message"));
        }
    });
    bench(criterion, "value, add", 1, || {
        let value = Value::open_or_create(&shared, "value", 0_u64).expect("there is room");
        move || {
            black_box(value.add(black_box(1)).expect("it is a number"));
        }
    });
}

/// Measures an operation that every run of the closure made by `set_up` does `times` times.
///
/// Criterion's iterations are operations rather than runs, so that every figure is for one
/// operation.
fn bench<R: FnMut()>(criterion: &mut Criterion, name: &str, times: u64, set_up: impl Fn() -> R) {
    // Only the benches that were asked for are set up, and each of them only once.
    let mut run = None;
    criterion.bench_function(name, |bencher| {
        let run = run.get_or_insert_with(&set_up);
        bencher.iter_custom(|operations| {
            let runs = operations.div_ceil(times);
            let start = Instant::now();
            (0..runs).for_each(|_| run());
            start.elapsed().mul_f64(operations as f64 / (runs * times) as f64)
        });
    });
}
