//! Tests of calls that a guest in Rust cannot make, because the SDK's types do not let it: numbers
//! of the wrong type, and calls that trap. Everything else is tested by scripts, in
//! `tests/cli/component.rs`.

use super::wit::array::HostArray;
use super::wit::event::HostEvent;
use super::wit::lock::HostLock;
use super::wit::region::HostRegion;
use super::wit::types::{Number, NumberType, Numbers};
use super::wit::value::HostValue;
use super::*;
use crate::imports::attached::Attached;
use crate::imports::job::Job;
use crate::imports::limits::Limiter;
use crate::imports::mapping::Mappings;
use crate::shared::{Shared, Side, Space};
use crate::wire::control::Membership;
use crate::wire::jobmem::JobMem;
use std::sync::Arc;

/// Returns an instance with shared state.
fn host() -> Host {
    let space = Space { shared_bytes: 4 << 20, region_bytes: 1 << 20 };
    let shared = Arc::new(Shared::new(space).unwrap());
    let owner = shared.attach(Side::Worker).unwrap();
    let slot = Membership { slot: owner.slot, epoch: owner.epoch };
    let attached = Attached::new(shared, slot, Arc::new(JobMem::create(0).unwrap().0));
    Host {
        job: Job::default(),
        limits: Limiter::new(0, 0),
        wasi: None,
        objects: Some(Objects::new(attached)),
        mappings: Mappings::default(),
        memory: None,
    }
}

/// Returns the resource again: the component model lends it to each call.
fn lent<R: 'static>(resource: &Resource<R>) -> Resource<R> {
    Resource::new_borrow(resource.rep())
}

fn told<T: std::fmt::Debug>(done: Result<T, Undone>) -> Error {
    match done {
        Err(Undone::Answer(error)) => error,
        other => panic!("not an answer: {other:?}"),
    }
}

fn trap<T: std::fmt::Debug>(done: Result<T, impl Into<Undone>>) -> String {
    match done.map_err(Into::into) {
        Err(Undone::Trap(trap)) => trap.to_string(),
        other => panic!("not a trap: {other:?}"),
    }
}

#[test]
fn a_number_of_another_type_is_told_and_changes_nothing() {
    let mut host = host();
    let value = HostValue::create(&mut host, "v".into(), Number::I32(7)).unwrap();
    for wrong in [Number::U32(8), Number::I64(8), Number::F32(8.0), Number::Bool(true)] {
        let (right, wrong) = (Number::I32(7), wrong);
        assert_eq!(told(HostValue::set(&mut host, lent(&value), wrong)), Error::WrongType);
        assert_eq!(told(HostValue::swap(&mut host, lent(&value), wrong)), Error::WrongType);
        assert_eq!(told(HostValue::add(&mut host, lent(&value), wrong)), Error::WrongType);
        for (expected, new) in [(right, wrong), (wrong, right)] {
            let exchanged = HostValue::compare_exchange(&mut host, lent(&value), expected, new);
            assert_eq!(told(exchanged), Error::WrongType);
        }
    }
    assert!(matches!(HostValue::get(&mut host, lent(&value)), Ok(Number::I32(7))));

    let array = HostArray::create(&mut host, "a".into(), NumberType::F64, 3).unwrap();
    let wrong = Number::F32(1.0);
    assert_eq!(told(HostArray::set(&mut host, lent(&array), 0, wrong)), Error::WrongType);
    assert_eq!(told(HostArray::swap(&mut host, lent(&array), 0, wrong)), Error::WrongType);
    assert_eq!(told(HostArray::add(&mut host, lent(&array), 0, wrong)), Error::WrongType);
    let numbers = Numbers::U64(vec![1]);
    assert_eq!(told(HostArray::write(&mut host, lent(&array), 0, numbers)), Error::WrongType);
    let numbers = HostArray::read(&mut host, lent(&array), 0, 3).unwrap();
    assert!(matches!(numbers, Numbers::F64(numbers) if numbers == [0.0; 3]));
}

