//! The room server as a handler of the loop: connections are sessions, groups are rooms.

use std::net::SocketAddr;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use super::{Config, Event, RoomEvent, report_store};
use crate::framing::{Content, Decoder, Encoder, FrameError};
use crate::net::reactor::Step;
use crate::net::{Admit, Closed, ConnId, ConnMap, GroupId, Handler, How, Io, NetError, Peer, ServerEvent};
use crate::protocol::Code;
use crate::report::Events;
use crate::service::{
    Action, Actions, Auth, Dispatcher, Done, Job, MAX_FRAME_BEFORE_LOGIN, Notice, RoomId, SessionId, Ticket,
};
use crate::store::{Completion, Workers};

pub(super) struct RoomServer<'a> {
    config: &'a Config,
    service: Dispatcher,
    encoder: Encoder,
    clients: ConnMap<Client>,
    /// The connection of each session.
    conns: Vec<Option<ConnId>>,
    /// The group of each room.
    groups: Vec<Option<GroupId>>,
    /// Decisions that are not carried out yet, and the list before it, kept for its memory.
    actions: Actions,
    spare: Actions,
    /// One framed message; kept for its memory.
    framed: Vec<u8>,
    workers: Workers,
    steps: Option<Receiver<Step>>,
    events: &'a mut dyn Events<Event>,
}

struct Client {
    /// `None` once the service has forgotten it.
    session: Option<SessionId>,
    peer: SocketAddr,
    decoder: Decoder,
    /// Bytes that wait until work for this client is done: its answers keep their order. `None`: it is read.
    held: Option<Vec<u8>>,
    /// It has ended its side.
    ended: bool,
}

