//! `--joblog`: a row for each job, and runs that continue where another one stopped.

use crate::common::gate::Gate;
use crate::common::processes::Signal;
use crate::common::run::{Done, Wpool, file, folder, map, map_wat, path, shell};
use std::fs::{self, File};
use std::path::Path;

/// Returns the whole number of each row, and its exit value and signal, in the log's order.
fn rows(log: &Path) -> Vec<(usize, i32, i32)> {
    let text = fs::read_to_string(log).expect("the log is there");
    let mut lines = text.lines();
    let header = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand";
    assert_eq!(lines.next(), Some(header));
    let row = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        assert_eq!(columns.len(), 9, "{line:?}");
        let number = |column: usize| columns[column].parse().expect("a number");
        assert!(columns[2].parse::<f64>().expect("a time") > 1.7e9, "{line:?}");
        assert!(columns[3].trim().parse::<f64>().expect("a time") >= 0.0, "{line:?}");
        (columns[0].parse().expect("a number"), number(6), number(7))
    };
    lines.map(row).collect()
}

/// Cuts the log off after its first `rows` rows, and appends `rest`.
fn cut(log: &Path, rows: usize, rest: &str) {
    let text = fs::read_to_string(log).expect("the log is there");
    let kept: String = text.split_inclusive('\n').take(1 + rows).collect();
    fs::write(log, kept + rest).expect("is writable");
}

/// Returns a run of ten jobs, of which the third and the seventh are invalid.
fn ten(log: &Path) -> Wpool {
    let jobs = ["0", "1", "x", "3", "4", "5", "y", "7", "8", "9"];
    map("square").arg("--joblog").arg(log).jobs(jobs)
}

/// Returns the lines of a file.
fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).expect("it is there").lines().map(str::to_owned).collect()
}

/// Returns a run of a task that counts up to its job, with results in a file. The limit of fuel
/// decides which jobs fail.
fn counting(log: &Path, results: &Path, jobs: &[&str]) -> Wpool {
    let count = r#"(module (func (export "count") (param $n i64) (result i64) (local $i i64)
        (loop $next (local.set $i (i64.add (local.get $i) (i64.const 1)))
            (br_if $next (i64.lt_u (local.get $i) (local.get $n))))
        (local.get $n)))"#;
    map_wat(count).arg("--joblog").arg(log).arg("-o").arg(results).jobs(jobs)
}

/// The jobs of which every second one needs more fuel than there is at first.
const UNEVEN: [&str; 5] = ["1", "90001", "2", "90002", "3"];

/// Returns the lines of the results.
fn results(done: Done) -> Vec<String> {
    done.lines().iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn every_job_has_a_row_of_nine_columns() {
    let log = path("log");
    ten(&log).run().ends(100);
    let mut found = rows(&log);
    found.sort_unstable();
    let expected: Vec<_> = (1..=10).map(|seq| (seq, i32::from(seq == 3 || seq == 7), 0)).collect();
    assert_eq!(found, expected);
    let text = fs::read_to_string(&log).expect("the log is there");
    assert!(text.lines().any(|line| line.ends_with("\t1\t3\t0\t0\t4")), "Send and Receive: {text}");
}

#[test]
fn rows_tell_how_a_job_failed() {
    let log = path("log");
    let kinds = ["ok", "error", "panic", "exit", "spin", "recurse"];
    let run = map("misbehave").flags("--timeout 0.2 --joblog").arg(&log).jobs(kinds);
    run.run().ends(100);
    let mut found = rows(&log);
    found.sort_unstable();
    let values: Vec<(i32, i32)> = found.iter().map(|(_, exit, signal)| (*exit, *signal)).collect();
    assert_eq!(values, [(0, 0), (1, 0), (134, 0), (3, 0), (-1, 9), (134, 0)]);
}

#[test]
fn input_cannot_break_a_row() {
    let log = path("log");
    let run = map("misbehave").flags("-R -0 --joblog").arg(&log);
    run.stdin("a\tb\nc\x00\x1b[2J\r\x00").run().ends(100);
    let text = fs::read_to_string(&log).expect("the log is there");
    assert_eq!(rows(&log).len(), 2);
    assert!(text.contains("\ta\\tb\\nc\n") && text.contains("\t\\x1b[2J\\r\n"), "{text:?}");
}

#[test]
fn resume_runs_the_jobs_without_a_row() {
    let log = path("log");
    ten(&log).run().ends(100);
    cut(&log, 4, "");
    let logged: Vec<usize> = rows(&log).iter().map(|row| row.0).collect();
    let rest = 10 - logged.len();
    let done = ten(&log).arg("--resume").run();
    assert_eq!(results(done).len(), rest);
    let mut seqs: Vec<usize> = rows(&log).iter().map(|row| row.0).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=10).collect::<Vec<usize>>());
    ten(&log).arg("--resume").run().ends(0).prints("");
}

