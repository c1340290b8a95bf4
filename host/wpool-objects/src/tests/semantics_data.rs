//! Python's semantics of values, arrays and regions, and the life of objects.

use super::super::layout::{HOST_SLOTS, OBJECTS_PER_CREATOR};
use super::process::Child;
use super::*;

fn make(shared: &Shared, me: &Caller<'_>, spec: Spec) -> ObjectId {
    shared.create(me, &format!("{spec:?}"), &spec, 1).unwrap()
}

#[test]
fn values_are_typed_and_atomic() {
    let (shared, me) = world();
    let numbers = [
        (Scalar::I32(i32::MAX), Scalar::I32(1), Some(Scalar::I32(i32::MIN))),
        (Scalar::I64(-1), Scalar::I64(-1), Some(Scalar::I64(-2))),
        (Scalar::U32(7), Scalar::U32(8), Some(Scalar::U32(15))),
        (Scalar::U64(u64::MAX), Scalar::U64(2), Some(Scalar::U64(1))),
        (Scalar::F32(0.5), Scalar::F32(0.25), Some(Scalar::F32(0.75))),
        (Scalar::F64(1e300), Scalar::F64(1e300), Some(Scalar::F64(2e300))),
        (Scalar::Bool(true), Scalar::Bool(true), None),
    ];
    for (first, more, sum) in numbers {
        let id = make(&shared, &me, Spec::Value { initial: first });
        let value = shared.value(id).unwrap();
        assert_eq!((value.get(), value.kind()), (first, first.kind()));
        match sum {
            Some(sum) => {
                assert_eq!(value.add(more), Ok(first));
                assert_eq!(value.get(), sum);
            }
            None => assert_eq!(value.add(more), Err(Error::WrongType)),
        }
        let now = value.get();
        assert_eq!(value.swap(more), Ok(now));
        assert_eq!(value.compare_exchange(more, first), Ok(Ok(more)));
        assert_eq!(value.get(), first);
        let other = if first.kind() == Type::I32 { Scalar::I64(0) } else { Scalar::I32(0) };
        assert_eq!(value.set(other), Err(Error::WrongType));
    }
}

#[test]
fn adding_from_several_processes_loses_nothing() {
    let _watchdog = watchdog(30);
    let (shared, me) = world();
    let whole = make(&shared, &me, Spec::Value { initial: Scalar::I32(0) });
    let float = make(&shared, &me, Spec::Value { initial: Scalar::F64(0.0) });
    let work = || {
        for _ in 0..10_000 {
            shared.value(whole).unwrap().add(Scalar::I32(1)).unwrap();
            shared.value(float).unwrap().add(Scalar::F64(0.5)).unwrap();
        }
        0
    };
    let children: Vec<_> = (0..3).map(|_| Child::new(work)).collect();
    for child in children {
        assert_eq!(child.wait(Duration::from_secs(20)), Some(0));
    }
    assert_eq!(shared.value(whole).unwrap().get(), Scalar::I32(30_000));
    assert_eq!(shared.value(float).unwrap().get(), Scalar::F64(15_000.0));
}

#[test]
fn arrays_have_elements_and_slices_and_start_as_zeros() {
    let (shared, me) = world();
    for _ in 0..3 {
        let id = make(&shared, &me, Spec::Array { kind: Type::F32, length: 3000 });
        let array = shared.array(id).unwrap();
        let mut all = vec![1; 12_000];
        array.read(0, &mut all).unwrap();
        assert!(all.iter().all(|byte| *byte == 0), "also on recycled storage");
        array.write(1, &1.5f32.to_le_bytes()).unwrap();
        assert_eq!(array.get(1), Ok(Scalar::F32(1.5)));
        assert_eq!(array.add(1, Scalar::F32(1.0)), Ok(Scalar::F32(1.5)));
        array.set(2999, Scalar::F32(-1.0)).unwrap();
        assert_eq!(array.get(3000), Err(Error::OutOfRange));
        assert_eq!(array.read(2999, &mut [0; 8]), Err(Error::OutOfRange));
        assert_eq!(array.read(0, &mut [0; 3]), Err(Error::OutOfRange));
        let mut two = [0; 8];
        array.read(1, &mut two).unwrap();
        assert_eq!(two[..4], 2.5f32.to_le_bytes());
        shared.delete(&me, id).unwrap();
        shared.close(&me, id).unwrap();
    }
    let bools = make(&shared, &me, Spec::Array { kind: Type::Bool, length: 5 });
    let bools = shared.array(bools).unwrap();
    bools.set(4, Scalar::Bool(true)).unwrap();
    let mut all = [0; 5];
    bools.read(0, &mut all).unwrap();
    assert_eq!(all, [0, 0, 0, 0, 1]);
}

