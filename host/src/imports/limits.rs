//! How much an instance may take of the machine, and what it has taken.

use wasmtime::ResourceLimiter;

/// Most elements of all tables of an instance: wasmtime keeps 8 to 16 bytes for each.
const TABLE_ELEMENTS_MAX: usize = 1 << 20;

/// The limits of one instance.
#[derive(Debug)]
pub(crate) struct Limits {
    memory_bytes_max: u64,
    memory_bytes: u64,
    /// What the last growth added, in case that it fails after all.
    grown: u64,
    table_elements: usize,
    refused: Option<u64>,
}

impl Limits {
    /// Limits for an instance whose memories may hold so many bytes together.
    pub(crate) fn new(memory_bytes_max: u64) -> Self {
        Limits { memory_bytes_max, memory_bytes: 0, grown: 0, table_elements: 0, refused: None }
    }

    /// Bytes of linear memory that the instance has.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// Bytes of linear memory that the instance wanted in vain during this job.
    pub(crate) fn refused(&self) -> Option<u64> {
        self.refused
    }

    /// Forgets what was refused: a new job begins.
    #[inline]
    pub(crate) fn begin_job(&mut self) {
        self.refused = None;
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let grown = (desired as u64).saturating_sub(current as u64);
        let total = self.memory_bytes.saturating_add(grown);
        // Above the maximum of its own it fails anyway; that is not for `--memory` to explain.
        let own_fault = maximum.is_some_and(|maximum| desired > maximum);
        if total > self.memory_bytes_max && !own_fault {
            self.refused = Some(total);
            return Ok(false);
        }
        self.memory_bytes = total;
        self.grown = grown;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory_bytes -= self.grown;
        self.grown = 0;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        let allowed = total <= TABLE_ELEMENTS_MAX;
        if allowed {
            self.table_elements = total;
        }
        Ok(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_count_together_and_a_failed_growth_is_given_back() {
        let mut limits = Limits::new(100);
        assert!(limits.memory_growing(0, 60, None).unwrap());
        assert!(limits.memory_growing(0, 40, None).unwrap());
        limits.memory_grow_failed(wasmtime::Error::msg("no space")).unwrap();
        assert_eq!((limits.memory_bytes(), limits.refused()), (60, None));
        assert!(!limits.memory_growing(60, 101, None).unwrap());
        assert_eq!((limits.memory_bytes(), limits.refused()), (60, Some(101)));
        limits.begin_job();
        assert_eq!(limits.refused(), None);
    }

    #[test]
    fn a_growth_above_the_memory_s_own_maximum_is_not_refused_by_the_limit() {
        let mut limits = Limits::new(100);
        assert!(limits.memory_growing(0, 200, Some(80)).unwrap());
        assert_eq!(limits.refused(), None);
    }

    #[test]
    fn tables_are_bounded_together() {
        let mut limits = Limits::new(0);
        assert!(limits.table_growing(0, TABLE_ELEMENTS_MAX, None).unwrap());
        assert!(!limits.table_growing(0, 1, None).unwrap());
    }
}
