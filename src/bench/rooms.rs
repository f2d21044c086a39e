//! The load on a room server: rooms of members, one of whom publishes to all of them.
//!
//! ```text
//!  connect ─► join a room ─► all have joined ─► publish ──► every member of the room receives it
//!                                                  ▲                    │ the publisher's own copy
//!                                                  └──── closed loop ───┘ makes room for the next one
//! ```
//! A latency is the time from publishing to one delivery. Every member has a window of its own, so what is
//! lost, doubled or out of order is known for each. It stands on [`client::Swarm`](crate::client::Swarm): the
//! client that students read is the one that measures.

use std::iter;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::BenchError;
use super::content::Content;
use super::cpu;
use super::meter::{Course, Until};
use super::report::{Checks, Event, Outcome};
use super::rooms_report::RoomsReport;
use super::run::Run;
use super::window::{Sent, Verdict, Window};
use crate::client::{Credentials, Incoming, MemberId, Members, Requests, Swarm};
use crate::framing::Framing;
use crate::net::table::Transport;
use crate::net::{Limits, NetError, Op, Reactor, SocketOptions, Stop, socket};
use crate::protocol::Code;
use crate::protocol::message::{Answer, Request, RoomEcho, RoomJoin};
use crate::protocol::proof::Nonce;
use crate::report::Events;

/// The load.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many rooms.
    pub rooms: usize,
    /// Members of each, its publisher included.
    pub members: usize,
    /// Messages of a publisher that it has not received itself yet, at most.
    pub window: usize,
    /// Bytes of a message's text.
    pub size: usize,
    /// Open loop: messages a second, over all rooms.
    pub rate_per_s: Option<f64>,
    /// The framing that the server speaks.
    pub framing: Framing,
    /// For how long; a count is one of messages.
    pub course: Course,
    /// Who the members are, one for each; empty: nobody in particular.
    pub users: Vec<Credentials>,
    /// The sockets' options.
    pub options: SocketOptions,
}

/// Puts the load on the first of `addrs` that answers.
///
/// # Errors
/// A server that can't be reached, or that lets the members not join.
pub fn run(
    config: &Config,
    addrs: &[SocketAddr],
    stop: &Stop,
    events: &mut dyn Events<Event<RoomsReport>>,
) -> Result<RoomsReport, BenchError> {
    // One connection to find out which of the name's addresses answers.
    let found = socket::connect(addrs, &config.options, config.course.wait)?.peer_addr();
    let target = found.map_err(|source| NetError::new(Op::Connect, addrs[0], source))?;
    let mut reactor = Reactor::new(Limits { outbox: usize::MAX, ..Limits::default() })?;
    let waker = reactor.io().waker();
    let wake: Wake = Arc::new(move || {
        // A waker fails only with its poll, which the loop notices by itself.
        let _ = waker.wake();
    });
    let stopped = wake.clone();
    let _guard = stop.on_stop(move || stopped());
    let crowd = Crowd::new(config, target, stop, events, wake);
    let mut swarm = Swarm::new(crowd, config.framing, usize::MAX, nonce);
    let users = config.users.iter().cloned().chain(iter::repeat(Credentials::Anonymous));
    let users = users.take(config.rooms * config.members);
    swarm.start_all(&mut reactor.io(), target, users, &config.options, config.course.wait)?;
    reactor.run(&mut swarm, &Stop::new())?;
    swarm.into_members().report()
}

/// 32 bytes that nobody can guess, for a login by key.
fn nonce() -> Nonce {
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).expect("the system had entropy when the keys were read");
    nonce
}

/// What is known of one member.
struct Place {
    window: Window,
    joined: bool,
    answered: bool,
    open: bool,
}

/// Wakes the loop from any thread.
type Wake = Arc<dyn Fn() + Send + Sync>;

/// The members of all rooms: those of room `r` are numbered from `r * members`, its publisher first.
struct Crowd<'a> {
    config: &'a Config,
    target: SocketAddr,
    stop: &'a Stop,
    events: &'a mut dyn Events<Event<RoomsReport>>,
    wake: Wake,
    content: Content,
    places: Vec<Place>,
    /// Open loop: messages that were due so far, by room.
    due: Vec<u64>,
    joined: usize,
    running: Option<Run>,
    checks: Checks,
    failure: Option<BenchError>,
    connection_error: Option<String>,
    /// The code of the first error that the server reported.
    fault: Option<Code>,
}

