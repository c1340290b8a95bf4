//! Calls of concurrent components, whose streams and futures are whole values in jobs and results.

use super::Signature;
use super::quick::Answer;
use super::ty::Ty;
use crate::imports::Host;
use crate::imports::job::OutputTooLarge;
use crate::module::scalar::Scalar;
use crate::wire::failure::Failure;
use crate::worker::{concurrent, runtime};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::oneshot::{self, Receiver, Sender};
use wasmtime::component::{
    Func, FutureConsumer, FutureReader, Lift, Lower, Source, StreamAny, StreamConsumer,
    StreamReader, StreamResult, Val,
};
use wasmtime::{Store, StoreContextMut};

/// The arguments of a call, or its result.
pub(crate) enum Flow {
    Values(Vec<Val>),
    /// The bytes of a stream that is the only value: as values, they would be 32 times as large.
    Bytes(Vec<u8>),
}

impl Signature {
    /// Reads a job into the arguments of a call.
    ///
    /// # Errors
    /// Returns the same failures as [`Signature::read`].
    pub(crate) fn read_flow(&self, job: &[u8]) -> Result<Flow, Failure> {
        match self.params.as_slice() {
            [ty] if ty.is_byte_stream() => self.read_bytes(job).map(Flow::Bytes),
            _ => self.read(job).map(Flow::Values),
        }
    }

    /// Appends the result of a call.
    ///
    /// # Errors
    /// Returns the same failures as [`Signature::write`].
    pub(crate) fn write_flow(&self, answer: Flow, out: &mut Vec<u8>) -> Result<(), Failure> {
        match answer {
            Flow::Values(values) => self.write(&values, out),
            Flow::Bytes(bytes) => self.write_quick(Answer::Bytes(bytes), out),
        }
    }

    /// Calls a function. The call has ended when all streams and futures of its result have ended.
    ///
    /// # Errors
    /// Returns the trap of the call, or an error if it waits for something that never happens.
    pub(crate) fn call_concurrently(
        &self,
        function: &Func,
        store: &mut Store<Host>,
        arguments: Flow,
    ) -> wasmtime::Result<Flow> {
        runtime::block_on(async {
            let arguments = self.give(arguments, store)?;
            let mut results = self.room();
            function.call_async(&mut *store, &arguments, &mut results).await?;
            let answer = self.take(results.pop(), store).await?;
            concurrent::settle(store).await?;
            Ok(answer)
        })
    }

    /// Returns the arguments in the form in which a guest gets them.
    fn give(&self, arguments: Flow, store: &mut Store<Host>) -> wasmtime::Result<Vec<Val>> {
        match arguments {
            Flow::Bytes(bytes) => Ok(vec![stream(bytes, store)?]),
            Flow::Values(values) => {
                let mut give = |ty: &Ty, value: Val| given(ty, value, store);
                let values = self.params.iter().zip(values);
                values.map(|(ty, value)| each_flow(ty, value, &mut give)).collect()
            }
        }
    }

    /// Returns the result once all its streams and futures have ended.
    async fn take(&self, answer: Option<Val>, store: &mut Store<Host>) -> wasmtime::Result<Flow> {
        let (Some(ty), Some(answer)) = (&self.answer, answer) else {
            return Ok(Flow::Values(Vec::new()));
        };
        let bytes_max = self.output_bytes_max;
        let answer = match lone_stream(ty, answer) {
            Ok(stream) => {
                let (bytes, end) = collect::<u8>(stream, store, bytes_max)?;
                concurrent::drive(store, end).await?.ok();
                return Ok(Flow::Bytes(std::mem::take(&mut lock(&bytes))));
            }
            Err(answer) => answer,
        };
        let (mut taken, mut ends) = (Vec::new(), Vec::new());
        let answer = each_flow(ty, answer, &mut |ty, value| {
            let (take, end) = taking(ty, value, store, bytes_max)?;
            taken.push(take);
            ends.push(end);
            Ok(Val::Bool(true))
        })?;
        let all = async {
            for end in ends {
                // The sender reports the end by being dropped.
                end.await.ok();
            }
        };
        concurrent::drive(store, all).await?;
        let mut taken = taken.into_iter();
        let whole = |_: &Ty, _| taken.next().expect("one for each flow")();
        Ok(Flow::Values(vec![each_flow(ty, answer, &mut { whole })?]))
    }
}

