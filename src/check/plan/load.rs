//! Much data: answers that pile up on the server's side, because nobody reads them for a while.

use super::writer::{PAUSE, Writer};
use crate::check::case::numbered;
use crate::check::codec::Wire;
use crate::check::script::Act;

/// Messages of a reader who is slow: so large (a multiple of 7), and so many.
const SLOW_SIZE: usize = 28_000;
/// 0.4 MB of answers: many times the send buffer that a server has towards a client with small segments and a
/// small receive buffer.
const SLOW_COUNT: usize = 16;
/// All of them.
pub(in crate::check) const SLOW_LOAD: usize = SLOW_SIZE * SLOW_COUNT;
/// Messages of this size do not fit into that buffer.
const OVERFLOWS: usize = 60_000;

impl Writer<'_> {
    /// The client ends its side after its last byte. Large answers are not read before that.
    pub(super) fn half_closed(&mut self) {
        let large = self.plan.messages.iter().map(Vec::len).sum::<usize>() >= OVERFLOWS;
        // A login, or a greeting, would have to be read first.
        let unread = large && self.dialect.greeting().is_empty() && self.dialect.opening(0).is_empty();
        self.open(0, unread);
        for n in 0..self.plan.messages.len() {
            let turn = self.turn(0, n);
            self.say(0, &turn);
        }
        self.script.add(0, Act::HalfClose);
        if unread {
            self.script.add(0, Act::Pause(PAUSE)).add(0, Act::Read);
        }
        self.answers(0, 0..self.plan.messages.len());
        self.script.add(0, Act::End);
    }

    /// Everything is asked before anything is read, so that answers pile up on the server's side.
    pub(super) fn slow_reader(&mut self) {
        self.script.add(0, Act::Open { holds: true });
        let mut turns = self.dialect.opening(0);
        let numbered = |n: usize| numbered(n * SLOW_SIZE / 7, SLOW_SIZE);
        turns.extend((0..SLOW_COUNT).map(|n| self.dialect.ask(0, &numbered(n))));
        let mut wire = Wire::default();
        for turn in &turns {
            wire.append(&self.wire(turn));
        }
        // The names of so many bytes are of no use to anybody.
        wire.fields.clear();
        self.script.add(0, Act::Flood(wire)).add(0, Act::Stuck).add(0, Act::Read).add(0, Act::Settle);
        // One more, once the pile is gone: its answer shows whether something is missing before it.
        let last = self.dialect.ask(0, &numbered(SLOW_COUNT));
        self.say(0, &last);
        for expect in self.dialect.greeting() {
            self.script.add(0, Act::Expect(expect));
        }
        for turn in turns.iter().chain([&last]) {
            self.expect(0, turn);
        }
    }
}
