//! Frames from texts: the other direction of inspecting.

use serde::Serialize;

use crate::framing::{Content, Encoder, FrameError, Framing};
use crate::text::{excerpt, hex};

/// Frames that were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Encoded {
    /// How messages are told apart in them.
    pub framing: &'static str,
    /// One for each message.
    pub frames: Vec<EncodedFrame>,
    /// All of them, one behind the other.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// A frame and its message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EncodedFrame {
    /// The message, escaped.
    pub text: String,
    /// The frame's bytes.
    pub hex: String,
}

/// Frames each message.
///
/// # Errors
/// A message that this framing can't carry, with its place, counted from 1.
pub fn encode(
    framing: Framing,
    max_frame: usize,
    messages: &[Vec<u8>],
) -> Result<Encoded, (usize, FrameError)> {
    let framer = Encoder::new(framing, max_frame);
    let mut encoded = Encoded { framing: framing.name(), frames: Vec::new(), bytes: Vec::new() };
    for (at, message) in messages.iter().enumerate() {
        let start = encoded.bytes.len();
        // Only `header` framing says what its content is.
        let content = if framing == Framing::Header { Content::of(message) } else { Content::Binary };
        framer.encode(content, message, &mut encoded.bytes).map_err(|error| (at + 1, error))?;
        let text = excerpt(message, 4_096);
        encoded.frames.push(EncodedFrame { text, hex: hex(&encoded.bytes[start..]) });
    }
    Ok(encoded)
}
