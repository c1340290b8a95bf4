//! Producers and consumers of one queue, killed at random: no message that was put is lost, and no
//! message is delivered twice without saying so. `WPOOL_SOAK=SECONDS` sets the duration,
//! `WPOOL_SEED` the seed.

use super::process::Child;
use super::*;
use std::collections::HashMap;

const WORKERS: usize = 4;
/// The number of messages that one producer can put in its life, and that one round has.
const LIFE: u32 = 20_000;
const ROUND: u32 = 40_000_000;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Works on the queue. A producer writes what it has put into its row of `log`; a consumer writes
/// what it has got, before it acknowledges.
fn work(
    shared: &Shared,
    id: ObjectId,
    log: ObjectId,
    me: Caller<'_>,
    at: usize,
    first: u32,
) -> i32 {
    let (queue, log) = (shared.queue(id).unwrap(), shared.array(log).unwrap());
    let mut bytes = Vec::new();
    for turn in 0..if at.is_multiple_of(2) { LIFE } else { u32::MAX } {
        if at.is_multiple_of(2) {
            let number = first + turn;
            let length = if number.is_multiple_of(3) { 500 } else { 12 };
            let mut message = vec![number as u8; length];
            message[..4].copy_from_slice(&number.to_le_bytes());
            queue.put(&me, &message, None).unwrap();
            // The message was put: 1 is added in the lowest bits. It may be got before that is
            // written.
            log.add(number as usize, Scalar::U32(1)).unwrap();
        } else {
            let delivery = queue.get(&me, &mut bytes, None).unwrap();
            let number = u32::from_le_bytes(bytes[..4].try_into().unwrap());
            assert!(bytes[4..].iter().all(|byte| *byte == number as u8), "torn");
            let got = if delivery.redelivered > 0 { 1 << 20 } else { 1 << 10 };
            log.add(number as usize, Scalar::U32(got)).unwrap();
        }
    }
    0
}

#[test]
fn random_deaths_lose_nothing_that_was_put() {
    let seconds = number("WPOOL_SOAK", 3);
    let seed = number("WPOOL_SEED", u64::from(std::process::id()));
    println!("WPOOL_SEED={seed}");
    let _watchdog = watchdog(seconds + 60);
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut random = seed | 1;
    while Instant::now() < until {
        round(until, &mut random);
    }
}

fn round(until: Instant, random: &mut u64) {
    let space = Space { shared_bytes: 256 << 20, region_bytes: 1 << 20 };
    let shared = Shared::new(space).unwrap();
    let me = another(&shared);
    let spec = Spec::Queue { messages: 16, bytes: 4096, joinable: false };
    let queue = shared.create(&me, "queue", &spec, 0).unwrap();
    let log = Spec::Array { kind: Type::U32, length: ROUND as usize };
    let log = shared.create(&me, "log", &log, 0).unwrap();
    let (mut next, mut kills) = (0u32, 0u32);
    let mut living: HashMap<usize, (Child, Owner)> = HashMap::new();
    while Instant::now() < until && next < ROUND - WORKERS as u32 * LIFE {
        for at in 0..WORKERS {
            living.entry(at).or_insert_with(|| {
                let caller = another(&shared);
                let first = next;
                next += if at.is_multiple_of(2) { LIFE } else { 0 };
                (Child::new(|| work(&shared, queue, log, caller, at, first)), caller.owner)
            });
        }
        *random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let pause = Instant::now() + Duration::from_micros(200 + (*random >> 33) % 3000);
        while Instant::now() < pause {
            std::thread::yield_now();
        }
        let (child, owner) = living.remove(&((*random >> 20) as usize % WORKERS)).unwrap();
        child.kill();
        assert_eq!(shared.release(&me, owner), Ok(Swept::default()));
        kills += 1;
    }
    for (_, (child, owner)) in living {
        child.kill();
        shared.release(&me, owner).unwrap();
    }
    assert_sound(&shared);
    drain(&shared, &me, queue, log);
    count(&shared, log, next, kills);
}

fn drain(shared: &Shared, me: &Caller<'_>, queue: ObjectId, log: ObjectId) {
    let (queue, log) = (shared.queue(queue).unwrap(), shared.array(log).unwrap());
    let mut bytes = Vec::new();
    while let Ok(delivery) = queue.get(me, &mut bytes, NOW) {
        let number = u32::from_le_bytes(bytes[..4].try_into().unwrap());
        let got = if delivery.redelivered > 0 { 1 << 20 } else { 1 << 10 };
        log.add(number as usize, Scalar::U32(got)).unwrap();
    }
    assert_sound(shared);
}

fn count(shared: &Shared, log: ObjectId, numbers: u32, kills: u32) {
    let log = shared.array(log).unwrap();
    let (mut put, mut got, mut again, mut lost) = (0u64, 0u64, 0u64, 0u32);
    for number in 0..numbers as usize {
        let Ok(Scalar::U32(word)) = log.get(number) else { panic!() };
        let (was_put, first, later) = (word & 1023, word >> 10 & 1023, word >> 20);
        put += u64::from(was_put);
        got += u64::from(first);
        again += u64::from(later);
        assert!(first <= 1, "{number} was delivered {first} times without saying so");
        // A consumer writes into the log before its next call ends the lease.
        lost += u32::from(was_put == 1 && first + later == 0);
    }
    println!("{kills} deaths, {put} put, {got} got, {again} again, {lost} lost");
    assert_eq!(lost, 0, "lost");
}
