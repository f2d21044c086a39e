//! The server's part on a connection: it takes messages and says what the play has it say, cut, held back or pushed.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::play::Way;
use super::player::{LOOK, MOST, Player};
use super::seen::{Did, Fault};
use crate::check::codec::Wire;
use crate::net::{Cause, Stream, table};

/// A pause that nobody's time-out mistakes for a lost answer.
pub(super) const LATE: Duration = Duration::from_millis(400);
/// A client that has not asked on by then waits for its answer.
const ASKS_ON: Duration = Duration::from_millis(250);
/// A piece that was not read by then is left to itself.
const TAKEN: Duration = Duration::from_millis(400);
/// Between a piece that was read and the next one: the program is back in its next recv by then.
const BETWEEN: Duration = Duration::from_millis(5);
/// Before the first read of a slow server: the client's buffers are full by then.
const SLEEPS_IN: Duration = Duration::from_millis(200);
/// Between two reads of a slow server.
const SLOWLY: Duration = Duration::from_millis(2);

impl Player<'_> {
    /// Answers until all has been answered. What [`Way::Resets`] does then is left to who owns the connection.
    pub(super) fn serve(&mut self, stream: &Stream, addr: SocketAddr) -> Result<(), Fault> {
        let greeting = Wire { bytes: self.play.greeting.clone(), fields: Vec::new() };
        let cut = if let Way::CutGreeting(at) = self.play.way { Some(at) } else { None };
        self.send(stream, addr, &greeting, cut)?;
        if self.play.way == Way::Slow {
            self.pause(SLEEPS_IN);
            self.seen.note(Did::Paused(SLEEPS_IN));
        }
        let mut active = Instant::now();
        let mut buffer = vec![0; 64 << 10];
        let mut answered = 0;
        while self.seen.messages.len() < self.play.turns.len() {
            match stream.recv(&mut buffer) {
                Ok(0) => return Err(Fault::Ended),
                Ok(read) => {
                    active = Instant::now();
                    self.came(&buffer[..read])?;
                }
                Err(error) if error.cause() == Cause::TimedOut => {}
                Err(_) => return Err(Fault::Reset),
            }
            if self.play.way == Way::Slow {
                std::thread::sleep(SLOWLY);
            }
            let all = self.seen.messages.len() == self.play.turns.len();
            if self.play.way != Way::Coalesced || all || active.elapsed() > ASKS_ON {
                let before = answered;
                answered = self.answer(stream, addr, answered)?;
                if answered > before {
                    active = Instant::now();
                    if matches!(self.play.way, Way::ClosesAfter(_) | Way::Resets) {
                        return Ok(());
                    }
                }
            }
            if active.elapsed() > self.config.patience || self.is_over() {
                return Err(self.silent(stream));
            }
        }
        let none = self.play.turns.is_empty();
        match self.play.way {
            Way::Resets if none => {}
            Way::ClosesAfter(_) if none => self.half_close(stream),
            _ if self.play.ends => self.half_close(stream),
            _ => {}
        }
        Ok(())
    }

    /// Nothing comes. Is it that the program waits for the end of its stdin?
    fn silent(&mut self, stream: &Stream) -> Fault {
        if self.play.one_by_one && self.seen.received.is_empty() {
            self.stdin.end();
            let end = Instant::now() + self.config.patience;
            let mut buffer = [0; 1];
            while Instant::now() < end && !self.is_over() && self.child.exited().is_none() {
                if matches!(stream.peek(&mut buffer), Ok(1)) {
                    return Fault::Hoards;
                }
            }
        }
        Fault::Silent
    }

    /// Bytes from the client.
    fn came(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.seen.received(bytes);
        self.pending.extend_from_slice(bytes);
        if self.seen.received.len() > MOST {
            return Err(Fault::Flood);
        }
        while self.seen.messages.len() < self.play.turns.len() {
            let Some((message, used)) = self.play.decode(&self.pending).map_err(Fault::Garbled)? else {
                break;
            };
            self.pending.drain(..used);
            self.take(message)?;
        }
        Ok(())
    }

    /// A message from the client.
    pub(super) fn take(&mut self, message: Vec<u8>) -> Result<(), Fault> {
        let number = self.seen.messages.len();
        let right = self.play.turns.get(number).is_some_and(|turn| turn.wanted.fits(&message));
        self.seen.messages.push(message);
        if right { Ok(()) } else { Err(Fault::Wrong(number)) }
    }

    /// Answers the messages from number `from` on; returns how many are answered now.
    fn answer(&mut self, stream: &Stream, addr: SocketAddr, from: usize) -> Result<usize, Fault> {
        let to = self.seen.messages.len();
        let mut held = Wire::default();
        for number in from..to {
            match self.play.way {
                Way::Coalesced => {
                    // The last one comes apart: it brings to light what was kept of the others, or lost.
                    if number + 1 == self.play.turns.len() && !held.bytes.is_empty() {
                        self.send(stream, addr, &std::mem::take(&mut held), None)?;
                        await_read(stream, addr);
                        self.seen.note(Did::Waits);
                    }
                    held.append(&self.play.answer(number));
                }
                Way::Resets => return Ok(to),
                Way::ClosesAfter(most) => {
                    let answer = self.play.answer(number);
                    let bytes = answer.bytes[..most.min(answer.bytes.len())].to_vec();
                    self.send(stream, addr, &Wire { bytes, fields: Vec::new() }, None)?;
                    self.half_close(stream);
                    return Ok(to);
                }
                _ => self.say(stream, addr, number)?,
            }
            if self.play.way == Way::Unasked && number == 0 {
                self.push(stream, addr)?;
            }
            if self.play.one_by_one {
                self.give_line(number + 1);
            }
        }
        self.send(stream, addr, &held, None)?;
        Ok(to)
    }

    /// What the server says to message `number`, each message in a send of its own.
    fn say(&mut self, stream: &Stream, addr: SocketAddr, number: usize) -> Result<(), Fault> {
        if self.play.way == Way::Late {
            self.pause(LATE);
            self.seen.note(Did::Paused(LATE));
        }
        let cut = if let Way::Cut(at) = self.play.way { Some(at) } else { None };
        for (part, said) in self.play.says(number).iter().enumerate() {
            if number + part > 0 && self.play.way != Way::Slow {
                // A client that asks on while it waits would get them at once, and that is another play.
                await_read(stream, addr);
                if part > 0 {
                    self.seen.note(Did::Waits);
                }
            }
            self.send(stream, addr, said, cut)?;
        }
        Ok(())
    }

    /// Says what nobody asked for while stdin is open and silent, and looks whether it is printed.
    fn push(&mut self, stream: &Stream, addr: SocketAddr) -> Result<(), Fault> {
        let Some(push) = &self.play.push else { return Ok(()) };
        let wanted = self.play.printed();
        let before = self.play.turns[0].says.len();
        let answered = self.await_printed(&wanted[..before]);
        if answered {
            self.send(stream, addr, &self.play.codec.encode(&push.payload), None)?;
            if self.await_printed(&wanted[..=before]) {
                return Ok(());
            }
        }
        // Does the next line, or the end of them, bring it to light?
        self.give_line(1);
        let later = self.await_printed(&wanted[..before + usize::from(answered)]);
        Err(Fault::Unshown { push: answered, later })
    }

    /// Sends, in two pieces if `cut` is inside.
    fn send(
        &mut self,
        stream: &Stream,
        addr: SocketAddr,
        wire: &Wire,
        cut: Option<usize>,
    ) -> Result<(), Fault> {
        let pieces: Vec<&[u8]> = match cut.filter(|at| (1..wire.bytes.len()).contains(at)) {
            Some(at) => vec![&wire.bytes[..at], &wire.bytes[at..]],
            None if self.play.way == Way::Bytes => wire.bytes.chunks(1).collect(),
            None if wire.bytes.is_empty() => Vec::new(),
            None => vec![&wire.bytes],
        };
        let whole = pieces.len() == 1;
        for (number, piece) in pieces.iter().enumerate() {
            if number > 0 {
                await_read(stream, addr);
                self.seen.note(Did::Waits);
            }
            if self.is_over() {
                return Err(Fault::Unread);
            }
            stream.send_all(piece).map_err(|error| match error.cause() {
                Cause::TimedOut => Fault::Unread,
                _ => Fault::Reset,
            })?;
            self.seen.sent(piece, if whole { &wire.fields } else { &[] });
        }
        Ok(())
    }

    pub(super) fn half_close(&mut self, stream: &Stream) {
        // A client that is gone needs no end.
        let _ = stream.half_close();
        self.seen.note(Did::ServerEnds);
    }
}

/// Waits until the client has read what was sent, so that the next piece comes alone.
fn await_read(stream: &Stream, addr: SocketAddr) {
    let begun = Instant::now();
    while begun.elapsed() < TAKEN {
        match table::connection(stream.peer(), addr) {
            Ok(Some(row)) if row.recv_q > 0 => std::thread::sleep(Duration::from_millis(1)),
            Ok(_) => break,
            // No table on this system: blindly.
            Err(_) => {
                std::thread::sleep(LOOK);
                break;
            }
        }
    }
    std::thread::sleep(BETWEEN);
}
