//! A program outside the workspace that uses the library. Its zygotes begin before its `main`, also where the whole
//! program is optimised at once (`WPOOL_TEST_LTO`, which `cargo xtask soak` sets: all is compiled again).

use crate::common::{root, watchdog};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Maps a few jobs. Where nothing begins a zygote before `main`, `main` begins in its place.
const PROGRAM: &str = r#"
    const SQUARE: &str = "(module (func (export \"square\") (param i64) (result i64)
        (i64.mul (local.get 0) (local.get 0))))";

    fn main() {
        assert!(std::env::var_os("WPOOL_ZYGOTE").is_none(), "a zygote runs `main`");
        let pool = wpool::Pool::from_bytes(SQUARE).workers(2).cache(false).start().expect("a pool");
        println!("{:?}", pool.map::<_, i64>(0..5).expect("results"));
    }
"#;

#[test]
fn a_program_outside_the_workspace_has_pools() {
    let lto = std::env::var_os("WPOOL_TEST_LTO").is_some();
    let _watchdog = watchdog(if lto { 3600 } else { 900 });
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside");
    fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"outside\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\nwpool = {{ path = {:?} }}\n{}\
         [profile.release]\nincremental = true\nlto = {lto}\n",
        root().join("host/wpool"),
        dependencies(&fs::read_to_string(root().join("Cargo.toml")).unwrap())
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/main.rs"), PROGRAM).unwrap();
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    build.args(["build", "--quiet", "--release", "--offline", "--target-dir"]);
    let built = build.arg(root().join("target")).current_dir(&folder).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let done = Command::new(root().join("target/release/outside")).output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!((&*stdout, done.status.code()), ("[0, 1, 4, 9, 16]\n", Some(0)), "{stderr}");
}

/// Returns the lines of the workspace's dependencies that are not of the workspace. With them the program's features
/// are the workspace's, as its profile and its lock file are, so that cargo compiles no dependency a second time.
fn dependencies(workspace: &str) -> String {
    let (_, rest) = workspace.split_once("[workspace.dependencies]\n").expect("dependencies");
    let lines = rest.lines().take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.starts_with("wpool")).map(|line| format!("{line}\n")).collect()
}
