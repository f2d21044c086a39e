//! The load on a TCP echo server: many connections on one thread, as a handler of the event loop.
//!
//! ```text
//!  connect all ─► load begins ─► every reply makes room for the next request   closed loop
//!                              └► every beat of the metronome makes some due   open loop
//!              ─► sending ends ─► last replies ─► close
//! ```
//! The generator must be faster than what it measures: requests that one read makes room for leave in one
//! send, a clock is read once for each read, and a right reply is compared in place.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::client::Client;
use super::content::Content;
use super::cpu;
use super::report::{Checks, EchoReport, Event, Outcome};
use super::run::Run;
use super::window::{Sent, Verdict, Window};
use super::{BenchError, EchoConfig};
use crate::framing::{self, Encoder, FrameError};
use crate::net::reactor::Why;
use crate::net::table::Transport;
use crate::net::{
    Admit, Closed, ConnId, ConnMap, Handler, How, Io, Limits, NetError, Op, Peer, Reactor, Stop,
};
use crate::report::Events;

/// Connects under way at a time: many students' servers have a backlog of 5 or 128.
const CONNECTING: usize = 32;

/// Puts the load on the first of `addrs` that answers.
///
/// # Errors
/// A server that can't be reached, a size that the framing can't carry. Wrong replies are no error: the
/// report counts them.
pub fn run(
    config: &EchoConfig,
    addrs: &[SocketAddr],
    stop: &Stop,
    events: &mut dyn Events<Event<EchoReport>>,
) -> Result<EchoReport, BenchError> {
    let (size, limit) = (config.load.size_bytes, config.framing.max_frame(usize::MAX));
    if size > limit {
        return Err(BenchError::Size { size, limit });
    }
    // A server that sends more than it was asked for is measured, too: nothing here limits what is unsent.
    let limits = Limits { outbox: usize::MAX, ..Limits::default() };
    let mut reactor = Reactor::new(limits)?;
    let mut generator = Generator::new(config, addrs, stop, events);
    generator.connect_more(&mut reactor.io())?;
    let waker = reactor.io().waker();
    let _guard = stop.on_stop(move || {
        // A waker fails only with its poll, which the loop notices by itself.
        let _ = waker.wake();
    });
    // Not the user's stop: the loop would close while replies are on their way.
    reactor.run(&mut generator, &Stop::new())?;
    generator.report()
}

struct Generator<'a> {
    config: &'a EchoConfig,
    addrs: VecDeque<SocketAddr>,
    target: SocketAddr,
    stop: &'a Stop,
    events: &'a mut dyn Events<Event<EchoReport>>,
    content: Content,
    encoder: Encoder,
    /// In the order of connecting; a place is a client's number.
    clients: Vec<Client>,
    places: ConnMap<usize>,
    /// How many are connected.
    opened: usize,
    /// `None` until all are connected.
    running: Option<Run>,
    checks: Checks,
    failure: Option<BenchError>,
    connection_error: Option<String>,
    payload: Vec<u8>,
    output: Vec<u8>,
}

