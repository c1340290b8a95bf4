//! Blocks of generated text in files: each between a line with `codegen: NAME` and one with
//! `codegen: end`.

use crate::Result;

const BEGIN: &str = "codegen: ";
const END: &str = "codegen: end";

/// Replaces a block in the text of a file. The new block is indented like the line that begins it.
///
/// # Errors
/// Fails if there is no block of this name, or it does not end.
pub(super) fn replaced(file: &str, name: &str, block: &str) -> Result<String> {
    let begin = format!("{BEGIN}{name}");
    let is_begin = |line: &&str| {
        let found = line.split_once(begin.as_str());
        found.is_some_and(|(_, rest)| {
            !rest.starts_with(|next: char| next.is_alphanumeric() || next == '-')
        })
    };
    let mut lines = file.split_inclusive('\n');
    let mut text = String::new();
    let first = loop {
        let line = lines.next().ok_or_else(|| format!("no line has `{begin}`"))?;
        text += line;
        if is_begin(&line) {
            break line;
        }
    };
    let indent = &first[..first.len() - first.trim_start().len()];
    for line in block.lines() {
        text += if line.is_empty() { "" } else { indent };
        text += line;
        text.push('\n');
    }
    let mut rest = lines.skip_while(|line| !line.contains(END)).peekable();
    if rest.peek().is_none() {
        return Err(format!("`{begin}` is not followed by `{END}`").into());
    }
    text.extend(rest);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "a\n  // codegen: one-two\n  // codegen: end\n  // codegen: one\n  old\n  // codegen: end\nb\n";

    #[test]
    fn the_block_of_a_name_is_replaced_and_indented() {
        let new = replaced(FILE, "one", "x\n\n  y\n").unwrap();
        assert_eq!(new, FILE.replace("  old\n", "  x\n\n    y\n"));
        assert_eq!(replaced(&new, "one", "x\n\n  y\n").unwrap(), new);
    }

    #[test]
    fn a_block_that_is_not_there_or_does_not_end_is_named() {
        let missing = replaced(FILE, "two", "").unwrap_err().to_string();
        assert_eq!(missing, "no line has `codegen: two`");
        let open = replaced("// codegen: one\n", "one", "").unwrap_err().to_string();
        assert_eq!(open, "`codegen: one` is not followed by `codegen: end`");
    }
}
