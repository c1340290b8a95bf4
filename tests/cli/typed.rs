//! Components as their user meets them: tasks by name, values of their types, and what is refused.

use crate::common::run::{file, map_file, path, wpool};
use std::path::PathBuf;

/// Returns a component that exports, at these places, tasks of the type `(func (param "n" u32)
/// (result u32))`.
fn component(exports: &str) -> String {
    format!(
        r#"(component
  (core module $module
    (memory (export "memory") 1)
    (global $made (mut i32) (i32.const 0))
    (func (export "twice") (param i32) (result i32)
      (i32.add (local.get 0) (local.get 0)))
    (func (export "count") (param i32) (result i32)
      (if (i32.eq (local.get 0) (i32.const 13)) (then unreachable))
      (global.set $made (i32.add (global.get $made) (i32.const 1)))
      (global.get $made))
    (func (export "spin") (param i32) (result i32) (loop (br 0)) unreachable)
    (func (export "grow") (param i32) (result i32)
      (if (i32.eq (memory.grow (local.get 0)) (i32.const -1)) (then unreachable))
      (local.get 0)))
  (core instance $instance (instantiate $module))
  (type $task (func (param "n" u32) (result u32)))
  {exports})"#
    )
}

fn lifted(name: &str) -> String {
    format!(r#"(func ${name} (type $task) (canon lift (core func $instance "{name}")))"#)
}

/// Makes a component with the tasks `twice`, `count`, `spin` and `grow`.
fn tasks() -> PathBuf {
    let exports = ["twice", "count", "spin", "grow"]
        .map(|name| format!(r#"{} (export "{name}" (func ${name}))"#, lifted(name)));
    file("tasks.wat", component(&exports.join("\n")))
}

#[test]
fn a_task_is_found_by_its_name_and_the_only_one_without() {
    let jobs = ["1", "2", "2147483647"];
    map_file(tasks()).flags("--task twice").jobs(jobs).run().ends(0).prints("2\n4\n4294967294\n");
    map_file(tasks()).jobs(["1"]).run().ends(101).says("the module has several tasks");
    let one = component(&format!(r#"{} (export "twice" (func $twice))"#, lifted("twice")));
    map_file(file("one.wat", one)).jobs(["21"]).run().ends(0).prints("42\n");
    let inside = format!(
        r#"{} (instance $calls (export "twice" (func $twice)) (export "run-again" (func $twice)))
           (export "demo:math/calls@1.2.3" (instance $calls))"#,
        lifted("twice")
    );
    let inside = file("inside.wat", component(&inside));
    for name in ["twice", "calls#twice", "demo:math/calls#twice", "demo:math/calls@1.2.3#run_again"]
    {
        map_file(&inside).args(["--task", name]).jobs(["4"]).run().ends(0).prints("8\n");
    }
    map_file(&inside).flags("--task thrice").jobs(["4"]).run().ends(101).says("no task `thrice`");
    wpool(["run"]).arg(&inside).arg("run_again(5)").run().ends(0).prints("10\n");
}

#[test]
fn instances_are_kept_or_not_as_the_isolation_says_and_a_trap_ends_one() {
    for (isolation, results) in [
        ("reuse", "1\n2\nnull\n1\n2\n"),
        ("fresh", "1\n1\nnull\n1\n1\n"),
        ("process", "1\n1\nnull\n1\n1\n"),
    ] {
        let run = map_file(tasks()).flags("-j1 --task count --isolation").arg(isolation);
        let done = run.jobs(["1", "1", "13", "1", "1"]).run().ends(100);
        done.prints(results).says("trapped: unreachable");
    }
}

#[test]
fn limits_hold_for_components() {
    let run = |task: &str, limit: &str, job: &str| {
        map_file(tasks()).args(["--task", task]).flags(limit).jobs([job]).run()
    };
    run("spin", "--timeout 0.2", "1").ends(100).says("timed out");
    run("spin", "--fuel 1000000", "1").ends(100).says("more than 1000000 instructions");
    // The memory has one page already.
    run("grow", "--memory 1MiB", "16").ends(100).says("out of memory");
    run("grow", "--memory 1MiB", "15").ends(0).prints("15\n");
    run("twice", "--memory 32KiB", "1").says("needs 64 KiB of memory to start");
}

#[test]
fn a_result_is_bounded_wherever_it_is_cut() {
    // The component returns a list of bytes, wherever they lie.
    let bytes = file(
        "bytes.wat",
        r#"(component
  (core module $module
    (memory (export "memory") 256)
    (func (export "zeros") (param i32) (result i32)
      (i32.store (i32.const 0) (i32.const 8))
      (i32.store (i32.const 4) (local.get 0))
      (i32.const 0)))
  (core instance $instance (instantiate $module))
  (func (export "zeros") (param "n" u32) (result (list u8))
    (canon lift (core func $instance "zeros") (memory $instance "memory"))))"#,
    );
    let zeros = |flags: &str, job: &str| map_file(&bytes).flags(flags).jobs([job]).run();
    zeros("", "3").ends(0).prints("[0,0,0]\n");
    zeros("--base64", "3").ends(0).prints("\"AAAA\"\n");
    zeros("--raw-output", "3").ends(0).prints("\0\0\0\n");
    // The JSON takes two characters for each byte, and one more.
    zeros("--max-output 2001", "1000").ends(0);
    zeros("--max-output 2000", "1000").ends(100).says("too large a result: more than 2 KiB");
    // The list is longer than what is taken over from the component at all.
    zeros("--max-output 2000", "16000000").ends(100).says("too large a result: more than 2 KiB");
}

/// A component with tasks that take one text or some bytes: `text` and `bytes` return them,
/// `length` returns their length; `only-short` returns the text or, if it has more than five bytes,
/// the error; `numbers` and `floats` return three numbers.
const WHOLE: &str = r#"(component
  (core module $module
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $next))
      (global.set $next (i32.add (local.get $at) (local.get $bytes)))
      (local.get $at))
    (data (i32.const 256) "\00\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff")
    (func (export "same") (param $at i32) (param $length i32) (result i32)
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $length))
      (i32.const 0))
    (func (export "length") (param i32 i32) (result i32) (local.get 1))
    (func (export "only_short") (param $at i32) (param $length i32) (result i32)
      (i32.store (i32.const 0) (i32.gt_u (local.get $length) (i32.const 5)))
      (i32.store (i32.const 4) (local.get $at))
      (i32.store (i32.const 8) (local.get $length))
      (i32.const 0))
    (func (export "numbers") (param i32 i32) (result i32)
      (i32.store (i32.const 0) (i32.const 256))
      (i32.store (i32.const 4) (i32.const 3))
      (i32.const 0)))
  (core instance $i (instantiate $module))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (func (export "text") (param "it" string) (result string)
    (canon lift (core func $i "same") (memory $memory) (realloc $realloc)))
  (func (export "bytes") (param "it" (list u8)) (result (list u8))
    (canon lift (core func $i "same") (memory $memory) (realloc $realloc)))
  (func (export "length") (param "it" (list u8)) (result u32)
    (canon lift (core func $i "length") (memory $memory) (realloc $realloc)))
  (func (export "only-short") (param "it" string) (result (result string (error string)))
    (canon lift (core func $i "only_short") (memory $memory) (realloc $realloc)))
  (func (export "numbers") (param "it" string) (result (list s64))
    (canon lift (core func $i "numbers") (memory $memory) (realloc $realloc)))
  (func (export "floats") (param "it" string) (result (list float64))
    (canon lift (core func $i "numbers") (memory $memory) (realloc $realloc))))"#;

