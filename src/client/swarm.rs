//! The reactor's driver: many sessions on one thread, as a handler of the loop. For tests, the bench, a chat.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Credentials, Incoming, Session, SessionError};
use crate::framing::Framing;
use crate::net::reactor::Why;
use crate::net::{Admit, Closed, ConnId, ConnMap, Handler, How, Io, NetError, Peer, SocketOptions};
use crate::protocol::message::{Answer, Request};
use crate::protocol::proof::Nonce;

/// Sessions that log in at the same time: a server lets only so many wait for that.
const LOGGING_IN: usize = 16;

/// One session of a swarm, numbered in the order in which they were started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemberId(pub usize);

/// What the members of a swarm do. The calls come from the loop's thread, and must not block.
pub trait Members {
    /// A member has connected and logged in; what the server sends to it comes after this.
    fn ready(&mut self, member: MemberId, say: &mut Requests);
    /// The server has sent something; a login that it refuses comes as its error, then the member is closed.
    fn incoming(&mut self, member: MemberId, incoming: &Incoming<'_>, say: &mut Requests);
    /// A member is gone; `reason` is empty if the server closed it in order. Called once for each.
    fn closed(&mut self, member: MemberId, reason: &str, say: &mut Requests);
    /// The time that the last call asked for has come (and once at the start); returns the next.
    fn tick(&mut self, now: Instant, say: &mut Requests) -> Option<Instant>;
}

/// Requests that members want sent, and whether the swarm shall end.
#[derive(Debug, Default)]
pub struct Requests {
    list: Vec<(MemberId, Request<'static>)>,
    stop: bool,
}

impl Requests {
    /// Has a member send a request.
    pub fn send(&mut self, member: MemberId, request: Request<'static>) {
        self.list.push((member, request));
    }

    /// Ends the swarm.
    pub fn stop(&mut self) {
        self.stop = true;
    }
}

/// Many sessions with one server.
pub struct Swarm<M> {
    members: M,
    framing: Framing,
    max_frame: usize,
    entropy: fn() -> Nonce,
    sessions: ConnMap<(MemberId, Credentials, Option<Session>)>,
    /// The connection of each member, in the order in which they were started.
    conns: Vec<ConnId>,
    queue: Option<Queue>,
    /// How many are started and not ready yet.
    logging_in: usize,
    requests: Requests,
}

/// Sessions to be started as others have logged in.
struct Queue {
    addr: SocketAddr,
    options: SocketOptions,
    within: Duration,
    credentials: VecDeque<Credentials>,
}

impl<M: Members> Swarm<M> {
    /// A swarm without sessions yet.
    pub fn new(members: M, framing: Framing, max_frame: usize, entropy: fn() -> Nonce) -> Swarm<M> {
        Swarm {
            members,
            framing,
            max_frame,
            entropy,
            sessions: ConnMap::default(),
            conns: Vec::new(),
            queue: None,
            logging_in: 0,
            requests: Requests::default(),
        }
    }

    /// Starts one more session; the first call of [`Members::tick`] is due at once.
    ///
    /// # Errors
    /// What can be known at once: no descriptor left, no route.
    pub fn start(
        &mut self,
        io: &mut Io<'_>,
        addr: SocketAddr,
        credentials: Credentials,
        options: &SocketOptions,
        within: Duration,
    ) -> Result<MemberId, NetError> {
        let c = io.connect(addr, options, within)?;
        let member = MemberId(self.conns.len());
        self.conns.push(c);
        self.sessions.insert(c, (member, credentials, None));
        self.logging_in += 1;
        io.set_deadline(None, Some(io.now()));
        Ok(member)
    }

    /// Starts a session for each of `credentials`, a few at a time: the next one when another has logged in.
    ///
    /// # Errors
    /// As [`start`](Swarm::start), for the first ones; of a later one its member is told that it is closed.
    pub fn start_all(
        &mut self,
        io: &mut Io<'_>,
        addr: SocketAddr,
        credentials: impl IntoIterator<Item = Credentials>,
        options: &SocketOptions,
        within: Duration,
    ) -> Result<(), NetError> {
        let credentials = credentials.into_iter().collect();
        self.queue = Some(Queue { addr, options: options.clone(), within, credentials });
        self.start_more(io)
    }

    fn start_more(&mut self, io: &mut Io<'_>) -> Result<(), NetError> {
        while self.logging_in < LOGGING_IN
            && let Some(queue) = &mut self.queue
            && let Some(credentials) = queue.credentials.pop_front()
        {
            let (addr, options, within) = (queue.addr, queue.options.clone(), queue.within);
            self.start(io, addr, credentials, &options, within)?;
        }
        Ok(())
    }

