//! Probes that are datagrams: UDP to an echo server, or ICMP echo requests, which the kernel of the host answers.
//! They may be lost, doubled and reordered, so each carries its number in its payload.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::echo::token;
use super::payload::Payloads;
use super::{Config, Heard, PingError, Prober};
use crate::net::{Cause, NetError, SocketOptions, Udp, icmp, socket};

/// Room for an IP header and an ICMP header before the payload.
const HEADERS: usize = 60 + icmp::HEADER;

/// A socket that is connected to the target.
pub(super) struct Datagrams<'a> {
    socket: Udp,
    /// How to make another one.
    open: fn(SocketAddr) -> Result<Udp, NetError>,
    /// Addresses of the name that were not tried yet.
    untried: &'a [SocketAddr],
    icmp: bool,
    payloads: Payloads,
    /// ICMP's identifier, where the system leaves it to us.
    id: u16,
    /// The last probe sent.
    last: u64,
    buffer: Vec<u8>,
}

impl<'a> Datagrams<'a> {
    pub(super) fn udp(config: &Config, addrs: &'a [SocketAddr]) -> Result<Datagrams<'a>, NetError> {
        let open = |addr| {
            let options = SocketOptions::default();
            Ok(Udp::new(socket::connect_udp(addr, &options)?, addr, &options))
        };
        Datagrams::new(config, addrs, false, open)
    }

    pub(super) fn icmp(config: &Config, addrs: &'a [SocketAddr]) -> Result<Datagrams<'a>, NetError> {
        Datagrams::new(config, addrs, true, icmp::connect)
    }

    fn new(
        config: &Config,
        mut addrs: &'a [SocketAddr],
        icmp: bool,
        open: fn(SocketAddr) -> Result<Udp, NetError>,
    ) -> Result<Datagrams<'a>, NetError> {
        let payloads = Payloads::new(token(), config.size);
        let buffer = vec![0; payloads.size() + HEADERS];
        loop {
            let (addr, untried) = addrs.split_first().expect("a resolved name has at least one address");
            match open(*addr) {
                Ok(socket) => {
                    // Any number: on Linux the kernel puts its own in its place.
                    let id = u16::try_from(token() & 0xffff).expect("16 bits");
                    return Ok(Datagrams { socket, open, untried, icmp, payloads, id, last: 0, buffer });
                }
                Err(error) if untried.is_empty() => return Err(error),
                Err(_) => addrs = untried,
            }
        }
    }

    fn transmit(&self, seq: u64) -> Result<(), NetError> {
        let payload = self.payloads.encode(seq);
        if self.icmp {
            let short = u16::try_from(seq & 0xffff).expect("16 bits");
            self.socket.send(&icmp::encode_request(self.v6(), self.id, short, &payload))
        } else {
            self.socket.send(&payload)
        }
    }

    fn v6(&self) -> bool {
        self.socket.peer().is_ipv6()
    }

    /// Where nobody listens, the name's next address is tried: UDP's connect can't tell, a datagram does.
    fn refused(&mut self, error: NetError) -> Result<Heard, PingError> {
        if let Some((addr, untried)) = self.untried.split_first() {
            self.untried = untried;
            self.socket = (self.open)(*addr)?;
            self.transmit(self.last)?;
            return Ok(Heard::Nothing);
        }
        Ok(Heard::Failed { seq: None, error })
    }
}

impl Prober for Datagrams<'_> {
    fn target(&self) -> SocketAddr {
        self.socket.peer()
    }

    fn send(&mut self, seq: u64) -> Result<Instant, PingError> {
        self.last = seq;
        let at = Instant::now();
        match self.transmit(seq) {
            // The answer to an earlier one: reporting it has used it up.
            Err(error) if error.cause() == Cause::Refused => self.transmit(seq)?,
            result => result?,
        }
        Ok(at)
    }

    fn wait(&mut self, timeout: Duration) -> Result<Heard, PingError> {
        let received = match self.socket.recv(&mut self.buffer, timeout) {
            Ok(Some(received)) => received,
            Ok(None) => return Ok(Heard::Nothing),
            Err(error) if error.cause() == Cause::Refused => return self.refused(error),
            // A router says that no route leads there. The next probe may find one.
            Err(error) if error.cause() == Cause::Unreachable => {
                return Ok(Heard::Failed { seq: None, error });
            }
            Err(error) => return Err(error.into()),
        };
        let datagram = &self.buffer[..received.kept];
        let v6 = self.v6();
        let payload = if self.icmp { icmp::decode_reply(v6, datagram) } else { Some(datagram) };
        // A raw socket also sees our own requests, and everything else that is ICMP.
        let Some(payload) = payload else { return Ok(Heard::Nothing) };
        match self.payloads.decode(payload).filter(|_| !received.truncated()) {
            Some(seq) => {
                self.untried = &[];
                Ok(Heard::Reply { seq, bytes: payload.len() })
            }
            None => Ok(Heard::Stray),
        }
    }

    fn may_double(&self) -> bool {
        true
    }
}
