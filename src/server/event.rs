//! What the room server reports while it runs: a line for the operator, an object for programs.

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

use crate::net::OptionReading;
use crate::net::reactor::Step;
use crate::protocol::Code;
use crate::text::{byte_count, counted, escape};

/// How much of a message an operator is shown, in bytes. Events wait in a queue while stdout is slow, and a few
/// thousand whole messages of 32 KiB would be more memory than the clients may ever cost.
const SAID: usize = 512;

/// Something that happened in the server.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The first event: clients can come.
    Listening {
        /// The bound address.
        address: SocketAddr,
        /// `tcp`.
        transport: &'static str,
    },
    /// The socket's options, where they were asked for.
    SocketOptions {
        /// Each option.
        options: Vec<OptionReading>,
    },
    /// A client has connected.
    Connected {
        /// Its address.
        peer: SocketAddr,
    },
    /// A client was turned away.
    Refused {
        /// Its address.
        peer: SocketAddr,
        /// Why.
        reason: String,
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
        /// What: at most the first [`SAID`] bytes of it.
        text: String,
        /// How many bytes it had.
        text_bytes: usize,
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
    /// A client is gone.
    Disconnected {
        /// Its address.
        peer: SocketAddr,
        /// Bytes received from it.
        received_bytes: u64,
        /// Bytes sent to it.
        sent_bytes: u64,
        /// How long it was connected.
        duration_ms: u64,
        /// Why, unless it simply left.
        reason: Option<String>,
    },
    /// No connections are accepted for now.
    AcceptPaused {
        /// Why.
        reason: String,
    },
    /// Connections are accepted again.
    AcceptResumed {},
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
    /// What the loop did, where it is traced.
    Trace(Step),
    /// The last event.
    Stopped {
        /// Connections served in all.
        connections: u64,
        /// Bytes received in all.
        received_bytes: u64,
        /// Bytes sent in all.
        sent_bytes: u64,
    },
}

impl Event {
    /// A message that was said, cut to what is shown.
    pub(super) fn said(username: String, room: String, mut text: String) -> Event {
        let text_bytes = text.len();
        let cut = (0..=SAID.min(text_bytes)).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(cut.unwrap_or(0));
        text.shrink_to_fit();
        Event::Said { username, room, text, text_bytes }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Listening { address, transport } => write!(f, "listening on {address} ({transport})"),
            Event::SocketOptions { options } => {
                write!(f, "socket options: as the kernel reports them")?;
                options.iter().try_for_each(|option| write!(f, "\n  {option}"))
            }
            Event::Connected { peer } => write!(f, "connected {peer}"),
            Event::Refused { peer, reason } => write!(f, "refused {peer}: {reason}"),
            Event::LoggedIn { peer, username } => write!(f, "logged in {peer} as {username}"),
            Event::Joined { username, room } => write!(f, "joined {room}: {username}"),
            Event::Left { username, room } => write!(f, "left {room}: {username}"),
            Event::Said { username, room, text, text_bytes } => {
                write!(f, "said in {room}: {username}: {}", escape(text.as_bytes()))?;
                match text_bytes - text.len() {
                    0 => Ok(()),
                    more => write!(f, "… (+{})", byte_count(more as u64)),
                }
            }
            Event::Fault { peer, code, message } => {
                write!(f, "error to {peer}: {}: {}", code.name(), escape(message.as_bytes()))
            }
            Event::Disconnected { peer, received_bytes, sent_bytes, reason, .. } => {
                let (received, sent) = (byte_count(*received_bytes), byte_count(*sent_bytes));
                write!(f, "disconnected {peer}: received {received}, sent {sent}")?;
                reason.iter().try_for_each(|reason| write!(f, " ({})", escape(reason.as_bytes())))
            }
            Event::AcceptPaused { reason } => write!(f, "accept paused: {reason}"),
            Event::AcceptResumed {} => write!(f, "accept resumed"),
            Event::RecordsRefreshed { client_ids, lost } => {
                let count = counted(client_ids.len() as u64, "record");
                write!(f, "refreshed {count}: {}", client_ids.join(", "))?;
                lost.iter().try_for_each(|lost| write!(f, "; lost {}", escape(lost.as_bytes())))
            }
            Event::StoreFailed { reason } => write!(f, "store failed: {}", escape(reason.as_bytes())),
            Event::Trace(step) => write!(f, "{step}"),
            Event::Stopped { connections, received_bytes, sent_bytes } => {
                let (received, sent) = (byte_count(*received_bytes), byte_count(*sent_bytes));
                write!(
                    f,
                    "stopped: {}, received {received}, sent {sent}",
                    counted(*connections, "connection")
                )
            }
        }
    }
}