impl<'a> Generator<'a> {
    fn new(
        config: &'a EchoConfig,
        addrs: &[SocketAddr],
        stop: &'a Stop,
        events: &'a mut dyn Events<Event<EchoReport>>,
    ) -> Generator<'a> {
        let mut addrs: VecDeque<SocketAddr> = addrs.iter().copied().collect();
        let target = addrs.pop_front().expect("a resolved name has at least one address");
        Generator {
            config,
            addrs,
            target,
            stop,
            events,
            content: Content::new(config.load.size_bytes),
            encoder: Encoder::new(config.framing, config.load.size_bytes),
            clients: Vec::new(),
            places: ConnMap::default(),
            opened: 0,
            running: None,
            checks: Checks::default(),
            failure: None,
            connection_error: None,
            payload: Vec::new(),
            output: Vec::new(),
        }
    }

    /// Connects the next ones: one alone until it is known that somebody answers, then some at a time.
    fn connect_more(&mut self, io: &mut Io<'_>) -> Result<(), NetError> {
        let at_a_time = if self.opened == 0 { 1 } else { CONNECTING };
        while self.clients.len() < self.config.load.connections
            && self.clients.len() - self.opened < at_a_time
        {
            let conn = io.connect(self.target, &self.config.options, self.config.course.wait)?;
            let place = self.clients.len();
            self.places.insert(conn, place);
            let window = Window::new(place as u64, self.config.load.connections as u64);
            self.clients.push(Client::new(conn, self.config.framing, window));
        }
        Ok(())
    }

    /// Gives up before the load has begun.
    fn fail(&mut self, io: &mut Io<'_>, error: BenchError) {
        self.failure.get_or_insert(error);
        io.stop();
    }

    /// A connection ended before all were there: the name's next address is tried, if this one never answered.
    fn closed_early(&mut self, io: &mut Io<'_>, closed: &Closed) {
        if self.stop.requested() {
            return;
        }
        if self.opened == 0
            && let Some(next) = self.addrs.pop_front()
        {
            self.target = next;
            self.clients.clear();
            if let Err(error) = self.connect_more(io) {
                self.fail(io, error.into());
            }
            return;
        }
        let error = match &closed.why {
            Why::Failed(error) => error.again(),
            Why::Closed | Why::NotReading => {
                NetError::new(Op::Recv, self.target, std::io::ErrorKind::ConnectionReset.into())
            }
        };
        self.fail(io, error.into());
    }

    /// All are connected: the load begins.
    fn begin(&mut self, io: &mut Io<'_>) {
        let server = cpu::server_of(Transport::Tcp, self.target);
        let waker = io.waker();
        let beat = move || {
            let _ = waker.wake();
        };
        match Run::begin(self.config.course, self.config.load.asked_rate_per_s, server, beat) {
            Ok(run) => self.running = Some(run),
            Err(error) => return self.fail(io, error),
        }
        self.advance(io);
        for place in 0..self.clients.len() {
            self.fill(io, place, 0);
        }
    }

    /// Does what time brings: requests that are due, the end of a second, the end of it all.
    fn advance(&mut self, io: &mut Io<'_>) {
        let Some(running) = &mut self.running else { return };
        let now_ns = running.now_ns();
        let next = running.advance(now_ns, self.stop, self.events);
        io.set_deadline(None, Some(next));
        self.send_due(io, now_ns);
        self.end_if_done(io, now_ns);
    }

    /// Open loop: hands requests that are due to their connections, one after the other.
    fn send_due(&mut self, io: &mut Io<'_>, now_ns: u64) {
        while let Some(n) = self.running.as_mut().and_then(|running| running.next_due(now_ns)) {
            let place = usize::try_from(n % self.clients.len() as u64).unwrap_or(0);
            self.clients[place].due += 1;
            self.fill(io, place, now_ns);
        }
    }

    /// Sends as many requests on a connection as it has room for, in one send.
    fn fill(&mut self, io: &mut Io<'_>, place: usize, now_ns: u64) {
        let (Some(running), client) = (&mut self.running, &mut self.clients[place]) else { return };
        if !client.open {
            return;
        }
        while client.window.in_flight() < self.config.load.depth {
            let due_ns = match running.schedule {
                None if running.meter.may_send(now_ns) => now_ns,
                Some(schedule) if client.window.total() < client.due && !running.meter.was_cut() => schedule
                    .due_ns(client.window.total() * self.config.load.connections as u64 + place as u64),
                _ => break,
            };
            let sent = Sent { at_ns: now_ns, due_ns };
            running.meter.sent(sent);
            let number = client.window.push(sent);
            self.payload.clear();
            self.content.append(number, &mut self.payload);
            let encoded = self.encoder.encode(framing::Content::Binary, &self.payload, &mut self.output);
            encoded.expect("the content fits every framing, and its size was checked");
        }
        if !self.output.is_empty() {
            io.send(client.conn, &self.output);
            self.output.clear();
        }
    }

    /// Judges every reply that has come.
    fn receive(&mut self, place: usize, bytes: &[u8], now_ns: u64) -> Result<(), FrameError> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let (checks, meter) = (&mut self.checks, &mut running.meter);
        self.clients[place].receive(&self.content, bytes, |verdict| match verdict {
            Verdict::Right(sent) => drop(meter.answered(sent, now_ns)),
            Verdict::Reordered(sent) => {
                checks.reordered += 1;
                meter.answered(sent, now_ns);
            }
            Verdict::Duplicated => checks.duplicated += 1,
            Verdict::Corrupted => checks.corrupted += 1,
        })
    }

    /// Ends the load when nothing is missing any more, or nothing more is to be expected.
    fn end_if_done(&mut self, io: &mut Io<'_>, now_ns: u64) {
        let Some(running) = &mut self.running else { return };
        let cut = running.meter.was_cut();
        let waits = |client: &Client| {
            client.open && (client.window.is_waiting() || (client.window.total() < client.due && !cut))
        };
        let complete = || !running.sending(now_ns) && !self.clients.iter().any(waits);
        if self.opened == 0 || running.meter.gives_up(now_ns) || complete() {
            running.done = true;
            for client in &mut self.clients {
                client.open = false;
                io.close(client.conn, How::Now);
            }
            io.stop();
        }
    }

    fn report(self) -> Result<EchoReport, BenchError> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        let running = self.running.ok_or(BenchError::Interrupted)?;
        let interrupted = running.meter.was_cut();
        let mut checks = self.checks;
        for client in &self.clients {
            checks.lost += client.window.outstanding();
            checks.silent_connections += usize::from(!client.answered && client.window.outstanding() > 0);
            if !interrupted {
                checks.unsent += client.due.saturating_sub(client.window.total());
            }
        }
        let connection_error = self.connection_error;
        let measured = running.meter.finish();
        let outcome = Outcome { measured, checks, interrupted, connection_error, fault: None };
        let report = EchoReport::new(self.target, Transport::Tcp, self.config.load.clone(), outcome);
        Ok(EchoReport { framing: Some(self.config.framing.name()), ..report })
    }
}

