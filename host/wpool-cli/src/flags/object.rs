//! Shared objects as flags name them. Each function parses the value of one flag, or returns what
//! is wrong with the value and what to write instead.
//!
//! ```text
//! NAME[:SIZE…][=CONTENTS[:OPTION…]]
//! ```
//! A name ends at the first `:` or `=`. `@FILE` stands for contents that are read from a file.

use crate::cli::numbers::{self, Type};
use crate::cli::units;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use wpool::Permits;

/// The most bytes in the name of an object.
const NAME_BYTES_MAX: usize = 128;

/// The value of `--semaphore`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Semaphore {
    pub(crate) name: String,
    pub(crate) permits: Permits,
}

/// The value of `--condition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) name: String,
    /// The name of its lock; without a name, the condition has a lock of its own.
    pub(crate) lock: Option<String>,
}

/// The value of `--event`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) set: bool,
}

/// The value of `--barrier`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Barrier {
    pub(crate) name: String,
    pub(crate) parties: u32,
}

/// The value of `--queue`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) messages: Option<u32>,
    pub(crate) bytes: Option<u64>,
    pub(crate) joinable: bool,
    /// A file with a message on each line.
    pub(crate) file: Option<PathBuf>,
}

/// The value of `--value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) kind: Type,
    /// The text of the number, which has been checked against the type.
    pub(crate) number: String,
}

/// The value of `--array`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Array {
    pub(crate) name: String,
    pub(crate) kind: Type,
    pub(crate) elements: Elements,
}

/// The initial elements of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Elements {
    /// A number of zeros.
    Zeros(u32),
    /// The text of a list of numbers, with its brackets.
    Given(String),
    /// The numbers of a file.
    File(PathBuf),
}

impl Elements {
    /// Returns the file that the elements are read from, if any.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Elements::File(file) => Some(file),
            Elements::Zeros(_) | Elements::Given(_) => None,
        }
    }
}

/// The value of `--region`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) name: String,
    /// The size in bytes; `None` for the size of the file.
    pub(crate) bytes: Option<u64>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) read_only: bool,
}

/// The value of `--list`, `--dict` or `--set`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collection {
    pub(crate) name: String,
    /// Most elements, entries or members; 0 for any number.
    pub(crate) entries: u32,
    /// Most bytes; 0 for any number.
    pub(crate) bytes: u64,
    pub(crate) contents: Contents,
}

/// The beginning of a list, dict or set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// Nothing.
    Nothing,
    /// This JSON.
    Given(String),
    /// The JSON of a file.
    File(PathBuf),
}

impl Contents {
    /// The file that it is read from.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Contents::File(file) => Some(file),
            Contents::Nothing | Contents::Given(_) => None,
        }
    }
}

/// The value of `--save`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Save {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
}

