//! WASI's functions that take paths, for modules that map regions. If a path lies in a region,
//! others write it at the same time, so the path is copied before it is checked.

use crate::imports::{Host, mapping};
use wasmtime::{AsContextMut, Caller, Linker};
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as wasi, WasiSnapshotPreview1};
use wasmtime_wasi::runtime::in_tokio;
use wiggle::GuestMemory;

/// Replaces functions of wasmtime-wasi by the functions of this file with their names.
macro_rules! replace {
    ($linker:ident, $module:ident, $($function:ident($($argument:ident: $Type:ty),+))+) => {$(
        $linker.func_wrap(
            $module,
            stringify!($function),
            |mut caller: Caller<'_, Host>, $($argument: $Type),+| -> wasmtime::Result<i32> {
                let fuel = caller.as_context_mut().hostcall_fuel();
                let (memory, host) = mapping::cells(&mut caller)?;
                let context = super::link::context(host);
                context.set_hostcall_fuel(fuel);
                let mut memory = GuestMemory::Shared(memory);
                in_tokio(wasi::$function(context, &mut memory, $($argument),+))
            },
        )?;
    )+};
}

/// Replaces the functions, which are linked already.
pub(super) fn link(linker: &mut Linker<Host>, module: &str) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    replace! { linker, module,
        path_create_directory(fd: i32, path: i32, bytes: i32)
        path_filestat_get(fd: i32, flags: i32, path: i32, bytes: i32, to: i32)
        path_filestat_set_times(
            fd: i32, flags: i32, path: i32, bytes: i32, accessed: i64, modified: i64, which: i32)
        path_link(fd: i32, flags: i32, path: i32, bytes: i32, new_fd: i32, new: i32, new_bytes: i32)
        path_open(
            fd: i32, flags: i32, path: i32, bytes: i32, how: i32, rights: i64, inherited: i64,
            fd_flags: i32, to: i32)
        path_readlink(fd: i32, path: i32, bytes: i32, to: i32, to_bytes: i32, used: i32)
        path_remove_directory(fd: i32, path: i32, bytes: i32)
        path_rename(fd: i32, path: i32, bytes: i32, new_fd: i32, new: i32, new_bytes: i32)
        path_symlink(target: i32, target_bytes: i32, fd: i32, path: i32, bytes: i32)
        path_unlink_file(fd: i32, path: i32, bytes: i32)
    }
    linker.allow_shadowing(false);
    Ok(())
}
