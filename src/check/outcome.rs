//! What was observed while a script was played. Plain data: the diagnosis and the report read it.

use std::time::Duration;

use super::codec::Field;
use super::expect::Expect;
use crate::process::Exit;

/// How a connection ended, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The server ended its side (FIN).
    Fin,
    /// The server reset the connection.
    Reset,
}

/// Something that happened, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Since the script began.
    pub at: Duration,
    /// The client that saw it.
    pub client: usize,
    /// What it was.
    pub what: What,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A client connected.
    Opened,
    /// A client sent these bytes of its stream.
    Sent {
        /// The first, in [`Talk::sent`].
        start: usize,
        /// The one behind the last.
        end: usize,
        /// Their names, counted from `start`.
        fields: Vec<Field>,
    },
    /// A client received these bytes of its stream.
    Received {
        /// The first, in [`Talk::received`].
        start: usize,
        /// The one behind the last.
        end: usize,
    },
    /// What was sent was read by the server before the script went on; false: it was not, in time.
    Taken(bool),
    /// The script waited.
    Paused(Duration),
    /// A client ended its sending side.
    HalfClosed,
    /// A client closed.
    Closed,
    /// A client reset its connection.
    Reset,
    /// The server ended its side.
    Ended(Ended),
    /// An answer was complete.
    Answered,
}

/// The bytes of one client.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Talk {
    /// All that it sent.
    pub sent: Vec<u8>,
    /// All that it received.
    pub received: Vec<u8>,
    /// The server's end, if that came.
    pub ended: Option<Ended>,
    /// How many received bytes were right.
    pub right: usize,
    /// Every answer that was expected so far, in order; the last one may be missing.
    pub expected: Vec<Expect>,
    /// For datagrams: where each of them ends in `received`.
    pub ends: Vec<usize>,
}

/// Why an exchange failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// Nobody accepts connections.
    Refused,
    /// An answer is wrong from this byte of `received` on.
    Wrong {
        /// The byte's offset.
        at: usize,
        /// What is wrong with it.
        why: String,
    },
    /// An answer did not come, or not whole, although the connection is open.
    Silent,
    /// The server ended the connection instead of answering.
    Gone(Ended),
    /// Bytes came that nobody asked for.
    Unasked {
        /// Their offset in `received`.
        at: usize,
    },
    /// The server did not end its side.
    StaysOpen,
    /// The server does not take what is sent to it.
    Unread,
    /// It used this share of a processor (in percent) while idle.
    Busy(u32),
    /// Something outside of the connection is wrong: a file that should not be there.
    Trace(String),
}

/// What was observed.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Each client's bytes.
    pub talks: Vec<Talk>,
    /// What happened.
    pub events: Vec<Event>,
    /// The first thing that was not as expected, and whose.
    pub failure: Option<(usize, Failure)>,
    /// What was found outside of the server's folder, if that is not as it was.
    pub trace: Option<String>,
    /// The program's end, if it ended.
    pub exit: Option<Exit>,
    /// The end of what the program wrote to stderr.
    pub stderr: Vec<u8>,
    /// How long it took.
    pub took: Duration,
}

impl Outcome {
    /// True if all was as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }

    /// What is worth keeping of it as evidence: of what passed, that it passed.
    #[must_use]
    pub fn thin(self) -> Outcome {
        if self.passed() { Outcome { took: self.took, ..Outcome::default() } } else { self }
    }

    /// The client that failed.
    #[must_use]
    pub fn failed_talk(&self) -> Option<&Talk> {
        self.failure.as_ref().and_then(|(client, _)| self.talks.get(*client))
    }

    /// What was received by the client that failed, behind the last right byte of a whole answer.
    #[must_use]
    pub fn wrong_bytes(&self) -> &[u8] {
        self.failed_talk().map_or(&[], |talk| &talk.received[talk.right.min(talk.received.len())..])
    }

    /// The answer that the client that failed was waiting for.
    #[must_use]
    pub fn missing(&self) -> Option<&Expect> {
        self.failed_talk().and_then(|talk| talk.expected.last())
    }

    /// The line of stderr that says most about the program's end, escaped; empty if there is none.
    #[must_use]
    pub fn last_words(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        // A stack or a version may stand behind what was raised.
        let raised = |line: &&str| ["Error", "Exception", "panicked"].iter().any(|word| line.contains(word));
        let line = lines().rfind(raised).or_else(|| lines().next_back()).unwrap_or_default();
        crate::text::excerpt(line.as_bytes(), 120)
    }

    /// True if the failure is that an answer did not come, while the program ran on.
    #[must_use]
    pub fn silent(&self) -> bool {
        matches!(self.failure, Some((_, Failure::Silent))) && self.exit.is_none()
    }
}
