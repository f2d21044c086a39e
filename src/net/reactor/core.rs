//! The loop's state, and what can be done to one connection.
//!
//! Nothing here calls the handler: ends of connections are noted in a queue, and the loop reports them when
//! the handler's call has returned.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry, Waker};
use slab::Slab;

use super::connection::{Connection, Phase};
use super::datagrams::{Datagrams, Unsent};
use super::group::Group;
use super::handler::{Closed, ConnId, GroupId, How, Peer, SockId, Why};
use super::outbox::Pool;
use super::sock::Sock;
use super::tap::{Seen, Tap};
use super::timers::Timers;
use super::{Limits, Listener, Overflow, Target, Totals};
use crate::net::{Cause, NetError, Op};

/// From this size on, a send with nothing queued before it goes straight to the socket. It is most likely all that
/// is said in this turn, and the peer can work on it while others are served: then neither side waits for the other.
const DIRECT: usize = 1 << 10;

/// A refused connection takes a descriptor from the reserve: it is drained for a shorter time, so that a
/// crowd of them is told in turn.
const REFUSED_DRAIN_TIME: Duration = Duration::from_millis(200);

pub(super) struct Core {
    pub(super) registry: Registry,
    pub(super) waker: Arc<Waker>,
    pub(super) limits: Limits,
    pub(super) now: Instant,
    pub(super) conns: Slab<Connection>,
    pub(super) next_generation: u32,
    pub(super) listeners: Vec<Listener>,
    pub(super) socks: Vec<Sock>,
    /// Datagrams that were not sent, of which the handler has not heard yet.
    pub(super) unsent: VecDeque<Unsent>,
    pub(super) groups: Slab<Group>,
    /// Connections with bytes to read, and UDP sockets with datagrams.
    pub(super) ready: VecDeque<Target>,
    /// Connections with output to flush before sleeping.
    pub(super) dirty: Vec<ConnId>,
    pub(super) dirty_groups: Vec<GroupId>,
    pub(super) timers: Timers,
    pub(super) handler_deadline: Option<Instant>,
    /// Ends that the handler has not heard of yet.
    pub(super) ends: VecDeque<(ConnId, Closed)>,
    pub(super) pool: Pool,
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
            unsent: VecDeque::new(),
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

    /// Shows a new connection to the tap. Its own address costs a call that is made for nobody else.
    pub(super) fn see_opened(&mut self, c: ConnId, peer: Peer) {
        if self.tap.is_some() {
            let local = self.conn(c).and_then(|conn| conn.stream.local_addr().ok());
            self.see(Seen::Opened { c, local, peer });
        }
    }

    /// Shows datagrams to the tap, one by one.
    pub(super) fn see_datagrams(&mut self, s: SockId, datagrams: Datagrams<'_>, outbound: bool) {
        if self.tap.is_some() {
            for one in datagrams.iter() {
                self.see_datagram(s, datagrams.peer(), one.bytes, outbound);
            }
        }
    }

    /// Shows a datagram to the tap.
    pub(super) fn see_datagram(&mut self, s: SockId, peer: SocketAddr, bytes: &[u8], outbound: bool) {
        let local = self.socks[s.0 as usize].addr;
        self.see(Seen::Datagram { local, peer, bytes, outbound });
    }

    /// Queues bytes behind everything that the connection was sent before.
    pub(super) fn send(&mut self, c: ConnId, bytes: &[u8]) {
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

    pub(super) fn queue(&mut self, c: ConnId, bytes: &[u8]) {
        let Some(conn) = self.conns.get_mut(c.index as usize) else { return };
        conn.out.push(bytes, &mut self.pool);
        if !conn.dirty {
            conn.dirty = true;
            self.dirty.push(c);
        }
    }

    /// Sends everything that this turn has produced.
    pub(super) fn flush_all(&mut self) {
        for sock in &mut self.socks {
            sock.flush(&mut self.unsent);
        }
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
                        self.see(Seen::ShutDown { c });
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

    pub(super) fn close(&mut self, c: ConnId, how: How) {
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
        let reset = matches!(&why, Why::Failed(error) if error.cause() == Cause::Reset);
        self.see(Seen::Closed { c, reset });
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
