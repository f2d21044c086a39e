//! A client of the room server: one session free of I/O, and its drivers.
//!
//! | file           | what it is                                                                     |
//! |----------------|--------------------------------------------------------------------------------|
//! | [`Session`]    | requests in, bytes out; bytes in, answers out; logs in by itself               |
//! | [`Connection`] | the blocking driver: for scripts and tests, one request and its answer         |
//! | [`Swarm`]      | a handler of the loop: for many sessions on one thread                         |
//! | [`link`]       | a handler on a thread of its own, between two queues: for the chat             |
//! | [`chat_line`]  | what a typed line of the chat means                                            |
//!
//! `say`, `records`, tests, the bench and the chat stand on it.

pub mod chat_line;
mod connection;
pub mod link;
mod session;
mod swarm;

pub use connection::{ClientError, Connection, Options};
pub use link::{ConnectRequest, Direction, Link, LinkCommand, LinkEvent, ServerMessage, WireChunk};
pub use session::{Credentials, Incoming, Session, SessionError};
pub use swarm::{MemberId, Members, Requests, Swarm};