impl<'a> RoomServer<'a> {
    pub(super) fn new(
        config: &'a Config,
        now: Instant,
        workers: Workers,
        steps: Option<Receiver<Step>>,
        events: &'a mut dyn Events<Event>,
    ) -> RoomServer<'a> {
        let mut actions = Actions::default();
        let mut service = Dispatcher::new(config.service.clone(), now, &mut actions);
        service.set_records(workers.records());
        RoomServer {
            config,
            service,
            encoder: Encoder::new(config.framing, config.service.limits.max_frame),
            clients: ConnMap::default(),
            conns: Vec::new(),
            groups: Vec::new(),
            actions,
            spare: Actions::default(),
            framed: Vec::new(),
            workers,
            steps,
            events,
        }
    }

    /// Makes the groups of the rooms that are there from the start.
    pub(super) fn open_rooms(&mut self, io: &mut Io<'_>) {
        self.carry_out(io);
    }

    /// Has the workers finish what they have begun; returns what they have to say.
    pub(super) fn finish(mut self) -> Vec<Completion> {
        self.report_steps();
        self.workers.finish()
    }

    fn report(&mut self, event: impl Into<Event>) {
        self.report_steps();
        self.events.event(event.into());
    }

    /// Hands on what the loop did before the next event, so that both come in order.
    fn report_steps(&mut self) {
        for step in self.steps.iter().flat_map(Receiver::try_iter) {
            self.events.event(ServerEvent::Trace(step).into());
        }
    }

    /// Hands every frame in `bytes` to the service; holds the rest back while work is under way.
    fn decode(&mut self, io: &mut Io<'_>, c: ConnId, bytes: &[u8]) {
        self.decode_until_work(io, c, bytes);
        // Work for which there was no place is answered by now, and nothing else would wake this client.
        self.decode_held(io, c);
    }

    /// Goes on with the bytes that were held back, as far as no work is under way.
    fn decode_held(&mut self, io: &mut Io<'_>, c: ConnId) {
        loop {
            let Some(client) = self.clients.get_mut(c) else { return };
            if client.session.is_some_and(|session| self.service.is_waiting(session)) {
                return;
            }
            let Some(held) = client.held.take() else { return };
            io.resume(c);
            self.decode_until_work(io, c, &held);
        }
    }

    fn decode_until_work(&mut self, io: &mut Io<'_>, c: ConnId, bytes: &[u8]) {
        let RoomServer { service, clients, actions, config, .. } = self;
        let Some(client) = clients.get_mut(c) else { return };
        let Some(session) = client.session else { return };
        let mut at = 0;
        loop {
            if service.is_waiting(session) {
                client.held.get_or_insert_default().extend_from_slice(&bytes[at..]);
                io.hold(c);
                break;
            }
            let limit = config.service.limits.max_frame;
            let admitted = service.is_admitted(session);
            client.decoder.set_max_frame(if admitted { limit } else { limit.min(MAX_FRAME_BEFORE_LOGIN) });
            match client.decoder.next_frame(bytes, &mut at) {
                Ok(Some(frame)) => service.handle(io.now(), session, frame.payload, &mut nonce, actions),
                Ok(None) => {
                    service.begun(io.now(), session, client.decoder.in_frame());
                    break;
                }
                Err(error) => {
                    service.broken(session, code(&error), &error.to_string(), actions);
                    break;
                }
            }
            // It may have said BYE, or had its tenth strike; what follows is nobody's.
            if !service.is_connected(session) {
                break;
            }
        }
        let deadline = service.next_deadline(session);
        self.carry_out(io);
        if self.clients.get(c).is_some_and(|client| client.session.is_some()) {
            io.set_deadline(Some(c), deadline);
        }
    }

    /// The client has ended its side and everything it sent is handled.
    fn end(&mut self, io: &mut Io<'_>, c: ConnId) {
        let Some(client) = self.clients.get_mut(c) else { return };
        let Some(session) = client.session else { return };
        match client.decoder.finish() {
            Ok(()) => {
                // First out of its room, by way of its connection; then nobody is behind that any more.
                self.service.disconnected(session, &mut self.actions);
                self.carry_out(io);
                self.detach(c, session);
                io.close(c, How::Gently);
            }
            Err(error) => {
                self.service.broken(session, code(&error), &error.to_string(), &mut self.actions);
                self.carry_out(io);
            }
        }
    }

    /// Ends the tie between a connection and a session that the service has forgotten.
    fn detach(&mut self, c: ConnId, session: SessionId) {
        self.conns[session.0 as usize] = None;
        if let Some(client) = self.clients.get_mut(c) {
            client.session = None;
        }
    }

    /// Goes on with a client whose work is done.
    fn go_on(&mut self, io: &mut Io<'_>, session: SessionId) {
        let Some(c) = self.conns.get(session.0 as usize).copied().flatten() else { return };
        self.decode_held(io, c);
        let ended = self.clients.get(c).is_some_and(|client| client.ended);
        if ended && !self.service.is_waiting(session) {
            self.end(io, c);
        }
    }

    /// Carries out what the service has decided, in that order.
    fn carry_out(&mut self, io: &mut Io<'_>) {
        while !self.actions.list().is_empty() {
            let mut actions = std::mem::replace(&mut self.actions, std::mem::take(&mut self.spare));
            let (list, payloads) = actions.drain();
            for action in list {
                self.act(io, action, payloads);
            }
            actions.clear();
            self.spare = actions;
        }
    }

    fn act(&mut self, io: &mut Io<'_>, action: Action, payloads: &[u8]) {
        match action {
            Action::Send(session, payload) => {
                if let Some(c) = self.conns[session.0 as usize] {
                    self.frame(&payloads[payload]);
                    io.send(c, &self.framed);
                }
            }
            Action::Cast(room, payload) => {
                self.frame(&payloads[payload]);
                io.cast(self.group(room), &self.framed);
            }
            Action::Open(room) => {
                let group = io.group();
                put(&mut self.groups, room.0 as usize, group);
            }
            Action::Drop(room) => {
                let group = self.group(room);
                self.groups[room.0 as usize] = None;
                io.disband(group);
            }
            Action::Join(session, room) => {
                if let Some(c) = self.conns[session.0 as usize] {
                    io.join(c, self.group(room));
                }
            }
            Action::Leave(session) => {
                if let Some(c) = self.conns[session.0 as usize] {
                    io.leave(c);
                }
            }
            Action::Close(session) => {
                if let Some(c) = self.conns[session.0 as usize] {
                    self.detach(c, session);
                    io.close(c, How::Gently);
                }
            }
            Action::Work(ticket, job) => self.submit(io.now(), ticket, job),
            Action::Report(notice) => self.report_notice(notice),
        }
    }

    /// Frames one payload into the buffer that is kept for that. The service keeps payloads within the limit.
    fn frame(&mut self, payload: &[u8]) {
        self.framed.clear();
        if let Err(error) = self.encoder.encode(Content::Json, payload, &mut self.framed) {
            tracing::warn!("a message could not be framed: {error}");
        }
    }

    fn group(&self, room: RoomId) -> GroupId {
        self.groups[room.0 as usize].expect("a room is opened before it is used")
    }

    fn submit(&mut self, now: Instant, ticket: Ticket, job: Job) {
        if self.workers.try_submit(ticket, job).is_err() {
            self.service.finished(now, ticket, Done::Busy, &mut self.actions);
        }
    }

    fn report_notice(&mut self, notice: Notice) {
        let peer = |session: SessionId| {
            let c = self.conns.get(session.0 as usize).copied().flatten()?;
            self.clients.get(c).map(|client| client.peer)
        };
        let event = match notice {
            Notice::LoggedIn { session, username } => {
                peer(session).map(|peer| RoomEvent::LoggedIn { peer, username: username.to_string() })
            }
            Notice::Joined { username, room } => {
                Some(RoomEvent::Joined { username: username.to_string(), room: room.to_string() })
            }
            Notice::Left { username, room } => {
                Some(RoomEvent::Left { username: username.to_string(), room: room.to_string() })
            }
            Notice::Said { username, room, text } => {
                Some(RoomEvent::said(username.to_string(), room.to_string(), text))
            }
            Notice::Handling { username, request, client_id } => Some(RoomEvent::Handling {
                username: username.to_string(),
                request,
                client_id: client_id.to_string(),
            }),
            Notice::Fault { session, code, message } => {
                peer(session).map(|peer| RoomEvent::Fault { peer, code, message })
            }
        };
        if let Some(event) = event {
            self.report(event);
        }
    }
}

