//! `wpool.region_*`: shared memory that is copied from and to, or mapped.

use super::answers::{Answer, misuse};
use super::objects::Noun;
use super::{Host, MODULE, bytes, mapping, room};
use crate::shared::{Error, Kind, ObjectId, Region, Shared, Spec};
use wasmtime::{Caller, Linker, Memory};

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "region_create", create)?;
    linker.func_wrap(MODULE, Region::OPEN, Region::open)?;
    linker.func_wrap(MODULE, "region_size", size)?;
    linker.func_wrap(MODULE, "region_is_read_only", is_read_only)?;
    linker.func_wrap(MODULE, "region_map", map)?;
    linker.func_wrap(MODULE, "region_unmap", unmap)?;
    linker.func_wrap(MODULE, "region_read", read)?;
    linker.func_wrap(MODULE, "region_write", write)?;
    Ok(())
}

impl Noun for Region<'_> {
    const KIND: Kind = Kind::Region;
    const OPEN: &'static str = "region_open";
    type Of<'a> = Region<'a>;

    #[inline]
    fn find(shared: &Shared, id: ObjectId) -> Result<Region<'_>, Error> {
        shared.region(id)
    }
}

fn create(
    mut caller: Caller<'_, Host>,
    name: u32,
    name_len: u32,
    bytes: i64,
) -> wasmtime::Result<i32> {
    // A negative number becomes 0, which is no valid size either.
    let bytes = usize::try_from(bytes).unwrap_or(0);
    let spec = Spec::Region { bytes, read_only: false };
    Region::create(&mut caller, "region_create", (name, name_len), &spec)
}

fn size(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<u64> {
    Region::look(caller.data_mut(), "region_size", handle, |region| Ok(region.bytes() as u64))
}

fn is_read_only(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Region::look(caller.data_mut(), "region_is_read_only", handle, |region| {
        Ok(region.is_read_only().into())
    })
}

/// Maps the region into the memory: `region_map(handle: i32) -> i64`. The region fills whole pages
/// of 64 KiB; behind its end there are zeros, which are shared as well.
///
/// Other processes change the bytes there at any time. The compiler takes an access for the only
/// one, unless it is atomic: between a plain access and another that must see what changed, call a
/// function. Allocate something before mapping anything: some allocators (an old wasi-libc's, as
/// Debian's) take all memory that they find at their first use for their own.
///
/// Arguments: the region, by a handle that has it mapped until it is unmapped or closed. The region
/// itself is mapped once: other handles get the same address, and it is unmapped with the last one.
/// Answers: the address, a multiple of 64 KiB and not 0; `no-space`: the memory's own maximum, the
/// rest of 4 GiB, or the limit of regions; `broken`. After an error nothing has changed.
/// Traps: the handle is not a region's; the memory is a 64-bit one; later, a store to a region that
/// may only be read, or to the place of an unmapped region. Blocks: never.
fn map(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i64> {
    let objects = caller.data_mut().objects("region_map")?;
    let id = objects.find("region_map", Kind::Region, handle)?;
    let shared = objects.shared();
    let memory = memory(&caller)?;
    let region = shared.region(id);
    match region.and_then(|region| mapping::map(&mut caller, memory, (id, handle), &region)) {
        Ok(address) => Ok(address as i64),
        Err(error) => {
            let objects = caller.data_mut().objects("region_map")?;
            Ok(objects.answer(Err::<(), _>(error)).into())
        }
    }
}

/// Returns the memory that regions are mapped into.
fn memory(caller: &Caller<'_, Host>) -> wasmtime::Result<Memory> {
    let memory = caller.data().memory.filter(|memory| !memory.ty(caller).is_64());
    memory.ok_or_else(|| {
        let why = "a region is mapped into a 32-bit memory only: use region_read and region_write";
        misuse("region_map", why)
    })
}

/// Takes the region out of the memory, unless another handle has it mapped: `region_unmap(handle:
/// i32) -> i32`. Its place holds zeros, which may only be read; other regions may be mapped there.
///
/// Arguments: the region. Answers: 0, also if the handle does not have it mapped.
/// Traps: the handle is not a region's. Blocks: never.
fn unmap(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    let host = caller.data_mut();
    let id = host.objects("region_unmap")?.find("region_unmap", Kind::Region, handle)?;
    host.mappings.unmap(id, handle);
    Ok(0)
}

fn read(
    mut caller: Caller<'_, Host>,
    handle: i32,
    offset: u64,
    dst: u32,
    len: u32,
) -> wasmtime::Result<i32> {
    let (mut room, host) = room(&mut caller, "region_read", dst, len.into())?;
    let copied = Region::ask(host, "region_read", handle, |region, _| {
        room.fill(|to| region.read(offset as usize, to))
    })?;
    Ok(inside("region_read", copied, (offset, len as usize))?.number())
}

fn write(
    mut caller: Caller<'_, Host>,
    handle: i32,
    offset: u64,
    src: u32,
    len: u32,
) -> wasmtime::Result<i32> {
    let (src, host) = bytes(&mut caller, "region_write", src, len.into())?;
    let copied =
        Region::ask(host, "region_write", handle, |region, _| region.write(offset as usize, &src))?;
    Ok(inside("region_write", copied, (offset, len as usize))?.number())
}

/// Converts the result of copying `len` bytes at an offset. Bytes outside the region are a bug of
/// the guest, and trap.
pub(super) fn inside<T>(
    call: &'static str,
    copied: Result<T, Error>,
    (offset, len): (u64, usize),
) -> wasmtime::Result<Result<T, Error>> {
    match copied {
        Err(Error::OutOfRange) => {
            Err(misuse(call, format!("{len} bytes at {offset} are not inside the region")))
        }
        copied => Ok(copied),
    }
}
