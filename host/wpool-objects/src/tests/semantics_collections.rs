//! Lists, dicts and sets do what Python's do: random calls beside a plain `Vec` and `HashMap`.

use super::process::Child;
use super::*;
use std::collections::HashMap;

const ANY: Bounds = Bounds { entries: 0, bytes: 0 };

/// Numbers without a pattern, the same ones for a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % most.max(1)
    }

    /// Bytes of any length: mostly short ones.
    fn bytes(&mut self) -> Vec<u8> {
        let length = match self.below(20) {
            0 => self.below(5000),
            1..6 => self.below(80),
            _ => self.below(16),
        };
        let first = self.below(256);
        (0..length).map(|at| (first + at * 7) as u8).collect()
    }
}

fn items(page: &Page) -> Vec<Vec<u8>> {
    unpack(&page.items).unwrap().into_iter().map(<[u8]>::to_vec).collect()
}

fn whole_list(list: &List<'_>, me: &Caller<'_>) -> Vec<Vec<u8>> {
    let (mut all, mut from) = (Vec::new(), 0);
    loop {
        let page = list.slice(me, from, i64::MAX).unwrap();
        all.extend(items(&page));
        from = page.cursor as i64;
        if from == 0 {
            return all;
        }
    }
}

fn entries(dict: &Dict<'_>, me: &Caller<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut all, mut from) = (Vec::new(), (0, 0));
    loop {
        let page = dict.page(me, Part::Items, from).unwrap();
        all.extend(items(&page).chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())));
        from = (page.cursor, page.version);
        if page.cursor == 0 {
            return all;
        }
    }
}

fn members(set: &Set<'_>, me: &Caller<'_>) -> Vec<Vec<u8>> {
    let (mut all, mut from) = (Vec::new(), (0, 0));
    loop {
        let page = set.page(me, from).unwrap();
        all.extend(items(&page));
        from = (page.cursor, page.version);
        if page.cursor == 0 {
            return all;
        }
    }
}

fn list_turn(list: &List<'_>, me: &Caller<'_>, oracle: &mut Vec<Vec<u8>>, random: &mut Random) {
    let (place, mut got) = (random.below(oracle.len()), Vec::new());
    let item = random.bytes();
    match random.below(12) {
        0..4 => {
            list.append(me, &item).unwrap();
            oracle.push(item);
        }
        4 => {
            list.insert(me, place as i64, &item).unwrap();
            oracle.insert(place, item);
        }
        5 => {
            let more: Vec<Vec<u8>> = (0..random.below(100)).map(|_| random.bytes()).collect();
            let end = (place + random.below(80)).min(oracle.len());
            let slices: Vec<&[u8]> = more.iter().map(|item| &item[..]).collect();
            let (start, end) = (place.min(end), end);
            let done = list.splice(me, (start as i64, end as i64), &slices, None);
            match done {
                Ok(done) => {
                    assert!(done);
                    oracle.splice(start..end, more);
                }
                Err(error) => assert_eq!(error, Error::TooLarge),
            }
        }
        6 => {
            list.reverse(me).unwrap();
            oracle.reverse();
        }
        7 if random.below(20) == 0 => {
            list.clear(me).unwrap();
            oracle.clear();
        }
        7 | 8 if !oracle.is_empty() => {
            list.pop(me, place as i64 - oracle.len() as i64, &mut got).unwrap();
            assert_eq!(got, oracle.remove(place));
        }
        9 if !oracle.is_empty() => {
            assert_eq!(list.set(me, place as i64, &item, None), Ok(true));
            oracle[place] = item;
        }
        _ if !oracle.is_empty() => {
            list.get(me, place as i64, &mut got).unwrap();
            assert_eq!(got, oracle[place]);
            let first = oracle.iter().position(|item| *item == got).map(|first| first as u64);
            assert_eq!(list.index_of(me, &got, 0, i64::MAX), Ok(first));
            assert_eq!(list.index_of(me, b"nowhere to be found", 0, i64::MAX), Ok(None));
        }
        _ => assert_eq!(list.pop(me, -1, &mut got), Err(Error::OutOfRange)),
    }
}

