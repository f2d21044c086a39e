//! Probes that are TCP connects: the time from the SYN to the end of the handshake. The connection is closed at
//! once; its server sees a client that came and left.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Heard, PingError, Prober};
use crate::net::{Connecting, NetError, SocketOptions};

/// One connect at a time.
pub(super) struct Connects<'a> {
    target: SocketAddr,
    /// Addresses of the name that were not tried yet.
    untried: &'a [SocketAddr],
    current: Option<(u64, Connecting)>,
    options: SocketOptions,
}

impl<'a> Connects<'a> {
    pub(super) fn new(addrs: &'a [SocketAddr]) -> Connects<'a> {
        let (target, untried) = addrs.split_first().expect("a resolved name has at least one address");
        Connects { target: *target, untried, current: None, options: SocketOptions::default() }
    }

    /// True if there is another address to try.
    fn move_on(&mut self) -> bool {
        let Some((target, untried)) = self.untried.split_first() else { return false };
        (self.target, self.untried) = (*target, untried);
        true
    }

    /// A connect that failed; at another address of the name it may succeed.
    fn failed(&mut self, seq: u64, error: NetError) -> Result<Heard, PingError> {
        self.current = None;
        if self.move_on() {
            self.send(seq)?;
            return Ok(Heard::Nothing);
        }
        Ok(Heard::Failed { seq: Some(seq), error })
    }
}

impl Prober for Connects<'_> {
    fn target(&self) -> SocketAddr {
        self.target
    }

    fn send(&mut self, seq: u64) -> Result<Instant, PingError> {
        loop {
            match Connecting::start(self.target, &self.options) {
                Ok(connecting) => {
                    let at = connecting.started();
                    self.current = Some((seq, connecting));
                    return Ok(at);
                }
                Err(error) if !self.move_on() => return Err(error.into()),
                Err(_) => {}
            }
        }
    }

    fn wait(&mut self, timeout: Duration) -> Result<Heard, PingError> {
        let Some((seq, connecting)) = &mut self.current else {
            std::thread::sleep(timeout);
            return Ok(Heard::Nothing);
        };
        let seq = *seq;
        match connecting.wait(timeout) {
            Ok(false) => Ok(Heard::Nothing),
            Ok(true) => {
                self.current = None;
                // This address answers: it is the one.
                self.untried = &[];
                Ok(Heard::Reply { seq, bytes: 0 })
            }
            Err(error) => self.failed(seq, error),
        }
    }

    fn ready(&self) -> bool {
        self.current.is_none()
    }

    fn give_up(&mut self, seq: u64) {
        if self.current.as_ref().is_some_and(|(current, _)| *current == seq) {
            self.current = None;
            self.move_on();
        }
    }
}
