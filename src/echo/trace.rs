//! The event loop made visible: one line for each sleep, readiness event, accept, recv and send.

use std::sync::mpsc::Sender;
use std::time::Instant;

use super::Event;
use crate::net::reactor::{Seen, Tap};
use crate::text::{byte_count, counted, excerpt};

/// Turns what the loop does into events.
pub(super) struct Trace {
    start: Instant,
    to: Sender<Event>,
}

impl Trace {
    pub(super) fn new(to: Sender<Event>) -> Trace {
        Trace { start: Instant::now(), to }
    }
}

impl Tap for Trace {
    fn see(&mut self, seen: Seen<'_>) {
        let (what, detail) = describe(seen);
        let at_us = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        // The server outlives its trace; if it did not, nobody would want the line.
        let _ = self.to.send(Event::Trace { at_us, what, detail });
    }
}

/// How many bytes of a message a line shows.
const SHOWN: usize = 24;

fn describe(seen: Seen<'_>) -> (&'static str, String) {
    let size = |bytes: &[u8]| byte_count(bytes.len() as u64);
    match seen {
        Seen::Slept { took, events } => {
            let ms = took.as_secs_f64() * 1e3;
            ("slept", format!("{ms:.3} ms, then {}", counted(events as u64, "event")))
        }
        Seen::ListenerReady => ("ready", "listener: a connection waits".into()),
        Seen::Ready { c, readable, writable } => {
            let what = match (readable, writable) {
                (true, true) => "readable and writable",
                (true, false) => "readable",
                (false, true) => "writable: room to send again",
                (false, false) => "writable",
            };
            ("ready", format!("#{}: {what}", c.number()))
        }
        Seen::Accepted { c, peer } => ("accepted", format!("#{} from {peer}", c.number())),
        Seen::Received { c, bytes: [] } => {
            ("received", format!("#{}: 0 bytes, the peer has ended", c.number()))
        }
        Seen::Received { c, bytes } => {
            ("received", format!("#{}: {}: {}", c.number(), size(bytes), excerpt(bytes, SHOWN)))
        }
        Seen::WouldBlock { c } => ("would_block", format!("#{}: recv has nothing; wait for it", c.number())),
        Seen::Sent { c, bytes, unsent: 0 } => ("sent", format!("#{}: {}", c.number(), size(bytes))),
        Seen::Sent { c, bytes, unsent } => {
            let (sent, rest) = (size(bytes), byte_count(unsent as u64));
            ("sent", format!("#{}: {sent} of it; {rest} wait until it is writable", c.number()))
        }
        Seen::Closed { c } => ("closed", format!("#{}", c.number())),
    }
}
