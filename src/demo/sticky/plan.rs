//! What to send and how to read it: the options of the command, checked once, with each scenario's defaults.
//!
//! Checked here, before a socket exists, so that no scenario has to think about a payload that does not fit.

use std::time::Duration;

use super::exchange::{Script, Wait};
use super::record::Message;
use crate::framing::{FrameError, Framing};
use crate::net::SocketOptions;
use crate::text::Grouped;

/// The most bytes that all messages may have together. Each one gets a column in the pictures.
pub const MAX_BYTES: usize = 32 << 10;
/// The most messages.
pub const MAX_MESSAGES: usize = 1_000;

/// The messages of the course's text, and one more.
const TEXTS: [&str; 3] = ["Hello", "World", "Again"];

/// A plan that can't be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Nothing to send.
    #[error("there is nothing to send: at least one message is needed")]
    NoMessages,
    /// More messages than the pictures can number.
    #[error("{} messages are more than the {} that can be drawn", Grouped(*messages as u64), Grouped(MAX_MESSAGES as u64))]
    TooMany {
        /// How many were asked for.
        messages: usize,
    },
    /// More bytes than the pictures can show.
    #[error("{} bytes of messages are more than the {} that can be drawn", Grouped(*bytes as u64), Grouped(MAX_BYTES as u64))]
    TooLong {
        /// How many bytes all messages have.
        bytes: usize,
    },
    /// A message that the framing can't carry.
    #[error("message {message} can't be sent with this framing: {source}")]
    Refused {
        /// Which one, from 1.
        message: usize,
        /// Why.
        source: FrameError,
    },
}

/// What is asked for; what is left out is each scenario's own choice.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// How many messages are sent.
    pub messages: Option<usize>,
    /// Their texts, taken in turn.
    pub texts: Vec<String>,
    /// The size of each `recv` call's buffer; the last one repeats.
    pub recv_sizes: Vec<usize>,
    /// The pause between two sends.
    pub send_gap: Duration,
    /// How the messages are marked in the stream.
    pub framing: Framing,
    /// Options of the TCP sockets.
    pub options: SocketOptions,
}

/// Checked options.
#[derive(Clone, Debug)]
pub struct Plan {
    asked: PlanOptions,
}

impl Plan {
    /// Checks what is asked for.
    ///
    /// # Errors
    /// Too much or nothing to send, or a message that the framing can't carry.
    pub fn new(asked: PlanOptions) -> Result<Plan, PlanError> {
        let plan = Plan { asked };
        // No scenario sends more by default than `merge`.
        let payloads = plan.payloads(TEXTS.len());
        let (messages, bytes) = (payloads.len(), payloads.iter().map(Vec::len).sum());
        match (messages, bytes) {
            (0, _) => return Err(PlanError::NoMessages),
            (MAX_MESSAGES.., _) if messages > MAX_MESSAGES => return Err(PlanError::TooMany { messages }),
            (_, MAX_BYTES..) if bytes > MAX_BYTES => return Err(PlanError::TooLong { bytes }),
            _ => {}
        }
        for (n, payload) in payloads.iter().enumerate() {
            Message::framed(plan.asked.framing, payload)
                .map_err(|source| PlanError::Refused { message: n + 1, source })?;
        }
        Ok(plan)
    }

    /// The payloads: as many as were asked for, else `default`, else as many as there are texts.
    pub(super) fn payloads(&self, default: usize) -> Vec<Vec<u8>> {
        let texts: Vec<&str> = self.asked.texts.iter().map(String::as_str).collect();
        let texts = if texts.is_empty() { &TEXTS[..] } else { &texts };
        let count = self.asked.messages.unwrap_or(default.max(self.asked.texts.len()));
        texts.iter().cycle().take(count.min(MAX_MESSAGES + 1)).map(|text| text.as_bytes().to_vec()).collect()
    }

    /// `default` messages in the framing asked for.
    pub(super) fn messages(&self, default: usize) -> Vec<Message> {
        let framed = |payload: &Vec<u8>| Message::framed(self.asked.framing, payload);
        let messages = self.payloads(default).iter().map(framed).collect::<Result<_, _>>();
        messages.expect("Plan::new has encoded them all")
    }

    /// A script that waits for the queue and reads with `sizes`, unless other sizes are asked for.
    pub(super) fn script(&self, messages: Vec<Message>, sizes: Vec<usize>) -> Script {
        let asked = &self.asked.recv_sizes;
        Script {
            framing: self.asked.framing,
            messages,
            gap: self.asked.send_gap,
            recv_sizes: if asked.is_empty() { sizes } else { asked.clone() },
            wait: Wait::Queued,
        }
    }

    /// The framing asked for.
    pub(super) fn framing(&self) -> Framing {
        self.asked.framing
    }

    /// The options of the TCP sockets.
    pub(super) fn options(&self) -> &SocketOptions {
        &self.asked.options
    }
}

/// The `recv` sizes as a title says them: `recv(3), then recv(1024)`.
pub(super) fn recv_title(sizes: &[usize]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = sizes.iter().take(SHOWN).map(|size| format!("recv({size})")).collect();
    let more = if sizes.len() > SHOWN { ", ..." } else { "" };
    shown.join(", then ") + more
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(texts: &[&str], messages: Option<usize>) -> Result<Plan, PlanError> {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        Plan::new(PlanOptions { messages, texts, ..PlanOptions::default() })
    }

    #[test]
    fn texts_are_taken_in_turn() {
        let sent = |texts: &[&str], messages| plan(texts, messages).unwrap().payloads(3).concat();
        assert_eq!(sent(&[], None), b"HelloWorldAgain");
        assert_eq!(sent(&[], Some(1)), b"Hello");
        assert_eq!(sent(&["a", "b"], Some(5)), b"ababa");
        assert_eq!(sent(&["x"], None), b"xxx");
        assert_eq!(sent(&["a", "b", "c", "d"], None), b"abcd");
    }

    #[test]
    fn too_much_and_nothing_are_refused() {
        assert_eq!(plan(&[], Some(0)).unwrap_err(), PlanError::NoMessages);
        assert!(plan(&[], Some(MAX_MESSAGES)).is_ok());
        assert!(matches!(plan(&[], Some(usize::MAX)), Err(PlanError::TooMany { .. })));
        assert!(plan(&["x".repeat(MAX_BYTES).as_str()], Some(1)).is_ok());
        assert!(matches!(
            plan(&["x".repeat(MAX_BYTES + 1).as_str()], Some(1)),
            Err(PlanError::TooLong { .. })
        ));
        let line =
            PlanOptions { texts: vec!["a\nb".into()], framing: Framing::Line, ..PlanOptions::default() };
        assert!(matches!(Plan::new(line), Err(PlanError::Refused { message: 1, .. })));
    }
}
