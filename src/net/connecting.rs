//! A TCP connection that is being made: `connect()` has been called, and is waited for in slices.
//!
//! It stands apart from [`socket::connect`](super::socket::connect), which blocks until it is done: whoever
//! measures how long a connect takes must hear Ctrl-C meanwhile. It must not decide what a failure means.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use super::socket::start_connect;
use super::{NetError, Op, SocketOptions, Stream};

/// A connect under way. Dropped, it is given up.
#[derive(Debug)]
pub struct Connecting {
    socket: mio::net::TcpStream,
    poll: Poll,
    addr: SocketAddr,
    options: SocketOptions,
    started: Instant,
}

impl Connecting {
    /// Sends the SYN.
    ///
    /// # Errors
    /// A socket that can't be made, or an address that the system refuses at once.
    pub fn start(addr: SocketAddr, options: &SocketOptions) -> Result<Connecting, NetError> {
        let failed = |source| NetError::new(Op::Poll, addr, source);
        let poll = Poll::new().map_err(failed)?;
        let started = Instant::now();
        // On loopback the handshake is over when `connect()` returns, on others it has only begun.
        let mut socket = mio::net::TcpStream::from_std(start_connect(addr, options)?);
        poll.registry().register(&mut socket, Token(0), Interest::WRITABLE).map_err(failed)?;
        Ok(Connecting { socket, poll, addr, options: options.clone(), started })
    }

    /// When: right before the socket was made.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Waits at most `timeout`; true once the connection is made.
    ///
    /// # Errors
    /// What came of it: refused, unreachable, timed out by the system.
    pub fn wait(&mut self, timeout: Duration) -> Result<bool, NetError> {
        let failed = |source| NetError::new(Op::Connect, self.addr, source);
        let mut events = Events::with_capacity(1);
        match self.poll.poll(&mut events, Some(timeout)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            result => result.map_err(|source| NetError::new(Op::Poll, self.addr, source))?,
        }
        if events.is_empty() {
            return Ok(false);
        }
        // A socket that has become writable is connected, or holds the reason why not (connect(2), EINPROGRESS).
        if let Some(error) = self.socket.take_error().map_err(failed)? {
            return Err(failed(error));
        }
        Ok(self.socket.peer_addr().is_ok())
    }

    /// The stream, once [`wait`](Connecting::wait) has returned true; it blocks from now on.
    ///
    /// # Errors
    /// A stream that was cut meanwhile.
    pub fn stream(self) -> Result<Stream, NetError> {
        let Connecting { mut socket, poll, addr, options, .. } = self;
        let failed = |source| NetError::new(Op::Connect, addr, source);
        poll.registry().deregister(&mut socket).map_err(failed)?;
        let stream = std::net::TcpStream::from(socket);
        stream.set_nonblocking(false).map_err(failed)?;
        Stream::connected(stream, addr, &options)
    }
}
