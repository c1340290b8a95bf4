//! Compares the jobs of a resumed run with those of its joblog, before anything is written.

use super::encode::{Differs, Encoder, Form};
use super::{Input, Origin};
use crate::cli::input::names::Names;
use crate::cli::output::resume::Skip;
use std::io;
use wpool::pool::feed::{Fill, InputQueue, Source};

/// The bytes of jobs that are compared at once.
const ROOM: usize = 64 << 10;

/// Finds the first job that differs from the job of the same number in the log. The jobs of a pipe
/// are not known yet, and are compared as they are read.
///
/// # Errors
/// Fails if a file cannot be read.
pub(crate) fn compare(
    origin: &Origin,
    names: &Names,
    form: Form,
    bytes_max: usize,
    skip: &Skip,
) -> io::Result<Option<Differs>> {
    let Some(last) = skip.last() else { return Ok(None) };
    let (origin, all) = origin.copy();
    let names = match &origin {
        Origin::Lines(lines) => lines.names(),
        Origin::Words { .. } | Origin::Range(_) => names.clone(),
    };
    let form = Form { files: false, ..form };
    let encoder = Encoder::new(form, bytes_max, Some(skip.clone()), names);
    let mut input = Input::new(origin, encoder.comparing());
    let mut inputs = InputQueue::default();
    while input.seen() <= last {
        match input.fill(&mut inputs, ROOM) {
            Ok(Fill::More) => (),
            Ok(Fill::Blocked | Fill::End) if input.seen() > last || !all => return Ok(None),
            Ok(Fill::Blocked | Fill::End) => {
                let place = format!("job {}", input.seen());
                return Ok(Some(Differs { place, text: None }));
            }
            Err(error) => return error.downcast::<Differs>().map(Some),
        }
        inputs.clear();
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::input::range::Range;
    use crate::cli::output::resume::Resume;

    fn told(range: &str) -> Option<String> {
        let row = |n: u64| format!("{}\t:\t0.0\t0.0\t1\t1\t0\t0\t{n}\n", n + 1);
        let log: String = (0..100_000).map(row).collect();
        let skip = Skip::read(log.as_bytes(), Resume::Rest, &[0], |_, _| ()).expect("a log").0;
        let range = Range::parse(range).expect("a range");
        let (origin, names) = (Origin::Range(range), Names::range(range, 1));
        let differs = compare(&origin, &names, Form::default(), 100, &skip).expect("readable");
        differs.map(|differs| differs.to_string())
    }

    #[test]
    fn jobs_may_be_added_and_the_first_that_differs_is_told() {
        assert_eq!(told("0..100000"), None);
        assert_eq!(told("0..=1000000"), None);
        assert_eq!(
            told("1..100001").as_deref(),
            Some("is of other jobs: job 0 is `1`, which it was not")
        );
        assert_eq!(
            told("0..70000").as_deref(),
            Some("is of other jobs: there is no job 70000 any more")
        );
    }
}
