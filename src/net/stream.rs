//! A blocking TCP stream whose errors name the call and the address, for clients and the blocking servers.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::capture::Flow;
use super::{Cause, NetError, Op, SocketOptions, socket};

/// A connected blocking stream.
#[derive(Debug)]
pub struct Stream {
    inner: TcpStream,
    peer: SocketAddr,
    /// Where what it carries is written; handles on one socket share it.
    flow: Option<Arc<Mutex<Flow>>>,
}

/// A closing stream from which nothing has come for so long has nothing more to say.
const DRAIN_QUIET: Duration = Duration::from_secs(1);

impl Stream {
    /// Connects to the first of `addrs` that answers, waiting `timeout` for each.
    ///
    /// # Errors
    /// The error of the last address tried.
    pub fn connect(
        addrs: &[SocketAddr],
        options: &SocketOptions,
        timeout: Duration,
    ) -> Result<Stream, NetError> {
        Stream::connected(socket::connect(addrs, options, timeout)?, addrs[0], options)
    }

    /// Wraps a stream that has just connected to `asked`.
    ///
    /// # Errors
    /// A stream that is not connected any more.
    pub(super) fn connected(
        inner: TcpStream,
        asked: SocketAddr,
        options: &SocketOptions,
    ) -> Result<Stream, NetError> {
        let peer = inner.peer_addr().map_err(|source| NetError::new(Op::Connect, asked, source))?;
        Ok(Stream::open(inner, peer, options, true))
    }

    /// Wraps a stream as `accept` returned it.
    pub(super) fn accepted(inner: TcpStream, peer: SocketAddr, options: &SocketOptions) -> Stream {
        Stream::open(inner, peer, options, false)
    }

    fn open(inner: TcpStream, peer: SocketAddr, options: &SocketOptions, outbound: bool) -> Stream {
        let flow = options.capture.as_ref().and_then(|capture| {
            let flow = Flow::open(capture.clone(), inner.local_addr().ok()?, peer, outbound);
            Some(Arc::new(Mutex::new(flow)))
        });
        Stream { inner, peer, flow }
    }

