//! The library behind `wpool bench`: measures the same jobs in several modes, side by side.
//!
//! A [`subject`] is measured in a [`contest`] of [modes](mode), and in a [`timeline`]. The findings
//! are plain data ([`findings`]) for a [`table`], [exports](export) and a [page](html) with charts.
//! The command line says what is measured, and reports errors.

mod agree;
mod chart;
pub mod contest;
pub mod doubts;
pub mod error;
pub mod export;
pub mod findings;
pub mod html;
pub mod machine;
pub mod mode;
pub mod python;
#[cfg(test)]
mod sample;
pub mod shell;
mod stats;
pub mod subject;
pub mod table;
pub mod time_unit;
pub mod timeline;
mod timing;

use wpool_text::{escape, units};
