//! The functions that core modules import, with the role of each parameter, from which each
//! language generates its own form.

use super::flat::Flat;
use crate::Result;

/// An imported function.
pub(super) struct Import {
    pub(super) name: String,
    pub(super) params: Vec<Param>,
    /// The type of the result: `i32`, `i64`, or none.
    pub(super) result: Option<String>,
}

/// A parameter.
pub(super) struct Param {
    pub(super) name: String,
    pub(super) role: Role,
}

/// The role of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// An open object.
    Handle,
    /// A pointer to a text that the function reads. The length follows.
    Text,
    /// A pointer to bytes that the function reads. Their number follows.
    Bytes,
    /// A pointer to memory for bytes that the function writes. The size of the memory comes later.
    Room,
    /// A pointer to numbers that the function reads. Their number follows.
    Elements,
    /// A pointer to memory for numbers that the function writes. Their number comes later.
    ElementsRoom,
    /// A pointer to memory for a number of 64 bits that the function writes.
    Place,
    /// A length of what is in memory, or a place in it.
    Size,
    I32,
    U32,
    I64,
    U64,
}

/// The type of a parameter in WIT, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wit {
    Text,
    Handle,
    U32,
    U64,
    Other,
}

/// The parameters that have another form in WIT.
const FLATTENED: [(&str, Role); 4] =
    [("type", Role::I32), ("flags", Role::I32), ("bits", Role::I64), ("timeout_ns", Role::I64)];

impl Import {
    /// Makes a function of this signature, with these parameters in WIT.
    ///
    /// # Errors
    /// Fails if a parameter has no role, or its type is not that of its role.
    pub(super) fn new(flat: &Flat, wit: &[(String, Wit)]) -> Result<Import> {
        let params = (0..flat.params.len()).map(|at| {
            let (name, ty) = &flat.params[at];
            let role = role(flat, at, wit).ok_or_else(|| {
                format!(
                    "`{}`: `{name}` is no parameter of the function: give it that one's name, or tell \
                     xtask/src/codegen/import.rs what it stands for",
                    flat.name
                )
            })?;
            if role.wasm() != ty {
                return Err(format!("`{}`: `{name}` is an {}", flat.name, role.wasm()).into());
            }
            Ok(Param { name: name.clone(), role })
        });
        let params = params.collect::<Result<_>>()?;
        if flat.result.as_ref().is_some_and(|ty| ty != "i32" && ty != "i64") {
            return Err(format!("`{}` answers neither i32 nor i64", flat.name).into());
        }
        Ok(Import { name: flat.name.clone(), params, result: flat.result.clone() })
    }

    /// Returns whether the function returns a handle.
    pub(super) fn makes_handle(&self) -> bool {
        self.name.ends_with("_open") || self.name.ends_with("_create")
    }

    /// Returns the parameter with the length of the memory at a pointer.
    pub(super) fn length_of(&self, pointer: usize) -> &Param {
        let mut later = self.params[pointer + 1..].iter();
        let is_length = |param: &&Param| param.role == Role::Size && param.name != "offset";
        later.find(is_length).expect("a pointer has a length behind it")
    }
}

impl Param {
    /// Returns the name, with `_` after it if the language reserves the name.
    pub(super) fn name_without(&self, keywords: &[&str]) -> String {
        let end = if keywords.contains(&self.name.as_str()) { "_" } else { "" };
        format!("{}{end}", self.name)
    }
}

impl Role {
    /// Returns the type in a core module.
    fn wasm(self) -> &'static str {
        match self {
            Role::I64 | Role::U64 => "i64",
            _ => "i32",
        }
    }
}

/// Returns the role of the parameter at a place.
fn role(flat: &Flat, at: usize, wit: &[(String, Wit)]) -> Option<Role> {
    let (name, ty) = &flat.params[at];
    let later = |length: &str| flat.params[at + 1..].iter().any(|(name, _)| name == length);
    let earlier = |pointer: &str| flat.params[..at].iter().any(|(name, _)| name == pointer);
    let of_wit = wit.iter().find(|(param, _)| param == name).map(|(_, ty)| *ty);
    let pointer = name.strip_suffix("_len").is_some_and(earlier);
    Some(match name.as_str() {
        "handle" => Role::Handle,
        _ if later(&format!("{name}_len")) => match of_wit {
            Some(Wit::Text) => Role::Text,
            _ => Role::Bytes,
        },
        "src" if later("len") => Role::Bytes,
        "src" if later("count") => Role::Elements,
        "dst" if later("len") || later("capacity") => Role::Room,
        "dst" if later("count") => Role::ElementsRoom,
        "dst" => Role::Place,
        "len" | "count" if earlier("src") || earlier("dst") => Role::Size,
        "capacity" if earlier("dst") => Role::Size,
        "offset" if ty == "i32" => Role::Size,
        _ if pointer => Role::Size,
        _ => match of_wit {
            Some(Wit::Handle) => Role::Handle,
            Some(Wit::U32) => Role::U32,
            Some(Wit::U64) => Role::U64,
            Some(_) if ty == "i64" => Role::I64,
            Some(_) => Role::I32,
            None => FLATTENED.iter().find(|(flattened, _)| flattened == name)?.1,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(signature: &str, wit: &[(&str, Wit)]) -> std::result::Result<Vec<Role>, String> {
        let wit: Vec<_> = wit.iter().map(|(name, ty)| (name.to_string(), *ty)).collect();
        let flat = Flat::parse(signature).expect("a signature");
        let core = Import::new(&flat, &wit).map_err(|why| why.to_string())?;
        Ok(core.params.iter().map(|param| param.role).collect())
    }

    #[test]
    fn parameters_stand_for_what_their_names_and_wit_say() {
        use Role::*;
        let put = "put(handle: i32, key: i32, key_len: i32, src: i32, len: i32, timeout_ns: i64)";
        assert_eq!(roles(put, &[]).unwrap(), [Handle, Bytes, Size, Bytes, Size, I64]);
        let read = "read(handle: i32, dst: i32, offset: i32, len: i32) -> i32";
        assert_eq!(roles(read, &[]).unwrap(), [Handle, Room, Size, Size]);
        let sum = "sum(handle: i32, number: i64, dst: i32)";
        assert_eq!(roles(sum, &[("number", Wit::Other)]).unwrap(), [Handle, I64, Place]);
        let create = "create(name: i32, name_len: i32, lock: i32, count: i32, bytes: i64, on: i32)";
        let wit = [
            ("name", Wit::Text),
            ("lock", Wit::Handle),
            ("count", Wit::U32),
            ("bytes", Wit::U64),
            ("on", Wit::Other),
        ];
        assert_eq!(roles(create, &wit).unwrap(), [Text, Size, Handle, U32, U64, I32]);
    }

    #[test]
    fn a_parameter_that_stands_for_nothing_or_has_another_type_is_refused() {
        let unknown = roles("f(handle: i32, what: i32)", &[]).unwrap_err();
        assert!(unknown.starts_with("`f`: `what` is no parameter of the function: "), "{unknown}");
        assert_eq!(roles("f(timeout_ns: i32)", &[]).unwrap_err(), "`f`: `timeout_ns` is an i64");
        assert_eq!(roles("f() -> f32", &[]).unwrap_err(), "`f` answers neither i32 nor i64");
    }
}
