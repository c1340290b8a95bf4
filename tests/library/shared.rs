//! Shared state on the side of the host: names, limits, threads, and what is shown of it. (The
//! kinds of objects are tested in `host_objects.rs` and `host_queue.rs`, the view of workers in
//! `sharing.rs`.)

use crate::common::{until, watchdog};
use serde_json::{Value as Json, json};
use std::fs;
use std::mem::forget;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use wpool::{
    Array, Barrier, Capacity, Condition, Event, Lock, ObjectKind, Permits, Queue, Region,
    Semaphore, Shared, SharedError, Value,
};

/// Returns the message of an error.
#[track_caller]
fn message<T>(result: Result<T, SharedError>) -> String {
    result.err().expect("an error").to_string()
}

#[track_caller]
fn assert_sound(shared: &Shared) {
    assert_eq!(shared.check(), Vec::<String>::new());
}

#[test]
fn an_object_is_found_by_its_name_and_told_by_its_kind() {
    let _watchdog = watchdog(60);
    let shared = Shared::new().unwrap();
    Value::create(&shared, "balance", 7_i64).unwrap();
    Lock::create(&shared, "guard").unwrap();
    // The objects are not open anywhere now, but they still exist.
    let kinds = [("balance".to_owned(), ObjectKind::Value), ("guard".to_owned(), ObjectKind::Lock)];
    assert_eq!(shared.list().unwrap(), kinds);
    assert_eq!(Value::<i64>::open(&shared, "balance").unwrap().get(), Ok(7));
    assert_eq!(
        message(Lock::create(&shared, "guard")),
        "lock `guard` cannot be created, for there is a lock of this name: open it instead, or \
         choose another name"
    );
    assert_eq!(message(Lock::open(&shared, "gard")), "there is no lock `gard`: create it first");
    assert_eq!(
        message(Lock::open(&shared, "balance")),
        "`balance` is a value: use it as what it is"
    );
    assert_eq!(
        message(Value::<f64>::open(&shared, "balance")),
        "value `balance` holds i64: open it with its own type"
    );
    assert_eq!(
        shared.show("nothing"),
        Err(SharedError::NotFound { object: "object `nothing`".into() })
    );
    assert_sound(&shared);
}

#[test]
fn an_object_that_is_there_is_opened_and_else_it_is_created() {
    let _watchdog = watchdog(60);
    let shared = Shared::new().unwrap();
    let one = Value::open_or_create(&shared, "hits", 3_u32).unwrap();
    one.add(1).unwrap();
    let two = Value::open_or_create(&shared, "hits", 100_u32).unwrap();
    assert_eq!(two.get(), Ok(4), "it stays as it is");
    let wrong = Value::open_or_create(&shared, "hits", 1_i32);
    assert!(matches!(wrong, Err(SharedError::WrongType { holds: "u32", .. })), "{wrong:?}");
}

#[test]
fn a_name_has_1_to_128_bytes_without_nul() {
    let _watchdog = watchdog(60);
    let shared = Shared::new().unwrap();
    let longest = "é".repeat(64);
    Event::create(&shared, &longest).unwrap();
    assert_eq!(shared.list().unwrap(), [(longest.clone(), ObjectKind::Event)]);
    for name in ["", "a\0b", &format!("{longest}x")] {
        let wrong = message(Event::create(&shared, name));
        assert!(wrong.ends_with("a name has 1 to 128 bytes, none of them NUL"), "{wrong}");
        assert!(matches!(Event::open(&shared, name), Err(SharedError::NotFound { .. })), "{name}");
    }
}

#[test]
fn a_deleted_object_has_no_name_and_works_on_for_those_that_have_it_open() {
    let _watchdog = watchdog(60);
    let shared = Shared::new().unwrap();
    let old = Value::create(&shared, "n", 1_i64).unwrap();
    old.delete().unwrap();
    assert_eq!(shared.list(), Ok(vec![]));
    assert!(matches!(old.delete(), Err(SharedError::NotFound { .. })), "only once");
    assert!(matches!(shared.delete("n"), Err(SharedError::NotFound { .. })));
    let new = Value::create(&shared, "n", 2_i64).unwrap();
    old.add(10).unwrap();
    assert_eq!((old.get(), new.get()), (Ok(11), Ok(2)), "they are two");
    drop(new);
    shared.delete("n").unwrap();
    assert_eq!(old.get(), Ok(11));
    assert_sound(&shared);
}