/// Splits off the name from the text after it. `form` tells what to write instead of wrong text.
fn named<'a>(text: &'a str, form: &str) -> Result<(String, &'a str), String> {
    let end = text.find([':', '=']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match name.len() {
        0 => Err(format!("the object has no name; write {form}")),
        1..=NAME_BYTES_MAX => Ok((name.to_owned(), rest)),
        _ => Err(format!("a name has at most {NAME_BYTES_MAX} bytes; write {form}")),
    }
}

fn wrong(part: &str, what: impl Display, form: &str) -> String {
    format!("{part:?} is not {what}; write {form}")
}

/// Parses `--lock` and `--rlock`.
pub(super) fn lock(text: &str) -> Result<String, String> {
    const FORM: &str = "NAME";
    match named(text, FORM)? {
        (name, "") => Ok(name),
        (name, rest) => {
            Err(format!("a lock has a name and nothing else, not {rest:?}; write {name}"))
        }
    }
}

/// Parses `--semaphore`.
pub(super) fn semaphore(text: &str) -> Result<Semaphore, String> {
    const FORM: &str = "NAME=PERMITS, and :owned, :bounded or both behind it";
    const PERMITS_MAX: u32 = i32::MAX as u32;
    let (name, rest) = named(text, FORM)?;
    let rest = rest.strip_prefix('=').ok_or_else(|| missing("number of permits", FORM))?;
    let mut parts = rest.split(':');
    let permits = parts.next().unwrap_or_default();
    let initial = within(permits, 0, PERMITS_MAX, "permits", FORM)?;
    let (mut owned, mut bounded) = (false, false);
    for option in parts {
        match option {
            "owned" => owned = true,
            "bounded" => bounded = true,
            other => return Err(wrong(other, "an option of a semaphore", FORM)),
        }
    }
    let permits = if owned { Permits::owned(initial) } else { Permits::signal(initial) };
    Ok(Semaphore { name, permits: if bounded { permits.bounded() } else { permits } })
}

fn missing(what: &str, form: &str) -> String {
    format!("there is no {what}; write {form}")
}

/// Parses an integer in a range.
fn within(text: &str, least: u32, most: u32, what: &str, form: &str) -> Result<u32, String> {
    match text.parse::<u64>() {
        Ok(number) if (u64::from(least)..=u64::from(most)).contains(&number) => Ok(number as u32),
        Ok(_) => Err(format!("{text} is outside of {least} to {most} {what}; write {form}")),
        Err(_) => Err(wrong(text, format_args!("a number of {what}"), form)),
    }
}

/// Parses `--condition`.
pub(super) fn condition(text: &str) -> Result<Condition, String> {
    const FORM: &str = "NAME, or NAME:LOCK with the name of a --lock or an --rlock";
    let (name, rest) = named(text, FORM)?;
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Ok(Condition { name, lock: None }),
        Some(lock) if !lock.is_empty() && !lock.contains([':', '=']) => {
            Ok(Condition { name, lock: Some(lock.to_owned()) })
        }
        _ => Err(wrong(rest, "a colon and the name of a lock", FORM)),
    }
}

/// Parses `--event`.
pub(super) fn event(text: &str) -> Result<Event, String> {
    const FORM: &str = "NAME, or NAME=set";
    let (name, rest) = named(text, FORM)?;
    match rest {
        "" => Ok(Event { name, set: false }),
        "=set" => Ok(Event { name, set: true }),
        _ => Err(wrong(rest, "what an event begins with", FORM)),
    }
}

/// Parses `--barrier`.
pub(super) fn barrier(text: &str) -> Result<Barrier, String> {
    const FORM: &str = "NAME=PARTIES";
    let (name, rest) = named(text, FORM)?;
    let rest = rest.strip_prefix('=').ok_or_else(|| missing("number of parties", FORM))?;
    Ok(Barrier { name, parties: within(rest, 1, 1024, "parties", FORM)? })
}

/// Parses `--queue`.
pub(super) fn queue(text: &str) -> Result<Queue, String> {
    const FORM: &str =
        "NAME, NAME:MESSAGES or NAME:MESSAGES:BYTES, with :joinable and =@FILE behind it";
    let (name, rest) = named(text, FORM)?;
    let (sizes, file) = contents(rest, FORM)?;
    let mut queue = Queue { name, messages: None, bytes: None, joinable: false, file };
    let sizes = sizes.strip_prefix(':').map(|sizes| sizes.split(':'));
    for part in sizes.into_iter().flatten() {
        if queue.joinable {
            return Err(wrong(part, "what follows joinable", FORM));
        } else if part == "joinable" {
            queue.joinable = true;
        } else if queue.messages.is_none() {
            queue.messages = Some(within(part, 1, 1 << 16, "messages", FORM)?);
        } else if queue.bytes.is_none() {
            queue.bytes = Some(units::size(part).map_err(|error| format!("{part:?} is {error}"))?);
        } else {
            return Err(wrong(part, "a part of a queue", FORM));
        }
    }
    Ok(queue)
}