#[test]
fn regions_are_apart_zero_and_bounded() {
    let (shared, me) = world();
    let piece = PIECE_BYTES;
    let one = make(&shared, &me, Spec::Region { bytes: 10, read_only: false });
    let two = make(&shared, &me, Spec::Region { bytes: piece + 1, read_only: true });
    let (one, two) = (shared.region(one).unwrap(), shared.region(two).unwrap());
    assert_eq!((one.offset(), one.bytes()), (0, 10));
    assert_eq!((two.offset(), two.bytes()), (piece as u64, piece + 1));
    one.write(3, b"abc").unwrap();
    let mut back = [0; 10];
    one.read(0, &mut back).unwrap();
    assert_eq!(&back, b"\0\0\0abc\0\0\0\0");
    assert_eq!(one.write(9, b"xy"), Err(Error::OutOfRange));
    assert_eq!(two.write(0, b"x"), Err(Error::ReadOnly));
    two.fill(0, b"x").unwrap();
    let too_large = Spec::Region { bytes: 14 * piece, read_only: false };
    assert_eq!(shared.create(&me, "large", &too_large, 0), Err(Error::NoSpace));
    assert_sound(&shared);
}

#[test]
fn names_go_at_once_and_storage_with_the_last_handle() {
    let (shared, me) = world();
    let other = another(&shared);
    let spec = Spec::Region { bytes: 16 * PIECE_BYTES, read_only: false };
    let id = shared.create(&me, "all", &spec, 1).unwrap();
    let exists = Error::Exists { kind: Kind::Region };
    assert_eq!(shared.create(&me, "all", &Spec::Event, 0), Err(exists));
    assert_eq!(shared.open(&other, "all"), Ok((id, Kind::Region)));
    assert_eq!(shared.lock(id).err(), Some(Error::WrongKind { kind: Kind::Region }));
    assert_eq!(shared.list(&me), Ok(vec![("all".into(), Kind::Region)]));
    shared.region(id).unwrap().write(0, b"x").unwrap();
    shared.delete(&me, id).unwrap();
    assert_eq!(shared.delete(&me, id), Err(Error::NotFound));
    assert_eq!(shared.open(&me, "all"), Err(Error::NotFound));
    shared.close(&me, id).unwrap();
    assert_eq!(shared.create(&me, "more", &spec, 1), Err(Error::NoSpace), "the other has it");
    let mut byte = [0];
    shared.region(id).unwrap().read(0, &mut byte).unwrap();
    assert_eq!(&byte, b"x");
    shared.release(&me, other.owner).unwrap();
    assert_eq!(shared.region(id).err(), Some(Error::NotFound));
    let id = shared.create(&me, "more", &spec, 1).unwrap();
    shared.region(id).unwrap().read(0, &mut byte).unwrap();
    assert_eq!(&byte, b"\0");
    assert_sound(&shared);
}

#[test]
fn what_the_host_has_made_only_the_host_deletes() {
    let (shared, guest) = world();
    let host = caller(shared.attach(Side::Host).unwrap());
    let id = shared.create(&host, "host's", &Spec::Event, 0).unwrap();
    assert_eq!(shared.open(&guest, "host's"), Ok((id, Kind::Event)));
    assert_eq!(shared.delete(&guest, id), Err(Error::NotOwner));
    shared.delete(&host, id).unwrap();
    let own = shared.create(&guest, "guest's", &Spec::Event, 1).unwrap();
    shared.delete(&guest, own).unwrap();
    assert_sound(&shared);
}