impl Ty {
    fn is_byte_stream(&self) -> bool {
        matches!(self, Ty::Stream(whole) if **whole == Ty::Bytes)
    }
}

/// Returns the stream of bytes that a result is, or the result if it is something else.
fn lone_stream(ty: &Ty, answer: Val) -> Result<StreamAny, Val> {
    match (ty, answer) {
        (ty, Val::Stream(stream)) if ty.is_byte_stream() => Ok(stream),
        (Ty::Result(outcome), Val::Result(Ok(Some(value)))) => match (&outcome.ok, *value) {
            (Some(ty), Val::Stream(stream)) if ty.is_byte_stream() => Ok(stream),
            (_, value) => Err(Val::Result(Ok(Some(Box::new(value))))),
        },
        (_, answer) => Err(answer),
    }
}

/// Returns the value with each stream and future replaced.
fn each_flow(
    ty: &Ty,
    value: Val,
    flow: &mut dyn FnMut(&Ty, Val) -> wasmtime::Result<Val>,
) -> wasmtime::Result<Val> {
    let mut payload = |ty: Option<&Ty>, value: Option<Box<Val>>| match (ty, value) {
        (Some(ty), Some(value)) => Ok(Some(Box::new(each_flow(ty, *value, flow)?))),
        (_, value) => wasmtime::error::Ok(value),
    };
    Ok(match (ty, value) {
        (Ty::Option(ty), Val::Option(value)) => Val::Option(payload(Some(ty), value)?),
        (Ty::Result(outcome), Val::Result(value)) => Val::Result(match value {
            Ok(value) => Ok(payload(outcome.ok.as_ref(), value)?),
            Err(value) => Err(payload(outcome.error.as_ref(), value)?),
        }),
        (Ty::Variant(cases), Val::Variant(case, value)) => {
            let ty = cases.iter().find(|(name, _)| *name == case);
            Val::Variant(case, payload(ty.and_then(|(_, ty)| ty.as_ref()), value)?)
        }
        (ty @ (Ty::Stream(_) | Ty::Future(_)), value) => flow(ty, value)?,
        (Ty::List(ty), Val::List(values)) => {
            let values = values.into_iter().map(|value| each_flow(ty, value, flow));
            Val::List(values.collect::<Result<_, _>>()?)
        }
        (Ty::Tuple(types), Val::Tuple(values)) => {
            let values = types.iter().zip(values).map(|(ty, value)| each_flow(ty, value, flow));
            Val::Tuple(values.collect::<Result<_, _>>()?)
        }
        (Ty::Record(fields), Val::Record(members)) => {
            let members = fields.iter().zip(members);
            let members =
                members.map(|((_, ty), (name, value))| Ok((name, each_flow(ty, value, flow)?)));
            Val::Record(members.collect::<wasmtime::Result<_>>()?)
        }
        (_, value) => value,
    })
}

/// A type of the items of streams and futures.
trait Item: Lift + Lower + Send + Sync + Unpin + 'static {
    fn of(value: Val) -> Self;
    fn into_val(self) -> Val;

    /// Returns the least number of bytes that the item takes in a result.
    fn bytes(&self) -> u64 {
        1
    }
}

macro_rules! items {
    ($($ty:ty: $case:ident,)*) => {
        $(impl Item for $ty {
            fn of(value: Val) -> Self {
                match value {
                    Val::$case(value) => value,
                    value => unreachable!("a job is read as the signature says, and not {value:?}"),
                }
            }

            fn into_val(self) -> Val {
                Val::$case(self)
            }
        })*
    };
}

