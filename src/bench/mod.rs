//! Load generators: how fast a server is, how long it makes its clients wait, and whether every byte is right.
//!
//! | file           | what it is                                                              |
//! |----------------|-------------------------------------------------------------------------|
//! | [`tcp_echo`]   | many connections to an echo server, as a handler of the event loop      |
//! | [`rooms`]      | publishers and members of rooms, as a swarm of clients                  |
//! | [`udp_echo`]   | one socket to an echo server of datagrams                               |
//! | [`models`]     | the concurrency models beside each other, each in its own process       |
//! | `run.rs`       | a load while it runs: clock, meter, pace                                |
//! | `client.rs`    | one connection to a TCP echo server                                     |
//! | `content.rs`   | what requests carry: different in each                                  |
//! | `window.rs`    | what is in flight, and what a reply turns out to be                     |
//! | `meter.rs`     | warming up, measuring, waiting for the last replies                     |
//! | `pace.rs`      | the open loop: when a request is due                                    |
//! | `latency.rs`   | percentiles and their distribution                                      |
//! | `cpu.rs`       | processor time of the server and of the generator                       |
//! | `report.rs`    | what comes out of it                                                    |
//! | `rooms_report.rs` | the same for rooms                                                    |
//!
//! Any server that speaks the protocol can be the target, a student's own first of all.

mod client;
mod content;
mod cpu;
mod latency;
mod meter;
pub mod models;
mod pace;
mod report;
pub mod rooms;
mod rooms_report;
mod run;
pub mod tcp_echo;
pub mod udp_echo;
mod window;

pub use cpu::{Cpu, Limit, Usage};
pub use latency::{Latencies, Percentiles};
pub use meter::{Course, Interval, Measured, Until};
pub use report::{Checks, EchoReport, Event, Load, Outcome};
pub use rooms_report::RoomsReport;

use crate::framing::Framing;
use crate::net::{NetError, SocketOptions};
use crate::process::SpawnError;
use crate::protocol::Code;

/// The load on an echo server, of TCP or UDP.
#[derive(Clone, Debug)]
pub struct EchoConfig {
    /// How much of what is sent.
    pub load: Load,
    /// How messages are told apart. With `raw` a reply is as long as its request, as a datagram's always is.
    pub framing: Framing,
    /// For how long.
    pub course: Course,
    /// The sockets' options.
    pub options: SocketOptions,
}

/// Why there is nothing to report.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The server could not be reached, or a call failed.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A size that the framing, or a datagram, can't carry.
    #[error("--size {size} does not fit: {limit} bytes is the most here")]
    Size {
        /// What was asked for, in bytes.
        size: usize,
        /// What fits.
        limit: usize,
    },
    /// The server lets members not in, for its own reason.
    #[error("the server refused a member: {reason}")]
    Server {
        /// What it said, or how the connection ended.
        reason: String,
        /// The code of its error.
        code: Option<Code>,
    },
    /// A server that was to be measured could not be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// It was started, and did not say where it listens.
    #[error("the server did not become ready{}", if .0.is_empty() { String::new() } else { format!(": {}", .0) })]
    NotReady(String),
    /// Ctrl-C came before the load had begun.
    #[error("interrupted before every connection was made")]
    Interrupted,
    /// A thread could not be started.
    #[error("start the metronome's thread: {0}")]
    Thread(std::io::Error),
}
