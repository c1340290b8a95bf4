//! The boundary between guests and shared objects: handles, pointers and names; the guest's bugs
//! that trap, and what they leave behind.

use crate::common::flat::{Flat, documented, module};
use crate::common::run::{Wpool, map_wat};

/// Code that makes one object of each kind, named by its first letter; the list is `i` and the set `x`. The
/// array has 16 elements of eight bytes; `t` and `u` are a value and an array of bools.
const ONE_OF_EACH: &str = "
    (drop (call $lock_create (i32.const 108) (i32.const 1) (i32.const 0)))
    (drop (call $semaphore_create (i32.const 115) (i32.const 1) (i32.const 1) (i32.const 0)))
    (drop (call $condition_create (i32.const 99) (i32.const 1) (i32.const 0)))
    (drop (call $event_create (i32.const 101) (i32.const 1)))
    (drop (call $barrier_create (i32.const 98) (i32.const 1) (i32.const 1)))
    (drop (call $queue_create (i32.const 113) (i32.const 1) (i32.const 4) (i64.const 4096)
        (i32.const 0)))
    (drop (call $value_create (i32.const 118) (i32.const 1) (i32.const 2) (i64.const 0)))
    (drop (call $array_create (i32.const 97) (i32.const 1) (i32.const 2) (i32.const 16)))
    (drop (call $region_create (i32.const 114) (i32.const 1) (i64.const 4096)))
    (drop (call $list_create (i32.const 105) (i32.const 1) (i32.const 0) (i64.const 0)))
    (drop (call $dict_create (i32.const 100) (i32.const 1) (i32.const 0) (i64.const 0)))
    (drop (call $set_create (i32.const 120) (i32.const 1) (i32.const 0) (i64.const 0)))
    (drop (call $value_create (i32.const 116) (i32.const 1) (i32.const 7) (i64.const 0)))
    (drop (call $array_create (i32.const 117) (i32.const 1) (i32.const 7) (i32.const 16)))";

/// Returns a run of a task for which a job is the number of a piece of code. A piece that ends
/// without an answer returns -100.
fn run_pieces(pieces: &[String]) -> Wpool {
    let choose = |(number, piece): (usize, &String)| {
        format!("(if (i32.eq (local.get 0) (i32.const {number})) (then {piece}))\n")
    };
    let choices: String = pieces.iter().enumerate().map(choose).collect();
    let task = "(func (export \"piece\") (param i32) (result i64) (local $h i32)";
    let range = format!("0..{}", pieces.len());
    map_wat(&module(&format!("{task} {choices} (i64.const -100))")))
        .flags("-q -j 1 --jsonl --range")
        .arg(range)
}

/// Runs each piece in its own instance, with one object of each kind. Asserts that each piece traps
/// with its message, and that one worker has run them all.
#[track_caller]
fn each_traps(pieces: Vec<(String, String)>) {
    let setup = [format!("{ONE_OF_EACH} unreachable")];
    let after = ["(return (i64.const 1))".to_owned()];
    let (pieces, messages): (Vec<_>, Vec<_>) = pieces.into_iter().unzip();
    let all: Vec<String> = setup.into_iter().chain(pieces).chain(after).collect();
    let rows = run_pieces(&all).run().ends(100).rows();
    assert_eq!(rows.len(), messages.len() + 2);
    for (row, message) in rows[1..].iter().zip(&messages) {
        assert_eq!(row["error"]["kind"], "trap", "{row}");
        assert_eq!(row["error"]["message"], message.as_str());
    }
    assert_eq!(rows.last().expect("the one after")["output"], 1);
    assert!(rows.iter().all(|row| row["worker"] == rows[0]["worker"]), "a worker was lost");
}

/// Returns code that opens the object with this letter. The handle is 1 if the object is the first.
fn open(kind: &str, letter: char) -> String {
    format!("(drop (call ${kind}_open (i32.const {}) (i32.const 1)))", u32::from(letter))
}

/// Returns the kind of objects that a function is about, if it is about one kind.
fn kind(function: &Flat) -> Option<&str> {
    let kind = match function.name.split_once('_')? {
        // The object that they take is the outer one.
        ("nested", rest) => rest.rsplit('_').next()?,
        (kind, _) => kind,
    };
    (function.takes("handle") && kind != "object").then_some(kind)
}

/// Returns the name of the object of a kind.
fn letter(kind: &str) -> char {
    match kind {
        "list" => 'i',
        "set" => 'x',
        kind => kind.chars().next().expect("no kind is empty"),
    }
}

