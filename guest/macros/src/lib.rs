//! The `#[task]` attribute of `wpool-guest`, which re-exports it.
//!
//! The module `parse` reads a function into a `Task` or says why it cannot be one, `expand` writes
//! its export, and `section` writes the line of the custom section `wpool:tasks` that describes it.

mod expand;
mod parse;
mod reserved;
mod section;
mod types;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemFn;

/// Makes a function a task that wpool can map jobs over.
///
/// The function itself is not changed: call it and test it like any other. On WebAssembly it is
/// also exported, and described in the custom section `wpool:tasks`, where `wpool inspect` finds
/// names, types and the first paragraph of its documentation.
///
/// `#[task(default)]` marks the task that `wpool` calls if `--task` is not given.
///
/// Parameters are owned types, `&str` or `&[T]`; the result is an owned type, nothing, or a
/// `Result` (by that name) whose error fails the job.
#[proc_macro_attribute]
pub fn task(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    task_or_error(arguments.into(), item.into()).into()
}

/// Returns the function and its export. On an error the function is kept, so that its callers
/// report no further mistakes.
fn task_or_error(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let export = syn::parse2::<ItemFn>(item.clone())
        .map_err(|error| syn::Error::new(error.span(), "#[task] goes on a function with a body"))
        .and_then(|function| parse::task(&arguments, &function))
        .map(|task| expand::export(&task))
        .unwrap_or_else(|error| error.into_compile_error());
    quote!(#item #export)
}
