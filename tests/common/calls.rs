//! Runs of `wpool run`.

use super::guest;
use super::run::{Wpool, file, wpool};

/// Returns a run of `wpool run` for an example guest.
pub(crate) fn run(guest_name: &str) -> Wpool {
    wpool(["run"]).arg(guest(guest_name))
}

/// Returns a run of `wpool run` for a module in text form.
pub(crate) fn run_wat(text: &str) -> Wpool {
    wpool(["run"]).arg(file("module.wat", text))
}
