//! Plays a script against a server and notes what happens, with times. It judges each answer as it comes, and
//! stops at the first one that is wrong. Nothing here knows an exercise.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::codec::Wire;
use super::expect::{Expect, Judged};
use super::line::Line;
use super::outcome::{Ended, Event, Failure, Outcome, Talk, What};
use super::script::{Act, Script, Step, cut};
use crate::net::table::{self, Transport};

/// A server that has not read a byte by then is busy with something else; the script goes on.
const TAKEN: Duration = Duration::from_millis(400);
/// The same for all the waits of one script: a server that is slow with each byte is believed to be.
const TAKEN_IN_ALL: Duration = Duration::from_secs(2);
/// Between two pieces where nothing tells whether the first one was read.
const BLIND: Duration = Duration::from_millis(30);
/// What is kept of a flood.
const KEPT: usize = 4 << 10;
/// A flood that has not moved for so long is stuck.
const STUCK: Duration = Duration::from_millis(300);
/// The longest that a flood is waited for until it gets stuck.
const FLOOD: Duration = Duration::from_secs(5);
/// After a wrong byte the rest of the wrong answer is of interest, if it comes soon.
const AFTERMATH: Duration = Duration::from_millis(150);
/// How long a server may take to end its side when its client has.
const PARTING: Duration = Duration::from_millis(150);
/// A share of a processor (in percent) that no server needs while nobody asks it for anything. Low, because on a loaded
/// machine one that spins gets little of it.
pub(super) const BUSY_PERCENT: u32 = 10;

/// The longest that one script waits for answers that keep coming: a byte a second, for ever.
const DRIPPING: Duration = Duration::from_secs(60);

/// Where a script is played.
pub(super) struct Stage<'a> {
    pub(super) addr: SocketAddr,
    pub(super) transport: Transport,
    /// How long the next byte of an answer may take.
    pub(super) patience: Duration,
    /// Processor time of the program so far.
    pub(super) cpu: &'a (dyn Fn() -> Option<Duration> + Sync),
    /// False once the program has ended.
    pub(super) alive: &'a (dyn Fn() -> bool + Sync),
}

/// Plays it.
pub(super) fn play(script: &Script, stage: &Stage<'_>) -> Outcome {
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
    };
    let mut failure = None;
    for step in &script.steps {
        if let Err(failed) = player.step(step) {
            failure = Some((step.client, failed));
            break;
        }
    }
    let failure = failure.or_else(|| player.leftover());
    player.finish(failure)
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
}

