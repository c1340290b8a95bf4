//! Values, arrays and regions between threads of the host.

use crate::common::watchdog;
use std::fmt::Debug;
use std::io::{self, Read};
use std::thread::scope;
use wpool::{Arithmetic, Array, Number, Region, Shared, SharedError, Value};

fn shared() -> Shared {
    Shared::builder().shared_bytes(64 << 20).region_bytes(64 << 20).build().unwrap()
}

/// Writes and reads numbers of each kind that their type has, alone and in an array.
fn check_numbers<T: Number>(name: &str, zero: T, numbers: &[T]) {
    let state = shared();
    let value = Value::create(&state, name, zero).unwrap();
    let array = Array::<T>::create(&state, &format!("{name}s"), numbers.len()).unwrap();
    assert_eq!(array.to_vec().unwrap(), vec![zero; numbers.len()]);
    let mut last = zero;
    for (at, &number) in numbers.iter().enumerate() {
        assert_eq!(value.swap(number), Ok(last), "{name}");
        assert_eq!(value.get(), Ok(number));
        assert_eq!(value.compare_exchange(number, number), Ok(Ok(number)));
        array.set(at, number).unwrap();
        assert_eq!(array.swap(at, last), Ok(number));
        assert_eq!(array.compare_exchange(at, last, number), Ok(Ok(last)));
        assert_eq!(array.get(at), Ok(number));
        last = number;
    }
    assert_eq!(value.compare_exchange(zero, zero), Ok(Err(last)));
    assert_eq!(array.to_vec().unwrap(), numbers);
    let opened = Array::<T>::open(&state, &format!("{name}s")).unwrap();
    assert_eq!(opened.len(), numbers.len());
}

#[test]
fn numbers_of_every_type_come_back_as_they_were() {
    let _watchdog = watchdog(60);
    check_numbers("i32", 0, &[i32::MIN, -1, 1, i32::MAX]);
    check_numbers("i64", 0, &[i64::MIN, -1, 1, i64::MAX]);
    check_numbers("u32", 0, &[1, u32::MAX]);
    check_numbers("u64", 0, &[1, u64::MAX]);
    check_numbers("f32", 0.0, &[-0.1, f32::MAX, f32::INFINITY, f32::MIN_POSITIVE]);
    check_numbers("f64", 0.0, &[-0.1, f64::MAX, f64::NEG_INFINITY, 1e-300]);
    check_numbers("bool", false, &[true]);
}

/// Adds from many threads at once.
fn check_sum<T: Arithmetic + Debug>(one: T, zero: T, sum: T) {
    let state = shared();
    let value = Value::create(&state, "value", zero).unwrap();
    let array = Array::<T>::create(&state, "array", 3).unwrap();
    scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    value.add(one).unwrap();
                    array.add(1, one).unwrap();
                }
            });
        }
    });
    assert_eq!((value.get(), array.to_vec()), (Ok(sum), Ok(vec![zero, sum, zero])));
}

#[test]
fn sums_of_many_threads_are_exact() {
    let _watchdog = watchdog(60);
    check_sum(1_i32, 0, 8000);
    check_sum(-3_i64, 0, -24_000);
    check_sum(1_u32, 0, 8000);
    check_sum(u64::MAX, 0, 8000_u64.wrapping_neg());
    check_sum(0.5_f32, 0.0, 4000.0);
    check_sum(0.25_f64, 0.0, 2000.0);
}

