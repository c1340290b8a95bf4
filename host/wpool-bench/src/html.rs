//! The page: all findings, in one file that needs no other.

use super::chart;
use super::doubts;
use super::escape;
use super::findings::{Findings, Measured};
use super::table;
use std::io::{self, Write};

const STYLE: &str = include_str!("page.css");

/// The page's security policy. Names come from modules and command lines: nothing that they could
/// smuggle in is loaded or run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Writes the page.
///
/// # Errors
/// Returns the error of writing to `to`.
pub fn page(findings: &Findings, mut to: impl Write) -> io::Result<()> {
    let title = escaped(&findings.title);
    write!(
        to,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n"
    )?;
    results(findings, &mut to)?;
    figure(
        &mut to,
        &chart::bars(findings),
        "Shorter bars are faster. The ratios are those of the medians.",
    )?;
    if let Some(svg) = chart::speed_up(findings) {
        let caption = "A mode that uses its workers perfectly follows the dashed line, up to the number of processors.";
        figure(&mut to, &svg, caption)?;
    }
    for timeline in &findings.timelines {
        let caption = "One more run, not among those above. What is empty was spent waiting for jobs or handing over results.";
        figure(&mut to, &chart::timeline(timeline), caption)?;
    }
    machine(findings, &mut to)?;
    to.write_all(b"</main>\n</body>\n</html>\n")
}

fn results(findings: &Findings, to: &mut impl Write) -> io::Result<()> {
    let fastest = findings.fastest().map(Measured::label);
    if let Some(text) = table::fastest_text(findings) {
        writeln!(to, "<p>{}</p>", escaped(&text))?;
    }
    writeln!(
        to,
        "<div class=\"table\">\n<table>\n<thead>{}</thead>\n<tbody>",
        row("th", &table::COLUMNS)
    )?;
    for result in &findings.results {
        let class = if fastest == Some(result.label()) { "fastest" } else { "" };
        let row = row("td", &table::columns(findings, result, None));
        writeln!(to, "{}", row.replacen("<tr>", &format!("<tr class=\"{class}\">"), 1))?;
    }
    writeln!(to, "</tbody>\n</table>\n</div>")?;
    for doubt in doubts::warnings(findings) {
        writeln!(to, "<p class=\"note\">Warning: {}.</p>", escaped(&doubt))?;
    }
    match table::note(findings) {
        Some(note) => writeln!(to, "<p class=\"note\">{}</p>", escaped(&note)),
        None => Ok(()),
    }
}

fn figure(to: &mut impl Write, svg: &str, caption: &str) -> io::Result<()> {
    writeln!(to, "<figure>\n{svg}<figcaption>{caption}</figcaption>\n</figure>")
}

fn machine(findings: &Findings, to: &mut impl Write) -> io::Result<()> {
    writeln!(to, "<h2>Machine</h2>\n<table class=\"machine\">\n<tbody>")?;
    for (name, value) in &findings.machine {
        writeln!(to, "{}", row("td", &[name, value]))?;
    }
    writeln!(to, "</tbody>\n</table>")
}

fn row(cell: &str, texts: &[impl AsRef<str>]) -> String {
    let cells = texts.iter().map(|text| format!("<{cell}>{}</{cell}>", escaped(text.as_ref())));
    format!("<tr>{}</tr>", cells.collect::<String>())
}

/// Escapes a text so that HTML takes it for nothing but text.
fn escaped(text: &str) -> String {
    let text = escape::text(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn written(findings: &Findings) -> String {
        let mut bytes = Vec::new();
        page(findings, &mut bytes).expect("writing to memory cannot fail");
        String::from_utf8(bytes).expect("it is text")
    }

    #[test]
    fn a_page_has_the_table_the_charts_and_the_machine() {
        let page = written(&sample::findings());
        assert_eq!(page.matches("<figure>").count(), 3);
        assert_eq!(page.matches("<svg ").count(), page.matches("</svg>").count());
        assert!(page.contains("<td>one | two &lt;cores&gt;</td>"), "{page}");
        assert!(page.contains("<tr class=\"fastest\"><td>native threads</td><td>2</td>"), "{page}");
        assert!(page.contains("Relative to native threads, 1 worker:"), "{page}");
        for outside in ["<script", "<link", " src=", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn names_are_text_wherever_they_stand() {
        const HOSTILE: &str = "</title><script>alert('1')</script><img src=x onerror=\"alert(2)\">";
        let mut findings = sample::findings();
        findings.title = HOSTILE.into();
        findings.machine = vec![(HOSTILE.into(), HOSTILE.into())];
        findings.timelines[0].mode = HOSTILE.into();
        findings.results.iter_mut().for_each(|result| result.mode = HOSTILE.into());
        let page = written(&findings);
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert_eq!(page.matches("</title>").count(), 1);
    }

    #[test]
    fn the_style_knows_the_colours_of_the_charts() {
        let charts = chart::bars(&sample::findings()) + &chart::timeline(&sample::timeline(1, 1));
        for neutral in ["[fill=\"#1F2328\"]", "[fill=\"#6E7781\"]", "[stroke=\"#D8DEE4\"]"] {
            assert!(STYLE.contains(neutral), "{neutral}");
            assert!(charts.contains(neutral.trim_matches(['[', ']'])), "{neutral}");
        }
    }
}