impl<'a> Crowd<'a> {
    fn new(
        config: &'a Config,
        target: SocketAddr,
        stop: &'a Stop,
        events: &'a mut dyn Events<Event<RoomsReport>>,
        wake: Wake,
    ) -> Crowd<'a> {
        let place = |n: usize| {
            let room = (n / config.members) as u64;
            let window = Window::new(room, config.rooms as u64);
            Place { window, joined: false, answered: false, open: true }
        };
        Crowd {
            config,
            target,
            stop,
            events,
            wake,
            content: Content::new(config.size),
            places: (0..config.rooms * config.members).map(place).collect(),
            due: vec![0; config.rooms],
            joined: 0,
            running: None,
            checks: Checks::default(),
            failure: None,
            connection_error: None,
            fault: None,
        }
    }

    fn fail(&mut self, error: BenchError, say: &mut Requests) {
        self.failure.get_or_insert(error);
        say.stop();
    }

    /// All have joined: the load begins.
    fn begin(&mut self, say: &mut Requests) {
        let course = match self.config.course.until {
            // Every message is to be delivered to every member; an open loop is paced by messages.
            Until::Count(count) if self.config.rate_per_s.is_none() => {
                let until = Until::Count(count * self.config.members as u64);
                Course { until, ..self.config.course }
            }
            _ => self.config.course,
        };
        let server = cpu::server_of(Transport::Tcp, self.target);
        let beat = self.wake.clone();
        match Run::begin(course, self.config.rate_per_s, server, move || beat()) {
            Ok(run) => self.running = Some(run),
            Err(error) => return self.fail(error, say),
        }
        for room in 0..self.config.rooms {
            self.publish(room, 0, say);
        }
        // The first tick: from now on there is always a next one.
        (self.wake)();
    }

    /// Publishes as many messages in a room as there is room for.
    fn publish(&mut self, room: usize, now_ns: u64, say: &mut Requests) {
        let first = room * self.config.members;
        let Some(running) = &mut self.running else { return };
        while self.places[first].open && self.places[first].window.in_flight() < self.config.window {
            let published = self.places[first].window.total();
            let due_ns = match running.schedule {
                None if running.meter.may_send(now_ns) => now_ns,
                Some(schedule) if published < self.due[room] && !running.meter.was_cut() => {
                    schedule.due_ns(published * self.config.rooms as u64 + room as u64)
                }
                _ => return,
            };
            let sent = Sent { at_ns: now_ns, due_ns };
            let mut number = 0;
            for place in &mut self.places[first..first + self.config.members] {
                number = place.window.push(sent);
                running.meter.sent(sent);
            }
            let mut text = Vec::with_capacity(self.config.size);
            self.content.append(number, &mut text);
            let text = String::from_utf8(text).expect("the content is ASCII");
            say.send(MemberId(first), Request::RoomEcho(RoomEcho { text: text.into(), reference: None }));
        }
    }

    /// Judges one delivery.
    fn deliver(&mut self, member: MemberId, text: &str, say: &mut Requests) {
        let (Some(running), place) = (&mut self.running, &mut self.places[member.0]) else { return };
        let now_ns = running.now_ns();
        match place.window.receive(&self.content, text.as_bytes()) {
            Verdict::Right(sent) => {
                place.answered = true;
                running.meter.answered(sent, now_ns);
            }
            Verdict::Reordered(sent) => {
                self.checks.reordered += 1;
                running.meter.answered(sent, now_ns);
            }
            Verdict::Duplicated => self.checks.duplicated += 1,
            Verdict::Corrupted => self.checks.corrupted += 1,
        }
        let publishes = member.0.is_multiple_of(self.config.members);
        let may_end = !place.window.is_waiting();
        if publishes {
            self.publish(member.0 / self.config.members, now_ns, say);
        }
        if may_end {
            self.end_if_done(now_ns, say);
        }
    }

    fn end_if_done(&mut self, now_ns: u64, say: &mut Requests) {
        let Some(running) = &mut self.running else { return };
        let cut = running.meter.was_cut();
        let waits = |(n, place): (usize, &Place)| {
            let due = if n % self.config.members == 0 { self.due[n / self.config.members] } else { 0 };
            place.open && (place.window.is_waiting() || (place.window.total() < due && !cut))
        };
        let complete = || !running.sending(now_ns) && !self.places.iter().enumerate().any(waits);
        if self.joined == 0 || running.meter.gives_up(now_ns) || complete() {
            running.done = true;
            say.stop();
        }
    }

    fn report(self) -> Result<RoomsReport, BenchError> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        let running = self.running.ok_or(BenchError::Interrupted)?;
        let interrupted = running.meter.was_cut();
        let mut checks = self.checks;
        for (n, place) in self.places.iter().enumerate() {
            checks.lost += place.window.outstanding();
            checks.silent_connections += usize::from(!place.answered && place.window.outstanding() > 0);
            if n % self.config.members == 0 && !interrupted {
                checks.unsent += self.due[n / self.config.members].saturating_sub(place.window.total());
            }
        }
        let measured = running.meter.finish();
        Ok(RoomsReport {
            target: self.target,
            framing: self.config.framing.name(),
            rooms: self.config.rooms,
            members: self.config.members,
            window: self.config.window,
            size_bytes: self.config.size,
            asked_rate_per_s: self.config.rate_per_s,
            messages: measured.requests / self.config.members as u64,
            outcome: Outcome {
                measured,
                checks,
                interrupted,
                connection_error: self.connection_error,
                fault: self.fault,
            },
        })
    }
}

