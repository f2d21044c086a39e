//! A connection to a room server on a thread of its own, for programs that must not wait: a screen, a line mode.
//!
//! ```text
//!   user's thread                                        network thread
//!   send(LinkCommand) ──► queue of commands ──(waker)──► handler of the loop ──► socket
//!   drain(events)     ◄── queue of events   ◄─────────── over a Session      ◄── socket
//! ```
//! Neither side waits for the other. Both queues are bounded: a full queue of commands refuses one more; a full
//! queue of events stops the reading of the socket, so that TCP holds the server back, and nothing is lost.

mod exchange;

pub use exchange::{ConnectRequest, Direction, LinkCommand, LinkEvent, ServerMessage, WireChunk};

use crate::net::NetError;

/// The queue of commands is full: the network is far behind. The command comes back.
#[derive(Debug)]
pub struct Full(pub LinkCommand);

/// A connection to a room server on a thread of its own.
#[derive(Debug)]
pub struct Link {}

impl Link {
    /// Starts the thread; nothing is connected yet.
    ///
    /// # Errors
    /// A system that gives no thread or no poll.
    pub fn start() -> Result<Link, NetError> {
        todo!()
    }

    /// Hands a command to the network thread. Never waits.
    ///
    /// # Errors
    /// A full queue, with the command.
    pub fn send(&self, _command: LinkCommand) -> Result<(), Full> {
        todo!()
    }

    /// Appends what has happened since the last call. Never waits: to be called often.
    pub fn drain(&self, _events: &mut Vec<LinkEvent>) {
        todo!()
    }
}
