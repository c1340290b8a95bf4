//! The imports from the module `wpool`. Written by `cargo xtask codegen` from `wit/`.

use std::mem::MaybeUninit;

#[link(wasm_import_module = "wpool")]
unsafe extern "C" {
    pub(crate) safe fn process_id() -> i32;
    pub(crate) safe fn process_slot() -> i32;
    pub(crate) safe fn culprit() -> i32;
    pub(crate) safe fn lock_acquire(handle: i32, timeout_ns: i64) -> i32;
    pub(crate) safe fn lock_release(handle: i32) -> i32;
    pub(crate) safe fn lock_mark_consistent(handle: i32) -> i32;
    pub(crate) safe fn object_delete(handle: i32) -> i32;
    pub(crate) safe fn semaphore_acquire(handle: i32, timeout_ns: i64) -> i32;
    pub(crate) safe fn semaphore_release(handle: i32) -> i32;
    pub(crate) safe fn semaphore_count(handle: i32) -> i32;
    pub(crate) safe fn condition_acquire(handle: i32, timeout_ns: i64) -> i32;
    pub(crate) safe fn condition_release(handle: i32) -> i32;
    pub(crate) safe fn condition_mark_consistent(handle: i32) -> i32;
    pub(crate) safe fn condition_wait(handle: i32, timeout_ns: i64) -> i32;
    pub(crate) safe fn condition_notify(handle: i32, count: u32) -> i32;
    pub(crate) safe fn condition_notify_all(handle: i32) -> i32;
    pub(crate) safe fn event_set(handle: i32) -> i32;
    pub(crate) safe fn event_clear(handle: i32) -> i32;
    pub(crate) safe fn event_is_set(handle: i32) -> i32;
    pub(crate) safe fn event_wait(handle: i32, timeout_ns: i64) -> i32;
    pub(crate) safe fn barrier_wait(handle: i32, timeout_ns: i64) -> i32;
    pub(crate) safe fn barrier_abort(handle: i32) -> i32;
    pub(crate) safe fn barrier_reset(handle: i32) -> i32;
    pub(crate) safe fn barrier_parties(handle: i32) -> i32;
    pub(crate) safe fn barrier_waiting(handle: i32) -> i32;
    pub(crate) safe fn barrier_is_broken(handle: i32) -> i32;
    pub(crate) safe fn queue_acknowledge(handle: i32) -> i32;
    pub(crate) safe fn queue_task_done(handle: i32) -> i32;
    pub(crate) safe fn queue_join(handle: i32, timeout_ns: i64) -> i32;
    pub(crate) safe fn queue_close(handle: i32) -> i32;
    pub(crate) safe fn queue_is_closed(handle: i32) -> i32;
    pub(crate) safe fn queue_len(handle: i32) -> i32;
    pub(crate) safe fn value_type(handle: i32) -> i32;
    pub(crate) safe fn value_get(handle: i32) -> i64;
    pub(crate) safe fn value_set(handle: i32, bits: i64);
    pub(crate) safe fn value_swap(handle: i32, bits: i64) -> i64;
    pub(crate) safe fn value_add(handle: i32, bits: i64) -> i64;
    pub(crate) safe fn value_compare_exchange(handle: i32, expected: i64, new: i64) -> i64;
    pub(crate) safe fn array_type(handle: i32) -> i32;
    pub(crate) safe fn array_len(handle: i32) -> i32;
    pub(crate) safe fn array_get(handle: i32, index: u32) -> i64;
    pub(crate) safe fn array_set(handle: i32, index: u32, bits: i64);
    pub(crate) safe fn array_swap(handle: i32, index: u32, bits: i64) -> i64;
    pub(crate) safe fn array_add(handle: i32, index: u32, bits: i64) -> i64;
    pub(crate) safe fn array_compare_exchange(
        handle: i32,
        index: u32,
        expected: i64,
        new: i64,
    ) -> i64;
    pub(crate) safe fn region_size(handle: i32) -> i64;
    pub(crate) safe fn region_is_read_only(handle: i32) -> i32;
    pub(crate) safe fn list_len(handle: i32) -> i32;
    pub(crate) safe fn list_version(handle: i32) -> i64;
    pub(crate) safe fn list_wait_changed(handle: i32, since: u64, timeout_ns: i64) -> i64;
    pub(crate) safe fn list_clear(handle: i32) -> i32;
    pub(crate) safe fn list_reverse(handle: i32) -> i32;
    pub(crate) safe fn dict_len(handle: i32) -> i32;
    pub(crate) safe fn dict_version(handle: i32) -> i64;
    pub(crate) safe fn dict_wait_changed(handle: i32, since: u64, timeout_ns: i64) -> i64;
    pub(crate) safe fn dict_clear(handle: i32) -> i32;
    pub(crate) safe fn set_len(handle: i32) -> i32;
    pub(crate) safe fn set_version(handle: i32) -> i64;
    pub(crate) safe fn set_wait_changed(handle: i32, since: u64, timeout_ns: i64) -> i64;
    pub(crate) safe fn set_clear(handle: i32) -> i32;
    pub(crate) safe fn nested_open_in_list(handle: i32, index: i64) -> i64;
    pub(crate) safe fn nested_create_in_list(
        handle: i32,
        index: i64,
        kind: i32,
        replace: i32,
    ) -> i64;
    pub(crate) safe fn object_close(handle: i32) -> i32;
    pub(crate) safe fn job_size() -> i32;
    pub(crate) safe fn region_map(handle: i32) -> i64;
    pub(crate) safe fn region_unmap(handle: i32) -> i32;
    pub(crate) safe fn object_answer_version(handle: i32) -> i64;
    pub(crate) safe fn object_answer_cursor(handle: i32) -> i64;
}

