//! Tests of jobs, for each way to call a guest and each way in which it can misbehave.

use super::*;
use crate::module::ModuleError;
use crate::module::compile::compile;
use crate::wire::directory::Directory;
use crate::wire::settings::{
    CommandLine, Grants, InputForm, Limits, OutputForm, Settings, TaskSpec, command_job,
};
use crate::worker::link;
use crate::worker::log::tests::Kept;
use std::io::Write;

fn load(text: &str, settings: &Settings) -> Result<Program, ModuleError> {
    let (cwasm, mut description) =
        compile(text.as_bytes(), settings.limits.fuel.is_some(), false).unwrap();
    description.missing = link::missing(&description).unwrap();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&cwasm).unwrap();
    let open = |folder: &Directory| folder.descriptor().unwrap().try_clone_to_owned().unwrap();
    let granted =
        settings.grants.dirs.iter().map(|folder| (folder.clone(), open(folder))).collect();
    let folders = crate::worker::wasi::Folders::open(granted, None).unwrap();
    Program::load(settings, &description, file, folders)
}

/// Runs jobs in one guest. Returns their results or failures, and the printed lines.
fn run(
    text: &str,
    settings: Settings,
    jobs: &[&[u8]],
) -> (Vec<Result<String, Failure>>, Vec<String>) {
    let program = load(text, &settings).unwrap();
    let kept = Arc::new(Kept::default());
    let mut guest = Guest::new(&program, kept.clone(), None, None);
    let run = |(number, job): (usize, &&[u8])| {
        let mut out = b"before ".to_vec();
        let result = guest.run(number as u64, job, &mut out);
        let out = String::from_utf8_lossy(&out).into_owned();
        let appended = out.strip_prefix("before ").expect("what was there stays").to_owned();
        assert!(result.is_ok() || appended.is_empty(), "a failed job appends nothing");
        result.map(|()| appended)
    };
    (jobs.iter().enumerate().map(run).collect(), kept.take())
}

fn results(text: &str, settings: Settings, jobs: &[&str]) -> Vec<String> {
    let jobs: Vec<&[u8]> = jobs.iter().map(|job| job.as_bytes()).collect();
    let show =
        |result: Result<String, Failure>| result.unwrap_or_else(|failure| failure.to_string());
    run(text, settings, &jobs).0.into_iter().map(show).collect()
}

fn failure(text: &str, settings: Settings) -> Failure {
    run(text, settings, &[b"0"]).0.remove(0).unwrap_err()
}

/// Returns a byte task with 64 KiB of memory, the imports of `wpool`, and this body.
fn byte_task(body: &str) -> String {
    format!(
        r#"(module
          (import "wpool" "job_size" (func $job_size (result i32)))
          (import "wpool" "job_read" (func $job_read (param i32 i32 i32) (result i32)))
          (import "wpool" "result_write" (func $result_write (param i32 i32)))
          (import "wpool" "process_id" (func $process_id (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 60000) "\"text\"  line\nend")
          (func (export "task_t") (result i32) {body}))"#
    )
}

/// The body of a task that copies the job in pieces of 3 bytes to the result.
const ECHO: &str = r#"(local $at i32) (local $n i32)
  (loop $more
    (local.set $n (call $job_read (i32.const 100) (local.get $at) (i32.const 3)))
    (call $result_write (i32.const 100) (local.get $n))
    (local.set $at (i32.add (local.get $at) (local.get $n)))
    (br_if $more (i32.lt_u (local.get $at) (call $job_size))))
  (i32.const 0)"#;

const SQUARE: &str = r#"(module (func (export "square") (param i64) (result i64)
  (i64.mul (local.get 0) (local.get 0))))"#;

#[test]
fn a_scalar_task_answers_every_job() {
    let jobs = ["12", "-3", " 4 ", "[5]", "x"];
    assert_eq!(
        results(SQUARE, Settings::default(), &jobs),
        [
            "144",
            "9",
            "16",
            "invalid job: line 1, column 1: expected an integer (s64), found an array",
            "invalid job: line 1, column 1: expected an integer (s64), found x",
        ]
    );
}

#[test]
fn arguments_are_spread_and_several_results_are_an_array() {
    let text = r#"(module (func (export "divide") (param i64 i64) (result i64 i64)
      (i64.div_s (local.get 0) (local.get 1)) (i64.rem_s (local.get 0) (local.get 1))))"#;
    assert_eq!(
        results(text, Settings::default(), &["[17, 5]", "[1,0]"]),
        ["[3,2]", "trap: integer divide by zero"]
    );
}

