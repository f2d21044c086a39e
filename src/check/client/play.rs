//! One play: what the program is given, what has to come, what the server says, and how it says that. Plain data.

use serde_json::Value;

use crate::check::codec::{Codec, Wire};
use crate::check::expect::covers;

/// How the server sends what it has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Each message in a send of its own.
    Whole,
    /// The same, after a pause.
    Late,
    /// Each answer in two pieces.
    Cut(usize),
    /// The greeting in two pieces.
    CutGreeting(usize),
    /// Everything byte by byte.
    Bytes,
    /// Everything that is owed in one send: all answers, if the client asks on while it waits.
    Coalesced,
    /// What nobody asked for comes between a request and its answer.
    Pushed,
    /// What nobody asked for comes while the program's stdin is silent.
    Unasked,
    /// The client is read slowly, through a small buffer.
    Slow,
    /// So many bytes of the first answer, and then the end.
    ClosesAfter(usize),
    /// A reset in place of the first answer.
    Resets,
    /// Nobody listens.
    Refuses,
}

/// What has to be seen before a play is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// The client comes.
    Connection,
    /// Messages and printed answers.
    Answers,
    /// The same, and the program's end with exit status 0.
    Exit,
    /// Some end of the program, whatever it printed.
    AnyEnd,
}

/// A message that has to come.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Want {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A JSON object with at least these members.
    Json(Value),
}

impl Want {
    /// True if `message` will do.
    pub(super) fn fits(&self, message: &[u8]) -> bool {
        match self {
            Want::Bytes(bytes) => bytes == message,
            Want::Json(members) => serde_json::from_slice(message).is_ok_and(|found| covers(members, &found)),
        }
    }
}

/// A message of the server.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub(super) payload: Vec<u8>,
    /// What the program prints of it; `None`: nothing.
    pub(super) shown: Option<Vec<u8>>,
}

impl Said {
    /// A payload that is printed as it is.
    pub(super) fn plain(payload: &[u8]) -> Said {
        Said { payload: payload.to_vec(), shown: Some(payload.to_vec()) }
    }
}

/// A message of the client, and what the server says then.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Turn {
    /// The line of stdin that asks for it, if one does.
    pub(super) line: Option<Vec<u8>>,
    pub(super) wanted: Want,
    pub(super) says: Vec<Said>,
}

/// One play.
#[derive(Clone, Debug)]
pub(super) struct Play {
    /// What the server says first, as it stands on the wire.
    pub(super) greeting: Vec<u8>,
    /// The lines that the program prints of it.
    pub(super) greeted: Vec<Vec<u8>>,
    pub(super) turns: Vec<Turn>,
    /// Comes behind the first turn, by [`Way::Unasked`].
    pub(super) push: Option<Said>,
    pub(super) way: Way,
    pub(super) asks: Asks,
    /// A line is given when the one before it was answered, and the end of stdin last.
    pub(super) one_by_one: bool,
    /// The server ends its side after its last answer, without waiting for the client's end.
    pub(super) ends: bool,
    /// How messages stand on the wire.
    pub(super) codec: Codec,
    /// Each message is so many bytes, where the codec does not tell.
    pub(super) fixed: Option<usize>,
}

impl Play {
    /// The first message of `bytes`.
    pub(super) fn decode(&self, bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
        match self.fixed {
            Some(size) => Ok(bytes.get(..size).map(|message| (message.to_vec(), size))),
            None => self.codec.decode(bytes),
        }
    }

    /// What the server says to message number `number`, each message on the wire.
    pub(super) fn says(&self, number: usize) -> Vec<Wire> {
        self.turns[number].says.iter().map(|said| self.codec.encode(&said.payload)).collect()
    }

    /// The same in one piece.
    pub(super) fn answer(&self, number: usize) -> Wire {
        let mut wire = Wire::default();
        self.says(number).iter().for_each(|said| wire.append(said));
        wire
    }

    /// The lines that have to be printed. Behind the last turn that was answered, nothing more is.
    pub(super) fn printed(&self) -> Vec<Vec<u8>> {
        let mut said: Vec<&Said> = self.turns.iter().flat_map(|turn| &turn.says).collect();
        if let Some(push) = &self.push {
            said.insert(self.turns.first().map_or(0, |turn| turn.says.len()), push);
        }
        let shown = said.into_iter().filter_map(|said| said.shown.clone());
        self.greeted.iter().cloned().chain(shown).collect()
    }

    /// The lines of the program's stdin.
    pub(super) fn lines(&self) -> Vec<&[u8]> {
        self.turns.iter().filter_map(|turn| turn.line.as_deref()).collect()
    }

    /// The program's stdin.
    pub(super) fn stdin(&self) -> Vec<u8> {
        self.lines().iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect()
    }

    /// True if the client sends nothing but ASCII.
    pub(super) fn is_ascii(&self) -> bool {
        self.lines().iter().all(|line| line.is_ascii())
    }

    pub(super) fn by(mut self, way: Way) -> Play {
        self.way = way;
        self
    }

    pub(super) fn asking(mut self, asks: Asks) -> Play {
        self.asks = asks;
        self
    }

    pub(super) fn line_by_line(mut self) -> Play {
        self.one_by_one = true;
        self
    }
}
