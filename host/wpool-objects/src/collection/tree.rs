//! Trees: the elements of a list, in nodes that count.
//!
//! ```text
//! header     more[0] {root, levels above the leaves}
//! ```
//!
//! A place is found by counting down from the root, so an element can be put in or taken out anywhere,
//! and one call moves the elements of a few nodes at most.
//!
//! **Invariant:** no node is empty, and what an inner node says of a child is what the child has.

use super::Fault;
use super::change::Change;
use super::header::Header;
use super::item::Words;
use super::node::{INNER_MOST, LEAF_MOST, NODE_BYTES, Node};
use super::space::{Ref, Space};

/// 31 × 62^6 is more than a space can hold.
const DEPTH_MAX: usize = 7;

/// A way down: an inner node, and which of its children was taken.
type Step = (Node, usize);

/// The way to an element.
struct Path {
    steps: Vec<Step>,
    leaf: Node,
    index: usize,
}

fn root(space: &Space<'_>, header: Header) -> Result<(Ref, usize), Fault> {
    let word = space.get(header.more(0));
    let depth = (word >> 32) as usize;
    if depth < DEPTH_MAX { Ok((word as Ref, depth)) } else { Err(Fault::Damaged) }
}

fn set_root(
    change: &mut Change<'_, '_>,
    header: Header,
    root: Ref,
    depth: usize,
) -> Result<(), Fault> {
    change.put(header.more(0), (depth as u64) << 32 | u64::from(root))
}

/// Returns the way to the element at an index; `beyond`: to where one is put in, which may be behind the last.
fn descend(space: &Space<'_>, header: Header, mut index: u64, beyond: bool) -> Result<Path, Fault> {
    let (mut block, depth) = root(space, header)?;
    let mut steps = Vec::with_capacity(depth);
    for _ in 0..depth {
        let node = Node::of(space, block, false)?;
        let mut taken = None;
        for place in 0..node.len(space)? {
            let (child, below) = node.child(space, place);
            if index < below || beyond && index == below {
                taken = Some((child, place));
                break;
            }
            index -= below;
        }
        let (child, place) = taken.ok_or(Fault::Damaged)?;
        steps.push((node, place));
        block = child;
    }
    let leaf = Node::of(space, block, true)?;
    let len = leaf.len(space)? as u64;
    if index > len || index == len && !beyond {
        return Err(Fault::Damaged);
    }
    Ok(Path { steps, leaf, index: index as usize })
}

/// Returns the element at an index below the list's length.
pub(super) fn get(space: &Space<'_>, header: Header, index: u64) -> Result<Words, Fault> {
    let path = descend(space, header, index, false)?;
    Ok(path.leaf.item(space, path.index))
}

/// Replaces the element at an index below the list's length. The caller frees the old one.
pub(super) fn set(
    change: &mut Change<'_, '_>,
    header: Header,
    index: u64,
    words: &Words,
) -> Result<(), Fault> {
    let path = descend(&change.space, header, index, false)?;
    let at = path.leaf.place(path.index);
    change.put(at, words[0])?;
    change.put(at + 8, words[1])
}

/// A leaf, and the index of its first element.
pub(super) struct Leaf {
    node: Node,
    pub(super) first: u64,
    pub(super) len: usize,
}

impl Leaf {
    /// An element of it, below its length.
    pub(super) fn item(&self, space: &Space<'_>, index: usize) -> Words {
        self.node.item(space, index)
    }
}

/// Returns the leaf in which the element at an index below the list's length stands.
pub(super) fn leaf(space: &Space<'_>, header: Header, index: u64) -> Result<Leaf, Fault> {
    let path = descend(space, header, index, false)?;
    let len = path.leaf.len(space)?;
    Ok(Leaf { node: path.leaf, first: index - path.index as u64, len })
}