#[test]
fn a_list_is_a_python_list_through_a_thousand_random_calls() {
    let _watchdog = watchdog(100);
    for seed in 0..3 {
        let (shared, me) = world();
        let id = shared.create(&me, "list", &Spec::List(ANY), 0).unwrap();
        let list = List::of(&shared, id).unwrap();
        let (mut oracle, mut random) = (Vec::new(), Random(seed));
        for turn in 0..1000 {
            list_turn(&list, &me, &mut oracle, &mut random);
            assert_eq!(list.len(&me), Ok(oracle.len() as u64));
            if turn % 100 == 0 {
                assert_eq!(whole_list(&list, &me), oracle);
                assert_sound(&shared);
            }
        }
        assert_eq!(whole_list(&list, &me), oracle);
        assert_sound(&shared);
    }
}

/// A dict that keeps order, slowly.
#[derive(Default)]
struct Ordered {
    keys: Vec<Vec<u8>>,
    values: HashMap<Vec<u8>, Vec<u8>>,
}

impl Ordered {
    fn set(&mut self, key: &[u8], value: &[u8]) {
        if self.values.insert(key.to_vec(), value.to_vec()).is_none() {
            self.keys.push(key.to_vec());
        }
    }

    fn pop(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        self.keys.retain(|known| known != key);
        self.values.remove(key)
    }

    fn all(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.keys.iter().map(|key| (key.clone(), self.values[key].clone())).collect()
    }
}

fn dict_turn(dict: &Dict<'_>, me: &Caller<'_>, oracle: &mut Ordered, random: &mut Random) {
    let (value, mut got) = (random.bytes(), Vec::new());
    let key = match oracle.keys.len() {
        0 => random.bytes(),
        len if random.below(2) == 0 => oracle.keys[random.below(len)].clone(),
        _ => random.bytes(),
    };
    match random.below(10) {
        0..4 => {
            dict.set(me, &key, &value).unwrap();
            oracle.set(&key, &value);
        }
        4 => {
            assert_eq!(dict.pop(me, &key, &mut got), Ok(oracle.values.contains_key(&key)));
            assert_eq!(got, oracle.pop(&key).unwrap_or_default());
        }
        5 => {
            let version = dict.get(me, &key, &mut got).unwrap();
            assert_eq!(dict.swap_if(me, &key, Some(u64::MAX), None), Ok(false));
            assert_eq!(dict.swap_if(me, &key, version, Some(&value)), Ok(true));
            oracle.set(&key, &value);
        }
        6 => {
            let new = !oracle.values.contains_key(&key);
            assert_eq!(dict.get_or_insert(me, &key, &value, &mut got), Ok(new));
            if new {
                oracle.set(&key, &value);
            }
            assert_eq!(got, oracle.values[&key]);
        }
        7 => {
            let is_last = random.below(2) == 0;
            let end = if is_last { oracle.keys.last() } else { oracle.keys.first() }.cloned();
            assert_eq!(dict.pop_item(me, is_last, &mut got), Ok(end.is_some()));
            if let Some(key) = end {
                let value = oracle.pop(&key).unwrap();
                assert_eq!(unpack(&got).unwrap(), [&key[..], &value]);
            }
        }
        8 => {
            let many: Vec<Vec<u8>> = (0..2 * random.below(30)).map(|_| random.bytes()).collect();
            let slices: Vec<&[u8]> = many.iter().map(|item| &item[..]).collect();
            match dict.set_many(me, &slices) {
                Ok(()) => many.chunks(2).for_each(|pair| oracle.set(&pair[0], &pair[1])),
                Err(error) => assert_eq!(error, Error::TooLarge),
            }
        }
        _ if random.below(60) == 0 => {
            dict.clear(me).unwrap();
            *oracle = Ordered::default();
        }
        _ => {
            let found = dict.get(me, &key, &mut got).unwrap();
            assert_eq!(found.is_some(), oracle.values.contains_key(&key));
            assert_eq!(&got, oracle.values.get(&key).unwrap_or(&Vec::new()));
            assert_eq!(dict.contains(me, &key), Ok(found.is_some()));
        }
    }
}

