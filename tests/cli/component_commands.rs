//! Components that are commands of themselves, and not encoded from core modules.

use crate::common::calls::run_wat;
use crate::common::run::map_wat;

/// A component that calls `exit-with-code`, which WASI's interface has from version 0.2.12 on.
const EXITS_WITH_CODE: &str = r#"(component
    (import "wasi:cli/exit@0.2.12" (instance $wasi
        (export "exit-with-code" (func (param "status-code" u8)))))
    (core func $exit (canon lower (func $wasi "exit-with-code")))
    (core module $module
        (import "wasi" "exit" (func $exit (param i32)))
        (func (export "run") (result i32) (call $exit (i32.const CODE)) (unreachable)))
    (core instance $instance (instantiate $module
        (with "wasi" (instance (export "exit" (func $exit))))))
    (func $run (result (result)) (canon lift (core func $instance "run")))
    (instance $exported (export "run" (func $run)))
    (export "wasi:cli/run@0.2.12" (instance $exported)))"#;

/// A component whose `run` returns instead of exiting, with an error if CODE is 1.
const ANSWERS: &str = r#"(component
    (core module $module (func (export "run") (result i32) (i32.const CODE)))
    (core instance $instance (instantiate $module))
    (func $run (result (result)) (canon lift (core func $instance "run")))
    (instance $exported (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $exported)))"#;

/// A component that reads, without waiting, from an input that has nothing, and then copies its
/// input to its output by `blocking-splice`.
const SPLICES: &str = r#"(component
    (import "wasi:io/error@0.2.0" (instance $errors (export "error" (type (sub resource)))))
    (alias export $errors "error" (type $error))
    (import "wasi:io/streams@0.2.0" (instance $streams
        (alias outer 1 $error (type $outer-error))
        (export "error" (type $error (eq $outer-error)))
        (export "input-stream" (type $input (sub resource)))
        (export "output-stream" (type $output (sub resource)))
        (type $failed (variant (case "last-operation-failed" (own $error)) (case "closed")))
        (export "stream-error" (type $stream-error (eq $failed)))
        (export "[method]input-stream.read" (func (param "self" (borrow $input))
            (param "len" u64) (result (result (list u8) (error $stream-error)))))
        (export "[method]output-stream.blocking-splice" (func (param "self" (borrow $output))
            (param "src" (borrow $input)) (param "len" u64)
            (result (result u64 (error $stream-error)))))
        (export "[method]output-stream.blocking-write-and-flush" (func
            (param "self" (borrow $output)) (param "contents" (list u8))
            (result (result (error $stream-error)))))))
    (alias export $streams "input-stream" (type $input))
    (alias export $streams "output-stream" (type $output))
    (import "wasi:cli/stdin@0.2.0" (instance $stdin
        (alias outer 1 $input (type $outer-input))
        (export "input-stream" (type $input (eq $outer-input)))
        (export "get-stdin" (func (result (own $input))))))
    (import "wasi:cli/stdout@0.2.0" (instance $stdout
        (alias outer 1 $output (type $outer-output))
        (export "output-stream" (type $output (eq $outer-output)))
        (export "get-stdout" (func (result (own $output))))))
    (core module $memory (memory (export "memory") 1)
        (data (i32.const 2048) "empty\n")
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $memory (instantiate $memory))
    (alias core export $memory "memory" (core memory $bytes))
    (alias core export $memory "realloc" (core func $realloc))
    (core func $stdin (canon lower (func $stdin "get-stdin")))
    (core func $stdout (canon lower (func $stdout "get-stdout")))
    (core func $read (canon lower (func $streams "[method]input-stream.read")
        (memory $bytes) (realloc $realloc)))
    (core func $write (canon lower
        (func $streams "[method]output-stream.blocking-write-and-flush") (memory $bytes)))
    (core func $splice (canon lower (func $streams "[method]output-stream.blocking-splice")
        (memory $bytes)))
    (core module $module
        (import "" "memory" (memory 1))
        (import "" "stdin" (func $stdin (result i32)))
        (import "" "stdout" (func $stdout (result i32)))
        (import "" "read" (func $read (param i32 i64 i32)))
        (import "" "write" (func $write (param i32 i32 i32 i32)))
        (import "" "splice" (func $splice (param i32 i32 i64 i32)))
        (func (export "run") (result i32) (local $in i32) (local $out i32)
            (local.set $in (call $stdin))
            (local.set $out (call $stdout))
            (call $read (local.get $in) (i64.const 1) (i32.const 16))
            ;; Not `ok`, or not empty.
            (if (i32.or (i32.load8_u (i32.const 16)) (i32.load (i32.const 24)))
                (then (return (i32.const 1))))
            (call $write (local.get $out) (i32.const 2048) (i32.const 6) (i32.const 16))
            (loop $more
                (call $splice (local.get $out) (local.get $in) (i64.const 65536) (i32.const 16))
                (br_if $more (i32.eqz (i32.load8_u (i32.const 16)))))
            (i32.const 0)))
    (core instance $instance (instantiate $module (with "" (instance
        (export "memory" (memory $bytes)) (export "stdin" (func $stdin))
        (export "stdout" (func $stdout)) (export "read" (func $read))
        (export "write" (func $write)) (export "splice" (func $splice))))))
    (func $run (result (result)) (canon lift (core func $instance "run")))
    (instance $exported (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $exported)))"#;

#[test]
fn a_component_may_read_without_waiting_and_splice_its_input_into_its_output() {
    let mut run = run_wat(SPLICES).piped().start();
    run.until("an empty read", || run.stdout.text() == "empty\n");
    run.write("one\n");
    run.until("its echo", || run.stdout.text() == "empty\none\n");
    run.write("two\n");
    run.close_stdin();
    run.finish().ends(0).prints("empty\none\ntwo\n").says_nothing();
}

#[test]
fn any_code_is_passed_on_of_a_component_that_exits_with_it() {
    for code in [0, 1, 42, 255] {
        let component = EXITS_WITH_CODE.replace("CODE", &code.to_string());
        run_wat(&component).run().ends(code).says_nothing();
    }
    let done = map_wat(&EXITS_WITH_CODE.replace("CODE", "42")).arg("--jsonl").jobs(["1"]).run();
    assert_eq!(done.ends(100).rows()[0]["error"]["code"], 42);
}

#[test]
fn an_answer_that_is_an_error_is_an_exit_with_code_1() {
    for code in [0, 1] {
        run_wat(&ANSWERS.replace("CODE", &code.to_string())).run().ends(code).says_nothing();
    }
    let done = map_wat(&ANSWERS.replace("CODE", "1")).jobs(["x"]).run().ends(100);
    done.prints("").says("job 0 (x) exited with code 1");
}
