//! What was seen of a client in one run, and what is wrong with it. Plain data and pure functions.

use std::time::Duration;

use super::play::{Asks, Play};
use crate::check::codec::Field;
use crate::process::Exit;

/// Something that happened on the connection, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Did {
    Connects,
    /// Bytes came from the client.
    Sends(Vec<u8>),
    /// The server sent these.
    Gets(Vec<u8>, Vec<Field>),
    /// The server waited until they were read.
    Waits,
    Paused(Duration),
    ServerEnds,
    ServerResets,
}

/// Why the play did not get to its end.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    /// Nothing came to the port.
    NoConnection,
    /// Bytes that are no message, and why.
    Garbled(String),
    /// This message is another one than it should be.
    Wrong(usize),
    /// The next message did not come, or not whole.
    Silent,
    /// The first message came when stdin had ended, not before.
    Hoards,
    /// The client ended its side before its last message.
    Ended,
    /// The connection was reset.
    Reset,
    /// More than any client should say.
    Flood,
    /// The client does not read.
    Unread,
    /// More came than the messages.
    Surplus(Vec<u8>),
    /// What came while stdin was silent was not printed: something that nobody had asked for, or an answer.
    Unshown {
        push: bool,
        /// The next line of stdin brought it to light.
        later: bool,
    },
}

/// What is wrong with a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wrong {
    /// On the connection.
    Talk(Fault),
    /// From this line on, something else was printed than what came.
    Printed(usize),
    /// It did not end.
    Lives,
    /// It ended, and not with 0.
    Exit(Exit),
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) did: Vec<Did>,
    pub(super) received: Vec<u8>,
    pub(super) messages: Vec<Vec<u8>>,
    pub(super) fault: Option<Fault>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) exit: Option<Exit>,
    /// The share of a processor that it used while it did not end, in percent.
    pub(super) busy: Option<u128>,
}

impl Seen {
    pub(super) fn note(&mut self, did: Did) {
        self.did.push(did);
    }

    pub(super) fn received(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
        self.did.push(Did::Sends(bytes.to_vec()));
    }

    pub(super) fn sent(&mut self, bytes: &[u8], fields: &[Field]) {
        self.did.push(Did::Gets(bytes.to_vec(), fields.to_vec()));
    }

    /// What is wrong, if something is.
    pub(super) fn wrong(&self, play: &Play) -> Option<Wrong> {
        if play.asks != Asks::AnyEnd
            && let Some(fault) = &self.fault
        {
            return Some(Wrong::Talk(fault.clone()));
        }
        match play.asks {
            Asks::Connection => return None,
            // Before the server's end, everything has to be as it should.
            Asks::AnyEnd => {
                let fault = self.fault.clone().filter(|fault| *fault != Fault::Reset);
                let lives = self.exit.is_none().then_some(Wrong::Lives);
                return fault.map(Wrong::Talk).or(lives);
            }
            Asks::Answers | Asks::Exit => {}
        }
        let texts = play.printed();
        let (lines, wanted) = (lines(&self.stdout), lines_of(&texts));
        if lines != wanted {
            let same = lines.iter().zip(&wanted).take_while(|(line, wanted)| line == wanted).count();
            return Some(Wrong::Printed(same));
        }
        match (play.asks, self.exit) {
            (Asks::Exit, None) => Some(Wrong::Lives),
            (Asks::Exit, Some(exit)) if exit != Exit::Code(0) => Some(Wrong::Exit(exit)),
            _ => None,
        }
    }
}

/// The lines that were printed; `\r\n` ends one too, as Python writes it on Windows.
pub(super) fn lines(stdout: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = stdout.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|rest| rest.is_empty()) {
        lines.pop();
    }
    lines.into_iter().map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect()
}

/// True if all texts are printed.
pub(super) fn printed_all(stdout: &[u8], texts: &[Vec<u8>]) -> bool {
    lines(stdout) == lines_of(texts)
}

/// Texts as lines: one may have several.
pub(super) fn lines_of(texts: &[Vec<u8>]) -> Vec<&[u8]> {
    texts.iter().flat_map(|text| text.split(|byte| *byte == b'\n')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_they_are_printed() {
        assert_eq!(lines(b"a\r\n\nb\n"), [&b"a"[..], b"", b"b"]);
        assert_eq!(lines(b"a"), [b"a"]);
        assert!(lines(b"").is_empty());
        assert!(printed_all(b"x\n", &[b"x".to_vec()]) && !printed_all(b"x\n\n", &[b"x".to_vec()]));
    }
}
