//! Templates of a command's arguments and of tags, with GNU parallel's replacements.

/// Arguments with places for a job's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    arguments: Vec<Vec<Piece>>,
}

/// The values with which a template is filled.
#[derive(Clone, Copy, Debug)]
pub struct Filling<'a> {
    /// The words of the job.
    pub words: &'a [&'a str],
    /// The job's number, from 1.
    pub number: u64,
    /// The slot of the worker that runs the job, from 1.
    pub slot: u32,
}

/// A piece of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// `{#}`: the job's number, from 1.
    Number,
    /// `{%}`: the worker's slot, from 1.
    Slot,
    Words(Words),
}

/// A place for words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Words {
    /// The number of the word, from 1, or from the end if negative; all words if `None`.
    position: Option<isize>,
    part: Part,
}

/// A part of a word, seen as a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// `{}`: the whole word.
    Whole,
    /// `{.}`: the word without its extension.
    Stem,
    /// `{/}`: the word without its directory.
    Name,
    /// `{//}`: the directory.
    Directory,
    /// `{/.}`: the word without directory and extension.
    NameStem,
}

impl Template {
    /// Finds the replacements in arguments. Braces around anything else are text. If there is a
    /// `whole`, it replaces `{}`, which is text then.
    pub fn parse(arguments: &[String], whole: Option<&str>) -> Self {
        Template { arguments: arguments.iter().map(|text| pieces(text, whole)).collect() }
    }

    /// Returns whether the template has a place for words or for the number.
    pub fn has_replacement(&self) -> bool {
        self.arguments.iter().flatten().any(|piece| !matches!(piece, Piece::Text(_)))
    }

    /// Returns whether the template needs a job's words.
    pub fn has_words(&self) -> bool {
        self.arguments.iter().flatten().any(|piece| matches!(piece, Piece::Words(_)))
    }

    /// Appends the arguments of a job.
    ///
    /// A place alone in its argument becomes one argument for each of several words; a place beside
    /// other text joins the words with spaces. A word that does not exist is empty.
    pub fn expand(&self, filling: Filling<'_>, out: &mut Vec<String>) {
        let Filling { words, number, slot } = filling;
        for pieces in &self.arguments {
            if let [Piece::Words(place)] = pieces[..]
                && words.len() > 1
                && place.position.is_none()
            {
                out.extend(words.iter().map(|word| place.part.of(word).to_owned()));
                continue;
            }
            let mut argument = String::new();
            for piece in pieces {
                match piece {
                    Piece::Text(text) => argument += text,
                    Piece::Number => argument += &number.to_string(),
                    Piece::Slot => argument += &slot.to_string(),
                    Piece::Words(place) => argument += &place.text(words),
                }
            }
            out.push(argument);
        }
    }
}

impl Words {
    fn text(self, words: &[&str]) -> String {
        let Some(position) = self.position else {
            return words.iter().map(|word| self.part.of(word)).collect::<Vec<_>>().join(" ");
        };
        let index = if position > 0 { position - 1 } else { position + words.len() as isize };
        let word = usize::try_from(index).ok().and_then(|index| words.get(index));
        word.map(|word| self.part.of(word).to_owned()).unwrap_or_default()
    }
}

impl Part {
    fn of(self, word: &str) -> &str {
        match self {
            Part::Whole => word,
            Part::Stem => stem(word),
            Part::Name => name(word),
            Part::Directory => directory(word),
            Part::NameStem => stem(name(word)),
        }
    }
}

fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn stem(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') => stem,
        _ => path,
    }
}

/// Returns the directory of a path as `dirname` does: slashes at the end do not count, and the
/// result is never empty.
fn directory(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() && !path.is_empty() {
        return "/";
    }
    match trimmed.rfind('/') {
        None => ".",
        Some(slash) => match trimmed[..slash].trim_end_matches('/') {
            "" => "/",
            directory => directory,
        },
    }
}

