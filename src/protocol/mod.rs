//! What frames mean: the room server's messages, names, error codes and limits.
//!
//! | file        | what it holds                                                        |
//! |-------------|----------------------------------------------------------------------|
//! | [`message`] | every message, what a client sends and what the server answers       |
//! | [`challenge`] | the classroom's naive challenge and its HMAC                         |
//! | [`codec`]   | message <-> payload (UTF-8 JSON), both directions side by side       |
//! | [`names`]   | user names, room names and record ids: what may be one               |
//! | [`proof`]   | the transcript of the login by shared key, and its MACs              |
//! | [`Code`]    | the error codes                                                      |
//!
//! Pure: no sockets, no clocks, no randomness. Source: netlab's protocol page, "Messages of the room server".

pub mod challenge;
mod code;
pub mod codec;
pub mod message;
pub mod names;
mod owned;
pub mod proof;

pub use code::Code;
pub use message::{Answer, AnswerKind, Request, RequestKind, Tag};

/// The longest text of a `ROOM_ECHO`, in bytes.
pub const MAX_TEXT: usize = 32_768;
/// The largest `id` that is a number: 2^53-1, as far as a JavaScript client counts exactly.
pub const MAX_NUMERIC_TAG: u64 = (1 << 53) - 1;
/// The longest `id` or `ref` that is a string, in bytes.
pub const MAX_TEXT_TAG: usize = 64;
/// How many names a `ROOM_MEMBERS` holds at most.
pub const MAX_LISTED_MEMBERS: usize = 500;
/// The room that always exists.
pub const DEFAULT_ROOM: &str = "default";
/// The reason of the `BYE` to a session whose user has logged in again: who comes back at once would in turn end
/// that one, and so on for ever.
pub const ELSEWHERE: &str = "you have logged in elsewhere";
