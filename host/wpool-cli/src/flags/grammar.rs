//! The small languages of single flags. Each function parses one, or returns what is wrong with the
//! text.

use crate::cli::units;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use nix::sys::resource::{Resource, getrlimit};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};
use wpool::pool::config::{Halt, HaltLimit, HaltOn, WORKERS_MAX};
use wpool::pool::cpus;
use wpool::wire::directory::Directory;
use wpool::wire::failure::FailureKind;
use wpool::wire::jail::{Features, JailMode};
use wpool::wire::settings::Isolation;

/// Parses `--workers` in GNU parallel's grammar: a number, a share of the usable CPUs, or their
/// number plus or minus a number. 0 stands for as many workers as possible.
pub(super) fn workers(text: &str) -> Result<usize, String> {
    let wrong = || "not a number of workers; write 4, 50%, +1, -1, or 0 for one per job".to_owned();
    let number = |text: &str| text.parse::<i64>().map_err(|_| wrong());
    let cpus = cpus::usable();
    let workers = match (text.as_bytes().first(), text.strip_suffix('%')) {
        (_, Some(percent)) => match percent.parse::<f64>().map_err(|_| wrong())? {
            percent if percent > 0.0 && percent.is_finite() => {
                (cpus as f64 * percent / 100.0).round().max(1.0) as i64
            }
            _ => return Err("a share is above 0%".into()),
        },
        (Some(b'+' | b'-'), None) => (cpus as i64).saturating_add(number(text)?).max(1),
        (_, None) if number(text)? == 0 => return Ok(most_workers()),
        (_, None) => number(text)?,
    };
    match usize::try_from(workers) {
        Ok(workers @ 1..=WORKERS_MAX) => Ok(workers),
        _ => Err(format!("more than {WORKERS_MAX} workers; write 0 for as many as there may be")),
    }
}

/// Returns the most workers that the system's limit on descriptors allows: each takes five
/// descriptors, and the program some of its own.
fn most_workers() -> usize {
    const OF_A_WORKER: u64 = 5;
    const OF_THE_PROGRAM: u64 = 64;
    let descriptors = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(_, most)| most);
    let workers = descriptors.saturating_sub(OF_THE_PROGRAM) / OF_A_WORKER;
    usize::try_from(workers).unwrap_or(usize::MAX).clamp(1, WORKERS_MAX)
}

/// Parses a number of workers for `wpool bench`, as [`workers`] does, but refuses 0.
pub(super) fn measured_workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one worker is needed; leave the flag out for one per CPU".into()),
        _ => workers(text),
    }
}

/// The value of `--timeout`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Timeout {
    /// A time that is the same for all jobs.
    Fixed(Duration),
    /// A percentage of the median time of the jobs that have succeeded so far.
    OfMedian(f64),
}

/// Returns the parser of `--isolation`.
pub(super) fn isolation() -> impl TypedValueParser<Value = Isolation> {
    PossibleValuesParser::new(["reuse", "fresh", "process"]).map(|name| match name.as_str() {
        "fresh" => Isolation::Fresh,
        "process" => Isolation::Process,
        _ => Isolation::Reuse,
    })
}

/// Returns the parser of `--jail`.
pub(super) fn jail() -> impl TypedValueParser<Value = JailMode> {
    PossibleValuesParser::new(["auto", "strict", "off"]).map(|name| match name.as_str() {
        "strict" => JailMode::Strict,
        "off" => JailMode::Off,
        _ => JailMode::Auto,
    })
}

/// Parses the features of a kernel: `filters`, and `landlock=VERSION`, separated by commas.
pub(super) fn kernel(text: &str) -> Result<Features, String> {
    let mut features = Features { filters: false, landlock: 0 };
    for word in text.split(',').filter(|word| !word.is_empty()) {
        match word.split_once('=') {
            None if word == "filters" => features.filters = true,
            Some(("landlock", version)) => {
                features.landlock = version.parse().map_err(|_| "not a version of Landlock")?;
            }
            _ => return Err("not a feature; write filters,landlock=7".into()),
        }
    }
    Ok(features)
}

