//! The imports outside WebAssembly: no object is found, and none can be created. Written by
//! `cargo xtask codegen` from `wit/`.

use std::mem::MaybeUninit;

use super::nobody;
use crate::code::error as code;

pub(crate) extern "C" fn process_id() -> i32 {
    std::process::id() as i32
}

pub(crate) extern "C" fn process_slot() -> i32 {
    0
}

pub(crate) extern "C" fn culprit() -> i32 {
    nobody()
}

pub(crate) fn lock_create(_: &str, _: i32) -> i32 {
    code::NO_SPACE
}

pub(crate) fn lock_open(_: &str) -> i32 {
    code::NOT_FOUND
}

pub(crate) extern "C" fn lock_acquire(_: i32, _: i64) -> i32 {
    nobody()
}

pub(crate) extern "C" fn lock_release(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn lock_mark_consistent(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn object_delete(_: i32) -> i32 {
    nobody()
}

pub(crate) fn semaphore_create(_: &str, _: u32, _: i32) -> i32 {
    code::NO_SPACE
}

pub(crate) fn semaphore_open(_: &str) -> i32 {
    code::NOT_FOUND
}

pub(crate) extern "C" fn semaphore_acquire(_: i32, _: i64) -> i32 {
    nobody()
}

pub(crate) extern "C" fn semaphore_release(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn semaphore_count(_: i32) -> i32 {
    nobody()
}

pub(crate) fn condition_create(_: &str, _: i32) -> i32 {
    code::NO_SPACE
}

pub(crate) fn condition_open(_: &str) -> i32 {
    code::NOT_FOUND
}

pub(crate) extern "C" fn condition_acquire(_: i32, _: i64) -> i32 {
    nobody()
}

pub(crate) extern "C" fn condition_release(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn condition_mark_consistent(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn condition_wait(_: i32, _: i64) -> i32 {
    nobody()
}

pub(crate) extern "C" fn condition_notify(_: i32, _: u32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn condition_notify_all(_: i32) -> i32 {
    nobody()
}

pub(crate) fn event_create(_: &str) -> i32 {
    code::NO_SPACE
}

pub(crate) fn event_open(_: &str) -> i32 {
    code::NOT_FOUND
}

pub(crate) extern "C" fn event_set(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn event_clear(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn event_is_set(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn event_wait(_: i32, _: i64) -> i32 {
    nobody()
}

pub(crate) fn barrier_create(_: &str, _: u32) -> i32 {
    code::NO_SPACE
}

pub(crate) fn barrier_open(_: &str) -> i32 {
    code::NOT_FOUND
}

pub(crate) extern "C" fn barrier_wait(_: i32, _: i64) -> i32 {
    nobody()
}

pub(crate) extern "C" fn barrier_abort(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn barrier_reset(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn barrier_parties(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn barrier_waiting(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn barrier_is_broken(_: i32) -> i32 {
    nobody()
}

pub(crate) fn queue_create(_: &str, _: u32, _: u64, _: i32) -> i32 {
    code::NO_SPACE
}

pub(crate) fn queue_open(_: &str) -> i32 {
    code::NOT_FOUND
}

pub(crate) fn queue_put(_: i32, _: &[u8], _: i64) -> i32 {
    nobody()
}

pub(crate) fn queue_get(_: i32, _: &mut [MaybeUninit<u8>], _: i64) -> i64 {
    nobody()
}

pub(crate) fn queue_read(_: i32, _: &mut [MaybeUninit<u8>], _: usize) -> i32 {
    nobody()
}

pub(crate) extern "C" fn queue_acknowledge(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn queue_task_done(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn queue_join(_: i32, _: i64) -> i32 {
    nobody()
}

pub(crate) extern "C" fn queue_close(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn queue_is_closed(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn queue_len(_: i32) -> i32 {
    nobody()
}

pub(crate) fn value_create(_: &str, _: i32, _: i64) -> i32 {
    code::NO_SPACE
}

pub(crate) fn value_open(_: &str) -> i32 {
    code::NOT_FOUND
}

pub(crate) extern "C" fn value_type(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn value_get(_: i32) -> i64 {
    nobody()
}

pub(crate) extern "C" fn value_set(_: i32, _: i64) {
    nobody()
}

pub(crate) extern "C" fn value_swap(_: i32, _: i64) -> i64 {
    nobody()
}

pub(crate) extern "C" fn value_add(_: i32, _: i64) -> i64 {
    nobody()
}

pub(crate) extern "C" fn value_compare_exchange(_: i32, _: i64, _: i64) -> i64 {
    nobody()
}

pub(crate) fn array_create(_: &str, _: i32, _: u32) -> i32 {
    code::NO_SPACE
}

pub(crate) fn array_open(_: &str) -> i32 {
    code::NOT_FOUND
}

pub(crate) extern "C" fn array_type(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn array_len(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn array_get(_: i32, _: u32) -> i64 {
    nobody()
}

pub(crate) extern "C" fn array_set(_: i32, _: u32, _: i64) {
    nobody()
}

pub(crate) extern "C" fn array_swap(_: i32, _: u32, _: i64) -> i64 {
    nobody()
}

pub(crate) extern "C" fn array_add(_: i32, _: u32, _: i64) -> i64 {
    nobody()
}

pub(crate) extern "C" fn array_compare_exchange(_: i32, _: u32, _: i64, _: i64) -> i64 {
    nobody()
}

/// Touches no pointer; `unsafe` because the import is.
pub(crate) unsafe fn array_read(_: i32, _: u32, _: *mut u8, _: usize) {
    nobody()
}

/// Touches no pointer; `unsafe` because the import is.
pub(crate) unsafe fn array_write(_: i32, _: u32, _: *const u8, _: usize) {
    nobody()
}

pub(crate) fn region_create(_: &str, _: u64) -> i32 {
    code::NO_SPACE
}

pub(crate) fn region_open(_: &str) -> i32 {
    code::NOT_FOUND
}

pub(crate) extern "C" fn region_size(_: i32) -> i64 {
    nobody()
}

pub(crate) extern "C" fn region_is_read_only(_: i32) -> i32 {
    nobody()
}

pub(crate) fn region_read(_: i32, _: u64, _: &mut [MaybeUninit<u8>]) -> i32 {
    nobody()
}

pub(crate) fn region_write(_: i32, _: u64, _: &[u8]) -> i32 {
    nobody()
}

pub(crate) fn list_create(_: &str, _: u32, _: u64) -> i32 {
    code::NO_SPACE
}

pub(crate) fn list_open(_: &str) -> i32 {
    code::NOT_FOUND
}

pub(crate) extern "C" fn list_len(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn list_version(_: i32) -> i64 {
    nobody()
}

pub(crate) extern "C" fn list_wait_changed(_: i32, _: u64, _: i64) -> i64 {
    nobody()
}

pub(crate) extern "C" fn list_clear(_: i32) -> i32 {
    nobody()
}

pub(crate) fn list_get(_: i32, _: i64, _: &mut [MaybeUninit<u8>]) -> i64 {
    nobody()
}

pub(crate) fn list_set(_: i32, _: i64, _: &[u8], _: i64) -> i32 {
    nobody()
}

pub(crate) fn list_append(_: i32, _: &[u8]) -> i32 {
    nobody()
}

pub(crate) fn list_insert(_: i32, _: i64, _: &[u8]) -> i32 {
    nobody()
}

pub(crate) fn list_splice(_: i32, _: i64, _: i64, _: &[u8], _: i64) -> i32 {
    nobody()
}

pub(crate) fn list_pop(_: i32, _: i64, _: &mut [MaybeUninit<u8>]) -> i64 {
    nobody()
}

pub(crate) fn list_slice(_: i32, _: i64, _: i64, _: &mut [MaybeUninit<u8>]) -> i64 {
    nobody()
}

pub(crate) fn list_index_of(_: i32, _: &[u8], _: i64, _: i64) -> i64 {
    nobody()
}

pub(crate) extern "C" fn list_reverse(_: i32) -> i32 {
    nobody()
}

pub(crate) fn dict_create(_: &str, _: u32, _: u64) -> i32 {
    code::NO_SPACE
}

pub(crate) fn dict_open(_: &str) -> i32 {
    code::NOT_FOUND
}

pub(crate) extern "C" fn dict_len(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn dict_version(_: i32) -> i64 {
    nobody()
}

pub(crate) extern "C" fn dict_wait_changed(_: i32, _: u64, _: i64) -> i64 {
    nobody()
}

pub(crate) extern "C" fn dict_clear(_: i32) -> i32 {
    nobody()
}

pub(crate) fn dict_get(_: i32, _: &[u8], _: &mut [MaybeUninit<u8>]) -> i64 {
    nobody()
}

pub(crate) fn dict_set(_: i32, _: &[u8], _: &[u8]) -> i32 {
    nobody()
}

pub(crate) fn dict_set_many(_: i32, _: &[u8]) -> i32 {
    nobody()
}

pub(crate) fn dict_get_or_insert(_: i32, _: &[u8], _: &[u8], _: &mut [MaybeUninit<u8>]) -> i64 {
    nobody()
}

pub(crate) fn dict_swap_if(_: i32, _: &[u8], _: i64, _: &[u8]) -> i32 {
    nobody()
}

pub(crate) fn dict_remove_if(_: i32, _: &[u8], _: i64) -> i32 {
    nobody()
}

pub(crate) fn dict_pop(_: i32, _: &[u8], _: &mut [MaybeUninit<u8>]) -> i64 {
    nobody()
}

pub(crate) fn dict_remove(_: i32, _: &[u8]) -> i32 {
    nobody()
}

pub(crate) fn dict_contains(_: i32, _: &[u8]) -> i32 {
    nobody()
}

pub(crate) fn dict_pop_item(_: i32, _: &mut [MaybeUninit<u8>]) -> i64 {
    nobody()
}

pub(crate) fn dict_page(_: i32, _: i32, _: u64, _: u64, _: &mut [MaybeUninit<u8>]) -> i64 {
    nobody()
}

pub(crate) fn dict_add(_: i32, _: &[u8], _: i64, _: &mut MaybeUninit<i64>) -> i32 {
    nobody()
}

pub(crate) fn set_create(_: &str, _: u32, _: u64) -> i32 {
    code::NO_SPACE
}

pub(crate) fn set_open(_: &str) -> i32 {
    code::NOT_FOUND
}

pub(crate) extern "C" fn set_len(_: i32) -> i32 {
    nobody()
}

pub(crate) extern "C" fn set_version(_: i32) -> i64 {
    nobody()
}

pub(crate) extern "C" fn set_wait_changed(_: i32, _: u64, _: i64) -> i64 {
    nobody()
}

pub(crate) extern "C" fn set_clear(_: i32) -> i32 {
    nobody()
}

pub(crate) fn set_add(_: i32, _: &[u8]) -> i32 {
    nobody()
}

pub(crate) fn set_discard(_: i32, _: &[u8]) -> i32 {
    nobody()
}

pub(crate) fn set_contains(_: i32, _: &[u8]) -> i32 {
    nobody()
}

pub(crate) fn set_pop(_: i32, _: &mut [MaybeUninit<u8>]) -> i64 {
    nobody()
}

pub(crate) fn set_update(_: i32, _: i32, _: &[u8]) -> i32 {
    nobody()
}

pub(crate) fn set_page(_: i32, _: u64, _: u64, _: &mut [MaybeUninit<u8>]) -> i64 {
    nobody()
}

pub(crate) extern "C" fn nested_open_in_list(_: i32, _: i64) -> i64 {
    nobody()
}

pub(crate) fn nested_open_in_dict(_: i32, _: &[u8]) -> i64 {
    nobody()
}

pub(crate) extern "C" fn nested_create_in_list(_: i32, _: i64, _: i32, _: i32) -> i64 {
    nobody()
}

pub(crate) fn nested_create_in_dict(_: i32, _: &[u8], _: i32, _: i32) -> i64 {
    nobody()
}

pub(crate) extern "C" fn object_close(_: i32) -> i32 {
    nobody()
}

#[cfg(not(feature = "native"))]
pub(crate) extern "C" fn job_size() -> i32 {
    0
}

#[cfg(not(feature = "native"))]
pub(crate) fn job_read(_: &mut [MaybeUninit<u8>], _: usize) -> i32 {
    0
}

#[cfg(not(feature = "native"))]
pub(crate) fn result_write(_: &[u8]) {}

pub(crate) extern "C" fn region_map(_: i32) -> i64 {
    nobody()
}

pub(crate) extern "C" fn region_unmap(_: i32) -> i32 {
    nobody()
}

pub(crate) fn object_answer(_: i32, _: &mut [MaybeUninit<u8>], _: usize) -> i32 {
    nobody()
}

pub(crate) extern "C" fn object_answer_version(_: i32) -> i64 {
    nobody()
}

pub(crate) extern "C" fn object_answer_cursor(_: i32) -> i64 {
    nobody()
}