/// The imports that take pointers.
mod pointers {
    #[link(wasm_import_module = "wpool")]
    unsafe extern "C" {
        pub(super) fn lock_create(name: *const u8, name_len: usize, recursive: i32) -> i32;
        pub(super) fn lock_open(name: *const u8, name_len: usize) -> i32;
        pub(super) fn semaphore_create(
            name: *const u8,
            name_len: usize,
            initial: u32,
            flags: i32,
        ) -> i32;
        pub(super) fn semaphore_open(name: *const u8, name_len: usize) -> i32;
        pub(super) fn condition_create(name: *const u8, name_len: usize, lock: i32) -> i32;
        pub(super) fn condition_open(name: *const u8, name_len: usize) -> i32;
        pub(super) fn event_create(name: *const u8, name_len: usize) -> i32;
        pub(super) fn event_open(name: *const u8, name_len: usize) -> i32;
        pub(super) fn barrier_create(name: *const u8, name_len: usize, parties: u32) -> i32;
        pub(super) fn barrier_open(name: *const u8, name_len: usize) -> i32;
        pub(super) fn queue_create(
            name: *const u8,
            name_len: usize,
            messages: u32,
            bytes: u64,
            joinable: i32,
        ) -> i32;
        pub(super) fn queue_open(name: *const u8, name_len: usize) -> i32;
        pub(super) fn queue_put(handle: i32, src: *const u8, len: usize, timeout_ns: i64) -> i32;
        pub(super) fn queue_get(handle: i32, dst: *mut u8, capacity: usize, timeout_ns: i64)
        -> i64;
        pub(super) fn queue_read(handle: i32, dst: *mut u8, offset: usize, len: usize) -> i32;
        pub(super) fn value_create(
            name: *const u8,
            name_len: usize,
            r#type: i32,
            initial: i64,
        ) -> i32;
        pub(super) fn value_open(name: *const u8, name_len: usize) -> i32;
        pub(super) fn array_create(
            name: *const u8,
            name_len: usize,
            r#type: i32,
            length: u32,
        ) -> i32;
        pub(super) fn array_open(name: *const u8, name_len: usize) -> i32;
        pub(super) fn array_read(handle: i32, first: u32, dst: *mut u8, count: usize);
        pub(super) fn array_write(handle: i32, first: u32, src: *const u8, count: usize);
        pub(super) fn region_create(name: *const u8, name_len: usize, bytes: u64) -> i32;
        pub(super) fn region_open(name: *const u8, name_len: usize) -> i32;
        pub(super) fn region_read(handle: i32, offset: u64, dst: *mut u8, len: usize) -> i32;
        pub(super) fn region_write(handle: i32, offset: u64, src: *const u8, len: usize) -> i32;
        pub(super) fn list_create(
            name: *const u8,
            name_len: usize,
            entries: u32,
            bytes: u64,
        ) -> i32;
        pub(super) fn list_open(name: *const u8, name_len: usize) -> i32;
        pub(super) fn list_get(handle: i32, index: i64, dst: *mut u8, capacity: usize) -> i64;
        pub(super) fn list_set(
            handle: i32,
            index: i64,
            src: *const u8,
            len: usize,
            version: i64,
        ) -> i32;
        pub(super) fn list_append(handle: i32, src: *const u8, len: usize) -> i32;
        pub(super) fn list_insert(handle: i32, index: i64, src: *const u8, len: usize) -> i32;
        pub(super) fn list_splice(
            handle: i32,
            start: i64,
            end: i64,
            src: *const u8,
            len: usize,
            version: i64,
        ) -> i32;
        pub(super) fn list_pop(handle: i32, index: i64, dst: *mut u8, capacity: usize) -> i64;
        pub(super) fn list_slice(
            handle: i32,
            start: i64,
            end: i64,
            dst: *mut u8,
            capacity: usize,
        ) -> i64;
        pub(super) fn list_index_of(
            handle: i32,
            src: *const u8,
            len: usize,
            start: i64,
            end: i64,
        ) -> i64;
        pub(super) fn dict_create(
            name: *const u8,
            name_len: usize,
            entries: u32,
            bytes: u64,
        ) -> i32;
        pub(super) fn dict_open(name: *const u8, name_len: usize) -> i32;
        pub(super) fn dict_get(
            handle: i32,
            key: *const u8,
            key_len: usize,
            dst: *mut u8,
            capacity: usize,
        ) -> i64;
        pub(super) fn dict_set(
            handle: i32,
            key: *const u8,
            key_len: usize,
            src: *const u8,
            len: usize,
        ) -> i32;
        pub(super) fn dict_set_many(handle: i32, src: *const u8, len: usize) -> i32;
        pub(super) fn dict_get_or_insert(
            handle: i32,
            key: *const u8,
            key_len: usize,
            src: *const u8,
            len: usize,
            dst: *mut u8,
            capacity: usize,
        ) -> i64;
        pub(super) fn dict_swap_if(
            handle: i32,
            key: *const u8,
            key_len: usize,
            version: i64,
            src: *const u8,
            len: usize,
        ) -> i32;
        pub(super) fn dict_remove_if(
            handle: i32,
            key: *const u8,
            key_len: usize,
            version: i64,
        ) -> i32;
        pub(super) fn dict_pop(
            handle: i32,
            key: *const u8,
            key_len: usize,
            dst: *mut u8,
            capacity: usize,
        ) -> i64;
        pub(super) fn dict_remove(handle: i32, key: *const u8, key_len: usize) -> i32;
        pub(super) fn dict_contains(handle: i32, key: *const u8, key_len: usize) -> i32;
        pub(super) fn dict_pop_item(handle: i32, dst: *mut u8, capacity: usize) -> i64;
        pub(super) fn dict_page(
            handle: i32,
            part: i32,
            cursor: u64,
            version: u64,
            dst: *mut u8,
            capacity: usize,
        ) -> i64;
        pub(super) fn dict_add(
            handle: i32,
            key: *const u8,
            key_len: usize,
            number: i64,
            dst: *mut i64,
        ) -> i32;
        pub(super) fn set_create(name: *const u8, name_len: usize, entries: u32, bytes: u64)
        -> i32;
        pub(super) fn set_open(name: *const u8, name_len: usize) -> i32;
        pub(super) fn set_add(handle: i32, src: *const u8, len: usize) -> i32;
        pub(super) fn set_discard(handle: i32, src: *const u8, len: usize) -> i32;
        pub(super) fn set_contains(handle: i32, src: *const u8, len: usize) -> i32;
        pub(super) fn set_pop(handle: i32, dst: *mut u8, capacity: usize) -> i64;
        pub(super) fn set_update(handle: i32, how: i32, src: *const u8, len: usize) -> i32;
        pub(super) fn set_page(
            handle: i32,
            cursor: u64,
            version: u64,
            dst: *mut u8,
            capacity: usize,
        ) -> i64;
        pub(super) fn nested_open_in_dict(handle: i32, key: *const u8, key_len: usize) -> i64;
        pub(super) fn nested_create_in_dict(
            handle: i32,
            key: *const u8,
            key_len: usize,
            kind: i32,
            keep: i32,
        ) -> i64;
        pub(super) fn job_read(dst: *mut u8, offset: usize, len: usize) -> i32;
        pub(super) fn result_write(src: *const u8, len: usize);
        pub(super) fn object_answer(handle: i32, dst: *mut u8, offset: usize, len: usize) -> i32;
    }
}

