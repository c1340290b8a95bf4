//! Units that times are shown in.

use clap::ValueEnum;

/// What times are shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names say it, and would say it again on the command line")]
pub enum TimeUnit {
    Nanosecond,
    Microsecond,
    Millisecond,
    Second,
}

impl TimeUnit {
    /// The unit in which so many seconds read best.
    pub(crate) fn that_suits(seconds: f64) -> TimeUnit {
        match seconds {
            0.0 => TimeUnit::Millisecond,
            ..0.999_5e-6 => TimeUnit::Nanosecond,
            ..0.999_5e-3 => TimeUnit::Microsecond,
            ..0.999_5 => TimeUnit::Millisecond,
            _ => TimeUnit::Second,
        }
    }

    /// Its symbol.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            TimeUnit::Nanosecond => "ns",
            TimeUnit::Microsecond => "µs",
            TimeUnit::Millisecond => "ms",
            TimeUnit::Second => "s",
        }
    }

    /// So many seconds in this unit.
    pub(crate) fn convert(self, seconds: f64) -> f64 {
        match self {
            TimeUnit::Nanosecond => seconds * 1e9,
            TimeUnit::Microsecond => seconds * 1e6,
            TimeUnit::Millisecond => seconds * 1e3,
            TimeUnit::Second => seconds,
        }
    }

    /// So many seconds in this unit to three digits, and others that belong to them to as many
    /// decimals.
    pub(crate) fn numbers<const N: usize>(self, seconds: [f64; N]) -> [String; N] {
        let decimals = decimals(self.convert(seconds[0]));
        seconds.map(|seconds| format!("{:.decimals$}", self.convert(seconds)))
    }
}

/// How many decimals make three digits.
fn decimals(value: f64) -> usize {
    match value.abs() {
        0.0 => 1,
        // 9.996 is 10.0.
        value => (2 - (value * 1.000_5).log10().floor() as i32).clamp(0, 6) as usize,
    }
}

/// A time to three digits with its unit, in the given unit or the one that suits it.
pub(crate) fn text(seconds: f64, unit: Option<TimeUnit>) -> String {
    let unit = unit.unwrap_or(TimeUnit::that_suits(seconds));
    let [number] = unit.numbers([seconds]);
    format!("{number} {}", unit.symbol())
}

/// A ratio: `0.0123 ×`, `1.23 ×`, `123.45 ×`.
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