    /// Writes down what a call did, where that is wanted.
    fn capture(&self, write: impl FnOnce(&mut Flow)) {
        if let Some(flow) = &self.flow {
            write(&mut flow.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// The other end.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// This end.
    ///
    /// # Errors
    /// A socket that has lost its address.
    pub fn local(&self) -> Result<SocketAddr, NetError> {
        self.inner.local_addr().map_err(|source| NetError::new(Op::Socket, self.peer, source))
    }

    /// One `recv` of at most `buffer.len()` bytes; 0 means that the peer has ended its side.
    ///
    /// # Errors
    /// A reset, or [`Cause::TimedOut`](super::Cause::TimedOut) after the time set by
    /// [`set_recv_timeout`](Stream::set_recv_timeout).
    pub fn recv(&self, buffer: &mut [u8]) -> Result<usize, NetError> {
        loop {
            match (&self.inner).read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What a time-out is called differs by system, and none of the names says it.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(NetError::timed_out(Op::Recv, self.peer));
                }
                Ok(received) => {
                    self.capture(|flow| flow.received(&buffer[..received]));
                    return Ok(received);
                }
                Err(source) => {
                    let error = NetError::new(Op::Recv, self.peer, source);
                    if error.cause() == Cause::Reset {
                        self.capture(Flow::reset);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Like [`recv`](Stream::recv), but leaves the bytes in the receive queue (MSG_PEEK).
    ///
    /// # Errors
    /// As [`recv`](Stream::recv).
    pub fn peek(&self, buffer: &mut [u8]) -> Result<usize, NetError> {
        loop {
            match self.inner.peek(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What a time-out is called differs by system, and none of the names says it.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(NetError::timed_out(Op::Recv, self.peer));
                }
                result => return result.map_err(|source| NetError::new(Op::Recv, self.peer, source)),
            }
        }
    }

    /// One `send` call; returns how many bytes the kernel took, which may be fewer than were offered.
    ///
    /// # Errors
    /// A peer that is gone.
    pub fn send(&self, bytes: &[u8]) -> Result<usize, NetError> {
        loop {
            match (&self.inner).write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(taken) => {
                    self.capture(|flow| flow.sent(&bytes[..taken]));
                    return Ok(taken);
                }
                Err(source) => return Err(NetError::new(Op::Send, self.peer, source)),
            }
        }
    }

    /// Sends all of `bytes`, in as many `send` calls as it takes.
    ///
    /// # Errors
    /// A peer that is gone.
    pub fn send_all(&self, bytes: &[u8]) -> Result<(), NetError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = &rest[self.send(rest)?..];
        }
        Ok(())
    }

    /// Ends this side (FIN): the peer reads 0 bytes, and can go on sending.
    ///
    /// # Errors
    /// A stream that is not connected any more.
    pub fn half_close(&self) -> Result<(), NetError> {
        self.capture(Flow::shut_down);
        match self.inner.shutdown(Shutdown::Write) {
            // The peer was faster: what we wanted is so.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result.map_err(|source| NetError::new(Op::Shutdown, self.peer, source)),
        }
    }

    /// How long one `recv` may wait; `None` waits for ever. Rounded up to a millisecond.
    ///
    /// # Errors
    /// A socket that refuses the option.
    pub fn set_recv_timeout(&self, timeout: Option<Duration>) -> Result<(), NetError> {
        let timeout = timeout.map(|t| t.max(Duration::from_millis(1)));
        self.inner
            .set_read_timeout(timeout)
            .map_err(|source| NetError::new(Op::SetOption("SO_RCVTIMEO"), self.peer, source))
    }

    /// How long one `send` may wait for a peer that does not read; `None` waits for ever.
    ///
    /// # Errors
    /// A socket that refuses the option.
    pub fn set_send_timeout(&self, timeout: Option<Duration>) -> Result<(), NetError> {
        let timeout = timeout.map(|t| t.max(Duration::from_millis(1)));
        self.inner
            .set_write_timeout(timeout)
            .map_err(|source| NetError::new(Op::SetOption("SO_SNDTIMEO"), self.peer, source))
    }

    /// A second handle on the same socket, for another thread.
    ///
    /// # Errors
    /// No descriptor left.
    pub fn try_clone(&self) -> Result<Stream, NetError> {
        let inner = self.inner.try_clone().map_err(|source| NetError::new(Op::Socket, self.peer, source))?;
        Ok(Stream { inner, peer: self.peer, flow: self.flow.clone() })
    }

    /// Ends both directions at once: a thread that sits in `send` or `recv` on another handle returns.
    pub fn cut(&self) {
        // The only failure is a connection that is gone already.
        let _ = self.inner.shutdown(Shutdown::Both);
    }

    /// Makes the close of the last handle a reset (RST): what is unsent is thrown away, and the peer's next call fails. A thread
    /// that sits in `recv` on another handle returns, without a word to the peer.
    pub fn reset_at_close(&self) {
        let reset = self.socket().set_linger(Some(Duration::ZERO));
        // The only failure is a connection that is gone already.
        let _ = reset.and_then(|()| self.inner.shutdown(Shutdown::Read));
    }

    /// Ends this side and reads on until nothing has come for a second: closing with unread bytes would send
    /// a reset, which can destroy what the peer has not read yet. Gives up after `within`, or `most` bytes.
    pub fn close_gently(&self, within: Duration, most: u64) {
        let end = Instant::now() + within;
        let (mut buffer, mut drained) = (vec![0; 64 << 10], 0);
        let mut go_on = self.half_close().is_ok() && self.set_recv_timeout(Some(DRAIN_QUIET)).is_ok();
        while go_on && Instant::now() < end {
            match self.recv(&mut buffer) {
                Ok(n) if n > 0 => drained += n as u64,
                _ => return,
            }
            go_on = drained < most;
        }
    }

    /// The socket, to ask it for its options.
    #[must_use]
    pub fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.inner)
    }
}
