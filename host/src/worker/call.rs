//! The call of a scalar task: numbers in, numbers out, as fast as wasmtime goes.

#![expect(unsafe_code, reason = "`call_unchecked` leaves the types to its caller")]

use super::convert::Signature;
use crate::imports::Host;
use crate::module::scalar::{Core, Scalar};
use wasmtime::{Func, FuncType, Store, ValRaw, ValType};

/// An exported function whose type is known to be a signature's.
#[derive(Clone, Copy)]
pub(crate) struct ScalarCall {
    function: Func,
    /// How many numbers the call needs room for.
    width: usize,
}

impl ScalarCall {
    /// Takes the function, if its type is the signature's.
    pub(crate) fn new(store: &Store<Host>, function: Func, signature: &Signature) -> Option<Self> {
        let fits = fits(&function.ty(store), signature);
        fits.then(|| ScalarCall { function, width: signature.width() })
    }

    /// Calls the function of this store's instance with the numbers, which its answer overwrites.
    ///
    /// # Panics
    /// There is no room for the parameters or the results.
    #[inline]
    pub(crate) fn call(
        &self,
        store: &mut Store<Host>,
        numbers: &mut [ValRaw],
    ) -> wasmtime::Result<()> {
        assert!(numbers.len() >= self.width, "the numbers are as many as the signature is wide");
        // SAFETY: the slice has room for all parameters and all results (asserted). They are
        // numbers only, which `fits` has checked: any bits are a number of any core type. That
        // `function` belongs to `store` is checked by wasmtime, and no `call_async` is under way.
        unsafe { self.function.call_unchecked(store, numbers) }
    }
}

/// Whether the type takes and answers what the signature says.
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
