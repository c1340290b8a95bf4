//! The command line before clap sees it: the words after `:::` are cut off.
//!
//! Jobs may look like flags (`::: --help`), so nothing after the first `:::` is ever a flag.

use super::report::Report;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// The words after one `:::` or `:::+`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The words, as bytes.
    pub(crate) words: Vec<Vec<u8>>,
    /// Whether it began with `:::+`: its words go with those of the column before it.
    pub(crate) linked: bool,
}

/// Cuts the arguments at the first `:::`.
///
/// # Errors
/// A separator that has no meaning.
pub(crate) fn cut(
    args: impl IntoIterator<Item = OsString>,
) -> Result<(Vec<OsString>, Vec<Column>), Report> {
    let mut front = Vec::new();
    let mut columns: Vec<Column> = Vec::new();
    for arg in args {
        match (arg.to_str(), columns.last_mut()) {
            (Some(":::+"), None) => {
                return Err(Report::usage("`:::+` needs a `:::` before it")
                    .help("`::: a b :::+ 1 2` makes the jobs `a 1` and `b 2`"));
            }
            (Some("::::" | "::::+"), _) => {
                return Err(Report::usage("`::::` is not supported")
                    .help("read jobs from a file with -a FILE"));
            }
            (Some(separator @ (":::" | ":::+")), _) => {
                columns.push(Column { words: Vec::new(), linked: separator == ":::+" });
            }
            (_, Some(column)) => column.words.push(arg.into_vec()),
            (_, None) => front.push(arg),
        }
    }
    Ok((front, columns))
}

/// The command line again, quoted for a shell, with `flag` added behind the subcommand; flags in
/// `without` are left out.
pub(crate) fn again(args: &[OsString], flag: &str, without: &[&str]) -> String {
    let mut words = vec!["wpool".to_owned()];
    let mut kept = args.iter().skip(1).map(|arg| arg.to_string_lossy());
    words.extend(kept.next().map(|subcommand| quote(&subcommand)));
    words.push(flag.to_owned());
    words.extend(kept.filter(|arg| !without.contains(&arg.as_ref())).map(|arg| quote(&arg)));
    words.join(" ")
}

/// The word as a POSIX shell reads it back.
pub(super) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_words(line: &str) -> (Vec<String>, Vec<Column>) {
        let (front, columns) = cut(line.split(' ').map(OsString::from)).expect("a valid line");
        (front.into_iter().map(|arg| arg.into_string().expect("UTF-8")).collect(), columns)
    }

    fn column(words: &[&str], linked: bool) -> Column {
        Column { words: words.iter().map(|word| word.as_bytes().to_vec()).collect(), linked }
    }

    #[test]
    fn everything_before_the_first_separator_stays() {
        let (front, columns) = cut_words("wpool map m.wasm -- -x {} ::: a b");
        assert_eq!(front, ["wpool", "map", "m.wasm", "--", "-x", "{}"]);
        assert_eq!(columns, [column(&["a", "b"], false)]);
    }

    #[test]
    fn several_separators_make_several_columns_and_flags_are_words_there() {
        let (_, columns) = cut_words("wpool map m ::: --help -- :::+ 1 2 ::: x");
        assert_eq!(
            columns,
            [column(&["--help", "--"], false), column(&["1", "2"], true), column(&["x"], false)]
        );
    }

    #[test]
    fn no_words_is_a_column_too() {
        assert_eq!(cut_words("wpool map m :::").1, [column(&[], false)]);
        assert_eq!(cut_words("wpool map m").1, []);
    }

    #[test]
    fn separators_without_a_meaning_are_refused() {
        assert!(cut(["m", ":::+", "a"].map(OsString::from)).is_err());
        assert!(cut(["m", "::::", "file"].map(OsString::from)).is_err());
    }

    #[test]
    fn a_command_line_can_be_pasted_again() {
        let args =
            ["/bin/wpool", "map", "--resume", "m.wasm", ":::", "it's", ""].map(OsString::from);
        assert_eq!(
            again(&args, "--retry-failed", &["--resume"]),
            "wpool map --retry-failed m.wasm ::: 'it'\\''s' ''"
        );
    }
}
