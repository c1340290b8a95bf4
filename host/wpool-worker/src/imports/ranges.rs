//! The ranges of regions in one linear memory: the host has added them, and each is taken by a
//! region or free.
//!
//! **Invariant:** ranges stand in the order of their addresses and do not overlap, and no two free
//! ranges touch. No range is the guest's: memory that the guest has grown itself lies between
//! ranges.

use crate::shared::ObjectId;

/// The greatest size of the description of a range, in bytes: a fatal message holds it and more.
const WHAT_BYTES_MAX: usize = 200;

/// The ranges of one memory.
#[derive(Debug, Default)]
pub(super) struct Ranges(Vec<Range>);

/// A range of addresses of a linear memory.
#[derive(Debug)]
struct Range {
    at: usize,
    bytes: usize,
    taken: Option<Taken>,
}

/// The region that lies in a range.
#[derive(Debug)]
pub(super) struct Taken {
    id: ObjectId,
    /// The handles that have the region mapped.
    handles: Vec<i32>,
    /// The description for messages, if the region may only be read.
    read_only: Option<Box<str>>,
}

impl Taken {
    /// Makes a region that the first of its handles maps.
    pub(super) fn new(id: ObjectId, handle: i32) -> Taken {
        Taken { id, handles: vec![handle], read_only: None }
    }

    /// Marks the region as read-only. The name is a guest's: it may hold anything.
    pub(super) fn read_only(mut self, name: &str) -> Taken {
        let mut what = format!("read-only region {}", name.escape_debug());
        what.truncate(what.floor_char_boundary(WHAT_BYTES_MAX));
        self.read_only = Some(what.into());
        self
    }
}

impl Range {
    fn end(&self) -> usize {
        self.at + self.bytes
    }

    fn is_free(&self) -> bool {
        self.taken.is_none()
    }

    /// Returns the description for messages, if the range may not be written.
    fn guarded(&self) -> Option<&str> {
        match &self.taken {
            None => Some("a region that is not mapped any more"),
            Some(taken) => taken.read_only.as_deref(),
        }
    }
}

impl Ranges {
    /// Returns the address of a region, and notes that the handle has it mapped now.
    pub(super) fn hold(&mut self, id: ObjectId, handle: i32) -> Option<usize> {
        for range in &mut self.0 {
            if let Some(taken) = &mut range.taken
                && taken.id == id
            {
                if !taken.handles.contains(&handle) {
                    taken.handles.push(handle);
                }
                return Some(range.at);
            }
        }
        None
    }

    /// Returns the address of the smallest free range of at least this many bytes.
    pub(super) fn fit(&self, bytes: usize) -> Option<usize> {
        let free = self.0.iter().filter(|range| range.is_free() && range.bytes >= bytes);
        free.min_by_key(|range| range.bytes).map(|range| range.at)
    }

    /// Returns how many free bytes there are before this address, the end of the memory.
    pub(super) fn free_before(&self, end: usize) -> usize {
        let last = self.0.last().filter(|last| last.is_free() && last.end() == end);
        last.map_or(0, |last| last.bytes)
    }

    /// Adds a free range behind all others.
    pub(super) fn add(&mut self, at: usize, bytes: usize) {
        debug_assert!(self.0.last().is_none_or(|last| last.end() <= at), "ranges in order");
        self.0.push(Range { at, bytes, taken: None });
        self.join(self.0.len() - 1);
    }

    /// Takes the first bytes of the free range that begins here.
    pub(super) fn take(&mut self, at: usize, bytes: usize, taken: Taken) {
        let index = self.0.iter().position(|range| range.at == at).expect("it was found before");
        let range = &mut self.0[index];
        assert!(range.is_free() && range.bytes >= bytes, "it was free and large enough");
        let rest = Range { at: at + bytes, bytes: range.bytes - bytes, taken: None };
        *range = Range { at, bytes, taken: Some(taken) };
        if rest.bytes > 0 {
            self.0.insert(index + 1, rest);
        }
    }

    /// Notes that a handle does not have a region mapped any more. If it was the last handle,
    /// returns the address and the length of the freed range.
    pub(super) fn release(&mut self, id: ObjectId, handle: i32) -> Option<(usize, usize)> {
        let is_it = |range: &Range| range.taken.as_ref().is_some_and(|taken| taken.id == id);
        let index = self.0.iter().position(is_it)?;
        let range = &mut self.0[index];
        let handles = &mut range.taken.as_mut()?.handles;
        handles.retain(|other| *other != handle);
        if !handles.is_empty() {
            return None;
        }
        range.taken = None;
        let freed = (range.at, range.bytes);
        self.join(index);
        Some(freed)
    }

    /// Joins a free range with the free ranges that touch it.
    fn join(&mut self, index: usize) {
        self.join_with_next(index);
        if let Some(before) = index.checked_sub(1) {
            self.join_with_next(before);
        }
    }

    fn join_with_next(&mut self, index: usize) {
        if let Some([this, next, ..]) = self.0.get_mut(index..)
            && this.is_free()
            && next.is_free()
            && this.end() == next.at
        {
            this.bytes += next.bytes;
            self.0.remove(index + 1);
        }
    }

    /// Returns the description of a range in these bytes that may not be written, if there is one.
    #[inline]
    pub(super) fn guarded(&self, at: usize, bytes: usize) -> Option<&str> {
        let end = at.saturating_add(bytes);
        let mut touched = self.0.iter().filter(|range| range.at < end && at < range.end());
        touched.find_map(Range::guarded)
    }

