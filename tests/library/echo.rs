//! Values of components: whatever their type, values come back as they were sent.

use crate::common::dice::Dice;
use crate::common::watchdog;
use crate::common::wit_type::{NUMBERS, WitType, echo};
use wpool::{Isolation, Pool};

/// The number of types in all, and of one component.
const TYPES: usize = 1000;
const TYPES_EACH: usize = 10;

/// The number of jobs of each component. The same instance runs all but the first few.
const JOBS: usize = 8;

#[test]
fn a_thousand_random_types_give_back_what_was_sent() {
    let _watchdog = watchdog(300);
    let mut dice = Dice::new(1);
    for round in 0..TYPES / TYPES_EACH {
        let types: Vec<_> = (0..TYPES_EACH).map(|_| WitType::random(&mut dice, 4)).collect();
        let isolation = if round % 2 == 0 { Isolation::Reuse } else { Isolation::Fresh };
        let pool = Pool::from_bytes(echo(&types))
            .workers(1)
            .isolation(isolation)
            .cache(false)
            .start()
            .unwrap_or_else(|error| panic!("{types:?}: {error}"));
        for _ in 0..JOBS {
            let mut job = format!("[{}0", "255,".repeat(NUMBERS - 1));
            for ty in &types {
                job.push(',');
                ty.value(&mut dice, &mut job);
            }
            job.push(']');
            let result = pool.apply_bytes(job.clone().into_bytes());
            let result = result.unwrap_or_else(|error| panic!("{types:?}\n{job}\n{error}"));
            assert_eq!(String::from_utf8_lossy(&result), job, "{types:?}");
        }
    }
}
