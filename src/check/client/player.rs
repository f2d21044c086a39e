//! Plays the server for one run of the client: listens, starts it, answers, and notes what it does and prints.
//! Each wait has an end. It stops at the first message that is wrong.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::plan::{Asks, Play, Way};
use super::seen::{Did, Fault, Seen};
use crate::check::codec::Wire;
use crate::check::exercise::Exercise;
use crate::check::subject::{last, place};
use crate::check::{CheckError, Config};
use crate::net::socket::AcceptWaker;
use crate::net::table::{self, Transport};
use crate::net::{Cause, SocketOptions, Stream, socket};
use crate::process::{Child, Program};

/// How long a program may take until it connects: an interpreter on a loaded machine.
const START: Duration = Duration::from_secs(10);
/// How often a wait looks up.
const LOOK: Duration = Duration::from_millis(20);
/// A pause that nobody's time-out mistakes for a lost answer.
const LATE: Duration = Duration::from_millis(400);
/// A client that has not asked on by then waits for its answer.
const ASKS_ON: Duration = Duration::from_millis(250);
/// A piece that was not read by then is left to itself.
const TAKEN: Duration = Duration::from_millis(400);
/// Between a piece that was read and the next one: the program is back in its next recv by then.
const BETWEEN: Duration = Duration::from_millis(5);
/// After the last answer: what is printed too much comes about now.
const SURPLUS: Duration = Duration::from_millis(60);
/// How long the processor time of a program that does not end is taken.
const MEASURE: Duration = Duration::from_millis(400);
/// More than any client here has to say.
const MOST: usize = 1 << 20;

/// One run.
pub(super) struct Player<'a> {
    play: &'a Play,
    config: &'a Config,
    child: Child,
    seen: Seen,
    /// What came and is no whole message yet.
    pending: Vec<u8>,
    /// Answers that wait to be sent together.
    held: Wire,
}

/// Where the server listens.
enum Door {
    Tcp(TcpListener),
    Udp(UdpSocket),
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
    let options = SocketOptions { nodelay: true, ..SocketOptions::default() };
    let any = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    let (door, addr) = match exercise.transport {
        Transport::Tcp => socket::listen(&any, &options, 16).map(|(socket, at)| (Door::Tcp(socket), at))?,
        Transport::Udp => socket::bind_udp(&any, &options).map(|(socket, at)| (Door::Udp(socket), at))?,
    };
    let mut program = place(program, &addr.ip().to_string(), addr.port());
    program.stdin = true;
    // Text goes through pipes here, whose encoding the system's settings decide.
    program.env.push(("PYTHONIOENCODING".into(), "utf-8".into()));
    program.env.extend(exercise.env.iter().map(|(name, value)| (name.into(), value.into())));
    let mut player = Player {
        play,
        config,
        child: program.spawn()?,
        seen: Seen::default(),
        pending: Vec::new(),
        held: Wire::default(),
    };
    player.give_lines();
    // It lives until the program is judged: a port that refuses would be another play.
    let kept = match door {
        Door::Tcp(listener) => player.tcp(&listener, addr, &options),
        Door::Udp(socket) => player.udp(&socket).map(|()| None),
    };
    let kept = kept.unwrap_or_else(|fault| {
        player.seen.fault = Some(fault);
        None
    });
    player.finish(kept.as_ref());
    Ok(player.seen)
}

