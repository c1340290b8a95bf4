//! Tests of job memory, from both sides.

use super::*;

/// Returns the two mappings of one memory: the dispatcher's and the worker's.
fn pair() -> (JobMem, JobMem) {
    let (dispatcher, fd) = JobMem::create(0).unwrap();
    (dispatcher, JobMem::map(&fd).unwrap())
}

#[test]
fn jobs_are_claimed_in_order_and_each_once() {
    let (dispatcher, worker) = pair();
    dispatcher.arm(7, 3);
    let claims: Vec<_> = std::iter::from_fn(|| worker.claim(7)).collect();
    assert_eq!(claims, [0, 1, 2]);
    assert_eq!(worker.claim(8), None, "another batch");
}

#[test]
fn a_stolen_tail_is_not_claimed() {
    let (dispatcher, worker) = pair();
    dispatcher.arm(0, 10);
    assert_eq!(worker.claim(0), Some(0));
    let stolen = dispatcher.take_back(0, |claimed| claimed.next + (claimed.end - claimed.next) / 2);
    assert_eq!(stolen, Some((Claimed { next: 1, end: 10 }, 5)));
    assert_eq!(std::iter::from_fn(|| worker.claim(0)).count(), 4);
}

#[test]
fn a_fence_leaves_only_what_is_claimed() {
    let (dispatcher, worker) = pair();
    dispatcher.arm(1, 5);
    worker.claim(1);
    dispatcher.take_back(1, |claimed| claimed.next);
    assert_eq!(dispatcher.claimed(1), Some(Claimed { next: 1, end: 1 }));
    assert_eq!(worker.claim(1), None);
}

#[test]
fn committed_bytes_are_seen_by_the_other_side_and_no_others() {
    let (dispatcher, worker) = pair();
    dispatcher.arm(2, 1);
    assert_eq!(dispatcher.committed(2), Some(0));
    worker.write(2, 0, b"record");
    assert_eq!(dispatcher.committed(2), Some(0));
    worker.commit(2, 6);
    assert_eq!(dispatcher.copy_out(2, 0..dispatcher.committed(2).unwrap()), b"record");
    assert_eq!(dispatcher.committed(4), None, "the same half, another batch");
}

#[test]
fn the_dispatcher_survives_any_word_the_worker_writes() {
    let (dispatcher, worker) = pair();
    for word in [0, u64::MAX, pack(3, 9, 2), pack(3, 0, u16::MAX), 3 << 32 | 0xffff_ffff] {
        dispatcher.arm(3, 4);
        worker.word(3).store(word, Ordering::SeqCst);
        worker.commit_word(3).store(word, Ordering::SeqCst);
        dispatcher.claimed(3);
        dispatcher.take_back(3, |claimed| claimed.next);
        assert!(
            dispatcher.copy_out(3, 0..dispatcher.committed(3).unwrap_or(0)).len() <= OUTBOX_BYTES
        );
    }
}

#[test]
fn a_fatal_message_is_one_short_line_whatever_the_worker_writes() {
    let (dispatcher, worker) = pair();
    assert_eq!(dispatcher.fatal_message(), "");
    worker.set_fatal_message(&[b"write to ", b"region r\n\x1b[2J\xff"]);
    assert_eq!(dispatcher.fatal_message(), "write to region r\u{fffd}\u{fffd}[2J\u{fffd}");
    worker.set_fatal_message(&[&[b'x'; 10_000]]);
    assert_eq!(dispatcher.fatal_message(), "x".repeat(FATAL_BYTES_MAX));
    worker.half(FATAL_MESSAGE).store(u32::MAX, Ordering::Relaxed);
    assert_eq!(dispatcher.fatal_message().len(), FATAL_BYTES_MAX);
}

#[test]
#[should_panic(expected = "outside of the outbox")]
fn a_write_beyond_the_outbox_is_refused() {
    let (_, worker) = pair();
    worker.write(0, OUTBOX_BYTES - 1, b"ab");
}

#[test]
fn the_dispatcher_knows_when_the_running_job_began() {
    let (dispatcher, worker) = pair();
    assert_eq!(dispatcher.began(), None);
    let began = MonotonicTime::now();
    worker.set_began(Some(began));
    assert_eq!(dispatcher.began(), Some(began));
    worker.set_called(began);
    assert_eq!(dispatcher.called(), began);
    worker.set_began(None);
    assert_eq!(dispatcher.began(), None);
}

#[test]
fn what_a_command_has_printed_is_told_whatever_the_worker_writes() {
    let (dispatcher, fd) = JobMem::create(10).unwrap();
    let worker = JobMem::map(&fd).unwrap();
    assert!(worker.has_tape() && dispatcher.printed().is_empty());
    worker.note_printed(b"one ");
    worker.note_printed(b"two three");
    assert_eq!(dispatcher.printed(), b"one two th");
    worker.note_printed(b"four");
    assert_eq!(dispatcher.printed().len(), 10);
    worker.forget_printed();
    worker.note_printed(b"1");
    assert_eq!(dispatcher.printed(), b"1");
    worker.atomic(PRINTED).store(u64::MAX, Ordering::SeqCst);
    assert_eq!(dispatcher.printed().len(), 10);
    let (dispatcher, worker) = pair();
    worker.note_printed(b"1");
    assert!(!worker.has_tape() && dispatcher.printed().is_empty());
}