/// Splits the text before `=@FILE` from the file.
fn contents<'a>(rest: &'a str, form: &str) -> Result<(&'a str, Option<PathBuf>), String> {
    match rest.split_once('=') {
        None => Ok((rest, None)),
        Some((before, file)) => Ok((before, Some(path(file, form)?))),
    }
}

/// Parses a file with `@` before it.
fn path(text: &str, form: &str) -> Result<PathBuf, String> {
    match text.strip_prefix('@') {
        Some("") | None => Err(wrong(text, "@ and the path of a file", form)),
        Some(path) => Ok(PathBuf::from(path)),
    }
}

/// Parses a type, and returns it with the text after its colon.
fn typed<'a>(rest: &'a str, form: &str) -> Result<(Type, &'a str), String> {
    let rest = rest.strip_prefix('=').ok_or_else(|| missing("type", form))?;
    let (kind, rest) =
        rest.split_once(':').ok_or_else(|| missing("number behind the type", form))?;
    let kind = kind.parse().map_err(|()| {
        format!("{kind:?} is no type of numbers; there are i32, i64, u32, u64, f32, f64 and bool")
    })?;
    Ok((kind, rest))
}

/// Parses `--value`.
pub(super) fn value(text: &str) -> Result<Value, String> {
    const FORM: &str = "NAME=TYPE:NUMBER, as in balance=i64:100";
    let (name, rest) = named(text, FORM)?;
    let (kind, number) = typed(rest, FORM)?;
    let number = number.to_owned();
    numbers::check(kind, &number).map_err(|error| format!("{error}; write {FORM}"))?;
    Ok(Value { name, kind, number })
}

/// Parses `--array`.
pub(super) fn array(text: &str) -> Result<Array, String> {
    const FORM: &str = "NAME=TYPE:LENGTH, NAME=TYPE:[NUMBER,…] or NAME=TYPE:@FILE";
    let (name, rest) = named(text, FORM)?;
    let (kind, rest) = typed(rest, FORM)?;
    let elements = match rest.as_bytes().first() {
        Some(b'@') => Elements::File(path(rest, FORM)?),
        Some(b'[') => {
            let checked = numbers::check_list(kind, rest);
            checked.map_err(|error| format!("{error}; write {FORM}"))?;
            Elements::Given(rest.to_owned())
        }
        _ => Elements::Zeros(within(rest, 0, u32::MAX, "elements", FORM)?),
    };
    Ok(Array { name, kind, elements })
}

/// Parses `--region`.
pub(super) fn region(text: &str) -> Result<Region, String> {
    const FORM: &str = "NAME:SIZE, NAME=@FILE or NAME:SIZE=@FILE, with :ro behind the file";
    let (name, rest) = named(text, FORM)?;
    let (rest, read_only) = match rest.strip_suffix(":ro") {
        Some(rest) if rest.contains('@') => (rest, true),
        _ => (rest, false),
    };
    let (size, file) = contents(rest, FORM)?;
    let bytes = match size.strip_prefix(':') {
        None if file.is_none() => return Err(missing("size", FORM)),
        None => None,
        Some(size) => match units::size(size).map_err(|error| format!("{size:?} is {error}"))? {
            0 => return Err(format!("a region has at least a byte; write {FORM}")),
            bytes => Some(bytes),
        },
    };
    Ok(Region { name, bytes, file, read_only })
}

/// Parses `--list`.
pub(super) fn list(text: &str) -> Result<Collection, String> {
    const FORM: &str = "NAME, NAME:ELEMENTS or NAME:ELEMENTS:BYTES, with =[…] or =@FILE behind it";
    collection::<Vec<serde::de::IgnoredAny>>(text, "a list in JSON", FORM)
}

/// Parses `--dict`.
pub(super) fn dict(text: &str) -> Result<Collection, String> {
    const FORM: &str = "NAME, NAME:ENTRIES or NAME:ENTRIES:BYTES, with ={…} or =@FILE behind it";
    collection::<HashMap<String, serde::de::IgnoredAny>>(text, "an object in JSON", FORM)
}