#[test]
fn a_dict_is_a_python_dict_through_a_thousand_random_calls() {
    let _watchdog = watchdog(100);
    for seed in 0..3 {
        let (shared, me) = world();
        let id = shared.create(&me, "dict", &Spec::Dict(ANY), 0).unwrap();
        let dict = Dict::of(&shared, id).unwrap();
        let (mut oracle, mut random) = (Ordered::default(), Random(seed));
        for turn in 0..1000 {
            dict_turn(&dict, &me, &mut oracle, &mut random);
            assert_eq!(dict.len(&me), Ok(oracle.keys.len() as u64));
            if turn % 100 == 0 {
                assert_eq!(entries(&dict, &me), oracle.all());
                assert_sound(&shared);
            }
        }
        assert_eq!(entries(&dict, &me), oracle.all());
        assert_sound(&shared);
    }
}

#[test]
fn a_set_has_each_member_once_and_is_updated_as_a_whole() {
    let _watchdog = watchdog(30);
    let (shared, me) = world();
    let id = shared.create(&me, "set", &Spec::Set(ANY), 0).unwrap();
    let set = Set::of(&shared, id).unwrap();
    let sorted = || {
        let mut members = members(&set, &me);
        members.sort();
        members.iter().map(|member| member[0]).collect::<Vec<_>>()
    };
    let of = |members: &'static [u8]| members.chunks(1).collect::<Vec<_>>();
    assert_eq!((set.add(&me, b"a"), set.add(&me, b"a")), (Ok(true), Ok(false)));
    assert_eq!((set.discard(&me, b"b"), set.discard(&me, b"a")), (Ok(false), Ok(true)));
    for (update, members, changed, left) in [
        (Update::Union, &b"abcab"[..], true, &b"abc"[..]),
        (Update::Union, b"ab", false, b"abc"),
        (Update::Difference, b"bx", true, b"ac"),
        (Update::SymmetricDifference, b"cddx", true, b"adx"),
        (Update::Intersection, b"xyad", false, b"adx"),
        (Update::Intersection, b"xx", true, b"x"),
        (Update::Difference, b"q", false, b"x"),
    ] {
        assert_eq!(set.update(&me, update, &of(members)), Ok(changed), "{update:?}");
        assert_eq!(sorted(), left, "{update:?}");
    }
    let mut got = Vec::new();
    assert_eq!((set.pop(&me, &mut got), &got[..]), (Ok(true), &b"x"[..]));
    assert_eq!((set.pop(&me, &mut got), set.len(&me)), (Ok(false), Ok(0)));
    assert_sound(&shared);
}

#[test]
fn numbers_are_added_to_what_is_a_whole_number() {
    let (shared, me) = world();
    let id = shared.create(&me, "dict", &Spec::Dict(ANY), 0).unwrap();
    let dict = Dict::of(&shared, id).unwrap();
    let mut got = Vec::new();
    assert_eq!((dict.add(&me, b"n", 5), dict.add(&me, b"n", -7)), (Ok(5), Ok(-2)));
    dict.get(&me, b"n", &mut got).unwrap();
    assert_eq!(got, b"-2");
    dict.set(&me, b"n", i64::MAX.to_string().as_bytes()).unwrap();
    assert_eq!(dict.add(&me, b"n", 1), Err(Error::OutOfRange));
    dict.set(&me, b"n", b"\"text\"").unwrap();
    assert_eq!(dict.add(&me, b"n", 1), Err(Error::WrongType));
}

