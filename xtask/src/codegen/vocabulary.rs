//! The vocabulary of `wit/`, read and checked: error codes, number types, kinds of objects, and the
//! functions that core modules import.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use wit_parser::{EnumCase, Handle, InterfaceId, PackageId, Resolve, Type, TypeDefKind};

use super::docs::{Docs, one_line};
use super::flat::quoted;
use super::import::{Import, Wit};
use super::message::Message;
use crate::Result;

/// The whole vocabulary of `wit/`.
pub(super) struct Vocabulary {
    pub(super) errors: Vec<ErrorCode>,
    pub(super) number_types: Vec<Code>,
    /// The interfaces, in the order of the world.
    pub(super) interfaces: Vec<Interface>,
    /// The functions for core modules only, from the table in `wit/README.md`.
    pub(super) core_only: Vec<CoreOnly>,
}

/// A name with a number of its own.
pub(super) struct Code {
    /// The name in WIT: `timed-out`.
    pub(super) name: String,
    /// The meaning of the name.
    pub(super) docs: String,
    pub(super) number: i32,
}

/// A case of `types.error`.
pub(super) struct ErrorCode {
    pub(super) code: Code,
    pub(super) message: Message,
    /// Python's built-in exception that the error is as well.
    pub(super) python: Option<String>,
}

/// An interface with functions.
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) docs: String,
    /// The kind of object that the interface is about, if any.
    pub(super) object: Option<Object>,
    pub(super) functions: Vec<Function>,
    /// Functions that core modules have for fields of records.
    pub(super) fields: Vec<CoreOnly>,
}

/// A kind of object.
pub(super) struct Object {
    /// The number of the kind.
    pub(super) kind: i32,
    /// The function that closes an object.
    pub(super) close: Import,
}

/// A function, and its form in core modules.
pub(super) struct Function {
    pub(super) docs: Docs,
    /// The imports; the first is the function itself.
    pub(super) core: Vec<Import>,
}

/// A function that only core modules have.
pub(super) struct CoreOnly {
    pub(super) core: Import,
    pub(super) docs: String,
}

impl Vocabulary {
    /// Reads `wit/`.
    ///
    /// # Errors
    /// Returns which rule of `wit/README.md` is broken, and where.
    pub(super) fn read(folder: &Path) -> Result<Vocabulary> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(folder)?;
        let page = folder.join("README.md");
        let page = fs::read_to_string(&page).map_err(|error| format!("{page:?}: {error}"))?;
        let vocabulary = Vocabulary {
            errors: cases(&resolve, package, "error")?
                .iter()
                .map(|case| {
                    error_code(case).map_err(|why| at(&format!("error.{}", case.name), why))
                })
                .collect::<Result<_>>()?,
            number_types: cases(&resolve, package, "number-type")?
                .iter()
                .map(|case| {
                    code(case).map_err(|why| at(&format!("number-type.{}", case.name), why))
                })
                .collect::<Result<_>>()?,
            interfaces: interfaces(&resolve, package)?,
            core_only: core_only(&page)?,
        };
        vocabulary.check()?;
        Ok(vocabulary)
    }

    /// Returns the interfaces that are about a kind of object, with the kind's number.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (&Interface, i32)> {
        self.interfaces
            .iter()
            .filter_map(|interface| Some((interface, interface.object.as_ref()?.kind)))
    }

    /// Returns all imports, once each, with their documentation.
    pub(super) fn imports(&self) -> Vec<(&Import, String)> {
        let functions = self.interfaces.iter().flat_map(|interface| &interface.functions);
        let functions = functions.flat_map(|function| {
            let Docs { about, arguments, answers, .. } = &function.docs;
            let about = format!("{about} Arguments: {arguments} Answers: {answers}");
            function.core.iter().map(move |import| (import, about.clone()))
        });
        let objects = self.interfaces.iter().filter_map(|interface| interface.object.as_ref());
        let closing = objects.map(|object| (&object.close, "Closes an object.".to_owned()));
        let fields = self.interfaces.iter().flat_map(|interface| &interface.fields);
        let core_only = self.core_only.iter().chain(fields);
        let core_only = core_only.map(|only| (&only.core, only.docs.clone()));
        let mut seen = BTreeSet::new();
        let all = functions.chain(closing).chain(core_only);
        all.filter(|(import, _)| seen.insert(&import.name)).collect()
    }

    /// Checks that numbers are unique and without gaps.
    fn check(&self) -> Result {
        without_gaps("error", self.errors.iter().map(|error| -error.code.number))?;
        without_gaps("number-type", self.number_types.iter().map(|code| code.number))?;
        without_gaps("kind", self.kinds().map(|(_, number)| number))
    }
}

