//! Text for people: sizes and durations as people write them, and bytes of guests made safe for a
//! terminal.

pub mod escape;
pub mod units;
