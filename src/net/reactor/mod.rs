//! The one readiness loop: waits until sockets are ready, moves bytes, calls a [`Handler`].
//!
//! A turn of the loop, in order:
//!
//! ```text
//!   sleep until a socket is ready, a deadline, or a wake     (epoll_wait)
//!   note what became ready                                   latches: edge-triggered, so nothing is forgotten
//!   accept, read, hand bytes to the handler                  a budget each, then the next one's turn
//!   deadlines                                                the handler's, and the loop's own
//!   send what the turn has produced                          one send per connection, then sleep again
//! ```
//! The loop owns what every server needs and few get right: leftovers of partial writes, bounded outboxes,
//! peers that do not read, closing without destroying what the peer has not read yet, running out of
//! descriptors, and stopping in bounded time. It knows no protocol.

mod accept;
mod connection;
mod core;
mod datagrams;
mod group;
mod handler;
mod inbox;
mod io;
mod limits;
mod outbox;
mod sock;
mod tap;
mod target;
mod timers;
mod trace;

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Interest, Poll, Waker};

use self::accept::{Listener, Pause};
use self::connection::{Fill, Phase};
use self::core::Core;
use self::inbox::Inbox;
use self::sock::Sock;
use self::target::Target;
use super::{NetError, Op, Stop, os};

pub use self::datagrams::{Datagram, Datagrams, Unsent};
pub use self::handler::{Admit, Closed, ConnId, ConnMap, GroupId, Handler, How, Peer, SockId, Why};
pub use self::io::Io;
pub use self::limits::{Limits, Overflow, Totals};
pub use self::tap::{Seen, Tap};
pub use self::trace::{Step, trace};

/// How many messages, of one datagram or of many, are taken from a socket in a turn: each costs about the same
/// way through the kernel.
const MESSAGE_BUDGET: usize = 64;
/// Readiness events taken from the system in one call.
const EVENTS: usize = 1_024;

/// The loop. Give it listeners and sockets, then [`run`](Reactor::run) it with a handler.
pub struct Reactor {
    poll: Poll,
    core: Core,
    buffer: Vec<u8>,
    /// What was received for the handler, for each UDP socket.
    inboxes: Vec<Inbox>,
    capacity: usize,
}

impl Reactor {
    /// A loop with these bounds. Raises the descriptor limit to what is allowed.
    ///
    /// # Errors
    /// A system that gives no poll or no waker.
    pub fn new(limits: Limits) -> Result<Reactor, NetError> {
        let descriptors = super::raise_descriptor_limit().saturating_sub(limits.reserved).max(1);
        let capacity = limits.connections.map_or(descriptors, |n| n.min(descriptors));
        tracing::debug!("{descriptors} descriptors for connections, {} kept in reserve", limits.reserved);
        let buffer = vec![0; limits.recv_size.max(1)];
        let setup = || -> std::io::Result<(Poll, Core)> {
            let poll = Poll::new()?;
            let waker = Waker::new(poll.registry(), Target::Waker.token())?;
            let registry = poll.registry().try_clone()?;
            Ok((poll, Core::new(registry, waker, limits)))
        };
        let (poll, core) =
            setup().map_err(|source| NetError::new(Op::Poll, super::Address::new("events", 0), source))?;
        Ok(Reactor { poll, core, buffer, inboxes: Vec::new(), capacity })
    }

    /// How many connections fit at a time: the limit asked for, or what the descriptors allow.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Accepts connections from `listener`, which is bound to `addr`.
    ///
    /// # Errors
    /// A listener that can't be watched.
    pub fn listen(&mut self, listener: TcpListener, addr: SocketAddr) -> Result<(), NetError> {
        let failed = |source| NetError::new(Op::Listen, addr, source);
        listener.set_nonblocking(true).map_err(failed)?;
        let mut inner = mio::net::TcpListener::from_std(listener);
        let token = Target::Listener(self.core.listeners.len()).token();
        self.core.registry.register(&mut inner, token, Interest::READABLE).map_err(failed)?;
        self.core.listeners.push(Listener { inner, addr, readable: false, paused: None });
        Ok(())
    }

