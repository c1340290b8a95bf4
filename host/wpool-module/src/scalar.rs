//! The scalar types: the WIT types that a single number of core WebAssembly can hold.

/// A type of a scalar task's parameter or result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// A signed integer of this many bits.
    Signed(u32),
    /// An unsigned integer of this many bits.
    Unsigned(u32),
    /// A float of 32 bits.
    F32,
    /// A float of 64 bits.
    F64,
    /// A truth value.
    Bool,
    /// A Unicode scalar value.
    Char,
}

/// A number type of core WebAssembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// An integer of 32 bits.
    I32,
    /// An integer of 64 bits.
    I64,
    /// A float of 32 bits.
    F32,
    /// A float of 64 bits.
    F64,
}

impl Scalar {
    /// Returns the type with this name in WIT.
    pub fn from_wit(name: &str) -> Option<Scalar> {
        Some(match name {
            "s8" => Scalar::Signed(8),
            "s16" => Scalar::Signed(16),
            "s32" => Scalar::Signed(32),
            "s64" => Scalar::Signed(64),
            "u8" => Scalar::Unsigned(8),
            "u16" => Scalar::Unsigned(16),
            "u32" => Scalar::Unsigned(32),
            "u64" => Scalar::Unsigned(64),
            "f32" => Scalar::F32,
            "f64" => Scalar::F64,
            "bool" => Scalar::Bool,
            "char" => Scalar::Char,
            _ => return None,
        })
    }

    /// Returns the core type that carries the scalar.
    pub fn core(self) -> Core {
        match self {
            Scalar::Signed(64) | Scalar::Unsigned(64) => Core::I64,
            Scalar::Signed(_) | Scalar::Unsigned(_) | Scalar::Bool | Scalar::Char => Core::I32,
            Scalar::F32 => Core::F32,
            Scalar::F64 => Core::F64,
        }
    }
}

impl Core {
    /// Returns the WIT type of a core number if the module does not say: integers are signed.
    pub(crate) fn wit(self) -> &'static str {
        match self {
            Core::I32 => "s32",
            Core::I64 => "s64",
            Core::F32 => "f32",
            Core::F64 => "f64",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_type_of_a_core_type_is_carried_by_it() {
        for core in [Core::I32, Core::I64, Core::F32, Core::F64] {
            assert_eq!(Scalar::from_wit(core.wit()).unwrap().core(), core);
        }
    }

    #[test]
    fn types_that_are_not_scalars_have_no_name_here() {
        for name in ["string", "list<u8>", "json", "i32", ""] {
            assert_eq!(Scalar::from_wit(name), None);
        }
    }
}
