//! What can be wrong with a frame. Each message says what stood on the wire and what would have been right.

use crate::text::{Grouped, counted};

/// The part of a frame that was being read when the stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The length prefix.
    Prefix,
    /// The JSON header of `header` framing.
    Header,
    /// The payload.
    Payload,
    /// A line that lacks its newline.
    Line,
}

/// A frame that can't be sent, or bytes that are no frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The payload is longer, or claims to be longer, than the limit. Nothing was reserved for it.
    #[error("frame of {} bytes is over the limit of {} bytes", Grouped(*claimed), Grouped(*limit))]
    TooLarge {
        /// The length that was claimed, in bytes.
        claimed: u64,
        /// The largest payload allowed, in bytes.
        limit: u64,
    },
    /// The stream ended inside a frame.
    #[error("{}", truncated(*part, *have, *want))]
    Truncated {
        /// Where in the frame it ended.
        part: Part,
        /// Bytes of that part that came.
        have: u64,
        /// Bytes of that part that were announced (0 for a line: nobody knows).
        want: u64,
    },
    /// The header of `header` framing is not a JSON object.
    #[error("frame header is not a JSON object: {reason}")]
    HeaderNotJson {
        /// What the parser met.
        reason: String,
    },
    /// A required member of the JSON header is missing or wrong.
    #[error("frame header: `{member}` {problem}")]
    HeaderMember {
        /// The member's name.
        member: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// `line` framing can't carry a payload with a newline: the receiver would see two messages.
    #[error("payload holds a newline (0a) at byte {at}: `line` framing would cut it there")]
    HoldsNewline {
        /// Offset of the newline in the payload.
        at: usize,
    },
    /// `line` framing can't carry a payload that ends in `0d`: the receiver would drop that byte.
    #[error("payload ends in a carriage return (0d): `line` framing would lose it")]
    EndsInReturn,
}

impl FrameError {
    #[cold]
    pub(super) fn too_large(claimed: usize, limit: usize) -> FrameError {
        FrameError::TooLarge { claimed: claimed as u64, limit: limit as u64 }
    }
}

fn truncated(part: Part, have: u64, want: u64) -> String {
    let (have, want) = (Grouped(have), Grouped(want));
    match part {
        Part::Prefix => format!("truncated frame, {have} of {want} prefix bytes"),
        Part::Header => format!("truncated frame, {have} of {want} header bytes"),
        Part::Payload => format!("truncated frame, {have} of {want} bytes"),
        Part::Line => format!("truncated frame, {} without a newline", counted(have.0, "byte")),
    }
}
