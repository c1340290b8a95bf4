//! Programs that a machine may lack.

/// The first of these programs that is installed. Without any, the test that asks is left out, except in CI, as
/// are guests in languages whose tools are missing.
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
