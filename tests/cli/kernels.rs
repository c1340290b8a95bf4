//! The example `kernels`: its benchmarks also compute the right results.

use crate::common::run::map;

#[test]
fn kernels_give_in_a_sandbox_what_they_give_natively() {
    // The example's own tests compare the same file with the functions themselves.
    for line in include_str!("../../guest-examples/kernels/jobs.txt").lines() {
        let [task, job, expect] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("not a task, a job and a result: {line}");
        };
        let kernel = map("kernels").args(["--task", task]).jobs([job]);
        kernel.run().ends(0).prints(format!("{expect}\n"));
    }
}
