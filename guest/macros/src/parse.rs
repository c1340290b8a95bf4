//! The parser that turns a function into a [`Task`], or into an error that names the fix.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, Expr, ExprLit, FnArg, Ident, ItemFn, Lit, Meta, Pat, Result, ReturnType,
    Safety, Signature, Type,
};

use crate::reserved;
use crate::types;

/// The greatest number of parameters: the number of elements of the longest tuple that serde
/// decodes.
const PARAMS_MAX: usize = 16;

/// The facts about a function that its export is made of.
pub(crate) struct Task {
    /// The name of the function.
    pub(crate) function: Ident,
    /// The name of the task: the function's, without `r#`.
    pub(crate) name: String,
    pub(crate) params: Vec<Param>,
    pub(crate) output: Output,
    /// The first paragraph of the documentation, on one line.
    pub(crate) doc: Option<String>,
    /// True if the task is called if no task is named.
    pub(crate) default: bool,
    /// The function's `#[cfg]` attributes: its export exists only where the function does.
    pub(crate) cfgs: Vec<Attribute>,
}

/// A parameter of a task.
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) ty: Type,
}

/// The result of a task.
pub(crate) enum Output {
    /// No result, or `()`.
    Nothing,
    /// A value of any type but `Result`.
    Value(Type),
    /// A `Result`, and the type of its `Ok` if it is not `()`.
    Fallible(Option<Type>),
}

impl Task {
    /// Returns whether every parameter and the result travel as one WebAssembly number.
    pub(crate) fn is_scalar(&self) -> bool {
        let output = match &self.output {
            Output::Nothing => true,
            Output::Value(ty) => types::is_scalar(ty),
            Output::Fallible(_) => false,
        };
        output && self.params.iter().all(|param| types::is_scalar(&param.ty))
    }
}

/// Reads the function under a `#[task]`.
pub(crate) fn task(arguments: &TokenStream, function: &ItemFn) -> Result<Task> {
    let default = match syn::parse2::<Option<Ident>>(arguments.clone()) {
        Ok(None) => false,
        Ok(Some(word)) if word == "default" => true,
        _ => return Err(Error::new_spanned(arguments, "#[task] takes `default` or nothing")),
    };
    let signature = &function.sig;
    check_signature(signature)?;
    let params = signature.inputs.iter().map(param).collect::<Result<Vec<_>>>()?;
    if params.len() > PARAMS_MAX {
        let message = format!("a task has at most {PARAMS_MAX} parameters; put some in a struct");
        return Err(Error::new_spanned(&signature.inputs, message));
    }
    let task = Task {
        function: signature.ident.clone(),
        name: signature.ident.unraw().to_string(),
        params,
        output: output(&signature.output)?,
        doc: first_paragraph(&function.attrs),
        default,
        cfgs: function.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect(),
    };
    match reserved::reason(&task.name, task.is_scalar()) {
        Some(reason) => Err(Error::new_spanned(&task.function, reason)),
        None => Ok(task),
    }
}

fn check_signature(signature: &Signature) -> Result<()> {
    let refuse = |tokens: &dyn ToTokens, message| Err(Error::new(tokens.span(), message));
    if let Some(token) = &signature.asyncness {
        return refuse(token, "a task is not async: remove `async` and block inside");
    }
    if let Safety::Unsafe(token) = &signature.safety {
        return refuse(token, "a task is safe to call: use an `unsafe` block inside");
    }
    if let Some(abi) = &signature.abi {
        return refuse(abi, "#[task] writes the `extern` function itself: remove this");
    }
    if let Some(receiver) = signature.receiver() {
        return refuse(receiver, "a task is a free function: move it out of the `impl`");
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        return refuse(
            &signature.generics,
            "a task is one concrete function: write the types out, and remove lifetimes",
        );
    }
    Ok(())
}

fn param(argument: &FnArg) -> Result<Param> {
    let FnArg::Typed(argument) = argument else {
        unreachable!("check_signature() refused `self`");
    };
    let Pat::Ident(pattern) = &*argument.pat else {
        return Err(Error::new(
            argument.pat.span(),
            "a task's parameters have names: take the value apart inside, and call one that is \
             not used `_name`",
        ));
    };
    if let Type::ImplTrait(ty) = &*argument.ty {
        return Err(Error::new(ty.span(), "a task is one concrete function: write the type out"));
    }
    if let Type::Reference(ty) = &*argument.ty
        && types::owned(&argument.ty).is_none()
    {
        let message = "a job's values are passed on by value: remove the `&` (only `&str` and \
                       `&[T]` are lent)";
        return Err(Error::new(ty.span(), message));
    }
    // The underscore tells the compiler that the parameter is not used; a reader of the signature
    // does not need it.
    let name = pattern.ident.unraw().to_string().trim_start_matches('_').to_owned();
    Ok(Param { name, ty: (*argument.ty).clone() })
}

