//! Proposals: the additions to WebAssembly 1.0 that a module uses.
//!
//! The proposals are found where they are used: in types, in sections and, by decoding every
//! function once, in instructions. A mere claim of a toolchain (`target_features`) does not count.

use std::collections::BTreeSet;
use wasmparser::{
    CompositeInnerType, DataKind, FunctionBody, MemoryType, Operator, Payload, RecGroup, Result,
    TableType, TypeRef, ValType,
};

/// The proposals seen so far, by their usual names.
#[derive(Default)]
pub(super) struct Proposals {
    names: BTreeSet<&'static str>,
    memories: u32,
    tables: u32,
}

impl Proposals {
    /// Returns the names in sorted order.
    pub(super) fn into_names(self) -> Vec<String> {
        let names = self.names.into_iter().filter(|name| *name != "mvp");
        names.map(|name| name.replace('_', "-")).collect()
    }

    /// Notes the proposals that a piece of the module uses.
    pub(super) fn see(&mut self, payload: &Payload) -> Result<()> {
        match payload {
            Payload::TypeSection(types) => {
                for group in types.clone() {
                    self.see_types(&group?);
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    self.see_import(import?.ty);
                }
            }
            Payload::TableSection(tables) => {
                for table in tables.clone() {
                    self.see_table(&table?.ty);
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories.clone() {
                    self.see_memory(&memory?);
                }
            }
            Payload::TagSection(_) => self.add("exceptions"),
            Payload::DataCountSection { .. } => self.add("bulk_memory"),
            Payload::DataSection(data) => {
                for data in data.clone() {
                    if matches!(data?.kind, DataKind::Passive) {
                        self.add("bulk_memory");
                    }
                }
            }
            Payload::CodeSectionEntry(body) => self.see_code(body)?,
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, name: &'static str) {
        self.names.insert(name);
    }

    fn see_types(&mut self, group: &RecGroup) {
        for ty in group.types() {
            match &ty.composite_type.inner {
                CompositeInnerType::Func(func) => {
                    if func.results().len() > 1 {
                        self.add("multi_value");
                    }
                    func.params().iter().chain(func.results()).for_each(|ty| self.see_value(*ty));
                }
                CompositeInnerType::Cont(_) => self.add("stack_switching"),
                CompositeInnerType::Array(_) | CompositeInnerType::Struct(_) => self.add("gc"),
            }
        }
    }

    fn see_value(&mut self, ty: ValType) {
        match ty {
            ValType::V128 => self.add("simd"),
            ValType::Ref(_) => self.add("reference_types"),
            _ => {}
        }
    }

    fn see_import(&mut self, ty: TypeRef) {
        match ty {
            TypeRef::Table(table) => self.see_table(&table),
            TypeRef::Memory(memory) => self.see_memory(&memory),
            TypeRef::Tag(_) => self.add("exceptions"),
            TypeRef::Global(global) => self.see_value(global.content_type),
            TypeRef::Func(_) | TypeRef::FuncExact(_) => {}
        }
    }

    fn see_table(&mut self, table: &TableType) {
        self.tables += 1;
        if self.tables > 1 || table.element_type != wasmparser::RefType::FUNCREF {
            self.add("reference_types");
        }
        if table.table64 {
            self.add("memory64");
        }
    }

    fn see_memory(&mut self, memory: &MemoryType) {
        self.memories += 1;
        if self.memories > 1 {
            self.add("multi_memory");
        }
        if memory.memory64 {
            self.add("memory64");
        }
        if memory.shared {
            self.add("threads");
        }
        if memory.page_size_log2.is_some() {
            self.add("custom_page_sizes");
        }
    }

    fn see_code(&mut self, body: &FunctionBody) -> Result<()> {
        let mut last = "mvp";
        for operator in body.get_operators_reader()? {
            let name = proposal(&operator?);
            // Neighbouring instructions are mostly alike, and nearly all belong to WebAssembly 1.0.
            if name != last {
                self.add(name);
                last = name;
            }
        }
        Ok(())
    }
}

/// Returns the proposal that introduced the instruction; `mvp` for WebAssembly 1.0.
fn proposal(operator: &Operator) -> &'static str {
    macro_rules! name {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
            match operator {
                $(Operator::$op { .. } => stringify!($proposal),)*
                // The enum is open, but the list is generated beside it.
                _ => "mvp",
            }
        };
    }
    wasmparser::for_each_operator!(name)
}
