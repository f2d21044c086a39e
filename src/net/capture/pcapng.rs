//! The blocks of a pcapng file, as far as a capture needs them: bytes only.
//!
//! ```text
//! every block            block type: u32   total length: u32   body   total length: u32 again
//! Section Header  (SHB)  0x0A0D0D0A        magic 0x1A2B3C4D, version 1.0, length -1 (unknown), options
//! Interface       (IDB)  1                 link type: u16, 0: u16, snap length: u32, options
//! Enhanced Packet (EPB)  6                 interface, time (high, low), captured, original: u32 each, bytes, options
//! an option              code: u16   length: u16   value, padded to 4 bytes; the last one is code 0
//! ```
//! Numbers are little-endian; the magic tells a reader so. Source: draft-ietf-opsawg-pcapng. By hand, since the
//! crate that writes these (pcap-file) has had no stable release since 2023.

/// IPv4 and IPv6 without a frame around them (LINKTYPE_RAW).
const LINK_RAW: u16 = 101;
/// Timestamps count nanoseconds: `if_tsresol` is the negative power of ten.
const NANOSECONDS: u8 = 9;

const OPTION_COMMENT: u16 = 1;
const SECTION_APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const INTERFACE_DESCRIPTION: u16 = 3;
const INTERFACE_RESOLUTION: u16 = 9;
const PACKET_FLAGS: u16 = 2;

/// Which way a packet went, as `epb_flags` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Inbound = 1,
    Outbound = 2,
}

/// One packet of the file.
pub(super) struct Packet<'a> {
    /// The number of its interface, in the order in which they were written.
    pub(super) interface: u32,
    /// Nanoseconds since 1970.
    pub(super) at_ns: u64,
    pub(super) direction: Direction,
    /// From its IP header on.
    pub(super) bytes: &'a [u8],
    pub(super) comment: &'a str,
}

/// The beginning of a file: who wrote it, and what a reader should know.
pub(super) fn section(application: &str, comment: &str) -> Vec<u8> {
    block(0x0A0D_0D0A, |out| {
        out.extend(0x1A2B_3C4D_u32.to_le_bytes());
        out.extend(1_u16.to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        out.extend((-1_i64).to_le_bytes());
        option(out, OPTION_COMMENT, comment.as_bytes());
        option(out, SECTION_APPLICATION, application.as_bytes());
        end_of_options(out);
    })
}

/// A place where packets are seen.
pub(super) fn interface(name: &str, description: &str) -> Vec<u8> {
    block(1, |out| {
        out.extend(LINK_RAW.to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        // No limit: every packet is whole.
        out.extend(0_u32.to_le_bytes());
        option(out, INTERFACE_NAME, name.as_bytes());
        option(out, INTERFACE_DESCRIPTION, description.as_bytes());
        option(out, INTERFACE_RESOLUTION, &[NANOSECONDS]);
        end_of_options(out);
    })
}

/// A packet.
pub(super) fn packet(packet: &Packet<'_>) -> Vec<u8> {
    let length = u32::try_from(packet.bytes.len()).expect("an IP packet has at most 64 KiB");
    let [high, low] = [packet.at_ns >> 32, packet.at_ns & u64::from(u32::MAX)];
    block(6, |out| {
        out.extend(packet.interface.to_le_bytes());
        for half in [high, low] {
            out.extend(u32::try_from(half).expect("half of 64 bits").to_le_bytes());
        }
        out.extend(length.to_le_bytes());
        out.extend(length.to_le_bytes());
        out.extend(packet.bytes);
        pad(out);
        option(out, OPTION_COMMENT, packet.comment.as_bytes());
        option(out, PACKET_FLAGS, &(packet.direction as u32).to_le_bytes());
        end_of_options(out);
    })
}

/// A block around its body. The length stands at both ends, so that a file can be read backwards.
fn block(kind: u32, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(kind.to_le_bytes());
    out.extend([0; 4]);
    body(&mut out);
    let total = u32::try_from(out.len() + 4).expect("a packet and a comment").to_le_bytes();
    out[4..8].copy_from_slice(&total);
    out.extend(total);
    out
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    // A comment that is too long for its length field is cut.
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    out.extend(code.to_le_bytes());
    out.extend(u16::try_from(value.len()).expect("cut above").to_le_bytes());
    out.extend(value);
    pad(out);
}

fn end_of_options(out: &mut Vec<u8>) {
    out.extend([0; 4]);
}

/// Up to the next multiple of 4; blocks begin at one.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_has_its_length_at_both_ends_and_is_padded() {
        let block = packet(&Packet {
            interface: 1,
            at_ns: (7 << 32) | 9,
            direction: Direction::Outbound,
            bytes: b"Hello",
            comment: "hi",
        });
        let expected = [
            &[6, 0, 0, 0, 60, 0, 0, 0, 1, 0, 0, 0][..],
            &[7, 0, 0, 0, 9, 0, 0, 0, 5, 0, 0, 0, 5, 0, 0, 0],
            b"Hello\0\0\0",
            &[1, 0, 2, 0, b'h', b'i', 0, 0],
            &[2, 0, 4, 0, 2, 0, 0, 0],
            &[0, 0, 0, 0, 60, 0, 0, 0],
        ]
        .concat();
        assert_eq!(block, expected);
    }

    #[test]
    fn a_file_begins_with_its_section() {
        let block = section("netlab", "made up");
        assert_eq!(block[..12], [0x0A, 0x0D, 0x0D, 0x0A, 56, 0, 0, 0, 0x4D, 0x3C, 0x2B, 0x1A]);
        assert_eq!(block.len(), 56);
        assert_eq!(interface("a", "b").len() % 4, 0);
    }
}
