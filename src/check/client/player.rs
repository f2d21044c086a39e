//! Plays the server for one run of the client: starts it, has the conversation, and notes what it does and prints.
//! Each wait has an end. It stops at the first message that is wrong.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::door::{self, Door};
use super::play::{Asks, Play, Way};
use super::seen::{Did, Fault, Seen, lines, printed_all};
use super::stdin::Stdin;
use crate::check::exercise::Exercise;
use crate::check::subject::{last, place};
use crate::check::{CheckError, Config};
use crate::net::{Cause, Stream};
use crate::process::{Child, Program};

/// How long a program may take until it comes: an interpreter.
const START: Duration = Duration::from_secs(10);
/// The same of one that works all the while: a virtual machine on a loaded machine.
const SLOW_START: Duration = Duration::from_secs(30);
/// How often such a one is looked at.
const WORKS: Duration = Duration::from_secs(2);
/// How often a wait looks up.
pub(super) const LOOK: Duration = Duration::from_millis(20);
/// How long a conversation may take, besides twice the patience: drops that come in time for ever are none.
const CONVERSATION: Duration = Duration::from_secs(10);
/// After the last answer: what is printed too much comes about now.
const SURPLUS: Duration = Duration::from_millis(60);
/// How long the processor time of a program that does not end is taken.
const MEASURE: Duration = Duration::from_millis(400);
/// More than any client here has to say.
pub(super) const MOST: usize = 1 << 20;

/// The time that a program takes until it comes.
pub(super) struct Starting {
    begun: Instant,
    /// When it is late, if it has not worked since the last look.
    end: Instant,
    /// The processor time that it had used by then.
    used: Option<Duration>,
}

impl Starting {
    pub(super) fn new() -> Starting {
        let begun = Instant::now();
        Starting { begun, end: begun + START, used: None }
    }

    /// True if it will not come any more.
    pub(super) fn is_late(&mut self, child: &Child) -> bool {
        let now = Instant::now();
        if now < self.end {
            return false;
        }
        let used = child.cpu_time();
        let works = used > std::mem::replace(&mut self.used, used);
        self.end = now + WORKS;
        !works || now - self.begun > SLOW_START
    }
}

/// One run.
pub(super) struct Player<'a> {
    pub(super) play: &'a Play,
    pub(super) config: &'a Config,
    pub(super) child: Child,
    pub(super) stdin: Stdin,
    pub(super) seen: Seen,
    /// What came and is no whole message yet.
    pub(super) pending: Vec<u8>,
    /// When the conversation is over, whatever has come by then.
    pub(super) end: Instant,
}

/// Starts the program and plays for it.
///
/// # Errors
/// The checker's own: no port, or a program that can't be started.
pub(super) fn play(
    play: &Play,
    exercise: &Exercise,
    program: &Program,
    config: &Config,
) -> Result<Seen, CheckError> {
    let (door, addr) = door::open(exercise.transport, play.way)?;
    let mut program = place(program, &addr.ip().to_string(), addr.port());
    program.stdin = true;
    // Text goes through pipes here, whose encoding the system's settings decide.
    program.env.push(("PYTHONIOENCODING".into(), "utf-8".into()));
    program.env.extend(exercise.env.iter().map(|(name, value)| (name.into(), value.into())));
    let mut child = program.spawn()?;
    let stdin = Stdin::of(&mut child);
    let (seen, pending) = (Seen::default(), Vec::new());
    let mut player = Player { play, config, child, stdin, seen, pending, end: Instant::now() };
    player.give_lines();
    // The listener lives until the program is judged: a port that refuses would be another play.
    let kept = match &door {
        Door::Tcp(listener, options) => {
            match door::accept(listener, addr, options, &mut player.child, &config.stop) {
                Some(stream) => player.converse(stream, addr),
                None => player.failed(Fault::NoConnection),
            }
        }
        Door::Udp(socket) => player.datagrams(socket).err().and_then(|fault| player.failed(fault)),
        Door::Shut { .. } => None,
    };
    player.finish(kept.as_ref());
    drop(door);
    Ok(player.seen)
}

