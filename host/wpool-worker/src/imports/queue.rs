//! `wpool.queue_*`: queues of messages.

use super::answers::{Answer, flag, limit};
use super::objects::{Noun, Objects};
use super::{Host, MODULE, bytes, room};
use crate::shared::{Delivery, Error, Joined, Kind, ObjectId, Queue, Shared, Spec};
use std::time::Duration;
use wasmtime::{Caller, Linker};

/// The capacity that is kept from message to message: 1 MiB. The memory of a longer message is
/// given back.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// A flag in the answer of `queue_get`: the message was delivered before, to a process that died.
const REDELIVERED: i64 = 1 << 32;

/// The message that an instance got last, for `queue_read`.
#[derive(Debug, Default)]
pub(super) struct Received {
    bytes: Vec<u8>,
    /// The handle of the queue that the message came from; `None` if there is no message.
    from: Option<i32>,
}

impl Received {
    /// Returns room for the next message, and forgets the last one.
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

/// The number 0, to which `queue_get` adds the message's length.
impl Answer for Delivery {
    fn number(&self) -> i32 {
        0
    }
}

/// The number of tasks that were lost with dead processes.
impl Answer for Joined {
    fn number(&self) -> i32 {
        self.lost.number()
    }
}

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

fn put(
    mut caller: Caller<'_, Host>,
    handle: i32,
    src: u32,
    len: u32,
    timeout_ns: i64,
) -> wasmtime::Result<i32> {
    let (message, host) = bytes(&mut caller, "queue_put", src, len.into())?;
    Queue::on(host, "queue_put", handle, |queue, me| queue.put(me, &message, limit(timeout_ns)))
}

fn get(
    mut caller: Caller<'_, Host>,
    handle: i32,
    dst: u32,
    capacity: u32,
    timeout_ns: i64,
) -> wasmtime::Result<i64> {
    let (mut dst, host) = room(&mut caller, "queue_get", dst, capacity.into())?;
    let objects = host.objects("queue_get")?;
    let mut message = objects.received.buffer();
    let got = take(objects, "queue_get", handle, &mut message, limit(timeout_ns))?;
    let answer = match got {
        Ok(Delivery { redelivered }) => {
            dst.put(&message);
            let length = u32::try_from(message.len()).expect("the bound of messages");
            i64::from(length) | if redelivered > 0 { REDELIVERED } else { 0 }
        }
        Err(_) => got.number().into(),
    };
    objects.received = Received { bytes: message, from: got.is_ok().then_some(handle) };
    Ok(answer)
}

/// Takes the first message out of the queue of a handle. The message counts as dealt with when the
/// queue is called again, or when the job has succeeded.
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

fn read(
    mut caller: Caller<'_, Host>,
    handle: i32,
    dst: u32,
    offset: u32,
    len: u32,
) -> wasmtime::Result<i32> {
    let (mut dst, host) = room(&mut caller, "queue_read", dst, len.into())?;
    let objects = host.objects("queue_read")?;
    objects.find("queue_read", Kind::Queue, handle)?;
    if objects.received.from != Some(handle) {
        return Ok(objects.answer(Err::<(), _>(Error::NotFound)));
    }
    let message = &objects.received.bytes;
    let rest = message.get(offset as usize..).unwrap_or_default();
    Ok(dst.put(rest) as i32)
}

fn acknowledge(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Queue::on(caller.data_mut(), "queue_acknowledge", handle, |queue, me| queue.acknowledge(me))
}

fn task_done(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Queue::on(caller.data_mut(), "queue_task_done", handle, |queue, me| queue.task_done(me))
}

fn join(mut caller: Caller<'_, Host>, handle: i32, timeout_ns: i64) -> wasmtime::Result<i32> {
    Queue::on(caller.data_mut(), "queue_join", handle, |queue, me| {
        queue.join(me, limit(timeout_ns))
    })
}

fn close(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Queue::on(caller.data_mut(), "queue_close", handle, |queue, me| queue.close(me))
}

fn is_closed(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Queue::on(caller.data_mut(), "queue_is_closed", handle, |queue, _| Ok(queue.is_closed()))
}

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
