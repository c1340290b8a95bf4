//! Spinning: looking for bytes for a moment before sleeping until there are some.
//!
//! Waking a sleeper on another CPU costs ten times as much as a short job (10 µs against 1 in a
//! virtual machine). Therefore a process that waits for the other side looks for a moment first, if
//! that has paid lately. Between two looks it lets others run, because the process that it waits
//! for may have been woken on its CPU.

use std::time::{Duration, Instant};

/// The time that a look lasts.
const LOOK: Duration = Duration::from_micros(50);

/// The number of looks in vain after which there is only one look in that many waits.
const PATIENCE: u32 = 16;

/// The memory of whether looking has paid lately.
#[derive(Clone, Debug, Default)]
pub struct Spin {
    /// The number of looks in vain that are left.
    left: u32,
    waits: u32,
}

impl Spin {
    /// Calls `look` until it returns true, for a moment at most. Returns whether it did.
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
