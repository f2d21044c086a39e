//! The bytes of the connection as they pass the socket, for who wants to see them; and how many are still to go.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use super::queue::Events;
use super::{Direction, LinkEvent, Wake, WireChunk};
use crate::net::ConnId;
use crate::net::reactor::{Seen, Tap};

/// Unsent bytes beyond which no more requests are taken: a server that does not read shall not fill our memory.
const JAM: usize = 256 << 10;

/// What tap and driver both know; they share a thread.
#[derive(Debug, Default)]
pub(super) struct Watched {
    conn: Cell<Option<ConnId>>,
    unsent: Cell<usize>,
}

impl Watched {
    /// Watches this connection from now on.
    pub(super) fn watch(&self, c: ConnId) {
        self.conn.set(Some(c));
        self.unsent.set(0);
    }

    /// Notes what is about to be sent.
    pub(super) fn sending(&self, bytes: usize) {
        self.unsent.set(self.unsent.get() + bytes);
    }

    /// True if the server takes less than it is sent.
    pub(super) fn is_jammed(&self) -> bool {
        self.unsent.get() >= JAM
    }
}

/// The tap on the loop.
pub(super) struct Wire {
    pub(super) watched: Rc<Watched>,
    pub(super) events: Arc<Events>,
    pub(super) wake: Wake,
}

impl Wire {
    fn chunk(&self, direction: Direction, bytes: &[u8]) {
        if !bytes.is_empty() {
            let chunk = WireChunk { direction, at: SystemTime::now(), bytes: bytes.to_vec() };
            self.events.push(LinkEvent::Wire(chunk));
        }
    }
}

impl Tap for Wire {
    fn see(&mut self, seen: Seen<'_>) {
        match seen {
            Seen::Received { c, bytes } if self.watched.conn.get() == Some(c) => {
                self.chunk(Direction::Received, bytes);
            }
            Seen::Sent { c, bytes, .. } if self.watched.conn.get() == Some(c) => {
                let jammed = self.watched.is_jammed();
                self.watched.unsent.set(self.watched.unsent.get().saturating_sub(bytes.len()));
                if jammed && !self.watched.is_jammed() {
                    (self.wake)();
                }
                self.chunk(Direction::Sent, bytes);
            }
            _ => {}
        }
    }
}
