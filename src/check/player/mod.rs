//! Plays a script against a server and notes what happens, with times. It judges each answer as it comes, and
//! stops at the first one that is wrong. Nothing here knows an exercise.
//!
//! | file          | what it holds                                                     |
//! |---------------|-------------------------------------------------------------------|
//! | `waits.rs`    | waiting for a server: until it has read, is stuck, has calmed down |
//! | `answers.rs`  | judging what comes, and what does not                             |
//! | `record.rs`   | what was seen, put together when the script is over                |

mod answers;
mod record;
mod waits;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use super::codec::{Codec, Wire};
use super::line::Line;
use super::outcome::{Event, Failure, Outcome, Talk, What};
use super::script::{Act, Given, Script, Step, cut};
use crate::net::table::Transport;
use crate::net::{NetError, Stop};

/// Where a script is played.
pub(super) struct Stage<'a> {
    pub(super) addr: SocketAddr,
    pub(super) transport: Transport,
    /// The folder around the server's own, if it is known.
    pub(super) around: Option<&'a Path>,
    /// How long the next byte of an answer may take.
    pub(super) patience: Duration,
    /// Ends the play early.
    pub(super) stop: &'a Stop,
    /// Processor time of the program so far.
    pub(super) cpu: &'a (dyn Fn() -> Option<Duration> + Sync),
    /// False once the program has ended.
    pub(super) alive: &'a (dyn Fn() -> bool + Sync),
}

/// Plays it.
///
/// # Errors
/// The checker's own: no descriptor, no thread.
pub(super) fn play(script: &Script, stage: &Stage<'_>) -> Result<Outcome, NetError> {
    let clients = script.clients();
    let mut player = Player {
        stage,
        begun: Instant::now(),
        lines: (0..clients).map(|_| None).collect(),
        talks: vec![Talk::default(); clients],
        datagrams: vec![0; clients],
        sent: Vec::new(),
        waited: Duration::ZERO,
        ignored: vec![false; clients],
        broken: None,
    };
    let mut failure = None;
    for step in &script.steps {
        if stage.stop.requested() {
            break;
        }
        if let Err(failed) = player.step(step) {
            failure = Some((step.client, failed));
            break;
        }
    }
    if let Some(error) = player.broken.take() {
        return Err(error);
    }
    let failure = failure.or_else(|| player.leftover());
    Ok(player.finish(failure))
}

struct Player<'a> {
    stage: &'a Stage<'a>,
    begun: Instant,
    lines: Vec<Option<Line>>,
    talks: Vec<Talk>,
    /// How many datagrams of each client were judged.
    datagrams: Vec<usize>,
    sent: Vec<Event>,
    /// How long was waited for reads of the server so far.
    waited: Duration,
    /// Clients whose answers are not judged, however late they come.
    ignored: Vec<bool>,
    /// The checker could not go on.
    broken: Option<NetError>,
}

impl Player<'_> {
    fn step(&mut self, step: &Step) -> Result<(), Failure> {
        let client = step.client;
        match &step.act {
            Act::Open { holds } => self.open(client, *holds)?,
            Act::Send(wire) => self.send(client, wire),
            Act::SendMade(make, cuts) => {
                let received = self.line(client)?.look(|inbox| inbox.bytes.clone());
                let bytes = make(Given { received: &received, around: self.stage.around });
                let wire = Codec::Raw.encode(&bytes);
                for (n, piece) in cut(&wire, cuts).iter().enumerate() {
                    if n > 0 {
                        self.taken(client);
                    }
                    self.send(client, piece);
                }
            }
            Act::Flood(wire) => self.flood(client, wire)?,
            Act::Stuck => self.stuck(client)?,
            Act::Read => self.line(client)?.read(),
            Act::Settle => self.settle(client)?,
            Act::Taken => self.taken(client),
            Act::Pause(time) => self.pause(client, *time),
            Act::HalfClose => {
                self.line(client)?.half_close();
                self.note(client, What::HalfClosed);
            }
            Act::Close => {
                self.line_mut(client)?.close();
                self.note(client, What::Closed);
            }
            Act::Reset => {
                self.line_mut(client)?.reset();
                self.note(client, What::Reset);
            }
            Act::Expect(expect) => self.expect(client, expect)?,
            Act::Nothing(time) => self.nothing(client, *time)?,
            Act::End => self.end(client)?,
            Act::Denied(bytes) => self.denied(client, bytes)?,
            Act::Differs(other) => self.differs(client, *other)?,
            Act::Ignore(time) => {
                let end = Instant::now() + *time;
                self.line(client)?.wait(end, |inbox| inbox.ended.map(|_| ()));
                let (came, datagrams) =
                    self.line(client)?.look(|inbox| (inbox.bytes.len(), inbox.chunks.len()));
                self.talks[client].right = came;
                self.datagrams[client] = datagrams;
                self.ignored[client] = true;
            }
            Act::File { name, first, rest } => self.file(name, first, rest)?,
            Act::Idle(time) => self.idle(*time)?,
        }
        Ok(())
    }

    fn line(&self, client: usize) -> Result<&Line, Failure> {
        self.lines[client].as_ref().ok_or(Failure::Refused)
    }

    fn line_mut(&mut self, client: usize) -> Result<&mut Line, Failure> {
        self.lines[client].as_mut().ok_or(Failure::Refused)
    }

    fn note(&mut self, client: usize, what: What) {
        self.sent.push(Event { at: self.begun.elapsed(), client, what });
    }

    fn open(&mut self, client: usize, holds: bool) -> Result<(), Failure> {
        let stage = self.stage;
        self.note(client, What::Opened);
        match Line::open(stage.transport, stage.addr, holds, stage.patience, stage.stop) {
            Ok(line) => self.lines[client] = Some(line),
            Err(error) => {
                self.broken = error.is_local().then_some(error);
                return Err(Failure::Refused);
            }
        }
        Ok(())
    }

    fn noted(&mut self, client: usize, wire: &Wire) {
        let start = self.talks[client].sent.len();
        self.talks[client].sent.extend_from_slice(&wire.bytes);
        let end = start + wire.bytes.len();
        self.note(client, What::Sent { start, end, fields: wire.fields.clone() });
    }

    /// A server that does not take it is told by the answer that does not come.
    fn send(&mut self, client: usize, wire: &Wire) {
        self.noted(client, wire);
        if let Some(line) = &self.lines[client] {
            line.send(&wire.bytes);
        }
    }
}
