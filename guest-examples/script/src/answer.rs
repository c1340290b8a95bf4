//! The answer of a step, and the failures of a step.

use serde_json::{Value, json};
use wpool_guest::Error;

/// The answer of a step.
pub(crate) type Answer = Result<Value, Failure>;

/// The reason why a step has no proper answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The host answered with this error: a part of the script's result.
    Answer(Error),
    /// The step makes no sense: the script itself is at fault.
    Step(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Answer(error)
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Failure {
        Failure::Step(why)
    }
}

/// Returns the failure for an operation that the kind does not have.
pub(crate) fn unknown(operation: &str) -> Answer {
    Err(Failure::Step(format!("there is no operation {operation:?}")))
}

/// Returns the answer of an operation that only reports that it was done.
pub(crate) fn done(result: Result<(), Error>) -> Answer {
    result?;
    Ok(true.into())
}

/// Returns the answer of an operation that gives something in JSON.
pub(crate) fn given(result: Result<impl Into<Value>, Error>) -> Answer {
    Ok(result?.into())
}

/// Returns the answer in place of one that does not exist.
pub(crate) fn error(error: &Error) -> Value {
    match error {
        Error::Broken { culprit } => json!({"error": error.name(), "culprit": culprit}),
        _ => json!({"error": error.name()}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_culprit_is_told() {
        let broken = error(&Error::Broken { culprit: Some(7) });
        assert_eq!(broken, json!({"error": "broken", "culprit": 7}));
        assert_eq!(error(&Error::TooMany), json!({"error": "too-many"}));
    }
}