#[inline]
pub(crate) fn lock_create(name: &str, recursive: i32) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::lock_create(name.as_ptr(), name.len(), recursive) }
}

#[inline]
pub(crate) fn lock_open(name: &str) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::lock_open(name.as_ptr(), name.len()) }
}

#[inline]
pub(crate) fn semaphore_create(name: &str, initial: u32, flags: i32) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::semaphore_create(name.as_ptr(), name.len(), initial, flags) }
}

#[inline]
pub(crate) fn semaphore_open(name: &str) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::semaphore_open(name.as_ptr(), name.len()) }
}

#[inline]
pub(crate) fn condition_create(name: &str, lock: i32) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::condition_create(name.as_ptr(), name.len(), lock) }
}

#[inline]
pub(crate) fn condition_open(name: &str) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::condition_open(name.as_ptr(), name.len()) }
}

#[inline]
pub(crate) fn event_create(name: &str) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::event_create(name.as_ptr(), name.len()) }
}

#[inline]
pub(crate) fn event_open(name: &str) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::event_open(name.as_ptr(), name.len()) }
}

#[inline]
pub(crate) fn barrier_create(name: &str, parties: u32) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::barrier_create(name.as_ptr(), name.len(), parties) }
}

#[inline]
pub(crate) fn barrier_open(name: &str) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::barrier_open(name.as_ptr(), name.len()) }
}

