//! What is said on one connection of a link: login, the way into the room, pings, goodbye. Free of I/O.
//!
//! ```text
//!  login ──LOGGED_IN; without a name, the entry's answer──► online ──leave──► leaving
//! ```
//! A client without a name is not told whether it is let in before it asks for something: that is its entry.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::backoff::STABLE;
use super::heartbeat::{Beat, Heartbeat};
use super::place::{self, Place};
use super::queue::Events;
use super::{LinkEvent, ServerMessage};
use crate::client::{ClientError, Incoming, Session, SessionError};
use crate::framing::FrameError;
use crate::net::reactor::Why;
use crate::net::{NetError, Op};
use crate::protocol::message::{Answer, Anything, Fault, Nothing, Request, Tag};
use crate::protocol::{Code, ELSEWHERE};

/// How long a server may take to answer a goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// The `id` of the link's own pings.
const PING: &str = "ping";
/// The `id` of its goodbye.
const BYE: &str = "bye";

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not let in yet; at the latest at this time.
    Login(Instant),
    /// Let in at this time.
    Online(Instant),
    /// `BYE` is sent; its answer is waited for until this time.
    Leaving(Instant),
}

/// The conversation on one connection.
#[derive(Debug)]
pub(super) struct Talk {
    session: Session,
    peer: SocketAddr,
    ear: Ear,
}

/// What is heard, apart from the session that hands it on.
#[derive(Debug)]
struct Ear {
    stage: Stage,
    heart: Heartbeat,
    /// An error that answers no request: what the server closes for.
    fault: Option<Fault<'static>>,
    /// The server's last word.
    goodbye: Option<String>,
    /// What is to be sent for what was heard.
    reply: Option<Request<'static>>,
    /// The server does not let this client in.
    barred: Option<Fault<'static>>,
}

impl Talk {
    /// Begins: the session's first output is to be sent.
    pub(super) fn new(
        session: Session,
        peer: SocketAddr,
        now: Instant,
        wait: Duration,
        place: &mut Place,
        events: &Events,
    ) -> Talk {
        let stage = Stage::Login(now + wait);
        let heart = Heartbeat::new(now);
        let ear = Ear { stage, heart, fault: None, goodbye: None, reply: None, barred: None };
        let mut talk = Talk { session, peer, ear };
        // Without a name the session is ready at once, and the way leads from nowhere.
        if talk.session.is_ready() {
            match place.enter(None) {
                Some(entry) => talk.say_own(&entry, place::ENTER),
                None => talk.ear.let_in(None, None, now, events),
            }
        }
        talk
    }

    /// Bytes to send.
    pub(super) fn output(&mut self) -> Vec<u8> {
        self.session.take_output()
    }

    /// True if requests are heard.
    pub(super) fn is_online(&self) -> bool {
        matches!(self.ear.stage, Stage::Online(_))
    }

    /// True if the goodbye is said.
    pub(super) fn is_leaving(&self) -> bool {
        matches!(self.ear.stage, Stage::Leaving(_))
    }

    /// True if the connection has stood long enough to be a good one.
    pub(super) fn is_stable(&self, now: Instant) -> bool {
        matches!(self.ear.stage, Stage::Online(since) if now.saturating_duration_since(since) >= STABLE)
    }

    /// Adds a request of the user's.
    pub(super) fn say(&mut self, request: &Request<'_>, id: u64) -> Result<(), FrameError> {
        self.session.request_as(request, &Tag::Number(id))
    }

    /// Adds a goodbye.
    pub(super) fn leave(&mut self, now: Instant) {
        if !self.is_leaving() {
            self.say_own(&Request::Bye(Nothing {}), BYE);
            self.ear.stage = Stage::Leaving(now + GOODBYE);
        }
    }

    /// Hears what the server sent.
    pub(super) fn receive(
        &mut self,
        bytes: &[u8],
        now: Instant,
        place: &mut Place,
        events: &Events,
    ) -> Result<(), ClientError> {
        let Talk { session, ear, .. } = self;
        ear.heart.heard(now);
        session.receive(bytes, &mut |incoming| ear.hear(incoming, now, place, events))?;
        if let Some(fault) = self.ear.barred.take() {
            return Err(SessionError::Login(fault).into());
        }
        if let Some(request) = self.ear.reply.take() {
            self.say_own(&request, place::ENTER);
        }
        Ok(())
    }

