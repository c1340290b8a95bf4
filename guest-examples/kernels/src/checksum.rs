//! A single number computed from many, to compare results by.

/// Returns a polynomial of the numbers, which depends on each number and on their order.
pub(crate) fn checksum(numbers: impl IntoIterator<Item = u64>) -> i64 {
    let sum = numbers
        .into_iter()
        .fold(0_u64, |sum, number| sum.wrapping_mul(0x100_0000_01b3).wrapping_add(number));
    // The bits in the middle show traces of each number, and are few enough for any reader of JSON.
    (sum >> 16 & 0xffff_ffff) as i64
}
