//! Tasks of a shared library: machine code without a sandbox, with which isolation is compared.
//!
//! The library is trusted, as the program itself is. It exports what the module exports:
//!
//! - a task of numbers under its own name, as a C function of the same numbers;
//! - any other task as `task_NAME`, which returns 0 with a result and 1 with a message. It reads
//!   its job and writes its result through a table of functions that it got by a call of
//!   `wpool_native`.
//!
//! In both names, `-` becomes `_`, and the interface before a component's function is left out.

#![expect(unsafe_code, reason = "a library is loaded and called; it reads and writes by pointers")]

use super::convert::Signature;
use super::text::Takes;
use crate::module::description::{Form, Task};
use crate::module::scalar::{Core, Scalar};
use libloading::Library;
use std::cell::RefCell;
use std::path::Path;
use wasmtime::ValRaw;

/// The greatest numbers of integers and of floats in a call: as many as travel in registers on
/// every processor that wpool runs on.
const INTEGERS_MAX: usize = 6;
const FLOATS_MAX: usize = 8;

macro_rules! call_type {
    ($name:ident -> $answer:ty) => {
        type $name = unsafe extern "C" fn(
            i64,
            i64,
            i64,
            i64,
            i64,
            i64,
            f64,
            f64,
            f64,
            f64,
            f64,
            f64,
            f64,
            f64,
        ) -> $answer;
    };
}
call_type!(ToInteger -> i64);
call_type!(ToFloat -> f64);

/// A loaded library, which stays loaded as long as the process lives.
pub(crate) struct NativeLibrary(Library);

/// A task of a library.
pub(crate) enum NativeTask {
    /// A task with numbers in, and at most one number out.
    Numbers { signature: Signature, function: NumbersFunction },
    /// A task of bytes, through the table.
    Bytes { takes: Takes, function: BytesFunction },
}

/// A function of numbers.
#[derive(Clone, Copy)]
pub(crate) enum NumbersFunction {
    ToInteger(ToInteger),
    ToFloat(ToFloat),
}

/// A function that reads its job and writes its result through the table.
#[derive(Clone, Copy)]
pub(crate) struct BytesFunction(unsafe extern "C" fn() -> i32);

/// The result of a job of bytes.
pub(crate) struct Answer {
    /// The bytes that the task wrote: its result if `code` is 0, otherwise the reason why there is
    /// none.
    pub(crate) bytes: Vec<u8>,
    pub(crate) code: i32,
    /// True if there were more bytes than allowed.
    pub(crate) too_large: bool,
}

/// The table of functions that a library calls. Its layout is that of `NativeHost` in the guests'
/// SDK.
#[repr(C)]
struct Host {
    version: u32,
    job_size: extern "C" fn() -> usize,
    job_read: unsafe extern "C" fn(*mut u8, usize, usize) -> usize,
    result_write: unsafe extern "C" fn(*const u8, usize),
}

static HOST: Host = Host { version: 1, job_size, job_read, result_write };

/// The job that a thread runs.
#[derive(Default)]
struct Exchange {
    job: Vec<u8>,
    result: Vec<u8>,
    result_bytes_max: usize,
    too_large: bool,
}

thread_local! {
    static EXCHANGE: RefCell<Exchange> = RefCell::default();
}

impl NativeLibrary {
    /// Loads a library, and gives it the table if it asks for it.
    ///
    /// # Errors
    /// Returns the error of loading the library.
    pub(crate) fn load(path: &Path) -> Result<Self, libloading::Error> {
        // A name without a folder would be looked for where the system keeps its libraries.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        // SAFETY: the library may do anything when it is loaded; its user trusts it.
        let library = unsafe { Library::new(path) }?;
        // SAFETY: a library that exports this name uses the SDK, which defines the function's type;
        // the table lives as long as the process.
        unsafe {
            if let Ok(give) = library.get::<unsafe extern "C" fn(*const Host)>("wpool_native") {
                give(&raw const HOST);
            }
        }
        Ok(NativeLibrary(library))
    }

    /// Returns the library's task for a task of the module.
    ///
    /// # Errors
    /// Returns an error, in words for the user, if the task is missing, or takes more numbers than
    /// can be passed.
    pub(crate) fn task(&self, task: &Task, bare: bool) -> Result<NativeTask, String> {
        let name = task.name.rsplit('#').next().unwrap_or_default().replace('-', "_");
        // A task of numbers that may fail does not count as one of numbers: it may have a message.
        let signature = Signature::new(task, bare).filter(|_| task.form != Form::Byte);
        match signature {
            Some(signature) => {
                let function = self.numbers(&name, &signature)?;
                Ok(NativeTask::Numbers { signature, function })
            }
            None => {
                // SAFETY: every function with such a name has this type.
                let function = unsafe { self.function(&format!("task_{name}")) }?;
                Ok(NativeTask::Bytes { takes: Takes::of(task), function: BytesFunction(function) })
            }
        }
    }

