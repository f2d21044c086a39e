//! What a program built on the loop provides, and what the loop tells it.

use std::net::SocketAddr;
use std::time::Duration;

use super::datagrams::{Datagrams, Unsent};
use super::io::Io;
use crate::net::NetError;

/// A connection. The generation keeps an old id from meaning a new connection in the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnId {
    pub(super) index: u32,
    pub(super) generation: u32,
}

/// A UDP socket of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SockId(pub(super) u32);

/// Connections that are told the same things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupId(pub(super) u32);

/// The other end of a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub addr: SocketAddr,
    /// True if this side connected, false if it accepted.
    pub outbound: bool,
}

/// What to do with a new connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admit {
    /// Keep it; its bytes come to [`Handler::bytes`].
    Serve,
    /// Send these bytes and close it gently. The handler hears no more of it.
    Refuse(Vec<u8>),
}

/// How a connection may be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Send what is queued, then FIN, then read and drop what still comes (at most 1 s or 256 KiB), then
    /// close: closing with unread bytes would send a reset, which can destroy what the peer has not read.
    Gently,
    /// At once; unsent bytes are lost.
    Now,
}

/// Why a connection ended.
#[derive(Debug)]
pub enum Why {
    /// The handler closed it, or the loop stopped, and what was queued went out.
    Closed,
    /// It had more unsent output than the limit, or none of it moved for too long: a peer that does not read.
    NotReading,
    /// A call failed: a reset, a refused or timed-out connect.
    Failed(NetError),
}

/// The end of a connection, with what it moved.
#[derive(Debug)]
pub struct Closed {
    /// The other end.
    pub peer: SocketAddr,
    /// Why it ended.
    pub why: Why,
    /// Bytes received.
    pub received_bytes: u64,
    /// Bytes that the kernel took for sending.
    pub sent_bytes: u64,
    /// How long it was open.
    pub lasted: Duration,
}

/// A program driven by the loop. Every call comes from the loop's one thread, and must not block.
pub trait Handler {
    /// A connection was accepted, or a [`connect`](Io::connect) succeeded.
    fn opened(&mut self, io: &mut Io<'_>, c: ConnId, peer: &Peer) -> Admit;
    /// Bytes arrived, lent from the loop's one read buffer for the length of this call.
    fn bytes(&mut self, io: &mut Io<'_>, c: ConnId, bytes: &[u8]);
    /// The peer ended its side (FIN). Output may go on; the default closes gently.
    fn ended(&mut self, io: &mut Io<'_>, c: ConnId) {
        io.close(c, How::Gently);
    }
    /// The connection is gone. Also the answer to a [`connect`](Io::connect) that failed.
    fn closed(&mut self, io: &mut Io<'_>, c: ConnId, closed: &Closed);
    /// Datagrams arrived, lent like bytes.
    fn datagrams(&mut self, _io: &mut Io<'_>, _s: SockId, _datagrams: Datagrams<'_>) {}
    /// The kernel did not take a datagram of [`Io::send_to`]; nothing tries it again.
    fn unsent(&mut self, _io: &mut Io<'_>, _unsent: &Unsent) {}
    /// The deadline of a connection has passed, or the handler's own (`None`).
    fn deadline(&mut self, _io: &mut Io<'_>, _c: Option<ConnId>) {}
    /// The [`waker`](Io::waker) was used: a worker has finished something. Drain its whole queue.
    fn woken(&mut self, _io: &mut Io<'_>) {}
    /// No connection can be accepted for now (out of descriptors): newcomers wait in the backlog.
    fn accept_paused(&mut self, _io: &mut Io<'_>, _why: &NetError) {}
    /// Connections are accepted again.
    fn accept_resumed(&mut self, _io: &mut Io<'_>) {}
    /// Everything that this turn of the loop has brought is done; it sleeps next. For observers.
    fn turned(&mut self) {}
    /// The loop was asked to stop. Afterwards it closes every connection gently, but those that are
    /// [held](Io::hold): their handler has still something to say, and closes them itself.
    fn stopping(&mut self, _io: &mut Io<'_>) {}
}

/// What a handler knows of its connections, by id.
#[derive(Debug)]
pub struct ConnMap<T> {
    entries: Vec<Option<(u32, T)>>,
    len: usize,
}

impl<T> Default for ConnMap<T> {
    fn default() -> ConnMap<T> {
        ConnMap { entries: Vec::new(), len: 0 }
    }
}

impl<T> ConnMap<T> {
    /// How many connections are in the map.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Remembers `value` for `c`.
    pub fn insert(&mut self, c: ConnId, value: T) {
        let index = c.index as usize;
        if index >= self.entries.len() {
            self.entries.resize_with(index + 1, || None);
        }
        if self.entries[index].replace((c.generation, value)).is_none() {
            self.len += 1;
        }
    }

    /// What is known of `c`.
    #[must_use]
    pub fn get(&self, c: ConnId) -> Option<&T> {
        match self.entries.get(c.index as usize)? {
            Some((generation, value)) if *generation == c.generation => Some(value),
            _ => None,
        }
    }

    /// What is known of `c`, to change it.
    pub fn get_mut(&mut self, c: ConnId) -> Option<&mut T> {
        match self.entries.get_mut(c.index as usize)? {
            Some((generation, value)) if *generation == c.generation => Some(value),
            _ => None,
        }
    }

    /// Forgets `c`.
    pub fn remove(&mut self, c: ConnId) -> Option<T> {
        self.get(c)?;
        self.len -= 1;
        self.entries[c.index as usize].take().map(|(_, value)| value)
    }
}
