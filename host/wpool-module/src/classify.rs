//! Classification: the description of a core module, derived from its bytes.

use super::ModuleError;
use super::description::{Description, Import, Parts, Task};
use super::proposals::Proposals;
use super::scalar::Core;
use super::tasks::{self, Export};
use super::toolchain::Toolchain;
use std::collections::HashSet;
use wasmparser::{
    BinaryReaderError, CompositeInnerType, ExternalKind, FuncType, Parser, Payload, TypeRef,
    ValType,
};

/// Describes a core module in binary form. The module is not validated, because the compiler does
/// that.
///
/// # Errors
/// Returns an error if the bytes are not WebAssembly, or if their section `wpool:tasks` is wrong.
pub fn describe(bytes: &[u8]) -> Result<Description, ModuleError> {
    let mut outline = Outline::default();
    for payload in Parser::new(0).parse_all(bytes) {
        outline.see(payload.map_err(invalid)?).map_err(invalid)?;
    }
    let exports = outline.exported_functions();
    let (kind, tasks) = tasks::tasks(&exports, &outline.section()?)?;
    let hidden = outline.hidden(&tasks);
    Ok(Description {
        kind,
        component: false,
        tasks,
        toolchain: Toolchain::of(&outline.imports, &outline.custom),
        imports: outline.imports,
        missing: Vec::new(),
        hidden,
        proposals: outline.proposals.into_names(),
        memory_pages: outline.memory_pages,
        parts: outline.parts,
        bytes: bytes.len() as u64,
        inlined: false,
        wit: None,
    })
}

/// Returns whether the module has a memory that threads would share.
///
/// # Errors
/// Returns an error if the bytes are not WebAssembly.
pub(super) fn has_shared_memory(bytes: &[u8]) -> Result<bool, ModuleError> {
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(invalid)? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    if matches!(import.map_err(invalid)?.ty, TypeRef::Memory(memory) if memory.shared)
                    {
                        return Ok(true);
                    }
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories {
                    if memory.map_err(invalid)?.shared {
                        return Ok(true);
                    }
                }
            }
            // Memories come before code.
            Payload::CodeSectionStart { .. } => break,
            _ => {}
        }
    }
    Ok(false)
}

fn invalid(error: BinaryReaderError) -> ModuleError {
    ModuleError::damaged(error)
}

/// The material of the description, gathered section by section.
#[derive(Default)]
struct Outline<'a> {
    /// The types by index; `None` for types that are not functions.
    types: Vec<Option<FuncType>>,
    /// The type index of each function, imported ones first.
    functions: Vec<u32>,
    exports: Vec<(&'a str, u32)>,
    /// The names of exports that are not functions.
    others: Vec<&'a str>,
    /// The names of custom sections.
    custom: Vec<&'a str>,
    imports: Vec<Import>,
    memory_pages: Option<(u64, Option<u64>)>,
    parts: Parts,
    section: Vec<u8>,
    proposals: Proposals,
}

impl<'a> Outline<'a> {
    fn see(&mut self, payload: Payload<'a>) -> wasmparser::Result<()> {
        self.proposals.see(&payload)?;
        match payload {
            Payload::TypeSection(types) => {
                for group in types {
                    self.types.extend(group?.into_types().map(
                        |ty| match ty.composite_type.inner {
                            CompositeInnerType::Func(func) => Some(func),
                            _ => None,
                        },
                    ));
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    self.import(import?);
                }
            }
            Payload::FunctionSection(functions) => {
                for ty in functions {
                    self.functions.push(ty?);
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories {
                    let memory = memory?;
                    self.memory_pages.get_or_insert((memory.initial, memory.maximum));
                    self.parts.memories += 1;
                    self.parts.wide |= memory.memory64;
                }
            }
            Payload::TableSection(tables) => self.parts.tables += tables.count(),
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    match export.kind {
                        ExternalKind::Func => self.exports.push((export.name, export.index)),
                        _ => self.others.push(export.name),
                    }
                }
            }
            Payload::CustomSection(custom) if custom.name() != tasks::SECTION => {
                self.custom.push(custom.name());
            }
            Payload::CustomSection(custom) => {
                self.section.extend_from_slice(custom.data());
                self.section.push(b'\n');
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: wasmparser::Import) {
        match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => self.functions.push(ty),
            TypeRef::Memory(memory) => {
                self.memory_pages.get_or_insert((memory.initial, memory.maximum));
            }
            TypeRef::Table(_) | TypeRef::Global(_) | TypeRef::Tag(_) => {}
        }
        self.imports.push(Import { module: import.module.into(), name: import.name.into() });
    }

