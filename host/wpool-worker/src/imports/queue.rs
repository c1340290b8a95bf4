//! `wpool.queue_*`: queues of messages.

use super::answers::{Answer, flag, limit};
use super::objects::{Noun, Objects};
use super::{Host, MODULE, bytes, room};
use crate::shared::{Delivery, Error, Joined, Kind, ObjectId, Queue, Shared, Spec};
use std::time::Duration;
use wasmtime::{Caller, Linker};

/// Capacity that is kept from message to message: 1 MiB. Beyond it, a long message's memory is given
/// back.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// In what `queue_get` answers: the message was delivered before, to a process that died.
const REDELIVERED: i64 = 1 << 32;

/// The message that an instance got last, for `queue_read`.
#[derive(Debug, Default)]
pub(super) struct Received {
    bytes: Vec<u8>,
    /// The handle of the queue it came from; `None` if there is no message.
    from: Option<i32>,
}

impl Received {
    /// Room for the next message; the last one is forgotten.
    fn buffer(&mut self) -> Vec<u8> {
        let bytes = std::mem::take(self).bytes;
        if bytes.capacity() > KEPT_BYTES_MAX { Vec::new() } else { bytes }
    }

    /// Forgets a message of this handle, which is closed.
    pub(super) fn forget(&mut self, handle: i32) {
        if self.from == Some(handle) {
            *self = Received::default();
        }
    }
}

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "queue_create", create)?;
    linker.func_wrap(MODULE, Queue::OPEN, Queue::open)?;
    linker.func_wrap(MODULE, "queue_put", put)?;
    linker.func_wrap(MODULE, "queue_get", get)?;
    linker.func_wrap(MODULE, "queue_read", read)?;
    linker.func_wrap(MODULE, "queue_acknowledge", acknowledge)?;
    linker.func_wrap(MODULE, "queue_task_done", task_done)?;
    linker.func_wrap(MODULE, "queue_join", join)?;
    linker.func_wrap(MODULE, "queue_close", close)?;
    linker.func_wrap(MODULE, "queue_is_closed", is_closed)?;
    linker.func_wrap(MODULE, "queue_len", len)?;
    Ok(())
}

impl Noun for Queue<'_> {
    const KIND: Kind = Kind::Queue;
    const OPEN: &'static str = "queue_open";
    type Of<'a> = Queue<'a>;

    #[inline]
    fn find(shared: &Shared, id: ObjectId) -> Result<Queue<'_>, Error> {
        shared.queue(id)
    }
}

/// `queue_get` adds the message's length.
impl Answer for Delivery {
    fn number(&self) -> i32 {
        0
    }
}

/// How many tasks were lost with the dead.
impl Answer for Joined {
    fn number(&self) -> i32 {
        self.lost.number()
    }
}

/// `queue_create(name: i32, name_len: i32, messages: i32, bytes: i64, joinable: i32) -> i32`: makes a
/// queue and opens it.
///
/// Arguments: its name; most messages in it, 1 to 65,536; most bytes, in pieces of 256, of those longer
/// than 96 bytes; 1 if done tasks are counted, else 0.
/// Answers: a handle; `exists`, `no-space`, `out-of-range` (the name, a size).
/// Traps: the name is outside the memory or not UTF-8; `joinable` is neither 0 nor 1. Blocks: never.
fn create(
    mut caller: Caller<'_, Host>,
    name: u32,
    name_len: u32,
    messages: u32,
    bytes: u64,
    joinable: i32,
) -> wasmtime::Result<i32> {
    let joinable = flag("queue_create", "joinable", joinable)?;
    let spec = Spec::Queue { messages, bytes, joinable };
    Queue::create(&mut caller, "queue_create", (name, name_len), &spec)
}

/// `queue_put(handle: i32, src: i32, len: i32, timeout_ns: i64) -> i32`: puts a message at the end.
///
/// Arguments: the queue; where the message is, and its length; how long to wait for space at most: for
/// ever if negative, not at all if 0.
/// Answers: 0; `timed-out` (full), `closed`, `too-large` (it could never fit), `interrupted`, `broken`.
/// Traps: not a queue's handle; `len` bytes at `src` are not inside the memory.
/// Blocks: until there is space.
fn put(
    mut caller: Caller<'_, Host>,
    handle: i32,
    src: u32,
    len: u32,
    timeout_ns: i64,
) -> wasmtime::Result<i32> {
    let (message, host) = bytes(&mut caller, "queue_put", src, len.into())?;
    Queue::on(host, "queue_put", handle, |queue, me| queue.put(me, message, limit(timeout_ns)))
}

/// `queue_get(handle: i32, dst: i32, capacity: i32, timeout_ns: i64) -> i64`: gets the first message. It
/// is delivered again, to another process, if this one dies before its next call for this queue, or
/// before its job has succeeded.
///
/// Arguments: the queue; where the message goes, and how many bytes of it at most (`queue_read` has the
/// whole); how long to wait at most: for ever if negative, not at all if 0.
/// Answers: the message's length in the low 32 bits; bit 32 is set if it was delivered before, to a
/// process that died; `timed-out` (empty), `closed` (and empty), `interrupted`, `broken`.
/// Traps: not a queue's handle; `capacity` bytes at `dst` are not inside the memory, or may only be
/// read. Blocks: until there is a message.
fn get(
    mut caller: Caller<'_, Host>,
    handle: i32,
    dst: u32,
    capacity: u32,
    timeout_ns: i64,
) -> wasmtime::Result<i64> {
    let (dst, host) = room(&mut caller, "queue_get", dst, capacity.into())?;
    let objects = host.objects("queue_get")?;
    let mut message = objects.received.buffer();
    let got = take(objects, "queue_get", handle, &mut message, limit(timeout_ns))?;
    let answer = match got {
        Ok(Delivery { redelivered }) => {
            let copied = message.len().min(dst.len());
            dst[..copied].copy_from_slice(&message[..copied]);
            let length = u32::try_from(message.len()).expect("the bound of messages");
            i64::from(length) | if redelivered > 0 { REDELIVERED } else { 0 }
        }
        Err(_) => got.number().into(),
    };
    objects.received = Received { bytes: message, from: got.is_ok().then_some(handle) };
    Ok(answer)
}