#[test]
fn what_takes_the_place_of_something_deleted_is_zero() {
    let _watchdog = watchdog(60);
    let space = Shared::builder().shared_bytes(4 << 20).region_bytes(1 << 20);
    let shared = space.build().unwrap();
    for round in 0..3 {
        let array = Array::<u64>::create(&shared, "a", 100_000).unwrap();
        assert!(array.to_vec().unwrap().iter().all(|&n| n == 0), "round {round}");
        array.write(0, &vec![u64::MAX; 100_000]).unwrap();
        let region = Region::create(&shared, "r", 1 << 20).unwrap();
        let mut bytes = vec![1; 1 << 20];
        region.read(0, &mut bytes).unwrap();
        assert!(bytes.iter().all(|&byte| byte == 0), "round {round}");
        region.write(0, &vec![255; 1 << 20]).unwrap();
        array.delete().unwrap();
        region.delete().unwrap();
    }
}

#[test]
fn space_is_limited_and_what_is_deleted_can_be_used_again() {
    let _watchdog = watchdog(60);
    let space = Shared::builder().shared_bytes(8 << 20).region_bytes(1 << 20);
    let shared = space.build().unwrap();
    let large = Array::<bool>::create(&shared, "large", 4 << 20).unwrap();
    assert_eq!(
        message(Array::<bool>::create(&shared, "larger", 4 << 20)),
        "there is no space left for array `larger`: delete other objects, make it smaller, or give \
         the state more space"
    );
    large.delete().unwrap();
    drop(large);
    Array::<bool>::create(&shared, "larger", 4 << 20).unwrap();
    // The regions have a space of their own.
    Region::create(&shared, "r", 1 << 20).unwrap();
    assert!(matches!(Region::create(&shared, "s", 1), Err(SharedError::NoSpace { .. })));
    let queue = Queue::<i64>::create(&shared, "q", Capacity::messages(1).bytes(1 << 30));
    assert!(matches!(queue, Err(SharedError::NoSpace { .. })));
    assert_sound(&shared);
}

#[test]
fn numbers_outside_of_their_limits_are_told_with_the_limits() {
    let _watchdog = watchdog(60);
    let shared = Shared::new().unwrap();
    let none: [(String, &str); 6] = [
        (message(Barrier::create(&shared, "b", 0)), "barrier `b`: it is for 1 to 1024 parties"),
        (message(Barrier::create(&shared, "b", 1025)), "barrier `b`: it is for 1 to 1024 parties"),
        (
            message(Semaphore::create(&shared, "s", Permits::owned(1 << 31))),
            "semaphore `s`: it has at most 2147483647 permits",
        ),
        (
            message(Queue::<i64>::create(&shared, "q", Capacity::messages(0))),
            "queue `q`: it has room for 1 to 65536 messages, and for at most 64 GiB",
        ),
        (
            message(Array::<f64>::create(&shared, "a", 1 << 32)),
            "array `a`: it has at most 4294967295 elements",
        ),
        (
            message(Region::create(&shared, "r", 0)),
            "region `r`: it has at least a byte, and at most a TiB",
        ),
    ];
    for (message, limits) in none {
        assert_eq!(message, limits);
    }
    assert_eq!(shared.list(), Ok(vec![]));
}

#[test]
fn there_are_1024_objects_at_most() {
    let _watchdog = watchdog(60);
    let shared = Shared::new().unwrap();
    for n in 0..1024 {
        Event::create(&shared, &n.to_string()).unwrap();
    }
    assert!(matches!(Event::create(&shared, "one"), Err(SharedError::NoSpace { .. })));
    shared.delete("512").unwrap();
    Event::create(&shared, "one").unwrap();
    assert_eq!(shared.list().unwrap().len(), 1024);
    assert_sound(&shared);
}