fn without_gaps(what: &str, numbers: impl Iterator<Item = i32>) -> Result {
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    match numbers.iter().zip(1..).find(|(number, expected)| *number != expected) {
        Some((number, expected)) => {
            Err(format!("wit/: {what}: {expected} is missing, or {number} is there twice").into())
        }
        None => Ok(()),
    }
}

/// Adds the place to an error.
fn at(place: &str, why: Box<dyn std::error::Error>) -> Box<dyn std::error::Error> {
    format!("wit/: {place}: {why}").into()
}

fn cases<'a>(resolve: &'a Resolve, package: PackageId, name: &str) -> Result<&'a [EnumCase]> {
    let types = resolve.packages[package].interfaces.get("types").ok_or("wit/ has no `types`")?;
    let id = resolve.interfaces[*types].types.get(name);
    match id.map(|id| &resolve.types[*id].kind) {
        Some(TypeDefKind::Enum(cases)) => Ok(&cases.cases),
        _ => Err(format!("wit/types.wit has no enum `{name}`").into()),
    }
}

/// Returns the text after a label and before a full stop, such as 5 in `Kind: 5.`
fn labelled<'a>(docs: &'a str, label: &str) -> Option<&'a str> {
    let (_, rest) = docs.split_once(label)?;
    Some(rest.split(['.', '\n']).next().unwrap_or(rest).trim())
}

fn code(case: &EnumCase) -> Result<Code> {
    let docs = case.docs.contents.as_deref().unwrap_or_default();
    let (meaning, rest) =
        docs.split_once("Core modules:").ok_or("no line `Core modules: NUMBER.`")?;
    let number = labelled(rest, "").and_then(|number| number.parse().ok());
    let number = number.ok_or("`Core modules:` is not followed by a number and a full stop")?;
    Ok(Code { name: case.name.clone(), docs: meaning.trim().to_owned(), number })
}

fn error_code(case: &EnumCase) -> Result<ErrorCode> {
    let docs = case.docs.contents.as_deref().unwrap_or_default();
    let (before, message) = docs.split_once("Message:").ok_or("no line `Message: ...`")?;
    let python = labelled(before, "Python:").map(|name| name.trim_matches('`').to_owned());
    Ok(ErrorCode { code: code(case)?, message: Message::parse(message)?, python })
}

fn interfaces(resolve: &Resolve, package: PackageId) -> Result<Vec<Interface>> {
    let world = resolve.select_world(&[package], Some("guest"))?;
    let imported = resolve.worlds[world].imports.values().filter_map(|item| match item {
        wit_parser::WorldItem::Interface { id, .. } => Some(*id),
        _ => None,
    });
    let imported: Vec<_> = imported.collect();
    let missing =
        resolve.packages[package].interfaces.iter().find(|(_, id)| !imported.contains(id));
    if let Some((name, _)) = missing {
        return Err(format!("wit/world.wit: it does not import `{name}`").into());
    }
    let all = imported.into_iter().map(|id| interface(resolve, id));
    let all = all.filter(|read| !read.as_ref().is_ok_and(|read| read.functions.is_empty()));
    all.collect()
}

fn interface(resolve: &Resolve, id: InterfaceId) -> Result<Interface> {
    let interface = &resolve.interfaces[id];
    let name = interface.name.clone().ok_or("wit/: an interface has no name")?;
    let functions = interface.functions.iter().map(|(item, function)| {
        function_of(resolve, &name, function)
            .map_err(|why| at(&format!("{name}.{}", item.trim_start_matches('[')), why))
    });
    let functions = functions.collect::<Result<Vec<_>>>()?;
    let resource = interface.types.get(&name).map(|id| &resolve.types[*id]);
    let resource = resource.filter(|ty| matches!(ty.kind, TypeDefKind::Resource));
    let object = resource.map(|resource| {
        let docs = resource.docs.contents.as_deref().unwrap_or_default();
        object(docs).map_err(|why| at(&name, why))
    });
    let docs = interface.docs.contents.clone().unwrap_or_default();
    let fields = interface.types.values().map(|id| fields(&resolve.types[*id].kind));
    let fields = fields.collect::<Result<Vec<_>>>().map_err(|why| at(&name, why))?;
    let fields = fields.into_iter().flatten().collect();
    Ok(Interface { name, docs, object: object.transpose()?, functions, fields })
}