fn pieces(text: &str, whole: Option<&str>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let found = match whole {
            Some(whole) if rest.starts_with(whole) => Some((ALL, &rest[whole.len()..])),
            _ => in_braces(rest).filter(|(found, _)| whole.is_none() || *found != ALL),
        };
        match found {
            Some((piece, after)) => {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(piece);
                rest = after;
            }
            None => {
                plain.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    if !plain.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}

/// The place of all words: `{}`.
const ALL: Piece = Piece::Words(Words { position: None, part: Part::Whole });

/// Returns the replacement in braces that a text begins with, and the rest of the text.
fn in_braces(text: &str) -> Option<(Piece, &str)> {
    let (inside, after) = text.strip_prefix('{')?.split_once('}')?;
    Some((piece(inside)?, after))
}

/// Returns the replacement with this text between the braces, if it is one.
fn piece(inside: &str) -> Option<Piece> {
    match inside {
        "#" => return Some(Piece::Number),
        "%" => return Some(Piece::Slot),
        _ => {}
    }
    let end = inside.find(['.', '/']).unwrap_or(inside.len());
    let (position, part) = inside.split_at(end);
    let part = match part {
        "" => Part::Whole,
        "." => Part::Stem,
        "/" => Part::Name,
        "//" => Part::Directory,
        "/." => Part::NameStem,
        _ => return None,
    };
    let position = match position {
        "" => None,
        digits => {
            let unsigned = digits.strip_prefix('-').unwrap_or(digits);
            if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            Some(digits.parse::<isize>().ok().filter(|position| *position != 0)?)
        }
    };
    Some(Piece::Words(Words { position, part }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(template: &[&str], words: &[&str]) -> Vec<String> {
        let template: Vec<String> = template.iter().map(|text| (*text).into()).collect();
        let mut out = Vec::new();
        let filling = Filling { words, number: 7, slot: 2 };
        Template::parse(&template, None).expand(filling, &mut out);
        out
    }

    #[test]
    fn another_text_can_stand_for_all_words() {
        let template = Template::parse(&["a%b%".into(), "{}".into(), "{.}".into()], Some("%"));
        let (mut out, filling) = (Vec::new(), Filling { words: &["x.c"], number: 1, slot: 1 });
        template.expand(filling, &mut out);
        assert_eq!(out, ["ax.cbx.c", "{}", "x"]);
        assert!(!Template::parse(&["{}".into()], Some(",,")).has_replacement());
    }

    #[test]
    fn each_replacement_takes_its_part_of_the_word() {
        for (place, path, part) in [
            ("{}", "a/b.tar.gz", "a/b.tar.gz"),
            ("{.}", "a/b.tar.gz", "a/b.tar"),
            ("{/}", "a/b.tar.gz", "b.tar.gz"),
            ("{//}", "a/b.tar.gz", "a"),
            ("{/.}", "a/b.tar.gz", "b.tar"),
            ("{.}", "a.d/b", "a.d/b"),
            ("{.}", "noext", "noext"),
            ("{//}", "noext", "."),
            ("{//}", "/etc", "/"),
            ("{//}", "a/b/", "a"),
            ("{//}", "/", "/"),
            ("{//}", "a//b", "a"),
            ("{/}", "a/", ""),
            ("{#}", "a", "7"),
            ("{%}", "a", "2"),
        ] {
            assert_eq!(expand(&[place], &[path]), [part], "{place} of {path}");
        }
    }

    #[test]
    fn replacements_stand_anywhere_in_an_argument() {
        assert_eq!(expand(&["--out={/.}.{#}.png"], &["x/a.jpg"]), ["--out=a.7.png"]);
    }

    #[test]
    fn a_number_names_the_word_of_one_source_also_from_the_end() {
        let words = ["a/x.c", "b/y.h"];
        assert_eq!(expand(&["{2}", "{1/.}", "{-1//}", "{3}"], &words), ["b/y.h", "x", "b", ""]);
    }

    #[test]
    fn several_words_are_several_arguments_or_joined_beside_text() {
        assert_eq!(expand(&["{}", "[{/}]"], &["a/1", "b/2"]), ["a/1", "b/2", "[1 2]"]);
    }

    #[test]
    fn other_braces_are_text() {
        let text = ["{", "}", "{a}", "{0}", "{1x}", "{{}}", "{-}", "a{b", ""];
        let expanded = ["{", "}", "{a}", "{0}", "{1x}", "{w}", "{-}", "a{b", ""];
        assert_eq!(expand(&text, &["w"]), expanded);
        let template = Template::parse(&["{a}".into(), "{".into()], None);
        assert!(!template.has_replacement());
    }
}
