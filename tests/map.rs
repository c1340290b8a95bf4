//! `wpool map`: jobs in, results out.

mod common;

use common::run::{file, map, map_file, map_wat, path};
use std::fs;
use std::io::{BufRead, BufReader, pipe};
use std::process::{Command, Stdio};

/// Two results of different types.
const HALVES: &str = r#"(module (func (export "halves") (param i64) (result i64 f64)
    (i64.div_s (local.get 0) (i64.const 2))
    (f64.div (f64.convert_i64_s (local.get 0)) (f64.const 2))))"#;

/// Numbers as they come.
const SAME: &str = r#"(module
    (func (export "long") (param i64) (result i64) (local.get 0))
    (func (export "short") (param i32) (result i32) (local.get 0))
    (func (export "real") (param f64) (result f64) (local.get 0))
    (func (export "small") (param f32) (result f32) (local.get 0))
    (func (export "nothing") (param i64))
    (func (export "seven") (result i64) (i64.const 7)))"#;

#[test]
fn results_come_in_the_order_of_the_jobs() {
    let expected: String = (0..1000).map(|n: i64| format!("{}\n", n * n)).collect();
    map("square").jobs((0..1000).map(|n| n.to_string())).run().ends(0).prints(&expected);
    map("square").flags("--range 0..1000 -j 7").run().ends(0).prints(&expected);
}

#[test]
fn unordered_results_are_the_same_results() {
    let done = map("square").flags("--range 0..5000 --unordered").run().ends(0);
    let mut squares: Vec<i64> =
        done.lines().iter().map(|line| line.parse().expect("a number")).collect();
    squares.sort_unstable();
    assert_eq!(squares, (0..5000).map(|n| n * n).collect::<Vec<i64>>());
}

#[test]
fn a_million_results_are_right() {
    let expected: String = (0..1_000_000_i64).map(|n| format!("{}\n", n * n)).collect();
    let lines: String = (0..1_000_000).map(|n| format!("{n}\n")).collect();
    let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex();
    for run in [map("square").flags("--range 0..1000000"), map("square").stdin(lines)] {
        let done = run.run().ends(0).says("1000000 jobs ok");
        assert_eq!(digest(&done.stdout), digest(expected.as_bytes()));
    }
}

#[test]
fn several_separators_make_a_product_and_linked_ones_go_together() {
    map("product").jobs(["1", "2"]).jobs(["3", "4"]).jobs(["5"]).run().prints("15\n20\n30\n40\n");
    map("product").jobs(["1", "2", ":::+", "3", "4", ":::", "5"]).run().prints("15\n40\n");
}

#[test]
fn an_array_is_several_arguments() {
    map("product").jobs(["[1,2,3]", " [ 4, 5, -6 ] "]).run().ends(0).prints("6\n-120\n");
    map("product").jobs(["[1,2]", "[1,2,3,4]", "7"]).run().ends(100).prints("null\nnull\nnull\n");
}

#[test]
fn ranges_have_the_forms_that_the_help_promises() {
    for (range, results) in [
        ("0..3", "0\n1\n4\n"),
        ("0..=3", "0\n1\n4\n9\n"),
        ("-3..=3..2", "9\n1\n1\n9\n"),
        ("3..0..-1", "9\n4\n1\n"),
        ("0..10..4", "0\n16\n64\n"),
    ] {
        map("square").args(["--range", range]).run().ends(0).prints(results);
    }
    map("square").flags("--range 3").run().ends(2).says("not a range");
    map("square").flags("--range 0..3").jobs(["1"]).run().ends(2).says("help:");
}

#[test]
fn files_of_jobs_are_read_in_turn_and_a_dash_is_standard_input() {
    let (first, second) = (file("first", "1\n2\n"), file("second", "4"));
    let run = map("square").arg("-a").arg(first).flags("-a - -a").arg(second);
    run.stdin("3\n").run().ends(0).prints("1\n4\n9\n16\n");
    map("square").flags("-a /nowhere/jobs").run().ends(2).says("/nowhere/jobs");
}

#[test]
fn records_may_end_with_nul() {
    map("square").arg("-0").stdin("1\x002\n\x003").run().ends(0).prints("1\n4\n9\n");
    let run = map("misbehave").flags("-0 -R -r").stdin("ok\x00no\nkind\x00");
    run.run().ends(100).prints("ok\nnull\n").says("unknown kind \"no\\nkind\"");
}

