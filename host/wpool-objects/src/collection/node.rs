//! Nodes: what the tree of a list is made of.
//!
//! ```text
//! leaf       512 bytes: len, –, then up to 31 elements of two words
//! inner      512 bytes: len, –, then up to 62 {child, elements below it}
//! ```

use super::Fault;
use super::change::Change;
use super::item::{NARROW, Words};
use super::space::{Ref, Space};

/// Bytes of a node.
pub(super) const NODE_BYTES: usize = 512;
const FIRST: usize = 16;
/// Most elements of a leaf.
pub(super) const LEAF_MOST: usize = (NODE_BYTES - FIRST) / (NARROW * 8);
/// Most children of an inner node.
pub(super) const INNER_MOST: usize = (NODE_BYTES - FIRST) / 8;

/// A node's place.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) block: Ref,
    pub(super) at: usize,
    pub(super) is_leaf: bool,
}

impl Node {
    pub(super) fn of(space: &Space<'_>, block: Ref, is_leaf: bool) -> Result<Node, Fault> {
        Ok(Node { block, at: space.at(block, NODE_BYTES)?, is_leaf })
    }

    /// A new one; its length is still to be said.
    pub(super) fn new(change: &mut Change<'_, '_>, is_leaf: bool) -> Result<Node, Fault> {
        let block = change.take(NODE_BYTES)?;
        Node::of(&change.space, block, is_leaf)
    }

    fn words(self) -> usize {
        if self.is_leaf { NARROW } else { 1 }
    }

    pub(super) fn most(self) -> usize {
        if self.is_leaf { LEAF_MOST } else { INNER_MOST }
    }

    pub(super) fn len(self, space: &Space<'_>) -> Result<usize, Fault> {
        let len = space.get(self.at) as usize;
        if len <= self.most() { Ok(len) } else { Err(Fault::Damaged) }
    }

    pub(super) fn set_len(self, change: &mut Change<'_, '_>, len: usize) -> Result<(), Fault> {
        change.put(self.at, len as u64)
    }

    /// Returns where the words of an element or a child stand.
    pub(super) fn place(self, index: usize) -> usize {
        self.at + FIRST + index * self.words() * 8
    }

    pub(super) fn item(self, space: &Space<'_>, index: usize) -> Words {
        let at = self.place(index);
        [space.get(at), space.get(at + 8), 0]
    }

    /// A child, and how many elements are below it.
    pub(super) fn child(self, space: &Space<'_>, index: usize) -> (Ref, u64) {
        let word = space.get(self.place(index));
        (word as Ref, word >> 32)
    }

    pub(super) fn put_child(
        self,
        change: &mut Change<'_, '_>,
        index: usize,
        (child, below): (Ref, u64),
    ) -> Result<(), Fault> {
        change.put(self.place(index), below << 32 | u64::from(child))
    }

    /// Returns how many elements it has, or are below it.
    pub(super) fn total(self, space: &Space<'_>) -> Result<u64, Fault> {
        let len = self.len(space)?;
        if self.is_leaf {
            return Ok(len as u64);
        }
        Ok((0..len).map(|index| self.child(space, index).1).sum())
    }

    /// Copies what stands from `from` on, so many, to another place.
    pub(super) fn copy(
        self,
        change: &mut Change<'_, '_>,
        from: usize,
        count: usize,
        (to, at): (Node, usize),
    ) -> Result<(), Fault> {
        let (source, target) = (self.place(from), to.place(at));
        let words = count * self.words();
        for word in 0..words {
            // Where both are in one node the last is moved first, if they move up.
            let word = if target > source { words - 1 - word } else { word } * 8;
            change.put(target + word, change.get(source + word))?;
        }
        Ok(())
    }

    /// Moves what stands from `from` on by so many places up.
    pub(super) fn make_room(
        self,
        change: &mut Change<'_, '_>,
        from: usize,
        count: usize,
    ) -> Result<(), Fault> {
        let len = self.len(&change.space)?;
        self.copy(change, from, len - from, (self, from + count))?;
        self.set_len(change, len + count)
    }

    /// Takes out so many from `from` on.
    pub(super) fn close_up(
        self,
        change: &mut Change<'_, '_>,
        from: usize,
        count: usize,
    ) -> Result<(), Fault> {
        let len = self.len(&change.space)?;
        self.copy(change, from + count, len - from - count, (self, from))?;
        self.set_len(change, len - count)
    }

    /// Moves what stands from `from` on into a new node.
    pub(super) fn split(self, change: &mut Change<'_, '_>, from: usize) -> Result<Node, Fault> {
        let len = self.len(&change.space)?;
        let new = Node::new(change, self.is_leaf)?;
        self.copy(change, from, len - from, (new, 0))?;
        new.set_len(change, len - from)?;
        self.set_len(change, from)?;
        Ok(new)
    }
}