#[test]
fn initialize_is_called_once_per_instance_and_state_lasts_as_the_isolation_says() {
    let text = r#"(module (global $g (mut i64) (i64.const 0))
      (func (export "_initialize") (global.set $g (i64.add (global.get $g) (i64.const 100))))
      (func (export "next") (param i64) (result i64)
        (if (i64.eqz (local.get 0)) (then unreachable))
        (global.set $g (i64.add (global.get $g) (i64.const 1))) (global.get $g)))"#;
    let jobs = ["1", "1", "0", "1"];
    let reuse = results(text, Settings::default(), &jobs);
    assert_eq!(reuse, ["101", "102", "trap: unreachable", "101"]);
    for isolation in [Isolation::Fresh, Isolation::Process] {
        let fresh =
            results(text, Settings::from(TaskSpec { isolation, ..TaskSpec::default() }), &jobs);
        assert_eq!(fresh, ["101", "101", "trap: unreachable", "101"]);
    }
}

#[test]
fn memory_written_by_one_job_is_not_seen_by_the_next_in_fresh_isolation() {
    let text = r#"(module (memory 3) (data (i32.const 8) "\07")
      (func (export "f") (param i32) (result i32)
        (i32.add (i32.load8_u (i32.const 8)) (i32.load (i32.const 150000)))
        (i32.store8 (i32.const 8) (local.get 0)) (i32.store (i32.const 150000) (local.get 0))))"#;
    let fresh = Settings::from(TaskSpec { isolation: Isolation::Fresh, ..TaskSpec::default() });
    assert_eq!(results(text, fresh, &["50", "60"]), ["7", "7"]);
    assert_eq!(results(text, Settings::default(), &["50", "60"]), ["7", "100"]);
}

#[test]
fn an_instance_that_wrote_much_leaves_nothing_behind() {
    // The task fills memory from 64 KiB up to the job's size, and returns what it finds at the end.
    let text = r#"(module (memory 200) (data (i32.const 70000) "\07")
      (func (export "f") (param $end i32) (result i32) (local $found i32)
        (local.set $found (i32.add (i32.load8_u (i32.const 70000))
          (i32.load8_u (i32.sub (local.get $end) (i32.const 1)))))
        (memory.fill (i32.const 65536) (i32.const 100)
          (i32.sub (local.get $end) (i32.const 65536)))
        (local.get $found)))"#;
    let fresh = Settings::from(TaskSpec { isolation: Isolation::Fresh, ..TaskSpec::default() });
    let jobs = ["200000", "3000000", "13107200", "13107200", "3000000", "200000", "90000"];
    assert_eq!(results(text, fresh, &jobs), ["7"; 7]);
}

#[test]
fn a_byte_task_reads_its_job_and_writes_its_result() {
    let jobs = ["[1, 2, 3]", "\"x\"", "", "1 2"];
    assert_eq!(
        results(&byte_task(ECHO), Settings::default(), &jobs),
        [
            "[1, 2, 3]",
            "\"x\"",
            "invalid job: line 1, column 1: EOF while parsing a value",
            "invalid job: line 1, column 3: trailing characters",
        ]
    );
}

