//! Lines that guests print, with their streams, and their encoding for several lines at once.

/// The standard stream that a guest wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

impl Stream {
    /// Returns the code of the stream in a frame's header.
    pub fn code(self) -> u16 {
        self as u16
    }

    /// Returns the stream with this code, if there is one.
    pub fn from_code(code: u16) -> Option<Stream> {
        [Stream::Out, Stream::Err].into_iter().find(|stream| stream.code() == code)
    }
}

/// A line, without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The stream that the line was written to.
    pub stream: Stream,
    /// The text, which need not be UTF-8.
    pub bytes: Vec<u8>,
}

/// Encodes lines: for each line its stream (`u16 LE`), its length (`u32 LE`), and its bytes.
pub fn encode(lines: &[Line]) -> Vec<u8> {
    let mut encoded = Vec::new();
    for Line { stream, bytes } in lines {
        encoded.extend_from_slice(&stream.code().to_le_bytes());
        encoded.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        encoded.extend_from_slice(bytes);
    }
    encoded
}

/// Decodes lines, up to the first bytes that are no line.
pub fn decode(mut encoded: &[u8]) -> Vec<Line> {
    let mut lines = Vec::new();
    while let Some((line, rest)) = decode_one(encoded) {
        lines.push(line);
        encoded = rest;
    }
    lines
}

fn decode_one(encoded: &[u8]) -> Option<(Line, &[u8])> {
    let (code, rest) = encoded.split_first_chunk::<2>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (bytes, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let stream = Stream::from_code(u16::from_le_bytes(*code))?;
    Some((Line { stream, bytes: bytes.to_vec() }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_and_torn_ones_are_dropped() {
        let line = |stream, bytes: &[u8]| Line { stream, bytes: bytes.to_vec() };
        let lines = [line(Stream::Out, b"one"), line(Stream::Err, b""), line(Stream::Out, b"\xff")];
        let encoded = encode(&lines);
        assert_eq!(decode(&encoded), lines);
        assert_eq!(decode(&encoded[..encoded.len() - 1]), lines[..2]);
        assert_eq!(decode(&[7, 0, 0, 0, 0, 0]), []);
    }
}
