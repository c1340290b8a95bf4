//! Makes the shared objects that flags name.

use crate::cli::flags::ObjectFlags;
use crate::cli::flags::object::{self, Contents, Elements};
use crate::cli::numbers::{self, Text, with_type};
use crate::cli::report::Report;
use crate::cli::units::{self, size_text};
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use wpool::{
    Array, Barrier, Bounds, Capacity, Condition, Dict, Event, List, Lock, Queue, Region, Semaphore,
    Set, Shared, SharedError, Value,
};

/// The most bytes of a file with messages or numbers.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The capacity of a queue, unless a flag or the queue's messages ask for more.
const MESSAGES: u32 = 1024;
const MESSAGE_BYTES: u64 = 16 << 20;

/// The size up to which a message needs no space of its own. A longer one takes a multiple of the
/// piece.
const SHORT_BYTES: usize = 96;
const PIECE_BYTES: usize = 256;

/// A maker of objects in shared state.
pub(super) struct Maker<'a> {
    pub(super) shared: &'a Shared,
}

/// Reports the error of `FLAG NAME`.
fn refused(flag: &str, name: &str, error: SharedError) -> Report {
    let what = format!("{flag} {name}");
    match error {
        SharedError::Exists { kind, .. } => {
            Report::usage(format!("{what}: there is {kind:#} of this name already"))
                .help("give each object a name of its own")
        }
        SharedError::NoSpace { .. } => {
            let help = match flag {
                "--region" => "make it smaller, or raise --region-space".to_owned(),
                "--list" | "--dict" | "--set" => format!(
                    "raise its own bounds ({flag} NAME:NUMBER:BYTES) if it has any, or --shared-space"
                ),
                _ => "make it smaller, or raise --shared-space".to_owned(),
            };
            Report::usage(format!("{what}: there is not enough space left for it"))
                .help(help + "; there are 1024 objects at most")
        }
        SharedError::OutOfRange { limits, .. } => Report::usage(format!("{what}: {limits}")),
        error => Report::usage(format!("{what}: {error}")),
    }
}

/// Reports an error with a file.
fn unusable(flag: &str, name: &str, file: &Path, error: impl std::fmt::Display) -> Report {
    Report::usage(format!("{flag} {name}=@{}: {error}", file.display()))
}

