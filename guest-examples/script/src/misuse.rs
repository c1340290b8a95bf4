//! Calls that no correct program makes, and that the SDK has no way to make: `MISUSE CALL`.
//!
//! - `handle`, `closed`, `kind`: a handle that never was, is no more, or is another kind's;
//! - `pointer`, `utf8`: bytes outside of the memory, a name that is not UTF-8;
//! - `index`: elements or bytes beyond the object's end;
//! - `flag`, `type`: a flag or a type that there is not;
//! - `bool`: an addition to a bool.

#![cfg_attr(
    target_family = "wasm",
    expect(unsafe_code, reason = "the imports are declared with pointers as plain numbers")
)]

/// Declares imports with their names, and a function that calls one of them by its name with a
/// first argument.
macro_rules! imports {
    ($NAMES:ident, $call:ident:
     $($name:ident($($ty:ty = $argument:expr),*) $(-> $answer:ty)?;)+) => {
        const $NAMES: &[&str] = &[$(stringify!($name)),+];

        #[cfg(target_family = "wasm")]
        #[link(wasm_import_module = "wpool")]
        unsafe extern "C" {
            $(safe fn $name(first: i32 $(, _: $ty)*) $(-> $answer)?;)+
        }

        #[cfg(target_family = "wasm")]
        fn $call(name: &str, first: i32) -> i64 {
            match name {
                $(stringify!($name) => $name(first $(, $argument)*).widen(),)+
                _ => unreachable!("{name} is not in the list"),
            }
        }
    };
}

// After the handle come arguments that are right for any object.
imports! {
    WITH_HANDLE, call_with_handle:
    object_close() -> i32;
    object_delete() -> i32;
    lock_acquire(i64 = 0) -> i32;
    lock_release() -> i32;
    lock_mark_consistent() -> i32;
    semaphore_acquire(i64 = 0) -> i32;
    semaphore_release() -> i32;
    semaphore_count() -> i32;
    condition_acquire(i64 = 0) -> i32;
    condition_release() -> i32;
    condition_mark_consistent() -> i32;
    condition_wait(i64 = 0) -> i32;
    condition_notify(i32 = 1) -> i32;
    condition_notify_all() -> i32;
    event_set() -> i32;
    event_clear() -> i32;
    event_is_set() -> i32;
    event_wait(i64 = 0) -> i32;
    barrier_wait(i64 = 0) -> i32;
    barrier_abort() -> i32;
    barrier_reset() -> i32;
    barrier_parties() -> i32;
    barrier_waiting() -> i32;
    barrier_is_broken() -> i32;
    queue_put(i32 = 0, i32 = 0, i64 = 0) -> i32;
    queue_get(i32 = 0, i32 = 0, i64 = 0) -> i64;
    queue_read(i32 = 0, i32 = 0, i32 = 0) -> i32;
    queue_acknowledge() -> i32;
    queue_task_done() -> i32;
    queue_join(i64 = 0) -> i32;
    queue_close() -> i32;
    queue_is_closed() -> i32;
    queue_len() -> i32;
    value_type() -> i32;
    value_get() -> i64;
    value_set(i64 = 0);
    value_swap(i64 = 0) -> i64;
    value_add(i64 = 0) -> i64;
    value_compare_exchange(i64 = 0, i64 = 0) -> i64;
    array_type() -> i32;
    array_len() -> i32;
    array_get(i32 = 0) -> i64;
    array_set(i32 = 0, i64 = 0);
    array_swap(i32 = 0, i64 = 0) -> i64;
    array_add(i32 = 0, i64 = 0) -> i64;
    array_compare_exchange(i32 = 0, i64 = 0, i64 = 0) -> i64;
    array_read(i32 = 0, i32 = 0, i32 = 0);
    array_write(i32 = 0, i32 = 0, i32 = 0);
    region_size() -> i64;
    region_is_read_only() -> i32;
    region_map() -> i64;
    region_unmap() -> i32;
    region_read(i64 = 0, i32 = 0, i32 = 0) -> i32;
    region_write(i64 = 0, i32 = 0, i32 = 0) -> i32;
}

