//! Both ends of the mutual login, as the room server and its clients run it, on streams whose frames an
//! attacker can read. The server's end is the room server's own service, the client's end its own session.

use std::net::SocketAddr;
use std::time::Instant;

use super::{AuthError, WAIT, nonce};
use crate::client::{Credentials, Session, SessionError};
use crate::framing::{Content, Decoder, Encoder, Framing};
use crate::net::Stream;
use crate::protocol::names::Username;
use crate::protocol::proof::Key;
use crate::service::{self, Action, Actions, Auth, Dispatcher, Role, User, Users};

/// The room server's own framing.
const FRAMING: Framing = Framing::U16;
const MAX_FRAME: usize = 65_535;
/// Who logs in.
pub(super) const USERNAME: &str = "ada";

/// A stream of frames.
pub(super) struct Frames {
    stream: Stream,
    decoder: Decoder,
    buffer: Vec<u8>,
    /// Bytes that were received and not looked at yet.
    input: Vec<u8>,
}

impl Frames {
    pub(super) fn new(stream: Stream) -> Result<Frames, AuthError> {
        stream.set_recv_timeout(Some(WAIT))?;
        stream.set_send_timeout(Some(WAIT))?;
        let decoder = Decoder::new(FRAMING, MAX_FRAME);
        Ok(Frames { stream, decoder, buffer: vec![0; 4_096], input: Vec::new() })
    }

    pub(super) fn send(&self, payload: &[u8]) -> Result<(), AuthError> {
        let mut frame = Vec::new();
        Encoder::new(FRAMING, MAX_FRAME).encode(Content::Json, payload, &mut frame)?;
        Ok(self.stream.send_all(&frame)?)
    }

    /// The next payload; `None` at the end of the stream.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, AuthError> {
        loop {
            let mut at = 0;
            let payload = self.decoder.next_frame(&self.input, &mut at)?.map(|frame| frame.payload.to_vec());
            self.input.drain(..at);
            if payload.is_some() {
                return Ok(payload);
            }
            match self.stream.recv(&mut self.buffer)? {
                0 => return Ok(None),
                n => self.input.extend_from_slice(&self.buffer[..n]),
            }
        }
    }
}

/// What one mutual login puts on the wire: the client's payloads and the server's, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Recording {
    pub(super) sent: Vec<Vec<u8>>,
    pub(super) received: Vec<Vec<u8>>,
}

/// Serves one client until it leaves. `name` is what the server takes for its own address.
pub(super) fn serve(stream: Stream, key: &Key, name: Option<&str>) -> Result<(), AuthError> {
    let own = stream.local()?.to_string();
    let mut frames = Frames::new(stream)?;
    let mut actions = Actions::default();
    let mut service = Dispatcher::new(config(key, name), Instant::now(), &mut actions);
    let Ok(session) = service.connected(Instant::now(), &own, &mut actions) else { return Ok(()) };
    while let Some(payload) = frames.next()? {
        let entropy = &mut || nonce().expect("the system had entropy a moment ago");
        service.handle(Instant::now(), session, &payload, entropy, &mut actions);
        let (list, payloads) = actions.drain();
        for action in list {
            if let Action::Send(_, range) = action {
                frames.send(&payloads[range])?;
            }
        }
        actions.clear();
        if !service.is_connected(session) {
            break;
        }
    }
    Ok(())
}

fn config(key: &Key, name: Option<&str>) -> service::Config {
    let mut users = Users::default();
    let username = Username::parse(USERNAME).expect("a plain name");
    users.insert(User { name: username, role: Role::Student, password_hash: None, key: Some(*key) });
    let server_name = name.map(str::to_owned);
    service::Config { auth: Auth::Hmac, users, server_name, ..service::Config::default() }
}

/// Logs in; `name` is what the client takes for the server's address, where it is not the socket's own.
pub(super) fn log_in(
    stream: Stream,
    key: &Key,
    name: Option<&str>,
) -> Result<(Result<(), SessionError>, Recording), AuthError> {
    let server: SocketAddr = stream.peer();
    let server = name.map_or_else(|| server.to_string(), str::to_owned);
    let credentials = Credentials::Key(USERNAME.to_owned(), *key);
    let mut session = Session::new(FRAMING, MAX_FRAME, credentials, &server, nonce()?);
    let (mut frames, mut recording) = (Frames::new(stream)?, Recording::default());
    while !session.is_ready() {
        recording.sent.extend(send_output(&mut session, &frames)?);
        let Some(payload) = frames.next()? else { break };
        recording.received.push(payload.clone());
        let mut frame = Vec::new();
        Encoder::new(FRAMING, MAX_FRAME).encode(Content::Json, &payload, &mut frame)?;
        if let Err(error) = session.receive(&frame, &mut |_| {}) {
            return Ok((Err(error), recording));
        }
    }
    if session.is_ready() {
        return Ok((Ok(()), recording));
    }
    Ok((Err(SessionError::Message("the server ended before the login was done".into())), recording))
}

/// Sends what the session has to say; returns its payloads.
fn send_output(session: &mut Session, frames: &Frames) -> Result<Vec<Vec<u8>>, AuthError> {
    let output = session.take_output();
    frames.stream.send_all(&output)?;
    let (mut decoder, mut at, mut payloads) = (Decoder::new(FRAMING, MAX_FRAME), 0, Vec::new());
    while let Some(frame) = decoder.next_frame(&output, &mut at)? {
        payloads.push(frame.payload.to_vec());
    }
    Ok(payloads)
}