/// Inserts elements before an index, at most the list's length, as many as can be at once, and returns
/// their number. 0 says that room was made, and the next call inserts some.
pub(super) fn insert(
    change: &mut Change<'_, '_>,
    header: Header,
    index: u64,
    items: &[Words],
) -> Result<usize, Fault> {
    if root(&change.space, header)?.0 == 0 {
        let leaf = Node::new(change, true)?;
        change.init(leaf.at, 0);
        set_root(change, header, leaf.block, 0)?;
    }
    let path = descend(&change.space, header, index, true)?;
    let (leaf, at) = (path.leaf, path.index);
    let len = leaf.len(&change.space)?;
    if len == LEAF_MOST && at < len {
        let new = leaf.split(change, len / 2)?;
        attach(change, header, &path, Some(new), 0)?;
        return Ok(0);
    }
    let (target, at) = match len {
        LEAF_MOST => {
            let new = Node::new(change, true)?;
            change.init(new.at, 0);
            (new, 0)
        }
        _ => (leaf, at),
    };
    let count = items.len().min(LEAF_MOST - target.len(&change.space)?);
    target.make_room(change, at, count)?;
    for (place, words) in items[..count].iter().enumerate() {
        let at = target.place(at + place);
        change.put(at, words[0])?;
        change.put(at + 8, words[1])?;
    }
    let new = (target.block != leaf.block).then_some(target);
    attach(change, header, &path, new, count as u64)?;
    let len = header.len(&change.space) + count as u64;
    header.set_len(change, len)?;
    Ok(count)
}

/// Tells the nodes above a leaf that it has so many more, and that a new one stands behind it.
fn attach(
    change: &mut Change<'_, '_>,
    header: Header,
    path: &Path,
    mut new: Option<Node>,
    more: u64,
) -> Result<(), Fault> {
    let mut below = path.leaf;
    for (node, place) in path.steps.iter().rev() {
        let (child, count) = node.child(&change.space, *place);
        let count = match new {
            Some(_) => below.total(&change.space)?,
            None => count + more,
        };
        node.put_child(change, *place, (child, count))?;
        if let Some(sibling) = new.take() {
            let sibling = (sibling.block, sibling.total(&change.space)?);
            new = insert_child(change, *node, place + 1, sibling)?;
        }
        below = *node;
    }
    let Some(new) = new else { return Ok(()) };
    let top = Node::new(change, false)?;
    for (place, node) in [below, new].into_iter().enumerate() {
        let child = (node.block, node.total(&change.space)?);
        top.put_child(change, place, child)?;
    }
    change.init(top.at, 2);
    set_root(change, header, top.block, path.steps.len() + 1)
}

/// Puts a child in; the new node that was needed for it.
fn insert_child(
    change: &mut Change<'_, '_>,
    node: Node,
    at: usize,
    child: (Ref, u64),
) -> Result<Option<Node>, Fault> {
    let len = node.len(&change.space)?;
    if len < INNER_MOST {
        node.make_room(change, at, 1)?;
        node.put_child(change, at, child)?;
        return Ok(None);
    }
    // At the end the old one stays full: lists mostly grow there.
    let from = if at == len { len } else { len / 2 };
    let new = node.split(change, from)?;
    let (target, at) = if at > from || at == len { (new, at - from) } else { (node, at) };
    target.make_room(change, at, 1)?;
    target.put_child(change, at, child)?;
    Ok(Some(new))
}

/// Takes out elements from an index on that stand in one leaf, at most so many; returns the number. `each` is
/// told their words.
pub(super) fn remove(
    change: &mut Change<'_, '_>,
    header: Header,
    index: u64,
    most: usize,
    mut each: impl FnMut(&mut Change<'_, '_>, Words) -> Result<(), Fault>,
) -> Result<usize, Fault> {
    let path = descend(&change.space, header, index, false)?;
    let len = path.leaf.len(&change.space)?;
    let count = most.min(len - path.index);
    for place in path.index..path.index + count {
        let words = path.leaf.item(&change.space, place);
        each(change, words)?;
    }
    path.leaf.close_up(change, path.index, count)?;
    let mut below = path.leaf;
    for (node, place) in path.steps.iter().rev() {
        let (child, left) = node.child(&change.space, *place);
        let left = left.checked_sub(count as u64).ok_or(Fault::Damaged)?;
        node.put_child(change, *place, (child, left))?;
        shrink(change, *node, *place, below)?;
        below = *node;
    }
    lower(change, header, below, path.steps.len())?;
    let len = header.len(&change.space).checked_sub(count as u64).ok_or(Fault::Damaged)?;
    header.set_len(change, len)?;
    Ok(count)
}

