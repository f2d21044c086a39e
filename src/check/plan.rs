//! Plans: messages, and the way in which they are played. From a plan and a dialect comes a script, mechanically:
//! that is what replays an exercise's messages whole, coalesced, cut anywhere, with pauses, by several clients.
//!
//! The rule behind all of them: the same bytes give the same answers, however they are cut.

use std::time::Duration;

use super::codec::{Codec, Wire};
use super::expect::Expect;
use super::script::{Act, Make, Script};

/// A pause that no timer of a server mistakes for a short one.
const PAUSE: Duration = Duration::from_millis(400);
/// After a cut: what is answered too early comes about now.
const EARLY: Duration = Duration::from_millis(15);
/// After bad input: what a server says to it, if anything.
const AFTER_BAD: Duration = Duration::from_millis(300);
/// How long a server is left alone before and while its processor time is taken.
const IDLE: Duration = Duration::from_millis(800);
/// After a client has left: by then, a server that ends with it has ended.
const DEPARTURE: Duration = Duration::from_millis(600);
/// Messages of a reader who is slow: so large (a multiple of 7), and so many.
const SLOW_SIZE: usize = 28_000;
/// 0.4 MB of answers: many times the send buffer that a server has towards a client with small segments and a
/// small receive buffer.
const SLOW_COUNT: usize = 16;
/// Messages of this size do not fit into that buffer.
const OVERFLOWS: usize = 60_000;

/// One message and its answers.
#[derive(Clone)]
pub struct Turn {
    /// What is sent.
    pub payload: Vec<u8>,
    /// Makes what is sent from what the server said before, in place of the payload.
    pub make: Option<Make>,
    /// What has to come back.
    pub expect: Vec<Expect>,
}

/// How an exercise speaks: from payloads to bytes and answers.
pub trait Dialect: Send + Sync {
    /// How messages are told apart.
    fn codec(&self) -> Codec;

    /// What the server says to each new client, unasked.
    fn greeting(&self) -> Vec<Expect> {
        Vec::new()
    }

    /// What client number `client` says first, such as a login.
    fn opening(&self, client: usize) -> Vec<Turn> {
        let _ = client;
        Vec::new()
    }

    /// A message of client number `client` with this payload in it.
    fn ask(&self, client: usize, payload: &[u8]) -> Turn;
}

/// How messages are played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// One after the other, each one answered before the next.
    Whole,
    /// All in one send, with what a client says first.
    Coalesced,
    /// The first message is cut at these offsets; those behind it come whole, one after the other.
    Cut(Vec<usize>),
    /// The first message is cut at this offset, with a long pause there.
    Paused(usize),
    /// All in one stream, which is cut at this offset: pieces and messages overlap.
    Straddled(usize),
    /// Byte by byte.
    Bytes,
    /// The client ends its side after the last byte.
    HalfClosed,
    /// By one client after the other, each of whom leaves.
    Successive,
    /// By several clients at once, in turns, with messages in two pieces.
    Interleaved,
    /// The first client connects and says nothing, while the second asks.
    Silent,
    /// The second client asks while the first is connected, and is answered only when that has left.
    Waiting,
    /// Answers are not read until the server can send no more of them.
    SlowReader,
    /// These bytes first, by a client who then ends; then the messages, by a new client.
    AfterBad(Vec<u8>),
    /// These bytes first, by a client who then resets its connection; then the messages, by a new client.
    AfterReset(Vec<u8>),
    /// Messages, then the server is left alone with its client.
    Idle,
    /// Messages, the client leaves, and then the server is left alone.
    IdleAfter,
    /// The last message is answered only after one more has come. Played after a silence, to find out why.
    Nudged,
    /// All but the last in one send, and the last one a moment later.
    Late,
    /// As the exercise has it written down, to find out one thing.
    Probe(Probe),
}

