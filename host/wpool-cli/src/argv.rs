//! Cuts the words after `:::` off the command line, before clap sees it.
//!
//! Jobs may look like flags (`::: --help`), so nothing after the first `:::` is ever a flag.

use super::escape;
use super::report::Report;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The words after one `:::` or `:::+`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The words, as bytes.
    pub(crate) words: Vec<Vec<u8>>,
    /// True if the column began with `:::+`, which pairs its words with those of the column before.
    pub(crate) linked: bool,
}

/// Cuts the arguments at the first `:::`.
///
/// # Errors
/// Fails on a separator that has no meaning.
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

/// Returns the command line quoted for a shell, with `flag` added after the subcommand. Flags in
/// `without` are left out, and those in `without_value` with their values.
pub(crate) fn again(
    args: &[OsString],
    flag: &str,
    without: &[&str],
    without_value: &[&str],
) -> String {
    let mut words = vec!["wpool".to_owned()];
    let mut rest = args.iter().skip(1);
    words.extend(rest.next().map(|subcommand| quote(subcommand.as_bytes())));
    words.push(flag.to_owned());
    // After `--` and `:::` no word is a flag.
    let mut flags = true;
    while let Some(arg) = rest.next() {
        let text = arg.to_string_lossy();
        flags &= !matches!(&*text, "--" | ":::" | ":::+");
        let name = text.split_once('=').map_or(&*text, |(name, _)| name);
        if flags && without.contains(&&*text) {
            continue;
        }
        if flags && without_value.contains(&name) {
            if name.len() == text.len() {
                rest.next();
            }
            continue;
        }
        words.push(quote(arg.as_bytes()));
    }
    words.join(" ")
}

/// Quotes a word for a shell: for a POSIX shell, or for bash if no POSIX shell could read the word
/// from one line.
pub(super) fn quote(word: &(impl AsRef<[u8]> + ?Sized)) -> String {
    let word = word.as_ref();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(b);
    if !word.is_empty() && word.iter().all(plain) {
        return String::from_utf8_lossy(word).into_owned();
    }
    if let Ok(text) = std::str::from_utf8(word)
        && escape::text(text) == text
    {
        return format!("'{}'", text.replace('\'', "'\\''"));
    }
    let mut quoted = "$'".to_owned();
    for &byte in word {
        match byte {
            b'\'' | b'\\' => quoted.extend(['\\', byte as char]),
            b' '..=b'~' => quoted.push(byte as char),
            _ => quoted += &format!("\\x{byte:02x}"),
        }
    }
    quoted + "'"
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
            again(&args, "--retry-failed", &["--resume"], &[]),
            "wpool map --retry-failed m.wasm ::: 'it'\\''s' ''"
        );
    }

    #[test]
    fn jobs_that_look_like_flags_stay_and_flags_go_with_their_values() {
        let args =
            ["w", "map", "--trace", "t", "--trace=t", "m", "--", "--resume", ":::", "--trace"];
        let again = again(&args.map(OsString::from), "--resume", &["--resume"], &["--trace"]);
        assert_eq!(again, "wpool map --resume m -- --resume ::: --trace");
    }

    #[test]
    fn any_bytes_can_be_pasted() {
        assert_eq!(quote(b"a\nb\xff'\\"), r"$'a\x0ab\xff\'\\'");
        assert_eq!(quote("ж b"), "'ж b'");
    }
}