/// Returns the parser of a name in `--retry-on`.
pub(super) fn retry_on() -> impl TypedValueParser<Value = FailureKind> {
    const NAMES: [&str; 7] = ["trap", "timeout", "memory", "crash", "fuel", "exit", "error"];
    PossibleValuesParser::new(NAMES).map(|name| match name.as_str() {
        "trap" => FailureKind::Trap,
        "timeout" => FailureKind::Timeout,
        "memory" => FailureKind::OutOfMemory,
        "crash" => FailureKind::WorkerLost,
        "fuel" => FailureKind::Fuel,
        "exit" => FailureKind::Exit,
        _ => FailureKind::GuestError,
    })
}

/// Parses `--halt`, in GNU parallel's grammar: `never`, or `now|soon,fail|success|done=N|N%`.
pub(super) fn halt(text: &str) -> Result<Halt, String> {
    let wrong = || "not a rule; write never, now,fail=1, soon,fail=20% or now,success=1".to_owned();
    // The numbers are the short forms of GNU parallel's first years.
    let text = match text {
        "never" | "0" => return Ok(Halt::Never),
        "1" => "soon,fail=1",
        "2" => "now,fail=1",
        "-1" => "soon,success=1",
        "-2" => "now,success=1",
        _ => text,
    };
    let (when, rule) = text.split_once(',').ok_or_else(wrong)?;
    let (what, limit) = rule.split_once('=').ok_or_else(wrong)?;
    let limit = match limit.strip_suffix('%') {
        Some(percent) => match percent.parse::<f64>() {
            Ok(percent) if percent > 0.0 && percent <= 100.0 => HaltLimit::Percent(percent),
            _ => return Err("a share is above 0% and at most 100%".into()),
        },
        None => match limit.parse::<u64>().map_err(|_| wrong())? {
            0 => return Err("the number of jobs must be above 0".into()),
            count => HaltLimit::Count(count),
        },
    };
    let on = match what {
        "fail" => HaltOn::Fail(limit),
        "success" => HaltOn::Success(limit),
        "done" => HaltOn::Done(limit),
        _ => return Err(wrong()),
    };
    match when {
        "now" => Ok(Halt::Now(on)),
        "soon" => Ok(Halt::Soon(on)),
        _ => Err(wrong()),
    }
}

