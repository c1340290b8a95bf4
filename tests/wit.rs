//! `wit/`: what it says is what the host offers.

mod common;

use common::flat::{self, documented, imports, of_docs};
use common::run::map_wat;
use std::collections::BTreeMap;
use wit_parser::{Function, FunctionKind, PackageId, Resolve, SourceMap};

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