#[test]
fn a_resumed_run_prints_what_was_left_in_order() {
    let log = path("log");
    let squares = || map("square").arg("--joblog").arg(&log).flags("--range 0..1000");
    squares().run().ends(0);
    let text = fs::read_to_string(&log).expect("the log is there");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].sort_by_key(|line| line.split('\t').next().and_then(|n| n.parse::<u64>().ok()));
    let third: String = lines.iter().step_by(3).map(|line| format!("{line}\n")).collect();
    fs::write(&log, format!("{}\n{}", lines[0], third.split_once('\n').expect("rows").1))
        .expect("is writable");
    let kept: Vec<usize> = rows(&log).iter().map(|row| row.0 - 1).collect();
    let left: String = (0..1000_usize)
        .filter(|job| !kept.contains(job))
        .map(|job| format!("{}\n", job * job))
        .collect();
    squares().arg("--resume").run().ends(0).prints(left);
}

#[test]
fn a_torn_last_row_does_not_count_and_is_cut_off() {
    let log = path("log");
    ten(&log).run().ends(100);
    cut(&log, 9, "");
    let missing: Vec<usize> =
        (1..=10).filter(|seq| rows(&log).iter().all(|row| row.0 != *seq)).collect();
    assert_eq!(missing.len(), 1);
    cut(&log, 9, &format!("{}\t:\t17953", missing[0]));
    let done = ten(&log).arg("--resume").run();
    assert_eq!(results(done).len(), 1);
    assert_eq!(rows(&log).len(), 10);
}

#[test]
fn failed_jobs_can_be_run_again_with_or_without_the_rest() {
    let log = path("log");
    ten(&log).run().ends(100).says("run the failed jobs again with: wpool map --retry-failed ");
    ten(&log).arg("--retry-failed").run().ends(100).prints("null\nnull\n");
    ten(&log).arg("--resume-failed").run().ends(100).prints("null\nnull\n");
    // The new rows are appended; the last row of a job counts.
    assert_eq!(rows(&log).len(), 14);
    let text = fs::read_to_string(&log).expect("the log is there");
    let without_nine: String =
        text.split_inclusive('\n').filter(|line| !line.starts_with("9\t")).collect();
    fs::write(&log, without_nine).expect("is writable");
    ten(&log).arg("--retry-failed").run().ends(100).prints("null\nnull\n");
    ten(&log).arg("--resume-failed").run().ends(100).prints("null\nnull\n64\n");
}

#[test]
fn a_log_of_another_run_is_refused_unless_forced() {
    let log = path("log");
    ten(&log).run().ends(100);
    let before = fs::read(&log).expect("the log is there");
    let with_log = |run: Wpool| run.arg("--joblog").arg(&log).arg("--resume");
    let jobs = "help: give the same jobs, or more";
    let others = [
        (with_log(map("square")).jobs(["0", "1"]), "jobs: there is no job 2 any more\n", jobs),
        (
            with_log(map("square")).flags("--range 0..10"),
            "jobs: job 2 is `2`, which it was not\n",
            jobs,
        ),
        (ten(&log).flags("--resume --task compute_squares"), "task\n", "help: --force-resume"),
        (
            with_log(map("cubes")).flags("--task cubes_sum").jobs(["0"]),
            "module\n",
            "help: --force-resume",
        ),
    ];
    for (run, what, help) in others {
        run.run().ends(2).prints("").says(&format!("is of other {what}")).says(help);
        assert!(fs::read(&log).expect("the log is there") == before, "the log was touched");
    }
    let forced = with_log(map("square")).arg("--force-resume").flags("--range 0..12");
    forced.run().ends(0).prints("100\n121\n");
    fs::remove_file(path("log.meta.json")).expect("it is there");
    ten(&log).arg("--resume").run().ends(2).says("log.meta.json").says("help: --force-resume");
}

