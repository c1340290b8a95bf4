//! Regions, copied and mapped.

use wpool_guest::{Error, Mapping, Region};

use crate::answer::{Answer, Failure};
use crate::objects::{How, Made, Object};
use crate::step::{Within, Words};
use crate::{copies, mapped};

/// A region, mapped or not.
struct Place {
    name: String,
    /// The state of the region; `None` after a mapping that failed, if the region could not be
    /// opened again.
    state: Option<State>,
}

enum State {
    Region(Region),
    Mapped(Mapping),
}

/// Makes a region from `BYTES`.
pub(crate) fn region(how: How, name: &str, mut words: Words<'_>) -> Made {
    let bytes = how.number(&mut words)?;
    let place = |region| Place { name: name.to_owned(), state: Some(State::Region(region)) };
    let create = || Region::create(name, bytes).map(place);
    let ensure = || Region::open_or_create(name, bytes).map(place);
    how.make(words, || Region::open(name).map(place), create, ensure)
}

impl Object for Place {
    fn act(&mut self, operation: &str, _: Within, mut words: Words<'_>) -> Answer {
        match operation {
            "map" | "unmap" => {
                words.end()?;
                if operation == "map" { self.map() } else { self.unmap() }
            }
            "peek" | "poke" | "fill" | "random" => {
                let offset = words.number()?;
                mapped::act(self.mapping()?.cells(), operation, offset, words)
            }
            _ => copies::act(self.region(), operation, words),
        }
    }

    fn delete(&self) -> Result<(), Error> {
        self.region().delete()
    }
}

impl Place {
    fn region(&self) -> &Region {
        match &self.state {
            Some(State::Region(region)) => region,
            Some(State::Mapped(mapping)) => mapping,
            None => panic!("region `{}` was lost when it could not be mapped", self.name),
        }
    }

    fn mapping(&self) -> Result<&Mapping, Failure> {
        match &self.state {
            Some(State::Mapped(mapping)) => Ok(mapping),
            _ => Err(Failure::Step("the region is not mapped".to_owned())),
        }
    }

    /// Maps the region if it is not mapped, and returns its address.
    fn map(&mut self) -> Answer {
        if let Some(State::Region(region)) = self.state.take_if(|it| matches!(it, State::Region(_)))
        {
            match region.map() {
                Ok(mapping) => self.state = Some(State::Mapped(mapping)),
                Err(error) => {
                    self.state = Some(State::Region(Region::open(&self.name)?));
                    return Err(error.into());
                }
            }
        }
        Ok(self.mapping()?.cells::<u8>().as_ptr().addr().into())
    }

    fn unmap(&mut self) -> Answer {
        self.mapping()?;
        if let Some(State::Mapped(mapping)) = self.state.take() {
            self.state = Some(State::Region(mapping.unmap()));
        }
        Ok(true.into())
    }
}
