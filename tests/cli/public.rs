//! Components made from published programs (`xtask/src/public.rs`): run by `wpool map`, they give
//! the published results. `public/README.md` names the sources.

use crate::common::run::{Wpool, file, wpool};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;

/// The BLAKE2b digests of "abc", from appendix A of RFC 7693,
/// https://www.rfc-editor.org/rfc/rfc7693, and of nothing, from the authors of BLAKE2.
const BLAKE2B: [(&str, &str); 2] = [
    (
        "abc",
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
         7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
    ),
    (
        "",
        "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419\
         d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce",
    ),
];

/// Returns a run of `wpool map` for a program. Returns `None`, so that the test is skipped, if the
/// program was not built because there is no target for WASI.
fn map_public(name: &str) -> Option<Wpool> {
    let module = format!("target/guests/public/{name}.wasm");
    let path = crate::common::root().join(&module);
    if !path.exists() {
        assert!(std::env::var_os("CI").is_none() || !has_target(), "{module} is missing");
        println!("skipped: `cargo xtask guests` says what {name} needs");
        return None;
    }
    let kind = wpool(["inspect", "--json"]).arg(&path).run().ends(0);
    let kind: Value = serde_json::from_slice(&kind.stdout).expect("it is JSON");
    assert_eq!((&kind["kind"], &kind["component"]), (&"command".into(), &true.into()));
    Some(wpool(["map"]).arg(path))
}

/// Returns whether the toolchain has the target that these programs are built for.
fn has_target() -> bool {
    let arguments = ["--print", "target-libdir", "--target", "wasm32-wasip1"];
    let output = std::process::Command::new("rustc").args(arguments).output();
    let output = output.expect("rustc has built this");
    Path::new(String::from_utf8_lossy(&output.stdout).trim()).exists()
}

/// Returns the lines of a file of published results.
fn published<T: DeserializeOwned>(text: &str) -> Vec<T> {
    text.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
}

/// Returns a value whose numbers are all floats: to jq, 6 and 6.0 are the same.
fn with_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(values) => values.into_iter().map(with_floats).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, with_floats(value))).collect()
        }
        value => value,
    }
}

#[test]
fn b2sum_gives_the_digests_of_the_standard() {
    let Some(b2sum) = map_public("b2sum") else { return };
    let files = BLAKE2B.map(|(text, _)| file(&format!("<{text}>"), text));
    let expected: String = BLAKE2B.map(|(_, digest)| format!("{digest}  -\n")).concat();
    b2sum.arg("--files").jobs(files).run().ends(0).prints(expected);
}

#[test]
fn pulldown_cmark_gives_the_html_of_the_commonmark_specification() {
    let Some(pulldown_cmark) = map_public("pulldown-cmark") else { return };
    let examples: Vec<(u32, String, String)> =
        published(include_str!("../public/commonmark.jsonl"));
    assert_eq!(examples.len(), 652);
    let jobs: String = examples.iter().map(|(_, markdown, _)| format!("{markdown}\0")).collect();
    let run = pulldown_cmark.args(["--stdin", "-0", "--output-format", "null"]);
    let done = run.stdin(jobs).run().ends(0);
    let printed = String::from_utf8(done.stdout).expect("HTML is text");
    let printed: Vec<&str> = printed.split_terminator('\0').collect();
    assert_eq!(printed.len(), examples.len());
    // The comparison ignores what HTML does not distinguish: quotes need not be escaped, and lines
    // may end between tags.
    let same = |html: &str| html.replace("&quot;", "\"").replace(">\n<", "><");
    for ((number, _, html), printed) in examples.iter().zip(printed) {
        assert_eq!(same(printed), same(html), "example {number}");
    }
}

#[test]
fn jaq_gives_the_outputs_of_the_manual_of_jq() {
    let Some(jaq) = map_public("jaq") else { return };
    let examples: Vec<(String, String, Vec<String>)> =
        published(include_str!("../public/jq.jsonl"));
    assert_eq!(examples.len(), 180);
    let jobs = examples.iter().map(|(filter, input, _)| format!("({input}) | ({filter})"));
    let run = jaq.flags("--env PAGER=less --output-format null -- -nc {}").jobs(jobs);
    let done = run.run().ends(0);
    let printed = String::from_utf8(done.stdout).expect("JSON is text");
    let printed: Vec<&str> = printed.split_terminator('\0').collect();
    assert_eq!(printed.len(), examples.len());
    let value = |text: &str| with_floats(serde_json::from_str(text).expect("it is JSON"));
    for ((filter, input, outputs), printed) in examples.iter().zip(printed) {
        let expected: Vec<Value> = outputs.iter().map(|output| value(output)).collect();
        let printed: Vec<Value> = printed.lines().map(value).collect();
        assert_eq!(printed, expected, "{filter} of {input}");
    }
}
