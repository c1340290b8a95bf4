//! The engine of a zygote, with the memory of instances.

use super::stack;
use crate::imports::mapping::RESIDENT_BYTES_MAX;
use crate::module::compile::{Variant, WIDE_BYTES, engine_config};
use crate::module::description::{Description, Parts};
use crate::module::load::{load, load_component as load_component_code};
use crate::wire::settings::{Isolation, Settings};
use std::fs::File;
use wasmtime::component::Component;
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, Module, PoolingAllocationConfig};

/// The number of instances: a guest runs alone in its worker, and its successor begins when it is
/// gone.
const INSTANCES: u32 = 1;

/// The number of heaps: all instances of a guest keep their objects and exceptions together.
const GC_HEAPS: u32 = 1;

/// The greatest number of core instances in one component. They take memory only when they exist.
const CORE_INSTANCES_MAX: u32 = 1000;

/// The greatest number of memories of one guest for which slots are reserved: 8 GiB of addresses
/// each.
const MEMORIES_MAX: u32 = 16;

/// The greatest number of tables of one guest for which slots are reserved: 1 MiB of addresses
/// each.
const TABLES_MAX: u32 = 1000;

/// The number of elements that a table has room for; 8 bytes of address space each.
const TABLE_ELEMENTS: usize = 1 << 17;

/// The greatest number of calls of a concurrent component that wait at once, each on a call stack
/// of its own.
const STACKS_MAX: u32 = 64;

/// The largest memory of 32 bits, for which wasmtime reserves this much.
const SLOT_BYTES_MAX: u64 = 4 << 30;

/// The bytes of a WebAssembly page.
pub(crate) const PAGE_BYTES: u64 = 64 << 10;

/// Loads a core module into an engine made for it.
///
/// # Errors
/// Returns an error if the code cannot be loaded.
pub(crate) fn load_module(
    settings: &Settings,
    description: &Description,
    cwasm: &File,
) -> wasmtime::Result<Module> {
    in_engine(settings, description, |engine| load(engine, cwasm.try_clone()?))
}

/// Loads a component into an engine made for it.
///
/// # Errors
/// Returns an error if the code cannot be loaded.
pub(crate) fn load_component(
    settings: &Settings,
    description: &Description,
    cwasm: &File,
) -> wasmtime::Result<Component> {
    in_engine(settings, description, |engine| load_component_code(engine, cwasm))
}

/// Loads code into an engine made for it. Instances come from slots that are recycled, which makes
/// a fresh instance for each job cheap. A module that does not fit a slot (many memories, huge
/// tables) gets its memory on demand. If the module shares objects, there is room for regions
/// behind its own memory.
fn in_engine<T>(
    settings: &Settings,
    description: &Description,
    load: impl Fn(&Engine) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    let parts = description.parts;
    let stack = settings.limits.stack_bytes_max;
    let mut config = engine_config(Variant::of(description, settings.limits.fuel.is_some()));
    config.max_wasm_stack(stack as usize).async_stack_size((stack + stack::HOST_BYTES) as usize);
    if parts.memories <= MEMORIES_MAX && parts.tables <= TABLES_MAX {
        let regions = if description.shares() { settings.limits.region_bytes_max } else { 0 };
        let most = if parts.wide { WIDE_BYTES } else { SLOT_BYTES_MAX };
        let bytes = settings.limits.memory_bytes_max.saturating_add(regions).min(most);
        // A process of its own ends with its job, and has nothing to reset for another.
        let recycled = settings.task.isolation != Isolation::Process;
        let mut slots = slots(bytes, parts, recycled);
        slots.total_stacks(if description.is_concurrent() { STACKS_MAX } else { 0 });
        let mut config = config.clone();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(slots));
        if let Ok(loaded) = Engine::new(&config).and_then(|engine| load(&engine)) {
            return Ok(loaded);
        }
    }
    load(&Engine::new(&config)?)
}

/// Returns slots whose memory holds this many bytes; those that are `recycled` keep pages for the next instance.
fn slots(memory_bytes: u64, parts: Parts, recycled: bool) -> PoolingAllocationConfig {
    let memory_bytes = memory_bytes.next_multiple_of(PAGE_BYTES);
    // The heap of objects and exceptions, which exists from the first one on, has a memory of its
    // own.
    let memories = parts.memories + GC_HEAPS;
    let mut slots = PoolingAllocationConfig::new();
    slots
        .total_core_instances(CORE_INSTANCES_MAX)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .total_component_instances(INSTANCES)
        .total_memories(memories)
        .max_memories_per_component(parts.memories)
        .max_memories_per_module(parts.memories)
        .total_tables(parts.tables)
        .max_tables_per_component(parts.tables)
        .max_tables_per_module(parts.tables)
        .total_gc_heaps(GC_HEAPS)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(usize::try_from(memory_bytes).expect("addresses have 64 bits"));
    // Without the kernel's list of written pages, all of the bytes would have to be reset. Wasmtime
    // opens the list anew in each forked child by `pthread_atfork`: children must be forked by
    // libc's `fork`, or they reset by their parent's list, and must be able to open
    // /proc/self/pagemap or at least /dev/null. In a jail it is the latter.
    if recycled && PoolingAllocationConfig::is_pagemap_scan_available() {
        slots
            .pagemap_scan(Enabled::Yes)
            // A page that is written costs a tenth of a microsecond, a page that is faulted in
            // again costs two.
            .linear_memory_keep_resident(RESIDENT_BYTES_MAX)
            .table_keep_resident(RESIDENT_BYTES_MAX);
    }
    slots
}
