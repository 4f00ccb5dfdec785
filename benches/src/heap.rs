use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

/// Counts what Rust allocates. What C code in aws-lc allocates shows in the resident memory only.
#[global_allocator]
pub static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The bytes of this process that are allocated and not yet freed.
pub fn live_bytes() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// How often memory is allocated while this runs. Nothing else may run meanwhile.
pub fn allocations<T>(run: impl FnOnce() -> T) -> (usize, T) {
    let region = Region::new(ALLOCATOR);
    let value = run();
    let change = region.change();
    (change.allocations + change.reallocations, value)
}