#[test]
fn what_is_full_says_so_and_stays_as_it_was() {
    let _watchdog = watchdog(60);
    let (shared, me) = world();
    let few = Bounds { entries: 3, bytes: 0 };
    let list = shared.create(&me, "few", &Spec::List(few), 0).unwrap();
    let list = List::of(&shared, list).unwrap();
    let three: [&[u8]; 3] = [b"a", b"b", b"c"];
    assert_eq!(list.splice(&me, (0, 0), &three, None), Ok(true));
    assert_eq!(list.append(&me, b"d"), Err(Error::NoSpace));
    assert_eq!(list.splice(&me, (1, 1), &three[..1], None), Err(Error::NoSpace));
    assert_eq!(list.splice(&me, (1, 2), &three[..1], None), Ok(true));
    let small = Bounds { entries: 0, bytes: 16 << 10 };
    let dict = shared.create(&me, "small", &Spec::Dict(small), 0).unwrap();
    let dict = Dict::of(&shared, dict).unwrap();
    let mut stored = 0u32;
    while dict.set(&me, &stored.to_le_bytes(), &[7; 1000]).is_ok() {
        stored += 1;
    }
    assert!((10..16).contains(&stored), "{stored}");
    assert_eq!(dict.set(&me, b"more", &[7; 1000]), Err(Error::NoSpace));
    assert_eq!(dict.len(&me), Ok(stored.into()));
    // What is cleared can be filled again, though it is freed bit by bit.
    for _ in 0..3 {
        dict.clear(&me).unwrap();
        for key in 0..stored {
            dict.set(&me, &key.to_le_bytes(), &[8; 1000]).unwrap();
        }
    }
    assert_sound(&shared);
}

#[test]
fn collections_grow_until_the_state_is_full_and_give_all_of_it_back() {
    let _watchdog = watchdog(100);
    let (shared, me) = world();
    for round in 0..2 {
        let id = shared.create(&me, "list", &Spec::List(ANY), 7).unwrap();
        let list = List::of(&shared, id).unwrap();
        let item = vec![round; 60_000];
        let mut stored = 0;
        while list.append(&me, &item).is_ok() {
            stored += 1;
        }
        // Of 32 MiB: extents double, and the last one that fits is 8 or 16.
        assert!(stored > 200, "{stored}");
        assert_eq!(list.append(&me, &item), Err(Error::NoSpace));
        assert_sound(&shared);
        shared.delete(&me, id).unwrap();
        shared.close(&me, id).unwrap();
        let large = Spec::Array { kind: Type::I64, length: 3 << 20 };
        let large = shared.create(&me, "large", &large, 7).expect("all storage is free again");
        shared.delete(&me, large).unwrap();
        shared.close(&me, large).unwrap();
    }
}

#[test]
fn a_dict_and_a_list_grow_to_a_million_entries() {
    let _watchdog = watchdog(200);
    let space = Space { shared_bytes: 400 << 20, region_bytes: 1 << 20 };
    let shared = Shared::new(space).unwrap();
    let me = another(&shared);
    let dict = shared.create(&me, "dict", &Spec::Dict(ANY), 0).unwrap();
    let list = shared.create(&me, "list", &Spec::List(ANY), 0).unwrap();
    let (dict, list) = (Dict::of(&shared, dict).unwrap(), List::of(&shared, list).unwrap());
    for number in 0..1_000_000u32 {
        dict.set(&me, &number.to_le_bytes(), b"value").unwrap();
        list.append(&me, &number.to_le_bytes()).unwrap();
    }
    assert_eq!((dict.len(&me), list.len(&me)), (Ok(1_000_000), Ok(1_000_000)));
    let mut got = Vec::new();
    for number in (0..1_000_000u32).step_by(999) {
        assert!(dict.get(&me, &number.to_le_bytes(), &mut got).unwrap().is_some());
        list.get(&me, number.into(), &mut got).unwrap();
        assert_eq!(got, number.to_le_bytes());
    }
    assert_sound(&shared);
}