items! {
    bool: Bool, char: Char, f32: Float32, f64: Float64,
    i8: S8, i16: S16, i32: S32, i64: S64,
    u8: U8, u16: U16, u32: U32, u64: U64,
}

impl Item for String {
    fn of(value: Val) -> Self {
        match value {
            Val::String(text) => text,
            value => unreachable!("a job is read as the signature says, and not {value:?}"),
        }
    }

    fn into_val(self) -> Val {
        Val::String(self)
    }

    fn bytes(&self) -> u64 {
        self.len() as u64 + 1
    }
}

impl Item for Vec<u8> {
    fn of(value: Val) -> Self {
        match value {
            Val::List(bytes) => bytes.into_iter().map(u8::of).collect(),
            value => unreachable!("a job is read as the signature says, and not {value:?}"),
        }
    }

    fn into_val(self) -> Val {
        Val::List(self.into_iter().map(Val::U8).collect())
    }

    fn bytes(&self) -> u64 {
        self.len() as u64 + 1
    }
}

/// Calls a function that is generic over items.
macro_rules! of_items {
    ($ty:expr, $function:ident($($argument:expr),*)) => {
        match $ty {
            Ty::Scalar(Scalar::Bool) => $function::<bool>($($argument),*),
            Ty::Scalar(Scalar::Char) => $function::<char>($($argument),*),
            Ty::Scalar(Scalar::F32) => $function::<f32>($($argument),*),
            Ty::Scalar(Scalar::F64) => $function::<f64>($($argument),*),
            Ty::Scalar(Scalar::Signed(8)) => $function::<i8>($($argument),*),
            Ty::Scalar(Scalar::Signed(16)) => $function::<i16>($($argument),*),
            Ty::Scalar(Scalar::Signed(32)) => $function::<i32>($($argument),*),
            Ty::Scalar(Scalar::Signed(_)) => $function::<i64>($($argument),*),
            Ty::Scalar(Scalar::Unsigned(8)) => $function::<u8>($($argument),*),
            Ty::Scalar(Scalar::Unsigned(16)) => $function::<u16>($($argument),*),
            Ty::Scalar(Scalar::Unsigned(32)) => $function::<u32>($($argument),*),
            Ty::Scalar(Scalar::Unsigned(_)) => $function::<u64>($($argument),*),
            Ty::String => $function::<String>($($argument),*),
            Ty::Bytes => $function::<Vec<u8>>($($argument),*),
            ty => unreachable!("{ty:?} does not flow"),
        }
    };
}

/// Returns the type of the items of a stream with this whole value.
fn item(whole: &Ty) -> &Ty {
    match whole {
        Ty::List(item) => item,
        _ => &Ty::Scalar(Scalar::Unsigned(8)),
    }
}

/// Makes a stream or a future of a value in a job.
fn given(ty: &Ty, value: Val, store: &mut Store<Host>) -> wasmtime::Result<Val> {
    fn future<T: Item>(value: Val, store: &mut Store<Host>) -> wasmtime::Result<Val> {
        let value = T::of(value);
        let reader = FutureReader::new(&mut *store, async move { wasmtime::error::Ok(value) })?;
        Ok(Val::Future(reader.try_into_future_any(store)?))
    }
    fn stream_of<T: Item>(values: Vec<Val>, store: &mut Store<Host>) -> wasmtime::Result<Val> {
        stream(values.into_iter().map(T::of).collect(), store)
    }
    match (ty, value) {
        (Ty::Stream(whole), Val::List(values)) => of_items!(item(whole), stream_of(values, store)),
        (Ty::Future(whole), value) => of_items!(&**whole, future(value, store)),
        (ty, value) => unreachable!("{value:?} was read as {ty:?}"),
    }
}

fn stream<T: Item>(items: Vec<T>, store: &mut Store<Host>) -> wasmtime::Result<Val> {
    let reader = StreamReader::new(&mut *store, items)?;
    Ok(Val::Stream(reader.try_into_stream_any(store)?))
}

/// A function that returns the collected value, once the stream or future has ended.
type Take = Box<dyn FnOnce() -> wasmtime::Result<Val>>;

