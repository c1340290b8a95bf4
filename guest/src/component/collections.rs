//! Lists, dicts and sets of a component, as the functions that a core module imports.

use std::cell::RefCell;
use std::mem::MaybeUninit;

use super::host::dict::{self, Dict, Part};
use super::host::list::{self, List};
use super::host::nested::{self, Collection};
use super::host::set::{self, Set, Update};
use super::host::types::Error;
use super::{Answer, code_of, copy, limit, made, with};
use crate::answer::{pack, unpack};

/// In what `dict_get_or_insert` answers, beside the length: the value was set now.
const INSERTED: i64 = 1 << 32;

/// The last answer that had bytes.
#[derive(Default)]
struct Answered {
    bytes: Vec<u8>,
    cursor: u64,
    version: u64,
}

thread_local! {
    static ANSWERED: RefCell<Answered> = RefCell::default();
}

impl From<list::Page> for Answered {
    fn from(page: list::Page) -> Answered {
        Answered { bytes: pack(&page.items), cursor: page.cursor, version: page.version }
    }
}

impl From<dict::Page> for Answered {
    fn from(page: dict::Page) -> Answered {
        Answered { bytes: pack(&page.items), cursor: page.cursor, version: page.version }
    }
}

impl From<set::Page> for Answered {
    fn from(page: set::Page) -> Answered {
        Answered { bytes: pack(&page.items), cursor: page.cursor, version: page.version }
    }
}

fn one(bytes: Vec<u8>, version: u64) -> Answered {
    Answered { bytes, cursor: 0, version }
}

fn some(found: Option<Answered>) -> Result<Answered, Error> {
    found.ok_or(Error::NotFound)
}

/// Returns the items of a row.
fn row(row: &[u8]) -> Vec<Vec<u8>> {
    unpack(row).into_iter().map(<[u8]>::to_vec).collect()
}

/// Keeps an answer, and copies what there is room for; its length.
fn keep(answered: Result<Answered, Error>, room: &mut [MaybeUninit<u8>]) -> i64 {
    match answered {
        Ok(answered) => {
            let length = answered.bytes.len();
            copy(&answered.bytes, room);
            ANSWERED.set(answered);
            length as i64
        }
        Err(error) => code_of(error).into(),
    }
}

fn wide(said: Result<u64, Error>) -> i64 {
    said.map_or_else(|error| code_of(error).into(), |number| number as i64)
}

fn version(number: i64) -> Option<u64> {
    u64::try_from(number).ok()
}

pub(crate) fn object_answer(_: i32, dst: &mut [MaybeUninit<u8>], offset: usize) -> i32 {
    ANSWERED
        .with_borrow(|answered| copy(answered.bytes.get(offset..).unwrap_or_default(), dst) as i32)
}

pub(crate) fn object_answer_version(_: i32) -> i64 {
    ANSWERED.with_borrow(|answered| answered.version) as i64
}

pub(crate) fn object_answer_cursor(_: i32) -> i64 {
    ANSWERED.with_borrow(|answered| answered.cursor) as i64
}

/// Declares what is the same for lists, dicts and sets.
macro_rules! common {
    ($($Object:ident: $len:ident $version:ident $wait_changed:ident $clear:ident;)+) => {$(
        pub(crate) fn $len(handle: i32) -> i32 {
            with(handle, |it: &$Object| it.len()).number()
        }

        pub(crate) fn $version(handle: i32) -> i64 {
            wide(with(handle, |it: &$Object| it.version()))
        }

        pub(crate) fn $wait_changed(handle: i32, since: u64, timeout_ns: i64) -> i64 {
            wide(with(handle, |it: &$Object| it.wait_changed(since, limit(timeout_ns))))
        }

        pub(crate) fn $clear(handle: i32) -> i32 {
            with(handle, |it: &$Object| it.clear()).number()
        }
    )+};
}

common! {
    List: list_len list_version list_wait_changed list_clear;
    Dict: dict_len dict_version dict_wait_changed dict_clear;
    Set: set_len set_version set_wait_changed set_clear;
}

/// Declares functions that answer with a number.
macro_rules! calls {
    ($($name:ident($it:ident: $Object:ident $(, $arg:ident: $Arg:ty)*) = $call:expr;)+) => {$(
        pub(crate) fn $name(handle: i32 $(, $arg: $Arg)*) -> i32 {
            with(handle, |$it: &$Object| $call).number()
        }
    )+};
}

