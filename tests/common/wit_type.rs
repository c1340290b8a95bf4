//! Random WIT types, values of them as JSON, and components that return what they are given.

use super::dice::Dice;
use std::fmt::Write;

/// The names of fields, cases and flags; some look like what JSON is made of.
const NAMES: [&str; 12] = [
    "a",
    "some",
    "ok",
    "error",
    "null",
    "true",
    "x-y",
    "URL",
    "list",
    "b0",
    "very-long-name-of-it",
    "none",
];

/// A WIT type.
#[derive(Debug)]
pub(crate) enum WitType {
    /// A type without parts: `u8`, `string`, …
    Plain(&'static str),
    List(Box<WitType>),
    Option(Box<WitType>),
    Result(Option<Box<WitType>>, Option<Box<WitType>>),
    Tuple(Vec<WitType>),
    Record(Vec<(String, WitType)>),
    Variant(Vec<(String, Option<WitType>)>),
    Enum(Vec<String>),
    Flags(Vec<String>),
}

const PLAIN: [&str; 13] = [
    "bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "float32", "float64", "char",
    "string",
];

impl WitType {
    /// Returns a random type with at most `depth` levels.
    pub(crate) fn random(dice: &mut Dice, depth: usize) -> WitType {
        let inner = |dice: &mut Dice| Box::new(WitType::random(dice, depth - 1));
        let maybe = |dice: &mut Dice| (dice.below(3) > 0).then(|| inner(dice));
        match if depth == 0 { 0 } else { dice.below(14) } {
            0..4 => WitType::Plain(PLAIN[dice.below(PLAIN.len())]),
            4 | 5 => WitType::List(inner(dice)),
            6 | 7 => WitType::Option(inner(dice)),
            8 => WitType::Result(maybe(dice), maybe(dice)),
            9 => WitType::Tuple((0..=dice.below(4)).map(|_| *inner(dice)).collect()),
            10 => {
                let names = names(dice, 6);
                WitType::Record(names.into_iter().map(|name| (name, *inner(dice))).collect())
            }
            11 => {
                let names = names(dice, 6);
                let case = |name| (name, maybe(dice).map(|ty| *ty));
                WitType::Variant(names.into_iter().map(case).collect())
            }
            // The cases beyond 256 take two bytes to tell apart.
            12 if dice.below(10) == 0 => WitType::Enum(names(dice, 300)),
            12 => WitType::Enum(names(dice, 6)),
            _ => WitType::Flags(names(dice, 32)),
        }
    }

    /// Appends a random value, written exactly as wpool writes it.
    pub(crate) fn value(&self, dice: &mut Dice, out: &mut String) {
        match self {
            WitType::Plain(name) => out.push_str(&plain(name, dice)),
            WitType::List(element) => {
                let length = if dice.below(20) == 0 { 100 } else { dice.below(4) };
                separated(out, "[]", 0..length, |out, _| element.value(dice, out));
            }
            WitType::Option(_) if dice.below(3) == 0 => out.push_str("null"),
            WitType::Option(inner) => match **inner {
                WitType::Option(_) => member(out, "some", Some(inner), dice),
                _ => inner.value(dice, out),
            },
            WitType::Result(ok, error) => match dice.below(2) {
                0 => member(out, "ok", ok.as_deref(), dice),
                _ => member(out, "error", error.as_deref(), dice),
            },
            WitType::Tuple(types) => separated(out, "[]", types, |out, ty| ty.value(dice, out)),
            WitType::Record(fields) => separated(out, "{}", fields, |out, (name, ty)| {
                write!(out, "\"{name}\":").unwrap();
                ty.value(dice, out);
            }),
            WitType::Variant(cases) => match &cases[dice.below(cases.len())] {
                (name, Some(ty)) => member(out, name, Some(ty), dice),
                (name, None) => write!(out, "\"{name}\"").unwrap(),
            },
            WitType::Enum(names) => write!(out, "\"{}\"", names[dice.below(names.len())]).unwrap(),
            WitType::Flags(names) => {
                let set = names.iter().filter(|_| dice.below(2) == 0).collect::<Vec<_>>();
                separated(out, "[]", set, |out, name| write!(out, "\"{name}\"").unwrap());
            }
        }
    }

