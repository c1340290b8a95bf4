//! The limits on memory and tables of an instance, with what it has taken.

use wasmtime::ResourceLimiter;

/// The text of wasmtime's error for a growth that no memory of its type could have; wasmtime has
/// not asked about it.
const NEVER_ASKED: &str = "memory growth exceeds memory type's limits";

/// The greatest number of elements of all tables of an instance: wasmtime keeps 8 to 16 bytes for
/// each.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 1 << 20;

/// The limiter of one instance.
#[derive(Debug)]
pub(crate) struct Limiter {
    /// The memory that the instance has grown itself.
    own: Budget,
    /// The memory that the host has added to hold regions.
    regions: Budget,
    /// True while the host grows the memory for a region.
    for_region: bool,
    table_elements: usize,
    refused: Option<Refused>,
}

/// Memory that an instance wanted but did not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The bytes that the instance would have had then.
    pub(crate) wanted: u64,
    /// The reason why it did not get them, if that was not the limit.
    pub(crate) why: Option<String>,
}

/// A number of bytes of linear memory, and its limit.
#[derive(Debug)]
struct Budget {
    bytes_max: u64,
    bytes: u64,
    /// The bytes that the last growth added, in case that it fails after all.
    grown: u64,
}

impl Budget {
    fn new(bytes_max: u64) -> Budget {
        Budget { bytes_max, bytes: 0, grown: 0 }
    }
}

impl Limiter {
    /// Makes the limiter of an instance whose memories may hold this many bytes together, and this
    /// many more for regions.
    pub(crate) fn new(memory_bytes_max: u64, region_bytes_max: u64) -> Self {
        Limiter {
            own: Budget::new(memory_bytes_max),
            regions: Budget::new(region_bytes_max),
            for_region: false,
            table_elements: 0,
            refused: None,
        }
    }

    /// Returns the bytes of linear memory that the instance has, without those for regions.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.own.bytes
    }

    /// Returns the memory that the instance wanted in vain during this job.
    pub(crate) fn refused(&self) -> Option<Refused> {
        self.refused.clone()
    }

    /// Forgets what was refused, because a new job begins.
    #[inline]
    pub(crate) fn begin_job(&mut self) {
        self.refused = None;
    }

    /// Sets whether the host grows memory for a region from now on.
    pub(super) fn grow_for_region(&mut self, for_region: bool) {
        self.for_region = for_region;
    }

    fn budget(&mut self) -> &mut Budget {
        if self.for_region { &mut self.regions } else { &mut self.own }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // A growth above the memory's own maximum fails anyway; the limit does not have to explain
        // it.
        let own_fault = maximum.is_some_and(|maximum| desired > maximum);
        let grown = if own_fault { 0 } else { (desired as u64).saturating_sub(current as u64) };
        let budget = self.budget();
        let total = budget.bytes.saturating_add(grown);
        if total > budget.bytes_max {
            // A guest gets an error of its own if there is no room for its region.
            if !self.for_region {
                self.refused = Some(Refused { wanted: total, why: None });
            }
            return Ok(false);
        }
        budget.bytes = total;
        budget.grown = grown;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        let why = error.to_string();
        let budget = self.budget();
        // The memory of the last growth is still there.
        if budget.grown == 0 || why == NEVER_ASKED {
            return Ok(());
        }
        let wanted = budget.bytes;
        budget.bytes -= budget.grown;
        budget.grown = 0;
        if !self.for_region {
            self.refused = Some(Refused { wanted, why: Some(why) });
        }
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

    fn refused(wanted: u64, why: Option<&str>) -> Option<Refused> {
        Some(Refused { wanted, why: why.map(str::to_owned) })
    }

    #[test]
    fn all_memories_count_together_and_a_failed_growth_is_given_back() {
        let mut limits = Limiter::new(100, 0);
        assert!(limits.memory_growing(0, 60, None).unwrap());
        assert!(limits.memory_growing(0, 40, None).unwrap());
        limits.memory_grow_failed(wasmtime::Error::msg("no space")).unwrap();
        assert_eq!((limits.memory_bytes(), limits.refused()), (60, refused(100, Some("no space"))));
        assert!(!limits.memory_growing(60, 101, None).unwrap());
        assert_eq!((limits.memory_bytes(), limits.refused()), (60, refused(101, None)));
        limits.begin_job();
        assert_eq!(limits.refused(), None);
    }

    #[test]
    fn a_growth_above_the_memory_s_own_maximum_is_not_refused_by_the_limit() {
        let mut limits = Limiter::new(100, 0);
        assert!(limits.memory_growing(0, 200, Some(80)).unwrap());
        limits.memory_grow_failed(wasmtime::Error::msg("above its maximum")).unwrap();
        assert_eq!((limits.memory_bytes(), limits.refused()), (0, None));
    }

    #[test]
    fn a_growth_that_wasmtime_refuses_unasked_gives_nothing_back() {
        let mut limits = Limiter::new(100, 0);
        assert!(limits.memory_growing(0, 100, None).unwrap());
        limits.memory_grow_failed(wasmtime::Error::msg(NEVER_ASKED)).unwrap();
        assert_eq!((limits.memory_bytes(), limits.refused()), (100, None));
    }

    #[test]
    fn growth_for_regions_has_a_limit_of_its_own_and_is_never_out_of_memory() {
        let mut limits = Limiter::new(100, 50);
        limits.grow_for_region(true);
        assert!(limits.memory_growing(60, 100, None).unwrap());
        assert!(!limits.memory_growing(100, 111, None).unwrap());
        assert!(limits.memory_growing(100, 110, None).unwrap());
        limits.memory_grow_failed(wasmtime::Error::msg("no space")).unwrap();
        assert!(limits.memory_growing(100, 110, None).unwrap());
        assert_eq!((limits.memory_bytes(), limits.refused()), (0, None));
        limits.grow_for_region(false);
        assert!(limits.memory_growing(110, 210, None).unwrap());
        assert!(!limits.memory_growing(210, 211, None).unwrap());
        assert_eq!((limits.memory_bytes(), limits.refused()), (100, refused(101, None)));
    }

    #[test]
    fn tables_are_bounded_together() {
        let mut limits = Limiter::new(0, 0);
        assert!(limits.table_growing(0, TABLE_ELEMENTS_MAX, None).unwrap());
        assert!(!limits.table_growing(0, 1, None).unwrap());
    }
}
