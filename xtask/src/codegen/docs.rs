//! Splits the documentation of a function into its parts.

use crate::Result;

/// The parts of a function's documentation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Docs {
    /// The effect of the function.
    pub(super) about: String,
    pub(super) arguments: String,
    pub(super) answers: String,
    pub(super) traps: String,
    pub(super) blocks: String,
    /// The signature in core modules.
    pub(super) core: String,
}

/// The label of each part, in this order.
const LABELS: [&str; 5] = ["Arguments:", "Answers:", "Traps:", "Blocks:", "Core modules:"];

impl Docs {
    /// Splits documentation.
    ///
    /// # Errors
    /// Fails if a part is missing, out of order, or there twice.
    pub(super) fn parse(text: &str) -> Result<Docs> {
        if let Some(label) = LABELS.iter().find(|label| text.matches(**label).count() != 1) {
            return Err(format!("`{label}` has to be there once").into());
        }
        let mut parts = Vec::new();
        let mut rest = text;
        for label in LABELS {
            let split = rest.split_once(label);
            let (part, after) = split.ok_or_else(|| format!("`{label}` comes too early"))?;
            parts.push(one_line(part));
            rest = after;
        }
        let [about, arguments, answers, traps, blocks] =
            <[String; 5]>::try_from(parts).expect("a part before each label");
        Ok(Docs { about, arguments, answers, traps, blocks, core: one_line(rest) })
    }
}

/// Joins the lines of a text.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Wraps a text at `width` characters, with `before` at the start of each line.
pub(super) fn wrapped(text: &str, before: &str, width: usize) -> String {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && before.len() + line.len() + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    let lines = lines.iter().map(|line| format!("{before}{line}").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "Takes\nit.\n\nArguments: none. Answers: nothing.\nTraps: never. Blocks: never.\n\n\
                        Core modules: `take() -> i32`.";

    #[test]
    fn documentation_is_read_part_by_part() {
        let docs = Docs::parse(GOOD).unwrap();
        assert_eq!(docs.about, "Takes it.");
        assert_eq!(docs.answers, "nothing.");
        assert_eq!(docs.core, "`take() -> i32`.");
    }

    #[test]
    fn a_part_that_is_missing_or_out_of_order_is_named() {
        let refused = |text: String| Docs::parse(&text).unwrap_err().to_string();
        assert_eq!(refused(GOOD.replace("Traps:", "")), "`Traps:` has to be there once");
        let moved = GOOD.replace("Answers: nothing.", "").replace("Blocks:", "Blocks: Answers:");
        assert_eq!(refused(moved), "`Traps:` comes too early");
        assert_eq!(refused(format!("{GOOD} Blocks:")), "`Blocks:` has to be there once");
    }

    #[test]
    fn lines_are_wrapped_at_words() {
        assert_eq!(wrapped("one two  three", "# ", 9), "# one two\n# three");
        assert_eq!(wrapped("extraordinary", "", 3), "extraordinary");
    }
}