#[test]
fn forms_of_input_and_output_quote_and_unquote_strings() {
    let forms = |input, output| Settings::from(TaskSpec { input, output, ..TaskSpec::default() });
    let echo = byte_task(ECHO);
    let raw = forms(InputForm::Raw, OutputForm::Json);
    assert_eq!(results(&echo, raw, &["a \"b\"", "1"]), [r#""a \"b\"""#, "\"1\""]);
    let word = forms(InputForm::Word, OutputForm::Raw);
    assert_eq!(results(&echo, word, &["a b", "1"]), ["a b", "1"]);
    let line = byte_task("(call $result_write (i32.const 60008) (i32.const 6)) (i32.const 0)");
    assert_eq!(
        results(&line, Settings::default(), &["0"]),
        ["guest error: result is not one line of JSON"]
    );
    assert_eq!(results(&line, forms(InputForm::Json, OutputForm::Bytes), &["0"]), ["line\ne"]);
}

#[test]
fn a_task_of_numbers_takes_no_raw_text() {
    let raw = Settings::from(TaskSpec { input: InputForm::Raw, ..TaskSpec::default() });
    let error = load(SQUARE, &raw).err().unwrap();
    assert_eq!(
        error.to_string(),
        "square(s64) -> s64 does not take raw text: its only parameter would have to be a string"
    );
}

#[test]
fn a_byte_task_that_fails_says_why() {
    let body = "(call $result_write (i32.const 60008) (i32.const 8)) (i32.const 1)";
    assert_eq!(results(&byte_task(body), Settings::default(), &["0"]), ["guest error: line end"]);
}

#[test]
fn a_wrong_pointer_traps_with_the_name_of_the_call() {
    for (body, message) in [
        (
            "(call $job_read (i32.const 65535) (i32.const 0) (i32.const 2))",
            "job_read: 2 bytes at 65535",
        ),
        (
            "(call $result_write (i32.const -1) (i32.const -1)) (i32.const 0)",
            "result_write: 4294967295 bytes at 4294967295",
        ),
    ] {
        let failure = failure(&byte_task(body), Settings::default());
        assert_eq!(failure.kind, FailureKind::Trap);
        assert_eq!(failure.message, format!("{message} are not inside the memory"));
        assert_eq!(failure.backtrace.len(), 1);
    }
}

#[test]
fn the_process_id_is_the_worker_s() {
    let body = format!("(i32.ne (call $process_id) (i32.const {}))", std::process::id());
    let settings = Settings::from(TaskSpec { output: OutputForm::Bytes, ..TaskSpec::default() });
    assert_eq!(results(&byte_task(&body), settings, &["0"]), [""]);
}

#[test]
fn a_trap_names_its_kind_and_the_functions_on_the_stack() {
    let text = r#"(module (memory 1)
      (func $_RNvCs1234_4demo5inner (param i32) (drop (i32.load (local.get 0))))
      (func $outer (param i32) (call $_RNvCs1234_4demo5inner (local.get 0)))
      (func (export "f") (param i32) (call $outer (local.get 0))))"#;
    let (mut results, _) = run(text, Settings::default(), &[b"-1", b"0"]);
    assert_eq!(results.pop().unwrap().unwrap(), "null");
    let failure = results.pop().unwrap().unwrap_err();
    assert_eq!(failure.to_string(), "trap: out of bounds memory access");
    assert_eq!(failure.backtrace, ["demo::inner", "outer", "<wasm function 2>"]);
}

#[test]
fn endless_recursion_is_a_trap_with_a_bounded_backtrace() {
    let text = r#"(module (func $f (export "f") (result i64) (i64.add (call $f) (i64.const 1))))"#;
    let failure = failure(text, Settings::default());
    assert_eq!(failure.to_string(), "trap: call stack exhausted");
    assert_eq!(failure.backtrace.len(), 32);
}

#[test]
fn a_guest_that_gets_no_memory_and_aborts_is_out_of_memory() {
    let text = r#"(module (memory 1) (func (export "grow") (param i32) (result i32)
      (if (i32.eq (memory.grow (local.get 0)) (i32.const -1)) (then unreachable)) (memory.size))
      (func (export "try") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    let limited = |task: &str| Settings {
        task: TaskSpec { name: Some(task.into()), ..TaskSpec::default() },
        limits: Limits { memory_bytes_max: 64 << 20, ..Limits::default() },
        ..Settings::default()
    };
    assert_eq!(
        results(text, limited("grow"), &["1023", "1", "1"]),
        ["1024", "out of memory: needed more than 64 MiB (asked for 64.1 MiB)", "2"]
    );
    assert_eq!(results(text, limited("try"), &["1024", "1"]), ["-1", "1"]);
}

#[test]
fn a_refusal_in_one_job_does_not_explain_the_trap_of_another() {
    let text = r#"(module (memory 1) (func (export "f") (param i32) (result i32)
      (if (i32.eqz (local.get 0)) (then unreachable)) (memory.grow (local.get 0))))"#;
    assert_eq!(results(text, Settings::default(), &["65535", "0"]), ["-1", "trap: unreachable"]);
}

#[test]
fn a_module_that_cannot_start_within_the_limit_is_an_error_of_the_run() {
    let settings = Settings::from(Limits { memory_bytes_max: 64 << 10, ..Limits::default() });
    let error = load("(module (memory 2) (func (export \"f\")))", &settings).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the module needs 128 KiB of memory to start, more than the limit of 64 KiB"
    );
}

