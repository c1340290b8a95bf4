//! Typed tasks: functions of components, whose jobs and results are JSON by their WIT types.

pub(crate) mod flow;
pub(crate) mod quick;
mod read;
mod ty;
mod write;

use super::json::{Cursor, ParseError};
use super::outcome;
use crate::module::description::Task;
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::settings::{InputForm, OutputForm, Settings};
use serde::de::IgnoredAny;
use ty::Ty;
use wasmtime::component::Val;
use wasmtime::component::types::ComponentFunc;
use write::{TooLong, Writer, put_bytes};

/// The types of a typed task's parameters and result.
#[derive(Debug)]
pub(crate) struct Signature {
    params: Vec<Ty>,
    answer: Option<Ty>,
    /// The signature as text, for messages.
    text: String,
    input: InputForm,
    output: OutputForm,
    base64: bool,
    output_bytes_max: u64,
    /// The quick way to call the function, if there is one.
    pub(crate) quick: Option<quick::MakeQuick>,
}

impl Signature {
    /// Returns the signature of a task, from its function's type, or `None` if a type has no form
    /// in JSON, or if there are several results.
    pub(crate) fn new(task: &Task, ty: &ComponentFunc, settings: &Settings) -> Option<Self> {
        let params: Vec<Ty> = ty.params().map(|(_, ty)| Ty::of(&ty)).collect::<Option<_>>()?;
        let answers: Vec<Ty> = ty.results().map(|ty| Ty::of(&ty)).collect::<Option<_>>()?;
        let mut answers = answers.into_iter();
        let (answer, None) = (answers.next(), answers.next()) else { return None };
        Some(Signature {
            quick: quick::of(&params, answer.as_ref()),
            params,
            answer,
            text: task.signature(),
            input: settings.task.input,
            output: settings.task.output,
            base64: settings.task.base64,
            output_bytes_max: settings.limits.output_bytes_max,
        })
    }

    /// Returns whether a job can be a line of text, or bytes, that is no JSON.
    pub(crate) fn takes_raw(&self) -> bool {
        match self.params.as_slice() {
            [] => true,
            [ty] => matches!(ty.whole(), Ty::String | Ty::Bytes),
            _ => false,
        }
    }

    /// Returns room for the result.
    #[inline]
    pub(crate) fn room(&self) -> Vec<Val> {
        self.answer.iter().map(|_| Val::Bool(false)).collect()
    }

    /// Reads a job into the arguments of a call.
    ///
    /// # Errors
    /// Returns a failure if the job is not one value for each parameter, of its type and range.
    pub(crate) fn read(&self, job: &[u8]) -> Result<Vec<Val>, Failure> {
        let is_text = || serde_json::from_slice::<IgnoredAny>(job).is_err();
        let whole = match self.params.as_slice() {
            [] => return Ok(Vec::new()),
            [ty] => Some(ty.whole()),
            _ => None,
        };
        match (whole, self.input) {
            (Some(Ty::Bytes), _) => {
                Ok(vec![Val::List(self.read_bytes(job)?.into_iter().map(Val::U8).collect())])
            }
            (Some(Ty::String), input)
                if input == InputForm::Raw || input == InputForm::Word && is_text() =>
            {
                let text = std::str::from_utf8(job).map_err(|error| {
                    let byte = error.valid_up_to() + 1;
                    let message = format!("byte {byte}: not UTF-8, so not a string");
                    Failure::new(FailureKind::InvalidJob, message)
                })?;
                Ok(vec![Val::String(text.to_owned())])
            }
            _ => self.read_json(job).map_err(|wrong| wrong.failure(job)),
        }
    }

    /// Reads a job that is bytes.
    fn read_bytes(&self, job: &[u8]) -> Result<Vec<u8>, Failure> {
        if self.input == InputForm::Raw {
            return Ok(job.to_vec());
        }
        let mut cursor = Cursor::new(job);
        let bytes = read::bytes(&mut cursor).and_then(|bytes| cursor.end().map(|()| bytes));
        bytes.map_err(|wrong| wrong.failure(job))
    }

    fn read_json(&self, job: &[u8]) -> Result<Vec<Val>, ParseError> {
        let mut cursor = Cursor::new(job);
        let params = match self.params.as_slice() {
            [only] => vec![only.read(&mut cursor)?],
            several => {
                let what = || format!("an array of {} values for {}", several.len(), self.text);
                read::tuple(&mut cursor, several.iter(), &what)?
            }
        };
        cursor.end()?;
        Ok(params)
    }

    /// Appends the result of a call, as a line of JSON without the line's end, or as its bare text
    /// or bytes if the output takes that.
    ///
    /// # Errors
    /// Returns a failure if the result is an error, or too long.
    pub(crate) fn write(&self, results: &[Val], out: &mut Vec<u8>) -> Result<(), Failure> {
        let (ty, value) = match (&self.answer, results) {
            (Some(Ty::Result(outcome)), [Val::Result(Ok(value))]) => {
                (outcome.ok.as_ref(), value.as_deref())
            }
            (Some(Ty::Result(outcome)), [Val::Result(Err(value))]) => {
                return Err(self.error(outcome.error.as_ref(), value.as_deref()));
            }
            (ty, results) => (ty.as_ref(), results.first()),
        };
        let start = out.len();
        match (ty.map(Ty::whole), value, self.output) {
            (Some(Ty::String), Some(Val::String(text)), OutputForm::Raw) => {
                out.extend_from_slice(text.as_bytes());
            }
            (Some(Ty::Bytes), Some(Val::List(bytes)), OutputForm::Raw | OutputForm::Bytes) => {
                put_bytes(bytes, out);
            }
            (Some(ty), Some(value), _) => {
                if self.json(ty, value, out).is_err() {
                    return Err(self.too_large());
                }
            }
            _ => out.extend_from_slice(b"null"),
        }
        let written = (out.len() - start) as u64;
        if written > self.output_bytes_max { Err(self.too_large()) } else { Ok(()) }
    }

    /// Returns the failure of a task that returned an error.
    fn error(&self, ty: Option<&Ty>, value: Option<&Val>) -> Failure {
        let mut message = Vec::new();
        match (ty, value) {
            (Some(Ty::String), Some(Val::String(text))) => {
                message.extend_from_slice(text.as_bytes());
            }
            (Some(ty), Some(value)) => {
                // A message that is too long is cut.
                let _ = self.json(ty, value, &mut message);
            }
            _ => {}
        }
        outcome::guest_error(&message)
    }

    fn json(&self, ty: &Ty, value: &Val, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let end_max = self.end_max(out);
        Writer { out, end_max, base64: self.base64 }.value(ty, value)
    }

    /// Returns how long the text may become, with the result appended to what is there.
    fn end_max(&self, out: &[u8]) -> usize {
        let most = usize::try_from(self.output_bytes_max).unwrap_or(usize::MAX);
        most.saturating_add(out.len())
    }

    #[cold]
    fn too_large(&self) -> Failure {
        outcome::output_too_large(self.output_bytes_max)
    }
}

#[cfg(test)]
mod tests;
