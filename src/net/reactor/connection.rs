//! One connection of the loop: its socket, its latches, what it still has to say.
//!
//! ```text
//!  connecting ──writable──► open ──close(Gently)──► closing ──all sent──► draining ──FIN, 1 s, 256 KiB──► gone
//!      │                     │                        │                      │
//!      └────── failed ───────┴──── close(Now), reset, a peer that does not read ──────────────────────► gone
//! ```
//! `fill` and `flush` are the only places where its bytes meet the system, and where would-block ends.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;

use super::handler::GroupId;
use super::outbox::Outbox;

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// `connect` is under way.
    Connecting,
    /// Bytes go both ways.
    Open,
    /// It will be closed when its outbox is empty; what arrives is dropped.
    Closing,
    /// FIN is sent; what arrives is dropped until the peer ends too.
    Draining,
}

/// What one `recv` gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    /// This many bytes are in the buffer.
    Got(usize),
    /// The peer has ended its side.
    End,
    /// Nothing is there.
    WouldBlock,
}

/// A place in a group: which, at which index of its members, and from where its bytes are still to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Membership {
    pub(super) group: GroupId,
    pub(super) place: usize,
    pub(super) from: usize,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) generation: u32,
    pub(super) peer: SocketAddr,
    /// This side connected.
    pub(super) outbound: bool,
    pub(super) phase: Phase,
    /// Latch: readable until a read would block (the loop is edge-triggered).
    pub(super) readable: bool,
    /// The peer's FIN has been reported: one more read is needed even after a short one.
    pub(super) hangup: bool,
    /// The peer's FIN has been read.
    pub(super) ended: bool,
    /// The handler does not want more of it for now.
    pub(super) held: bool,
    /// It stands in the loop's queue of connections to read from.
    pub(super) queued: bool,
    /// It stands in the loop's list of connections with output to flush.
    pub(super) dirty: bool,
    /// The poll also watches for writable.
    pub(super) watches_writable: bool,
    /// The handler refused it and hears no more of it.
    pub(super) refused: bool,
    pub(super) out: Outbox,
    pub(super) membership: Option<Membership>,
    /// The handler's deadline.
    pub(super) wanted: Option<Instant>,
    /// The loop's own: a stuck write, the end of a drain, a connect that takes too long.
    pub(super) limit: Option<Instant>,
    /// The earliest timer that is set for it.
    pub(super) armed: Option<Instant>,
    /// Bytes dropped while draining, and when that ends at the latest.
    pub(super) drained: usize,
    pub(super) drain_end: Instant,
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) since: Instant,
}

impl Connection {
    pub(super) fn new(
        stream: TcpStream,
        peer: SocketAddr,
        phase: Phase,
        generation: u32,
        now: Instant,
    ) -> Connection {
        Connection {
            stream,
            generation,
            peer,
            outbound: phase == Phase::Connecting,
            phase,
            readable: false,
            hangup: false,
            ended: false,
            held: false,
            queued: false,
            dirty: false,
            watches_writable: phase == Phase::Connecting,
            refused: false,
            out: Outbox::default(),
            membership: None,
            wanted: None,
            limit: None,
            armed: None,
            drained: 0,
            drain_end: now,
            received: 0,
            sent: 0,
            since: now,
        }
    }

    /// One `recv` into `buffer`.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> io::Result<Fill> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Ok(Fill::End),
                Ok(n) => return Ok(Fill::Got(n)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Fill::WouldBlock),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// One `send` of `bytes`; 0 when the kernel's buffer is full.
    pub(super) fn send_now(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = send(&mut self.stream, bytes)?;
        self.sent += sent as u64;
        Ok(sent)
    }

    /// Sends what the outbox holds until it is empty or the kernel's buffer is full. `saw` is shown each
    /// `send`: the bytes that went, and how many stay. Returns how many went.
    pub(super) fn flush(&mut self, mut saw: impl FnMut(&[u8], usize)) -> io::Result<usize> {
        let mut moved = 0;
        while !self.out.is_empty() {
            let unsent = self.out.unsent();
            let sent = send(&mut self.stream, unsent)?;
            saw(&unsent[..sent], unsent.len() - sent);
            self.out.consume(sent);
            moved += sent;
            if sent == 0 {
                break;
            }
        }
        self.sent += moved as u64;
        Ok(moved)
    }

    /// The earlier of its two deadlines.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        match (self.wanted, self.limit) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

fn send(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match stream.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
