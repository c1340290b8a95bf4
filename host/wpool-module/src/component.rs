//! Components: their exports and imports, derived from their types.

use super::description::{CONCURRENT, Description, Form, Import, Kind, Parameter, Parts, Task};
use super::toolchain::Toolchain;
use super::wit;
use wasmtime::component::Component;
use wasmtime::component::types::{self, ComponentFunc, ComponentItem, Type};

/// The interface of commands, without its version.
const RUN: &str = "wasi:cli/run@";

/// The export that componentize-py calls at build time, and that remains in what it builds.
const INIT_OF_PYTHON: (&str, &str) = ("exports", "init");

/// The deepest nesting of a type whose values are converted, because conversion recurses as deep.
const DEPTH_MAX: usize = 64;

/// Describes a component, which may be concurrent.
pub(super) fn describe(component: &Component, bytes: &[u8], concurrent: bool) -> Description {
    let ty = component.component_type();
    let exports = functions(component, ty.exports(component.engine()));
    let imports = functions(component, ty.imports(component.engine()));
    let imports: Vec<Import> = imports
        .into_iter()
        .map(|(interface, name, _)| Import { module: interface.unwrap_or_default(), name })
        .collect();
    let (kind, mut tasks) = tasks(exports);
    let wit = wit::world(bytes).map(|world| {
        tasks.iter_mut().for_each(|task| world.describe(task));
        world.text
    });
    // The resources are unknown only for a component that imports modules, which the host does not
    // provide.
    let needs = component.resources_required();
    Description {
        kind,
        component: true,
        tasks,
        toolchain: Toolchain::of(&imports, &[]),
        imports,
        missing: Vec::new(),
        hidden: Vec::new(),
        proposals: match concurrent {
            true => vec!["component-model".into(), CONCURRENT.into()],
            false => vec!["component-model".into()],
        },
        memory_pages: needs.as_ref().and_then(|needs| Some((needs.max_initial_memory_size?, None))),
        parts: needs.map_or(Parts::default(), |needs| Parts {
            memories: needs.num_memories,
            tables: needs.num_tables,
            wide: false,
        }),
        bytes: bytes.len() as u64,
        inlined: false,
        wit,
    }
}

/// A function, and the interface it belongs to.
type Function = (Option<String>, String, ComponentFunc);

fn functions<'a>(
    component: &Component,
    items: impl Iterator<Item = (&'a str, types::ComponentExtern<'a>)>,
) -> Vec<Function> {
    let mut functions = Vec::new();
    for (name, item) in items {
        match item.ty {
            ComponentItem::ComponentFunc(ty) => functions.push((None, name.to_owned(), ty)),
            ComponentItem::ComponentInstance(instance) => {
                for (inside, item) in instance.exports(component.engine()) {
                    if let ComponentItem::ComponentFunc(ty) = item.ty {
                        functions.push((Some(name.to_owned()), inside.to_owned(), ty));
                    }
                }
            }
            _ => {}
        }
    }
    functions
}

fn tasks(mut exports: Vec<Function>) -> (Kind, Vec<Task>) {
    let runs = |(interface, name, _): &Function| {
        name == "run" && interface.as_ref().is_some_and(|interface| interface.starts_with(RUN))
    };
    // A component built for one version of WASI may contain a stub of an older version, left by an
    // adapter.
    let newest = exports.iter().enumerate().filter(|(_, export)| runs(export));
    let newest = newest.max_by_key(|(_, (interface, ..))| version(interface)).map(|(at, _)| at);
    let run = newest.map(|at| exports.remove(at));
    exports.retain(|export| !runs(export));
    let kind = if run.is_some() { Kind::Command } else { Kind::Tasks };
    let run = run.map(|(interface, name, _)| {
        Task::new(format!("{}#{name}", interface.unwrap_or_default()), Form::Command)
    });
    let is_task = |(interface, name, _): &Function| {
        (interface.as_deref(), name.as_str()) != (Some(INIT_OF_PYTHON.0), INIT_OF_PYTHON.1)
    };
    let others = exports.into_iter().filter(is_task).map(task);
    (kind, run.into_iter().chain(others).collect())
}

/// Returns the numbers of an interface's version.
fn version(interface: &Option<String>) -> Vec<u64> {
    let version = interface.iter().flat_map(|name| name.rsplit('@').next());
    version.flat_map(|version| version.split('.')).map_while(|part| part.parse().ok()).collect()
}

fn task((interface, name, ty): Function) -> Task {
    let params = ty.params();
    let params = params.map(|(name, ty)| Parameter { name: Some(name.into()), ty: text(&ty, 0) });
    let refusal = refusal(&name, &ty);
    let name = match interface {
        Some(interface) => format!("{interface}#{name}"),
        None => name,
    };
    Task {
        refusal,
        params: Some(params.collect()),
        results: ty.results().map(|ty| text(&ty, 0)).collect(),
        ..Task::new(name, Form::Typed)
    }
}