impl Members for Crowd<'_> {
    fn ready(&mut self, member: MemberId, say: &mut Requests) {
        let room = format!("bench-{}", member.0 / self.config.members);
        say.send(member, Request::RoomJoin(RoomJoin { room: room.into(), create: true }));
    }

    fn incoming(&mut self, member: MemberId, incoming: &Incoming<'_>, say: &mut Requests) {
        match &incoming.answer {
            Answer::RoomEchoed(echoed) => self.deliver(member, &echoed.text, say),
            // The answer to a request; members who join later are announced by the same message.
            Answer::RoomJoined(_) if incoming.id.is_some() && !self.places[member.0].joined => {
                self.places[member.0].joined = true;
                self.joined += 1;
                if self.joined == self.places.len() {
                    self.begin(say);
                }
            }
            Answer::Error(fault) => {
                let (code, reason) = (Some(fault.code), fault.message.escaped());
                let reason = format!("{reason} ({})", fault.code.name());
                if self.running.is_none() {
                    return self.fail(BenchError::Server { reason, code }, say);
                }
                self.connection_error.get_or_insert(reason);
                self.fault = self.fault.or(code);
            }
            _ => {}
        }
    }

    fn closed(&mut self, member: MemberId, reason: &str, say: &mut Requests) {
        let reason = if reason.is_empty() { "the server closed a connection" } else { reason };
        self.places[member.0].open = false;
        match &self.running {
            // Ctrl-C: it is we who close.
            None if self.stop.requested() => {}
            None => self.fail(BenchError::Server { reason: reason.to_owned(), code: None }, say),
            Some(running) if !running.done => {
                self.joined -= 1;
                self.checks.closed_connections += 1;
                self.connection_error.get_or_insert(reason.to_owned());
                let now_ns = running.now_ns();
                self.end_if_done(now_ns, say);
            }
            Some(_) => {}
        }
    }

    fn tick(&mut self, _now: Instant, say: &mut Requests) -> Option<Instant> {
        let Some(running) = &mut self.running else {
            if self.stop.requested() {
                say.stop();
            }
            return None;
        };
        let now_ns = running.now_ns();
        let next = running.advance(now_ns, self.stop, self.events);
        while let Some(n) = self.running.as_mut().and_then(|running| running.next_due(now_ns)) {
            let room = usize::try_from(n % self.config.rooms as u64).unwrap_or(0);
            self.due[room] += 1;
            self.publish(room, now_ns, say);
        }
        self.end_if_done(now_ns, say);
        Some(next)
    }
}
