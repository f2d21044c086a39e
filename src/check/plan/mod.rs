//! Plans: messages, and the way in which they are played. From a plan and a dialect comes a script, mechanically:
//! that is what replays an exercise's messages whole, coalesced, cut anywhere, with pauses, by several clients.
//!
//! | file          | what it writes                                                    |
//! |---------------|-------------------------------------------------------------------|
//! | `dialect.rs`  | nothing: how an exercise speaks                                    |
//! | `writer.rs`   | from a way to its steps, and the steps that all ways share         |
//! | `pieces.rs`   | streams in other pieces than their messages                        |
//! | `clients.rs`  | clients that come and go, take turns, wait, or misbehave           |
//! | `load.rs`     | much data, and answers that nobody reads for a while               |
//!
//! The rule behind all of them: the same bytes give the same answers, however they are cut.

mod clients;
mod dialect;
mod load;
mod pieces;
mod writer;

use super::codec::{Codec, Wire};
use super::script::Script;
pub(super) use clients::interleaved_payload;
pub use dialect::{Dialect, Turn};
pub(super) use load::SLOW_LOAD;

/// How messages are played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// One after the other, each one answered before the next.
    Whole,
    /// All in one send, with what a client says first.
    Coalesced,
    /// The first message is cut at these offsets; those behind it come whole, one after the other.
    Cut(Vec<usize>),
    /// The first message is cut at this offset, with a long pause there.
    Paused(usize),
    /// All in one stream, which is cut at this offset: pieces and messages overlap.
    Straddled(usize),
    /// Byte by byte.
    Bytes,
    /// The client ends its side after the last byte.
    HalfClosed,
    /// By one client after the other, each of whom leaves.
    Successive,
    /// By several clients at once, in turns, with messages in two pieces.
    Interleaved,
    /// The first client connects and says nothing, while the second asks.
    Silent,
    /// By three clients, whole messages, of whom each one stays.
    Crowd,
    /// The second client asks while the first is connected, and is answered only when that has left.
    Waiting,
    /// Answers are not read until the server can send no more of them.
    SlowReader,
    /// These bytes first, by a client who then ends; then the messages, by a new client.
    AfterBad(Vec<u8>),
    /// These bytes first, by a client who then resets its connection; then the messages, by a new client.
    AfterReset(Vec<u8>),
    /// Messages, then the server is left alone with its client.
    Idle,
    /// Messages, the client leaves, and then the server is left alone.
    IdleAfter,
    /// The last message is answered only after one more has come. Played after a silence, to find out why.
    Nudged,
    /// All but the last in one send, and the last one a moment later.
    Late,
    /// As the exercise has it written down, to find out one thing.
    Probe(Probe),
}

/// What a script of an exercise's own finds out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Whether the program listens. Nothing is sent.
    Listens,
    /// Whether rules of the protocol are kept.
    Rules,
    /// What becomes of a client that sends nothing of the right digest.
    WrongDigest,
    /// What becomes of a client that sends a part of the right digest.
    PartialDigest,
    /// Whether two clients get the same challenge.
    FreshChallenge,
    /// Whether a client that has left is still counted.
    GoneMember,
    /// Whether a name leads out of the server's folder.
    OutsidePath,
    /// What becomes of a message with nothing in it.
    EmptyFrame,
    /// Whether a long text comes back as it was kept.
    LongText,
}

/// Messages and the way to play them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The payloads.
    pub messages: Vec<Vec<u8>>,
    /// How they are played.
    pub way: Way,
    /// Sent as a program would mean it that misreads the exercise; `None`: as the exercise has it.
    pub misread: Option<Misread>,
}

/// Another reading of the wire, to be tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misread {
    /// How requests are sent.
    pub asks: Codec,
    /// How answers are read.
    pub answers: Codec,
}

impl Plan {
    /// A plan.
    #[must_use]
    pub fn new(way: Way, messages: &[&[u8]]) -> Plan {
        Plan { messages: messages.iter().map(|m| m.to_vec()).collect(), way, misread: None }
    }

    /// The script that plays it.
    #[must_use]
    pub fn script(&self, dialect: &dyn Dialect) -> Script {
        writer::write(self, dialect)
    }

    /// The messages' bytes as one stream.
    #[must_use]
    pub fn stream(&self, dialect: &dyn Dialect) -> Wire {
        let mut wire = Wire::default();
        let codec = self.misread.map_or(dialect.codec(), |misread| misread.asks);
        for message in &self.messages {
            wire.append(&codec.encode(&dialect.ask(0, message).payload));
        }
        wire
    }
}