#[inline]
pub(crate) fn queue_create(name: &str, messages: u32, bytes: u64, joinable: i32) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::queue_create(name.as_ptr(), name.len(), messages, bytes, joinable) }
}

#[inline]
pub(crate) fn queue_open(name: &str) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::queue_open(name.as_ptr(), name.len()) }
}

#[inline]
pub(crate) fn queue_put(handle: i32, src: &[u8], timeout_ns: i64) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::queue_put(handle, src.as_ptr(), src.len(), timeout_ns) }
}

#[inline]
pub(crate) fn queue_get(handle: i32, dst: &mut [MaybeUninit<u8>], timeout_ns: i64) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::queue_get(handle, dst.as_mut_ptr().cast(), dst.len(), timeout_ns) }
}

#[inline]
pub(crate) fn queue_read(handle: i32, dst: &mut [MaybeUninit<u8>], offset: usize) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::queue_read(handle, dst.as_mut_ptr().cast(), offset, dst.len()) }
}

#[inline]
pub(crate) fn value_create(name: &str, r#type: i32, initial: i64) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::value_create(name.as_ptr(), name.len(), r#type, initial) }
}

#[inline]
pub(crate) fn value_open(name: &str) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::value_open(name.as_ptr(), name.len()) }
}

#[inline]
pub(crate) fn array_create(name: &str, r#type: i32, length: u32) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::array_create(name.as_ptr(), name.len(), r#type, length) }
}

#[inline]
pub(crate) fn array_open(name: &str) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::array_open(name.as_ptr(), name.len()) }
}

/// # Safety
/// The pointer points to `count` numbers of the array's type.
#[inline]
pub(crate) unsafe fn array_read(handle: i32, first: u32, dst: *mut u8, count: usize) {
    // SAFETY: as the caller promises.
    unsafe { pointers::array_read(handle, first, dst, count) }
}

