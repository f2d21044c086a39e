//! The naive server: a challenge to whoever connects, `Access Granted` or the end to whoever answers. Both
//! outcomes are reported.

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

use super::{AuthError, WAIT, nonce};
use crate::net::{
    Admit, Closed, ConnId, ConnMap, Handler, How, Io, Limits, NetError, Peer, Reactor, ServerEvent,
    SocketOptions, Stop, socket,
};
use crate::protocol::challenge::{GRANTED, LENGTH, is_answer};
use crate::report::Events;

/// A naive server.
#[derive(Clone)]
pub struct Config {
    /// The key that clients must know.
    pub key: Vec<u8>,
    /// Stop after one client.
    pub once: bool,
}

/// What the server reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// Of its connections, as every server does.
    Server(ServerEvent),
    /// Of its decisions.
    Auth(AuthEvent),
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum AuthEvent {
    /// The answer was right.
    Granted {
        /// Whose.
        peer: SocketAddr,
    },
    /// It was not, or none came.
    Denied {
        /// Whose.
        peer: SocketAddr,
        /// Why.
        reason: String,
    },
}

impl From<ServerEvent> for Event {
    fn from(event: ServerEvent) -> Event {
        Event::Server(event)
    }
}

impl From<AuthEvent> for Event {
    fn from(event: AuthEvent) -> Event {
        Event::Auth(event)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Server(event) => event.fmt(f),
            Event::Auth(AuthEvent::Granted { peer }) => write!(f, "granted {peer}"),
            Event::Auth(AuthEvent::Denied { peer, reason }) => write!(f, "denied {peer}: {reason}"),
        }
    }
}

/// Listens on one of `addrs` and challenges until `stop`. The first event is `listening`, the last `stopped`.
///
/// # Errors
/// An address that can't be listened on, no entropy, or a loop that can't go on.
pub fn run(
    config: &Config,
    addrs: &[SocketAddr],
    stop: &Stop,
    events: &mut dyn Events<Event>,
) -> Result<(), AuthError> {
    // Asked for here once, where its lack can still be said.
    nonce()?;
    let (listener, address) = socket::listen(addrs, &SocketOptions::default(), socket::DEFAULT_BACKLOG)?;
    events.event(ServerEvent::Listening { address, transport: "tcp" }.into());
    let mut reactor = Reactor::new(Limits::default())?;
    reactor.listen(listener, address)?;
    let mut server = Server { config, events, clients: ConnMap::default() };
    let totals = reactor.run(&mut server, stop)?;
    events.event(ServerEvent::from(totals).into());
    Ok(())
}

struct Server<'a> {
    config: &'a Config,
    events: &'a mut dyn Events<Event>,
    clients: ConnMap<Client>,
}

/// A client whose answer is awaited, and what has come of it.
struct Client {
    peer: SocketAddr,
    challenge: [u8; LENGTH],
    answer: Vec<u8>,
    decided: bool,
}

impl Server<'_> {
    fn decide(&mut self, io: &mut Io<'_>, c: ConnId, denied: Option<String>) {
        let Some(client) = self.clients.get_mut(c).filter(|client| !client.decided) else { return };
        client.decided = true;
        let peer = client.peer;
        let event = match denied {
            None => {
                io.send(c, GRANTED);
                AuthEvent::Granted { peer }
            }
            Some(reason) => AuthEvent::Denied { peer, reason },
        };
        self.events.event(event.into());
        io.close(c, How::Gently);
    }
}

impl Handler for Server<'_> {
    fn opened(&mut self, io: &mut Io<'_>, c: ConnId, peer: &Peer) -> Admit {
        if self.config.once {
            io.stop_accepting();
        }
        self.events.event(ServerEvent::Connected { peer: peer.addr }.into());
        let challenge = nonce().expect("the system had entropy when the server started");
        io.send(c, &challenge);
        io.set_deadline(Some(c), Some(io.now() + WAIT));
        self.clients.insert(c, Client { peer: peer.addr, challenge, answer: Vec::new(), decided: false });
        Admit::Serve
    }

    fn bytes(&mut self, io: &mut Io<'_>, c: ConnId, bytes: &[u8]) {
        let Some(client) = self.clients.get_mut(c) else { return };
        let missing = LENGTH.saturating_sub(client.answer.len());
        client.answer.extend(bytes.iter().take(missing));
        if let Ok(answer) = <&[u8; LENGTH]>::try_from(client.answer.as_slice()) {
            let right = is_answer(&self.config.key, &client.challenge, answer);
            self.decide(io, c, (!right).then(|| "its answer is not the HMAC of the challenge".into()));
        }
    }

    fn ended(&mut self, io: &mut Io<'_>, c: ConnId) {
        let received = self.clients.get(c).map_or(0, |client| client.answer.len());
        self.decide(io, c, Some(format!("it ended after {received} of {LENGTH} bytes")));
        io.close(c, How::Gently);
    }

    fn closed(&mut self, io: &mut Io<'_>, c: ConnId, closed: &Closed) {
        self.clients.remove(c);
        self.events.event(ServerEvent::disconnected(closed, None).into());
        if self.config.once {
            io.stop();
        }
    }

    fn deadline(&mut self, io: &mut Io<'_>, c: Option<ConnId>) {
        if let Some(c) = c {
            self.decide(io, c, Some(format!("no whole answer within {} s", WAIT.as_secs())));
        }
    }

    fn accept_paused(&mut self, _io: &mut Io<'_>, why: &NetError) {
        self.events.event(ServerEvent::accept_paused(why).into());
    }

    fn accept_resumed(&mut self, _io: &mut Io<'_>) {
        self.events.event(ServerEvent::AcceptResumed {}.into());
    }
}
