//! What the echo servers report while they run: a line for people, an object for programs.

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

use super::loop_guard::{MUTE, RETURNS};
use super::peers::{Traffic, UdpTotals};
use crate::net::ServerEvent;
use crate::text::{Grouped, byte_count, counted, escape};

/// What an echo server reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// Of its connections, as every server does.
    Server(ServerEvent),
    /// Of its data.
    Echo(EchoEvent),
}

impl From<ServerEvent> for Event {
    fn from(event: ServerEvent) -> Event {
        Event::Server(event)
    }
}

impl From<EchoEvent> for Event {
    fn from(event: EchoEvent) -> Event {
        Event::Echo(event)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Server(event) => event.fmt(f),
            Event::Echo(event) => event.fmt(f),
        }
    }
}

/// Something that happened to an echo server's data.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum EchoEvent {
    /// One recv returned these bytes, or one datagram brought them.
    Received {
        /// From whom.
        peer: SocketAddr,
        /// How many.
        bytes: usize,
        /// The beginning of them, escaped.
        text: String,
    },
    /// A source is not answered for a while: it returned our own replies too often, as a loop does.
    Muted {
        /// Its address.
        peer: SocketAddr,
        /// For how long.
        muted_ms: u64,
        /// How many of our replies it returned within a second.
        returns: usize,
    },
    /// A datagram was left unanswered.
    Ignored {
        /// From whom.
        peer: SocketAddr,
        /// Why.
        reason: &'static str,
    },
    /// A datagram was longer than `--recv-size`. UDP keeps no rest for the next recv.
    Truncated {
        /// From whom.
        peer: SocketAddr,
        /// How many bytes of it there are.
        bytes: usize,
        /// How many are gone.
        cut_off_bytes: usize,
    },
    /// An answer was not sent: UDP promises nothing, and nothing is tried again.
    Unsent {
        /// To whom.
        peer: SocketAddr,
        /// The system's reason.
        reason: String,
    },
    /// The last event of a UDP server.
    #[serde(rename = "stopped")]
    StoppedUdp(UdpTotals),
}

impl EchoEvent {
    /// A source that was muted by the loop guard.
    #[must_use]
    pub fn muted(peer: SocketAddr) -> EchoEvent {
        let muted_ms = u64::try_from(MUTE.as_millis()).unwrap_or(u64::MAX);
        EchoEvent::Muted { peer, muted_ms, returns: RETURNS }
    }
}

impl fmt::Display for EchoEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EchoEvent::Received { peer, bytes, text } => {
                write!(f, "received {peer}: {}: {text}", byte_count(*bytes as u64))
            }
            EchoEvent::Muted { peer, muted_ms, returns } => {
                write!(
                    f,
                    "muted {peer} for {muted_ms} ms: it returned our reply {returns} times within a second, \
                     as two echo servers do that answer each other"
                )
            }
            EchoEvent::Ignored { peer, reason } => write!(f, "ignored {peer}: {reason}"),
            EchoEvent::Truncated { peer, bytes, cut_off_bytes } => {
                let (kept, gone) = (byte_count(*bytes as u64), byte_count(*cut_off_bytes as u64));
                write!(
                    f,
                    "truncated {peer}: {kept} fitted in --recv-size, {gone} of the datagram gone for good"
                )
            }
            EchoEvent::Unsent { peer, reason } => write!(f, "unsent {peer}: {}", escape(reason.as_bytes())),
            EchoEvent::StoppedUdp(totals) => {
                totals.peers.iter().try_for_each(|one| writeln!(f, "peer {}: {}", one.peer, one.traffic))?;
                totals.other_peers.iter().try_for_each(|others| writeln!(f, "other peers: {others}"))?;
                write!(f, "stopped: {}", totals.all)
            }
        }
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (received, sent) = (byte_count(self.received_bytes), byte_count(self.sent_bytes));
        write!(f, "received {} ({received}), ", counted(self.received_datagrams, "datagram"))?;
        write!(f, "sent {} ({sent})", counted(self.sent_datagrams, "datagram"))?;
        if self.ignored_datagrams > 0 {
            write!(f, ", ignored {}", Grouped(self.ignored_datagrams))?;
        }
        if self.unsent_datagrams > 0 {
            write!(f, ", not sent {}", Grouped(self.unsent_datagrams))?;
        }
        if self.truncated_datagrams > 0 {
            write!(f, ", truncated {}", Grouped(self.truncated_datagrams))?;
        }
        Ok(())
    }
}
