//! A child's output: all of it is read, so that it never blocks on a full pipe, and little of it is kept.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Bytes kept from the beginning: what a client printed is judged by it.
const HEAD: usize = 256 << 10;
/// Bytes kept from the end: a traceback stands there.
const TAIL: usize = 16 << 10;

/// What is kept of a stream.
#[derive(Debug, Default)]
pub(super) struct Capture {
    head: Vec<u8>,
    tail: Vec<u8>,
    total: u64,
    ended: bool,
}

/// A copy of what was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The beginning, at most 256 KiB.
    pub head: Vec<u8>,
    /// The end, at most 16 KiB; it overlaps with the beginning of a short stream.
    pub tail: Vec<u8>,
    /// How many bytes there were.
    pub total: u64,
    /// True after the end: nobody holds the pipe any more.
    pub ended: bool,
}

impl Capture {
    fn add(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = (HEAD - self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.tail.extend_from_slice(bytes);
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
    }
}

/// Reads a pipe to its end on a thread of its own. The thread ends with the last holder of the pipe.
pub(super) fn drain(pipe: Option<impl Read + Send + 'static>, into: &Arc<Mutex<Capture>>) -> io::Result<()> {
    let (Some(mut pipe), shared) = (pipe, into.clone()) else { return Ok(()) };
    let read = move || {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(read) = pipe.read(&mut buffer) {
            if read == 0 {
                break;
            }
            lock(&shared).add(&buffer[..read]);
        }
        lock(&shared).ended = true;
    };
    thread::Builder::new().spawn(read).map(drop)
}

pub(super) fn look(capture: &Mutex<Capture>) -> Captured {
    let capture = lock(capture);
    Captured {
        head: capture.head.clone(),
        tail: capture.tail.clone(),
        total: capture.total,
        ended: capture.ended,
    }
}

/// Adds netlab's own words.
pub(super) fn note(capture: &Mutex<Capture>, words: &[u8]) {
    lock(capture).add(words);
}

fn lock(capture: &Mutex<Capture>) -> MutexGuard<'_, Capture> {
    // Bytes stay bytes, whoever panicked while he held them.
    capture.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_stream_takes_little_memory() {
        let mut capture = Capture::default();
        for n in 0..10_000_u32 {
            capture.add(format!("{n:0100}").as_bytes());
        }
        assert_eq!((capture.head.len(), capture.tail.len(), capture.total), (HEAD, TAIL, 1_000_000));
        assert!(capture.tail.ends_with(b"0009999"));
    }
}
