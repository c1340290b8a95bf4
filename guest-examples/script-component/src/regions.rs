//! Regions, which a component copies from and to.

use wpool_guest::{Error, Region};

use crate::answer::{Answer, done};
use crate::copies;
use crate::objects::{How, Made, Object};
use crate::step::{Within, Words};

/// Makes a region from `BYTES`.
pub(crate) fn region(how: How, name: &str, mut words: Words<'_>) -> Made {
    let bytes = how.number(&mut words)?;
    let create = || Region::create(name, bytes);
    how.make(words, || Region::open(name), create, || Region::open_or_create(name, bytes))
}

impl Object for Region {
    fn act(&mut self, operation: &str, _: Within, mut words: Words<'_>) -> Answer {
        match operation {
            "map" | "unmap" => {
                words.end()?;
                Ok(true.into())
            }
            "peek" => copies::act(self, "read", words),
            "poke" => copies::act(self, "write", words),
            "fill" => {
                let (offset, count) = (words.number()?, words.number()?);
                let bytes = vec![words.number::<u8>()?; count];
                words.end()?;
                done(self.write(offset, &bytes))
            }
            _ => copies::act(self, operation, words),
        }
    }

    fn delete(&self) -> Result<(), Error> {
        self.delete()
    }
}