impl Handler for RoomServer<'_> {
    fn opened(&mut self, io: &mut Io<'_>, c: ConnId, peer: &Peer) -> Admit {
        // Only the login by key asks for it: one system call less for everyone else.
        let binds = self.config.service.auth == Auth::Hmac;
        let local = if binds { io.local_addr(c).map(|addr| addr.to_string()) } else { None };
        let server = local.unwrap_or_default();
        let session = match self.service.connected(io.now(), &server, &mut self.actions) {
            Ok(session) => session,
            Err(payloads) => {
                self.report(ServerEvent::Refused {
                    peer: peer.addr,
                    reason: "all connections are in use".into(),
                });
                let mut bytes = Vec::new();
                for payload in payloads {
                    self.frame(&payload);
                    bytes.extend_from_slice(&self.framed);
                }
                return Admit::Refuse(bytes);
            }
        };
        put(&mut self.conns, session.0 as usize, c);
        let decoder = Decoder::new(self.config.framing, self.config.service.limits.max_frame);
        let client = Client { session: Some(session), peer: peer.addr, decoder, held: None, ended: false };
        self.clients.insert(c, client);
        self.report(ServerEvent::Connected { peer: peer.addr });
        io.set_deadline(Some(c), self.service.next_deadline(session));
        self.carry_out(io);
        Admit::Serve
    }

    fn bytes(&mut self, io: &mut Io<'_>, c: ConnId, bytes: &[u8]) {
        self.decode(io, c, bytes);
    }

    fn ended(&mut self, io: &mut Io<'_>, c: ConnId) {
        let Some(client) = self.clients.get_mut(c) else { return };
        client.ended = true;
        let waiting = client.session.is_some_and(|session| self.service.is_waiting(session));
        if !waiting {
            self.end(io, c);
        }
    }

    fn closed(&mut self, io: &mut Io<'_>, c: ConnId, closed: &Closed) {
        let Some(client) = self.clients.remove(c) else { return };
        if let Some(session) = client.session {
            self.conns[session.0 as usize] = None;
            self.service.disconnected(session, &mut self.actions);
            self.carry_out(io);
        }
        self.report(ServerEvent::disconnected(closed, None));
    }

    fn deadline(&mut self, io: &mut Io<'_>, c: Option<ConnId>) {
        let Some((c, session)) = c.and_then(|c| Some((c, self.clients.get(c)?.session?))) else { return };
        self.service.deadline(io.now(), session, &mut self.actions);
        // Still here: it was not late after all.
        io.set_deadline(Some(c), self.service.next_deadline(session));
        self.carry_out(io);
    }

    fn woken(&mut self, io: &mut Io<'_>) {
        let completions: Vec<Completion> = self.workers.drain().collect();
        self.service.set_records(self.workers.records());
        for completion in completions {
            report_store(&completion, self.events);
            if let Completion::Finished(ticket, done) = completion {
                let session = self.service.finished(io.now(), ticket, done, &mut self.actions);
                self.carry_out(io);
                if let Some(session) = session {
                    self.go_on(io, session);
                }
            }
        }
    }

    fn accept_paused(&mut self, _io: &mut Io<'_>, why: &NetError) {
        self.report(ServerEvent::accept_paused(why));
    }

    fn accept_resumed(&mut self, _io: &mut Io<'_>) {
        self.report(ServerEvent::AcceptResumed {});
    }

    fn turned(&mut self) {
        self.report_steps();
    }

    fn stopping(&mut self, io: &mut Io<'_>) {
        self.service.stop(&mut self.actions);
        self.carry_out(io);
    }
}

/// Sets an entry of a list that grows as it must.
fn put<T: Copy>(list: &mut Vec<Option<T>>, index: usize, value: T) {
    if index >= list.len() {
        list.resize(index + 1, None);
    }
    list[index] = Some(value);
}

fn code(error: &FrameError) -> Code {
    match error {
        FrameError::TooLarge { .. } => Code::TooLarge,
        _ => Code::BadFrame,
    }
}

fn nonce() -> [u8; 32] {
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).expect("the system had entropy when the server started");
    nonce
}
