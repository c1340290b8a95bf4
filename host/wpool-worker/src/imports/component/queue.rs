//! `wpool:host/queue`: queues of messages.

use super::wit::queue::{self, Message, Queue};
use super::{Object, Undone, ask, close, create, delete, handle, limit, look, open};
use crate::imports::Host;
use crate::imports::queue::take;
use crate::shared::{self, Spec};
use wasmtime::component::Resource;

impl Object for Queue {
    type Noun = shared::Queue<'static>;
}

impl queue::Host for Host {}

impl queue::HostQueue for Host {
    fn create(
        &mut self,
        name: String,
        messages: u32,
        bytes: u64,
        joinable: bool,
    ) -> Result<Resource<Queue>, Undone> {
        create(self, "queue.create", &name, &Spec::Queue { messages, bytes, joinable })
    }

    fn open(&mut self, name: String) -> Result<Resource<Queue>, Undone> {
        open(self, "queue.open", &name)
    }

    fn put(
        &mut self,
        queue: Resource<Queue>,
        message: Vec<u8>,
        timeout: Option<u64>,
    ) -> Result<(), Undone> {
        ask(self, "queue.put", &queue, |queue, me| queue.put(me, &message, limit(timeout)))
    }

    fn get(&mut self, queue: Resource<Queue>, timeout: Option<u64>) -> Result<Message, Undone> {
        let objects = self.objects("queue.get")?;
        let mut bytes = Vec::new();
        let got = take(objects, "queue.get", handle(&queue), &mut bytes, limit(timeout))?;
        Ok(Message { redelivered: got?.redelivered > 0, bytes })
    }

    fn acknowledge(&mut self, queue: Resource<Queue>) -> Result<(), Undone> {
        ask(self, "queue.acknowledge", &queue, |queue, me| queue.acknowledge(me))
    }

    fn task_done(&mut self, queue: Resource<Queue>) -> Result<(), Undone> {
        ask(self, "queue.task-done", &queue, |queue, me| queue.task_done(me))
    }

    fn join(&mut self, queue: Resource<Queue>, timeout: Option<u64>) -> Result<u32, Undone> {
        let joined = ask(self, "queue.join", &queue, |queue, me| queue.join(me, limit(timeout)))?;
        Ok(joined.lost as u32)
    }

    fn close(&mut self, queue: Resource<Queue>) -> Result<(), Undone> {
        ask(self, "queue.close", &queue, |queue, me| queue.close(me))
    }

    fn is_closed(&mut self, queue: Resource<Queue>) -> wasmtime::Result<bool> {
        look(self, "queue.is-closed", &queue, |queue| queue.is_closed())
    }

    fn len(&mut self, queue: Resource<Queue>) -> wasmtime::Result<u32> {
        look(self, "queue.len", &queue, |queue| queue.len() as u32)
    }

    fn delete(&mut self, queue: Resource<Queue>) -> Result<(), Undone> {
        delete(self, "queue.delete", &queue)
    }

    fn drop(&mut self, queue: Resource<Queue>) -> wasmtime::Result<()> {
        close(self, "queue.drop", &queue)
    }
}
