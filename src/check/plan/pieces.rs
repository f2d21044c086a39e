//! Streams in other pieces than their messages: cut, joined, or followed by one more.

use std::time::Duration;

use super::Turn;
use super::writer::{EARLY, PAUSE, Writer};
use crate::check::codec::Wire;
use crate::check::script::{Act, cut};

impl Writer<'_> {
    /// The first message in pieces, each of which the server has read before the next one goes.
    pub(super) fn first_cut(&mut self, cuts: &[usize], pause: Option<Duration>) {
        self.open(0, false);
        let first = self.turn(0, 0);
        if let Some(make) = &first.make {
            self.script.add(0, Act::SendMade(make.clone(), cuts.to_vec()));
        } else {
            let wire = self.wire(&first);
            let pieces = cut(&wire, cuts);
            let last = pieces.len() - 1;
            for (n, piece) in pieces.into_iter().enumerate() {
                self.script.add(0, Act::Send(piece));
                if n < last {
                    self.script.add(0, Act::Taken);
                    if let Some(pause) = pause {
                        self.script.add(0, Act::Pause(pause));
                    }
                    if self.dialect.codec().has_boundaries() {
                        self.script.add(0, Act::Nothing(EARLY));
                    }
                }
            }
        }
        self.expect(0, &first);
        for n in 1..self.plan.messages.len() {
            let turn = self.turn(0, n);
            self.say(0, &turn);
            self.expect(0, &turn);
        }
    }

    pub(super) fn coalesced(&mut self) {
        let turns = self.turns();
        self.greeted(0, false);
        self.in_one_send(&turns);
        for turn in &turns {
            self.expect(0, turn);
        }
    }

    /// What a client says first, and then the messages.
    fn turns(&self) -> Vec<Turn> {
        let mut turns = self.dialect.opening(0);
        turns.extend((0..self.plan.messages.len()).map(|n| self.turn(0, n)));
        turns
    }

    fn in_one_send(&mut self, turns: &[Turn]) {
        let mut wire = Wire::default();
        for turn in turns {
            wire.append(&self.wire(turn));
        }
        self.script.add(0, Act::Send(wire));
    }

    /// One stream in pieces. What is complete is answered at once; what is not, is not.
    pub(super) fn in_pieces(&mut self, cuts: &[usize]) {
        self.open(0, false);
        let codec = self.dialect.codec();
        let mut wire = Wire::default();
        let mut ends = Vec::new();
        for n in 0..self.plan.messages.len() {
            wire.append(&self.wire(&self.turn(0, n)));
            ends.push(wire.bytes.len());
        }
        let mut sent = 0;
        let mut answered = 0;
        let pieces = cut(&wire, cuts);
        let last = pieces.len() - 1;
        // A check after each single byte would take longer than it tells.
        let often = pieces.len() <= 8;
        for (n, piece) in pieces.into_iter().enumerate() {
            sent += piece.bytes.len();
            self.script.add(0, Act::Send(piece));
            if n < last {
                self.script.add(0, Act::Taken);
            }
            // On a raw stream an answer may come in parts.
            let whole = ends.iter().take_while(|end| **end <= sent).count();
            if codec.has_boundaries() {
                self.answers(0, answered..whole);
                if n < last && often {
                    self.script.add(0, Act::Nothing(EARLY));
                }
                answered = whole;
            }
        }
        self.answers(0, answered..self.plan.messages.len());
    }

    /// One message after the other, without waiting for answers.
    pub(super) fn nudged(&mut self) {
        self.open(0, false);
        for n in 0..self.plan.messages.len() {
            let turn = self.turn(0, n);
            self.script.add(0, Act::Send(self.wire(&turn)));
            self.script.add(0, Act::Taken).add(0, Act::Pause(EARLY));
        }
        self.answers(0, 0..self.plan.messages.len());
    }

    /// All but the last in one send, and the last one after a pause.
    pub(super) fn late(&mut self) {
        let turns = self.turns();
        let Some((last, together)) = turns.split_last() else { return };
        self.greeted(0, false);
        self.in_one_send(together);
        self.script.add(0, Act::Taken).add(0, Act::Pause(PAUSE));
        self.say(0, last);
        for turn in &turns {
            self.expect(0, turn);
        }
    }
}
