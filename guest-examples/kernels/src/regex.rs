//! Regular expressions by the crate `regex`: tables of states, byte by byte.
//!
//! The text, the expressions and the published counts are those of the Benchmarks Game.

use regex::Regex;

const EXPRESSIONS: [&str; 9] = [
    "agggtaaa|tttaccct",
    "[cgt]gggtaaa|tttaccc[acg]",
    "a[act]ggtaaa|tttacc[agt]t",
    "ag[act]gtaaa|tttac[agt]ct",
    "agg[act]taaa|ttta[agt]cct",
    "aggg[acg]aaa|ttt[cgt]ccct",
    "agggt[cgt]aa|tt[acg]accct",
    "agggta[cgt]a|t[acg]taccct",
    "agggtaa[cgt]|[acg]ttaccct",
];

/// A part of the human genome that comes again and again in it.
const ALU: &str = "GGCCGGGCGCGGTGGCTCACGCCTGTAATCCCAGCACTTTGGGAGGCCGAGGCGGGCGGATCACCTGAGGTC\
                   AGGAGTTCGAGACCAGCCTGGCCAACATGGTGAAACCCCGTCTCTACTAAAAATACAAAAATTAGCCGGGCGTGGTGGCG\
                   CGCGCCTGTAATCCCAGCTACTCGGGAGGCTGAGGCAGGAGAATCGCTTGAACCCGGGAGGCGGAGGTTGCAGTGAGCCG\
                   AGATCGCGCCACTGCACTCCAGCCTGGGCGACAGAGCGAGACTCCGTCTCAAAAA";

const AMBIGUOUS: [(char, f64); 15] = [
    ('a', 0.27),
    ('c', 0.12),
    ('g', 0.12),
    ('t', 0.27),
    ('B', 0.02),
    ('D', 0.02),
    ('H', 0.02),
    ('K', 0.02),
    ('M', 0.02),
    ('N', 0.02),
    ('R', 0.02),
    ('S', 0.02),
    ('V', 0.02),
    ('W', 0.02),
    ('Y', 0.02),
];

const HUMAN: [(char, f64); 4] = [
    ('a', 0.302_954_942_668_0),
    ('c', 0.197_988_300_492_1),
    ('g', 0.197_547_306_632_4),
    ('t', 0.301_509_450_207_5),
];

/// Returns how often the expressions occur in a text of ten times `size` letters.
pub(crate) fn count(size: u32) -> Result<u32, regex::Error> {
    let text = text(size as usize);
    counts(&text).map(|counts| counts.into_iter().sum())
}

fn counts(text: &str) -> Result<Vec<u32>, regex::Error> {
    let count = |expression: &&str| Ok(Regex::new(expression)?.find_iter(text).count() as u32);
    EXPRESSIONS.iter().map(count).collect()
}

fn text(size: usize) -> String {
    let mut text: String = ALU.chars().cycle().take(2 * size).collect();
    let mut seed = 42;
    draw(&AMBIGUOUS, 3 * size, &mut seed, &mut text);
    draw(&HUMAN, 5 * size, &mut seed, &mut text);
    text
}

/// Appends `count` letters, drawn by their frequencies.
fn draw(frequencies: &[(char, f64)], count: usize, seed: &mut u32, text: &mut String) {
    const MODULUS: u32 = 139_968;
    for _ in 0..count {
        *seed = (*seed * 3877 + 29_573) % MODULUS;
        let mut rest = f64::from(*seed) / f64::from(MODULUS);
        let drawn = frequencies.iter().find(|(_, frequency)| {
            rest -= frequency;
            rest < 0.0
        });
        text.push(drawn.map_or('t', |(letter, _)| *letter));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_are_the_published_ones() {
        let counts = counts(&text(10_000)).expect("the expressions are right");
        assert_eq!(counts, [0, 3, 9, 8, 10, 3, 4, 3, 5]);
    }
}
