//! Python's semantics of queues.

use super::process::Child;
use super::*;
use std::thread::scope;

fn queue(shared: &Shared, me: &Caller<'_>, messages: u32, bytes: u64, joinable: bool) -> ObjectId {
    shared.create(me, "queue", &Spec::Queue { messages, bytes, joinable }, 0).unwrap()
}

fn get(queue: Queue<'_>, caller: &Caller<'_>, limit: Option<Duration>) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    queue.get(caller, &mut bytes, limit).map(|_| bytes)
}

#[test]
fn a_queue_is_first_in_first_out_and_bounded_in_messages() {
    let (shared, me) = world();
    let id = queue(&shared, &me, 6, 0, false);
    let queue = shared.queue(id).unwrap();
    assert_eq!(get(queue, &me, NOW), Err(Error::TimedOut));
    assert_eq!(get(queue, &me, SOON), Err(Error::TimedOut));
    for round in 0..500u32 {
        for message in 0..6 {
            assert_eq!(queue.len(), message as usize);
            queue.put(&me, &(round + message).to_le_bytes(), NOW).unwrap();
        }
        assert_eq!(queue.put(&me, b"x", NOW), Err(Error::TimedOut));
        let limit = if round == 0 { SOON } else { NOW };
        assert_eq!(queue.put(&me, b"x", limit), Err(Error::TimedOut));
        for message in 0..6 {
            assert_eq!(get(queue, &me, NOW), Ok((round + message).to_le_bytes().to_vec()));
        }
    }
    assert_eq!(queue.len(), 0);
    assert_sound(&shared);
}

#[test]
fn messages_of_all_lengths_come_back_whole_and_bytes_are_bounded() {
    let (shared, me) = world();
    let id = queue(&shared, &me, 100, 10_000, false);
    let queue = shared.queue(id).unwrap();
    let message = |length: usize| (0..length).map(|at| (at * 7 + length) as u8).collect::<Vec<_>>();
    for length in (0..600).chain([9_999, 10_000, 10_240]) {
        queue.put(&me, &message(length), NOW).unwrap();
        assert_eq!(get(queue, &me, NOW), Ok(message(length)));
    }
    queue.acknowledge(&me).unwrap();
    assert_eq!(queue.acknowledge(&me), Err(Error::NotOwner));
    assert_eq!(queue.put(&me, &message(10_241), None), Err(Error::TooLarge));
    queue.put(&me, &message(9_000), NOW).unwrap();
    assert_eq!(queue.put(&me, &message(2_000), NOW), Err(Error::TimedOut), "full of bytes");
    queue.put(&me, &message(1_000), NOW).unwrap();
    queue.put(&me, &message(96), NOW).unwrap();
    for length in [9_000, 1_000, 96] {
        assert_eq!(get(queue, &me, NOW), Ok(message(length)));
    }
    queue.acknowledge(&me).unwrap();
    assert_sound(&shared);
}

#[test]
fn a_message_is_shorter_than_4_gib_however_large_the_queue_is() {
    let (_, me) = world();
    let shared = Shared::new(Space { shared_bytes: 9 << 30, ..Space::default() }).unwrap();
    let id = queue(&shared, &me, 1, 8 << 30, false);
    let queue = shared.queue(id).unwrap();
    assert_eq!(queue.blocks_for(u32::MAX as usize), Some(1 << 24));
    assert_eq!(queue.blocks_for(1 << 32), None);
}

#[test]
fn a_message_on_lease_does_not_count_against_the_bound() {
    let (shared, me) = world();
    let id = queue(&shared, &me, 1, 0, false);
    let queue = shared.queue(id).unwrap();
    let other = another(&shared);
    queue.put(&me, b"one", NOW).unwrap();
    assert_eq!(get(queue, &other, NOW), Ok(b"one".to_vec()));
    queue.put(&me, b"two", NOW).unwrap();
    assert_eq!(queue.put(&me, b"three", NOW), Err(Error::TimedOut));
    shared.release(&me, other.owner).unwrap();
    let mut bytes = Vec::new();
    assert_eq!(queue.get(&me, &mut bytes, NOW), Ok(Delivery { redelivered: 1 }));
    assert_eq!(bytes, b"one", "back at the front");
    assert_eq!(queue.get(&me, &mut bytes, NOW), Ok(Delivery { redelivered: 0 }));
    assert_sound(&shared);
}

#[test]
fn a_discarded_instance_gives_its_message_back() {
    let (shared, me) = world();
    let id = queue(&shared, &me, 4, 4000, true);
    let queue = shared.queue(id).unwrap();
    queue.put(&me, &[1; 1000], NOW).unwrap();
    for times in 0..300u32 {
        let mut bytes = Vec::new();
        let redelivered = times.min(255) as u8;
        assert_eq!(queue.get(&me, &mut bytes, NOW), Ok(Delivery { redelivered }));
        shared.discard(&me);
    }
    assert_sound(&shared);
}