#[test]
fn each_line_is_answered_before_the_next_one_is_written() {
    let mut run = map("square").flags("-j 2").piped().start();
    let mut expected = String::new();
    for n in 0..50 {
        run.write(format!("{n}\n"));
        expected += &format!("{}\n", n * n);
        run.until("an answer", || run.stdout.text() == expected);
    }
    run.write("half a li");
    run.close_stdin();
    run.finish().ends(100).prints(expected + "null\n").says("(line 51 of standard input)");
}

#[test]
fn a_blank_line_is_a_job_and_the_last_line_needs_no_end() {
    let done = map("square").stdin("1\n\n2").run().ends(100).prints("1\nnull\n4\n");
    done.says("error: job 1 (line 2 of standard input) is invalid");
    map("misbehave").arg("-R").stdin("ok\nok").run().ends(0).prints("\"ok\"\n\"ok\"\n");
    map("square").stdin("1\r\n2\r\n").run().ends(0).prints("1\n4\n");
}

#[test]
fn no_jobs_is_a_warning_unless_told_otherwise() {
    map("square").stdin("").run().ends(0).prints("").says("warning: there were no jobs");
    map("square").flags("--no-input pass").stdin("").run().ends(0).says_nothing();
    map("square")
        .flags("--no-input fail")
        .stdin("")
        .run()
        .ends(4)
        .says("error: there were no jobs");
    map("square").flags("--no-input fail --range 5..5").run().ends(4);
}

#[test]
fn exit_codes_tell_what_was_wrong() {
    map("square").jobs(["1"]).run().ends(0);
    map("square").jobs(["1", "x"]).run().ends(100);
    map("square").flags("--bogus").run().ends(2);
    map("square").flags("--workers 0").run().ends(2);
    map_file("/nowhere/m.wasm").jobs(["1"]).run().ends(101).says("/nowhere/m.wasm");
    map("square").flags("-o /dev/full").jobs(["1"]).run().ends(110).says("error: cannot write");
    map("square").flags("-o /nowhere/results").jobs(["1"]).run().ends(110).says("/nowhere/results");
}

#[test]
fn a_dry_run_checks_and_shows_and_runs_nothing() {
    let printed = path("printed");
    let run = map("square").args(["--dry-run", "--timeout", "2s", "-o"]).arg(&printed);
    let done = run.jobs(["1", "2"]).run().ends(0).says_nothing();
    let text = String::from_utf8(done.stdout).expect("text");
    for row in ["task       square", "jobs       2", "timeout    2.00s", "isolation  reuse"] {
        assert!(text.lines().any(|line| line == row), "{row:?} is not in\n{text}");
    }
    assert!(!printed.exists());
    map("cubes").flags("--dry-run --task nothing").jobs(["1"]).run().ends(101);
}

#[test]
fn a_failed_job_holds_its_line_in_order_and_prints_nothing_out_of_order() {
    map("square").jobs(["1", "x", "3"]).run().ends(100).prints("1\nnull\n9\n");
    let done = map("square").arg("--unordered").jobs(["1", "x", "3"]).run().ends(100);
    assert_eq!(done.lines().len(), 2);
}

#[test]
fn rows_tell_everything_about_each_job() {
    let done = map("square").arg("--jsonl").jobs(["3", "x", " 5"]).run().ends(100);
    let rows = done.rows();
    assert_eq!(rows.len(), 3);
    for (row, (number, ok)) in rows.iter().zip([(0, true), (1, false), (2, true)]) {
        assert_eq!((&row["seq"], &row["ok"]), (&number.into(), &ok.into()), "{row}");
        assert!(row["worker"].as_i64().expect("a process") > 0, "{row}");
        assert!(row["ms"].as_f64().expect("a time") >= 0.0, "{row}");
        assert_eq!(row["attempt"], 1, "{row}");
    }
    assert_eq!((&rows[0]["input"], &rows[0]["output"]), (&3.into(), &9.into()));
    assert_eq!(rows[1]["input"], "x");
    assert_eq!(rows[1]["error"]["kind"], "invalid-job");
    assert_eq!(rows[1].get("output"), None);
}

#[test]
fn a_tag_is_the_job_and_a_tab() {
    map("square").arg("--tag").jobs(["2", "x"]).run().ends(100).prints("2\t4\nx\tnull\n");
    map("square").arg("--tag").stdin("2\n3\n").run().ends(0).prints("2\t4\n3\t9\n");
}

