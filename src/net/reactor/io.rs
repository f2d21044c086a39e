//! The loop's state, and [`Io`], the handler's hands on it during a call.
//!
//! Nothing here calls the handler: ends of connections are noted in a queue, and the loop reports them when
//! the handler's call has returned.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token, Waker};
use slab::Slab;

use super::connection::{Connection, Membership, Phase};
use super::group::Group;
use super::handler::{Closed, ConnId, GroupId, How, Peer, SockId, Why};
use super::outbox::Pool;
use super::tap::{Seen, Tap};
use super::timers::Timers;
use super::{Limits, Listener, Overflow, Sock, Target, Totals};
use crate::net::{NetError, Op, SocketOptions, socket};

/// From this size on, a send with nothing queued before it goes straight to the socket: copying the bytes to
/// an outbox would cost more than the system call that collecting them may save (3 us on a small machine).
const DIRECT: usize = 16 << 10;

/// A refused connection takes a descriptor from the reserve: it is drained for a shorter time, so that a
/// crowd of them is told in turn.
const REFUSED_DRAIN_TIME: Duration = Duration::from_millis(200);

pub(super) struct Core {
    pub(super) registry: Registry,
    pub(super) waker: Arc<Waker>,
    pub(super) limits: Limits,
    pub(super) now: Instant,
    pub(super) conns: Slab<Connection>,
    next_generation: u32,
    pub(super) listeners: Vec<Listener>,
    pub(super) socks: Vec<Sock>,
    pub(super) groups: Slab<Group>,
    /// Connections with bytes to read, and UDP sockets with datagrams.
    pub(super) ready: VecDeque<Target>,
    /// Connections with output to flush before sleeping.
    dirty: Vec<ConnId>,
    dirty_groups: Vec<GroupId>,
    pub(super) timers: Timers,
    pub(super) handler_deadline: Option<Instant>,
    /// Ends that the handler has not heard of yet.
    pub(super) ends: VecDeque<(ConnId, Closed)>,
    pool: Pool,
    pub(super) tap: Option<Box<dyn Tap>>,
    /// Someone asked the loop to stop: the handler, or a signal.
    pub(super) stop_asked: bool,
    pub(super) totals: Totals,
}

impl Core {
    pub(super) fn new(registry: Registry, waker: Waker, limits: Limits) -> Core {
        Core {
            registry,
            waker: Arc::new(waker),
            limits,
            now: Instant::now(),
            conns: Slab::new(),
            next_generation: 0,
            listeners: Vec::new(),
            socks: Vec::new(),
            groups: Slab::new(),
            ready: VecDeque::new(),
            dirty: Vec::new(),
            dirty_groups: Vec::new(),
            timers: Timers::default(),
            handler_deadline: None,
            ends: VecDeque::new(),
            pool: Pool::default(),
            tap: None,
            stop_asked: false,
            totals: Totals::default(),
        }
    }

    /// The connection, unless it is gone and another has taken its place.
    pub(super) fn conn(&mut self, c: ConnId) -> Option<&mut Connection> {
        self.conns.get_mut(c.index as usize).filter(|conn| conn.generation == c.generation)
    }

    pub(super) fn insert(&mut self, stream: TcpStream, peer: SocketAddr, phase: Phase) -> io::Result<ConnId> {
        self.next_generation = self.next_generation.wrapping_add(1);
        let generation = self.next_generation;
        let entry = self.conns.vacant_entry();
        let index = u32::try_from(entry.key()).expect("descriptors are numbered in 32 bits");
        let c = ConnId { index, generation };
        let conn = entry.insert(Connection::new(stream, peer, phase, generation, self.now));
        let interest = match phase {
            Phase::Connecting => Interest::READABLE | Interest::WRITABLE,
            _ => Interest::READABLE,
        };
        if let Err(error) = self.registry.register(&mut conn.stream, Target::Conn(c).token(), interest) {
            self.conns.remove(index as usize);
            return Err(error);
        }
        Ok(c)
    }

    pub(super) fn see(&mut self, seen: Seen<'_>) {
        if let Some(tap) = &mut self.tap {
            tap.see(seen);
        }
    }

