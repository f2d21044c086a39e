//! The client that sends and never reads: on its connection the server can send nothing any more.
//!
//! ```text
//! client ──requests──► server ──replies──► (send buffer full) ··► (receive buffer full) client reads nothing
//! ```
//! TCP's flow control stops the server's `send`. A server that waits there waits for this client.

use std::net::SocketAddr;
use std::time::Duration;

use crate::net::{Cause, NetError, SocketOptions, Stream};

/// A small receive buffer fills quickly. The kernel makes of it what it has as its least.
const RCVBUF: usize = 4_096;
const SNDBUF: usize = 64 << 10;
/// A server that takes nothing for so long is held up.
const HELD_UP: Duration = Duration::from_millis(200);
/// A server that has taken so much keeps it in memory; more would only fill that.
const MOST: u64 = 64 << 20;

/// The client. It stays connected until this is dropped.
pub(super) struct NonReader {
    _stream: Stream,
    /// Bytes that it got rid of.
    pub(super) sent_bytes: u64,
    /// True if the server stopped taking them.
    pub(super) held_up: bool,
}

/// Connects it, and has it send until the server takes no more.
pub(super) fn connect(address: SocketAddr, wait: Duration) -> Result<NonReader, NetError> {
    let options = SocketOptions { rcvbuf: Some(RCVBUF), sndbuf: Some(SNDBUF), ..SocketOptions::default() };
    let stream = Stream::connect(&[address], &options, wait)?;
    stream.set_send_timeout(Some(HELD_UP))?;
    let (chunk, mut sent_bytes, mut held_up) = (vec![b'x'; 64 << 10], 0, false);
    while sent_bytes < MOST && !held_up {
        match stream.send(&chunk) {
            Ok(sent) => sent_bytes += sent as u64,
            Err(error) if error.cause() == Cause::TimedOut => held_up = true,
            Err(error) => return Err(error),
        }
    }
    Ok(NonReader { _stream: stream, sent_bytes, held_up })
}
