//! Waiting for a server: until it has read what was sent, until its answers are stuck, until nothing more comes; and
//! what it does while nobody asks it for anything.

use std::time::{Duration, Instant};

use super::Player;
use crate::check::codec::Wire;
use crate::check::line::Line;
use crate::check::outcome::{Failure, What};
use crate::net::table;

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
/// How often a wait looks whether the check is ended.
const STOPS: Duration = Duration::from_millis(50);
/// A share of a processor (in percent) that no server needs while nobody asks it for anything. Low, because on a loaded
/// machine one that spins gets little of it.
const BUSY_PERCENT: u32 = 10;

impl Player<'_> {
    /// Looks into the server's folder, if that is known.
    pub(super) fn file(&self, name: &str, first: &str, rest: &str) -> Result<(), Failure> {
        let Some(around) = self.stage.around else { return Ok(()) };
        let wrong = match std::fs::read_to_string(around.join("files").join(name)) {
            Ok(text) => match text.split_once('\n') {
                Some((line, kept)) if line.starts_with(first) && kept == rest => return Ok(()),
                Some((line, _)) if !line.starts_with(first) => format!("does not begin with `{first}`"),
                _ => "does not hold the text behind its first line, and nothing else".to_owned(),
            },
            Err(error) => format!("can't be read ({error})"),
        };
        Err(Failure::Trace(format!("the file `{name}` in the server's folder {wrong}")))
    }

    /// Sends on the side, however long it takes.
    pub(super) fn flood(&mut self, client: usize, wire: &Wire) -> Result<(), Failure> {
        // Only its beginning is kept: it is long.
        let head = wire.bytes[..wire.bytes.len().min(KEPT)].to_vec();
        self.noted(client, &Wire { bytes: head, fields: Vec::new() });
        let patience = self.stage.patience * 3;
        if let Err(error) = self.line_mut(client)?.flood(wire.bytes.clone(), patience) {
            self.broken = Some(error);
            return Err(Failure::Unread);
        }
        Ok(())
    }

    /// Waits until what is sent on the side does not move any more, on either side.
    pub(super) fn stuck(&mut self, client: usize) -> Result<(), Failure> {
        let begun = Instant::now();
        let (mut last, mut moved) = (0, begun);
        while !self.stage.stop.requested() && begun.elapsed() < FLOOD && moved.elapsed() < STUCK {
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
        while !self.stage.stop.requested() && moved.elapsed() < STUCK && Instant::now() < end {
            let row = table::connection(self.stage.addr, local).ok().flatten();
            let queues = row.map(|row| (row.recv_q, row.send_q));
            if queues != last {
                (last, moved) = (queues, Instant::now());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Waits until nothing more has come for a while.
    pub(super) fn settle(&mut self, client: usize) -> Result<(), Failure> {
        let begun = Instant::now();
        let line = self.line(client)?;
        let mut had = 0;
        while !self.stage.stop.requested() && begun.elapsed() < FLOOD {
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

    /// Waits, unless the check is ended.
    fn rest(&self, time: Duration) {
        let end = Instant::now() + time;
        while !self.stage.stop.requested() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(STOPS));
        }
    }

    pub(super) fn pause(&mut self, client: usize, time: Duration) {
        self.rest(time);
        self.note(client, What::Paused(time));
    }

    /// Waits until the server's receive queue is empty: then the next bytes come in another recv.
    pub(super) fn taken(&mut self, client: usize) {
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

    /// Measures the processor time that is used for nothing.
    pub(super) fn idle(&mut self, time: Duration) -> Result<(), Failure> {
        let begun = Instant::now();
        let Some(before) = (self.stage.cpu)() else { return Ok(()) };
        self.rest(time);
        let Some(after) = (self.stage.cpu)() else { return Ok(()) };
        let (used, passed) = (after.saturating_sub(before).as_millis(), begun.elapsed().as_millis().max(1));
        let percent = u32::try_from(used * 100 / passed).unwrap_or(u32::MAX);
        if percent >= BUSY_PERCENT { Err(Failure::Busy(percent)) } else { Ok(()) }
    }
}
