//! Sizes and durations, as people write them.

use std::time::Duration;

const BINARY: [(&str, u64); 4] = [("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)];
const DECIMAL: [(&str, u64); 4] =
    [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000)];

/// Parses a size in bytes: `4096`, `64MiB` or `64M` (powers of 1024), `64MB` (powers of 1000).
///
/// # Errors
/// Fails if the text is not a size, or one that does not fit in 64 bits.
pub fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_uppercase();
    let binary = unit.strip_suffix("IB").unwrap_or(&unit);
    let factor = match unit.as_str() {
        "" | "B" => Some(1),
        _ => DECIMAL
            .iter()
            .find(|(name, _)| *name == unit)
            .or_else(|| BINARY.iter().find(|(name, _)| *name == binary))
            .map(|(_, factor)| *factor),
    };
    let bytes = match (number.parse::<u64>(), number.parse::<f64>(), factor) {
        (Ok(number), _, Some(factor)) => number.checked_mul(factor),
        (_, Ok(number), Some(factor)) => {
            let bytes = number * factor as f64;
            (bytes < u64::MAX as f64).then_some(bytes as u64)
        }
        _ => return Err("not a size; write 4096, 64MiB, 1.5G".into()),
    };
    bytes.ok_or_else(|| "too large".into())
}

/// Formats a size as [`size`] parses it, to at most one decimal.
pub fn size_text(bytes: u64) -> String {
    for (unit, factor) in BINARY {
        if bytes >= factor {
            let tenths = (u128::from(bytes) * 10 / u128::from(factor)) as u64;
            return match tenths % 10 {
                0 => format!("{}{unit}iB", tenths / 10),
                tenth => format!("{}.{tenth}{unit}iB", tenths / 10),
            };
        }
    }
    format!("{bytes}B")
}

/// The longest duration: a hundred years are as good as for ever.
const DURATION_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Parses a duration: `0.5` (seconds), `200ms`, `1.5s`, `1h 30m`.
///
/// # Errors
/// Fails if the text is not a duration, or is negative.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "not a duration; write 0.5 (seconds), 200ms, 1.5s, 1h30m".to_owned();
    let duration = match text.trim().parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds > DURATION_MAX.as_secs_f64() => DURATION_MAX,
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?,
        Err(_) => humantime::parse_duration(text.trim()).map_err(|_| wrong())?,
    };
    Ok(duration.min(DURATION_MAX))
}

/// Parses a duration for a limit, which cannot be zero.
///
/// # Errors
/// Fails if the text is not a duration, or is zero.
pub fn limit(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("the limit must be above zero; leave the flag out for none".into()),
        duration => Ok(duration),
    }
}

/// Formats a duration to three digits, in the unit that suits it.
pub fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        0.0..0.001 => format!("{:.0}µs", seconds * 1e6),
        0.001..0.01 => format!("{:.1}ms", seconds * 1e3),
        0.01..0.9995 => format!("{:.0}ms", seconds * 1e3),
        0.9995..9.995 => format!("{seconds:.2}s"),
        9.995..59.95 => format!("{seconds:.1}s"),
        _ => humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string(),
    }
}

/// Formats a count with its noun: `1 job`, `2 jobs`.
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_binary_and_decimal_units_and_fractions() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("64MiB", 64 << 20),
            ("1G", 1 << 30),
            ("512k", 512 << 10),
            ("1.5GiB", 3 << 29),
            ("10 MB", 10_000_000),
            ("7B", 7),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_size_is_refused() {
        for text in ["", "-1", "1X", "MiB", "1..2", "99999999999T", "1e9"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_printed_size_can_be_read_again() {
        assert_eq!(size_text(64 << 20), "64MiB");
        assert_eq!(size_text(3 << 29), "1.5GiB");
        assert_eq!(size_text(1023), "1023B");
        assert_eq!(size(&size_text(1 << 40)), Ok(1 << 40));
    }

    #[test]
    fn durations_are_seconds_or_have_units() {
        for (text, milliseconds) in
            [("0.5", 500), ("3", 3000), ("1.5s", 1500), ("200ms", 200), ("1h30m", 5_400_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "-1", "nan", "inf", "5 parsecs"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(limit("0").is_err());
        for text in ["1e19", "1e300", "9999999999999h"] {
            assert_eq!(duration(text), Ok(DURATION_MAX), "{text}");
        }
    }

    #[test]
    fn durations_are_printed_to_three_digits() {
        for (microseconds, text) in [
            (7, "7µs"),
            (1_234, "1.2ms"),
            (45_600, "46ms"),
            (1_234_000, "1.23s"),
            (90e6 as u64, "1m 30s"),
        ] {
            assert_eq!(duration_text(Duration::from_micros(microseconds)), text);
        }
    }
}
