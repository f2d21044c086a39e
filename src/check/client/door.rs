//! Where the server of a play is: a TCP listener, a UDP socket, or a port where nobody is.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::play::Way;
use super::player::{LOOK, Starting};
use crate::net::socket::{AcceptWaker, Refusing};
use crate::net::table::Transport;
use crate::net::{NetError, SocketOptions, Stop, Stream, socket};
use crate::process::Child;

/// A receive buffer that is soon full.
const SLOW_BUFFER: usize = 1_024;
/// With segments of this size a client's send buffer is small, too: it is sized by them.
const SLOW_SEGMENT: u32 = 216;

/// Where the server listens.
pub(super) enum Door {
    Tcp(TcpListener, SocketOptions),
    Udp(UdpSocket),
    /// Nobody listens there, and nobody else can: the client would meet a stranger.
    Shut {
        _kept: Refusing,
    },
}

/// Opens it on a free port; returns its address, too.
pub(super) fn open(transport: Transport, way: Way) -> Result<(Door, SocketAddr), NetError> {
    let slow = way == Way::Slow;
    let options = SocketOptions {
        rcvbuf: slow.then_some(SLOW_BUFFER),
        max_segment: slow.then_some(SLOW_SEGMENT),
        // Connections have it from their listener.
        linger: (way == Way::Resets).then_some(Duration::ZERO),
        ..SocketOptions::default()
    };
    let any = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    if transport == Transport::Udp {
        return socket::bind_udp(&any, &options).map(|(socket, at)| (Door::Udp(socket), at));
    }
    if way == Way::Refuses {
        return socket::refuse(&any).map(|(kept, at)| (Door::Shut { _kept: kept }, at));
    }
    socket::listen(&any, &options, 16).map(|(listener, at)| (Door::Tcp(listener, options), at))
}

/// The first connection; `None` if the program ends without one, or takes too long.
pub(super) fn accept(
    listener: &TcpListener,
    addr: SocketAddr,
    options: &SocketOptions,
    child: &mut Child,
    stop: &Stop,
) -> Option<Stream> {
    let waker = AcceptWaker::new(addr).ok()?;
    let (sender, accepted) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // The receiver waits until this has come.
            let _ = sender.send(socket::accept(listener, addr, options));
        });
        let mut starting = Starting::new();
        loop {
            match accepted.recv_timeout(LOOK) {
                Ok(stream) => return stream.ok(),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if child.exited().is_some() || starting.is_late(child) || stop.requested() {
                // It may have connected before it ended: that one comes first in the queue.
                let late = accepted.recv_timeout(LOOK).ok();
                if late.is_none() {
                    waker.wake();
                }
                return late.and_then(Result::ok);
            }
        }
    })
}
