//! The signatures of functions that core modules import, as documentation has them in back quotes:
//! `lock_acquire(handle: i32, timeout_ns: i64) -> i32`.

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flat {
    /// The name of the import.
    pub(crate) name: String,
    /// The names and types of the parameters.
    pub(crate) params: Vec<(String, String)>,
    /// The type of the result.
    pub(crate) result: Option<String>,
}

impl Flat {
    /// Parses a signature; returns `None` if the text is none.
    pub(crate) fn parse(text: &str) -> Option<Flat> {
        let (name, rest) = text.split_once('(')?;
        let (params, result) = rest.split_once(')')?;
        let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let params = params.split(", ").filter(|param| !param.is_empty());
        let params = params.map(|param| {
            let (name, ty) = param.split_once(": ")?;
            Some((name.to_owned(), ty.to_owned()))
        });
        let result = match result {
            "" => None,
            _ => Some(result.strip_prefix(" -> ")?.to_owned()),
        };
        let params = params.collect::<Option<Vec<_>>>()?;
        is_name(name).then(|| Flat { name: name.to_owned(), params, result })
    }
}

/// Returns the signatures in a text.
pub(crate) fn quoted(text: &str) -> Vec<Flat> {
    text.split('`').skip(1).step_by(2).filter_map(Flat::parse).collect()
}