/// Returns the documented functions with a parameter of this name, and asserts that there are at
/// least `at_least`.
fn taking(param: &str, at_least: usize) -> Vec<Flat> {
    let functions = documented().into_iter().filter(|function| function.takes(param));
    let functions: Vec<Flat> = functions.collect();
    assert!(functions.len() >= at_least, "only {} take {param}", functions.len());
    functions
}

#[test]
fn what_is_no_handle_traps_in_every_function_and_the_next_job_works() {
    let functions = taking("handle", 45);
    let pieces = functions.iter().flat_map(|function| {
        [0, 7, -1, i64::from(i32::MIN)].map(|handle| {
            let message = format!("{}: {handle} is not a handle", function.name);
            (function.drop(&[("handle", handle)]), message)
        })
    });
    each_traps(pieces.collect());
}

#[test]
fn a_handle_of_another_kind_traps_in_every_function() {
    let functions = taking("handle", 45);
    let pieces = functions.iter().filter_map(|function| {
        let wanted = kind(function)?;
        let (other, letter) = if wanted == "value" { ("lock", 'l') } else { ("value", 'v') };
        let call = function.drop(&[("handle", 1)]);
        let name = &function.name;
        let message = format!("{name}: 1 is the handle of a {other}, not of a {wanted}");
        Some((format!("{} {call}", open(other, letter)), message))
    });
    each_traps(pieces.collect());
}

#[test]
fn a_closed_handle_traps_in_every_function() {
    let functions = taking("handle", 45);
    let pieces = functions.iter().map(|function| {
        let kind = kind(function).unwrap_or("event");
        let open = open(kind, letter(kind));
        let call = function.drop(&[("handle", 1)]);
        let piece = format!("{open} (drop (call $object_close (i32.const 1))) {call}");
        (piece, format!("{}: 1 is not a handle", function.name))
    });
    each_traps(pieces.collect());
}

#[test]
fn a_pointer_outside_the_memory_traps_in_every_function() {
    let mut pieces = Vec::new();
    for function in documented() {
        let Some(pointer) = ["name", "src", "dst"].into_iter().find(|name| function.takes(name))
        else {
            continue;
        };
        let opened = kind(&function).map(|kind| open(kind, letter(kind))).unwrap_or_default();
        let lengths = ["name_len", "len", "capacity", "count"];
        for at in [65529, 65536, -1] {
            let mut arguments = vec![("handle", 1), ("type", 1), (pointer, at)];
            arguments.extend(lengths.map(|length| (length, 8)));
            // The elements of arrays have eight bytes.
            let bytes = if function.takes("count") { 64 } else { 8 };
            let name = &function.name;
            let address = at as u32;
            let message = format!("{name}: {bytes} bytes at {address} are not inside the memory");
            pieces.push((format!("{opened} {}", function.drop(&arguments)), message));
        }
    }
    assert!(pieces.len() > 3 * 20, "the functions were not found: {}", pieces.len());
    each_traps(pieces);
}

#[test]
fn a_name_that_is_not_utf_8_traps_in_every_function() {
    let pieces = taking("name", 16).into_iter().map(|function| {
        let call = function.drop(&[("name", 64), ("name_len", 1), ("type", 1)]);
        (call, format!("{}: the name is not UTF-8", function.name))
    });
    each_traps(pieces.collect());
}

