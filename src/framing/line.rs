//! `line` framing: what a delimiter costs.
//!
//! ```text
//! payload  [0D]  0A
//! ```
//! Every byte has to be looked at, and a payload that holds the delimiter can't be carried at all.
//! Source: netlab's protocol page; NVT lines end in `0D 0A` (RFC 854), Unix lines in `0A`.

use super::{Content, FrameError, Part, Span};

const NEWLINE: u8 = b'\n';
const RETURN: u8 = b'\r';

/// Finds the line at the start of `bytes`; the first `examined` bytes are known to hold no newline.
pub(super) fn measure(bytes: &[u8], examined: usize, max_frame: usize) -> Result<Span, FrameError> {
    let newline = find_newline(&bytes[examined..]).map(|at| examined + at);
    let line = &bytes[..newline.unwrap_or(bytes.len())];
    let returned = usize::from(line.last() == Some(&RETURN));
    let payload = line.len() - returned;
    if payload > max_frame {
        return Err(FrameError::too_large(payload, max_frame));
    }
    Ok(match newline {
        Some(_) => Span::Whole { head: 0, payload, tail: returned + 1, content: Content::Binary },
        None => Span::Partial { part: Part::Line, start: 0, end: bytes.len() + 1 },
    })
}

/// Out of line, as `header`'s: the rest of the encoder is then small enough to be inlined where it is used.
#[inline(never)]
pub(super) fn encode(payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    if let Some(at) = find_newline(payload) {
        return Err(FrameError::HoldsNewline { at });
    }
    if payload.last() == Some(&RETURN) {
        return Err(FrameError::EndsInReturn);
    }
    out.extend_from_slice(payload);
    out.push(NEWLINE);
    Ok(())
}

/// Offset of the first newline.
pub(super) fn find_newline(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(NEWLINE, bytes)
}