/// Starts a thread that has used an event, and that lives until it is told to end.
fn user(event: &Event) -> (JoinHandle<Result<(), SharedError>>, Sender<()>) {
    let (end, told) = channel::<()>();
    let (used, is_used) = channel();
    let event = event.clone();
    let thread = thread::spawn(move || {
        let set = event.set();
        used.send(()).unwrap();
        let _ = told.recv();
        set
    });
    is_used.recv().unwrap();
    (thread, end)
}

#[test]
fn a_thread_gives_its_place_back_when_it_ends() {
    let _watchdog = watchdog(60);
    let shared = Shared::new().unwrap();
    let event = Event::create(&shared, "event").unwrap();
    let hits = Value::create(&shared, "hits", 0_i64).unwrap();
    // The state itself has the 64th place.
    let mut users: Vec<_> = (0..63).map(|_| user(&event)).collect();
    let (one_more, end) = user(&event);
    drop(end);
    let full = one_more.join().unwrap();
    assert_eq!(full, Err(SharedError::NoSlot));
    assert!(message(full).starts_with("all 64 places for pools and threads of this program are"));
    // The value needs no place.
    assert_eq!(thread::scope(|s| s.spawn(|| hits.add(1)).join().unwrap()), Ok(0));
    let (thread, end) = users.pop().unwrap();
    drop(end);
    thread.join().unwrap().unwrap();
    assert_eq!(event.is_set(), Ok(true));
    event.clear().expect("there is a place again");
    for (thread, end) in users {
        drop(end);
        thread.join().unwrap().unwrap();
    }
    // The threads are many more than there are places, one after the other.
    for _ in 0..200 {
        thread::scope(|scope| scope.spawn(|| event.set()).join().unwrap()).unwrap();
    }
    assert_sound(&shared);
}

/// Returns whether control memory of this size is mapped.
fn is_mapped(bytes: usize) -> bool {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains("wpool-shared")).any(|line| {
        let (first, rest) = line.split_once('-').unwrap();
        let (last, _) = rest.split_once(' ').unwrap();
        let at = |text| usize::from_str_radix(text, 16).unwrap();
        at(last) - at(first) == bytes
    })
}

#[test]
fn the_memory_goes_with_the_last_handle_though_threads_live_on_that_used_it() {
    let _watchdog = watchdog(60);
    const BYTES: usize = 123 << 20;
    let shared = Shared::builder().shared_bytes(BYTES as u64).build().unwrap();
    let event = Event::create(&shared, "event").unwrap();
    event.set().unwrap();
    let (end, told) = channel::<()>();
    let other = event.clone();
    let thread = thread::spawn(move || {
        other.set().unwrap();
        drop(other);
        let _ = told.recv();
    });
    drop(shared);
    assert!(is_mapped(BYTES), "an object keeps it");
    drop(event);
    until(|| !is_mapped(BYTES));
    drop(end);
    thread.join().unwrap();
}

#[test]
fn states_know_nothing_of_each_other() {
    let _watchdog = watchdog(60);
    let states: Vec<Shared> = (0..3).map(|_| Shared::new().unwrap()).collect();
    let locks: Vec<Lock> = states.iter().map(|s| Lock::create(s, "guard").unwrap()).collect();
    let guards: Vec<_> = locks.iter().map(|lock| lock.lock().unwrap()).collect();
    for state in &states {
        assert_eq!(state.show("guard"), Ok(json!({"held": true, "owner-died": false})));
    }
    drop(guards);
    for (lock, state) in locks.iter().zip(&states) {
        drop(lock.try_lock().unwrap());
        assert_sound(state);
    }
}

#[track_caller]
fn assert_shows(shared: &Shared, name: &str, json: &Json) {
    assert_eq!(shared.show(name).as_ref(), Ok(json), "{name}");
    let mut text = Vec::new();
    shared.write_json(name, &mut text).unwrap();
    assert!(!text.contains(&b'\n'), "one line");
    assert_eq!(serde_json::from_slice::<Json>(&text).unwrap(), *json, "{name}");
}

