//! The room server's logic, free of I/O: payloads, time and entropy come in as arguments, decisions go out as
//! [`Action`]s pushed into a reused buffer. No sockets, no files, no clocks, no logging: a test moves the
//! clock by hand, and a simulation can play a year in a second.
//!
//! ```text
//! connected(now) ─► SessionId                        a connection was accepted
//! handle(now, session, payload) ─► Actions           a frame came
//! begun(now, session, in_frame)                      the bytes behind it begin another, or not
//! finished(now, ticket, outcome) ─► Actions          a worker is done
//! next_deadline(session), deadline(now, session)     time has passed
//! disconnected(session) ─► Actions                   the connection is gone
//! ```
//! # A new message type
//! A line in `protocol/message.rs`, a handler here, and its row in `Dispatcher::dispatch`'s match, which
//! says as well who may send it. The compiler names each that is missing.

mod actions;
mod bucket;
mod config;
mod login;
mod notice;
mod records;
mod rooms;
mod session;
mod users;
mod work;

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use slab::Slab;

use self::rooms::Room;
use self::session::Session;
use crate::protocol::codec::{self, Envelope, Malformed};
use crate::protocol::message::{Answer, Bye, Fault, Info, Request, RequestKind, Tag};
use crate::protocol::names::{RoomName, Username};
use crate::protocol::proof::Nonce;
use crate::protocol::{Code, DEFAULT_ROOM, MAX_TEXT};

pub use actions::{Action, Actions};
pub use bucket::Rate;
pub use config::{Auth, Config, Limits, MAX_FRAME_BEFORE_LOGIN};
pub use notice::Notice;
pub use rooms::RoomId;
pub use session::SessionId;
pub use users::{Role, User, Users};
pub use work::{Done, Job, Ticket};

/// A malformed message more than this often ends a connection.
const STRIKES: u8 = 10;
/// The service: who is connected, which rooms there are, and what each message does.
pub struct Dispatcher {
    config: Config,
    started: Instant,
    sessions: Slab<Session>,
    serials: u64,
    /// Who has a name, compared without case: nobody is there twice.
    names: HashMap<String, SessionId>,
    anonymous: u64,
    /// Sessions that have not logged in, oldest first; where login is demanded.
    strangers: VecDeque<(SessionId, u64)>,
    rooms: Slab<Room>,
    rooms_by_name: HashMap<String, RoomId>,
    tickets: HashMap<Ticket, Pending>,
    next_ticket: u64,
    records: usize,
    stopping: bool,
}

/// Work under way, and whom its outcome is for.
struct Pending {
    session: SessionId,
    serial: u64,
    id: Option<Tag<'static>>,
    purpose: Purpose,
}

/// What the work was begun for.
enum Purpose {
    Login(Username),
    Record(crate::protocol::names::ClientId),
}

/// What every handler gets besides its data.
struct Call<'c, 'm> {
    now: Instant,
    session: SessionId,
    id: Option<Tag<'m>>,
    actions: &'c mut Actions,
    entropy: &'c mut dyn FnMut() -> Nonce,
}

/// What a handler answers directly, or why not.
type Outcome = Result<(), Fault<'static>>;

impl Dispatcher {
    /// A service with its rooms. `actions` opens them.
    #[must_use]
    pub fn new(config: Config, now: Instant, actions: &mut Actions) -> Dispatcher {
        let kept = config.rooms.clone();
        let mut service = Dispatcher {
            config,
            started: now,
            sessions: Slab::new(),
            serials: 0,
            names: HashMap::new(),
            anonymous: 0,
            strangers: VecDeque::new(),
            rooms: Slab::new(),
            rooms_by_name: HashMap::new(),
            tickets: HashMap::new(),
            next_ticket: 0,
            records: 0,
            stopping: false,
        };
        let default = RoomName::parse(DEFAULT_ROOM).expect("a plain word");
        for name in std::iter::once(default).chain(kept) {
            if service.room_by_name(&name).is_none() {
                service.open_room(name, true, actions);
            }
        }
        service
    }

