//! Quick calls: calls of functions with at most one argument and simple types, whose bytes, texts
//! and lists of numbers cross as a whole. Any other call makes a value of 32 bytes for each
//! element.

use super::Signature;
use super::ty::Ty;
use crate::imports::Host;
use crate::module::scalar::Scalar;
use crate::wire::base64::base64;
use crate::wire::failure::Failure;
use crate::wire::settings::OutputForm;
use crate::worker::json::{write_scalar, write_string};
use crate::worker::outcome;
use wasmtime::component::{ComponentNamedList, Func, Lift, Lower, TypedFunc, Val};
use wasmtime::{Store, ValRaw};

/// A function of one instance, ready for jobs. The outer error is the guest's end, the inner one
/// the job's failure.
pub(crate) type Quick = Box<dyn Fn(&mut Store<Host>, Argument) -> Called>;

type Called = wasmtime::Result<Result<Answer, Failure>>;

/// A function that makes a function of an instance ready.
pub(crate) type MakeQuick = fn(&Func, &mut Store<Host>) -> wasmtime::Result<Quick>;

/// The argument in a job.
pub(crate) enum Argument {
    Nothing,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The result of a call.
pub(crate) enum Answer {
    Nothing,
    Number(Scalar, ValRaw),
    Text(String),
    Bytes(Vec<u8>),
    Integers(Vec<i64>),
    Floats(Vec<f64>),
}

/// Returns the quick way to call functions of this signature, or `None` if there is none.
pub(super) fn of(params: &[Ty], answer: Option<&Ty>) -> Option<MakeQuick> {
    match params {
        [] => answered::<()>(answer),
        [Ty::Scalar(Scalar::Signed(64))] => answered::<(i64,)>(answer),
        [Ty::String] => answered::<(String,)>(answer),
        [Ty::Bytes] => answered::<(Vec<u8>,)>(answer),
        _ => None,
    }
}

fn answered<P: Given>(answer: Option<&Ty>) -> Option<MakeQuick> {
    macro_rules! by_type {
        ($ty:expr, $($wrap:tt)*) => {
            match $ty {
                Ty::String => Some(make::<P, ($($wrap)*<String>,)>),
                Ty::Bytes => Some(make::<P, ($($wrap)*<Vec<u8>>,)>),
                Ty::Scalar(Scalar::Bool) => Some(make::<P, ($($wrap)*<bool>,)>),
                Ty::Scalar(Scalar::Signed(32)) => Some(make::<P, ($($wrap)*<i32>,)>),
                Ty::Scalar(Scalar::Unsigned(32)) => Some(make::<P, ($($wrap)*<u32>,)>),
                Ty::Scalar(INTEGER) => Some(make::<P, ($($wrap)*<i64>,)>),
                Ty::Scalar(Scalar::Unsigned(64)) => Some(make::<P, ($($wrap)*<u64>,)>),
                Ty::Scalar(FLOAT) => Some(make::<P, ($($wrap)*<f64>,)>),
                Ty::List(ty) if **ty == Ty::Scalar(INTEGER) => Some(make::<P, ($($wrap)*<Vec<i64>>,)>),
                Ty::List(ty) if **ty == Ty::Scalar(FLOAT) => Some(make::<P, ($($wrap)*<Vec<f64>>,)>),
                _ => None,
            }
        };
    }
    match answer {
        None => Some(make::<P, ()>),
        Some(Ty::Result(outcome)) if outcome.error == Some(Ty::String) => match &outcome.ok {
            None => Some(make::<P, (Failing<()>,)>),
            Some(ty) => by_type!(ty, Failing),
        },
        Some(ty) => by_type!(ty, Plain),
    }
}

type Plain<T> = T;
type Failing<T> = Result<T, String>;

fn make<P: Given, R: Answers>(function: &Func, store: &mut Store<Host>) -> wasmtime::Result<Quick> {
    let function: TypedFunc<P, R> = function.typed(&*store)?;
    Ok(Box::new(move |store, argument| Ok(function.call(store, P::of(argument))?.answer())))
}

/// A type of arguments.
trait Given: ComponentNamedList + Lower + Send + Sync + 'static {
    fn of(argument: Argument) -> Self;
}

/// A type of results.
trait Answers: ComponentNamedList + Lift + Send + Sync + 'static {
    fn answer(self) -> Result<Answer, Failure>;
}

impl Given for () {
    fn of(_: Argument) -> Self {}
}

