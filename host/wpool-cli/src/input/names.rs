//! The names of jobs in messages, tags and logs: their places in the input.
//!
//! The source knows where a job comes from and the sink needs to print it, so they share the names.

use super::product::Product;
use super::range::Range;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The names of jobs.
#[derive(Clone, Debug)]
pub(crate) struct Names(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    origin: Naming,
    /// The paths of the files (`--files`) whose jobs have no outcome yet.
    files: RefCell<HashMap<u64, Vec<u8>>>,
}

#[derive(Debug)]
enum Naming {
    /// Words, which name themselves.
    Words(Option<Product>),
    /// Integers, and the number of them in a job.
    Range(Range, u64),
    /// Records of files: for each file, the number of its first job and the file's name.
    Records {
        noun: &'static str,
        /// The number of records in a job.
        each: u64,
        /// The number of records before the first job of a file.
        before: u64,
        starts: RefCell<Vec<(u64, String)>>,
    },
}

impl Names {
    /// Makes names of jobs that are given on the command line.
    pub(crate) fn words() -> Self {
        Names::new(Naming::Words(None))
    }

    /// Makes names of jobs that are combinations of words.
    pub(crate) fn product(product: Product) -> Self {
        Names::new(Naming::Words(Some(product)))
    }

    /// Makes names of jobs that are `each` integers.
    pub(crate) fn range(range: Range, each: u64) -> Self {
        Names::new(Naming::Range(range, each))
    }

    /// Makes names of jobs that are `each` records of files. In each file, `before` records stand
    /// before the first job; `noun` is the word for a record.
    pub(crate) fn records(noun: &'static str, each: u64, before: u64) -> Self {
        Names::new(Naming::Records { noun, each, before, starts: RefCell::default() })
    }

    fn new(origin: Naming) -> Self {
        Names(Rc::new(Inner { origin, files: RefCell::default() }))
    }

    /// Makes names of the same kind that know no file yet.
    pub(crate) fn anew(&self) -> Self {
        match &self.0.origin {
            Naming::Records { noun, each, before, .. } => Names::records(noun, *each, *before),
            Naming::Words(_) | Naming::Range(..) => self.clone(),
        }
    }

    /// Records that job `first` and those after it come from this file.
    pub(crate) fn started(&self, first: u64, file: &str) {
        if let Naming::Records { starts, .. } = &self.0.origin {
            starts.borrow_mut().push((first, file.to_owned()));
        }
    }

    /// Records the path of the file whose bytes are this job.
    pub(crate) fn opened(&self, job: u64, path: &[u8]) {
        self.0.files.borrow_mut().insert(job, path.to_vec());
    }

    /// Returns the path that was recorded for this job.
    pub(crate) fn path(&self, job: u64) -> Option<Vec<u8>> {
        self.0.files.borrow().get(&job).cloned()
    }

    /// Takes the path that was recorded for this job.
    pub(crate) fn take_path(&self, job: u64) -> Option<Vec<u8>> {
        self.0.files.borrow_mut().remove(&job)
    }

    /// Returns the job's place in the input, without the job itself.
    pub(crate) fn position(&self, job: u64) -> String {
        match &self.0.origin {
            Naming::Records { .. } => self.place(job),
            _ => format!("job {job}"),
        }
    }

    /// Returns whether places are positions, which do not tell the job itself.
    pub(crate) fn are_positions(&self) -> bool {
        matches!(self.0.origin, Naming::Records { .. })
    }

    /// Returns the job's place in the input, for people; not yet escaped.
    pub(crate) fn place(&self, job: u64) -> String {
        match &self.0.origin {
            Naming::Words(Some(product)) if job < product.len() => {
                let mut words = Vec::new();
                product.words(job, &mut words);
                shorten(&String::from_utf8_lossy(&words.join(&b' ')))
            }
            Naming::Words(_) => String::new(),
            Naming::Range(range, each) => range.at(job * each).to_string(),
            Naming::Records { noun, each, before, starts } => {
                let starts = starts.borrow();
                let file = starts.partition_point(|(first, _)| *first <= job);
                match file.checked_sub(1).map(|file| &starts[file]) {
                    Some((first, name)) => {
                        let record = (job - first) * each + before + 1;
                        format!("{noun} {record} of {name}")
                    }
                    None => String::new(),
                }
            }
        }
    }
}

/// Returns the text, or its beginning if it is long.
pub(crate) fn shorten(text: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_called_by_its_file_and_its_number_there() {
        let names = Names::records("line", 1, 0);
        names.started(0, "a.txt");
        names.started(3, "empty.txt");
        names.started(3, "b.txt");
        assert_eq!(names.place(2), "line 3 of a.txt");
        assert_eq!(names.place(3), "line 1 of b.txt");
    }

    #[test]
    fn a_job_of_several_records_is_called_by_the_first() {
        let names = Names::records("line", 3, 1);
        names.started(0, "a.txt");
        assert_eq!(names.place(2), "line 8 of a.txt");
    }

    #[test]
    fn an_integer_of_a_range_is_called_by_its_value() {
        let range = Range::parse("10..0..-2").expect("a valid range");
        assert_eq!(Names::range(range, 1).place(2), "6");
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(shorten(&"ж".repeat(100)).chars().count(), 61);
    }

    #[test]
    fn a_path_is_kept_until_it_is_taken() {
        let names = Names::words();
        names.opened(7, b"x");
        assert_eq!(names.take_path(7), Some(b"x".to_vec()));
        assert_eq!(names.take_path(7), None);
    }
}