    /// A session has logged in: the next one may start.
    fn logged_in(&mut self, io: &mut Io<'_>) {
        self.logging_in -= 1;
        if let Err(error) = self.start_more(io) {
            let member = MemberId(self.conns.len());
            self.members.closed(member, &format!("{error}: {}", error.source), &mut self.requests);
        }
    }

    /// What the members have become.
    pub fn into_members(self) -> M {
        self.members
    }

    /// Sends what the last call asked for.
    fn say(&mut self, io: &mut Io<'_>) {
        while !self.requests.list.is_empty() {
            for (member, request) in std::mem::take(&mut self.requests.list) {
                let c = self.conns[member.0];
                let Some((_, _, Some(session))) = self.sessions.get_mut(c) else { continue };
                match session.request(&request) {
                    Ok(_) => io.send(c, session.output()),
                    Err(error) => {
                        self.sessions.remove(c);
                        self.members.closed(member, &error.to_string(), &mut self.requests);
                        io.close(c, How::Gently);
                        continue;
                    }
                }
                session.clear_output();
            }
        }
        if self.requests.stop {
            io.stop();
        }
    }

    /// Reads what a session was sent; true if that logged it in.
    fn receive(&mut self, c: ConnId, bytes: &[u8]) -> Result<bool, SessionError> {
        let Swarm { sessions, members, requests, .. } = self;
        let Some((member, _, Some(session))) = sessions.get_mut(c) else { return Ok(false) };
        let before = session.is_ready();
        let mut ready = before;
        let result = session.receive(bytes, &mut |incoming| {
            // The session hands on no LOGGED_IN but a right one; what follows may be in the same bytes.
            if !ready && matches!(incoming.answer, Answer::LoggedIn(_)) {
                ready = true;
                members.ready(*member, requests);
            }
            members.incoming(*member, &incoming, requests);
        });
        if let Err(SessionError::Login(fault)) = &result {
            let refusal = Incoming { answer: Answer::Error(fault.clone()), id: None };
            members.incoming(*member, &refusal, requests);
        }
        result.map(|()| ready && !before)
    }
}

impl<M: Members> Handler for Swarm<M> {
    fn opened(&mut self, io: &mut Io<'_>, c: ConnId, peer: &Peer) -> Admit {
        let (framing, max_frame, nonce) = (self.framing, self.max_frame, (self.entropy)());
        let Some((member, credentials, place)) = self.sessions.get_mut(c) else { return Admit::Serve };
        let server = peer.addr.to_string();
        let session = place.insert(Session::new(framing, max_frame, credentials.clone(), &server, nonce));
        io.send(c, session.output());
        session.clear_output();
        if session.is_ready() {
            self.members.ready(*member, &mut self.requests);
            self.logged_in(io);
            self.say(io);
        }
        Admit::Serve
    }

    fn bytes(&mut self, io: &mut Io<'_>, c: ConnId, bytes: &[u8]) {
        match self.receive(c, bytes) {
            Ok(true) => self.logged_in(io),
            Ok(false) => {}
            Err(error) => {
                if let Some((member, ..)) = self.sessions.remove(c) {
                    self.members.closed(member, &error.to_string(), &mut self.requests);
                }
                io.close(c, How::Now);
            }
        }
        // A login goes on by itself: its proof is output that no member asked for.
        if let Some((_, _, Some(session))) = self.sessions.get_mut(c)
            && !session.output().is_empty()
        {
            io.send(c, session.output());
            session.clear_output();
        }
        self.say(io);
    }

    fn closed(&mut self, io: &mut Io<'_>, c: ConnId, closed: &Closed) {
        let Some((member, ..)) = self.sessions.remove(c) else { return };
        let reason = match &closed.why {
            Why::Closed => String::new(),
            Why::NotReading => "the server does not read".to_owned(),
            Why::Failed(error) => format!("{error}: {}", error.source),
        };
        self.members.closed(member, &reason, &mut self.requests);
        self.say(io);
    }

    /// Somebody used the waker because there is something to do: the same as a deadline.
    fn woken(&mut self, io: &mut Io<'_>) {
        self.deadline(io, None);
    }

    fn deadline(&mut self, io: &mut Io<'_>, c: Option<ConnId>) {
        if c.is_none() {
            let next = self.members.tick(io.now(), &mut self.requests);
            io.set_deadline(None, next);
            self.say(io);
        }
    }
}
