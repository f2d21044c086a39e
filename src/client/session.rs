//! One session with a room server, free of I/O.
//!
//! ```text
//!                  LOGIN                     LOGGED_IN
//! start ─► (anonymous: ready at once)  ───────────────────────► ready
//!      └─► AUTH ─► CHALLENGE ─► PROOF ─► LOGGED_IN, server's proof right ─► ready
//!                                                     └ wrong ─► an error: this is not our server
//! ```
//! Bytes for the server collect in [`output`](Session::output) until the driver takes them.

use std::borrow::Cow;

use crate::framing::{Content, Decoder, Encoder, FrameError, Framing};
use crate::protocol::codec::{self, Envelope, Malformed};
use crate::protocol::message::{self, Answer, Fault, Request, Tag};
use crate::protocol::proof::{Key, NO_BINDING, Nonce, Transcript, from_hex, to_hex};

/// Who the client is, and how it proves that.
#[derive(Clone)]
pub enum Credentials {
    /// Nobody in particular: the server gives a name.
    Anonymous,
    /// A name that nobody else has.
    Name(String),
    /// A name and its password.
    Password(String, String),
    /// A name and its key.
    Key(String, Key),
}

// By hand: a secret shall not reach a log by way of `{:?}`.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Credentials::Anonymous => f.write_str("Anonymous"),
            Credentials::Name(name) => write!(f, "Name({name:?})"),
            Credentials::Password(name, _) => write!(f, "Password({name:?})"),
            Credentials::Key(name, _) => write!(f, "Key({name:?})"),
        }
    }
}

/// What the server sent, besides the login.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The message.
    pub answer: Answer<'a>,
    /// The `id` of the request that it answers.
    pub id: Option<Tag<'a>>,
}

