//! The echo servers and clients, over TCP and UDP.
//!
//! | file             | what it is                                                          |
//! |------------------|---------------------------------------------------------------------|
//! | [`Reply`]        | what a server answers: the same, an acknowledgement, upper case     |
//! | [`Responder`]    | bytes in, reply bytes out: all of TCP echo that is no I/O           |
//! | [`tcp_server`]   | configuration, and the choice of a model                            |
//! | `models/`        | one way each to serve many clients: iterative, threads, event loop  |
//! | [`tcp_client`]   | sends messages and measures their replies                           |
//! | [`tcp_report`]   | what it reports: each reply, and what was moved in all              |
//! | [`udp_server`]   | answers datagrams, as a handler of the same event loop              |
//! | [`loop_guard`]   | which datagrams are better left unanswered                          |
//! | [`peers`]        | what each UDP peer sent and was sent, in bounded memory             |
//! | [`udp_client`]   | sends datagrams, pairs replies with them, counts what was lost      |
//! | [`Event`]        | what the servers report while they run                              |
//!
//! Sequencing of socket calls lives here, the calls themselves in [`net`](crate::net), boundaries of messages
//! in [`framing`](crate::framing).

mod event;
pub mod loop_guard;
mod models;
mod pairing;
pub mod peers;
mod reply;
pub mod tcp_client;
pub mod tcp_report;
pub mod tcp_server;
pub mod udp_client;
mod udp_report;
pub mod udp_server;

pub use event::{EchoEvent, Event};
pub use reply::{Reply, Responder};
pub use udp_report::{ReplyRecord, Rtt, UdpClientReport};
