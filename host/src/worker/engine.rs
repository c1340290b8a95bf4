//! The engine of a zygote: how instances get their memory.

use crate::module::compile::engine_config;
use crate::module::load::load;
use crate::wire::settings::Settings;
use std::fs::File;
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, Module, PoolingAllocationConfig};

/// A guest runs alone in its worker: its successor begins when it is gone.
const INSTANCES: u32 = 1;

/// Room for the elements of a table; 8 bytes of address space each.
const TABLE_ELEMENTS: usize = 1 << 17;

/// Largest memory that a slot can hold: what wasmtime reserves for one.
const SLOT_BYTES_MAX: u64 = 4 << 30;

/// Most bytes of a slot that are reset by writing instead of being given back to the system: a page
/// that is written costs a tenth of a microsecond, a page that is faulted in again costs two.
const RESIDENT_BYTES_MAX: usize = 1 << 20;

/// Bytes in a WebAssembly page.
pub(crate) const PAGE_BYTES: u64 = 64 << 10;

/// Loads compiled code into an engine made for it.
///
/// Instances come from slots that are recycled, which makes a fresh one for each job cheap. A
/// module that does not fit a slot (several memories, huge tables) gets its memory on demand. Where it
/// `shares` objects, there is room for regions behind its own memory.
///
/// # Errors
/// The code cannot be loaded.
pub(crate) fn load_module(
    settings: &Settings,
    shares: bool,
    cwasm: File,
) -> wasmtime::Result<Module> {
    let fuel = settings.fuel.is_some();
    if settings.memory_bytes_max <= SLOT_BYTES_MAX {
        let regions = if shares { settings.region_bytes_max } else { 0 };
        let bytes = settings.memory_bytes_max.saturating_add(regions).min(SLOT_BYTES_MAX);
        let mut config = engine_config(fuel);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(slots(bytes)));
        if let Ok(module) = load(&Engine::new(&config)?, cwasm.try_clone()?) {
            return Ok(module);
        }
    }
    load(&Engine::new(&engine_config(fuel))?, cwasm)
}

/// Slots whose memory holds so many bytes.
fn slots(memory_bytes: u64) -> PoolingAllocationConfig {
    let memory_bytes = memory_bytes.next_multiple_of(PAGE_BYTES);
    let mut slots = PoolingAllocationConfig::new();
    slots
        .total_core_instances(INSTANCES)
        .total_component_instances(0)
        .total_memories(INSTANCES)
        .total_tables(INSTANCES)
        .total_stacks(0)
        .total_gc_heaps(INSTANCES)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(usize::try_from(memory_bytes).expect("at most 4 GiB"));
    // Without the kernel's list of written pages, all of the bytes would have to be reset. Wasmtime
    // opens the list anew in each forked child by `pthread_atfork`: children must be forked by
    // libc's `fork`, or they reset by their parent's list, and must be able to open
    // /proc/self/pagemap or at least /dev/null.
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        slots
            .pagemap_scan(Enabled::Yes)
            .linear_memory_keep_resident(RESIDENT_BYTES_MAX)
            .table_keep_resident(RESIDENT_BYTES_MAX);
    }
    slots
}
