//! The network thread's side of a link: a handler of the loop that keeps one connection, and gets it again.
//!
//! ```text
//!           Connect            found              opened
//!  idle ──────────► resolving ──────► connecting ────────► talking ──Disconnect──► (leaving) ──► idle
//!                       ▲                  │ failed           │ lost
//!                       │                  ▼                  ▼
//!                       └──── time ──── waiting ◄─────────────┘         refused, or the last attempt ──► idle
//! ```

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Instant;

use super::backoff::Backoff;
use super::place::Place;
use super::queue::{Commands, Events};
use super::talk::Talk;
use super::wire::Watched;
use super::{ConnectRequest, LinkCommand, LinkEvent, Wake};
use crate::client::{ClientError, Session, SessionError};
use crate::net::reactor::Why;
use crate::net::{Admit, Closed, ConnId, Handler, How, Io, NetError, Op, Peer};
use crate::protocol::Code;
use crate::protocol::message::Request;
use crate::protocol::names::RoomName;
use crate::protocol::proof::Nonce;

/// What a look-up has found, with its number.
pub(super) type Found = (u64, Result<Vec<SocketAddr>, NetError>);

/// The handler.
pub(super) struct Driver {
    commands: Arc<Commands>,
    events: Arc<Events>,
    watched: Rc<Watched>,
    wake: Wake,
    found: (Sender<Found>, Receiver<Found>),
    /// How many look-ups there were: only the last one counts.
    lookups: u64,
    target: Option<Target>,
    backoff: Backoff,
    phase: Phase,
    /// The socket is not read: the user has not taken what came before.
    held: bool,
    quitting: bool,
}

/// Where the user wants to be connected.
struct Target {
    request: Box<ConnectRequest>,
    place: Place,
    /// It has let us in once: from then on a failure is a loss, not a refusal.
    established: bool,
}

enum Phase {
    Idle,
    Resolving,
    /// With the addresses that are still to be tried.
    Connecting(ConnId, std::vec::IntoIter<SocketAddr>),
    Talking(ConnId, Box<Talk>),
    Waiting(Instant),
}

impl Driver {
    pub(super) fn new(
        commands: Arc<Commands>,
        events: Arc<Events>,
        watched: Rc<Watched>,
        wake: Wake,
    ) -> Driver {
        Driver {
            commands,
            events,
            watched,
            wake,
            found: std::sync::mpsc::channel(),
            lookups: 0,
            target: None,
            backoff: Backoff::default(),
            phase: Phase::Idle,
            held: false,
            quitting: false,
        }
    }

    fn obey(&mut self, io: &mut Io<'_>, command: LinkCommand) {
        match command {
            LinkCommand::Connect(request) => {
                self.abandon(io);
                let place = Place::wanted(request.room.as_ref().map(RoomName::as_str));
                self.target = Some(Target { request, place, established: false });
                self.backoff.reset();
                self.attempt();
            }
            LinkCommand::Send { id, request } => self.request(io, id, &request),
            LinkCommand::Retry => self.retry(),
            LinkCommand::Disconnect => self.depart(io),
            LinkCommand::Quit => {
                self.quitting = true;
                self.depart(io);
            }
        }
    }

    /// Somebody does not want to wait: the attempts of nobody's asking begin anew.
    fn retry(&mut self) {
        if matches!(self.phase, Phase::Waiting(_)) {
            self.backoff.reset();
            self.attempt();
        }
    }

    fn request(&mut self, io: &mut Io<'_>, id: u64, request: &Request<'_>) {
        super::provoke::panic_if_asked("network", request);
        let reason = match &mut self.phase {
            Phase::Talking(_, talk) if talk.is_online() => match talk.say(request, id) {
                Ok(()) => return self.flush(io),
                Err(error) => error.to_string(),
            },
            _ => "not connected".to_owned(),
        };
        self.events.push(LinkEvent::Unsent { id, reason });
    }

    /// Begins to connect: looks the name up, on a thread of its own, because that blocks.
    fn attempt(&mut self) {
        let Some(Target { request, .. }) = &self.target else { return };
        let (address, family) = (request.address.clone(), request.family);
        let attempt = self.backoff.begin();
        self.events.push(LinkEvent::Connecting { address: address.clone(), attempt });
        self.phase = Phase::Resolving;
        self.lookups += 1;
        let (number, found, wake) = (self.lookups, self.found.0.clone(), self.wake.clone());
        let look_up = move || {
            // A link that is gone wants no address.
            let _ = found.send((number, address.resolve(family)));
            wake();
        };
        if let Err(source) = std::thread::Builder::new().name("resolver".into()).spawn(look_up) {
            let error = NetError::new(Op::Resolve, &request.address, source);
            self.fail(error.into());
        }
    }

