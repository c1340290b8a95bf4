//! The state of an object as JSON.

use super::contents::{Contents, Reader};
use super::error::SharedError;
use crate::shared::{self as control, Caller, Kind, ObjectId, Peek, Scalar};
use crate::wire::base64::base64;
use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// The size up to which the bytes of a region are shown.
const REGION_BYTES_MAX: usize = 64 << 10;

/// The state of an object. [`Shared::show`](super::Shared::show) describes its JSON.
pub(super) enum View<'a> {
    Lock { held: bool, owner_died: bool },
    Condition { held: bool, owner_died: bool, waiting: u32 },
    Semaphore { free: u64 },
    Event { is_set: bool },
    Barrier { parties: u32, waiting: u32, broken: bool },
    Queue(Peek<'a>),
    Value(Scalar),
    Array(control::Array<'a>),
    Region(control::Region<'a>),
    Contents(Contents),
}

impl<'a> View<'a> {
    pub(super) fn new(
        memory: &'a control::Shared,
        caller: &Caller<'_>,
        id: ObjectId,
        kind: Kind,
    ) -> Result<View<'a>, control::Error> {
        let reader = Reader::new(memory, caller);
        Ok(match kind {
            Kind::Lock => {
                let lock = memory.lock(id)?;
                View::Lock { held: lock.holder().is_some(), owner_died: lock.is_suspect() }
            }
            Kind::Condition => {
                let condition = memory.condition(id)?;
                let lock = condition.lock();
                View::Condition {
                    held: lock.holder().is_some(),
                    owner_died: lock.is_suspect(),
                    waiting: condition.waiting(),
                }
            }
            Kind::Semaphore => View::Semaphore { free: memory.semaphore(id)?.count() },
            Kind::Event => View::Event { is_set: memory.event(id)?.is_set() },
            Kind::Barrier => {
                let barrier = memory.barrier(id)?;
                View::Barrier {
                    parties: barrier.parties(),
                    waiting: barrier.waiting(),
                    broken: barrier.is_broken(),
                }
            }
            Kind::Queue => View::Queue(memory.peek(caller, id)?),
            Kind::Value => View::Value(memory.value(id)?.get()),
            Kind::Array => View::Array(memory.array(id)?),
            Kind::Region => View::Region(memory.region(id)?),
            Kind::List => View::Contents(reader.list(&control::List::of(memory, id)?)?),
            Kind::Dict => View::Contents(reader.dict(&control::Dict::of(memory, id)?)?),
            Kind::Set => View::Contents(reader.set(&control::Set::of(memory, id)?)?),
        })
    }
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            View::Lock { held, owner_died } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("held", held)?;
                map.serialize_entry("owner-died", owner_died)?;
                map.end()
            }
            View::Condition { held, owner_died, waiting } => {
                let mut map = serializer.serialize_map(Some(3))?;
                map.serialize_entry("held", held)?;
                map.serialize_entry("owner-died", owner_died)?;
                map.serialize_entry("waiting", waiting)?;
                map.end()
            }
            View::Semaphore { free } => free.serialize(serializer),
            View::Event { is_set } => is_set.serialize(serializer),
            View::Barrier { parties, waiting, broken } => {
                let mut map = serializer.serialize_map(Some(3))?;
                map.serialize_entry("parties", parties)?;
                map.serialize_entry("waiting", waiting)?;
                map.serialize_entry("broken", broken)?;
                map.end()
            }
            View::Queue(peek) => {
                let message = |place| {
                    let mut bytes = Vec::new();
                    peek.read(place, &mut bytes).then_some(Message(bytes))
                };
                serializer.collect_seq((0..peek.len()).filter_map(message))
            }
            View::Value(number) => Number(*number).serialize(serializer),
            View::Array(array) => {
                serializer.collect_seq((0..array.len()).map(|at| Element(array, at)))
            }
            View::Region(region) => show_region(region, serializer),
            View::Contents(contents) => contents.serialize(serializer),
        }
    }
}

fn show_region<S: Serializer>(
    region: &control::Region<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let size = region.bytes();
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("bytes", &size)?;
    if size <= REGION_BYTES_MAX {
        let mut bytes = vec![0; size];
        region.fetch(0, &mut bytes).map_err(S::Error::custom)?;
        let used = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        match std::str::from_utf8(&bytes[..used]) {
            Ok(text) => map.serialize_entry("text", text)?,
            Err(_) => map.serialize_entry("base64", &base64(&bytes[..used]))?,
        }
    }
    map.end()
}

/// A number, written as in jobs and results.
struct Number(Scalar);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Scalar::I32(number) => serializer.serialize_i32(number),
            Scalar::I64(number) => serializer.serialize_i64(number),
            Scalar::U32(number) => serializer.serialize_u32(number),
            Scalar::U64(number) => serializer.serialize_u64(number),
            Scalar::F32(number) if number.is_finite() => serializer.serialize_f32(number),
            Scalar::F64(number) if number.is_finite() => serializer.serialize_f64(number),
            Scalar::F32(number) => serializer.serialize_str(special(number.into())),
            Scalar::F64(number) => serializer.serialize_str(special(number)),
            Scalar::Bool(number) => serializer.serialize_bool(number),
        }
    }
}

fn special(number: f64) -> &'static str {
    match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}

/// An element of an array.
struct Element<'a>(&'a control::Array<'a>, usize);

impl Serialize for Element<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Number(self.0.get(self.1).map_err(S::Error::custom)?).serialize(serializer)
    }
}

/// A message of a queue.
pub(super) struct Message(pub(super) Vec<u8>);

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Ok(text) = std::str::from_utf8(&self.0) else {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry("base64", &base64(&self.0))?;
            return map.end();
        };
        // The message is put on one line: JSON has line ends between its tokens only.
        match RawValue::from_string(text.trim().replace(['\n', '\r'], " ")) {
            Ok(json) => json.serialize(serializer),
            Err(_) => serializer.serialize_str(text),
        }
    }
}

/// Converts the error of a serialisation.
pub(super) fn shown<T>(result: Result<T, serde_json::Error>) -> Result<T, SharedError> {
    result.map_err(|error| match error.is_io() {
        true => SharedError::System { reason: error.to_string() },
        false => SharedError::Broken { culprit: None },
    })
}
