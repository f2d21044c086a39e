//! The sockets of the demonstrations: one pair on loopback, one thread that sends, one that receives.
//!
//! ```text
//!  sender   send ─ gap ─ send ─ gap ─ send
//!  reader   peek peek peek ... all queued? ──► recv recv ...      Wait::Queued
//!           recv ... recv ...                                     Wait::No: chance decides
//! ```
//! Peeking leaves the bytes where they are, so waiting changes nothing but the time: what `recv` returns
//! afterwards depends on its buffer alone, however busy the machine is. Records only; no verdicts here.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use super::record::{Call, Message, Record};
use crate::framing::Framing;
use crate::net::table::{self, Transport};
use crate::net::{Capture, Cause, NetError, SocketOptions, Stream, Udp, socket};

/// How long a reader waits for what was sent: far above any delay on loopback, short for a class.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// The pause between two peeks: short against a thread's time slice, long enough not to spin.
const PEEK_PAUSE: Duration = Duration::from_micros(50);
/// The largest datagram that a demonstration receives whole.
pub(super) const DATAGRAM: usize = crate::net::MAX_DATAGRAM;

/// Any free port on this machine.
const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Whether the reader waits until all that is sent is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// It peeks until everything is there.
    Queued,
    /// It calls `recv` at once.
    No,
}

/// What one side sends, and how the other reads it.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) framing: Framing,
    pub(super) messages: Vec<Message>,
    /// The pause between two sends.
    pub(super) gap: Duration,
    /// The size of each `recv` call's buffer; the last one repeats.
    pub(super) recv_sizes: Vec<usize>,
    pub(super) wait: Wait,
}

impl Script {
    /// The size of the `n`-th `recv` call's buffer.
    fn recv_size(&self, n: usize) -> usize {
        let last = self.recv_sizes.last().copied().unwrap_or(1_024);
        self.recv_sizes.get(n).copied().unwrap_or(last)
    }

    fn record(&self, transport: Transport, sends: Vec<Call>, recvs: Vec<Call>) -> Record {
        let (framing, messages) = (self.framing, self.messages.clone());
        Record { transport, framing, messages, queued: None, sends, recvs }.starting_at_zero()
    }
}

/// Both ends of one TCP connection.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) client: Stream,
    pub(super) server: Stream,
}

impl Pair {
    /// Listens on a free port of the loopback interface, connects to it and accepts.
    pub(super) fn connect(options: &SocketOptions) -> Result<Pair, NetError> {
        let (listener, addr) = socket::listen(&[LOOPBACK], options, 1)?;
        let client = Stream::connect(&[addr], options, PATIENCE)?;
        let accepting = &other_end(options);
        let local = client.local()?;
        loop {
            let server = socket::accept(&listener, addr, accepting)?;
            // Any program may connect to a port; the demonstration is with our own client.
            if server.peer() == local {
                server.set_recv_timeout(Some(PATIENCE))?;
                client.set_recv_timeout(Some(PATIENCE))?;
                return Ok(Pair { client, server });
            }
        }
    }

    /// Segments with data that the client has sent so far, by TCP_INFO; `None` where nobody can tell.
    pub(super) fn data_segments(&self) -> Option<u32> {
        let row = table::connection(self.client.local().ok()?, self.client.peer()).ok()??;
        Some(row.tcp_info?.data_segments_sent)
    }

    /// Plays the script: the client sends from a thread of its own, the server receives.
    pub(super) fn play(&self, script: &Script) -> Result<Record, NetError> {
        self.server.set_recv_timeout(Some(PATIENCE.saturating_add(script.gap)))?;
        let start = Instant::now();
        let mut sends = Vec::with_capacity(script.messages.len());
        let (sent, read) = thread::scope(|scope| {
            let sender = scope.spawn(|| send_all(&self.client, script, start, &mut sends));
            let read = read(&self.server, script, start);
            if read.as_ref().map_or(true, |(_, recvs)| !complete(recvs, script)) {
                // The sender may sit in a send that will never end: nobody reads any more.
                self.server.cut();
            }
            (sender.join().expect("the sender does not panic"), read)
        });
        let (queued, recvs) = read?;
        if complete(&recvs, script) {
            sent?;
        }
        // Otherwise the sender's error is our own doing, and the records show what was missing.
        Ok(Record { queued, ..script.record(Transport::Tcp, sends, recvs) })
    }
}

