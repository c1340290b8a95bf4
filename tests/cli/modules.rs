//! Modules that cannot be used, each with one error and a way out; and the cache of those that can.

use crate::common::run::{Done, Wpool, file, folder, map_file, name, path, wpool};
use crate::common::{guest, processes};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Runs a module that is refused, and asserts the message.
fn refused(module: &Path, message: &str) -> Done {
    let mut last = None;
    for run in [map_file(module).jobs(["1"]), wpool(["compile"]).arg(module)] {
        last = Some(one_error(run, module, message));
    }
    last.expect("there were two")
}

fn one_error(run: Wpool, module: &Path, message: &str) -> Done {
    let done = run.run().ends(101).prints("").says(message);
    let (errors, helps) = (done.labelled("error: "), done.labelled("help: "));
    assert_eq!(errors.len(), 1, "{}", done.stderr);
    assert_eq!(helps.len(), 1, "{}", done.stderr);
    assert_eq!(done.stderr.lines().count(), 2, "{}", done.stderr);
    assert!(errors[0].starts_with(&format!("error: {}: ", module.display())), "{}", errors[0]);
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    done
}

/// Returns bytes that look random and are the same in every run (splitmix64).
fn noise(size: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ (z >> 27)) as u8
    };
    (0..size).map(|_| next()).collect()
}

#[test]
fn what_is_no_module_is_refused() {
    refused(&file("empty.wasm", ""), "not a WebAssembly module: the file is empty");
    refused(&file("noise.wasm", noise(5000)), "not a WebAssembly module");
    refused(&file("text.wasm", "hello world\n"), "it is text, but not WebAssembly's");
    refused(&file("open.wat", "(module (func"), "line 1, column 14: expected");
    refused(&file("elf.wasm", b"\x7fELF\x02\x01\x01"), "not a WebAssembly module");
    refused(Path::new("/nowhere/m.wasm"), "cannot read the module: No such file");
    refused(&folder("folder.wasm"), "cannot read the module: Is a directory");
}

#[test]
fn a_module_cut_off_anywhere_is_refused() {
    let whole = fs::read(guest("square")).expect("is readable");
    for size in [3, 4, 7, 9, 100, 5000, whole.len() / 2, whole.len() - 1] {
        let cut = file("cut.wasm", &whole[..size]);
        let message = if size < 4 { "not a WebAssembly module" } else { "WebAssembly module" };
        one_error(map_file(&cut).jobs(["1"]), &cut, message);
    }
}

#[test]
fn a_header_alone_has_no_task() {
    let header = file("header.wasm", b"\0asm\x01\0\0\0");
    one_error(map_file(&header).jobs(["1"]), &header, "exports no function that can be a task");
    let done = wpool(["inspect"]).arg(&header).run().ends(0);
    assert_eq!(done.lines()[0], "kind       core module of tasks");
}

#[test]
fn noise_behind_a_header_is_refused() {
    let noisy = [b"\0asm\x01\0\0\0".as_slice(), &noise(3000)].concat();
    refused(&file("noisy.wasm", noisy), "invalid WebAssembly module");
}

#[test]
fn a_module_that_does_not_validate_is_refused() {
    let wat = "(module (func (export \"f\") (param i64) (result i32) (local.get 0)))";
    refused(&file("type.wat", wat), "cannot compile the module").says("type mismatch");
}

#[test]
fn a_file_that_is_too_large_is_refused_without_being_read() {
    let large = path("large.wasm");
    File::create(&large).expect("is writable").set_len(300 << 20).expect("it is sparse");
    refused(&large, "larger than 256 MiB");
}

#[test]
fn an_empty_component_has_no_task() {
    let component = file("component.wasm", b"\0asm\x0d\0\x01\0");
    one_error(
        map_file(&component).jobs(["1"]),
        &component,
        "exports no function that can be a task",
    );
    let done = wpool(["inspect"]).arg(&component).run().ends(0);
    assert_eq!(done.lines()[0], "kind       component of tasks");
}

#[test]
fn a_shared_memory_is_refused_with_a_way_out() {
    let shared = file("shared.wat", "(module (memory 1 1 shared))");
    refused(&shared, "threads inside a guest are not supported");
}