impl Player<'_> {
    /// Gives the program its stdin, or the first line of it.
    fn give_lines(&mut self) {
        if self.play.one_by_one {
            self.give_line(0);
        } else {
            self.stdin.give(self.play.stdin());
            self.stdin.end();
        }
    }

    /// Line `number`, or the end behind the last one.
    pub(super) fn give_line(&mut self, number: usize) {
        match self.play.lines().get(number) {
            Some(line) => self.stdin.give([line, &b"\n"[..]].concat()),
            None => self.stdin.end(),
        }
    }

    /// Notes that the conversation broke off; there is no connection any more.
    fn failed(&mut self, fault: Fault) -> Option<Stream> {
        self.seen.fault = Some(fault);
        None
    }

    /// The conversation on a connection; returns that if it goes on.
    fn converse(&mut self, stream: Stream, addr: SocketAddr) -> Option<Stream> {
        self.seen.note(Did::Connects);
        self.begin();
        let set = stream.set_recv_timeout(Some(LOOK));
        if set.and_then(|()| stream.set_send_timeout(Some(self.config.patience))).is_err() {
            return self.failed(Fault::NoConnection);
        }
        if self.play.asks == Asks::Connection {
            return Some(stream);
        }
        match self.serve(&stream, addr) {
            Ok(()) if self.play.way == Way::Resets => {
                // The linger time is nothing.
                drop(stream);
                self.seen.note(Did::ServerResets);
                None
            }
            Ok(()) => Some(stream),
            // An end now would have it end, too, with words that are not about its silence.
            Err(Fault::Silent) => {
                self.seen.fault = Some(Fault::Silent);
                Some(stream)
            }
            Err(fault) => self.failed(fault),
        }
    }

    /// From now on the time runs.
    pub(super) fn begin(&mut self) {
        self.end = Instant::now() + CONVERSATION + 2 * self.config.patience;
    }

    /// True once the conversation has taken its time, or the check is ended.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() > self.end || self.config.stop.requested()
    }

    /// Does nothing for this time, or until the check is ended.
    pub(super) fn pause(&self, time: Duration) {
        let end = Instant::now() + time;
        while !self.config.stop.requested() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(LOOK));
        }
    }

    /// Waits until these lines are the first that the program has printed.
    pub(super) fn await_printed(&mut self, wanted: &[Vec<u8>]) -> bool {
        let end = Instant::now() + self.config.patience;
        loop {
            let head = self.child.stdout().head;
            if lines(&head).get(..wanted.len()).is_some_and(|shown| shown == wanted) {
                return true;
            }
            if Instant::now() > end || self.config.stop.requested() || self.child.exited().is_some() {
                return false;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Waits for what the play asks for, and takes down what the program printed.
    fn finish(&mut self, stream: Option<&Stream>) {
        if self.seen.fault.is_some() {
            // It may be about to end, with last words.
            self.seen.exit = self.child.wait(Duration::from_millis(300));
        } else if self.play.asks != Asks::Connection {
            self.begin();
            self.await_output(stream);
        }
        if self.seen.exit.is_some() {
            let end = Instant::now() + Duration::from_millis(200);
            let ended = |child: &Child| child.stdout().ended && child.stderr().ended;
            while !ended(&self.child) && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        self.seen.stdout = self.child.stdout().head;
        self.seen.stderr = last(&self.child.stderr().tail, 2_000);
        self.child.end();
    }

    /// Until the program has ended, or has printed all and may go on.
    fn await_output(&mut self, stream: Option<&Stream>) {
        let must_end = matches!(self.play.asks, Asks::Exit | Asks::AnyEnd);
        let wanted = self.play.printed();
        // Where nobody listens, nothing tells when the program has started.
        let starts = if self.play.way == Way::Refuses { START } else { Duration::ZERO };
        let patience = starts + self.config.patience;
        let mut open = stream;
        let mut more = std::mem::take(&mut self.pending);
        let mut active = Instant::now();
        let mut printed = 0;
        loop {
            self.seen.exit = self.child.exited();
            let captured = self.child.stdout();
            if captured.total != printed {
                (printed, active) = (captured.total, Instant::now());
            }
            let complete = printed_all(&captured.head, &wanted);
            if self.seen.exit.is_some() || (complete && !must_end && active.elapsed() > SURPLUS) {
                break;
            }
            let long = active.elapsed() > patience || self.is_over();
            // A program that prints without end never falls silent.
            if long || printed > MOST as u64 || more.len() > MOST {
                self.seen.busy = self.busy();
                break;
            }
            match open {
                Some(stream) if self.listen_on(stream, &mut more).is_some() => {}
                Some(_) => open = None,
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        // What was on its way when the program ended.
        while let Some(stream) = open.filter(|_| self.seen.exit.is_some() && more.len() < MOST) {
            if !matches!(self.listen_on(stream, &mut more), Some(1..)) {
                break;
            }
        }
        if self.play.asks != Asks::AnyEnd && !more.is_empty() {
            self.seen.fault = Some(Fault::Surplus(more));
        }
    }

    /// Takes what the client says behind its last message; returns how many bytes that were. `None`: it is at its
    /// end, which is answered by ours.
    fn listen_on(&mut self, stream: &Stream, more: &mut Vec<u8>) -> Option<usize> {
        let mut buffer = vec![0; 64 << 10];
        match stream.recv(&mut buffer) {
            Ok(0) => {
                self.half_close(stream);
                None
            }
            Ok(read) => {
                self.seen.received(&buffer[..read]);
                more.extend_from_slice(&buffer[..read]);
                Some(read)
            }
            Err(error) => (error.cause() == Cause::TimedOut).then_some(0),
        }
    }

    /// Which share of a processor the program uses, in percent.
    fn busy(&self) -> Option<u128> {
        let before = self.child.cpu_time()?;
        let begun = Instant::now();
        self.pause(MEASURE);
        let used = self.child.cpu_time()?.saturating_sub(before);
        Some(used.as_millis() * 100 / begun.elapsed().as_millis().max(1))
    }
}
