//! Languages: the way to a module from a source file that was given in its place.

use std::path::Path;

/// The advice on building a module, by the extension of the source file's name.
const WAYS: [(&[&str], &str); 9] = [
    (
        &["py"],
        "build a component of it: componentize-py -d wit -w WORLD componentize NAME -o NAME.wasm; or \
         give its functions to `wpool bench --python`",
    ),
    (
        &["rs"],
        "build it: rustc -O --target wasm32-wasip1 FILE, or cargo build --release --target wasm32-wasip1",
    ),
    (
        &["c"],
        "build it: clang --target=wasm32-wasi -O2 FILE -o NAME.wasm; -mexec-model=reactor for tasks",
    ),
    (
        &["cc", "cpp", "cxx"],
        "build it with wasi-sdk: clang++ --target=wasm32-wasi -O2 FILE -o NAME.wasm; -mexec-model=reactor \
         for tasks",
    ),
    (&["go"], "build it: GOOS=wasip1 GOARCH=wasm go build -o NAME.wasm FILE"),
    (
        &["js", "mjs", "cjs"],
        "build a component of it: npx jco componentize FILE --wit wit --world-name WORLD -o NAME.wasm",
    ),
    (
        &["ts", "mts"],
        "build it: npx asc FILE -o NAME.wasm in AssemblyScript; TypeScript becomes JavaScript first, then \
         npx jco componentize",
    ),
    (&["zig"], "build it: zig build-exe FILE -target wasm32-wasi"),
    (
        &["swift"],
        "build it with a Swift SDK for WASI: swiftc -target wasm32-unknown-wasi FILE -o NAME.wasm",
    ),
];

/// Returns the command that builds a module from a file, if the file's name tells its language.
pub(crate) fn way(path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    let (_, way) = WAYS.iter().find(|(extensions, _)| extensions.contains(&&*extension))?;
    let name = path.file_stem()?.to_string_lossy();
    Some(way.replace("FILE", &path.to_string_lossy()).replace("NAME", &name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_file_has_the_way_of_its_language() {
        let way = |path: &str| way(Path::new(path));
        for (path, words) in [
            ("a/tutorial.py", "componentize tutorial -o tutorial.wasm"),
            ("a/b.c", "-O2 a/b.c -o b.wasm"),
            ("b.CPP", "clang++"),
            ("b.js", "jco componentize b.js"),
            ("b.go", "go build -o b.wasm b.go"),
            ("b.ts", "asc b.ts"),
        ] {
            assert!(way(path).expect("a way").contains(words), "{path}");
        }
        assert_eq!(way("a.wasm"), None);
        assert_eq!(way("a"), None);
    }
}