/// Parses `--delimiter`: a character, or its escape as in C.
pub(super) fn delimiter(text: &str) -> Result<u8, String> {
    let wrong = || "not a character of one byte; write , or '\\t' or '\\x1e'".to_owned();
    match text.as_bytes() {
        &[byte] => Ok(byte),
        b"\\n" => Ok(b'\n'),
        b"\\t" => Ok(b'\t'),
        b"\\r" => Ok(b'\r'),
        b"\\\\" => Ok(b'\\'),
        [b'\\', b'x', ..] => u8::from_str_radix(&text[2..], 16).map_err(|_| wrong()),
        [b'\\', ..] => u8::from_str_radix(&text[1..], 8).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

/// Parses `--load` in the grammar of `--workers`: the number of running processes from which on no
/// job starts.
pub(super) fn load(text: &str) -> Result<f64, String> {
    let wrong = || "not a load; write 4, 50%, +1 or -1".to_owned();
    let number = |text: &str| match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(wrong()),
    };
    let cpus = cpus::usable() as f64;
    let load = match text.strip_suffix('%') {
        Some(percent) => cpus * number(percent)? / 100.0,
        None if text.starts_with(['+', '-']) => cpus + number(text)?,
        None => number(text)?,
    };
    // 0 stands for almost none, as in GNU parallel: a job starts if nothing else runs.
    if load >= 0.0 { Ok(load.max(0.01)) } else { Err(wrong()) }
}

/// Parses `--timeout`: a duration, or a share of the median time of jobs.
pub(super) fn timeout(text: &str) -> Result<Timeout, String> {
    let Some(percent) = text.strip_suffix('%') else {
        return units::limit(text).map(Timeout::Fixed);
    };
    match percent.parse::<f64>() {
        Ok(percent) if percent > 100.0 && percent.is_finite() => Ok(Timeout::OfMedian(percent)),
        _ => Err("a share of the median is above 100%; write 200%".into()),
    }
}

/// Parses `--results`: a folder, and none of the other values that GNU parallel accepts.
pub(super) fn results(text: &str) -> Result<PathBuf, String> {
    let ends = [".csv", ".tsv", ".json"].into_iter().find(|end| text.ends_with(end));
    match ends {
        _ if text.is_empty() => Err("the folder has no name".into()),
        Some(end) => Err(format!("a table ({end}) is not written; write --jsonl -o FILE")),
        None if text.contains("{}") => Err(
            "{} has no meaning here; write a folder, in which files are named by the words of jobs"
                .into(),
        ),
        None => Ok(text.into()),
    }
}

/// Parses `--max-buffer`.
pub(super) fn buffer(text: &str) -> Result<usize, String> {
    const BUFFER_BYTES: std::ops::RangeInclusive<u64> = 64 << 10..=3 << 30;
    match units::size(text)? {
        bytes if BUFFER_BYTES.contains(&bytes) => Ok(bytes as usize),
        _ => Err("the buffer must have between 64KiB and 3GiB".into()),
    }
}

/// Parses `--stack`.
pub(super) fn stack(text: &str) -> Result<u64, String> {
    const STACK_BYTES: std::ops::RangeInclusive<u64> = 64 << 10..=64 << 20;
    match units::size(text)? {
        bytes if STACK_BYTES.contains(&bytes) => Ok(bytes),
        _ => Err("the stack must have between 64KiB and 64MiB".into()),
    }
}

/// Parses `--env KEY=VALUE`.
pub(super) fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some(("", _)) => Err("the variable has no name".into()),
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("write KEY=VALUE; the value of your own variable is not passed on".into()),
    }
}