#[test]
fn missing_imports_are_listed_and_refused_before_anything_is_compiled() {
    let wat = r#"(module
        (import "env" "one" (func)) (import "env" "two" (global i32))
        (import "wasi_snapshot_preview1" "nothing" (func))
        (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
        (func (export "f") (param i64) (result i64) (local.get 0)))"#;
    let module = file("imports.wat", wat);
    let cache = folder("cache of what is missing");
    let list = "does not provide: env.one, env.two, wasi_snapshot_preview1.nothing\n";
    refused(&module, list);
    let map = map_file(&module).env("XDG_CACHE_HOME", &cache).jobs(["1"]);
    one_error(map, &module, list);
    let done = wpool(["inspect"]).arg(&module).env("XDG_CACHE_HOME", &cache).run().ends(0);
    for line in ["missing    env.one", "missing    env.two", "import     env one"] {
        assert!(done.lines().contains(&line), "{:?}", done.lines());
    }
    wpool(["inspect"]).arg(guest("square")).env("XDG_CACHE_HOME", &cache).run().ends(0);
    assert_eq!(fs::read_dir(cache.join("wpool")).map_or(0, Iterator::count), 0, "it was compiled");
}

#[test]
fn a_module_that_is_not_valid_is_not_described() {
    let wat = "(module (func (export \"f\") (param i64) (result i32) (local.get 0)))";
    let module = file("invalid.wat", wat);
    one_error(wpool(["inspect"]).arg(&module), &module, "type mismatch");
}

#[test]
fn a_module_for_another_host_is_refused_with_its_toolchain_and_the_way_out() {
    let with = |import: &str| format!("(module (import {import}) (func (export \"f\")))");
    for (wat, made, help) in [
        (
            with("\"env\" \"invoke_vi\" (func (param i32 i32))"),
            "by Emscripten",
            "-sSTANDALONE_WASM",
        ),
        (with("\"./a_bg.js\" \"__wbg_log_1\" (func)"), "by wasm-bindgen", "wasm32-wasip1"),
        (with("\"gojs\" \"runtime.ticks\" (func)"), "by Go", "GOOS=wasip1"),
        (with("\"rb-js-abi-host\" \"eval-js\" (func)"), "by ruby.wasm", "a command"),
        (with("\"env\" \"proxy_log\" (func)"), "proxy-wasm", "as tasks"),
        (with("\"env\" \"seed\" (func (result f64))"), "by AssemblyScript", "wasi-shim"),
        (with("\"wasi_snapshot_preview1\" \"sock_open\" (func)"), "sockets", "no network"),
        (
            "(module (@custom \"dylink.0\" \"\") (import \"env\" \"__memory_base\" (global i32)))"
                .into(),
            "a side module",
            "link it into a program",
        ),
        (
            "(module (@custom \"component-type:x\" \"\") (import \"wasi:cli/exit@0.2.0\" \"exit\"
                (func (param i32))))"
                .into(),
            "the core module of a component",
            "wasm-tools component new",
        ),
        (
            "(component (import \"wasi:http/types@0.2.0\" (instance (export \"f\" (func)))))"
                .into(),
            "wasi:http",
            "no network",
        ),
    ] {
        let module = file("foreign.wat", wat);
        refused(&module, made).says(help);
        wpool(["inspect"]).arg(&module).run().ends(0);
    }
}

#[test]
fn imports_that_nobody_provides_trap_when_they_are_called_if_that_is_asked_for() {
    let core = file(
        "stubs.wat",
        r#"(module (import "env" "nothing" (func $nothing (param i32) (result i32)))
        (func (export "f") (param i32) (result i32)
            (if (result i32) (local.get 0) (then (call $nothing (local.get 0)))
                (else (i32.const 7)))))"#,
    );
    let component = file(
        "stubs-component.wat",
        r#"(component (import "a:b/c@1.0.0" (instance $c
            (export "nothing" (func (param "n" u32) (result u32)))))
        (core func $nothing (canon lower (func $c "nothing")))
        (core module $m (import "" "nothing" (func $nothing (param i32) (result i32)))
            (func (export "f") (param i32) (result i32)
                (if (result i32) (local.get 0) (then (call $nothing (local.get 0)))
                    (else (i32.const 7)))))
        (core instance $i (instantiate $m
            (with "" (instance (export "nothing" (func $nothing))))))
        (func (export "f") (param "n" u32) (result u32) (canon lift (core func $i "f"))))"#,
    );
    for (module, name) in [(&core, "env::nothing"), (&component, "a:b/c@1.0.0#nothing")] {
        let run = || map_file(module).jobs(["0", "1"]);
        let done = run().arg("--stub-imports").run().ends(100).prints("7\nnull\n");
        done.says(&format!("job 1 (1) trapped: unknown import: `{name}` has not been defined"));
        // The result is the same once the machine code is in the cache.
        one_error(run(), module, "imports what wpool does not provide");
        wpool(["run", "--stub-imports"]).arg(module).arg("f(0)").run().ends(0).prints("7\n");
        wpool(["compile", "--stub-imports"]).arg(module).run().ends(0);
    }
    let memory =
        file("stub.wat", "(module (import \"env\" \"m\" (memory 1)) (func (export \"f\")))");
    let map = map_file(&memory).arg("--stub-imports").jobs(["1"]);
    one_error(map, &memory, "does not provide: env.m");
    let name = "m".repeat(90_000);
    let long = format!("(module (import \"env\" \"{name}\" (func)) (func (export \"f\")))");
    let long = file("long-name.wat", &long);
    one_error(map_file(&long).jobs(["1"]), &long, "does not provide: env.mmm");
}