#[test]
fn texts_bytes_and_lists_of_numbers_cross_as_they_are() {
    let whole = |task: &str, flags: &str, job: &str| {
        let map = map_file(file("whole.wat", WHOLE)).args(["--task", task]).flags(flags);
        map.jobs([job]).run()
    };
    whole("text", "", r#""a\"é😀""#).ends(0).prints("\"a\\\"é😀\"\n");
    whole("text", "-r", "a b").ends(0).prints("a b\n");
    whole("text", "", "[1]").ends(100).says("expected a string, found an array");
    whole("bytes", "", "[0,255,10]").ends(0).prints("[0,255,10]\n");
    whole("bytes", "", "\"AP8K\"").ends(0).prints("[0,255,10]\n");
    whole("bytes", "--base64", "[0,255,10]").ends(0).prints("\"AP8K\"\n");
    whole("bytes", "-R -r", "no JSON").ends(0).prints("no JSON\n");
    whole("bytes", "", "[256]").ends(100).says("256 is out of range for u8");
    whole("bytes", "", "[1] 2").ends(100).says("expected the end, found 2");
    whole("bytes", "--max-output 5", "[1,2]").ends(0).prints("[1,2]\n");
    whole("bytes", "--max-output 4", "[1,2]").ends(100).says("too large a result");
    whole("length", "-R", "12345").ends(0).prints("5\n");
    whole("only-short", "", "short").ends(0).prints("\"short\"\n");
    whole("only-short", "", "too long").ends(100).says("failed: too long");
    whole("numbers", "", "it").ends(0).prints("[0,1,-1]\n");
    whole("floats", "", "it").ends(0).prints("[0.0,5e-324,\"NaN\"]\n");
}

#[test]
fn what_has_no_json_is_refused_by_name_and_the_rest_can_be_called() {
    let mixed = format!(
        r#"{} (export "twice" (func $twice))
        (type $cart' (resource (rep i32)))
        (export $cart "cart" (type $cart'))
        (core func $new (canon resource.new $cart'))
        (func (export "make") (result (own $cart)) (canon lift (core func $instance "made")))"#,
        lifted("twice")
    );
    let mixed = component(&mixed).replace(
        r#"(func (export "spin")"#,
        "(func (export \"made\") (result i32) unreachable) (func (export \"spin\")",
    );
    let mixed = file("mixed.wat", mixed);
    map_file(&mixed).jobs(["2"]).run().ends(0).prints("4\n");
    let done = map_file(&mixed).flags("--task make").jobs(["2"]).run().ends(101);
    let done = done.says("task `make` cannot be called: a handle of a resource has no JSON");
    done.says("twice(n: u32) -> u32");
    let shown = wpool(["inspect"]).arg(&mixed).run().ends(0).lines().join("\n");
    assert!(shown.contains("cannot be called: a handle of a resource has no JSON"), "{shown}");
}

#[test]
fn a_world_that_was_made_from_wit_is_shown_as_wit() {
    let point = r#"(component
  (core module $module (func (export "f") (param f64 f64) (result f64) (local.get 0)))
  (core instance $instance (instantiate $module))
  (component $inner
    (import "f" (func $f (param "x" f64) (param "y" f64) (result f64)))
    (type $point' (record (field "x" f64) (field "y" f64)))
    (export $point "point" (type $point'))
    (core module $shim (func (export "len") (param f64 f64) (result f64) (local.get 0)))
    (core instance $shim (instantiate $shim))
    (func $length (param "p" $point) (result f64) (canon lift (core func $shim "len")))
    (export "length" (func $length)))
  (func $f (param "x" f64) (param "y" f64) (result f64) (canon lift (core func $instance "f")))
  (instance $geometry (instantiate $inner (with "f" (func $f))))
  (export "demo:plane/geometry@0.1.0" (instance $geometry)))"#;
    let shown = wpool(["inspect"]).arg(file("point.wat", point)).run().ends(0).lines().join("\n");
    for line in [
        "kind       component of tasks",
        "task       demo:plane/geometry@0.1.0#length(p: point) -> f64",
        "  export demo:plane/geometry@0.1.0;",
        "    record point {",
        "    length: func(p: point) -> f64;",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    let run = map_file(path("point.wat")).flags("--task length");
    run.jobs([r#"{"y":2,"x":1.5}"#]).run().ends(0).prints("1.5\n");
}

#[test]
fn interfaces_that_nobody_provides_are_listed() {
    let imports = file(
        "imports.wat",
        r#"(component
  (import "demo:shop/cart@1.0.0" (instance (export "add" (func)) (export "drop" (func))))
  (import "lonely" (func))
  (core module $module (func (export "f")))
  (core instance $instance (instantiate $module))
  (func (export "f") (canon lift (core func $instance "f"))))"#,
    );
    let done = map_file(&imports).jobs(["1"]).run().ends(101);
    done.says("imports what wpool does not provide: demo:shop/cart@1.0.0, lonely");
}