/// What a script of an exercise's own finds out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Whether rules of the protocol are kept.
    Rules,
    /// What becomes of a client that sends nothing of the right digest.
    WrongDigest,
    /// What becomes of a client that sends a part of the right digest.
    PartialDigest,
    /// Whether two clients get the same challenge.
    FreshChallenge,
    /// Whether a client that has left is still counted.
    GoneMember,
    /// Whether a name leads out of the server's folder.
    OutsidePath,
    /// Whether a long text comes back as it was kept.
    LongText,
}

/// Messages and the way to play them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The payloads.
    pub messages: Vec<Vec<u8>>,
    /// How they are played.
    pub way: Way,
    /// Sent as a program would mean it that misreads the exercise; `None`: as the exercise has it.
    pub misread: Option<Misread>,
}

/// Another reading of the wire, to be tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misread {
    /// How requests are sent.
    pub asks: Codec,
    /// How answers are read.
    pub answers: Codec,
}

impl Plan {
    /// A plan.
    #[must_use]
    pub fn new(way: Way, messages: &[&[u8]]) -> Plan {
        Plan { messages: messages.iter().map(|m| m.to_vec()).collect(), way, misread: None }
    }

    /// The script that plays it.
    #[must_use]
    pub fn script(&self, dialect: &dyn Dialect) -> Script {
        let mut writer = Writer { plan: self, dialect, script: Script::default() };
        writer.write();
        writer.script
    }

    /// The messages' bytes as one stream.
    #[must_use]
    pub fn stream(&self, dialect: &dyn Dialect) -> Wire {
        let mut wire = Wire::default();
        let codec = self.misread.map_or(dialect.codec(), |misread| misread.asks);
        for message in &self.messages {
            wire.append(&codec.encode(&dialect.ask(0, message).payload));
        }
        wire
    }
}

/// What one of several clients sends in place of `message`: it tells whom its answer is meant for.
pub(super) fn interleaved_payload(message: &[u8], client: usize) -> Vec<u8> {
    [message, format!(" from {client}").as_bytes()].concat()
}

