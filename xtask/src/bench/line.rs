//! A line of the table: a measurement and its goals.

/// The unit of a figure.
#[derive(Clone, Copy, Debug)]
pub enum Unit {
    /// A speed relative to another one.
    Times,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// A bound, and the side of it on which a figure has to be.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// The figure is to be no less; more is better.
    AtLeast(f64),
    /// The figure is to be no more; less is better.
    AtMost(f64),
}

/// A figure and its bound.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// The figure that was measured.
    pub figure: f64,
    /// The bound that the figure has to meet.
    pub bound: Bound,
    /// The unit of figure and bound.
    pub unit: Unit,
}

impl Goal {
    /// Makes the goal of being at least `at_least` times faster than the peer.
    pub fn times(figure: f64, at_least: f64) -> Self {
        Self { figure, bound: Bound::AtLeast(at_least), unit: Unit::Times }
    }

    /// Makes the goal of taking no more than `most`.
    pub fn at_most(unit: Unit, figure: f64, most: f64) -> Self {
        Self { figure, bound: Bound::AtMost(most), unit }
    }

    fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtLeast(least) => self.figure >= least,
            Bound::AtMost(most) => self.figure <= most,
        }
    }

    fn bound(&self) -> String {
        match self.bound {
            Bound::AtLeast(least) => format!("≥ {}", exact(self.unit, least)),
            Bound::AtMost(most) => format!("≤ {}", exact(self.unit, most)),
        }
    }
}

/// A line of the table.
#[derive(Debug)]
pub struct Line {
    /// The name of the row.
    pub row: &'static str,
    /// The work that was done.
    pub work: &'static str,
    /// The amount that wpool needed.
    pub wpool: String,
    /// The amount that the peer needed.
    pub peer: Option<String>,
    /// The goal that has to be reached.
    pub must: Goal,
    /// The goal that is hoped for.
    pub beyond: Goal,
    /// The amount that the floor needed, and how near wpool comes to it.
    pub floor: Option<String>,
    /// The number of rounds that were measured.
    pub rounds: usize,
}

/// The headings of the columns.
pub const COLUMNS: [&str; 10] =
    ["row", "work", "wpool", "peer", "ratio", "must", "beyond", "verdict", "floor", "rounds"];

impl Line {
    /// Returns the text of each column.
    pub fn columns(&self) -> [String; COLUMNS.len()] {
        let or_none = |text: &Option<String>| text.clone().unwrap_or("–".into());
        let ratio = match self.must.unit {
            Unit::Times => amount(Unit::Times, self.must.figure),
            Unit::Seconds | Unit::Bytes => "–".into(),
        };
        [
            self.row.into(),
            self.work.into(),
            self.wpool.clone(),
            or_none(&self.peer),
            ratio,
            self.must.bound(),
            self.beyond.bound(),
            self.verdict().into(),
            or_none(&self.floor),
            self.rounds.to_string(),
        ]
    }

    /// Returns the line as a sentence.
    pub fn told(&self) -> String {
        let [row, work, wpool, peer, ratio, .., verdict, floor, rounds] = self.columns();
        format!(
            "{row}: {work}: {wpool}, peer {peer}, ratio {ratio}: {verdict} (floor {floor}; {rounds} rounds)"
        )
    }

    fn verdict(&self) -> &'static str {
        match (self.must.is_met(), self.beyond.is_met()) {
            (false, _) => "**missed**",
            (true, false) => "must",
            (true, true) => "beyond",
        }
    }
}

/// Formats the floor's time, and how near wpool comes to it.
pub fn floor(floor: f64, nearness: f64) -> String {
    format!("{}: wpool takes {}", amount(Unit::Seconds, floor), amount(Unit::Times, nearness))
}

/// Formats an amount with three digits.
pub fn amount(unit: Unit, amount: f64) -> String {
    let (amount, name) = scaled(unit, amount);
    let places = match amount.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{amount:.places$} {name}")
}

/// Formats an amount without rounding it to three digits.
pub fn exact(unit: Unit, amount: f64) -> String {
    let (amount, name) = scaled(unit, amount);
    // Rounding removes the noise that scaling added.
    format!("{} {name}", (amount * 1e6).round() / 1e6)
}

fn scaled(unit: Unit, amount: f64) -> (f64, &'static str) {
    match unit {
        Unit::Times => (amount, "×"),
        Unit::Bytes => (amount / f64::from(1 << 20), "MiB"),
        Unit::Seconds if amount.abs() >= 1.0 => (amount, "s"),
        Unit::Seconds if amount.abs() >= 1e-4 => (amount * 1e3, "ms"),
        Unit::Seconds if amount.abs() >= 1e-6 => (amount * 1e6, "µs"),
        Unit::Seconds => (amount * 1e9, "ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short() {
        let seconds = [13.94, 0.1756, 0.000_312, 0.000_018_44, 0.000_000_052_1];
        let told = seconds.map(|seconds| amount(Unit::Seconds, seconds));
        assert_eq!(told, ["13.9 s", "176 ms", "0.31 ms", "18.4 µs", "52.1 ns"]);
        assert_eq!(amount(Unit::Times, 4.567), "4.57 ×");
        assert_eq!(amount(Unit::Bytes, 3_000_000.0), "2.86 MiB");
    }

    #[test]
    fn bounds_are_exact_and_say_what_is_better() {
        assert_eq!(Goal::times(1.0, 0.95).bound(), "≥ 0.95 ×");
        assert_eq!(Goal::at_most(Unit::Seconds, 1.0, 20e-6).bound(), "≤ 20 µs");
        assert_eq!(Goal::at_most(Unit::Seconds, 1.0, 4e-4).bound(), "≤ 0.4 ms");
        assert_eq!(Goal::at_most(Unit::Bytes, 1.0, 1.5 * 1048576.0).bound(), "≤ 1.5 MiB");
    }

    #[test]
    fn a_verdict_is_missed_must_or_beyond() {
        let verdict = |figure| {
            let [must, beyond] = [3.0, 5.0].map(|least| Goal::times(figure, least));
            let (wpool, peer, floor) = (String::new(), None, None);
            Line { row: "P1", work: "", wpool, peer, must, beyond, floor, rounds: 1 }.verdict()
        };
        assert_eq!([2.9, 3.0, 5.0].map(verdict), ["**missed**", "must", "beyond"]);
    }
}
