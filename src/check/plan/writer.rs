//! From a plan to its steps. What differs by way stands in the files beside this one.

use std::time::Duration;

use super::clients::CLIENTS;
use super::{Dialect, Plan, Turn, Way};
use crate::check::codec::Wire;
use crate::check::script::{Act, Script};

/// A pause that no timer of a server mistakes for a short one.
pub(super) const PAUSE: Duration = Duration::from_millis(400);
/// After a cut: what is answered too early comes about now.
pub(super) const EARLY: Duration = Duration::from_millis(15);

/// The script that plays `plan`.
pub(super) fn write(plan: &Plan, dialect: &dyn Dialect) -> Script {
    let mut writer = Writer { plan, dialect, script: Script::default() };
    writer.write();
    writer.script
}

pub(super) struct Writer<'a> {
    pub(super) plan: &'a Plan,
    pub(super) dialect: &'a dyn Dialect,
    pub(super) script: Script,
}

impl Writer<'_> {
    fn write(&mut self) {
        match &self.plan.way {
            Way::Whole => {
                self.open(0, false);
                self.one_by_one(0);
            }
            Way::Coalesced => self.coalesced(),
            Way::Cut(cuts) => self.first_cut(cuts, None),
            Way::Paused(at) => self.first_cut(&[*at], Some(PAUSE)),
            Way::Straddled(at) => self.in_pieces(&[*at]),
            Way::Bytes if self.turn(0, 0).make.is_some() => {
                self.first_cut(&(1..64).collect::<Vec<_>>(), None);
            }
            Way::Bytes => {
                let all: Vec<usize> = (1..self.plan.stream(self.dialect).bytes.len()).collect();
                self.in_pieces(&all);
            }
            Way::HalfClosed => self.half_closed(),
            Way::Successive => self.successive(),
            Way::Interleaved => self.interleaved(),
            Way::Silent => self.silent(),
            Way::Crowd => (0..CLIENTS).for_each(|client| {
                self.open(client, false);
                self.one_by_one(client);
            }),
            Way::Waiting => self.waiting(),
            Way::SlowReader => self.slow_reader(),
            Way::AfterBad(bytes) => self.after_bad(bytes),
            Way::AfterReset(bytes) => self.after_reset(bytes),
            Way::Idle => self.idle(false),
            Way::IdleAfter => self.idle(true),
            Way::Nudged => self.nudged(),
            Way::Late => self.late(),
            Way::Probe(_) => {}
        }
    }

    /// Connects, and hears what the server says first.
    pub(super) fn greeted(&mut self, client: usize, holds: bool) {
        self.script.add(client, Act::Open { holds });
        for expect in self.dialect.greeting() {
            self.script.add(client, Act::Expect(expect));
        }
    }

    pub(super) fn open(&mut self, client: usize, holds: bool) {
        self.greeted(client, holds);
        for turn in self.dialect.opening(client) {
            self.say(client, &turn);
            self.expect(client, &turn);
        }
    }

    /// Sends a message whole.
    pub(super) fn say(&mut self, client: usize, turn: &Turn) {
        let act = match &turn.make {
            Some(make) => Act::SendMade(make.clone(), Vec::new()),
            None => Act::Send(self.wire(turn)),
        };
        self.script.add(client, act);
    }

    pub(super) fn wire(&self, turn: &Turn) -> Wire {
        let codec = self.plan.misread.map_or(self.dialect.codec(), |misread| misread.asks);
        codec.encode(&turn.payload)
    }

    pub(super) fn expect(&mut self, client: usize, turn: &Turn) {
        for expect in &turn.expect {
            let expect = match self.plan.misread {
                Some(misread) => expect.recoded(misread.answers),
                None => expect.clone(),
            };
            self.script.add(client, Act::Expect(expect));
        }
    }

    pub(super) fn turn(&self, client: usize, n: usize) -> Turn {
        self.dialect.ask(client, &self.plan.messages[n])
    }

    pub(super) fn one_by_one(&mut self, client: usize) {
        for n in 0..self.plan.messages.len() {
            let turn = self.turn(client, n);
            self.say(client, &turn);
            self.expect(client, &turn);
        }
    }

    pub(super) fn answers(&mut self, client: usize, which: std::ops::Range<usize>) {
        for n in which {
            let turn = self.turn(client, n);
            self.expect(client, &turn);
        }
    }
}
