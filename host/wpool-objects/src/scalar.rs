//! Numbers that are always whole: the contents of values and arrays.
//!
//! A number has its natural size and alignment, so one instruction reads or changes all of it, and
//! a death leaves either the old number or the new one. No latch is involved.

use super::error::Error;
use super::memory::Memory;
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};

/// The type of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Type {
    // codegen: number-types
    /// A signed integer of 32 bits.
    I32 = 1,
    /// A signed integer of 64 bits.
    I64 = 2,
    /// An unsigned integer of 32 bits.
    U32 = 3,
    /// An unsigned integer of 64 bits.
    U64 = 4,
    /// A float of 32 bits.
    F32 = 5,
    /// A float of 64 bits.
    F64 = 6,
    /// A boolean.
    Bool = 7,
    // codegen: end
}

impl Type {
    pub(super) const ALL: [Type; 7] =
        [Type::I32, Type::I64, Type::U32, Type::U64, Type::F32, Type::F64, Type::Bool];

    /// Returns the bytes of a number of this type.
    #[inline]
    pub fn bytes(self) -> usize {
        match self {
            Type::I64 | Type::U64 | Type::F64 => 8,
            Type::I32 | Type::U32 | Type::F32 => 4,
            Type::Bool => 1,
        }
    }

    /// Returns the type with this code.
    #[inline]
    pub fn unpack(code: u8) -> Option<Type> {
        Type::ALL.get(usize::from(code).wrapping_sub(1)).copied()
    }
}

/// A number. Two numbers are equal if their types and bits are equal.
#[derive(Clone, Copy, Debug)]
pub enum Scalar {
    /// A signed integer of 32 bits.
    I32(i32),
    /// A signed integer of 64 bits.
    I64(i64),
    /// An unsigned integer of 32 bits.
    U32(u32),
    /// An unsigned integer of 64 bits.
    U64(u64),
    /// A float of 32 bits.
    F32(f32),
    /// A float of 64 bits.
    F64(f64),
    /// A boolean.
    Bool(bool),
}

impl Scalar {
    /// Returns the type of the number.
    #[inline]
    pub fn kind(self) -> Type {
        match self {
            Scalar::I32(_) => Type::I32,
            Scalar::I64(_) => Type::I64,
            Scalar::U32(_) => Type::U32,
            Scalar::U64(_) => Type::U64,
            Scalar::F32(_) => Type::F32,
            Scalar::F64(_) => Type::F64,
            Scalar::Bool(_) => Type::Bool,
        }
    }

    /// Returns the number's bits, in the low bits of the result.
    #[inline]
    pub fn bits(self) -> u64 {
        match self {
            Scalar::I32(number) => number as u32 as u64,
            Scalar::I64(number) => number as u64,
            Scalar::U32(number) => u64::from(number),
            Scalar::U64(number) => number,
            Scalar::F32(number) => u64::from(number.to_bits()),
            Scalar::F64(number) => number.to_bits(),
            Scalar::Bool(number) => u64::from(number),
        }
    }

    /// Returns the number of this type with these bits. Bits beyond the type's size are ignored; a
    /// bool is true if any bit is set.
    #[inline]
    pub fn of(kind: Type, bits: u64) -> Scalar {
        match kind {
            Type::I32 => Scalar::I32(bits as i32),
            Type::I64 => Scalar::I64(bits as i64),
            Type::U32 => Scalar::U32(bits as u32),
            Type::U64 => Scalar::U64(bits),
            Type::F32 => Scalar::F32(f32::from_bits(bits as u32)),
            Type::F64 => Scalar::F64(f64::from_bits(bits)),
            Type::Bool => Scalar::Bool(bits != 0),
        }
    }

    /// Returns the sum of two floats.
    fn plus(self, other: Scalar) -> Result<Scalar, Error> {
        Ok(match (self, other) {
            (Scalar::F32(a), Scalar::F32(b)) => Scalar::F32(a + b),
            (Scalar::F64(a), Scalar::F64(b)) => Scalar::F64(a + b),
            _ => return Err(Error::WrongType),
        })
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Scalar) -> bool {
        self.kind() == other.kind() && self.bits() == other.bits()
    }
}

