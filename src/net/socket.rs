//! Builders: a listener, a connected stream, a UDP socket. A name's addresses are all tried, in order.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use super::error::out_of_descriptors;
use super::table::Transport;
use super::{NetError, Op, SocketOptions, Stream};

/// A queue of connections that wait to be accepted: long enough for a class that starts at once.
pub const DEFAULT_BACKLOG: u32 = 1_024;

/// What Linux 6.18 allows: 20 ms of datagrams at 1.6 Gbit/s. Linux' default of 208 KiB has room for three of the
/// messages that segmentation offload makes. It is a limit; the memory is taken when datagrams wait.
const AMPLE: usize = 4 << 20;

/// Listens on the first of `addrs` that can be bound; returns the listener and its address.
///
/// # Errors
/// The error of the last address tried.
pub fn listen(
    addrs: &[SocketAddr],
    options: &SocketOptions,
    backlog: u32,
) -> Result<(TcpListener, SocketAddr), NetError> {
    first_of(addrs, |addr| {
        let socket = bound(addr, Transport::Tcp, options)?;
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        socket.listen(backlog).map_err(failed(Op::Listen, addr))?;
        let local = local_addr(&socket, addr)?;
        Ok((socket.into(), local))
    })
}

/// A TCP port that nobody listens on, as long as this is kept: who connects to it is refused, and no other program can
/// take it.
#[derive(Debug)]
pub struct Refusing {
    _socket: Socket,
}

/// Takes the first of `addrs` that can be bound, without listening; returns its address, too.
///
/// # Errors
/// The error of the last address tried.
pub fn refuse(addrs: &[SocketAddr]) -> Result<(Refusing, SocketAddr), NetError> {
    first_of(addrs, |addr| {
        let socket = bound(addr, Transport::Tcp, &SocketOptions::default())?;
        let local = local_addr(&socket, addr)?;
        Ok((Refusing { _socket: socket }, local))
    })
}

/// Connects to the first of `addrs` that answers, waiting `timeout` for each.
///
/// # Errors
/// The error of the last address tried.
pub fn connect(
    addrs: &[SocketAddr],
    options: &SocketOptions,
    timeout: Duration,
) -> Result<TcpStream, NetError> {
    first_of(addrs, |addr| {
        let socket = new(addr, Transport::Tcp, options)?;
        socket.connect_timeout(&SockAddr::from(addr), timeout).map_err(failed(Op::Connect, addr))?;
        Ok(socket.into())
    })
}

/// A UDP socket bound to the first of `addrs` that can be; returns it and its address.
///
/// # Errors
/// The error of the last address tried.
pub fn bind_udp(
    addrs: &[SocketAddr],
    options: &SocketOptions,
) -> Result<(std::net::UdpSocket, SocketAddr), NetError> {
    first_of(addrs, |addr| {
        let socket = bound(addr, Transport::Udp, options)?;
        let local = local_addr(&socket, addr)?;
        Ok((socket.into(), local))
    })
}

/// Has the system keep more datagrams than usual while a program is busy with others: what finds the buffer
/// full is lost, and nobody is told. Without a say of the user's (`options.rcvbuf`), and as far as the system
/// lets: Linux stops at net.core.rmem_max.
pub fn ample_receive_buffer(socket: &std::net::UdpSocket, options: &SocketOptions) {
    if options.rcvbuf.is_none() {
        // Where it is refused as too much, the system's own default serves.
        let _ = SockRef::from(socket).set_recv_buffer_size(AMPLE);
    }
}

/// A UDP socket on a port of the system's choice that talks to one peer alone. Being connected, it hears of
/// a port where nobody listens.
///
/// # Errors
/// A socket that can't be made or connected.
pub fn connect_udp(addr: SocketAddr, options: &SocketOptions) -> Result<std::net::UdpSocket, NetError> {
    let socket = new(addr, Transport::Udp, options)?;
    socket.connect(&SockAddr::from(addr)).map_err(failed(Op::Connect, addr))?;
    Ok(socket.into())
}

/// Waits for a connection on `listener`, which is bound to `addr`.
///
/// # Errors
/// No descriptor left. A peer that gave up while it waited is passed over.
pub fn accept(listener: &TcpListener, addr: SocketAddr, options: &SocketOptions) -> Result<Stream, NetError> {
    loop {
        match listener.accept() {
            Ok((stream, peer)) => {
                // On Linux it is inherited from the listener; elsewhere it may not be.
                let _ = stream.set_nodelay(options.nodelay);
                return Ok(Stream::accepted(stream, peer, options));
            }
            Err(error) if out_of_descriptors(&error) || error.kind() == ErrorKind::OutOfMemory => {
                return Err(NetError::new(Op::Accept, addr, error));
            }
            Err(_) => {}
        }
    }
}

