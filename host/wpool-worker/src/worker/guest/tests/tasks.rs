//! Tests of jobs that name their tasks.

use super::*;
use crate::wire::settings::task_job;

#[test]
fn jobs_that_name_their_tasks_share_an_instance_and_one_that_names_none_is_invalid() {
    let text = r#"(module
      (import "wpool" "job_size" (func $job_size (result i32)))
      (import "wpool" "result_write" (func $result_write (param i32 i32)))
      (global $n (mut i64) (i64.const 0))
      (memory (export "memory") 1) (data (i32.const 0) "\"1234567890")
      (func (export "add") (param i64) (result i64)
        (global.set $n (i64.add (global.get $n) (local.get 0))) (global.get $n))
      (func (export "sum3") (param i64 i64 i64) (result i64)
        (i64.add (i64.add (local.get 0) (local.get 1)) (local.get 2)))
      (func (export "task_digits") (result i32)
        (call $result_write (i32.const 1) (call $job_size)) (i32.const 0)))"#;
    let tasks = ["digits", "add", "sum3"].map(String::from).to_vec();
    let jobs = [(1, "5"), (0, "1234"), (2, "[1,2,3]"), (1, "2"), (1, "x"), (3, "1")];
    let jobs = jobs.map(|(task, job)| task_job(task, job.as_bytes()));
    let mut jobs: Vec<&[u8]> = jobs.iter().map(Vec::as_slice).collect();
    jobs.push(b"12");
    let (results, _) = run(text, Settings::from(TaskSpec { tasks, ..TaskSpec::default() }), &jobs);
    let shown = results.into_iter().map(|result| result.unwrap_or_else(|f| f.to_string()));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            "5",
            "1234",
            "6",
            "7",
            "invalid job: line 1, column 1: expected an integer (s64), found x",
            "invalid job: it names no task",
            "invalid job: it names no task",
        ]
    );
}
