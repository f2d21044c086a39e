//! The loop made visible: a line for each sleep, readiness event, accept, recv and send.
//!
//! A view of what [`Tap`] sees, for people who learn how a loop works. Whoever runs the loop decides where the
//! steps go.

use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use serde::Serialize;

use super::{Peer, Reactor, Seen, Tap};
use crate::text::{byte_count, counted, excerpt};

/// One thing that the loop did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Since the loop was traced.
    pub at_us: u64,
    /// What: `slept`, `ready`, `accepted`, `connected`, `received`, `would_block`, `sent`, `closed`.
    pub what: &'static str,
    /// The details, as text.
    pub detail: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ms, us) = (self.at_us / 1_000, self.at_us % 1_000);
        write!(f, "trace {ms:>7}.{us:03} ms  {:<11} {}", self.what, self.detail)
    }
}

/// Has the loop write down its steps, to be read from the channel whenever it suits.
pub fn trace(reactor: &mut Reactor) -> Receiver<Step> {
    let (to, steps) = channel();
    reactor.observe(Box::new(Trace { start: Instant::now(), to }));
    steps
}

struct Trace {
    start: Instant,
    to: Sender<Step>,
}

impl Tap for Trace {
    fn see(&mut self, seen: Seen<'_>) {
        let Some((what, detail)) = describe(seen) else { return };
        let at_us = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Whoever wanted the steps may be gone before the loop is.
        let _ = self.to.send(Step { at_us, what, detail });
    }
}

/// How many bytes of a message a line shows.
const SHOWN: usize = 24;

/// What a step says; `None` for what the loop's course is not about.
fn describe(seen: Seen<'_>) -> Option<(&'static str, String)> {
    let size = |bytes: &[u8]| byte_count(bytes.len() as u64);
    Some(match seen {
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
        Seen::Opened { c, peer: Peer { addr, outbound: false }, .. } => {
            ("accepted", format!("#{} from {addr}", c.number()))
        }
        Seen::Opened { c, peer: Peer { addr, outbound: true }, .. } => {
            ("connected", format!("#{} to {addr}", c.number()))
        }
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
        Seen::Closed { c, .. } => ("closed", format!("#{}", c.number())),
        Seen::ShutDown { .. } | Seen::Datagram { .. } => return None,
    })
}