/// # Safety
/// The pointer points to `count` numbers of the array's type.
#[inline]
pub(crate) unsafe fn array_write(handle: i32, first: u32, src: *const u8, count: usize) {
    // SAFETY: as the caller promises.
    unsafe { pointers::array_write(handle, first, src, count) }
}

#[inline]
pub(crate) fn region_create(name: &str, bytes: u64) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::region_create(name.as_ptr(), name.len(), bytes) }
}

#[inline]
pub(crate) fn region_open(name: &str) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::region_open(name.as_ptr(), name.len()) }
}

#[inline]
pub(crate) fn region_read(handle: i32, offset: u64, dst: &mut [MaybeUninit<u8>]) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::region_read(handle, offset, dst.as_mut_ptr().cast(), dst.len()) }
}

#[inline]
pub(crate) fn region_write(handle: i32, offset: u64, src: &[u8]) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::region_write(handle, offset, src.as_ptr(), src.len()) }
}

#[inline]
pub(crate) fn list_create(name: &str, entries: u32, bytes: u64) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::list_create(name.as_ptr(), name.len(), entries, bytes) }
}

#[inline]
pub(crate) fn list_open(name: &str) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::list_open(name.as_ptr(), name.len()) }
}

#[inline]
pub(crate) fn list_get(handle: i32, index: i64, dst: &mut [MaybeUninit<u8>]) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::list_get(handle, index, dst.as_mut_ptr().cast(), dst.len()) }
}

#[inline]
pub(crate) fn list_set(handle: i32, index: i64, src: &[u8], version: i64) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::list_set(handle, index, src.as_ptr(), src.len(), version) }
}

#[inline]
pub(crate) fn list_append(handle: i32, src: &[u8]) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::list_append(handle, src.as_ptr(), src.len()) }
}

#[inline]
pub(crate) fn list_insert(handle: i32, index: i64, src: &[u8]) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::list_insert(handle, index, src.as_ptr(), src.len()) }
}

#[inline]
pub(crate) fn list_splice(handle: i32, start: i64, end: i64, src: &[u8], version: i64) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::list_splice(handle, start, end, src.as_ptr(), src.len(), version) }
}

#[inline]
pub(crate) fn list_pop(handle: i32, index: i64, dst: &mut [MaybeUninit<u8>]) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::list_pop(handle, index, dst.as_mut_ptr().cast(), dst.len()) }
}

#[inline]
pub(crate) fn list_slice(handle: i32, start: i64, end: i64, dst: &mut [MaybeUninit<u8>]) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::list_slice(handle, start, end, dst.as_mut_ptr().cast(), dst.len()) }
}

#[inline]
pub(crate) fn list_index_of(handle: i32, src: &[u8], start: i64, end: i64) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::list_index_of(handle, src.as_ptr(), src.len(), start, end) }
}

#[inline]
pub(crate) fn dict_create(name: &str, entries: u32, bytes: u64) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::dict_create(name.as_ptr(), name.len(), entries, bytes) }
}

#[inline]
pub(crate) fn dict_open(name: &str) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::dict_open(name.as_ptr(), name.len()) }
}

#[inline]
pub(crate) fn dict_get(handle: i32, key: &[u8], dst: &mut [MaybeUninit<u8>]) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe {
        pointers::dict_get(handle, key.as_ptr(), key.len(), dst.as_mut_ptr().cast(), dst.len())
    }
}

#[inline]
pub(crate) fn dict_set(handle: i32, key: &[u8], src: &[u8]) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::dict_set(handle, key.as_ptr(), key.len(), src.as_ptr(), src.len()) }
}

#[inline]
pub(crate) fn dict_set_many(handle: i32, src: &[u8]) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::dict_set_many(handle, src.as_ptr(), src.len()) }
}

#[inline]
pub(crate) fn dict_get_or_insert(
    handle: i32,
    key: &[u8],
    src: &[u8],
    dst: &mut [MaybeUninit<u8>],
) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe {
        pointers::dict_get_or_insert(
            handle,
            key.as_ptr(),
            key.len(),
            src.as_ptr(),
            src.len(),
            dst.as_mut_ptr().cast(),
            dst.len(),
        )
    }
}