#[test]
fn raw_input_is_a_string_and_raw_output_has_no_quotes() {
    map("misbehave").arg("-R").stdin("ok\n").run().ends(0).prints("\"ok\"\n");
    map("misbehave").args(["-R", "-r"]).stdin("ok\n").run().ends(0).prints("ok\n");
    map("misbehave").stdin("ok\n").run().ends(100).prints("null\n").says("help: jobs are JSON");
    map("misbehave").arg("-r").stdin("\"ok\"\n").run().ends(0).prints("ok\n");
    map("misbehave").jobs(["ok", "\"ok\""]).run().ends(0).prints("\"ok\"\n\"ok\"\n");
}

#[test]
fn results_can_go_to_a_file_which_is_emptied_first() {
    let results = file("results", "something longer than the results\n");
    let done = map("square").arg("-o").arg(&results).jobs(["1", "2"]).run().ends(0).prints("");
    assert_eq!(fs::read_to_string(&results).expect("written"), "1\n4\n");
    done.says("2 jobs ok");
}

#[test]
fn numbers_that_json_lacks_are_strings_both_ways() {
    let run = map_wat(SAME).flags("--task real");
    let words = ["\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "-0.0", "1e308", "5e-324", "3"];
    let done = run.jobs(words).run().ends(0);
    let lines = done.lines();
    assert_eq!(lines[..3], ["\"NaN\"", "\"Infinity\"", "\"-Infinity\""]);
    let numbers: Vec<f64> = lines[3..].iter().map(|line| line.parse().expect("one")).collect();
    assert_eq!(numbers, [-0.0, 1e308, 5e-324, 3.0]);
    assert!(numbers[0].is_sign_negative());
    map_wat(SAME)
        .flags("--task real")
        .jobs(["NaN", "1e999"])
        .run()
        .ends(100)
        .prints("null\nnull\n");
    map_wat(SAME).flags("--task small").jobs(["0.1", "\"NaN\""]).run().prints("0.1\n\"NaN\"\n");
}

#[test]
fn integers_keep_all_their_bits_and_those_that_do_not_fit_are_refused() {
    let long = ["9223372036854775807", "-9223372036854775808", "9007199254740993"];
    let run = map_wat(SAME).flags("--task long").jobs(long);
    run.run().ends(0).prints(long.join("\n") + "\n");
    let wrong = ["9223372036854775808", "-9223372036854775809", "1.5", "1e3", "\"1\"", "true"];
    let done = map_wat(SAME).flags("--task long").jobs(wrong).run().ends(100);
    done.prints("null\n".repeat(wrong.len())).says("9223372036854775808 is out of range");
    let short = ["2147483647", "-2147483648", "2147483648"];
    let run = map_wat(SAME).flags("--task short").jobs(short);
    run.run().ends(100).prints("2147483647\n-2147483648\nnull\n");
}

#[test]
fn several_results_are_an_array_and_none_is_null() {
    map_wat(HALVES).jobs(["7", "-4"]).run().ends(0).prints("[3,3.5]\n[-2,-2.0]\n");
    map_wat(SAME).flags("--task nothing").jobs(["1"]).run().ends(0).prints("null\n");
    map_wat(SAME).flags("--task seven").stdin("\nanything\n").run().ends(0).prints("7\n7\n");
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let mut yes = Command::new("yes").arg("7").stdout(Stdio::piped()).spawn().expect("yes");
    let (results, stdout) = pipe().expect("a pipe");
    let input = yes.stdout.take().expect("is piped");
    let run = map("square").with_streams(|command| {
        command.stdin(input).stdout(stdout);
    });
    let run = run.start();
    let lines = BufReader::new(results).lines().take(3);
    assert_eq!(lines.map(|line| line.expect("text")).collect::<Vec<_>>(), ["49", "49", "49"]);
    run.finish().ends(141).says_nothing();
    yes.wait().expect("it is our child");
}

#[test]
fn every_flag_can_be_a_variable_and_the_flag_wins() {
    let run = map("square").env("WPOOL_RANGE", "0..3").env("WPOOL_TAG", "true");
    run.run().ends(0).prints("0\t0\n1\t1\n2\t4\n");
    let run = map("square").env("WPOOL_RANGE", "0..3").flags("--range 5..6");
    run.run().ends(0).prints("25\n");
}
