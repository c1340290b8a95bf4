//! Values and arrays between tasks in different worker processes. A death never leaves half a
//! write.
//!
//! The tests mirror Python's `_TestValue`, `_TestArray`, `_TestSharedCTypes` and `_TestHeap`,
//! without what has no counterpart here:
//! - `test_getobj_getlock`: a value has no lock of its own. Each operation is atomic, an addition
//!   too; more than one operation needs a lock, taken by its name (`lock.rs`).
//! - Structures and characters: types are i32, i64, u32, u64, f32, f64 and bool; anything else is
//!   bytes of a region (`shared_memory.rs`).
//! - `test_free_from_gc`: about Python's garbage collector.

use super::script::{Answers, Worker, scripts, shared};
use crate::common::processes::kill;
use crate::common::watchdog;
use serde_json::{Value as Json, json};
use wpool::{Array, FailureKind, Isolation, Shared, Value};

fn error(name: &str) -> Json {
    json!({"error": name})
}

#[track_caller]
fn assert_sound(shared: &Shared) {
    assert_eq!(shared.check(), Vec::<String>::new());
}

/// Returns types, their initial numbers, and what is written: as words of a script, and as JSON.
fn numbers() -> [(&'static str, &'static str, &'static str, Json); 9] {
    [
        ("i32", "7", "-2147483648", json!(i32::MIN)),
        ("u32", "7", "4294967295", json!(u32::MAX)),
        ("i64", "7", "-9223372036854775808", json!(i64::MIN)),
        ("u64", "7", "18446744073709551615", json!(u64::MAX)),
        ("f32", "7", "0.1", json!(0.1)),
        ("f64", "7", "-3.5e300", json!(-3.5e300)),
        ("f64", "0", "NaN", json!("NaN")),
        ("f32", "0", "-inf", json!("-Infinity")),
        ("bool", "false", "true", json!(true)),
    ]
}

#[test]
fn what_one_process_writes_to_a_value_every_other_reads() {
    let _watchdog = watchdog(60);
    for (kind, initial, number, json) in numbers() {
        let shared = shared();
        let [writer, reader] = Worker::several(&shared);
        let steps = [
            &format!("value v create {kind} {initial}"),
            "value v type",
            &format!("value v set {number}"),
        ];
        assert_eq!(writer.run(&steps), json!([true, kind, true]));
        assert_eq!(reader.step("value v get"), json, "{kind}");
        if kind != "f32" {
            assert_eq!(shared.show("v"), Ok(json), "{kind}");
        }
    }
}

#[test]
fn a_value_is_opened_with_its_own_type() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let worker = Worker::new(&shared);
    Value::create(&shared, "v", 1_i64).unwrap();
    Array::<f64>::create(&shared, "a", 1).unwrap();
    let steps = ["value v open f64", "array a open f32", "value a open f64", "value w open i32"];
    let wrong = [error("wrong-type"), error("wrong-type"), error("wrong-kind"), error("not-found")];
    assert_eq!(worker.run(&steps), json!(wrong));
}

#[test]
fn sums_of_many_processes_are_exact_without_a_lock() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let hits = Value::create(&shared, "hits", 0_i64).unwrap();
    let halves = Value::create(&shared, "halves", 0_f64).unwrap();
    let array = Array::<u32>::create(&shared, "a", 3).unwrap();
    let pool = scripts(&shared, 4).start().unwrap();
    let steps =
        ["20000* value hits add 1", "20000* value halves add 0.5", "20000* array a add 1 2"];
    pool.map::<_, Answers>([steps; 4]).unwrap();
    assert_eq!((hits.get(), halves.get()), (Ok(80_000), Ok(40_000.0)));
    assert_eq!(array.to_vec(), Ok(vec![0, 160_000, 0]));
}

#[test]
fn one_of_many_processes_exchanges_a_value() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let value = Value::create(&shared, "v", 0_u32).unwrap();
    let pool = scripts(&shared, 4).start().unwrap();
    for round in 0..20 {
        let step = format!("value v compare-exchange {round} {}", round + 1);
        let all: Vec<Answers> = pool.map((0..4).map(|_| [&step])).unwrap();
        let winners = all.iter().filter(|answers| answers.0[0]["exchanged"] == true).count();
        assert_eq!((winners, value.get()), (1, Ok(round + 1)), "{all:?}");
    }
}

