//! `wpool:host/condition`: conditions, which wait for a notification with a lock given back
//! meanwhile.

use super::wit::condition::{self, Acquired, Condition, Lock, Waited};
use super::{Object, Undone, ask, close, create, delete, handle, limit, open};
use crate::imports::Host;
use crate::shared::Kind;
use crate::shared::{self, Spec};
use wasmtime::component::Resource;

impl Object for Condition {
    type Noun = shared::Condition<'static>;
}

impl condition::Host for Host {}

impl condition::HostCondition for Host {
    fn create(
        &mut self,
        name: String,
        lock: Option<Resource<Lock>>,
    ) -> Result<Resource<Condition>, Undone> {
        let objects = self.objects("condition.create")?;
        let find = |lock| objects.find("condition.create", Kind::Lock, handle(&lock));
        let lock = lock.map(find).transpose()?;
        create(self, "condition.create", &name, &Spec::Condition { lock })
    }

    fn open(&mut self, name: String) -> Result<Resource<Condition>, Undone> {
        open(self, "condition.open", &name)
    }

    fn acquire(
        &mut self,
        condition: Resource<Condition>,
        timeout: Option<u64>,
    ) -> Result<Acquired, Undone> {
        let acquired = ask(self, "condition.acquire", &condition, |condition, me| {
            condition.lock().acquire(me, limit(timeout))
        })?;
        Ok(acquired.into())
    }

    fn release(&mut self, condition: Resource<Condition>) -> Result<(), Undone> {
        ask(self, "condition.release", &condition, |condition, me| condition.lock().release(me))
    }

    fn mark_consistent(&mut self, condition: Resource<Condition>) -> Result<(), Undone> {
        ask(self, "condition.mark-consistent", &condition, |condition, me| {
            condition.lock().mark_consistent(me)
        })
    }

    fn wait(
        &mut self,
        condition: Resource<Condition>,
        timeout: Option<u64>,
    ) -> Result<Waited, Undone> {
        let waited = ask(self, "condition.wait", &condition, |condition, me| {
            condition.wait(me, limit(timeout))
        })?;
        let owner_died = matches!(waited.lock, shared::Acquired::OwnerDied { .. });
        Ok(Waited { owner_died, timed_out: !waited.notified })
    }

    fn notify(&mut self, condition: Resource<Condition>, count: u32) -> Result<u32, Undone> {
        ask(self, "condition.notify", &condition, |condition, me| condition.notify(me, count))
    }

    fn notify_all(&mut self, condition: Resource<Condition>) -> Result<u32, Undone> {
        ask(self, "condition.notify-all", &condition, |condition, me| condition.notify_all(me))
    }

    fn delete(&mut self, condition: Resource<Condition>) -> Result<(), Undone> {
        delete(self, "condition.delete", &condition)
    }

    fn drop(&mut self, condition: Resource<Condition>) -> wasmtime::Result<()> {
        close(self, "condition.drop", &condition)
    }
}
