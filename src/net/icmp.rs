//! ICMP echo: what `ping` sends. Opening the socket without privileges, and the messages' bytes.
//!
//! ```text
//! byte  0     1     2         4           6           8
//!       type  code  checksum  identifier  sequence    payload
//! ```
//! RFC 792 for IPv4 (types 8 and 0), RFC 4443 for IPv6 (128 and 129). A datagram socket of ICMP lets any user
//! send echo requests and nothing else: Linux since 3.0, for the groups in net.ipv4.ping_group_range; macOS for
//! everyone. Windows has none. It must not know what a measurement makes of the replies.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::{Cause, NetError, Op, SocketOptions, Udp};

/// Bytes of the header before the payload.
pub const HEADER: usize = 8;
/// Bytes of an IPv4 header, at least.
const IPV4_HEADER: usize = 20;

/// A socket for echo requests to `addr`, whose port means nothing. What is sent and received on it are messages of this module.
///
/// # Errors
/// [`Cause::NotPermitted`] where this user may not send them.
pub fn connect(mut addr: SocketAddr) -> Result<Udp, NetError> {
    addr.set_port(0);
    let failed = |op| move |source| NetError::new(op, addr, source);
    if cfg!(windows) {
        let source = io::Error::new(io::ErrorKind::Unsupported, "Windows has no ICMP sockets for users");
        return Err(failed(Op::Socket)(source));
    }
    let protocol = if addr.is_ipv4() { Protocol::ICMPV4 } else { Protocol::ICMPV6 };
    let open = |ty| Socket::new(Domain::for_address(addr), ty, Some(protocol));
    // Linux says "access denied" where the user's groups are not in the range; root may still open a raw socket.
    let socket = open(Type::DGRAM).or_else(|denied| open(Type::RAW).map_err(|_| denied));
    let socket = socket.map_err(failed(Op::Socket))?;
    socket.connect(&SockAddr::from(addr)).map_err(failed(Op::Connect))?;
    Ok(Udp::new(socket.into(), addr, &SocketOptions::default()))
}

/// True if the system keeps this user from opening a socket for ICMP.
#[must_use]
pub fn is_forbidden(error: &NetError) -> bool {
    error.op == Op::Socket && matches!(error.cause(), Cause::NotPermitted | Cause::Other)
}

/// How a user gets the right to send echo requests, or does without.
#[must_use]
pub fn remedy() -> &'static str {
    if cfg!(target_os = "linux") {
        "root can allow it to everyone: sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"; or ping a port: --tcp"
    } else if cfg!(windows) {
        "Windows' own `ping` has the right; or ping a port: --tcp"
    } else {
        "run it as root, or ping a port: --tcp"
    }
}

/// An echo request. Linux puts an identifier of its own in place of `id`; both count upwards beyond 65,535.
#[must_use]
pub fn encode_request(v6: bool, id: u16, seq: u16, payload: &[u8]) -> Vec<u8> {
    let mut message = vec![if v6 { 128 } else { 8 }, 0, 0, 0];
    message.extend(id.to_be_bytes());
    message.extend(seq.to_be_bytes());
    message.extend(payload);
    // Over IPv6 the kernel fills the checksum in, since it covers addresses that only the kernel knows.
    if !v6 {
        let sum = checksum(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    message
}

/// The payload of an echo reply; `None` for every other message. macOS and raw sockets put the IPv4 header in
/// front.
#[must_use]
pub fn decode_reply(v6: bool, message: &[u8]) -> Option<&[u8]> {
    let has_ip_header = !v6 && message.len() > IPV4_HEADER && message[0] >> 4 == 4;
    let start = if has_ip_header { usize::from(message[0] & 0xf) * 4 } else { 0 };
    let message = message.get(start..)?;
    let reply = *message.first()? == if v6 { 129 } else { 0 };
    message.get(HEADER..).filter(|_| reply)
}

/// The checksum of RFC 1071: the complement of the sum of all 16-bit words, carries added at the end.
fn checksum(bytes: &[u8]) -> u16 {
    let words =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("the loop has folded it into 16 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_as_the_rfc_has_it() {
        let request = encode_request(false, 0x1234, 1, b"abc");
        assert_eq!(request, [8, 0, 0x21, 0x68, 0x12, 0x34, 0, 1, b'a', b'b', b'c']);
        assert_eq!(checksum(&request), 0, "a message with its checksum sums up to nothing");
        assert_eq!(encode_request(true, 1, 2, b"")[..], [128, 0, 0, 0, 0, 1, 0, 2]);
    }

    #[test]
    fn only_replies_are_decoded_with_or_without_an_ip_header() {
        let mut reply = encode_request(false, 1, 1, b"abc");
        assert_eq!(decode_reply(false, &reply), None, "our own request, as a raw socket sees it on loopback");
        reply[0] = 0;
        assert_eq!(decode_reply(false, &reply), Some(&b"abc"[..]));
        let mut packet = vec![0x46; 24];
        packet.extend(&reply);
        assert_eq!(decode_reply(false, &packet), Some(&b"abc"[..]));
        assert_eq!(decode_reply(true, &[129, 0, 0, 0, 0, 0, 0, 1, 7]), Some(&[7][..]));
        for wrong in [&[][..], &[0], &[0, 0, 0, 0, 0, 0, 0], &[0x4f; 21], &[3; 40]] {
            assert_eq!(decode_reply(false, wrong), None, "{wrong:?}");
        }
    }
}