impl Player<'_> {
    fn step(&mut self, step: &Step) -> Result<(), Failure> {
        let client = step.client;
        match &step.act {
            Act::Open { holds } => self.open(client, *holds)?,
            Act::Send(wire) => self.send(client, wire),
            Act::SendMade(make, cuts) => {
                let bytes = make(&self.line(client)?.look(|inbox| inbox.bytes.clone()));
                let wire = super::codec::Codec::Raw.encode(&bytes);
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
        let line = Line::open(stage.transport, stage.addr, holds, stage.patience);
        self.lines[client] = Some(line.map_err(|_| Failure::Refused)?);
        self.note(client, What::Opened);
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

    fn flood(&mut self, client: usize, wire: &Wire) -> Result<(), Failure> {
        // Only its beginning is kept: it is long.
        let head = wire.bytes[..wire.bytes.len().min(KEPT)].to_vec();
        self.noted(client, &Wire { bytes: head, fields: Vec::new() });
        let patience = self.stage.patience * 3;
        self.line_mut(client)?.flood(wire.bytes.clone(), patience);
        Ok(())
    }

    fn stuck(&mut self, client: usize) -> Result<(), Failure> {
        let begun = Instant::now();
        let (mut last, mut moved) = (0, begun);
        while begun.elapsed() < FLOOD && moved.elapsed() < STUCK {
            let (sent, done) = self.line(client)?.flooded();
            if sent > last {
                (last, moved) = (sent, Instant::now());
            }
            if done {
                // All is on its way, and fits into the buffers of this side. On the other side it still moves.
                self.crammed(client, begun + FLOOD)?;
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.note(client, What::Paused(begun.elapsed()));
        Ok(())
    }

    /// Waits until the server reads no more, and sends no more: its send buffer is full.
    fn crammed(&self, client: usize, end: Instant) -> Result<(), Failure> {
        let Some(local) = self.line(client)?.local() else { return Ok(()) };
        let (mut last, mut moved) = (None, Instant::now());
        while moved.elapsed() < STUCK && Instant::now() < end {
            let row = table::connection(self.stage.addr, local).ok().flatten();
            let queues = row.map(|row| (row.recv_q, row.send_q));
            if queues != last {
                (last, moved) = (queues, Instant::now());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn settle(&mut self, client: usize) -> Result<(), Failure> {
        let begun = Instant::now();
        let line = self.line(client)?;
        let mut had = 0;
        while begun.elapsed() < FLOOD {
            let more = line.wait(Instant::now() + STUCK, |inbox| {
                let more = inbox.bytes.len() > had && inbox.ended.is_none();
                more.then_some(inbox.bytes.len())
            });
            // Still sending: the server takes its time.
            match more {
                Some(have) => had = have,
                None if line.flooded().1 || line.look(|inbox| inbox.ended.is_some()) => break,
                None => {}
            }
        }
        Ok(())
    }

    fn pause(&mut self, client: usize, time: Duration) {
        std::thread::sleep(time);
        self.note(client, What::Paused(time));
    }

    /// Waits until the server's receive queue is empty: then the next bytes come in another recv.
    fn taken(&mut self, client: usize) {
        let begun = Instant::now();
        let Some(local) = self.lines[client].as_ref().and_then(Line::local) else { return };
        let mut taken = false;
        let mut pause = Duration::from_micros(200);
        while self.waited + begun.elapsed() < TAKEN_IN_ALL && begun.elapsed() < TAKEN {
            match table::connection(self.stage.addr, local) {
                Ok(Some(row)) if row.recv_q == 0 => {
                    taken = true;
                    break;
                }
                Ok(Some(_)) => std::thread::sleep(pause),
                Ok(None) => break,
                Err(_) => {
                    std::thread::sleep(BLIND);
                    taken = true;
                    break;
                }
            }
            pause = (pause * 2).min(Duration::from_millis(5));
        }
        self.waited += begun.elapsed();
        if !taken {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.note(client, What::Taken(taken));
    }

    fn expect(&mut self, client: usize, expect: &Expect) -> Result<(), Failure> {
        self.talks[client].expected.push(expect.clone());
        let from = self.talks[client].right;
        let judged = if self.stage.transport == Transport::Udp {
            self.datagram(client, expect)?
        } else {
            self.stream(client, expect, from)?
        };
        match judged {
            Judged::Done(used) => {
                self.talks[client].right = from + used;
                self.note(client, What::Answered);
                Ok(())
            }
            Judged::Wrong(at, why) => Err(Failure::Wrong { at: from + at, why }),
            Judged::More => Err(Failure::Silent),
        }
    }

    /// Waits as long as bytes keep coming: a slow server is no wrong one.
    fn stream(&self, client: usize, expect: &Expect, from: usize) -> Result<Judged, Failure> {
        let line = self.line(client)?;
        let mut had = line.look(|inbox| inbox.bytes.len());
        loop {
            let end = Instant::now() + self.stage.patience;
            let seen = line.wait(end, |inbox| match expect.judge(&inbox.bytes[from..]) {
                Judged::More => match inbox.ended {
                    Some((how, _)) => Some(Err(Failure::Gone(how))),
                    None if inbox.bytes.len() > had => {
                        had = inbox.bytes.len();
                        Some(Ok(Judged::More))
                    }
                    None => None,
                },
                judged => Some(Ok(judged)),
            });
            match seen {
                Some(Ok(Judged::More)) if self.begun.elapsed() < DRIPPING => {}
                Some(judged) => return judged,
                None => return Ok(Judged::More),
            }
        }
    }

    fn datagram(&mut self, client: usize, expect: &Expect) -> Result<Judged, Failure> {
        let n = self.datagrams[client];
        let (line, alive) = (self.line(client)?, self.stage.alive);
        let end = Instant::now() + self.stage.patience;
        // A program that has ended will not answer: looked at a few times, because nothing else tells.
        let mut came = None;
        while came.is_none() && Instant::now() < end {
            let soon = end.min(Instant::now() + Duration::from_millis(100));
            came = line.wait(soon, |inbox| (inbox.chunks.len() > n).then(|| chunk(inbox, n)));
            if came.is_none() && !alive() {
                break;
            }
        }
        let Some(bytes) = came else { return Ok(Judged::More) };
        self.datagrams[client] += 1;
        Ok(match expect.judge(&bytes) {
            Judged::Done(used) if used < bytes.len() => {
                Judged::Wrong(used, format!("{} bytes more than expected", bytes.len() - used))
            }
            Judged::More => {
                let wanted = expect.bytes().map_or(0, |bytes| bytes.len());
                Judged::Wrong(bytes.len(), format!("cut off after {} of {wanted} bytes", bytes.len()))
            }
            judged => judged,
        })
    }

    fn nothing(&self, client: usize, time: Duration) -> Result<(), Failure> {
        let right = self.talks[client].right;
        // What the last answer passes over may follow it, too: notices to all in a room.
        let last = self.talks[client].expected.last();
        let notices = |bytes: &[u8]| last.map_or(0, |expect| expect.passed_over(bytes));
        let judged = self.datagrams[client];
        let udp = self.stage.transport == Transport::Udp;
        let end = Instant::now() + time;
        let came = self.line(client)?.wait(end, |inbox| {
            let more = if udp {
                inbox.chunks.len() > judged
            } else {
                inbox.bytes.len() > right + notices(&inbox.bytes[right..])
            };
            more.then_some(Failure::Unasked { at: right }).or(inbox.ended.map(|(how, _)| Failure::Gone(how)))
        });
        came.map_or(Ok(()), Err)
    }

    fn end(&mut self, client: usize) -> Result<(), Failure> {
        let right = self.talks[client].right;
        let exact = judges_all(&self.talks[client]);
        let end = Instant::now() + self.stage.patience;
        let seen = self.line(client)?.wait(end, |inbox| match inbox.ended {
            _ if inbox.bytes.len() > right && exact => Some(Err(Failure::Unasked { at: right })),
            Some((Ended::Fin, _)) => Some(Ok(())),
            Some((Ended::Reset, _)) => Some(Err(Failure::Gone(Ended::Reset))),
            None => None,
        });
        seen.unwrap_or(Err(Failure::StaysOpen))
    }

    fn denied(&mut self, client: usize, granted: &[u8]) -> Result<(), Failure> {
        let right = self.talks[client].right;
        let end = Instant::now() + self.stage.patience;
        let seen = self.line(client)?.wait(end, |inbox| {
            let said = inbox.bytes[right..].windows(granted.len().max(1)).any(|window| window == granted);
            match inbox.ended {
                _ if said => Some(Err(Failure::Unasked { at: right })),
                Some(_) => Some(Ok(())),
                None => None,
            }
        });
        seen.unwrap_or(Err(Failure::StaysOpen))
    }

    fn differs(&self, client: usize, other: usize) -> Result<(), Failure> {
        let head = |line: &Line| line.look(|inbox| inbox.bytes[..inbox.bytes.len().min(32)].to_vec());
        if head(self.line(client)?) == head(self.line(other)?) {
            return Err(Failure::Wrong { at: 0, why: "the same bytes as for another client".to_owned() });
        }
        Ok(())
    }

    fn idle(&mut self, time: Duration) -> Result<(), Failure> {
        let begun = Instant::now();
        let Some(before) = (self.stage.cpu)() else { return Ok(()) };
        std::thread::sleep(time);
        let Some(after) = (self.stage.cpu)() else { return Ok(()) };
        let (used, passed) = (after.saturating_sub(before).as_millis(), begun.elapsed().as_millis().max(1));
        let percent = u32::try_from(used * 100 / passed).unwrap_or(u32::MAX);
        if percent >= BUSY_PERCENT { Err(Failure::Busy(percent)) } else { Ok(()) }
    }

    /// What came behind the last answer although nobody asked for it, as far as it is there already.
    fn leftover(&self) -> Option<(usize, Failure)> {
        let udp = self.stage.transport == Transport::Udp;
        self.talks.iter().enumerate().find_map(|(client, talk)| {
            let line = self.lines[client].as_ref()?;
            let (bytes, datagrams) = line.look(|inbox| (inbox.bytes.len(), inbox.chunks.len()));
            let more = if udp { datagrams > self.datagrams[client] } else { bytes > talk.right };
            let failure = Failure::Unasked { at: talk.right };
            (more && !self.ignored[client] && judges_all(talk)).then_some((client, failure))
        })
    }

    fn finish(mut self, failure: Option<(usize, Failure)>) -> Outcome {
        if let Some((client, Failure::Wrong { .. } | Failure::Unasked { .. })) = failure
            && let Some(line) = &self.lines[client]
        {
            let mut end = Instant::now() + AFTERMATH;
            let mut had = line.look(|inbox| inbox.bytes.len());
            let last = end + AFTERMATH;
            while line
                .wait(end, |i| (i.bytes.len() > had || i.ended.is_some()).then_some(i.bytes.len()))
                .is_some_and(|n| n > had)
                && end < last
            {
                had = line.look(|inbox| inbox.bytes.len());
                end = last.min(Instant::now() + AFTERMATH);
            }
        }
        let took = self.begun.elapsed();
        let mut events = self.sent;
        for (client, line) in self.lines.iter_mut().enumerate() {
            let Some(line) = line else { continue };
            // What comes after a failure answers the end of this client's side: it is no part of what was seen.
            let (chunks, ended) = line.look(|inbox| (inbox.chunks.len(), inbox.ended));
            let seen = |all: usize| if failure.is_some() { chunks } else { all };
            line.half_close();
            if failure.is_none() {
                // A server that has seen the client's end is free for the next script.
                line.wait(Instant::now() + PARTING, |inbox| inbox.ended.map(|_| ()));
            }
            line.close();
            let talk = &mut self.talks[client];
            line.look(|inbox| {
                let mut start = 0;
                for (end, at) in &inbox.chunks[..seen(inbox.chunks.len())] {
                    let at = at.saturating_duration_since(self.begun);
                    events.push(Event { at, client, what: What::Received { start, end: *end } });
                    start = *end;
                }
                let ended = if failure.is_some() { ended } else { inbox.ended };
                if let Some((how, at)) = ended {
                    let at = at.saturating_duration_since(self.begun);
                    events.push(Event { at, client, what: What::Ended(how) });
                }
                talk.received = inbox.bytes[..start].to_vec();
                talk.ended = ended.map(|(how, _)| how);
                talk.ends = inbox.chunks[..seen(inbox.chunks.len())].iter().map(|(end, _)| *end).collect();
            });
        }
        events.sort_by_key(|event| event.at);
        Outcome { talks: self.talks, events, failure, took, ..Outcome::default() }
    }
}

/// True where each byte of a client is judged; where messages may be passed over, more may follow.
fn judges_all(talk: &Talk) -> bool {
    !talk.expected.iter().any(|expect| matches!(expect, Expect::Json { .. } | Expect::Any(_)))
}

fn chunk(inbox: &super::line::Inbox, n: usize) -> Vec<u8> {
    let start = if n == 0 { 0 } else { inbox.chunks[n - 1].0 };
    inbox.bytes[start..inbox.chunks[n].0].to_vec()
}