    /// Queues bytes behind everything that the connection was sent before.
    fn send(&mut self, c: ConnId, bytes: &[u8]) {
        self.settle(c);
        let Some(conn) = self.conn(c).filter(|conn| conn.phase == Phase::Open) else { return };
        let mut rest = bytes;
        if bytes.len() >= DIRECT && conn.out.is_empty() {
            match conn.send_now(bytes) {
                Ok(sent) => {
                    rest = &bytes[sent..];
                    self.see(Seen::Sent { c, bytes: &bytes[..sent], unsent: rest.len() });
                }
                Err(error) => return self.fail(c, Op::Send, error),
            }
        }
        if !rest.is_empty() {
            self.queue(c, rest);
        }
    }

    fn queue(&mut self, c: ConnId, bytes: &[u8]) {
        let Some(conn) = self.conns.get_mut(c.index as usize) else { return };
        conn.out.push(bytes, &mut self.pool);
        if !conn.dirty {
            conn.dirty = true;
            self.dirty.push(c);
        }
    }

    /// Moves a member's unsent part of its group's bytes to its own outbox, so that order is kept.
    fn settle(&mut self, c: ConnId) {
        let Some(Membership { group, from, .. }) = self.conn(c).and_then(|conn| conn.membership) else {
            return;
        };
        let out = std::mem::take(&mut self.groups[group.0 as usize].out);
        if from < out.len() {
            self.queue(c, &out[from..]);
            self.member_has(c, out.len());
        }
        self.groups[group.0 as usize].out = out;
    }

    /// Notes that a member has been given its group's bytes up to `from`.
    fn member_has(&mut self, c: ConnId, from: usize) {
        if let Some(membership) = self.conn(c).and_then(|conn| conn.membership.as_mut()) {
            membership.from = from;
        }
    }

    fn join(&mut self, c: ConnId, group: GroupId) {
        self.leave(c);
        let members = &mut self.groups[group.0 as usize];
        let (place, from) = (members.members.len(), members.out.len());
        // A connection that is closing has said its last word; one that is not connected yet can't be told.
        let open = |conn: &&mut Connection| conn.generation == c.generation && conn.phase == Phase::Open;
        let Some(conn) = self.conns.get_mut(c.index as usize).filter(open) else { return };
        conn.membership = Some(Membership { group, place, from });
        members.members.push(c);
    }

    fn leave(&mut self, c: ConnId) {
        self.settle(c);
        let Some(Membership { group, place, .. }) = self.conn(c).and_then(|conn| conn.membership.take())
        else {
            return;
        };
        let members = &mut self.groups[group.0 as usize].members;
        members.swap_remove(place);
        if let Some(moved) = members.get(place).copied()
            && let Some(membership) = self.conn(moved).and_then(|conn| conn.membership.as_mut())
        {
            membership.place = place;
        }
    }

    fn cast(&mut self, group: GroupId, bytes: &[u8]) {
        let members = &mut self.groups[group.0 as usize];
        members.out.extend_from_slice(bytes);
        if !members.dirty {
            members.dirty = true;
            self.dirty_groups.push(group);
        }
        if members.out.len() > Group::FLUSH_AT {
            self.flush_group(group);
        }
    }

    /// One send per member with something to hear; what the kernel does not take goes to its outbox.
    fn flush_group(&mut self, group: GroupId) {
        let Some(members) = self.groups.get_mut(group.0 as usize) else { return };
        members.dirty = false;
        let mut out = std::mem::take(&mut members.out);
        let mut i = 0;
        while let Some(c) = self.groups[group.0 as usize].members.get(i).copied() {
            self.flush_member(c, &out);
            // A member that failed has left, and another stands in its place.
            if self.groups[group.0 as usize].members.get(i) == Some(&c) {
                i += 1;
            }
        }
        out.clear();
        if out.capacity() > 2 * Group::FLUSH_AT {
            out = Vec::new();
        }
        self.groups[group.0 as usize].out = out;
    }

    fn flush_member(&mut self, c: ConnId, out: &[u8]) {
        let Some(conn) = self.conn(c) else { return };
        let Some(membership) = conn.membership.as_mut() else { return };
        let bytes = &out[membership.from..];
        membership.from = 0;
        if bytes.is_empty() {
            return;
        }
        if !conn.out.is_empty() {
            self.queue(c, bytes);
            return self.flush(c);
        }
        match conn.send_now(bytes) {
            Ok(sent) => {
                let rest = &bytes[sent..];
                self.see(Seen::Sent { c, bytes: &bytes[..sent], unsent: rest.len() });
                if !rest.is_empty() {
                    self.queue(c, rest);
                }
            }
            Err(error) => self.fail(c, Op::Send, error),
        }
    }