#[test]
fn what_is_no_log_is_refused_and_an_unwritable_one_too() {
    let log = path("log");
    ten(&log).run().ends(100);
    fs::write(&log, "hello\n").expect("is writable");
    ten(&log).arg("--resume").run().ends(2).says("is not a joblog: line 1 is no row");
    ten(Path::new("/nowhere/log"))
        .run()
        .ends(96)
        .prints("")
        .says("cannot use --joblog /nowhere/log");
    let absurd = "9223372036854775807\t:\t1.0\t0.0\t1\t2\t0\t0\t4\n";
    ten(&log).run().ends(100);
    fs::write(&log, fs::read_to_string(&log).expect("it is there") + absurd).expect("is writable");
    ten(&log).arg("--resume").run().ends(2).says("there is no job 10 any more");
    ten(&log).flags("--resume --force-resume").run().ends(0).prints("");
    map("square").arg("--resume").jobs(["1"]).run().ends(2).says("--joblog");
}

#[test]
fn a_file_of_jobs_may_grow_and_the_first_line_that_differs_is_told() {
    let (log, jobs) = (path("log"), file("jobs", "1\n2\n"));
    let run = || map("square").arg("-a").arg(&jobs).arg("--joblog").arg(&log);
    run().run().ends(0);
    run().arg("--resume").run().ends(0).prints("");
    fs::write(&jobs, "1\n2\n3\n").expect("is writable");
    run().arg("--resume").run().ends(0).prints("9\n");
    fs::write(&jobs, "1\n4\n3\n").expect("is writable");
    let other = format!("is of other jobs: line 2 of {} is `4`, which it was not", jobs.display());
    run().arg("--resume").run().ends(2).prints("").says(&other);
    fs::write(&jobs, "1\n2\n").expect("is writable");
    run().arg("--resume").run().ends(2).says("there is no job 2 any more");
}

#[test]
fn jobs_that_are_made_of_several_words_are_compared_as_well() {
    let (log, jobs) = (path("log"), file("jobs", ""));
    let ways = [
        ("product", "--csv", "1,2,3\n4,5,6\n", "row 2 of"),
        ("product", "-N 3", "1\n2\n3\n4\n5\n6\n", "line 4 of"),
        ("product", "--csv --shuf --seed 7", "1,2,3\n4,5,6\n", "job "),
        ("wordcount", "-N 2 --ok-exit 1", "a\nb\nc\n5\n", "line 3 of"),
        ("wordcount", "--pipe --block 3", "a\nb\n5\nd\n", "block 3 of"),
    ];
    for (guest, flags, text, place) in ways {
        let run = || map(guest).flags(flags).arg("-a").arg(&jobs).arg("--joblog").arg(&log);
        fs::write(&jobs, text).expect("is writable");
        run().run().ends(0);
        // Written anew, they are the same; and so are they if there are more of them, in their order.
        fs::remove_file(&jobs).expect("it is there");
        fs::write(&jobs, text).expect("is writable");
        run().arg("--resume").run().ends(0).prints("");
        if !flags.contains("--shuf") {
            let more = text.to_owned() + text;
            fs::write(&jobs, &more).expect("is writable");
            let before = rows(&log).len();
            run().arg("--resume").run().ends(0);
            assert_eq!(rows(&log).len(), 2 * before, "{flags}");
        }
        // The file gets as many bytes, but another job.
        let modified = fs::metadata(&jobs).expect("it is there").modified().expect("a time");
        fs::write(&jobs, text.replace('5', "7")).expect("is writable");
        File::options()
            .write(true)
            .open(&jobs)
            .expect("a file")
            .set_modified(modified)
            .expect("a time");
        let before = fs::read(&log).expect("it is there");
        let done = run().arg("--resume").run().ends(2).prints("");
        done.says("error: the joblog is of other jobs: ")
            .says(place)
            .says("7")
            .says("which it was not");
        assert!(fs::read(&log).expect("it is there") == before, "the log was touched");
    }
    let run =
        |flags: &str| map("product").flags(flags).jobs(["1", "2", "3"]).arg("--joblog").arg(&log);
    run("-N 3").run().ends(0);
    run("-N 1 --resume").run().ends(2).says("is of other columns, blocks or order of jobs");
}

