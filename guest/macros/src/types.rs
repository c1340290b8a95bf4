//! The meaning of types in signatures for the host.

use quote::quote;
use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// Scalar types and their names in WIT.
const SCALARS: &[(&str, &str)] = &[
    ("i8", "s8"),
    ("i16", "s16"),
    ("i32", "s32"),
    ("i64", "s64"),
    ("u8", "u8"),
    ("u16", "u16"),
    ("u32", "u32"),
    ("u64", "u64"),
    ("f32", "f32"),
    ("f64", "f64"),
    ("bool", "bool"),
];

/// Returns whether a value of this type is one WebAssembly number.
pub(crate) fn is_scalar(ty: &Type) -> bool {
    scalar(ty).is_some()
}

/// Returns the name of a type in WIT, or `json` if it has none.
pub(crate) fn wit_name(ty: &Type) -> String {
    if let Some(name) = scalar(ty) {
        return name.into();
    }
    match ty {
        Type::Group(ty) => wit_name(&ty.elem),
        Type::Reference(ty) => wit_name(&ty.elem),
        Type::Slice(ty) => format!("list<{}>", wit_name(&ty.elem)),
        Type::Tuple(ty) if !ty.elems.is_empty() => {
            format!("tuple<{}>", ty.elems.iter().map(wit_name).collect::<Vec<_>>().join(", "))
        }
        Type::Path(_) => named(ty).unwrap_or_else(|| "json".into()),
        _ => "json".into(),
    }
}

/// Returns the type to decode for a parameter that is lent: `String` for `&str`, `Vec<T>` for
/// `&[T]`.
pub(crate) fn owned(ty: &Type) -> Option<Type> {
    let Type::Reference(reference) = ty else {
        return None;
    };
    if reference.mutability.is_some() {
        return None;
    }
    let owned = match &*reference.elem {
        Type::Path(path) if path.path.is_ident("str") => quote!(::std::string::String),
        Type::Slice(slice) => {
            let elem = &slice.elem;
            quote!(::std::vec::Vec<#elem>)
        }
        _ => return None,
    };
    syn::parse2(owned).ok()
}

/// Returns the type of the `Ok` of a type called `Result`, if it is written.
pub(crate) fn result_of(ty: &Type) -> Option<Option<&Type>> {
    let segment = last_segment(ty)?;
    (segment.ident == "Result").then(|| arguments(segment).next())
}

pub(crate) fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(ty) if ty.elems.is_empty())
}

/// Returns whether values of this type point into something that is not `'static`.
pub(crate) fn is_borrowed(ty: &Type) -> bool {
    match ty {
        Type::Reference(ty) => ty.lifetime.as_ref().is_none_or(|life| life.ident != "static"),
        Type::Tuple(ty) => ty.elems.iter().any(is_borrowed),
        _ => last_segment(ty).is_some_and(|segment| arguments(segment).any(is_borrowed)),
    }
}

fn scalar(ty: &Type) -> Option<&'static str> {
    match ty {
        // A `macro_rules!` macro passes a type in a group.
        Type::Group(ty) => scalar(&ty.elem),
        Type::Path(ty) if ty.qself.is_none() => {
            let name = ty.path.get_ident()?;
            SCALARS.iter().find(|(rust, _)| name == rust).map(|(_, wit)| *wit)
        }
        _ => None,
    }
}

fn named(ty: &Type) -> Option<String> {
    let segment = last_segment(ty)?;
    let first = arguments(segment).next();
    match (segment.ident.to_string().as_str(), first) {
        ("char", None) => Some("char".into()),
        ("String" | "str", None) => Some("string".into()),
        // A guest's addresses have 32 bits.
        ("usize", None) => Some("u32".into()),
        ("isize", None) => Some("s32".into()),
        ("Vec", Some(elem)) => Some(format!("list<{}>", wit_name(elem))),
        ("Option", Some(some)) => Some(format!("option<{}>", wit_name(some))),
        _ => None,
    }
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(ty) if ty.qself.is_none() => ty.path.segments.last(),
        _ => None,
    }
}

fn arguments(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn types_have_their_names_in_wit() {
        let check = |ty: Type, expect: &str| assert_eq!(wit_name(&ty), expect);
        check(parse_quote!(i8), "s8");
        check(parse_quote!(bool), "bool");
        check(parse_quote!(char), "char");
        check(parse_quote!(&str), "string");
        check(parse_quote!(std::string::String), "string");
        check(parse_quote!(&[u8]), "list<u8>");
        check(parse_quote!(Vec<Option<(i64, f32)>>), "list<option<tuple<s64, f32>>>");
        check(parse_quote!(HashMap<String, i64>), "json");
        check(parse_quote!([f64; 3]), "json");
        check(parse_quote!(()), "json");
    }

    #[test]
    fn a_result_is_known_by_its_name() {
        let of = |ty: Type| result_of(&ty).map(|ok| ok.map(wit_name));
        assert_eq!(of(parse_quote!(Result<i64, String>)), Some(Some("s64".into())));
        assert_eq!(of(parse_quote!(std::io::Result<String>)), Some(Some("string".into())));
        assert_eq!(of(parse_quote!(std::fmt::Result)), Some(None));
        assert_eq!(of(parse_quote!(Option<i64>)), None);
    }
}
