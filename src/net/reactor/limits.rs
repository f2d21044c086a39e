//! The bounds that the loop keeps for every handler, and what a run of it moved.

use std::time::Duration;

/// What happens to a connection whose unsent output passes [`Limits::outbox`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// It is not read until it has taken its output: right where output answers its own input.
    StopReading,
    /// It is closed: right where others produce the output.
    Disconnect,
}

/// The bounds that the loop keeps.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The size of the one read buffer: what one `recv` can return, in bytes.
    pub recv_size: usize,
    /// Bytes that one connection may deliver in a turn before the others have theirs.
    pub read_budget: usize,
    /// Bytes of unsent output that a connection may have.
    pub outbox: usize,
    /// What happens beyond that.
    pub overflow: Overflow,
    /// How long a connection may take nothing of its unsent output; `None`: for ever.
    pub stuck: Option<Duration>,
    /// TCP_NODELAY on accepted connections.
    pub nodelay: bool,
    /// Connections at a time; the next ones wait in the backlog. `None`: as many as descriptors allow.
    pub connections: Option<usize>,
    /// Descriptors that connections may not use: for files, and for the loop itself.
    pub reserved: usize,
    /// How long a closing connection is read and dropped, at most.
    pub drain_time: Duration,
    /// It is dropped earlier if nothing has come for so long.
    pub drain_quiet: Duration,
    /// How many bytes of it.
    pub drain_bytes: usize,
    /// How long stopping may take.
    pub stop_within: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            recv_size: 256 << 10,
            read_budget: 1 << 20,
            outbox: 256 << 10,
            overflow: Overflow::StopReading,
            stuck: None,
            nodelay: true,
            connections: None,
            reserved: 32,
            drain_time: Duration::from_secs(1),
            drain_quiet: Duration::from_secs(1),
            drain_bytes: 256 << 10,
            stop_within: Duration::from_secs(5),
        }
    }
}

/// What a run of the loop moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Connections served, accepted or made; refused ones don't count.
    pub connections: u64,
    /// Bytes received on them.
    pub received_bytes: u64,
    /// Bytes sent on them.
    pub sent_bytes: u64,
}