#[test]
fn a_pipe_with_other_jobs_is_noticed() {
    let log = path("log");
    let run = |jobs: &str| map("square").arg("--joblog").arg(&log).stdin(jobs);
    run("1\n2\n").run().ends(0);
    run("1\n2\n3\n").arg("--resume").run().ends(0).prints("9\n");
    let other = "line 2 of standard input is `5`, which it was not";
    run("1\n5\n3\n4\n").arg("--resume").run().ends(2).prints("").says(other);
    assert_eq!(rows(&log).len(), 3);
}

#[test]
fn two_runs_cannot_write_one_log_or_one_file_of_results() {
    let (gate, log, results) = (Gate::new(), path("log"), path("results"));
    let run = gate.map("wait", 1).arg("--joblog").arg(&log).arg("-o").arg(&results).start();
    run.until("a job", || gate.started().len() == 1);
    let second = map("square").arg("--joblog").arg(&log).jobs(["1"]).run().ends(96);
    second.says("error: another run writes --joblog").says("help: wait until it has ended");
    let second = map("square").arg("-o").arg(&results).jobs(["1"]).run().ends(110);
    second.says("error: another run writes --output");
    gate.open_all();
    run.finish().ends(0);
    assert_eq!((rows(&log).len(), lines(&results).len()), (1, 1));
}

#[test]
fn a_killed_run_goes_on_and_every_job_is_logged_once() {
    let (log, journal) = (path("log"), folder("journal"));
    let run = || {
        let run = map("journal").flags("--task journal --range 0..20000 --joblog").arg(&log);
        run.dir(&journal, "/journal")
    };
    let started = run().start();
    started.until("some rows", || fs::metadata(&log).is_ok_and(|log| log.len() > 50_000));
    started.signal(Signal::SIGKILL);
    let printed = started.finish();
    assert_eq!(printed.signal, Some(9));
    let rest = run().arg("--resume").run().ends(0);
    let mut seqs: Vec<usize> = rows(&log).iter().map(|row| row.0).collect();
    seqs.sort_unstable();
    assert!(seqs == (1..=20000).collect::<Vec<usize>>(), "{} rows", seqs.len());
    // A row is written after its result, so nothing is missing; jobs that were not logged run
    // again.
    let mut results: Vec<usize> = [printed.lines(), rest.lines()]
        .concat()
        .iter()
        .filter_map(|line| line.parse().ok())
        .collect();
    results.sort_unstable();
    results.dedup();
    assert!(results == (0..20000).collect::<Vec<usize>>(), "{} results", results.len());
}