#[test]
fn a_call_with_too_much_is_refused_and_one_with_the_most_is_done() {
    let _watchdog = watchdog(100);
    let (shared, me) = world();
    let id = shared.create(&me, "dict", &Spec::Dict(ANY), 0).unwrap();
    let dict = Dict::of(&shared, id).unwrap();
    let keys: Vec<[u8; 4]> = (0..=CALL_ENTRIES_MAX as u32).map(u32::to_le_bytes).collect();
    let items: Vec<&[u8]> = keys.iter().flat_map(|key| [&key[..], b"12345678"]).collect();
    assert_eq!(dict.set_many(&me, &items), Err(Error::TooLarge));
    assert_eq!(dict.set_many(&me, &items[2..]), Ok(()));
    assert_eq!(dict.len(&me), Ok(CALL_ENTRIES_MAX as u64));
    let half = vec![0; CALL_BYTES_MAX / 2];
    assert_eq!(dict.set_many(&me, &[b"a", &half, b"b", &half]), Err(Error::TooLarge));
    assert_eq!(dict.set(&me, b"a", &vec![0; ITEM_BYTES_MAX]), Ok(()));
    assert_eq!(dict.set(&me, b"a", &vec![0; ITEM_BYTES_MAX + 1]), Err(Error::TooLarge));
    assert_eq!(dict.set_many(&me, &[b"a"]), Err(Error::OutOfRange), "a key without a value");
    assert_sound(&shared);
}

#[test]
fn a_cursor_is_good_until_something_changes() {
    let (shared, me) = world();
    let id = shared.create(&me, "dict", &Spec::Dict(ANY), 0).unwrap();
    let dict = Dict::of(&shared, id).unwrap();
    for key in 0..3000u32 {
        dict.set(&me, &key.to_le_bytes(), b"").unwrap();
    }
    let page = dict.page(&me, Part::Keys, (0, 0)).unwrap();
    assert!(page.cursor != 0 && !page.items.is_empty());
    dict.pop(&me, &1000u32.to_le_bytes(), &mut Vec::new()).unwrap();
    let next = dict.page(&me, Part::Keys, (page.cursor, page.version)).unwrap();
    assert!(next.items.is_empty() && next.version != page.version, "it says that it moved");
    assert_eq!(dict.page(&me, Part::Keys, (u64::MAX, next.version)), Err(Error::OutOfRange));
    assert_eq!(entries(&dict, &me).len(), 2999);
}

/// Python's users complain that `d["a"].append(1)` changes a copy.
#[test]
fn a_list_inside_a_dict_is_changed_where_it_is() {
    let (shared, me) = world();
    let id = shared.create(&me, "dict", &Spec::Dict(ANY), 0).unwrap();
    let dict = Dict::of(&shared, id).unwrap();
    let inner = dict.nest(&me, b"a", Kind::List, true).unwrap();
    let list = List::inside(&shared, inner).unwrap();
    list.append(&me, b"1").unwrap();
    let again = List::inside(&shared, dict.inner(&me, b"a").unwrap()).unwrap();
    assert_eq!(whole_list(&again, &me), [b"1"]);
    assert_eq!(dict.nest(&me, b"a", Kind::List, true), Ok(inner), "it stays");
    let wrong_kind = Error::WrongKind { kind: Kind::List };
    assert_eq!(dict.nest(&me, b"a", Kind::Set, true), Err(wrong_kind));
    assert_eq!(Set::inside(&shared, inner).err(), Some(wrong_kind));
    assert_eq!(dict.get(&me, b"a", &mut Vec::new()), Err(wrong_kind));
    assert_eq!(dict.pop(&me, b"a", &mut Vec::new()), Err(wrong_kind));
    assert_eq!(entries(&dict, &me), [(b"a".to_vec(), Vec::new())], "it has no bytes");
    dict.set(&me, b"b", b"bytes").unwrap();
    assert_eq!(dict.inner(&me, b"b"), Err(Error::WrongType));
    assert_eq!(dict.inner(&me, b"c"), Err(Error::NotFound));
    assert_sound(&shared);
}