    /// Receives datagrams from `socket`.
    ///
    /// # Errors
    /// A socket that can't be watched.
    pub fn add_udp(&mut self, socket: UdpSocket, addr: SocketAddr) -> Result<SockId, NetError> {
        let failed = |source| NetError::new(Op::Poll, addr, source);
        let mut sock = Sock::new(socket, addr).map_err(failed)?;
        let s = SockId(u32::try_from(self.core.socks.len()).expect("a handful of sockets"));
        self.core
            .registry
            .register(&mut sock.inner, Target::Udp(s).token(), Interest::READABLE)
            .map_err(failed)?;
        self.inboxes.push(Inbox::new(&sock, self.core.limits.recv_size.max(1)));
        self.core.socks.push(sock);
        Ok(s)
    }

    /// Shows `tap` everything that the loop does, beside those that see it already.
    pub fn observe(&mut self, tap: Box<dyn Tap>) {
        self.core.tap = Some(match self.core.tap.take() {
            None => tap,
            Some(first) => Box::new(tap::Both(first, tap)),
        });
    }

    /// The handler's hands before the loop runs: to connect, to make groups, to set a deadline.
    pub fn io(&mut self) -> Io<'_> {
        self.core.now = Instant::now();
        Io { core: &mut self.core }
    }

    /// Runs until `stop` or the handler asks for an end, then closes every connection gently.
    ///
    /// # Errors
    /// A poll that fails: nothing can go on then.
    pub fn run<H: Handler>(&mut self, handler: &mut H, stop: &Stop) -> Result<Totals, NetError> {
        let waker = self.core.waker.clone();
        let _guard = stop.on_stop(move || {
            // A waker fails only with its poll, which the loop notices by itself.
            let _ = waker.wake();
        });
        let mut events = Events::with_capacity(EVENTS);
        let mut stop_by = None;
        loop {
            // First, because what the handler hears of may make it ask for the end.
            self.settle(handler);
            if stop_by.is_none() && (stop.requested() || self.core.stop_asked) {
                stop_by = Some(self.begin_stop(handler));
            }
            if let Some(stop_by) = stop_by {
                if self.core.now >= stop_by {
                    self.close_all(handler, How::Now);
                }
                if self.core.conns.is_empty() {
                    return Ok(self.core.totals);
                }
            }
            handler.turned();
            self.sleep(&mut events, stop_by)?;
            for event in &events {
                self.note(handler, event);
            }
            self.accept(handler);
            self.serve_ready(handler);
            self.deadlines(handler);
        }
    }

    /// Stops accepting, tells the handler, and begins to close every connection. Returns when to give up.
    fn begin_stop<H: Handler>(&mut self, handler: &mut H) -> Instant {
        self.core.now = Instant::now();
        self.core.listeners.clear();
        handler.stopping(&mut Io { core: &mut self.core });
        self.close_all(handler, How::Gently);
        self.settle(handler);
        self.core.now + self.core.limits.stop_within
    }

    fn close_all<H: Handler>(&mut self, handler: &mut H, how: How) {
        let ids: Vec<ConnId> = self.ids();
        for c in ids {
            let held = self.core.conn(c).is_some_and(|conn| conn.held);
            if held && how == How::Gently {
                continue;
            }
            Io { core: &mut self.core }.close(c, how);
            self.settle(handler);
        }
    }

    fn ids(&self) -> Vec<ConnId> {
        let id = |(index, conn): (usize, &connection::Connection)| ConnId {
            index: u32::try_from(index).expect("descriptors are numbered in 32 bits"),
            generation: conn.generation,
        };
        self.core.conns.iter().map(id).collect()
    }

    /// Sends what was produced and reports what ended, until neither produces more.
    fn settle<H: Handler>(&mut self, handler: &mut H) {
        loop {
            self.core.flush_all();
            if let Some((c, closed)) = self.core.ends.pop_front() {
                handler.closed(&mut Io { core: &mut self.core }, c, &closed);
            } else if let Some(unsent) = self.core.unsent.pop_front() {
                handler.unsent(&mut Io { core: &mut self.core }, &unsent);
            } else {
                break;
            }
        }
    }

    fn sleep(&mut self, events: &mut Events, stop_by: Option<Instant>) -> Result<(), NetError> {
        let timeout = self.timeout(stop_by);
        // One clock read a turn serves all of it; only where the loop is observed, its sleep is timed.
        let before = self.core.tap.is_some().then(Instant::now);
        match self.poll.poll(events, timeout) {
            // A signal handler ran: no events, look around and sleep again.
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => events.clear(),
            Err(error) => return Err(NetError::new(Op::Poll, super::Address::new("events", 0), error)),
            Ok(()) => {}
        }
        self.core.now = Instant::now();
        if let Some(before) = before {
            let took = self.core.now - before;
            self.core.see(Seen::Slept { took, events: events.iter().count() });
        }
        Ok(())
    }

    /// How long the loop may sleep: not at all while someone waits for their turn.
    fn timeout(&self, stop_by: Option<Instant>) -> Option<Duration> {
        let core = &self.core;
        let accepting = core.listeners.iter().any(|listener| listener.readable && listener.paused.is_none());
        if accepting || !core.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        let resume = core.listeners.iter().filter_map(|listener| match listener.paused? {
            Pause::Until(at) => Some(at),
            Pause::Full => None,
        });
        let next = resume.chain(core.timers.next()).chain(core.handler_deadline).chain(stop_by).min()?;
        // Rounded up: a poll that wakes a moment too early would spin until the deadline.
        let rest = next.saturating_duration_since(Instant::now());
        Some(if rest.is_zero() { rest } else { rest + Duration::from_millis(1) })
    }

    /// Turns an event into latches.
    fn note<H: Handler>(&mut self, handler: &mut H, event: &Event) {
        match Target::of(event.token()) {
            Target::Waker => handler.woken(&mut Io { core: &mut self.core }),
            Target::Listener(index) => {
                if let Some(listener) = self.core.listeners.get_mut(index) {
                    listener.readable = true;
                    self.core.see(Seen::ListenerReady);
                }
            }
            Target::Udp(s) => self.core.requeue_sock(s),
            Target::Conn(c) => self.note_conn(handler, c, event),
        }
    }

    fn note_conn<H: Handler>(&mut self, handler: &mut H, c: ConnId, event: &Event) {
        let Some(conn) = self.core.conn(c) else { return };
        let readable = event.is_readable() || event.is_read_closed() || event.is_error();
        let writable = event.is_writable();
        // Noted while connecting, too: a FIN that comes in one event with the connection is not told again.
        conn.hangup |= event.is_read_closed() || event.is_error();
        if conn.phase == Phase::Connecting {
            return self.finish_connect(handler, c);
        }
        conn.readable |= readable;
        let unsent = !conn.out.is_empty();
        self.core.see(Seen::Ready { c, readable, writable: writable && unsent });
        if writable && unsent {
            self.core.flush(c);
        }
        if event.is_error() {
            self.core.fail_if_ended(c);
        }
        self.core.requeue(c);
    }

    fn finish_connect<H: Handler>(&mut self, handler: &mut H, c: ConnId) {
        let Some(conn) = self.core.conn(c) else { return };
        match (conn.stream.take_error(), conn.stream.peer_addr()) {
            (Ok(Some(error)) | Err(error), _) => self.core.fail(c, Op::Connect, error),
            // Not yet: the event was about something else.
            (Ok(None), Err(_)) => {}
            (Ok(None), Ok(addr)) => {
                conn.phase = Phase::Open;
                conn.limit = None;
                conn.readable = true;
                let peer = Peer { addr, outbound: true };
                self.core.see_opened(c, peer);
                let admit = handler.opened(&mut Io { core: &mut self.core }, c, &peer);
                self.admit(c, &admit);
            }
        }
    }

    fn admit(&mut self, c: ConnId, admit: &Admit) {
        match admit {
            Admit::Serve => {
                self.core.totals.connections += 1;
                self.core.requeue(c);
            }
            Admit::Refuse(bytes) => self.core.refuse(c, bytes),
        }
    }

    /// Gives everyone who was ready at the start of this turn their share.
    fn serve_ready<H: Handler>(&mut self, handler: &mut H) {
        for _ in 0..self.core.ready.len() {
            match self.core.ready.pop_front() {
                Some(Target::Conn(c)) => self.read(handler, c),
                Some(Target::Udp(s)) => self.read_datagrams(handler, s),
                _ => {}
            }
        }
    }

    /// Reads one connection until it is empty or has had its share.
    fn read<H: Handler>(&mut self, handler: &mut H, c: ConnId) {
        if let Some(conn) = self.core.conn(c) {
            conn.queued = false;
        }
        let mut budget = self.core.limits.read_budget;
        loop {
            let size = self.buffer.len();
            let Some(conn) =
                self.core.conns.get(c.index as usize).filter(|conn| conn.generation == c.generation)
            else {
                return;
            };
            if !conn.readable || conn.ended || self.core.waits(conn) {
                return;
            }
            let Some(conn) = self.core.conn(c) else { return };
            match conn.fill(&mut self.buffer) {
                Ok(Fill::Got(n)) => {
                    conn.readable = n == size || conn.hangup || !os::SHORT_READ_ENDS;
                    self.deliver(handler, c, n);
                    budget = budget.saturating_sub(n);
                    if budget == 0 {
                        return self.core.requeue(c);
                    }
                }
                Ok(Fill::End) => return self.end(handler, c),
                Ok(Fill::WouldBlock) => {
                    conn.readable = false;
                    self.core.see(Seen::WouldBlock { c });
                }
                Err(error) => return self.core.fail(c, Op::Recv, error),
            }
        }
    }

    /// Hands `n` bytes of the buffer to the handler, or drops them if the connection is closing.
    fn deliver<H: Handler>(&mut self, handler: &mut H, c: ConnId, n: usize) {
        let bytes = &self.buffer[..n];
        self.core.see(Seen::Received { c, bytes });
        let (now, drain_bytes, drain_quiet) =
            (self.core.now, self.core.limits.drain_bytes, self.core.limits.drain_quiet);
        let Some(conn) = self.core.conn(c) else { return };
        if conn.phase == Phase::Open {
            conn.received += n as u64;
            handler.bytes(&mut Io { core: &mut self.core }, c, bytes);
            let Some(conn) = self.core.conns.get(c.index as usize) else { return };
            if self.core.held_back(conn) {
                self.core.flush(c);
            }
            return;
        }
        conn.drained += n;
        conn.limit = Some(conn.drain_end.min(now + drain_quiet));
        if conn.drained > drain_bytes {
            self.core.remove(c, Why::Closed);
        }
    }

    fn end<H: Handler>(&mut self, handler: &mut H, c: ConnId) {
        self.core.see(Seen::Received { c, bytes: &[] });
        let Some(conn) = self.core.conn(c) else { return };
        (conn.readable, conn.ended) = (false, true);
        match conn.phase {
            Phase::Open => handler.ended(&mut Io { core: &mut self.core }, c),
            Phase::Draining => self.core.remove(c, Why::Closed),
            Phase::Connecting | Phase::Closing => {}
        }
    }

    /// Reads one UDP socket until it is empty or has had its share.
    fn read_datagrams<H: Handler>(&mut self, handler: &mut H, s: SockId) {
        let index = s.0 as usize;
        self.core.socks[index].queued = false;
        let inbox = &mut self.inboxes[index];
        for _ in 0..MESSAGE_BUDGET {
            if inbox.is_empty() {
                match inbox.fill(&self.core.socks[index]) {
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                    // An earlier answer met a closed port; Windows reports it here (10054), to nobody's use.
                    Ok(()) | Err(_) => {}
                }
            }
            let Some(datagrams) = inbox.front() else { continue };
            self.core.see_datagrams(s, datagrams, false);
            handler.datagrams(&mut Io { core: &mut self.core }, s, datagrams);
            inbox.pop();
            if inbox.drained() {
                return;
            }
        }
        self.core.requeue_sock(s);
    }

    fn deadlines<H: Handler>(&mut self, handler: &mut H) {
        let now = self.core.now;
        if self.core.handler_deadline.is_some_and(|at| at <= now) {
            self.core.handler_deadline = None;
            handler.deadline(&mut Io { core: &mut self.core }, None);
        }
        while let Some((at, c)) = self.core.timers.pop_due(now) {
            let Some(conn) = self.core.conn(c) else { continue };
            if conn.armed == Some(at) {
                conn.armed = None;
            }
            if conn.limit.is_some_and(|limit| limit <= now) {
                self.limit_passed(c);
            } else if conn.wanted.is_some_and(|wanted| wanted <= now) {
                conn.wanted = None;
                handler.deadline(&mut Io { core: &mut self.core }, Some(c));
            }
            self.core.arm(c);
        }
    }

    /// The loop's own deadline for a connection has passed.
    fn limit_passed(&mut self, c: ConnId) {
        let Some(conn) = self.core.conn(c) else { return };
        let why = match conn.phase {
            Phase::Connecting => Why::Failed(NetError::timed_out(Op::Connect, conn.peer)),
            Phase::Open | Phase::Closing => Why::NotReading,
            Phase::Draining => Why::Closed,
        };
        self.core.remove(c, why);
    }
}
