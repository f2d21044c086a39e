//! A view of the loop from outside: every sleep, readiness event, read and write, as it happened.
//!
//! The classroom's trace is one observer, the capture another. Without one, each place costs a test of an `Option`.

use std::net::SocketAddr;
use std::time::Duration;

use super::handler::{ConnId, Peer};

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
    /// `accept` returned a connection, or a `connect` succeeded.
    Opened {
        /// Its id.
        c: ConnId,
        /// This end; `None` if the connection is gone already.
        local: Option<SocketAddr>,
        /// The other end, and who connected.
        peer: Peer,
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
    /// This end said FIN: nothing more will be sent.
    ShutDown {
        /// On which.
        c: ConnId,
    },
    /// The connection is closed.
    Closed {
        /// Which.
        c: ConnId,
        /// True if the peer had reset it.
        reset: bool,
    },
    /// A datagram came or went.
    Datagram {
        /// The socket.
        local: SocketAddr,
        /// The other end.
        peer: SocketAddr,
        /// Its bytes: of one that was cut off, what the program got.
        bytes: &'a [u8],
        /// True if it went.
        outbound: bool,
    },
}

/// Two observers in one.
pub(super) struct Both(pub(super) Box<dyn Tap>, pub(super) Box<dyn Tap>);

impl Tap for Both {
    fn see(&mut self, seen: Seen<'_>) {
        self.0.see(seen);
        self.1.see(seen);
    }
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