/// Parses `--set`.
pub(super) fn set(text: &str) -> Result<Collection, String> {
    const FORM: &str = "NAME, NAME:MEMBERS or NAME:MEMBERS:BYTES, with =[…] or =@FILE behind it";
    collection::<Vec<serde::de::IgnoredAny>>(text, "a list in JSON", FORM)
}

/// A list, dict or set, whose JSON is a `T`.
fn collection<T: DeserializeOwned>(
    text: &str,
    what: &str,
    form: &str,
) -> Result<Collection, String> {
    let (name, rest) = named(text, form)?;
    let (sizes, contents) = match rest.split_once('=') {
        None => (rest, Contents::Nothing),
        Some((sizes, file)) if file.starts_with('@') => (sizes, Contents::File(path(file, form)?)),
        Some((sizes, json)) => {
            serde_json::from_str::<T>(json).map_err(|_| wrong(json, what, form))?;
            (sizes, Contents::Given(json.to_owned()))
        }
    };
    let mut sizes = sizes.split(':').skip(1);
    let entries =
        sizes.next().map(|part| within(part, 1, u32::MAX, "entries", form)).transpose()?;
    let bytes = sizes.next().map(units::size).transpose();
    let bytes = bytes.map_err(|error| format!("the size of {name} is {error}"))?;
    match sizes.next() {
        Some(part) => Err(wrong(part, "a part of it", form)),
        None => {
            let (entries, bytes) = (entries.unwrap_or(0), bytes.unwrap_or(0));
            Ok(Collection { name, entries, bytes, contents })
        }
    }
}

/// Parses `--show`.
pub(super) fn show(text: &str) -> Result<String, String> {
    match text.len() {
        0 => Err("the object has no name; write NAME".into()),
        _ => Ok(text.to_owned()),
    }
}

