//! Lines that guests print: which stream they were written to.

/// Which of its standard streams a guest wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

impl Stream {
    /// How a frame's header tells it.
    pub(crate) fn code(self) -> u16 {
        self as u16
    }

    /// The stream that a frame's header tells, if it is one.
    pub(crate) fn from_code(code: u16) -> Option<Stream> {
        [Stream::Out, Stream::Err].into_iter().find(|stream| stream.code() == code)
    }
}
