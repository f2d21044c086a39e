//! Clients that come and go, take turns, wait for one another, misbehave, or say nothing.

use std::time::Duration;

use super::Turn;
use super::writer::{EARLY, PAUSE, Writer};
use crate::check::codec::{Codec, Field, Wire};
use crate::check::script::{Act, cut};

/// After bad input: what a server says to it, if anything.
const AFTER_BAD: Duration = Duration::from_millis(300);
/// How long a server is left alone before and while its processor time is taken.
const IDLE: Duration = Duration::from_millis(800);
/// After a client has left: by then, a server that ends with it has ended.
const DEPARTURE: Duration = Duration::from_millis(600);

/// Clients who are there together.
pub(super) const CLIENTS: usize = 3;

/// What one of several clients sends in place of `message`: it tells whom its answer is meant for.
pub(in crate::check) fn interleaved_payload(message: &[u8], client: usize) -> Vec<u8> {
    [message, format!(" from {client}").as_bytes()].concat()
}

impl Writer<'_> {
    /// One client after the other; each leaves.
    pub(super) fn successive(&mut self) {
        for client in 0..2 {
            self.open(client, false);
            self.one_by_one(client);
            self.script.add(client, Act::HalfClose).add(client, Act::Ignore(PAUSE)).add(client, Act::Close);
            if client == 0 {
                self.script.add(client, Act::Pause(DEPARTURE));
            }
        }
    }

    /// Three clients; each sends half of a message, then each the other half.
    pub(super) fn interleaved(&mut self) {
        for client in 0..CLIENTS {
            self.open(client, false);
        }
        for n in 0..self.plan.messages.len() {
            let message = &self.plan.messages[n];
            let tagged = |client: usize| self.dialect.ask(client, &interleaved_payload(message, client));
            let turns: Vec<Turn> = (0..CLIENTS).map(tagged).collect();
            // Raw bytes and datagrams go whole: half of them is a message, too.
            let halves = self.dialect.codec().has_boundaries();
            let mut rest = Vec::new();
            for (client, turn) in turns.iter().enumerate() {
                if turn.make.is_some() {
                    self.say(client, turn);
                    continue;
                }
                let wire = self.wire(turn);
                let at = if halves { wire.bytes.len() / 2 } else { wire.bytes.len() };
                let mut pieces = cut(&wire, &[at]).into_iter();
                if let Some(first) = pieces.next() {
                    self.script.add(client, Act::Send(first));
                }
                rest.push(pieces.next());
            }
            // The last to ask is the first to be answered, while the others' messages are still incomplete: nobody's
            // answer waits for another's turn.
            rest.resize_with(CLIENTS, || None);
            for ((client, turn), piece) in turns.iter().enumerate().zip(rest).rev() {
                if let Some(piece) = piece {
                    self.script.add(client, Act::Send(piece));
                }
                self.expect(client, turn);
            }
        }
    }

    /// One client that says nothing, and one that asks.
    pub(super) fn silent(&mut self) {
        self.greeted(0, false);
        self.script.add(0, Act::Pause(EARLY));
        self.open(1, false);
        self.one_by_one(1);
    }

    /// The second client asks while the first is connected, and is answered when that has left.
    pub(super) fn waiting(&mut self) {
        self.open(0, false);
        self.one_by_one(0);
        self.script.add(1, Act::Open { holds: false });
        // A client that is greeted waits for that; any other one asks at once.
        let greeted = !self.dialect.greeting().is_empty();
        let mut turns = self.dialect.opening(1);
        turns.extend((0..self.plan.messages.len()).map(|n| self.turn(1, n)));
        if !greeted {
            let mut wire = Wire::default();
            for turn in &turns {
                wire.append(&self.wire(turn));
            }
            self.script.add(1, Act::Send(wire));
        }
        self.script.add(1, Act::Nothing(PAUSE));
        self.script.add(0, Act::HalfClose).add(0, Act::Ignore(PAUSE)).add(0, Act::Close);
        for expect in self.dialect.greeting() {
            self.script.add(1, Act::Expect(expect));
        }
        for turn in &turns {
            if greeted {
                self.say(1, turn);
            }
            self.expect(1, turn);
        }
    }

    /// Bad input by one client, then proper messages by another.
    pub(super) fn after_bad(&mut self, bytes: &[u8]) {
        self.script.add(0, Act::Open { holds: false });
        let bad = Wire {
            bytes: bytes.to_vec(),
            fields: vec![Field { name: "bad input", start: 0, end: bytes.len() }],
        };
        self.script.add(0, Act::Send(bad)).add(0, Act::Taken).add(0, Act::HalfClose);
        self.script.add(0, Act::Ignore(AFTER_BAD)).add(0, Act::Close);
        self.open(1, false);
        self.one_by_one(1);
    }

    /// A beginning and a reset by one client, then proper messages by another.
    pub(super) fn after_reset(&mut self, bytes: &[u8]) {
        self.script.add(0, Act::Open { holds: false }).add(0, Act::Send(Codec::Raw.encode(bytes)));
        self.script.add(0, Act::Taken).add(0, Act::Ignore(EARLY)).add(0, Act::Reset);
        self.script.add(0, Act::Pause(PAUSE));
        self.open(1, false);
        self.one_by_one(1);
    }

    /// Messages, and then nothing; with its client gone or silent.
    pub(super) fn idle(&mut self, gone: bool) {
        self.open(0, false);
        self.one_by_one(0);
        if gone {
            self.script.add(0, Act::HalfClose).add(0, Act::Ignore(PAUSE)).add(0, Act::Close);
        }
        self.script.add(0, Act::Pause(IDLE / 4)).add(0, Act::Idle(IDLE));
    }
}
