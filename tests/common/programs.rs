//! Programs that a machine may lack.

/// Returns the first of these programs that is installed. If none is installed, the calling test is
/// skipped, except in CI, as are guests in languages whose tools are missing.
#[track_caller]
pub(crate) fn find<'a>(names: &[&'a str], package: &str) -> Option<&'a str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_installed =
        |name: &&&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let found = names.iter().find(is_installed).copied();
    if found.is_none() {
        let help = format!("install the package `{package}`");
        assert!(std::env::var_os("CI").is_none(), "{help}");
        println!("skipped: {help}");
    }
    found
}