impl Maker<'_> {
    /// Makes all objects.
    ///
    /// # Errors
    /// Fails if an object cannot be made.
    pub(super) fn make_all(&self, flags: &ObjectFlags) -> Result<(), Report> {
        let shared = self.shared;
        for name in &flags.lock {
            self.made("--lock", name, Lock::create(shared, name))?;
        }
        for name in &flags.rlock {
            self.made("--rlock", name, Lock::create_recursive(shared, name))?;
        }
        for object::Semaphore { name, permits } in &flags.semaphore {
            self.made("--semaphore", name, Semaphore::create(shared, name, *permits))?;
        }
        for condition in &flags.condition {
            self.condition(condition)?;
        }
        for object::Event { name, set } in &flags.event {
            let event = self.made("--event", name, Event::create(shared, name))?;
            if *set {
                self.made("--event", name, event.set())?;
            }
        }
        for object::Barrier { name, parties } in &flags.barrier {
            self.made("--barrier", name, Barrier::create(shared, name, *parties))?;
        }
        flags.queue.iter().try_for_each(|queue| self.queue(queue))?;
        flags.value.iter().try_for_each(|value| self.value(value))?;
        flags.array.iter().try_for_each(|array| self.array(array))?;
        flags.region.iter().try_for_each(|region| self.region(region))?;
        flags.list.iter().try_for_each(|list| self.list(list))?;
        flags.dict.iter().try_for_each(|dict| self.dict(dict))?;
        flags.set.iter().try_for_each(|set| self.set(set))
    }

    fn made<T>(&self, flag: &str, name: &str, made: Result<T, SharedError>) -> Result<T, Report> {
        made.map_err(|error| refused(flag, name, error))
    }

    fn condition(&self, condition: &object::Condition) -> Result<(), Report> {
        let name = &condition.name;
        let made = match &condition.lock {
            None => Condition::create(self.shared, name),
            Some(lock) => {
                let lock = Lock::open(self.shared, lock).map_err(|error| {
                    let report = Report::usage(format!("--condition {name}:{lock}: {error}"));
                    match error {
                        SharedError::NotFound { .. } => {
                            report.help(format!("make the lock, too: --lock {lock}"))
                        }
                        _ => report
                            .help("give it a lock of its own: leave out the colon and the name"),
                    }
                })?;
                Condition::create_with(self.shared, name, &lock)
            }
        };
        self.made("--condition", name, made).map(drop)
    }

    fn value(&self, value: &object::Value) -> Result<(), Report> {
        let name = &value.name;
        with_type!(value.kind, T => {
            let number = T::read(&value.number).map_err(Report::usage)?;
            self.made("--value", name, Value::create(self.shared, name, number)).map(drop)
        })
    }

    fn array(&self, array: &object::Array) -> Result<(), Report> {
        let name = &array.name;
        with_type!(array.kind, T => match &array.elements {
            Elements::Zeros(length) => {
                let made = Array::<T>::create(self.shared, name, *length as usize);
                self.made("--array", name, made).map(drop)
            }
            Elements::Given(text) => {
                let numbers = numbers::list::<T>(text).map_err(Report::usage)?;
                self.filled_array(name, &numbers)
            }
            Elements::File(file) => {
                let wrong = |error: String| {
                    unusable("--array", name, file, error)
                        .help("give a file with a JSON array of numbers, or with a number on each line")
                };
                let text = String::from_utf8(read("--array", name, file)?);
                let text = text.map_err(|_| wrong("it is not text".into()))?;
                let numbers = numbers::list::<T>(&text).map_err(wrong)?;
                drop(text);
                self.filled_array(name, &numbers)
            }
        })
    }

    fn filled_array<T: Text>(&self, name: &str, numbers: &[T]) -> Result<(), Report> {
        let array = self.made("--array", name, Array::create(self.shared, name, numbers.len()))?;
        self.made("--array", name, array.write(0, numbers))
    }

    fn queue(&self, queue: &object::Queue) -> Result<(), Report> {
        let name = &queue.name;
        let bytes = match &queue.file {
            Some(file) => read("--queue", name, file)?,
            None => Vec::new(),
        };
        let messages: Vec<&[u8]> = match bytes.strip_suffix(b"\n").unwrap_or(&bytes) {
            [] if bytes.is_empty() => Vec::new(),
            lines => lines.split(|&byte| byte == b'\n').collect(),
        };
        let capacity = capacity(queue, &messages)?;
        let made = match queue.joinable {
            true => Queue::<[u8]>::create_joinable(self.shared, name, capacity),
            false => Queue::<[u8]>::create(self.shared, name, capacity),
        };
        let queue = self.made("--queue", name, made)?;
        for message in messages {
            self.made("--queue", name, queue.try_put(message))?;
        }
        Ok(())
    }

    fn list(&self, list: &object::Collection) -> Result<(), Report> {
        let name = &list.name;
        let elements: Vec<Json> = contents("--list", list, "a list in JSON")?;
        let made = List::create_bounded(self.shared, name, bounds(list));
        let made = self.made("--list", name, made)?;
        self.made("--list", name, made.extend(&elements))
    }

    fn dict(&self, dict: &object::Collection) -> Result<(), Report> {
        let name = &dict.name;
        let entries: Entries = contents("--dict", dict, "an object in JSON")?;
        let made = Dict::create_bounded(self.shared, name, bounds(dict));
        let made = self.made("--dict", name, made)?;
        let mut entries = entries.0.iter();
        self.made("--dict", name, entries.try_for_each(|(key, value)| made.set(key, value)))
    }

    fn set(&self, set: &object::Collection) -> Result<(), Report> {
        let name = &set.name;
        let members: Vec<Json> = contents("--set", set, "a list in JSON")?;
        let made = Set::create_bounded(self.shared, name, bounds(set));
        let made = self.made("--set", name, made)?;
        let mut members = members.iter();
        self.made("--set", name, members.try_for_each(|member| made.insert(member).map(drop)))
    }

    fn region(&self, region: &object::Region) -> Result<(), Report> {
        let name = &region.name;
        let Some(path) = &region.file else {
            let bytes = region.bytes.unwrap_or_default();
            return self.made("--region", name, Region::create(self.shared, name, bytes)).map(drop);
        };
        let wrong = |error: String| unusable("--region", name, path, error);
        let file = open("--region", name, path)?;
        let metadata = file.metadata().map_err(|error| wrong(error.to_string()))?;
        let length = metadata.is_file().then_some(metadata.len());
        let bytes = match (region.bytes, length) {
            (Some(bytes), Some(length)) if length > bytes => {
                let (bytes, length) = (size_text(bytes), size_text(length));
                return Err(wrong(format!("it has {length}, and the region {bytes}"))
                    .help("leave the size out: it is the file's then"));
            }
            (Some(bytes), _) => bytes,
            (None, Some(0)) => {
                return Err(wrong("it is empty, and a region has at least a byte".into())
                    .help(format!("give the size as well: {name}:64KiB=@…")));
            }
            (None, Some(length)) => length,
            (None, None) => {
                return Err(wrong("it is not a regular file, so its size is not known".into())
                    .help(format!("give the size as well: {name}:64MiB=@…")));
            }
        };
        let made = match region.read_only {
            true => Region::create_read_only(self.shared, name, bytes, file),
            false => Region::create_with(self.shared, name, bytes, file),
        };
        match made {
            Err(SharedError::System { reason }) => Err(wrong(reason)),
            made => self.made("--region", name, made).map(drop),
        }
    }
}

