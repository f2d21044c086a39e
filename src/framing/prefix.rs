//! `u16` and `u32` framing: the length goes before the payload and counts the payload alone.
//!
//! ```text
//! offset  0            N
//!         length (BE)  payload ...        N = 2 or 4
//! ```
//! Source: the room server's report (u16) and the sticky-packet text's `struct.pack('!I', n)` (u32).

use super::{Content, FrameError, Part, Span};

/// Reads the big-endian number in the first `N` bytes of `bytes`, if they are there.
#[inline]
pub(super) fn read_length<const N: usize>(bytes: &[u8]) -> Option<usize> {
    let prefix = bytes.first_chunk::<N>()?;
    Some(prefix.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte)))
}

/// Measures the frame at the start of `bytes`, whose prefix has `N` bytes.
#[inline]
pub(super) fn measure<const N: usize>(bytes: &[u8], max_frame: usize) -> Result<Span, FrameError> {
    let Some(payload) = read_length::<N>(bytes) else {
        return Ok(Span::Partial { part: Part::Prefix, start: 0, end: N });
    };
    if payload > max_frame {
        return Err(FrameError::too_large(payload, max_frame));
    }
    if bytes.len() - N < payload {
        return Ok(Span::Partial { part: Part::Payload, start: N, end: N + payload });
    }
    Ok(Span::Whole { head: N, payload, tail: 0, content: Content::Binary })
}

/// Appends the prefix of `N` bytes and the payload. The caller has checked that the length fits.
#[inline]
pub(super) fn encode<const N: usize>(payload: &[u8], out: &mut Vec<u8>) {
    let length = (payload.len() as u64).to_be_bytes();
    out.extend_from_slice(&length[8 - N..]);
    out.extend_from_slice(payload);
}
