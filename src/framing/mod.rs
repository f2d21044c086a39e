//! The one framing module: where messages begin and end in a stream of bytes.
//!
//! TCP carries bytes, not messages. Each [`Framing`] is one answer to "where does a message end?", with its
//! encoder beside its decoder:
//!
//! | framing  | on the wire                                                | file        |
//! |----------|------------------------------------------------------------|-------------|
//! | `raw`    | the bytes, no boundaries                                   | here        |
//! | `line`   | payload, then `0A` (a `0D` before it is dropped on decode) | `line.rs`   |
//! | `u16`    | length of the payload as u16 BE, then the payload          | `prefix.rs` |
//! | `u32`    | length of the payload as u32 BE, then the payload          | `prefix.rs` |
//! | `header` | u16 BE, that many bytes of JSON, then `content-length` bytes | `header.rs` |
//!
//! Source: netlab's protocol page, which follows the course texts (`struct.pack('!I', n)`, Real Python's
//! socket guide). What a stream that can't be read gives away about its writer is [`diagnosis`]. This module
//! knows bytes alone: no sockets, no clocks, nothing of what a frame means.
//! A limit is always checked before memory is reserved, by the sender before a byte is written.

mod decoder;
pub mod diagnosis;
mod error;
mod header;
mod line;
mod prefix;

pub use decoder::{Decoder, Frame};
pub use error::{FrameError, Part};

/// The default limit of a `line`, `u32` or `header` payload: 1 MiB, far above any message of the course
/// and far below what a wrong length field can claim.
pub const DEFAULT_MAX_FRAME: usize = 1 << 20;

/// How a stream is cut into messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// No boundaries: whatever one read returned is taken for a message.
    #[default]
    Raw,
    /// A newline ends each message.
    Line,
    /// A 16-bit big-endian length goes before each message.
    U16,
    /// A 32-bit big-endian length goes before each message.
    U32,
    /// A length, a JSON header that describes the content, then the content.
    Header,
}

impl Framing {
    /// Every framing, in the order in which the course meets them.
    pub const ALL: [Framing; 5] = [Framing::Raw, Framing::Line, Framing::U16, Framing::U32, Framing::Header];

    /// The name used on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Framing::Raw => "raw",
            Framing::Line => "line",
            Framing::U16 => "u16",
            Framing::U32 => "u32",
            Framing::Header => "header",
        }
    }

    /// The largest payload in bytes under a `--max-frame` of `asked`: a length field sets a bound of its own.
    #[must_use]
    pub fn max_frame(self, asked: usize) -> usize {
        match self {
            Framing::U16 => asked.min(usize::from(u16::MAX)),
            Framing::U32 | Framing::Header => asked.min(u32::MAX as usize),
            Framing::Raw | Framing::Line => asked,
        }
    }
}

/// What a frame says of its content. Only `header` framing carries it; elsewhere it is [`Content::Binary`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// `text/json`, in UTF-8.
    Json,
    /// `binary/...`: bytes that only the two ends understand.
    #[default]
    Binary,
}

impl Content {
    /// Looks at a payload: JSON text is [`Content::Json`], anything else is [`Content::Binary`].
    #[must_use]
    pub fn of(payload: &[u8]) -> Content {
        match serde_json::from_slice::<serde::de::IgnoredAny>(payload) {
            Ok(_) => Content::Json,
            Err(_) => Content::Binary,
        }
    }
}

/// Writes frames: the counterpart of [`Decoder`].
#[derive(Clone, Copy, Debug)]
pub struct Encoder {
    framing: Framing,
    max_frame: usize,
}

impl Encoder {
    /// An encoder that refuses payloads of more than `max_frame` bytes.
    #[must_use]
    pub fn new(framing: Framing, max_frame: usize) -> Encoder {
        Encoder { framing, max_frame: framing.max_frame(max_frame) }
    }

    /// The framing that this encoder writes.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Appends one frame to `out`. `content` is written by `header` framing alone.
    ///
    /// # Errors
    /// A payload over the limit, or one that `line` can't carry; `out` is then as it was.
    #[inline]
    pub fn encode(&self, content: Content, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        if payload.len() > self.max_frame && self.framing != Framing::Raw {
            return Err(FrameError::too_large(payload.len(), self.max_frame));
        }
        match self.framing {
            Framing::Raw => out.extend_from_slice(payload),
            Framing::Line => line::encode(payload, out)?,
            Framing::U16 => prefix::encode::<2>(payload, out),
            Framing::U32 => prefix::encode::<4>(payload, out),
            Framing::Header => header::encode(content, payload, out),
        }
        Ok(())
    }
}

/// What the first bytes of a stream say about the frame that begins there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The frame is all there.
    Whole {
        /// Bytes of framing before the payload.
        head: usize,
        /// Bytes of payload.
        payload: usize,
        /// Bytes of framing behind it.
        tail: usize,
        /// What the frame says of its payload.
        content: Content,
    },
    /// One of its parts is not complete yet: all before it is.
    Partial {
        /// Which one.
        part: Part,
        /// Where it begins in the frame.
        start: usize,
        /// Where it ends; for a line, one byte behind what is there.
        end: usize,
    },
}

impl Span {
    /// Measures the frame at the start of `bytes`, for those who look at a frame's parts. Programs that want
    /// messages use [`Decoder`].
    ///
    /// # Errors
    /// As [`Decoder::next_frame`].
    pub fn of_first(framing: Framing, bytes: &[u8], max_frame: usize) -> Result<Span, FrameError> {
        measure(framing, bytes, 0, framing.max_frame(max_frame))
    }
}

/// Measures the frame at the start of `bytes`; the first `examined` bytes are known to hold no whole line.
#[inline]
fn measure(framing: Framing, bytes: &[u8], examined: usize, max_frame: usize) -> Result<Span, FrameError> {
    match framing {
        Framing::Raw => Ok(Span::Whole { head: 0, payload: bytes.len(), tail: 0, content: Content::Binary }),
        Framing::Line => line::measure(bytes, examined, max_frame),
        Framing::U16 => prefix::measure::<2>(bytes, max_frame),
        Framing::U32 => prefix::measure::<4>(bytes, max_frame),
        Framing::Header => header::measure(bytes, max_frame),
    }
}

#[cfg(test)]
mod tests;
