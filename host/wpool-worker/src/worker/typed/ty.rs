//! WIT types, as far as their values have a form in JSON.

use crate::module::component::flows;
use crate::module::scalar::Scalar;
use wasmtime::component::types::Type;

/// A type. The form of its values in JSON is given for each.
#[derive(Debug, PartialEq)]
pub(super) enum Ty {
    /// A number, `true` or `false`, or a string of one character; a float may be `"NaN"`,
    /// `"Infinity"` or `"-Infinity"`.
    Scalar(Scalar),
    /// A string.
    String,
    /// An array of numbers, or a string in base64: `list<u8>`.
    Bytes,
    /// An array.
    List(Box<Ty>),
    /// An array with one value for each type.
    Tuple(Vec<Ty>),
    /// An object with one member for each field.
    Record(Vec<(String, Ty)>),
    /// The name of a case without a value, or an object with the case as its only member.
    Variant(Vec<(String, Option<Ty>)>),
    /// The name of a case.
    Enum(Vec<String>),
    /// The value or `null`. An option in an option is `{"some": VALUE}`, so that its `null` is not
    /// the outer one's.
    Option(Box<Ty>),
    /// An object: `{"ok": VALUE}` or `{"error": VALUE}`, with `null` if there is no value.
    Result(Box<Outcome>),
    /// An array of names.
    Flags(Vec<String>),
    /// The items of a stream: bytes, or a list.
    Stream(Box<Ty>),
    /// The value of a future.
    Future(Box<Ty>),
}

/// The two types of a `result`.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) ok: Option<Ty>,
    pub(super) error: Option<Ty>,
}

impl Ty {
    /// Returns the type for conversion, or `None` if its values have no form in JSON (resources).
    /// The compiler has refused tasks with such types, and types that are nested too deeply.
    pub(super) fn of(ty: &Type) -> Option<Ty> {
        let boxed = |ty: &Type| Ty::of(ty).map(Box::new);
        let optional =
            |ty: Option<Type>| ty.as_ref().map(Ty::of).map_or(Some(None), |ty| ty.map(Some));
        Some(match ty {
            Type::Bool => Ty::Scalar(Scalar::Bool),
            Type::S8 => Ty::Scalar(Scalar::Signed(8)),
            Type::S16 => Ty::Scalar(Scalar::Signed(16)),
            Type::S32 => Ty::Scalar(Scalar::Signed(32)),
            Type::S64 => Ty::Scalar(Scalar::Signed(64)),
            Type::U8 => Ty::Scalar(Scalar::Unsigned(8)),
            Type::U16 => Ty::Scalar(Scalar::Unsigned(16)),
            Type::U32 => Ty::Scalar(Scalar::Unsigned(32)),
            Type::U64 => Ty::Scalar(Scalar::Unsigned(64)),
            Type::Float32 => Ty::Scalar(Scalar::F32),
            Type::Float64 => Ty::Scalar(Scalar::F64),
            Type::Char => Ty::Scalar(Scalar::Char),
            Type::String => Ty::String,
            Type::List(list) => Ty::list(&list.ty())?,
            Type::Stream(stream) => {
                let item = stream.ty().filter(flows)?;
                Ty::Stream(Box::new(Ty::list(&item)?))
            }
            Type::Future(future) => Ty::Future(boxed(&future.ty().filter(flows)?)?),
            Type::Tuple(tuple) => {
                Ty::Tuple(tuple.types().map(|ty| Ty::of(&ty)).collect::<Option<_>>()?)
            }
            Type::Record(record) => {
                let fields = record.fields();
                let fields = fields.map(|field| Some((field.name.to_owned(), Ty::of(&field.ty)?)));
                Ty::Record(fields.collect::<Option<_>>()?)
            }
            Type::Variant(variant) => {
                let cases = variant.cases();
                let cases = cases.map(|case| Some((case.name.to_owned(), optional(case.ty)?)));
                Ty::Variant(cases.collect::<Option<_>>()?)
            }
            Type::Enum(names) => Ty::Enum(names.names().map(str::to_owned).collect()),
            Type::Option(option) => Ty::Option(boxed(&option.ty())?),
            Type::Result(result) => Ty::Result(Box::new(Outcome {
                ok: optional(result.ok())?,
                error: optional(result.err())?,
            })),
            Type::Flags(flags) => Ty::Flags(flags.names().map(str::to_owned).collect()),
            // Handles have no form in JSON; the other types are proposals that the engine does not
            // have.
            Type::Own(_)
            | Type::Borrow(_)
            | Type::ErrorContext
            | Type::Map(_)
            | Type::FixedLengthList(_) => return None,
        })
    }

    /// Returns the type that the values have in a job: for a stream or a future, the type of its
    /// contents.
    pub(super) fn whole(&self) -> &Ty {
        match self {
            Ty::Stream(whole) | Ty::Future(whole) => whole,
            ty => ty,
        }
    }

    /// Returns the type of a list of such elements.
    fn list(element: &Type) -> Option<Ty> {
        Some(match element {
            Type::U8 => Ty::Bytes,
            ty => Ty::List(Box::new(Ty::of(ty)?)),
        })
    }
}