/// The functions in the documentation of a record's fields.
fn fields(ty: &TypeDefKind) -> Result<Vec<CoreOnly>> {
    let TypeDefKind::Record(record) = ty else { return Ok(Vec::new()) };
    let all = record.fields.iter().flat_map(|field| {
        let docs = field.docs.contents.as_deref().unwrap_or_default();
        let (about, core) = docs.split_once("Core modules:").unwrap_or((docs, ""));
        let flats = quoted(&one_line(core)).into_iter();
        let about = about.trim().to_owned();
        flats.map(move |flat| {
            Import::new(&flat, &[]).map(|core| CoreOnly { core, docs: about.clone() })
        })
    });
    all.collect()
}

fn object(docs: &str) -> Result<Object> {
    let kind = labelled(docs, "Kind:").and_then(|number| number.parse().ok());
    let close = quoted(docs).first().map(|flat| Import::new(flat, &[])).transpose()?;
    match (kind, close) {
        (Some(kind), Some(close)) => Ok(Object { kind, close }),
        _ => Err("its resource does not say what closes it, or its `Kind: NUMBER.`".into()),
    }
}

fn function_of(
    resolve: &Resolve,
    interface: &str,
    function: &wit_parser::Function,
) -> Result<Function> {
    let docs = Docs::parse(function.docs.contents.as_deref().unwrap_or_default())?;
    let params = function.params.iter();
    let params = params.map(|param| (param.name.replace('-', "_"), wit_type(resolve, param.ty)));
    let params: Vec<_> = params.collect();
    let core = quoted(&docs.core);
    let core = core.iter().map(|flat| Import::new(flat, &params));
    let core = core.collect::<Result<Vec<_>>>()?;
    let method = function.item_name().replace('-', "_");
    let expected = match (function.kind.resource().is_some(), method.as_str()) {
        (true, "delete") => "object_delete".to_owned(),
        (true, "number_type") => format!("{interface}_type"),
        (true, _) => format!("{interface}_{method}"),
        (false, "culprit") => method,
        (false, _) => format!("{interface}_{method}"),
    };
    match core.first() {
        None => Err("`Core modules:` has no signature in back quotes".into()),
        Some(core) if core.name != expected => {
            Err(format!("its flat name is `{expected}`, not `{}`", core.name).into())
        }
        Some(_) => Ok(Function { docs, core }),
    }
}

fn wit_type(resolve: &Resolve, ty: Type) -> Wit {
    match ty {
        Type::String => Wit::Text,
        Type::U32 => Wit::U32,
        Type::U64 => Wit::U64,
        Type::Id(id) => match &resolve.types[id].kind {
            TypeDefKind::Handle(Handle::Borrow(_) | Handle::Own(_)) => Wit::Handle,
            TypeDefKind::Option(inner) if wit_type(resolve, *inner) == Wit::Handle => Wit::Handle,
            TypeDefKind::Type(inner) => wit_type(resolve, *inner),
            _ => Wit::Other,
        },
        _ => Wit::Other,
    }
}

/// Returns a name of WIT as a type: `timed-out` is `TimedOut`.
pub(super) fn pascal(name: &str) -> String {
    let words = name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect()
}

/// Returns a name of WIT as a constant: `timed-out` is `TIMED_OUT`.
pub(super) fn constant(name: &str) -> String {
    name.replace('-', "_").to_uppercase()
}

/// Returns the functions in the first column of the table in `wit/README.md`, with the text of the
/// second.
fn core_only(page: &str) -> Result<Vec<CoreOnly>> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let rows = rows.filter_map(|(signature, docs)| {
        let flat = super::flat::Flat::parse(signature)?;
        let docs = docs.trim_end_matches(['|', ' ']).to_owned();
        Some(Import::new(&flat, &[]).map(|core| CoreOnly { core, docs }))
    });
    rows.collect()
}
