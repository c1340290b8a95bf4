//! A line of the table: what was measured, and what it has to be.

/// What a figure counts.
#[derive(Clone, Copy, Debug)]
pub enum Unit {
    /// How many times faster.
    Times,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// On which side of a bound a figure has to be.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// More is better.
    AtLeast(f64),
    /// Less is better.
    AtMost(f64),
}

/// A figure and its bound.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// What was measured.
    pub figure: f64,
    /// What it has to be.
    pub bound: Bound,
    /// What both count.
    pub unit: Unit,
}

impl Goal {
    /// So many times faster than the peer.
    pub fn times(figure: f64, at_least: f64) -> Self {
        Self { figure, bound: Bound::AtLeast(at_least), unit: Unit::Times }
    }

    /// So little of something.
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
    /// The row's name.
    pub row: &'static str,
    /// What was done.
    pub work: &'static str,
    /// What it took wpool.
    pub wpool: String,
    /// What it took the peer.
    pub peer: Option<String>,
    /// What has to be reached.
    pub must: Goal,
    /// What is wished for.
    pub beyond: Goal,
    /// What it took the floor, and how near to it wpool comes.
    pub floor: Option<String>,
    /// How often it was measured.
    pub rounds: usize,
}

/// What the columns of a line are called.
pub const COLUMNS: [&str; 10] =
    ["row", "work", "wpool", "peer", "ratio", "must", "beyond", "verdict", "floor", "rounds"];

impl Line {
    /// What stands in the columns.
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

    /// The line as a sentence.
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

/// How near `time` comes to the floor's.
pub fn floor(floor: f64, nearness: f64) -> String {
    format!("{}: wpool takes {}", amount(Unit::Seconds, floor), amount(Unit::Times, nearness))
}

/// An amount to three digits.
pub fn amount(unit: Unit, amount: f64) -> String {
    let (amount, name) = scaled(unit, amount);
    let places = match amount.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{amount:.places$} {name}")
}

/// An amount as it is.
pub fn exact(unit: Unit, amount: f64) -> String {
    let (amount, name) = scaled(unit, amount);
    // What scaling added is not part of it.
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
