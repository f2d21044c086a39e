//! Probes that are messages on one TCP connection to an echo server. TCP loses, doubles and reorders nothing, so
//! what comes back is compared with what was sent, byte by byte.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::payload::Payloads;
use super::{Config, Heard, PingError, Prober, SLICE};
use crate::net::{Cause, Connecting, NetError, Op, SocketOptions, Stop, Stream};

/// The connection.
pub(super) struct Echoes {
    stream: Stream,
    payloads: Payloads,
    /// Probes whose reply has not come.
    open: VecDeque<u64>,
    /// What came of the next reply.
    partial: Vec<u8>,
    buffer: Vec<u8>,
}

impl Echoes {
    /// Connects to the first of `addrs` that answers.
    pub(super) fn connect(config: &Config, addrs: &[SocketAddr], stop: &Stop) -> Result<Echoes, NetError> {
        let mut last = None;
        for addr in addrs {
            match connect(*addr, config.wait, stop) {
                Ok(stream) => {
                    // A server that does not read shall not hold us.
                    stream.set_send_timeout(Some(config.wait))?;
                    let payloads = Payloads::new(token(), config.size);
                    let buffer = vec![0; payloads.size().max(4 << 10)];
                    return Ok(Echoes {
                        stream,
                        payloads,
                        open: VecDeque::new(),
                        partial: Vec::new(),
                        buffer,
                    });
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("a resolved name has at least one address"))
    }

    /// The reply that is complete, if one is.
    fn reply(&mut self) -> Result<Option<Heard>, PingError> {
        let target = self.stream.peer();
        let size = self.payloads.size();
        let Some(seq) = self.open.front().copied() else {
            return if self.partial.is_empty() { Ok(None) } else { Err(PingError::NoEcho(target)) };
        };
        let came = &self.partial[..self.partial.len().min(size)];
        if !self.payloads.encode(seq).starts_with(came) {
            return Err(PingError::NoEcho(target));
        }
        if self.partial.len() < size {
            return Ok(None);
        }
        self.partial.drain(..size);
        self.open.pop_front();
        Ok(Some(Heard::Reply { seq, bytes: size }))
    }
}

fn connect(addr: SocketAddr, wait: Duration, stop: &Stop) -> Result<Stream, NetError> {
    let mut connecting = Connecting::start(addr, &SocketOptions::default())?;
    let end = connecting.started() + wait;
    loop {
        let rest = end.saturating_duration_since(Instant::now());
        if rest.is_zero() || stop.requested() {
            return Err(NetError::timed_out(Op::Connect, addr));
        }
        if connecting.wait(rest.min(SLICE))? {
            return connecting.stream();
        }
    }
}

/// What tells this measurement's probes from others.
pub(super) fn token() -> u32 {
    // Without randomness any number will do: it guards against mistakes, not against malice.
    getrandom::u32().unwrap_or_else(|_| std::process::id())
}

impl Prober for Echoes {
    fn target(&self) -> SocketAddr {
        self.stream.peer()
    }

    fn send(&mut self, seq: u64) -> Result<Instant, PingError> {
        let payload = self.payloads.encode(seq);
        let at = Instant::now();
        match self.stream.send_all(&payload) {
            Ok(()) => self.open.push_back(seq),
            Err(error) => return Err(PingError::Lost { error }),
        }
        Ok(at)
    }

    fn wait(&mut self, timeout: Duration) -> Result<Heard, PingError> {
        if let Some(reply) = self.reply()? {
            return Ok(reply);
        }
        self.stream.set_recv_timeout(Some(timeout))?;
        match self.stream.recv(&mut self.buffer) {
            Ok(0) => return Err(PingError::Closed(self.stream.peer())),
            Ok(n) => self.partial.extend_from_slice(&self.buffer[..n]),
            Err(error) if error.cause() == Cause::TimedOut => return Ok(Heard::Nothing),
            Err(error) => return Err(PingError::Lost { error }),
        }
        Ok(self.reply()?.unwrap_or(Heard::Nothing))
    }
}
