//! What the echo servers report while they run: a line for people, an object for programs.

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

use super::loop_guard::{MUTE, RETURNS};
use super::peers::{Traffic, UdpTotals};
use crate::net::reactor::{Step, Why};
use crate::net::{Cause, Closed, OptionReading};
use crate::text::{Grouped, byte_count, counted, escape};

/// Something that happened in a server. `connected` and what follows come in the order of their causes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The first event: clients can come.
    Listening {
        /// The bound address.
        address: SocketAddr,
        /// `tcp` or `udp`.
        transport: &'static str,
    },
    /// The socket's options, where they were asked for.
    SocketOptions {
        /// Each option.
        options: Vec<OptionReading>,
    },
    /// A client has connected.
    Connected {
        /// Its address.
        peer: SocketAddr,
    },
    /// A client was turned away.
    Refused {
        /// Its address.
        peer: SocketAddr,
        /// Why.
        reason: String,
    },
    /// One recv returned these bytes, or one datagram brought them.
    Received {
        /// From whom.
        peer: SocketAddr,
        /// How many.
        bytes: usize,
        /// The beginning of them, escaped.
        text: String,
    },
    /// A client is gone.
    Disconnected {
        /// Its address.
        peer: SocketAddr,
        /// Bytes received from it.
        received_bytes: u64,
        /// Bytes sent to it.
        sent_bytes: u64,
        /// How long it was connected.
        duration_ms: u64,
        /// Why, unless it simply left.
        reason: Option<String>,
    },
    /// No connections are accepted for now.
    AcceptPaused {
        /// Why.
        reason: String,
    },
    /// Connections are accepted again.
    AcceptResumed {},
    /// What the loop did, where it is traced.
    Trace(Step),
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
    /// The last event.
    Stopped {
        /// Connections served in all.
        connections: u64,
        /// Bytes received in all.
        received_bytes: u64,
        /// Bytes sent in all.
        sent_bytes: u64,
    },
}

impl Event {
    /// A source that was muted by the loop guard.
    #[must_use]
    pub fn muted(peer: SocketAddr) -> Event {
        let muted_ms = u64::try_from(MUTE.as_millis()).unwrap_or(u64::MAX);
        Event::Muted { peer, muted_ms, returns: RETURNS }
    }

    /// The end of a connection; `reason` is the server's own, if it closed it.
    #[must_use]
    pub fn disconnected(closed: &Closed, reason: Option<String>) -> Event {
        let reason = reason.or_else(|| match &closed.why {
            Why::Closed => None,
            Why::NotReading => Some("it does not read".into()),
            Why::Failed(error) if error.cause() == Cause::Reset => Some("it reset the connection".into()),
            Why::Failed(error) => Some(format!("{error}: {}", error.source)),
        });
        Event::Disconnected {
            peer: closed.peer,
            received_bytes: closed.received_bytes,
            sent_bytes: closed.sent_bytes,
            duration_ms: u64::try_from(closed.lasted.as_millis()).unwrap_or(u64::MAX),
            reason,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Listening { address, transport } => write!(f, "listening on {address} ({transport})"),
            Event::SocketOptions { options } => {
                write!(f, "socket options: as the kernel reports them")?;
                options.iter().try_for_each(|option| write!(f, "\n  {option}"))
            }
            Event::Connected { peer } => write!(f, "connected {peer}"),
            Event::Refused { peer, reason } => write!(f, "refused {peer}: {reason}"),
            Event::Received { peer, bytes, text } => {
                write!(f, "received {peer}: {}: {text}", byte_count(*bytes as u64))
            }
            Event::Disconnected { peer, received_bytes, sent_bytes, reason, .. } => {
                let (received, sent) = (byte_count(*received_bytes), byte_count(*sent_bytes));
                write!(f, "disconnected {peer}: received {received}, sent {sent}")?;
                reason.iter().try_for_each(|reason| write!(f, " ({})", escape(reason.as_bytes())))
            }
            Event::AcceptPaused { reason } => write!(f, "accept paused: {reason}"),
            Event::AcceptResumed {} => write!(f, "accept resumed"),
            Event::Trace(step) => write!(f, "{step}"),
            Event::Muted { peer, muted_ms, returns } => {
                write!(
                    f,
                    "muted {peer} for {muted_ms} ms: it returned our reply {returns} times within a second, \
                     as two echo servers do that answer each other"
                )
            }
            Event::Ignored { peer, reason } => write!(f, "ignored {peer}: {reason}"),
            Event::Unsent { peer, reason } => write!(f, "unsent {peer}: {}", escape(reason.as_bytes())),
            Event::StoppedUdp(totals) => {
                totals.peers.iter().try_for_each(|one| writeln!(f, "peer {}: {}", one.peer, one.traffic))?;
                totals.other_peers.iter().try_for_each(|others| writeln!(f, "other peers: {others}"))?;
                write!(f, "stopped: {}", totals.all)
            }
            Event::Stopped { connections, received_bytes, sent_bytes } => {
                let (received, sent) = (byte_count(*received_bytes), byte_count(*sent_bytes));
                write!(
                    f,
                    "stopped: {}, received {received}, sent {sent}",
                    counted(*connections, "connection")
                )
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
        Ok(())
    }
}