    /// Tries the next of the addresses; `last` is why the one before failed.
    fn connect(
        &mut self,
        io: &mut Io<'_>,
        mut addrs: std::vec::IntoIter<SocketAddr>,
        last: Option<NetError>,
    ) {
        let Some(Target { request, .. }) = &self.target else { return };
        let mut last = last;
        while let Some(addr) = addrs.next() {
            match io.connect(addr, &request.socket, request.wait) {
                Ok(c) => {
                    self.watched.watch(c);
                    self.phase = Phase::Connecting(c, addrs);
                    return;
                }
                Err(error) => last = Some(error),
            }
        }
        let error = last.unwrap_or_else(|| NetError::timed_out(Op::Connect, &request.address));
        self.fail(error.into());
    }

    /// Sends what the talk has to say.
    fn flush(&mut self, io: &mut Io<'_>) {
        let Phase::Talking(c, talk) = &mut self.phase else { return };
        let output = talk.output();
        if !output.is_empty() {
            self.watched.sending(output.len());
            io.send(*c, &output);
        }
    }

    /// A connection failed or ended: a refusal, or a loss after which it is tried again.
    fn fail(&mut self, error: ClientError) {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        let Some(target) = &mut self.target else { return };
        let elsewhere = matches!(&phase, Phase::Talking(_, talk) if talk.is_elsewhere());
        let reason = reason_of(&error);
        if !target.established || is_final(&error) {
            self.target = None;
            return self.events.push(LinkEvent::Refused { reason, error: Arc::new(error) });
        }
        let retry_in = if elsewhere { None } else { self.backoff.wait(nonce()[0]) };
        match retry_in {
            Some(wait) => self.phase = Phase::Waiting(Instant::now() + wait),
            None => self.target = None,
        }
        self.events.push(LinkEvent::Lost { reason, retry_in });
    }

    /// Leaves as the user wants it: with a goodbye where somebody hears it.
    fn depart(&mut self, io: &mut Io<'_>) {
        if let Phase::Talking(_, talk) = &mut self.phase {
            talk.leave(io.now());
            return self.flush(io);
        }
        self.abandon(io);
        self.departed(io);
    }

    fn departed(&mut self, io: &mut Io<'_>) {
        self.phase = Phase::Idle;
        self.target = None;
        self.events.push(LinkEvent::Disconnected);
        if self.quitting {
            io.stop();
        }
    }

    /// Leaves without waiting for an answer.
    fn abandon(&mut self, io: &mut Io<'_>) {
        self.depart_gently(io);
        self.phase = Phase::Idle;
        self.held = false;
    }

    fn depart_gently(&mut self, io: &mut Io<'_>) {
        match &mut self.phase {
            Phase::Talking(_, talk) => talk.leave(io.now()),
            Phase::Connecting(c, _) => return io.close(*c, How::Now),
            _ => return,
        }
        self.flush(io);
        if let Phase::Talking(c, _) = &self.phase {
            io.close(*c, How::Gently);
        }
    }

    /// Stops the reading while the user has not taken what came, and goes on when that is done.
    fn balance(&mut self, io: &mut Io<'_>) {
        let Phase::Talking(c, _) = &self.phase else { return };
        match (self.held, self.events.is_full()) {
            (false, true) => io.hold(*c),
            (true, false) => io.resume(*c),
            _ => return,
        }
        self.held = !self.held;
    }

    /// Does what is due in this phase.
    fn beat(&mut self, io: &mut Io<'_>) {
        let now = io.now();
        match &mut self.phase {
            Phase::Waiting(until) if *until <= now => self.attempt(),
            Phase::Talking(c, talk) => {
                let c = *c;
                match talk.beat(now, !self.held) {
                    Ok(()) => self.flush(io),
                    Err(_) if talk.is_leaving() => io.close(c, How::Gently),
                    Err(error) => {
                        self.fail(error);
                        io.close(c, How::Now);
                    }
                }
            }
            _ => {}
        }
    }