impl Player<'_> {
    /// Gives the program its stdin, or the first line of it.
    ///
    /// Simplification: all of it at once, which is less than a pipe holds (16 KiB on macOS). A system with smaller
    /// pipes would need a thread for it.
    fn give_lines(&mut self) {
        // A program that has closed its stdin will be seen to send nothing.
        if self.play.one_by_one {
            self.give_line(0);
        } else {
            let _ = self.child.write(&self.play.stdin());
            self.child.close_stdin();
        }
    }

    fn give_line(&mut self, number: usize) {
        match self.play.lines.get(number) {
            Some(line) => {
                let _ = self.child.write(&[line, &b"\n"[..]].concat());
            }
            None => self.child.close_stdin(),
        }
    }

    fn tcp(
        &mut self,
        listener: &TcpListener,
        addr: SocketAddr,
        options: &SocketOptions,
    ) -> Result<Option<Stream>, Fault> {
        let Some(stream) = self.accept(listener, addr, options) else { return Err(Fault::NoConnection) };
        self.seen.note(Did::Connects);
        let set = stream.set_recv_timeout(Some(LOOK));
        if set.and_then(|()| stream.set_send_timeout(Some(self.config.patience))).is_err() {
            return Err(Fault::NoConnection);
        }
        if self.play.asks == Asks::Connection {
            return Ok(Some(stream));
        }
        let served = self.serve(&stream, addr);
        served.map(|()| Some(stream))
    }

    /// The first connection; `None` if the program ends without one, or takes too long.
    fn accept(
        &mut self,
        listener: &TcpListener,
        addr: SocketAddr,
        options: &SocketOptions,
    ) -> Option<Stream> {
        let waker = AcceptWaker::new(addr).ok()?;
        let (sender, accepted) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // The receiver waits until this has come.
                let _ = sender.send(socket::accept(listener, addr, options));
            });
            let end = Instant::now() + START;
            loop {
                match accepted.recv_timeout(LOOK) {
                    Ok(stream) => return stream.ok(),
                    Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                }
                if self.child.exited().is_some() || Instant::now() > end {
                    // It may have connected before it ended: that one comes first in the queue.
                    let late = accepted.recv_timeout(LOOK).ok();
                    if late.is_none() {
                        waker.wake();
                    }
                    return late.and_then(Result::ok);
                }
            }
        })
    }

    /// Answers on a connection until all has been answered.
    fn serve(&mut self, stream: &Stream, addr: SocketAddr) -> Result<(), Fault> {
        let greeting = Wire { bytes: self.play.greeting.clone(), fields: Vec::new() };
        let cut = if let Way::CutGreeting(at) = self.play.way { Some(at) } else { None };
        self.send(stream, addr, &greeting, cut)?;
        let mut active = Instant::now();
        let mut buffer = vec![0; 64 << 10];
        let mut answered = 0;
        while self.seen.messages.len() < self.play.wanted.len() {
            match stream.recv(&mut buffer) {
                Ok(0) => return Err(Fault::Ended),
                Ok(read) => {
                    active = Instant::now();
                    self.came(&buffer[..read])?;
                }
                Err(error) if error.cause() == Cause::TimedOut => {}
                Err(_) => return Err(Fault::Reset),
            }
            let all = self.seen.messages.len() == self.play.wanted.len();
            if self.play.way != Way::Coalesced || all || active.elapsed() > ASKS_ON {
                let before = answered;
                answered = self.answer(stream, addr, answered)?;
                if answered > before {
                    active = Instant::now();
                }
                if matches!(self.play.way, Way::ClosesAfter(_)) && answered > 0 {
                    return Ok(());
                }
            }
            if active.elapsed() > self.config.patience {
                return Err(Fault::Silent);
            }
        }
        if self.play.ends || self.play.way == Way::ClosesAfter(0) && self.play.wanted.is_empty() {
            self.half_close(stream);
        }
        Ok(())
    }

    /// Bytes from the client.
    fn came(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.seen.received(bytes);
        self.pending.extend_from_slice(bytes);
        if self.seen.received.len() > MOST {
            return Err(Fault::Flood);
        }
        while self.seen.messages.len() < self.play.wanted.len() {
            let Some((message, used)) = self.play.decode(&self.pending).map_err(Fault::Garbled)? else {
                break;
            };
            self.pending.drain(..used);
            self.take(message)?;
        }
        Ok(())
    }

    /// A message from the client.
    fn take(&mut self, message: Vec<u8>) -> Result<(), Fault> {
        let number = self.seen.messages.len();
        let right = self.play.wanted.get(number) == Some(&message);
        self.seen.messages.push(message);
        if right { Ok(()) } else { Err(Fault::Wrong(number)) }
    }

    /// Answers the messages from number `from` on; returns how many are answered now.
    fn answer(&mut self, stream: &Stream, addr: SocketAddr, from: usize) -> Result<usize, Fault> {
        let to = self.seen.messages.len();
        for number in from..to {
            let answer = self.play.answer(number);
            if self.play.way != Way::Coalesced && number > 0 {
                // A client that asks on while it waits would get them at once, and that is another play.
                await_read(stream, addr);
            }
            match self.play.way {
                Way::Coalesced => self.held.append(&answer),
                Way::ClosesAfter(most) => {
                    let bytes = answer.bytes[..most.min(answer.bytes.len())].to_vec();
                    self.send(stream, addr, &Wire { bytes, fields: Vec::new() }, None)?;
                    self.half_close(stream);
                    return Ok(to);
                }
                Way::Late => {
                    std::thread::sleep(LATE);
                    self.seen.note(Did::Paused(LATE));
                    self.send(stream, addr, &answer, None)?;
                }
                Way::Cut(at) => self.send(stream, addr, &answer, Some(at))?,
                Way::Whole | Way::Bytes | Way::CutGreeting(_) => self.send(stream, addr, &answer, None)?,
            }
            if self.play.one_by_one {
                self.give_line(number + 1);
            }
        }
        let held = std::mem::take(&mut self.held);
        self.send(stream, addr, &held, None)?;
        Ok(to)
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
            stream.send_all(piece).map_err(|error| match error.cause() {
                Cause::TimedOut => Fault::Unread,
                _ => Fault::Reset,
            })?;
            self.seen.sent(piece, if whole { &wire.fields } else { &[] });
        }
        Ok(())
    }

    fn half_close(&mut self, stream: &Stream) {
        // A client that is gone needs no end.
        let _ = stream.half_close();
        self.seen.note(Did::ServerEnds);
    }

    /// Datagrams, each one answered to where it came from.
    fn udp(&mut self, socket: &UdpSocket) -> Result<(), Fault> {
        if socket.set_read_timeout(Some(LOOK)).is_err() {
            return Err(Fault::NoConnection);
        }
        let begun = Instant::now();
        let mut active = None::<Instant>;
        let mut buffer = vec![0; 64 << 10];
        while self.seen.messages.len() < self.play.wanted.len() {
            // The exit is looked at first: what was sent before it is in the buffer by then.
            let gone = self.child.exited().is_some();
            if let Ok((read, from)) = socket.recv_from(&mut buffer) {
                active = Some(Instant::now());
                self.seen.received(&buffer[..read]);
                if self.play.asks == Asks::Connection {
                    return Ok(());
                }
                let number = self.seen.messages.len();
                self.take(buffer[..read].to_vec())?;
                if self.play.way == Way::Late {
                    std::thread::sleep(LATE);
                }
                let answer = self.play.answer(number);
                // A datagram may be lost; one that can't be sent is.
                let _ = socket.send_to(&answer.bytes, from);
                self.seen.sent(&answer.bytes, &answer.fields);
                if self.play.one_by_one {
                    self.give_line(number + 1);
                }
                continue;
            }
            match active {
                None if gone || begun.elapsed() > START => return Err(Fault::NoConnection),
                Some(_) if gone => return Err(Fault::Ended),
                Some(active) if active.elapsed() > self.config.patience => return Err(Fault::Silent),
                _ => {}
            }
        }
        Ok(())
    }

    /// Waits for what the play asks for, and takes down what the program printed.
    fn finish(&mut self, stream: Option<&Stream>) {
        if self.seen.fault.is_some() {
            // It may be about to end, with last words.
            self.seen.exit = self.child.wait(Duration::from_millis(300));
        } else if self.play.asks != Asks::Connection {
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
        let mut active = Instant::now();
        let mut printed = 0;
        loop {
            self.seen.exit = self.child.exited();
            let total = self.child.stdout().total;
            if total != printed {
                (printed, active) = (total, Instant::now());
            }
            let complete = super::seen::printed_all(&self.child.stdout().head, &self.play.answers);
            if self.seen.exit.is_some() || (complete && !must_end && active.elapsed() > SURPLUS) {
                break;
            }
            // A program that prints without end never falls silent.
            if active.elapsed() > self.config.patience || printed > MOST as u64 {
                self.seen.busy = self.busy();
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if let Some(stream) = stream {
            self.surplus(stream);
        }
    }

    /// What the client sent that was no line of its stdin.
    fn surplus(&mut self, stream: &Stream) {
        let mut buffer = vec![0; 64 << 10];
        let wanted = self.play.asks != Asks::AnyEnd;
        let mut more = std::mem::take(&mut self.pending);
        while more.len() < MOST {
            match stream.recv(&mut buffer) {
                Ok(read) if read > 0 => {
                    self.seen.received(&buffer[..read]);
                    more.extend_from_slice(&buffer[..read]);
                }
                _ => break,
            }
        }
        if wanted && !more.is_empty() {
            self.seen.fault = Some(Fault::Surplus(more));
        }
    }

    /// Which share of a processor the program uses, in percent.
    fn busy(&self) -> Option<u128> {
        let before = self.child.cpu_time()?;
        let begun = Instant::now();
        std::thread::sleep(MEASURE);
        let used = self.child.cpu_time()?.saturating_sub(before);
        Some(used.as_millis() * 100 / begun.elapsed().as_millis().max(1))
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
