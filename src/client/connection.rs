//! The blocking driver: a connection on which one asks and waits for the answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Credentials, Incoming, Session, SessionError};
use crate::framing::{FrameError, Framing};
use crate::net::{Cause, NetError, Op, SocketOptions, Stream};
use crate::protocol::message::{Answer, Anything, Fault, Request, Tag};
use crate::protocol::proof::Nonce;

/// How to connect.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where messages begin and end.
    pub framing: Framing,
    /// The largest payload, in bytes.
    pub max_frame: usize,
    /// How long to wait to connect, and for each answer.
    pub wait: Duration,
    /// What the server calls itself, instead of the address that this client's socket knows (NAT).
    pub server_name: Option<String>,
    /// The socket's options.
    pub socket: SocketOptions,
}

/// Why a request has no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A socket call failed, or no answer came in time.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The login failed, or the server does not speak the protocol.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The request does not fit a frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The server answered with an error.
    #[error("the server answered {code}: {message}", code = .0.code.name(), message = .0.message.escaped())]
    Refused(Fault<'static>),
    /// The server ended the connection.
    #[error("the server closed the connection{}", .0.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    Closed(Option<String>),
}

/// A connected client that waits for its answers.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    session: Session,
    wait: Duration,
    buffer: Vec<u8>,
    /// What the server said when it said goodbye.
    goodbye: Option<String>,
    /// An error that answers no request: what the server closes for.
    fault: Option<Fault<'static>>,
    /// When something was sent for the last time.
    spoke: Instant,
}

/// A server closes who says nothing for five minutes.
const PING_AFTER: Duration = Duration::from_secs(60);
/// How long to read on in one go while something else is waited for.
const LISTEN: Duration = Duration::from_millis(50);

impl Connection {
    /// Connects to the first of `addrs` that answers, and logs in.
    ///
    /// # Errors
    /// Nobody there, or a refused login.
    pub fn open(
        addrs: &[SocketAddr],
        credentials: Credentials,
        nonce: Nonce,
        options: &Options,
    ) -> Result<Connection, ClientError> {
        let stream = Stream::connect(addrs, &options.socket, options.wait)?;
        let server = options.server_name.clone().unwrap_or_else(|| stream.peer().to_string());
        let session = Session::new(options.framing, options.max_frame, credentials, &server, nonce);
        let buffer = vec![0; 64 << 10];
        let (wait, spoke) = (options.wait, Instant::now());
        let mut connection = Connection { stream, session, wait, buffer, goodbye: None, fault: None, spoke };
        let deadline = Instant::now() + connection.wait;
        while !connection.session.is_ready() {
            connection.exchange(deadline, &mut |_| {})?;
        }
        Ok(connection)
    }

    /// The server's address.
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        self.stream.peer()
    }

    /// The name under which the server knows this client, once it has said so.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.session.username()
    }

    /// Sends a request and waits for its direct answer, or (for what is said in a room) for its own echo.
    /// What else comes goes to `aside`.
    ///
    /// # Errors
    /// An `ERROR` as the answer, or none in time.
    pub fn ask<T>(
        &mut self,
        request: &Request<'_>,
        aside: &mut dyn FnMut(&Incoming<'_>),
        read: &mut dyn FnMut(&Answer<'_>) -> Option<T>,
    ) -> Result<T, ClientError> {
        let id = Tag::Number(self.session.request(request)?);
        let deadline = Instant::now() + self.wait;
        let mut result = None;
        while result.is_none() {
            self.exchange(deadline, &mut |incoming| {
                let own = answers(incoming, &id);
                match &incoming.answer {
                    Answer::Error(fault) if own && result.is_none() => {
                        result = Some(Err(ClientError::Refused(fault.clone().into_owned())));
                    }
                    answer if own && result.is_none() => result = read(answer).map(Ok),
                    _ => aside(incoming),
                }
            })?;
        }
        result.unwrap_or(Err(ClientError::Closed(None)))
    }

    /// Reads what has come unasked, to `aside`, and sends a `PING` if nothing was said for a minute. To be called
    /// often while something else is waited for: a client that does not read, or says nothing, is closed.
    ///
    /// # Errors
    /// The server has closed the connection, or sent what is no message.
    pub fn keep_up(&mut self, aside: &mut dyn FnMut(&Incoming<'_>)) -> Result<(), ClientError> {
        if self.spoke.elapsed() >= PING_AFTER {
            self.session.request(&Request::Ping(Anything(None)))?;
        }
        let until = Instant::now() + LISTEN;
        while Instant::now() < until {
            match self.exchange(Instant::now() + Duration::from_millis(1), aside) {
                Err(ClientError::Net(error)) if error.cause() == Cause::TimedOut => break,
                result => result?,
            }
        }
        Ok(())
    }

    /// Sends what is queued and reads what one `recv` returns.
    fn exchange(&mut self, deadline: Instant, on: &mut dyn FnMut(&Incoming<'_>)) -> Result<(), ClientError> {
        if !self.session.output().is_empty() {
            self.stream.send_all(self.session.output())?;
            self.session.clear_output();
            self.spoke = Instant::now();
        }
        let rest = deadline.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return Err(NetError::timed_out(Op::Recv, self.stream.peer()).into());
        }
        self.stream.set_recv_timeout(Some(rest))?;
        let received = self.stream.recv(&mut self.buffer)?;
        if received == 0 {
            let closed = ClientError::Closed(self.goodbye.take());
            return Err(self.fault.take().map_or(closed, ClientError::Refused));
        }
        let Connection { goodbye, fault, .. } = self;
        self.session.receive(&self.buffer[..received], &mut |incoming| {
            match &incoming.answer {
                Answer::Bye(bye) => *goodbye = Some(bye.reason.escaped()),
                Answer::Error(error) if incoming.id.is_none() => *fault = Some(error.clone().into_owned()),
                _ => {}
            }
            on(&incoming);
        })?;
        Ok(())
    }
}

/// True if this is what the request of that `id` brought. What is said in a room comes back by its `ref`.
fn answers(incoming: &Incoming<'_>, id: &Tag<'_>) -> bool {
    let echo = match &incoming.answer {
        Answer::RoomEchoed(echoed) => echoed.reference.as_ref(),
        _ => None,
    };
    incoming.id.as_ref() == Some(id) || echo == Some(id)
}
