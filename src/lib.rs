//! netlab: one binary on which a networking course runs.
//!
//! Servers and clients that show how sockets work, a demonstrator that shows why TCP needs framing, and the
//! parts they are made of. The code is meant to be read: this page says where to start.
//!
//! # The path of a byte
//! One path, one set of names:
//!
//! ```text
//! socket -> Connection::fill -> Decoder::next_frame -> codec::decode -> Dispatcher::handle -> Actions
//!        -> codec::encode -> Outbox or Group -> (before sleeping) Connection::flush -> socket
//! ```
//! Everything between `fill` and `flush` is free of I/O: bytes and time come in as arguments, decisions go
//! out as values. The echo servers stop at frames: what stands between `next_frame` and the outbox there is
//! [`echo::Responder`].
//!
//! # Layers
//! A module imports from lower layers only; `tests/architecture.rs` reads the imports and fails otherwise.
//!
//! | layer | modules                                    | what lives there                                  |
//! |-------|--------------------------------------------|---------------------------------------------------|
//! | 0     | [`text`], [`report`], [`framing`]          | safe text, report data, bytes <-> frames          |
//! | 1     | [`protocol`]                               | what frames mean: messages, names, proofs         |
//! | 2     | [`service`]                                | the room server's decisions, free of I/O          |
//! | 3     | [`net`]                                    | sockets, the readiness loop, the socket table     |
//! | 3     | [`store`]                                  | record files and users, durable; worker threads   |
//! | 3     | [`process`]                                | child programs: own group, limits, certain end    |
//! | 4     | [`echo`], [`demo`], [`server`], [`client`], [`mod@bench`], [`check`], [`diag`], [`lab`] | the programs |
//! | 5     | [`render`], [`tui`]                        | how reports look; the full-screen chat            |
//! | 6     | [`cli`]                                    | flags, exit codes; one file per command           |

pub mod bench;
pub mod check;
pub mod cli;
pub mod client;
pub mod demo;
pub mod diag;
pub mod echo;
pub mod framing;
pub mod lab;
pub mod net;
pub mod process;
pub mod protocol;
pub mod render;
pub mod report;
pub mod server;
pub mod service;
pub mod store;
pub mod text;
pub mod tui;