    /// Does what is due by now. An error: the server is gone, or does not answer.
    pub(super) fn beat(&mut self, now: Instant, listening: bool) -> Result<(), ClientError> {
        if !listening {
            self.ear.heart.heard(now);
        }
        let silent = match self.ear.stage {
            Stage::Login(by) | Stage::Leaving(by) => now >= by,
            Stage::Online(_) => match self.ear.heart.beat(now) {
                Beat::Rest => false,
                Beat::Dead => true,
                Beat::Ping => {
                    self.say_own(&Request::Ping(Anything(None)), PING);
                    false
                }
            },
        };
        if silent { Err(NetError::timed_out(Op::Recv, self.peer).into()) } else { Ok(()) }
    }

    /// When [`beat`](Talk::beat) is due.
    pub(super) fn next_deadline(&self) -> Instant {
        match self.ear.stage {
            Stage::Login(by) | Stage::Leaving(by) => by,
            Stage::Online(_) => self.ear.heart.next(),
        }
    }

    /// Why the connection is closed, in the server's words if it had some.
    pub(super) fn why_closed(&self, why: &Why) -> ClientError {
        match (self.ear.fault.clone(), self.ear.goodbye.clone(), why) {
            (Some(fault), ..) => ClientError::Refused(fault),
            (None, None, Why::Failed(error)) => ClientError::Net(error.again()),
            (None, goodbye, _) => ClientError::Closed(goodbye),
        }
    }

    /// True if another login of this user has ended this one.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.ear.goodbye.as_deref() == Some(ELSEWHERE)
    }

    /// A request of the link itself.
    fn say_own(&mut self, request: &Request<'_>, id: &'static str) {
        // They are shorter than the shortest frame limit that holds an answer.
        let _ = self.session.request_as(request, &Tag::Text(id.into()));
    }
}

impl Ear {
    fn hear(&mut self, incoming: Incoming<'_>, now: Instant, place: &mut Place, events: &Events) {
        let Incoming { answer, id } = incoming;
        if is(id.as_ref(), PING) {
            // An error may be the answer too: a pace that others of this user have used up.
            match self.heart.pong(now) {
                Some(took) if matches!(answer, Answer::Pong(_)) => events.push(LinkEvent::Rtt(took)),
                _ => {}
            }
            return;
        }
        if is(id.as_ref(), BYE) && matches!(answer, Answer::Error(_)) {
            // Our pace is used up: the goodbye is left out, nothing else is.
            self.stage = Stage::Leaving(now);
            return;
        }
        match &answer {
            Answer::Bye(bye) => self.goodbye = Some(bye.reason.escaped()),
            Answer::Error(fault) if id.is_none() => self.fault = Some(fault.clone().into_owned()),
            Answer::LoggedIn(told) => {
                self.reply = place.enter(Some(&told.room));
                return self.let_in(Some(&told.username), Some(&told.room), now, events);
            }
            _ => {}
        }
        if matches!(self.stage, Stage::Login(_)) && place::is_entry(id.as_ref()) {
            match &answer {
                Answer::Error(fault) if matches!(fault.code, Code::Unauthorized | Code::Busy) => {
                    self.barred = Some(fault.clone().into_owned());
                    return;
                }
                _ => self.let_in(None, None, now, events),
            }
        }
        place.note(&answer, id.as_ref());
        events.push(LinkEvent::Message(ServerMessage {
            answer: answer.into_owned(),
            id: id.map(Tag::into_owned),
        }));
    }

    fn let_in(&mut self, username: Option<&str>, room: Option<&str>, now: Instant, events: &Events) {
        // Whoever leaves while the login is on its way has left.
        if let Stage::Login(_) = self.stage {
            self.stage = Stage::Online(now);
            self.heart = Heartbeat::new(now);
            let (username, room) = (username.map(str::to_owned), room.map(str::to_owned));
            events.push(LinkEvent::LoggedIn { username, room });
        }
    }
}

/// True for an `id` of the link's own.
pub(super) fn is(id: Option<&Tag<'_>>, text: &str) -> bool {
    matches!(id, Some(Tag::Text(id)) if **id == *text)
}
