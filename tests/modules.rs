//! Modules that cannot be used, each with one error and a way out; and the cache of those that can.

mod common;

use common::run::{Done, Wpool, file, folder, map_file, name, path, wpool};
use common::{guest, processes};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A module that is not used, for jobs that it never gets.
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

/// The same bytes in every run (splitmix64).
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
fn missing_imports_are_listed() {
    let wat = r#"(module
        (import "env" "one" (func)) (import "env" "two" (global i32))
        (import "wasi_snapshot_preview1" "nothing" (func))
        (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
        (func (export "f") (param i64) (result i64) (local.get 0)))"#;
    let module = file("imports.wat", wat);
    let list = "does not provide: env.one, env.two, wasi_snapshot_preview1.nothing\n";
    one_error(map_file(&module).jobs(["1"]), &module, list);
    let done = wpool(["inspect"]).arg(&module).run().ends(0);
    assert!(done.lines().contains(&"import     env one"), "{:?}", done.lines());
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

/// The files of a cache.
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
            // Another file in its place: entries are never changed, since they may be mapped.
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
    // Good for another user, or for whoever has no key.
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
    processes::kill(compiler().expect("just seen"));
    let done = run.finish().ends(101).prints("").says("the compiler was killed by signal 9");
    assert_eq!((done.labelled("error: ").len(), done.labelled("help: ").len()), (1, 1));
}
