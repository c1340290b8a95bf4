//! The parts of a line: how often, how long, and what a step does.

use std::str::FromStr;
use std::time::Duration;

use wpool_guest::Error;

/// A step: `[COUNT*] [within SECONDS] ACTION`.
#[derive(Debug, PartialEq)]
pub(crate) struct Step<'a> {
    /// The number of times that the action is done.
    pub(crate) count: u64,
    /// The time that the action may wait.
    pub(crate) within: Within,
    /// The rest of the line.
    pub(crate) action: Words<'a>,
}

/// The time that a step may wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Within {
    Forever,
    Now,
    Time(Duration),
}

impl Within {
    /// Calls the form of an operation that waits this long.
    pub(crate) fn of<T>(
        self,
        forever: impl FnOnce() -> Result<T, Error>,
        now: impl FnOnce() -> Result<T, Error>,
        time: impl FnOnce(Duration) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self {
            Within::Forever => forever(),
            Within::Now => now(),
            Within::Time(limit) => time(limit),
        }
    }

    /// Calls an operation that has no form of its own that does not wait.
    pub(crate) fn of_two<T>(
        self,
        forever: impl FnOnce() -> Result<T, Error>,
        time: impl FnOnce(Duration) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self {
            Within::Forever => forever(),
            Within::Now => time(Duration::ZERO),
            Within::Time(limit) => time(limit),
        }
    }
}

impl Step<'_> {
    pub(crate) fn parse(line: &str) -> Result<Step<'_>, String> {
        let mut step = Step { count: 1, within: Within::Forever, action: Words(line) };
        let mut words = step.action;
        if let Some(count) = words.next().and_then(|word| word.strip_suffix('*')) {
            step.count = parse(count)?;
            step.action = words;
        }
        words = step.action;
        if words.next() == Some("within") {
            step.within = match words.seconds()? {
                Duration::ZERO => Within::Now,
                time => Within::Time(time),
            };
            step.action = words;
        }
        Ok(step)
    }
}

/// The words of a line that have not been read yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    /// Returns the next word, if there is one.
    pub(crate) fn next(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let word;
        (word, self.0) = rest.split_at(end);
        (!word.is_empty()).then_some(word)
    }

    /// Returns the next word, which has to be there.
    pub(crate) fn word(&mut self) -> Result<&'a str, String> {
        self.next().ok_or_else(|| "there is a word missing".to_owned())
    }

    /// Returns the next word as a number.
    pub(crate) fn number<T: FromStr>(&mut self) -> Result<T, String> {
        parse(self.word()?)
    }

    /// Returns the next word as a time.
    pub(crate) fn seconds(&mut self) -> Result<Duration, String> {
        let word = self.word()?;
        let seconds = Duration::try_from_secs_f64(parse(word)?);
        seconds.map_err(|error| format!("{word:?}: {error}"))
    }

    /// Takes the next word if it is this one.
    pub(crate) fn flag(&mut self, flag: &str) -> bool {
        let mut words = *self;
        let is_next = words.next() == Some(flag);
        if is_next {
            *self = words;
        }
        is_next
    }

    /// Returns everything that is left, without the space that separates it.
    pub(crate) fn rest(self) -> &'a str {
        self.0.strip_prefix(' ').unwrap_or(self.0)
    }

    /// Returns an error if anything is left.
    pub(crate) fn end(self) -> Result<(), String> {
        match self.0.trim() {
            "" => Ok(()),
            more => Err(format!("{more:?} is more than it takes")),
        }
    }
}

fn parse<T: FromStr>(word: &str) -> Result<T, String> {
    let kind = std::any::type_name::<T>();
    word.parse().map_err(|_| format!("{word:?} is no number of type {kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_a_count_and_a_time_or_not() {
        let step = Step::parse("20* within 0.5 lock guard acquire").unwrap();
        assert_eq!((step.count, step.within), (20, Within::Time(Duration::from_millis(500))));
        assert_eq!(step.action.rest(), "lock guard acquire");
        let step = Step::parse("within 0 event e wait").unwrap();
        assert_eq!((step.count, step.within), (1, Within::Now));
        let step = Step::parse("event e wait").unwrap();
        assert_eq!((step.count, step.within), (1, Within::Forever));
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        assert_eq!(Step::parse("x* slot").unwrap_err(), r#""x" is no number of type u64"#);
        assert!(Step::parse("within -1 slot").unwrap_err().starts_with("\"-1\": "));
        assert_eq!(Step::parse("within").unwrap_err(), "there is a word missing");
    }

    #[test]
    fn words_are_taken_one_by_one_and_the_rest_as_it_is() {
        let mut words = Words("put  first  {\"a\": 1} ");
        assert_eq!(words.word(), Ok("put"));
        assert!(!words.flag("second") && words.flag("first"));
        assert_eq!(words.rest(), " {\"a\": 1} ");
        assert!(words.end().is_err());
        assert_eq!(
            (words.next(), words.number()),
            (Some("{\"a\":"), Ok::<_, String>("1}".to_owned()))
        );
        assert_eq!((words.next(), words.end()), (None, Ok(())));
    }
}
