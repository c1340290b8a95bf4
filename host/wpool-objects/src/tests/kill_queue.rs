//! The operations in which victims are killed, with the checks that follow: queues, values, the
//! directory, sweeps.

use super::kill::{Case, Stage};
use super::*;

const LONG: usize = 700;

/// Returns a message that can be told from others and checked.
fn message(id: u32) -> Vec<u8> {
    let bytes = if id.is_multiple_of(2) { 40 } else { LONG };
    let mut message: Vec<u8> = (0..bytes).map(|at| (id as usize * 31 + at * 7) as u8).collect();
    message[..4].copy_from_slice(&id.to_le_bytes());
    message
}

fn put(stage: &Stage, caller: &Caller<'_>, id: u32) -> Result<(), Error> {
    stage.shared.queue(stage.id()).unwrap().put(caller, &message(id), SECOND)
}

/// Gets a message. Returns its number and how often it was delivered before.
fn get(stage: &Stage, caller: &Caller<'_>, limit: Option<Duration>) -> Result<(u32, u8), Error> {
    let mut bytes = Vec::new();
    let delivery = stage.shared.queue(stage.id()).unwrap().get(caller, &mut bytes, limit)?;
    let id = u32::from_le_bytes(bytes[..4].try_into().unwrap());
    assert_eq!(bytes, message(id), "a message is whole");
    Ok((id, delivery.redelivered))
}

fn drain(stage: &Stage) -> Vec<(u32, u8)> {
    std::iter::from_fn(|| match get(stage, &stage.me, NOW) {
        Ok(got) => Some(got),
        Err(Error::TimedOut) => None,
        Err(error) => panic!("{error}"),
    })
    .collect()
}

fn numbers(got: &[(u32, u8)]) -> Vec<u32> {
    got.iter().map(|(id, _)| *id).collect()
}

fn queue(stage: &mut Stage, messages: u32, joinable: bool, ids: &[u32]) {
    stage.make(Spec::Queue { messages, bytes: 8 << 10, joinable });
    for id in ids {
        put(stage, &stage.me.clone(), *id).unwrap();
    }
}

/// Checks that the whole capacity is available again.
fn whole(stage: &Stage, messages: u32) {
    assert_eq!(drain(stage), []);
    for id in 0..messages {
        put(stage, &stage.me, 100 + 2 * id).unwrap();
    }
    let full = stage.shared.queue(stage.id()).unwrap().put(&stage.me, b"x", NOW);
    assert_eq!(full, Err(Error::TimedOut));
    assert_eq!(drain(stage).len(), messages as usize);
    // The capacity in bytes is whole as well: 32 blocks, three for each long message.
    let most = vec![1; 8 << 10];
    stage.shared.queue(stage.id()).unwrap().put(&stage.me, &most, NOW).unwrap();
    let mut got = Vec::new();
    stage.shared.queue(stage.id()).unwrap().get(&stage.me, &mut got, NOW).unwrap();
    assert_eq!(got, most);
    stage.shared.queue(stage.id()).unwrap().acknowledge(&stage.me).unwrap();
}

fn check_put(stage: &mut Stage, id: u32) {
    let got = drain(stage);
    let committed = got.len() == 4;
    assert_eq!(numbers(&got), if committed { vec![1, 2, 3, id] } else { vec![1, 2, 3] });
    assert!(got.iter().all(|(_, before)| *before == 0));
    assert!(committed || stage.progress() == 0, "what was put is there");
    whole(stage, 6);
}

fn check_get(stage: &mut Stage) {
    let got = drain(stage);
    match stage.progress() {
        // The message was acknowledged.
        2 => assert_eq!(got, [(2, 0), (3, 0)]),
        // The message was got, and perhaps acknowledged.
        1 => assert!(numbers(&got) == [2, 3] || got == [(1, 1), (2, 0), (3, 0)], "{got:?}"),
        _ => assert!(numbers(&got) == [1, 2, 3] && got[0].1 <= 1, "{got:?}"),
    }
    whole(stage, 6);
}

