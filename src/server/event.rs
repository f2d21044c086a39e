//! What the room server reports while it runs: a line for the operator, an object for programs.

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

use crate::net::ServerEvent;
use crate::protocol::Code;
use crate::text::{byte_count, counted, escape};

/// How much of a message an operator is shown, in bytes. Events wait in a queue while stdout is slow, and a few
/// thousand whole messages of 32 KiB would be more memory than the clients may ever cost.
const SAID: usize = 512;

/// What the room server reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// Of its connections, as every server does.
    Server(ServerEvent),
    /// Of its rooms, users and records.
    Room(RoomEvent),
}

impl From<ServerEvent> for Event {
    fn from(event: ServerEvent) -> Event {
        Event::Server(event)
    }
}

impl From<RoomEvent> for Event {
    fn from(event: RoomEvent) -> Event {
        Event::Room(event)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Server(event) => event.fmt(f),
            Event::Room(event) => event.fmt(f),
        }
    }
}

/// Something that happened in the rooms.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum RoomEvent {
    /// The server is ready.
    Serving {
        /// How many clients fit at a time.
        max_connections: usize,
    },
    /// A client has a name of its own.
    LoggedIn {
        /// Its address.
        peer: SocketAddr,
        /// The name.
        username: String,
    },
    /// A user is in a room.
    Joined {
        /// Who.
        username: String,
        /// Where.
        room: String,
    },
    /// A user has left a room.
    Left {
        /// Who.
        username: String,
        /// Where.
        room: String,
    },
    /// A user has said something.
    Said {
        /// Who.
        username: String,
        /// Where.
        room: String,
        /// What: at most the first 512 bytes of it.
        text: String,
        /// How many bytes it had.
        text_bytes: usize,
    },
    /// A user asks for a record.
    Handling {
        /// Who.
        username: String,
        /// `RECORD_READ` or `RECORD_WRITE`.
        request: &'static str,
        /// Which record.
        client_id: String,
    },
    /// A client was told of an error.
    Fault {
        /// Its address.
        peer: SocketAddr,
        /// The error's code.
        code: Code,
        /// The error's text.
        message: String,
    },
    /// Records were old and have a new stamp.
    RecordsRefreshed {
        /// Which.
        client_ids: Vec<String>,
        /// Records that left the index, with the reason: somebody removed or broke their files.
        lost: Vec<String>,
    },
    /// The disk refused something that no client waits for.
    StoreFailed {
        /// What and why.
        reason: String,
    },
}

impl RoomEvent {
    /// A message that was said, cut to what is shown.
    pub(super) fn said(username: String, room: String, mut text: String) -> RoomEvent {
        let text_bytes = text.len();
        let cut = (0..=SAID.min(text_bytes)).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(cut.unwrap_or(0));
        text.shrink_to_fit();
        RoomEvent::Said { username, room, text, text_bytes }
    }
}

impl fmt::Display for RoomEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoomEvent::Serving { max_connections } => {
                write!(f, "serving at most {}; Ctrl-C stops", counted(*max_connections as u64, "connection"))
            }
            RoomEvent::LoggedIn { peer, username } => write!(f, "logged in {peer} as {username}"),
            RoomEvent::Joined { username, room } => write!(f, "joined {room}: {username}"),
            RoomEvent::Left { username, room } => write!(f, "left {room}: {username}"),
            RoomEvent::Said { username, room, text, text_bytes } => {
                write!(f, "said in {room}: {username}: {}", escape(text.as_bytes()))?;
                match text_bytes - text.len() {
                    0 => Ok(()),
                    more => write!(f, "… (+{})", byte_count(more as u64)),
                }
            }
            RoomEvent::Handling { username, request, client_id } => {
                write!(f, "handling {request} of {client_id}: {username}")
            }
            RoomEvent::Fault { peer, code, message } => {
                write!(f, "error to {peer}: {}: {}", code.name(), escape(message.as_bytes()))
            }
            RoomEvent::RecordsRefreshed { client_ids, lost } => {
                let count = counted(client_ids.len() as u64, "record");
                write!(f, "refreshed {count}: {}", client_ids.join(", "))?;
                lost.iter().try_for_each(|lost| write!(f, "; lost {}", escape(lost.as_bytes())))
            }
            RoomEvent::StoreFailed { reason } => write!(f, "store failed: {}", escape(reason.as_bytes())),
        }
    }
}