/// The options of the end that receives: in a capture it must not look like the one that sends.
fn other_end(options: &SocketOptions) -> SocketOptions {
    let capture = options.capture.as_ref().map(Capture::other_end);
    SocketOptions { capture, ..options.clone() }
}

fn total(script: &Script) -> usize {
    script.messages.iter().map(|message| message.wire.len()).sum()
}

fn complete(recvs: &[Call], script: &Script) -> bool {
    recvs.iter().map(|call| call.bytes.len()).sum::<usize>() == total(script)
}

/// Sends message by message, and records every call: a short one is followed by another.
fn send_all(stream: &Stream, script: &Script, start: Instant, calls: &mut Vec<Call>) -> Result<(), NetError> {
    for (n, message) in script.messages.iter().enumerate() {
        if n > 0 && !script.gap.is_zero() {
            thread::sleep(script.gap);
        }
        let mut rest = &message.wire[..];
        loop {
            let at = start.elapsed();
            let taken = stream.send(rest)?;
            calls.push(Call { at, bytes: rest[..taken].to_vec() });
            rest = &rest[taken..];
            if rest.is_empty() {
                break;
            }
        }
    }
    Ok(())
}

/// Waits, if the script says so, and receives; also says what was queued after the wait.
fn read(stream: &Stream, script: &Script, start: Instant) -> Result<(Option<usize>, Vec<Call>), NetError> {
    let queued = match script.wait {
        Wait::Queued => Some(wait_until_queued(stream, script, start)?),
        Wait::No => None,
    };
    Ok((queued, receive_all(stream, script, start)?))
}

/// Peeks until everything is queued or patience is over; returns how much is queued.
fn wait_until_queued(stream: &Stream, script: &Script, start: Instant) -> Result<usize, NetError> {
    let gaps = script.gap.saturating_mul(u32::try_from(script.messages.len()).unwrap_or(u32::MAX));
    let patience = PATIENCE.saturating_add(gaps);
    let mut buffer = vec![0; total(script)];
    let mut queued = 0;
    while queued < buffer.len() && start.elapsed() < patience {
        queued = in_time(stream.peek(&mut buffer))?;
        if queued < buffer.len() {
            thread::sleep(PEEK_PAUSE);
        }
    }
    Ok(queued)
}

/// Receives until all is there or nothing more comes.
fn receive_all(stream: &Stream, script: &Script, start: Instant) -> Result<Vec<Call>, NetError> {
    let (mut missing, mut calls) = (total(script), Vec::new());
    while missing > 0 {
        let mut bytes = vec![0; script.recv_size(calls.len())];
        let received = in_time(stream.recv(&mut bytes))?;
        if received == 0 {
            break;
        }
        bytes.truncate(received);
        missing -= received;
        calls.push(Call { at: start.elapsed(), bytes });
    }
    Ok(calls)
}

/// A time-out is an answer: nothing came.
fn in_time(result: Result<usize, NetError>) -> Result<usize, NetError> {
    match result {
        Err(error) if error.cause() == Cause::TimedOut => Ok(0),
        result => result,
    }
}

/// Sends each message as a datagram, then receives them.
///
/// One thread is enough: on loopback a datagram is queued at its receiver when `send` returns.
pub(super) fn datagrams(script: &Script, options: &SocketOptions) -> Result<Record, NetError> {
    let (receiver, addr) = socket::bind_udp(&[LOOPBACK], options)?;
    let sender = Udp::new(socket::connect_udp(addr, options)?, addr, options);
    // Simplification: the receiver is not connected, so another program could slip a datagram in. The
    // verdict would say so.
    let receiver = Udp::new(receiver, sender.local()?, &other_end(options));
    let (start, mut sends, mut recvs) = (Instant::now(), Vec::new(), Vec::new());
    for (n, message) in script.messages.iter().enumerate() {
        if n > 0 {
            thread::sleep(script.gap);
        }
        let at = start.elapsed();
        sender.send(&message.wire)?;
        sends.push(Call { at, bytes: message.wire.clone() });
    }
    for n in 0..script.messages.len() {
        let mut bytes = vec![0; script.recv_size(n)];
        let Some(datagram) = receiver.recv(&mut bytes, PATIENCE)? else { break };
        bytes.truncate(datagram.kept);
        recvs.push(Call { at: start.elapsed(), bytes });
    }
    Ok(script.record(Transport::Udp, sends, recvs))
}