/// Python's users complain that nested proxies are never released.
#[test]
fn what_is_taken_out_is_gone_with_all_that_is_in_it_and_its_room_is_free() {
    let _watchdog = watchdog(60);
    let (shared, me) = world();
    let small = Bounds { entries: 0, bytes: 64 << 10 };
    let id = shared.create(&me, "list", &Spec::List(small), 0).unwrap();
    let list = List::of(&shared, id).unwrap();
    for round in 0..50 {
        let dict = list.nest(&me, 0, Kind::Dict, round > 0).unwrap();
        let dict = Dict::inside(&shared, dict).unwrap();
        let deep = dict.nest(&me, b"deep", Kind::Set, true).unwrap();
        let deep = Set::inside(&shared, deep).unwrap();
        for number in 0..8u8 {
            dict.set(&me, &[number], &[number; 1000]).unwrap();
            assert_eq!(deep.add(&me, &[number; 1000]), Ok(true), "round {round}");
        }
        if round == 20 {
            assert_eq!(list.nest(&me, 0, Kind::List, true).map(Inner::kind), Ok(Kind::List));
            assert_eq!(dict.len(&me), Err(Error::NotFound));
            let waited = dict.wait_changed(&me, 0, None);
            assert_eq!(waited, Err(Error::NotFound), "nobody waits for what is gone");
        }
        assert_sound(&shared);
    }
}

#[test]
fn whoever_waits_for_a_change_is_woken_by_it_and_by_nothing_else() {
    let _watchdog = watchdog(30);
    let (shared, me) = world();
    let waiter = another(&shared);
    let id = shared.create(&me, "set", &Spec::Set(ANY), 0).unwrap();
    let set = Set::of(&shared, id).unwrap();
    set.add(&me, b"a").unwrap();
    let version = set.version(&me).unwrap();
    assert_eq!(set.wait_changed(&me, version - 1, NOW), Ok(version));
    assert_eq!(set.wait_changed(&me, version, SOON), Err(Error::TimedOut));
    let child = Child::new(|| {
        let set = Set::of(&shared, id).unwrap();
        i32::from(set.wait_changed(&waiter, version, None) == Ok(version + 1))
    });
    until_waiting(&shared, waiter.owner);
    assert_eq!(set.add(&me, b"a"), Ok(false), "no change");
    assert_eq!(set.add(&me, b"b"), Ok(true));
    assert_eq!(child.wait(Duration::from_secs(10)), Some(1));
}

#[test]
fn counts_of_many_processes_add_up() {
    let _watchdog = watchdog(60);
    let (shared, me) = world();
    let id = shared.create(&me, "dict", &Spec::Dict(ANY), 0).unwrap();
    let list = shared.create(&me, "list", &Spec::List(ANY), 0).unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| {
            let caller = another(&shared);
            let shared = &shared;
            Child::new(move || {
                let (dict, list) = (Dict::of(shared, id).unwrap(), List::of(shared, list).unwrap());
                for turn in 0..500u32 {
                    dict.add(&caller, b"n", 1).unwrap();
                    list.append(&caller, &turn.to_le_bytes()).unwrap();
                }
                0
            })
        })
        .collect();
    for child in children {
        assert_eq!(child.wait(Duration::from_secs(50)), Some(0));
    }
    assert_eq!(Dict::of(&shared, id).unwrap().add(&me, b"n", 0), Ok(2000));
    assert_eq!(List::of(&shared, list).unwrap().len(&me), Ok(2000));
    assert_sound(&shared);
}