macro_rules! given {
    ($ty:ty, $case:ident) => {
        impl Given for ($ty,) {
            fn of(argument: Argument) -> Self {
                match argument {
                    Argument::$case(value) => (value,),
                    _ => unreachable!("a job is read as the signature says"),
                }
            }
        }
    };
}

given!(i64, Integer);
given!(String, Text);
given!(Vec<u8>, Bytes);

impl Answers for () {
    fn answer(self) -> Result<Answer, Failure> {
        Ok(Answer::Nothing)
    }
}

impl Answers for (Failing<()>,) {
    fn answer(self) -> Result<Answer, Failure> {
        self.0.map(|()| Answer::Nothing).map_err(failed)
    }
}

macro_rules! answers {
    ($ty:ty, $answer:expr) => {
        impl Answers for ($ty,) {
            fn answer(self) -> Result<Answer, Failure> {
                Ok($answer(self.0))
            }
        }

        impl Answers for (Failing<$ty>,) {
            fn answer(self) -> Result<Answer, Failure> {
                self.0.map($answer).map_err(failed)
            }
        }
    };
}

answers!(bool, |it: bool| Answer::Number(Scalar::Bool, ValRaw::u32(it.into())));
answers!(i32, |it| Answer::Number(Scalar::Signed(32), ValRaw::i32(it)));
answers!(u32, |it| Answer::Number(Scalar::Unsigned(32), ValRaw::u32(it)));
answers!(i64, |it| Answer::Number(INTEGER, ValRaw::i64(it)));
answers!(u64, |it| Answer::Number(Scalar::Unsigned(64), ValRaw::u64(it)));
answers!(f64, |it: f64| Answer::Number(FLOAT, ValRaw::f64(it.to_bits())));
answers!(String, Answer::Text);
answers!(Vec<u8>, Answer::Bytes);
answers!(Vec<i64>, Answer::Integers);
answers!(Vec<f64>, Answer::Floats);

fn failed(message: String) -> Failure {
    outcome::guest_error(message.as_bytes())
}

impl Signature {
    /// Reads a job into the argument of a quick call.
    ///
    /// # Errors
    /// Returns the same failures as [`Signature::read`].
    pub(crate) fn read_quick(&self, job: &[u8]) -> Result<Argument, Failure> {
        if let [Ty::Bytes] = self.params[..] {
            return self.read_bytes(job).map(Argument::Bytes);
        }
        Ok(match self.read(job)?.pop() {
            None => Argument::Nothing,
            Some(Val::S64(number)) => Argument::Integer(number),
            Some(Val::String(text)) => Argument::Text(text),
            Some(value) => unreachable!("{value:?} is no argument of a quick call"),
        })
    }

    /// Appends the result of a quick call.
    ///
    /// # Errors
    /// Returns a failure if the result is too long.
    pub(crate) fn write_quick(&self, answer: Answer, out: &mut Vec<u8>) -> Result<(), Failure> {
        let start = out.len();
        let end_max = self.end_max(out);
        match (answer, self.output) {
            (Answer::Nothing, _) => out.extend_from_slice(b"null"),
            (Answer::Text(text), output) => write_string(&text, output == OutputForm::Raw, out),
            (Answer::Bytes(bytes), OutputForm::Raw | OutputForm::Bytes) => {
                out.extend_from_slice(&bytes);
            }
            (Answer::Bytes(bytes), _) if self.base64 => write_string(&base64(&bytes), false, out),
            (Answer::Bytes(bytes), _) => {
                list(bytes.iter().map(|byte| (BYTE, ValRaw::u32((*byte).into()))), end_max, out);
            }
            (Answer::Number(ty, number), _) => write_scalar(ty, &number, false, out),
            (Answer::Integers(numbers), _) => {
                list(numbers.iter().map(|n| (INTEGER, ValRaw::i64(*n))), end_max, out);
            }
            (Answer::Floats(numbers), _) => {
                list(numbers.iter().map(|n| (FLOAT, ValRaw::f64(n.to_bits()))), end_max, out);
            }
        }
        let size = (out.len() - start) as u64;
        if size > self.output_bytes_max { Err(self.too_large()) } else { Ok(()) }
    }
}

const BYTE: Scalar = Scalar::Unsigned(8);
const INTEGER: Scalar = Scalar::Signed(64);
const FLOAT: Scalar = Scalar::F64;

/// Appends numbers in brackets, and stops when there is more text than allowed.
fn list(numbers: impl Iterator<Item = (Scalar, ValRaw)>, end_max: usize, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, (ty, number)) in numbers.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_scalar(ty, &number, false, out);
        if out.len() > end_max {
            return;
        }
    }
    out.push(b']');
}