/// Takes the first message out of the queue of a handle: it is dealt with when the queue is called again,
/// or the job has succeeded.
pub(super) fn take(
    objects: &mut Objects,
    call: &'static str,
    handle: i32,
    message: &mut Vec<u8>,
    limit: Option<Duration>,
) -> wasmtime::Result<Result<Delivery, Error>> {
    let got = Queue::with(objects, call, handle, |queue, me| queue.get(me, message, limit))?;
    objects.note(&got);
    if got.is_ok() {
        objects.got_from(objects.find(call, Kind::Queue, handle)?);
    }
    Ok(got)
}

/// `queue_read(handle: i32, dst: i32, offset: i32, len: i32) -> i32`: copies a piece of the message that
/// the last `queue_get` of this instance got.
///
/// Arguments: the queue it came from; where the piece goes; where in the message it begins, and most
/// bytes of it.
/// Answers: how many bytes were copied, fewer than `len` at the message's end; `not-found` if the last
/// `queue_get` got none, or was of another handle.
/// Traps: not a queue's handle; `len` bytes at `dst` are not inside the memory, or may only be read.
/// Blocks: never.
fn read(
    mut caller: Caller<'_, Host>,
    handle: i32,
    dst: u32,
    offset: u32,
    len: u32,
) -> wasmtime::Result<i32> {
    let (dst, host) = room(&mut caller, "queue_read", dst, len.into())?;
    let objects = host.objects("queue_read")?;
    objects.find("queue_read", Kind::Queue, handle)?;
    if objects.received.from != Some(handle) {
        return Ok(objects.answer(Err::<(), _>(Error::NotFound)));
    }
    let message = &objects.received.bytes;
    let rest = message.get(offset as usize..).unwrap_or_default();
    let copied = rest.len().min(dst.len());
    dst[..copied].copy_from_slice(&rest[..copied]);
    Ok(copied as i32)
}

/// `queue_acknowledge(handle: i32) -> i32`: says that the message last got is dealt with, and will not
/// be delivered again. The next call of this process for this queue says so as well.
///
/// Arguments: the queue. Answers: 0; `not-owner` if there is none to acknowledge, `broken`.
/// Traps: not a queue's handle. Blocks: never.
fn acknowledge(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Queue::on(caller.data_mut(), "queue_acknowledge", handle, |queue, me| queue.acknowledge(me))
}

/// `queue_task_done(handle: i32) -> i32`: says that a task whose message was got is done.
///
/// Arguments: the queue. Answers: 0; `too-many` if none is undone, `wrong-kind` if the queue is not
/// joinable, `broken`. Traps: not a queue's handle. Blocks: never.
fn task_done(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Queue::on(caller.data_mut(), "queue_task_done", handle, |queue, me| queue.task_done(me))
}

/// `queue_join(handle: i32, timeout_ns: i64) -> i32`: waits until the tasks of all messages are done.
///
/// Arguments: the queue; how long to wait at most: for ever if negative, not at all if 0.
/// Answers: from 0: they are; above 0: so many were acknowledged by processes that died before they were
/// done, which is told once. `timed-out`, `wrong-kind` if the queue is not joinable, `interrupted`,
/// `broken`. Traps: not a queue's handle. Blocks: until the last is done.
fn join(mut caller: Caller<'_, Host>, handle: i32, timeout_ns: i64) -> wasmtime::Result<i32> {
    Queue::on(caller.data_mut(), "queue_join", handle, |queue, me| {
        queue.join(me, limit(timeout_ns))
    })
}

/// `queue_close(handle: i32) -> i32`: ends all puts. What is in the queue can still be got.
///
/// Arguments: the queue. Answers: 0; `broken`. Traps: not a queue's handle. Blocks: never.
fn close(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Queue::on(caller.data_mut(), "queue_close", handle, |queue, me| queue.close(me))
}

/// `queue_is_closed(handle: i32) -> i32`: whether puts have ended.
///
/// Arguments: the queue. Answers: 1 if they have, else 0. Traps: not a queue's handle. Blocks: never.
fn is_closed(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Queue::on(caller.data_mut(), "queue_is_closed", handle, |queue, _| Ok(queue.is_closed()))
}

/// `queue_len(handle: i32) -> i32`: how many messages are in the queue at this moment.
///
/// Arguments: the queue. Answers: the number. Traps: not a queue's handle. Blocks: never.
fn len(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Queue::on(caller.data_mut(), "queue_len", handle, |queue, _| Ok(queue.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_a_long_message_is_given_back_and_that_of_others_kept() {
        for (bytes, kept) in [(KEPT_BYTES_MAX + 1, 0), (KEPT_BYTES_MAX, KEPT_BYTES_MAX), (0, 0)] {
            let mut received = Received { bytes: Vec::with_capacity(bytes), from: Some(1) };
            assert_eq!(received.buffer().capacity(), kept);
            assert_eq!(received.from, None);
        }
    }
}