#[test]
fn a_limit_of_any_size_can_be_set() {
    let text = r#"(module (func (export "f") (result i32) (i32.const 1)))"#;
    for memory_bytes_max in [0, 1, 65_537, 4 << 30, (4 << 30) + 1, u64::MAX] {
        let settings = Settings::from(Limits { memory_bytes_max, ..Limits::default() });
        assert_eq!(results(text, settings, &["", ""]), ["1", "1"]);
    }
}

#[test]
fn the_memory_of_the_last_instance_is_known_after_it_is_gone() {
    let text =
        r#"(module (memory 2) (func (export "f") (param i32) (drop (memory.grow (local.get 0)))))"#;
    for isolation in [Isolation::Reuse, Isolation::Fresh] {
        let program =
            load(text, &Settings::from(TaskSpec { isolation, ..TaskSpec::default() })).unwrap();
        let mut guest = Guest::new(&program, Arc::new(Kept::default()), None, None);
        guest.run(0, b"3", &mut Vec::new()).unwrap();
        assert_eq!(guest.memory_bytes(), 5 << 16);
    }
}

#[test]
fn fuel_is_given_anew_to_each_job() {
    let text = r#"(module (func (export "f") (param i64) (result i64)
      (loop $l (local.set 0 (i64.sub (local.get 0) (i64.const 1)))
        (br_if $l (i64.gt_s (local.get 0) (i64.const 0)))) (local.get 0)))"#;
    let settings = Settings::from(Limits { fuel: Some(10_000), ..Limits::default() });
    assert_eq!(
        results(text, settings, &["1000", "1000", "100000", "1000"]),
        ["0", "0", "fuel: more than 10000 instructions", "0"]
    );
}

#[test]
fn a_result_above_the_limit_ends_the_job() {
    let settings = Settings::from(Limits { output_bytes_max: 10, ..Limits::default() });
    let jobs = ["[1, 2, 3]", "[1, 2, 3, 4]"];
    assert_eq!(
        results(&byte_task(ECHO), settings, &jobs),
        ["[1, 2, 3]", "output too large: more than 10 bytes"]
    );
}

#[test]
fn imports_that_nobody_provides_are_all_listed() {
    let text = r#"(module (import "env" "a" (func)) (import "wpool" "job_size" (func (result i32)))
      (import "env" "m" (memory 1)) (func (export "f")))"#;
    let error = load(text, &Settings::default()).err().unwrap();
    assert_eq!(error.to_string(), "the module imports what wpool does not provide: env.a, env.m");
}

#[test]
fn a_module_that_fits_no_slot_gets_its_memory_on_demand() {
    let text = r#"(module (memory 1) (memory 1) (table 200000 funcref)
      (func (export "f") (result i32) (table.size)))"#;
    let fresh = Settings::from(TaskSpec { isolation: Isolation::Fresh, ..TaskSpec::default() });
    assert_eq!(results(text, fresh, &["0", "0"]), ["200000", "200000"]);
    let memory64 =
        r#"(module (memory i64 1) (func (export "f") (result i64) (memory.grow (i64.const 1))))"#;
    let large = Settings::from(Limits { memory_bytes_max: 8 << 30, ..Limits::default() });
    assert_eq!(results(memory64, large, &["0", "0"]), ["1", "2"]);
}

#[test]
fn garbage_collected_objects_and_exceptions_work_and_an_uncaught_one_fails_the_job() {
    let text = r#"(module (tag $t (param i32)) (type $box (struct (field i32)))
      (func $throw (param i32) (throw $t (local.get 0)))
      (func (export "f") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (call $throw (i32.const 1))))
        (block $caught (result i32)
          (try_table (catch $t $caught)
            (call $throw (struct.get $box 0 (struct.new $box (local.get 0)))))
          (i32.const -1))))"#;
    assert_eq!(
        results(text, Settings::default(), &["5", "0", "6"]),
        ["5", "trap: uncaught exception", "6"]
    );
}

#[test]
fn garbage_collected_memory_counts_against_the_limit() {
    let text = r#"(module (type $node (struct (field (ref null $node)) (field i64)))
      (func (export "f") (local $list (ref null $node))
        (loop $more
          (local.set $list (struct.new $node (local.get $list) (i64.const 0)))
          (br $more))))"#;
    let settings = Settings::from(Limits { memory_bytes_max: 4 << 20, ..Limits::default() });
    let failed = "out of memory: needed more than 4 MiB (asked for 8 MiB)";
    assert_eq!(results(text, settings, &["", ""]), [failed; 2]);
}

mod regions;
mod tasks;
mod wasi;