#[test]
fn numbers_of_each_type_are_read_as_they_were_written() {
    let mut host = host();
    let lists = [
        (NumberType::I32, Numbers::I32(vec![-1, i32::MAX])),
        (NumberType::I64, Numbers::I64(vec![i64::MIN, 1])),
        (NumberType::U32, Numbers::U32(vec![u32::MAX, 1])),
        (NumberType::U64, Numbers::U64(vec![u64::MAX, 1])),
        (NumberType::F32, Numbers::F32(vec![-0.5, f32::INFINITY])),
        (NumberType::F64, Numbers::F64(vec![-0.5, f64::MIN])),
        (NumberType::Bool, Numbers::Bool(vec![true, false])),
    ];
    for (number_type, numbers) in lists {
        let name = format!("{number_type:?}");
        let array = HostArray::create(&mut host, name, number_type, 4).unwrap();
        let written = format!("{numbers:?}");
        HostArray::write(&mut host, lent(&array), 2, numbers).unwrap();
        let read = HostArray::read(&mut host, lent(&array), 2, 2).unwrap();
        assert_eq!(format!("{read:?}"), written);
    }
}

#[test]
fn bugs_of_a_guest_trap_and_name_the_call() {
    let mut host = host();
    let flag = HostValue::create(&mut host, "f".into(), Number::Bool(false)).unwrap();
    let sum = HostValue::add(&mut host, lent(&flag), Number::Bool(true));
    assert_eq!(trap(sum), "value.add: nothing can be added to a bool");

    let array = HostArray::create(&mut host, "a".into(), NumberType::I64, 3).unwrap();
    let element = HostArray::get(&mut host, lent(&array), 3);
    assert_eq!(trap(element), "array.get: 3 is not an index of 3 elements");
    let outside = " elements from 2 on are not inside 3 elements";
    let slice = HostArray::read(&mut host, lent(&array), 2, u32::MAX);
    assert_eq!(trap(slice), format!("array.read: 4294967295{outside}"));
    let slice = HostArray::write(&mut host, lent(&array), 2, Numbers::I64(vec![1, 2]));
    assert_eq!(trap(slice), format!("array.write: 2{outside}"));

    let region = HostRegion::create(&mut host, "r".into(), 100).unwrap();
    for (offset, len) in [(99, 2), (u64::MAX, 1), (0, u32::MAX)] {
        let read = HostRegion::read(&mut host, lent(&region), offset, len);
        let what = format!("region.read: {len} bytes at {offset} are not inside the region");
        assert_eq!(trap(read), what);
    }
    let written = HostRegion::write(&mut host, lent(&region), 98, vec![0; 3]);
    assert_eq!(trap(written), "region.write: 3 bytes at 98 are not inside the region");

    host.objects = None;
    let lock = HostLock::open(&mut host, "l".into());
    assert_eq!(trap(lock), "lock.open: there is no shared state here");
}

#[test]
fn names_and_kinds_are_checked() {
    let mut host = host();
    for name in [String::new(), "a\0b".into(), "n".repeat(129)] {
        assert_eq!(told(HostEvent::create(&mut host, name.clone())), Error::OutOfRange);
        assert_eq!(told(HostEvent::open(&mut host, name)), Error::OutOfRange);
    }
    assert_eq!(told(HostEvent::open(&mut host, "e".into())), Error::NotFound);
    HostEvent::create(&mut host, "e".into()).unwrap();
    let exists = told(HostEvent::create(&mut host, "e".into()));
    assert!(matches!(exists, Error::Exists { .. }), "{exists}");
    let wrong = told(HostLock::open(&mut host, "e".into()));
    assert!(matches!(wrong, Error::WrongKind { .. }), "{wrong}");
}

#[test]
fn a_resource_that_is_dropped_closes_its_object_and_its_handle_is_free() {
    let mut host = host();
    let region = HostRegion::create(&mut host, "r".into(), 1 << 20).unwrap();
    HostRegion::delete(&mut host, lent(&region)).unwrap();
    assert_eq!(told(HostRegion::create(&mut host, "s".into(), 1)), Error::NoSpace);
    let closed = lent(&region);
    HostRegion::drop(&mut host, region).unwrap();
    assert_eq!(trap(HostRegion::size(&mut host, closed)), "region.size: 1 is not a handle");
    let next = HostRegion::create(&mut host, "s".into(), 1).unwrap();
    assert_eq!(next.rep(), 1);
}
