//! The headers that a program never sees, made up around the bytes that it does see.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use etherparse::{IpHeaders, PacketBuilder, PacketBuilderStep, TcpOptionElement};

/// The most payload that one made-up segment carries: IPv4's total length is a u16, less 20 bytes each for the
/// headers of IP and TCP.
pub(super) const MAX_SEGMENT: usize = 65_535 - 40;
/// Hops that a packet may pass; what Linux starts with.
const TTL: u8 = 64;
/// The window that both ends seem to offer, and its scale (RFC 7323): 1 GiB, so that no reader of the file takes
/// the missing acknowledgements for a full window.
const WINDOW: u16 = u16::MAX;
const WINDOW_SCALE: u8 = 14;
/// The largest segment that both ends seem to take.
const MSS: u16 = 65_495;

/// The flags that a made-up segment may carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) syn: bool,
    pub(super) ack: bool,
    pub(super) psh: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
}

/// One end of a connection and its numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) flags: Flags,
}

/// A TCP segment with its IP header, checksums included.
pub(super) fn tcp(segment: &Segment, payload: &[u8]) -> Vec<u8> {
    let Segment { from, to, seq, ack, flags } = *segment;
    let mut builder = ip(from, to).tcp(from.port(), to.port(), seq, WINDOW);
    if flags.ack {
        builder = builder.ack(ack);
    }
    if flags.syn {
        let options =
            [TcpOptionElement::MaximumSegmentSize(MSS), TcpOptionElement::WindowScale(WINDOW_SCALE)];
        builder = builder.syn().options(&options).expect("two options fit");
    }
    if flags.psh {
        builder = builder.psh();
    }
    if flags.fin {
        builder = builder.fin();
    }
    if flags.rst {
        builder = builder.rst();
    }
    let mut packet = Vec::with_capacity(builder.size(payload.len()));
    builder.write(&mut packet, payload).expect("at most MAX_SEGMENT bytes, into memory");
    packet
}

/// A UDP datagram with its IP header. One that is too long for a packet is cut: no socket carries it either.
pub(super) fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let payload = &payload[..payload.len().min(crate::net::max_datagram(to))];
    let builder = ip(from, to).udp(from.port(), to.port());
    let mut packet = Vec::with_capacity(builder.size(payload.len()));
    builder.write(&mut packet, payload).expect("at most a datagram, into memory");
    packet
}

fn ip(from: SocketAddr, to: SocketAddr) -> PacketBuilderStep<IpHeaders> {
    match (from.ip().to_canonical(), to.ip().to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), TTL),
        (from, to) => PacketBuilder::ipv6(v6(from).octets(), v6(to).octets(), TTL),
    }
}

fn v6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_segment_carries_its_numbers_and_right_checksums() {
        let flags = Flags { ack: true, psh: true, ..Flags::default() };
        let segment = Segment { from: at("127.0.0.1:1000"), to: at("127.0.0.1:2000"), seq: 5, ack: 9, flags };
        let packet = tcp(&segment, b"Hello");
        let parsed = etherparse::SlicedPacket::from_ip(&packet).unwrap();
        let Some(etherparse::TransportSlice::Tcp(header)) = parsed.transport else { panic!("{parsed:?}") };
        assert_eq!((header.source_port(), header.destination_port()), (1000, 2000));
        assert_eq!((header.sequence_number(), header.acknowledgment_number()), (5, 9));
        assert_eq!(header.payload(), b"Hello");
        let checksum = header.to_header().calc_checksum_ipv4_raw([127, 0, 0, 1], [127, 0, 0, 1], b"Hello");
        assert_eq!(checksum.unwrap(), header.checksum());
    }

    #[test]
    fn addresses_of_two_families_meet_in_the_larger_one() {
        let packet = udp(at("[::1]:1"), at("127.0.0.1:2"), b"x");
        assert_eq!(packet[0] >> 4, 6);
        assert_eq!(udp(at("[::ffff:127.0.0.1]:1"), at("127.0.0.1:2"), b"x")[0] >> 4, 4);
        assert_eq!(udp(at("127.0.0.1:1"), at("127.0.0.1:2"), &vec![0; 70_000]).len(), 65_535);
    }
}