#[inline]
pub(crate) fn dict_swap_if(handle: i32, key: &[u8], version: i64, src: &[u8]) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe {
        pointers::dict_swap_if(handle, key.as_ptr(), key.len(), version, src.as_ptr(), src.len())
    }
}

#[inline]
pub(crate) fn dict_remove_if(handle: i32, key: &[u8], version: i64) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::dict_remove_if(handle, key.as_ptr(), key.len(), version) }
}

#[inline]
pub(crate) fn dict_pop(handle: i32, key: &[u8], dst: &mut [MaybeUninit<u8>]) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe {
        pointers::dict_pop(handle, key.as_ptr(), key.len(), dst.as_mut_ptr().cast(), dst.len())
    }
}

#[inline]
pub(crate) fn dict_remove(handle: i32, key: &[u8]) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::dict_remove(handle, key.as_ptr(), key.len()) }
}

#[inline]
pub(crate) fn dict_contains(handle: i32, key: &[u8]) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::dict_contains(handle, key.as_ptr(), key.len()) }
}

#[inline]
pub(crate) fn dict_pop_item(handle: i32, dst: &mut [MaybeUninit<u8>]) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::dict_pop_item(handle, dst.as_mut_ptr().cast(), dst.len()) }
}

#[inline]
pub(crate) fn dict_page(
    handle: i32,
    part: i32,
    cursor: u64,
    version: u64,
    dst: &mut [MaybeUninit<u8>],
) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe {
        pointers::dict_page(handle, part, cursor, version, dst.as_mut_ptr().cast(), dst.len())
    }
}

#[inline]
pub(crate) fn dict_add(handle: i32, key: &[u8], number: i64, dst: &mut MaybeUninit<i64>) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::dict_add(handle, key.as_ptr(), key.len(), number, dst.as_mut_ptr()) }
}

#[inline]
pub(crate) fn set_create(name: &str, entries: u32, bytes: u64) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::set_create(name.as_ptr(), name.len(), entries, bytes) }
}

#[inline]
pub(crate) fn set_open(name: &str) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::set_open(name.as_ptr(), name.len()) }
}

#[inline]
pub(crate) fn set_add(handle: i32, src: &[u8]) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::set_add(handle, src.as_ptr(), src.len()) }
}

#[inline]
pub(crate) fn set_discard(handle: i32, src: &[u8]) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::set_discard(handle, src.as_ptr(), src.len()) }
}

#[inline]
pub(crate) fn set_contains(handle: i32, src: &[u8]) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::set_contains(handle, src.as_ptr(), src.len()) }
}

#[inline]
pub(crate) fn set_pop(handle: i32, dst: &mut [MaybeUninit<u8>]) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::set_pop(handle, dst.as_mut_ptr().cast(), dst.len()) }
}

#[inline]
pub(crate) fn set_update(handle: i32, how: i32, src: &[u8]) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::set_update(handle, how, src.as_ptr(), src.len()) }
}

#[inline]
pub(crate) fn set_page(handle: i32, cursor: u64, version: u64, dst: &mut [MaybeUninit<u8>]) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::set_page(handle, cursor, version, dst.as_mut_ptr().cast(), dst.len()) }
}

#[inline]
pub(crate) fn nested_open_in_dict(handle: i32, key: &[u8]) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::nested_open_in_dict(handle, key.as_ptr(), key.len()) }
}

#[inline]
pub(crate) fn nested_create_in_dict(handle: i32, key: &[u8], kind: i32, keep: i32) -> i64 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::nested_create_in_dict(handle, key.as_ptr(), key.len(), kind, keep) }
}

#[inline]
pub(crate) fn job_read(dst: &mut [MaybeUninit<u8>], offset: usize) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::job_read(dst.as_mut_ptr().cast(), offset, dst.len()) }
}

#[inline]
pub(crate) fn result_write(src: &[u8]) {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::result_write(src.as_ptr(), src.len()) }
}

#[inline]
pub(crate) fn object_answer(handle: i32, dst: &mut [MaybeUninit<u8>], offset: usize) -> i32 {
    // SAFETY: the host stays inside the slices.
    unsafe { pointers::object_answer(handle, dst.as_mut_ptr().cast(), offset, dst.len()) }
}
