//! One number of many, to compare results by.

/// A polynomial of the numbers: it depends on each and on their order.
pub(crate) fn checksum(numbers: impl IntoIterator<Item = u64>) -> i64 {
    let sum = numbers
        .into_iter()
        .fold(0_u64, |sum, number| sum.wrapping_mul(0x100_0000_01b3).wrapping_add(number));
    // In the middle of the bits, where each number leaves a trace; small enough for any reader of
    // JSON.
    (sum >> 16 & 0xffff_ffff) as i64
}
