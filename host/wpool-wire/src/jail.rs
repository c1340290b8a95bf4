//! How processes that run guests are confined: what is asked for, what a kernel has, and what comes of both.

use serde::{Deserialize, Serialize};

/// How much of the jail there has to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JailMode {
    /// As much as the kernel has. It has to filter system calls.
    #[default]
    Auto,
    /// All of it.
    Strict,
    /// None of it. What breaks out of the engine has the user's rights.
    Off,
}

impl JailMode {
    /// Returns the name that users give.
    pub fn name(self) -> &'static str {
        match self {
            JailMode::Auto => "auto",
            JailMode::Strict => "strict",
            JailMode::Off => "off",
        }
    }
}

/// The features of a kernel for jails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// Whether it filters system calls (seccomp).
    pub filters: bool,
    /// The version of its Landlock; 0 if there is none, or it is switched off.
    pub landlock: u32,
}

impl Features {
    /// All that any kernel has.
    pub const ALL: Features = Features { filters: true, landlock: u32::MAX };

    /// Returns what both have.
    pub fn and(self, other: Features) -> Features {
        let filters = self.filters && other.filters;
        Features { filters, landlock: self.landlock.min(other.landlock) }
    }
}

/// The oldest version of Landlock that lets files be renamed from one folder to another.
pub const LANDLOCK_RENAMES: u32 = 2;

/// The jail that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jail {
    /// How much of it there has to be.
    pub mode: JailMode,
    /// The features of the kernel that are used at most, for tests.
    pub most: Features,
}

impl Default for Jail {
    fn default() -> Self {
        Jail { mode: JailMode::default(), most: Features::ALL }
    }
}

/// The layers of a jail that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    /// Whether there is any.
    pub any: bool,
    /// Whether system calls are filtered.
    pub filters: bool,
    /// The version of Landlock whose rules hold; 0 if there are none.
    pub landlock: u32,
}

/// The missing part of a jail, as an error or as a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// System calls cannot be filtered.
    #[error(
        "this kernel cannot filter system calls (seccomp), so that guests would not be confined"
    )]
    Filters,
    /// There is no Landlock.
    #[error(
        "this kernel has no Landlock, or it is switched off: of files, guests are confined by the engine alone"
    )]
    Landlock,
    /// Landlock is too old for folders that may be written.
    #[error(
        "the Landlock of this kernel (version 1) cannot grant a folder for writing: of files, guests are confined by the engine alone"
    )]
    OldLandlock,
}

impl Jail {
    /// Returns the layers under a kernel with these features, and what is missing of them; `writes` says that a
    /// folder is granted for writing.
    ///
    /// # Errors
    /// Returns what is missing, where that must not be.
    pub fn layers(
        self,
        kernel: Features,
        writes: bool,
    ) -> Result<(Layers, Option<Missing>), Missing> {
        let kernel = kernel.and(self.most);
        let missing = match kernel.landlock {
            _ if self.mode == JailMode::Off => {
                return Ok((Layers { any: false, filters: false, landlock: 0 }, None));
            }
            _ if !kernel.filters => return Err(Missing::Filters),
            0 => Some(Missing::Landlock),
            version if version < LANDLOCK_RENAMES && writes => Some(Missing::OldLandlock),
            _ => None,
        };
        match missing {
            Some(missing) if self.mode == JailMode::Strict => Err(missing),
            Some(_) => Ok((Layers { any: true, filters: true, landlock: 0 }, missing)),
            None => Ok((Layers { any: true, filters: true, landlock: kernel.landlock }, None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(mode: JailMode, filters: bool, landlock: u32, writes: bool) -> String {
        let jail = Jail { mode, ..Jail::default() };
        match jail.layers(Features { filters, landlock }, writes) {
            Ok((layers, missing)) => {
                format!("{} {} {missing:?}", layers.filters, layers.landlock)
            }
            Err(missing) => format!("{missing:?}"),
        }
    }

    #[test]
    fn a_kernel_without_a_layer_is_used_or_refused_by_rule() {
        use JailMode::{Auto, Off, Strict};
        for (mode, filters, landlock, writes, expected) in [
            (Auto, true, 7, true, "true 7 None"),
            (Auto, true, 1, false, "true 1 None"),
            (Auto, true, 1, true, "true 0 Some(OldLandlock)"),
            (Auto, true, 0, false, "true 0 Some(Landlock)"),
            (Auto, false, 7, false, "Filters"),
            (Strict, true, 7, true, "true 7 None"),
            (Strict, true, 1, true, "OldLandlock"),
            (Strict, true, 0, false, "Landlock"),
            (Strict, false, 7, false, "Filters"),
            (Off, true, 7, true, "false 0 None"),
            (Off, false, 0, true, "false 0 None"),
        ] {
            let case = format!("{mode:?} {filters} {landlock} {writes}");
            assert_eq!(layers(mode, filters, landlock, writes), expected, "{case}");
        }
    }

    #[test]
    fn what_tests_take_from_a_kernel_is_not_there() {
        let most = Features { filters: true, landlock: 0 };
        let jail = Jail { most, ..Jail::default() };
        let (layers, missing) = jail.layers(Features::ALL, false).unwrap();
        assert_eq!((layers.landlock, missing), (0, Some(Missing::Landlock)));
    }
}
