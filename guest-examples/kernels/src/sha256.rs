//! SHA-256 by the crate `sha2`: rotations and additions of 32-bit integers.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Returns the digest of a million bytes of one value, in hexadecimal digits.
pub(crate) fn of_a_million(byte: u8) -> String {
    let mut digest = Sha256::new();
    let thousand = [byte; 1000];
    for _ in 0..1000 {
        digest.update(thousand);
    }
    let mut text = String::new();
    for byte in digest.finalize() {
        write!(text, "{byte:02x}").expect("a String takes all text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_published_one() {
        // The third example of FIPS 180-2.
        let published = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
        assert_eq!(of_a_million(b'a'), published);
    }
}
