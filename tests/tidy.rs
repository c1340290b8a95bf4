//! The house rules that a compiler does not know: which folder may use which, how long files and
//! functions may be, and where unsafe code may stand.
//!
//! The tables are those of ARCHITECTURE.md, so that the page and the tree cannot drift apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

/// Folders whose Rust files are held to the rules.
const FOLDERS: [&str; 6] = ["host/src", "guest", "guest-examples", "tests", "benches", "xtask"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder, with their text; what builds left behind is passed over.
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

/// The lines of the fenced block of ARCHITECTURE.md that starts with ```text NAME.
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

/// The part of a file before its unit tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

#[test]
fn folders_use_only_the_folders_that_the_architecture_allows() {
    let mut allowed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in table("arrows") {
        let (from, to) = line.split_once('→').expect("FOLDER → FOLDERS");
        let to = to.split_whitespace().filter(|word| *word != "–").map(str::to_owned).collect();
        allowed.insert(from.trim().to_owned(), to);
    }
    let mut wrong = Vec::new();
    for (path, text) in sources("host/src") {
        let inside = path.strip_prefix("host/src").expect("it was found there");
        let folder = inside.components().next().expect("a name").as_os_str().to_string_lossy();
        // The roots name all folders. Any other file beside the folders is held to what they are.
        if ["lib.rs", "main.rs"].contains(&&*folder) {
            continue;
        }
        let folder = folder.trim_end_matches(".rs");
        let known = allowed.get(folder);
        let known = known.unwrap_or_else(|| panic!("{folder} is not in ARCHITECTURE.md"));
        for used in allowed.keys().filter(|used| *used != folder && !known.contains(*used)) {
            for prefix in ["crate::", "wpool::"] {
                if without_tests(&text).contains(&format!("{prefix}{used}::")) {
                    wrong.push(format!("{} uses {used}", path.display()));
                }
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
    for (path, text) in sources("host/src") {
        let name = path.strip_prefix("host/src").expect("found there").display().to_string();
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