impl Handler for Generator<'_> {
    fn opened(&mut self, io: &mut Io<'_>, c: ConnId, _peer: &Peer) -> Admit {
        if let Some(place) = self.places.get(c) {
            self.clients[*place].open = true;
            self.opened += 1;
        }
        if let Err(error) = self.connect_more(io) {
            self.fail(io, error.into());
        } else if self.opened == self.config.load.connections {
            self.begin(io);
        }
        Admit::Serve
    }

    fn bytes(&mut self, io: &mut Io<'_>, c: ConnId, bytes: &[u8]) {
        let (Some(place), Some(running)) = (self.places.get(c).copied(), &self.running) else { return };
        let now_ns = running.now_ns();
        if let Err(error) = self.receive(place, bytes, now_ns) {
            self.connection_error.get_or_insert(format!("the server sent no frame: {error}"));
            io.close(c, How::Now);
        }
        self.fill(io, place, now_ns);
        let sending = self.running.as_ref().is_some_and(|running| running.sending(now_ns));
        if !sending && !self.clients[place].window.is_waiting() {
            self.end_if_done(io, now_ns);
        }
    }

    fn closed(&mut self, io: &mut Io<'_>, c: ConnId, closed: &Closed) {
        let Some(place) = self.places.remove(c) else { return };
        let was_open = std::mem::replace(&mut self.clients[place].open, false);
        let Some(running) = &self.running else { return self.closed_early(io, closed) };
        if running.done || !was_open {
            return;
        }
        self.opened -= 1;
        self.checks.closed_connections += 1;
        let reason = match &closed.why {
            Why::Failed(error) => format!("{error}: {}", error.source),
            Why::Closed | Why::NotReading => "the server closed a connection".to_owned(),
        };
        self.connection_error.get_or_insert(reason);
        self.advance(io);
    }

    fn deadline(&mut self, io: &mut Io<'_>, c: Option<ConnId>) {
        if c.is_none() {
            self.advance(io);
        }
    }

    fn woken(&mut self, io: &mut Io<'_>) {
        if self.running.is_none() && self.stop.requested() {
            return io.stop();
        }
        self.advance(io);
    }
}
