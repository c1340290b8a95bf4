//! The codes of errors, and of types of numbers. Written by `cargo xtask codegen` from `wit/`.

pub(crate) mod error {
    pub(crate) const TIMED_OUT: i32 = -1;
    pub(crate) const INTERRUPTED: i32 = -2;
    pub(crate) const BROKEN: i32 = -3;
    pub(crate) const NOT_OWNER: i32 = -4;
    pub(crate) const ALREADY_OWNER: i32 = -5;
    pub(crate) const TOO_MANY: i32 = -6;
    pub(crate) const CLOSED: i32 = -7;
    pub(crate) const TOO_LARGE: i32 = -8;
    pub(crate) const NO_SPACE: i32 = -9;
    pub(crate) const EXISTS: i32 = -10;
    pub(crate) const NOT_FOUND: i32 = -11;
    pub(crate) const WRONG_KIND: i32 = -12;
    pub(crate) const WRONG_TYPE: i32 = -13;
    pub(crate) const OUT_OF_RANGE: i32 = -14;
    pub(crate) const READ_ONLY: i32 = -15;
    pub(crate) const CHANGING: i32 = -16;
}

pub(crate) mod number {
    pub(crate) const I32: i32 = 1;
    pub(crate) const I64: i32 = 2;
    pub(crate) const U32: i32 = 3;
    pub(crate) const U64: i32 = 4;
    pub(crate) const F32: i32 = 5;
    pub(crate) const F64: i32 = 6;
    pub(crate) const BOOL: i32 = 7;
}
