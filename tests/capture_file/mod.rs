//! Reading a capture file in tests: its blocks, and what the packets in them carry.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

use std::net::SocketAddr;
use std::path::Path;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};

/// One packet, with what its headers say.
#[derive(Clone, Debug)]
pub struct Packet {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub tcp: bool,
    pub payload: Vec<u8>,
    pub interface: u32,
    pub comment: String,
}

/// Every packet of a file; panics where the file is not well formed.
pub fn packets(path: &Path) -> Vec<Packet> {
    let file = std::fs::read(path).unwrap();
    let mut rest = &file[..];
    let mut packets = Vec::new();
    while !rest.is_empty() {
        let length = number(&rest[4..]) as usize;
        let (block, after) = rest.split_at(length);
        assert_eq!(number(&block[length - 4..]) as usize, length, "the length stands at both ends");
        if number(block) == 6 {
            packets.push(packet(&block[8..length - 4]));
        }
        rest = after;
    }
    packets
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[..4].try_into().unwrap())
}

fn packet(body: &[u8]) -> Packet {
    let (captured, interface) = (number(&body[12..]) as usize, number(body));
    let bytes = &body[20..20 + captured];
    let options = &body[20 + captured.next_multiple_of(4)..];
    let length = usize::from(u16::from_le_bytes([options[2], options[3]]));
    let comment = String::from_utf8(options[4..4 + length].to_vec()).unwrap();
    let parsed = SlicedPacket::from_ip(bytes).unwrap();
    let (from, to): (std::net::IpAddr, std::net::IpAddr) = match parsed.net.unwrap() {
        NetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        NetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        NetSlice::Arp(_) => panic!("no ARP here"),
    };
    let (ports, tcp, payload) = match parsed.transport.unwrap() {
        TransportSlice::Tcp(tcp) => {
            ((tcp.source_port(), tcp.destination_port()), true, tcp.payload().to_vec())
        }
        TransportSlice::Udp(udp) => {
            ((udp.source_port(), udp.destination_port()), false, udp.payload().to_vec())
        }
        other => panic!("neither TCP nor UDP: {other:?}"),
    };
    let (from, to) = (SocketAddr::new(from, ports.0), SocketAddr::new(to, ports.1));
    Packet { from, to, tcp, payload, interface, comment }
}

/// The payloads that went to `port`, one for each call that carried any.
pub fn payloads_to(packets: &[Packet], port: u16) -> Vec<Vec<u8>> {
    let to = packets.iter().filter(|packet| packet.to.port() == port && !packet.payload.is_empty());
    to.map(|packet| packet.payload.clone()).collect()
}

/// The payloads that came from `port`.
pub fn payloads_from(packets: &[Packet], port: u16) -> Vec<Vec<u8>> {
    let from = packets.iter().filter(|packet| packet.from.port() == port && !packet.payload.is_empty());
    from.map(|packet| packet.payload.clone()).collect()
}
