//! [`Io`], the handler's hands on the loop during a call.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::Waker;
use mio::net::TcpStream;

use super::connection::Phase;
use super::core::Core;
use super::datagrams::Datagrams;
use super::group::Group;
use super::handler::{ConnId, GroupId, How, Peer, SockId};
use crate::net::{NetError, Op, SocketOptions, socket};

/// The handler's hands on the loop, for the length of a call.
///
/// Ids of connections that are gone are accepted everywhere and do nothing: an end can be under way that the
/// handler has not heard of yet.
pub struct Io<'a> {
    pub(super) core: &'a mut Core,
}

impl Io<'_> {
    /// The time of this turn of the loop: one clock read serves all of it.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.core.now
    }

    /// Sends bytes to one connection, before the loop sleeps; what the kernel does not take waits in order.
    pub fn send(&mut self, c: ConnId, bytes: &[u8]) {
        self.core.send(c, bytes);
    }

    /// Makes a group.
    pub fn group(&mut self) -> GroupId {
        let index = self.core.groups.insert(Group::default());
        GroupId(u32::try_from(index).expect("fewer groups than connections"))
    }

    /// Ends a group; its members stay connected, and are sent what it was cast before.
    pub fn disband(&mut self, group: GroupId) {
        while let Some(c) = self.core.groups[group.0 as usize].members.last().copied() {
            self.core.leave(c);
        }
        self.core.groups.remove(group.0 as usize);
    }

    /// Puts a connection into a group, and out of the one it was in.
    pub fn join(&mut self, c: ConnId, group: GroupId) {
        self.core.join(c, group);
    }

    /// Takes a connection out of its group.
    pub fn leave(&mut self, c: ConnId) {
        self.core.leave(c);
    }

    /// Sends bytes to every member of a group, with one `send` each per turn of the loop.
    pub fn cast(&mut self, group: GroupId, bytes: &[u8]) {
        self.core.cast(group, bytes);
    }

    /// Sends one datagram, before the loop sleeps. UDP promises nothing: what the kernel does not take is
    /// reported to [`unsent`](super::Handler::unsent), and gone.
    pub fn send_to(&mut self, s: SockId, to: SocketAddr, bytes: &[u8]) {
        self.core.see_datagram(s, to, bytes, true);
        self.core.socks[s.0 as usize].send(to, bytes, &mut self.core.unsent);
    }

    /// Sends datagrams back to where they came from, as they are: in one call and without a copy where the
    /// system can. Otherwise as [`send_to`](Io::send_to).
    pub fn send_back(&mut self, s: SockId, datagrams: Datagrams<'_>) {
        self.core.see_datagrams(s, datagrams, true);
        self.core.socks[s.0 as usize].send_back(datagrams, &mut self.core.unsent);
    }

    /// Has [`deadline`](super::Handler::deadline) called at that time, for a connection or (`None`) for the
    /// handler itself. One each: a new one replaces the old, `None` cancels.
    pub fn set_deadline(&mut self, c: Option<ConnId>, at: Option<Instant>) {
        let Some(c) = c else {
            self.core.handler_deadline = at;
            return;
        };
        if let Some(conn) =
            self.core.conn(c).filter(|conn| matches!(conn.phase, Phase::Connecting | Phase::Open))
        {
            conn.wanted = at;
            self.core.arm(c);
        }
    }

    /// Reads no more of a connection until [`resume`](Io::resume): what its peer sends waits in the kernel.
    pub fn hold(&mut self, c: ConnId) {
        if let Some(conn) = self.core.conn(c) {
            conn.held = true;
        }
    }

    /// Reads a connection again.
    pub fn resume(&mut self, c: ConnId) {
        if let Some(conn) = self.core.conn(c) {
            conn.held = false;
            self.core.requeue(c);
        }
    }

    /// Closes a connection; [`closed`](super::Handler::closed) follows when it is gone.
    pub fn close(&mut self, c: ConnId, how: How) {
        self.core.close(c, how);
    }

    /// Connects; the answer is [`opened`](super::Handler::opened), or `closed` with the reason at the latest
    /// after `within`.
    ///
    /// # Errors
    /// What can be known at once: no descriptor left, no route.
    pub fn connect(
        &mut self,
        addr: SocketAddr,
        options: &SocketOptions,
        within: Duration,
    ) -> Result<ConnId, NetError> {
        let stream = TcpStream::from_std(socket::start_connect(addr, options)?);
        let c = self
            .core
            .insert(stream, addr, Phase::Connecting)
            .map_err(|source| NetError::new(Op::Connect, addr, source))?;
        let by = self.core.now + within;
        if let Some(conn) = self.core.conn(c) {
            conn.limit = Some(by);
        }
        self.core.arm(c);
        Ok(c)
    }

    /// The other end of a connection.
    #[must_use]
    pub fn peer(&mut self, c: ConnId) -> Option<Peer> {
        self.core.conn(c).map(|conn| Peer { addr: conn.peer, outbound: conn.outbound })
    }

    /// This end of a connection, as the system reports it.
    #[must_use]
    pub fn local_addr(&mut self, c: ConnId) -> Option<SocketAddr> {
        self.core.conn(c)?.stream.local_addr().ok()
    }

    /// How many connections there are, refused ones included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.core.conns.len()
    }

    /// Wakes the loop from another thread: [`woken`](super::Handler::woken) is called. Wakes can merge.
    #[must_use]
    pub fn waker(&self) -> Arc<Waker> {
        self.core.waker.clone()
    }

    /// Accepts no more connections: the listeners are closed.
    pub fn stop_accepting(&mut self) {
        self.core.listeners.clear();
    }

    /// Ends the loop as Ctrl-C would.
    pub fn stop(&mut self) {
        self.core.stop_asked = true;
    }
}