calls! {
    list_set(list: List, index: i64, item: &[u8], at: i64) = list.set(index, item, version(at));
    list_append(list: List, item: &[u8]) = list.append(item);
    list_insert(list: List, index: i64, item: &[u8]) = list.insert(index, item);
    list_splice(list: List, start: i64, end: i64, items: &[u8], at: i64) =
        list.splice(start, end, &row(items), version(at));
    list_reverse(list: List) = list.reverse();
    dict_set(dict: Dict, key: &[u8], value: &[u8]) = dict.set(key, value);
    dict_set_many(dict: Dict, items: &[u8]) = {
        let items = row(items);
        let entries = items.chunks_exact(2).map(|entry| (entry[0].clone(), entry[1].clone()));
        dict.set_many(&entries.collect::<Vec<_>>())
    };
    dict_remove(dict: Dict, key: &[u8]) = dict.remove(key);
    dict_contains(dict: Dict, key: &[u8]) = dict.contains(key);
    dict_swap_if(dict: Dict, key: &[u8], at: i64, value: &[u8]) =
        dict.swap_if(key, version(at), value);
    dict_remove_if(dict: Dict, key: &[u8], at: i64) = dict.remove_if(key, version(at));
    dict_add(dict: Dict, key: &[u8], number: i64, dst: &mut MaybeUninit<i64>) =
        dict.add(key, number).map(|sum| {
            dst.write(sum);
        });
    set_add(set: Set, member: &[u8]) = set.add(member);
    set_discard(set: Set, member: &[u8]) = set.discard(member);
    set_contains(set: Set, member: &[u8]) = set.contains(member);
    set_update(set: Set, how: i32, members: &[u8]) = {
        let how = match how {
            0 => Update::Union,
            1 => Update::Intersection,
            2 => Update::Difference,
            _ => Update::SymmetricDifference,
        };
        set.update(how, &row(members))
    };
}

/// Declares functions that answer with bytes.
macro_rules! fetches {
    ($($name:ident($it:ident: $Object:ident $(, $arg:ident: $Arg:ty)*) = $call:expr;)+) => {$(
        pub(crate) fn $name(
            handle: i32
            $(, $arg: $Arg)*,
            dst: &mut [MaybeUninit<u8>],
        ) -> i64 {
            keep(with(handle, |$it: &$Object| $call), dst)
        }
    )+};
}

fetches! {
    list_get(list: List, index: i64) = list.get(index).map(|it| one(it.bytes, it.version));
    list_pop(list: List, index: i64) = list.pop(index).map(|it| one(it, 0));
    list_slice(list: List, start: i64, end: i64) = list.slice(start, end).map(Answered::from);
    dict_get(dict: Dict, key: &[u8]) =
        dict.get(key).and_then(|it| some(it.map(|it| one(it.bytes, it.version))));
    dict_pop(dict: Dict, key: &[u8]) = dict.pop(key).and_then(|it| some(it.map(|it| one(it, 0))));
    dict_pop_item(dict: Dict) =
        dict.pop_item().and_then(|it| some(it.map(|(key, value)| one(pack(&[key, value]), 0))));
    dict_page(dict: Dict, part: i32, cursor: u64, at: u64) = {
        let part = match part {
            0 => Part::Keys,
            1 => Part::Values,
            _ => Part::Items,
        };
        dict.page(part, cursor, at).map(Answered::from)
    };
    set_pop(set: Set) = set.pop().and_then(|it| some(it.map(|it| one(it, 0))));
    set_page(set: Set, cursor: u64, at: u64) = set.page(cursor, at).map(Answered::from);
}

pub(crate) fn list_index_of(handle: i32, item: &[u8], start: i64, end: i64) -> i64 {
    wide(with(handle, |list: &List| list.index_of(item, start, end)).map(u64::from))
}

pub(crate) fn dict_get_or_insert(
    handle: i32,
    key: &[u8],
    value: &[u8],
    dst: &mut [MaybeUninit<u8>],
) -> i64 {
    let said = with(handle, |dict: &Dict| dict.get_or_insert(key, value));
    let inserted = said.as_ref().is_ok_and(|(_, inserted)| *inserted);
    let length = keep(said.map(|(bytes, _)| one(bytes, 0)), dst);
    if inserted { length | INSERTED } else { length }
}

/// Returns the handle of a nested object, and the number of its kind above it.
fn nested(opened: Result<Collection, Error>) -> i64 {
    let (handle, kind) = match opened {
        Ok(Collection::List(list)) => (made(Ok(list)), 10),
        Ok(Collection::Dict(dict)) => (made(Ok(dict)), 11),
        Ok(Collection::Set(set)) => (made(Ok(set)), 12),
        Err(error) => return code_of(error).into(),
    };
    kind << 32 | i64::from(handle)
}

/// Returns the kind of a number.
fn kind(number: i32) -> nested::Kind {
    match number {
        10 => nested::Kind::List,
        11 => nested::Kind::Dict,
        _ => nested::Kind::Set,
    }
}

pub(crate) fn nested_open_in_list(handle: i32, index: i64) -> i64 {
    nested(with(handle, |list: &List| nested::open_in_list(list, index)))
}

pub(crate) fn nested_open_in_dict(handle: i32, key: &[u8]) -> i64 {
    nested(with(handle, |dict: &Dict| nested::open_in_dict(dict, key)))
}

pub(crate) fn nested_create_in_list(handle: i32, index: i64, number: i32, replace: i32) -> i64 {
    let create = |list: &List| nested::create_in_list(list, index, kind(number), replace != 0);
    nested(with(handle, create))
}

pub(crate) fn nested_create_in_dict(handle: i32, key: &[u8], number: i32, keep: i32) -> i64 {
    let create = |dict: &Dict| nested::create_in_dict(dict, key, kind(number), keep != 0);
    nested(with(handle, create))
}
