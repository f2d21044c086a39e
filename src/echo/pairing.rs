//! Which message does a datagram answer? UDP numbers nothing, so the UDP client has to tell by content and order.
//!
//! ```text
//! content is that of ...      and a reply is ...   taken for
//! the message waited for      awaited              its reply
//! an unanswered message       -                    its reply, late
//! an answered message         -                    an extra one: the network or a retry doubled it
//! none (the server alters)    awaited              the reply to the message waited for
//! none                        not awaited          the oldest unanswered message's, late; else an extra one
//! ```
//! Replies that all look alike (`Message received`) can't be told apart: a protocol that cares numbers its
//! messages. It stands apart because it is pure, and must not touch a socket or a clock.

use std::collections::VecDeque;
use std::time::Instant;

/// Messages that are remembered for replies that come late or twice: at most 4 MiB of the largest.
const REMEMBERED: usize = 64;

/// What a received datagram turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The reply to this message, which is being waited for.
    Reply(Sent),
    /// The reply to this message, which had been given up.
    Late(Sent),
    /// Nobody's: a duplicate, or something that was never asked for.
    Extra,
}

/// A message that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// Its place among the messages, from 0.
    pub(super) index: usize,
    /// When it was sent, the first time.
    pub(super) at: Instant,
}

/// The last messages, and whether they were answered.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    recent: VecDeque<Message>,
}

#[derive(Debug)]
struct Message {
    sent: Sent,
    payload: Vec<u8>,
    answered: bool,
}

impl Pairing {
    /// A message is being sent for the first time.
    pub(super) fn sent(&mut self, sent: Sent, payload: &[u8]) {
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(Message { sent, payload: payload.to_vec(), answered: false });
    }

    /// True if a remembered message has no reply yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.recent.iter().any(|message| !message.answered)
    }

    /// A datagram arrived, of which `kept` was read; `cut_off` if it was longer. `awaited` says that the last
    /// message has been sent and its reply is being waited for.
    pub(super) fn arrived(&mut self, kept: &[u8], cut_off: bool, awaited: bool) -> Arrival {
        let fits = |message: &Message| {
            let same_end = cut_off || message.payload.len() == kept.len();
            same_end && message.payload.starts_with(kept)
        };
        let last = self.recent.len().wrapping_sub(1);
        let awaited = awaited && self.recent.back().is_some_and(|message| !message.answered);
        let open = |wanted: &dyn Fn(&Message) -> bool| {
            self.recent.iter().position(|message| !message.answered && wanted(message))
        };
        let found = if awaited && fits(&self.recent[last]) {
            Some(last)
        } else if let Some(earlier) = open(&fits) {
            Some(earlier)
        } else if self.recent.iter().any(fits) {
            None
        } else if awaited {
            Some(last)
        } else {
            open(&|_| true)
        };
        let Some(index) = found else { return Arrival::Extra };
        self.recent[index].answered = true;
        let sent = self.recent[index].sent;
        if awaited && index == last { Arrival::Reply(sent) } else { Arrival::Late(sent) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scene(Pairing, Instant);

    impl Scene {
        fn new(messages: &[&str]) -> Scene {
            let mut scene = Scene(Pairing::default(), Instant::now());
            for (index, message) in messages.iter().enumerate() {
                scene.0.sent(Sent { index, at: scene.1 }, message.as_bytes());
            }
            scene
        }

        fn awaited(&mut self, bytes: &str) -> Arrival {
            self.0.arrived(bytes.as_bytes(), false, true)
        }

        fn idle(&mut self, bytes: &str) -> Arrival {
            self.0.arrived(bytes.as_bytes(), false, false)
        }

        fn reply(&self, index: usize) -> Arrival {
            Arrival::Reply(Sent { index, at: self.1 })
        }

        fn late(&self, index: usize) -> Arrival {
            Arrival::Late(Sent { index, at: self.1 })
        }
    }

    #[test]
    fn a_late_reply_is_not_the_next_messages() {
        let mut scene = Scene::new(&["one", "two"]);
        assert_eq!(scene.awaited("one"), scene.late(0));
        assert_eq!(scene.awaited("one"), Arrival::Extra, "once late, then a duplicate");
        assert_eq!(scene.awaited("two"), scene.reply(1));
        assert_eq!(scene.idle("two"), Arrival::Extra);
        assert!(!scene.0.is_waiting());
    }

    #[test]
    fn what_was_altered_answers_the_message_waited_for() {
        let mut scene = Scene::new(&["one", "two"]);
        assert_eq!(scene.awaited("Message received"), scene.reply(1));
        assert_eq!(scene.idle("Message received"), scene.late(0));
        assert_eq!(scene.idle("Message received"), Arrival::Extra);
    }

    #[test]
    fn equal_messages_are_answered_in_turn() {
        let mut scene = Scene::new(&["same", "same"]);
        assert_eq!(scene.awaited("same"), scene.reply(1));
        assert_eq!(scene.idle("same"), scene.late(0));
        assert_eq!(scene.idle("same"), Arrival::Extra);
    }

    #[test]
    fn a_beginning_counts_only_when_the_rest_was_cut_off() {
        let mut scene = Scene::new(&["one", "onward"]);
        assert_eq!(scene.0.arrived(b"onw", true, true), scene.reply(1));
        assert_eq!(scene.idle("on"), scene.late(0), "unknown content: the oldest that waits");
        let mut empty = Scene::new(&["one", ""]);
        assert_eq!(empty.awaited("one"), empty.late(0));
        assert_eq!(empty.awaited(""), empty.reply(1));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut scene = Scene::new(&["x"; 1_000]);
        assert_eq!(scene.0.recent.len(), REMEMBERED);
        assert_eq!(scene.idle("x"), scene.late(1_000 - REMEMBERED));
        assert_eq!(Scene::new(&[]).awaited("x"), Arrival::Extra);
    }
}
