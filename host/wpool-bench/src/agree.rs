//! Checks that modes agree: collects the results of the jobs in one mode, and compares them with
//! another's.

use crate::error::Error;
use wpool::module::description::{Form, Task};

/// The most bytes of results that are kept for messages; further results are kept as digests only.
const SHOWN_BYTES_MAX: usize = 16 << 20;

/// The most characters of a result in a message.
const SHOWN_CHARS: usize = 80;

/// The way in which results are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// By job: each has a value.
    Values,
    /// By line of output, in any order, because nobody knows which job wrote a line.
    Lines,
}

impl Compared {
    /// Returns the way in which results of a task are compared.
    pub(crate) fn of(task: &Task) -> Compared {
        if task.form == Form::Command { Compared::Lines } else { Compared::Values }
    }
}

/// The results of the jobs in one run.
#[derive(Debug)]
pub(crate) struct Seen {
    compared: Compared,
    digests: Vec<u64>,
    /// The first results, and the end of each.
    shown: Vec<u8>,
    ends: Vec<usize>,
}

impl Seen {
    /// Makes an empty collection.
    pub(crate) fn new(compared: Compared) -> Seen {
        Seen { compared, digests: Vec::new(), shown: Vec::new(), ends: Vec::new() }
    }

    /// Adds the next job's result; `None` for a failed job.
    pub(crate) fn add(&mut self, result: Option<&[u8]>) {
        match (self.compared, result) {
            (_, None) => self.note(b"(failed)"),
            (Compared::Values, Some(value)) => self.note(&canonical(value)),
            (Compared::Lines, Some(output)) => {
                let lines = output.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
                lines.for_each(|line| self.note(line));
            }
        }
    }

    fn note(&mut self, result: &[u8]) {
        let digest = blake3::hash(result);
        let (head, _) = digest.as_bytes().split_first_chunk().expect("a digest has 32 bytes");
        self.digests.push(u64::from_le_bytes(*head));
        if self.shown.len() + result.len() <= SHOWN_BYTES_MAX {
            self.shown.extend_from_slice(result);
            self.ends.push(self.shown.len());
        }
    }

    /// Compares the results of the mode `mine` with `other`, those of the mode `others`.
    ///
    /// # Errors
    /// Returns the first difference.
    pub(crate) fn agree(&self, mine: &str, other: &Seen, others: &str) -> Result<(), Error> {
        let differ = |what: String| {
            let message = format!("`{others}` and `{mine}` do not agree: {what}");
            Err(Error::failed(message).help(
                "times of modes that do different things mean nothing; --modes leaves some out",
            ))
        };
        if self.compared == Compared::Lines {
            let sorted = |seen: &Seen| {
                let mut digests = seen.digests.clone();
                digests.sort_unstable();
                digests
            };
            return match sorted(self) == sorted(other) {
                true => Ok(()),
                false => differ("they write other lines".into()),
            };
        }
        if self.digests.len() != other.digests.len() {
            return differ(format!("{} results and {}", other.digests.len(), self.digests.len()));
        }
        let first = self.digests.iter().zip(&other.digests).position(|(a, b)| a != b);
        match first {
            None => Ok(()),
            Some(job) => differ(format!("job {job} is {} and {}", other.show(job), self.show(job))),
        }
    }

    fn show(&self, job: usize) -> String {
        let Some(end) = self.ends.get(job) else { return "another value".into() };
        let start = if job == 0 { 0 } else { self.ends[job - 1] };
        let text = String::from_utf8_lossy(&self.shown[start..*end]);
        match text.char_indices().nth(SHOWN_CHARS) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text.into_owned(),
        }
    }
}

/// Returns a value in a common form: Python writes 1e+16 where Rust writes 1e16. A value that is
/// not JSON is unchanged.
fn canonical(value: &[u8]) -> Vec<u8> {
    let parsed = serde_json::from_slice::<serde_json::Value>(value);
    parsed.and_then(|value| serde_json::to_vec(&value)).unwrap_or_else(|_| value.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(compared: Compared, results: &[&str]) -> Seen {
        let mut seen = Seen::new(compared);
        results.iter().for_each(|result| seen.add(Some(result.as_bytes())));
        seen
    }

    fn compare(compared: Compared, first: &[&str], second: &[&str]) -> Result<(), String> {
        let (first, second) = (seen(compared, first), seen(compared, second));
        second.agree("wasm reuse", &first, "python pool").map_err(|error| match error {
            Error::Failed(told) => told.text,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn values_are_compared_job_by_job_whatever_their_form() {
        let values = ["[1, 2.50]", "1e16", "{\"a\":1}"];
        assert_eq!(
            compare(Compared::Values, &values, &["[1,2.5]", "1e+16", "{ \"a\":1 }"]),
            Ok(())
        );
        assert_eq!(
            compare(Compared::Values, &values, &["[1,2.5]", "7", "{\"a\":1}"]).unwrap_err(),
            "`python pool` and `wasm reuse` do not agree: job 1 is 1e+16 and 7"
        );
        assert_eq!(
            compare(Compared::Values, &values, &["[1,2.5]"]).unwrap_err(),
            "`python pool` and `wasm reuse` do not agree: 3 results and 1"
        );
    }

    #[test]
    fn lines_are_compared_in_any_order_but_each_counts() {
        assert_eq!(compare(Compared::Lines, &["a\nb\n", "c\n"], &["c\na\nb\n"]), Ok(()));
        assert!(compare(Compared::Lines, &["a\n"], &["a\na\n"]).is_err());
        assert!(compare(Compared::Lines, &["a\n"], &["b\n"]).is_err());
    }
}