#[test]
fn a_killed_run_goes_on_and_its_file_is_that_of_an_uninterrupted_one() {
    let (log, results, journal) = (path("log"), path("results"), folder("journal"));
    let run = || {
        let run = map("journal").flags("--task journal --range 0..4000 --joblog").arg(&log);
        run.arg("-o").arg(&results).dir(&journal, "/journal")
    };
    let expected: Vec<String> = (0..4000).map(|job| job.to_string()).collect();
    let started = run().start();
    started.until("some rows", || fs::metadata(&log).is_ok_and(|log| log.len() > 20_000));
    started.signal(Signal::SIGKILL);
    assert_eq!(started.finish().signal, Some(9));
    // The files look as if the run was killed between a result and its row, and in the middle of
    // each.
    let append = |path: &Path, text: &str| {
        fs::write(path, fs::read_to_string(path).expect("it is there") + text)
            .expect("is writable");
    };
    append(&results, "12345\n6");
    append(&log, "12\t:\t17000");
    run().arg("--resume").run().ends(0).prints("");
    assert!(lines(&results) == expected);
    assert_eq!(rows(&log).len(), 4000);
    // The jobs are all done, so nothing changes.
    run().arg("--resume-failed").run().ends(0);
    assert!(lines(&results) == expected);
}

#[test]
fn the_line_that_a_stopped_run_prints_can_be_pasted() {
    let (gate, log, results) = (Gate::new(), path("log"), path("results"));
    let run = gate.map("wait", 6).flags("-j 1 --joblog").arg(&log).arg("-o").arg(&results).start();
    (0..3).for_each(|job| gate.open(job));
    run.until("three results", || fs::metadata(&log).is_ok() && rows_so_far(&log) == 3);
    run.until("the fourth job", || gate.started().len() == 4);
    run.signal(Signal::SIGINT);
    run.wait_for_message("draining");
    gate.open_all();
    let done = run.finish().ends(130);
    let before = lines(&results);
    assert_eq!(before.len(), 4);
    let line = done.stderr.lines().find_map(|line| line.strip_prefix("wpool: go on with: wpool "));
    let script = format!("exec \"$0\" {}", line.expect("a line to paste"));
    shell(&script).run().ends(0);
    let after = lines(&results);
    assert_eq!((after.len(), &after[..4]), (6, &before[..]));
    assert_eq!(gate.started().len(), 6, "no job has run twice");
}

/// Returns the number of whole rows of a log.
fn rows_so_far(log: &Path) -> usize {
    fs::read_to_string(log).unwrap_or_default().matches('\n').count().saturating_sub(1)
}

