//! A blocking UDP client socket that tells when a datagram was cut off.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use socket2::SockRef;

use super::{Capture, NetError, Op, SocketOptions, os};

/// The largest UDP payload over IPv4: 65,535 less 20 bytes of IP header and 8 of UDP header.
pub const MAX_DATAGRAM: usize = 65_507;

/// The same over IPv6, whose length field does not count the IP header: 65,535 less 8 of UDP header.
const MAX_DATAGRAM_V6: usize = 65_527;

/// The largest payload that one datagram carries to `peer`. An IPv4 address in IPv6 form goes over IPv4.
#[must_use]
pub fn max_datagram(peer: SocketAddr) -> usize {
    if peer.ip().to_canonical().is_ipv4() { MAX_DATAGRAM } else { MAX_DATAGRAM_V6 }
}

/// True if `ip` is an address of this machine: only those can be bound. No list of interfaces is needed, and
/// none goes stale.
#[must_use]
pub fn is_local_ip(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

/// One received datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Bytes that are in the buffer.
    pub kept: usize,
    /// Bytes that the datagram had; `None` where the system only says that it was longer.
    pub sent: Option<usize>,
}

impl Received {
    /// True if the end of the datagram did not fit and is gone.
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.sent != Some(self.kept)
    }
}

/// A UDP socket connected to one peer.
#[derive(Debug)]
pub struct Udp {
    inner: UdpSocket,
    peer: SocketAddr,
    /// Where what it carries is written, and this end's address there.
    capture: Option<(Capture, SocketAddr)>,
}

impl Udp {
    /// Wraps a socket connected to `peer`.
    #[must_use]
    pub fn new(inner: UdpSocket, peer: SocketAddr, options: &SocketOptions) -> Udp {
        let capture = options.capture.clone().zip(inner.local_addr().ok());
        Udp { inner, peer, capture }
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

    /// Sends one datagram.
    ///
    /// # Errors
    /// A datagram that is too large, or a peer that refused an earlier one.
    pub fn send(&self, payload: &[u8]) -> Result<(), NetError> {
        self.inner.send(payload).map_err(|source| NetError::new(Op::Send, self.peer, source))?;
        if let Some((capture, local)) = &self.capture {
            capture.datagram_sent(*local, self.peer, payload);
        }
        Ok(())
    }

    /// Waits at most `timeout` for one datagram; `Ok(None)` when none came.
    ///
    /// # Errors
    /// [`Cause::Refused`](super::Cause::Refused) when the peer's system answered that nobody listens.
    pub fn recv(&self, buffer: &mut [u8], timeout: Duration) -> Result<Option<Received>, NetError> {
        let failed = |source| NetError::new(Op::Recv, self.peer, source);
        // A zero timeout would mean "wait for ever" to the system.
        self.inner.set_read_timeout(Some(timeout.max(Duration::from_micros(1)))).map_err(failed)?;
        self.take(buffer)
    }

    /// Takes one datagram that is already there; `Ok(None)` when none is.
    ///
    /// # Errors
    /// As [`recv`](Udp::recv).
    pub fn try_recv(&self, buffer: &mut [u8]) -> Result<Option<Received>, NetError> {
        let failed = |source| NetError::new(Op::Recv, self.peer, source);
        // Not a tiny time-out: Linux rounds one up to its clock tick, 4 ms on many systems.
        self.inner.set_nonblocking(true).map_err(failed)?;
        let received = self.take(buffer);
        self.inner.set_nonblocking(false).map_err(failed)?;
        received
    }

    fn take(&self, buffer: &mut [u8]) -> Result<Option<Received>, NetError> {
        match os::recv_whole_length(&self.inner, buffer) {
            Ok(received) => {
                if let Some((capture, local)) = &self.capture {
                    capture.datagram_received(*local, self.peer, &buffer[..received.kept]);
                }
                Ok(Some(received))
            }
            Err(error) if would_wait(&error) => Ok(None),
            Err(error) => Err(NetError::new(Op::Recv, self.peer, refused(error))),
        }
    }

    /// The socket, to ask it for its options.
    #[must_use]
    pub fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.inner)
    }
}

/// A read time-out is EAGAIN on Unix and its own error on Windows; a signal is as good as a time-out.
fn would_wait(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

/// Windows calls a port where nobody listens a reset connection (10054), although there is no connection.
fn refused(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::ConnectionReset {
        io::ErrorKind::ConnectionRefused.into()
    } else {
        error
    }
}
