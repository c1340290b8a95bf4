//! Text for people: sizes and durations as they write them, and bytes of guests fit for a terminal.

pub mod escape;
pub mod units;
