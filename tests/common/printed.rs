//! The output of a run, collected as it comes.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// The bytes that a run has printed.
#[derive(Clone, Default)]
pub(crate) struct Printed(Arc<Mutex<Vec<u8>>>);

impl Printed {
    /// Collects what comes from a pipe, in its own thread.
    pub(crate) fn keep(&self, mut pipe: impl Read + Send + 'static) -> JoinHandle<()> {
        let kept = self.clone();
        thread::spawn(move || {
            let mut piece = vec![0; 64 << 10];
            // A terminal whose other end is closed is an error, not an end.
            while let Ok(size @ 1..) = pipe.read(&mut piece) {
                kept.0.lock().expect("no reader panics").extend_from_slice(&piece[..size]);
            }
        })
    }

    /// Returns what was printed so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("no reader panics").clone()
    }

    /// Returns what was printed so far, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}