    fn numbers(&self, name: &str, signature: &Signature) -> Result<NumbersFunction, String> {
        let is_float = |scalar: &&Scalar| matches!(scalar.core(), Core::F32 | Core::F64);
        let floats = signature.params().iter().filter(is_float).count();
        let integers = signature.params().len() - floats;
        if integers > INTEGERS_MAX || floats > FLOATS_MAX || signature.results().len() > 1 {
            return Err(format!(
                "{name} takes or answers more numbers than can be passed ({INTEGERS_MAX} integers, \
                 {FLOATS_MAX} floats; one)"
            ));
        }
        // SAFETY: integers travel in one row of registers and floats in another (System V ABI for
        // x86-64 §3.2.3, AAPCS64 §6.8.2), each in order and independently of the other row. So a
        // function of any such numbers finds its own when all registers are filled, and its result
        // is in the first register of its row. The user of the library vouches that the function
        // has the type of the module's.
        unsafe {
            match signature.results().first().is_some_and(|ty| is_float(&ty)) {
                true => self.function(name).map(NumbersFunction::ToFloat),
                false => self.function(name).map(NumbersFunction::ToInteger),
            }
        }
    }

    /// # Safety
    /// `T` is the type of the function.
    unsafe fn function<T: Copy>(&self, name: &str) -> Result<T, String> {
        // SAFETY: the caller's promise.
        let found = unsafe { self.0.get::<T>(name) };
        found.map(|symbol| *symbol).map_err(|_| format!("it does not export `{name}`"))
    }
}

impl NumbersFunction {
    /// Calls the function with the numbers, which its result overwrites.
    #[inline]
    pub(crate) fn call(self, signature: &Signature, numbers: &mut [ValRaw]) {
        let (mut i, mut f) = ([0; INTEGERS_MAX], [0.0; FLOATS_MAX]);
        let (mut integers, mut floats) = (i.iter_mut(), f.iter_mut());
        for (ty, number) in signature.params().iter().zip(&*numbers) {
            // The function `numbers` made sure that there is room.
            match ty.core() {
                Core::I32 => {
                    integers.next().into_iter().for_each(|at| *at = number.get_i32().into())
                }
                Core::I64 => integers.next().into_iter().for_each(|at| *at = number.get_i64()),
                Core::F32 => floats.next().into_iter().for_each(|at| {
                    // The float lies in the low half of the register.
                    *at = f64::from_bits(number.get_f32().into());
                }),
                Core::F64 => {
                    floats.next().into_iter().for_each(|at| *at = f64::from_bits(number.get_f64()));
                }
            }
        }
        // SAFETY: see `NativeLibrary::numbers`.
        let answer = unsafe {
            match self {
                NumbersFunction::ToInteger(call) => call(
                    i[0], i[1], i[2], i[3], i[4], i[5], f[0], f[1], f[2], f[3], f[4], f[5], f[6],
                    f[7],
                ) as u64,
                NumbersFunction::ToFloat(call) => call(
                    i[0], i[1], i[2], i[3], i[4], i[5], f[0], f[1], f[2], f[3], f[4], f[5], f[6],
                    f[7],
                )
                .to_bits(),
            }
        };
        if let Some(ty) = signature.results().first() {
            numbers[0] = match ty.core() {
                Core::I32 => ValRaw::u32(answer as u32),
                Core::I64 => ValRaw::u64(answer),
                Core::F32 => ValRaw::f32(answer as u32),
                Core::F64 => ValRaw::f64(answer),
            };
        }
    }
}

impl BytesFunction {
    /// Calls the function with the job that `put` appends.
    pub(crate) fn call(self, result_bytes_max: u64, put: impl FnOnce(&mut Vec<u8>)) -> Answer {
        EXCHANGE.with_borrow_mut(|exchange| {
            exchange.job.clear();
            put(&mut exchange.job);
            exchange.result.clear();
            exchange.result_bytes_max = usize::try_from(result_bytes_max).unwrap_or(usize::MAX);
            exchange.too_large = false;
        });
        // SAFETY: the function takes nothing but what it reads through the table.
        let code = unsafe { (self.0)() };
        EXCHANGE.with_borrow_mut(|exchange| Answer {
            bytes: std::mem::take(&mut exchange.result),
            code,
            too_large: exchange.too_large,
        })
    }
}

extern "C" fn job_size() -> usize {
    EXCHANGE.with_borrow(|exchange| exchange.job.len())
}

/// Copies a part of the job. Returns how many bytes.
///
/// # Safety
/// `len` bytes can be written from the pointer on.
unsafe extern "C" fn job_read(to: *mut u8, offset: usize, len: usize) -> usize {
    EXCHANGE.with_borrow(|exchange| {
        let part = exchange.job.get(offset..).unwrap_or_default();
        let part = &part[..part.len().min(len)];
        // SAFETY: the caller can write `len` bytes, and `part` is no longer.
        unsafe { to.copy_from_nonoverlapping(part.as_ptr(), part.len()) };
        part.len()
    })
}

/// Appends bytes to the result.
///
/// # Safety
/// `len` bytes can be read from the pointer on.
unsafe extern "C" fn result_write(from: *const u8, len: usize) {
    EXCHANGE.with_borrow_mut(|exchange| {
        if exchange.result_bytes_max - exchange.result.len() < len {
            exchange.too_large = true;
        } else if len > 0 {
            // SAFETY: the caller's promise.
            exchange.result.extend_from_slice(unsafe { std::slice::from_raw_parts(from, len) });
        }
    });
}