    /// Appends the definition of the type to a component's text, and returns its name there.
    fn define(&self, text: &mut String, count: &mut usize) -> String {
        let mut of = |ty: &WitType, text: &mut String| ty.define(text, count);
        let (form, named) = match self {
            WitType::Plain(name) => return (*name).to_owned(),
            WitType::List(element) => (format!("(list {})", of(element, text)), false),
            WitType::Option(inner) => (format!("(option {})", of(inner, text)), false),
            WitType::Result(ok, error) => {
                let ok = ok.as_ref().map(|ty| of(ty, text)).unwrap_or_default();
                let error = error.as_ref().map(|ty| format!("(error {})", of(ty, text)));
                (format!("(result {ok} {})", error.unwrap_or_default()), false)
            }
            WitType::Tuple(types) => {
                let types: Vec<String> = types.iter().map(|ty| of(ty, text)).collect();
                (format!("(tuple {})", types.join(" ")), false)
            }
            WitType::Record(fields) => {
                let fields = fields.iter();
                let fields =
                    fields.map(|(name, ty)| format!("(field \"{name}\" {})", of(ty, text)));
                (format!("(record {})", fields.collect::<Vec<_>>().join(" ")), true)
            }
            WitType::Variant(cases) => {
                let cases = cases.iter().map(|(name, ty)| {
                    let ty = ty.as_ref().map(|ty| of(ty, text)).unwrap_or_default();
                    format!("(case \"{name}\" {ty})")
                });
                (format!("(variant {})", cases.collect::<Vec<_>>().join(" ")), true)
            }
            WitType::Enum(names) => (format!("(enum \"{}\")", names.join("\" \"")), true),
            WitType::Flags(names) => (format!("(flags \"{}\")", names.join("\" \"")), true),
        };
        *count += 1;
        writeln!(text, "  (type $t{count} {form})").unwrap();
        if named {
            writeln!(text, "  (export $e{count} \"type{count}\" (type $t{count}))").unwrap();
        }
        format!("{}{count}", if named { "$e" } else { "$t" })
    }
}

/// Returns a component whose only task returns its arguments: seventeen numbers, and a value for
/// each type.
///
/// The arguments are so many that they travel in memory, as does the result, in the same layout:
/// the code only has to return the address.
pub(crate) fn echo(types: &[WitType]) -> String {
    let (mut definitions, mut count) = (String::new(), 0);
    let names: Vec<_> = types.iter().map(|ty| ty.define(&mut definitions, &mut count)).collect();
    let numbers = ["u8"; NUMBERS];
    let values: Vec<&str> = numbers.into_iter().chain(names.iter().map(String::as_str)).collect();
    let params = values.iter().enumerate().map(|(at, ty)| format!("(param \"p{at}\" {ty})"));
    format!(
        r#"(component
  (core module $module
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get $bytes)))
      (loop $more
        (if (i32.gt_u (global.get $next) (i32.shl (memory.size) (i32.const 16)))
          (then (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))) (unreachable))))
      (local.get $at))
    (func (export "echo") (param i32) (result i32) (local.get 0)))
  (core instance $instance (instantiate $module))
{definitions}
  (func (export "echo") {} (result (tuple {}))
    (canon lift (core func $instance "echo")
      (memory $instance "memory") (realloc (func $instance "realloc")))))
"#,
        params.collect::<Vec<_>>().join(" "),
        values.join(" "),
    )
}

/// The number of arguments from which on they travel in memory.
pub(crate) const NUMBERS: usize = 17;

/// Returns at least one name, and no name twice.
fn names(dice: &mut Dice, most: usize) -> Vec<String> {
    let count = 1 + dice.below(most);
    let first = dice.below(NAMES.len());
    let name = |at: usize| match at {
        0..12 => NAMES[(first + at) % NAMES.len()].to_owned(),
        at => format!("name{at}"),
    };
    (0..count).map(name).collect()
}

fn plain(name: &str, dice: &mut Dice) -> String {
    let bits = (dice.below(1 << 32) as u64) << 32 | dice.below(1 << 32) as u64;
    // The number is often an extreme.
    let bits = match dice.below(4) {
        0 => 0,
        1 => u64::MAX >> 1,
        2 => u64::MAX,
        _ => bits,
    };
    let float = |finite: bool, text: String, value: f64| match () {
        () if finite => text,
        () if value.is_nan() => "\"NaN\"".into(),
        () if value > 0.0 => "\"Infinity\"".into(),
        () => "\"-Infinity\"".into(),
    };
    match name {
        "bool" => (bits & 1 == 0).to_string(),
        "s8" => (bits as i8).to_string(),
        "u8" => (bits as u8).to_string(),
        "s16" => (bits as i16).to_string(),
        "u16" => (bits as u16).to_string(),
        "s32" => (bits as i32).to_string(),
        "u32" => (bits as u32).to_string(),
        "s64" => (bits as i64).to_string(),
        "u64" => bits.to_string(),
        "float32" => {
            let value = f32::from_bits((bits >> 32) as u32);
            float(value.is_finite(), serde_json::to_string(&value).unwrap(), value.into())
        }
        "float64" => {
            let value = f64::from_bits(bits);
            float(value.is_finite(), serde_json::to_string(&value).unwrap(), value)
        }
        "char" => serde_json::to_string(&char_of(dice)).unwrap(),
        "string" => {
            let text: String = (0..dice.below(8)).map(|_| char_of(dice)).collect();
            serde_json::to_string(&text).unwrap()
        }
        name => unreachable!("{name} is not plain"),
    }
}

fn char_of(dice: &mut Dice) -> char {
    match dice.below(4) {
        0 => ['"', '\\', '\n', '\0', '\u{7f}', '\u{2028}', '😀', '\u{10ffff}'][dice.below(8)],
        1 => char::from_u32(dice.below(0xd800) as u32).expect("below the surrogates"),
        _ => (b' ' + dice.below(95) as u8).into(),
    }
}

fn separated<T>(
    out: &mut String,
    brackets: &str,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push_str(&brackets[..1]);
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push_str(&brackets[1..]);
}

fn member(out: &mut String, name: &str, ty: Option<&WitType>, dice: &mut Dice) {
    write!(out, "{{\"{name}\":").unwrap();
    match ty {
        Some(ty) => ty.value(dice, out),
        None => out.push_str("null"),
    }
    out.push('}');
}
