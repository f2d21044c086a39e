//! The echo servers and clients, over TCP and UDP.
//!
//! | file             | what it is                                                          |
//! |------------------|---------------------------------------------------------------------|
//! | [`Reply`]        | what a server answers: the same, an acknowledgement, upper case     |
//! | [`Responder`]    | bytes in, reply bytes out: all of TCP echo that is no I/O           |
//! | [`tcp_server`]   | configuration, and the choice of a model                            |
//! | `models/`        | one way each to serve many clients: iterative, threads, event loop  |
//! | [`tcp_client`]   | sends messages and measures their replies                           |
//! | [`Event`]        | what the servers report while they run                              |
//!
//! Sequencing of socket calls lives here, the calls themselves in [`net`](crate::net), boundaries of messages
//! in [`framing`](crate::framing).

mod event;
mod models;
mod reply;
pub mod tcp_client;
pub mod tcp_server;
mod trace;

pub use event::Event;
pub use reply::{Reply, Responder};