/// Parses `--save`.
pub(super) fn save(text: &str) -> Result<Save, String> {
    const FORM: &str = "NAME=FILE";
    let (name, file) = text.split_once('=').ok_or_else(|| missing("file", FORM))?;
    if name.is_empty() || file.is_empty() {
        let what = if name.is_empty() { "name" } else { "file" };
        return Err(missing(what, FORM));
    }
    Ok(Save { name: name.to_owned(), file: PathBuf::from(file) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong<T>(result: Result<T, String>) -> String {
        result.err().expect("an error")
    }

    #[test]
    fn a_name_ends_at_a_colon_or_an_equals_sign() {
        assert_eq!(lock("a b"), Ok("a b".into()));
        assert_eq!(lock(&"x".repeat(128)), Ok("x".repeat(128)));
        for text in ["", ":a", "=a", "a:b", "a=b", &"x".repeat(129)] {
            assert!(lock(text).is_err(), "{text}");
        }
    }

    #[test]
    fn options_stand_behind_what_they_are_about() {
        let owned = Permits::owned(2).bounded();
        assert_eq!(semaphore("s=2:bounded:owned").map(|s| s.permits), Ok(owned));
        assert_eq!(semaphore("s=0").map(|s| s.permits), Ok(Permits::signal(0)));
        for text in ["s", "s=", "s=-1", "s=2:mine", "s=2147483648", "s:owned=2"] {
            assert!(semaphore(text).is_err(), "{text}");
        }
        assert_eq!(condition("c:l").map(|c| c.lock), Ok(Some("l".into())));
        assert_eq!(condition("c").map(|c| c.lock), Ok(None));
        assert!(condition("c:").is_err() && condition("c=l").is_err());
        assert_eq!(event("e=set").map(|e| e.set), Ok(true));
        assert!(event("e=1").is_err() && event("e:set").is_err());
        assert_eq!(barrier("b=4").map(|b| b.parties), Ok(4));
        assert!(barrier("b").is_err() && barrier("b=0").is_err() && barrier("b=1025").is_err());
    }

    #[test]
    fn a_queue_has_sizes_and_a_file_and_may_be_joinable() {
        let queue = |text| queue(text).map(|q| (q.messages, q.bytes, q.joinable, q.file));
        assert_eq!(queue("q"), Ok((None, None, false, None)));
        assert_eq!(queue("q:10:64KiB:joinable"), Ok((Some(10), Some(65536), true, None)));
        assert_eq!(queue("q:joinable=@a:b=c"), Ok((None, None, true, Some("a:b=c".into()))));
        assert_eq!(queue("q=@f"), Ok((None, None, false, Some("f".into()))));
        for text in ["q:0", "q:65537", "q:1:x", "q:1:2:3", "q:joinable:1", "q=f", "q=@", "q:"] {
            assert!(queue(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_of_their_type() {
        let number = |text| value(text).map(|v| (v.kind, v.number));
        assert_eq!(number("v=i32:-1"), Ok((Type::I32, "-1".into())));
        for text in ["v", "v=1", "v=i8:1", "v=u32:-1", "v=bool:1", "v=i32:", "v:i32=1"] {
            assert!(number(text).is_err(), "{text}");
        }
        let elements = |text| array(text).map(|a| (a.kind, a.elements));
        assert_eq!(elements("a=f64:1000"), Ok((Type::F64, Elements::Zeros(1000))));
        assert_eq!(elements("a=u32:[1,2]"), Ok((Type::U32, Elements::Given("[1,2]".into()))));
        assert_eq!(elements("a=u32:@x:y"), Ok((Type::U32, Elements::File("x:y".into()))));
        for text in ["a=f64", "a=f64:", "a=f64:-1", "a=u32:[1,x]", "a=u32:@", "a=f64:5000000000"] {
            assert!(elements(text).is_err(), "{text}");
        }
        assert_eq!(
            wrong(value("v=u32:-1")),
            "-1 is out of range for u32 (0 to 4294967295); write NAME=TYPE:NUMBER, as in \
             balance=i64:100"
        );
    }

    #[test]
    fn a_region_has_a_size_or_a_file_or_both() {
        let region = |text| region(text).map(|r| (r.bytes, r.file, r.read_only));
        assert_eq!(region("r:64MiB"), Ok((Some(64 << 20), None, false)));
        assert_eq!(region("r=@a:b"), Ok((None, Some("a:b".into()), false)));
        assert_eq!(region("r:1K=@f:ro"), Ok((Some(1024), Some("f".into()), true)));
        for text in ["r", "r:", "r:0", "r:x", "r=f", "r=@", "r:1K:ro", "r=@:ro"] {
            assert!(region(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_a_dict_and_a_set_have_bounds_and_contents() {
        let list = |text| list(text).map(|l| (l.entries, l.bytes, l.contents));
        let given = |json: &str| Contents::Given(json.into());
        assert_eq!(list("l"), Ok((0, 0, Contents::Nothing)));
        assert_eq!(
            list("l:10:64KiB=[1,{\"a\":\"=@\"}]"),
            Ok((10, 65536, given("[1,{\"a\":\"=@\"}]")))
        );
        assert_eq!(list("l=@a:b"), Ok((0, 0, Contents::File("a:b".into()))));
        assert_eq!(dict("d={\"a\":[]}").map(|d| d.contents), Ok(given("{\"a\":[]}")));
        assert_eq!(set("s:5").map(|s| s.entries), Ok(5));
        for text in ["l:0", "l:x", "l:1:x", "l:1:2:3", "l=", "l={}", "l=[1", "l=@", "l:"] {
            assert!(list(text).is_err(), "{text}");
        }
        assert!(dict("d=[1]").is_err() && set("s={}").is_err());
    }

    #[test]
    fn what_is_saved_has_a_name_and_a_file() {
        assert_eq!(save("a=b=c"), Ok(Save { name: "a".into(), file: "b=c".into() }));
        for text in ["a", "=b", "a="] {
            assert!(save(text).is_err(), "{text}");
        }
    }
}
