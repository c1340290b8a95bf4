//! `wpool map`: jobs in, results out.

use crate::common::run::{file, folder, map, map_file, map_wat, path, wpool};
use crate::common::{HALF, STUCK, guest};
use std::fs;
use std::io::{BufRead, BufReader, pipe};
use std::process::{Command, Stdio};

/// A task with two results of different types.
const HALVES: &str = r#"(module (func (export "halves") (param i64) (result i64 f64)
    (i64.div_s (local.get 0) (i64.const 2))
    (f64.div (f64.convert_i64_s (local.get 0)) (f64.const 2))))"#;

/// A module whose tasks return numbers unchanged.
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
    run.finish()
        .ends(100)
        .prints(expected + "null\n")
        .says("(line 51 of standard input: half a li)");
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
    map("square").flags("--workers none").run().ends(2);
    map_file("/nowhere/m.wasm").jobs(["1"]).run().ends(101).says("/nowhere/m.wasm");
    map("square").flags("-o /dev/full").jobs(["1"]).run().ends(110).says("error: cannot write");
    map("square").flags("-o /nowhere/results").jobs(["1"]).run().ends(110).says("/nowhere/results");
}

#[test]
fn a_dry_run_checks_and_shows_and_runs_nothing() {
    let printed = path("printed");
    let run = map("square").args(["--dry-run", "--timeout", "2s", "-o"]).arg(&printed);
    let done = run.jobs(["1", "2"]).run().ends(0).prints("square(1)\nsquare(2)\n");
    for row in ["task       square", "jobs       2", "timeout    2.00s", "isolation  reuse"] {
        assert!(done.stderr.lines().any(|line| line == row), "{row:?} is not in\n{}", done.stderr);
    }
    assert!(!printed.exists());
    map("cubes").flags("--dry-run --task nothing").jobs(["1"]).run().ends(101);
    let run = map("product").flags("--dry-run -q --csv").stdin("1,2,3\n4,a b,6\n");
    run.run().ends(0).prints("product(1,2,3)\nproduct(4,\"a b\",6)\n").says_nothing();
    let held = map("square").flags("--dry-run -q --delay 1h --range 0..3");
    held.run().ends(0).prints("square(0)\nsquare(1)\nsquare(2)\n");
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

#[test]
fn workers_are_told_in_gnu_parallels_words() {
    let workers = |flags: &str| {
        let done = map("square").arg("--dry-run").flags(flags).jobs(["1"]).run().ends(0);
        let row = done.stderr.lines().find_map(|line| line.strip_prefix("workers"));
        row.expect("a row").trim().parse::<usize>().expect("a number")
    };
    let cpus = workers("-j 100%");
    assert_eq!(workers("-j +1"), cpus + 1);
    assert_eq!(workers("-j -999"), 1);
    assert_eq!((workers("-P 3"), workers("--jobs 3"), workers("--max-procs 3")), (3, 3, 3));
    assert_eq!(workers("--processes 3"), 3);
    assert!(workers("-j 0") >= cpus);
    let done = map("square").flags("-j 0 --batch 1 --range 0..20").run().ends(0);
    assert_eq!(done.lines().len(), 20);
}

#[test]
fn columns_of_lines_are_the_values_of_parameters() {
    let product = |flags: &str, lines: &str| map("product").flags(flags).stdin(lines).run();
    product("--csv", "1,2,3\r\n\"4\",5,6\n").ends(0).prints("6\n120\n");
    product("--colsep [;\\s]+", "1 ; 2;3\n4  5 6").ends(0).prints("6\n120\n");
    product("-C \\t", "1\t2\t3\n").ends(0).prints("6\n");
    product("--csv --colsep ;", "1;2;3\n").ends(0).prints("6\n");
    map("product").arg("--csv").jobs(["1,2,3", "4,5,6"]).run().ends(0).prints("6\n120\n");
    let done = product("--csv", "1,\"2,3\n").ends(100).prints("null\n");
    done.says("row 1 of standard input").says("a quote is not closed");
    // A single column is the value itself, unless the task takes a list.
    map("square").arg("--csv").stdin("7\n\"8\"\n").run().ends(0).prints("49\n64\n");
    map("evens").flags("--csv").stdin("1,2\n4\n").run().ends(0).prints("[2]\n[4]\n");
    for (flags, told) in [
        ("--csv --range 0..3", "have no columns"),
        ("--csv -N 2", "either a row of columns or -N lines"),
        ("--csv --input-format jsonl", "neither columns nor blocks"),
        ("--csv --colsep ,,", "a single byte"),
        ("--colsep a*", "matches where nothing is"),
    ] {
        product(flags, "1\n").ends(2).says(told);
    }
}

#[test]
fn a_header_names_parameters_or_the_fields_of_the_only_one() {
    let points = "b,a\n\"{\"\"x\"\":3,\"\"y\"\":4}\",\"{\"\"x\"\":0,\"\"y\"\":0}\"\n";
    let distance = |flags: &str| map("square-component").flags("--task distance").flags(flags);
    let run = distance("--csv --header : --dry-run -q").stdin(points);
    run.run().ends(0).prints("distance({\"x\":0,\"y\":0},{\"x\":3,\"y\":4})\n");
    distance("--csv --header :").stdin(points).run().ends(0).prints("5.0\n");
    let done = distance("--csv --header :").stdin("a,c\n1,2\n").run().ends(2);
    done.says("the header has no column \"b\"").says("distance(a: point, b: point)");
    // The default separator of columns is the tab; a byte-order mark at the file's beginning is no
    // part of a name.
    let run = map("square").flags("--header : --dry-run -q").stdin("\u{feff}n\tm\n1\tx\n");
    run.run().ends(0).prints("square({\"n\":1,\"m\":\"x\"})\n");
    let files = [file("one.csv", "n\n1\n"), file("two.csv", "n\n2\n"), file("other.csv", "m\n3\n")];
    let run = |files: &[&std::path::Path]| {
        let run = map("square").flags("--header : --dry-run -q");
        files.iter().fold(run, |run, file| run.arg("-a").arg(file)).run()
    };
    run(&[&files[0], &files[1]]).ends(0).prints("square({\"n\":1})\nsquare({\"n\":2})\n");
    run(&[&files[0], &files[2]]).ends(2).says("other.csv has another header");
}

#[test]
fn several_words_or_lines_are_one_job() {
    let expected = "6\n120\n";
    map("product").flags("-N 3").stdin("1\n2\n3\n4\n5\n6\n").run().ends(0).prints(expected);
    map("product").flags("-n 3 --range 1..7").run().ends(0).prints(expected);
    map("product")
        .flags("--max-args 3")
        .jobs(["1", "2", "3", "4", "5", "6"])
        .run()
        .prints(expected);
    let done = map("product").flags("-N 3").stdin("1\n2\n3\n4\n").run().ends(100);
    done.prints("6\nnull\n").says("line 4 of standard input");
    map_wat(SAME).flags("--task seven -N 0 --range 0..2").run().ends(0).prints("7\n7\n");
    map("product").flags("-N 2").jobs(["1"]).jobs(["2"]).run().ends(2).says("a single `:::`");
}

#[test]
fn shuffled_jobs_are_the_same_jobs_in_another_order() {
    let runs = [
        || map("square").flags("--range 0..200"),
        || map("square").jobs((0..200).map(|n| n.to_string())),
        || map("square").stdin((0..200).map(|n| format!("{n}\n")).collect::<String>()),
    ];
    for run in runs {
        let shuffled = |seed: &str| run().flags("--shuf --seed").arg(seed).run().ends(0);
        let (one, again, other) = (shuffled("1"), shuffled("1"), shuffled("2"));
        assert!(one.stdout == again.stdout && one.stdout != other.stdout);
        let mut all: Vec<u64> = one.lines().iter().map(|n| n.parse().expect("a number")).collect();
        assert!(!all.is_sorted());
        all.sort_unstable();
        assert!(all.into_iter().eq((0..200).map(|n| n * n)));
    }
    // The log names the failed job, and a resumed run takes the same order.
    let log = path("log");
    let run = |flags: &str| {
        map("square")
            .flags("--shuf --joblog")
            .arg(&log)
            .flags(flags)
            .jobs(["1", "2", "x", "4", "5"])
    };
    let done = run("").run().ends(100).says("(x)");
    let failed = done.lines().iter().position(|line| *line == "null").expect("a failed job");
    let done = run("--retry-failed").run().ends(100);
    done.says(&format!("job {failed} (x)")).prints("null\n");
    let done = map("square").flags("--shuf --max-buffer 64KiB").stdin("1\n".repeat(70_000)).run();
    done.ends(2).says("--shuf keeps all jobs in memory").says("shuf FILE");
}

#[test]
fn jobs_start_no_sooner_than_the_delay_says() {
    // The delay does not apply after the last job, wherever jobs come from.
    map("square").flags("--delay 1h").jobs(["3"]).run().ends(0).prints("9\n");
    map("square").flags("--delay 1h --range 3..4").run().ends(0).prints("9\n");
    map("square").flags("--delay 1h").stdin("3\n").run().ends(0).prints("9\n");
    let run = map("square").flags("--delay 1h --deadline 0.5 --range 3..9 -j 4");
    run.run().ends(124).prints("9\n");
    map("square").flags("--delay 1ms --range 0..5 -j 3").run().ends(0).prints("0\n1\n4\n9\n16\n");
    // The two jobs that never end keep both workers busy: the third is not even read.
    let mut run = map_wat(STUCK).flags("--delay 1ms -j 2 --deadline 1").piped().start();
    run.write("0\n0\n0\n");
    run.close_stdin();
    run.finish().ends(124);
}

#[test]
fn jobs_start_only_while_there_is_memory_and_cpu() {
    map("square").flags("--memfree 1 --load 99999").jobs(["3"]).run().ends(0).prints("9\n");
    map("square").flags("--memfree 999T --deadline 0.3").jobs(["3"]).run().ends(124).prints("");
    let run = map("square").flags("--memfree 999T --deadline 1m").jobs(["3"]).start();
    run.wait_for_message("wpool: jobs wait until --memfree ");
    let run = map("square").flags("--load 0 --deadline 1m").jobs(["3"]).start();
    run.wait_for_message("wpool: jobs wait until fewer processes run than --load ");
    let mut busy = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().expect("sh");
    let done = map("square").flags("--load 0 --deadline 0.3").jobs(["3"]).run();
    busy.kill().and_then(|()| busy.wait()).expect("it is our child");
    done.ends(124).prints("");
}

#[test]
fn workers_have_the_niceness_that_is_asked_for() {
    for flags in ["--nice 7", "--nice 7 --isolation process"] {
        let run = map_wat(STUCK).flags(flags).jobs(["0"]).start();
        run.until("a worker", || !run.workers().is_empty());
        let stat = fs::read_to_string(format!("/proc/{}/stat", run.workers()[0])).expect("a file");
        let (_, after_name) = stat.rsplit_once(')').expect("a name");
        assert_eq!(after_name.split_whitespace().nth(16), Some("7"), "{stat}");
    }
}

#[test]
fn a_job_that_takes_twice_as_long_as_others_can_be_stopped() {
    let run = map_wat(STUCK).flags("--timeout 200% -j 1").jobs(["1", "2", "3", "0", "5"]);
    let done = run.run().ends(100).prints("1\n2\n3\nnull\n5\n");
    done.says("job 3 (0) timed out: it ran longer than 100ms");
    let run = wpool(["run"]).arg(file("stuck.wat", STUCK)).flags("--timeout 200% stuck(1)");
    run.run().ends(2).says("has no meaning for `wpool run`").says("--timeout 2s");
}

#[test]
fn a_tag_may_be_made_of_the_words_of_its_job() {
    let run = map("product").flags("--csv --tagstring {#}:{2}-{1}").stdin("1,2,3\n4,5,6\n");
    run.run().ends(0).prints("1:2-1\t6\n2:5-4\t120\n");
    let run = map("square").args(["--tagstring", "job {} in {%}"]).flags("-j 1").jobs(["3", "x"]);
    run.run().ends(100).prints("job 3 in 1\t9\njob x in 1\tnull\n");
}

#[test]
fn each_job_can_have_files_of_its_own() {
    let results = folder("results");
    let read = |name: &str| fs::read_to_string(results.join(name)).expect("a file");
    let run = |flags: &str| map("product").flags("--results").arg(&results).flags(flags);
    run("").jobs(["1", "2"]).jobs(["3"]).jobs(["4"]).run().ends(0).prints("12\n24\n");
    assert_eq!((read("1/2/2/3/3/4/stdout"), read("1/2/2/3/3/4/seq")), ("24".into(), "2".into()));
    assert_eq!(read("1/1/2/3/3/4/stderr"), "");
    let run = map("square").flags("--task compute_squares --results").arg(&results);
    run.flags("-q").jobs(["7", "a/b"]).run().ends(100).prints("49\nnull\n");
    assert_eq!(read("1/7/stdout"), "49");
    assert!(read("1/7/stderr").contains("calculating square of 7"));
    assert_eq!(read("1/a\\_b/stdout"), "");
    let left = fs::read_dir(&results).expect("a folder").count();
    assert_eq!(left, 1, "nothing but the folder of the first column is left");
    let run = map("square").flags("--results /proc/nowhere").jobs(["1"]);
    run.run().ends(110).says("cannot write --results /proc/nowhere");
}

#[test]
fn a_list_may_begin_with_a_mark_and_its_first_line_is_right() {
    let list = file("list", "\u{feff}3\n4\n");
    map("square").arg("-a").arg(&list).run().ends(0).prints("9\n16\n");
    map("square").stdin("\u{feff}3").run().ends(0).prints("9\n");
}

#[test]
fn what_is_set_to_nothing_is_not_set() {
    let run = map("square").env("WPOOL_WORKERS", "").env("WPOOL_TAG", "").env("WPOOL_TIMEOUT", "");
    run.jobs(["3"]).run().ends(0).prints("9\n");
}

#[test]
fn minus_zero_is_an_integer_too() {
    map("square").jobs(["-0"]).run().ends(0).prints("0\n");
    map_wat(SAME).flags("--task long").jobs(["-0"]).run().ends(0).prints("0\n");
    map_wat(SAME).flags("--task real").jobs(["-0"]).run().ends(0).prints("-0.0\n");
}

#[test]
fn a_limit_beyond_all_time_is_none() {
    for flags in ["--deadline 1e19", "--timeout 1e300", "--grace 1e19", "--timeout 99999999999h"] {
        map("square").flags(flags).jobs(["3"]).run().ends(0).prints("9\n");
    }
    // The second attempt never starts: only the deadline ends the run.
    let run = map_wat(HALF).flags("--retries 1 --retry-on trap --retry-delay 1e19 --deadline 0.3");
    run.jobs(["1"]).run().ends(124);
}

#[test]
fn shells_complete_the_tasks_of_the_module() {
    let script = file("completions", wpool(["completions", "bash"]).run().ends(0).stdout);
    let complete = r#". "$1"; COMP_WORDS=(wpool map "$2" --task co ::: 3); COMP_CWORD=4
        wpool() { "$3" "$@"; }; _wpool wpool co --task; echo "${COMPREPLY[@]}""#;
    let completed = |module: &std::path::Path| {
        let mut bash = Command::new("bash");
        bash.args(["-c", &complete.replace("\"$3\"", crate::common::run::program()), "bash"]);
        let output = bash.arg(&script).arg(module).env("XDG_CACHE_HOME", path("")).output();
        String::from_utf8(output.expect("bash").stdout).expect("text")
    };
    assert_eq!(completed(&guest("square")), "compute_squares\n");
    assert_eq!(completed("/nowhere/m.wasm".as_ref()), "\n");
    let done = wpool(["tasks", "map", "--jobs"]).arg(guest("square")).arg(":::").run().ends(0);
    assert_eq!(done.lines(), ["compute_squares", "square"]);
    wpool(["tasks", "map"]).arg(guest("wordcount")).run().ends(0).prints("").says_nothing();
}

#[test]
fn help_and_version_are_subcommands_too() {
    let text = |args: &[&str]| String::from_utf8(wpool(args).run().ends(0).stdout).expect("text");
    assert_eq!(text(&["help", "map"]), text(&["map", "--help"]));
    assert_eq!(text(&["version"]), text(&["--version"]));
    let done = map("square").arg("--eta-x").jobs(["1"]).run().ends(2);
    assert!(!done.stderr.contains("retry-failed"), "{}", done.stderr);
    map("square").flags("--sshlogin host").jobs(["1"]).run().ends(2).says("this machine only");
}

#[test]
fn a_job_can_be_the_bytes_of_a_pipe() {
    let run = map("misbehave").arg("--files").jobs(["/dev/fd/0"]).stdin("ok");
    run.run().ends(0).prints("\"ok\"\n");
}
