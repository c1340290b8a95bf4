//! Jobs that leave a trace, so that it is on record which jobs really ran, and how often.
//!
//! The tasks need a folder to write to: `wpool map --dir HOST::/journal journal.wasm --task
//! journal`.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use wpool_guest::task;

/// Works for about 100 microseconds, then adds the line `n` to the file `/journal/log`.
#[task]
fn journal(n: i64) -> i64 {
    spin(n, 100);
    record(Path::new("/journal/log"), n).expect("/journal is a folder to write to");
    n
}

/// Works for `micros` microseconds and returns `n`.
#[task]
fn spin(n: i64, micros: i64) -> i64 {
    let start = Instant::now();
    // A negative time is over at once.
    let time = Duration::from_micros(micros.try_into().unwrap_or(0));
    while start.elapsed() < time {}
    n
}

/// Adds a line in one write, so that the lines of several processes never mix.
fn record(log: &Path, n: i64) -> io::Result<()> {
    let mut log = OpenOptions::new().append(true).create(true).open(log)?;
    log.write_all(format!("{n}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;

    #[test]
    fn records_are_lines_in_order() {
        let log = env::temp_dir().join(format!("wpool-journal-{}", process::id()));
        record(&log, 1).and_then(|()| record(&log, -2)).expect("is writable");
        let text = fs::read_to_string(&log).expect("was written");
        fs::remove_file(&log).expect("is there");
        assert_eq!(text, "1\n-2\n");
    }

    #[test]
    fn spinning_takes_the_time_it_was_given() {
        let start = Instant::now();
        assert_eq!(spin(7, 2000), 7);
        assert!(start.elapsed() >= Duration::from_millis(2));
        assert_eq!(spin(7, -1), 7);
    }
}
