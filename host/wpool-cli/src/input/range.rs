//! `--range`: jobs that are integers.

use super::order::Order;

/// A range of integers with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    first: i64,
    step: i64,
    count: u64,
    taken: u64,
    order: Option<Order>,
}

impl Range {
    /// Parses `A..B`, `A..=B`, `A..B..STEP` or `A..=B..STEP`.
    ///
    /// # Errors
    /// Fails if the text is not a range, or its step is zero.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "not a range; write 0..12, 1..=12 or 0..100..10".to_owned();
        let integer = |text: &str| text.trim().parse::<i64>().map_err(|_| wrong());
        let mut parts = text.split("..");
        let (Some(first), Some(end), step, None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let (end, inclusive) = match end.strip_prefix('=') {
            Some(end) => (end, true),
            None => (end, false),
        };
        let (first, end) = (integer(first)?, integer(end)?);
        let step = step.map_or(Ok(1), integer)?;
        if step == 0 {
            return Err("the step of a range cannot be 0".into());
        }
        let count = steps(first, end, step, inclusive).ok_or("the range is too long")?;
        Ok(Range { first, step, count, taken: 0, order: None })
    }

    /// Puts the integers into the random order of a seed.
    pub(crate) fn shuffled(self, seed: u64) -> Self {
        Range { order: Some(Order::new(self.count, seed)), ..self }
    }

    /// Returns the number of integers that are left.
    pub(crate) fn len(&self) -> u64 {
        self.count - self.taken
    }

    /// Returns the first integer of the range.
    pub(crate) fn first(&self) -> i64 {
        self.first
    }

    /// Returns the step between two integers.
    pub(crate) fn step(&self) -> i64 {
        self.step
    }

    /// Returns the integer of a job, whose number must be below the number of integers.
    #[inline]
    pub(crate) fn at(&self, job: u64) -> i64 {
        let index = self.order.map_or(job, |order| order.at(job));
        // In a checked range the sum fits, even if the product overflows on the way.
        self.first.wrapping_add(self.step.wrapping_mul(index as i64))
    }

    /// Takes the next integer.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<i64> {
        if self.taken == self.count {
            return None;
        }
        let number = self.at(self.taken);
        self.taken += 1;
        Some(number)
    }
}

/// Returns the number of integers; `None` if it does not fit into 64 bits.
fn steps(first: i64, end: i64, step: i64, inclusive: bool) -> Option<u64> {
    let distance = (i128::from(end) - i128::from(first)) * i128::from(step.signum());
    let distance = distance + i128::from(inclusive);
    if distance <= 0 {
        return Some(0);
    }
    let step = i128::from(step.unsigned_abs());
    u64::try_from((distance + step - 1) / step).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<i64> {
        let mut range = Range::parse(text).expect("a valid range");
        std::iter::from_fn(|| range.next()).collect()
    }

    #[test]
    fn the_end_is_left_out_unless_it_is_asked_for() {
        assert_eq!(all("0..3"), [0, 1, 2]);
        assert_eq!(all("1..=3"), [1, 2, 3]);
        assert_eq!(all("3..3"), [0; 0]);
    }

    #[test]
    fn ranges_may_be_negative_and_have_steps() {
        assert_eq!(all("-2..1"), [-2, -1, 0]);
        assert_eq!(all("0..10..4"), [0, 4, 8]);
        assert_eq!(all("0..=8..4"), [0, 4, 8]);
        assert_eq!(all("3..0..-1"), [3, 2, 1]);
        assert_eq!(all("3..=0..-3"), [3, 0]);
        assert_eq!(all("3..0"), [0; 0]);
    }

    #[test]
    fn a_shuffled_range_has_the_same_integers() {
        let range = Range::parse("10..=100..10").expect("a valid range").shuffled(3);
        let mut taken = range;
        let mut all: Vec<i64> = std::iter::from_fn(|| taken.next()).collect();
        assert!(all.iter().enumerate().all(|(job, number)| range.at(job as u64) == *number));
        assert!(!all.is_sorted());
        all.sort_unstable();
        assert_eq!(all, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    }

    #[test]
    fn the_ends_of_64_bits_are_reached() {
        let (min, max) = (i64::MIN, i64::MAX);
        assert_eq!(all(&format!("{}..={max}", max - 1)), [max - 1, max]);
        let range = Range::parse(&format!("{min}..{max}")).expect("a valid range");
        assert_eq!(range.len(), u64::MAX);
        assert_eq!(range.at(u64::MAX - 1), max - 1);
        assert!(Range::parse(&format!("{min}..={max}")).is_err());
    }

    #[test]
    fn what_is_not_a_range_is_refused() {
        for text in ["", "3", "a..b", "0..", "0..1..0", "0..1..2..3", "..=4"] {
            assert!(Range::parse(text).is_err(), "{text}");
        }
    }
}