/// Why a session can't go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A stream that is not framed as agreed.
    #[error("the server sent no frame of this framing")]
    Frame(#[from] FrameError),
    /// A frame that holds no message.
    #[error("the server sent no message: {0}")]
    Message(String),
    /// The server refused the login.
    #[error("the server refused the login: {message} ({code})", code = .0.code.name(), message = .0.message.escaped())]
    Login(Fault<'static>),
    /// The server does not know the key: it is not the one it pretends to be.
    #[error("the server could not prove that it knows your key: this is not your server")]
    Impostor,
}

/// The state of one session.
#[derive(Debug)]
pub struct Session {
    decoder: Decoder,
    encoder: Encoder,
    credentials: Credentials,
    /// The server's address, as this client's socket knows it.
    server: String,
    nonce: Nonce,
    transcript: Option<Transcript>,
    next_id: u64,
    ready: bool,
    username: Option<String>,
    payload: Vec<u8>,
    output: Vec<u8>,
}

impl Session {
    /// A session that logs in at once. `server` is the server end's address (getpeername), which the login by
    /// key binds; `nonce` is 32 random bytes, used once.
    #[must_use]
    pub fn new(
        framing: Framing,
        max_frame: usize,
        credentials: Credentials,
        server: &str,
        nonce: Nonce,
    ) -> Session {
        let mut session = Session {
            decoder: Decoder::new(framing, max_frame),
            encoder: Encoder::new(framing, max_frame),
            credentials,
            server: server.to_owned(),
            nonce,
            transcript: None,
            next_id: 1,
            ready: false,
            username: None,
            payload: Vec::new(),
            output: Vec::new(),
        };
        session.start();
        session
    }

    /// True once the login is done, if there was one to do.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// The name under which the server knows this client, once it has said so.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// Bytes to send; taking them empties the queue.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Bytes to send.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// Notes that the output was sent; its memory is kept.
    pub fn clear_output(&mut self) {
        self.output.clear();
    }

    /// Adds a request to the output; returns the `id` that its answer will carry.
    ///
    /// # Errors
    /// A request over the frame limit; nothing is added then.
    pub fn request(&mut self, request: &Request<'_>) -> Result<u64, FrameError> {
        let id = self.next_id;
        self.encode(request, Some(&Tag::Number(id)))?;
        self.next_id += 1;
        Ok(id)
    }

    /// Adds a request with an `id` of the caller's own.
    ///
    /// # Errors
    /// A request over the frame limit; nothing is added then.
    pub fn request_as(&mut self, request: &Request<'_>, id: &Tag<'_>) -> Result<(), FrameError> {
        self.encode(request, Some(id))
    }

    /// Reads what the server sent; hands everything but the login itself to `on`.
    ///
    /// # Errors
    /// A broken stream, a refused login, a server that can't prove itself.
    pub fn receive(&mut self, bytes: &[u8], on: &mut dyn FnMut(Incoming<'_>)) -> Result<(), SessionError> {
        // The decoder is taken out so that a frame can be lent from it while the session changes.
        let framing = self.encoder.framing();
        let mut decoder = std::mem::replace(&mut self.decoder, Decoder::new(framing, 0));
        let result = self.receive_all(&mut decoder, bytes, on);
        self.decoder = decoder;
        result
    }

    fn receive_all(
        &mut self,
        decoder: &mut Decoder,
        bytes: &[u8],
        on: &mut dyn FnMut(Incoming<'_>),
    ) -> Result<(), SessionError> {
        let mut at = 0;
        while let Some(frame) = decoder.next_frame(bytes, &mut at)? {
            let Envelope { message, id } = match codec::decode_answer(frame.payload) {
                Ok(envelope) => envelope,
                // A newer server may know more than this client.
                Err(Malformed { fault, .. }) if fault.code == crate::protocol::Code::UnknownType => continue,
                Err(Malformed { fault, .. }) => return Err(SessionError::Message(fault.message.escaped())),
            };
            if self.ready {
                self.note_name(&message);
                on(Incoming { answer: message, id });
            } else {
                self.log_in(message, id, on)?;
            }
        }
        Ok(())
    }

    fn start(&mut self) {
        let credentials = self.credentials.clone();
        let request = match &credentials {
            Credentials::Anonymous => {
                self.ready = true;
                return;
            }
            Credentials::Name(name) => login(name, None),
            Credentials::Password(name, password) => login(name, Some(password)),
            Credentials::Key(name, _) => {
                let nonce = to_hex(&self.nonce);
                Request::Auth(message::Auth { username: name.as_str().into(), nonce: nonce.into() })
            }
        };
        // A name that is too long for a frame is one that the server refuses anyway.
        if self.encode(&request, Some(&Tag::Number(0))).is_err() {
            let _ = self.encode(&login("", None), Some(&Tag::Number(0)));
        }
    }

    fn log_in(
        &mut self,
        answer: Answer<'_>,
        id: Option<Tag<'_>>,
        on: &mut dyn FnMut(Incoming<'_>),
    ) -> Result<(), SessionError> {
        match answer {
            Answer::Challenge(challenge) => self.prove(&challenge.nonce),
            Answer::LoggedIn(logged_in) => {
                self.check_server(logged_in.mac.as_deref())?;
                self.ready = true;
                self.username = Some(logged_in.username.to_string());
                on(Incoming { answer: Answer::LoggedIn(logged_in), id });
                Ok(())
            }
            Answer::Error(fault) => Err(SessionError::Login(fault.into_owned())),
            other => {
                on(Incoming { answer: other, id });
                Ok(())
            }
        }
    }

    fn prove(&mut self, nonce: &str) -> Result<(), SessionError> {
        let Credentials::Key(name, key) = &self.credentials else {
            return Err(SessionError::Message("a challenge that nobody asked for".into()));
        };
        let nonce = from_hex(nonce)
            .ok_or_else(|| SessionError::Message("a challenge whose nonce has not 64 hex digits".into()))?;
        // Our own socket says who the server is: what it says of itself proves nothing.
        let transcript = Transcript::new(name, &self.server, &self.nonce, &nonce, NO_BINDING);
        let mac = to_hex(&transcript.client_mac(key));
        self.transcript = Some(transcript);
        Ok(self.encode(&Request::Proof(message::Proof { mac: mac.into() }), Some(&Tag::Number(0)))?)
    }

    /// A server that verified our proof has to prove itself as well.
    fn check_server(&self, mac: Option<&str>) -> Result<(), SessionError> {
        let Credentials::Key(_, key) = &self.credentials else { return Ok(()) };
        let mac = mac.and_then(from_hex).ok_or(SessionError::Impostor)?;
        let right = self.transcript.as_ref().is_some_and(|transcript| transcript.is_server_mac(key, &mac));
        if right { Ok(()) } else { Err(SessionError::Impostor) }
    }

    fn note_name(&mut self, answer: &Answer<'_>) {
        if let Answer::RoomJoined(joined) = answer
            && joined.seq.is_some()
        {
            self.username = Some(joined.username.to_string());
        }
    }

    fn encode(&mut self, request: &Request<'_>, id: Option<&Tag<'_>>) -> Result<(), FrameError> {
        self.payload.clear();
        codec::encode_request(request, id, &mut self.payload);
        self.encoder.encode(Content::Json, &self.payload, &mut self.output)
    }
}

fn login<'a>(name: &'a str, password: Option<&'a str>) -> Request<'a> {
    let password = password.map(|password| message::Text(Cow::Borrowed(password)));
    Request::Login(message::Login { username: name.into(), password })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    use crate::protocol::names::Username;
    use crate::service::{Action, Actions, Auth, Config, Dispatcher, Role, User, Users};

    /// A client and the service, with nothing but their bytes between them.
    fn converse(credentials: Credentials, config: Config) -> Result<Session, SessionError> {
        let (now, mut actions) = (Instant::now(), Actions::default());
        let mut service = Dispatcher::new(config, now, &mut actions);
        actions.clear();
        let id = service.connected(now, "10.0.0.1:12000", &mut actions).expect("a place");
        let mut session = Session::new(Framing::U32, 65_535, credentials, "10.0.0.1:12000", [3; 32]);
        let mut decoder = Decoder::new(Framing::U32, 65_535);
        let encoder = Encoder::new(Framing::U32, 65_535);
        for _ in 0..4 {
            let output = session.take_output();
            let mut at = 0;
            while let Some(frame) = decoder.next_frame(&output, &mut at).unwrap() {
                service.handle(now, id, frame.payload, &mut || [4; 32], &mut actions);
            }
            let mut wire = Vec::new();
            let (list, payloads) = actions.drain();
            for action in list {
                if let Action::Send(_, payload) = action {
                    encoder.encode(Content::Json, &payloads[payload], &mut wire).unwrap();
                }
            }
            actions.clear();
            session.receive(&wire, &mut |_| {})?;
        }
        Ok(session)
    }

    fn keyed(key: Key) -> Config {
        let mut users = Users::default();
        let name = Username::parse("ada").unwrap();
        users.insert(User { name, role: Role::Student, password_hash: None, key: Some(key) });
        Config { auth: Auth::Hmac, users, ..Config::default() }
    }

    #[test]
    fn a_name_is_logged_in_and_nobody_needs_to() {
        let session = converse(Credentials::Name("Ada".into()), Config::default()).unwrap();
        assert_eq!((session.is_ready(), session.username()), (true, Some("Ada")));
        assert!(converse(Credentials::Anonymous, Config::default()).unwrap().is_ready());
    }

    #[test]
    fn a_key_logs_in_and_the_server_is_checked() {
        let session = converse(Credentials::Key("ada".into(), [7; 32]), keyed([7; 32])).unwrap();
        assert!(session.is_ready());
        let refused = converse(Credentials::Key("ada".into(), [8; 32]), keyed([7; 32])).unwrap_err();
        assert!(matches!(refused, SessionError::Login(_)), "{refused}");
    }

    #[test]
    fn a_server_without_the_key_is_an_impostor() {
        let mut session =
            Session::new(Framing::U16, 65_535, Credentials::Key("ada".into(), [7; 32]), "s:1", [3; 32]);
        let encoder = Encoder::new(Framing::U16, 65_535);
        let say = |session: &mut Session, text: &str| {
            let mut wire = Vec::new();
            encoder.encode(Content::Json, text.as_bytes(), &mut wire).unwrap();
            session.receive(&wire, &mut |_| {})
        };
        let nonce = "00".repeat(32);
        let challenge = format!(r#"{{"type":"CHALLENGE","data":{{"server":"s:1","nonce":"{nonce}"}}}}"#);
        say(&mut session, &challenge).unwrap();
        for mac in ["null".to_owned(), format!("\"{}\"", "00".repeat(32))] {
            let text =
                format!(r#"{{"type":"LOGGED_IN","data":{{"username":"ada","room":"r","mac":{mac}}}}}"#);
            assert!(matches!(say(&mut session, &text), Err(SessionError::Impostor)));
            assert!(!session.is_ready());
        }
    }
}
