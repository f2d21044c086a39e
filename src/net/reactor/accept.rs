//! Accepting connections: a share of each turn, and a pause when there is no place or no descriptor.
//!
//! A loop that goes on calling `accept` while it fails with EMFILE spins: the listener stays readable. So it
//! pauses, says so once, and tries again when a connection is closed or after a while.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::connection::Phase;
use super::handler::{Handler, Peer};
use super::{Io, Reactor};
use crate::net::error::out_of_descriptors;
use crate::net::{NetError, Op};

/// How many connections are accepted in a turn before bytes have theirs.
const ACCEPT_BUDGET: usize = 64;
/// After a failed accept: long enough not to spin, short enough that nobody notices.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Listener {
    pub(super) inner: mio::net::TcpListener,
    pub(super) addr: SocketAddr,
    /// Latch: connections may be waiting.
    pub(super) readable: bool,
    pub(super) paused: Option<Pause>,
}

/// Why a listener does not accept at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// Until a connection is closed.
    Full,
    /// Until then, or until a connection is closed: `accept` failed for want of something.
    Until(Instant),
}

impl Listener {
    /// A connection was closed: what was missing may be there again.
    pub(super) fn room_made(&mut self) {
        if let Some(pause) = &mut self.paused {
            *pause = Pause::Until(Instant::now());
        }
    }
}

impl Reactor {
    pub(super) fn accept<H: Handler>(&mut self, handler: &mut H) {
        for index in 0..self.core.listeners.len() {
            self.resume_accept(handler, index);
            for _ in 0..ACCEPT_BUDGET {
                // The handler may stop accepting at any time.
                let Some(listener) = self.core.listeners.get(index) else { return };
                if !listener.readable || listener.paused.is_some() {
                    break;
                }
                self.accept_one(handler, index);
            }
        }
    }

    /// Ends a listener's pause when its time has come.
    fn resume_accept<H: Handler>(&mut self, handler: &mut H, index: usize) {
        let full = self.core.conns.len() >= self.capacity;
        let Some(listener) = self.core.listeners.get_mut(index) else { return };
        match listener.paused {
            Some(Pause::Until(at)) if self.core.now >= at => {
                // The room that was made may be taken again, by a connection that the handler made.
                listener.paused = full.then_some(Pause::Full);
                if !full {
                    handler.accept_resumed(&mut Io { core: &mut self.core });
                }
            }
            _ => {}
        }
    }

    fn accept_one<H: Handler>(&mut self, handler: &mut H, index: usize) {
        if self.core.conns.len() >= self.capacity {
            let full = std::io::Error::other(format!("all {} connections are in use", self.capacity));
            return self.pause_accept(handler, index, Pause::Full, full);
        }
        match self.core.listeners[index].inner.accept() {
            Ok((stream, addr)) => {
                // On Linux it is inherited from the listener; elsewhere it may not be. It can fail only when
                // the peer is gone, which the first read will tell.
                let _ = stream.set_nodelay(self.core.limits.nodelay);
                match self.core.insert(stream, addr, Phase::Open) {
                    Ok(c) => {
                        let peer = Peer { addr, outbound: false };
                        self.core.see_opened(c, peer);
                        let admit = handler.opened(&mut Io { core: &mut self.core }, c, &peer);
                        self.admit(c, &admit);
                    }
                    Err(error) => self.pause_until(handler, index, error),
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                self.core.listeners[index].readable = false;
            }
            Err(error) if out_of_descriptors(&error) || error.kind() == std::io::ErrorKind::OutOfMemory => {
                self.pause_until(handler, index, error);
            }
            // A peer that gave up while it waited, or a network error that accept passes on (accept(2)).
            Err(_) => {}
        }
    }

    fn pause_until<H: Handler>(&mut self, handler: &mut H, index: usize, error: std::io::Error) {
        let until = Pause::Until(self.core.now + ACCEPT_PAUSE);
        self.pause_accept(handler, index, until, error);
    }

    fn pause_accept<H: Handler>(
        &mut self,
        handler: &mut H,
        index: usize,
        pause: Pause,
        error: std::io::Error,
    ) {
        let listener = &mut self.core.listeners[index];
        listener.paused = Some(pause);
        let why = NetError::new(Op::Accept, listener.addr, error);
        handler.accept_paused(&mut Io { core: &mut self.core }, &why);
    }
}