#[test]
fn slices_of_an_array_are_copied_whole_or_not_at_all() {
    let _watchdog = watchdog(60);
    let state = shared();
    const LENGTH: usize = 100_000;
    let array = Array::<u32>::create(&state, "array", LENGTH).unwrap();
    let numbers: Vec<u32> = (0..LENGTH as u32).collect();
    array.write(0, &numbers).unwrap();
    let mut some = [0; 30_000];
    array.read(12_345, &mut some).unwrap();
    assert!(some.iter().zip(12_345..).all(|(&number, at)| number == at));
    array.read(LENGTH, &mut []).unwrap();
    array.write(LENGTH - 1, &[7]).unwrap();
    let outside = [
        array.read(LENGTH - 1, &mut [0; 2]),
        array.write(LENGTH - 20_000, &vec![9; 20_001]),
        array.set(LENGTH, 1),
        array.get(usize::MAX).map(drop),
        array.write(usize::MAX, &[1]),
    ];
    for outside in outside {
        let (object, limits) = ("array `array`".into(), "that is outside of it".into());
        assert_eq!(outside, Err(SharedError::OutOfRange { object, limits }));
    }
    assert_eq!(array.get(LENGTH - 20_000), Ok(LENGTH as u32 - 20_000), "nothing was written");
    let empty = Array::<f64>::create(&state, "empty", 0).unwrap();
    assert_eq!((empty.is_empty(), empty.to_vec()), (true, Ok(vec![])));
}

#[test]
fn the_bytes_of_a_region_come_back_from_any_place() {
    let _watchdog = watchdog(60);
    let state = shared();
    let region = Region::create(&state, "region", 100_001).unwrap();
    assert_eq!((region.size(), region.is_read_only()), (100_001, false));
    let bytes: Vec<u8> = (0..100_001).map(|n: u32| (n % 251) as u8).collect();
    region.write(0, &bytes).unwrap();
    let same = Region::open(&state, "region").unwrap();
    let mut some = [0; 1000];
    same.read(99_001, &mut some).unwrap();
    assert_eq!(some, bytes[99_001..]);
    let mut all = Vec::new();
    same.copy_to(&mut all).unwrap();
    assert!(all == bytes);
    for outside in [same.read(99_002, &mut some), same.write(u64::MAX, b"x")] {
        let (object, limits) = ("region `region`".into(), "that is outside of it".into());
        assert_eq!(outside, Err(SharedError::OutOfRange { object, limits }));
    }
}

#[test]
fn a_region_can_be_made_with_what_is_read_somewhere() {
    let _watchdog = watchdog(60);
    let state = shared();
    let bytes: Vec<u8> = (0..3 << 20).map(|n: u32| (n % 249) as u8).collect();
    let part = Region::create_with(&state, "part", 4 << 20, &bytes[..]).unwrap();
    let mut copy = Vec::new();
    part.copy_to(&mut copy).unwrap();
    assert!(copy[..3 << 20] == bytes && copy[3 << 20..].iter().all(|&byte| byte == 0));
    let whole = Region::create_read_only(&state, "whole", 3 << 20, &bytes[..]).unwrap();
    assert!(whole.is_read_only());
    assert_eq!(whole.write(0, b"x"), Err(SharedError::ReadOnly));
    let mut first = [0; 300];
    whole.read(0, &mut first).unwrap();
    assert_eq!(first, bytes[..300]);
}

/// A writer that fails after some bytes.
struct Torn(usize);

impl Read for Torn {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let bytes = to.len().min(self.0);
        self.0 -= bytes;
        if bytes == 0 { Err(io::Error::other("torn")) } else { Ok(bytes) }
    }
}

#[test]
fn a_region_whose_contents_cannot_be_had_is_not_made() {
    let _watchdog = watchdog(60);
    let state = shared();
    let torn = Region::create_with(&state, "region", 1 << 20, Torn(5000)).unwrap_err();
    assert_eq!(torn, SharedError::System { reason: "torn".into() });
    let long = Region::create_read_only(&state, "region", 10, &[1; 11][..]).unwrap_err();
    let long = long.to_string();
    assert_eq!(long, "region `region`: it has 10 bytes, and there are more: make it larger");
    assert_eq!(state.list(), Ok(vec![]));
    let region = Region::create(&state, "region", 1 << 20).unwrap();
    let mut bytes = vec![1; 1 << 20];
    region.read(0, &mut bytes).unwrap();
    assert!(bytes.iter().all(|&byte| byte == 0));
}
