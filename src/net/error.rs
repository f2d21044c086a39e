//! A socket error that says which call failed and on which address, as every message about one must.

use std::io;

use super::Address;
use super::table::Transport;

/// The operation that failed, in the words of the socket calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Looking a name up.
    Resolve,
    /// `socket()`: making the descriptor.
    Socket,
    /// `setsockopt()` of the option named.
    SetOption(&'static str),
    /// `bind()` of a TCP or a UDP socket.
    Bind(Transport),
    /// `listen()`.
    Listen,
    /// `accept()`.
    Accept,
    /// `connect()`.
    Connect,
    /// `send()` or `sendto()`.
    Send,
    /// `recv()` or `recvfrom()`.
    Recv,
    /// `shutdown()`.
    Shutdown,
    /// Setting up or waiting in the readiness loop.
    Poll,
    /// Starting a thread that waits for a peer.
    Thread,
}

impl std::fmt::Display for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Op::Resolve => "look up",
            Op::Socket => "make a socket for",
            Op::SetOption(name) => return write!(f, "set {name} on"),
            Op::Bind(Transport::Tcp) => "bind to",
            Op::Bind(Transport::Udp) => "bind UDP to",
            Op::Listen => "listen on",
            Op::Accept => "accept on",
            Op::Connect => "connect to",
            Op::Send => "send to",
            Op::Recv => "receive from",
            Op::Shutdown => "shut down",
            Op::Poll => "wait for",
            Op::Thread => "start a thread for",
        })
    }
}

/// An operation on an address, and the system's reason.
#[derive(Debug, thiserror::Error)]
#[error("{op} {}", place(*.op, .addr))]
pub struct NetError {
    /// What was tried.
    pub op: Op,
    /// On which address.
    pub addr: Address,
    /// What the system said.
    pub source: io::Error,
}

/// The address as it was meant. Nobody sends to port 0, so there it stands for none: names have no port, nor has ICMP.
fn place(op: Op, addr: &Address) -> String {
    let portless = addr.port() == 0 && matches!(op, Op::Resolve | Op::Connect | Op::Send | Op::Recv);
    if portless { addr.host().to_owned() } else { addr.to_string() }
}

/// The causes that a student meets, whatever the system calls them: errno 48, 98 and 10048 are one error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nobody listens there.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The peer ended the connection at once.
    Reset,
    /// Another socket holds the address.
    InUse,
    /// The address belongs to no interface of this machine.
    NotHere,
    /// The system does not allow it.
    NotPermitted,
    /// No route leads there.
    Unreachable,
    /// The name is not known.
    UnknownName,
    /// No descriptors are left.
    Descriptors,
    /// Anything else.
    Other,
}

impl NetError {
    /// An error of `op` on `addr`.
    pub fn new(op: Op, addr: impl Into<Address>, source: io::Error) -> NetError {
        NetError { op, addr: addr.into(), source }
    }

    /// A reply or a connection that did not come in time.
    pub fn timed_out(op: Op, addr: impl Into<Address>) -> NetError {
        NetError::new(op, addr, io::Error::new(io::ErrorKind::TimedOut, "no answer in time"))
    }

    /// True if this machine lacks what it takes: the peer has no part in it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self.op, Op::Socket | Op::Thread)
            || matches!(self.cause(), Cause::Descriptors | Cause::NotHere | Cause::NotPermitted)
    }

    /// The same error once more: an `io::Error` can't be cloned, but what the system said can be said again.
    #[must_use]
    pub fn again(&self) -> NetError {
        let source = match self.source.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(self.source.kind(), self.source.to_string()),
        };
        NetError::new(self.op, self.addr.clone(), source)
    }

    /// The cause, the same on every system.
    #[must_use]
    pub fn cause(&self) -> Cause {
        use io::ErrorKind as Kind;
        match self.source.kind() {
            Kind::Unsupported => Cause::Other,
            _ if self.op == Op::Resolve => Cause::UnknownName,
            _ if out_of_descriptors(&self.source) => Cause::Descriptors,
            Kind::ConnectionRefused => Cause::Refused,
            Kind::TimedOut | Kind::WouldBlock => Cause::TimedOut,
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => Cause::Reset,
            Kind::AddrInUse => Cause::InUse,
            Kind::AddrNotAvailable => Cause::NotHere,
            Kind::PermissionDenied => Cause::NotPermitted,
            Kind::NetworkUnreachable | Kind::HostUnreachable | Kind::NetworkDown => Cause::Unreachable,
            _ => Cause::Other,
        }
    }
}

/// True for EMFILE (24), ENFILE (23) and Windows' WSAEMFILE (10024), which have no kind of their own.
pub(super) fn out_of_descriptors(error: &io::Error) -> bool {
    let codes: &[i32] = if cfg!(windows) { &[10024] } else { &[23, 24] };
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}
