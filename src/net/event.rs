//! What every server reports of its connections: a line for people, an object for programs.
//!
//! A server's own events stand beside these in an enum of its own; both have the same form,
//! `{"event": "...", "data": {...}}`.

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

use super::reactor::{Closed, Step, Totals, Why};
use super::{Cause, NetError, OptionReading};
use crate::text::{byte_count, counted, escape};

/// Something that happened to a server's connections. What is caused comes after its cause.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum ServerEvent {
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

impl ServerEvent {
    /// The address in the line as which [`Listening`](ServerEvent::Listening) is printed: who starts a server
    /// on port 0 learns from its first line where it listens.
    #[must_use]
    pub fn listening_address(line: &str) -> Option<SocketAddr> {
        line.strip_prefix("listening on ")?.split(' ').next()?.parse().ok()
    }

    /// No connections are accepted for now, because of this.
    #[must_use]
    pub fn accept_paused(why: &NetError) -> ServerEvent {
        ServerEvent::AcceptPaused { reason: format!("{}; newcomers wait in the backlog", why.source) }
    }

    /// The end of a connection; `reason` is the server's own, if it closed it.
    #[must_use]
    pub fn disconnected(closed: &Closed, reason: Option<String>) -> ServerEvent {
        let reason = reason.or_else(|| match &closed.why {
            Why::Closed => None,
            Why::NotReading => Some("it does not read".into()),
            Why::Failed(error) if error.cause() == Cause::Reset => Some("it reset the connection".into()),
            Why::Failed(error) => Some(format!("{error}: {}", error.source)),
        });
        ServerEvent::Disconnected {
            peer: closed.peer,
            received_bytes: closed.received_bytes,
            sent_bytes: closed.sent_bytes,
            duration_ms: u64::try_from(closed.lasted.as_millis()).unwrap_or(u64::MAX),
            reason,
        }
    }
}

impl From<Totals> for ServerEvent {
    fn from(totals: Totals) -> ServerEvent {
        let Totals { connections, received_bytes, sent_bytes } = totals;
        ServerEvent::Stopped { connections, received_bytes, sent_bytes }
    }
}

impl fmt::Display for ServerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerEvent::Listening { address, transport } => {
                write!(f, "listening on {address} ({transport})")
            }
            ServerEvent::SocketOptions { options } => {
                write!(f, "socket options: as the kernel reports them")?;
                options.iter().try_for_each(|option| write!(f, "\n  {option}"))
            }
            ServerEvent::Connected { peer } => write!(f, "connected {peer}"),
            ServerEvent::Refused { peer, reason } => write!(f, "refused {peer}: {reason}"),
            ServerEvent::Disconnected { peer, received_bytes, sent_bytes, reason, .. } => {
                let (received, sent) = (byte_count(*received_bytes), byte_count(*sent_bytes));
                write!(f, "disconnected {peer}: received {received}, sent {sent}")?;
                reason.iter().try_for_each(|reason| write!(f, " ({})", escape(reason.as_bytes())))
            }
            ServerEvent::AcceptPaused { reason } => write!(f, "accept paused: {reason}"),
            ServerEvent::AcceptResumed {} => write!(f, "accept resumed"),
            ServerEvent::Trace(step) => write!(f, "{step}"),
            ServerEvent::Stopped { connections, received_bytes, sent_bytes } => {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_server_is_found_by_its_line() {
        for address in ["127.0.0.1:80", "[::1]:65535"] {
            let address = address.parse().unwrap();
            let line = ServerEvent::Listening { address, transport: "tcp" }.to_string();
            assert_eq!(ServerEvent::listening_address(&line), Some(address), "{line}");
        }
        assert_eq!(ServerEvent::listening_address("error: 127.0.0.1:80"), None);
    }
}