#[test]
fn a_command_may_have_tasks_too() {
    let both = file(
        "both.wat",
        r#"(module (memory (export "memory") 1) (global $started (mut i32) (i32.const 0))
        (func (export "_start") (global.set $started (i32.const 100)))
        (func (export "main") (param i32 i32) (result i32) (i32.const 0))
        (func (export "add") (param i32 i32) (result i32)
            (i32.add (global.get $started) (i32.add (local.get 0) (local.get 1)))))"#,
    );
    let map = || map_file(&both).jobs(["[1,2]", "[3,4]"]);
    map().flags("--task add").run().ends(0).prints("3\n7\n");
    map().flags("--task add --isolation process").run().ends(0).prints("3\n7\n");
    map().flags("--task add --init _start").run().ends(0).prints("103\n107\n");
    map().run().ends(0).prints("");
    map().flags("--task _start").run().ends(0).prints("");
    let done = map().flags("--task nosuch").run().ends(101).says("has no task `nosuch`");
    done.says("choose one with --task: _start, add(s32, s32) -> s32\n");
    map().flags("--task add --stdin").run().ends(2).says("--stdin has no meaning");
    map().flags("--init add").run().ends(2).says("--init has no meaning");
    let run = || wpool(["run"]).arg(&both);
    run().args(["add(1,2)", "add(3,4)"]).run().ends(0).prints("3\n7\n");
    run().run().ends(0).prints("");
    run().arg("_start()").run().ends(2).says("which is not called");
    let done = wpool(["inspect"]).arg(&both).run().ends(0);
    for line in ["task       _start", "task       add(s32, s32) -> s32"] {
        assert!(done.lines().contains(&line), "{:?}", done.lines());
    }
    let command = file("command.wat", "(module (func (export \"_start\")))");
    let named = map_file(&command).flags("--task add").jobs(["1"]);
    one_error(named, &command, "the module is a command and has no task `add`");
}

#[test]
fn what_a_toolchain_leaves_among_exports_is_no_task_and_is_shown_if_asked_for() {
    let module = file(
        "plumbing.wat",
        r#"(module (memory (export "memory") 1) (table (export "__indirect_function_table") 1 funcref)
        (func (export "stackSave") (result i32) (i32.const 0))
        (func (export "dynCall_ii") (param i32 i32) (result i32) (i32.const 0))
        (func (export "asyncify_get_state") (result i32) (i32.const 0))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
        (func (export "_initialize")) (func (export "__wasm_call_ctors"))
        (func (export "f") (param i32) (result i32) (local.get 0)))"#,
    );
    map_file(&module).jobs(["5"]).run().ends(0).prints("5\n");
    let inspect = |flags: &[&str]| wpool(["inspect"]).arg(&module).args(flags).run().ends(0);
    let short = inspect(&[]);
    assert!(short.lines().contains(&"task       f(s32) -> s32"));
    assert!(!short.lines().iter().any(|line| line.contains("stackSave")));
    for flag in ["--all", "-v"] {
        let all = inspect(&[flag]);
        for name in ["memory", "stackSave", "dynCall_ii", "__indirect_function_table"] {
            assert!(all.lines().contains(&&*format!("export     {name}")), "{:?}", all.lines());
        }
    }
}

