//! The words after several `:::`: all combinations of them, as in GNU parallel.

use super::order::Order;
use crate::cli::argv::Column;

/// The combinations of the words of several columns; the first column varies slowest. A linked
/// column (`:::+`) is paired with the column before it, up to the end of the shorter one.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    groups: Vec<Group>,
    len: u64,
    /// The number of words of the only column in a job.
    run: u64,
    order: Option<Order>,
}

#[derive(Clone, Debug)]
struct Group {
    columns: Vec<Vec<Vec<u8>>>,
    len: u64,
}

impl Product {
    /// Makes the combinations; `None` if there are more than 2^64.
    pub(crate) fn new(columns: Vec<Column>) -> Option<Self> {
        let mut groups: Vec<Group> = Vec::new();
        for Column { words, linked } in columns {
            let len = words.len() as u64;
            match groups.last_mut() {
                Some(group) if linked => {
                    group.len = group.len.min(len);
                    group.columns.push(words);
                }
                _ => groups.push(Group { columns: vec![words], len }),
            }
        }
        let len = groups.iter().try_fold(1u64, |len, group| len.checked_mul(group.len))?;
        Some(Product { groups, len, run: 1, order: None })
    }

    /// Puts `run` words of the only column into each job; the last job may have fewer.
    pub(crate) fn in_runs(self, run: u64) -> Self {
        debug_assert!(self.groups.len() == 1 && self.groups[0].columns.len() == 1);
        Product { len: self.len.div_ceil(run), run, ..self }
    }

    /// Puts the combinations into the random order of a seed.
    pub(crate) fn shuffled(self, seed: u64) -> Self {
        Product { order: Some(Order::new(self.len, seed)), ..self }
    }

    /// Returns the number of combinations.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Returns the most words of a combination.
    pub(crate) fn width(&self) -> usize {
        let columns: usize = self.groups.iter().map(|group| group.columns.len()).sum();
        columns * self.run as usize
    }

    /// Replaces `words` by those of combination `index`, which must be below [`Product::len`].
    pub(crate) fn words<'a>(&'a self, index: u64, words: &mut Vec<&'a [u8]>) {
        words.clear();
        let index = self.order.map_or(index, |order| order.at(index));
        if self.run > 1 {
            let column = self.groups[0].columns[0].iter();
            let run = column.skip((index * self.run) as usize).take(self.run as usize);
            return words.extend(run.map(Vec::as_slice));
        }
        let mut repeats = self.len;
        for group in &self.groups {
            repeats /= group.len;
            let row = (index / repeats % group.len) as usize;
            words.extend(group.columns.iter().map(|column| column[row].as_slice()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::argv;
    use std::ffi::OsString;

    fn combinations(line: &str) -> Vec<String> {
        let (_, columns) = argv::cut(line.split(' ').map(OsString::from)).expect("valid");
        let product = Product::new(columns).expect("not too many");
        let mut words = Vec::new();
        (0..product.len())
            .map(|index| {
                product.words(index, &mut words);
                assert_eq!(words.len(), product.width());
                String::from_utf8(words.join(&b' ')).expect("UTF-8")
            })
            .collect()
    }

    #[test]
    fn one_column_is_its_words() {
        assert_eq!(combinations("::: a b"), ["a", "b"]);
    }

    #[test]
    fn the_first_column_varies_slowest() {
        assert_eq!(combinations("::: a b ::: 1 2"), ["a 1", "a 2", "b 1", "b 2"]);
    }

    #[test]
    fn linked_columns_go_together_and_the_shortest_counts() {
        assert_eq!(combinations("::: a b c :::+ 1 2"), ["a 1", "b 2"]);
        assert_eq!(combinations("::: x y ::: a b :::+ 1 2"), ["x a 1", "x b 2", "y a 1", "y b 2"]);
    }

    #[test]
    fn several_words_of_a_column_are_a_job_and_the_last_has_what_is_left() {
        let (_, columns) = argv::cut("::: a b c".split(' ').map(OsString::from)).expect("valid");
        let product = Product::new(columns).expect("not too many").in_runs(2);
        let mut words = Vec::new();
        assert_eq!((product.len(), product.width()), (2, 2));
        product.words(0, &mut words);
        assert_eq!(words, [b"a", b"b"]);
        product.words(1, &mut words);
        assert_eq!(words, [b"c"]);
    }

    #[test]
    fn an_empty_column_leaves_no_job() {
        assert_eq!(combinations("::: a b :::"), [""; 0]);
    }
}
