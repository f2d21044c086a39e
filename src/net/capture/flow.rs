//! One connection or socket in a capture: the numbers that its made-up headers count with, and a packet for each
//! call.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Capture;
use super::headers::{self, Flags, MAX_SEGMENT, Segment};
use super::pcapng::Direction;

/// One TCP connection, as this end sees it.
#[derive(Debug)]
pub(in crate::net) struct Flow {
    capture: Capture,
    local: End,
    peer: End,
    over: bool,
}

/// One end: its address, the number of its next byte, whether it has said FIN.
#[derive(Clone, Copy, Debug)]
struct End {
    addr: SocketAddr,
    next: u32,
    ended: bool,
}

impl End {
    fn new(addr: SocketAddr) -> End {
        End { addr, next: 0, ended: false }
    }
}

impl Flow {
    /// A connection that is open now; `outbound` if this end connected. The handshake is made up as well.
    #[must_use]
    pub(in crate::net) fn open(
        capture: Capture,
        local: SocketAddr,
        peer: SocketAddr,
        outbound: bool,
    ) -> Flow {
        let peer = if capture.shifted { shifted(peer) } else { peer };
        let mut flow = Flow { capture, local: End::new(local), peer: End::new(peer), over: false };
        let (syn, ack) = (Flags { syn: true, ..Flags::default() }, Flags { ack: true, ..Flags::default() });
        let call = if outbound { "connect()" } else { "accept()" };
        flow.segment(outbound, syn, b"", call);
        flow.segment(!outbound, Flags { syn: true, ack: true, ..Flags::default() }, b"", call);
        flow.segment(outbound, ack, b"", call);
        flow
    }

    /// One `send` took these bytes.
    pub(in crate::net) fn sent(&mut self, bytes: &[u8]) {
        self.data(true, bytes, "send()");
    }

    /// One `recv` returned these bytes; none: the peer has ended its side.
    pub(in crate::net) fn received(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            self.fin(false, "recv() returned 0 bytes");
        } else {
            self.data(false, bytes, "recv()");
        }
    }

    /// This end says FIN.
    pub(in crate::net) fn shut_down(&mut self) {
        self.fin(true, "shutdown()");
    }

    /// The peer has reset the connection.
    pub(in crate::net) fn reset(&mut self) {
        if !std::mem::replace(&mut self.over, true) {
            self.segment(false, Flags { rst: true, ack: true, ..Flags::default() }, b"", "a reset");
        }
    }

    /// This end closes the connection.
    pub(in crate::net) fn close(&mut self) {
        self.fin(true, "close()");
        self.over = true;
    }

    fn data(&mut self, outbound: bool, bytes: &[u8], call: &str) {
        let flags = Flags { ack: true, psh: true, ..Flags::default() };
        let parts = bytes.len().div_ceil(MAX_SEGMENT);
        for (n, part) in bytes.chunks(MAX_SEGMENT).enumerate() {
            let call = match parts {
                1 => format!("{call} of {} B", bytes.len()),
                parts => format!("{call} of {} B, part {} of {parts}", bytes.len(), n + 1),
            };
            self.segment(outbound, flags, part, &call);
        }
    }

    fn fin(&mut self, outbound: bool, call: &str) {
        let end = if outbound { &mut self.local } else { &mut self.peer };
        if !self.over && !std::mem::replace(&mut end.ended, true) {
            self.segment(outbound, Flags { fin: true, ack: true, ..Flags::default() }, b"", call);
        }
    }

    /// Writes a segment, and counts what it takes of the sequence: its bytes, and one for SYN and FIN.
    fn segment(&mut self, outbound: bool, flags: Flags, bytes: &[u8], call: &str) {
        let (from, to) = if outbound { (self.local, self.peer) } else { (self.peer, self.local) };
        let segment = Segment { from: from.addr, to: to.addr, seq: from.next, ack: to.next, flags };
        let direction = if outbound { Direction::Outbound } else { Direction::Inbound };
        self.capture.packet(direction, &headers::tcp(&segment, bytes), call);
        let length = u32::try_from(bytes.len()).expect("at most MAX_SEGMENT");
        let taken = length + u32::from(flags.syn || flags.fin);
        let end = if outbound { &mut self.local } else { &mut self.peer };
        end.next = end.next.wrapping_add(taken);
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.close();
    }
}

impl Capture {
    /// One datagram went out.
    pub(in crate::net) fn datagram_sent(&self, local: SocketAddr, peer: SocketAddr, bytes: &[u8]) {
        let (local, peer) = self.ends(local, peer);
        let call = format!("send of {} B", bytes.len());
        self.packet(Direction::Outbound, &headers::udp(local, peer, bytes), &call);
    }

    /// One datagram came in.
    pub(in crate::net) fn datagram_received(&self, local: SocketAddr, peer: SocketAddr, bytes: &[u8]) {
        let (local, peer) = self.ends(local, peer);
        let call = format!("recv of {} B", bytes.len());
        self.packet(Direction::Inbound, &headers::udp(peer, local, bytes), &call);
    }

    /// A socket that is bound to every address talks to loopback from loopback.
    fn ends(&self, mut local: SocketAddr, peer: SocketAddr) -> (SocketAddr, SocketAddr) {
        if local.ip().is_unspecified() && peer.ip().is_loopback() {
            local.set_ip(peer.ip());
        }
        (local, if self.shifted { shifted(peer) } else { peer })
    }
}

/// The other of two ends in one process, where the two must not look like one.
fn shifted(mut addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_loopback() {
        addr.set_ip(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)));
    }
    addr
}
