//! The units of time in tables and charts.

use clap::ValueEnum;

/// A unit of time for tables and charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names say it, and would say it again on the command line")]
pub enum TimeUnit {
    Nanosecond,
    Microsecond,
    Millisecond,
    Second,
}

impl TimeUnit {
    /// Returns the unit in which a number of seconds reads best.
    pub(crate) fn that_suits(seconds: f64) -> TimeUnit {
        match seconds {
            0.0 => TimeUnit::Millisecond,
            ..0.999_5e-6 => TimeUnit::Nanosecond,
            ..0.999_5e-3 => TimeUnit::Microsecond,
            ..0.999_5 => TimeUnit::Millisecond,
            _ => TimeUnit::Second,
        }
    }

    /// Returns the symbol of the unit.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            TimeUnit::Nanosecond => "ns",
            TimeUnit::Microsecond => "µs",
            TimeUnit::Millisecond => "ms",
            TimeUnit::Second => "s",
        }
    }

    /// Converts seconds to this unit.
    pub(crate) fn convert(self, seconds: f64) -> f64 {
        match self {
            TimeUnit::Nanosecond => seconds * 1e9,
            TimeUnit::Microsecond => seconds * 1e6,
            TimeUnit::Millisecond => seconds * 1e3,
            TimeUnit::Second => seconds,
        }
    }

    /// Formats seconds in this unit: the first number with three digits, and the others with as
    /// many decimals as the first.
    pub(crate) fn numbers<const N: usize>(self, seconds: [f64; N]) -> [String; N] {
        let decimals = decimals(self.convert(seconds[0]));
        seconds.map(|seconds| format!("{:.decimals$}", self.convert(seconds)))
    }
}

/// Returns the number of decimals that make three digits.
fn decimals(value: f64) -> usize {
    match value.abs() {
        0.0 => 1,
        // 9.996 has to be written as 10.0.
        value => (2 - (value * 1.000_5).log10().floor() as i32).clamp(0, 6) as usize,
    }
}

/// Formats a time with three digits and its unit, which is the given one or the one that suits the
/// time.
pub(crate) fn text(seconds: f64, unit: Option<TimeUnit>) -> String {
    let unit = unit.unwrap_or(TimeUnit::that_suits(seconds));
    let [number] = unit.numbers([seconds]);
    format!("{number} {}", unit.symbol())
}

/// Formats a ratio: `0.0123 ×`, `1.23 ×`, `123.45 ×`.
pub(crate) fn times(ratio: f64) -> String {
    let decimals = if ratio < 0.1 { decimals(ratio) } else { 2 };
    format!("{ratio:.decimals$} ×")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_in_the_unit_that_suits_them() {
        for (seconds, shown) in [
            (0.0, "0.0 ms"),
            (2.5e-8, "25.0 ns"),
            (1.234e-6, "1.23 µs"),
            (0.000_999_6, "1.00 ms"),
            (0.0456, "45.6 ms"),
            (0.123_4, "123 ms"),
            (1.0, "1.00 s"),
            (1234.5, "1234 s"),
        ] {
            assert_eq!(text(seconds, None), shown);
        }
        assert_eq!([0.0123, 0.5, 123.456].map(times), ["0.0123 ×", "0.50 ×", "123.46 ×"]);
        assert_eq!(text(0.0456, Some(TimeUnit::Second)), "0.0456 s");
        assert_eq!(TimeUnit::Millisecond.numbers([0.0123, 0.000_4]), ["12.3", "0.4"]);
    }
}
