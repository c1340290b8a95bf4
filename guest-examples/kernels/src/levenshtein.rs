//! Levenshtein's distance by the crate `strsim`: dynamic programming over small integers.

use crate::random::Random;

/// Returns the distance of two random texts of `letters` letters.
pub(crate) fn distance(letters: u32) -> u32 {
    let mut random = Random::new(letters);
    // The texts have four letters, as genomes do, so there is much to choose from.
    let mut text = || -> String {
        (0..letters).map(|_| ['a', 'c', 'g', 't'][random.below(4) as usize]).collect()
    };
    strsim::levenshtein(&text(), &text()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_texts_of_four_letters_differ_in_about_half() {
        // The published limit of the distance is near 0.52 of the length.
        let distance = distance(500);
        assert!((250..290).contains(&distance), "{distance}");
    }
}