#[test]
fn every_object_is_shown_as_json() {
    let _watchdog = watchdog(60);
    let shared = Shared::new().unwrap();
    Value::create(&shared, "i", -7_i64).unwrap();
    Value::create(&shared, "u", u64::MAX).unwrap();
    Value::create(&shared, "f", 0.1_f32).unwrap();
    Value::create(&shared, "n", f64::NEG_INFINITY).unwrap();
    Value::create(&shared, "b", true).unwrap();
    let numbers = [("i", json!(-7)), ("u", json!(u64::MAX)), ("n", json!("-Infinity"))];
    for (name, json) in numbers.into_iter().chain([("b", json!(true))]) {
        assert_shows(&shared, name, &json);
    }
    let mut text = Vec::new();
    shared.write_json("f", &mut text).unwrap();
    assert_eq!(text, b"0.1", "with no more digits than it has");

    let array = Array::<f64>::create(&shared, "array", 3).unwrap();
    array.write(1, &[1.5, f64::NAN]).unwrap();
    assert_shows(&shared, "array", &json!([0.0, 1.5, "NaN"]));

    let semaphore = Semaphore::create(&shared, "semaphore", Permits::owned(2)).unwrap();
    semaphore.acquire().unwrap().forget();
    assert_shows(&shared, "semaphore", &json!(1));

    let event = Event::create(&shared, "event").unwrap();
    assert_shows(&shared, "event", &json!(false));
    event.set().unwrap();
    assert_shows(&shared, "event", &json!(true));

    let barrier = Barrier::create(&shared, "barrier", 3).unwrap();
    assert_shows(&shared, "barrier", &json!({"parties": 3, "waiting": 0, "broken": false}));
    barrier.abort().unwrap();
    assert_shows(&shared, "barrier", &json!({"parties": 3, "waiting": 0, "broken": true}));

    let condition = Condition::create(&shared, "condition").unwrap();
    forget(condition.lock().unwrap());
    let held = json!({"held": true, "owner-died": false, "waiting": 0});
    assert_shows(&shared, "condition", &held);

    let lock = Lock::create(&shared, "lock").unwrap();
    thread::scope(|scope| scope.spawn(|| forget(lock.lock().unwrap())).join().unwrap());
    assert_shows(&shared, "lock", &json!({"held": false, "owner-died": true}));
}

#[test]
fn messages_and_bytes_are_shown_as_json_as_text_or_in_base64() {
    let _watchdog = watchdog(60);
    let shared = Shared::new().unwrap();
    let queue = Queue::<[u8]>::create(&shared, "queue", Capacity::messages(10).bytes(1 << 20));
    let queue = queue.unwrap();
    let long = format!("\"{}\"", "x".repeat(10_000));
    for message in ["1", "[1,\n 2]", " {\"a\": 1.0} ", "words", "", &long] {
        queue.put(message.as_bytes()).unwrap();
    }
    queue.put(b"\xff\x00").unwrap();
    let shown = json!([1, [1, 2], {"a": 1.0}, "words", "", "x".repeat(10_000), {"base64": "/wA="}]);
    assert_shows(&shared, "queue", &shown);
    assert_eq!(queue.len(), Ok(7), "looking changes nothing");

    let region = Region::create(&shared, "region", 64 << 10).unwrap();
    assert_shows(&shared, "region", &json!({"bytes": 65536, "text": ""}));
    region.write(1, b"\tab\0c\0").unwrap();
    assert_shows(&shared, "region", &json!({"bytes": 65536, "text": "\0\tab\0c"}));
    region.write(0, &[255]).unwrap();
    assert_shows(&shared, "region", &json!({"bytes": 65536, "base64": "/wlhYgBj"}));
    Region::create(&shared, "large", (64 << 10) + 1).unwrap();
    assert_shows(&shared, "large", &json!({"bytes": 65537}));
}