struct Writer<'a> {
    plan: &'a Plan,
    dialect: &'a dyn Dialect,
    script: Script,
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
            Way::HalfClosed => {
                let large = self.plan.messages.iter().map(Vec::len).sum::<usize>() >= OVERFLOWS;
                // A login, or a greeting, would have to be read first.
                let unread =
                    large && self.dialect.greeting().is_empty() && self.dialect.opening(0).is_empty();
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
            Way::Successive => {
                for client in 0..2 {
                    self.open(client, false);
                    self.one_by_one(client);
                    self.script
                        .add(client, Act::HalfClose)
                        .add(client, Act::Ignore(PAUSE))
                        .add(client, Act::Close);
                    if client == 0 {
                        self.script.add(client, Act::Pause(DEPARTURE));
                    }
                }
            }
            Way::Interleaved => self.interleaved(),
            Way::Silent => {
                self.script.add(0, Act::Open { holds: false }).add(0, Act::Pause(EARLY));
                self.open(1, false);
                self.one_by_one(1);
            }
            Way::Waiting => self.waiting(),
            Way::SlowReader => self.slow_reader(),
            Way::AfterBad(bytes) => self.after_bad(bytes),
            Way::AfterReset(bytes) => self.after_reset(bytes),
            Way::Idle => {
                self.open(0, false);
                self.one_by_one(0);
                self.script.add(0, Act::Pause(IDLE / 4)).add(0, Act::Idle(IDLE));
            }
            Way::IdleAfter => {
                self.open(0, false);
                self.one_by_one(0);
                self.script.add(0, Act::HalfClose).add(0, Act::Ignore(PAUSE)).add(0, Act::Close);
                self.script.add(0, Act::Pause(IDLE / 4)).add(0, Act::Idle(IDLE));
            }
            Way::Nudged => self.nudged(),
            Way::Late => self.late(),
            Way::Probe(_) => {}
        }
    }

    /// Connects, and hears what the server says first.
    fn greeted(&mut self, client: usize, holds: bool) {
        self.script.add(client, Act::Open { holds });
        for expect in self.dialect.greeting() {
            self.script.add(client, Act::Expect(expect));
        }
    }

    fn open(&mut self, client: usize, holds: bool) {
        self.greeted(client, holds);
        for turn in self.dialect.opening(client) {
            self.say(client, &turn);
            self.expect(client, &turn);
        }
    }

    /// Sends a message whole.
    fn say(&mut self, client: usize, turn: &Turn) {
        let act = match &turn.make {
            Some(make) => Act::SendMade(make.clone(), Vec::new()),
            None => Act::Send(self.wire(turn)),
        };
        self.script.add(client, act);
    }

    fn wire(&self, turn: &Turn) -> Wire {
        let codec = self.plan.misread.map_or(self.dialect.codec(), |misread| misread.asks);
        codec.encode(&turn.payload)
    }

    fn expect(&mut self, client: usize, turn: &Turn) {
        for expect in &turn.expect {
            let expect = match self.plan.misread {
                Some(misread) => expect.recoded(misread.answers),
                None => expect.clone(),
            };
            self.script.add(client, Act::Expect(expect));
        }
    }

    fn turn(&self, client: usize, n: usize) -> Turn {
        self.dialect.ask(client, &self.plan.messages[n])
    }

    fn one_by_one(&mut self, client: usize) {
        for n in 0..self.plan.messages.len() {
            let turn = self.turn(client, n);
            self.say(client, &turn);
            self.expect(client, &turn);
        }
    }

    /// The first message in pieces, each of which the server has read before the next one goes.
    fn first_cut(&mut self, cuts: &[usize], pause: Option<Duration>) {
        self.open(0, false);
        let first = self.turn(0, 0);
        if let Some(make) = &first.make {
            self.script.add(0, Act::SendMade(make.clone(), cuts.to_vec()));
        } else {
            let wire = self.wire(&first);
            let pieces = super::script::cut(&wire, cuts);
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

    fn answers(&mut self, client: usize, which: std::ops::Range<usize>) {
        for n in which {
            let turn = self.turn(client, n);
            self.expect(client, &turn);
        }
    }

    fn coalesced(&mut self) {
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
    fn in_pieces(&mut self, cuts: &[usize]) {
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
        let pieces = super::script::cut(&wire, cuts);
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

    /// Three clients; each sends half of a message, then each the other half.
    fn interleaved(&mut self) {
        const CLIENTS: usize = 3;
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
                let mut pieces = super::script::cut(&wire, &[at]).into_iter();
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

    fn waiting(&mut self) {
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

    /// Everything is asked before anything is read, so that answers pile up on the server's side.
    fn slow_reader(&mut self) {
        self.script.add(0, Act::Open { holds: true });
        let mut turns = self.dialect.opening(0);
        let numbered = |n: usize| super::case::numbered(n * SLOW_SIZE / 7, SLOW_SIZE);
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

    fn after_bad(&mut self, bytes: &[u8]) {
        self.script.add(0, Act::Open { holds: false });
        let bad = Wire {
            bytes: bytes.to_vec(),
            fields: vec![super::codec::Field { name: "bad input", start: 0, end: bytes.len() }],
        };
        self.script.add(0, Act::Send(bad)).add(0, Act::Taken).add(0, Act::HalfClose);
        self.script.add(0, Act::Ignore(AFTER_BAD)).add(0, Act::Close);
        self.open(1, false);
        self.one_by_one(1);
    }

    fn after_reset(&mut self, bytes: &[u8]) {
        self.script.add(0, Act::Open { holds: false }).add(0, Act::Send(Codec::Raw.encode(bytes)));
        self.script.add(0, Act::Taken).add(0, Act::Ignore(EARLY)).add(0, Act::Reset);
        self.script.add(0, Act::Pause(PAUSE));
        self.open(1, false);
        self.one_by_one(1);
    }

    fn nudged(&mut self) {
        self.open(0, false);
        for n in 0..self.plan.messages.len() {
            let turn = self.turn(0, n);
            self.script.add(0, Act::Send(self.wire(&turn)));
            self.script.add(0, Act::Taken).add(0, Act::Pause(EARLY));
        }
        self.answers(0, 0..self.plan.messages.len());
    }

    fn late(&mut self) {
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