pub(super) const CASES: &[Case] = &[
    Case {
        name: "queue: put a short message",
        setup: |stage| queue(stage, 6, false, &[1, 2, 3]),
        work: |stage| {
            put(stage, &stage.victim, 78).unwrap();
            stage.at(1);
        },
        check: |stage| check_put(stage, 78),
    },
    Case {
        name: "queue: put a long message",
        setup: |stage| queue(stage, 6, true, &[1, 2, 3]),
        work: |stage| {
            put(stage, &stage.victim, 77).unwrap();
            stage.at(1);
        },
        check: |stage| check_put(stage, 77),
    },
    Case {
        name: "queue: put, full",
        setup: |stage| queue(stage, 3, false, &[1, 2, 3]),
        work: |stage| _ = put(stage, &stage.victim, 77),
        check: |stage| {
            assert_eq!(numbers(&drain(stage)), [1, 2, 3]);
            whole(stage, 3);
        },
    },
    Case {
        name: "queue: put to one that waits",
        setup: |stage| {
            queue(stage, 6, false, &[]);
            stage.wait_in_line(|stage| match get(stage, &stage.waiter, None) {
                Ok((id, _)) => id as i32,
                Err(_) => 1,
            });
        },
        work: |stage| {
            put(stage, &stage.victim, 77).unwrap();
            stage.at(1);
        },
        check: |stage| {
            if stage.progress() == 0 {
                put(stage, &stage.me, 79).unwrap();
            }
            let code = stage.waited();
            let rest = numbers(&drain(stage));
            match code {
                // The queue may hold 79 behind it.
                77 => assert!(rest == [79] || rest.is_empty() && stage.progress() == 1),
                79 => assert!(rest.is_empty() && stage.progress() == 0),
                _ => panic!("{code}"),
            }
            stage.shared.release(&stage.me, stage.waiter.owner).unwrap();
            drain(stage);
            whole(stage, 6);
        },
    },
    Case {
        name: "queue: get a long message and acknowledge",
        setup: |stage| queue(stage, 6, false, &[1, 2, 3]),
        work: |stage| {
            get(stage, &stage.victim, None).unwrap();
            stage.at(1);
            stage.shared.queue(stage.id()).unwrap().acknowledge(&stage.victim).unwrap();
            stage.at(2);
        },
        check: check_get,
    },
    Case {
        name: "queue: joinable, get and task done",
        setup: |stage| queue(stage, 6, true, &[1, 2, 3]),
        work: |stage| {
            get(stage, &stage.victim, None).unwrap();
            stage.at(1);
            stage.shared.queue(stage.id()).unwrap().task_done(&stage.victim).unwrap();
            stage.at(2);
        },
        check: |stage| {
            check_get(stage);
            let queue = stage.shared.queue(stage.id()).unwrap();
            while queue.task_done(&stage.me).is_ok() {}
            assert_eq!(queue.join(&stage.me, NOW), Ok(Joined { lost: 0 }));
        },
    },
    Case {
        name: "queue: joinable, acknowledge by the next get",
        setup: |stage| queue(stage, 6, true, &[1, 2]),
        work: |stage| {
            get(stage, &stage.victim, None).unwrap();
            get(stage, &stage.victim, None).unwrap();
        },
        check: |stage| {
            let got = drain(stage);
            assert!(matches!(*got, [(1, 0 | 1), (2, 0)] | [(2, 0 | 1)]), "{got:?}");
            let queue = stage.shared.queue(stage.id()).unwrap();
            let mut done = 0;
            while queue.task_done(&stage.me).is_ok() {
                done += 1;
            }
            assert_eq!(done, got.len());
            let lost = 2 - got.len() as u64;
            assert_eq!(queue.join(&stage.me, NOW), Ok(Joined { lost }), "{got:?}");
        },
    },
    Case {
        name: "queue: get, empty",
        setup: |stage| queue(stage, 6, false, &[]),
        work: |stage| _ = get(stage, &stage.victim, None),
        check: |stage| whole(stage, 6),
    },
    Case {
        name: "queue: get and acknowledge while one waits for space",
        setup: |stage| {
            queue(stage, 3, false, &[1, 2, 3]);
            stage.wait_in_line(|stage| i32::from(put(stage, &stage.waiter, 77).is_err()));
        },
        work: |stage| {
            get(stage, &stage.victim, None).unwrap();
            stage.at(1);
        },
        check: |stage| {
            let (first, _) = get(stage, &stage.me, SECOND).unwrap();
            assert_eq!(stage.waited(), 0);
            let mut got = vec![first];
            got.extend(numbers(&drain(stage)));
            assert!(got == [1, 2, 3, 77] || got == [2, 3, 77] && stage.progress() == 1, "{got:?}");
            whole(stage, 3);
        },
    },
    Case {
        name: "value and array: add",
        setup: |stage| {
            stage.make(Spec::Value { initial: Scalar::I64(1) });
            stage.make(Spec::Array { kind: Type::F64, length: 3 });
        },
        work: |stage| {
            stage.shared.value(stage.ids[0]).unwrap().add(Scalar::I64(-3)).unwrap();
            stage.shared.array(stage.ids[1]).unwrap().add(2, Scalar::F64(0.5)).unwrap();
        },
        check: |stage| {
            let value = stage.shared.value(stage.ids[0]).unwrap().get();
            assert!(value == Scalar::I64(1) || value == Scalar::I64(-2));
            let element = stage.shared.array(stage.ids[1]).unwrap().get(2).unwrap();
            assert!(element == Scalar::F64(0.0) || element == Scalar::F64(0.5));
        },
    },
    Case {
        name: "directory: create, delete, close",
        setup: |_| {},
        work: |stage| {
            let spec = Spec::Queue { messages: 4, bytes: 1000, joinable: false };
            let id = stage.shared.create(&stage.victim, "new", &spec, 7).unwrap();
            stage.at(1);
            stage.shared.delete(&stage.victim, id).unwrap();
            stage.at(2);
            stage.shared.close(&stage.victim, id).unwrap();
        },
        check: |stage| {
            let found = stage.shared.open(&stage.me, "new");
            match stage.progress() {
                2 => assert_eq!(found, Err(Error::NotFound)),
                _ if found.is_ok() => {
                    let (id, _) = found.unwrap();
                    stage.shared.queue(id).unwrap().put(&stage.me, b"x", NOW).unwrap();
                    stage.shared.delete(&stage.me, id).unwrap();
                    stage.shared.close(&stage.me, id).unwrap();
                }
                _ => {}
            }
            let spec = Spec::Array { kind: Type::I64, length: 3 << 20 };
            stage.shared.create(&stage.me, "large", &spec, 0).expect("all storage is free again");
        },
    },
    Case {
        name: "discard: a live slot's own sweep",
        setup: |stage| {
            queue(stage, 6, true, &[1, 2, 3]);
            stage.make(Spec::Lock { recursive: true });
            lock_of(stage).acquire(&stage.victim, None).unwrap();
            get(stage, &stage.victim, None).unwrap();
        },
        work: |stage| {
            stage.shared.discard(&stage.victim);
            stage.at(1);
        },
        check: |stage| {
            let died = Acquired::OwnerDied { culprit: Some(stage.victim.owner) };
            assert_eq!(lock_of(stage).acquire(&stage.me, SECOND), Ok(died));
            lock_of(stage).release(&stage.me).unwrap();
            assert_eq!(drain(stage), [(1, 1), (2, 0), (3, 0)]);
            whole(stage, 6);
        },
    },
];

fn lock_of(stage: &Stage) -> Lock<'_> {
    stage.shared.lock(stage.ids[1]).unwrap()
}
