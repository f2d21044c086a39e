//! A client of the room server: one session free of I/O, and two drivers for it.
//!
//! | file           | what it is                                                                     |
//! |----------------|--------------------------------------------------------------------------------|
//! | [`Session`]    | requests in, bytes out; bytes in, answers out; logs in by itself               |
//! | [`Connection`] | the blocking driver: for scripts and tests, one request and its answer         |
//! | [`Swarm`]      | a handler of the loop: for many sessions on one thread                         |
//!
//! `say`, `records`, tests, the bench and the chat stand on it.

mod connection;
mod session;
mod swarm;

pub use connection::{ClientError, Connection, Options};
pub use session::{Credentials, Incoming, Session, SessionError};
pub use swarm::{MemberId, Members, Requests, Swarm};