    /// Sends everything that this turn has produced.
    pub(super) fn flush_all(&mut self) {
        while let Some(group) = self.dirty_groups.pop() {
            if self.groups.get(group.0 as usize).is_some_and(|members| members.dirty) {
                self.flush_group(group);
            }
        }
        while let Some(c) = self.dirty.pop() {
            if let Some(conn) = self.conn(c) {
                conn.dirty = false;
                self.flush(c);
            }
        }
    }

    /// Sends what the outbox holds; sees to leftovers, limits, and the next step of a closing connection.
    pub(super) fn flush(&mut self, c: ConnId) {
        let Core { conns, tap, pool, limits, now, .. } = self;
        let Some(conn) = conns.get_mut(c.index as usize).filter(|conn| conn.generation == c.generation)
        else {
            return;
        };
        let result = conn.flush(|bytes, unsent| {
            if let Some(tap) = tap {
                tap.see(Seen::Sent { c, bytes, unsent });
            }
        });
        conn.out.release(pool);
        let moved = match result {
            Ok(moved) => moved,
            Err(error) => return self.fail(c, Op::Send, error),
        };
        if conn.out.is_empty() {
            return self.all_sent(c);
        }
        if limits.overflow == Overflow::Disconnect && conn.out.len() > limits.outbox {
            return self.remove(c, Why::NotReading);
        }
        // The time that a write may be stuck begins anew whenever something moved.
        if conn.limit.is_none() || moved > 0 {
            let closing = (conn.phase == Phase::Closing).then_some(limits.stop_within);
            conn.limit = limits.stuck.or(closing).map(|time| *now + time);
        }
        if !conn.watches_writable {
            conn.watches_writable = true;
            let interest = Interest::READABLE | Interest::WRITABLE;
            let token = Target::Conn(c).token();
            if let Err(error) = self.registry.reregister(&mut conn.stream, token, interest) {
                return self.fail(c, Op::Poll, error);
            }
        }
        self.arm(c);
    }

    /// The outbox is empty: reading goes on if it was held back, a closing connection says FIN.
    fn all_sent(&mut self, c: ConnId) {
        let now = self.now;
        let (drain_time, drain_quiet) = (self.limits.drain_time, self.limits.drain_quiet);
        let Some(conn) = self.conn(c) else { return };
        let drain_time = if conn.refused { drain_time.min(REFUSED_DRAIN_TIME) } else { drain_time };
        match conn.phase {
            Phase::Connecting | Phase::Draining => {}
            Phase::Open => {
                conn.limit = None;
                self.requeue(c);
            }
            Phase::Closing if conn.ended => self.remove(c, Why::Closed),
            Phase::Closing => {
                conn.phase = Phase::Draining;
                conn.drain_end = now + drain_time;
                conn.limit = Some(conn.drain_end.min(now + drain_quiet));
                match conn.stream.shutdown(std::net::Shutdown::Write) {
                    Ok(()) => {
                        self.requeue(c);
                        self.arm(c);
                    }
                    // The peer has reset it: there is nobody left to be gentle with.
                    Err(_) => self.remove(c, Why::Closed),
                }
            }
        }
    }

    /// Puts a connection that may have bytes to read into the queue.
    pub(super) fn requeue(&mut self, c: ConnId) {
        if let Some(conn) = self.conn(c)
            && conn.readable
            && !conn.queued
        {
            conn.queued = true;
            self.ready.push_back(Target::Conn(c));
        }
    }

    /// Puts a UDP socket that may have datagrams to read into the queue.
    pub(super) fn requeue_sock(&mut self, s: SockId) {
        let sock = &mut self.socks[s.0 as usize];
        if !sock.queued {
            sock.queued = true;
            self.ready.push_back(Target::Udp(s));
        }
    }

    /// True if the connection's output must shrink before it is read again.
    pub(super) fn held_back(&self, conn: &Connection) -> bool {
        self.limits.overflow == Overflow::StopReading
            && conn.phase == Phase::Open
            && conn.out.len() > self.limits.outbox
    }

    /// True if the connection is not read for now, whatever may wait there.
    pub(super) fn waits(&self, conn: &Connection) -> bool {
        let held = conn.held && conn.phase == Phase::Open;
        held || conn.phase == Phase::Closing || self.held_back(conn)
    }

