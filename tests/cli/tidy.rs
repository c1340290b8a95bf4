//! The house rules that a compiler does not know: which crate and which folder may use which, how long files and
//! functions may be, and where unsafe code may stand.
//!
//! The tables are those of ARCHITECTURE.md, so that the page and the tree cannot drift apart.

use crate::common::root;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

/// The folders whose Rust files are held to the rules.
const FOLDERS: [&str; 6] = ["host", "guest", "guest-examples", "tests", "benches", "xtask"];

/// Returns all Rust files below a folder, with their text, without files that builds left behind.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a folder that can be listed").path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source that can be read");
                let path = path.strip_prefix(root()).expect("below the root").to_owned();
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

fn all_sources() -> Vec<(PathBuf, String)> {
    let all: Vec<_> = FOLDERS.into_iter().flat_map(sources).collect();
    assert!(all.len() > 50, "the sources were not found: {}", all.len());
    all
}

/// Returns the name of a host source as in ARCHITECTURE.md: by its folder, which is a crate or lies
/// in one.
fn folder_and_name(path: &Path) -> String {
    let path = path.strip_prefix("host").expect("it was found there").to_string_lossy();
    let (package, rest) = path.split_once('/').expect("packages are folders");
    let name = rest.strip_prefix("src/").unwrap_or(rest);
    match package.strip_prefix("wpool-") {
        Some(package) if package != "worker" => format!("{package}/{name}"),
        _ => name.to_owned(),
    }
}

/// Returns a table of arrows: what stands before each arrow, and everything that stands after it.
fn arrows(name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let arrow = |line: &String| {
        let (from, to) = line.split_once('→').expect("ONE → OTHERS");
        let to = to.split_whitespace().filter(|word| *word != "–").map(str::to_owned).collect();
        (from.trim().to_owned(), to)
    };
    table(name).iter().map(arrow).collect()
}

/// Returns the lines of the fenced block of ARCHITECTURE.md that starts with ```text NAME.
fn table(name: &str) -> Vec<String> {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let start = format!("```text {name}");
    let lines = page.lines().skip_while(|line| *line != start).skip(1);
    let lines: Vec<_> = lines.take_while(|line| *line != "```").map(str::to_owned).collect();
    assert!(!lines.is_empty(), "ARCHITECTURE.md has no block `{start}`");
    lines
}

fn fail_if_any(what: &str, places: &[String]) {
    assert!(places.is_empty(), "{what}:\n  {}", places.join("\n  "));
}

/// Returns the part of a file before its unit tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

#[test]
fn the_crates_depend_on_each_other_as_the_architecture_says() {
    let mut found = BTreeMap::new();
    for package in fs::read_dir(root().join("host")).expect("host/") {
        let package = package.expect("a folder that can be listed");
        let manifest = fs::read_to_string(package.path().join("Cargo.toml")).expect("Cargo.toml");
        let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
        let lines = lines.take_while(|line| !line.starts_with('['));
        let names = lines.filter_map(|line| line.split(['.', ' ']).next());
        let used: BTreeSet<String> =
            names.filter(|name| name.starts_with("wpool")).map(str::to_owned).collect();
        found.insert(package.file_name().to_string_lossy().into_owned(), used);
    }
    assert_eq!(found, arrows("crates"));
}

#[test]
fn folders_use_only_the_folders_that_the_architecture_allows() {
    let allowed = arrows("folders");
    let mut wrong = Vec::new();
    for (path, text) in sources("host") {
        let name = folder_and_name(&path);
        let folder = name.split('/').next().expect("a name");
        let Some(known) = allowed.get(folder) else { continue };
        for used in allowed.keys().filter(|used| *used != folder && !known.contains(*used)) {
            if without_tests(&text).contains(&format!("crate::{used}::")) {
                wrong.push(format!("{name} uses {used}"));
            }
        }
    }
    fail_if_any("arrows that ARCHITECTURE.md does not have", &wrong);
}

#[test]
fn files_and_functions_are_short() {
    let mut long = Vec::new();
    for (path, text) in all_sources() {
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            long.push(format!("{}: {} lines", path.display(), lines.len()));
        }
        for (start, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            let indent = line.len() - code.len();
            let words = ["fn ", "pub fn ", "pub(crate) fn ", "pub(super) fn ", "const fn "];
            if !words.iter().any(|word| code.starts_with(word))
                || code.ends_with(';')
                || code.ends_with("{}")
            {
                continue;
            }
            let end = format!("{}}}", " ".repeat(indent));
            let length = lines[start..].iter().position(|line| **line == end).unwrap_or(0) + 1;
            if length > FUNCTION_LINES_MAX {
                long.push(format!("{}:{}: {length} lines", path.display(), start + 1));
            }
        }
    }
    fail_if_any("longer than the rules allow", &long);
}

#[test]
fn unsafe_code_stands_in_the_named_files_only_and_says_why_it_is_sound() {
    let named: BTreeSet<String> = table("unsafe")
        .iter()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (path, text) in sources("host") {
        let name = folder_and_name(&path);
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            if !(code.contains("unsafe {")
                || code.contains("unsafe fn")
                || code.contains("unsafe impl"))
            {
                continue;
            }
            seen.insert(name.clone());
            if !named.contains(&name) {
                wrong.push(format!("{name}:{}: not one of the named files", at + 1));
            }
            let above = &lines[at.saturating_sub(8)..at];
            if !above.iter().any(|line| line.contains("SAFETY:") || line.contains("# Safety")) {
                wrong.push(format!("{name}:{}: no SAFETY comment", at + 1));
            }
        }
    }
    wrong.extend(named.difference(&seen).map(|name| format!("{name}: named, and has none")));
    fail_if_any("unsafe code", &wrong);
}

#[test]
fn every_file_of_tests_is_a_module_of_a_program() {
    let (mut lost, files) = (Vec::new(), sources("tests"));
    for (path, _) in &files {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let program = path.iter().nth(1).expect("a folder");
        let declares = |(other, text): &(PathBuf, String)| {
            other.iter().nth(1) == Some(program) && text.contains(&format!("mod {name};"))
        };
        if !["main", "mod"].contains(&name.as_str()) && !files.iter().any(declares) {
            lost.push(path.display().to_string());
        }
    }
    fail_if_any("in no program", &lost);
}

#[test]
fn every_file_says_what_it_is_and_no_test_is_skipped() {
    let mut wrong = Vec::new();
    for (path, text) in all_sources() {
        if !text.starts_with("//!") {
            wrong.push(format!("{}: does not begin with //!", path.display()));
        }
        let skip = concat!("#[ign", "ore");
        if text.contains(skip) {
            wrong.push(format!("{}: skips a test", path.display()));
        }
    }
    fail_if_any("files", &wrong);
}
