//! Socket options on the command line: one set of flags that every command with a socket takes.

use std::time::Duration;

use clap::Args;

use crate::net::{OptionReading, SocketOptions, socket};
use crate::report::{Block, Table};

use super::values;

/// Flags for socket options.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Socket options")]
pub(super) struct SocketOptionsArgs {
    /// Set SO_REUSEADDR (the default, except on Windows)
    #[arg(long, overrides_with = "no_reuseaddr")]
    reuseaddr: bool,
    /// Don't set SO_REUSEADDR
    #[arg(long)]
    no_reuseaddr: bool,
    /// Set TCP_NODELAY: small sends leave at once (the default)
    #[arg(long, overrides_with = "no_nodelay")]
    nodelay: bool,
    /// Leave Nagle's algorithm on
    #[arg(long)]
    no_nodelay: bool,
    /// Probe a peer that has been silent for this long (SO_KEEPALIVE)
    #[arg(long, value_name = "DUR", value_parser = values::keepalive)]
    keepalive: Option<Duration>,
    /// Size of the send buffer (SO_SNDBUF)
    #[arg(long, value_name = "BYTES", value_parser = values::buffer_size)]
    so_sndbuf: Option<usize>,
    /// Size of the receive buffer (SO_RCVBUF)
    #[arg(long, value_name = "BYTES", value_parser = values::buffer_size)]
    so_rcvbuf: Option<usize>,
    /// How long close may wait for unsent data; 0 resets the connection (SO_LINGER)
    #[arg(long, value_name = "DUR", value_parser = values::duration)]
    linger: Option<Duration>,
    /// How many routers a packet may pass (IP_TTL)
    #[arg(long, value_name = "HOPS", value_parser = clap::value_parser!(u32).range(1..=255))]
    ttl: Option<u32>,
    /// Print each option: what was asked for, what the kernel made of it, what it does
    #[arg(long)]
    pub(super) show_options: bool,
}

impl SocketOptionsArgs {
    /// The options asked for.
    pub(super) fn options(&self) -> SocketOptions {
        let default = SocketOptions::default();
        SocketOptions {
            reuseaddr: !self.no_reuseaddr && (self.reuseaddr || default.reuseaddr),
            nodelay: !self.no_nodelay,
            keepalive: self.keepalive,
            sndbuf: self.so_sndbuf,
            rcvbuf: self.so_rcvbuf,
            max_segment: None,
            linger: self.linger,
            ttl: self.ttl,
            capture: None,
        }
    }
}

/// The backlog of a listener.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Socket options")]
pub(super) struct BacklogArgs {
    /// How many connections may wait to be accepted
    #[arg(long, value_name = "N", default_value_t = socket::DEFAULT_BACKLOG)]
    pub(super) backlog: u32,
}

/// The table of `--show-options`.
pub(super) fn table(readings: &[OptionReading]) -> Block {
    let mut table = Table::new(&["option", ">asked", ">kernel", "what it does"]);
    for reading in readings {
        table.row([
            reading.option.to_owned(),
            reading.asked.clone().unwrap_or_else(|| "-".to_owned()),
            reading.kernel.clone(),
            reading.meaning.to_owned(),
        ]);
    }
    Block::Table(table)
}
