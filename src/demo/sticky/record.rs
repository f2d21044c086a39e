//! What really happened: each `send` and `recv` call with its time and its bytes.
//!
//! The records are the only thing that passes from the sockets to the verdicts and the pictures. Plain data,
//! so that a test can alter them and expect another verdict. No sockets, no clocks.

use std::time::Duration;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::framing::{Content, Encoder, FrameError, Framing};
use crate::net::table::Transport;
use crate::text::escape;

/// One call on a socket and the bytes that it moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When a `send` was made or a `recv` returned, counted from the first `send`.
    pub at: Duration,
    /// What it moved.
    pub bytes: Vec<u8>,
}

impl Call {
    /// The time in microseconds.
    #[must_use]
    pub fn at_us(&self) -> u64 {
        micros(self.at)
    }
}

/// Whole microseconds.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Serialize for Call {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut call = serializer.serialize_struct("Call", 3)?;
        call.serialize_field("bytes", &self.bytes.len())?;
        call.serialize_field("at_us", &self.at_us())?;
        call.serialize_field("text", &escape(&self.bytes))?;
        call.end()
    }
}

/// One message: what the application means, and what it puts on the wire for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What the receiver shall get.
    pub payload: Vec<u8>,
    /// The payload in its framing; the payload itself where there is none.
    pub wire: Vec<u8>,
}

impl Message {
    /// A message that nothing marks.
    #[must_use]
    pub fn raw(payload: &[u8]) -> Message {
        Message { payload: payload.to_vec(), wire: payload.to_vec() }
    }

    /// A message in `framing`.
    ///
    /// # Errors
    /// A payload that the framing can't carry.
    pub fn framed(framing: Framing, payload: &[u8]) -> Result<Message, FrameError> {
        let mut wire = Vec::new();
        let encoder = Encoder::new(framing, crate::framing::DEFAULT_MAX_FRAME);
        encoder.encode(Content::Binary, payload, &mut wire)?;
        Ok(Message { payload: payload.to_vec(), wire })
    }

    /// What a program writes that just appends a newline and hopes: no encoder that could refuse.
    #[must_use]
    pub fn line_by_hand(payload: &[u8]) -> Message {
        Message { payload: payload.to_vec(), wire: [payload, b"\n"].concat() }
    }
}

/// What was meant, what was sent and what was received over one connection or pair of UDP sockets.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Record {
    /// How it travelled.
    #[serde(skip)]
    pub transport: Transport,
    /// How messages were marked in the stream.
    #[serde(skip)]
    pub framing: Framing,
    /// The messages, in order.
    #[serde(skip)]
    pub messages: Vec<Message>,
    /// How many bytes a last peek found queued before the first `recv`; `None` where nobody waited.
    #[serde(rename = "queued_bytes", skip_serializing_if = "Option::is_none")]
    pub queued: Option<usize>,
    /// The `send` calls.
    pub sends: Vec<Call>,
    /// The `recv` calls.
    pub recvs: Vec<Call>,
}

impl Record {
    /// Counts all times from the first `send`.
    pub(super) fn starting_at_zero(mut self) -> Record {
        let start = self.sends.first().map_or(Duration::ZERO, |send| send.at);
        for call in self.sends.iter_mut().chain(&mut self.recvs) {
            call.at = call.at.saturating_sub(start);
        }
        self
    }

    /// The bytes that were put on the wire, by messages.
    #[must_use]
    pub fn sent(&self) -> Vec<u8> {
        self.messages.iter().flat_map(|message| &message.wire).copied().collect()
    }

    /// The bytes that were received, by calls.
    #[must_use]
    pub fn received(&self) -> Vec<u8> {
        self.recvs.iter().flat_map(|call| &call.bytes).copied().collect()
    }

    /// True if all that was sent was received, and queued in time where somebody waited for that.
    #[must_use]
    pub fn complete(&self) -> bool {
        let sent = self.sent().len();
        self.received().len() == sent && self.queued.is_none_or(|queued| queued == sent)
    }
}
