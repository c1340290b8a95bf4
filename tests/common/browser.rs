//! Web pages as a browser shows them.

use super::programs;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The time that a browser may take, in seconds.
const SECONDS_MAX: &str = "120";

/// The size, in bytes, that the picture of an empty page does not reach.
const PICTURE_BYTES_MIN: usize = 20_000;

/// A script that lists the texts in charts that overlap or stick out. The box of a text is higher
/// than its letters, so boxes may share three rows of pixels.
const OVERLAP_SCRIPT: &str = r#"<script>
const found = [];
for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].map(text => [text.textContent.trim(), text.getBoundingClientRect()]);
    texts.forEach(([name, box], nth) => {
        if (box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom)
            found.push(`outside: ${name}`);
        for (const [other, its] of texts.slice(nth + 1))
            if (Math.min(box.right, its.right) - Math.max(box.left, its.left) > 1 &&
                Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top) > 3)
                found.push(`overlap: ${name} | ${other}`);
    });
}
const list = document.createElement("pre");
list.id = "found";
list.textContent = found.join("\n");
document.body.append(list);
</script>"#;

/// Returns the document after the browser has read it, as HTML.
#[track_caller]
pub(crate) fn dom(page: &Path) -> String {
    String::from_utf8(run(page, &["--dump-dom"])).expect("HTML is text")
}

/// Returns the texts of charts that overlap others, or stick out of their chart.
#[track_caller]
pub(crate) fn overlaps(page: &Path) -> Vec<String> {
    let html = fs::read_to_string(page).expect("a page that can be read");
    // The page itself allows no scripts.
    let html = html.replace("default-src 'none'", "default-src 'unsafe-inline'");
    let copy = page.with_extension("checked.html");
    fs::write(&copy, html.replace("</body>", &format!("{OVERLAP_SCRIPT}</body>")))
        .expect("a page can be written beside");
    let dom = dom(&copy);
    let (_, found) = dom.split_once("<pre id=\"found\">").expect("the script has run");
    let (found, _) = found.split_once("</pre>").expect("the list ends");
    found.lines().map(str::to_owned).collect()
}

/// Takes a picture of the page in a window of this many pixels, and asserts that something is on
/// it.
#[track_caller]
pub(crate) fn screenshot(page: &Path, width: u32, height: u32) -> Vec<u8> {
    let file = page.with_extension("png");
    let (size, to) =
        (format!("--window-size={width},{height}"), format!("--screenshot={}", file.display()));
    run(page, &[&size, &to, "--hide-scrollbars"]);
    let png = fs::read(&file).expect("the browser has written it");
    // The header's chunk comes first; its first eight bytes are width and height.
    assert_eq!((&png[..8], &png[12..16]), (&b"\x89PNG\r\n\x1a\n"[..], &b"IHDR"[..]));
    assert_eq!(png[16..24], [width.to_be_bytes(), height.to_be_bytes()].concat());
    assert!(png.len() > PICTURE_BYTES_MIN, "the picture is blank: {} bytes", png.len());
    png
}

/// Opens a page in a browser without a window, and returns what it prints.
#[track_caller]
fn run(page: &Path, options: &[&str]) -> Vec<u8> {
    let profile = tempfile::tempdir().expect("a folder for the browser");
    let output = Command::new("timeout")
        .args([
            "--kill-after=5",
            SECONDS_MAX,
            find().expect("it was found before"),
            "--headless",
            "--disable-gpu",
        ])
        // The page is our own, and root, in containers, cannot have a sandbox.
        .args(["--no-sandbox", "--disable-dev-shm-usage", "--no-first-run"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(options)
        .arg(page.canonicalize().expect("a page"))
        .stdin(Stdio::null())
        .output()
        .expect("`timeout` is one of the core utilities");
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the browser failed: {}\n{messages}", output.status);
    output.stdout
}

/// Returns whether a browser is installed.
#[track_caller]
pub(crate) fn is_installed() -> bool {
    find().is_some()
}

#[track_caller]
fn find() -> Option<&'static str> {
    programs::find(&NAMES, "chromium")
}
