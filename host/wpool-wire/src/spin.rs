//! Looking for bytes for a moment before sleeping until there are some.
//!
//! Waking a sleeper on another CPU costs ten times what a short job does (10 µs against 1 in a virtual
//! machine). So who waits for the other side looks for a moment first, where that has paid lately; and
//! lets others run between two looks, because who it waits for may have been woken on its CPU.

use std::time::{Duration, Instant};

/// How long a look lasts.
const LOOK: Duration = Duration::from_micros(50);

/// After so many looks in vain there is only one in so many waits.
const PATIENCE: u32 = 16;

/// Whether looking has paid lately.
#[derive(Clone, Debug, Default)]
pub struct Spin {
    /// How many looks in vain are left.
    left: u32,
    waits: u32,
}

impl Spin {
    /// Calls `look` until it answers true, for a moment at most; true if it did.
    pub fn until(&mut self, mut look: impl FnMut() -> bool) -> bool {
        self.waits = self.waits.wrapping_add(1);
        if self.left == 0 && !self.waits.is_multiple_of(PATIENCE) {
            return false;
        }
        let started = Instant::now();
        while started.elapsed() < LOOK {
            if look() {
                self.left = PATIENCE;
                return true;
            }
            std::thread::yield_now();
        }
        self.left = self.left.saturating_sub(1);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_that_pay_go_on_and_those_in_vain_become_rare() {
        let mut spin = Spin::default();
        let looks = |spin: &mut Spin, found: bool| {
            let mut looked = false;
            spin.until(|| {
                looked = true;
                found
            });
            looked
        };
        let first = (1..100).find(|_| looks(&mut spin, true)).expect("it tries now and then");
        assert_eq!(first, PATIENCE);
        assert!((0..100).all(|_| looks(&mut spin, true)));
        let in_vain = (0..1600).filter(|_| looks(&mut spin, false)).count();
        assert!((100..=140).contains(&in_vain), "{in_vain}");
    }
}
