//! What the dispatcher decides, for the server to carry out in this order.
//!
//! Payloads are encoded once, into one buffer that is used again for every call; an action names its part of
//! it. The server adds the framing.

use std::ops::Range;

use super::{Job, Notice, RoomId, SessionId, Ticket};
use crate::protocol::codec;
use crate::protocol::message::{Answer, Tag};

/// One thing to do.
#[derive(Debug)]
pub enum Action {
    /// Send a payload to one session.
    Send(SessionId, Range<usize>),
    /// Send a payload to everyone in a room.
    Cast(RoomId, Range<usize>),
    /// A room has come into being.
    Open(RoomId),
    /// A session is in a room, and no longer in the one before.
    Join(SessionId, RoomId),
    /// A session is in no room.
    Leave(SessionId),
    /// A room is gone; nobody is in it.
    Drop(RoomId),
    /// Close the connection when all it was sent has reached it. The dispatcher has forgotten the session.
    Close(SessionId),
    /// Have this done; the outcome comes back by [`Dispatcher::finished`](super::Dispatcher::finished).
    Work(Ticket, Job),
    /// For the operator.
    Report(Notice),
}

/// Decisions in order, with their payloads. Kept and used again: clearing keeps the memory.
#[derive(Debug, Default)]
pub struct Actions {
    list: Vec<Action>,
    payloads: Vec<u8>,
}

impl Actions {
    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.payloads.clear();
    }

    /// Takes the decisions out, oldest first; their payloads stay until [`clear`](Actions::clear).
    pub fn drain(&mut self) -> (std::vec::Drain<'_, Action>, &[u8]) {
        (self.list.drain(..), &self.payloads)
    }

    /// The decisions so far.
    #[must_use]
    pub fn list(&self) -> &[Action] {
        &self.list
    }

    /// The bytes of a payload.
    #[must_use]
    pub fn payload(&self, range: &Range<usize>) -> &[u8] {
        &self.payloads[range.clone()]
    }

    pub(super) fn push(&mut self, action: Action) {
        self.list.push(action);
    }

    /// Encodes a message; nothing is sent by that yet.
    pub(super) fn encode(&mut self, answer: &Answer<'_>, id: Option<&Tag<'_>>) -> Range<usize> {
        let start = self.payloads.len();
        codec::encode_answer(answer, id, &mut self.payloads);
        start..self.payloads.len()
    }

    /// Takes back the payload that was encoded last.
    pub(super) fn discard(&mut self, payload: &Range<usize>) {
        self.payloads.truncate(payload.start);
    }

    pub(super) fn send(&mut self, to: SessionId, answer: &Answer<'_>, id: Option<&Tag<'_>>) {
        let payload = self.encode(answer, id);
        self.push(Action::Send(to, payload));
    }

    pub(super) fn cast(&mut self, room: RoomId, answer: &Answer<'_>) {
        let payload = self.encode(answer, None);
        self.push(Action::Cast(room, payload));
    }
}