/// The place of a number in memory.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    pub(super) memory: &'a Memory,
    pub(super) at: usize,
    pub(super) kind: Type,
}

impl Cell<'_> {
    #[inline]
    pub(super) fn get(self) -> Scalar {
        // Loads are Acquire and stores are Release: whoever sees a number also sees what was
        // written before it.
        let bits = match self.kind.bytes() {
            8 => self.memory.word(self.at).load(Acquire),
            4 => u64::from(self.memory.half(self.at).load(Acquire)),
            _ => u64::from(self.memory.byte(self.at).load(Acquire)),
        };
        Scalar::of(self.kind, bits)
    }

    #[inline]
    fn same(self, number: Scalar) -> Result<u64, Error> {
        if number.kind() == self.kind { Ok(number.bits()) } else { Err(Error::WrongType) }
    }

    #[inline]
    pub(super) fn set(self, number: Scalar) -> Result<(), Error> {
        let bits = self.same(number)?;
        match self.kind.bytes() {
            8 => self.memory.word(self.at).store(bits, Release),
            4 => self.memory.half(self.at).store(bits as u32, Release),
            _ => self.memory.byte(self.at).store(bits as u8, Release),
        }
        Ok(())
    }

    #[inline]
    pub(super) fn swap(self, number: Scalar) -> Result<Scalar, Error> {
        let bits = self.same(number)?;
        let bits = match self.kind.bytes() {
            8 => self.memory.word(self.at).swap(bits, AcqRel),
            4 => u64::from(self.memory.half(self.at).swap(bits as u32, AcqRel)),
            _ => u64::from(self.memory.byte(self.at).swap(bits as u8, AcqRel)),
        };
        Ok(Scalar::of(self.kind, bits))
    }

    /// Adds to the number and returns its previous value. Integers wrap.
    #[inline]
    pub(super) fn add(self, number: Scalar) -> Result<Scalar, Error> {
        let bits = self.same(number)?;
        match self.kind {
            Type::I64 | Type::U64 => {
                let before = self.memory.word(self.at).fetch_add(bits, AcqRel);
                Ok(Scalar::of(self.kind, before))
            }
            Type::I32 | Type::U32 => {
                let before = self.memory.half(self.at).fetch_add(bits as u32, AcqRel);
                Ok(Scalar::of(self.kind, u64::from(before)))
            }
            Type::F32 | Type::F64 => {
                let mut seen = self.get();
                // Each failure is the success of another writer. The bound is for hostile writers.
                for _ in 0..1_000_000 {
                    match self.compare_exchange(seen, seen.plus(number)?)? {
                        Ok(before) => return Ok(before),
                        Err(now) => seen = now,
                    }
                }
                Err(Error::Broken { culprit: None })
            }
            Type::Bool => Err(Error::WrongType),
        }
    }

    /// Writes `new` if `expected` is there. Returns the previous value, as `Ok` if `new` was
    /// written.
    #[inline]
    pub(super) fn compare_exchange(
        self,
        expected: Scalar,
        new: Scalar,
    ) -> Result<Result<Scalar, Scalar>, Error> {
        let (old, new) = (self.same(expected)?, self.same(new)?);
        let of = |bits| Scalar::of(self.kind, bits);
        Ok(match self.kind.bytes() {
            8 => {
                let word = self.memory.word(self.at);
                word.compare_exchange(old, new, AcqRel, Acquire).map(of).map_err(of)
            }
            4 => {
                let half = self.memory.half(self.at);
                let done = half.compare_exchange(old as u32, new as u32, AcqRel, Acquire);
                done.map(|bits| of(u64::from(bits))).map_err(|bits| of(u64::from(bits)))
            }
            _ => {
                let byte = self.memory.byte(self.at);
                let done = byte.compare_exchange(old as u8, new as u8, AcqRel, Acquire);
                done.map(|bits| of(u64::from(bits))).map_err(|bits| of(u64::from(bits)))
            }
        })
    }
}
