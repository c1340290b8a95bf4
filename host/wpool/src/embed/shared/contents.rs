//! The contents of lists, dicts and sets, with all that is nested in them.

use super::show::Message;
use crate::shared::{self as control, Caller, Dict, Error, Inner, Kind, List, Part, Set};
use crate::wire::base64::base64;
use serde::{Serialize, Serializer};

/// The depth up to which nested objects are shown. Deeper ones are shown empty.
const DEPTH_MAX: usize = 100;

/// An item, or a list, dict or set of items.
pub(super) enum Contents {
    Item(Vec<u8>),
    List(Vec<Contents>),
    Dict(Vec<(String, Contents)>),
}

/// The way in which contents are read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    memory: &'a control::Shared,
    caller: &'a Caller<'a>,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(memory: &'a control::Shared, caller: &'a Caller<'a>) -> Reader<'a> {
        Reader { memory, caller, depth: 0 }
    }

    /// Reads a list.
    pub(super) fn list(self, list: &List<'_>) -> Result<Contents, Error> {
        let items = control::whole(|cursor, _| list.slice(self.caller, cursor as i64, i64::MAX))?;
        let items = items.into_iter().enumerate();
        let items =
            items.map(|(index, item)| self.item(item, || list.inner(self.caller, index as i64)));
        Ok(Contents::List(items.collect::<Result<_, _>>()?))
    }

    /// Reads a dict.
    pub(super) fn dict(self, dict: &Dict<'_>) -> Result<Contents, Error> {
        let items = control::whole(|cursor, version| {
            dict.page(self.caller, Part::Items, (cursor, version))
        })?;
        let entries = items.as_chunks::<2>().0.iter().map(|[key, value]| {
            let value = self.item(value.clone(), || dict.inner(self.caller, key))?;
            Ok((text_of(key), value))
        });
        Ok(Contents::Dict(entries.collect::<Result<_, _>>()?))
    }

    /// Reads a set.
    pub(super) fn set(self, set: &Set<'_>) -> Result<Contents, Error> {
        let items = control::whole(|cursor, version| set.page(self.caller, (cursor, version)))?;
        Ok(Contents::List(items.into_iter().map(Contents::Item).collect()))
    }

    /// Reads an item. One without bytes may be a nested object.
    fn item(
        self,
        bytes: Vec<u8>,
        inner: impl FnOnce() -> Result<Inner, Error>,
    ) -> Result<Contents, Error> {
        match inner_of(&bytes, inner).map(|inner| self.inner(inner)) {
            // It was removed in the meantime.
            None | Some(Err(Error::NotFound)) => Ok(Contents::Item(bytes)),
            Some(contents) => contents,
        }
    }

    fn inner(self, inner: Inner) -> Result<Contents, Error> {
        let (memory, deeper) = (self.memory, Reader { depth: self.depth + 1, ..self });
        match inner.kind() {
            Kind::Dict if self.depth == DEPTH_MAX => Ok(Contents::Dict(Vec::new())),
            _ if self.depth == DEPTH_MAX => Ok(Contents::List(Vec::new())),
            Kind::List => deeper.list(&List::inside(memory, inner)?),
            Kind::Dict => deeper.dict(&Dict::inside(memory, inner)?),
            _ => deeper.set(&Set::inside(memory, inner)?),
        }
    }
}

fn inner_of(bytes: &[u8], inner: impl FnOnce() -> Result<Inner, Error>) -> Option<Inner> {
    if bytes.is_empty() { inner().ok() } else { None }
}

impl Serialize for Contents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Contents::Item(bytes) => Message(bytes.clone()).serialize(serializer),
            Contents::List(items) => serializer.collect_seq(items),
            Contents::Dict(entries) => {
                serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}

/// Returns a key as text: the text of a string in JSON, any other text as it is, and bytes in Base64.
fn text_of(key: &[u8]) -> String {
    match (serde_json::from_slice(key), str::from_utf8(key)) {
        (Ok(text), _) => text,
        (Err(_), Ok(text)) => text.to_owned(),
        (Err(_), Err(_)) => base64(key),
    }
}