// After the pointer to a name come a length of one byte, and what makes an object.
imports! {
    WITH_NAME, call_with_name:
    lock_create(i32 = 1, i32 = 0) -> i32;
    lock_open(i32 = 1) -> i32;
    semaphore_create(i32 = 1, i32 = 1, i32 = 0) -> i32;
    semaphore_open(i32 = 1) -> i32;
    condition_create(i32 = 1, i32 = 0) -> i32;
    condition_open(i32 = 1) -> i32;
    event_create(i32 = 1) -> i32;
    event_open(i32 = 1) -> i32;
    barrier_create(i32 = 1, i32 = 1) -> i32;
    barrier_open(i32 = 1) -> i32;
    queue_create(i32 = 1, i32 = 4, i64 = 4096, i32 = 0) -> i32;
    queue_open(i32 = 1) -> i32;
    value_create(i32 = 1, i32 = TYPE_BOOL, i64 = 0) -> i32;
    value_open(i32 = 1) -> i32;
    array_create(i32 = 1, i32 = TYPE_BOOL, i32 = 3) -> i32;
    array_open(i32 = 1) -> i32;
    region_create(i32 = 1, i64 = 100) -> i32;
    region_open(i32 = 1) -> i32;
}

/// The calls with something wrong other than the handle or the name.
const OTHERS: &[&str] = &[
    "pointer queue_put",
    "pointer queue_get",
    "pointer queue_read",
    "pointer array_read",
    "pointer array_write",
    "pointer region_read",
    "pointer region_write",
    "index array_get",
    "index array_set",
    "index array_swap",
    "index array_add",
    "index array_compare_exchange",
    "index array_read",
    "index array_write",
    "index region_read",
    "index region_write",
    "flag lock_create",
    "flag semaphore_create",
    "flag queue_create",
    "type value_create",
    "type array_create",
    "bool value_add",
    "bool array_add",
];

/// Returns all misuses, each with its call.
pub(crate) fn all() -> Vec<String> {
    let with = |misuses: &'static [&str], calls: &'static [&str]| {
        misuses.iter().flat_map(|misuse| calls.iter().map(move |call| format!("{misuse} {call}")))
    };
    let handles = with(&["handle", "closed", "kind"], WITH_HANDLE);
    // The two functions take a handle of any kind.
    let handles = handles.filter(|misuse| !misuse.starts_with("kind object_"));
    let names = with(&["pointer", "utf8"], WITH_NAME);
    handles.chain(names).chain(OTHERS.iter().map(|misuse| (*misuse).to_owned())).collect()
}

/// Makes one of these calls.
pub(crate) fn call(call: &str) -> Result<i64, String> {
    if !all().iter().any(|misuse| misuse == call) {
        return Err(format!("there is no misuse {call:?}; the task `misuses` lists them"));
    }
    imported::call(call)
}

#[cfg(not(target_family = "wasm"))]
mod imported {
    pub(super) fn call(_: &str) -> Result<i64, String> {
        Err("natively there is nothing to misuse".to_owned())
    }
}

#[cfg(target_family = "wasm")]
const TYPE_BOOL: i32 = 7;

/// A conversion of any number to an `i64`, and of no number to 0.
#[cfg(target_family = "wasm")]
trait Widen {
    fn widen(self) -> i64;
}

#[cfg(target_family = "wasm")]
impl Widen for i32 {
    fn widen(self) -> i64 {
        self.into()
    }
}

#[cfg(target_family = "wasm")]
impl Widen for i64 {
    fn widen(self) -> i64 {
        self
    }
}

#[cfg(target_family = "wasm")]
impl Widen for () {
    fn widen(self) -> i64 {
        0
    }
}

