//! A view of the loop from outside: every sleep, readiness event, read and write, as it happened.
//!
//! The classroom's trace is one observer. Without one, each place costs a test of an `Option`.

use std::net::SocketAddr;
use std::time::Duration;

use super::handler::ConnId;

/// One thing that the loop did.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// It waited in `epoll_wait` (or the system's own) and came back with so many events.
    Slept {
        /// How long it waited.
        took: Duration,
        /// How many readiness events came.
        events: usize,
    },
    /// The listener became readable: connections wait to be accepted.
    ListenerReady,
    /// A connection became ready.
    Ready {
        /// Which.
        c: ConnId,
        /// Bytes, or the peer's end, wait to be read.
        readable: bool,
        /// There is room to send again.
        writable: bool,
    },
    /// `accept` returned a connection.
    Accepted {
        /// Its id.
        c: ConnId,
        /// The other end.
        peer: SocketAddr,
    },
    /// `recv` returned bytes; none: the peer has ended its side.
    Received {
        /// From which.
        c: ConnId,
        /// What came.
        bytes: &'a [u8],
    },
    /// `recv` had nothing: the connection is waited for again.
    WouldBlock {
        /// On which.
        c: ConnId,
    },
    /// `send` took so many bytes of what was offered; fewer means that the peer reads too slowly.
    Sent {
        /// To which.
        c: ConnId,
        /// What the kernel took.
        bytes: &'a [u8],
        /// Bytes that stay in the outbox.
        unsent: usize,
    },
    /// The connection is closed.
    Closed {
        /// Which.
        c: ConnId,
    },
}

/// Sees what the loop does.
pub trait Tap {
    /// Called for each thing, on the loop's thread.
    fn see(&mut self, seen: Seen<'_>);
}

impl ConnId {
    /// A small number to call the connection by, free for another once it is closed.
    #[must_use]
    pub fn number(self) -> u32 {
        self.index
    }
}