    /// Asks to be called when something is due.
    fn arm(&self, io: &mut Io<'_>) {
        let next = match &self.phase {
            Phase::Waiting(until) => Some(*until),
            Phase::Talking(_, talk) => Some(talk.next_deadline()),
            Phase::Idle | Phase::Resolving | Phase::Connecting(..) => None,
        };
        io.set_deadline(None, next);
    }
}

impl Handler for Driver {
    fn opened(&mut self, io: &mut Io<'_>, c: ConnId, peer: &Peer) -> Admit {
        let Some(Target { request, place, .. }) = &mut self.target else { return Admit::Serve };
        if !matches!(&self.phase, Phase::Connecting(current, _) if *current == c) {
            return Admit::Serve;
        }
        self.events.push(LinkEvent::Connected { address: peer.addr });
        let server = request.server_name.clone().unwrap_or_else(|| peer.addr.to_string());
        let credentials = request.credentials.clone();
        let session = Session::new(request.framing, request.max_frame, credentials, &server, nonce());
        let talk = Talk::new(session, peer.addr, io.now(), request.wait, place, &self.events);
        self.held = false;
        self.phase = Phase::Talking(c, Box::new(talk));
        self.flush(io);
        self.arm(io);
        Admit::Serve
    }

    fn bytes(&mut self, io: &mut Io<'_>, c: ConnId, bytes: &[u8]) {
        let (Phase::Talking(current, talk), Some(target)) = (&mut self.phase, &mut self.target) else {
            return;
        };
        if *current != c {
            return;
        }
        let result = talk.receive(bytes, io.now(), &mut target.place, &self.events);
        target.established |= talk.is_online();
        if talk.is_stable(io.now()) {
            self.backoff.reset();
        }
        match result {
            Ok(()) => {
                self.beat(io);
                self.balance(io);
            }
            // What comes after our goodbye changes nothing.
            Err(_) if talk.is_leaving() => io.close(c, How::Now),
            Err(error) => {
                self.fail(error);
                io.close(c, How::Now);
            }
        }
        self.arm(io);
    }

    fn closed(&mut self, io: &mut Io<'_>, c: ConnId, closed: &Closed) {
        match &mut self.phase {
            Phase::Connecting(current, rest) if *current == c => {
                let rest = std::mem::take(rest);
                let error = match &closed.why {
                    Why::Failed(error) => error.again(),
                    Why::Closed | Why::NotReading => NetError::timed_out(Op::Connect, closed.peer),
                };
                self.connect(io, rest, Some(error));
            }
            Phase::Talking(current, talk) if *current == c => {
                if talk.is_leaving() {
                    self.departed(io);
                } else {
                    let error = talk.why_closed(&closed.why);
                    self.fail(error);
                }
            }
            _ => {}
        }
        self.arm(io);
    }

    fn woken(&mut self, io: &mut Io<'_>) {
        while let Ok((number, result)) = self.found.1.try_recv() {
            if !matches!(self.phase, Phase::Resolving) || number != self.lookups {
                continue;
            }
            match result {
                Ok(addrs) => self.connect(io, addrs.into_iter(), None),
                Err(error) => self.fail(error.into()),
            }
        }
        self.balance(io);
        while let Some(command) = self.commands.pop(self.watched.is_jammed()) {
            self.obey(io, command);
        }
        self.beat(io);
        self.arm(io);
    }

    fn deadline(&mut self, io: &mut Io<'_>, c: Option<ConnId>) {
        if c.is_none() {
            self.beat(io);
            self.arm(io);
        }
    }
}

/// True for a refusal that another attempt meets again.
fn is_final(error: &ClientError) -> bool {
    match error {
        ClientError::Session(SessionError::Login(fault)) | ClientError::Refused(fault) => matches!(
            fault.code,
            Code::LoginFailed | Code::BadName | Code::Unauthorized | Code::WrongState | Code::BadMessage
        ),
        ClientError::Session(SessionError::Impostor) => true,
        _ => false,
    }
}

/// An error with its causes on one line, as a terminal may show it.
fn reason_of(error: &ClientError) -> String {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    crate::text::printable(&reason)
}

/// 32 random bytes, for a login by key.
fn nonce() -> Nonce {
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).expect("the system had entropy when the link started");
    nonce
}