#[cfg(target_family = "wasm")]
mod imported {
    use super::*;

    /// An address whose bytes are beyond any memory.
    const OUTSIDE: i32 = -2;
    /// An index beyond the three elements, and the hundred bytes, of the objects that `object`
    /// makes.
    const BEYOND: i32 = 100;

    pub(crate) fn call(call: &str) -> Result<i64, String> {
        let (misuse, name) = call.split_once(' ').expect("it is in the list");
        let (kind, _) = name.split_once('_').expect("KIND_OPERATION");
        Ok(match misuse {
            "handle" => call_with_handle(name, 77),
            "closed" => {
                let handle = object(if kind == "object" { "event" } else { kind });
                object_close(handle);
                call_with_handle(name, handle)
            }
            "kind" => {
                let other = if kind == "event" { "lock" } else { "event" };
                call_with_handle(name, object(other))
            }
            "pointer" if WITH_NAME.contains(&name) => call_with_name(name, OUTSIDE),
            "utf8" => call_with_name(name, b"\xff".as_ptr() as i32),
            _ => call_with_object(call, object(kind)),
        })
    }

    /// Returns a handle of an object of a kind; the name of the object is the kind's first letter
    /// as a capital.
    fn object(kind: &str) -> i32 {
        let name = kind[..1].to_ascii_uppercase();
        let make = |how| call_with_name(&format!("{kind}_{how}"), name.as_ptr() as i32) as i32;
        let created = make("create");
        if created > 0 { created } else { make("open") }
    }

    fn call_with_object(call: &str, handle: i32) -> i64 {
        let name = b"M".as_ptr() as i32;
        match call {
            "pointer queue_put" => queue_put(handle, OUTSIDE, 8, 0).widen(),
            "pointer queue_get" => queue_get(handle, OUTSIDE, 8, 0),
            "pointer queue_read" => queue_read(handle, OUTSIDE, 0, 8).widen(),
            "pointer array_read" => {
                array_read(handle, 0, OUTSIDE, 3);
                0
            }
            "pointer array_write" => {
                array_write(handle, 0, OUTSIDE, 3);
                0
            }
            "pointer region_read" => region_read(handle, 0, OUTSIDE, 8).widen(),
            "pointer region_write" => region_write(handle, 0, OUTSIDE, 8).widen(),
            "index array_get" => array_get(handle, BEYOND),
            "index array_set" => {
                array_set(handle, BEYOND, 0);
                0
            }
            "index array_swap" => array_swap(handle, BEYOND, 0),
            "index array_add" => array_add(handle, BEYOND, 0),
            "index array_compare_exchange" => array_compare_exchange(handle, BEYOND, 0, 0),
            "index array_read" => {
                array_read(handle, BEYOND, 0, 1);
                0
            }
            "index array_write" => {
                array_write(handle, BEYOND, 0, 1);
                0
            }
            "index region_read" => region_read(handle, BEYOND.into(), 0, 1).widen(),
            "index region_write" => region_write(handle, BEYOND.into(), 0, 1).widen(),
            "flag lock_create" => lock_create(name, 1, 2).widen(),
            "flag semaphore_create" => semaphore_create(name, 1, 1, 4).widen(),
            "flag queue_create" => queue_create(name, 1, 4, 4096, 2).widen(),
            "type value_create" => value_create(name, 1, 8, 0).widen(),
            "type array_create" => array_create(name, 1, 0, 3).widen(),
            "bool value_add" => value_add(handle, 1),
            "bool array_add" => array_add(handle, 0, 1),
            _ => unreachable!("{call} is not in the list"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_misuse_is_listed_once() {
        let all = all();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert!(all.len() > 200, "{}", all.len());
    }

    #[test]
    fn an_unknown_misuse_is_told_where_the_others_are() {
        let error = call("handle lock_create").unwrap_err();
        assert!(error.ends_with("the task `misuses` lists them"), "{error}");
    }
}
