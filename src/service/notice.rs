//! What an operator may want to know of a running server.

use crate::protocol::Code;
use crate::protocol::names::{ClientId, RoomName, Username};

use super::SessionId;

/// Something that a session did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It has a name of its own now.
    LoggedIn {
        /// Which.
        session: SessionId,
        /// The name.
        username: Username,
    },
    /// It is in a room.
    Joined {
        /// Its name.
        username: Username,
        /// The room.
        room: RoomName,
    },
    /// It has left a room.
    Left {
        /// Its name.
        username: Username,
        /// The room.
        room: RoomName,
    },
    /// It said something in a room.
    Said {
        /// Its name.
        username: Username,
        /// The room.
        room: RoomName,
        /// What, in full and as it came: to be escaped before it is shown.
        text: String,
    },
    /// It asks for a record.
    Handling {
        /// Its name.
        username: Username,
        /// `RECORD_READ` or `RECORD_WRITE`.
        request: &'static str,
        /// Which record.
        client_id: ClientId,
    },
    /// It was told of an error.
    Fault {
        /// Which.
        session: SessionId,
        /// The error's code.
        code: Code,
        /// The error's text.
        message: String,
    },
}
