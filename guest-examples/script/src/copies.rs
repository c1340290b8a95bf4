//! Regions, copied from and to.

use wpool_guest::Region;

use crate::answer::{Answer, done, unknown};
use crate::memory::text;
use crate::step::Words;

/// `size`, `is-read-only`, `read OFFSET COUNT`, `write OFFSET TEXT`
pub(crate) fn act(region: &Region, operation: &str, mut words: Words<'_>) -> Answer {
    match operation {
        "size" => Ok(region.size().into()),
        "is-read-only" => Ok(region.is_read_only().into()),
        "read" => {
            let offset = words.number()?;
            let mut bytes = vec![0_u8; words.number()?];
            words.end()?;
            region.read(offset, &mut bytes)?;
            Ok(text(&bytes))
        }
        "write" => done(region.write(words.number()?, words.rest().as_bytes())),
        _ => unknown(operation),
    }
}