#[test]
fn integers_are_unsigned_if_that_is_asked_for_and_the_module_does_not_say() {
    let echo =
        file("echo.wat", "(module (func (export \"\") (param i32) (result i32) (local.get 0)))");
    let map = |flags: &str| map_file(&echo).flags(flags).jobs(["4294967295"]);
    map("").run().ends(100).says("out of range for s32").says("help: if the task takes unsigned");
    map("--unsigned").run().ends(0).prints("4294967295\n");
    map("--unsigned --task").arg("").run().ends(0).prints("4294967295\n");
    map_file(&echo).flags("--unsigned").jobs(["-1"]).run().ends(100).says("out of range for u32");
    // C and Zig have truth values of this type, too.
    for flags in ["", "--unsigned"] {
        map_file(&echo).flags(flags).jobs(["true", "false"]).run().ends(0).prints("1\n0\n");
        map_file(&echo).flags(flags).jobs(["tru"]).run().ends(100).says("expected true or false");
    }
    let two = "(module (func (export \"f\") (param i64 i32) (result i32) (local.get 1)))";
    let two = file("two.wat", two);
    map_file(&two).jobs(["[7,true]"]).run().ends(0).prints("1\n");
    map_file(&two).jobs(["[true,7]"]).run().ends(100).says("expected an integer (s64)");
    let says = map_file(guest("square")).flags("--task square").jobs(["true"]).run().ends(100);
    says.says("expected an integer (s64), found true");
    // The section of this module says that the task is signed.
    map_file(guest("square")).flags("--unsigned --task square").jobs(["-3"]).run().prints("9\n");
    let default = file("default.wat", "(module (func (export \"\")))");
    wpool(["run"]).arg(&default).run().ends(0).prints("");
}

#[test]
fn functions_of_other_hosts_that_cost_nothing_are_there() {
    let aborts = file(
        "abort.wat",
        r#"(module (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
        (memory (export "memory") 1)
        (data (i32.const 12) "\04\00\00\00h\00i\00")
        (data (i32.const 28) "\08\00\00\00a\00.\00t\00s\00")
        (func (export "f") (param i32) (result i32)
            (call $abort (local.get 0) (i32.const 32) (i32.const 3) (i32.const 5)) (unreachable)))"#,
    );
    let done = map_file(&aborts).jobs(["16", "-1"]).run().ends(100);
    done.says("trapped: abort: hi in a.ts:3:5\n").says("trapped: abort: in a.ts:3:5\n");
    let measured = file(
        "sightglass.wat",
        r#"(module (import "bench" "start" (func $start)) (import "bench" "end" (func $end))
        (func (export "_start") (call $start) (call $end)))"#,
    );
    wpool(["run"]).arg(&measured).run().ends(0);
    wpool(["bench", "--runs", "1", "--modes", "wasm"]).arg(&measured).jobs(["1"]).run().ends(0);
}

#[test]
fn the_version_of_wasi_before_its_first_is_there() {
    let module = file(
        "unstable.wat",
        r#"(module
        (import "wasi_unstable" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_unstable" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_unstable" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 16) "\20\00\00\00\04\00\00\00") (data (i32.const 32) "old\n")
        ;; Waits until the standard output takes bytes.
        (data (i32.const 72) "\02") (data (i32.const 80) "\01")
        (func (export "_start")
            (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 8)))
            (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8)))
            (call $exit (i32.const 7))))"#,
    );
    wpool(["run"]).arg(&module).run().ends(7).prints("old\n");
    map_file(&module).arg("--jsonl").jobs(["1"]).run().ends(100).says("exited with code 7");
    let done = wpool(["inspect"]).arg(&module).run().ends(0);
    assert!(!done.lines().iter().any(|line| line.starts_with("missing")), "{:?}", done.lines());
}

#[test]
fn a_source_file_is_refused_with_the_way_of_its_language() {
    for (name, help) in [
        ("tutorial.py", "componentize-py"),
        ("tutorial.c", "clang --target=wasm32-wasi"),
        ("tutorial.js", "jco componentize"),
        ("tutorial.rs", "rustc -O --target wasm32-wasip1"),
        ("tutorial.go", "GOOS=wasip1"),
        ("tutorial.ts", "npx asc"),
    ] {
        refused(&file(name, "print(1)\n"), "it is text, but not WebAssembly's").says(help);
    }
}

#[test]
fn a_dry_run_finds_what_a_run_would_stumble_over() {
    let wat = r#"(module (import "env" "one" (func)) (func (export "f") (param i64)))"#;
    let module = file("imports.wat", wat);
    one_error(map_file(&module).arg("--dry-run").jobs(["1"]), &module, "env.one");
}

#[test]
fn an_import_of_another_type_is_refused() {
    let wat = r#"(module (import "wpool" "job_size" (func (param i64) (result i64)))
        (func (export "f") (param i64)))"#;
    let module = file("imports.wat", wat);
    one_error(map_file(&module).jobs(["1"]), &module, "job_size");
}