#[test]
fn an_array_has_a_length_elements_and_slices_in_every_process() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let [writer, reader] = Worker::several(&shared);
    let steps = [
        "array a create i32 10",
        "array a len",
        "array a write 0 [680, 626, 934, 821, 150, 233, 548, 982, 714, 831]",
        "array a set 2 42",
        "array a swap 3 -1",
    ];
    assert_eq!(writer.run(&steps), json!([true, 10, true, true, 821]));
    let steps = ["array a type", "array a get 2", "array a read 1 4", "array a read 10 0"];
    assert_eq!(reader.run(&steps), json!(["i32", 42, [626, 42, -1, 150], []]));
    // The sums of the elements so far are made in place, by another process.
    let array = Array::<i32>::open(&shared, "a").unwrap();
    let mut numbers = array.to_vec().unwrap();
    for at in 1..10 {
        let was = numbers[at];
        let step = format!("array a add {at} {}", numbers[at - 1]);
        assert_eq!(reader.step(&step), json!(was));
        numbers[at] += numbers[at - 1];
    }
    assert_eq!(array.to_vec(), Ok(numbers.clone()));
    assert_eq!(writer.step("array a read 0 10"), json!(numbers));
    let traps = reader.fails(&["array a get 10"]);
    assert_eq!(traps.kind, FailureKind::Trap);
    assert!(traps.message.contains("10"), "{traps:?}");
}

#[test]
fn a_new_array_is_zero_wherever_it_lies() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let worker = Worker::new(&shared);
    let ones = format!("array a write 0 [{}]", ["18446744073709551615"; 1000].join(","));
    for round in 0..3 {
        let steps = ["array a create u64 1000", "array a read 0 1000", &ones];
        let answers = worker.run(&steps);
        assert_eq!(answers, json!([true, vec![0; 1000], true]), "round {round}");
        assert_eq!(worker.run(&["array a delete", "array a drop"]), json!([true, true]));
    }
    assert_sound(&shared);
}

#[test]
fn numbers_of_all_types_are_doubled_by_another_process() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let int = Value::create(&shared, "int", 7_i32).unwrap();
    let long = Value::create(&shared, "long", 1_i64 << 33).unwrap();
    let double = Value::create(&shared, "double", 1.0 / 3.0).unwrap();
    let array = Array::<f64>::create(&shared, "array", 10).unwrap();
    (0..10).for_each(|at| array.set(at, at as f64).unwrap());
    let worker = Worker::new(&shared);
    for step in ["value int", "value long", "value double"] {
        let number = worker.step(&format!("{step} get"));
        assert_eq!(worker.step(&format!("{step} add {number}")), number);
    }
    (0..10).for_each(|at| drop(worker.step(&format!("array array add {at} {at}"))));
    assert_eq!((int.get(), long.get(), double.get()), (Ok(14), Ok(1 << 34), Ok(2.0 / 3.0)));
    assert_eq!(array.to_vec().unwrap(), (0..10).map(|at| 2.0 * at as f64).collect::<Vec<_>>());
}

#[test]
fn a_copy_is_of_its_moment_and_an_opened_one_is_the_same() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let [one, other] = Worker::several(&shared);
    let array = Array::<i32>::create(&shared, "a", 3).unwrap();
    array.write(0, &[1, 2, 3]).unwrap();
    let copy = array.to_vec().unwrap();
    one.run(&["array a set 0 100", "array a set 2 300"]);
    assert_eq!(copy, [1, 2, 3]);
    assert_eq!(other.step("array a read 0 3"), json!([100, 2, 300]));
}

/// A generator of numbers that look random, and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn arrays_of_any_size_come_and_go_overlap_nowhere_and_leave_all_their_space() {
    let _watchdog = watchdog(120);
    const MOST: usize = 16 << 20;
    let shared = Shared::builder().shared_bytes(MOST as u64).build().unwrap();
    let worker = Worker::new(&shared);
    let mut random = Numbers(8);
    let mut alive: Vec<(usize, usize)> = Vec::new();
    for name in 0..2000 {
        if alive.len() < 40 && random.below(3) > 0 {
            let length = 1 + random.below(20_000);
            assert_eq!(worker.step(&format!("array {name} create u32 {length}")), json!(true));
            let array = Array::<u32>::open(&shared, &name.to_string()).unwrap();
            array.write(0, &vec![name as u32; length]).unwrap();
            alive.push((name, length));
        } else if !alive.is_empty() {
            let (name, length) = alive.swap_remove(random.below(alive.len()));
            let array = Array::<u32>::open(&shared, &name.to_string()).unwrap();
            assert_eq!(array.to_vec(), Ok(vec![name as u32; length]), "nobody else wrote there");
            worker.run(&[&format!("array {name} delete"), &format!("array {name} drop")]);
        }
    }
    assert_sound(&shared);
    for (name, _) in alive {
        worker.run(&[&format!("array {name} delete"), &format!("array {name} drop")]);
    }
    assert_eq!(shared.list(), Ok(vec![]));
    assert_sound(&shared);
    // The state is as large as in the beginning.
    let whole = |shared: &Shared| {
        (0..MOST).step_by(4096).rev().find(|bytes| {
            let array = Array::<bool>::create(shared, "whole", *bytes);
            array.is_ok_and(|array| array.delete().is_ok())
        })
    };
    let new = Shared::builder().shared_bytes(MOST as u64).build().unwrap();
    assert_eq!(whole(&shared), whole(&new));
}

