//! The objects that are open, and the operations that any of them has.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::str::FromStr;

use wpool_guest::Error;

use crate::answer::{Answer, Failure, done};
use crate::step::{Within, Words};
use crate::{messages, numbers, permits, regions, turns};

/// An object of any kind.
pub(crate) trait Object {
    /// Does an operation of the object's kind.
    fn act(&mut self, operation: &str, within: Within, words: Words<'_>) -> Answer;

    /// Deletes the object.
    fn delete(&self) -> Result<(), Error>;
}

/// An object that was to be made.
pub(crate) type Made = Result<Box<dyn Object>, Failure>;

/// The way in which an object is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum How {
    Open,
    Create,
    Ensure,
}

impl How {
    fn of(operation: &str) -> Option<How> {
        match operation {
            "open" => Some(How::Open),
            "create" => Some(How::Create),
            "ensure" => Some(How::Ensure),
            _ => None,
        }
    }

    /// Reads an argument of a creation.
    pub(crate) fn number<T: FromStr + Default>(self, words: &mut Words<'_>) -> Result<T, String> {
        if self == How::Open { Ok(T::default()) } else { words.number() }
    }

    /// Reads a word that a creation may have.
    pub(crate) fn flag(self, words: &mut Words<'_>, flag: &str) -> bool {
        self != How::Open && words.flag(flag)
    }

    /// Makes the object, if there are no words left.
    pub(crate) fn make<T: Object + 'static>(
        self,
        words: Words<'_>,
        open: impl FnOnce() -> Result<T, Error>,
        create: impl FnOnce() -> Result<T, Error>,
        ensure: impl FnOnce() -> Result<T, Error>,
    ) -> Made {
        words.end()?;
        let object = match self {
            How::Open => open(),
            How::Create => create(),
            How::Ensure => ensure(),
        };
        Ok(Box::new(object?))
    }
}

const KINDS: [&str; 9] =
    ["lock", "semaphore", "condition", "event", "barrier", "queue", "value", "array", "region"];

/// Makes an object.
fn make(kind: &str, how: How, name: &str, words: Words<'_>) -> Made {
    match kind {
        "lock" => permits::lock(how, name, words),
        "semaphore" => permits::semaphore(how, name, words),
        "condition" => turns::condition(how, name, words),
        "event" => turns::event(how, name, words),
        "barrier" => turns::barrier(how, name, words),
        "queue" => messages::queue(how, name, words),
        "value" => numbers::value(how, name, words),
        "array" => numbers::array(how, name, words),
        "region" => regions::region(how, name, words),
        _ => unreachable!("{kind} is not in the list"),
    }
}

thread_local! {
    /// The objects that are open, by kind and name. They stay open as long as the instance lives.
    static OPEN: RefCell<BTreeMap<(String, String), Box<dyn Object>>> = RefCell::default();
}

/// Runs `NAME OPERATION [ARGUMENTS]` of a kind.
pub(crate) fn act(kind: &str, within: Within, mut words: Words<'_>) -> Answer {
    if !KINDS.contains(&kind) {
        return Err(Failure::Step(format!("there is no action or kind {kind:?}")));
    }
    let name = words.word()?;
    let operation = words.word()?;
    let key = (kind.to_owned(), name.to_owned());
    OPEN.with_borrow_mut(|open| {
        if let Some(how) = How::of(operation) {
            open.insert(key, make(kind, how, name, words)?);
            return Ok(true.into());
        }
        if operation == "drop" {
            words.end()?;
            return Ok(open.remove(&key).is_some().into());
        }
        if !open.contains_key(&key) {
            open.insert(key.clone(), make(kind, How::Open, name, Words::default())?);
        }
        let object = open.get_mut(&key).expect("it was opened");
        if operation == "delete" {
            words.end()?;
            return done(object.delete());
        }
        object.act(operation, within, words)
    })
}
