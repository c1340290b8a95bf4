//! `wit/` and `guest/c/wpool.h`: what they say is what the host offers.

use crate::common::flat::{self, Flat, documented, imports, of_docs};
use crate::common::run::map_wat;
use std::collections::BTreeMap;
use wit_parser::{Function, FunctionKind, PackageId, Resolve, SourceMap, TypeDefKind};

/// Our own interfaces, resolved as a component's binding generator does it.
fn resolved() -> (Resolve, PackageId) {
    let mut sources = SourceMap::default();
    for (name, text) in flat::files().into_iter().filter(|(name, _)| name.ends_with(".wit")) {
        sources.push_str(&name, text);
    }
    let package = sources.parse().map_err(|(_, error)| error).expect("wit/ can be parsed");
    let mut resolve = Resolve::default();
    let package = resolve.push_group(package).expect("wit/ can be resolved");
    (resolve, package)
}

/// The functions of all interfaces, by interface and name.
fn functions(resolve: &Resolve, package: PackageId) -> BTreeMap<String, Function> {
    let interfaces = resolve.packages[package].interfaces.iter();
    let functions = interfaces.flat_map(|(interface, id)| {
        let functions = resolve.interfaces[*id].functions.iter();
        functions.map(move |(name, function)| (format!("{interface}.{name}"), function.clone()))
    });
    functions.collect()
}

#[test]
fn the_world_imports_every_interface() {
    let (resolve, package) = resolved();
    let name = resolve.packages[package].name.to_string();
    assert_eq!(name, "wpool:host@0.1.0");
    let world = resolve.select_world(&[package], Some("guest")).expect("there is a world");
    let world = &resolve.worlds[world];
    assert_eq!(world.imports.len(), resolve.packages[package].interfaces.len());
    assert_eq!(world.exports.len(), 0);
}

#[test]
fn every_function_says_what_it_takes_answers_traps_on_and_blocks_for() {
    let (resolve, package) = resolved();
    let functions = functions(&resolve, package);
    assert!(functions.len() > 60, "the functions were not found: {}", functions.len());
    for (name, function) in functions {
        let docs = function.docs.contents.unwrap_or_default();
        for word in ["Arguments: ", "Answers: ", "Traps: ", "Blocks: "] {
            assert_eq!(docs.matches(word).count(), 1, "{name} does not say {word:?} once: {docs}");
        }
        assert!(!of_docs(&docs).is_empty(), "{name} does not say what it is in core modules");
    }
}

#[test]
fn errors_are_numbered_as_in_the_header() {
    let (resolve, package) = resolved();
    let types = resolve.packages[package].interfaces["types"];
    let id = resolve.interfaces[types].types["error"];
    let TypeDefKind::Enum(error) = &resolve.types[id].kind else { panic!("an enum") };
    let header = header();
    for (at, case) in error.cases.iter().enumerate() {
        let name = case.name.replace('-', "_").to_uppercase();
        let line = format!("WPOOL_{name} = -{}", at + 1);
        assert!(header.contains(&line), "{line}");
    }
    assert_eq!(header.matches(" = -").count(), error.cases.len());
}

#[test]
fn methods_are_named_as_their_flat_functions() {
    let (resolve, package) = resolved();
    for (name, function) in functions(&resolve, package) {
        let (interface, _) = name.split_once('.').expect("joined above");
        let method = match function.kind {
            FunctionKind::Freestanding => continue,
            _ => function.item_name().replace('-', "_"),
        };
        let expected = match method.as_str() {
            "delete" => "object_delete".to_owned(),
            "number_type" => format!("{interface}_type"),
            _ => format!("{interface}_{method}"),
        };
        let flat = of_docs(&function.docs.contents.unwrap_or_default());
        assert_eq!(flat[0].name, expected, "{name}");
    }
}

#[test]
fn every_documented_function_can_be_imported_with_the_type_that_is_documented() {
    let functions = documented();
    assert!(functions.len() > 60, "the functions were not found: {}", functions.len());
    let imports = imports(&functions);
    let module = format!("(module {imports} (func (export \"f\") (param i64)))");
    map_wat(&module).arg("--dry-run").jobs(["1"]).run().ends(0);
}

fn header() -> String {
    std::fs::read_to_string(crate::common::root().join("guest/c/wpool.h"))
        .expect("the header is there")
}

/// What a type of C is in a core module for wasm32.
fn core(ty: &str) -> Option<String> {
    match ty {
        "void" => None,
        "int64_t" => Some("i64".to_owned()),
        "int32_t" | "size_t" | "wpool_handle" => Some("i32".to_owned()),
        _ if ty.ends_with('*') => Some("i32".to_owned()),
        _ => panic!("the header has a type that no test knows: {ty}"),
    }
}

/// A declaration of the header: `TYPE wpool_NAME(TYPE NAME, ...)`, behind the name it imports.
fn declared(text: &str) -> (Flat, String) {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (import, rest) = words.split_once("\") ").expect("WPOOL_IMPORT(\"NAME\") ...");
    let (start, params) = rest.split_once('(').expect("it has parameters");
    let (result, function) = start.rsplit_once(' ').expect("it has a type and a name");
    let params = params.strip_suffix(')').expect("it ends").split(", ");
    let params = params.filter_map(|param| {
        let at = param.rfind(['*', ' ']).map_or(param.len(), |at| at + 1);
        Some((String::new(), core(param[..at].trim())?))
    });
    let (name, params) = (import.to_owned(), params.collect());
    (Flat { name, params, result: core(result) }, function.to_owned())
}

#[test]
fn the_header_declares_every_function_with_its_type() {
    let header = header();
    let (_, declarations) = header.split_once("WPOOL_IMPORT(name)").expect("it is defined");
    let declarations = declarations.split("WPOOL_IMPORT(\"").skip(1);
    let mut in_header = Vec::new();
    for declaration in declarations {
        let (flat, function) = declared(declaration.split(';').next().expect("one at least"));
        assert_eq!(function, format!("wpool_{}", flat.name));
        in_header.push(flat);
    }
    // C has other names for some parameters.
    let mut here = documented();
    here.iter_mut().flat_map(|flat| &mut flat.params).for_each(|(name, _)| name.clear());
    let missing: Vec<_> = here.iter().filter(|flat| !in_header.contains(flat)).collect();
    let unknown: Vec<_> = in_header.iter().filter(|flat| !here.contains(flat)).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing {missing:?}, unknown {unknown:?}");
}