/// Returns the reason why a function cannot be a task, if it cannot.
fn refusal(name: &str, ty: &ComponentFunc) -> Option<String> {
    // The names look like `[method]cart.add` or `[constructor]cart`.
    if let Some((_, rest)) = name.split_once(']') {
        let resource = rest.split('.').next().unwrap_or_default();
        return Some(format!("it belongs to the resource `{resource}`, and handles have no JSON"));
    }
    let types = ty.params().map(|(_, ty)| ty).chain(ty.results());
    types.filter_map(|ty| unfit(&ty, 0)).next()
}

/// Returns the part of a type that has no JSON form, if there is one.
fn unfit(ty: &Type, depth: usize) -> Option<String> {
    if depth == DEPTH_MAX {
        return Some(format!("its types are nested deeper than {DEPTH_MAX}"));
    }
    let what = match ty {
        Type::Own(_) | Type::Borrow(_) => "a handle of a resource",
        Type::Future(future) if future.ty().is_some_and(|ty| flows(&ty)) => return None,
        Type::Stream(stream) if stream.ty().is_some_and(|ty| flows(&ty)) => return None,
        Type::Future(_) | Type::Stream(_) => {
            return Some(format!("a {} has no JSON{FLOWING}", text(ty, depth)));
        }
        Type::ErrorContext => "an error-context",
        Type::Map(_) => "a map",
        Type::FixedLengthList(_) => "a list of fixed length",
        ty => return parts(ty).iter().filter_map(|ty| unfit(ty, depth + 1)).next(),
    };
    Some(format!("{what} has no JSON"))
}

/// The hint for a stream or a future that has no JSON.
const FLOWING: &str = ": only numbers, characters, texts and bytes flow";

/// Returns whether streams and futures of such values can connect a guest and its host.
pub fn flows(ty: &Type) -> bool {
    match ty {
        Type::Bool | Type::Char | Type::String | Type::Float32 | Type::Float64 => true,
        Type::S8 | Type::S16 | Type::S32 | Type::S64 => true,
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => true,
        Type::List(list) => matches!(list.ty(), Type::U8),
        _ => false,
    }
}

/// Returns the types that a type is made of.
fn parts(ty: &Type) -> Vec<Type> {
    match ty {
        Type::List(list) => vec![list.ty()],
        Type::Future(future) => future.ty().into_iter().collect(),
        Type::Stream(stream) => stream.ty().into_iter().collect(),
        Type::Option(option) => vec![option.ty()],
        Type::Result(result) => result.ok().into_iter().chain(result.err()).collect(),
        Type::Tuple(tuple) => tuple.types().collect(),
        Type::Record(record) => record.fields().map(|field| field.ty).collect(),
        Type::Variant(variant) => variant.cases().filter_map(|case| case.ty).collect(),
        _ => Vec::new(),
    }
}

/// Returns a type in the words of WIT, for types that need no name of their own.
fn text(ty: &Type, depth: usize) -> String {
    if depth == DEPTH_MAX {
        return "…".into();
    }
    let inner = || parts(ty).iter().map(|ty| text(ty, depth + 1)).collect::<Vec<_>>().join(", ");
    match ty {
        Type::Bool => "bool".into(),
        Type::S8 => "s8".into(),
        Type::U8 => "u8".into(),
        Type::S16 => "s16".into(),
        Type::U16 => "u16".into(),
        Type::S32 => "s32".into(),
        Type::U32 => "u32".into(),
        Type::S64 => "s64".into(),
        Type::U64 => "u64".into(),
        Type::Float32 => "f32".into(),
        Type::Float64 => "f64".into(),
        Type::Char => "char".into(),
        Type::String => "string".into(),
        Type::List(_) => format!("list<{}>", inner()),
        Type::Option(_) => format!("option<{}>", inner()),
        Type::Tuple(_) => format!("tuple<{}>", inner()),
        Type::Result(result) => match (result.ok(), result.err()) {
            (None, None) => "result".into(),
            (None, Some(error)) => format!("result<_, {}>", text(&error, depth + 1)),
            _ => format!("result<{}>", inner()),
        },
        Type::Record(_) => format!("record<{}>", inner()),
        Type::Variant(_) => format!("variant<{}>", inner()),
        Type::Enum(_) => "enum".into(),
        Type::Flags(_) => "flags".into(),
        Type::Own(_) | Type::Borrow(_) => "resource".into(),
        Type::Future(future) if future.ty().is_some() => format!("future<{}>", inner()),
        Type::Future(_) => "future".into(),
        Type::Stream(stream) if stream.ty().is_some() => format!("stream<{}>", inner()),
        Type::Stream(_) => "stream".into(),
        Type::ErrorContext => "error-context".into(),
        Type::Map(_) => "map".into(),
        Type::FixedLengthList(_) => "list".into(),
    }
}
