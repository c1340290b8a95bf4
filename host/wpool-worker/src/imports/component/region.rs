//! `wpool:host/region`: shared memory, whose bytes are copied.

use super::wit::region::{self, Region};
use super::{Object, Undone, close, create, delete, handle, look, open};
use crate::imports::Host;
use crate::imports::objects::Noun;
use crate::imports::region::inside;
use crate::shared::{self, Spec};
use wasmtime::component::Resource;

impl Object for Region {
    type Noun = shared::Region<'static>;
}

impl region::Host for Host {}

impl region::HostRegion for Host {
    fn create(&mut self, name: String, bytes: u64) -> Result<Resource<Region>, Undone> {
        // A number that no address can be becomes 0, which is no valid size either.
        let bytes = usize::try_from(bytes).unwrap_or(0);
        create(self, "region.create", &name, &Spec::Region { bytes, read_only: false })
    }

    fn open(&mut self, name: String) -> Result<Resource<Region>, Undone> {
        open(self, "region.open", &name)
    }

    fn size(&mut self, region: Resource<Region>) -> wasmtime::Result<u64> {
        look(self, "region.size", &region, |region| region.bytes() as u64)
    }

    fn is_read_only(&mut self, region: Resource<Region>) -> wasmtime::Result<bool> {
        look(self, "region.is-read-only", &region, |region| region.is_read_only())
    }

    fn read(&mut self, region: Resource<Region>, offset: u64, len: u32) -> Result<Vec<u8>, Undone> {
        let (at, len) = (offset as usize, len as usize);
        let mut bytes = Vec::new();
        let copied = shared::Region::ask(self, "region.read", handle(&region), |region, _| {
            // No memory is taken for bytes that do not exist.
            region.check(at, len)?;
            bytes.resize(len, 0);
            region.read(at, &mut bytes)
        })?;
        inside("region.read", copied, (offset, len))??;
        Ok(bytes)
    }

    fn write(
        &mut self,
        region: Resource<Region>,
        offset: u64,
        bytes: Vec<u8>,
    ) -> Result<(), Undone> {
        let copied = shared::Region::ask(self, "region.write", handle(&region), |region, _| {
            region.write(offset as usize, &bytes)
        })?;
        Ok(inside("region.write", copied, (offset, bytes.len()))??)
    }

    fn delete(&mut self, region: Resource<Region>) -> Result<(), Undone> {
        delete(self, "region.delete", &region)
    }

    fn drop(&mut self, region: Resource<Region>) -> wasmtime::Result<()> {
        close(self, "region.drop", &region)
    }
}
