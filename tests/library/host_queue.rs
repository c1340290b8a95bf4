//! Queues between threads of the host. The tests mirror those of Python's `_test_multiprocessing`,
//! with one difference on purpose: a put has happened when it returns. There is no feeder thread,
//! and lengths are exact.

use crate::common::watchdog;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{self, scope};
use std::time::Duration;
use wpool::{Capacity, Queue, Shared, SharedError};

const SOON: Duration = Duration::from_millis(5);

fn shared() -> Shared {
    Shared::builder().shared_bytes(16 << 20).region_bytes(1 << 20).build().unwrap()
}

#[test]
fn a_queue_is_first_in_first_out_and_bounded() {
    let _watchdog = watchdog(60);
    let queue = Queue::<i64>::create(&shared(), "queue", Capacity::messages(6)).unwrap();
    assert_eq!(queue.try_get(), Err(SharedError::TimedOut));
    assert_eq!(queue.get_timeout(SOON), Err(SharedError::TimedOut));
    for n in 0..6 {
        assert_eq!(queue.len(), Ok(n));
        queue.put(&(n as i64)).unwrap();
    }
    assert_eq!(queue.try_put(&6), Err(SharedError::TimedOut));
    assert_eq!(queue.put_timeout(&6, SOON), Err(SharedError::TimedOut));
    assert_eq!(queue.peek().unwrap(), [0, 1, 2, 3, 4, 5]);
    for n in 0..6 {
        let got = queue.get().unwrap();
        assert_eq!((got.value, got.redelivered), (n, false));
    }
    assert_eq!((queue.is_empty(), queue.len()), (Ok(true), Ok(0)));
}

#[test]
fn a_closed_queue_gives_what_it_has_and_takes_nothing() {
    let _watchdog = watchdog(60);
    let queue = Queue::<String>::create(&shared(), "queue", Capacity::messages(6)).unwrap();
    queue.put(&"one".into()).unwrap();
    scope(|scope| {
        let all =
            scope.spawn(|| queue.iter().map(|message| message.unwrap().value).collect::<Vec<_>>());
        queue.put(&"two".into()).unwrap();
        queue.close().unwrap();
        assert_eq!(all.join().unwrap(), ["one", "two"]);
    });
    assert_eq!(queue.is_closed(), Ok(true));
    assert_eq!(queue.put(&"three".into()), Err(SharedError::Closed));
    assert_eq!(queue.get(), Err(SharedError::Closed));
}

#[test]
fn messages_of_any_length_arrive_whole_and_one_that_can_never_fit_is_refused() {
    let _watchdog = watchdog(60);
    let capacity = Capacity::messages(4).bytes(1 << 20);
    let state = shared();
    let bytes = Queue::<[u8]>::create(&state, "queue", capacity).unwrap();
    for length in [0, 1, 96, 97, 256, 1000, 1 << 20] {
        let message: Vec<u8> = (0..length).map(|n: usize| (n % 251) as u8).collect();
        bytes.put(&message).unwrap();
        assert!(bytes.get().unwrap().value == message, "{length}");
    }
    assert_eq!(bytes.put(&vec![0; (1 << 20) + 1]), Err(SharedError::TooLarge));
    // The same queue can be opened with messages in JSON.
    let json = Queue::<(i64, Option<String>)>::open(&state, "queue").unwrap();
    json.put(&(1, None)).unwrap();
    assert_eq!(bytes.get().unwrap().value, b"[1,null]");
    bytes.put(b"[2,\"x\"]").unwrap();
    assert_eq!(json.get().unwrap().value, (2, Some("x".into())));
    bytes.put(b"words").unwrap();
    let malformed = json.get().unwrap_err().to_string();
    assert!(malformed.starts_with("the message is not JSON of the type asked for"), "{malformed}");
    assert_eq!(json.try_get(), Err(SharedError::TimedOut), "it was got all the same");
}

#[test]
fn each_message_is_got_once_however_many_threads_put_and_get() {
    let _watchdog = watchdog(60);
    let state = shared();
    let queue = Queue::<(usize, usize)>::create(&state, "queue", Capacity::messages(7)).unwrap();
    let got = scope(|scope| {
        let consumers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| queue.iter().map(|m| m.unwrap().value).collect::<Vec<_>>()))
            .collect();
        let producers: Vec<_> = (0..4)
            .map(|p| {
                let queue = &queue;
                scope.spawn(move || (0..2000).for_each(|n| queue.put(&(p, n)).unwrap()))
            })
            .collect();
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        queue.close().unwrap();
        consumers.into_iter().map(|consumer| consumer.join().unwrap()).collect::<Vec<_>>()
    });
    let mut all = BTreeMap::new();
    for consumed in got {
        let mut last = [None; 4];
        for (producer, n) in consumed {
            assert!(last[producer] < Some(n), "in the order of each producer");
            last[producer] = Some(n);
            *all.entry((producer, n)).or_insert(0) += 1;
        }
    }
    assert!(all.len() == 8000 && all.values().all(|&times| times == 1));
    assert_eq!(state.check(), Vec::<String>::new());
}

#[test]
fn a_join_waits_until_all_tasks_are_done() {
    let _watchdog = watchdog(60);
    let capacity = Capacity::messages(100);
    let queue = Queue::<i64>::create_joinable(&shared(), "queue", capacity).unwrap();
    assert_eq!(queue.join(), Ok(0), "there are none");
    (0..40).for_each(|n| queue.put(&n).unwrap());
    assert_eq!(queue.join_timeout(SOON), Err(SharedError::TimedOut));
    let done = AtomicUsize::new(0);
    scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while queue.try_get().is_ok() {
                    thread::yield_now();
                    done.fetch_add(1, SeqCst);
                    queue.task_done().unwrap();
                }
            });
        }
        assert_eq!(queue.join(), Ok(0));
        assert_eq!(done.load(SeqCst), 40);
    });
    assert_eq!(queue.task_done(), Err(SharedError::TooMany));
    // A thread that ends before it is done does not hang any other.
    queue.put(&1).unwrap();
    scope(|scope| scope.spawn(|| queue.get().unwrap()).join().unwrap());
    assert_eq!(queue.join(), Ok(1));
    let plain = Queue::<i64>::create(&shared(), "plain", capacity).unwrap();
    let not = SharedError::NotJoinable { object: "queue `plain`".into() };
    assert_eq!((plain.join(), plain.task_done()), (Err(not.clone()), Err(not)));
}
