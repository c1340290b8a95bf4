//! The jail of this kernel.

use crate::wire::jail::{Features, Jail, Layers, Missing};
use crate::wire::settings::Settings;
use std::sync::OnceLock;

pub use wpool_worker::jail::KINDS;
pub use wpool_worker::zygote::obstacle;

/// Returns what this kernel has for jails.
pub fn features() -> Features {
    static FEATURES: OnceLock<Features> = OnceLock::new();
    *FEATURES.get_or_init(wpool_worker::jail::features)
}

/// Returns the layers in which workers with these settings run here, and what is missing of them.
///
/// # Errors
/// Returns what is missing, where that must not be.
pub fn layers(jail: Jail, settings: &Settings) -> Result<(Layers, Option<Missing>), Missing> {
    let writes =
        settings.grants.scratch.is_some() || settings.grants.dirs.iter().any(|dir| !dir.read_only);
    jail.layers(features(), writes)
}
