//! Compression by the crate `miniz_oxide`, as in zlib: hashing, comparing and copying short runs of
//! bytes, and codes of a few bits.

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib;

use crate::random::Random;

/// The level of compression, from 1 to 9; zlib's default.
const LEVEL: u8 = 6;

/// The number of words: enough that words come again soon, but not at once.
const WORDS: u32 = 2000;

/// Returns the size, in bytes, of a text of 200,000 bytes after compression.
pub(crate) fn compressed_len(seed: u32) -> Result<u32, String> {
    let text = text(seed, 200_000);
    let compressed = compress_to_vec_zlib(&text, LEVEL);
    let decompressed = decompress_to_vec_zlib(&compressed).map_err(|error| error.to_string())?;
    if decompressed != text {
        return Err("what was decompressed is not what was compressed".into());
    }
    Ok(compressed.len() as u32)
}

/// Returns a text of `len` bytes of random words, some of which come far more often than others.
fn text(seed: u32, len: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let words: Vec<Vec<u8>> = (0..WORDS)
        .map(|_| (0..2 + random.below(9)).map(|_| b'a' + random.below(26) as u8).collect())
        .collect();
    let mut text = Vec::with_capacity(len + 16);
    while text.len() < len {
        let most = 1 + random.below(WORDS);
        text.extend_from_slice(&words[random.below(most) as usize]);
        text.push(b' ');
    }
    text.truncate(len);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_shorter_and_comes_back() {
        let compressed_len = compressed_len(1).expect("comes back");
        assert!((60_000..100_000).contains(&compressed_len), "{compressed_len}");
    }

    #[test]
    fn the_format_is_that_of_zlib() {
        // The stream is as zlib itself writes it.
        let stream = [120, 218, 43, 47, 200, 207, 207, 41, 135, 19, 0, 52, 236, 6, 148];
        assert_eq!(decompress_to_vec_zlib(&stream).as_deref().ok(), Some(&b"wpoolwpoolwpool"[..]));
    }
}