fn output(output: &ReturnType) -> Result<Output> {
    let ReturnType::Type(_, ty) = output else {
        return Ok(Output::Nothing);
    };
    let output = match types::result_of(ty) {
        Some(ok) => Output::Fallible(ok.filter(|ty| !types::is_unit(ty)).cloned()),
        None if types::is_unit(ty) => Output::Nothing,
        None => Output::Value((**ty).clone()),
    };
    if let Output::Value(ty) | Output::Fallible(Some(ty)) = &output
        && types::is_borrowed(ty)
    {
        return Err(Error::new(
            ty.span(),
            "a result outlives the job it is made of: return an owned type, such as `String`",
        ));
    }
    Ok(output)
}

/// Returns the lines of a documentation comment up to the first empty one, as one line.
fn first_paragraph(attrs: &[Attribute]) -> Option<String> {
    let text = attrs.iter().filter_map(doc_text).collect::<Vec<_>>().join("\n");
    let lines = text.trim_start().lines().map(str::trim).take_while(|line| !line.is_empty());
    let paragraph = lines.collect::<Vec<_>>().join(" ");
    (!paragraph.is_empty()).then_some(paragraph)
}

fn doc_text(attr: &Attribute) -> Option<String> {
    match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    fn check_refused(function: ItemFn, expect: &str) {
        let error = task(&TokenStream::new(), &function).err().expect("refused").to_string();
        assert!(error.contains(expect), "{error:?} does not contain {expect:?}");
    }

    #[test]
    fn functions_that_cannot_be_a_task_are_refused_with_the_fix() {
        check_refused(
            parse_quote!(
                async fn f() {}
            ),
            "remove `async`",
        );
        check_refused(
            parse_quote!(
                unsafe fn f() {}
            ),
            "`unsafe` block inside",
        );
        check_refused(
            parse_quote!(
                extern "C" fn f() {}
            ),
            "remove this",
        );
        check_refused(
            parse_quote!(
                fn f(&self) {}
            ),
            "move it out of the `impl`",
        );
        check_refused(
            parse_quote!(
                fn f<T: Clone>(n: T) {}
            ),
            "write the types out",
        );
        check_refused(
            parse_quote!(
                fn f<'a>(s: &'a str) {}
            ),
            "remove lifetimes",
        );
        check_refused(
            parse_quote!(
                fn f(n: impl Into<i64>) {}
            ),
            "write the type out",
        );
    }

    #[test]
    fn parameters_and_results_that_cannot_travel_are_refused_with_the_fix() {
        check_refused(
            parse_quote!(
                fn f((a, b): (i64, i64)) {}
            ),
            "take the value apart inside",
        );
        check_refused(
            parse_quote!(
                fn f(_: i64) {}
            ),
            "`_name`",
        );
        check_refused(
            parse_quote!(
                fn f(n: &i64) {}
            ),
            "remove the `&`",
        );
        check_refused(
            parse_quote!(
                fn f(n: &mut [i64]) {}
            ),
            "remove the `&`",
        );
        check_refused(
            parse_quote!(
                fn f(s: &str) -> &str {
                    s
                }
            ),
            "`String`",
        );
        check_refused(
            parse_quote!(
                fn f(s: &str) -> Result<&str, E> {
                    Ok(s)
                }
            ),
            "`String`",
        );
    }

    #[test]
    fn arguments_and_too_many_parameters_are_refused() {
        let error = task(
            &quote!(name = "f"),
            &parse_quote!(
                fn f() {}
            ),
        )
        .err()
        .expect("refused");
        assert_eq!(error.to_string(), "#[task] takes `default` or nothing");
        let inputs = (0..17).map(|n| quote::format_ident!("p{n}"));
        check_refused(parse_quote!(fn f(#(#inputs: i64),*) {}), "in a struct");
    }

    #[test]
    fn names_that_would_break_the_module_are_refused() {
        check_refused(
            parse_quote!(
                fn sin(x: f64) -> f64 {
                    x.sin()
                }
            ),
            "C library",
        );
        check_refused(
            parse_quote!(
                fn memory() {}
            ),
            "every module",
        );
        check_refused(
            parse_quote!(
                fn _start() {}
            ),
            "underscore",
        );
        check_refused(
            parse_quote!(
                fn task_one() {}
            ),
            "task_",
        );
        assert!(
            task(
                &TokenStream::new(),
                &parse_quote!(
                    fn sin(x: String) {}
                )
            )
            .is_ok()
        );
    }

    #[test]
    fn the_first_paragraph_is_the_description() {
        let function: ItemFn = parse_quote! {
            #[doc = " One"]
            #[doc = " paragraph."]
            #[doc = ""]
            #[doc = " Another."]
            fn f() {}
        };
        assert_eq!(first_paragraph(&function.attrs).as_deref(), Some("One paragraph."));
        assert_eq!(first_paragraph(&[]), None);
    }
}