/// Parses `--dir HOST[::GUEST[::ro]]`.
pub(super) fn directory(text: &str) -> Result<Directory, String> {
    let mut parts = text.split("::");
    let host = parts.next().filter(|host| !host.is_empty()).ok_or("the folder has no name")?;
    let guest = parts.next().unwrap_or(host).to_owned();
    let read_only = match (parts.next(), parts.next()) {
        (None, _) => false,
        (Some("ro"), None) => true,
        _ => return Err("write HOST::GUEST or HOST::GUEST::ro".into()),
    };
    if let Some(name) = guest.strip_suffix(":ro").or(guest.strip_suffix(":rw")) {
        return Err(format!("the option follows two colons; write {host}::{name}::ro"));
    }
    let directory = Directory::new(host, guest, read_only);
    match directory.descriptor() {
        Ok(_) => Ok(directory),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            let hint =
                if host.contains(':') { "; write HOST::GUEST or HOST::GUEST::ro" } else { "" };
            Err(format!("there is no folder {host}{hint}"))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Parses the path of `--scratch=GUEST`.
pub(super) fn guest_path(text: &str) -> Result<String, String> {
    match text.starts_with('/') {
        true => Ok(text.to_owned()),
        false => Err("a guest's paths begin at the root: write /tmp".into()),
    }
}

/// Parses `--clock`; returns nanoseconds since 1970.
pub(super) fn clock(text: &str) -> Result<u64, String> {
    let since_1970 = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_rfc3339_weak(text)
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok()),
    };
    since_1970
        .and_then(|time| u64::try_from(time.as_nanos()).ok())
        .ok_or_else(|| "not a time; write 2026-01-31T12:00:00Z, or seconds since 1970".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_a_number_or_a_share_of_the_cpus_and_at_least_one() {
        assert_eq!(workers("3"), Ok(3));
        assert_eq!(workers("100%"), Ok(cpus::usable()));
        assert_eq!(workers("0.001%"), Ok(1));
        assert_eq!(workers("+1"), Ok(cpus::usable() + 1));
        assert_eq!(workers("-1"), Ok((cpus::usable() - 1).max(1)));
        assert_eq!(workers("-9999"), Ok(1));
        assert!(workers("0").is_ok_and(|workers| workers > 1));
        assert!(measured_workers("0").is_err());
        for text in ["", "+", "0%", "-5%", "many", "nan%", "100000", "+9999"] {
            assert!(workers(text).is_err(), "{text}");
        }
    }

    #[test]
    fn halt_has_gnu_parallels_grammar() {
        assert_eq!(halt("never"), Ok(Halt::Never));
        assert_eq!(halt("now,fail=1"), Ok(Halt::Now(HaltOn::Fail(HaltLimit::Count(1)))));
        assert_eq!(halt("soon,fail=20%"), Ok(Halt::Soon(HaltOn::Fail(HaltLimit::Percent(20.0)))));
        assert_eq!(halt("soon,done=10"), Ok(Halt::Soon(HaltOn::Done(HaltLimit::Count(10)))));
        assert_eq!(halt("2"), halt("now,fail=1"));
        assert_eq!(halt("-1"), halt("soon,success=1"));
        for text in ["", "now", "now,fail", "later,fail=1", "now,fail=0", "now,fail=200%", "3"] {
            assert!(halt(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_delimiter_is_a_character_or_its_escape() {
        for (text, byte) in [
            (",", b','),
            ("\\n", b'\n'),
            ("\\0", 0),
            ("\\x1e", 0x1e),
            ("\\\\", b'\\'),
            ("\\", b'\\'),
        ] {
            assert_eq!(delimiter(text), Ok(byte), "{text}");
        }
        for text in ["", "ab", "ж", "\\x", "\\x100", "\\q", "\\ж"] {
            assert!(delimiter(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_load_is_a_number_or_a_share_of_the_cpus() {
        let cpus = cpus::usable() as f64;
        assert_eq!(load("3"), Ok(3.0));
        assert_eq!(load("200%"), Ok(2.0 * cpus));
        assert_eq!(load("+1"), Ok(cpus + 1.0));
        assert_eq!(load("0"), Ok(0.01));
        for text in ["", "x", "-9999", "inf", "%"] {
            assert!(load(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_timeout_is_a_time_or_a_share_of_the_median() {
        assert_eq!(timeout("2s"), Ok(Timeout::Fixed(Duration::from_secs(2))));
        assert_eq!(timeout("150%"), Ok(Timeout::OfMedian(150.0)));
        for text in ["", "0", "100%", "50%", "inf%", "%"] {
            assert!(timeout(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_folder_may_be_renamed_and_made_read_only() {
        let directory = |text| {
            directory(text).map(|dir| (dir.host.display().to_string(), dir.guest, dir.read_only))
        };
        assert_eq!(directory("/"), Ok(("/".into(), "/".into(), false)));
        assert_eq!(directory("/::/data::ro"), Ok(("/".into(), "/data".into(), true)));
        for text in ["", "/::/data::rw", "/::a::ro::b", "/nowhere::/data", "/::/data:ro", "/:/data"]
        {
            assert!(directory(text).is_err(), "{text}");
        }
    }

    #[test]
    fn variables_need_a_name_and_a_value() {
        assert_eq!(variable("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert!(variable("A").is_err());
        assert!(variable("=b").is_err());
    }

    #[test]
    fn a_clock_is_a_date_or_seconds() {
        assert_eq!(clock("1.5"), Ok(1_500_000_000));
        assert_eq!(clock("1970-01-01T00:00:02Z"), Ok(2_000_000_000));
        assert!(clock("soon").is_err());
        assert!(clock("99999999999999").is_err());
    }
}