/// Has a listener take no more connections although a thread still holds it: they are refused from now on.
pub fn stop_listening(listener: &TcpListener) {
    // Linux does it; where a system does not, they wait in the backlog until the listener is closed.
    let _ = SockRef::from(listener).shutdown(std::net::Shutdown::Both);
}

/// Gets a thread out of [`accept`] by connecting to it: the one way that every system knows.
///
/// Its socket is made beforehand: when it is needed, accepted connections may hold every descriptor.
#[derive(Debug)]
pub struct AcceptWaker {
    socket: Socket,
    addr: SocketAddr,
}

impl AcceptWaker {
    /// A waker for a listener that is bound to `addr`.
    ///
    /// # Errors
    /// No descriptor left.
    pub fn new(mut addr: SocketAddr) -> Result<AcceptWaker, NetError> {
        if addr.ip().is_unspecified() {
            addr.set_ip(if addr.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        Ok(AcceptWaker { socket: new(addr, Transport::Tcp, &SocketOptions::default())?, addr })
    }

    /// Connects to the listener. Its thread returns from `accept`, and looks why.
    pub fn wake(&self) {
        // If it fails, the backlog is full, so accept returns by itself.
        let _ = self.socket.connect_timeout(&SockAddr::from(self.addr), Duration::from_secs(1));
    }
}

/// The address by which this machine is reached from its network, as far as it can tell: the source address
/// that the system would choose for a far destination. Nothing is sent.
#[must_use]
pub fn outward_ip() -> Option<Ipv4Addr> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // TEST-NET-1 (RFC 5737): routed like any other, belongs to nobody.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    match socket.local_addr().ok()?.ip() {
        std::net::IpAddr::V4(ip) if !ip.is_unspecified() => Some(ip),
        _ => None,
    }
}

/// A socket whose connect is under way, for the reactor: non-blocking, finished when it becomes writable.
pub(super) fn start_connect(addr: SocketAddr, options: &SocketOptions) -> Result<TcpStream, NetError> {
    let socket = new(addr, Transport::Tcp, options)?;
    socket.set_nonblocking(true).map_err(failed(Op::Socket, addr))?;
    match socket.connect(&SockAddr::from(addr)) {
        Ok(()) => Ok(socket.into()),
        Err(error) if in_progress(&error) => Ok(socket.into()),
        Err(error) => Err(NetError::new(Op::Connect, addr, error)),
    }
}

/// EINPROGRESS has no stable kind: 115 on Linux, 36 on macOS; Windows says would-block.
fn in_progress(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock || matches!(error.raw_os_error(), Some(115 | 36))
}

fn first_of<T>(
    addrs: &[SocketAddr],
    mut attempt: impl FnMut(SocketAddr) -> Result<T, NetError>,
) -> Result<T, NetError> {
    let mut last = None;
    for addr in addrs {
        match attempt(*addr) {
            Ok(made) => return Ok(made),
            Err(error) => {
                tracing::debug!("{error}: {}", error.source);
                last = Some(error);
            }
        }
    }
    Err(last.expect("a resolved name has at least one address"))
}

fn new(addr: SocketAddr, transport: Transport, options: &SocketOptions) -> Result<Socket, NetError> {
    let (ty, protocol) = match transport {
        Transport::Tcp => (Type::STREAM, Protocol::TCP),
        Transport::Udp => (Type::DGRAM, Protocol::UDP),
    };
    let socket =
        Socket::new(Domain::for_address(addr), ty, Some(protocol)).map_err(failed(Op::Socket, addr))?;
    options.apply(&socket, transport, addr.is_ipv6(), &addr.into())?;
    Ok(socket)
}

fn bound(addr: SocketAddr, transport: Transport, options: &SocketOptions) -> Result<Socket, NetError> {
    let socket = new(addr, transport, options)?;
    socket.bind(&SockAddr::from(addr)).map_err(failed(Op::Bind(transport), addr))?;
    Ok(socket)
}

fn local_addr(socket: &Socket, addr: SocketAddr) -> Result<SocketAddr, NetError> {
    let local = socket.local_addr().map_err(failed(Op::Socket, addr))?;
    Ok(local.as_socket().unwrap_or(addr))
}

fn failed(op: Op, addr: SocketAddr) -> impl FnOnce(std::io::Error) -> NetError {
    move |source| NetError::new(op, addr, source)
}