#[test]
fn join_waits_until_all_tasks_are_done() {
    let _watchdog = watchdog(20);
    let (shared, me) = world();
    let id = queue(&shared, &me, 20, 0, true);
    let queue = shared.queue(id).unwrap();
    assert_eq!(queue.join(&me, NOW), Ok(Joined { lost: 0 }));
    for message in 0..10 {
        queue.put(&me, &[message], NOW).unwrap();
    }
    assert_eq!(queue.task_done(&me), Err(Error::TooMany), "none was got");
    let workers: Vec<_> = (0..4).map(|_| another(&shared)).collect();
    scope(|threads| {
        let joins = threads.spawn(|| shared.queue(id).unwrap().join(&me, None));
        until_waiting(&shared, me.owner);
        for worker in &workers {
            threads.spawn(|| {
                let queue = shared.queue(id).unwrap();
                while get(queue, worker, NOW).is_ok() {
                    queue.task_done(worker).unwrap();
                }
            });
        }
        assert_eq!(joins.join().unwrap(), Ok(Joined { lost: 0 }));
    });
    assert_eq!(queue.task_done(&me), Err(Error::TooMany));
    // Several messages are got before any task is done.
    for message in 0..3 {
        queue.put(&me, &[message], NOW).unwrap();
        get(queue, &me, NOW).unwrap();
    }
    for _ in 0..3 {
        assert_eq!(queue.join(&me, NOW), Err(Error::TimedOut));
        queue.task_done(&me).unwrap();
    }
    assert_eq!(queue.join(&me, NOW), Ok(Joined { lost: 0 }));
    assert_sound(&shared);
}

#[test]
fn tasks_lost_with_the_dead_are_told_to_those_that_join() {
    let _watchdog = watchdog(20);
    let (shared, me) = world();
    let id = queue(&shared, &me, 20, 0, true);
    let queue = shared.queue(id).unwrap();
    let dead = another(&shared);
    for message in 0..2 {
        queue.put(&me, &[message], NOW).unwrap();
        get(queue, &dead, NOW).unwrap();
    }
    scope(|threads| {
        let joins = threads.spawn(|| shared.queue(id).unwrap().join(&another(&shared), None));
        while queue.join(&me, NOW).is_ok() {}
        // The first message was acknowledged; the second comes again.
        shared.release(&me, dead.owner).unwrap();
        let mut bytes = Vec::new();
        assert_eq!(queue.get(&me, &mut bytes, NOW), Ok(Delivery { redelivered: 1 }));
        assert_eq!(bytes, [1]);
        queue.task_done(&me).unwrap();
        assert_eq!(joins.join().unwrap(), Ok(Joined { lost: 1 }));
    });
    assert_sound(&shared);
}

#[test]
fn a_closed_queue_can_be_drained_and_no_more() {
    let _watchdog = watchdog(20);
    let (shared, me) = world();
    let id = queue(&shared, &me, 1, 0, false);
    let queue = shared.queue(id).unwrap();
    let (getter, putter) = (another(&shared), another(&shared));
    queue.put(&me, b"last", NOW).unwrap();
    scope(|threads| {
        let puts = threads.spawn(|| shared.queue(id).unwrap().put(&putter, b"late", None));
        until_waiting(&shared, putter.owner);
        queue.close(&me).unwrap();
        assert_eq!(puts.join().unwrap(), Err(Error::Closed));
    });
    assert_eq!(queue.put(&me, b"x", NOW), Err(Error::Closed));
    assert_eq!(get(queue, &getter, None), Ok(b"last".to_vec()));
    assert_eq!(get(queue, &getter, None), Err(Error::Closed));
    assert_sound(&shared);
}

#[test]
fn what_was_put_before_and_after_a_fork_arrives() {
    let _watchdog = watchdog(30);
    let (shared, me) = world();
    let id = queue(&shared, &me, 8, 100_000, false);
    let queue = shared.queue(id).unwrap();
    let child = another(&shared);
    for message in 0..5u32 {
        queue.put(&me, &message.to_le_bytes(), NOW).unwrap();
    }
    let child = Child::new(|| {
        let ok = (0..2000u32).all(|message| {
            let bytes = get(shared.queue(id).unwrap(), &child, None).unwrap();
            bytes[..4] == message.to_le_bytes()
        });
        i32::from(!ok)
    });
    for message in 5..2000u32 {
        let mut bytes = vec![0; 4 + message as usize % 300];
        bytes[..4].copy_from_slice(&message.to_le_bytes());
        queue.put(&me, &bytes, None).unwrap();
    }
    assert_eq!(child.wait(Duration::from_secs(20)), Some(0));
}