#[test]
fn a_dead_slot_is_swept_by_one_thread_so_that_its_next_owner_loses_nothing() {
    const ROUNDS: usize = 2000;
    let _watchdog = watchdog(120);
    let (shared, me) = world();
    for name in 0..100 {
        shared.create(&me, &name.to_string(), &Spec::Event, 0).unwrap();
    }
    let kept = shared.create(&me, "kept", &Spec::Event, 0).unwrap();
    let object = super::super::object::Object::new(shared.memory(), kept.index);
    let sweepers = [another(&shared), another(&shared)];
    let mut victim = another(&shared).owner;
    // All other slots are taken, so that the victim's slot is the next to be handed out.
    while shared.attach(Side::Worker).is_ok() {}
    let (turn, mut robbed) = (std::sync::Barrier::new(3), 0);
    std::thread::scope(|scope| {
        for sweeper in &sweepers {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    turn.wait();
                    shared.sweep_again(sweeper).unwrap();
                    turn.wait();
                }
            });
        }
        for _ in 0..ROUNDS {
            shared.dies(victim);
            turn.wait();
            let next = loop {
                match shared.attach(Side::Worker) {
                    Ok(owner) => break caller(owner),
                    Err(_) => std::thread::yield_now(),
                }
            };
            shared.open(&next, "kept").unwrap();
            turn.wait();
            let life = Slot::new(shared.memory(), next.owner.slot).life();
            let open = super::super::directory::has_handle(object, next.owner.slot);
            // A panic here would leave the sweepers waiting for their turn, so misses are counted.
            robbed += usize::from((life, open) != (Some(next.owner), true));
            victim = next.owner;
        }
    });
    assert_eq!(robbed, 0, "owners that lost what was theirs");
    assert_sound(&shared);
}

#[test]
fn a_lock_lives_as_long_as_its_condition() {
    let (shared, me) = world();
    let lock = make(&shared, &me, Spec::Lock { recursive: false });
    let condition = make(&shared, &me, Spec::Condition { lock: Some(lock) });
    shared.delete(&me, lock).unwrap();
    shared.close(&me, lock).unwrap();
    shared.condition(condition).unwrap().lock().acquire(&me, NOW).unwrap();
    shared.condition(condition).unwrap().lock().release(&me).unwrap();
    shared.delete(&me, condition).unwrap();
    shared.close(&me, condition).unwrap();
    assert_eq!(shared.lock(lock).err(), Some(Error::NotFound));
    assert_sound(&shared);
}

#[test]
fn full_is_an_answer() {
    let (shared, me) = world();
    let create = |name: usize, job| shared.create(&me, &name.to_string(), &Spec::Event, job);
    for name in 0..OBJECTS_PER_CREATOR {
        create(name, 7).unwrap();
    }
    assert_eq!(create(1000, 7), Err(Error::NoSpace), "of this job");
    for name in OBJECTS_PER_CREATOR..OBJECTS {
        create(name, 0).unwrap();
    }
    assert_eq!(create(2000, 0), Err(Error::NoSpace));
    let owners: Vec<_> = std::iter::from_fn(|| shared.attach(Side::Host).ok()).collect();
    assert_eq!(owners.len(), HOST_SLOTS);
    for name in ["", "a\0b", &"x".repeat(NAME_BYTES + 1)] {
        assert_eq!(shared.create(&me, name, &Spec::Event, 0), Err(Error::OutOfRange));
    }
    assert_sound(&shared);
}

#[test]
fn two_deaths_at_once_are_both_swept() {
    let (shared, me) = world();
    let id = make(&shared, &me, Spec::Lock { recursive: false });
    let (one, two) = (another(&shared), another(&shared));
    shared.lock(id).unwrap().acquire(&one, None).unwrap();
    // The second slot dies inside the lock's latch.
    let object = super::super::object::Object::new(shared.memory(), id.index);
    object.latch().take(two.owner).unwrap();
    let swept = shared.release(&me, one.owner).unwrap();
    assert_eq!(swept.stuck, [two.owner]);
    let swept = shared.release(&me, two.owner).unwrap();
    assert_eq!(swept, Swept::default());
    let died = Acquired::OwnerDied { culprit: Some(one.owner) };
    assert_eq!(shared.lock(id).unwrap().acquire(&me, NOW), Ok(died));
    assert_sound(&shared);
}

#[test]
fn a_slot_is_cleared_of_what_a_dead_child_left_and_lives_on() {
    let _watchdog = watchdog(20);
    let (shared, me) = world();
    let worker = another(&shared);
    let id = make(&shared, &me, Spec::Lock { recursive: false });
    let child = Child::new(|| i32::from(shared.lock(id).unwrap().acquire(&worker, NOW).is_err()));
    assert_eq!(child.wait(Duration::from_secs(10)), Some(0));
    let object = super::super::object::Object::new(shared.memory(), id.index);
    object.latch().take(worker.owner).unwrap();
    assert_eq!(shared.discard(&worker), Swept::default());
    let died = Acquired::OwnerDied { culprit: Some(worker.owner) };
    assert_eq!(shared.lock(id).unwrap().acquire(&worker, NOW), Ok(died));
    assert_sound(&shared);
}
