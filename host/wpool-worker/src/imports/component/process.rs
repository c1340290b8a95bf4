//! `wpool:host/process`: the process that runs the guest, and the last dead owner.

use super::wit::process;
use crate::imports::Host;

impl process::Host for Host {
    fn id(&mut self) -> wasmtime::Result<u32> {
        Ok(std::process::id())
    }

    fn slot(&mut self) -> wasmtime::Result<u32> {
        Ok(self.objects("process.slot")?.slot().into())
    }

    fn culprit(&mut self) -> wasmtime::Result<Option<u32>> {
        Ok(self.objects("process.culprit")?.culprit().map(|owner| owner.slot.into()))
    }
}
