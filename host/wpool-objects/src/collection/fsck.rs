//! The invariants of a collection while nobody is inside an operation.

use super::super::object::{Kind, Object};
use super::Fault;
use super::buckets;
use super::change::block_log;
use super::entry::ENTRY_BYTES;
use super::header::{HEADER_BYTES, Header};
use super::item::{self, NARROW, WIDE, Words};
use super::space::{Ref, START, Space, root};
use super::table;
use super::tree;

/// Returns the invariants of a collection that do not hold; `None`: its words make no sense.
pub(crate) fn survey(object: Object<'_>) -> Option<Vec<String>> {
    let space = Space::of(object)?;
    let mut survey = Survey { space, blocks: Vec::new(), nested: Vec::new(), wrong: Vec::new() };
    survey.all().ok()?;
    Some(survey.wrong)
}

struct Survey<'a> {
    space: Space<'a>,
    /// Returns all blocks that were found, and their bytes.
    blocks: Vec<(Ref, usize)>,
    /// Headers that were found inside others and are still to be looked at.
    nested: Vec<Header>,
    wrong: Vec<String>,
}

impl Survey<'_> {
    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }

    fn all(&mut self) -> Result<(), Fault> {
        let space = self.space;
        let word = |field| space.get(space.root(field));
        self.check(word(root::JOURNAL) == 0, || "the journal is not empty".into());
        if let Some(header) = Header::outermost(&space)? {
            self.check(header.serial(&space) != 0, || "its header is free".into());
            self.contents(header)?;
        }
        for (list, what) in [(root::GARBAGE, "garbage"), (root::HEADERS, "free")] {
            let mut at = word(list) as Ref;
            while at != 0 {
                let header = Header::of(&space, at)?;
                self.check(header.serial(&space) == 0, || {
                    format!("header {at} is {what} and in use")
                });
                if self.blocks.len() as u64 > word(root::BUMP) {
                    return Err(Fault::Damaged);
                }
                match list {
                    root::GARBAGE => self.contents(header)?,
                    _ => self.blocks.push((at, HEADER_BYTES)),
                }
                at = header.next(&space);
            }
        }
        self.free_blocks()?;
        self.tile(word(root::BUMP));
        Ok(())
    }

    fn free_blocks(&mut self) -> Result<(), Fault> {
        for log in 0..64 {
            let mut at = self.space.get(self.space.root(root::FREE + log * 8)) as Ref;
            while at != 0 {
                self.blocks.push((at, 1 << log));
                if self.blocks.len() as u64 > self.space.get(self.space.root(root::BUMP)) {
                    return Err(Fault::Damaged);
                }
                at = self.space.get(self.space.at(at, 1 << log)?) as Ref;
            }
        }
        Ok(())
    }

    /// Checks that the blocks that were found are all there is, and do not overlap.
    fn tile(&mut self, bump: u64) {
        let mut blocks = std::mem::take(&mut self.blocks);
        blocks.sort_unstable();
        let mut end = START;
        for (block, bytes) in blocks {
            let start = u64::from(block) << 4;
            self.check(start == end, || format!("a gap or an overlap: {end} to block {start}"));
            end = start + (1 << block_log(bytes));
        }
        self.check(end == bump.max(START), || format!("blocks to {end}, used to {bump}"));
    }

    /// Looks at what a header has, and at what is nested in it.
    fn contents(&mut self, header: Header) -> Result<(), Fault> {
        self.nested.push(header);
        while let Some(header) = self.nested.pop() {
            self.blocks.push((header.block, HEADER_BYTES));
            if self.blocks.len() as u64 > self.space.get(self.space.root(root::BUMP)) {
                return Err(Fault::Damaged);
            }
            match header.kind(&self.space).ok_or(Fault::Damaged)? {
                Kind::List => self.list(header)?,
                _ => self.table(header)?,
            }
        }
        Ok(())
    }

    /// Notes the block of an item, or the header that it names, which has to have that serial and kind.
    fn item(&mut self, words: &Words, width: usize) -> Result<(), Fault> {
        self.blocks.extend(item::block(words, width)?);
        let Some(nested) = item::nested(words, width)? else { return Ok(()) };
        let header = Header::of(&self.space, nested.block)?;
        let is_it = header.serial(&self.space) == nested.serial
            && header.kind(&self.space) == Some(nested.kind);
        self.check(is_it, || format!("header {} is not what its owner says", nested.block));
        self.nested.push(header);
        Ok(())
    }

    fn list(&mut self, header: Header) -> Result<(), Fault> {
        let mut items = Vec::new();
        let wrong = tree::survey(&self.space, header, &mut self.blocks, &mut items)?;
        self.wrong.extend(wrong);
        items.iter().try_for_each(|words| self.item(words, NARROW))
    }

    /// Checks that the order has as many entries as the table says, linked both ways, each in its bucket.
    fn table(&mut self, header: Header) -> Result<(), Fault> {
        let space = self.space;
        self.blocks.extend(buckets::blocks(&space, header));
        let (mut order, mut next, mut before) = (Vec::new(), table::end(&space, header, false)?, 0);
        while let Some(entry) = next {
            self.check(entry.comes_after(&space) == before, || {
                format!("entry {} does not come after {before}", entry.block)
            });
            if order.len() as u64 > header.len(&space) {
                break;
            }
            self.blocks.push((entry.block, ENTRY_BYTES));
            self.item(&entry.key(&space), NARROW)?;
            self.item(&entry.value(&space), WIDE)?;
            before = entry.block;
            order.push(entry.block);
            next = table::next(&space, entry)?;
        }
        let last = table::end(&space, header, true)?.map_or(0, |entry| entry.block);
        self.check(last == before, || format!("the last entry is {before}, not {last}"));
        let len = header.len(&space);
        self.check(order.len() as u64 == len, || format!("{len} entries, not {}", order.len()));
        let (count, mut chained) = (buckets::count(&space, header)?, Vec::new());
        for bucket in 0..count {
            let chain = buckets::bucket(&space, header, bucket)?;
            for entry in buckets::chain(&space, header, chain)? {
                self.check(buckets::belongs(&space, entry, bucket, count), || {
                    format!("entry {} is in the wrong bucket {bucket}", entry.block)
                });
                chained.push(entry.block);
            }
        }
        order.sort_unstable();
        chained.sort_unstable();
        self.check(order == chained, || "the buckets have other entries than the order".into());
        Ok(())
    }
}
