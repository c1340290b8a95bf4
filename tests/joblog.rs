//! `--joblog`: a row for each job, and runs that go on where another one stopped.

mod common;

use common::processes::Signal;
use common::run::{Done, Wpool, file, folder, map, path};
use std::fs;
use std::path::Path;

/// The whole number of each row, and its exit value and signal, in the log's order.
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

/// Cuts the log off behind its first so many rows, and adds something.
fn cut(log: &Path, rows: usize, rest: &str) {
    let text = fs::read_to_string(log).expect("the log is there");
    let kept: String = text.split_inclusive('\n').take(1 + rows).collect();
    fs::write(log, kept + rest).expect("is writable");
}

/// Ten jobs, of which the third and the seventh are invalid.
fn ten(log: &Path) -> Wpool {
    let jobs = ["0", "1", "x", "3", "4", "5", "y", "7", "8", "9"];
    map("square").arg("--joblog").arg(log).jobs(jobs)
}

/// The lines of results.
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
    assert!(text.lines().any(|line| line.ends_with("\t1\t2\t0\t0\t4")), "Send and Receive: {text}");
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
    // Rows are added; the last one counts.
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
    let others = [
        (with_log(map("square")).jobs(["0", "1"]), "jobs"),
        (with_log(map("square")).flags("--range 0..10"), "jobs"),
        (ten(&log).flags("--resume --task compute_squares"), "task"),
        (with_log(map("cubes")).flags("--task cubes_sum").jobs(["0"]), "module"),
    ];
    for (run, what) in others {
        let done = run.run().ends(2).prints("").says(&format!("is of other {what}\n"));
        done.says("help: --force-resume");
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
    map("square").arg("--resume").jobs(["1"]).run().ends(2).says("--joblog");
}

#[test]
fn a_file_of_jobs_that_changed_is_other_jobs() {
    let (log, jobs) = (path("log"), file("jobs", "1\n2\n"));
    let run = || map("square").arg("-a").arg(&jobs).arg("--joblog").arg(&log);
    run().run().ends(0);
    run().arg("--resume").run().ends(0).prints("");
    fs::write(&jobs, "1\n2\n3\n").expect("is writable");
    run().arg("--resume").run().ends(2).says("is of other jobs");
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
    // A row is written after its result, so nothing is missing; what was not logged runs again.
    let mut results: Vec<usize> = [printed.lines(), rest.lines()]
        .concat()
        .iter()
        .filter_map(|line| line.parse().ok())
        .collect();
    results.sort_unstable();
    results.dedup();
    assert!(results == (0..20000).collect::<Vec<usize>>(), "{} results", results.len());
}
