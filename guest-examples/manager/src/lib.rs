//! The example of Python's `Manager`: a list that all processes of a pool change, without a server process.
//!
//! `wpool map manager.wasm -j 4 --list words --show words ::: '["multi","words"]' '["processing","words"]'`

use wpool_guest::{Dict, Error, List, task};

/// Puts a word into the list of this name.
#[task(default)]
fn update_string(word: String, list: String) -> Result<(), Error> {
    List::open(&list)?.append(&word)
}

/// Counts the words of a line in the dict of this name.
#[task]
fn count_words(line: String, dict: String) -> Result<(), Error> {
    let counts = Dict::<String, i64>::open(&dict)?;
    line.split_whitespace().try_for_each(|word| counts.add(&word.to_owned(), 1).map(drop))
}

/// Puts each word of a line into the list of its first letter, in the dict of this name.
#[task]
fn group_words(line: String, dict: String) -> Result<(), Error> {
    let groups = Dict::<String, ()>::open(&dict)?;
    line.split_whitespace().try_for_each(|word| {
        let letter = word.chars().take(1).collect::<String>();
        groups.nested::<List<String>>(&letter)?.append(&word.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_list_there_is_an_error_that_names_it() {
        let error = update_string("word".into(), "words".into()).unwrap_err().to_string();
        assert!(error.contains("list `words`"), "{error}");
    }
}