#[test]
fn results_of_jobs_that_are_run_again_go_to_their_place() {
    for flags in ["", "--jsonl", "--output-format null --tag"] {
        let (log, results, once) = (path("log"), path("results"), path("once"));
        let run = |log: &Path, results: &Path| counting(log, results, &UNEVEN).flags(flags);
        run(&log, &results).flags("--fuel 10000").run().ends(100);
        run(&log, &results).arg("--retry-failed").run().ends(0).prints("");
        run(&path("other"), &once).run().ends(0);
        match flags {
            "--jsonl" => {
                let outputs = lines(&results).into_iter().map(|row| {
                    let row: serde_json::Value = serde_json::from_str(&row).expect("a row");
                    (row["seq"].to_string(), row["output"].to_string())
                });
                let expected =
                    UNEVEN.iter().enumerate().map(|(n, job)| (n.to_string(), (*job).into()));
                assert_eq!(outputs.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
            }
            _ => assert_eq!(lines(&results), lines(&once)),
        }
        assert_eq!(rows(&log).len(), 7, "attempts stay in the log");
        // The log knows where the results are now: one more is added at the end.
        counting(&log, &results, &[&UNEVEN[..], &["4"]].concat())
            .flags(flags)
            .arg("--resume")
            .run();
        let added = fs::read_to_string(&results).expect("it is there");
        assert!(added.contains('4') && !added.contains("null"), "{added}");
    }
}

#[test]
fn many_jobs_may_fail_again_and_again() {
    let (log, results) = (path("log"), path("results"));
    let jobs: Vec<&str> = (0..1500).map(|n| UNEVEN[n % 5]).collect();
    let run = || counting(&log, &results, &jobs);
    run().flags("--fuel 10000").run().ends(100);
    for flag in ["--retry-failed", "--resume-failed"] {
        run().flags("--fuel 10000").arg(flag).run().ends(100);
    }
    run().arg("--retry-failed").run().ends(0);
    assert!(lines(&results) == jobs);
    assert_eq!(rows(&log).len(), 1500 + 3 * 600);
    // The last job may be the first to be run again.
    let last = |jobs| counting(&log, &results, jobs);
    last(&["1", "90001"]).flags("--fuel 10000").run().ends(100);
    last(&["1", "90001", "2"]).arg("--resume-failed").run().ends(0);
    assert_eq!(lines(&results), ["1", "90001", "2"]);
}

#[test]
fn a_merge_in_which_a_run_was_killed_is_ended_or_undone() {
    let (log, results) = (path("log"), path("results"));
    for (ready, expected) in [(true, "1\n90001\n"), (false, "1\nnull\n")] {
        let run = || counting(&log, &results, &UNEVEN[..2]);
        run().flags("--fuel 10000").run().ends(100);
        let meta = fs::read_to_string(path("log.meta.json")).expect("it is there");
        let merge = format!("\"merge\": {{\"output\": {results:?}, \"ready\": {ready}}}");
        fs::write(path("log.meta.json"), meta.replace("\"merge\": null", &merge))
            .expect("is writable");
        let row = fs::read_to_string(&log).expect("it is there").replace("\t5\t-1\t", "\t6\t0\t");
        fs::write(path("log.merging"), row).expect("is writable");
        fs::write(path("results.merging"), "1\n90001\n").expect("is writable");
        // The fuel is too little for any further job to succeed.
        run().flags("--fuel 10000 --resume").run().ends(0);
        assert_eq!(fs::read_to_string(&results).expect("it is there"), expected);
        assert!(!path("log.merging").exists() && !path("results.merging").exists());
    }
}

#[test]
fn unordered_results_are_appended() {
    let (log, results) = (path("log"), path("results"));
    let run = || counting(&log, &results, &UNEVEN).arg("--unordered");
    run().flags("--fuel 10000").run().ends(100);
    let before = fs::read_to_string(&results).expect("it is there");
    run().arg("--resume-failed").run().ends(0);
    let after = fs::read_to_string(&results).expect("it is there");
    assert!(after.starts_with(&before) && after.lines().count() == 5, "{after}");
}

#[test]
fn what_is_not_the_runs_own_stays_and_results_that_are_gone_are_noticed() {
    let (log, results) = (path("log"), path("results"));
    let run = || counting(&log, &results, &UNEVEN);
    run().flags("--fuel 10000").run().ends(100);
    let read = || fs::read_to_string(&results).expect("it is there");
    let with_more = read() + "more\n";
    fs::write(&results, &with_more).expect("is writable");
    run().arg("--resume-failed").run().ends(0);
    assert_eq!(read(), with_more + "90001\n90002\n");
    fs::write(&results, "").expect("is writable");
    let gone = run().arg("--resume-failed").run().ends(2);
    gone.says("results has 0 of the 33 bytes of results that --joblog").says("help: append to it");
    assert_eq!(read(), "");
    // Another file at the same path is not cut, even if the run before was killed.
    let meta = fs::read_to_string(path("log.meta.json")).expect("it is there");
    fs::write(path("log.meta.json"), meta.replace("\"closed\": true", "\"closed\": false"))
        .expect("is writable");
    let kept = file("kept", "x".repeat(100));
    fs::rename(&kept, &results).expect("is writable");
    let other = run().arg("--resume-failed").run().ends(2);
    other.says("has 67 bytes behind the results").says("truncate -s 33 FILE");
    assert_eq!(read().len(), 100);
    // The jobs that are there are unknown without the log.
    fs::write(&results, "1\n").expect("is writable");
    let unknown = counting(&path("new"), &results, &UNEVEN).arg("--resume").run().ends(2);
    unknown.says("has no rows, and --output").says("help: without a resume flag both begin anew");
    assert!(read() == "1\n" && !path("new").exists());
}

#[test]
fn standard_output_in_a_file_is_appended_to_and_never_lost() {
    let (log, results) = (path("log"), path("results"));
    let run = |to: &str, flags: &str| {
        let run = map("square").arg("--joblog").arg(&log).flags(flags).jobs(["1", "2", "3"]);
        run.in_shell(&format!("exec \"$@\" {to} '{}'", results.display()))
    };
    let read = || fs::read_to_string(&results).expect("it is there");
    fs::write(&results, "before\n").expect("is writable");
    run(">>", "").run().ends(0);
    assert_eq!(read(), "before\n1\n4\n9\n");
    // The run looks as if it had been killed.
    cut(&log, 2, "");
    let meta = fs::read_to_string(path("log.meta.json")).expect("it is there");
    fs::write(path("log.meta.json"), meta.replace("\"closed\": true", "\"closed\": false"))
        .expect("is writable");
    let refused = run(">>", "--resume").run().ends(2);
    refused.says("standard output has 2 bytes behind the results").says("truncate -s 11 FILE");
    fs::write(&results, "before\n1\n4\n").expect("is writable");
    run(">>", "--resume").run().ends(0);
    assert_eq!(read(), "before\n1\n4\n9\n");
    run(">", "--resume").run().ends(2).says("standard output has 0 of the 13 bytes of results");
}

#[test]
fn a_file_that_cannot_grow_is_named_and_the_run_goes_on_exactly_when_it_can() {
    let one = r#"(module (import "wpool" "result_write" (func $result_write (param i32 i32)))
        (memory (export "memory") 1) (data (i32.const 0) "1")
        (func (export "task_one") (result i32)
            (call $result_write (i32.const 0) (i32.const 1)) (i32.const 0)))"#;
    let job = |n: usize| format!("{n}{}", "x".repeat(40_000));
    let jobs = file("jobs", (0..300).map(|n| job(n) + "\n").collect::<String>());
    // The log names the jobs and, with --jsonl, so does the output before it.
    for (flags, code, what) in [("--jsonl", 110, "--output"), ("", 96, "--joblog")] {
        let (log, results) = (path("log"), path("results"));
        let run = || {
            let run = map_wat(one).args(["-j", "2", "-R", "--max-buffer", "1MiB"]).flags(flags);
            run.arg("--joblog").arg(&log).arg("-o").arg(&results).arg("-a").arg(&jobs)
        };
        // The limit is 8 MB: less than the files take, and more than the processes need.
        let done = run().in_shell("ulimit -f 16384; exec \"$@\"").run().ends(code);
        let done = done.says(&format!("error: cannot write {what} ")).says("File too large");
        done.says(
            "help: raise the limit of a file's size: ulimit -f; go on with: wpool map --resume",
        );
        assert!(fs::read_to_string(&log).expect("it is there").ends_with('\n'), "no torn row");
        let there = lines(&results).len();
        assert!(there > 0 && there == rows(&log).len(), "{there} results");
        run().arg("--resume-failed").run().ends(0);
        let expected = (0..300).map(|n| match flags {
            "" => "1".to_owned(),
            _ => format!("{{\"seq\":{n},\"input\":\"{}\",\"ok\":true,\"output\":1,", job(n)),
        });
        assert!(lines(&results).iter().zip(expected).all(|(line, begin)| line.starts_with(&begin)));
        assert_eq!(lines(&results).len(), 300);
        fs::remove_file(&results).expect("it is there");
    }
}

#[test]
fn what_was_saved_is_not_replaced_by_the_rest() {
    let (log, saved) = (path("log"), path("saved"));
    let run = |queue: &str, jobs: &[&str]| {
        let run =
            map("evens").flags("--task put_evens --joblog").arg(&log).arg("--queue").arg(queue);
        run.arg("--save").arg(format!("evens={}", saved.display())).jobs(jobs)
    };
    run("evens", &["[1,2]"]).run().ends(0);
    let refused = run("evens", &["[1,2]", "[4]"]).arg("--resume").run().ends(2);
    refused.says("would replace what the run before has saved").says("=@FILE");
    assert_eq!(lines(&saved), ["2"]);
    let loaded = format!("evens=@{}", saved.display());
    run(&loaded, &["[1,2]", "[4]"]).arg("--resume").run().ends(0);
    assert_eq!(lines(&saved), ["2", "4"]);
}