/// Lets two processes write, each its own number for ever, and kills them as soon as both numbers
/// were seen.
fn kill_while_they_write(
    workers: &[Worker; 2],
    steps: [&str; 2],
    mut look: impl FnMut() -> [bool; 2],
) {
    let pids = workers.each_ref().map(Worker::pid);
    let writes = [workers[0].start(&[steps[0]]), workers[1].start(&[steps[1]])];
    let mut seen = [false; 2];
    crate::common::until(|| {
        let now = look();
        seen = [seen[0] || now[0], seen[1] || now[1]];
        seen == [true; 2]
    });
    pids.into_iter().for_each(kill);
    for script in writes {
        assert_eq!(script.failure().kind, FailureKind::WorkerLost);
    }
}

#[test]
fn a_value_is_whole_whenever_processes_that_write_it_are_killed() {
    let _watchdog = watchdog(120);
    let shared = shared();
    let value = Value::create(&shared, "v", 1_u64).unwrap();
    let workers = Worker::several(&shared);
    let steps = ["1000000000* value v set 0", "1000000000* value v set 18446744073709551615"];
    for round in 0..10 {
        value.set(1).unwrap();
        kill_while_they_write(&workers, steps, || {
            let number = value.get().unwrap();
            assert!([0, 1, u64::MAX].contains(&number), "{number:x} in round {round}");
            [number == 0, number == u64::MAX]
        });
        assert!([0, u64::MAX].contains(&value.get().unwrap()), "after round {round}");
    }
    assert_sound(&shared);
}

#[test]
fn elements_are_whole_whenever_processes_that_copy_slices_are_killed() {
    let _watchdog = watchdog(120);
    let shared = shared();
    let array = Array::<u64>::create(&shared, "a", 2000).unwrap();
    let workers = Worker::several(&shared);
    let write =
        |n: u64| format!("1000000* array a write 0 [{}]", vec![n.to_string(); 2000].join(","));
    let steps = [write(0), write(u64::MAX)];
    for round in 0..10 {
        array.write(0, &[1; 2000]).unwrap();
        kill_while_they_write(&workers, steps.each_ref().map(String::as_str), || {
            let last = array.get(1999).unwrap();
            [last == 0, last == u64::MAX]
        });
        let numbers = array.to_vec().unwrap();
        assert!(numbers.iter().all(|n| [0, u64::MAX].contains(n)), "round {round}");
    }
    assert_sound(&shared);
}

#[test]
fn a_sum_is_what_the_living_and_the_dead_have_added() {
    let _watchdog = watchdog(120);
    let shared = shared();
    let hits = Value::create(&shared, "hits", 0_i64).unwrap();
    let [dies, next] = Worker::several(&shared);
    for _ in 0..10 {
        let (pid, before) = (dies.pid(), hits.get().unwrap());
        let adds = dies.start(&["1000000000* value hits add 1"]);
        crate::common::until(|| hits.get().unwrap() > before + 1000);
        kill(pid);
        assert_eq!(adds.failure().kind, FailureKind::WorkerLost);
        let before = hits.get().unwrap();
        next.step("1000* value hits add 1");
        assert_eq!(hits.get(), Ok(before + 1000));
    }
}

#[test]
fn in_every_isolation_what_was_written_outlives_the_job_that_died() {
    let _watchdog = watchdog(60);
    for isolation in [Isolation::Reuse, Isolation::Fresh, Isolation::Process] {
        let shared = shared();
        let dies = Worker::isolated(&shared, isolation);
        let next = Worker::new(&shared);
        let steps = ["value v create i64 1", "array a create f64 2", "value v add 1", "trap"];
        assert_eq!(dies.fails(&steps).kind, FailureKind::Trap);
        let script = dies.start(&["array a set 1 0.5", "event e create", "event e wait"]);
        crate::common::until(|| shared.show("e").is_ok());
        script.cancel();
        assert_eq!(script.failure().kind, FailureKind::Cancelled);
        let steps = ["value v get", "array a read 0 2"];
        assert_eq!(next.run(&steps), json!([2, [0, 0.5]]), "{isolation:?}");
        assert_sound(&shared);
    }
}