fn bounds(collection: &object::Collection) -> Bounds {
    Bounds::default().entries(collection.entries).bytes(collection.bytes)
}

/// The first contents of a list, dict or set: those that are not given are empty.
fn contents<T: DeserializeOwned + Default>(
    flag: &str,
    collection: &object::Collection,
    what: &str,
) -> Result<T, Report> {
    match &collection.contents {
        Contents::Nothing => Ok(T::default()),
        Contents::Given(json) => serde_json::from_str(json)
            .map_err(|error| Report::usage(format!("{flag} {}: {error}", collection.name))),
        Contents::File(file) => {
            let bytes = read(flag, &collection.name, file)?;
            serde_json::from_slice(&bytes).map_err(|error| {
                unusable(flag, &collection.name, file, error)
                    .help(format!("give a file with {what}"))
            })
        }
    }
}

/// The entries of an object in JSON, in their order.
#[derive(Default)]
struct Entries(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Entries, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        from.deserialize_map(InOrder)
    }
}

/// Returns the capacity of a queue: what its flag says, or else enough for its messages.
fn capacity(queue: &object::Queue, messages: &[&[u8]]) -> Result<Capacity, Report> {
    let pieces = |message: &&[u8]| match message.len() {
        0..=SHORT_BYTES => 0,
        long => long.next_multiple_of(PIECE_BYTES) as u64,
    };
    let needed: u64 = messages.iter().map(pieces).sum();
    let count = messages.len() as u64;
    let too_many = |room: String, help: &str| {
        let (name, file) = (&queue.name, queue.file.as_deref().unwrap_or(Path::new("")));
        let lines = units::count(count, "line");
        let what = format!("a queue for {room} has no room for its {lines}");
        Err(unusable("--queue", name, file, what).help(help))
    };
    let most = queue.messages.unwrap_or(1 << 16);
    if count > u64::from(most) {
        let help = match queue.messages {
            Some(_) => "leave the number of messages out: it is that of the lines then",
            None => "give the lines as jobs, or as the bytes of a --region",
        };
        return too_many(units::count(most.into(), "message"), help);
    }
    let bytes = queue.bytes.unwrap_or(MESSAGE_BYTES.max(needed));
    if needed > bytes {
        let help = format!("they take {}: leave the size out, or raise it", size_text(needed));
        return too_many(size_text(bytes), &help);
    }
    Ok(Capacity::messages(queue.messages.unwrap_or(MESSAGES.max(count as u32))).bytes(bytes))
}

fn open(flag: &str, name: &str, file: &Path) -> Result<File, Report> {
    let opened = File::open(file).and_then(|opened| match opened.metadata()?.is_dir() {
        true => Err(io::ErrorKind::IsADirectory.into()),
        false => Ok(opened),
    });
    opened.map_err(|error| {
        unusable(flag, name, file, error).help("give a file that is there and that you may read")
    })
}

/// Reads a file whole.
fn read(flag: &str, name: &str, file: &Path) -> Result<Vec<u8>, Report> {
    let too_large = || {
        let what = format!("it has more than {}", size_text(FILE_BYTES_MAX));
        unusable(flag, name, file, what).help("give large data to a --region")
    };
    let opened = open(flag, name, file)?;
    // A pipe has no length, and is read until the limit.
    if opened.metadata().is_ok_and(|metadata| metadata.len() > FILE_BYTES_MAX) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let read = opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| unusable(flag, name, file, error))?;
    if bytes.len() as u64 > FILE_BYTES_MAX { Err(too_large()) } else { Ok(bytes) }
}
