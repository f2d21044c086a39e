//! Error codes: what an `ERROR` is about, in a word that programs can test for.

use serde::{Deserialize, Serialize};

/// The code of an `ERROR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A frame that is none; the connection is closed.
    BadFrame,
    /// A payload that is not JSON.
    BadJson,
    /// JSON of the wrong shape.
    BadMessage,
    /// A `type` that nobody knows.
    UnknownType,
    /// A frame over the limit; the connection is closed.
    TooLarge,
    /// Right, but not now.
    WrongState,
    /// Not allowed to this client.
    Unauthorized,
    /// A login that failed, whatever the reason.
    LoginFailed,
    /// Somebody has that name.
    NameTaken,
    /// A name that can't be one.
    BadName,
    /// The room does not exist.
    NoSuchRoom,
    /// The room exists already.
    RoomExists,
    /// The client is in no room, or not in that one.
    NotInRoom,
    /// There can't be more of that.
    Limit,
    /// Too many messages; `retry_after_ms` says when to go on.
    RateLimited,
    /// There is no such record.
    NoSuchRecord,
    /// A record id that can't be one.
    BadRecord,
    /// The disk refused; what was there is intact.
    StoreFailed,
    /// The server has no place or no time at the moment.
    Busy,
    /// Nothing came in time; the connection is closed.
    Timeout,
}

impl Code {
    /// The code as it stands on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Code::BadFrame => "bad_frame",
            Code::BadJson => "bad_json",
            Code::BadMessage => "bad_message",
            Code::UnknownType => "unknown_type",
            Code::TooLarge => "too_large",
            Code::WrongState => "wrong_state",
            Code::Unauthorized => "unauthorized",
            Code::LoginFailed => "login_failed",
            Code::NameTaken => "name_taken",
            Code::BadName => "bad_name",
            Code::NoSuchRoom => "no_such_room",
            Code::RoomExists => "room_exists",
            Code::NotInRoom => "not_in_room",
            Code::Limit => "limit",
            Code::RateLimited => "rate_limited",
            Code::NoSuchRecord => "no_such_record",
            Code::BadRecord => "bad_record",
            Code::StoreFailed => "store_failed",
            Code::Busy => "busy",
            Code::Timeout => "timeout",
        }
    }
}
