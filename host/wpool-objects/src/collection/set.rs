//! Sets: members, once each.

use super::super::Shared;
use super::super::error::Error;
use super::super::object::{Kind, ObjectId};
use super::super::slots::Caller;
use super::change::Change;
use super::dict::{self, Part};
use super::header::Header;
use super::inner::Inner;
use super::item::{self, NARROW};
use super::table;
use super::{CALL_BYTES_MAX, CALL_ENTRIES_MAX, Collection, Fault, Page, check_item, check_items};
use std::collections::HashSet;
use std::ops::Deref;

/// The change of a set by other members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// It has these, too.
    Union,
    /// It has none but these.
    Intersection,
    /// It has none of these.
    Difference,
    /// It has those of these that it had not, and not those that it had.
    SymmetricDifference,
}

/// A set.
#[derive(Clone, Copy)]
pub struct Set<'a> {
    on: Collection<'a>,
}

/// Adds a member, and returns whether it was new.
fn put(
    on: &Collection<'_>,
    change: &mut Change<'_, '_>,
    header: Header,
    member: &[u8],
) -> Result<bool, Fault> {
    let hash = table::hash_of(&change.space, member);
    if table::find(&change.space, header, hash, member)?.is_some() {
        return Ok(false);
    }
    on.check_len(header.len(&change.space) + 1)?;
    let words = item::make(change, member, NARROW)?;
    table::insert(change, header, hash, (&words, &[0; 3]), 0)?;
    Ok(true)
}

/// Removes a member, and returns whether it was there.
fn take(change: &mut Change<'_, '_>, header: Header, member: &[u8]) -> Result<bool, Fault> {
    let hash = table::hash_of(&change.space, member);
    match table::find(&change.space, header, hash, member)? {
        Some(found) => table::remove(change, header, &found).map(|()| true),
        None => Ok(false),
    }
}

/// Takes out all that are not among these; returns whether there were any.
fn keep(change: &mut Change<'_, '_>, header: Header, members: &[&[u8]]) -> Result<bool, Fault> {
    let space = change.space;
    let wanted: HashSet<&[u8]> = members.iter().copied().collect();
    let (mut next, mut member) = (table::end(&space, header, false)?, Vec::new());
    let (mut changed, mut seen, mut bytes) = (false, 0, 0);
    while let Some(entry) = next {
        if seen == CALL_ENTRIES_MAX || bytes > CALL_BYTES_MAX {
            return Err(Fault::Answer(Error::TooLarge));
        }
        next = table::next(&space, entry)?;
        member.clear();
        item::read(&space, &entry.key(&space), NARROW, &mut member)?;
        (seen, bytes) = (seen + 1, bytes + member.len());
        if !wanted.contains(&member[..]) {
            let found = table::again(&space, header, entry)?;
            table::remove(change, header, &found)?;
            changed = true;
        }
    }
    Ok(changed)
}

impl<'a> Deref for Set<'a> {
    type Target = Collection<'a>;

    fn deref(&self) -> &Collection<'a> {
        &self.on
    }
}

impl<'a> Set<'a> {
    /// Returns the set of this id.
    ///
    /// # Errors
    /// Returns `NotFound`, `WrongKind`; `Broken` if its words make no sense.
    #[inline]
    pub fn of(shared: &'a Shared, id: ObjectId) -> Result<Set<'a>, Error> {
        Ok(Set { on: Collection::of(shared, id, Kind::Set)? })
    }

    /// Returns the set inside a list or dict.
    ///
    /// # Errors
    /// Returns `NotFound`, `WrongKind`; `Broken` if its words make no sense.
    #[inline]
    pub fn inside(shared: &'a Shared, inner: Inner) -> Result<Set<'a>, Error> {
        Ok(Set { on: Collection::inside(shared, inner, Kind::Set)? })
    }

    /// Returns whether it has a member.
    ///
    /// # Errors
    /// Returns `Broken`.
    #[inline]
    pub fn contains(&self, caller: &Caller<'_>, member: &[u8]) -> Result<bool, Error> {
        let found = self.on.look(caller, |space, header| {
            let hash = table::hash_of(space, member);
            Ok(table::find(space, header, hash, member)?.is_some())
        })?;
        Ok(found.unwrap_or(false))
    }

    /// Adds a member, and returns whether it was new.
    ///
    /// # Errors
    /// Returns `TooLarge`, `NoSpace`, `Broken`.
    #[inline]
    pub fn add(&self, caller: &Caller<'_>, member: &[u8]) -> Result<bool, Error> {
        check_item(member)?;
        self.on.change(caller, |change, header| {
            let added = put(&self.on, change, header, member)?;
            if added {
                header.moved(change)?;
            }
            Ok(added)
        })
    }

    /// Removes a member, and returns whether it was there.
    ///
    /// # Errors
    /// Returns `Broken`.
    #[inline]
    pub fn discard(&self, caller: &Caller<'_>, member: &[u8]) -> Result<bool, Error> {
        self.on.change(caller, |change, header| {
            let taken = take(change, header, member)?;
            if taken {
                header.moved(change)?;
            }
            Ok(taken)
        })
    }

    /// Removes any member; returns whether there was one.
    ///
    /// # Errors
    /// Returns `Broken`.
    pub fn pop(&self, caller: &Caller<'_>, to: &mut Vec<u8>) -> Result<bool, Error> {
        self.on.change(caller, |change, header| {
            let space = change.space;
            to.clear();
            let Some(entry) = table::end(&space, header, false)? else { return Ok(false) };
            item::read(&space, &entry.key(&space), NARROW, to)?;
            let found = table::again(&space, header, entry)?;
            table::remove(change, header, &found)?;
            header.moved(change)?;
            Ok(true)
        })
    }

    /// Makes of it what it becomes by these, all at once; returns whether it changed.
    ///
    /// # Errors
    /// Returns `TooLarge`: more than 4,096 members or 64 KiB, or an intersection of a set of more; `NoSpace`,
    /// `Broken`.
    pub fn update(
        &self,
        caller: &Caller<'_>,
        update: Update,
        members: &[&[u8]],
    ) -> Result<bool, Error> {
        check_items(members.iter().copied(), 1)?;
        self.on.change(caller, |change, header| {
            let mut changed = false;
            let mut done = HashSet::new();
            match update {
                Update::Intersection => changed = keep(change, header, members)?,
                Update::Union => {
                    for member in members {
                        changed |= put(&self.on, change, header, member)?;
                    }
                }
                Update::Difference => {
                    for member in members {
                        changed |= take(change, header, member)?;
                    }
                }
                Update::SymmetricDifference => {
                    for member in members.iter().filter(|member| done.insert(**member)) {
                        changed = true;
                        if !take(change, header, member)? {
                            put(&self.on, change, header, member)?;
                        }
                    }
                }
            }
            if changed {
                header.moved(change)?;
            }
            Ok(changed)
        })
    }

    /// Returns the members: as many as fit into a page, from its cursor on. See `Dict::page`.
    ///
    /// # Errors
    /// Returns `OutOfRange`: not a cursor; `Broken`.
    pub fn page(&self, caller: &Caller<'_>, from: (u64, u64)) -> Result<Page, Error> {
        dict::page(&self.on, caller, Part::Keys, from)
    }
}
