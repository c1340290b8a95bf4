//! The small languages of single flags. Each function reads one, or says what is wrong with it.

use crate::cli::units;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::path::{Path, absolute};
use std::time::UNIX_EPOCH;
use wpool::pool::config::{Halt, HaltLimit, HaltOn, WORKERS_MAX};
use wpool::pool::cpus;
use wpool::wire::failure::FailureKind;
use wpool::wire::settings::{Directory, Isolation};

/// `--workers`: a number, or a share of the usable CPUs.
pub(super) fn workers(text: &str) -> Result<usize, String> {
    let wrong = || "not a number of workers; write 4 or 50%".to_owned();
    let workers = match text.strip_suffix('%') {
        None => text.parse::<i64>().map_err(|_| wrong())?,
        Some(percent) => match percent.parse::<f64>().map_err(|_| wrong())? {
            percent if percent > 0.0 && percent.is_finite() => {
                (cpus::usable() as f64 * percent / 100.0).round().max(1.0) as i64
            }
            _ => 0,
        },
    };
    match usize::try_from(workers) {
        Ok(workers @ 1..=WORKERS_MAX) => Ok(workers),
        Ok(1..) => Err(format!("more than {WORKERS_MAX} workers")),
        _ => Err("at least one worker is needed; leave the flag out for one per CPU".into()),
    }
}

/// `--isolation`.
pub(super) fn isolation() -> impl TypedValueParser<Value = Isolation> {
    PossibleValuesParser::new(["reuse", "fresh", "process"]).map(|name| match name.as_str() {
        "fresh" => Isolation::Fresh,
        "process" => Isolation::Process,
        _ => Isolation::Reuse,
    })
}

/// A name of `--retry-on`.
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

/// `--halt`, in GNU parallel's grammar: `never`, or `now|soon,fail|success|done=N|N%`.
pub(super) fn halt(text: &str) -> Result<Halt, String> {
    let wrong = || "not a rule; write never, now,fail=1, soon,fail=20% or now,success=1".to_owned();
    if text == "never" {
        return Ok(Halt::Never);
    }
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

/// `--max-buffer`.
pub(super) fn buffer(text: &str) -> Result<usize, String> {
    const BUFFER_BYTES: std::ops::RangeInclusive<u64> = 64 << 10..=3 << 30;
    match units::size(text)? {
        bytes if BUFFER_BYTES.contains(&bytes) => Ok(bytes as usize),
        _ => Err("the buffer must have between 64KiB and 3GiB".into()),
    }
}

/// `--stack`.
pub(super) fn stack(text: &str) -> Result<u64, String> {
    const STACK_BYTES: std::ops::RangeInclusive<u64> = 64 << 10..=64 << 20;
    match units::size(text)? {
        bytes if STACK_BYTES.contains(&bytes) => Ok(bytes),
        _ => Err("the stack must have between 64KiB and 64MiB".into()),
    }
}

/// `--env KEY=VALUE`.
pub(super) fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some(("", _)) => Err("the variable has no name".into()),
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("write KEY=VALUE; the value of your own variable is not passed on".into()),
    }
}

/// `--dir HOST[::GUEST[::ro]]`.
pub(super) fn directory(text: &str) -> Result<Directory, String> {
    let mut parts = text.split("::");
    let host = parts.next().filter(|host| !host.is_empty()).ok_or("the folder has no name")?;
    let guest = parts.next().unwrap_or(host).to_owned();
    let read_only = match (parts.next(), parts.next()) {
        (None, _) => false,
        (Some("ro"), None) => true,
        _ => return Err("write HOST::GUEST or HOST::GUEST::ro".into()),
    };
    if !Path::new(host).is_dir() {
        return Err(format!("there is no folder {host}"));
    }
    let host = absolute(host).map_err(|error| error.to_string())?;
    Ok(Directory { host, guest, read_only })
}

/// `--clock`, in nanoseconds since 1970.
pub(super) fn clock(text: &str) -> Result<u64, String> {
    let since_1970 = match units::duration(text) {
        Ok(duration) if text.parse::<f64>().is_ok() => Some(duration),
        _ => humantime::parse_rfc3339_weak(text)
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
        for text in ["0", "-1", "0%", "-5%", "many", "nan%", "100000"] {
            assert!(workers(text).is_err(), "{text}");
        }
    }

    #[test]
    fn halt_has_gnu_parallels_grammar() {
        assert_eq!(halt("never"), Ok(Halt::Never));
        assert_eq!(halt("now,fail=1"), Ok(Halt::Now(HaltOn::Fail(HaltLimit::Count(1)))));
        assert_eq!(halt("soon,fail=20%"), Ok(Halt::Soon(HaltOn::Fail(HaltLimit::Percent(20.0)))));
        assert_eq!(halt("soon,done=10"), Ok(Halt::Soon(HaltOn::Done(HaltLimit::Count(10)))));
        for text in ["", "now", "now,fail", "later,fail=1", "now,fail=0", "now,fail=200%", "2"] {
            assert!(halt(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_folder_may_be_renamed_and_made_read_only() {
        let directory = |text| {
            directory(text).map(|dir| (dir.host.display().to_string(), dir.guest, dir.read_only))
        };
        assert_eq!(directory("/"), Ok(("/".into(), "/".into(), false)));
        assert_eq!(directory("/::/data::ro"), Ok(("/".into(), "/data".into(), true)));
        for text in ["", "/::/data::rw", "/::a::ro::b", "/nowhere::/data"] {
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