    /// The bounds.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.config.limits
    }

    /// True if nothing but logging in is possible before it.
    #[must_use]
    pub fn login_demanded(&self) -> bool {
        self.config.auth != Auth::None
    }

    /// How many sessions there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.sessions.len()
    }

    /// How many records are stored, for `INFO`.
    pub fn set_records(&mut self, records: usize) {
        self.records = records;
    }

    /// A connection was accepted by `server`, the address that its client connected to.
    ///
    /// Where login is demanded and too many have not logged in, the oldest of them is closed.
    ///
    /// # Errors
    /// The payloads to send before closing it: no place is left.
    pub fn connected(
        &mut self,
        now: Instant,
        server: &str,
        actions: &mut Actions,
    ) -> Result<SessionId, Vec<Vec<u8>>> {
        if self.sessions.len() >= self.config.limits.connections {
            return Err(self.refusal());
        }
        self.serials += 1;
        self.anonymous += 1;
        let name = Username::anonymous(self.anonymous);
        let server = self.config.server_name.as_deref().unwrap_or(server);
        let server = if self.config.auth == Auth::Hmac { server } else { "" };
        let entry = self.sessions.vacant_entry();
        let session = SessionId(u32::try_from(entry.key()).expect("fewer sessions than descriptors"));
        self.names.insert(name.key().to_owned(), session);
        entry.insert(Session::new(self.serials, name, server, now));
        if self.login_demanded() {
            self.strangers.push_back((session, self.serials));
            self.limit_strangers(actions);
        }
        Ok(session)
    }

    /// A frame came from a session.
    pub fn handle(
        &mut self,
        now: Instant,
        session: SessionId,
        payload: &[u8],
        entropy: &mut dyn FnMut() -> Nonce,
        actions: &mut Actions,
    ) {
        let Some(known) = self.sessions.get_mut(session.0 as usize) else { return };
        known.heard(now);
        match codec::decode_request(payload) {
            Ok(Envelope { message, id }) => {
                let mut call = Call { now, session, id, actions, entropy };
                let outcome = self.limit_rate(now, session).and_then(|()| self.dispatch(&mut call, message));
                self.conclude(&mut call, outcome);
            }
            Err(Malformed { fault, id, kind }) => {
                let fault = self.unless_unheard(session, fault, kind);
                self.fault(session, fault, id.as_ref(), actions);
                self.strike(session, actions);
            }
        }
    }

    /// The bytes behind the last frame begin another one, or there are none.
    pub fn begun(&mut self, now: Instant, session: SessionId, in_frame: bool) {
        if let Some(session) = self.sessions.get_mut(session.0 as usize) {
            session.begun(in_frame, now);
        }
    }

    /// The stream of a session is broken: it can't be told where the next frame begins.
    pub fn broken(&mut self, session: SessionId, code: Code, message: &str, actions: &mut Actions) {
        self.expel(
            session,
            Fault::new(code, message.to_owned()),
            "the stream has no frames any more",
            actions,
        );
    }

    /// True while the service knows the session.
    #[must_use]
    pub fn is_connected(&self, session: SessionId) -> bool {
        self.sessions.contains(session.0 as usize)
    }

    /// True while work is under way for a session: hand its next frame over when that is done.
    #[must_use]
    pub fn is_waiting(&self, session: SessionId) -> bool {
        self.sessions.get(session.0 as usize).is_some_and(|session| session.waiting)
    }

    /// True if a session exists and, where login is demanded, has logged in: it may send larger frames.
    #[must_use]
    pub fn is_admitted(&self, session: SessionId) -> bool {
        let known = self.sessions.get(session.0 as usize).is_some_and(Session::is_known);
        known || !self.login_demanded()
    }

    /// When [`deadline`](Dispatcher::deadline) must be called at the latest.
    #[must_use]
    pub fn next_deadline(&self, session: SessionId) -> Option<Instant> {
        let session = self.sessions.get(session.0 as usize)?;
        session.deadline(&self.config.limits, self.login_demanded()).map(|(at, _)| at)
    }

    /// Time has passed: closes the session if it is late.
    pub fn deadline(&mut self, now: Instant, session: SessionId, actions: &mut Actions) {
        let Some(known) = self.sessions.get(session.0 as usize) else { return };
        let deadline = known.deadline(&self.config.limits, self.login_demanded());
        if let Some((_, reason)) = deadline.filter(|(at, _)| *at <= now) {
            self.expel(session, Fault::new(Code::Timeout, reason), reason, actions);
        }
    }

    /// The connection is gone.
    pub fn disconnected(&mut self, session: SessionId, actions: &mut Actions) {
        self.forget(session, actions);
    }

    /// The server stops: everyone is told, and forgotten; whoever waits for work is answered first.
    pub fn stop(&mut self, actions: &mut Actions) {
        self.stopping = true;
        // Everyone leaves, and nobody need be told of the others.
        self.rooms.iter_mut().for_each(|(_, room)| room.members.clear());
        self.sessions.iter_mut().for_each(|(_, session)| session.room = None);
        let everyone: Vec<SessionId> = self.sessions.iter().map(|(index, _)| session_id(index)).collect();
        for session in everyone {
            if !self.session(session).waiting {
                self.say_stop(session, actions);
            }
        }
    }

    fn say_stop(&mut self, session: SessionId, actions: &mut Actions) {
        say_bye(session, "the server stops", None, actions);
        self.close(session, actions);
    }

    /// From message to handler: a row for each type, after the rules that hold for all of them.
    fn dispatch<'m>(&mut self, call: &mut Call<'_, 'm>, request: Request<'m>) -> Outcome {
        if !request.kind().is_heard_before_login() && !self.is_admitted(call.session) {
            let kind = request.kind().name();
            return Err(Fault::new(Code::Unauthorized, format!("{kind} needs a login")));
        }
        match request {
            Request::Login(data) => self.login(call, &data),
            Request::Auth(data) => self.auth(call, &data),
            Request::Proof(data) => self.proof(call, &data),
            Request::RoomCreate(data) => self.room_create(call, &data),
            Request::RoomJoin(data) => self.room_join(call, &data),
            Request::RoomLeave(_) => self.room_leave(call),
            Request::RoomList(_) => self.room_list(call),
            Request::RoomMembers(data) => self.room_members(call, &data),
            Request::RoomEcho(data) => self.room_echo(call, data),
            Request::RecordWrite(data) => self.record_write(call, &data),
            Request::RecordRead(data) => self.record_read(call, &data),
            Request::Info(_) => self.info(call),
            Request::Ping(data) => self.answer(call, &Answer::Pong(data)),
            Request::Bye(_) => {
                self.bye(call);
                Ok(())
            }
        }
    }

    /// Before a demanded login it is not said what is wrong with a message that would not be heard anyway.
    fn unless_unheard(
        &self,
        session: SessionId,
        fault: Fault<'static>,
        kind: Option<RequestKind>,
    ) -> Fault<'static> {
        let unheard = match kind {
            Some(kind) => !kind.is_heard_before_login(),
            None => fault.code == Code::UnknownType,
        };
        if unheard && !self.is_admitted(session) {
            return Fault::new(Code::Unauthorized, "log in first");
        }
        fault
    }

    fn info(&mut self, call: &mut Call<'_, '_>) -> Outcome {
        let (connections, max) = (self.sessions.len(), self.config.limits.connections);
        let info = Info {
            connections,
            max_connections: max,
            free_connections: max.saturating_sub(connections),
            rooms: self.rooms.len(),
            records: self.records,
            uptime_s: call.now.saturating_duration_since(self.started).as_secs(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        self.answer(call, &Answer::Info(info))
    }

    fn bye(&mut self, call: &mut Call<'_, '_>) {
        say_bye(call.session, "goodbye", call.id.as_ref(), call.actions);
        self.close(call.session, call.actions);
    }

    /// Answers a request that was refused.
    fn conclude(&mut self, call: &mut Call<'_, '_>, outcome: Outcome) {
        let Err(fault) = outcome else { return };
        let login_failed = fault.code == Code::LoginFailed;
        self.fault(call.session, fault, call.id.as_ref(), call.actions);
        if login_failed {
            self.count_failed_login(call.session, call.actions);
        }
    }

    /// The direct answer to a request, with its `id`. One that passes the frame limit is refused instead.
    fn answer(&mut self, call: &mut Call<'_, '_>, answer: &Answer<'_>) -> Outcome {
        let payload = call.actions.encode(answer, call.id.as_ref());
        if payload.len() > self.config.limits.max_frame {
            call.actions.discard(&payload);
            return Err(self.too_long(payload.len()));
        }
        call.actions.push(Action::Send(call.session, payload));
        Ok(())
    }

    fn too_long(&self, length: usize) -> Fault<'static> {
        let limit = self.config.limits.max_frame;
        Fault::new(
            Code::BadMessage,
            format!("the answer would have {length} bytes; a frame has {limit} at most"),
        )
    }

    fn fault(&mut self, to: SessionId, fault: Fault<'static>, id: Option<&Tag<'_>>, actions: &mut Actions) {
        if self.config.notices {
            let (code, message) = (fault.code, fault.message.to_string());
            actions.push(Action::Report(Notice::Fault { session: to, code, message }));
        }
        actions.send(to, &Answer::Error(fault), id);
    }

    fn strike(&mut self, session: SessionId, actions: &mut Actions) {
        let Some(known) = self.sessions.get_mut(session.0 as usize) else { return };
        known.strikes += 1;
        if known.strikes >= STRIKES {
            say_bye(session, "ten malformed messages", None, actions);
            self.close(session, actions);
        }
    }

    fn limit_rate(&mut self, now: Instant, session: SessionId) -> Outcome {
        let Some(rate) = self.config.limits.rate else { return Ok(()) };
        let Err(wait) = self.sessions[session.0 as usize].bucket.take(rate, now) else { return Ok(()) };
        let wait_ms = u64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
        let mut fault = Fault::new(Code::RateLimited, format!("too many messages: go on in {wait_ms} ms"));
        fault.retry_after_ms = Some(wait_ms);
        Err(fault)
    }

    /// Ends a session with an error.
    fn expel(&mut self, session: SessionId, fault: Fault<'static>, reason: &str, actions: &mut Actions) {
        if self.sessions.contains(session.0 as usize) {
            self.fault(session, fault, None, actions);
            say_bye(session, reason, None, actions);
            self.close(session, actions);
        }
    }

    fn close(&mut self, session: SessionId, actions: &mut Actions) {
        self.forget(session, actions);
        actions.push(Action::Close(session));
    }

    /// Takes a session out of everything: no ghost stays in a room, no name stays taken.
    fn forget(&mut self, session: SessionId, actions: &mut Actions) {
        if !self.sessions.contains(session.0 as usize) {
            return;
        }
        self.leave_room(session, actions);
        let gone = self.sessions.remove(session.0 as usize);
        self.names.remove(gone.name.key());
        if !gone.is_known() && self.login_demanded() {
            self.strangers.retain(|(_, serial)| *serial != gone.serial);
        }
    }

    /// What a connection is told for which there is no place.
    fn refusal(&self) -> Vec<Vec<u8>> {
        let max = self.config.limits.connections;
        let fault = Fault::new(Code::Busy, format!("no connection is free (of {max}); try again later"));
        let bye = Bye { reason: "busy".into() };
        [Answer::Error(fault), Answer::Bye(bye)]
            .iter()
            .map(|answer| {
                let mut payload = Vec::new();
                codec::encode_answer(answer, None, &mut payload);
                payload
            })
            .collect()
    }

    /// Closes the oldest session that has not logged in when there are too many: silence locks nobody out.
    fn limit_strangers(&mut self, actions: &mut Actions) {
        if self.strangers.len() > self.config.limits.unauthenticated
            && let Some((oldest, _)) = self.strangers.front().copied()
        {
            let fault =
                Fault::new(Code::Busy, "too many connections wait for a login, and this is the oldest");
            self.expel(oldest, fault, "busy", actions);
        }
    }

    /// Begins work for a request; its answer comes with [`finished`](Dispatcher::finished).
    fn begin(&mut self, call: &mut Call<'_, '_>, purpose: Purpose, job: Job) {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        let session = &mut self.sessions[call.session.0 as usize];
        session.waiting = true;
        let id = call.id.take().map(Tag::into_owned);
        let pending = Pending { session: call.session, serial: session.serial, id, purpose };
        self.tickets.insert(ticket, pending);
        call.actions.push(Action::Work(ticket, job));
    }

    /// A worker is done. The session may have gone in the meantime; then the outcome is nobody's.
    pub fn finished(
        &mut self,
        now: Instant,
        ticket: Ticket,
        done: Done,
        actions: &mut Actions,
    ) -> Option<SessionId> {
        let pending = self.tickets.remove(&ticket)?;
        let Pending { session, serial, id, purpose } = pending;
        let known = self.sessions.get_mut(session.0 as usize).filter(|known| known.serial == serial)?;
        known.waiting = false;
        // It could say nothing while it waited for us.
        known.heard(now);
        // No nonce is needed for an answer.
        let mut call = Call { now, session, id, actions, entropy: &mut || [0; 32] };
        let outcome = match (purpose, done) {
            (_, Done::Busy) => Err(Fault::new(Code::Busy, "too much work is waiting; try again later")),
            (Purpose::Login(name), Done::Verified(right)) => self.password_verified(&mut call, &name, right),
            (Purpose::Record(id), done) => self.record_done(&mut call, &id, done),
            (Purpose::Login(_), _) => Err(self::login::failed()),
        };
        self.conclude(&mut call, outcome);
        if self.stopping && self.sessions.contains(session.0 as usize) {
            self.say_stop(session, actions);
        }
        Some(session)
    }

    fn session(&self, session: SessionId) -> &Session {
        &self.sessions[session.0 as usize]
    }
}

/// The limit that the protocol sets on what people write.
fn check_text(text: &str) -> Outcome {
    let length = text.len();
    if length > MAX_TEXT {
        let message = format!("the text has {length} bytes; {MAX_TEXT} are allowed");
        return Err(Fault::new(Code::BadMessage, message));
    }
    Ok(())
}

fn say_bye(to: SessionId, reason: &str, id: Option<&Tag<'_>>, actions: &mut Actions) {
    actions.send(to, &Answer::Bye(Bye { reason: reason.into() }), id);
}

fn session_id(index: usize) -> SessionId {
    SessionId(u32::try_from(index).expect("fewer sessions than descriptors"))
}

#[cfg(test)]
mod tests;
