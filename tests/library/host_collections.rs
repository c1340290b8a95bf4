//! Lists, dicts and sets between threads of the host. The tests mirror what Python's `_test_multiprocessing`
//! asks of `ListProxy`, `DictProxy` and `SetProxy`.

use crate::common::watchdog;
use std::thread::{self, scope};
use std::time::Duration;
use wpool::{Bounds, Dict, List, Set, Shared, SharedError};

const SOON: Duration = Duration::from_millis(5);

fn shared() -> Shared {
    Shared::builder().shared_bytes(32 << 20).region_bytes(1 << 20).build().unwrap()
}

#[test]
fn test_list_extend_slice_and_reverse() {
    let _watchdog = watchdog(60);
    let list = List::<i64>::create(&shared(), "list").unwrap();
    list.extend(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).unwrap();
    assert_eq!((list.get(0), list.get(-1), list.len()), (Ok(0), Ok(9), Ok(10)));
    assert_eq!(list.slice(2, 5).unwrap(), [2, 3, 4]);
    assert_eq!(list.slice(2, -3).unwrap(), [2, 3, 4, 5, 6]);
    assert_eq!(list.slice(-30, 2).unwrap(), [0, 1]);
    list.splice(2, 5, &[20]).unwrap();
    list.reverse().unwrap();
    assert_eq!(list.to_vec().unwrap(), [9, 8, 7, 6, 5, 20, 1, 0]);
    list.insert(1, &80).unwrap();
    assert_eq!((list.remove(1), list.pop()), (Ok(80), Ok(Some(0))));
    assert_eq!((list.index_of(&20), list.index_of(&99)), (Ok(Some(5)), Ok(None)));
    assert!(matches!(list.get(7), Err(SharedError::OutOfRange { .. })));
    list.clear().unwrap();
    assert_eq!((list.pop(), list.is_empty()), (Ok(None), Ok(true)));
}

#[test]
fn test_list_extend_of_more_than_one_call_takes_is_done_in_several() {
    let _watchdog = watchdog(100);
    let list = List::<String>::create(&shared(), "list").unwrap();
    let words: Vec<String> = (0..10_000).map(|n| "x".repeat(n % 50)).collect();
    list.extend(&words).unwrap();
    list.append(&"y".repeat(100_000)).unwrap();
    assert_eq!(list.slice(0, -1).unwrap(), words);
    assert_eq!(list.get(-1).unwrap().len(), 100_000);
}

#[test]
fn test_dict_is_ordered_and_versions_tell_of_changes() {
    let _watchdog = watchdog(60);
    let dict = Dict::<String, i64>::create(&shared(), "dict").unwrap();
    let key = |key: &str| key.to_owned();
    dict.set_many([(&key("a"), &1), (&key("b"), &2)]).unwrap();
    dict.set(&key("a"), &3).unwrap();
    assert_eq!(dict.to_vec().unwrap(), [(key("a"), 3), (key("b"), 2)]);
    assert_eq!(
        (dict.keys().unwrap(), dict.values().unwrap()),
        (vec![key("a"), key("b")], vec![3, 2])
    );
    let known = dict.get_versioned(&key("a")).unwrap().unwrap();
    assert_eq!(dict.swap_if(&key("a"), Some(known.version), Some(&4)), Ok(true));
    assert_eq!(dict.swap_if(&key("a"), Some(known.version), Some(&5)), Ok(false));
    assert_eq!(dict.swap_if(&key("new"), None, Some(&6)), Ok(true));
    assert_eq!(dict.get_or_insert(&key("a"), &9), Ok(4));
    assert_eq!((dict.add(&key("n"), 7), dict.add(&key("n"), -9)), (Ok(7), Ok(-2)));
    assert_eq!(dict.pop_item(), Ok(Some((key("n"), -2))));
    assert_eq!((dict.remove(&key("b")), dict.remove(&key("b"))), (Ok(Some(2)), Ok(None)));
    assert_eq!(dict.contains_key(&key("new")), Ok(true));
    dict.clear().unwrap();
    assert_eq!((dict.len(), dict.pop_item()), (Ok(0), Ok(None)));
}

#[test]
fn test_set_methods_change_it_as_a_whole() {
    let _watchdog = watchdog(60);
    let set = Set::<i64>::create(&shared(), "set").unwrap();
    assert_eq!((set.insert(&1), set.insert(&1), set.contains(&1)), (Ok(true), Ok(false), Ok(true)));
    assert_eq!((set.unite_with(&[2, 3]), set.subtract(&[9])), (Ok(true), Ok(false)));
    assert_eq!(set.intersect_with(&[2, 3, 4]), Ok(true));
    assert_eq!(set.to_vec().unwrap(), [2, 3]);
    assert_eq!((set.remove(&2), set.remove(&2), set.pop()), (Ok(true), Ok(false), Ok(Some(3))));
    assert_eq!((set.pop(), set.is_empty()), (Ok(None), Ok(true)));
}

#[test]
fn bounds_are_kept_and_what_does_not_fit_changes_nothing() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let few = List::<i64>::create_bounded(&shared, "few", Bounds::default().entries(2)).unwrap();
    few.extend(&[1, 2]).unwrap();
    assert!(matches!(few.append(&3), Err(SharedError::NoSpace { .. })));
    assert!(matches!(few.splice(0, 0, &[0]), Err(SharedError::NoSpace { .. })));
    assert_eq!(few.to_vec().unwrap(), [1, 2]);
    let dict = Dict::<i64, String>::create(&shared, "dict").unwrap();
    assert_eq!(dict.set(&1, &"x".repeat(2 << 20)), Err(SharedError::TooLarge));
    assert_eq!(dict.len(), Ok(0));
}

#[test]
fn a_thread_that_waits_for_a_change_is_woken_by_it() {
    let _watchdog = watchdog(60);
    let list = List::<i64>::create(&shared(), "list").unwrap();
    list.append(&1).unwrap();
    let version = list.version().unwrap();
    assert_eq!(list.wait_changed(version, SOON), Err(SharedError::TimedOut));
    scope(|scope| {
        let waiting = scope.spawn(|| list.wait_changed(version, Duration::from_secs(30)));
        thread::yield_now();
        list.append(&2).unwrap();
        assert!(waiting.join().unwrap().unwrap() > version);
    });
}