/// Begins to collect a stream or a future, up to `bytes_max` bytes of a result. Returns a function
/// for the collected value, and a receiver that reports the end.
fn taking(
    ty: &Ty,
    value: Val,
    store: &mut Store<Host>,
    bytes_max: u64,
) -> wasmtime::Result<(Take, Receiver<()>)> {
    fn future<T: Item>(
        future: wasmtime::component::FutureAny,
        store: &mut Store<Host>,
        bytes_max: u64,
    ) -> wasmtime::Result<(Take, Receiver<()>)> {
        let (collector, items, end) = Collector::<T>::new(bytes_max);
        future.try_into_future_reader::<T>()?.pipe(store, collector)?;
        let take = move || match lock(&items).pop() {
            Some(item) => Ok(item.into_val()),
            None => Err(wasmtime::format_err!("a future was given up without a value")),
        };
        Ok((Box::new(take), end))
    }
    fn items<T: Item>(
        stream: StreamAny,
        store: &mut Store<Host>,
        bytes_max: u64,
    ) -> wasmtime::Result<(Take, Receiver<()>)> {
        let (items, end) = collect::<T>(stream, store, bytes_max)?;
        let take = move || Ok(Val::List(lock(&items).drain(..).map(T::into_val).collect()));
        Ok((Box::new(take), end))
    }
    match (ty, value) {
        (Ty::Stream(whole), Val::Stream(stream)) => {
            of_items!(item(whole), items(stream, store, bytes_max))
        }
        (Ty::Future(whole), Val::Future(it)) => of_items!(&**whole, future(it, store, bytes_max)),
        (ty, value) => unreachable!("wasmtime made {value:?} of {ty:?}"),
    }
}

/// The items that the host has collected.
type Items<T> = Arc<Mutex<Vec<T>>>;

fn lock<T>(items: &Items<T>) -> MutexGuard<'_, Vec<T>> {
    items.lock().unwrap_or_else(PoisonError::into_inner)
}

fn collect<T: Item>(
    stream: StreamAny,
    store: &mut Store<Host>,
    bytes_max: u64,
) -> wasmtime::Result<(Items<T>, Receiver<()>)> {
    let (collector, items, end) = Collector::new(bytes_max);
    stream.try_into_stream_reader::<T>()?.pipe(store, collector)?;
    Ok((items, end))
}

/// The host's end of a stream or a future.
struct Collector<T> {
    items: Items<T>,
    bytes_left: u64,
    /// A sender that reports the end of the stream by being dropped with this collector.
    _end: Sender<()>,
}

impl<T: Item> Collector<T> {
    fn new(bytes_max: u64) -> (Self, Items<T>, Receiver<()>) {
        let (items, (sender, end)) = (Items::default(), oneshot::channel());
        let collector = Collector { items: items.clone(), bytes_left: bytes_max, _end: sender };
        (collector, items, end)
    }

    /// Takes all items that are there.
    fn take(
        &mut self,
        mut store: StoreContextMut<'_, Host>,
        mut source: Source<'_, T>,
    ) -> wasmtime::Result<()> {
        let count = source.remaining(&mut store);
        if count as u64 > self.bytes_left {
            return Err(OutputTooLarge.into());
        }
        let mut items = lock(&self.items);
        let start = items.len();
        items.reserve(count);
        source.read(&mut store, &mut *items)?;
        let bytes = items[start..].iter().map(T::bytes).sum();
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(OutputTooLarge)?;
        Ok(())
    }
}

impl<T: Item> StreamConsumer<Host> for Collector<T> {
    type Item = T;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'_, Host>,
        source: Source<'_, T>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        Poll::Ready(self.take(store, source).map(|()| StreamResult::Completed))
    }
}

impl<T: Item> FutureConsumer<Host> for Collector<T> {
    type Item = T;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'_, Host>,
        source: Source<'_, T>,
        _: bool,
    ) -> Poll<wasmtime::Result<()>> {
        Poll::Ready(self.take(store, source))
    }
}