    /// Returns whether a region lies in some of these bytes, so that others write them at the same
    /// time.
    #[inline]
    pub(super) fn shared(&self, at: usize, bytes: usize) -> bool {
        let end = at.saturating_add(bytes);
        self.0.iter().any(|range| range.at < end && at < range.end() && !range.is_free())
    }

    /// Returns the addresses and lengths of all ranges.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, usize)> {
        self.0.iter().map(|range| (range.at, range.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ObjectId = ObjectId { index: 0, generation: 1 };
    const B: ObjectId = ObjectId { index: 1, generation: 1 };
    const C: ObjectId = ObjectId { index: 1, generation: 2 };

    fn all(ranges: &Ranges) -> Vec<(usize, usize)> {
        ranges.all().collect()
    }

    #[test]
    fn a_region_is_mapped_until_the_last_of_its_handles_lets_go() {
        let mut ranges = Ranges::default();
        ranges.add(100, 30);
        ranges.take(100, 30, Taken::new(B, 1));
        assert_eq!(ranges.hold(B, 2), Some(100));
        assert_eq!(ranges.hold(B, 2), Some(100));
        assert_eq!(ranges.hold(C, 2), None, "the record's next object");
        assert_eq!(ranges.release(B, 3), None, "never had it mapped");
        assert_eq!(ranges.release(B, 1), None);
        assert_eq!(ranges.release(B, 2), Some((100, 30)));
        assert_eq!(ranges.release(B, 2), None);
    }

    #[test]
    fn the_smallest_gap_that_fits_is_used_again_and_gaps_join() {
        let mut ranges = Ranges::default();
        ranges.add(100, 60);
        ranges.take(100, 30, Taken::new(A, 1));
        ranges.take(130, 10, Taken::new(B, 2));
        assert_eq!((ranges.fit(20), ranges.fit(21)), (Some(140), None));
        assert_eq!((ranges.free_before(160), ranges.free_before(200)), (20, 0));
        ranges.release(A, 1);
        assert_eq!((ranges.fit(20), ranges.fit(30)), (Some(140), Some(100)));
        ranges.release(B, 2);
        assert_eq!(all(&ranges), [(100, 60)]);
        ranges.add(160, 5);
        assert_eq!(all(&ranges), [(100, 65)]);
        ranges.add(200, 5);
        assert_eq!(all(&ranges), [(100, 65), (200, 5)], "what is between is the guest's");
    }

    #[test]
    fn ranges_stay_in_order_whole_and_off_the_guest_s_pages_whatever_is_mapped_in_between() {
        let mut dice = 1_u64;
        let mut roll = |sides: usize| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (dice >> 33) as usize % sides
        };
        let mut ranges = Ranges::default();
        let (mut end, mut own, mut mapped) = (10, 10, Vec::new());
        for generation in 0..20_000 {
            let id = ObjectId { index: 0, generation };
            match roll(5) {
                0 => {
                    let grown = roll(3);
                    (end, own) = (end + grown, own + grown);
                }
                1 | 2 if !mapped.is_empty() => {
                    let (id, at, bytes) = mapped.swap_remove(roll(mapped.len()));
                    assert_eq!(ranges.release(id, 1), Some((at, bytes)));
                }
                _ => {
                    let bytes = 1 + roll(8);
                    let at = ranges.fit(bytes).unwrap_or_else(|| {
                        let free = ranges.free_before(end);
                        ranges.add(end, bytes - free);
                        end += bytes - free;
                        end - bytes
                    });
                    ranges.take(at, bytes, Taken::new(id, 1));
                    mapped.push((id, at, bytes));
                }
            }
            let all = &ranges.0;
            let apart = |pair: &[Range]| {
                let touch = pair[0].end() == pair[1].at;
                pair[0].end() <= pair[1].at && !(touch && pair.iter().all(Range::is_free))
            };
            assert!(all.windows(2).all(apart) && all.iter().all(|range| range.bytes > 0));
            let bytes: usize = all.iter().map(|range| range.bytes).sum();
            assert_eq!(end - own, bytes, "all that is not the guest's");
            assert!(mapped.iter().all(|(id, at, _)| ranges.hold(*id, 1) == Some(*at)));
        }
        // In all, some forty thousand regions were mapped: unmapped ranges were used again.
        assert!(end - own < 4000, "{}", end - own);
    }

    #[test]
    fn only_regions_are_shared_and_only_what_is_free_or_read_only_is_guarded() {
        let mut ranges = Ranges::default();
        ranges.add(100, 60);
        ranges.take(100, 30, Taken::new(A, 1));
        ranges.take(130, 10, Taken::new(B, 2).read_only("b\n"));
        assert!(ranges.shared(99, 2) && ranges.shared(139, 9) && ranges.shared(0, usize::MAX));
        assert!(!ranges.shared(0, 100) && !ranges.shared(140, 20));
        assert_eq!(ranges.guarded(0, 100), None);
        assert_eq!(ranges.guarded(99, 31), None);
        assert_eq!(ranges.guarded(129, 2), Some("read-only region b\\n"));
        assert_eq!(ranges.guarded(140, 1), Some("a region that is not mapped any more"));
        assert_eq!(ranges.guarded(140, 0), None);
        assert_eq!(ranges.guarded(160, usize::MAX), None);
    }

    #[test]
    fn a_long_name_is_cut() {
        let mut ranges = Ranges::default();
        ranges.add(0, 1);
        ranges.take(0, 1, Taken::new(A, 1).read_only(&"\u{200b}".repeat(42)));
        assert_eq!(ranges.guarded(0, 1).map(str::len), Some(WHAT_BYTES_MAX));
    }
}
