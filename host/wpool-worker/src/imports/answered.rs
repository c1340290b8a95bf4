//! `wpool.object_answer*`: what a list, dict or set answered last with, where that is more than a number.

use super::{Host, MODULE, Room, room};
use crate::shared::{Error, Page};
use wasmtime::{Caller, Linker};

/// Capacity that is kept from answer to answer: 1 MiB. Beyond it, a long answer's memory is given back.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// The last answer of an instance that has bytes.
#[derive(Debug, Default)]
pub(super) struct Answered {
    bytes: Vec<u8>,
    cursor: u64,
    version: u64,
    /// Whose answer it is; `None` if there is none.
    from: Option<i32>,
}

impl Answered {
    /// Room for the next answer; the last one is forgotten.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        let bytes = std::mem::take(self).bytes;
        if bytes.capacity() > KEPT_BYTES_MAX { Vec::new() } else { bytes }
    }

    /// Forgets an answer of this handle, which is closed.
    pub(super) fn forget(&mut self, handle: i32) {
        if self.from == Some(handle) {
            *self = Answered::default();
        }
    }

    /// Keeps an answer, and copies what there is room for; its length.
    pub(super) fn keep(&mut self, handle: i32, page: Page, dst: &mut Room<'_>) -> i64 {
        let Page { items: bytes, cursor, version } = page;
        dst.put(&bytes);
        let length = bytes.len() as i64;
        *self = Answered { bytes, cursor, version, from: Some(handle) };
        length
    }
}

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "object_answer", read)?;
    linker.func_wrap(MODULE, "object_answer_version", version)?;
    linker.func_wrap(MODULE, "object_answer_cursor", cursor)?;
    Ok(())
}

fn read(
    mut caller: Caller<'_, Host>,
    handle: i32,
    dst: u32,
    offset: u32,
    len: u32,
) -> wasmtime::Result<i32> {
    let (mut dst, host) = room(&mut caller, "object_answer", dst, len.into())?;
    let objects = host.objects("object_answer")?;
    objects.check("object_answer", handle)?;
    if objects.answered.from != Some(handle) {
        return Ok(objects.answer(Err::<(), _>(Error::NotFound)));
    }
    let rest = objects.answered.bytes.get(offset as usize..).unwrap_or_default();
    Ok(dst.put(rest) as i32)
}

fn version(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i64> {
    last(caller.data_mut(), "object_answer_version", handle, |answered| answered.version)
}

fn cursor(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i64> {
    last(caller.data_mut(), "object_answer_cursor", handle, |answered| answered.cursor)
}

/// Returns a number of the last answer, if it was one of this handle.
fn last(
    host: &mut Host,
    call: &'static str,
    handle: i32,
    number: impl FnOnce(&Answered) -> u64,
) -> wasmtime::Result<i64> {
    let objects = host.objects(call)?;
    objects.check(call, handle)?;
    match objects.answered.from == Some(handle) {
        true => Ok(number(&objects.answered) as i64),
        false => Ok(objects.answer(Err::<(), _>(Error::NotFound)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_whole_until_the_next_or_until_its_handle_is_closed() {
        let mut answered = Answered::default();
        let page = Page { items: b"answer".to_vec(), cursor: 7, version: 8 };
        let mut bytes = [0; 3];
        let mut room = Room { bytes: &mut bytes, shared: false };
        assert_eq!(answered.keep(1, page, &mut room), 6);
        assert_eq!((&bytes, &answered.bytes[..]), (b"ans", &b"answer"[..]));
        answered.forget(2);
        assert_eq!(answered.from, Some(1));
        answered.forget(1);
        assert_eq!((answered.from, answered.bytes.len()), (None, 0));
    }
}