#[test]
fn a_task_must_be_chosen_where_there_are_several() {
    let cubes = guest("cubes");
    let done = one_error(map_file(&cubes).jobs(["1"]), &cubes, "the module has several tasks\n");
    done.says("help: choose one with --task: ")
        .says("cubes(n: s64)")
        .says("cubes_sum(n: s64) -> s64");
    let run = map_file(&cubes).flags("--task cube").jobs(["1"]);
    one_error(run, &cubes, "the module has no task `cube`\n").says("cubes_sum(n: s64) -> s64");
}

#[test]
fn raw_text_needs_a_task_that_takes_a_string() {
    let square = guest("square");
    one_error(map_file(&square).arg("-R").jobs(["1"]), &square, "does not take raw text");
}

/// Returns the files of a cache.
fn entries(cache: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(cache.join("wpool")) else { return Vec::new() };
    let mut entries: Vec<PathBuf> =
        entries.map(|entry| entry.expect("is readable").path()).collect();
    entries.sort();
    entries
}

#[test]
fn the_second_run_finds_the_first_ones_machine_code() {
    let cache = folder("cache");
    let compile = || wpool(["compile"]).arg(guest("roots")).env("XDG_CACHE_HOME", &cache);
    let place = cache.join("wpool").display().to_string();
    compile().run().ends(0).says_nothing();
    let done = compile().run().ends(0);
    assert!(done.lines()[0].contains("\twas compiled before\t"), "{:?}", done.lines());
    assert!(done.lines()[0].contains(&place), "{:?}", done.lines());
    let before = entries(&cache);
    assert!(!before.is_empty());
    map_file(guest("roots")).env("XDG_CACHE_HOME", &cache).jobs(["4"]).run().prints("2.0\n");
    assert_eq!(entries(&cache), before);
    let fuel = || compile().arg("--fuel").run().ends(0);
    assert!(fuel().lines()[0].contains("\tcompiled in "));
    assert!(fuel().lines()[0].contains("\twas compiled before\t"));
}

#[test]
fn a_torn_entry_is_written_again() {
    let cache = folder("cache");
    let run = || map_file(guest("roots")).env("XDG_CACHE_HOME", &cache).jobs(["4", "9"]).run();
    run().ends(0).prints("2.0\n3.0\n");
    let whole: Vec<(PathBuf, Vec<u8>)> = entries(&cache)
        .into_iter()
        .map(|entry| (entry.clone(), fs::read(entry).expect("is readable")))
        .collect();
    for (entry, bytes) in &whole {
        for size in [0, 10, bytes.len() / 2, bytes.len() - 1] {
            // The entry is replaced by another file: entries are never changed in place, because
            // they may be mapped.
            fs::remove_file(entry).expect("it is there");
            fs::write(entry, &bytes[..size]).expect("is writable");
            run().ends(0).prints("2.0\n3.0\n").says("2 jobs ok");
            assert!(fs::read(entry).expect("is readable") == *bytes, "{entry:?} of {size} bytes");
        }
    }
}

#[test]
fn an_entry_that_was_damaged_or_forged_is_written_again() {
    let cache = folder("cache");
    let run = || map_file(guest("roots")).env("XDG_CACHE_HOME", &cache).jobs(["4", "9"]).run();
    run().ends(0);
    let code = entries(&cache).into_iter().find(|path| path.extension().unwrap() == "cwasm");
    let code = code.expect("there is machine code");
    let whole = fs::read(&code).expect("is readable");
    let replace = |bytes: &[u8]| {
        fs::remove_file(&code).expect("it is there");
        fs::write(&code, bytes).expect("is writable");
    };
    let is_whole = || assert!(fs::read(&code).expect("is readable") == whole);
    replace(&vec![0; whole.len()]);
    run().ends(0).prints("2.0\n3.0\n").says("2 jobs ok");
    is_whole();
    for part in 1..8 {
        let mut damaged = whole.clone();
        damaged[whole.len() / 8 * part] ^= 0x10;
        replace(&damaged);
        run().ends(0).prints("2.0\n3.0\n").says("2 jobs ok");
        is_whole();
    }
    // The new entry is sealed with the key of another user, and is no entry for this one.
    let other = map_file(guest("roots")).env("XDG_CACHE_HOME", &cache);
    let other = other.env("XDG_STATE_HOME", folder("other")).jobs(["4"]);
    fs::remove_file(code.with_extension("json")).expect("it is there");
    other.run().ends(0);
    let forged = fs::read(code.with_extension("json")).expect("written again");
    run().ends(0).prints("2.0\n3.0\n");
    assert!(fs::read(code.with_extension("json")).expect("written again") != forged);
}

