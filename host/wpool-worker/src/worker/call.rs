//! Calls of scalar tasks: numbers in, numbers out, as fast as wasmtime goes.

#![expect(unsafe_code, reason = "`call_unchecked` leaves the types to its caller")]

use super::convert::Signature;
use crate::imports::Host;
use crate::module::scalar::{Core, Scalar};
use wasmtime::{
    ExternType, Func, FuncType, Instance, Module, ModuleExport, Store, ValRaw, ValType,
};

/// An exported function of a module whose type is known to be that of a signature.
pub(crate) struct ScalarExport {
    export: ModuleExport,
    /// The number of numbers that a call needs room for.
    width: usize,
}

/// A scalar export of one instance.
#[derive(Clone, Copy)]
pub(crate) struct ScalarCall {
    function: Func,
    width: usize,
}

impl ScalarExport {
    /// Returns the export with this name, if its type is the signature's.
    pub(crate) fn new(module: &Module, name: &str, signature: &Signature) -> Option<Self> {
        let ExternType::Func(ty) = module.get_export(name)? else { return None };
        let export = module.get_export_index(name)?;
        fits(&ty, signature).then(|| ScalarExport { export, width: signature.width() })
    }

    /// Returns the function in an instance, or `None` if the instance is of another module.
    pub(crate) fn of(&self, instance: &Instance, store: &mut Store<Host>) -> Option<ScalarCall> {
        let function = instance.get_module_export(store, &self.export)?.into_func()?;
        Some(ScalarCall { function, width: self.width })
    }
}

impl ScalarCall {
    /// Calls the function of this store's instance with the numbers, which its results overwrite.
    ///
    /// # Panics
    /// Panics if there is no room for the parameters or the results, or if the store is another
    /// instance's.
    #[inline]
    pub(crate) fn call(
        &self,
        store: &mut Store<Host>,
        numbers: &mut [ValRaw],
    ) -> wasmtime::Result<()> {
        assert!(numbers.len() >= self.width, "the numbers are as many as the signature is wide");
        // SAFETY: the slice has room for all parameters and all results (asserted). They are
        // numbers only, which `ScalarExport::new` has checked: any bits are a number of any core
        // type. Wasmtime checks that `function` belongs to `store`. No `call_async` is under way,
        // as nothing here calls it.
        unsafe { self.function.call_unchecked(store, numbers) }
    }
}

/// Returns whether the type takes and returns what the signature says.
fn fits(ty: &FuncType, signature: &Signature) -> bool {
    let equal = |types: &mut dyn Iterator<Item = ValType>, scalars: &[Scalar]| {
        types.map(|ty| core(&ty)).eq(scalars.iter().map(|scalar| Some(scalar.core())))
    };
    equal(&mut ty.params(), signature.params()) && equal(&mut ty.results(), signature.results())
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
    use super::*;
    use crate::module::classify::describe;
    use wasmtime::Engine;

    #[test]
    fn a_function_of_another_type_than_the_signature_s_is_not_called() {
        let binary = |text| wat::parse_str(text).unwrap();
        let described = binary("(module (func (export \"f\") (param i64)))");
        let signature = Signature::new(&describe(&described).unwrap().tasks[0], false).unwrap();
        for (text, fits) in [
            ("(module (func (export \"f\") (param i64)))", true),
            ("(module (func (export \"f\") (param i32)))", false),
            ("(module (func (export \"f\") (param i64) (result i64) local.get 0))", false),
            ("(module (func (export \"f\") (param externref)))", false),
            ("(module (global (export \"f\") i64 i64.const 0))", false),
            ("(module)", false),
        ] {
            let module = Module::new(&Engine::default(), binary(text)).unwrap();
            assert_eq!(ScalarExport::new(&module, "f", &signature).is_some(), fits, "{text}");
        }
    }
}
