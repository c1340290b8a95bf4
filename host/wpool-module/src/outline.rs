//! The outline of a component: a copy without its code, which has all its types and is cheap to
//! compile.

use super::ModuleError;
use wasmparser::{BinaryReader, Parser};

/// The deepest nesting of components and modules.
const DEPTH_MAX: usize = 100;

/// The number of bytes before the first section: magic, version and layer.
const HEADER_BYTES: usize = 8;

/// The body of a function that traps: its size, no variables, `unreachable`, `end`.
const TRAPS: [u8; 4] = [3, 0, 0x00, 0x0b];

/// Returns a copy of a module or component whose functions trap at once, without custom sections.
///
/// # Errors
/// Returns an error if the bytes are not made of sections.
pub(super) fn without_code(binary: &[u8]) -> Result<Vec<u8>, ModuleError> {
    let mut outline = Vec::with_capacity(binary.len() / 4);
    copy(binary, &mut outline, 0).map_err(ModuleError::damaged)?;
    Ok(outline)
}

fn copy(binary: &[u8], to: &mut Vec<u8>, depth: usize) -> wasmparser::Result<()> {
    let mut reader = BinaryReader::new(binary, 0);
    to.extend_from_slice(reader.read_bytes(HEADER_BYTES)?);
    let is_component = Parser::is_component(binary);
    while !reader.eof() {
        let id = reader.read_u8()?;
        let size = reader.read_var_u32()? as usize;
        let section = reader.read_bytes(size)?;
        let mut changed = Vec::new();
        let section = match (is_component, id) {
            (_, CUSTOM) => continue,
            (true, MODULE | COMPONENT) if depth < DEPTH_MAX => {
                copy(section, &mut changed, depth + 1)?;
                &changed
            }
            (false, CODE) => {
                let functions = BinaryReader::new(section, 0).read_var_u32()?;
                push_u32(&mut changed, functions);
                // A function takes at least one byte, so the loop is bounded.
                for _ in 0..functions.min(section.len() as u32) {
                    changed.extend_from_slice(&TRAPS);
                }
                &changed
            }
            _ => section,
        };
        to.push(id);
        push_u32(to, section.len() as u32);
        to.extend_from_slice(section);
    }
    Ok(())
}

/// The number of a custom section, in a module or a component.
const CUSTOM: u8 = 0;

/// The numbers of sections of components.
const MODULE: u8 = 1;
const COMPONENT: u8 = 4;

/// The number of the code section of core modules.
const CODE: u8 = 10;

/// Appends a number as LEB128.
fn push_u32(to: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_keeps_its_types_and_loses_its_code() {
        let heavy = "(drop (i32.add (i32.const 1) (i32.const 2)))".repeat(1000);
        let module = |name: &str| {
            format!(
                r#"(core module $m (memory 2) (func (export "f") (param i32) (result i32)
                    (local i64) {heavy} (local.get 0)) (func {heavy}) (@custom "{name}" "note"))"#
            )
        };
        let component = |name: &str| {
            format!(
                r#"(component {} (core instance $i (instantiate $m))
                (func (export "f") (param "n" s32) (result s32) (canon lift (core func $i "f")))"#,
                module(name)
            )
        };
        let text = format!("{} {}))", component("outer"), component("inner"));
        let binary = wat::parse_str(text).unwrap();
        let outline = without_code(&binary).unwrap();
        assert!(outline.len() * 20 < binary.len(), "{} of {}", outline.len(), binary.len());
        wasmparser::Validator::new().validate_all(&outline).unwrap();
        for end in 0..outline.len() {
            let _ = without_code(&outline[..end]);
        }
        assert!(without_code(b"\0asm").is_err());
    }
}
