//! The same small tasks in every language: the same jobs give the same results.

use crate::common::language::{Example, example};
use crate::common::run::map;

/// The tasks that every language has, each with the Rust example that has it too, and jobs.
const TASKS: [(&str, &str, &[&str]); 6] = [
    ("square", "square", &["0", "12", "-3", "3037000499"]),
    ("square_root", "roots", &["0", "1", "2", "100", "12345.678"]),
    ("product", "product", &["[1,2,3]", "[-3,4,-5]", "[2147483648,2,1073741824]"]),
    ("cubes", "cubes", &["0", "7"]),
    ("cubes_sum", "cubes", &["0"]),
    ("evens", "evens", &["[0,1,2,3,-4]", "[]", "[9007199254740994]", " [ 2 , 3 ] "]),
];

fn gives_the_results_that_rust_gives(example: &Example) {
    for (task, in_rust, jobs) in TASKS {
        let expected = map(in_rust).arg("--task").arg(task).jobs(jobs).run();
        let done = example.map(task).jobs(jobs).run().ends(expected.code.expect("it exits"));
        assert_eq!(done.lines(), expected.lines(), "{task}");
    }
}

#[test]
fn assemblyscript_gives_the_results_that_rust_gives() {
    let Some(example) = example("assemblyscript") else { return };
    gives_the_results_that_rust_gives(&example);
}

#[test]
fn c_gives_the_results_that_rust_gives() {
    let Some(example) = example("c") else { return };
    gives_the_results_that_rust_gives(&example);
}

#[test]
fn javascript_gives_the_results_that_rust_gives() {
    let Some(example) = example("javascript") else { return };
    gives_the_results_that_rust_gives(&example);
}

#[test]
fn results_are_negative_in_every_language_but_javascript() {
    // componentize-js 0.23 ends the job for a negative `s64`: its issue 343.
    for language in ["assemblyscript", "c", "python"] {
        let Some(example) = example(language) else { continue };
        example.map("product").jobs(["[3,4,-5]"]).run().ends(0).prints("-60\n");
    }
}

#[test]
fn python_gives_the_results_that_rust_gives() {
    let Some(example) = example("python") else { return };
    gives_the_results_that_rust_gives(&example);
}

#[test]
fn a_task_in_any_language_prints_the_id_of_its_process() {
    for language in ["assemblyscript", "c", "javascript", "python"] {
        let Some(example) = example(language) else { continue };
        let done = example.map("compute_squares").arg("--jsonl").jobs(["5"]).run().ends(0);
        let row = &done.rows()[0];
        assert_eq!(row["output"], 25, "{language}");
        let worker = &row["worker"];
        done.says(&format!("[{worker}] Process {worker} calculating square of 5"));
    }
}

#[test]
fn a_balance_that_is_changed_under_a_lock_in_any_language_is_what_it_was() {
    for (language, argument) in
        [("assemblyscript", "10000"), ("c", "10000"), ("javascript", "10000"), ("python", "")]
    {
        let Some(example) = example(language) else { continue };
        let calls = ["add_locked", "subtract_locked"]
            .map(|task| format!("{}({argument})", example.name(task)));
        // The balance is large enough never to be negative, for the reason above.
        let objects = "--value balance=i32:10000 --lock guard --show balance";
        let done = example.run().args(calls).flags(objects).run();
        done.ends(0).prints("{\"balance\":10000}\n");
    }
}

#[test]
fn a_task_in_any_language_says_what_it_misses() {
    for (language, says) in [
        ("assemblyscript", "there is no value `balance`"),
        ("c", "there is no value `balance`"),
        ("javascript", "not-found"),
        ("python", "there is no value `balance`"),
    ] {
        let Some(example) = example(language) else { continue };
        let argument = if language == "python" { "" } else { "1" };
        let call = format!("{}({argument})", example.name("add_locked"));
        example.run().arg(call).run().ends(134).says(says);
    }
}

#[test]
fn a_job_that_is_no_list_of_whole_numbers_fails_in_any_language() {
    for language in ["assemblyscript", "c", "javascript", "python"] {
        let Some(example) = example(language) else { continue };
        let done =
            example.map("evens").jobs(["[1", "3", "[1.5]", "[\"a\"]", "[2]"]).run().ends(100);
        assert_eq!(done.lines(), ["null", "null", "null", "null", "[2]"], "{language}");
    }
}