/// Takes out a child that has become empty, or makes one of it and its neighbour.
fn shrink(change: &mut Change<'_, '_>, node: Node, place: usize, child: Node) -> Result<(), Fault> {
    let len = child.len(&change.space)?;
    if len == 0 {
        change.give_back(child.block, NODE_BYTES);
        return node.close_up(change, place, 1);
    }
    let siblings = node.len(&change.space)?;
    if len > child.most() / 4 || siblings < 2 {
        return Ok(());
    }
    let left_place = if place + 1 < siblings { place } else { place - 1 };
    let [left, right] = [left_place, left_place + 1].map(|at| node.child(&change.space, at));
    let target = Node::of(&change.space, left.0, child.is_leaf)?;
    let source = Node::of(&change.space, right.0, child.is_leaf)?;
    let (ours, theirs) = (target.len(&change.space)?, source.len(&change.space)?);
    if ours + theirs > child.most() * 3 / 4 {
        return Ok(());
    }
    source.copy(change, 0, theirs, (target, ours))?;
    target.set_len(change, ours + theirs)?;
    node.put_child(change, left_place, (left.0, left.1 + right.1))?;
    change.give_back(right.0, NODE_BYTES);
    node.close_up(change, left_place + 1, 1)
}

/// Takes away roots that have one child or nothing.
fn lower(
    change: &mut Change<'_, '_>,
    header: Header,
    mut top: Node,
    mut depth: usize,
) -> Result<(), Fault> {
    loop {
        match top.len(&change.space)? {
            0 => {
                change.give_back(top.block, NODE_BYTES);
                return set_root(change, header, 0, 0);
            }
            1 if !top.is_leaf => {
                let child = top.child(&change.space, 0).0;
                change.give_back(top.block, NODE_BYTES);
                depth -= 1;
                set_root(change, header, child, depth)?;
                top = Node::of(&change.space, child, depth == 0)?;
            }
            _ => return Ok(()),
        }
    }
}

/// Returns the nodes and elements of a list, or what is wrong with them.
pub(super) fn survey(
    space: &Space<'_>,
    header: Header,
    blocks: &mut Vec<(Ref, usize)>,
    items: &mut Vec<Words>,
) -> Result<Vec<String>, Fault> {
    let (block, depth) = root(space, header)?;
    let mut wrong = Vec::new();
    if block != 0 {
        survey_node(
            space,
            Node::of(space, block, depth == 0)?,
            depth,
            (blocks, items, &mut wrong),
        )?;
    }
    if header.len(space) != items.len() as u64 {
        wrong.push(format!("{} elements, and should be {}", header.len(space), items.len()));
    }
    Ok(wrong)
}

type Surveyed<'s> = (&'s mut Vec<(Ref, usize)>, &'s mut Vec<Words>, &'s mut Vec<String>);

fn survey_node(
    space: &Space<'_>,
    node: Node,
    depth: usize,
    (blocks, items, wrong): Surveyed<'_>,
) -> Result<(), Fault> {
    blocks.push((node.block, NODE_BYTES));
    let len = node.len(space)?;
    if len == 0 {
        wrong.push(format!("node {} is empty", node.block));
    }
    for index in 0..len {
        if node.is_leaf {
            items.push(node.item(space, index));
            continue;
        }
        let (child, below) = node.child(space, index);
        let (child, before) = (Node::of(space, child, depth == 1)?, items.len());
        survey_node(space, child, depth - 1, (&mut *blocks, &mut *items, &mut *wrong))?;
        if (items.len() - before) as u64 != below {
            wrong.push(format!("node {}: {below} below child {index}", node.block));
        }
    }
    Ok(())
}
