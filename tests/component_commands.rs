//! What is true of commands that are core modules is true of components which export `wasi:cli/run`: the
//! tests of the other programs, with each command encoded as a component (`common/command.rs`).

#![expect(
    clippy::duplicate_mod,
    reason = "each of them has what tests share as a module of its own"
)]

mod common;

#[path = "command.rs"]
mod command;
#[path = "run_command.rs"]
mod run_command;

use common::calls::run_wat;
use common::run::map_wat;

/// A component that calls `exit-with-code`, which the version of WASI's interface from 0.2.12 on has.
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

/// A component whose `run` answers, with an error if this is 1, instead of exiting.
const ANSWERS: &str = r#"(component
    (core module $module (func (export "run") (result i32) (i32.const CODE)))
    (core instance $instance (instantiate $module))
    (func $run (result (result)) (canon lift (core func $instance "run")))
    (instance $exported (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $exported)))"#;

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