#[test]
fn a_module_is_inspected_without_being_compiled() {
    let cache = folder("cache");
    for name in ["roots", "script-component"] {
        let run = wpool(["inspect", "--json"]).arg(guest(name)).env("XDG_CACHE_HOME", &cache);
        let inspected = run.run().ends(0);
        assert_eq!(entries(&cache), Vec::<PathBuf>::new());
        let inspected: serde_json::Value = serde_json::from_slice(&inspected.stdout).expect("JSON");
        assert!(!inspected["tasks"].as_array().expect("a list").is_empty(), "{inspected}");
    }
    let wat = "(module (func (export \"f\") (param i64) (result i32) (local.get 0)))";
    let invalid = file("type.wat", wat);
    one_error(wpool(["inspect"]).arg(&invalid), &invalid, "type mismatch");
}

#[test]
fn people_are_told_that_a_large_module_is_compiled_and_only_then() {
    let wat = format!("(module (func (export \"f\")) {})", "(func)".repeat(200_000));
    let module = file("large.wat", wat);
    let run = || map_file(&module).stdin("\n").run().ends(0);
    run().says("compiling ").says("large.wat, once\n");
    assert!(!run().stderr.contains("compiling"));
}

#[test]
fn a_large_module_that_is_refused_is_not_said_to_be_compiled_first() {
    let many = "(func)".repeat(200_000);
    for (name, wat, help) in [
        (
            "invalid.wat",
            format!("(module (func (result i32) i64.const 1) {many})"),
            "build it again",
        ),
        ("foreign.wat", format!("(module (import \"a\" \"f\" (func)) {many})"), "wasm32-wasip1"),
    ] {
        let module = file(name, wat);
        let done = map_file(&module).stdin("\n").run().ends(101).says(help);
        assert!(!done.stderr.contains("compiling "), "{}", done.stderr);
        assert!(!done.stderr.contains("short"), "{}", done.stderr);
    }
}

#[test]
fn nothing_is_kept_where_that_is_asked_for_or_others_could_write() {
    use std::os::unix::fs::PermissionsExt;
    let cache = folder("cache");
    let run = || map_file(guest("roots")).env("XDG_CACHE_HOME", &cache).jobs(["4"]);
    run().arg("--no-cache").run().ends(0).prints("2.0\n");
    assert_eq!(entries(&cache), Vec::<PathBuf>::new());
    let place = cache.join("wpool");
    fs::create_dir_all(&place).expect("is writable");
    fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).expect("it is ours");
    run().run().ends(0).prints("2.0\n");
    assert_eq!(entries(&cache), Vec::<PathBuf>::new());
    let done = wpool(["compile"]).arg(guest("roots")).env("XDG_CACHE_HOME", &cache).run().ends(0);
    assert!(done.lines()[0].contains("not kept"), "{:?}", done.lines());
}

#[test]
fn a_compiler_that_is_killed_is_an_error_that_says_so() {
    let body =
        "(local.set 0 (i64.mul (i64.add (local.get 0) (i64.const 3)) (local.get 0)))".repeat(50);
    let function =
        |n| format!("(func (export \"f{n}\") (param i64) (result i64) {body} local.get 0)");
    let functions: String = (0..3000).map(function).collect();
    let module = file("large.wat", format!("(module {functions})"));
    let run = map_file(&module).flags("--task f1").jobs(["1"]).start();
    let zygote = run.zygote();
    let is_compiler = |pid: &i32| name(*pid).is_some_and(|name| name == "wpool-compiler\n");
    let compiler = || processes::children(zygote).into_iter().find(is_compiler);
    run.until("the compiler", || compiler().is_some());
    // A process of untrusted bytes keeps neither the control socket nor the pidfd of another process.
    let pid = compiler().expect("just seen");
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).expect("it is there").flatten() {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        let target = target.to_string_lossy();
        assert!(!target.starts_with("socket:") && !target.contains("pidfd"), "{target}");
    }
    processes::kill(compiler().expect("just seen"));
    let done = run.finish().ends(101).prints("").says("the compiler was killed by signal 9");
    assert_eq!((done.labelled("error: ").len(), done.labelled("help: ").len()), (1, 1));
}