    /// Sets the timer for the connection's next deadline, if none that is set comes early enough.
    pub(super) fn arm(&mut self, c: ConnId) {
        let Some(conn) = self.conn(c) else { return };
        if let Some(next) = conn.next_deadline()
            && conn.armed.is_none_or(|armed| next < armed)
        {
            conn.armed = Some(next);
            self.timers.push(next, c);
            let conns = &self.conns;
            self.timers.tidy(conns.len(), |c| {
                conns.get(c.index as usize).is_some_and(|conn| conn.generation == c.generation)
            });
        }
    }

    fn close(&mut self, c: ConnId, how: How) {
        self.leave(c);
        let Some(conn) = self.conn(c) else { return };
        match (how, conn.phase) {
            // Cut off in the middle of its output: it had its time to read it.
            (How::Now, Phase::Closing) => self.remove(c, Why::NotReading),
            (How::Now, _) | (How::Gently, Phase::Connecting) => self.remove(c, Why::Closed),
            (How::Gently, Phase::Open) => {
                conn.phase = Phase::Closing;
                conn.wanted = None;
                if !conn.dirty {
                    conn.dirty = true;
                    self.dirty.push(c);
                }
            }
            (How::Gently, Phase::Closing | Phase::Draining) => {}
        }
    }

    pub(super) fn fail(&mut self, c: ConnId, op: Op, error: io::Error) {
        let Some(conn) = self.conn(c) else { return };
        // While closing, a peer that is gone is no news.
        let why = match conn.phase {
            Phase::Closing | Phase::Draining => Why::Closed,
            _ => Why::Failed(NetError::new(op, conn.peer, error)),
        };
        self.remove(c, why);
    }

    /// Ends a connection that failed after its peer's FIN was read: no read will ever tell.
    pub(super) fn fail_if_ended(&mut self, c: ConnId) {
        let Some(conn) = self.conn(c).filter(|conn| conn.ended) else { return };
        let error = conn.stream.take_error().ok().flatten();
        self.fail(c, Op::Recv, error.unwrap_or_else(|| io::ErrorKind::ConnectionReset.into()));
    }

    /// Ends a connection; dropping its stream closes the descriptor.
    pub(super) fn remove(&mut self, c: ConnId, why: Why) {
        self.leave(c);
        if self.conn(c).is_none() {
            return;
        }
        let mut conn = self.conns.remove(c.index as usize);
        // What is unsent will stay so, but its buffer can serve again.
        let unsent = conn.out.len();
        conn.out.consume(unsent);
        conn.out.release(&mut self.pool);
        self.see(Seen::Closed { c });
        for listener in &mut self.listeners {
            listener.room_made();
        }
        if conn.refused {
            return;
        }
        self.totals.received_bytes += conn.received;
        self.totals.sent_bytes += conn.sent;
        let closed = Closed {
            peer: conn.peer,
            why,
            received_bytes: conn.received,
            sent_bytes: conn.sent,
            lasted: self.now.saturating_duration_since(conn.since),
        };
        self.ends.push_back((c, closed));
    }

    pub(super) fn refuse(&mut self, c: ConnId, bytes: &[u8]) {
        if let Some(conn) = self.conn(c) {
            conn.refused = true;
            self.send(c, bytes);
            self.close(c, How::Gently);
        }
    }
}

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

    /// Sends one datagram.
    ///
    /// # Errors
    /// The system's reason, a full send buffer among them; UDP promises nothing, so nothing is tried again.
    pub fn send_to(&mut self, s: SockId, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        self.core.socks[s.0 as usize].inner.send_to(bytes, to).map(drop)
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

impl Target {
    const KIND_BITS: u32 = 2;

    /// Packs kind, index and generation; the upper half is the generation.
    pub(super) fn token(self) -> Token {
        let (kind, index, generation) = match self {
            Target::Conn(c) => (0, c.index as usize, c.generation as usize),
            Target::Listener(index) => (1, index, 0),
            Target::Udp(s) => (2, s.0 as usize, 0),
            Target::Waker => (3, 0, 0),
        };
        Token((generation << (usize::BITS / 2)) | (index << Target::KIND_BITS) | kind)
    }

    pub(super) fn of(token: Token) -> Target {
        let lower = token.0 & (usize::MAX >> (usize::BITS / 2));
        let index = u32::try_from(lower >> Target::KIND_BITS).expect("half a word fits");
        match lower & 3 {
            0 => {
                let generation = u32::try_from(token.0 >> (usize::BITS / 2)).expect("half a word fits");
                Target::Conn(ConnId { index, generation })
            }
            1 => Target::Listener(index as usize),
            2 => Target::Udp(SockId(index)),
            _ => Target::Waker,
        }
    }
}