    /// Returns the exported functions. The compiler refuses a function whose indices are invalid.
    fn exported_functions(&self) -> Vec<Export<'a>> {
        let ty = |index: u32| {
            let ty = *self.functions.get(index as usize)?;
            self.types.get(ty as usize)?.as_ref()
        };
        let export = |&(name, index): &(&'a str, u32)| {
            let ty = ty(index)?;
            let params = ty.params().iter().map(core).collect();
            Some(Export { name, params, results: ty.results().iter().map(core).collect() })
        };
        self.exports.iter().filter_map(export).collect()
    }

    /// Returns the names of exports that do not belong to these tasks.
    fn hidden(&self, tasks: &[Task]) -> Vec<String> {
        let tasks: HashSet<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
        let is_task = |name: &str| {
            tasks.contains(name)
                || name.strip_prefix("task_").is_some_and(|name| tasks.contains(name))
        };
        let functions = self.exports.iter().map(|(name, _)| *name).filter(|name| !is_task(name));
        functions.chain(self.others.iter().copied()).map(str::to_owned).collect()
    }

    fn section(&self) -> Result<String, ModuleError> {
        String::from_utf8(self.section.clone())
            .map_err(|_| ModuleError::Section("it is not UTF-8".into()))
    }
}

fn core(ty: &ValType) -> Option<Core> {
    match ty {
        ValType::I32 => Some(Core::I32),
        ValType::I64 => Some(Core::I64),
        ValType::F32 => Some(Core::F32),
        ValType::F64 => Some(Core::F64),
        ValType::V128 | ValType::Ref(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::description::Kind;
    use super::*;

    fn describe_text(text: &str) -> Description {
        describe(&wat::parse_str(text).unwrap()).unwrap()
    }

    #[test]
    fn a_module_is_described_by_its_exports_imports_and_memory() {
        let description = describe_text(
            r#"(module
              (import "wasi_snapshot_preview1" "poll_oneoff"
                (func $poll (param i32 i32 i32 i32) (result i32)))
              (memory (export "memory") 2 8)
              (func (export "product") (param i64 i64) (result i64) local.get 0)
              (func (export "_initialize")))"#,
        );
        assert_eq!(description.kind, Kind::Tasks);
        assert_eq!(description.tasks.len(), 1);
        assert_eq!(description.tasks[0].signature(), "product(s64, s64) -> s64");
        assert_eq!(description.memory_pages, Some((2, Some(8))));
        assert_eq!(description.parts, Parts { memories: 1, ..Parts::default() });
        assert!(description.polls());
        assert_eq!(description.proposals, [""; 0]);
    }

    #[test]
    fn proposals_are_found_in_types_sections_and_instructions() {
        let description = describe_text(
            r#"(module
              (memory 1) (memory i64 1) (table 0 funcref)
              (tag)
              (type (struct (field i32)))
              (func (export "two") (result i32 i32) i32.const 1 i32.extend8_s i32.const 2)
              (func (param i32) (result i32) local.get 0 f32.const 1 i32.trunc_sat_f32_s drop)
              (func v128.const i64x2 0 0 drop)
              (func return_call 2))"#,
        );
        assert_eq!(description.parts, Parts { memories: 2, tables: 1, wide: true });
        assert_eq!(
            description.proposals,
            [
                "exceptions",
                "gc",
                "memory64",
                "multi-memory",
                "multi-value",
                "saturating-float-to-int",
                "sign-extension",
                "simd",
                "tail-call"
            ]
        );
    }

    #[test]
    fn bytes_that_are_not_wasm_are_an_error_and_not_a_panic() {
        let whole = wat::parse_str("(module (func (export \"f\") (param i64)))").unwrap();
        for end in 0..whole.len() {
            let _ = describe(&whole[..end]);
        }
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 0xff;
            let _ = describe(&broken);
        }
        assert!(matches!(describe(b"\x7fELF"), Err(ModuleError::Damaged(_))));
    }
}
