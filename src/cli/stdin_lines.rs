//! stdin as messages: each line is one without its line feed, an empty line an empty message.
//!
//! It stands apart because reading stdin blocks in a way that no signal ends: a thread reads, so that Ctrl-C
//! ends the wait for a line. It must not know sockets.

use std::convert::Infallible;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// A line, or why it can't be read; `None` at the end.
type Line = Option<io::Result<Vec<u8>>>;

/// The lines of stdin, with a prompt where a person types them.
pub(super) struct StdinLines {
    lines: Receiver<Line>,
    end: SyncSender<Line>,
    prompt: bool,
    /// The end, if it came while nobody waited for a line.
    ended: Option<Line>,
}

impl StdinLines {
    /// Starts reading. A line longer than `longest` bytes is cut one byte later, to be refused by whoever
    /// sends it: what has no end is not collected.
    // Simplification: the refusal then names this size, not the line's own, whose end may never come.
    pub(super) fn new(longest: usize) -> StdinLines {
        let (end, lines) = sync_channel(1);
        let read = end.clone();
        thread::spawn(move || read_all(&mut io::stdin().lock(), longest as u64, &read));
        StdinLines { lines, end, prompt: io::stdin().is_terminal(), ended: None }
    }

    /// The same, for who shows a prompt of its own.
    pub(super) fn unprompted(longest: usize) -> StdinLines {
        StdinLines { prompt: false, ..StdinLines::new(longest) }
    }

    /// Ends the lines when called, even while one is waited for.
    pub(super) fn ender(&self) -> impl FnOnce() + Send + 'static {
        let end = self.end.clone();
        // If the queue is full, nobody is waiting, and whoever takes the line in it sees the stop by itself.
        move || drop(end.try_send(None))
    }

    /// Takes a line that nobody asked for, if one comes `within` this time; the end of stdin is kept for whoever asks.
    pub(super) fn take_unasked(&mut self, within: Duration) -> bool {
        if self.ended.is_some() {
            return false;
        }
        match self.lines.recv_timeout(within) {
            Ok(Some(Ok(_))) => true,
            Ok(end) => {
                self.ended = Some(end);
                false
            }
            Err(_) => false,
        }
    }

    /// The next line; as long as there is none, calls `meanwhile` this often.
    ///
    /// # Errors
    /// Those of `meanwhile`, which end the wait.
    pub(super) fn next_while<E>(
        &mut self,
        often: Duration,
        mut meanwhile: impl FnMut() -> Result<(), E>,
    ) -> Result<Line, E> {
        if self.prompt {
            // Without stderr there is nobody to prompt.
            let _ = write!(io::stderr(), "> ").and_then(|()| io::stderr().flush());
        }
        let line = loop {
            if let Some(end) = self.ended.take() {
                break end;
            }
            match self.lines.recv_timeout(often) {
                Ok(line) => break line,
                Err(RecvTimeoutError::Timeout) => meanwhile()?,
                Err(RecvTimeoutError::Disconnected) => break None,
            }
        };
        if self.prompt && line.is_none() {
            // What comes next begins on a line of its own.
            let _ = writeln!(io::stderr());
        }
        Ok(line)
    }
}

impl Iterator for StdinLines {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        let Ok(line) = self.next_while(Duration::MAX, || Ok::<(), Infallible>(()));
        line
    }
}

fn read_all(input: &mut impl BufRead, longest: u64, to: &SyncSender<Line>) {
    loop {
        let line = next_line(input, longest).transpose();
        let last = !matches!(line, Some(Ok(_)));
        // A receiver that is gone wants no more lines.
        if to.send(line).is_err() || last {
            return;
        }
    }
}

fn next_line(input: &mut impl BufRead, longest: u64) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if input.by_ref().take(longest.saturating_add(1)).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mut input: &[u8]) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| next_line(&mut input, 100).unwrap()).collect()
    }

    #[test]
    fn an_empty_line_is_a_message_and_the_last_needs_no_line_feed() {
        assert_eq!(lines(b"one\n\ntwo"), [&b"one"[..], b"", b"two"]);
        assert_eq!(lines(b"one\n"), [b"one"]);
        assert_eq!(lines(b"a\r\n\xff\n"), [&b"a\r"[..], b"\xff"], "bytes stay as they are");
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_line_without_end_is_not_collected() {
        let mut endless = io::BufReader::new(io::repeat(b'x'));
        assert_eq!(next_line(&mut endless, 100).unwrap().unwrap().len(), 101);
    }
}