#[test]
fn arguments_that_make_no_sense_trap() {
    let functions = documented();
    let call = |name: &str, arguments: &[(&str, i64)]| {
        let function = functions.iter().find(|function| function.name == name);
        function.expect("it is documented").drop(arguments)
    };
    let named = |name: &str, param, number| {
        call(name, &[(param, number), ("name", 122), ("name_len", 1), ("type", 1)])
    };
    let element = |name: &str, index: i64| call(name, &[("handle", 1), ("index", index)]);
    let slice = |name: &str, first: i64, count: i64| {
        call(name, &[("handle", 1), ("first", first), ("count", count)])
    };
    let (array, bools, lock) = (open("array", 'a'), open("array", 'u'), open("lock", 'l'));
    let mut pieces = vec![
        (named("lock_create", "recursive", 2), "recursive is 2, not 0 or 1"),
        (named("queue_create", "joinable", -1), "joinable is -1, not 0 or 1"),
        (named("semaphore_create", "flags", 7), "unknown flags 0x4"),
        (named("value_create", "type", 0), "0 is not a type of numbers"),
        (named("array_create", "type", 8), "8 is not a type of numbers"),
        (named("array_create", "type", 257), "257 is not a type of numbers"),
        (named("condition_create", "lock", 9), "9 is not a handle"),
        (
            format!("{} {}", open("value", 'v'), named("condition_create", "lock", 1)),
            "1 is the handle of a value, not of a lock",
        ),
        (
            format!("{lock} (drop (call $object_close (i32.const 1))) {}", {
                named("condition_create", "lock", 1)
            }),
            "1 is not a handle",
        ),
        (
            format!("{} {}", open("dict", 'd'), call("nested_create_in_dict", &[("handle", 1)])),
            "0 is no kind that can be nested",
        ),
        (
            format!("{array} {}", slice("array_read", 15, 2)),
            "2 elements from 15 on are not inside 16 elements",
        ),
        (
            format!("{array} {}", slice("array_write", -1, -1)),
            "4294967295 elements from 4294967295 on are not inside 16 elements",
        ),
        (format!("{bools} {}", element("array_add", 1)), "nothing can be added to a bool"),
        (
            format!("{} {}", open("value", 't'), call("value_add", &[("handle", 1)])),
            "nothing can be added to a bool",
        ),
    ];
    for name in ["get", "set", "swap", "add", "compare_exchange"] {
        let name = format!("array_{name}");
        let ends = [(16, "16 is not an index"), (-1, "4294967295 is not an index")];
        pieces.extend(ends.map(|(at, text)| (format!("{array} {}", element(&name, at)), text)));
    }
    // The last call of a piece traps.
    let pieces = pieces.into_iter().map(|(piece, what)| {
        let at = piece.rfind("(call $").expect("a piece calls") + "(call $".len();
        let name = piece[at..].split(' ').next().expect("a name").to_owned();
        let more = if what.ends_with("index") { " of 16 elements" } else { "" };
        (piece, format!("{name}: {what}{more}"))
    });
    each_traps(pieces.collect());
}

#[test]
fn a_module_that_exports_no_memory_has_no_names() {
    let wat = r#"(module
        (import "wpool" "event_create" (func $create (param i32 i32) (result i32)))
        (memory 1)
        (func (export "f") (param i64) (drop (call $create (i32.const 0) (i32.const 1)))))"#;
    let done = map_wat(wat).jobs(["1"]).run().ends(100);
    done.says("event_create: the module exports no memory under the name `memory`");
}

/// Returns the values of these expressions, evaluated in one instance.
fn answers(expressions: &[String]) -> Vec<i64> {
    let setup = format!("{ONE_OF_EACH} (return (i64.const 0))");
    let answer = |it: &String| format!("(return (i64.extend_i32_s {it}))");
    let pieces: Vec<String> = [setup].into_iter().chain(expressions.iter().map(answer)).collect();
    let rows = run_pieces(&pieces).run().ends(0).rows();
    rows[1..].iter().map(|row| row["output"].as_i64().expect("a number")).collect()
}

#[test]
fn names_have_1_to_128_bytes_without_nul() {
    let (good, bad) = ((65536 - 128, 128), [(97, 0), (65536 - 129, 129), (1024, 1)]);
    // The last 129 bytes of the memory are letters.
    let fill = "(memory.fill (i32.const 65407) (i32.const 120) (i32.const 129))";
    let functions = taking("name", 16);
    let call = |function: &Flat, (name, name_len): (i64, i64)| {
        let valid = ["type", "parties", "messages", "bytes", "length"].map(|param| (param, 1));
        let arguments = [("name", name), ("name_len", name_len)];
        format!("(block (result i32) {fill} {})", function.call(&[&arguments[..], &valid].concat()))
    };
    let calls = |name| functions.iter().map(move |function| call(function, name));
    let expressions: Vec<String> = bad.into_iter().flat_map(calls).collect();
    assert!(answers(&expressions).iter().all(|answer| *answer == -14));
    let longest = functions.iter().filter(|function| function.name.ends_with("_create"));
    for create in longest {
        // The object is made, is there already, is deleted through its handle, and is not there any
        // more.
        let open = create.name.replace("create", "open");
        let open = functions.iter().find(|function| function.name == open).expect("as create");
        let delete = format!("(call $object_delete {})", call(open, good));
        let steps = [call(create, good), call(create, good), delete, call(open, good)];
        assert_eq!(answers(&steps)[1..], [-10, 0, -11], "{}", create.name);
    }
}

#[test]
fn an_object_of_another_kind_is_not_opened() {
    let wrong = taking("name", 16).into_iter().filter(|function| function.name.ends_with("_open"));
    let expressions = wrong.map(|function| {
        let letter = if function.name == "value_open" { 'l' } else { 'v' };
        function.call(&[("name", i64::from(u32::from(letter))), ("name_len", 1)])
    });
    assert!(answers(&expressions.collect::<Vec<_>>()).iter().all(|answer| *answer == -12));
}
