//! The code that `#[task]` writes below the function: its export and its line of the custom
//! section.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use syn::Type;

use crate::parse::{Output, Task};
use crate::section;
use crate::types;

/// Returns the code that exports and describes `task`.
pub(crate) fn export(task: &Task) -> TokenStream {
    let export = if task.is_scalar() { scalar(task) } else { bytes(task) };
    let line = section::line(task);
    let (len, line) = (line.len(), Literal::byte_string(line.as_bytes()));
    let cfgs = &task.cfgs;
    quote! {
        #(#cfgs)*
        const _: () = {
            #export

            #[cfg(target_family = "wasm")]
            #[used]
            #[unsafe(link_section = "wpool:tasks")]
            static __WPOOL_TASK: [u8; #len] = *#line;
        };
    }
}

/// Returns the condition under which a task is exported: in a module, and with the feature `native`
/// in a shared library.
fn exported() -> TokenStream {
    if cfg!(feature = "native") {
        quote!(any(target_family = "wasm", unix))
    } else {
        quote!(target_family = "wasm")
    }
}

/// Returns an export with the task's name that takes and returns WebAssembly's numbers.
///
/// Without an export, the code is an unused function, so that the task counts as used.
fn scalar(task: &Task) -> TokenStream {
    let Task { function, name, .. } = task;
    let (args, tys) = arguments(task);
    let result = match &task.output {
        Output::Value(ty) => quote!(#ty),
        _ => quote!(()),
    };
    let scalar = quote!(::wpool_guest::__private::Scalar);
    let exported = exported();
    quote! {
        #[allow(dead_code)]
        #[cfg_attr(#exported, unsafe(export_name = #name))]
        extern "C" fn __wpool_export(
            #(#args: <#tys as #scalar>::Abi),*
        ) -> <#result as #scalar>::Abi {
            <#result as #scalar>::into_abi(#function(#(<#tys as #scalar>::from_abi(#args)),*))
        }
    }
}

/// Returns an export `task_NAME` that decodes a job and encodes a result.
///
/// The part between the two exists, unused, also where nothing is exported: the task then counts as
/// used, and a type that serde cannot handle is an error in `cargo test`, too.
fn bytes(task: &Task) -> TokenStream {
    let function = &task.function;
    let export_name = format!("task_{}", task.name);
    let exported = exported();
    let (args, tys) = arguments(task);
    let (pattern, job_type) = match args.len() {
        1 => (quote!(#(#args)*), quote!(#(#tys)*)),
        _ => (quote!((#(#args),*)), quote!((#(#tys),*))),
    };
    // A task without parameters ignores its job.
    let job = if args.is_empty() { quote!(b"null") } else { quote!(__job) };
    let lent = task.params.iter().zip(&args).map(|(param, arg)| match types::owned(&param.ty) {
        Some(_) => quote!(&#arg),
        None => quote!(#arg),
    });
    let call = quote!(#function(#(#lent),*));
    let call = match task.output {
        Output::Fallible(_) => call,
        _ => quote!(::core::result::Result::<_, ::core::convert::Infallible>::Ok(#call)),
    };
    quote! {
        #[allow(dead_code, unused_variables)]
        fn __wpool_answer(
            __job: &[u8],
        ) -> ::core::result::Result<::std::vec::Vec<u8>, ::std::string::String> {
            ::wpool_guest::__private::answer::<#job_type, _, _>(#job, |#pattern| #call)
        }

        #[cfg(#exported)]
        #[unsafe(export_name = #export_name)]
        extern "C" fn __wpool_export() -> i32 {
            ::wpool_guest::__private::byte_task(__wpool_answer)
        }
    }
}

/// Returns names for the arguments, which differ from the task's own, and the types to decode from
/// a job.
fn arguments(task: &Task) -> (Vec<syn::Ident>, Vec<Type>) {
    let args = (0..task.params.len()).map(|n| format_ident!("__arg{n}")).collect();
    let tys = task.params.iter().map(|param| {
        let ty = &param.ty;
        types::owned(ty).unwrap_or_else(|| ty.clone())
    });
    (args, tys.collect())
}
